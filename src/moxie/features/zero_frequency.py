"""Spectra at zero frequency: integrals of autocorrelation functions (Green-Kubo), with errors that know of replicas."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from moxie.errors import InputError
from moxie.timeseries import Mean

_FEWEST_FOR_SCATTER = 3


@dataclass(frozen=True)
class ZeroFrequency:
    """The limit of a spectrum, in squares of the series' unit times ps, and the cut-off of the fit in 1/ps."""

    value: Mean
    cut_off_per_ps: float


def at_zero_frequency(
    legs: Sequence[np.ndarray],
    interval_ps: float,
    degrees: Sequence[int],
    runs: Sequence[int] | None = None,
    can_vanish: bool = False,
) -> ZeroFrequency:
    """Return int_0^inf <x(0) x(t)> dt of independent series of the same process, an array (k, n) for each leg.

    The exponential of a polynomial with these powers of the frequency is fitted below a cut-off frequency, over which
    STACIE averages, with its standard error (Toraman, Fauconnier and Verstraelen, J. Chem. Inf. Model. 65, 10445
    (2025)). `runs` numbers the run that each leg starts from (default: each from its own). The error is the largest of
    * that of the fit, for which all legs are samples of one process; its number of independent samples is that of the
      squares of normal numbers whose mean would be as certain;
    * the scatter of the legs, and that of the runs, three or more of them: of their power below the cut-off relative to
      the fitted one. It knows that a replica may differ from the others for longer than a leg.
    An exponential cannot become zero. With `can_vanish` the difference from a fit of the polynomial itself, which
    can, comes on top. Raises InputError, with what STACIE says, when the series are too short for a fit.
    """
    from stacie.estimate import estimate_acint
    from stacie.model import ExpPolyModel
    from stacie.spectrum import compute_spectrum

    length = min(leg.shape[1] for leg in legs)
    series = [np.ascontiguousarray(leg[:, :length]) for leg in legs]
    try:
        result = estimate_acint(compute_spectrum(series, timestep=interval_ps), ExpPolyModel(list(degrees)))
        value, error, cut_off = float(result.acint), float(result.acint_std), float(result.fcut)
    except (ValueError, KeyError, ArithmeticError) as problem:
        raise InputError(" ".join(str(problem).split())[:120].rstrip(".")) from None
    best = max(result.history, key=lambda fit: fit["fcut_weight"])
    count = int((result.spectrum.freqs <= best["fcut"]).sum())
    model = result.model.compute(result.spectrum.freqs[:count], best["pars"], deriv=0)[0]
    spectra = np.array([compute_spectrum(leg, timestep=interval_ps).amplitudes[:count] for leg in series])
    levels = (spectra / model).mean(axis=1)
    candidates = [(error, 2 * (value / error) ** 2), *_scatters(value * levels, runs or range(len(legs)))]
    error, independent = max(candidates)
    if can_vanish:
        polynomial = _limit_of_polynomial(result.spectrum, count, model, degrees)
        error = math.hypot(error, value - max(0.0, polynomial))
    return ZeroFrequency(Mean(value, error, independent), cut_off)


def _scatters(values: np.ndarray, runs: Sequence[int]) -> list[tuple[float, float]]:
    """Return the standard errors from legs and from runs, each with their number, where there are three or more."""
    labels = np.asarray(runs)
    of_runs = np.array([values[labels == label].mean() for label in np.unique(labels)])
    groups = [each for each in (values, of_runs) if len(each) >= _FEWEST_FOR_SCATTER]
    return [(float(each.std(ddof=1)) / math.sqrt(len(each)), float(len(each))) for each in groups]


def _limit_of_polynomial(spectrum: Any, count: int, model: np.ndarray, degrees: Sequence[int]) -> float:
    """Return the constant of a polynomial fitted to the first amplitudes, whose errors are those of the model."""
    scale = np.sqrt(spectrum.ndofs[:count]) / model
    frequencies = spectrum.freqs[:count] / spectrum.freqs[count - 1]
    design = np.stack([frequencies**degree for degree in degrees], axis=1) * scale[:, None]
    return float(np.linalg.lstsq(design, spectrum.amplitudes[:count] * scale, rcond=None)[0][0])
