"""Compute the molecules of one chunk of a list."""

from moxie.job import job
from moxie.molecules.lists import Entry, with_structures
from moxie.molecules.properties import MoleculeSettings, compute_chunk

with job(snakemake) as log:
    entries = [Entry(*entry) for entry in snakemake.params.entries]
    compute_chunk(
        snakemake.wildcards.list,
        with_structures(snakemake.wildcards.list, entries),
        snakemake.output.json,
        seed=snakemake.params.seed,
        settings=MoleculeSettings(**snakemake.params.settings),
        log=log,
    )
