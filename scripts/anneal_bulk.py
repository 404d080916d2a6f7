"""Anneal one bulk SiOx network."""

from moxie.job import job
from moxie.oxidation.networks.bulk import BulkSettings, anneal_bulk
from moxie.oxidation.parameter_sets import load_parameters
from moxie.structures.network import write_networks

with job(snakemake) as log:
    params, wildcards = snakemake.params, snakemake.wildcards
    parameters = load_parameters(params.parameter_set)
    settings = BulkSettings(**params.settings)
    network = anneal_bulk(float(wildcards.x), float(wildcards.kT_eV), parameters, settings, params.seed, log)
    write_networks(snakemake.output.network, network)
