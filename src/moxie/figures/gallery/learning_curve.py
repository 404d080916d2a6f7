"""Error of the learnt model against the number of temperatures it was trained on."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from moxie.figures.parts import COLOURS, MARKERS, drawable_error, label, panels, plain_log_ticks
from moxie.figures.registry import Figure
from moxie.io import read_json

_NAMES = {"gaussian_process": "Gaussian process", "linear_interpolation": "linear interpolation"}


def draw(inputs: Mapping[str, Path]) -> tuple[Any, Any]:
    import pandas

    metrics = read_json(inputs["metrics"])
    table = pandas.DataFrame(metrics["learning_curve"], columns=["n", "model", "rmse", "low", "high"])
    table[["low", "high"]] = table[["low", "high"]].astype(float)
    figure, axes = panels(1, 1, width=3.8, height=3.0)
    axis = axes[0, 0]
    for number, (model, rows) in enumerate(table.groupby("model")):
        axis.errorbar(
            rows["n"] + 0.06 * (2 * number - 1),
            rows["rmse"],
            drawable_error([rows["rmse"] - rows["low"], rows["high"] - rows["rmse"]]),
            elinewidth=0.7,
            marker=MARKERS[number],
            color=COLOURS[number],
            lw=1.0,
            label=_NAMES.get(str(model), str(model)),
        )
    floor = metrics["noise"]["standard_deviation"]
    if floor is not None:
        axis.axhline(floor, color="0.5", ls="--", lw=0.9, label="spread of replicas")
    random = metrics["leakage"]["random_rmse"]
    axis.plot(
        len(metrics["temperatures_K"]) - 1, random, ls="", marker="x", color="0.3", label="with a random (leaky) split"
    )  # fmt: skip
    axis.set_yscale("log")
    known = [*table["rmse"], *table["low"].dropna(), *table["high"].dropna(), random]
    plain_log_ticks(axis, min(known), max(known))
    axis.set_xticks(sorted(table["n"].unique()))
    axis.set_xlabel("number of training temperatures")
    axis.set_ylabel("r.m.s. error, " + label(metrics["target"]).replace(" (", "\n("))
    axis.legend(loc="lower center", bbox_to_anchor=(0.4, 1.0), ncols=2, columnspacing=1.0, handletextpad=0.4)
    return figure, table.assign(replica_standard_deviation=floor, random_split_rmse=random)


FIGURE = Figure(
    title="Learning curve",
    category="Learning",
    caption=(
        "Error on held-out temperatures against the number of temperatures in the training set, drawn at random "
        "(bars: interval over the held-out temperatures). Dashed: standard deviation between replicas. Cross: the "
        "Gaussian process under a random split, in which replicas and neighbouring growth stages of a held-out row "
        "are in the training set. As far as the cross lies below the last point, the random split would have "
        "flattered the model; a cross inside the bar says that it cannot be told."
    ),
    inputs={"metrics": "learning/oxide_surrogate/metrics.json"},
    needs=("oxide_surrogate",),
    draw=draw,
    order=30,
)
