"""Spectra at zero frequency: integrals of autocorrelation functions (Green-Kubo), with errors that know of replicas."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from moxie.errors import InputError
from moxie.timeseries import Mean, student_factor

_FEWEST_FOR_SCATTER = 3
FEWEST_SAMPLES = 40
_FIRST = 2  # cosines to begin with: the constant one and the slowest
_NEXT = 4  # cosines behind these, by which legs are judged to be too short
_STILL_RISING = 0.5
_BROADER = 1.5
_LARGEST_SHARE = 20  # of a leg's cosines, one in this many
_WEAKER, STRONGER = 0.5, 2.0  # standard deviations of a ratio at which the band ends
_CURVED = 8  # cosines of the parabola


@dataclass(frozen=True)
class ZeroFrequency:
    """The limit of a spectrum, in squares of the series' unit times ps, and the highest frequency used in 1/ps."""

    value: Mean
    cut_off_per_ps: float


def at_zero_frequency(
    legs: Sequence[np.ndarray],
    interval_ps: float,
    runs: Sequence[int] | None = None,
    can_vanish: bool = False,
) -> ZeroFrequency:
    """Return int_0^inf <x(0) x(t)> dt of independent series of zero mean of one process, an array (k, n) for each leg.

    It is half the spectrum at zero frequency, and that the mean power of the slowest cosines, among them the constant
    (as in `moxie.timeseries`). Their number follows from the data: two at first, half as many more as long as the next
    are no weaker than those before by half a standard deviation of the ratio. A band that ends early because chance
    made its first cosines strong is too strong by part of an error that is large; one that ends too late, as that of a
    fitted curve may, would be too weak by more than a small one.

    `runs` numbers the run that each leg starts from (default: each from its own). The error is the largest of
    * that of the powers, squares of normal numbers, for which all legs are samples of one process;
    * the scatter of the legs, and that of the runs, three or more of them. It knows that a replica may differ from the
      others for longer than a leg.
    A mean of powers cannot become zero. With `can_vanish` sines take the place of cosines, their band also ends where
    the next are stronger, and the difference from the limit of a parabola through more of them, which can, comes on
    top. Raises InputError for legs so short that their slowest cosines are far stronger than the next: the integral is
    not over within them.
    """
    length = min(leg.shape[1] for leg in legs)
    if length < FEWEST_SAMPLES:
        raise InputError(f"{length} samples a leg, and {FEWEST_SAMPLES} are the fewest")
    powers = [powers_of(leg[:, :length], interval_ps, can_vanish) for leg in legs]
    everything = np.concatenate(powers)
    mean, n_series = everything.mean(axis=0), len(everything)
    first, following = float(mean[:_FIRST].mean()), float(mean[_FIRST : _FIRST + _NEXT].mean())
    if not can_vanish and following < _STILL_RISING * first:
        raise InputError(
            f"the slowest cosines of a leg are {first / max(following, 1e-300):.1f} times as strong as the next:"
            " the integral is not over within a leg"
        )
    count = band_of(mean, n_series, STRONGER if can_vanish else math.inf)
    value = float(mean[:count].mean())
    levels = np.array([power[:, :count].mean() for power in powers])
    relative = math.sqrt(2 / (n_series * count)) * student_factor(n_series * count)
    if (
        can_vanish
    ):  # as for other variances: that of the logarithm, the same whether chance made the value small or large
        relative = math.expm1(1.96 * relative) / 1.96
    candidates = [(value * relative, float(n_series * count)), *scatters_of(levels, runs)]
    error, independent = max(candidates)
    if can_vanish:
        error = math.hypot(error, max(0.0, value - max(0.0, _limit_of_parabola(mean))))
    return ZeroFrequency(Mean(value, error, independent), count / (2 * length * interval_ps))


def powers_of(series: np.ndarray, interval_ps: float, ends_at_rest: bool) -> np.ndarray:
    """Return the powers of the cosines of series (k, n), whose expectation is the integral that is sought."""
    return amplitudes_of(series, interval_ps, ends_at_rest) ** 2


def amplitudes_of(series: np.ndarray, interval_ps: float, ends_at_rest: bool) -> np.ndarray:
    """Return the cosines of series (k, n), scaled so that their squares have the integral as expectation.

    With `ends_at_rest` the sines, which vanish at the ends of a leg (sine tapers: Riedel and Sidorenko, IEEE Trans.
    Signal Process. 43, 188 (1995)): what a bounded motion moved from one end to the other does not count.
    """
    from scipy.fft import dct, dst

    transform = dst if ends_at_rest else dct
    return np.asarray(transform(series, type=2, norm="ortho", axis=1) * math.sqrt(interval_ps / 2))


def band_of(mean: np.ndarray, n_series: int, stronger: float) -> int:
    """Return how many of the slowest cosines are alike."""
    count = _FIRST
    while (more := math.ceil(_BROADER * count)) <= max(_FIRST, len(mean) // _LARGEST_SHARE):
        ratio = float(mean[count:more].mean() / mean[:count].mean())
        deviation = math.sqrt(2 / n_series * (1 / count + 1 / (more - count)))
        if not -_WEAKER * deviation <= ratio - 1 <= stronger * deviation:
            break
        count = more
    return count


def scatters_of(values: np.ndarray, runs: Sequence[int] | None) -> list[tuple[float, float]]:
    """Return the standard errors from legs and from runs, each with their number, where there are three or more."""
    labels = np.arange(len(values)) if runs is None else np.asarray(runs)
    of_runs = np.array([values[labels == label].mean() for label in np.unique(labels)])
    groups = [each for each in (values, of_runs) if len(each) >= _FEWEST_FOR_SCATTER]
    return [(float(each.std(ddof=1)) / math.sqrt(len(each)), float(len(each))) for each in groups]


def _limit_of_parabola(mean: np.ndarray) -> float:
    """Return the constant of a parabola in the frequency through the slowest cosines, weighted by what they are."""
    powers = mean[:_CURVED]
    number = np.arange(1, len(powers) + 1)
    design = np.stack([np.ones(len(number)), number.astype(float) ** 2], axis=1)
    expected = np.maximum(powers, powers.mean() * 1e-3)
    for _ in range(3):
        line = np.linalg.lstsq(design / expected[:, None], powers / expected, rcond=None)[0]
        expected = np.maximum(design @ line, powers.mean() * 1e-3)
    return float(line[0])
