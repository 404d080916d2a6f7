"""The final films of every orientation side by side."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from moxie.features.replicas import tabulate_over_films
from moxie.features.schemas import OXIDE_RUNS
from moxie.features.tables import read_table
from moxie.figures.parts import COLOURS, MARKERS, drawable_error, label, panels
from moxie.figures.registry import Figure

_QUANTITIES = (
    "suboxide_total_per_cm2",
    "suboxide_fraction_3",
    "transition_width_A",
    "si_o_si_angle_deg",
    "film_density_g_cm3",
    "lateral_stress_GPa",
)
_OFFSET = 0.015  # of the temperature range, so that error bars do not cover each other


def draw(inputs: Mapping[str, Path]) -> tuple[Any, Any]:
    import pandas

    runs = read_table(inputs["oxide_runs"], OXIDE_RUNS)
    final = runs[runs["is_final"]]
    spread = final["temperature_K"].max() - final["temperature_K"].min() or 100.0
    figure, axes = panels(2, 3, width=7.2, height=4.4, sharex=True)
    tables = []
    for axis, quantity in zip(axes.ravel(), _QUANTITIES, strict=True):
        table = tabulate_over_films(final, ["orientation", "temperature_K"], quantity)
        for number, (orientation, rows) in enumerate(table.groupby("orientation")):
            axis.errorbar(
                rows["temperature_K"] + (number - 1) * _OFFSET * spread,
                rows["mean"],
                drawable_error(rows["standard_error"]),
                color=COLOURS[number],
                marker=MARKERS[number],
                ms=4,
                lw=1.0,
                label=f"Si({orientation})",
            )
        axis.set_ylabel(label(quantity))
        tables.append(table)
    for axis in axes[1]:
        axis.set_xlabel("temperature (K)")
    figure.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside upper center", ncols=3)
    return figure, pandas.concat(tables, ignore_index=True)


FIGURE = Figure(
    title="Films on different silicon surfaces",
    category="Oxidised silicon",
    caption=(
        "Final films on each orientation of the wafer against temperature: suboxide per area, its share of Si³⁺, "
        "depth from 10 to 90 % of full oxidation, mean Si-O-Si angle, density of the oxide's interior and lateral "
        "stress. The thickness differs between orientations as it does in the furnace, by their linear rates. Mean "
        "over films with its standard error from both sources, drawn from two films on."
    ),
    inputs={"oxide_runs": "features/oxide_runs.parquet"},
    needs=("orientations",),
    draw=draw,
    order=35,
)
