"""How much of a film depends on how long it was annealed: small films with more and more Monte Carlo per oxygen.

Growth, hot moves and anneals are stretched alike, in the ratio of the defaults. The calibration at the beginning of
each anneal follows as many moves as ever; its moves belong to the chain too.
"""

import time
from typing import Any

import numpy as np

from benchmarks.rows import row

MOVES_PER_OXYGEN = (75, 150, 300, 600)  # of the growth, 150 by default
SEEDS = (1, 2)
TEMPERATURE_K = 1273.0
THICKNESS_A = 10.0
OBSERVABLES = {
    "film_density_g_cm3": "g/cm3",
    "si_o_si_angle_deg": "degree",
    "lateral_stress_GPa": "GPa",
    "suboxide_fraction_1": "1",
    "suboxide_fraction_2": "1",
    "suboxide_fraction_3": "1",
    "suboxide_total_monolayers": "1",
    "strain_energy_eV_per_atom": "eV",
}
Rows = list[dict[str, Any]]


def measure(quick: bool) -> Rows:
    """Grow films at 1273 K with each number of moves and two seeds, and return what they look like."""
    from moxie.features.oxides import SILICA_O_PER_A3
    from moxie.oxidation.films.growth import Growth, calibrate_rejection
    from moxie.oxidation.parameter_sets import load_parameters
    from moxie.structures.silicon import silicon_slab

    parameters = load_parameters("von_alfthan_2003")
    slab = silicon_slab((3, 3, 4) if quick else (4, 4, 5), parameters.lattice_constant_A)
    n_oxygen = round(SILICA_O_PER_A3 * slab.area_A2 * THICKNESS_A)
    calibration, _, _ = calibrate_rejection(slab, parameters, Growth(), 1)
    rows: Rows = []
    for moves in MOVES_PER_OXYGEN[:3] if quick else MOVES_PER_OXYGEN:
        films = [grow(slab, parameters, n_oxygen, moves, seed, calibration.rejection) for seed in SEEDS]
        where = f"{moves} moves per O, {n_oxygen} O, {THICKNESS_A:g} A of oxide, {TEMPERATURE_K:g} K"
        for name, unit in (OBSERVABLES | {"cpu_s": "s"}).items():
            values = [film[name] for film in films]
            if not np.isfinite(values).all():  # a film too thin to have an interior has no density
                continue
            error = np.std(values, ddof=1) / np.sqrt(len(values))
            rows.append(
                row(name, "oxide film", len(slab.species), values, unit, f"{where}, standard error {error:.2g}")
            )
    return rows


def grow(slab: Any, parameters: Any, n_oxygen: int, moves: int, seed: int, rejection: Any) -> dict[str, float]:
    """Return the observables of the final film and the CPU time of its growth."""
    from moxie.features.oxides import analyse_film
    from moxie.oxidation.films.growth import Anneal, FilmSettings, Growth, grow_oxide

    growth, anneal = Growth(), Anneal()
    stretch = moves / growth.moves_per_oxygen
    settings = FilmSettings(
        n_oxygen,
        Growth(moves_per_oxygen=moves, hot_moves_per_oxygen=round(stretch * growth.hot_moves_per_oxygen)),
        Anneal(
            moves_per_oxygen=round(stretch * anneal.moves_per_oxygen),
            final_moves_per_oxygen=round(stretch * anneal.final_moves_per_oxygen),
        ),
    )
    began = time.process_time()
    film = grow_oxide(slab, parameters, settings, TEMPERATURE_K, seed, rejection=rejection).stages[-1]
    took = time.process_time() - began
    facts = {"recipe_thickness_nm": 1.0, "target_thickness_nm": 1.0, "thickness_scale": 1.0}
    runs, _, _ = analyse_film([film], TEMPERATURE_K, 0, parameters.name, **facts)
    return {name: float(runs[name].iloc[0]) for name in OBSERVABLES} | {"cpu_s": took}
