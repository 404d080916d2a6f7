"""Grow an oxide film on the slab at one temperature."""

import json
from pathlib import Path

import pandas

from moxie.interruption import asked
from moxie.io import replace_when_complete, write_json
from moxie.job import job
from moxie.oxidation.films.growth import Anneal, FilmSettings, Growth, grow_oxide
from moxie.oxidation.parameter_sets import load_parameters
from moxie.oxidation.rejection import Rejection
from moxie.structures.network import read_network, write_networks

with job(snakemake) as log:
    params = snakemake.params
    parameters = load_parameters(params.parameter_set)
    result = grow_oxide(
        read_network(snakemake.input.slab),
        parameters,
        FilmSettings(
            params.size["n_oxygen"],
            Growth(**params.growth),
            Anneal(**params.anneal),
            snakemake.config["oxidation"]["checkpoint_interval_s"],
        ),
        float(snakemake.wildcards.temperature_K),
        params.seed,
        params.checkpoints,
        log,
        asked,
        rejection=Rejection.from_dict(json.loads(Path(snakemake.input.rejection).read_text())["rejection"]),
    )
    write_networks(snakemake.output.film, result.stages[-1])
    write_networks(snakemake.output.stages, result.stages)
    with replace_when_complete(snakemake.output.trace) as partial:
        pandas.DataFrame(result.trace).to_parquet(partial)
    facts = {"attempts": result.attempts, "accepted": result.accepted, "largest_drift_eV": result.largest_drift_eV}
    settings = {name: params[name] for name in ("growth", "anneal", "recipe", "thickness_scale", "seed")}
    settings["parameter_set"] = parameters.name
    write_json(snakemake.output.run, facts | settings | params.size | {"cpu_s": result.cpu_s})
