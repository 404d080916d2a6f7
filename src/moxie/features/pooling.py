"""Response functions of a state point from the moments of all its replicas about their common mean.

A run shorter than a few hundred memories varies too little about its own mean, and more such runs do not help until
their moments are pooled. The error is the jackknife's over replicas, which needs no memory at all.
"""

import math
from typing import Any

import numpy as np

from moxie.thermodynamics import FEWEST_DIPOLES, Moments
from moxie.timeseries import Mean

FEWEST_REPLICAS = 3
# column of the table `liquids` -> field of `Moments`
MOMENTS = {
    "volume_nm3": "volume",
    "volume_variance_nm6": "volume_variance",
    "box_enthalpy_kJ_mol": "enthalpy",
    "box_enthalpy_variance_kJ2_mol2": "enthalpy_variance",
    "volume_enthalpy_covariance": "covariance",
}
RESPONSES = ("isothermal_compressibility_per_GPa", "thermal_expansion_per_K")
HEAT_CAPACITIES = ("heat_capacity_J_mol_K", "residual_heat_capacity_J_mol_K")
POOLED = (*RESPONSES, *HEAT_CAPACITIES, "dielectric_constant")


def pooled(runs: Any, quantity: str) -> Mean | None:
    """Return a response function of one state point, from rows of the table `liquids`; None for fewer than three runs.

    The mean dipole moment is zero in every run, so dielectric constants are averaged as they are; they have no error
    until 20 dipole moments of all runs together are independent. `n_independent` is the number of runs. What the
    isolated molecule adds to a residual heat capacity is averaged over the runs.
    """
    if quantity == "dielectric_constant":
        return _dielectric_constant(runs)
    rows = runs.dropna(subset=[*MOMENTS, quantity])
    if quantity not in POOLED or len(rows) < FEWEST_REPLICAS:
        return None
    moments = [Moments(*values) for values in rows[list(MOMENTS)].to_numpy(dtype=float)]
    temperature_K, count = float(rows["temperature_K"].iloc[0]), int(rows["n_molecules"].iloc[0])

    def estimate(of: list[Moments]) -> float:
        together = Moments.pooled(of)
        if quantity in RESPONSES:
            return float(getattr(together, quantity)(temperature_K))
        return together.configurational_heat_capacity_J_mol_K(temperature_K, count)

    n = len(moments)
    left_out = np.array([estimate(moments[:k] + moments[k + 1 :]) for k in range(n)])
    value = n * estimate(moments) - (n - 1) * float(left_out.mean())
    error = math.sqrt((n - 1) / n * float(((left_out - left_out.mean()) ** 2).sum()))
    if quantity in HEAT_CAPACITIES:
        value += float((rows[quantity] - rows["configurational_heat_capacity_J_mol_K"]).mean())
    return Mean(value, error, float(n))


def _dielectric_constant(runs: Any) -> Mean | None:
    rows = runs.dropna(subset=["dielectric_constant", "dielectric_constant_n_independent"])
    if len(rows) < FEWEST_REPLICAS:
        return None
    values = rows["dielectric_constant"].to_numpy(dtype=float)
    known = float(rows["dielectric_constant_n_independent"].sum()) >= FEWEST_DIPOLES
    error = float(values.std(ddof=1)) / math.sqrt(len(values)) if known else math.nan
    return Mean(float(values.mean()), error, float(len(values)))
