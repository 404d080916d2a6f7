"""Relaxed energies of oxygen on silicon's bonds: parity beyond the training contents, learning curve, importance."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from moxie.features.schemas import NETWORK_ENERGY_PREDICTIONS
from moxie.features.tables import read_table
from moxie.figures.parts import COLOURS, MARKERS, padded_limits, panels
from moxie.figures.registry import Figure
from moxie.io import read_json

_PANELS = {"trees": "boosted trees", "pairs": "pairs, ridge", "predicted": "pairs and triplets, ridge"}
_NAMES = {
    "mean": "mean",
    "composition": "linear in number of O",
    "pairs": "pairs, ridge",
    "triplets": "pairs and triplets, ridge",
    "trees": "boosted trees",
}


def draw(inputs: Mapping[str, Path]) -> tuple[Any, Any]:
    import pandas

    rows = read_table(inputs["predictions"], NETWORK_ENERGY_PREDICTIONS)
    metrics = read_json(inputs["metrics"])
    figure, axes = panels(2, 3, width=7.2, height=5.2)
    limits = padded_limits(rows[["observed", *_PANELS]].to_numpy(), 0.04)
    for axis, (column, name) in zip(axes[0], _PANELS.items(), strict=True):
        axis.plot(limits, limits, color="0.7", lw=0.8, zorder=0)
        for number, (n, part) in enumerate(rows.groupby("n_oxygen")):
            style = {"ls": "", "marker": MARKERS[number], "color": COLOURS[number], "ms": 2.2, "mew": 0, "alpha": 0.6}
            axis.plot(part["observed"], part[column], label=f"{n} O", **style)
            if column == "predicted":
                half_width = float((part["upper"] - part["predicted"]).mean())
                for side in (-half_width, half_width):
                    axis.plot(limits, np.array(limits) + side, color=COLOURS[number], lw=0.7, ls="--")
        error = float(np.sqrt(((rows[column] - rows["observed"]) ** 2).mean()))
        text = f"{name}:\nr.m.s. {error:.2f} eV"
        if column == "predicted":
            covered = ((rows["observed"] >= rows["lower"]) & (rows["observed"] <= rows["upper"])).mean()
            text += f", {100 * covered:.0f} % held"
        axis.set_title(text, fontsize=8)
        axis.set(xlim=limits, ylim=limits, xlabel="relaxed energy (eV)", aspect="equal")
    axes[0, 0].set_ylabel("predicted energy (eV)")
    curve = pandas.DataFrame(metrics["learning_curve"])
    _learning_curve(axes[1, 0], curve)
    importance = pandas.DataFrame(metrics["importance"])
    _importance(axes[1, 1], importance)
    axes[1, 2].axis("off")
    handles, names = axes[0, 0].get_legend_handles_labels()
    contents = axes[1, 2].legend(handles, names, loc="upper left", title="upper row: cells with", markerscale=2)
    axes[1, 2].add_artist(contents)
    handles, names = axes[1, 0].get_legend_handles_labels()
    axes[1, 2].legend(handles, names, loc="lower left", title="learning curve")
    tables = [rows.assign(panel="parity"), curve.assign(panel="learning curve"), importance.assign(panel="importance")]
    return figure, pandas.concat(tables, ignore_index=True)


def _learning_curve(axis: Any, curve: Any) -> None:
    for number, (model, name) in enumerate(_NAMES.items()):
        part = curve[curve["model"] == model]
        style = {"marker": MARKERS[number], "color": COLOURS[number], "ms": 3.5, "lw": 1.0}
        ends = [part["rmse"] - part["low"], part["high"] - part["rmse"]]
        axis.errorbar(part["n"], part["rmse"], ends, elinewidth=0.7, label=name, **style)
    axis.set(xscale="log", yscale="log", xlabel="relaxations in training", ylabel="r.m.s. error (eV)")
    axis.xaxis.set_major_formatter("{x:.0f}")
    axis.yaxis.set_major_formatter("{x:.2g}")
    axis.set_xticks(sorted(curve["n"].unique()))
    low, high = curve["rmse"].min(), curve["rmse"].max()
    axis.set_yticks([tick for tick in (0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0) if 0.8 * low < tick < 1.2 * high])
    axis.minorticks_off()


def _importance(axis: Any, importance: Any) -> None:
    places = np.arange(len(importance))[::-1]
    bars = [importance["increase"] - importance["low"], importance["high"] - importance["increase"]]
    axis.barh(places, importance["increase"], color=COLOURS[0], height=0.6)
    axis.errorbar(importance["increase"], places, xerr=bars, ls="", color="0.2", capsize=2, lw=0.9)
    axis.set_yticks(places, importance["block"])
    axis.set_xlabel("growth of the error when shuffled (eV)")


FIGURE = Figure(
    title="Energies of oxygen in silicon beyond the training contents",
    category="Learning",
    caption=(
        "Relaxed energy of a cell of 16 Si with more O on its bonds than any training cell had. Upper row: predicted "
        "against relaxed energies; grey: perfect prediction. Boosted trees repeat the energies they were trained on; "
        "counts of pairs and triplets carry on; dashed: the ends of its predictive interval for each number of O, "
        "with the share that it holds. Lower row: error on these cells against the number of training relaxations, "
        "drawn at random (bars: from the best to the worst draw), and growth of the best model's error when a block "
        "of counts is shuffled among the test cells (bars: bootstrap interval over structures)."
    ),
    inputs={
        "predictions": "learning/network_energy/predictions.parquet",
        "metrics": "learning/network_energy/metrics.json",
    },
    needs=("network_energy",),
    draw=draw,
    order=60,
)
