"""Models learnt from the tables.

REQUIRED INPUTS: results/features/{oxide_runs, oxide_sites, molecules}.parquet, results/tables/validation.parquet,
    results/oxidation/{film}/film.xyz
OUTPUTS: results/features/{placements, site_environments}.parquet,
    results/learning/{task}/{metrics.json, predictions.parquet, model.skops, card.md},
    results/learning/oxide_surrogate/next.{json, yaml},
    results/learning/tree_search/{metrics.json, searches.parquet, best.extxyz}
"""

from moxie.learning import registry as learning_registry

TASKS = learning_registry.names(study.parts())
NEXT_RECIPE = [f"results/learning/oxide_surrogate/next.{suffix}" for suffix in ("json", "yaml")]
TREE_SEARCH = [f"results/learning/tree_search/{file}" for file in ("metrics.json", "searches.parquet", "best.extxyz")]
LEARNING = [*expand("results/learning/{task}/{file}", task=TASKS, file=learning_registry.OUTPUTS)]
LEARNING += [*(NEXT_RECIPE if "oxide_surrogate" in TASKS else []), *TREE_SEARCH]


rule learn:
    input:
        unpack(lambda w: {name: f"results/{path}" for name, path in learning_registry.get(w.task).inputs.items()}),
    output:
        metrics="results/learning/{task}/metrics.json",
        predictions="results/learning/{task}/predictions.parquet",
        model="results/learning/{task}/model.skops",
        card="results/learning/{task}/card.md",
    log:
        "results/logs/learn/{task}.log",
    wildcard_constraints:
        task="|".join(TASKS),
    priority: 15
    conda:
        "../../envs/moxie.yaml"
    params:
        settings=lambda w: study.learning_settings(w.task),
        seed=lambda w: study.seed("learn", w),
        code=lambda w: code("learn", f"moxie.learning.tasks.{w.task}.task"),
    message:
        "Learning {wildcards.task}"
    script:
        "../../scripts/learn.py"


rule relax_placements:
    input:
        own_file(study.config.oxidation.parameter_set),
    output:
        table=f"{PARTS}/placements/O{{n_oxygen}}.parquet",
    log:
        "results/logs/relax_placements/O{n_oxygen}.log",
    wildcard_constraints:
        n_oxygen="[0-9]+",
    priority: 15
    conda:
        "../../envs/moxie.yaml"
    threads: 1
    params:
        parameter_set=study.config.oxidation.parameter_set,
        most=lambda w: study.placements()[int(w.n_oxygen)],
        seed=lambda w: study.seed("relax_placements", w),
        code=code("relax_placements"),
    message:
        "Relaxing {wildcards.n_oxygen} O on the bonds of 16 Si"
    script:
        "../../scripts/relax_placements.py"


rule tabulate_placements:
    input:
        parts=[f"{PARTS}/placements/O{n}.parquet" for n in study.placements()],
    output:
        table="results/features/placements.parquet",
    log:
        "results/logs/tabulate/placements.log",
    priority: 15
    conda:
        "../../envs/moxie.yaml"
    params:
        table="placements",
        code=code("tabulate"),
    message:
        "Joining the table of placements"
    script:
        "../../scripts/tabulate.py"


rule next_recipe:
    input:
        oxide_runs=oxide_sweep,
    output:
        json="results/learning/oxide_surrogate/next.json",
        yaml="results/learning/oxide_surrogate/next.yaml",
    log:
        "results/logs/next_recipe.log",
    priority: 15
    conda:
        "../../envs/moxie.yaml"
    params:
        settings=study.learning_settings("oxide_surrogate"),
        seed=study.seed("next_recipe", {}),
        code=code("next_recipe"),
    message:
        "Choosing the next oxidation temperature to simulate"
    script:
        "../../scripts/next_recipe.py"


rule describe_sites:
    input:
        films=[f"results/oxidation/{film}/film.xyz" for film in study.films()],
    output:
        table="results/features/site_environments.parquet",
    log:
        "results/logs/describe_sites.log",
    priority: 15
    conda:
        "../../envs/moxie.yaml"
    params:
        films=[
            {"orientation": orientation, "temperature_K": float(temperature), "replica": replica}
            for orientation in study.config.oxidation.orientations
            for temperature in study.film_temperatures()
            for replica in range(study.config.oxidation.replicas)
        ],
        code=code("describe_sites"),
    message:
        "Describing the sites of the films"
    script:
        "../../scripts/describe_sites.py"


rule search_placements:
    input:
        parameter_set=own_file(study.config.oxidation.parameter_set),
    output:
        metrics="results/learning/tree_search/metrics.json",
        searches="results/learning/tree_search/searches.parquet",
        best="results/learning/tree_search/best.extxyz",
    log:
        "results/logs/search_placements.log",
    conda:
        "../../envs/moxie.yaml"
    threads: 1
    resources:
        mem_mb=1500,
        runtime=120,
    params:
        settings=study.config.learning.tree_search.model_dump(),
        parameter_set=study.config.oxidation.parameter_set,
        confidence=study.config.learning.confidence,
        bootstrap_samples=study.config.learning.bootstrap_samples,
        seed=study.seed("search_placements", {}),
        code=code("search_placements"),
    message:
        "Comparing searches for the placement of oxygen of lowest energy"
    script:
        "../../scripts/search_placements.py"
