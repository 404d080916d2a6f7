"""Self-diffusion from displacements: unwrapping, mean squared displacement, generalised least squares, finite size."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from moxie.constants import BOLTZMANN_J_K
from moxie.errors import InputError
from moxie.quantiles import chi_squared_tail
from moxie.timeseries import Mean

M2_S_PER_NM2_PS = 1e-6
_CUBIC_LATTICE = 2.837297  # Ewald sum of a cubic lattice (Yeh and Hummer 2004, eq. 12)
_LAGS = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64)  # in thinned frames; longer ones add nothing
_FEWEST_THINNED = 8
_CANDIDATES = 14
_ITERATIONS = 4
_SMALLEST_PROBABILITY = 0.05
_FEWEST_FRAMES = 40
_FEWEST_FOR_SCATTER = 3
_AGREEMENT = 2.0  # standard errors


@dataclass(frozen=True)
class Diffusion:
    """A diffusion coefficient, m2/s, with the line it is the slope of; `is_linear` says that the line fits the data."""

    coefficient: Mean
    lags_ps: np.ndarray  # (n_frames,)
    msd_nm2: np.ndarray  # (n_frames,) mean over molecules, origins and legs
    msd_standard_error_nm2: np.ndarray  # over legs; NaN for fewer than three
    slope_nm2_ps: float
    intercept_nm2: float
    start_ps: float  # the thinned interval, and shortest fitted lag
    end_ps: float
    is_linear: bool


def unwrapped(positions: np.ndarray, edges: np.ndarray) -> np.ndarray:
    """Return continuous paths from positions that may jump by whole edges between frames, shape (n_frames, n, 3).

    `edges` (3,) are those of a box that does not change. A true displacement between frames must be shorter than half
    an edge.
    """
    steps = np.diff(positions, axis=0)
    steps -= edges * np.round(steps / edges)
    return np.concatenate([positions[:1], positions[0] + np.cumsum(steps, axis=0)])


def without_drift(paths: np.ndarray, masses: np.ndarray) -> np.ndarray:
    """Return paths (n_frames, n, 3) relative to the centre of mass of all molecules."""
    return paths - np.average(paths, axis=1, weights=masses)[:, None]


def mean_squared_displacement(paths: np.ndarray) -> np.ndarray:
    """Return the mean over molecules and all time origins, shape (n_frames,), of paths (n_frames, n, 3).

    By fast Fourier transform (Calandrini et al., Collection SFN 12, 201 (2011), section 4.2).
    """
    return squared_displacements(paths).mean(axis=1)


def squared_displacements(paths: np.ndarray) -> np.ndarray:
    """Return the mean squared displacement of each molecule over all time origins, shape (n_frames, n)."""
    n_frames = len(paths)
    centred = paths - paths.mean(axis=0)
    spectrum = (np.abs(np.fft.rfft(centred, 2 * n_frames, axis=0)) ** 2).sum(axis=2)
    products = np.fft.irfft(spectrum, 2 * n_frames, axis=0)[:n_frames]
    squares = (centred**2).sum(axis=2)
    ahead, behind = np.cumsum(squares[::-1], axis=0)[::-1], np.cumsum(squares, axis=0)[::-1]  # over origins, over ends
    return np.maximum((ahead + behind - 2 * products) / np.arange(n_frames, 0, -1)[:, None], 0.0)


def walk_covariance(lags: np.ndarray, n_frames: int, noise: float = 0.0) -> np.ndarray:
    """Return the covariance of the mean squared displacement of one walker at some lags (in frames), shape (k, k).

    For a three-dimensional random walk whose steps have unit variance in each direction, seen with an independent error
    of variance `noise` in each position. Squares of Gaussian displacements covary by twice the square of the
    displacements' covariance; the sum runs over all pairs of origins (Bulerjahn, von Buelow and Hummer, J. Chem. Phys.
    153, 024116 (2020)).
    """
    walk, mixed, of_noise = _covariance_terms(tuple(map(int, lags)), n_frames)
    return walk + noise * (2 * mixed + noise * of_noise)


@lru_cache(maxsize=64)
def _covariance_terms(lags: tuple[int, ...], n_frames: int) -> np.ndarray:
    """Return what stands before the powers of the noise in `walk_covariance`, half of it for the first: (3, k, k)."""
    terms = np.empty((3, len(lags), len(lags)))
    for row, n in enumerate(lags):
        for column, m in enumerate(lags[: row + 1]):
            shift = np.arange(-m, n + 1)  # of the second interval against the first
            shared = (np.minimum(n, shift + m) - np.maximum(0, shift)).astype(float)
            ends = np.zeros(len(shift))
            for place, sign in ((0, 1), (n - m, 1), (-m, -1), (n, -1)):  # where ends of the intervals coincide
                ends[place + m] += sign
            first, second = float(n_frames - n), float(n_frames - m)  # numbers of origins
            pairs = np.clip(np.minimum(first, second - shift) - np.maximum(0, -shift), 0, None)
            sums = [(pairs * product).sum() for product in (shared**2, shared * ends, ends**2)]
            terms[:, row, column] = terms[:, column, row] = 6.0 * np.array(sums) / (first * second)
    return terms


def self_diffusion(
    legs: Sequence[np.ndarray], interval_ps: float, runs: Sequence[int] | None = None
) -> Diffusion:  # fmt: skip
    """Return the self-diffusion coefficient from the paths of one species, in nm, one array (n_frames, n, 3) per leg.

    `runs` numbers the run that each leg starts from (default: each from its own); legs of a run share its molecules.

    The paths are thinned to the shortest interval at which they are a random walk with an error in each position (the
    motion within the cage). A line is fitted to their mean squared displacement by generalised least squares with that
    walk's covariance. It must not be improbable (chi squared, 5 %), and its slope must agree within two standard errors
    with those of all longer intervals, judged by the differences of each molecule. The longest interval tried leaves
    eight frames; `is_linear` is False if the line is improbable even there. To the standard error (see `_error`) comes
    the scatter of the slopes of the longer intervals. Raises InputError for too few frames.
    """
    n_frames = len(legs[0])
    if n_frames < _FEWEST_FRAMES:
        raise InputError(
            f"A diffusion coefficient from {n_frames} frames is not sensible; at least {_FEWEST_FRAMES} are needed. Use"
            " a longer transport.length_ps or a shorter frame_interval_ps."
        )
    strides = np.unique(np.geomspace(1, n_frames // _FEWEST_THINNED, _CANDIDATES).astype(int))
    lines = [_thinned_line(legs, int(stride), runs or range(len(legs))) for stride in strides]
    first = next((k for k, line in enumerate(lines) if _is_limit(line, lines[k + 1 :])), len(lines) - 1)
    line = lines[first]
    scale = M2_S_PER_NM2_PS / 6 / interval_ps
    whole = np.array([mean_squared_displacement(leg) for leg in legs])
    whole_error = np.full(n_frames, math.nan)
    if len(legs) >= _FEWEST_FOR_SCATTER:
        whole_error = whole.std(axis=0, ddof=1) / math.sqrt(len(legs))
    error = math.hypot(line.error, _scatter_of_later(lines[first:]))
    return Diffusion(
        Mean(line.slope * scale, error * scale, line.n_independent), interval_ps * np.arange(n_frames),
        whole.mean(axis=0), whole_error, line.slope / interval_ps, float(line.fit.line[0]),
        line.stride * interval_ps, float(line.stride * interval_ps * line.fit.lags[-1]),
        line.fit.probability > _SMALLEST_PROBABILITY,
    )  # fmt: skip


def finite_size_corrected(
    diffusion: Mean, viscosity_mPa_s: Mean, temperature_K: float, edge_nm: float
) -> Mean:  # fmt: skip
    """Return the diffusion coefficient of an infinite system, m2/s, from that in a cubic box.

    D + 2.837297 k T / (6 pi eta L) (Yeh and Hummer, J. Phys. Chem. B 108, 15873 (2004), eq. 12), with the viscosity of
    the same model and its error.
    """
    viscosity_Pa_s = viscosity_mPa_s.value / 1000
    shift = _CUBIC_LATTICE * BOLTZMANN_J_K * temperature_K / (6 * math.pi * viscosity_Pa_s * edge_nm * 1e-9)
    shift_error = shift * viscosity_mPa_s.standard_error / viscosity_mPa_s.value
    return Mean(
        diffusion.value + shift,
        math.hypot(diffusion.standard_error, shift_error),
        min(diffusion.n_independent, viscosity_mPa_s.n_independent),
    )


@dataclass(frozen=True)
class _Fit:
    lags: np.ndarray
    weights: np.ndarray  # inverse of the covariance of a walk
    line: np.ndarray  # intercept, and slope per frame
    slope_error: float
    probability: float  # of larger residuals


def _fit(msd: np.ndarray, walkers: float) -> _Fit:
    """Fit a line to a mean squared displacement; the ratio of its coefficients gives the noise of the positions."""
    lags = np.array([lag for lag in _LAGS if lag <= len(msd) // 2])
    noise = 0.0
    for _ in range(_ITERATIONS):
        weights = np.linalg.inv(walk_covariance(lags, len(msd), noise))
        line, inverse = _solve(msd[lags], lags, weights)
        noise = max(0.0, line[0] / (2 * line[1])) if line[1] > 0 else 0.0
    residuals = msd[lags] - line[0] - line[1] * lags
    variance = (line[1] / 3) ** 2 / walkers  # <dx^2> of a step is a third of the slope
    probability = chi_squared_tail(residuals @ weights @ residuals / variance, len(lags) - 2)
    return _Fit(lags, weights, line, math.sqrt(inverse[1, 1] * variance), probability)


@dataclass(frozen=True)
class _Line:
    """The fit to paths thinned by `stride`; slopes are per frame of the whole paths."""

    stride: int
    fit: _Fit
    slopes: np.ndarray  # (n_legs, n), of each molecule
    common: float
    error: float
    n_independent: float

    @property
    def slope(self) -> float:
        return float(self.slopes.mean())


def _thinned_line(legs: Sequence[np.ndarray], stride: int, runs: Sequence[int]) -> _Line:
    thinned = [leg[::stride] for leg in legs]
    curves = np.array([squared_displacements(leg) for leg in thinned])
    common = _common_motion(thinned)
    fit = _fit(curves.mean(axis=(0, 2)), curves.shape[2] * len(legs) / common)
    slopes = np.array([_solve(curve[fit.lags], fit.lags, fit.weights)[0][1] for curve in curves]) / stride
    return _Line(stride, fit, slopes, common, *_error(slopes, fit.slope_error / stride, common, runs))


def _is_limit(line: _Line, later: Sequence[_Line]) -> bool:
    """Return whether a line fits, and thinning further does not change its slope."""
    return line.fit.probability > _SMALLEST_PROBABILITY and all(_agree(line, other) for other in later)


def _agree(line: _Line, other: _Line) -> bool:
    differences = line.slopes - other.slopes
    if differences.size < _FEWEST_FOR_SCATTER:
        return True
    error = differences.std(ddof=1) * math.sqrt(other.common / differences.size)
    return bool(abs(differences.mean()) <= _AGREEMENT * error)


def _scatter_of_later(lines: Sequence[_Line]) -> float:
    """Return the root mean square difference of slopes from the first, weighted by their precision."""
    weights = np.array([line.error**-2 if line.error > 0 else 0.0 for line in lines])
    differences = np.array([line.slope - lines[0].slope for line in lines])
    return math.sqrt(float(np.average(differences**2, weights=weights))) if weights.sum() > 0 else 0.0


def _error(slopes: np.ndarray, walk_error: float, common: float, runs: Sequence[int]) -> tuple[float, float]:
    """Return the standard error of the mean slope, and the number of independent values behind it.

    slopes: (n_legs, n). The error is the largest of
    * that of random walks, which counts the windows of each;
    * the scatter of the molecules, each averaged over the legs of its run, which knows that an ion may stay with its
      neighbours longer than a leg, and with them fast or slow. This and the first are widened by the common motion;
    * the scatter of the legs, and that of the runs, three or more of them.
    """
    labels = np.asarray(runs)
    of_runs = [slopes[labels == label] for label in np.unique(labels)]
    n_molecules, shares = slopes.shape[1], np.array([len(legs) / len(slopes) for legs in of_runs])
    candidates = [(walk_error, float(n_molecules * len(slopes)))]
    if n_molecules >= _FEWEST_FOR_SCATTER:
        scatter = np.array([legs.mean(axis=0).var(ddof=1) for legs in of_runs]) * common / n_molecules
        candidates.append((math.sqrt(float((shares**2 * scatter).sum())), float(n_molecules * len(of_runs))))
    for values in (slopes.mean(axis=1), np.array([legs.mean() for legs in of_runs])):
        if len(values) >= _FEWEST_FOR_SCATTER:
            candidates.append((float(values.std(ddof=1)) / math.sqrt(len(values)), float(len(values))))
    return max(candidates)


def _common_motion(legs: Sequence[np.ndarray]) -> float:
    """Return how much more the mean square displacement of a frame varies than if molecules moved independently."""
    squares = np.concatenate([(np.diff(leg, axis=0) ** 2).sum(axis=2) for leg in legs])
    independent = squares.var(axis=0, ddof=1).mean() / squares.shape[1]
    return max(1.0, float(squares.mean(axis=1).var(ddof=1) / independent)) if independent > 0 else 1.0


def _solve(values: np.ndarray, lags: np.ndarray, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    design = np.stack([np.ones(len(lags)), lags], axis=1)
    inverse = np.linalg.inv(design.T @ weights @ design)
    return inverse @ design.T @ weights @ values, inverse
