"""Each quantity over all its states, against its reference: the picture on the report's first screen."""

import math
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from moxie.features.schemas import VALIDATION
from moxie.features.summary import Summary, summarise
from moxie.features.tables import read_table
from moxie.figures.parts import VERDICT_COLOURS, VERDICT_MARKERS, VERDICT_NAMES, deviation_axis, panels
from moxie.figures.registry import Figure, NothingToDraw
from moxie.figures.wording import plain_label

_MOST_LINES = 24


def draw(inputs: Mapping[str, Path]) -> tuple[Any, Any]:
    import pandas

    summaries = [
        each for each in summarise(read_table(inputs["validation"], VALIDATION)) if each.tested == "model"
    ]  # worst first
    if not summaries:
        raise NothingToDraw("There is no compared number.")
    lines = list(dict.fromkeys(plain_label(each.quantity) for each in summaries))
    left_out = lines[_MOST_LINES:]
    lines = lines[:_MOST_LINES]
    figure, axes = panels(1, 1, width=5.2, height=0.21 * len(lines) + 1.0)
    axis = axes[0, 0]
    named: set[str] = set()
    for line, name in enumerate(lines):
        group = [each for each in summaries if plain_label(each.quantity) == name]
        for place, each in enumerate(group):
            offset = 0.0 if len(group) == 1 else 0.5 * (place / (len(group) - 1) - 0.5)
            axis.errorbar(
                each.deviation_percent,
                line + offset,
                xerr=_half_width(each),
                ls="",
                marker=VERDICT_MARKERS[each.start],
                ms=4.2,
                color=VERDICT_COLOURS[each.start],
                mfc="white" if each.start == "no verdict" else VERDICT_COLOURS[each.start],
                elinewidth=0.9,
                label=None if each.start in named else VERDICT_NAMES[each.start],
            )
            named.add(each.start)
    axis.set_yticks(range(len(lines)), lines)
    axis.set_ylim(len(lines) - 0.3, -0.7)
    deviation_axis(axis)
    axis.legend(loc="lower center", bbox_to_anchor=(0.3, 1.0), ncols=2, columnspacing=1.0, handletextpad=0.2)
    if left_out:
        axis.set_title(f"{len(left_out)} more in the table", fontsize=7, loc="right", color="0.4")
    table = pandas.DataFrame([asdict(each) for each in summaries])
    return figure, table


def _half_width(summary: Summary) -> float:
    """Return two combined standard errors in percent, 0 where they are unknown."""
    width = 2 * math.hypot(summary.standard_error_percent, summary.reference_error_percent)
    return width if math.isfinite(width) else 0.0


FIGURE = Figure(
    title="What agrees and what does not",
    category="Validation",
    caption=(
        "Mean deviation of each quantity from its reference over all states of a system, worst first, one point per "
        "system and reference; bars: two standard errors, those of the reference included. Open grey: no verdict, "
        "because an error is unknown or too large or the reference unchecked."
    ),
    inputs={"validation": "tables/validation.parquet"},
    needs=("validation",),
    draw=draw,
    order=5,
)
