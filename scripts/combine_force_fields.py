"""Join the force-field files of a system's molecules into one."""

from moxie.dynamics.gaff import combine
from moxie.job import job

with job(snakemake):
    combine(snakemake.input.molecules, snakemake.output.force_field)
