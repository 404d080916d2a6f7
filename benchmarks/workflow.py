"""What the workflow itself costs: start-up, checks and planning."""

import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.rows import row

ROOT = Path(__file__).parents[1]


def measure(quick: bool) -> list[dict[str, Any]]:
    """Measure the dry run of the default and of the full study, in an empty folder."""
    rows = []
    for study in ("default", "paper"):
        overlay = [] if study == "default" else ["--configfile", str(ROOT / "workflow" / "studies" / f"{study}.yaml")]
        took = []
        for _ in range(3 if quick else 5):
            with tempfile.TemporaryDirectory() as folder:
                began = time.perf_counter()
                where = ["--snakefile", str(ROOT / "Snakefile"), "--directory", folder]
                command = [sys.executable, "-m", "snakemake", "--dry-run", "--cores", "1", *where, *overlay]
                subprocess.run(command, check=True, capture_output=True)
                took.append(time.perf_counter() - began)
        rows.append(row("dry_run_seconds", study, 0, took, "s", "wall time, empty working directory"))
    return rows
