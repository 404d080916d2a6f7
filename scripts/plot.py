"""Draw a figure and write the data that it shows."""

from pathlib import Path

from moxie.figures.registry import render
from moxie.job import job

with job(snakemake) as log:
    stem = Path(snakemake.output.svg).with_suffix("")
    render(snakemake.wildcards.name, dict(snakemake.input.items()), stem, **snakemake.params.settings)
