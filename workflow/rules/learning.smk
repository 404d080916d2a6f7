"""Models learnt from the tables.

REQUIRED INPUTS: results/features/{oxide_runs, site_environments, placements, molecules}.parquet,
    results/tables/validation.parquet
OUTPUTS: results/learning/{task}/{metrics.json, predictions.parquet, model.skops, card.md}, and those of
    workflow/rules/learning
"""

from moxie.learning import registry as learning_registry

TASKS = study.learning.tasks
TARGETS["learning"] += expand("results/learning/{task}/{file}", task=TASKS, file=learning_registry.OUTPUTS)
for task, argument in (("oxide_surrogate", "metrics"), ("logp", "logp")):
    if task in TASKS:
        REPORT[argument] = f"results/learning/{task}/metrics.json"


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
        task="|".join(learning_registry.names()),  # never empty, which would match anything
    priority: 15
    conda:
        "../../envs/moxie.yaml"
    params:
        settings=lambda w: study.learning.settings(w.task),
        seed=lambda w: study.seed("learn", w),
        code=lambda w: code("learn", f"moxie.learning.tasks.{w.task}.task"),
    message:
        "Learning {wildcards.task}"
    script:
        "../../scripts/learn.py"


if study.learning.placements:

    include: "learning/placements.smk"


if "tree_search" in study.parts:

    include: "learning/tree_search.smk"


if study.oxidation:

    include: "learning/oxides.smk"
