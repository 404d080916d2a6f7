"""Means of correlated time series: where the stationary part begins, and what the standard error of a mean is."""

import logging
import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from moxie.errors import InputError

FEWEST_INDEPENDENT = 3.0
_FEWEST_SAMPLES = 20
_CANDIDATES = 40


@dataclass(frozen=True)
class Mean:
    """A mean with its standard error; the error is NaN when fewer than three independent samples stand behind it."""

    value: float
    standard_error: float
    n_independent: float

    def as_columns(self, name: str) -> dict[str, float]:
        """Return the three columns of an observable."""
        return {
            name: self.value,
            f"{name}_standard_error": self.standard_error,
            f"{name}_n_independent": self.n_independent,
        }


NO_MEAN = Mean(math.nan, math.nan, math.nan)


def statistical_inefficiency(series: np.ndarray) -> float:
    """Return g = 1 + 2 tau, the samples per independent sample, at least 1.

    Integrated autocorrelation time as in Chodera et al., J. Chem. Theory Comput. 3, 26 (2007), by pymbar.
    """
    logging.getLogger("pymbar").setLevel(logging.ERROR)  # it comments on every import
    from pymbar.timeseries import statistical_inefficiency as inefficiency

    if len(series) < 4 or np.ptp(series) <= 1e-12 * max(1.0, float(np.abs(series).max())):
        return 1.0
    return max(1.0, float(inefficiency(series)))


def mean_of(series: np.ndarray) -> Mean:
    """Return the mean of a stationary, correlated series, shape (n,), with its standard error s sqrt(g/n)."""
    inefficiency = statistical_inefficiency(series)
    independent = len(series) / inefficiency
    if independent < FEWEST_INDEPENDENT:
        return Mean(float(np.mean(series)), math.nan, independent)
    return Mean(float(np.mean(series)), float(np.std(series, ddof=1) / math.sqrt(independent)), independent)


def detect_equilibration(series: Mapping[str, np.ndarray], at_least: int = 0) -> tuple[int, float]:
    """Return the index at which the stationary part of several series begins, and its number of independent samples.

    The start maximises the number of independent samples that remain (Chodera, J. Chem. Theory Comput. 12, 1799
    (2016)), of the series in which it is smallest, so that all of them have settled; no start before `at_least` and
    none in the last fifth is considered. Raises InputError for series of different or too small length.
    """
    lengths = {len(values) for values in series.values()}
    if len(lengths) != 1:
        raise InputError(f"The series {', '.join(series)} differ in length: {sorted(lengths)}.")
    length = lengths.pop()
    if length - at_least < _FEWEST_SAMPLES:
        raise InputError(
            f"{length - at_least} samples are left after the equilibration of {at_least}; at least {_FEWEST_SAMPLES}"
            " are needed. Sample for longer or use a shorter sample_interval_ps."
        )
    last = max(at_least, int(0.8 * length))
    best = (at_least, -1.0)
    for start in np.unique(np.linspace(at_least, last, _CANDIDATES).astype(int)):
        if length - start < _FEWEST_SAMPLES:
            break
        left = min((length - start) / statistical_inefficiency(values[start:]) for values in series.values())
        if left > best[1]:
            best = (int(start), float(left))
    return best
