"""Predict with a saved model, or write the page of a study's measured numbers.

python -m moxie.learning predict --model M.skops --table T.csv --out P.csv
python -m moxie.learning measured results docs/measured/learning.md
"""

import argparse
import logging
import sys

from moxie.errors import InputError
from moxie.learning.measured import write_page
from moxie.learning.predicting import predict_table


def main(arguments: list[str] | None = None) -> int:
    """Run the command; returns 0, or 1 after an error of one line."""
    parser = argparse.ArgumentParser(prog="python -m moxie.learning", description="Use a learnt model.")
    commands = parser.add_subparsers(dest="command", required=True)
    predict = commands.add_parser("predict", help="predict the rows of a table")
    predict.add_argument("--model", required=True, help="results/learning/{task}/model.skops")
    predict.add_argument("--table", required=True, help=".csv or .parquet; for molecules a column smiles is enough")
    predict.add_argument("--out", required=True, help="the .csv or .parquet file to write")
    measured = commands.add_parser("measured", help="write the page of a study's measured numbers")
    measured.add_argument("results", help="the study's results/ folder")
    measured.add_argument("page", help="the Markdown file to write")
    given = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    try:
        if given.command == "measured":
            write_page(given.results, given.page)
        else:
            predict_table(given.model, given.table, given.out)
    except InputError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
