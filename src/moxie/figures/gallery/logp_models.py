"""Errors of all models of the partition coefficient, with scaffolds held out and with a random split."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from moxie.figures.parts import COLOURS, LOGP_MODELS, panels
from moxie.figures.registry import Figure
from moxie.io import read_json


def draw(inputs: Mapping[str, Path]) -> tuple[Any, Any]:
    import pandas

    metrics = read_json(inputs["metrics"])
    table = pandas.DataFrame(
        [
            {
                "model": name,
                "rmse": metrics["models"][key]["rmse"]["value"],
                "low": metrics["models"][key]["rmse"]["low"],
                "high": metrics["models"][key]["rmse"]["high"],
                "rmse_random_split": metrics["leakage"][key]["random_rmse"],
                "coverage": metrics["models"][key]["coverage"]["value"],
            }
            for key, name in LOGP_MODELS.items()
        ]
    )
    figure, axes = panels(1, 2, width=6.6, height=2.9, sharey=True, width_ratios=(2, 1))
    left, right = axes[0]
    places = np.arange(len(table))[::-1]
    left.hlines(places, table["low"], table["high"], color=COLOURS[0], lw=1.2)
    left.plot(table["rmse"], places, ls="", marker="o", color=COLOURS[0], label="whole scaffolds held out")
    left.plot(
        table["rmse_random_split"], places, ls="", marker="x", color=COLOURS[1], label="random (leaky) split"
    )  # fmt: skip
    left.set_yticks(places, table["model"])
    left.set_xlim(0, None)
    left.set_xlabel("r.m.s. error (log units)")
    left.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=2, columnspacing=1.0, handletextpad=0.3)
    right.axvline(metrics["confidence"], color="0.6", ls="--", lw=0.9)
    right.plot(table["coverage"], places, ls="", marker="s", color=COLOURS[2])
    right.set_xlim(0.6, 1.0)
    right.set_xlabel(f"coverage of the {100 * metrics['confidence']:g} % interval")
    return figure, table


FIGURE = Figure(
    title="Partition coefficients: every model beside its baselines",
    category="Learning",
    caption=(
        "Left: error for molecules whose scaffold was held out (bars: interval of a bootstrap over scaffolds), and "
        "what a random split would have claimed; physics and Wildman–Crippen are not fitted here, so the split cannot "
        "flatter them. Wildman–Crippen was fitted to measured values that hold most of these molecules. Right: share "
        "of the held-out molecules inside the predictive interval; dashed: what it should be."
    ),
    inputs={"metrics": "learning/logp/metrics.json"},
    needs=("logp",),
    draw=draw,
    order=50,
)
