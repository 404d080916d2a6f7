"""Computed against experimental dipole moments of all molecules, named and from lists."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from moxie.features.schemas import MOLECULES
from moxie.features.tables import read_table
from moxie.figures.parts import COLOURS, label, panels, pretty_name
from moxie.figures.registry import Figure
from moxie.reference.dipoles import dipole_references
from moxie.reference.registry import VERIFIED

_FAR = 5.0


def draw(inputs: Mapping[str, Path]) -> tuple[Any, Any]:
    import pandas

    table = read_table(inputs["molecules"], MOLECULES)
    rows = pandas.DataFrame(
        [
            (row.list, row.molecule, row.smiles, row.dipole_D, value.value, value.checked, value.source)
            for row in table[(table["status"] == "ok") & (table["charge"] == 0)].itertuples()
            for value in dipole_references(row.smiles)
        ],
        columns=["list", "molecule", "smiles", "dipole_D", "reference_dipole_D", "checked", "source"],
    )
    figure, axes = panels(1, 1, width=3.6, height=3.4)
    axis = axes[0, 0]
    agreed = rows["checked"] == VERIFIED
    limit = 1.05 * float(max(rows["dipole_D"].max(), rows["reference_dipole_D"].max())) if len(rows) else 1.0
    axis.plot([0, limit], [0, limit], color="0.7", lw=0.8, zorder=0)
    for part, face, text in ((~agreed, "white", "one source, or they differ"), (agreed, COLOURS[0], "sources agree")):
        axis.plot(
            rows.loc[part, "reference_dipole_D"], rows.loc[part, "dipole_D"], ls="", marker="o", ms=3.2,
            mec=COLOURS[0], mew=0.6, mfc=face, label=text,
        )  # fmt: skip
    ratios = (rows["dipole_D"] / rows["reference_dipole_D"])[agreed & (rows["reference_dipole_D"] >= 0.3)]
    if len(ratios):
        error = f" ± {ratios.std() / np.sqrt(len(ratios)):.2f}" if len(ratios) > 1 else ""
        axis.set_title(
            f"ratio: mean {ratios.mean():.2f}{error}, median {ratios.median():.2f}\n({len(ratios)} molecules)"
        )
    rows["is_far"] = far_from_the_rest(ratios).reindex(rows.index, fill_value=False)
    for row in rows[rows["is_far"]].sort_values("dipole_D").itertuples():
        _name_point(axis, row, limit)
    axis.set_xlim(0, limit)
    axis.set_ylim(0, limit)
    axis.set_aspect("equal")
    axis.set_xlabel("experimental " + label("dipole_D"))
    axis.set_ylabel("computed " + label("dipole_D"))
    axis.legend(loc="upper left")
    return figure, rows


def far_from_the_rest(ratios: Any) -> Any:
    """Return which ratios lie further from the median than five robust standard deviations (1.4826 times the median
    absolute deviation) and than a tenth of it."""
    distance = (ratios - ratios.median()).abs()
    return (distance > _FAR * 1.4826 * distance.median()) & (distance > 0.1 * ratios.median())


def _name_point(axis: Any, row: Any, limit: float) -> None:
    """Write a molecule's name beside its point, on the side where there is room."""
    right = row.reference_dipole_D < 0.6 * limit
    axis.annotate(
        pretty_name(row.molecule),
        (row.reference_dipole_D, row.dipole_D),
        xytext=(4 if right else -4, 3),
        textcoords="offset points",
        ha="left" if right else "right",
        fontsize=6.5,
        color="0.3",
    )


FIGURE = Figure(
    title="Computed against experimental dipole moments",
    category="Molecules",
    caption=(
        "GFN2-xTB at the conformer found lowest against the experiment in the gas. Filled: two compilations agree "
        "within 0.05 D or 3 %; open: one source only, or sources that differ, mostly because of other conformers. The "
        "mean and the median of the ratio (± standard error of the mean) are over the filled points from 0.3 D on; "
        "named: those that lie further from the median than five robust standard deviations, which pull the mean."
    ),
    inputs={"molecules": "features/molecules.parquet"},
    needs=("molecules",),
    draw=draw,
    order=20,
)
