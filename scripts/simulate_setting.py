"""Simulate one point of the study of settings."""

import pandas as pd

from moxie.dynamics.execution import Execution
from moxie.dynamics.protocol import RunSettings
from moxie.dynamics.settings_study import simulate_point
from moxie.features.schemas import SETTINGS_STUDY
from moxie.features.tables import write_table
from moxie.job import job
from moxie.structures.boxes import pack
from moxie.structures.molecules import read_sdf

with job(snakemake) as log:
    params = snakemake.params
    composition, settings = params.point["composition"], RunSettings(**params.point["settings"])
    molecules = {name: read_sdf(path) for name, path in zip(composition, snakemake.input.molecules, strict=True)}
    box = pack(molecules, composition, params.smiles, params.seed, settings.density_g_cm3)
    interval_s = snakemake.config["dynamics"]["protocol"]["checkpoint_interval_s"]
    execution = Execution(params.checkpoints, interval_s, params.platform, snakemake.threads, log)
    row = simulate_point(
        box, settings, params.nve_ps, system=params.system, seed=params.seed, execution=execution
    )  # fmt: skip
    write_table(pd.DataFrame([row]), snakemake.output.row, SETTINGS_STUDY)
