"""Write the lowest-energy conformer of a molecule."""

from moxie.job import job
from moxie.structures.molecules import embed, write_sdf

with job(snakemake) as log:
    write_sdf(embed(snakemake.params.smiles, snakemake.wildcards.molecule, snakemake.params.seed), snakemake.output.sdf)
