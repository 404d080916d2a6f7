"""Grow an oxide film on the slab at one temperature, and sample it there."""

import json
from pathlib import Path

import pandas

from moxie.approaches import APPROACHES
from moxie.interruption import asked
from moxie.io import replace_when_complete, write_json
from moxie.job import job
from moxie.oxidation.films.growth import Anneal, FilmSettings, Growth, grow_oxide, with_energies_of
from moxie.oxidation.films.production import sample_film
from moxie.oxidation.films.production_settings import Production
from moxie.oxidation.parameter_sets import load_parameters
from moxie.oxidation.rejection import Rejection
from moxie.seeds import derive_seed
from moxie.structures.network import read_network, write_networks
from moxie.structures.silicon import MONOLAYER_PER_CM2

with job(snakemake) as log:
    params = snakemake.params
    parameters = load_parameters(params.parameter_set)
    wildcards = snakemake.wildcards
    factor = APPROACHES[wildcards.approach].suboxide_factor
    result = grow_oxide(
        read_network(snakemake.input.slab),
        parameters.with_suboxides(factor),
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
    label = {
        "orientation": wildcards.orientation,
        "temperature_K": float(wildcards.temperature_K),
        "approach": wildcards.approach,
        "replica": int(wildcards.replica),
    }
    stages = result.stages if factor == 1 else [with_energies_of(parameters, stage) for stage in result.stages]
    facts = {"attempts": result.attempts, "accepted": result.accepted}
    frames, chain = stages[-1:], {}
    largest_drift_eV, cpu_s = result.largest_drift_eV, result.cpu_s
    if params.production:
        sampled = sample_film(
            stages[-1],
            parameters,
            Production(**params.production),
            label["temperature_K"],
            derive_seed(params.seed, "production"),
            MONOLAYER_PER_CM2[wildcards.orientation],
            Growth(**params.growth),
            result.rejection,
            params.checkpoints,
            log,
            snakemake.config["oxidation"]["checkpoint_interval_s"],
            asked,
        )
        frames, chain = sampled.frames, sampled.columns
        stages = [*stages[:-1], frames[-1]]
        largest_drift_eV, cpu_s = max(largest_drift_eV, sampled.largest_drift_eV), cpu_s + sampled.cpu_s
        facts |= {
            "production_status": sampled.status,
            "production_attempts": sampled.attempts,
            "production_accepted": sampled.accepted,
            "production_bounds_missed": sampled.bounds_missed,
            "production_first_stationary_record": sampled.start,
            "production_independent_records": sampled.n_independent,
            "production_energy_change_eV": sampled.energy_change.value,
            "production_energy_change_standard_error_eV": sampled.energy_change.standard_error,
            "production_cpu_s": sampled.cpu_s,
        }
    for network in (*stages, *frames):
        network.info.update(label)
    write_networks(snakemake.output.film, stages[-1])
    write_networks(snakemake.output.stages, stages)
    write_networks(snakemake.output.frames, frames)
    for name, columns in (("trace", result.trace), ("chain", chain)):
        with replace_when_complete(snakemake.output[name]) as partial:
            pandas.DataFrame(columns).to_parquet(partial)
    facts |= {"largest_drift_eV": largest_drift_eV, "cpu_s": cpu_s}
    settings = {name: params[name] for name in ("growth", "anneal", "production", "recipe", "thickness_scale", "seed")}
    settings["parameter_set"] = parameters.name
    write_json(snakemake.output.run, facts | settings | params.size | label)
