"""Viscosity, self-diffusion and, where there are ions, their conductivity against temperature."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from moxie.features.schemas import TRANSPORT, VALIDATION
from moxie.features.tables import read_table
from moxie.figures.parts import (
    COLOURS,
    MARKERS,
    REFERENCE_COLOUR,
    drawable_error,
    padded_limits,
    panels,
    pretty_name,
)
from moxie.figures.registry import Figure

_STATE = ["system", "force_field", "temperature_K", "pressure_bar"]
_CONDUCTIVITIES = {"conductivity_S_m": "simulated", "nernst_einstein_conductivity_S_m": "independent ions"}


def draw(inputs: Mapping[str, Path]) -> tuple[Any, Any]:
    table = read_table(inputs["transport"], TRANSPORT)
    references = read_table(inputs["validation"], VALIDATION)
    systems = list(table["system"].unique())
    n_rows = 3 if table["nernst_einstein_conductivity_S_m"].notna().any() else 2
    size = {"width": max(3.4, 2.6 * len(systems) + 0.6), "height": 2.1 * n_rows}
    figure, axes = panels(n_rows, len(systems), sharex="col", **size)
    for column, system in enumerate(systems):
        upper, lower = axes[:2, column]
        upper.set_title(pretty_name(system))
        rows = table[table["system"] == system]
        known = references[references["system"] == system]
        _viscosity(upper, rows.drop_duplicates(_STATE), known[known["quantity"] == "viscosity_mPa_s"])
        _diffusion(lower, rows, known[known["quantity"].str.startswith("diffusion_")])
        shown = [upper, lower]
        for axis in axes[2:, column]:
            if _conductivity(axis, rows.drop_duplicates(_STATE), known):
                shown.append(axis)
        shown[-1].set_xlabel("temperature (K)")
        shown[-1].tick_params(labelbottom=True)
        lower.set_xlim(*padded_limits(rows["temperature_K"], 0.15))
        for axis in shown:
            axis.set_ylim(0, None)
            axis.legend(loc="best")
    axes[0, 0].set_ylabel("shear viscosity (mPa s)")
    axes[1, 0].set_ylabel("self-diffusion coefficient\n(10$^{-9}$ m$^2$ s$^{-1}$)")
    quantities = ("viscosity_mPa_s", "diffusion_m2_s", "diffusion_corrected_m2_s", *_CONDUCTIVITIES)
    columns = [name for quantity in quantities for name in (quantity, f"{quantity}_standard_error")]
    return figure, table[[*_STATE, "species", *columns]]


def _viscosity(axis: Any, rows: Any, known: Any) -> None:
    error = drawable_error(rows["viscosity_mPa_s_standard_error"])
    style = {"ls": "", "color": COLOURS[0], "marker": MARKERS[0]}
    axis.errorbar(rows["temperature_K"], rows["viscosity_mPa_s"], error, label="simulated", **style)
    _references(axis, known, 1.0)


def _diffusion(axis: Any, rows: Any, known: Any) -> None:
    """Filled symbols for corrected, open ones for uncorrected coefficients."""
    for number, (species, line) in enumerate(rows.groupby("species", sort=False)):
        colour, name = COLOURS[number % len(COLOURS)], pretty_name(str(species))
        style = {"ls": "", "color": colour, "marker": MARKERS[number % len(MARKERS)]}
        for quantity, face, text in (
            ("diffusion_corrected_m2_s", colour, name),
            ("diffusion_m2_s", "white", f"{name}, in the box"),
        ):
            if line[quantity].notna().any():
                error = 1e9 * drawable_error(line[f"{quantity}_standard_error"])
                axis.errorbar(line["temperature_K"], 1e9 * line[quantity], error, mfc=face, label=text, **style)
    _references(axis, known, 1e9)


def _conductivity(axis: Any, rows: Any, known: Any) -> bool:
    """Draw the conductivity of an electrolyte and that of independent ions; hide the panel of another liquid."""
    if rows["nernst_einstein_conductivity_S_m"].isna().all():
        axis.set_visible(False)
        return False
    for number, (quantity, label) in enumerate(_CONDUCTIVITIES.items()):
        face = "white" if number else COLOURS[0]
        style = {"ls": "", "color": COLOURS[0], "marker": MARKERS[number], "mfc": face}
        error = drawable_error(rows[f"{quantity}_standard_error"])
        axis.errorbar(rows["temperature_K"], rows[quantity], error, label=label, **style)
    _references(axis, known[known["quantity"].isin(_CONDUCTIVITIES)], 1.0)
    axis.set_ylabel("conductivity (S m$^{-1}$)")
    return True


def _references(axis: Any, rows: Any, factor: float) -> None:
    """Mark reference values with a bar each, paler where their source is unchecked."""
    style = {"ls": "", "marker": "_", "ms": 14, "mew": 1.6, "color": REFERENCE_COLOUR, "zorder": 3}
    for (kind, checked), some in rows.groupby(["reference_kind", "checked"]):
        sure = checked == "verified"
        label = str(kind) if sure else f"{kind}, unchecked"
        values = factor * some["reference_value"]
        axis.plot(some["temperature_K"], values, alpha=1.0 if sure else 0.45, label=label, **style)


FIGURE = Figure(
    title="Viscosity, self-diffusion and conductivity",
    category="Liquids and electrolytes",
    caption=(
        "Shear viscosity, self-diffusion coefficients and, with ions, conductivity from molecular dynamics at constant "
        "energy. Diffusion, filled symbols: corrected for the finite box with the viscosity of the same model; open "
        "symbols: as found in the box. Only corrected coefficients compare with experiment. Conductivity: of formal "
        "charges, from the collective displacement of all ions (filled) and as if they moved independently (open). "
        "Bars: experiment or published simulation, paler where the value is quoted from memory. Error "
        "bars: standard errors, of diffusion over independent legs, of viscosity and conductivity from the fit of a "
        "spectrum."
    ),
    inputs={"transport": "features/transport.parquet", "validation": "tables/validation.parquet"},
    needs=("transport",),
    draw=draw,
    order=50,
)
