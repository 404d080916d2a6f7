"""Apply a learnt model to the rows of a table of your own."""

import argparse
import logging
import sys

HELP = "apply a learnt model to a table"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Say which model, table and output."""
    parser.add_argument("--model", required=True, help="results/learning/{task}/model.skops")
    parser.add_argument("--table", required=True, help=".csv or .parquet; for molecules a column smiles is enough")
    parser.add_argument("--out", required=True, help="the .csv or .parquet file to write")


def run(given: argparse.Namespace) -> int:
    """Write the predictions."""
    from moxie.predicting import predict_table

    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    predict_table(given.model, given.table, given.out)
    return 0
