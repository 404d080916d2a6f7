"""Sample one film by replica exchange, its oxygen fixed."""

import pandas

from moxie.interruption import asked
from moxie.io import replace_when_complete, write_json
from moxie.job import job
from moxie.oxidation.films.equilibrium import ExchangeSettings, film_facts, sample_film
from moxie.oxidation.parameter_sets import load_parameters
from moxie.structures.network import read_network

with job(snakemake) as log:
    params = snakemake.params
    film, parameters = read_network(snakemake.input.film), load_parameters(params.parameter_set)
    run = sample_film(
        film,
        parameters,
        ExchangeSettings(**params.settings),
        params.lowest_temperature_K,
        params.seed,
        threads=snakemake.threads,
        checkpoint_dir=params.checkpoints,
        log=log,
        checkpoint_interval_s=snakemake.config["oxidation"]["checkpoint_interval_s"],
        stop=asked,
    )
    with replace_when_complete(snakemake.output.samples) as partial:
        pandas.DataFrame(run.columns).to_parquet(partial)
    settings = {"parameter_set": parameters.name, "settings": params.settings, "seed": params.seed}
    write_json(snakemake.output.run, film_facts(film, run) | settings | {"cpu_s": run.cpu_s})
