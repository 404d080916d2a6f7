"""Simulate one leg at constant energy, for transport coefficients."""

from moxie.dynamics.transport import TransportOutputs, TransportSettings, simulate_transport
from moxie.job import job

with job(snakemake) as log:
    files = snakemake.input
    simulate_transport(
        TransportOutputs(files.timeseries, files.trajectory, files.run),
        TransportOutputs(**dict(snakemake.output.items())),
        TransportSettings(**snakemake.params.settings),
        leg=int(snakemake.wildcards.leg),
        seed=snakemake.params.seed,
        checkpoint_dir=snakemake.params.checkpoints,
        checkpoint_interval_s=snakemake.config["dynamics"]["protocol"]["checkpoint_interval_s"],
        platform=snakemake.params.platform,
        threads=snakemake.threads,
        log=log,
    )
