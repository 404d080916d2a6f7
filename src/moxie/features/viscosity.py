"""Shear viscosity from the fluctuations of the stress (Green and Kubo), by its spectrum at zero frequency."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from moxie.constants import GAS_CONSTANT_KJ_MOL_K
from moxie.errors import InputError
from moxie.features.zero_frequency import at_zero_frequency
from moxie.timeseries import Mean

BAR_PER_KJ_MOL_NM3 = 16.6053906717
_MPA_S_PER_BAR_PS = 1e-4  # 1e5 Pa x 1e-12 s x 1e3
LONGEST_INTERVAL_PS = 0.05  # vibrations and rattling cages between two samples count as slow stress
_CURVE_POINTS = 200
_CURVE_TIMES = 1.0  # length of the running integral, in periods of the highest frequency used
_SHORTEST_IN_CURVE = 5  # lengths of the running integral in a leg
_CONTRADICTION = 2.0  # standard errors


@dataclass(frozen=True)
class Viscosity:
    """A shear viscosity, mPa s, and the running Green-Kubo integral, whose limit it is."""

    value: Mean
    correlation_time_ps: float  # integral of the normalised correlation function
    times_ps: np.ndarray
    running_mPa_s: np.ndarray
    running_standard_error_mPa_s: np.ndarray
    disagreement: str  # of spectrum and running integral, in words; empty if there is none


def shear_viscosity(
    legs: Sequence[np.ndarray],
    interval_ps: float,
    volumes_nm3: Sequence[float],
    temperature_K: float,
    runs: Sequence[int] | None = None,
) -> Viscosity:
    """Return the shear viscosity V / kT int_0^inf <P(0) P(t)> dt from independent stress components.

    Each leg is an array (n_samples, 5) of pressures in bar. The integral is the spectrum's value at zero frequency,
    with value and error as in `at_zero_frequency`, to which `runs` belongs: no plateau is chosen by hand. Where the
    running integral, at half its length, differs from it by more than two standard errors, `disagreement` says so and
    the error contains the difference. Raises InputError when the series are too short, or sampled too seldom.
    """
    if interval_ps > LONGEST_INTERVAL_PS * (1 + 1e-9):
        raise InputError(
            f"The stress was sampled every {1000 * interval_ps:.0f} fs, and a viscosity needs at least every"
            f" {1000 * LONGEST_INTERVAL_PS:.0f} fs: use a shorter transport.stress_interval_fs."
        )
    thermal = GAS_CONSTANT_KJ_MOL_K * temperature_K * BAR_PER_KJ_MOL_NM3
    factors = [volume / thermal * _MPA_S_PER_BAR_PS for volume in volumes_nm3]
    scaled = [math.sqrt(factor) * leg.T for factor, leg in zip(factors, legs, strict=True)]
    try:
        limit = at_zero_frequency(scaled, interval_ps, runs)
    except InputError as problem:
        raise InputError(
            f"The stress series ({len(legs)} legs of {interval_ps * len(legs[0]):.0f} ps) are too short for a viscosity"
            f" ({problem}). Use a longer transport.length_ps or more legs."
        ) from None
    components = np.concatenate(scaled)
    longest_ps = min(_CURVE_TIMES / limit.cut_off_per_ps, interval_ps * components.shape[1] / _SHORTEST_IN_CURVE)
    times_ps, running, running_error = _running_integral(components, interval_ps, longest_ps)
    value, disagreement = _compared(limit.value, times_ps, running, running_error)
    return Viscosity(value, value.value / float((components**2).mean()), times_ps, running, running_error, disagreement)


def _compared(
    limit: Mean, times_ps: np.ndarray, running: np.ndarray, running_error: np.ndarray
) -> tuple[Mean, str]:  # fmt: skip
    """Return the limit, its error widened if the running integral contradicts it, and a remark if it does."""
    middle = len(running) // 2
    difference = float(running[middle]) - limit.value
    if abs(difference) <= _CONTRADICTION * math.hypot(float(running_error[middle]), limit.standard_error):
        return limit, ""
    remark = (
        f"The running integral of the stress is {running[middle]:.3g}({running_error[middle]:.1g}) mPa s at"
        f" {times_ps[middle]:.2g} ps, and its spectrum at zero frequency {limit.value:.3g}({limit.standard_error:.1g})"
        " mPa s; the viscosity's error contains the difference. Use a longer transport.length_ps."
    )
    return Mean(limit.value, math.hypot(limit.standard_error, difference), limit.n_independent), remark


def _running_integral(
    sequences: np.ndarray, interval_ps: float, length_ps: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return times, the mean running integral over sequences (k, n) and its standard error, thinned for a figure."""
    n = sequences.shape[1]
    lags = max(2, min(round(length_ps / interval_ps), n // 2))
    spectrum = np.abs(np.fft.rfft(sequences, 2 * n, axis=1)) ** 2
    correlation = np.fft.irfft(spectrum, 2 * n, axis=1)[:, :lags] / np.arange(n, n - lags, -1)
    steps = interval_ps * (correlation[:, 1:] + correlation[:, :-1]) / 2
    integral = np.concatenate([np.zeros((len(sequences), 1)), np.cumsum(steps, axis=1)], axis=1)
    kept = np.unique(np.linspace(0, lags - 1, _CURVE_POINTS).astype(int))
    error = integral.std(axis=0, ddof=1) / math.sqrt(len(sequences))
    return interval_ps * kept, integral.mean(axis=0)[kept], error[kept]
