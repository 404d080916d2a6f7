"""Run a study in a folder of its own: its study.yaml, its results in results/. More arguments go to Snakemake."""

import argparse
import os
import sys
from pathlib import Path

HELP = "run the study of a folder, through Snakemake"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Say which folder, on how many cores, and what else Snakemake shall do."""
    parser.add_argument("folder", type=Path, help="a folder with a study.yaml")
    parser.add_argument("--cores", default="2", help="cores to use (default: 2)")
    parser.add_argument(
        "snakemake", nargs="*", default=[], help="after --: targets and options of Snakemake, for example -- -n"
    )


def run(given: argparse.Namespace) -> int:
    """Become Snakemake."""
    from moxie.errors import InputError

    root, folder = Path(__file__).resolve().parents[3], given.folder.resolve()
    if not (root / "Snakefile").is_file():
        raise InputError(f"The workflow is not beside this library ({root}). Use moxie from a checkout.")
    if not (folder / "study.yaml").is_file():
        raise InputError(f"{folder} has no study.yaml. Write one with: python -m moxie new {given.folder}")
    where = ["--snakefile", str(root / "Snakefile"), "--directory", str(folder), "--cores", given.cores]
    command = [sys.executable, str(root / "workflow" / "run.py"), *where]
    sys.stdout.flush()
    study = ["--configfile", str(folder / "study.yaml")]
    if "--configfile" in given.snakemake:  # further files are laid over the study
        at = given.snakemake.index("--configfile")
        rest = [*given.snakemake[:at], *study, *given.snakemake[at + 1 :]]
    else:
        rest = [*given.snakemake, *study]
    os.execv(sys.executable, [*command, *rest])
