"""Error of the partition coefficient against the number of training molecules, and what it rests on."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from moxie.figures.parts import COLOURS, LOGP_MODELS, MARKERS, panels
from moxie.figures.registry import Figure
from moxie.io import read_json


def draw(inputs: Mapping[str, Path]) -> tuple[Any, Any]:
    import pandas

    metrics = read_json(inputs["metrics"])
    curve = pandas.DataFrame(metrics["learning_curve"], columns=["share", "n", "model", "rmse", "low", "high"])
    blocks = pandas.DataFrame(metrics["importance"], columns=["block", "increase", "low", "high"])
    figure, axes = panels(1, 2, width=6.8, height=2.7)
    left, right = axes[0]
    for number, (model, rows) in enumerate(curve.groupby("model", sort=False)):
        ends = [rows["rmse"] - rows["low"], rows["high"] - rows["rmse"]]
        spread = 0.008 * curve["n"].max() * (2 * number - 1)
        left.errorbar(
            rows["n"] + spread, rows["rmse"], ends, marker=MARKERS[number], color=COLOURS[number], lw=1.0,
            elinewidth=0.7, label=LOGP_MODELS[str(model)],
        )  # fmt: skip
    physics = metrics["models"]["alpb_wet"]["rmse"]["value"]
    left.axhline(physics, color="0.5", ls="--", lw=0.9, label=LOGP_MODELS["alpb_wet"])
    left.set_xlabel("training molecules (whole scaffolds)")
    left.set_ylabel("r.m.s. error (log units)")
    left.set_ylim(0, None)
    left.legend()
    places = np.arange(len(blocks))[::-1]
    right.hlines(places, blocks["low"], blocks["high"], color=COLOURS[0], lw=1.2)
    right.plot(blocks["increase"], places, ls="", marker="o", color=COLOURS[0])
    right.axvline(0, color="0.7", lw=0.7, zorder=0)
    right.set_yticks(places, blocks["block"])
    right.set_xlabel("growth of the error when shuffled")
    shown = [curve.assign(part="learning curve", alpb_wet_rmse=physics), blocks.assign(part="importance")]
    return figure, pandas.concat(shown, ignore_index=True)


FIGURE = Figure(
    title="Partition coefficients: learning curve and importance",
    category="Learning",
    caption=(
        "Left: error for held-out scaffolds against the number of training molecules, scaffolds drawn whole and at "
        "random (bars: the least and the largest error of a fold, each with scaffolds of its own). Right: by how much "
        "the error grows when a block of features is shuffled among the held-out molecules (bars: interval over "
        "scaffolds); the solvation model itself is shuffled with its block."
    ),
    inputs={"metrics": "learning/logp/metrics.json"},
    needs=("logp",),
    draw=draw,
    order=60,
)
