"""Hold films from the disordered side against those from the ordered side, state by state."""

from moxie.features.approaches import compare_approaches, write_approaches
from moxie.features.schemas import OXIDE_RUNS
from moxie.features.tables import read_table
from moxie.job import job

with job(snakemake) as log:
    table = compare_approaches(read_table(snakemake.input.oxide_runs, OXIDE_RUNS))
    for verdict, rows in table.groupby("verdict"):
        log.info("%s: %d of %d", verdict, len(rows), len(table))
    write_approaches(table, snakemake.output.table)
