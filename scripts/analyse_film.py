"""Compute the observables of one film after every stage of its growth."""

from moxie.features.oxides import analyse_film
from moxie.features.tables import write_table
from moxie.io import read_json
from moxie.job import job
from moxie.structures.network import read_networks

with job(snakemake) as log:
    run = read_json(snakemake.input.run)
    facts = {
        name: run[name] for name in ("parameter_set", "recipe_thickness_nm", "target_thickness_nm", "thickness_scale")
    }
    key = {"temperature_K": float(snakemake.wildcards.temperature_K), "replica": int(snakemake.wildcards.replica)}
    tables = analyse_film(read_networks(snakemake.input.stages), **key, **facts)
    for name, table in zip(("runs", "sites", "profiles"), tables, strict=True):
        write_table(table, snakemake.output[name], f"oxide_{name}")
