"""Compute the observables of one simulated state point."""

from moxie.features.liquids import analyse
from moxie.features.schemas import DIHEDRALS, ELECTROLYTES, LIQUIDS, RDF
from moxie.features.tables import write_table
from moxie.job import job

with job(snakemake) as log:
    files = snakemake.input
    gas = files.gas or None
    observables, rdf, dihedrals = analyse(files.timeseries, files.trajectory, files.run, gas, log)
    write_table(rdf, snakemake.output.rdf, RDF)
    write_table(dihedrals, snakemake.output.dihedrals, DIHEDRALS)
    schema = LIQUIDS if snakemake.params.kind == LIQUIDS.name else ELECTROLYTES
    write_table(observables, snakemake.output.observables, schema)
