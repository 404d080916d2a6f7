"""What is learnt from the oxides beside the tasks themselves: the sites of the films, and the next recipe.

REQUIRED INPUTS: results/oxidation/{film}/film.xyz, results/features/oxide_runs.parquet
OUTPUTS: results/features/site_environments.parquet, results/learning/oxide_surrogate/next.{json, yaml}
"""

if "oxide_surrogate" in study.learning.tasks:
    TARGETS["learning"] += [f"results/learning/oxide_surrogate/next.{suffix}" for suffix in ("json", "yaml")]


rule next_recipe:
    input:
        oxide_runs=oxide_sweep,
    output:
        json="results/learning/oxide_surrogate/next.json",
        yaml="results/learning/oxide_surrogate/next.yaml",
    log:
        "results/logs/next_recipe.log",
    priority: 15
    localrule: True
    conda:
        "../../../envs/moxie.yaml"
    params:
        settings=study.learning.settings("oxide_surrogate"),
        seed=study.seed("next_recipe", {}),
        code=code("next_recipe"),
    message:
        "Choosing the next oxidation temperature to simulate"
    script:
        "../../../scripts/next_recipe.py"


rule describe_sites:
    input:
        films=[f"results/oxidation/{film}/film.xyz" for film in study.oxidation.films],
    output:
        table="results/features/site_environments.parquet",
    log:
        "results/logs/describe_sites.log",
    priority: 15
    localrule: True
    conda:
        "../../../envs/moxie.yaml"
    params:
        code=code("describe_sites"),
    message:
        "Describing the sites of the films"
    script:
        "../../../scripts/describe_sites.py"
