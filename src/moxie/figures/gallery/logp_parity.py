"""Predicted against measured octanol-water partition coefficients of molecules whose scaffold was held out."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from moxie.features.schemas import LOGP_PREDICTIONS
from moxie.features.tables import read_table
from moxie.figures.parts import COLOURS, LOGP_MODELS, padded_limits, panels
from moxie.figures.registry import Figure

_PANELS = {"alpb_wet": LOGP_MODELS["alpb_wet"], "predicted": LOGP_MODELS["chosen"]}
_KINDS = (("acyclic", "o", COLOURS[0]), ("with rings", "^", COLOURS[2]))


def draw(inputs: Mapping[str, Path]) -> tuple[Any, Any]:
    table = read_table(inputs["predictions"], LOGP_PREDICTIONS)
    rows = table[table["role"] == "held out"].reset_index(drop=True)
    figure, axes = panels(1, 2, width=6.6, height=3.3, sharex=True, sharey=True)
    limits = padded_limits(np.concatenate([rows["observed"], rows["predicted"], rows["alpb_wet"]]), 0.04)
    acyclic = rows["scaffold"].str.startswith("acyclic")
    for axis, (column, name) in zip(axes[0], _PANELS.items(), strict=True):
        axis.plot(limits, limits, color="0.7", lw=0.8, zorder=0)
        for chosen, (kind, marker, colour) in zip((acyclic, ~acyclic), _KINDS, strict=True):
            part = rows[chosen]
            if column == "predicted":
                bars = [part["predicted"] - part["lower"], part["upper"] - part["predicted"]]
                axis.errorbar(
                    part["observed"], part[column], bars, ls="", color=colour, elinewidth=0.4, alpha=0.3, zorder=1
                )  # fmt: skip
            style = {"ls": "", "marker": marker, "ms": 2.6, "color": colour, "alpha": 0.8, "mew": 0}
            axis.plot(part["observed"], part[column], label=kind, **style)
        error = float(np.sqrt(((rows[column] - rows["observed"]) ** 2).mean()))
        axis.set_title(f"{name}: r.m.s. error {error:.2f}")
        axis.set_xlabel("measured log P")
        axis.set_aspect("equal")
    axes[0, 0].set_xlim(limits)
    axes[0, 0].set_ylim(limits)
    axes[0, 0].set_ylabel("predicted log P")
    axes[0, 0].legend(loc="upper left")
    columns = ["list", "molecule", "smiles", "scaffold", "fold", "observed", "predicted", "lower", "upper", "alpb_wet"]
    return figure, rows[columns]


FIGURE = Figure(
    title="Predicted against measured partition coefficients",
    category="Learning",
    caption=(
        "Octanol-water partition coefficients of molecules whose whole scaffold was held out of training: the "
        "solvation model alone, and with its error learnt (bars: predictive interval, calibrated inside the training "
        "scaffolds). Grey: perfect prediction. Acyclic molecules are held out by functional class."
    ),
    inputs={"predictions": "learning/logp/predictions.parquet"},
    needs=("logp",),
    draw=draw,
    order=40,
)
