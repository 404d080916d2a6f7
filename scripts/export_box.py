"""Warm a packed box up and write it as LAMMPS files."""

from pathlib import Path

from moxie.dynamics.export import export
from moxie.dynamics.protocol import RunSettings
from moxie.job import job

with job(snakemake) as log:
    export(
        snakemake.input.box,
        Path(snakemake.output.data).parent,
        RunSettings(**snakemake.params.settings),
        system=snakemake.wildcards.system,
        seed=snakemake.params.seed,
        platform="CPU",
        log=log,
    )
