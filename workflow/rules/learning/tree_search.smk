"""Searches for the placement of oxygen of lowest energy, and their comparison.

REQUIRED INPUTS: none
OUTPUTS: results/oxidation/placement/{searches.parquet, facts.json, best.extxyz},
    results/learning/tree_search/metrics.json
"""

SEARCHES = {
    "searches": "results/oxidation/placement/searches.parquet",
    "facts": "results/oxidation/placement/facts.json",
    "best": "results/oxidation/placement/best.extxyz",
}
TARGETS["learning"] += ["results/learning/tree_search/metrics.json", *SEARCHES.values()]
REPORT["tree_search"] = "results/learning/tree_search/metrics.json"


rule search_placements:
    input:
        parameter_set=own_file(study.learning.parameter_set),
    output:
        **SEARCHES,
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
        seed=study.seed("search_placements", {}),
        code=code("search_placements"),
    message:
        "Searching for the placement of oxygen of lowest energy"
    script:
        "../../../scripts/search_placements.py"


rule compare_searches:
    input:
        searches=SEARCHES["searches"],
        facts=SEARCHES["facts"],
    output:
        metrics="results/learning/tree_search/metrics.json",
    log:
        "results/logs/compare_searches.log",
    conda:
        "../../../envs/moxie.yaml"
    params:
        confidence=study.learning.config.confidence,
        bootstrap_samples=study.learning.config.bootstrap_samples,
        seed=study.seed("compare_searches", {}),
        code=code("compare_searches"),
    message:
        "Comparing the searches by their cost"
    script:
        "../../../scripts/compare_searches.py"
