"""Compare searches for the placement of O of lowest energy."""

from moxie.job import job
from moxie.learning.searches import compare

with job(snakemake) as log:
    params = snakemake.params
    compare(
        snakemake.input.searches,
        snakemake.input.facts,
        snakemake.output.metrics,
        params.confidence,
        params.bootstrap_samples,
        params.seed,
    )
