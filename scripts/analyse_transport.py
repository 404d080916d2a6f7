"""Compute the transport coefficients of one state point from all its legs."""

from moxie.features.schemas import TRANSPORT, TRANSPORT_CURVES
from moxie.features.tables import write_table
from moxie.features.transport import analyse_transport
from moxie.job import job

with job(snakemake) as log:
    files = snakemake.input
    table, curves = analyse_transport(files.timeseries, files.trajectories, files.runs, log)
    units = dict.fromkeys(("value", "value_standard_error", "fit"), "see column unit")
    write_table(curves, snakemake.output.curves, TRANSPORT_CURVES, units)
    write_table(table, snakemake.output.transport, TRANSPORT)
