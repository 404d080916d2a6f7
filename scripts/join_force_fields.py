"""Join what the molecules of a system use of their force fields into one file."""

from moxie.dynamics.sources import join
from moxie.io import write_text
from moxie.job import job

with job(snakemake):
    params = snakemake.params
    write_text(snakemake.output.force_field, join(params.sources, params.smiles, params.charge_scale))
