"""Ionic conductivity: from the collective displacement of charge, and that of ions that would not notice each other.

Charges are the formal ones of the ions, whatever the force field has: it is these that an electric field transports,
while scaled charges describe how ions and solvent interact (Blazquez et al., J. Chem. Theory Comput. 19, 5380 (2023)).
"""

import math
from collections.abc import Sequence

import numpy as np

from moxie.constants import BOLTZMANN_J_K, ELEMENTARY_CHARGE_C
from moxie.errors import InputError
from moxie.features.diffusion import M2_S_PER_NM2_PS
from moxie.features.zero_frequency import at_zero_frequency
from moxie.timeseries import Mean

_NO_CURRENT = 1e-9  # e nm/ps: rounding


def ionic_conductivity(
    legs: Sequence[np.ndarray],
    interval_ps: float,
    volume_nm3: float,
    temperature_K: float,
    runs: Sequence[int] | None = None,
) -> Mean:
    """Return the conductivity in S/m from paths of the charge, sum_i z_i r_i in e nm, (n_frames, 3) for each leg.

    lim <|M(t) - M(0)|^2> / (6 t V k T) (Helfand, Phys. Rev. 119, 1 (1960)) as the spectrum at zero frequency of the
    currents between frames, which are exact averages over their intervals; value and error as in `at_zero_frequency`,
    to which `runs` belongs. Ions that move in neutral pairs only do not conduct: the error knows how far the limit is
    from zero only by the slowest cosines. Raises InputError when the paths are too short.
    """
    length = min(len(leg) for leg in legs)
    currents = [np.diff(leg[:length], axis=0).T / interval_ps for leg in legs]
    if all(np.allclose(current, 0.0, atol=_NO_CURRENT) for current in currents):
        return Mean(0.0, 0.0, float(len(legs)))
    try:
        limit = at_zero_frequency(currents, interval_ps, runs, can_vanish=True).value
    except InputError as problem:
        raise InputError(
            f"The paths of the ions ({len(legs)} legs of {interval_ps * (length - 1):.0f} ps) are too short for a"
            f" conductivity ({problem}). Use a longer transport.length_ps or more legs."
        ) from None
    factor = _siemens_per_metre(volume_nm3, temperature_K)
    return Mean(factor * limit.value, factor * limit.standard_error, limit.n_independent)


def nernst_einstein_conductivity(
    species: Sequence[tuple[int, int, Mean]], volume_nm3: float, temperature_K: float
) -> Mean:  # fmt: skip
    """Return e^2 / (V k T) sum_s N_s z_s^2 D_s in S/m, the conductivity of ions that move independently.

    species: number of ions, formal charge and diffusion coefficient (m2/s) of each. Species share the liquid that they
    move in, so their errors are added as if all erred alike, which is the most that they can come to.
    """
    factor = _siemens_per_metre(volume_nm3, temperature_K) / M2_S_PER_NM2_PS
    weights = [factor * count * charge**2 for count, charge, _ in species]
    ions = [(weight, mean) for weight, (_, _, mean) in zip(weights, species, strict=True) if weight]
    return Mean(
        sum(weight * mean.value for weight, mean in ions),
        sum(weight * mean.standard_error for weight, mean in ions),
        min(mean.n_independent for _, mean in ions),
    )


def ionicity(conductivity: Mean, independent: Mean) -> Mean:
    """Return the ratio of a conductivity to that of independent ions; their errors count as independent."""
    value = conductivity.value / independent.value
    error = math.hypot(conductivity.standard_error, value * independent.standard_error) / independent.value
    return Mean(value, error, min(conductivity.n_independent, independent.n_independent))


def _siemens_per_metre(volume_nm3: float, temperature_K: float) -> float:
    """Return S/m for 1 e2 nm2/ps."""
    thermal_J_m3 = volume_nm3 * 1e-27 * BOLTZMANN_J_K * temperature_K
    return ELEMENTARY_CHARGE_C**2 * M2_S_PER_NM2_PS / thermal_J_m3
