"""Films that came to their temperature from both sides: where they meet, and the interval where they do not."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from moxie.approaches import SIDES
from moxie.features.schemas import OXIDE_APPROACHES
from moxie.features.tables import read_table
from moxie.figures.parts import COLOURS, MARKERS, drawable_error, label, of_first_orientation, panels
from moxie.figures.registry import Figure

_QUANTITIES = ("suboxide_total_monolayers", "suboxide_fraction_1", "suboxide_fraction_2", "suboxide_fraction_3")


def draw(inputs: Mapping[str, Path]) -> tuple[Any, Any]:
    import pandas

    table, face = of_first_orientation(read_table(inputs["oxide_approaches"], OXIDE_APPROACHES))
    figure, axes = panels(2, 2, width=6.8, height=4.6, sharex=True)
    shown = []
    for axis, quantity in zip(axes.ravel(), _QUANTITIES, strict=True):
        rows = table[table["quantity"] == quantity].sort_values("temperature_K")
        axis.vlines(rows["temperature_K"], rows["lowest"], rows["highest"], color="0.85", lw=6, zorder=0)
        for number, side in enumerate(SIDES):
            axis.errorbar(
                rows["temperature_K"],
                rows[side],
                drawable_error(rows[f"{side}_standard_error"]),
                color=COLOURS[number],
                marker=MARKERS[number],
                ms=4,
                lw=1.0,
                ls="",
                label=f"{side} side",
            )
        agree = rows[rows["verdict"] == "agree"]
        axis.plot(agree["temperature_K"], agree["value"], ls="", marker="_", ms=14, color="0.15", label="sides agree")
        axis.set_ylabel(label(quantity))
        axis.set_ylim(0, None)
        shown.append(rows)
    for axis in axes[1]:
        axis.set_xlabel("temperature (K)")
    axes[0, 0].margins(x=0.1)
    figure.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside upper center", ncols=3)
    axes[0, 0].set_title(f"Si({face})")
    return figure, pandas.concat(shown, ignore_index=True)


FIGURE = Figure(
    title="Films from two sides",
    category="Oxidised silicon",
    caption=(
        "Final films that came to their temperature from the hot, disordered side and from the ordered one (grown and "
        "cooled with threefold suboxide penalties), after sampling at that temperature with the true penalties. "
        "Symbols: mean over the films of a side with its standard error, drawn from two films on. Grey: the interval "
        "between the sides, in which the model's equilibrium lies if they began on either side of it. Black line: the "
        "sides agree within the 95 % interval of their gap."
    ),
    inputs={"oxide_approaches": "features/oxide_approaches.parquet"},
    needs=("approaches",),
    draw=draw,
    order=31,
)
