"""Radial distribution functions and structure factors of the oxide of the final films."""

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from moxie.features.schemas import OXIDE_RDF, OXIDE_STRUCTURE_FACTORS
from moxie.features.tables import read_table
from moxie.figures.parts import COLOURS, REFERENCE_COLOUR, of_first_orientation, panels
from moxie.figures.registry import Figure

_OFFSET = 4.0  # between the curves of g(r)
_BIN_PER_A = 0.2  # of S(q), in which a few films have enough wave vectors
_LARGEST_ERROR = 0.25  # of a bin of S(q) that is drawn
_FEWEST_BINS = 10
_SHARP_PEAK_PER_A = 1.52  # first sharp diffraction peak of vitreous silica, literature, unchecked


def draw(inputs: Mapping[str, Path]) -> tuple[Any, Any]:
    import pandas

    figure, axes = panels(1, 2, width=6.8, height=2.9)
    left, right = axes[0]
    g, s = (read_table(inputs[table.name], table) for table in (OXIDE_RDF, OXIDE_STRUCTURE_FACTORS))
    left.set_xlabel("r (Å)")
    left.set_ylabel("g(r), shifted")
    right.set_xlabel("q (Å$^{-1}$)")
    right.set_ylabel("S(q)")
    shown = [pandas.DataFrame(columns=["curve", "abscissa", "value", "n_films"])]
    if g.empty:
        for axis in (left, right):
            _say(axis, "no film has an interior")
        return figure, shown[0]
    (g, face), (s, _) = of_first_orientation(g), of_first_orientation(s)
    for number, (pair, rows) in enumerate(g.groupby("pair", sort=False)):
        curve = rows.groupby("r_A")["g"].mean()
        left.plot(curve.index, curve + number * _OFFSET, color=COLOURS[number], lw=1.0, label=pair.replace("-", "–"))
        left.axhline(number * _OFFSET + 1, color="0.85", lw=0.6, zorder=0)
        shown.append(_curve(f"g {pair}", curve, _films(rows)))
    drawn = False
    for number, (radiation, rows) in enumerate(s.groupby("radiation", sort=False)):
        curve = _coarse(rows)
        clear = curve[curve["standard_error"] <= _LARGEST_ERROR]
        if len(clear) >= _FEWEST_BINS:
            low, high = clear["value"] - clear["standard_error"], clear["value"] + clear["standard_error"]
            right.fill_between(clear["abscissa"], low, high, color=COLOURS[number], alpha=0.25, lw=0)
            right.plot(clear["abscissa"], clear["value"], color=COLOURS[number], lw=1.0, label=radiation)
            drawn = True
        shown.append(curve.assign(curve=f"S {radiation}", n_films=_films(rows)))
    if not drawn:
        _say(right, f"no bin is known to {_LARGEST_ERROR:g}:\nmore or larger films are needed")
    else:
        right.axhline(1, color="0.85", lw=0.6, zorder=0)
        right.axvline(_SHARP_PEAK_PER_A, color=REFERENCE_COLOUR, ls=":", lw=0.9, zorder=0, label="silica glass")
    left.set_title(f"oxide on Si({face})")
    for axis in (left, right):
        if axis.get_legend_handles_labels()[0]:
            axis.legend(loc="upper right")
        axis.set_xlim(0, None)
    left.set_ylim(0, 4.5 * _OFFSET)
    return figure, pandas.concat(shown[1:], ignore_index=True)


def _curve(name: str, curve: Any, n_films: int) -> Any:
    import pandas

    return pandas.DataFrame({"curve": name, "abscissa": curve.index, "value": curve.to_numpy(), "n_films": n_films})


def _coarse(rows: Any) -> Any:
    """Return S(q) in wide bins: mean over films, weighted by their wave vectors, and the standard error of their
    scatter (empty for one film)."""
    import pandas

    rows = rows.assign(abscissa=(np.floor(rows["q_per_A"] / _BIN_PER_A) + 0.5) * _BIN_PER_A)
    rows["sum"] = rows["s"] * rows["n_vectors"]
    films = rows.groupby(["abscissa", "temperature_K", "approach", "replica"])[["sum", "n_vectors"]].sum().reset_index()
    found = []
    for abscissa, part in films.groupby("abscissa"):
        weight = part["n_vectors"] / part["n_vectors"].sum()
        values = part["sum"] / part["n_vectors"]
        value, worth = float((weight * values).sum()), 1 / float((weight**2).sum())
        spread = float((weight * (values - value) ** 2).sum())
        error = math.sqrt(spread / (worth - 1)) if len(part) > 1 else math.nan
        found.append({"abscissa": abscissa, "value": value, "standard_error": error})
    return pandas.DataFrame(found, columns=["abscissa", "value", "standard_error"])


def _say(axis: Any, text: str) -> None:
    axis.annotate(text, (0.5, 0.5), xycoords="axes fraction", ha="center", va="center", color="0.4")


def _films(rows: Any) -> int:
    return int(rows.groupby(["temperature_K", "approach", "replica"]).ngroups)


FIGURE = Figure(
    title="Order of the oxide in the films",
    category="Oxidised silicon",
    caption=(
        "Partial radial distribution functions (left, each shifted by 4) and X-ray and neutron structure factors "
        "(right) of the interior of the oxide, 3 Å above the interface to 2.5 Å below the surface. Mean over all final "
        "films of the sweep that have such an interior. S(q) comes from wave vectors in the plane, in bins of 0.2 per "
        "Å; band: standard error of the scatter between films; bins with an error above 0.25 are noise and left out. "
        "Dotted: first sharp peak of silica glass (1.52 per Å; literature, unchecked)."
    ),
    inputs={
        "oxide_rdf": "features/oxide_rdf.parquet",
        "oxide_structure_factors": "features/oxide_structure_factors.parquet",
    },
    needs=("oxides",),
    draw=draw,
    order=55,
)
