"""Solvation of the cation in the electrolytes."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from moxie.features.schemas import ELECTROLYTES, VALIDATION
from moxie.features.tables import read_table
from moxie.figures.gallery._curves import read_curves
from moxie.figures.parts import COLOURS, REFERENCE_COLOUR, drawable_error, model_name, panels, pretty_name
from moxie.figures.registry import Figure, NothingToDraw

_LONGEST_A = 6.0
_PUBLISHED = {"ls": (0, (4, 2)), "lw": 1.0, "zorder": 0}


def draw(inputs: Mapping[str, Path]) -> tuple[Any, Any]:
    import pandas

    curves = read_curves(inputs["curves"])
    table = read_table(inputs["electrolytes"], ELECTROLYTES)
    salts, anions = table["system"].unique(), {name for names in table["anions"] for name in names.split(" + ")}
    curves = curves[curves["system"].isin(salts) & (curves["r_A"] <= _LONGEST_A)].reset_index(drop=True)
    if curves.empty:
        raise NothingToDraw("The electrolytes have no pairs of ions or of ions and water.")
    validation = read_table(inputs["validation"], VALIDATION)
    states = curves[["system", "force_field", "temperature_K", "pressure_bar"]].drop_duplicates()
    figure, axes = panels(
        2,
        len(states),
        width=max(3.4, 2.4 * len(states) + 0.6),
        height=3.8,
        sharex=True,
        sharey="row",
        height_ratios=(1.6, 1),
    )
    marks = []
    for column, state in enumerate(states.itertuples(index=False)):
        upper, lower = axes[:, column]
        rows = curves.merge(pandas.DataFrame([state]), how="inner")
        references = validation[
            (validation["system"] == state.system)
            & (validation["model"] == state.force_field)
            & (validation["temperature_K"] == state.temperature_K)
        ]
        pairs = sorted(rows["pair"].unique(), key=lambda pair: (not pair.endswith("-Ow"), pair))
        for number, pair in enumerate(pairs):
            curve = rows[rows["pair"] == pair]
            name = pair.replace("Ow", "O(water)").replace("-", "–", 1)
            partner = pair.split("-", 1)[1]
            of_anion = partner.partition("(")[2].rstrip(")") in anions or partner in anions
            prefix = "cation_water" if partner == "Ow" else "cation_anion" if of_anion else "cation_solvent"
            error = drawable_error(curve["g_standard_error"])
            colour = COLOURS[number % len(COLOURS)]
            upper.fill_between(curve["r_A"], curve["g"] - error, curve["g"] + error, color=colour, alpha=0.25, lw=0)
            upper.plot(curve["r_A"], curve["g"], color=colour, label=name)
            lower.plot(curve["r_A"], curve["running_coordination"], color=colour)
            peak = references[references["quantity"] == f"{prefix}_peak_A"]["reference_value"]
            number_of = references[references["quantity"] == f"{prefix}_coordination"]["reference_value"]
            for value in peak:
                upper.axvline(value, color=colour, **_PUBLISHED)
            for value in number_of:
                lower.axhline(value, color=colour, **_PUBLISHED)
            marks += [{"pair": pair, "reference": "peak_A", "reference_value": value} for value in peak]
            marks += [{"pair": pair, "reference": "coordination", "reference_value": value} for value in number_of]
        if len(references):
            upper.plot([], [], color=REFERENCE_COLOUR, label="published peak", **_PUBLISHED)
            lower.plot([], [], color=REFERENCE_COLOUR, label="published number", **_PUBLISHED)
            lower.legend(loc="upper left")
        upper.set_title(f"{pretty_name(state.system)} ({model_name(state.force_field)})")
        upper.legend(loc="upper right")
        lower.set_xlabel("distance r (Å)")
    axes[0, 0].set_ylabel("g(r)")
    axes[0, 0].set_ylim(0, None)
    axes[1, 0].set_ylabel("neighbours\ncloser than r")
    axes[1, 0].set_xlim(1.5, _LONGEST_A)
    axes[1, 0].set_ylim(0, 6)
    shown = curves[curves["r_A"] >= 1.5]
    return figure, pandas.concat([shown, pandas.DataFrame(marks)], ignore_index=True)


FIGURE = Figure(
    title="Solvation shell of the cations",
    category="Liquids and electrolytes",
    caption=(
        "Radial distribution function (top; band: standard error) and running coordination number (bottom) around each "
        "cation: of water's oxygen, and of the atoms by which the anions coordinate. Broken lines: first peak and "
        "coordination number of the published simulations with the same force field and box, in the colour of their "
        "pair (a comparison of codes, not with experiment)."
    ),
    inputs={
        "curves": "features/rdf_curves.parquet",
        "electrolytes": "features/electrolytes.parquet",
        "validation": "tables/validation.parquet",
    },
    needs=("electrolytes",),
    draw=draw,
    order=40,
)
