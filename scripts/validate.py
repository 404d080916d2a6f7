"""Compare computed numbers with experiment and published values."""

from moxie.features.schemas import ELECTROLYTES, LIQUIDS, MOLECULES, OXIDE_BULK, OXIDE_RUNS, TRANSPORT
from moxie.features.tables import read_table
from moxie.features.validation import make_validation_table, write_validation
from moxie.job import job
from moxie.kinetics import thickness_nm

with job(snakemake) as log:
    present = dict(snakemake.input.items())
    tables = {
        table.name: read_table(present[table.name], table) if table.name in present else None
        for table in (LIQUIDS, ELECTROLYTES, TRANSPORT, OXIDE_RUNS, OXIDE_BULK, MOLECULES)
    }
    growth_nm = thickness_nm if OXIDE_RUNS.name in present else None
    table = make_validation_table(**tables, compositions=snakemake.params.compositions, growth_nm=growth_nm)
    write_validation(table, snakemake.output.parquet, snakemake.output.csv)
