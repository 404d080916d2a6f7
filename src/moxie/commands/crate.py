"""Pack a finished study as an RO-Crate: results, configuration and what made them, for an archive."""

import argparse
from pathlib import Path

HELP = "pack a finished study as an RO-Crate"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Say which study, and where to."""
    parser.add_argument("folder", type=Path, help="the folder of a study, which holds results/")
    parser.add_argument("--out", type=Path, required=True, help="the folder to write")


def run(given: argparse.Namespace) -> int:
    """Write the crate and say where its metadata are."""
    from moxie.crate import write_crate

    workflow = Path(__file__).resolve().parents[3] / "Snakefile"
    print(write_crate(given.folder / "results", given.out, workflow))
    return 0
