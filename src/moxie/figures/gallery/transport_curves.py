"""Mean squared displacements and running Green-Kubo integrals with what was fitted to them."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from moxie.features.schemas import TRANSPORT_CURVES
from moxie.features.tables import read_table
from moxie.figures.parts import COLOURS, REFERENCE_COLOUR, drawable_error, panels, pretty_name, temperature_colours
from moxie.figures.registry import Figure

MSD, VISCOSITY = "mean squared displacement", "running viscosity"
_STYLES = ("-", "--", ":", "-.")
_FIT = {"color": REFERENCE_COLOUR, "lw": 0.9, "ls": (0, (4, 2))}


def draw(inputs: Mapping[str, Path]) -> tuple[Any, Any]:
    curves = read_table(inputs["curves"], TRANSPORT_CURVES)
    systems = [tuple(key) for key in curves[["system", "force_field"]].drop_duplicates().to_numpy()]
    figure, axes = panels(2, len(systems), width=max(3.4, 2.6 * len(systems) + 0.6), height=4.6)
    colours = temperature_colours(curves["temperature_K"])
    for column, (system, force_field) in enumerate(systems):
        rows = curves[(curves["system"] == system) & (curves["force_field"] == force_field)]
        upper, lower = axes[:, column]
        _draw_curves(upper, rows[rows["curve"] == MSD], colours)
        _draw_curves(lower, rows[rows["curve"] == VISCOSITY], colours)
        upper.set(title=pretty_name(system), xscale="log", yscale="log", xlabel="lag (ps)")
        lower.set(xlim=(0, None), ylim=(0, None), xlabel="upper limit of the integral (ps)")
    axes[0, 0].set_ylabel("mean squared\ndisplacement (nm$^2$)")
    axes[1, 0].set_ylabel("running viscosity\n(mPa s)")
    return figure, curves


def _draw_curves(axis: Any, rows: Any, colours: Mapping[float, Any]) -> None:
    """Draw every curve with its band and its fit: colours by temperature, or by species at a single one."""
    species, several = list(dict.fromkeys(rows["species"])), rows["temperature_K"].nunique() > 1
    for (name, temperature, _), curve in rows.groupby(["species", "temperature_K", "pressure_bar"], sort=False):
        number = species.index(name)
        colour = colours[temperature] if several else COLOURS[number % len(COLOURS)]
        texts = [f"{temperature:g} K"] * several + [pretty_name(name)] * (len(species) > 1)
        error = drawable_error(curve["value_standard_error"])
        band = (curve["value"] - error, curve["value"] + error)
        axis.fill_between(curve["time_ps"], *band, color=colour, alpha=0.25, lw=0)
        style = _STYLES[number % len(_STYLES)] if several else "-"
        axis.plot(curve["time_ps"], curve["value"], color=colour, ls=style, label=", ".join(texts) or "simulated")
        axis.plot(curve["time_ps"], curve["fit"], **_FIT)
    axis.plot([], [], label="fit", **_FIT)
    axis.legend(loc="lower right")


FIGURE = Figure(
    title="What diffusion and viscosity are read from",
    category="Liquids and electrolytes",
    caption=(
        "Top: mean squared displacement of molecular centres over all time origins (bands: standard error over legs) "
        "and the fitted line from the lag on at which the motion is a random walk. Bottom: running Green-Kubo integral "
        "of five stress components (bands: standard error over components and legs) and the viscosity, which is the "
        "limit of their spectrum at zero frequency: no plateau is chosen by hand."
    ),
    inputs={"curves": "features/transport_curves.parquet"},
    needs=("transport",),
    draw=draw,
    order=51,
)
