"""Compute the observables of one bulk SiOx network."""

import pandas

from moxie.features.bulk import bulk_observables
from moxie.features.schemas import OXIDE_BULK
from moxie.features.tables import write_table
from moxie.job import job
from moxie.structures.network import read_network

with job(snakemake) as log:
    row = bulk_observables(read_network(snakemake.input.network), int(snakemake.wildcards.replica))
    write_table(pandas.DataFrame([row]), snakemake.output.row, OXIDE_BULK)
