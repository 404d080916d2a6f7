"""Lowest energy found against the number of relaxations, for every search."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from moxie.features.schemas import SEARCHES
from moxie.features.tables import read_table
from moxie.figures.parts import COLOURS, MARKERS, SEARCH_NAMES, panels
from moxie.figures.registry import Figure
from moxie.io import read_json


def draw(inputs: Mapping[str, Path]) -> tuple[Any, Any]:
    import pandas

    metrics = read_json(inputs["metrics"])
    table = read_table(inputs["searches"], SEARCHES)
    grid = np.unique(np.round(np.geomspace(1, metrics["budget"], 60)).astype(int))
    figure, axes = panels(1, 1, width=4.6, height=3.2)
    axis = axes[0, 0]
    shown = []
    for number, (method, rows) in enumerate(table.groupby("method", sort=False)):
        curves = np.array(
            [
                run["best_energy_eV"].to_numpy()[np.searchsorted(run["relaxations"], grid, side="right") - 1]
                for _, run in rows.groupby("seed")
            ]
        )
        low, middle, high = np.quantile(curves - metrics["target_eV"], [0.1, 0.5, 0.9], axis=0)
        colour = COLOURS[number % len(COLOURS)]
        axis.fill_between(grid, low, high, step="post", color=colour, alpha=0.13, lw=0)
        axis.step(grid, middle, where="post", color=colour, lw=1.1)
        marked = np.arange(number, len(grid), 9)
        axis.plot(
            grid[marked], middle[marked], ls="", marker=MARKERS[number % len(MARKERS)], color=colour, ms=4,
            label=SEARCH_NAMES[str(method)],
        )  # fmt: skip
        shown.append(
            pandas.DataFrame(
                {"method": method, "relaxations": grid, "median_eV": middle, "low_eV": low, "high_eV": high}
            )
        )
    axis.set_xscale("log")
    axis.set_xlabel("relaxations of unique placements")
    above = "optimum" if metrics["target_is_optimum"] else "lowest found"
    axis.set_ylabel(f"energy above the {above} (eV per cell)")
    axis.set_ylim(0, None)
    axis.legend()
    return figure, pandas.concat(shown, ignore_index=True)


FIGURE = Figure(
    title="Searching for the best places for oxygen",
    category="Learning",
    caption=(
        "Lowest relaxed energy found against its cost, in relaxations of placements that differ by symmetry; all that "
        "a search learns from is counted. Lines: median over seeds, bands: 10th to 90th percentile."
    ),
    inputs={
        "metrics": "learning/tree_search/metrics.json",
        "searches": "oxidation/placement/searches.parquet",
    },
    needs=("tree_search",),
    draw=draw,
    order=70,
)
