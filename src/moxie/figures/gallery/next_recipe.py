"""Where the surrogate of the oxide is least certain, and how fast each strategy would have learnt the sweep."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from moxie.figures.parts import COLOURS, MARKERS, drawable_error, label, panels, plain_log_ticks
from moxie.figures.registry import Figure
from moxie.io import read_json

_STRATEGIES = {"uniform grid": "evenly refined grid", "variance": "largest variance"}


def draw(inputs: Mapping[str, Path]) -> tuple[Any, Any]:
    import pandas

    record = read_json(inputs["next"])
    candidates = pandas.DataFrame(record["candidates"])
    columns = ["strategy", "n_temperatures", "rmse", "low", "high", "ratio", "ratio_low", "ratio_high"]
    curve = pandas.DataFrame(record["retrospective"], columns=columns)
    curve[columns[1:]] = curve[columns[1:]].astype(float)
    figure, axes = panels(1, 2, width=6.6, height=2.9)
    left, right = axes[0]
    target = label(record["target"])
    left.plot(candidates["temperature_K"], candidates["standard_deviation"], ls="", marker="o", ms=3, color=COLOURS[0])
    for temperature in record["temperatures_K"]:
        left.axvline(temperature, color="0.75", lw=0.8, zorder=0)
    chosen = candidates[candidates["temperature_K"] == record["next_temperature_K"]]
    left.axvline(record["next_temperature_K"], color=COLOURS[1], ls="--", lw=1.0, zorder=0)
    left.plot(chosen["temperature_K"], chosen["standard_deviation"], ls="", marker="o", ms=5, color=COLOURS[1])
    left.set_title(f"next: {record['next_temperature_K']:g} K")
    left.set_ylim(0, 1.15 * candidates["standard_deviation"].max())
    left.set(xlabel="temperature (K)", ylabel=f"standard deviation,\n{target}")
    informed = curve[curve["strategy"] != "random"]
    for number, (strategy, part) in enumerate(informed.groupby("strategy")):
        style = {"marker": MARKERS[number], "color": COLOURS[number], "ms": 4, "lw": 1.0, "elinewidth": 0.7}
        ends = [part["ratio"] - part["ratio_low"], part["ratio_high"] - part["ratio"]]
        place = part["n_temperatures"] + 0.16 * (number - 0.5)
        right.errorbar(place, part["ratio"], drawable_error(ends), label=_STRATEGIES[str(strategy)], **style)
    if len(informed):
        right.axhline(1, color="0.6", lw=0.8, zorder=0)
        right.set_yscale("log")
        low, high = informed[["ratio_low", "ratio"]].min().min(), informed[["ratio_high", "ratio"]].max().max()
        plain_log_ticks(right, low, high)
        right.set_xticks(sorted(informed["n_temperatures"].unique()))
        right.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=2, columnspacing=1.0)
    else:
        right.set_title("one replica: nothing to hold out")
    right.set(xlabel="temperatures simulated", ylabel="r.m.s. error relative to\nthat of a random order")
    return figure, pandas.concat([candidates.assign(panel="next"), curve.assign(panel="retrospective")])


FIGURE = Figure(
    title="The next recipe to simulate",
    category="Learning",
    caption=(
        "Left: predictive standard deviation of the Gaussian process for a single new run between the simulated "
        "temperatures (grey lines); orange: the next one to simulate, written as a configuration overlay. Where the "
        "points lie on a level, the choice hardly matters. Right: the finished sweep done again, one temperature at a "
        "time, with the error on replicas that were held out: of two strategies, relative to a random order (mean of "
        "ten). Below 1 a strategy learns faster than chance; bars that reach 1 do not tell them apart (intervals over "
        "the temperatures of the held-out films)."
    ),
    inputs={"next": "learning/oxide_surrogate/next.json"},
    needs=("oxide_surrogate",),
    draw=draw,
    order=35,
)
