"""Simulated Si 2p photoemission of the final films."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from moxie.features.photoemission import CORE_LEVEL_SHIFTS_EV, ESCAPE_DEPTH_A, FULL_WIDTHS_EV, lines
from moxie.features.replicas import tabulate_over_films
from moxie.features.schemas import OXIDE_RUNS
from moxie.features.tables import read_table
from moxie.figures.parts import drawable_error, of_first_orientation, panels, temperature_colours
from moxie.figures.registry import Figure

_STATES = range(len(CORE_LEVEL_SHIFTS_EV))
_NAMES = [f"Si$^{{{state}+}}$" if state else "Si$^0$" for state in _STATES]
_PLACES = np.arange(len(_NAMES))[::-1]  # Si4+ on the left, as in the spectra
_ENERGIES_EV = np.arange(-1.5, 6.0001, 0.02)
_GROUP = 0.8  # width of the bars of one oxidation state, whose distance is 1


def draw(inputs: Mapping[str, Path]) -> tuple[Any, Any]:
    import pandas

    runs = read_table(inputs["oxide_runs"], OXIDE_RUNS)
    runs, _ = of_first_orientation(runs[runs["is_final"]])
    colours = temperature_colours(runs["temperature_K"])
    figure, axes = panels(2, 1, width=4.4, height=4.6, height_ratios=(1.5, 1))
    upper, lower = axes[:, 0]
    shares = pandas.concat(
        [
            tabulate_over_films(runs, ["temperature_K"], f"si{state}_photoemission_share").assign(
                state=state, energy_eV=CORE_LEVEL_SHIFTS_EV[state]
            )
            for state in _STATES
        ]
    )
    spectra = {}
    for temperature, rows in shares.groupby("temperature_K"):
        spectra[temperature] = lines(rows.sort_values("state")["mean"].to_numpy(), _ENERGIES_EV)
    highest = max(parts.sum(axis=0).max() for parts in spectra.values())
    shown = [shares]
    for number, (temperature, parts) in enumerate(spectra.items()):
        base = 0.45 * number * highest
        for part in parts[1:4]:
            upper.plot(_ENERGIES_EV, base + part, color=colours[temperature], lw=0.6, ls=":")
        upper.plot(_ENERGIES_EV, base + parts.sum(axis=0), color=colours[temperature])
        upper.annotate(
            f"{temperature:g} K",
            (_ENERGIES_EV[-1], base),
            xytext=(2, 3),
            textcoords="offset points",
            fontsize=7,
            color=colours[temperature],
        )
        rows = shares[shares["temperature_K"] == temperature]
        lower.bar(
            _PLACES[rows["state"]] + _GROUP * ((number + 0.5) / len(spectra) - 0.5),
            rows["mean"],
            width=_GROUP / len(spectra),
            yerr=drawable_error(rows["standard_error"]),
            color=colours[temperature],
            error_kw={"elinewidth": 0.6, "capsize": 0},
            label=f"{temperature:g} K",
        )
        curve = {f"si{state}_line_per_eV": part for state, part in zip(_STATES, parts, strict=True)}
        shown.append(
            pandas.DataFrame(
                {
                    "temperature_K": temperature,
                    "quantity": "spectrum",
                    "energy_eV": _ENERGIES_EV,
                    "spectrum_per_eV": parts.sum(axis=0),
                    **curve,
                }
            )
        )
    for state in _STATES:
        upper.annotate(
            _NAMES[state],
            (CORE_LEVEL_SHIFTS_EV[state], 1.0),
            xycoords=upper.get_xaxis_transform(),
            ha="center",
            va="bottom",
            fontsize=7,
        )
        upper.axvline(CORE_LEVEL_SHIFTS_EV[state], color="0.9", lw=0.7, zorder=0)
    upper.set_ylabel("intensity (eV$^{-1}$, shifted)")
    upper.set_ylim(0, None)
    lower.set_ylabel("share of the signal")
    lower.set_ylim(0, None)
    lower.set_xlabel("oxidation state")
    lower.set_xticks(_PLACES, _NAMES)
    lower.legend(ncols=2, columnspacing=1.0, handlelength=1.0)
    upper.set_xlabel("Si 2p$_{3/2}$ binding energy relative to Si$^0$ (eV)")
    upper.set_xlim(_ENERGIES_EV[-1], _ENERGIES_EV[0])
    return figure, pandas.concat(shown, ignore_index=True)


FIGURE = Figure(
    title="Simulated Si 2p photoemission",
    category="Oxidised silicon",
    caption=(
        "Si 2p photoemission of the final films, mean over films. Below: share of each oxidation state in the "
        f"signal, weakened by exp(−depth / {ESCAPE_DEPTH_A:g} Å), by temperature; standard errors from two films "
        "on. Above: the same "
        f"shares at their core-level shifts ({', '.join(map(str, CORE_LEVEL_SHIFTS_EV[1:]))} eV for 1+ to 4+; "
        "literature, unchecked), broadened by normal distributions of "
        f"{FULL_WIDTHS_EV[0]:g} eV (Si⁰) to {FULL_WIDTHS_EV[-1]:g} eV (Si⁴⁺) full width at half maximum and shifted "
        "upwards by temperature; dotted: Si¹⁺ to Si³⁺. Binding energies of one state are spread further than that in "
        "SiOₓ, so the shape between the peaks is no prediction. The oxide's thickness differs between temperatures."
    ),
    inputs={"oxide_runs": "features/oxide_runs.parquet"},
    needs=("oxides",),
    draw=draw,
    order=35,
)
