"""Describe the surroundings of every silicon atom of the final films."""

import pandas

from moxie.features.schemas import SITE_ENVIRONMENTS
from moxie.features.tables import write_table
from moxie.job import job
from moxie.learning.tasks.site_map.environments import describe_sites
from moxie.structures.network import read_network

with job(snakemake) as log:
    films = zip(snakemake.input.films, snakemake.params.films, strict=True)
    parts = [describe_sites(read_network(path)).assign(**film) for path, film in films]
    write_table(pandas.concat(parts, ignore_index=True), snakemake.output.table, SITE_ENVIRONMENTS)
