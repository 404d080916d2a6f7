"""Means of correlated time series: where the stationary part begins, and what the standard error of a mean is.

The error of a mean is the spectrum of the series at zero frequency. A single short series does not see the tail of its
own memory, so only its slowest cosines count, and Student's t says how little a few of them are:

    var(mean) = 1/(n B) sum_{k=1..B} X_k^2,     X_k = sqrt(2/n) sum_t x_t cos(pi k (t + 1/2) / n)

(equal-weighted cosines: Lazarus, Lewis, Stock and Watson, J. Bus. Econ. Stat. 36, 541 (2018)).
"""

import logging
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache

import numpy as np

from moxie.errors import InputError
from moxie.quantiles import normal_quantile, student_quantile

FEWEST_INDEPENDENT = 5.0
FEWEST_SAMPLES = 20
_FEWEST_COSINES, _MOST_COSINES = 3, 50
_COSINES_PER_SAMPLE = 0.05  # to begin with, per sample that the cut of the correlation function calls independent
_MOST_TO_BEGIN_WITH = 20
_COSINES_OF_A_CURVE = 0.15  # the memory of many columns together is better known
_BROADER, _AS_HIGH = 1.5, 0.8
MOST_BLOCKS = 100
_FEWEST_FOR_FLUCTUATIONS = 8.0
_STARTS = 13
_LATEST_START = 0.6
_HEADS = (0.05, 0.15, 0.4)  # parts of a series that are compared with its last half
_COSINES_OF_DRIFT = 8
_FALSE_ALARM = 0.01  # of a stationary series


@dataclass(frozen=True)
class Mean:
    """A mean with its standard error; the error is NaN when fewer than five independent samples stand behind it.

    Where an error is itself uncertain, it is widened by Student's t, so that 1.96 of it hold the truth in 95 of 100
    cases.
    """

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

    Integrated autocorrelation time as in Chodera et al., J. Chem. Theory Comput. 3, 26 (2007), by pymbar, which ends
    the integral where the correlation function of this very series first crosses zero: right for series of very many
    memories, too small for others.
    """
    logging.getLogger("pymbar").setLevel(logging.ERROR)  # it comments on every import
    from pymbar.timeseries import statistical_inefficiency as inefficiency

    if len(series) < 4 or _is_constant(series):
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


def student_factor(freedom: float) -> float:
    """Return by how much a standard error with so many degrees of freedom is widened for 1.96 of it to hold 95 %."""
    return _student_factor(max(1.0, float(freedom)))


@cache
def _student_factor(freedom: float) -> float:
    return student_quantile(0.975, freedom) / normal_quantile(0.975)


@dataclass(frozen=True)
class ErrorOfMean:
    """The variance of the mean of a correlated series, and its degrees of freedom, the number of cosines."""

    variance: float
    freedom: float

    @property
    def standard_error(self) -> float:
        """Return the standard error, widened by Student's t."""
        return math.sqrt(self.variance) * student_factor(self.freedom)


