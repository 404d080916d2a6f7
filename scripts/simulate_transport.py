"""Simulate one leg at constant energy, for transport coefficients."""

from moxie.dynamics.execution import Execution, Outputs
from moxie.dynamics.transport import TransportSettings, simulate_transport
from moxie.job import job

with job(snakemake) as log:
    files = snakemake.input
    simulate_transport(
        Outputs(files.timeseries, files.trajectory, files.run),
        Outputs(**dict(snakemake.output.items())),
        TransportSettings(**snakemake.params.settings),
        leg=int(snakemake.wildcards.leg),
        seed=snakemake.params.seed,
        execution=Execution(
            snakemake.params.checkpoints,
            snakemake.config["dynamics"]["protocol"]["checkpoint_interval_s"],
            snakemake.params.platform,
            snakemake.threads,
            log,
        ),
    )
