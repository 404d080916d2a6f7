"""Dipole moments and frontier orbitals of the molecules."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from moxie.features.schemas import MOLECULES
from moxie.features.tables import read_table
from moxie.figures.parts import COLOURS, REFERENCE_COLOUR, label, panels, pretty_name
from moxie.figures.registry import Figure, NothingToDraw
from moxie.reference.dipoles import dipole_references
from moxie.reference.registry import VERIFIED

_MOST_OF_LISTS = 40


def draw(inputs: Mapping[str, Path]) -> tuple[Any, Any]:
    import pandas

    table = read_table(inputs["molecules"], MOLECULES)
    table = table[table["status"] == "ok"]
    named = table["list"] == "named"
    table = (table[named] if named.any() else table.iloc[:_MOST_OF_LISTS]).sort_values(["charge", "molecule"])
    if table.empty:
        raise NothingToDraw("No molecule could be computed.")
    table = table.reset_index(drop=True)
    references = pandas.DataFrame(
        [
            {"molecule": row.molecule, "reference_dipole_D": value.value, "reference_checked": value.checked}
            for row in table.itertuples()
            for value in dipole_references(row.smiles)
        ],
        columns=["molecule", "reference_dipole_D", "reference_checked"],
    )
    figure, axes = panels(1, 2, width=6.8, height=max(2.2, 0.33 * len(table) + 1.1), sharey=True)
    left, right = axes[0]
    places = np.arange(len(table))[::-1]
    left.hlines(places, 0, table["dipole_D"], color="0.88", lw=1.0, zorder=0)
    left.plot(
        table["dipole_D"], places, ls="", marker="o", color=COLOURS[0], clip_on=False, label=table["method"].iloc[0]
    )
    for checked, face, label_text in (
        (True, REFERENCE_COLOUR, "experiment"),
        (False, "white", "experiment, unchecked"),
    ):
        rows = references[(references["reference_checked"] == VERIFIED) == checked]
        if len(rows):
            left.plot(
                rows["reference_dipole_D"],
                [places[table["molecule"].tolist().index(name)] for name in rows["molecule"]],
                ls="",
                marker="D",
                ms=4,
                mec=REFERENCE_COLOUR,
                mfc=face,
                label=label_text,
            )
    left.set_yticks(places, [_name(row) for row in table.itertuples()])
    left.set_ylim(-0.6, len(table) - 0.4)
    left.set_xlim(0, None)
    left.set_xlabel(label("dipole_D"))
    left.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=3, columnspacing=0.9, handletextpad=0.2)
    right.hlines(places, table["homo_eV"], table["lumo_eV"], color="0.85", lw=2.0, zorder=0)
    right.plot(table["homo_eV"], places, ls="", marker="s", color=COLOURS[1], label="highest occupied")
    right.plot(table["lumo_eV"], places, ls="", marker="^", color=COLOURS[2], label="lowest empty")
    right.set_xlabel("orbital energy (eV)")
    right.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=2, columnspacing=0.9, handletextpad=0.2)
    columns = ["molecule", "charge", "dipole_D", "reference_dipole_D", "reference_checked", "homo_eV", "lumo_eV"]
    return figure, table.merge(references, how="left", on="molecule")[columns]


def _name(row: Any) -> str:
    sign = "" if row.charge == 0 else f"$^{{{abs(row.charge) if abs(row.charge) > 1 else ''}{'+−'[row.charge < 0]}}}$"
    return pretty_name(row.molecule) + sign


FIGURE = Figure(
    title="Dipole moments and frontier orbitals",
    category="Molecules",
    caption=(
        "Left: dipole moment at the optimised geometry, of ions about the centre of mass, and experiment in the gas "
        "phase; for ethanol the compilations give two values, probably of different conformers. GFN2-xTB is known to "
        "overestimate the dipoles of water and alcohols by a tenth to a fifth. Right: energies of the frontier "
        "orbitals; a bare cation without valence electrons has no occupied one. Shown are the named molecules; "
        "without any, the first forty of the study's lists."
    ),
    inputs={"molecules": "features/molecules.parquet"},
    needs=("molecules",),
    draw=draw,
    order=10,
)
