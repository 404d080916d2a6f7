"""The table of molecules.

REQUIRED INPUTS: results/molecules/...
OUTPUTS: results/features/molecules.parquet
"""

add_table("molecules", compared=True)
REPORT["molecules"] = "results/features/molecules.parquet"


rule tabulate_molecules:
    input:
        molecules=study.molecules.results,
    output:
        table="results/features/molecules.parquet",
    log:
        "results/logs/tabulate/molecules.log",
    priority: 15
    localrule: True
    conda:
        "../../../envs/moxie.yaml"
    params:
        code=code("tabulate_molecules"),
    message:
        "Joining the table of molecules"
    script:
        "../../../scripts/tabulate_molecules.py"
