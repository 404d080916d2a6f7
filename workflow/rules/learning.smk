"""Models learnt from the tables.

REQUIRED INPUTS: results/features/{oxide_runs, molecules}.parquet
OUTPUTS: results/learning/{task}/{metrics.json, predictions.parquet, model.skops, card.md}
"""

from moxie.learning import registry as learning_registry

TASKS = learning_registry.names(study.parts())
LEARNING = expand("results/learning/{task}/{file}", task=TASKS, file=learning_registry.OUTPUTS)


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
    priority: 15
    conda:
        "../../envs/moxie.yaml"
    params:
        settings=lambda w: study.learning_settings(w.task),
        seed=lambda w: study.seed("learn", w),
        code=lambda w: code("learn", f"moxie.learning.tasks.{w.task}"),
    message:
        "Learning {wildcards.task}"
    script:
        "../../scripts/learn.py"
