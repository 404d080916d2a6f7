"""Simulate the isolated molecule of a pure liquid."""

from moxie.dynamics.protocol import RunSettings
from moxie.dynamics.simulation import simulate_gas
from moxie.job import job

with job(snakemake) as log:
    ((name, smiles),) = snakemake.params.smiles.items()
    simulate_gas(
        smiles,
        name,
        snakemake.output.timeseries,
        snakemake.output.run,
        RunSettings(**snakemake.params.settings),
        replica=int(snakemake.wildcards.replica),
        seed=snakemake.params.seed,
        log=log,
    )
