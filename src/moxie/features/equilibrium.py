"""Suboxide and strain of a film at equilibrium as continuous functions of temperature, from a replica exchange.

Averages are those of MBAR (`moxie.reweighting`): samples of all rungs, weighted with the same energy that
the sampling used, so that they hold at every temperature of the ladder, and not on the rungs alone.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from moxie.constants import BOLTZMANN_EV_K
from moxie.errors import InputError
from moxie.features.oxides import CM2_PER_A2
from moxie.reweighting import Reweighting
from moxie.structures.silicon import MONOLAYER_PER_CM2

SUBOXIDES = (1, 2, 3)
QUANTITIES = (
    *(f"si{n}_per_cm2" for n in SUBOXIDES),
    "suboxide_total_per_cm2",
    "suboxide_total_monolayers",
    *(f"suboxide_fraction_{n}" for n in SUBOXIDES),
    "suboxide_energy_eV",
    "strain_energy_eV_per_atom",
)
POINTS = 41  # temperatures of the curve beside the rungs


def analyse_equilibrium(
    samples: Mapping[str, np.ndarray],
    facts: Mapping[str, Any],
    orientation: str,
    film_temperature_K: float,
    equilibration_share: float,
) -> Any:
    """Return the rows of `oxide_equilibrium` of one film as a data frame, one per temperature.

    samples: the columns of `moxie.oxidation.films.equilibrium.sample_film`; facts: those of `film_facts`. Where the
    samples do not carry a value, `status` says why and the value is empty.
    """
    import pandas

    columns = film_series(samples, facts, orientation)
    rungs = np.array(facts["kT_eV"])
    between = np.linspace(rungs[0], rungs[-1], POINTS)[1:-1]
    near = np.isclose(between[:, None], rungs, rtol=1e-6).any(axis=1)
    temperatures = np.sort(np.concatenate([rungs, between[~near]]))
    trips = facts["round_trips"]
    tried = [share for share in facts["swap_acceptance"] if share is not None]
    common = {
        "orientation": orientation,
        "film_temperature_K": film_temperature_K,
        "n_o": facts["n_oxygen"],
        "n_rungs": len(rungs),
        "round_trips": sum(trips),
        "travelling_replicas": sum(count > 0 for count in trips),
        "least_swap_acceptance": min(tried, default=np.nan),
    }
    try:
        reweighting = Reweighting(columns, QUANTITIES, equilibration_share)
    except InputError as error:
        rows = [_empty(str(error), np.nan, np.nan)] * len(temperatures)
    else:
        rows = [_row(reweighting, kT) for kT in temperatures]
    places = [
        {"temperature_K": kT / BOLTZMANN_EV_K, "kT_eV": kT, "is_rung": bool(np.isin(kT, rungs))} for kT in temperatures
    ]
    return pandas.DataFrame([common | place | row for place, row in zip(places, rows, strict=True)])


def film_series(samples: Mapping[str, np.ndarray], facts: Mapping[str, Any], orientation: str) -> dict[str, np.ndarray]:
    """Return the samples' round, rung, replica, kT_eV and energy_eV, and each of `QUANTITIES` beside them."""
    counts = {n: np.asarray(samples[f"si{n}_fraction"]) * facts["n_mobile_silicon"] for n in SUBOXIDES}
    total = sum(counts.values())
    area_cm2 = facts["area_A2"] * CM2_PER_A2
    strain = np.asarray(samples["energy_eV"]) - np.asarray(samples["suboxide_energy_eV"])
    return {
        **{name: np.asarray(samples[name]) for name in ("round", "rung", "replica", "kT_eV", "energy_eV")},
        **{f"si{n}_per_cm2": counts[n] / area_cm2 for n in SUBOXIDES},
        "suboxide_total_per_cm2": total / area_cm2,
        "suboxide_total_monolayers": total / area_cm2 / MONOLAYER_PER_CM2[orientation],
        **{f"suboxide_fraction_{n}": counts[n] / total for n in SUBOXIDES},
        "suboxide_energy_eV": np.asarray(samples["suboxide_energy_eV"]),
        "strain_energy_eV_per_atom": strain / facts["n_mobile"],
    }


def _row(reweighting: Reweighting, kT: float) -> dict[str, Any]:
    rounds, effective = reweighting.samples_per_rung, reweighting.effective_samples(kT)
    row: dict[str, Any] = {"status": "ok", "independent_rounds": rounds, "effective_samples": effective}
    try:
        for name in QUANTITIES:
            curve = reweighting.average(name, kT)
            row |= {name: curve.value[0], f"{name}_standard_error": curve.error[0]}
    except InputError as error:
        return _empty(str(error), rounds, effective)
    return row


def _empty(reason: str, rounds: float, effective: float) -> dict[str, Any]:
    values = {f"{name}{suffix}": np.nan for name in QUANTITIES for suffix in ("", "_standard_error")}
    return {"status": reason, "independent_rounds": rounds, "effective_samples": effective} | values
