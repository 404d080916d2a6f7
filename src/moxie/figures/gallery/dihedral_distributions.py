"""Distributions of the dihedral angles of each liquid and electrolyte under its force fields."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from moxie.features.replicas import tabulate_over_replicas
from moxie.features.schemas import DIHEDRAL_CURVES, ELECTROLYTES, LIQUIDS
from moxie.features.tables import read_table
from moxie.figures.parts import COLOURS, drawable_error, model_name, panels, pretty_name
from moxie.figures.registry import Figure, NothingToDraw

_DENSITY = "probability_density_per_deg"
_STATE = ["temperature_K", "pressure_bar"]
_SYSTEM = ["system", "force_field", "force_field_sha256"]
_ROOM_K = 298.15
_MOST_COLUMNS = 4


def curves_to_show(curves: Any, systems: Any) -> Any:
    """Return the curves of each liquid and torsion at one state point, averaged over replicas, with `liquid` its name.

    The state point is the one with the most force fields; of several the one nearest to room temperature, at the lowest
    pressure. `curves` is the table dihedral_curves; `systems` has the columns system and composition.
    """
    import pandas

    table = tabulate_over_replicas(curves, [*_SYSTEM, *_STATE, "torsion", "angle_deg"], _DENSITY)
    contents = systems[["system", "composition"]].drop_duplicates()
    table = table.merge(contents, on="system")
    shown = []
    for (_, _), rows in table.groupby(["composition", "torsion"]):
        states = rows.groupby(_STATE)["force_field"].nunique().reset_index()
        states["distance_K"] = (states["temperature_K"] - _ROOM_K).abs()
        order = ["force_field", "distance_K", "pressure_bar"]
        chosen = states.sort_values(order, ascending=[False, True, True])[_STATE].iloc[[0]]
        liquid = min(rows["system"].unique(), key=lambda name: (len(name), name))
        shown.append(rows.merge(chosen, on=_STATE).assign(liquid=liquid))
    columns = ["liquid", "composition", "torsion", *_STATE, *_SYSTEM]
    values = ["angle_deg", _DENSITY, f"{_DENSITY}_standard_error", "n_replicas"]
    return pandas.concat(shown, ignore_index=True)[[*columns, *values]]


def draw(inputs: Mapping[str, Path]) -> tuple[Any, Any]:
    import pandas

    curves = read_table(inputs["curves"], DIHEDRAL_CURVES)
    if curves.empty:
        raise NothingToDraw("There is no dihedral angle.")
    kinds = [read_table(inputs[kind.name], kind) for kind in (LIQUIDS, ELECTROLYTES) if kind.name in inputs]
    table = curves_to_show(curves, pandas.concat([kind[["system", "composition"]] for kind in kinds]))
    force_fields = sorted(table["force_field"].unique())
    groups = list(table.groupby(["liquid", "torsion"]))
    columns = min(len(groups), _MOST_COLUMNS)
    rows = -(-len(groups) // columns)
    size = {"width": max(3.4, 2.3 * columns + 0.5), "height": 2.3 * rows + 0.2}
    figure, axes = panels(rows, columns, sharex=True, **size)
    for axis, ((liquid, torsion), here) in zip(axes.flat, groups, strict=False):
        for (system, force_field), curve in here.groupby(["system", "force_field"]):
            angle, density = curve["angle_deg"], 100 * curve[_DENSITY]
            error = 100 * drawable_error(curve[f"{_DENSITY}_standard_error"])
            colour = COLOURS[force_fields.index(force_field) % len(COLOURS)]
            same = here.loc[here["force_field"] == force_field, "system"].nunique() > 1
            name = f"{model_name(force_field)}, {pretty_name(system)}" if same else model_name(force_field)
            axis.fill_between(angle, density - error, density + error, color=colour, alpha=0.25, lw=0)
            axis.plot(angle, density, color=colour, label=name)
        axis.set_title(f"{pretty_name(liquid)}, {torsion}, {here['temperature_K'].iloc[0]:g} K")
        axis.set_ylim(0, None)
        axis.legend(loc="best")
    for axis in axes.flat[len(groups) :]:
        axis.set_visible(False)
    for axis in axes[:, 0]:
        axis.set_ylabel("probability\n(% per degree)")
    for axis in axes[-1]:
        axis.set_xlabel("dihedral angle (°)")
    axes[0, 0].set_xlim(-180, 180)
    axes[0, 0].set_xticks(np.arange(-180, 181, 60))
    return figure, table


FIGURE = Figure(
    title="Dihedral angles",
    category="Liquids and electrolytes",
    caption=(
        "Distribution of each kind of dihedral angle under the force fields of a liquid or electrolyte, at the state "
        "point that most of them share; 180° is trans, gauche lies near 60° to either side. Hydroxyl: C–C–O–H; "
        "backbone: four heavy atoms about a single bond. Bins of 5°; band: standard error from the scatter over time "
        "or over molecules, whichever is larger. Molecules without a chiral centre must give a symmetric curve: what "
        "differs between its halves is noise."
    ),
    inputs={"curves": "features/dihedral_curves.parquet"},
    optional={kind: f"features/{kind}.parquet" for kind in ("liquids", "electrolytes")},
    needs=("dihedrals",),
    draw=draw,
    order=32,
)
