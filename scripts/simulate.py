"""Simulate a packed box at one state point."""

from moxie.dynamics.protocol import Settings
from moxie.dynamics.simulation import Outputs, simulate
from moxie.job import job

with job(snakemake) as log:
    simulate(
        snakemake.input.box,
        Outputs(**dict(snakemake.output.items())),
        Settings(**snakemake.params.settings),
        system=snakemake.wildcards.system,
        replica=int(snakemake.wildcards.replica),
        seed=snakemake.params.seed,
        checkpoint_dir=snakemake.params.checkpoints,
        checkpoint_interval_s=snakemake.config["dynamics"]["protocol"]["checkpoint_interval_s"],
        platform=snakemake.params.platform,
        threads=snakemake.threads,
        log=log,
    )
