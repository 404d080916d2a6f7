"""Oxide thickness against time from the growth kinetics."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from moxie.features.schemas import GROWTH_CURVES
from moxie.features.tables import read_table
from moxie.figures.parts import name_curve, panels, temperature_colours
from moxie.figures.registry import Figure

_GASES = {"dry_O2": "dry O$_2$", "steam": "steam"}
_MODELS = {"deal_grove": "Deal–Grove", "deal_grove_table": "Deal–Grove (table)", "massoud": "Massoud"}


def draw(inputs: Mapping[str, Path]) -> tuple[Any, Any]:
    table = read_table(inputs["growth_curves"], GROWTH_CURVES)
    figure, axes = panels(1, table["orientation"].nunique(), width=3.8 * table["orientation"].nunique(), height=2.8)
    for axis, (_, curves) in zip(axes[0], table.groupby("orientation"), strict=True):
        _draw_curves(axis, curves)
    return figure, table


def _draw_curves(axis: Any, curves: Any) -> None:
    colours = temperature_colours(curves["temperature_K"])
    for temperature, rows in curves.groupby("temperature_K"):
        axis.plot(rows["time_s"], rows["thickness_nm"], color=colours[temperature])
        low, high = (rows["thickness_nm"] + sign * rows["thickness_standard_error_nm"] for sign in (-1, 1))
        axis.fill_between(rows["time_s"], low, high, color=colours[temperature], alpha=0.2, lw=0)
        recipe = rows[rows["is_recipe"]]
        axis.plot(recipe["time_s"], recipe["thickness_nm"], ls="", marker="o", color=colours[temperature])
        end = rows.iloc[-1]
        name_curve(axis, f"{temperature:g} K", (end["time_s"], end["thickness_nm"]), colours[temperature])
    _spread(axis)
    axis.plot([], [], ls="", marker="o", color="0.3", label="recipe")
    axis.legend(loc="upper left")
    first = curves.iloc[0]
    name = _MODELS[first["kinetics"]]
    axis.set_title(f"{name}, {_GASES.get(first['ambient'], first['ambient'])}, Si({first['orientation']})")
    axis.set_xlabel("time (s)")
    axis.set_ylabel("oxide thickness (nm)")
    axis.set_xlim(0, None)
    axis.set_ylim(0, None)


def _spread(axis: Any) -> None:
    """Move the labels at the ends of the curves apart where they would cover each other."""
    low, high = axis.get_ylim()
    step = 0.055 * (max(high, 0) - min(low, 0))
    texts = sorted(axis.texts, key=lambda text: text.xy[1])
    lowest = -float("inf")
    for text in texts:
        place = max(text.xy[1], lowest + step)
        text.set_position((4, 0))
        text.xyann = (4, 0)
        text.xy = (text.xy[0], place)
        lowest = place


FIGURE = Figure(
    title="Growth kinetics of the recipe",
    category="Oxidised silicon",
    caption=(
        "Oxide thickness against time for every temperature of the sweep, from the growth law. Circles: the recipe's "
        "duration. Bands: standard error from the rate constants, taken from the scatter of the published table about "
        "the Arrhenius lines (9 to 13 %); it holds for the model as it stands, while dry oxide below 30 nm truly grows "
        "faster than by Deal and Grove's law. The simulated films are thinner by the study's thickness scale, so that "
        "they fit the slab."
    ),
    inputs={"growth_curves": "features/growth_curves.parquet"},
    needs=("oxides",),
    draw=draw,
    order=10,
)
