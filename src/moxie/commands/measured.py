"""Write the page of what a study's learning tasks and searches measured."""

import argparse

HELP = "write the page of what a study's learning measured"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Say which results, and which page."""
    parser.add_argument("results", help="the study's results/ folder")
    parser.add_argument("page", help="the Markdown file to write")


def run(given: argparse.Namespace) -> int:
    """Write the page."""
    from moxie.learning.measured import write_page

    write_page(given.results, given.page)
    return 0
