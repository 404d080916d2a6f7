"""Join the results of all molecules."""

from moxie.features.molecules import tabulate
from moxie.features.schemas import MOLECULES
from moxie.features.tables import write_table
from moxie.job import job

with job(snakemake) as log:
    write_table(tabulate(list(snakemake.input.molecules)), snakemake.output.table, MOLECULES)
