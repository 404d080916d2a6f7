"""Observables with their errors, and the tables.

REQUIRED INPUTS: results/{dynamics, oxidation, molecules}/...
OUTPUTS: results/features/*.parquet, results/features/recommended_settings.json, results/tables/validation.{parquet, csv}
"""

OXIDE_TABLES = {f"oxide_{part}": part for part in ("runs", "sites", "profiles", "rdf", "structure_factors")}
SYSTEM_TABLES = [f"results/features/{kind}.parquet" for kind in KINDS]
TRANSPORT_TABLES = [f"results/features/{table}.parquet" for table in ("transport", "transport_curves") if LEGS]
SETTINGS_TABLES = ["results/features/settings_study.parquet"] if SETTING_POINTS else []
RECOMMENDED_SETTINGS = ["results/features/recommended_settings.json"] if SETTING_POINTS else []
TABLES = [
    *SYSTEM_TABLES,
    *TRANSPORT_TABLES,
    *SETTINGS_TABLES,
    *(f"results/features/{table}.parquet" for table in OXIDE_TABLES),
    "results/features/molecules.parquet",
    *(["results/features/oxide_bulk.parquet"] if BULK_OXIDES else []),
    *(["results/features/oxide_equilibrium.parquet"] if EXCHANGES else []),
]
# systems behind each table of curves, and the part file that its runs have
CURVE_PARTS = {
    "rdf_curves": ("rdf", [name for systems in KINDS.values() for name in systems]),
    "dihedral_curves": ("dihedrals", study.with_dihedrals()),
}
CURVES = [f"results/features/{table}.parquet" for table, (_, systems) in CURVE_PARTS.items() if systems]
FEATURES = [
    *TABLES,
    *CURVES,
    *RECOMMENDED_SETTINGS,
    "results/features/growth_curves.parquet",
    "results/tables/validation.parquet",
]


rule analyse_liquid:
    input:
        timeseries=f"results/dynamics/{RUN}/timeseries.parquet",
        trajectory=f"results/dynamics/{RUN}/trajectory.xtc",
        run=f"results/dynamics/{RUN}/run.json",
        gas=lambda w: f"results/dynamics/{GAS}/timeseries.parquet".format(**w) if study.has_gas(w.system) else [],
    output:
        observables=f"{PARTS}/liquids/{RUN}/observables.parquet",
        rdf=f"{PARTS}/liquids/{RUN}/rdf.parquet",
        dihedrals=f"{PARTS}/liquids/{RUN}/dihedrals.parquet",
    log:
        f"results/logs/analyse_liquid/{RUN}.log",
    conda:
        "../../envs/moxie.yaml"
    params:
        kind=lambda w: study.kind(w.system),
        code=code("analyse_liquid"),
    message:
        "Analysing {wildcards.system} at {wildcards.temperature_K} K"
    script:
        "../../scripts/analyse_liquid.py"


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
        "../../envs/moxie.yaml"
    params:
        code=code("analyse_transport"),
    message:
        "Transport coefficients of {wildcards.system} at {wildcards.temperature_K} K"
    script:
        "../../scripts/analyse_transport.py"


rule analyse_film:
    input:
        stages=f"results/oxidation/{FILM}/stages.xyz",
        run=f"results/oxidation/{FILM}/run.json",
    output:
        runs=f"{PARTS}/oxides/{FILM}/runs.parquet",
        sites=f"{PARTS}/oxides/{FILM}/sites.parquet",
        profiles=f"{PARTS}/oxides/{FILM}/profiles.parquet",
        rdf=f"{PARTS}/oxides/{FILM}/rdf.parquet",
        structure_factors=f"{PARTS}/oxides/{FILM}/structure_factors.parquet",
    log:
        f"results/logs/analyse_film/{FILM}.log",
    conda:
        "../../envs/moxie.yaml"
    params:
        code=code("analyse_film"),
    message:
        "Analysing the film on Si({wildcards.orientation}) at {wildcards.temperature_K} K, replica {wildcards.replica}"
    script:
        "../../scripts/analyse_film.py"


rule analyse_bulk:
    input:
        network=f"results/oxidation/{BULK}/network.xyz",
    output:
        row=f"{PARTS}/{BULK}.parquet",
    log:
        f"results/logs/analyse_bulk/{BULK}.log",
    conda:
        "../../envs/moxie.yaml"
    params:
        code=code("analyse_bulk"),
    message:
        "Analysing SiO{wildcards.x} of kT {wildcards.kT_eV} eV, replica {wildcards.replica}"
    script:
        "../../scripts/analyse_bulk.py"


rule analyse_equilibrium:
    input:
        samples="results/oxidation/exchange/Si{orientation}/samples.parquet",
        run="results/oxidation/exchange/Si{orientation}/run.json",
    output:
        rows=f"{PARTS}/exchange/Si{{orientation}}.parquet",
    log:
        "results/logs/analyse_equilibrium/{orientation}.log",
    conda:
        "../../envs/moxie.yaml"
    params:
        film_temperature_K=lambda w: study.exchange_film_temperature_K(),
        equilibration_share=lambda w: study.config.oxidation.replica_exchange.equilibration_share,
        code=code("analyse_equilibrium"),
    message:
        "Averaging the film on Si({wildcards.orientation}) over temperature"
    script:
        "../../scripts/analyse_equilibrium.py"


