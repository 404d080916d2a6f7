"""Predicted against simulated values of held-out temperatures."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from moxie.features.schemas import PREDICTIONS
from moxie.features.tables import read_table
from moxie.figures.parts import label, padded_limits, panels, temperature_colours, without_unit
from moxie.figures.registry import Figure

MODELS = {"predicted": "Gaussian process", "linear_interpolation": "linear interpolation"}


def draw(inputs: Mapping[str, Path]) -> tuple[Any, Any]:
    rows = read_table(inputs["predictions"], PREDICTIONS)
    colours = temperature_colours(rows["temperature_K"])
    target = label(rows["target"].iloc[0])
    figure, axes = panels(1, 2, width=6.6, height=3.1, sharex=True, sharey=True)
    everything = [rows[name] for name in ("observed", "lower", "upper", "linear_interpolation")]
    limits = padded_limits(np.concatenate(everything), 0.04)
    for axis, (column, name) in zip(axes[0], MODELS.items(), strict=True):
        axis.plot(limits, limits, color="0.7", lw=0.8, zorder=0)
        for temperature, group in rows.groupby("temperature_K"):
            style = {"color": colours[temperature], "marker": "o", "ms": 3.5, "ls": ""}
            if column == "predicted":
                bars = [group["predicted"] - group["lower"], group["upper"] - group["predicted"]]
                axis.errorbar(group["observed"], group[column], bars, elinewidth=0.7, capsize=0, **style)
            else:
                axis.plot(group["observed"], group[column], **style)
            axis.plot([], [], label=f"{temperature:g} K", **style)
        error = float(np.sqrt(((rows[column] - rows["observed"]) ** 2).mean()))
        axis.set_title(f"{name}: r.m.s. error {error:.3g}")
        axis.set_xlabel(f"simulated {target}", fontsize=7.5)
        axis.set_aspect("equal")
    axes[0, 0].set_xlim(limits)
    axes[0, 0].set_ylim(limits)
    axes[0, 0].set_ylabel(f"predicted {without_unit(target)}", fontsize=7.5)
    handles, names = axes[0, 0].get_legend_handles_labels()
    figure.legend(handles, names, loc="outside right center", title="held out")
    columns = ["temperature_K", "replica", "stage", "observed", "predicted", "lower", "upper", "linear_interpolation"]
    return figure, rows[columns]


FIGURE = Figure(
    title="Predicted against simulated films",
    category="Learning",
    caption=(
        "Predictions for films at temperatures that were held out of training, against the simulated value: Gaussian "
        "process (bars: its predictive interval for a single new run) and linear interpolation. Grey: perfect "
        "prediction. The lowest and the highest temperature are extrapolations, where linear interpolation keeps the "
        "nearest value."
    ),
    inputs={"predictions": "learning/oxide_surrogate/predictions.parquet"},
    needs=("oxide_surrogate",),
    draw=draw,
    order=10,
)
