"""Compare two studies' tables row by row, in combined standard errors.

The exit status is 0 where they agree, and 1 where a number surely differs (after correction for the number of
comparisons), an exact one changed, or a row is missing.
"""

import argparse
from pathlib import Path
from typing import Any

HELP = "compare the tables of two studies"
_MOST_LINES = 40


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Say which studies, and where the table and the figure go."""
    parser.add_argument("a", type=Path, help="folder of the first study, with its results/")
    parser.add_argument("b", type=Path, help="folder of the second study")
    parser.add_argument("--out", type=Path, help="write the whole table and a figure to OUT.csv and OUT.svg")


def run(given: argparse.Namespace) -> int:
    """Print what differs; 1 where anything surely does."""
    from moxie.features.two_studies import compare_studies, summarise
    from moxie.figures.two_studies import write

    comparison = compare_studies(given.a, given.b)
    counts = summarise(comparison)
    if given.out:
        write(comparison, given.out)
        print(f"wrote {given.out}.csv and {given.out}.svg")
    for line in _lines(comparison):
        print(line)
    chance = 0.05 * counts["judged"]
    print(
        f"{len(comparison)} numbers: {counts.get('agrees', 0)} agree, {counts.get('differs', 0)} differ by more than "
        f"their 95 % interval (by chance alone about {chance:.0f} would), {counts.get('same', 0)} are the same, "
        f"{counts.get('changed', 0)} changed, {counts.get('no standard error', 0)} have no standard error, "
        f"{counts.get('only in A', 0)} are only in A, {counts.get('only in B', 0)} only in B."
    )
    print(f"{counts['surely']} differ surely." if counts["surely"] else "The studies agree.")
    return 1 if counts["surely"] else 0


def _lines(comparison: Any) -> list[str]:
    shown = comparison[comparison["verdict"].isin(["differs", "changed", "only in A", "only in B"])]
    shown = shown.assign(order=-shown["z_score"].abs().fillna(1e9))
    shown = shown.sort_values(["surely", "order"], ascending=[False, True])
    lines = []
    for row in shown.head(_MOST_LINES).itertuples():
        z = f"{row.z_score:+.1f} errors" if row.z_score == row.z_score else ""
        mark = "**" if row.surely else "  "
        numbers = f"{_number(row.value_a, row.error_a)} -> {_number(row.value_b, row.error_b)} {row.unit}"
        lines.append(f"{mark} {row.table}: {row.row}: {row.quantity}: {numbers} {z} {row.verdict}")
    if len(shown) > _MOST_LINES:
        lines.append(f"   ... and {len(shown) - _MOST_LINES} more (see --out)")
    return lines


def _number(value: float, error: float) -> str:
    if value != value:
        return "-"
    return f"{value:.6g}" + (f" ± {error:.2g}" if error == error and error > 0 else "")
