"""Means of correlated time series: where the stationary part begins, and what the standard error of a mean is."""

import logging
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from moxie.errors import InputError

FEWEST_INDEPENDENT = 3.0
FEWEST_SAMPLES = 20
_CANDIDATES = 25
_FEWEST_BLOCKS, _MOST_BLOCKS = 8, 20
_NEARLY_BEST = 0.85


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


def shared_inefficiency(columns: np.ndarray) -> float:
    """Return one g for several stationary series of the same process, shape (n, k), at least 1.

    From their correlation functions averaged by variance (pymbar): much less noisy than that of one of them.
    """
    logging.getLogger("pymbar").setLevel(logging.ERROR)  # it comments on every import
    from pymbar.timeseries import statistical_inefficiency_multiple as inefficiency

    fluctuations = columns - columns.mean(axis=0)
    if len(columns) < 4 or not np.ptp(fluctuations) > 1e-12:
        return 1.0
    return max(1.0, float(inefficiency(fluctuations.T)))


def mean_of(series: np.ndarray) -> Mean:
    """Return the mean of a stationary, correlated series, shape (n,), with its standard error s sqrt(g/n)."""
    inefficiency = statistical_inefficiency(series)
    independent = len(series) / inefficiency
    if independent < FEWEST_INDEPENDENT:
        return Mean(float(np.mean(series)), math.nan, independent)
    return Mean(float(np.mean(series)), float(np.std(series, ddof=1) / math.sqrt(independent)), independent)


def jackknife_mean(columns: np.ndarray, estimate: Callable[[np.ndarray], float]) -> Mean:
    """Return a function of moments of correlated series, such as a covariance, with its standard error.

    columns: (n, k), k stationary series. The blocks of the jackknife are consecutive samples, at most 20 of them and
    each at least two statistical inefficiencies of the slowest series long; they give the error and remove the bias of
    first order in 1/n (Efron and Tibshirani, An Introduction to the Bootstrap (1993), eqs. 11.4 and 11.5), which for a
    variance is that of too few independent samples. `n_independent` is the number of blocks. With fewer than eight (16
    independent samples) slow fluctuations are not yet sampled, and the blocks too alike to tell: the value is the plain
    one and the error NaN.
    """
    inefficiency = max(statistical_inefficiency(column) for column in columns.T)
    count = min(_MOST_BLOCKS, int(len(columns) / inefficiency / 2))
    value = float(estimate(columns))
    if count < _FEWEST_BLOCKS:
        return Mean(value, math.nan, float(count))
    blocks = np.array_split(np.arange(len(columns)), count)
    left_out = np.array([estimate(np.delete(columns, block, axis=0)) for block in blocks])
    error = math.sqrt((count - 1) / count * float(((left_out - left_out.mean()) ** 2).sum()))
    return Mean(count * value - (count - 1) * float(left_out.mean()), error, float(count))


def detect_equilibration(series: Mapping[str, np.ndarray], at_least: int = 0) -> tuple[int, float]:
    """Return the index at which the stationary part of several series begins, and its number of independent samples.

    The start of one series is the earliest that leaves within 15 % of the largest number of independent samples
    (Chodera, J. Chem. Theory Comput. 12, 1799 (2016), who takes the very largest: that prefers starts whose correlation
    time is underestimated by chance). That of all is the latest of these, so that each has settled, and the number is
    that of the series in which it is smallest. No start before `at_least` and none in the last fifth is considered.
    Raises InputError for series of different or too small length.
    """
    lengths = {len(values) for values in series.values()}
    if len(lengths) != 1:
        raise InputError(f"The series {', '.join(series)} differ in length: {sorted(lengths)}.")
    length = lengths.pop()
    if length - at_least < FEWEST_SAMPLES:
        raise InputError(
            f"{length - at_least} samples are left after the equilibration of {at_least}; at least {FEWEST_SAMPLES}"
            " are needed. Sample for longer or use a shorter sample_interval_ps."
        )
    last = min(max(at_least, int(0.8 * length)), length - FEWEST_SAMPLES)
    starts = np.unique(np.linspace(at_least, last, _CANDIDATES).astype(int))

    def independent(values: np.ndarray, start: int) -> float:
        return (length - start) / statistical_inefficiency(values[start:])

    def settled(values: np.ndarray) -> int:
        left = np.array([independent(values, start) for start in starts])
        return int(starts[np.argmax(left >= _NEARLY_BEST * left.max())])

    latest = max(settled(values) for values in series.values())
    return latest, min(independent(values, latest) for values in series.values())
