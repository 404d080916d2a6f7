"""Write the report: one page, readable offline."""

from pathlib import Path

from moxie.figures.report import write_report
from moxie.job import job

with job(snakemake) as log:
    files = snakemake.input
    write_report(
        snakemake.output.report,
        config=snakemake.params.config,
        figures={Path(path).stem: path for path in files.figures},
        validation=files.validation,
        manifest=files.manifest,
        oxide_runs=files.oxide_runs,
        electrolytes=files.electrolytes or None,
        settings=files.settings[0] if files.settings else None,
        metrics=files.metrics or None,
        logp=files.logp or None,
        film=files.film,
        tree_search=files.tree_search,
    )
