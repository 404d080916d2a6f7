"""Response functions of the liquids against temperature."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from moxie.features.replicas import over_replicas
from moxie.features.schemas import LIQUIDS, VALIDATION
from moxie.features.tables import read_table
from moxie.figures.parts import COLOURS, MARKERS, label, model_name, padded_limits, panels, pretty_name
from moxie.figures.registry import Figure, NothingToDraw

# quantity -> factor of the axis, the same quantity from the grid of state points
QUANTITIES = {
    "thermal_expansion_per_K": (1e3, "thermal_expansion_from_grid_per_K"),
    "isothermal_compressibility_per_GPa": (1.0, "isothermal_compressibility_from_grid_per_GPa"),
    "residual_heat_capacity_J_mol_K": (1.0, None),
    "dielectric_constant": (1.0, None),
}
_STATE = ["system", "force_field", "temperature_K", "pressure_bar"]
_METHODS = ("fluctuations", "grid")
_SPACING_K = 1.0  # between symbols that belong to one temperature


def draw(inputs: Mapping[str, Path]) -> tuple[Any, Any]:
    from matplotlib.lines import Line2D

    data = _data(read_table(inputs["liquids"], LIQUIDS), read_table(inputs["validation"], VALIDATION))
    if (data["method"] == "experiment").all():
        raise NothingToDraw("There is no response function.")
    shown = [name for name in QUANTITIES if (data[data["method"] != "experiment"]["quantity"] == name).any()]
    n_rows = (len(shown) + 1) // 2
    figure, axes = panels(n_rows, 2, width=6.2, height=0.6 + 2.0 * n_rows)
    for axis in axes.flat[len(shown) :]:
        axis.remove()
    series = [tuple(key) for key in data[["system", "force_field", "pressure_bar"]].drop_duplicates().to_numpy()]
    for axis, quantity in zip(axes.flat, shown, strict=False):
        factor = QUANTITIES[quantity][0]
        for number, (system, force_field, pressure) in enumerate(series):
            rows = data[
                (data["quantity"] == quantity)
                & (data["system"] == system)
                & (data["force_field"] == force_field)
                & (data["pressure_bar"] == pressure)
            ]
            style = {"color": COLOURS[number % len(COLOURS)], "marker": MARKERS[number % len(MARKERS)], "ls": ""}
            name = f"{pretty_name(system)} ({model_name(force_field)})"
            name += f", {pressure:g} bar" if data["pressure_bar"].nunique() > 1 else ""
            for place, method in enumerate(_METHODS):
                part = rows[rows["method"] == method]
                shift_K = _SPACING_K * (2 * number + place - len(series) + 0.5)
                sure = part["standard_error"].notna()
                axis.errorbar(
                    part["temperature_K"][sure] + shift_K,
                    factor * part["value"][sure],
                    factor * part["standard_error"][sure],
                    mfc="white" if method == "grid" else style["color"],
                    label=name if method == "fluctuations" else None,
                    **style,
                )
                axis.plot(part["temperature_K"][~sure] + shift_K, factor * part["value"][~sure], **style, alpha=0.3)
            known = rows[(rows["method"] == "experiment")]
            axis.plot(
                known["temperature_K"],
                factor * known["value"],
                color=style["color"],
                marker="_" if len(known) == 1 else "",
            )
        axis.set_ylabel(label(quantity).replace(" (", "\n("))
        axis.set_xlabel("temperature (K)")
        axis.set_xlim(*padded_limits(data["temperature_K"], 0.15))
    handles: dict[str, Any] = {}
    for axis in axes.flat[: len(shown)]:
        handles |= dict(zip(*reversed(axis.get_legend_handles_labels()), strict=True))
    kinds = {
        "from fluctuations": Line2D([], [], color="0.4", marker="o", ls=""),
        "from the grid of state points": Line2D([], [], color="0.4", marker="o", mfc="white", ls=""),
        "experiment, in the colour of its liquid": Line2D([], [], color="0.4"),
    }
    if not (data["method"] == "grid").any():
        del kinds["from the grid of state points"]
    figure.legend(handles.values(), handles.keys(), loc="outside upper left", ncols=3, columnspacing=1.2)
    figure.legend(kinds.values(), kinds.keys(), loc="outside lower left", ncols=3, columnspacing=1.2)
    return figure, data


def _data(liquids: Any, validation: Any) -> Any:
    """Return one row per state point, quantity and method: fluctuations, grid and experiment."""
    import pandas

    rows = []
    for key, runs in liquids.groupby(_STATE):
        state = dict(zip(_STATE, key, strict=True))
        for quantity, (_, from_grid) in QUANTITIES.items():
            for method, column in (("fluctuations", quantity), ("grid", from_grid)):
                if column is not None:
                    columns = (runs[column + suffix] for suffix in ("", "_standard_error", "_n_independent"))
                    found = over_replicas(*columns)
                    if found is not None:
                        error = found.standard_error
                        rows.append({**state, "quantity": quantity, "method": method, "value": found.value,
                                     "standard_error": error})  # fmt: skip
    known = validation[(validation["stage"] == "dynamics") & validation["quantity"].isin(QUANTITIES)]
    for row in known[known["reference_kind"] == "experiment"].itertuples():
        rows.append({"system": row.system, "force_field": row.model, "temperature_K": row.temperature_K,
                     "pressure_bar": row.pressure_bar, "quantity": row.quantity, "method": "experiment",
                     "value": row.reference_value, "standard_error": row.reference_error})  # fmt: skip
    names = [*_STATE, "quantity", "method", "value", "standard_error"]
    return pandas.DataFrame(rows, columns=names).sort_values(names[:6], ignore_index=True)


FIGURE = Figure(
    title="Response functions of the liquids",
    category="Liquids and electrolytes",
    caption=(
        "Thermal expansion, isothermal compressibility, residual heat capacity (liquid less ideal gas) and static "
        "dielectric constant from fluctuations (filled symbols), and from differences between neighbouring state "
        "points where there are any (open symbols). Symbols of one temperature stand side by side. Lines: experiment, "
        "from reference equations of state and the CRC handbook. Error bars: standard errors over blocks of "
        "decorrelated samples; pale symbols: the run is too short to give one."
    ),
    inputs={"liquids": "features/liquids.parquet", "validation": "tables/validation.parquet"},
    needs=("liquids",),
    draw=draw,
    order=25,
)
