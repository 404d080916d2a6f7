"""Suboxide at the interface against temperature."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from moxie.features.replicas import tabulate_over_films
from moxie.features.schemas import OXIDE_EQUILIBRIUM, OXIDE_RUNS
from moxie.features.tables import read_table
from moxie.figures.parts import (
    BESIDE,
    REFERENCE_COLOUR,
    STATE_COLOURS,
    STATE_MARKERS,
    drawable_error,
    label,
    of_first_orientation,
    panels,
)
from moxie.figures.registry import Figure
from moxie.reference.registry import OXIDE_SYSTEM, find, oxide_system
from moxie.structures.silicon import MONOLAYER_PER_CM2

_TOTAL = "suboxide_total_monolayers"
_OFFSET = 0.055  # of the temperature range, so that error bars do not cover each other


def draw(inputs: Mapping[str, Path]) -> tuple[Any, Any]:
    import pandas

    runs = read_table(inputs["oxide_runs"], OXIDE_RUNS)
    runs, face = of_first_orientation(runs[runs["is_final"]])
    system = oxide_system(face)
    monolayer = MONOLAYER_PER_CM2[face]
    figure, axes = panels(1, 2, width=6.8, height=2.7, width_ratios=(1.35, 1))
    left, right = axes[0]
    curves = _equilibrium(inputs, face, runs["temperature_K"].max())
    spread = runs["temperature_K"].max() - runs["temperature_K"].min() or 100.0
    shown = []
    for state in (1, 2, 3):
        quantity = f"suboxide_fraction_{state}"
        colour, marker = STATE_COLOURS[state], STATE_MARKERS[state]
        table = tabulate_over_films(runs, ["temperature_K"], quantity)
        shift = (state - 2) * _OFFSET * spread
        beside = runs["temperature_K"] + shift + BESIDE * spread
        left.plot(beside, runs[quantity], ls="", marker=".", ms=3.5, mew=0, color=colour)
        left.errorbar(
            table["temperature_K"] + shift,
            table["mean"],
            drawable_error(table["standard_error"]),
            color=colour,
            marker=marker,
            lw=1.0,
            label=f"Si$^{{{state}+}}$",
        )
        shown.append(_draw_curve(left, curves, quantity, colour))
        table["reference_value"] = float("nan")
        for reference in find("oxidation", OXIDE_SYSTEM, quantity):
            # The three references lie on two values: marks beside the axis, one column for each state.
            left.errorbar(
                1.03 + 0.04 * state,
                reference.value,
                reference.error,
                color=colour,
                marker=marker,
                mfc="white",
                transform=left.get_yaxis_transform(),
                clip_on=False,
            )
            table["reference_value"] = reference.value
        shown.append(table)
    left.set_xlim(runs["temperature_K"].min() - 0.08 * spread, runs["temperature_K"].max() + 0.08 * spread)
    left.errorbar([], [], [], ls="", color=REFERENCE_COLOUR, marker="o", mfc="white", label="photoemission")
    if len(curves):
        left.plot([], [], color="0.3", lw=1.4, ls="--", label="equilibrium")
    left.set_ylim(0, None)
    left.set_ylabel("share of the suboxide")
    left.set_title(f"composition of the suboxide, Si({face})", pad=18)
    left.legend(loc="lower center", bbox_to_anchor=(0.5, 0.97), ncols=4 + bool(len(curves)), columnspacing=1.0)

    table = tabulate_over_films(runs, ["temperature_K"], _TOTAL)
    table["reference_value"] = float("nan")
    beside = runs["temperature_K"] + BESIDE * spread
    right.plot(beside, runs[_TOTAL], ls="", marker=".", ms=3.5, mew=0, color="0.45")
    right.errorbar(
        table["temperature_K"], table["mean"], drawable_error(table["standard_error"]), color="0.15", marker="o", lw=1.0
    )
    shown.append(_draw_curve(right, curves, _TOTAL, "0.15"))
    for reference in find("oxidation", system, "suboxide_total_per_cm2"):
        value, error = reference.value / monolayer, (reference.error or 0) / monolayer
        right.axhspan(value - error, value + error, color="0.92", zorder=0, lw=0)
        right.axhline(value, color="0.7", lw=0.8, zorder=0)
        right.annotate(
            f"literature, {reference.checked.split(', ')[-1]}",
            (0.02, value + error),
            xycoords=right.get_yaxis_transform(),
            va="top",
            fontsize=7,
            color="0.4",
        )
        table["reference_value"] = value
    right.set_xlim(*left.get_xlim())
    right.set_ylim(0, None)
    right.set_ylabel(label(_TOTAL))
    right.set_title("amount of suboxide", pad=18)
    for axis in axes[0]:
        axis.set_xlabel("temperature (K)")
    data = pandas.concat([*(part for part in shown if len(part)), table], ignore_index=True)
    return figure, data.assign(source=data["source"].fillna("films") if "source" in data else "films")


def _equilibrium(inputs: Mapping[str, Path], orientation: str, highest_K: float) -> Any:
    """Return the rows of the surface's film at equilibrium that hold a value, up to a temperature; else no rows."""
    import pandas

    if "oxide_equilibrium" not in inputs:
        return pandas.DataFrame()
    rows = read_table(inputs["oxide_equilibrium"], OXIDE_EQUILIBRIUM)
    wanted = (rows["orientation"] == orientation) & (rows["status"] == "ok") & (rows["temperature_K"] <= highest_K)
    return rows[wanted].sort_values("temperature_K")


def _draw_curve(axis: Any, curves: Any, quantity: str, colour: str) -> Any:
    """Draw a quantity at equilibrium with its band of one standard error, and return what is shown."""
    if not len(curves):
        return curves
    temperature, mean, error = curves["temperature_K"], curves[quantity], curves[f"{quantity}_standard_error"]
    axis.plot(temperature, mean, color=colour, lw=1.4, ls="--")
    axis.fill_between(temperature, mean - error, mean + error, color=colour, alpha=0.2, lw=0)
    return curves[["temperature_K"]].assign(mean=mean, standard_error=error, quantity=quantity, source="equilibrium")


FIGURE = Figure(
    title="Suboxide at the interface against temperature",
    category="Oxidised silicon",
    caption=(
        "Left: shares of Si¹⁺, Si²⁺ and Si³⁺ in the suboxide of the final films; open symbols beside the axis: Si 2p "
        "photoemission, 0.3 : 0.3 : 0.4 independent of thickness (error: last printed digit). Right: silicon in "
        "suboxide per area, in monolayers (an atomic plane of that surface; 6.78e14 per square centimetre on (100)); "
        "grey band: a literature value that was not checked. Large symbols: mean over films with its standard "
        "error, the larger one of their scatter and their own errors, drawn from two films on; dots beside them: the "
        "single films. Broken lines, where the study has them: one film, its oxygen fixed at every temperature, by "
        "replica exchange; band: standard error by MBAR, too small where few replicas went up and down the ladder."
    ),
    inputs={"oxide_runs": "features/oxide_runs.parquet"},
    needs=("oxides",),
    optional={"oxide_equilibrium": "features/oxide_equilibrium.parquet"},
    draw=draw,
    order=30,
)
