"""Compare searches for the placement of O of lowest energy."""

from pathlib import Path

from moxie.job import job
from moxie.oxidation.placement.comparison import Settings, run

with job(snakemake) as log:
    params = snakemake.params
    run(
        Settings(**params.settings),
        params.parameter_set,
        params.confidence,
        params.bootstrap_samples,
        params.seed,
        Path(snakemake.output.metrics).parent,
    )
