"""Join the part files of a table."""

from moxie.features.gathering import gather
from moxie.job import job

with job(snakemake) as log:
    gather(list(snakemake.input.parts), snakemake.params.table, snakemake.output.table)
