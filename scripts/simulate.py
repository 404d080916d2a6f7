"""Simulate a packed box at one state point."""

from moxie.dynamics.execution import Execution, Outputs
from moxie.dynamics.protocol import RunSettings
from moxie.dynamics.simulation import simulate
from moxie.job import job

with job(snakemake) as log:
    simulate(
        snakemake.input.box,
        Outputs(**dict(snakemake.output.items())),
        RunSettings(**snakemake.params.settings),
        system=snakemake.wildcards.system,
        replica=int(snakemake.wildcards.replica),
        seed=snakemake.params.seed,
        execution=Execution(
            snakemake.params.checkpoints,
            snakemake.config["dynamics"]["protocol"]["checkpoint_interval_s"],
            snakemake.params.platform,
            snakemake.threads,
            log,
        ),
    )
