"""Average a film's replica exchange over temperature by MBAR."""

import pandas

from moxie.features.equilibrium import analyse_equilibrium
from moxie.features.schemas import OXIDE_EQUILIBRIUM
from moxie.features.tables import write_table
from moxie.io import read_json
from moxie.job import job

with job(snakemake) as log:
    table = analyse_equilibrium(
        pandas.read_parquet(snakemake.input.samples),
        read_json(snakemake.input.run),
        snakemake.wildcards.orientation,
        snakemake.params.film_temperature_K,
        snakemake.params.equilibration_share,
    )
    for status, rows in table[table["status"] != "ok"].groupby("status"):
        log.warning("No value at %d of %d temperatures: %s", len(rows), len(table), status)
    write_table(table, snakemake.output.rows, OXIDE_EQUILIBRIUM)