rule tabulate_equilibrium:
    input:
        parts=[f"{PARTS}/exchange/Si{orientation}.parquet" for orientation in EXCHANGED],
    output:
        table="results/features/oxide_equilibrium.parquet",
    log:
        "results/logs/tabulate/oxide_equilibrium.log",
    conda:
        "../../envs/moxie.yaml"
    params:
        table="oxide_equilibrium",
        code=code("tabulate"),
    message:
        "Joining the table of oxides at equilibrium"
    script:
        "../../scripts/tabulate.py"


rule tabulate_bulk:
    input:
        parts=[f"{PARTS}/{network}.parquet" for network in study.bulk_oxides()],
    output:
        table="results/features/oxide_bulk.parquet",
    log:
        "results/logs/tabulate/oxide_bulk.log",
    conda:
        "../../envs/moxie.yaml"
    params:
        table="oxide_bulk",
        code=code("tabulate"),
    message:
        "Joining the table of bulk oxides"
    script:
        "../../scripts/tabulate.py"


rule tabulate_systems:
    input:
        parts=lambda w: analysed(KINDS[w.kind], "observables"),
    output:
        table="results/features/{kind}.parquet",
    log:
        "results/logs/tabulate/{kind}.log",
    wildcard_constraints:
        kind="liquids|electrolytes",
    conda:
        "../../envs/moxie.yaml"
    params:
        table="{kind}",
        code=code("tabulate"),
    message:
        "Joining the table of {wildcards.kind}"
    script:
        "../../scripts/tabulate.py"


rule tabulate_films:
    input:
        parts=lambda w: [f"{PARTS}/oxides/{film}/{OXIDE_TABLES[w.table]}.parquet" for film in study.films()],
    output:
        table="results/features/{table}.parquet",
    log:
        "results/logs/tabulate/{table}.log",
    wildcard_constraints:
        table="|".join(OXIDE_TABLES),
    conda:
        "../../envs/moxie.yaml"
    params:
        table="{table}",
        code=code("tabulate"),
    message:
        "Joining the table {wildcards.table}"
    script:
        "../../scripts/tabulate.py"


rule tabulate_transport:
    input:
        parts=lambda w: [f"{PARTS}/transport/{state}/{w.table}.parquet" for state in LEGS],
    output:
        table="results/features/{table}.parquet",
    log:
        "results/logs/tabulate/{table}.log",
    wildcard_constraints:
        table="transport|transport_curves",
    conda:
        "../../envs/moxie.yaml"
    params:
        table="{table}",
        code=code("tabulate"),
    message:
        "Joining the table {wildcards.table}"
    script:
        "../../scripts/tabulate.py"


rule tabulate_settings:
    input:
        parts=[f"{PARTS}/settings_study/{point}.parquet" for point in SETTING_POINTS],
    output:
        table="results/features/settings_study.parquet",
    log:
        "results/logs/tabulate/settings_study.log",
    conda:
        "../../envs/moxie.yaml"
    params:
        table="settings_study",
        code=code("tabulate"),
    message:
        "Joining the table of settings"
    script:
        "../../scripts/tabulate.py"


rule recommend_settings:
    input:
        table="results/features/settings_study.parquet",
    output:
        recommendation="results/features/recommended_settings.json",
    log:
        "results/logs/recommend_settings.log",
    conda:
        "../../envs/moxie.yaml"
    params:
        base=vars(next(iter(SETTING_POINTS.values()))) if SETTING_POINTS else None,
        bounds=(
            SETTINGS_STUDY.model_dump(include={"largest_difference_percent", "largest_drift_kJ_mol_ns"})
            if SETTINGS_STUDY
            else None
        ),
        code=code("recommend_settings"),
    message:
        "Choosing settings"
    script:
        "../../scripts/recommend_settings.py"


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
    conda:
        "../../envs/moxie.yaml"
    params:
        kinds=lambda w: [study.kind(name) for name in CURVE_PARTS[w.table][1] for _ in RUNS[name]],
        table="{table}",
        code=code("tabulate_curves"),
    message:
        "Joining the table {wildcards.table}"
    script:
        "../../scripts/tabulate_curves.py"


rule tabulate_growth:
    output:
        table="results/features/growth_curves.parquet",
    log:
        "results/logs/tabulate/growth_curves.log",
    conda:
        "../../envs/moxie.yaml"
    params:
        recipe=study.config.oxidation.recipe.model_dump(),
        temperatures_K=study.config.oxidation.temperatures_K,
        orientations=study.config.oxidation.orientations,
        code=code("tabulate_growth"),
    message:
        "Computing the growth kinetics"
    script:
        "../../scripts/tabulate_growth.py"


rule tabulate_molecules:
    input:
        molecules=MOLECULES,
    output:
        table="results/features/molecules.parquet",
    log:
        "results/logs/tabulate/molecules.log",
    priority: 15
    conda:
        "../../envs/moxie.yaml"
    params:
        code=code("tabulate_molecules"),
    message:
        "Joining the table of molecules"
    script:
        "../../scripts/tabulate_molecules.py"


rule validate:
    input:
        **{
            name: path
            for path in TABLES
            if (name := Path(path).stem) in ("transport", "oxide_runs", "oxide_bulk", "molecules", *KINDS)
        },
    output:
        parquet="results/tables/validation.parquet",
        csv="results/tables/validation.csv",
    log:
        "results/logs/validate.log",
    conda:
        "../../envs/moxie.yaml"
    params:
        compositions={
            system: {study.config.molecules[name]: n for name, n in study.system(system).composition.items()}
            for system in study.config.dynamics.systems
        },
        code=code("validate"),
    message:
        "Comparing with experiment and published values"
    script:
        "../../scripts/validate.py"
