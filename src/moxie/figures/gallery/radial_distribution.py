"""Radial distribution functions of the liquids: of hydroxyl O, else of the molecules' central atoms."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from moxie.figures.gallery._curves import read_curves
from moxie.figures.parts import drawable_error, model_name, panels, pretty_name, temperature_colours
from moxie.figures.registry import Figure, NothingToDraw

_HYDROXYL = "O-O"
_SHORTEST_A = 2.0
_LONGEST_A, _MOST_NEIGHBOURS = 7.0, 6.0
_LONGEST_OF_CENTRES_A, _MOST_CENTRES = 10.0, 15.0  # whole molecules are further apart, with more around each


def draw(inputs: Mapping[str, Path]) -> tuple[Any, Any]:
    import pandas

    curves = read_curves(inputs["curves"])
    alike = curves["pair"].map(lambda pair: len(set(pair.split("-"))) == 1)
    hydroxyl = (curves["pair"][alike] == _HYDROXYL).all()
    longest_A, most = (_LONGEST_A, _MOST_NEIGHBOURS) if hydroxyl else (_LONGEST_OF_CENTRES_A, _MOST_CENTRES)
    curves = curves[alike & (curves["r_A"] <= longest_A)].reset_index(drop=True)
    if curves.empty:
        raise NothingToDraw("There is no curve of a pair of like atoms.")
    systems = [tuple(key) for key in curves[["system", "force_field", "pair"]].drop_duplicates().to_numpy()]
    differences = _differences(curves)
    figure, axes = panels(
        2 + bool(len(differences)),
        len(systems),
        width=max(3.4, 2.3 * len(systems) + 0.6),
        height=5.0 if len(differences) else 3.8,
        sharex=True,
        sharey="row",
        height_ratios=(1.6, 1, 1)[: 2 + bool(len(differences))],
    )
    colours = temperature_colours(curves["temperature_K"])
    for column, (system, force_field, pair) in enumerate(systems):
        upper, lower = axes[:2, column]
        rows = curves[(curves[["system", "force_field", "pair"]] == [system, force_field, pair]).all(axis=1)]
        for (temperature, _), curve in rows.groupby(["temperature_K", "pressure_bar"]):
            error = drawable_error(curve["g_standard_error"])
            colour = colours[temperature]
            upper.fill_between(curve["r_A"], curve["g"] - error, curve["g"] + error, color=colour, alpha=0.25, lw=0)
            upper.plot(curve["r_A"], curve["g"], color=colour, label=f"{temperature:g} K")
            running, error = (curve[f"running_coordination{end}"] for end in ("", "_standard_error"))
            low, high = running - drawable_error(error), running + drawable_error(error)
            lower.fill_between(curve["r_A"], low, high, color=colour, alpha=0.25, lw=0)
            lower.plot(curve["r_A"], running, color=colour)
        upper.set_title(f"{pretty_name(system)} ({model_name(force_field)}), {pair.replace('-', '–')}")
        upper.axhline(1, color="0.75", lw=0.7, zorder=0)
        axes[-1, column].set_xlabel("distance r (Å)")
        if len(differences):
            _draw_differences(axes[2, column], differences, (system, force_field, pair), colours)
        upper.legend(loc="upper right")
    axes[0, 0].set_ylabel("g(r)")
    axes[0, 0].set_ylim(0, None)
    axes[1, 0].set_ylabel("neighbours\ncloser than r")
    axes[1, 0].set_ylim(0, most)
    axes[1, 0].set_xlim(_SHORTEST_A, longest_A)
    axes[1, 0].set_yticks(np.arange(0, most + 1, 2 if hydroxyl else 5))
    if len(differences):
        axes[2, 0].set_ylabel("g(r) less that at\nthe lowest temperature")
    return figure, pandas.concat([curves[curves["r_A"] >= _SHORTEST_A], differences], ignore_index=True)


def _differences(curves: Any) -> Any:
    """Return what g(r) gains from the lowest temperature of a system and pressure to each other one, with its error."""
    series = ["system", "force_field", "force_field_sha256", "pair", "pressure_bar"]
    lowest = curves.groupby(series)["temperature_K"].transform("min")
    cold = curves[curves["temperature_K"] == lowest][[*series, "r_A", "g", "g_standard_error"]]
    pairs = curves[curves["temperature_K"] > lowest].merge(cold, on=[*series, "r_A"], suffixes=("", "_cold"))
    error = np.hypot(pairs["g_standard_error"], pairs["g_standard_error_cold"])
    gain = pairs[[*series, "temperature_K", "r_A"]].assign(
        g_difference=pairs["g"] - pairs["g_cold"], g_difference_standard_error=error
    )
    return gain[gain["r_A"] >= _SHORTEST_A]


def _draw_differences(axis: Any, differences: Any, key: tuple[str, str, str], colours: Mapping[float, Any]) -> None:
    rows = differences[(differences[["system", "force_field", "pair"]] == list(key)).all(axis=1)]
    for (temperature, _), curve in rows.groupby(["temperature_K", "pressure_bar"]):
        error = drawable_error(curve["g_difference_standard_error"])
        low, high = curve["g_difference"] - error, curve["g_difference"] + error
        axis.fill_between(curve["r_A"], low, high, color=colours[temperature], alpha=0.25, lw=0)
        axis.plot(curve["r_A"], curve["g_difference"], color=colours[temperature])
    axis.axhline(0, color="0.75", lw=0.7, zorder=0)


FIGURE = Figure(
    title="Structure of the liquids",
    category="Liquids and electrolytes",
    caption=(
        "Radial distribution function (top) and running coordination number (below it); with several temperatures, "
        "bottom: what warming changes in g(r). Bands: standard errors. O–O: oxygen of hydroxyl groups, whose first "
        "peak with its two neighbours is the hydrogen-bonded chain of a liquid alcohol. Liquids without hydroxyl "
        "groups: the central atom of each molecule."
    ),
    inputs={"curves": "features/rdf_curves.parquet"},
    needs=("liquids",),
    draw=draw,
    order=30,
)
