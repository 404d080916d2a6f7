"""The same liquid under several force fields, at the same temperature and pressure, beside experiment."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from moxie.errors import InputError
from moxie.features.schemas import LIQUIDS, VALIDATION
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
from moxie.figures.registry import Figure
from moxie.reference.validation import over_replicas

_UNITS = {"density_g_cm3": "g/cm3", "enthalpy_of_vaporisation_kJ_mol": "kJ/mol"}
_STATE = ["composition", "temperature_K", "pressure_bar"]
_COLUMNS = [
    *("liquid", "composition", "temperature_K", "pressure_bar", "quantity", "unit", "system", "force_field"),
    *("value", "standard_error", "n_independent", "reference_value", "deviation_percent"),
]


def compare(liquids: Any, validation: Any) -> Any:
    """Return one row per liquid, state point, quantity and force field, where two or more force fields have a value.

    `liquids` and `validation` are the tables of these names. Values are over replicas; the reference is the experiment
    of the validation table, empty where there is none.
    """
    import pandas

    runs = liquids[liquids["ensemble"] == "NPT"]
    several = runs.groupby(_STATE)["force_field"].transform("nunique") > 1
    runs = runs[several]
    if runs.empty:
        return pandas.DataFrame(columns=_COLUMNS)
    rows = []
    for keys, group in runs.groupby([*_STATE, "system", "force_field"]):
        for quantity, unit in _UNITS.items():
            parts = (group[name] for name in (quantity, f"{quantity}_standard_error", f"{quantity}_n_independent"))
            estimate = over_replicas(*parts)
            if estimate is not None:
                found = (estimate.value, estimate.standard_error, estimate.n_independent)
                rows.append([*keys, quantity, unit, *found])
    names = [*_STATE, "system", "force_field", "quantity", "unit", "value", "standard_error", "n_independent"]
    table = pandas.DataFrame(rows, columns=names)
    short = runs.groupby("composition")["system"].agg(lambda systems: min(systems, key=lambda name: (len(name), name)))
    table["liquid"] = table["composition"].map(short)
    experiment = validation[(validation["stage"] == "dynamics") & (validation["reference_kind"] == "experiment")]
    shared = ["temperature_K", "pressure_bar", "quantity", "system"]
    experiment = experiment[[*shared, "reference_value"]].drop_duplicates(shared)
    table = table.merge(experiment, on=shared, how="left")
    table["deviation_percent"] = 100 * (table["value"] / table["reference_value"] - 1)
    return table[_COLUMNS].sort_values(_COLUMNS[:8], ignore_index=True)


def draw(inputs: Mapping[str, Path]) -> tuple[Any, Any]:
    table = compare(read_table(inputs["liquids"], LIQUIDS), read_table(inputs["validation"], VALIDATION))
    if table.empty:
        raise InputError(f"{inputs['liquids']} has no liquid with two force fields: there is nothing to draw.")
    liquids = list(table["liquid"].unique())
    force_fields = list(table["force_field"].unique())
    quantities = [quantity for quantity in _UNITS if (table["quantity"] == quantity).any()]
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
        "molecule in the enthalpy of vaporisation."
    ),
    inputs={"liquids": "features/liquids.parquet", "validation": "tables/validation.parquet"},
    needs=("liquids", "force_fields"),
    draw=draw,
    order=25,
)
