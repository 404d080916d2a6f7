"""Compile the Monte Carlo kernels before several jobs share the compiler's cache."""

import os
from importlib.metadata import version

from moxie.io import write_json
from moxie.job import job
from moxie.oxidation.warm_up import compile_kernels

with job(snakemake) as log:
    log.info("Compiling; this takes about a minute the first time.")
    compile_kernels()
    write_json(
        snakemake.output.kernels, {"numba": version("numba"), "cache": os.path.basename(os.environ["NUMBA_CACHE_DIR"])}
    )
