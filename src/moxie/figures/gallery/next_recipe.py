"""Where the surrogate of the oxide is least certain, and how fast each strategy would have learnt the sweep."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from moxie.figures.parts import COLOURS, MARKERS, label, panels
from moxie.figures.registry import Figure
from moxie.io import read_json


def draw(inputs: Mapping[str, Path]) -> tuple[Any, Any]:
    import pandas

    record = read_json(inputs["next"])
    candidates = pandas.DataFrame(record["candidates"])
    curve = pandas.DataFrame(record["retrospective"], columns=["strategy", "n_temperatures", "rmse", "low", "high"])
    figure, axes = panels(1, 2, width=6.6, height=2.9)
    left, right = axes[0]
    target = label(record["target"])
    left.plot(candidates["temperature_K"], candidates["standard_deviation"], marker="o", ms=3, color=COLOURS[0])
    for temperature in record["temperatures_K"]:
        left.axvline(temperature, color="0.75", lw=0.8, zorder=0)
    chosen = candidates[candidates["temperature_K"] == record["next_temperature_K"]]
    left.plot(chosen["temperature_K"], chosen["standard_deviation"], ls="", marker="*", ms=11, color=COLOURS[1])
    left.set(xlabel="temperature (K)", ylabel=f"standard deviation,\n{target}")
    for number, (strategy, part) in enumerate(curve.groupby("strategy")):
        style = {"marker": MARKERS[number], "color": COLOURS[number], "ms": 4, "lw": 1.0, "elinewidth": 0.7}
        ends = [part["rmse"] - part["low"], part["high"] - part["rmse"]]
        right.errorbar(part["n_temperatures"] + 0.08 * (number - 1), part["rmse"], ends, label=strategy, **style)
    if len(curve):
        right.set_xticks(sorted(curve["n_temperatures"].unique()))
        right.legend()
    else:
        right.set_title("one replica: nothing to hold out")
    right.set(xlabel="temperatures simulated", ylabel=f"r.m.s. error,\n{target}")
    return figure, pandas.concat([candidates.assign(panel="next"), curve.assign(panel="retrospective")])


FIGURE = Figure(
    title="The next recipe to simulate",
    category="Learning",
    caption=(
        "Left: predictive standard deviation of the Gaussian process for a single new run between the simulated "
        "temperatures (grey lines); star: the next one to simulate, written as a configuration overlay. Right: error "
        "on replicas that were held out when the finished sweep is done again, one temperature at a time: by largest "
        "variance, by an evenly refined grid, and at random (mean of ten orders); bars: bootstrap interval over the "
        "temperatures of the held-out films, which all strategies share."
    ),
    inputs={"next": "learning/oxide_surrogate/next.json"},
    needs=("oxide_surrogate",),
    draw=draw,
    order=35,
)
