"""Bulk SiOx: energies against composition, and the segregation of silicon on annealing."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from moxie.features.schemas import OXIDE_BULK
from moxie.features.tables import read_table
from moxie.figures.parts import COLOURS, drawable_error, mean_over_replicas, name_curve, panels
from moxie.figures.registry import Figure

_ENERGIES = {
    "suboxide_energy_eV_per_si": ("suboxide", "o", "-"),
    "strain_energy_eV_per_si": ("strain", "s", ":"),
}


def draw(inputs: Mapping[str, Path]) -> tuple[Any, Any]:
    import pandas
    from matplotlib import colormaps

    rows = read_table(inputs["oxide_bulk"], OXIDE_BULK)
    figure, axes = panels(1, 3, width=7.2, height=2.9, width_ratios=(1.4, 1, 1))
    energies, largest, sizes = axes[0]
    temperatures = sorted(rows["kT_eV"].unique())
    colours = dict(zip(temperatures, colormaps["plasma"](np.linspace(0, 0.85, len(temperatures))), strict=True))
    random = mean_over_replicas(rows, ["x"], "random_bond_suboxide_energy_eV_per_si")
    energies.plot(random["x"], random["mean"], color="0.2", ls="--", lw=1.0, label="random bonds")
    shown = [random.assign(standard_error=0.0)]
    for quantity, (name, marker, line) in _ENERGIES.items():
        table = mean_over_replicas(rows, ["kT_eV", "x"], quantity)
        for kT, group in table.groupby("kT_eV"):
            error = drawable_error(group["standard_error"])
            energies.errorbar(group["x"], group["mean"], error, color=colours[kT], marker=marker, ms=3, ls=line, lw=0.9)
        energies.plot([], [], color="0.4", marker=marker, ms=3, ls=line, lw=0.9, label=name)
        shown.append(table)
    for kT, colour in colours.items():
        energies.plot([], [], color=colour, lw=3, label=f"kT {kT:g} eV")
    energies.set_xlabel("x in SiO$_x$")
    energies.set_ylabel("energy (eV per Si)")
    energies.set_ylim(0, None)
    figure.legend(*energies.get_legend_handles_labels(), loc="outside upper center", ncols=6, columnspacing=1.0)
    partly = rows[(rows["x"] > 0) & (rows["x"] < 2)]
    for axis, quantity, title in (
        (largest, "largest_cluster_share", "Si in the largest cluster"),
        (sizes, "mean_cluster_size", "mean cluster size (Si)"),
    ):
        table = mean_over_replicas(partly, ["x", "kT_eV"], quantity)
        percolates = partly.groupby(["x", "kT_eV"])["percolating_directions"].mean().rename("percolating_directions")
        table = table.merge(percolates.reset_index())
        for number, (composition, group) in enumerate(table.groupby("x")):
            colour = COLOURS[number % len(COLOURS)]
            axis.errorbar(
                group["kT_eV"], group["mean"], drawable_error(group["standard_error"]), color=colour, lw=0.9, ms=0
            )
            full = group["percolating_directions"] > 1.5
            axis.plot(group["kT_eV"][full], group["mean"][full], "o", color=colour, ms=4)
            axis.plot(group["kT_eV"][~full], group["mean"][~full], "o", color=colour, mfc="white", ms=4)
            last = group.iloc[-1]
            name_curve(axis, f"{composition:.2g}", (last["kT_eV"], last["mean"]), colour)
        axis.set_xlabel("kT of the anneal (eV)")
        axis.set_ylabel(title)
        axis.margins(x=0.15)
        shown.append(table)
    largest.set_ylim(0, 1.05)
    sizes.set_yscale("log")
    return figure, pandas.concat(shown, ignore_index=True)


FIGURE = Figure(
    title="Bulk oxides of silicon",
    category="Oxidised silicon",
    caption=(
        "Left: suboxide penalty and strain of annealed SiOx against composition, by temperature of the anneal; "
        "dashed: the exact mean penalty of O on bonds drawn at random, that of infinite temperature. Middle and "
        "right: share of the Si with Si-Si bonds in the largest cluster, and mean cluster size (weighted by size), "
        "against the temperature of the anneal, for each x (numbers beside the curves); filled circles: the clusters "
        "join their periodic image along two or three directions on average. Error bars: standard error of the mean "
        "over replicas, drawn from two replicas on."
    ),
    inputs={"oxide_bulk": "features/oxide_bulk.parquet"},
    needs=("bulk_oxides",),
    draw=draw,
    order=60,
)