def error_of_mean(series: np.ndarray) -> ErrorOfMean:
    """Return the variance of the mean of a stationary, correlated series, shape (n,).

    The number of cosines B begins at a twentieth of n/g (three at least, twenty at most) and grows by a half as long as
    the next cosines are at least 0.8 times as strong as those before: up to where the spectrum falls.
    """
    length = len(series)
    if length < 2 or _is_constant(series):
        return ErrorOfMean(0.0, float(max(1, length - 1)))
    powers = _powers(series)
    first = int(_COSINES_PER_SAMPLE * length / statistical_inefficiency(series))
    count = min(max(_FEWEST_COSINES, min(first, _MOST_TO_BEGIN_WITH)), length - 1)
    most = min(_MOST_COSINES, length // 12)
    while (more := math.ceil(_BROADER * count)) <= most:
        if powers[count:more].mean() < _AS_HIGH * powers[:count].mean():
            break
        count = more
    return ErrorOfMean(float(powers[:count].mean()) / length, float(count))


def _powers(series: np.ndarray) -> np.ndarray:
    """Return the squares of the cosine transform from the slowest on; each has the spectrum as its expectation."""
    from scipy.fft import dct

    return np.asarray(dct(series - np.mean(series), type=2, norm="ortho", axis=0)[1:] ** 2)


def _is_constant(series: np.ndarray) -> bool:
    return bool(np.ptp(series) <= 1e-12 * max(1.0, float(np.abs(series).max())))


def mean_of(series: np.ndarray) -> Mean:
    """Return the mean of a stationary, correlated series, shape (n,), with its standard error (`error_of_mean`).

    `n_independent` is the number of independent samples whose mean would be as certain.
    """
    value, error = float(np.mean(series)), error_of_mean(series)
    independent = float(len(series))
    if error.variance > 0:
        independent = min(independent, float(np.var(series)) / error.variance)
    if independent < FEWEST_INDEPENDENT:
        return Mean(value, math.nan, independent)
    return Mean(value, error.standard_error, independent)


def means_of(columns: np.ndarray) -> tuple[np.ndarray, np.ndarray, float]:
    """Return means and standard errors, of the columns of a curve, (n, k), and their number of samples.

    All columns have the number of cosines of their common memory (`shared_inefficiency`), without growth.
    """
    length = len(columns)
    independent = length / shared_inefficiency(columns)
    value = columns.mean(axis=0)
    if independent < FEWEST_INDEPENDENT:
        return value, np.full(columns.shape[1], math.nan), independent
    count = min(max(_FEWEST_COSINES, min(int(_COSINES_OF_A_CURVE * independent), _MOST_TO_BEGIN_WITH)), length - 1)
    return value, np.sqrt(_powers(columns)[:count].mean(axis=0) / length) * student_factor(count), independent


def pseudo_values(
    n_samples: int, estimate: Callable[[np.ndarray], np.ndarray], most_blocks: int = MOST_BLOCKS
) -> tuple[np.ndarray, np.ndarray]:
    """Return the jackknife's pseudo-values of `estimate(samples kept)`, (n_blocks, k), and the estimate from all, (k,).

    Blocks are consecutive samples. A pseudo-value is what its block adds: their series fluctuates as slowly as the
    samples do, and the error of the estimate is that of their mean (Efron and Tibshirani, An Introduction to the
    Bootstrap (1993), chapter 11, where blocks are independent).
    """
    count = min(most_blocks, n_samples)
    everything = np.arange(n_samples)
    whole = np.atleast_1d(estimate(everything))
    left_out = np.array([np.atleast_1d(estimate(np.delete(everything, b))) for b in np.array_split(everything, count)])
    return count * whole - (count - 1) * left_out, whole


def jackknife_mean(columns: np.ndarray, estimate: Callable[[np.ndarray], float], positive: bool = False) -> Mean:
    """Return a function of moments of correlated series, such as a covariance, with its standard error.

    columns: (n, k), k stationary series. The error is that of the mean of the pseudo-values. Their bias is that of
    independent blocks, too small by the factor by which the blocks' means vary too little; corrected for it, a variance
    is no longer that about the mean of too few samples. `n_independent` is that of the slowest series; with fewer than
    eight slow fluctuations are not yet sampled: the value is the plain one and the error NaN. What is `positive`, as a
    variance, has the error of its logarithm, which is the same whether chance made the value small or large: 1.96
    errors reach to the upper end of the interval.
    """
    independent = min(mean_of(column).n_independent for column in columns.T)
    if independent < _FEWEST_FOR_FLUCTUATIONS:
        return Mean(float(estimate(columns)), math.nan, independent)
    pseudo, whole = pseudo_values(len(columns), lambda kept: np.array([estimate(columns[kept])]))
    memory = np.mean([_memory_of_blocks(column, len(pseudo)) for column in columns.T])
    value = float(whole[0] + memory * (pseudo.mean() - whole[0]))
    error = error_of_mean(pseudo[:, 0]).standard_error
    if positive and 0 < error < value:
        error = value * math.expm1(1.96 * error / value) / 1.96
    return Mean(value, error, independent)


def _memory_of_blocks(series: np.ndarray, count: int) -> float:
    """Return how much more the mean of a series varies than if its blocks were independent."""
    means = np.array([block.mean() for block in np.array_split(series, count)])
    independent = means.var(ddof=1) / count
    return error_of_mean(series).variance / float(independent) if independent > 0 else 1.0


def detect_equilibration(series: Mapping[str, np.ndarray], at_least: int = 0) -> tuple[int, float]:
    """Return the index at which the stationary part of several series begins, and its number of independent samples.

    It begins at `at_least` unless the data speak against it: at the first of a few starts, none in the last two fifths,
    from which on the means of the first 5, 15 and 40 % do not differ from that of the last half by more than chance
    allows in 99 % of stationary series (Geweke, in Bayesian Statistics 4, 169 (1992)). The number is that of the series
    in which it is smallest. Raises InputError for series of different or too small length.
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
    last = at_least + min(int(_LATEST_START * (length - at_least)), length - at_least - FEWEST_SAMPLES)
    starts = np.unique(np.linspace(at_least, last, _STARTS).astype(int))
    chance = _FALSE_ALARM / len(series) / len(_HEADS)
    start = next(
        (int(s) for s in starts if not any(_drifts(values[s:], chance) for values in series.values())), int(starts[-1])
    )
    return start, min(mean_of(values[start:]).n_independent for values in series.values())


def _drifts(series: np.ndarray, chance: float) -> bool:
    """Return whether the mean of a head of a series differs from that of its last half."""
    tail = series[len(series) // 2 :]
    error = ErrorOfMean(float(_powers(tail)[:_COSINES_OF_DRIFT].mean()) / len(tail), float(_COSINES_OF_DRIFT))
    spread = float(np.var(tail))
    for share in _HEADS:
        head = series[: max(1, int(share * len(series)))]
        of_head = min(error.variance * len(tail) / len(head), spread)
        limit = -student_quantile(chance / 2, error.freedom) * math.sqrt(error.variance + of_head)
        if abs(float(head.mean() - tail.mean())) > max(limit, 1e-12 * float(np.abs(series).max())):
            return True
    return False
