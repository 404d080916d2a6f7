"""Compare computed numbers with experiment and published values."""

from moxie.features.tables import read_table
from moxie.job import job
from moxie.oxidation.kinetics import thickness_nm
from moxie.reference.validation import make_validation_table, write_validation

with job(snakemake) as log:
    present = dict(snakemake.input.items())
    tables = {
        name: read_table(present[name], name) if name in present else None
        for name in ("liquids", "electrolytes", "transport", "oxide_runs", "oxide_bulk", "molecules")
    }
    table = make_validation_table(**tables, compositions=snakemake.params.compositions, growth_nm=thickness_nm)
    write_validation(table, snakemake.output.parquet, snakemake.output.csv)
