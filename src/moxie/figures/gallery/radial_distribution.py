"""O-O radial distribution functions of the liquids."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from moxie.errors import InputError
from moxie.figures.gallery._curves import read_curves
from moxie.figures.parts import drawable_error, model_name, panels, pretty_name, temperature_colours
from moxie.figures.registry import Figure

PAIR = "O-O"
_LONGEST_A = 7.0
_MOST_NEIGHBOURS = 6.0


def draw(inputs: Mapping[str, Path]) -> tuple[Any, Any]:
    curves = read_curves(inputs["curves"])
    curves = curves[(curves["pair"] == PAIR) & (curves["r_A"] <= _LONGEST_A)].reset_index(drop=True)
    if curves.empty:
        raise InputError(f"{inputs['curves']} has no curve of the pair {PAIR}: there is nothing to draw.")
    systems = [tuple(key) for key in curves[["system", "force_field"]].drop_duplicates().to_numpy()]
    figure, axes = panels(
        2,
        len(systems),
        width=max(3.4, 2.3 * len(systems) + 0.6),
        height=3.8,
        sharex=True,
        sharey="row",
        height_ratios=(1.6, 1),
    )
    colours = temperature_colours(curves["temperature_K"])
    for column, (system, force_field) in enumerate(systems):
        upper, lower = axes[:, column]
        rows = curves[(curves["system"] == system) & (curves["force_field"] == force_field)]
        for (temperature, _), curve in rows.groupby(["temperature_K", "pressure_bar"]):
            error = drawable_error(curve["g_standard_error"])
            colour = colours[temperature]
            upper.fill_between(curve["r_A"], curve["g"] - error, curve["g"] + error, color=colour, alpha=0.25, lw=0)
            upper.plot(curve["r_A"], curve["g"], color=colour, label=f"{temperature:g} K")
            running, error = (curve[f"running_coordination{end}"] for end in ("", "_standard_error"))
            low, high = running - drawable_error(error), running + drawable_error(error)
            lower.fill_between(curve["r_A"], low, high, color=colour, alpha=0.25, lw=0)
            lower.plot(curve["r_A"], running, color=colour)
        upper.set_title(f"{pretty_name(system)} ({model_name(force_field)})")
        upper.axhline(1, color="0.75", lw=0.7, zorder=0)
        lower.set_xlabel("distance r (Å)")
        upper.legend(loc="upper right")
    axes[0, 0].set_ylabel("g$_{OO}$(r)")
    axes[0, 0].set_ylim(0, None)
    axes[1, 0].set_ylabel("O neighbours\ncloser than r")
    axes[1, 0].set_ylim(0, _MOST_NEIGHBOURS)
    axes[1, 0].set_xlim(2.0, _LONGEST_A)
    axes[1, 0].set_yticks(np.arange(0, _MOST_NEIGHBOURS + 1, 2))
    return figure, curves[curves["r_A"] >= 2.0]


FIGURE = Figure(
    title="Hydrogen-bonded structure of the liquids",
    category="Liquids and electrolytes",
    caption=(
        "Oxygen-oxygen radial distribution function (top) and running coordination number (bottom); bands: standard "
        "errors. The first peak and its two neighbours are the hydrogen-bonded chain of the liquid alcohol."
    ),
    inputs={"curves": "features/rdf_curves.parquet"},
    needs=("liquids",),
    draw=draw,
    order=30,
)
