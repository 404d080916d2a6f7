"""Density of the liquids against temperature."""

from functools import partial

from moxie.figures.gallery._property import draw_property
from moxie.figures.registry import Figure

FIGURE = Figure(
    title="Density of the liquids",
    category="Liquids and electrolytes",
    caption=(
        "Mass density against temperature from constant-pressure molecular dynamics (symbols) and experiment (line: "
        "reference equation of state through CoolProp, at the simulated temperatures). Lower row: deviation from "
        "experiment. Error bars: standard error from decorrelated samples, often smaller than the symbols."
    ),
    inputs={"validation": "tables/validation.parquet"},
    needs=("liquids",),
    draw=partial(draw_property, quantity="density_g_cm3"),
    order=10,
)
