"""Train and evaluate one learning task."""

from pathlib import Path

from moxie.job import job
from moxie.learning import registry

with job(snakemake) as log:
    task = registry.get(snakemake.wildcards.task)
    inputs = {name: Path(path) for name, path in snakemake.input.items()}
    folder = Path(snakemake.output.metrics).parent
    task.run(inputs, folder, registry.LearningSettings(**snakemake.params.settings), snakemake.params.seed)
