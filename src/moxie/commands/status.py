"""Say how far the study of a folder is: jobs done, running and failed, and the time left. It reads logs and records
only, so that it works for a run on another machine that shares the folder."""

import argparse
from pathlib import Path

HELP = "say how far a study is"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Say which folder."""
    parser.add_argument("folder", type=Path, nargs="?", default=Path("."), help="of the study (default: this one)")


def run(given: argparse.Namespace) -> int:
    """Print the status; 1 where a job failed."""
    from moxie.run_status import describe, read_status

    status = read_status(given.folder)
    print(describe(status))
    return 1 if status.failed else 0
