"""The comparison of searches for the placement of oxygen of lowest energy.

REQUIRED INPUTS: none
OUTPUTS: results/learning/tree_search/{metrics.json, searches.parquet, best.extxyz}
"""

TREE_SEARCH = [f"results/learning/tree_search/{file}" for file in ("metrics.json", "searches.parquet", "best.extxyz")]
TARGETS["learning"] += TREE_SEARCH
REPORT["tree_search"] = "results/learning/tree_search/metrics.json"


rule search_placements:
    input:
        parameter_set=own_file(study.learning.parameter_set),
    output:
        metrics="results/learning/tree_search/metrics.json",
        searches="results/learning/tree_search/searches.parquet",
        best="results/learning/tree_search/best.extxyz",
    log:
        "results/logs/search_placements.log",
    conda:
        "../../../envs/moxie.yaml"
    threads: 1
    resources:
        mem_mb=1500,
        runtime=120,
    params:
        settings=study.learning.config.tree_search.model_dump(),
        parameter_set=study.learning.parameter_set,
        confidence=study.learning.config.confidence,
        bootstrap_samples=study.learning.config.bootstrap_samples,
        seed=study.seed("search_placements", {}),
        code=code("search_placements"),
    message:
        "Comparing searches for the placement of oxygen of lowest energy"
    script:
        "../../../scripts/search_placements.py"
