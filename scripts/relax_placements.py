"""Relax the placements of a number of oxygen atoms on the bonds of a small silicon crystal."""

from moxie.features.schemas import PLACEMENTS
from moxie.features.tables import write_table
from moxie.job import job
from moxie.oxidation.placement.table import relax_placements

with job(snakemake) as log:
    params = snakemake.params
    n_oxygen = int(snakemake.wildcards.n_oxygen)
    table = relax_placements(n_oxygen, params.parameter_set, params.most, params.seed, log)
    write_table(table, snakemake.output.table, PLACEMENTS)
