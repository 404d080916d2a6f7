"""Radial distribution functions and structure factors of the oxide of the final films."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from moxie.features.schemas import OXIDE_RDF, OXIDE_STRUCTURE_FACTORS
from moxie.features.tables import read_table
from moxie.figures.parts import COLOURS, of_first_orientation, panels
from moxie.figures.registry import Figure

_OFFSET = 4.0  # between the curves of g(r)
_COARSE_BINS = 2  # bins of S(q) that are drawn as one


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
            axis.annotate("no film has an interior", (0.5, 0.5), xycoords="axes fraction", ha="center", color="0.5")
        return figure, shown[0]
    (g, face), (s, _) = of_first_orientation(g), of_first_orientation(s)
    for number, (pair, rows) in enumerate(g.groupby("pair", sort=False)):
        curve = rows.groupby("r_A")["g"].mean()
        left.plot(curve.index, curve + number * _OFFSET, color=COLOURS[number], lw=1.0, label=pair.replace("-", "–"))
        left.axhline(number * _OFFSET + 1, color="0.85", lw=0.6, zorder=0)
        shown.append(_curve(f"g {pair}", curve, _films(rows)))
    for number, (radiation, rows) in enumerate(s.groupby("radiation", sort=False)):
        rows = rows.assign(bin=np.round(rows["q_per_A"] / (0.05 * _COARSE_BINS)) * 0.05 * _COARSE_BINS)
        weighted = rows.assign(s=rows["s"] * rows["n_vectors"]).groupby("bin")[["s", "n_vectors"]].sum()
        curve = weighted["s"] / weighted["n_vectors"]
        right.plot(curve.index, curve, color=COLOURS[number], lw=1.0, label=radiation)
        shown.append(_curve(f"S {radiation}", curve, _films(rows)))
    left.set_title(f"oxide on Si({face})")
    for axis in (left, right):
        axis.legend(loc="upper right")
        axis.set_xlim(0, None)
    left.set_ylim(0, 4.5 * _OFFSET)
    return figure, pandas.concat(shown[1:], ignore_index=True)


def _curve(name: str, curve: Any, n_films: int) -> Any:
    import pandas

    return pandas.DataFrame({"curve": name, "abscissa": curve.index, "value": curve.to_numpy(), "n_films": n_films})


def _films(rows: Any) -> int:
    return int(rows.groupby(["temperature_K", "replica"]).ngroups)


FIGURE = Figure(
    title="Order of the oxide in the films",
    category="Oxidised silicon",
    caption=(
        "Partial radial distribution functions (left, each shifted by 4) and X-ray and neutron structure factors "
        "(right) of the interior of the oxide, 3 Å above the interface to 2.5 Å below the surface. Mean over all final "
        "films of the sweep that have such an interior. S(q) comes from wave vectors in the plane and is smeared by "
        "the thinness of the slice. No error is drawn."
    ),
    inputs={
        "oxide_rdf": "features/oxide_rdf.parquet",
        "oxide_structure_factors": "features/oxide_structure_factors.parquet",
    },
    needs=("oxides",),
    draw=draw,
    order=55,
)
