"""Oxygen on the bonds of a small silicon crystal, relaxed for the task network_energy.

REQUIRED INPUTS: none
OUTPUTS: results/features/placements.parquet
"""


rule relax_placements:
    input:
        own_file(study.learning.parameter_set),
    output:
        table=f"{PARTS}/placements/O{{n_oxygen}}.parquet",
    log:
        "results/logs/relax_placements/O{n_oxygen}.log",
    wildcard_constraints:
        n_oxygen="[0-9]+",
    priority: 15
    conda:
        "../../../envs/moxie.yaml"
    threads: 1
    params:
        parameter_set=study.learning.parameter_set,
        most=lambda w: study.learning.placements[int(w.n_oxygen)],
        seed=lambda w: study.seed("relax_placements", w),
        code=code("relax_placements"),
    message:
        "Relaxing {wildcards.n_oxygen} O on the bonds of 16 Si"
    script:
        "../../../scripts/relax_placements.py"


rule tabulate_placements:
    input:
        parts=[f"{PARTS}/placements/O{n}.parquet" for n in study.learning.placements],
    output:
        table="results/features/placements.parquet",
    log:
        "results/logs/tabulate/placements.log",
    priority: 15
    localrule: True
    conda:
        "../../../envs/moxie.yaml"
    params:
        table="placements",
        code=code("tabulate"),
    message:
        "Joining the table of placements"
    script:
        "../../../scripts/tabulate.py"
