"""Choose the next recipe to simulate and write it as a configuration overlay."""

from moxie.job import job
from moxie.learning.registry import LearningSettings
from moxie.learning.tasks.oxide_surrogate.active import next_recipe

with job(snakemake) as log:
    params = snakemake.params
    output = {"json": snakemake.output.json, "yaml": snakemake.output.yaml}
    record = next_recipe(snakemake.input.oxide_runs, output, LearningSettings(**params.settings), params.seed)
    log.info("the next temperature is %g K", record["next_temperature_K"])
