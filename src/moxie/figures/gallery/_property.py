"""A property of liquids against temperature, with experiment: shared by two figures."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from moxie.features.schemas import VALIDATION
from moxie.features.tables import read_table
from moxie.figures.parts import (
    COLOURS,
    MARKERS,
    REFERENCE_COLOUR,
    drawable_error,
    label,
    model_name,
    padded_limits,
    panels,
    pretty_name,
)
from moxie.figures.registry import NothingToDraw

_SMALLEST_SPAN = 0.04  # of the value, so that one state point does not fill the axis with its error bar


def draw_property(inputs: Mapping[str, Path], quantity: str) -> tuple[Any, Any]:
    """Draw one column of panels per liquid: the property above, its deviation from experiment below."""
    table = read_table(inputs["validation"], VALIDATION)
    table = table[(table["quantity"] == quantity) & (table["stage"] == "dynamics")]
    table = table.sort_values(["system", "model", "pressure_bar", "temperature_K"], ignore_index=True)
    if table.empty:
        raise NothingToDraw(f"There is no {quantity} to compare with experiment.")
    systems = list(table["system"].unique())
    figure, axes = panels(
        2,
        len(systems),
        width=max(3.4, 2.3 * len(systems) + 0.6),
        height=3.4,
        sharex="col",
        sharey="row",
        height_ratios=(2.2, 1),
    )
    for column, system in enumerate(systems):
        upper, lower = axes[:, column]
        upper.set_title(pretty_name(system))
        rows = table[table["system"] == system]
        for number, ((model, pressure), state) in enumerate(rows.groupby(["model", "pressure_bar"])):
            style = {"color": COLOURS[number % len(COLOURS)], "marker": MARKERS[number % len(MARKERS)]}
            name = model_name(model) + (f", {pressure:g} bar" if rows["pressure_bar"].nunique() > 1 else "")
            upper.plot(
                state["temperature_K"],
                state["reference_value"],
                color=REFERENCE_COLOUR,
                marker="_" if len(state) == 1 else "",
                label="experiment" if number == 0 else None,
            )
            upper.errorbar(
                state["temperature_K"], state["value"], state["standard_error"], ls="", label=name, **style
            )  # fmt: skip
            scale = 100 / state["reference_value"].abs()
            lower.errorbar(
                state["temperature_K"],
                state["deviation_percent"],
                state["standard_error"] * scale,
                ls="",
                **style,
            )
        lower.axhline(0, color=REFERENCE_COLOUR, lw=1.0)
        lower.set_xlabel("temperature (K)")
        lower.set_xlim(*padded_limits(rows["temperature_K"], 0.15))
        upper.legend(loc="best")
    _widen(axes[0, 0], _SMALLEST_SPAN * float(table["reference_value"].abs().max()))
    axes[0, 0].set_ylabel(label(quantity).replace(" (", "\n("))
    axes[1, 0].set_ylabel("deviation\n(%)")
    bars = drawable_error(100 * table["standard_error"] / table["reference_value"].abs())
    low, high = padded_limits([0.0, *(table["deviation_percent"] - bars), *(table["deviation_percent"] + bars)])
    axes[1, 0].set_ylim(low, high)
    columns = [
        *("system", "model", "temperature_K", "pressure_bar", "value", "standard_error"),
        *("reference_value", "deviation_percent", "unit"),
    ]
    return figure, table[columns]


def _widen(axis: Any, span: float) -> None:
    low, high = axis.get_ylim()
    missing = max(span - (high - low), 0.0) / 2
    axis.set_ylim(low - missing, high + missing)
