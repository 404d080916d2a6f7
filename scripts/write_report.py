"""Write the report: one page, readable offline."""

from pathlib import Path

from moxie.figures.report import write_report
from moxie.job import job

with job(snakemake) as log:
    files = snakemake.input
    write_report(
        snakemake.output.report,
        config=snakemake.params.config,
        **dict(files.items()) | {"figures": {Path(path).stem: path for path in files.figures}},
    )
