"""What time step, size of the box and cut-off do to a liquid."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from moxie.features.recommended_settings import members_of, plain_rows
from moxie.features.schemas import SETTINGS_STUDY
from moxie.features.tables import read_table
from moxie.figures.parts import COLOURS, MARKERS, drawable_error, padded_limits, panels
from moxie.figures.registry import Figure
from moxie.io import read_json

_SIZES = {"molecules": ("n_molecules", "molecules"), "cutoff": ("cutoff_nm", "cut-off (nm)")}
_DENSITY = "density (g cm$^{-3}$)"


def draw(inputs: Mapping[str, Path]) -> tuple[Any, Any]:
    import pandas

    table = read_table(inputs["table"], SETTINGS_STUDY)
    found = read_json(inputs["recommended"])
    rows = [row for row in plain_rows(table) if not row["failure"]]
    series = {name: pandas.DataFrame(members_of(name, rows, found["base"])) for name in ("timestep", *_SIZES)}
    sizes = [name for name in _SIZES if len(series[name]) > 1]
    figure, axes = panels(2 if sizes else 1, 4, width=9.6, height=4.4 if sizes else 2.4)
    chosen = {name: found["series"].get(name, {}).get("recommended") for name in series}
    _timesteps(axes[0], series["timestep"], chosen["timestep"], found)
    for axis, name in zip(axes[1] if sizes else [], sizes, strict=False):
        column, text = _SIZES[name]
        _line(axis, series[name], column, "density_g_cm3", 0)
        _ring(axis, chosen[name], column, "density_g_cm3")
        _band(axis, series[name], "density_g_cm3", found["bounds"]["difference_percent"])
        axis.set(xlabel=text, ylabel=_DENSITY, xlim=padded_limits(series[name][column]))
    for axis in axes[1][len(sizes) :] if sizes else []:
        axis.set_visible(False)
    return figure, table


def _timesteps(axes: Any, rows: Any, chosen: Mapping[str, Any] | None, found: Mapping[str, Any]) -> None:
    density, temperature, drift, rate = axes
    masses = rows["hydrogen_mass_amu"].astype(float).fillna(0.0)
    percent = found["bounds"]["difference_percent"]
    for number, (mass, line) in enumerate(rows.groupby(masses)):
        name = f"hydrogen {mass:g} amu" if mass else "true masses"
        _line(density, line, "timestep_fs", "density_g_cm3", number, name)
        _line(temperature, line, "timestep_fs", "kinetic_temperature_K", number, f"kinetic, {name}")
        of_places = f"configurational, {name}"
        _line(temperature, line, "timestep_fs", "configurational_temperature_K", number, of_places, is_open=True)
        _line(drift, line, "timestep_fs", "energy_drift_kJ_mol_ns", number)
        rate.plot(line["timestep_fs"], line["ns_per_day"], color=COLOURS[number], marker=MARKERS[number])
    _ring(density, chosen, "timestep_fs", "density_g_cm3")
    _band(density, rows, "density_g_cm3", percent)
    _band(temperature, rows, "kinetic_temperature_K", percent)
    bound = found["bounds"]["drift_kJ_mol_ns"]
    drift.axhspan(-bound, bound, color="0.9", zorder=0)
    labels = (_DENSITY, "temperature (K)", "energy drift (kJ mol$^{-1}$ ns$^{-1}$)", "ns/day")
    for axis, label in zip(axes, labels, strict=True):
        axis.set(xlabel="time step (fs)", ylabel=label, xlim=padded_limits(rows["timestep_fs"]))
    density.legend(loc="best")
    temperature.legend(loc="best", fontsize="x-small")
    rate.set_ylim(0, None)


def _line(
    axis: Any, rows: Any, x: str, quantity: str, number: int, name: str | None = None, is_open: bool = False
) -> None:
    error = drawable_error(rows[f"{quantity}_standard_error"])
    style = {"color": COLOURS[number % len(COLOURS)], "marker": MARKERS[number % len(MARKERS)], "lw": 0.8}
    style |= {"mfc": "white", "ls": ":"} if is_open else {}
    axis.errorbar(rows[x], rows[quantity], error, label=name, **style)


def _ring(axis: Any, row: Mapping[str, Any] | None, x: str, y: str) -> None:
    """Ring the recommended point."""
    if row is not None:
        axis.plot(row[x], row[y], ls="", marker="o", ms=11, mfc="none", mec="black", label="recommended")


def _band(axis: Any, rows: Any, quantity: str, percent: float) -> None:
    """Shade what is within the permitted difference of the safest point."""
    reference = rows[quantity].iloc[0]
    margin = percent / 100 * reference
    axis.axhspan(reference - margin, reference + margin, color="0.9", zorder=0)


FIGURE = Figure(
    title="Settings of the simulation",
    category="Liquids and electrolytes",
    caption=(
        "What the time step (with and without heavier hydrogens), the number of molecules and the cut-off do to "
        "density, temperature, drift of the energy without a thermostat (per degree of freedom), and speed. Grey: "
        "within the permitted difference of the safest point of the series, and the permitted drift. Ring: "
        "recommended, the cheapest setting that also lies within two standard errors. Error bars: standard errors. "
        "Points that blew up are left out."
    ),
    inputs={"table": "features/settings_study.parquet", "recommended": "features/recommended_settings.json"},
    needs=("settings_study",),
    draw=draw,
    order=60,
)
