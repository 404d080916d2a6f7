"""Enthalpy of vaporisation of the liquids against temperature."""

from functools import partial

from moxie.figures.gallery._property import draw_property
from moxie.figures.registry import Figure

FIGURE = Figure(
    title="Enthalpy of vaporisation",
    category="Liquids and electrolytes",
    caption=(
        "Molar enthalpy of vaporisation into the ideal gas, from the potential energies of the liquid and of an "
        "isolated molecule (symbols), and experiment (line: ideal-gas minus liquid enthalpy of the reference equation "
        "of state; at saturation the tabulated value is lower because the vapour is not ideal). Lower row: deviation "
        "from experiment. Error bars: standard error from decorrelated samples."
    ),
    inputs={"validation": "tables/validation.parquet"},
    needs=("liquids",),
    draw=partial(draw_property, quantity="enthalpy_of_vaporisation_kJ_mol"),
    order=20,
)
