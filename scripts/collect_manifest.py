"""Write down what every result came from."""

from pathlib import Path

from moxie.job import job
from moxie.provenance import write_manifest

with job(snakemake) as log:
    params = snakemake.params
    write_manifest(
        snakemake.output.manifest,
        config=params.config,
        results=snakemake.input.results,
        root=Path(params.root),
        files=snakemake.input.files,
    )
