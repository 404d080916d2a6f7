"""Describe the surroundings of every silicon atom of the final films."""

import pandas

from moxie.features.schemas import SITE_ENVIRONMENTS
from moxie.features.tables import write_table
from moxie.job import job
from moxie.learning.tasks.site_map.environments import describe_sites
from moxie.structures.films import film_key
from moxie.structures.network import read_network

with job(snakemake) as log:
    films = map(read_network, snakemake.input.films)
    parts = [describe_sites(film).assign(**film_key(film)) for film in films]
    write_table(pandas.concat(parts, ignore_index=True), snakemake.output.table, SITE_ENVIRONMENTS)
