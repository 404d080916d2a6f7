"""The same liquid under several force fields, at the same temperature and pressure, beside experiment."""

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from moxie.features.dihedrals import TORSIONS
from moxie.features.replicas import over_replicas
from moxie.features.schemas import LIQUIDS, TRANSPORT, VALIDATION
from moxie.features.tables import read_table
from moxie.figures.parts import (
    COLOURS,
    MARKERS,
    REFERENCE_COLOUR,
    drawable_error,
    label,
    model_name,
    padded_limits,
    panels,
    pretty_name,
)
from moxie.figures.registry import Figure, NothingToDraw
from moxie.reference.registry import VERIFIED, canonical_smiles

_DRAWN = ("density_g_cm3", "enthalpy_of_vaporisation_kJ_mol")
_OF_LIQUIDS = (
    *_DRAWN,
    *("thermal_expansion_per_K", "isothermal_compressibility_per_GPa", "residual_heat_capacity_J_mol_K"),
    *("dielectric_constant", "hydrogen_bonds_per_molecule", "rdf_oo_peak_position_A", "coordination_oo"),
    *(f"{name}_trans_fraction" for name in TORSIONS),
)
_STATE = ["composition", "temperature_K", "pressure_bar"]
_MODEL = ["system", "force_field", "force_field_sha256"]
_ENDS = ("", "_standard_error", "_n_independent")
_FOUND = ["value", "standard_error", "n_independent"]
_COLUMNS = [
    *("liquid", *_STATE, "quantity", "unit", *_MODEL, *_FOUND, "reference_value", "deviation_percent"),
]


def compare(liquids: Any, validation: Any, transport: Any = None) -> Any:
    """Return one row per liquid, state point, quantity and force field, where two or more force fields have a value.

    The arguments are the tables of these names. Values are over replicas; beside what is drawn only those with a
    standard error count. The reference is the checked experiment of the validation table, empty where there is none.
    """
    import pandas

    runs = liquids[liquids["ensemble"] == "NPT"]
    rows = [
        [*keys, quantity, LIQUIDS.column(quantity).unit, found.value, found.standard_error, found.n_independent]
        for keys, group in runs.groupby([*_STATE, *_MODEL])
        for quantity in _OF_LIQUIDS
        if (found := over_replicas(*(group[f"{quantity}{end}"] for end in _ENDS))) is not None
    ]
    if transport is not None:
        rows += _transport_rows(transport.merge(runs[["system", "composition"]].drop_duplicates(), on="system"))
    table = pandas.DataFrame(rows, columns=[*_STATE, *_MODEL, "quantity", "unit", *_FOUND])
    table = table[table["quantity"].isin(_DRAWN) | table["standard_error"].notna()]
    table = table[table.groupby([*_STATE, "quantity"])["force_field"].transform("nunique") > 1]
    if table.empty:
        return pandas.DataFrame(columns=_COLUMNS)
    short = table.groupby("composition")["system"].agg(lambda systems: min(systems, key=lambda name: (len(name), name)))
    table["liquid"] = table["composition"].map(short)
    known = (validation["reference_kind"] == "experiment") & (validation["checked"] == VERIFIED)
    experiment = validation[(validation["stage"] == "dynamics") & known]
    shared = ["temperature_K", "pressure_bar", "quantity", "system"]
    experiment = experiment[[*shared, "reference_value"]].drop_duplicates(shared)
    table = table.merge(experiment, on=shared, how="left")
    table["deviation_percent"] = 100 * (table["value"] / table["reference_value"] - 1)
    order = {quantity: number for number, quantity in enumerate(_OF_LIQUIDS)}
    table["order"] = table["quantity"].map(order).fillna(len(order))
    by = ["liquid", *_STATE, "order", "quantity", *_MODEL]
    return table.sort_values(by, ignore_index=True)[_COLUMNS]


def _transport_rows(transport: Any) -> list[list[Any]]:
    """Return the viscosity of every state and the diffusion of every species, under their names in `validation`."""
    rows = []
    for line in transport.to_dict("records"):
        keys = [line[name] for name in (*_STATE, *_MODEL)]
        names = {"viscosity_mPa_s": "viscosity_mPa_s"}
        names["diffusion_corrected_m2_s"] = f"diffusion_corrected_m2_s ({canonical_smiles(line['smiles'])})"
        rows += [
            [*keys, name, TRANSPORT.column(column).unit, *(line[f"{column}{end}"] for end in _ENDS)]
            for column, name in names.items()
            if not math.isnan(line[column])
        ]
    return [list(row) for row in dict.fromkeys(tuple(row) for row in rows)]  # a viscosity is that of all species


def draw(inputs: Mapping[str, Path]) -> tuple[Any, Any]:
    transport = read_table(inputs["transport"], TRANSPORT) if "transport" in inputs else None
    table = compare(read_table(inputs["liquids"], LIQUIDS), read_table(inputs["validation"], VALIDATION), transport)
    if table.empty:
        raise NothingToDraw("There is no liquid with two force fields.")
    liquids = list(table["liquid"].unique())
    force_fields = list(table["force_field"].unique())
    quantities = [quantity for quantity in _DRAWN if (table["quantity"] == quantity).any()]
    figure, axes = panels(
        len(quantities),
        len(liquids),
        width=max(3.6, 2.6 * len(liquids) + 0.6),
        height=2.1 * len(quantities) + 0.3,
        sharex="col",
    )
    for column, liquid in enumerate(liquids):
        here = table[table["liquid"] == liquid]
        low, high = padded_limits(here["temperature_K"], 0.15)
        for row, quantity in enumerate(quantities):
            axis = axes[row, column]
            rows = here[here["quantity"] == quantity]
            known = rows.dropna(subset=["reference_value"]).drop_duplicates(["temperature_K", "pressure_bar"])
            for _, state in known.groupby("pressure_bar"):
                axis.plot(
                    state["temperature_K"], state["reference_value"], color=REFERENCE_COLOUR, zorder=1,
                    marker="_" if len(state) == 1 else "", markersize=40 if len(state) == 1 else None,
                )  # fmt: skip
            for number, force_field in enumerate(force_fields):
                state = rows[rows["force_field"] == force_field]
                axis.errorbar(
                    state["temperature_K"], state["value"],
                    drawable_error(state["standard_error"]), ls="", color=COLOURS[number % len(COLOURS)],
                    marker=MARKERS[number % len(MARKERS)], label=model_name(force_field),
                )  # fmt: skip
            if column == 0:
                axis.set_ylabel(label(quantity).replace(" (", "\n("))
        axes[0, column].set_title(pretty_name(liquid))
        axes[0, column].plot([], [], color=REFERENCE_COLOUR, label="experiment")
        axes[-1, column].set_xlim(low, high)
        axes[-1, column].set_xlabel("temperature (K)")
    axes[0, 0].legend(loc="best")
    return figure, table


FIGURE = Figure(
    title="Force fields compared",
    category="Liquids and electrolytes",
    caption=(
        "The same liquid at the same temperature and pressure under different force fields (symbols) and in experiment "
        "(line, one for each pressure). Error bars: standard error from decorrelated samples or over replicas, often "
        "smaller than the symbols; they do not hold what the force fields leave out, such as the cost of polarising a "
        "molecule in the enthalpy of vaporisation. The table holds every observable that two force fields have with a "
        "standard error; the data also the variant of each force field."
    ),
    inputs={"liquids": "features/liquids.parquet", "validation": "tables/validation.parquet"},
    optional={"transport": "features/transport.parquet"},
    needs=("liquids", "force_fields"),
    draw=draw,
    order=25,
)
