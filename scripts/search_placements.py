"""Run searches for the placement of O of lowest energy."""

from moxie.features.schemas import SEARCHES
from moxie.features.tables import write_table
from moxie.io import write_json
from moxie.job import job
from moxie.oxidation.placement.runs import SearchSettings, run_searches
from moxie.structures.network import write_networks

with job(snakemake) as log:
    params = snakemake.params
    runs = run_searches(SearchSettings(**params.settings), params.parameter_set, params.seed, log)
    write_table(runs.rows, snakemake.output.searches, SEARCHES)
    write_networks(snakemake.output.best, runs.best)
    write_json(snakemake.output.facts, runs.facts)
