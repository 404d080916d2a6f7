"""Optimise a molecule and compute its electronic properties."""

from moxie.job import job
from moxie.molecules.properties import MoleculeSettings, optimise_molecule

with job(snakemake) as log:
    optimise_molecule(
        snakemake.input.sdf,
        snakemake.params.smiles,
        snakemake.output.json,
        name=snakemake.wildcards.molecule,
        settings=MoleculeSettings(**snakemake.params.settings),
        log=log,
    )
