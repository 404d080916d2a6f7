"""Join the curves of all runs: radial distribution functions, or distributions of dihedral angles."""

from moxie.features.gathering import gather_curves
from moxie.job import job

with job(snakemake) as log:
    files = snakemake.input
    runs = list(zip(snakemake.params.kinds, files.curves, files.observables, strict=True))
    gather_curves(runs, snakemake.params.table, snakemake.output.table)
