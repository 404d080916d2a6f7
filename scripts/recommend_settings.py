"""Recommend settings from the study of settings."""

from moxie.features.recommended_settings import recommend
from moxie.features.schemas import SETTINGS_STUDY
from moxie.features.tables import read_table
from moxie.io import write_json
from moxie.job import job

with job(snakemake) as log:
    table = read_table(snakemake.input.table, SETTINGS_STUDY)
    found = recommend(table, snakemake.params.base, **snakemake.params.bounds)
    log.info("%s", found["sentence"])
    write_json(snakemake.output.recommendation, found)
