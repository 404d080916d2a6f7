"""Shear viscosity from the fluctuations of the stress (Green and Kubo), by its spectrum at zero frequency."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from moxie.errors import InputError
from moxie.timeseries import Mean

GAS_CONSTANT_KJ_MOL_K = 0.00831446261815324
BAR_PER_KJ_MOL_NM3 = 16.6053906717
_MPA_S_PER_BAR_PS = 1e-4  # 1e5 Pa x 1e-12 s x 1e3
_CURVE_POINTS = 200
_CURVE_TIMES = 3.0  # length of the running integral, in periods of the cut-off frequency


@dataclass(frozen=True)
class Viscosity:
    """A shear viscosity, mPa s, and the running Green-Kubo integral, whose limit it is."""

    value: Mean
    correlation_time_ps: float  # integral of the normalised correlation function
    times_ps: np.ndarray
    running_mPa_s: np.ndarray
    running_standard_error_mPa_s: np.ndarray


def shear_viscosity(
    legs: Sequence[np.ndarray], interval_ps: float, volumes_nm3: Sequence[float], temperature_K: float
) -> Viscosity:
    """Return the shear viscosity V / kT int_0^inf <P(0) P(t)> dt from independent stress components.

    Each leg is an array (n_samples, 5) of pressures in bar. The integral is the spectrum's value at zero frequency: the
    exponential of an even quadratic is fitted below a cut-off frequency, over which STACIE averages, with its
    standard error (Toraman, Fauconnier and Verstraelen, J. Chem. Inf. Model. 65, 10445 (2025)): no plateau is chosen by
    hand. The number of independent samples is that of the squares of normal numbers whose mean would be as certain.
    Raises InputError when the series are too short for a fit.
    """
    from stacie.estimate import estimate_acint
    from stacie.model import ExpPolyModel
    from stacie.spectrum import compute_spectrum

    thermal = GAS_CONSTANT_KJ_MOL_K * temperature_K * BAR_PER_KJ_MOL_NM3
    factors = [volume / thermal * _MPA_S_PER_BAR_PS for volume in volumes_nm3]
    sequences = [np.ascontiguousarray(leg.T) for leg in legs]
    spectrum = compute_spectrum(sequences, prefactors=[np.full(5, factor) for factor in factors], timestep=interval_ps)
    try:
        result = estimate_acint(spectrum, ExpPolyModel([0, 2]))
        value, error, longest_ps = float(result.acint), float(result.acint_std), _CURVE_TIMES / float(result.fcut)
    except (ValueError, KeyError, ArithmeticError) as problem:
        raise InputError(
            f"The stress series ({len(legs)} legs of {interval_ps * len(legs[0]):.0f} ps) are too short for a viscosity"
            f" ({' '.join(str(problem).split())[:120].rstrip('.')}). Use a longer transport.length_ps or more legs."
        ) from None
    scaled = np.concatenate([math.sqrt(factor) * sequence for factor, sequence in zip(factors, sequences, strict=True)])
    mean = Mean(value, error, 2 * (value / error) ** 2)
    return Viscosity(
        mean, value / float(scaled.var(axis=1).mean()), *_running_integral(scaled, interval_ps, longest_ps)
    )


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
