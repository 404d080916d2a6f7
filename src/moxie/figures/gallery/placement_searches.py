"""Lowest energy found against the number of relaxations, for every search."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from moxie.features.schemas import SEARCHES
from moxie.features.tables import read_table
from moxie.figures.parts import COLOURS, SEARCH_NAMES, panels
from moxie.figures.registry import Figure
from moxie.io import read_json

_MOST_COLUMNS = 4
_TITLES = {  # of panels that are too narrow for the whole name
    "tree search with learnt model": "tree, learnt model",
    "learnt model and local moves": "learnt model, local",
    "enumeration in random order": "enumeration",
}


def draw(inputs: Mapping[str, Path]) -> tuple[Any, Any]:
    import pandas

    metrics = read_json(inputs["metrics"])
    table = read_table(inputs["searches"], SEARCHES)
    grid = np.unique(np.round(np.geomspace(1, metrics["budget"], 60)).astype(int))
    columns = min(table["method"].nunique(), _MOST_COLUMNS)
    n_rows = -(-table["method"].nunique() // columns)
    size = {"width": max(3.4, 1.75 * columns + 0.6), "height": 1.7 * n_rows + 0.5}
    figure, axes = panels(n_rows, columns, sharex=True, sharey=True, **size)
    shown = []
    for method, rows in table.groupby("method", sort=False):
        curves = np.array(
            [
                run["best_energy_eV"].to_numpy()[np.searchsorted(run["relaxations"], grid, side="right") - 1]
                for _, run in rows.groupby("seed")
            ]
        )
        low, middle, high = np.quantile(curves - metrics["target_eV"], [0.1, 0.5, 0.9], axis=0)
        curve = {"method": method, "relaxations": grid, "median_eV": middle, "low_eV": low, "high_eV": high}
        shown.append(pandas.DataFrame(curve))
    for number, (axis, own) in enumerate(zip(axes.flat, shown, strict=False)):
        colour = COLOURS[number % len(COLOURS)]
        for other in shown:
            axis.step(grid, other["median_eV"], where="post", color="0.8", lw=0.7, zorder=1)
        axis.fill_between(grid, own["low_eV"], own["high_eV"], step="post", color=colour, alpha=0.25, lw=0)
        axis.step(grid, own["median_eV"], where="post", color=colour)
        axis.set_title(_TITLES.get(SEARCH_NAMES[own["method"].iloc[0]], SEARCH_NAMES[own["method"].iloc[0]]))
    for axis in axes.flat[len(shown) :]:
        axis.set_visible(False)
    for number, axis in enumerate(axes.flat[: len(shown)]):
        axis.set_xscale("log")
        axis.tick_params(labelbottom=number + columns >= len(shown))
    axes[0, 0].set_ylim(0, None)
    above = "optimum" if metrics["target_is_optimum"] else "lowest found"
    figure.supxlabel("relaxations of unique placements", fontsize=8)
    for axis in axes[:, 0]:
        axis.set_ylabel(f"energy above the\n{above} (eV)")
    return figure, pandas.concat(shown, ignore_index=True)


FIGURE = Figure(
    title="Searching for the best places for oxygen",
    category="Learning",
    caption=(
        "Lowest relaxed energy found against its cost, in relaxations of placements that differ by symmetry; all that "
        "a search learns from is counted. One panel for each search: median over seeds and band from the 10th to the "
        "90th percentile; grey: the medians of the others. Energies are per cell."
    ),
    inputs={
        "metrics": "learning/tree_search/metrics.json",
        "searches": "oxidation/placement/searches.parquet",
    },
    needs=("tree_search",),
    draw=draw,
    order=70,
)
