"""Errors of the learnt model by held-out temperature."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from moxie.features.schemas import PREDICTIONS
from moxie.features.tables import read_table
from moxie.figures.parts import COLOURS, label, panels
from moxie.figures.registry import Figure
from moxie.io import read_json

_MODELS = {
    "predicted": ("Gaussian process", "o", COLOURS[0]),
    "linear_interpolation": ("linear interpolation", "s", COLOURS[1]),
}


def draw(inputs: Mapping[str, Path]) -> tuple[Any, Any]:
    import pandas

    rows = read_table(inputs["predictions"], PREDICTIONS)
    floor = read_json(inputs["metrics"])["noise"]["standard_deviation"]
    temperatures = np.sort(rows["temperature_K"].unique())
    spacing = float(np.diff(temperatures).min()) if len(temperatures) > 1 else 100.0
    figure, axes = panels(1, 1, width=4.2, height=2.8)
    axis = axes[0, 0]
    if floor is not None:
        axis.axhspan(-floor, floor, color="0.9", lw=0, zorder=0, label="spread of replicas (± sd)")
    axis.axhline(0, color="0.6", lw=0.7, zorder=0)
    shown = []
    for side, (column, (name, marker, colour)) in zip((-1, 1), _MODELS.items(), strict=True):
        residual = rows[column] - rows["observed"]
        for temperature in temperatures:
            values = residual[rows["temperature_K"] == temperature]
            places = temperature + spacing * (side * 0.2 + np.linspace(-0.11, 0.11, len(values)))
            first = temperature == temperatures[0]
            axis.plot(
                places, values, ls="", marker=marker, ms=3, color=colour, alpha=0.75, label=name if first else None
            )  # fmt: skip
        shown.append(rows[["temperature_K", "replica", "stage"]].assign(model=name, residual=residual))
    axis.set_xticks(temperatures)
    axis.set_xlabel("held-out temperature (K)")
    axis.set_ylabel("predicted − simulated\n" + label(rows["target"].iloc[0]))
    axis.legend(loc="lower center", bbox_to_anchor=(0.45, 1.0), ncols=3, columnspacing=1.0, handletextpad=0.3)
    return figure, pandas.concat(shown, ignore_index=True).assign(replica_standard_deviation=floor)


FIGURE = Figure(
    title="Errors by held-out temperature",
    category="Learning",
    caption=(
        "Predicted minus simulated value of every film at each held-out temperature, Gaussian process beside linear "
        "interpolation. Grey band: standard deviation between replicas, the floor that no model can get below. Within "
        "one temperature the points go from the first to the last growth stage, replica by replica."
    ),
    inputs={
        "predictions": "learning/oxide_surrogate/predictions.parquet",
        "metrics": "learning/oxide_surrogate/metrics.json",
    },
    needs=("oxide_surrogate",),
    draw=draw,
    order=20,
)
