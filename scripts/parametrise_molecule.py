"""Make the GAFF parameters of a molecule."""

from moxie.dynamics.gaff import parametrise
from moxie.job import job

with job(snakemake) as log:
    parametrise(
        snakemake.input.sdf,
        snakemake.params.smiles,
        snakemake.wildcards.molecule,
        snakemake.wildcards.force_field,
        snakemake.output.force_field,
        log,
    )
