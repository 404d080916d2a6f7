"""Observables of liquids and electrolytes with their errors, and their tables.

REQUIRED INPUTS: results/dynamics/...
OUTPUTS: results/features/{liquids, electrolytes, transport, transport_curves, rdf_curves, dihedral_curves}.parquet
"""

from moxie.study.system import STATE

KINDS = study.dynamics.kinds
# systems behind each table of curves, and the part file that their runs have
CURVE_PARTS = {
    "rdf_curves": ("rdf", list(study.dynamics.systems)),
    "dihedral_curves": ("dihedrals", study.dynamics.with_dihedrals),
}
TRANSPORT_TABLES = ("transport", "transport_curves")
for table in KINDS:
    add_table(table, compared=True)
for table, (_, systems) in CURVE_PARTS.items():
    if systems:
        add_table(table)
if LEGS:
    add_table("transport", compared=True)
    add_table("transport_curves")
if "liquids" in KINDS:
    REPORT["liquids"] = "results/features/liquids.parquet"
if "electrolytes" in KINDS:
    REPORT["electrolytes"] = "results/features/electrolytes.parquet"


rule analyse_liquid:
    input:
        timeseries=f"results/dynamics/{RUN}/timeseries.parquet",
        trajectory=f"results/dynamics/{RUN}/trajectory.xtc",
        run=f"results/dynamics/{RUN}/run.json",
        gas=lambda w: f"results/dynamics/{GAS}/timeseries.parquet".format(**w) if system_of(w).has_gas else [],
    output:
        observables=f"{PARTS}/liquids/{RUN}/observables.parquet",
        rdf=f"{PARTS}/liquids/{RUN}/rdf.parquet",
        dihedrals=f"{PARTS}/liquids/{RUN}/dihedrals.parquet",
    log:
        f"results/logs/analyse_liquid/{RUN}.log",
    conda:
        "../../../envs/moxie.yaml"
    params:
        kind=lambda w: system_of(w).kind,
        code=code("analyse_liquid"),
    message:
        "Analysing {wildcards.system} at {wildcards.temperature_K} K"
    script:
        "../../../scripts/analyse_liquid.py"


rule analyse_transport:
    input:
        timeseries=lambda w: [f"results/dynamics/{leg}/timeseries.parquet" for leg in LEGS[STATE.format(**w)]],
        trajectories=lambda w: [f"results/dynamics/{leg}/trajectory.xtc" for leg in LEGS[STATE.format(**w)]],
        runs=lambda w: [f"results/dynamics/{leg}/run.json" for leg in LEGS[STATE.format(**w)]],
    output:
        transport=f"{PARTS}/transport/{STATE}/transport.parquet",
        curves=f"{PARTS}/transport/{STATE}/transport_curves.parquet",
    log:
        f"results/logs/analyse_transport/{STATE}.log",
    conda:
        "../../../envs/moxie.yaml"
    params:
        code=code("analyse_transport"),
    message:
        "Transport coefficients of {wildcards.system} at {wildcards.temperature_K} K"
    script:
        "../../../scripts/analyse_transport.py"


rule tabulate_systems:
    input:
        parts=lambda w: analysed(KINDS[w.kind], "observables"),
    output:
        table="results/features/{kind}.parquet",
    log:
        "results/logs/tabulate/{kind}.log",
    wildcard_constraints:
        kind="liquids|electrolytes",
    localrule: True
    conda:
        "../../../envs/moxie.yaml"
    params:
        table="{kind}",
        code=code("tabulate"),
    message:
        "Joining the table of {wildcards.kind}"
    script:
        "../../../scripts/tabulate.py"


rule tabulate_curves:
    input:
        curves=lambda w: analysed(CURVE_PARTS[w.table][1], CURVE_PARTS[w.table][0]),
        observables=lambda w: analysed(CURVE_PARTS[w.table][1], "observables"),
    output:
        table="results/features/{table}.parquet",
    log:
        "results/logs/tabulate/{table}.log",
    wildcard_constraints:
        table="|".join(CURVE_PARTS),
    localrule: True
    conda:
        "../../../envs/moxie.yaml"
    params:
        kinds=lambda w: [
            system.kind
            for name in CURVE_PARTS[w.table][1]
            for system in [study.dynamics.systems[name]]
            for _ in system.runs
        ],
        table="{table}",
        code=code("tabulate_curves"),
    message:
        "Joining the table {wildcards.table}"
    script:
        "../../../scripts/tabulate_curves.py"


rule tabulate_transport:
    input:
        parts=lambda w: [f"{PARTS}/transport/{state}/{w.table}.parquet" for state in LEGS],
    output:
        table="results/features/{table}.parquet",
    log:
        "results/logs/tabulate/{table}.log",
    wildcard_constraints:
        table="transport|transport_curves",
    localrule: True
    conda:
        "../../../envs/moxie.yaml"
    params:
        table="{table}",
        code=code("tabulate"),
    message:
        "Joining the table {wildcards.table}"
    script:
        "../../../scripts/tabulate.py"
