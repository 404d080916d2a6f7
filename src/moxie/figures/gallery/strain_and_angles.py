"""Strain energy and Si-O-Si angles of the films against temperature."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from moxie.features.replicas import tabulate_over_films
from moxie.features.schemas import OXIDE_RUNS
from moxie.features.tables import read_table
from moxie.figures.parts import (
    BESIDE,
    drawable_error,
    label,
    of_first_approach,
    of_first_orientation,
    panels,
    temperature_colours,
)
from moxie.figures.registry import Figure


def draw(inputs: Mapping[str, Path]) -> tuple[Any, Any]:
    import pandas

    runs, face = of_first_orientation(read_table(inputs["oxide_runs"], OXIDE_RUNS))
    final, grown = runs[runs["is_final"]], of_first_approach(runs)
    colours = temperature_colours(runs["temperature_K"])
    figure, axes = panels(1, 2, width=6.8, height=2.7)
    left, right = axes[0]
    by_stage = tabulate_over_films(grown, ["temperature_K", "stage"], "strain_energy_eV_per_atom")
    oxygen = grown.groupby(["temperature_K", "stage"])["oxygen_per_area_per_A2"].mean().reset_index()
    by_stage = by_stage.merge(oxygen)
    for temperature, rows in by_stage.groupby("temperature_K"):
        left.errorbar(
            100 * rows["oxygen_per_area_per_A2"],
            rows["mean"],
            drawable_error(rows["standard_error"]),
            color=colours[temperature],
            marker="o",
            ms=3.5,
            lw=1.0,
            label=f"{temperature:g} K",
        )
    left.set_xlabel("oxygen per area (nm$^{-2}$)")
    left.set_ylabel(label("strain_energy_eV_per_atom"))
    left.legend(loc="best", ncols=2, columnspacing=1.0, handletextpad=0.4)
    left.set_ylim(0, None)
    left.set_title(f"Si({face})")
    angles = tabulate_over_films(final, ["temperature_K"], "si_o_si_angle_deg")
    spread = final["temperature_K"].max() - final["temperature_K"].min() or 100.0
    beside = final["temperature_K"] + BESIDE * spread
    right.plot(beside, final["si_o_si_angle_deg"], ls="", marker=".", ms=3.5, mew=0, color="0.45")
    right.errorbar(
        angles["temperature_K"],
        angles["mean"],
        drawable_error(angles["standard_error"]),
        color="0.15",
        marker="o",
        lw=1.0,
    )
    right.set_xlabel("temperature (K)")
    right.set_ylabel(label("si_o_si_angle_deg"))
    return figure, pandas.concat([by_stage, angles], ignore_index=True)


FIGURE = Figure(
    title="Strain and bond angles of the films",
    category="Oxidised silicon",
    caption=(
        "Left: bond, angle and repulsion energy per mobile atom as the film grows, by temperature. Right: mean "
        "Si-O-Si angle of the final films. Error bars: standard error of the mean over films, drawn from two "
        "replicas on; dots beside them: the single replicas."
    ),
    inputs={"oxide_runs": "features/oxide_runs.parquet"},
    needs=("oxides",),
    draw=draw,
    order=50,
)
