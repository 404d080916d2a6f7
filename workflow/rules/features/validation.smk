"""The comparison of all tables with experiment and published values.

REQUIRED INPUTS: results/features/*.parquet
OUTPUTS: results/tables/validation.{parquet, csv}
"""

TARGETS["features"].append("results/tables/validation.parquet")
REPORT["validation"] = "results/tables/validation.parquet"


rule validate:
    input:
        **COMPARED,
    output:
        parquet="results/tables/validation.parquet",
        csv=report(
            "results/tables/validation.csv",
            caption="../../report/validation.rst",
            category="Validation",
            labels={"table": "Comparison with experiment and published values"},
        ),
    log:
        "results/logs/validate.log",
    localrule: True
    conda:
        "../../../envs/moxie.yaml"
    params:
        compositions=study.dynamics.compositions if study.dynamics else {},
        code=code("validate"),
    message:
        "Comparing with experiment and published values"
    script:
        "../../../scripts/validate.py"
