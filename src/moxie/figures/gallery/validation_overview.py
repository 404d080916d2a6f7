"""Every compared number at a glance."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from moxie.features.schemas import VALIDATION
from moxie.features.tables import read_table
from moxie.figures.parts import (
    VERDICT_COLOURS,
    VERDICT_MARKERS,
    VERDICT_NAMES,
    deviation_axis,
    drawable_error,
    panels,
    pretty_name,
    verdict_colour,
)
from moxie.figures.registry import Figure, NothingToDraw
from moxie.figures.wording import plain_label


def draw(inputs: Mapping[str, Path]) -> tuple[Any, Any]:
    table = read_table(inputs["validation"], VALIDATION)
    table = table[table["deviation_percent"].notna()].reset_index(drop=True)
    if table.empty:
        raise NothingToDraw("There is no compared number.")
    table["line"] = [f"{pretty_name(row.system)}: {plain_label(row.quantity)}" for row in table.itertuples()]
    stages = {"dynamics": 0, "oxidation": 1, "molecules": 2, "learning": 3}
    order = table.assign(rank=table["stage"].map(stages)).sort_values(["rank", "system", "quantity"], kind="stable")
    lines = list(dict.fromkeys(order["line"]))
    figure, axes = panels(1, 1, width=6.4, height=max(2.2, 0.2 * len(lines) + 1.0))
    axis = axes[0, 0]
    for start, colour in VERDICT_COLOURS.items():
        rows = table[table["verdict"].str.startswith(start)]
        if rows.empty:
            continue
        places = [len(lines) - 1 - lines.index(line) + _jitter(table, row) for row, line in rows["line"].items()]
        scale = 100 / rows["reference_value"].abs().replace(0, np.nan)
        axis.errorbar(
            rows["deviation_percent"],
            places,
            xerr=drawable_error(rows["standard_error"] * scale),
            ls="",
            marker=VERDICT_MARKERS[start],
            ms=3.8,
            mfc="white" if start == "no verdict" else colour,
            color=colour,
            elinewidth=0.8,
            capsize=0,
            label=VERDICT_NAMES[start],
        )
        assert all(verdict_colour(verdict) == colour for verdict in rows["verdict"])
    axis.set_yticks(range(len(lines)), lines[::-1])
    axis.set_ylim(-0.7, len(lines) - 0.3)
    deviation_axis(axis)
    axis.legend(loc="lower center", bbox_to_anchor=(0.4, 1.0), ncols=4, columnspacing=1.0, handletextpad=0.2)
    columns = [
        *("stage", "system", "model", "temperature_K", "quantity", "deviation_percent"),
        *("standard_error", "reference_value", "z_score", "verdict"),
    ]
    return figure, table[columns]


def _jitter(table: Any, row: int) -> float:
    """Spread the points of one line, so that equal values at several temperatures stay visible."""
    same = table.index[table["line"] == table.at[row, "line"]]
    return 0.0 if len(same) == 1 else 0.5 * (same.get_loc(row) / (len(same) - 1) - 0.5)


FIGURE = Figure(
    title="All comparisons at a glance",
    category="Validation",
    caption=(
        "Deviation of every computed number from its reference, one point per temperature, coloured by verdict; error "
        "bars: standard error of the computed number. Open grey: no verdict, because the reference is quoted unchecked "
        "or an error is unknown or too large. The rules of the verdict are in the validation section."
    ),
    inputs={"validation": "tables/validation.parquet"},
    needs=("validation",),
    draw=draw,
    order=10,
)
