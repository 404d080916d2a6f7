"""What the force fields get wrong, against temperature, with the learnt correction."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from moxie.features.schemas import FORCE_FIELD_ERROR_PREDICTIONS
from moxie.features.tables import read_table
from moxie.figures.parts import COLOURS, MARKERS, label, model_name, panels, pretty_name, without_unit
from moxie.figures.registry import Figure


def draw(inputs: Mapping[str, Path]) -> tuple[Any, Any]:
    rows = read_table(inputs["predictions"], FORCE_FIELD_ERROR_PREDICTIONS)
    quantities = sorted(rows["quantity"].unique())
    figure, axes = panels(1, len(quantities), width=3.4 * len(quantities), height=3.2)
    for axis, quantity in zip(axes[0], quantities, strict=True):
        axis.axhline(0, color="0.7", lw=0.8)
        curves = rows[rows["quantity"] == quantity].groupby(["system", "model"])
        for number, ((system, model), part) in enumerate(curves):
            colour = COLOURS[number % len(COLOURS)]
            name = f"{pretty_name(system)}, {model_name(model)}"
            style = {"ls": "", "color": colour, "marker": MARKERS[number % len(MARKERS)], "ms": 4.5}
            x = part["temperature_K"]
            axis.errorbar(x, part["observed"], part["standard_error"], capsize=2, label=name, **style)
            bars = [part["predicted"] - part["lower"], part["upper"] - part["predicted"]]
            axis.errorbar(x + 2.0, part["predicted"], bars, elinewidth=0.7, alpha=0.7, mfc="white", **style)
        axis.set_title(without_unit(label(quantity)))
        axis.set_xlabel("temperature (K)")
        axis.margins(y=0.1)
    handles, names = axes[0, 0].get_legend_handles_labels()
    figure.legend(handles, names, loc="outside upper center", ncols=3, columnspacing=1.2)
    axes[0, 0].set_ylabel("deviation from experiment (%)")
    return figure, rows


FIGURE = Figure(
    title="What the force fields get wrong",
    category="Learning",
    caption=(
        "Deviation of simulated liquids from the reference equations of state against temperature (filled: simulated, "
        "bars: standard error), and what a Bayesian straight line through the other state points of the same curve "
        "predicts for a state that was left out (open, shifted by 2 K; bars: predictive interval)."
    ),
    inputs={"predictions": "learning/force_field_error/predictions.parquet"},
    needs=("force_field_error",),
    draw=draw,
    order=80,
)
