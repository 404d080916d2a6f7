"""Composition of the final films against depth."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from moxie.features.schemas import OXIDE_PROFILES
from moxie.features.tables import read_table
from moxie.figures.parts import OXYGEN_COLOUR, STATE_COLOURS, of_first_orientation, panels
from moxie.figures.registry import Figure

_SPECIES = {f"si{n}_per_A3": (f"Si$^{{{n}+}}$" if n else "Si$^0$", STATE_COLOURS[n]) for n in range(5)}
_SPECIES["o_per_A3"] = ("O", OXYGEN_COLOUR)


_SMEARING_A = 1.2  # wide enough to hide the single layers of the crystal, 1.36 A apart
_DEEPEST_A = 12.0


def draw(inputs: Mapping[str, Path]) -> tuple[Any, Any]:
    import pandas

    profiles, face = of_first_orientation(read_table(inputs["oxide_profiles"], OXIDE_PROFILES))
    films = profiles.groupby(["temperature_K", "approach", "replica"])
    last = films["stage"].transform("max")
    final = profiles[profiles["stage"] == last]
    temperatures = sorted(final["temperature_K"].unique())
    chosen = [temperatures[0], temperatures[-1]] if len(temperatures) > 1 else temperatures
    final = final[final["temperature_K"].isin(chosen)]
    # Films reach differently deep and high: a bin that a film does not have is empty there, not unknown.
    n_films = final.drop_duplicates(["temperature_K", "approach", "replica"]).groupby("temperature_K").size()
    mean = final.groupby(["temperature_K", "depth_A"])[list(_SPECIES)].sum()
    mean = mean.div(n_films, level="temperature_K", axis="index").reset_index()
    shown = pandas.concat([_smoothed(rows) for _, rows in mean.groupby("temperature_K")], ignore_index=True)
    figure, axes = panels(1, len(chosen), width=max(3.6, 3.3 * len(chosen)), height=2.9, sharey=True, sharex=True)
    for axis, temperature in zip(axes[0], chosen, strict=True):
        rows = shown[shown["temperature_K"] == temperature]
        for column, (name, colour) in _SPECIES.items():
            axis.plot(
                rows["depth_A"],
                1000 * rows[column],
                color=colour,
                label=name,
                ls="--" if column == "o_per_A3" else "-",
                lw=1.2,
            )
        axis.axvline(0, color="0.8", lw=0.7, zorder=0)
        axis.set_title(f"Si({face}), {temperature:g} K")
        axis.set_xlabel("distance from the interface (Å)")
    axes[0, 0].set_xlim(max(shown["depth_A"].min(), -_DEEPEST_A), shown["depth_A"].max())
    axes[0, 0].set_ylim(0, None)
    axes[0, 0].set_ylabel("atoms per volume (nm$^{-3}$)")
    handles, names = axes[0, 0].get_legend_handles_labels()
    figure.legend(handles, names, loc="outside upper center", ncols=6, columnspacing=1.2)
    return figure, shown


def _smoothed(rows: Any) -> Any:
    """Smear every atom along the depth by a normal distribution, on a finer grid, keeping the number of atoms."""
    import pandas

    depth = rows["depth_A"].to_numpy()
    width = float(np.diff(depth).min()) if len(depth) > 1 else 1.0
    fine = np.arange(depth.min() - 3 * _SMEARING_A, depth.max() + 3 * _SMEARING_A, 0.25)
    weights = np.exp(-0.5 * ((fine[:, None] - depth) / _SMEARING_A) ** 2) * width / (_SMEARING_A * np.sqrt(2 * np.pi))
    columns = {name: weights @ rows[name].to_numpy() for name in _SPECIES}
    return pandas.DataFrame({"temperature_K": rows["temperature_K"].iloc[0], "depth_A": fine, **columns})


FIGURE = Figure(
    title="Depth profile of the oxidation states",
    category="Oxidised silicon",
    caption=(
        "Number densities of silicon by its number of oxygen neighbours and of oxygen (dashed) against the distance "
        "from the interface, silicon on the left and oxide on the right, for the final films at the lowest and the "
        "highest temperature of the sweep. Mean over films; every atom is smeared by a normal distribution of 1.2 Å."
    ),
    inputs={"oxide_profiles": "features/oxide_profiles.parquet"},
    needs=("oxides",),
    draw=draw,
    order=40,
)
