"""Side view of oxidised slabs, coloured by oxidation state."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from moxie.figures.parts import OXYGEN_COLOUR, STATE_COLOURS, panels
from moxie.figures.registry import Figure
from moxie.structures.films import film_key
from moxie.structures.network import Network, read_network

_SILICON_SIZE, _OXYGEN_SIZE = 20.0, 7.0


def draw(inputs: Mapping[str, Path]) -> tuple[Any, Any]:
    import pandas

    films = {name: read_network(path) for name, path in inputs.items()}
    if inputs["hottest"] == inputs["coldest"]:
        del films["hottest"]
    height = max(np.ptp(film.positions[:, 2]) for film in films.values())
    width = max(film.cell[0] for film in films.values())
    inches = 2.9
    figure, axes = panels(1, len(films), width=inches * len(films) + 0.4, height=inches * height / width + 0.9)
    tables = []
    for axis, film in zip(axes[0], films.values(), strict=True):
        _draw_film(axis, film)
        key = film_key(film)
        axis.set_title(f"Si({key['orientation']}), {key['temperature_K']:g} K")
        tables.append(_table(film).assign(film=f"{key['temperature_K']:g}"))
    lowest = min(film.positions[:, 2].min() for film in films.values())
    for axis in axes[0]:
        axis.set_ylim(lowest - 1.5, lowest + height + 1.5)
    _legend(figure)
    return figure, pandas.concat(tables, ignore_index=True)


def _draw_film(axis: Any, film: Network) -> None:
    from matplotlib.collections import LineCollection
    from matplotlib.colors import to_rgb

    positions = film.positions.copy()
    positions[:, :2] %= film.cell[:2]
    states = film.oxidation_states()
    depth = positions[:, 1] / film.cell[1]  # 0 in front, 1 at the back: paler with distance
    first, second = film.bonds.T
    vectors = film.vectors(first, second)
    starts = positions[first][:, [0, 2]]
    halves = [
        np.stack([starts, starts + vectors[:, [0, 2]] / 2], axis=1),
        np.stack([positions[second][:, [0, 2]], positions[second][:, [0, 2]] - vectors[:, [0, 2]] / 2], axis=1),
    ]
    greys = 0.35 + 0.5 * np.concatenate([depth[first], depth[second]])
    order = np.argsort(-greys)
    axis.add_collection(
        LineCollection(
            list(np.concatenate(halves)[order]),
            colors=np.repeat(greys[order, None], 3, axis=1),
            linewidths=0.7,
            zorder=1,
            rasterized=True,
        )
    )
    oxygen = film.species == "O"
    base = np.array(
        [to_rgb(OXYGEN_COLOUR if o else STATE_COLOURS[s]) for o, s in zip(oxygen, states, strict=True)]
    )  # fmt: skip
    colours = base + (1 - base) * 0.55 * depth[:, None]
    order = np.argsort(-depth)
    axis.scatter(
        positions[order, 0],
        positions[order, 2],
        s=np.where(oxygen, _OXYGEN_SIZE, _SILICON_SIZE)[order],
        c=colours[order],
        edgecolors=np.clip(colours[order] * 0.55, 0, 1),
        linewidths=0.35,
        zorder=2,
        rasterized=True,  # thousands of atoms as vectors make a file of megabytes
    )
    axis.set_aspect("equal")
    axis.set_xlim(-0.8, film.cell[0] + 0.8)
    axis.axis("off")
    bottom = positions[:, 2].min() - 0.9
    axis.plot([0, 5], [bottom, bottom], color="black", lw=1.5, solid_capstyle="butt")
    axis.annotate("5 Å", (5.4, bottom), va="center", fontsize=7.5)


def _legend(figure: Any) -> None:
    from matplotlib.lines import Line2D

    def dot(colour: str, size: float, name: str) -> Any:
        return Line2D([], [], ls="", marker="o", color=colour, ms=np.sqrt(size) * 1.2, label=name)

    handles = [
        dot(colour, _SILICON_SIZE, f"Si$^{{{state}+}}$" if state else "Si$^0$")
        for state, colour in enumerate(STATE_COLOURS)
    ]
    handles.append(dot(OXYGEN_COLOUR, _OXYGEN_SIZE, "O"))
    figure.legend(handles=handles, loc="outside lower center", ncols=6, columnspacing=1.2, handletextpad=0.1)


def _table(film: Network) -> Any:
    import pandas

    return pandas.DataFrame(
        {
            "element": film.species,
            "x_A": film.positions[:, 0],
            "y_A": film.positions[:, 1],
            "z_A": film.positions[:, 2],
            "oxidation_state": film.oxidation_states(),
        }
    )


FIGURE = Figure(
    title="Oxidised slabs",
    category="Oxidised silicon",
    caption=(
        "Side view of the final films (first replica) at the lowest and the highest temperature of the sweep, with all "
        "bonds of the network. Large: silicon, coloured by its number of oxygen neighbours; small: oxygen. Atoms "
        "further back are paler. The slab is periodic sideways; its lowest layers are frozen at crystal sites, or, "
        "where the back is free, closed by oxygen."
    ),
    inputs={
        "coldest": "oxidation/Si{orientation}/T{coldest}/{approach}/replica0/film.xyz",
        "hottest": "oxidation/Si{orientation}/T{hottest}/{approach}/replica0/film.xyz",
    },
    needs=("oxides",),
    draw=draw,
    order=20,
)
