"""Compile the Monte Carlo kernels and find the constants of early rejection for the study's films."""

from moxie.io import write_json
from moxie.job import job
from moxie.oxidation.films.growth import Growth, calibrate_rejection
from moxie.oxidation.parameter_sets import load_parameters
from moxie.structures.network import read_network

with job(snakemake) as log:
    params = snakemake.params
    log.info("Compiling; this takes about a minute the first time.")
    calibration, rate, number = calibrate_rejection(
        read_network(snakemake.input.slab),
        load_parameters(params.parameter_set),
        Growth(**params.growth),
        params.seed,
        log,
    )
    facts = {
        "kT_eV": calibration.kT_eV,
        "followed": len(calibration.log),
        "acceptable": calibration.effective,
        "false_kill_rate": rate,
        "false_kill_rate_rests_on": number,
    }
    write_json(snakemake.output.rejection, facts | {"rejection": calibration.rejection.to_dict()})
