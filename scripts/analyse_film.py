"""Compute the observables of one film after every stage of its growth."""

import pandas

from moxie.features.oxides import analyse_film, film_curves
from moxie.features.schemas import OXIDE_PROFILES, OXIDE_RDF, OXIDE_RUNS, OXIDE_SITES, OXIDE_STRUCTURE_FACTORS
from moxie.features.tables import write_table
from moxie.io import read_json
from moxie.job import job
from moxie.structures.films import film_key
from moxie.structures.network import read_networks

with job(snakemake) as log:
    run = read_json(snakemake.input.run)
    facts = {
        name: run[name] for name in ("parameter_set", "recipe_thickness_nm", "target_thickness_nm", "thickness_scale")
    }
    stages = read_networks(snakemake.input.stages)
    key = film_key(stages[-1])
    frames = [frame for frame in read_networks(snakemake.input.frames) if frame.info.get("stationary")]
    chain = pandas.read_parquet(snakemake.input.chain).iloc[run.get("production_first_stationary_record", 0) :]
    films = analyse_film(stages, **key, **facts, frames=frames, chain=chain)
    tables = (*films, *film_curves(stages[-1], **key))
    schemas = (OXIDE_RUNS, OXIDE_SITES, OXIDE_PROFILES, OXIDE_RDF, OXIDE_STRUCTURE_FACTORS)
    for table, schema in zip(tables, schemas, strict=True):
        write_table(table, snakemake.output[schema.name.removeprefix("oxide_")], schema)
