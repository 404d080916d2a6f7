"""Radial distribution functions over the frames of a trajectory, with errors from blocks of decorrelated frames.

    g(r) = < n(r) V / (N_a N_b 4 pi r^2 dr) >,   Allen and Tildesley, Computer Simulation of Liquids, eq. 2.94

with N (N - 1) ordered pairs where both kinds are the same atoms, so that an ideal gas gives 1.
"""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np

from moxie.timeseries import FEWEST_INDEPENDENT, NO_MEAN, Mean, mean_of, statistical_inefficiency

BIN_WIDTH_A = 0.05
_MOST_BLOCKS = 20
_LOWEST_PEAK = 1.2
_MINIMUM_REACH_A = 0.25
_MOST_PAIRS = 4_000_000  # looked at one by one in a frame


@dataclass(frozen=True)
class PairCounts:
    """Neighbours of one kind of atom around another, frame by frame.

    counts (n_frames, n_bins): neighbours in each shell, summed over reference atoms; nearest (n_frames, n_ranks,
    n_bins): the reference atoms whose first, second, ... nearest neighbour is in that shell.
    """

    edges_A: np.ndarray
    counts: np.ndarray
    nearest: np.ndarray
    volumes_A3: np.ndarray
    n_reference: int
    n_neighbours: int  # that one reference atom can have

    @property
    def r_A(self) -> np.ndarray:
        """Return the centres of the bins."""
        return (self.edges_A[1:] + self.edges_A[:-1]) / 2

    def g(self, frames: np.ndarray | slice = slice(None)) -> np.ndarray:
        """Return g(r) over some frames, shape (n_bins,)."""
        shells = 4 / 3 * math.pi * np.diff(self.edges_A**3)
        ideal = self.n_reference * self.n_neighbours * shells
        volumes = self.volumes_A3[frames]
        return volumes @ self.counts[frames] / len(volumes) / ideal

    def coordination(self, radius_A: float, frames: np.ndarray | slice = slice(None)) -> np.ndarray:
        """Return the neighbours within a radius per reference atom, for each frame; the last bin counts in part."""
        return self.counts[frames] @ self._share(radius_A) / self.n_reference

    def contact_fraction(self, radius_A: float) -> np.ndarray:
        """Return the share of reference atoms with a neighbour within a radius, for each frame."""
        return 1.0 - self.neighbour_shares(radius_A)[:, 0]

    def neighbour_shares(self, radius_A: float) -> np.ndarray:
        """Return the shares of reference atoms with 0 to n_ranks - 1 neighbours within a radius, for each frame."""
        at_least = self.nearest @ self._share(radius_A) / self.n_reference
        return -np.diff(at_least, axis=1, prepend=1.0)

    def running_coordination(self, frames: np.ndarray | slice = slice(None)) -> np.ndarray:
        """Return the mean neighbours up to the outer edge of each bin over some frames, shape (n_bins,)."""
        return np.cumsum(self.counts[frames].mean(axis=0)) / self.n_reference

    def _share(self, radius_A: float) -> np.ndarray:
        return np.clip((radius_A - self.edges_A[:-1]) / np.diff(self.edges_A), 0, 1)


class PairCounter:
    """Counts the pairs of two kinds of atoms frame by frame; the kinds are the same atoms or have none in common."""

    def __init__(self, reference: np.ndarray, neighbours: np.ndarray, r_max_A: float, n_ranks: int = 1):
        self._reference, self._neighbours, self._n_ranks = reference, neighbours, n_ranks
        self._same = len(reference) == len(neighbours) and bool(np.array_equal(reference, neighbours))
        self._edges = np.linspace(0, r_max_A, max(1, round(r_max_A / BIN_WIDTH_A)) + 1)
        self._counts: list[np.ndarray] = []
        self._nearest: list[np.ndarray] = []
        self._volumes: list[float] = []

    def add(self, positions: np.ndarray, box: np.ndarray) -> None:
        """Count in one frame: positions (n_atoms, 3), box edges and angles (6,), in angstrom and degrees."""
        first, second = positions[self._reference], positions[self._neighbours]
        few = len(first) * len(second) <= _MOST_PAIRS
        count = _count_all if few and (np.asarray(box[3:]) == 90).all() else _count_near
        counts, nearest = count(first, second, self._same, box, self._edges, self._n_ranks)
        self._counts.append(counts.astype(np.uint32))
        self._nearest.append(nearest.astype(np.uint32))
        self._volumes.append(float(np.prod(box[:3])))

    def result(self) -> PairCounts:
        """Return what was counted in all frames."""
        n_bins = len(self._edges) - 1
        counts = np.array(self._counts, dtype=np.uint32).reshape(-1, n_bins)
        nearest = np.array(self._nearest, dtype=np.uint32).reshape(-1, self._n_ranks, n_bins)
        return PairCounts(
            self._edges, counts, nearest, np.array(self._volumes), len(self._reference),
            len(self._neighbours) - self._same,
        )  # fmt: skip


def count_pairs(
    frames: Iterable[tuple[np.ndarray, np.ndarray]], reference: np.ndarray, neighbours: np.ndarray, r_max_A: float
) -> PairCounts:
    """Return the pair counts of two kinds of atoms.

    `frames` yields positions (n_atoms, 3) and box edges and angles (6,), in angstrom and degrees. The two kinds must
    be either the same atoms or have none in common.
    """
    counter = PairCounter(reference, neighbours, r_max_A)
    for positions, box in frames:
        counter.add(positions, box)
    return counter.result()


def _count_near(
    first: np.ndarray, second: np.ndarray, same: bool, box: np.ndarray, edges: np.ndarray, n_ranks: int
) -> tuple[np.ndarray, np.ndarray]:
    """Count with cell lists: for large systems and any box."""
    from MDAnalysis.lib.distances import capped_distance

    pairs, distances = capped_distance(
        first.astype(np.float32), second.astype(np.float32), edges[-1], box=box, min_cutoff=1e-6 if same else None
    )
    order = np.lexsort((distances, pairs[:, 0]))
    atoms, ascending = pairs[order, 0], distances[order]
    ranks = np.arange(len(atoms)) - np.searchsorted(atoms, atoms)
    nearest = [np.histogram(ascending[ranks == rank], edges)[0] for rank in range(n_ranks)]
    return np.histogram(distances, edges)[0], np.array(nearest)


def _count_all(
    first: np.ndarray, second: np.ndarray, same: bool, box: np.ndarray, edges: np.ndarray, n_ranks: int
) -> tuple[np.ndarray, np.ndarray]:
    """Count by looking at every pair, which is faster in boxes of a few thousand atoms."""
    from moxie.features.pair_loop import histogram_pairs

    box_edges = np.asarray(box[:3], dtype=np.float64)
    n_bins = len(edges) - 1
    return histogram_pairs(
        np.ascontiguousarray(first, dtype=np.float64), np.ascontiguousarray(second, dtype=np.float64), same, box_edges,
        float(edges[-1]), n_bins, n_ranks,
    )  # fmt: skip


@dataclass(frozen=True)
class Shell:
    """The first shell of a g(r); NaN where there is none."""

    peak_A: float
    height: float
    minimum_A: float


NO_SHELL = Shell(math.nan, math.nan, math.nan)


@dataclass(frozen=True)
class Windows:
    """The bins around the first peak and around the first minimum of a g(r), as half-open ranges."""

    peak: slice
    minimum: slice | None


def first_shell(r_A: np.ndarray, g: np.ndarray) -> Shell:
    """Return position and height of the first peak and the first minimum behind it; NaN where there is none."""
    windows = find_windows(r_A, g)
    return NO_SHELL if windows is None else fit_shell(r_A, g, windows)


def find_windows(r_A: np.ndarray, g: np.ndarray) -> Windows | None:
    """Return where the first peak and the first minimum are, or None for a g(r) without a peak.

    The peak is where g exceeds 0.7 of its maximum; the minimum is the lowest place of a smoothed g before 1.8 times the
    distance of the peak, with 0.25 A on either side.
    """
    from scipy.signal import find_peaks, savgol_filter

    if len(g) < 15:
        return None
    smooth = np.maximum(savgol_filter(g, 5, 2), 0)
    peaks, _ = find_peaks(smooth, prominence=max(0.25 * smooth.max(), 0.2))
    if len(peaks) == 0 or smooth[peaks[0]] < _LOWEST_PEAK:
        return None
    top = peaks[0] - 1 + int(np.argmax(g[peaks[0] - 1 : peaks[0] + 2]))
    low = high = top
    while low > 0 and g[low - 1] > 0.7 * g[top]:
        low -= 1
    while high < len(g) - 1 and g[high + 1] > 0.7 * g[top]:
        high += 1
    low, high = max(0, min(low, top - 1)), min(len(g) - 1, max(high, top + 1))
    return Windows(slice(low, high + 1), _minimum_window(r_A, g, top))


def _minimum_window(r_A: np.ndarray, g: np.ndarray, top: int) -> slice | None:
    from scipy.signal import savgol_filter

    smooth = np.maximum(savgol_filter(g, 9, 2), 0)
    end = min(int(np.searchsorted(r_A, 1.8 * r_A[top])), len(g) - 1)
    if end <= top + 2:
        return None
    lowest = top + int(np.argmin(smooth[top : end + 1]))
    if lowest == end:
        return None  # still falling: there is no minimum within reach
    flat = smooth <= smooth[lowest] + 0.005 * smooth[top]  # a wide, empty gap has its minimum in the middle
    first = last = lowest
    while flat[first - 1]:
        first -= 1
    while last < end and flat[last + 1]:
        last += 1
    reach = round(_MINIMUM_REACH_A / float(r_A[1] - r_A[0]))
    middle = (first + last) // 2
    return slice(max(top + 1, middle - reach), min(len(g), middle + reach + 1))


def fit_shell(r_A: np.ndarray, g: np.ndarray, windows: Windows) -> Shell:
    """Return the first shell from given windows.

    The peak is the vertex of a parabola through ln g (exact for a Gaussian), the minimum that of a parabola through g.
    """
    r, y = r_A[windows.peak], g[windows.peak]
    peak, height = float(r[np.argmax(y)]), float(y.max())
    if (y > 0).all():
        vertex = _vertex(r, np.log(y), np.sqrt(y), -1)
        if vertex is not None:
            peak, height = vertex[0], float(np.exp(vertex[1]))
    if windows.minimum is None:
        return Shell(peak, height, math.nan)
    r, y = r_A[windows.minimum], g[windows.minimum]
    vertex = _vertex(r, y, np.ones_like(y), 1)
    return Shell(peak, height, float(r.mean()) if vertex is None else vertex[0])


def _vertex(r: np.ndarray, y: np.ndarray, weight: np.ndarray, sign: int) -> tuple[float, float] | None:
    """Return the vertex of a weighted parabola of the given curvature, or None where it is not within the range."""
    centre = float(r.mean())
    curvature, slope, level = np.polyfit(r - centre, y, 2, w=weight)
    if sign * curvature <= 0:
        return None
    position = centre - slope / (2 * curvature)
    if not r[0] <= position <= r[-1]:
        return None
    return float(position), float(level - slope**2 / (4 * curvature))


def blocks_of(counts: PairCounts, minimum_A: float) -> tuple[list[np.ndarray], float]:
    """Return blocks of consecutive frames that are independent of each other, and their number before capping.

    The number of independent frames is that of the first-shell coordination; there are at most 20 blocks, and none
    when fewer than three are independent.
    """
    radius = minimum_A if math.isfinite(minimum_A) else float(counts.edges_A[-1])
    series = counts.coordination(radius)
    independent = len(series) / statistical_inefficiency(series)
    if independent < FEWEST_INDEPENDENT:
        return [], independent
    return np.array_split(np.arange(len(series)), min(int(independent), _MOST_BLOCKS)), independent


def jackknife(counts: PairCounts, blocks: list[np.ndarray], estimate: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    """Return the jackknife standard error of `estimate(frames)` over blocks (Efron and Tibshirani 1993, eq. 11.5)."""
    everything = np.arange(len(counts.counts))
    left_out = np.array([estimate(np.setdiff1d(everything, block)) for block in blocks])
    count = len(blocks)
    return np.sqrt((count - 1) / count * ((left_out - left_out.mean(axis=0)) ** 2).sum(axis=0))


@dataclass(frozen=True)
class Structure:
    """g(r) with errors and the numbers of its first shell."""

    r_A: np.ndarray
    g: np.ndarray
    g_standard_error: np.ndarray
    running_coordination: np.ndarray
    running_coordination_standard_error: np.ndarray
    n_independent: float  # frames behind the curves and the first shell
    peak_A: Mean
    height: Mean
    minimum_A: Mean
    coordination: Mean
    contact_fraction: Mean  # reference atoms with at least one neighbour in the first shell
    neighbour_shares: tuple[Mean, ...]  # reference atoms with 0, 1, ... neighbours in the first shell


def analyse_structure(counts: PairCounts) -> Structure:
    """Return the structure with standard errors over blocks of decorrelated frames.

    The windows of peak and minimum, and the radius of the first shell, are those of all frames together.
    """
    g = counts.g()
    windows = find_windows(counts.r_A, g)
    shell = NO_SHELL if windows is None else fit_shell(counts.r_A, g, windows)
    blocks, independent = blocks_of(counts, shell.minimum_A)

    def shell_of(frames: np.ndarray) -> np.ndarray:
        found = shell if windows is None else fit_shell(counts.r_A, counts.g(frames), windows)
        return np.array([found.peak_A, found.height, found.minimum_A])

    error, running_error, shell_error = np.full_like(g, np.nan), np.full_like(g, np.nan), np.full(3, np.nan)
    if blocks:
        running_error = jackknife(counts, blocks, counts.running_coordination)
        error, shell_error = jackknife(counts, blocks, counts.g), jackknife(counts, blocks, shell_of)
    peak, height, minimum = (
        Mean(value, float(deviation), independent) if math.isfinite(value) else NO_MEAN
        for value, deviation in zip((shell.peak_A, shell.height, shell.minimum_A), shell_error, strict=True)
    )
    coordination = contact = NO_MEAN
    shares = (NO_MEAN,) * counts.nearest.shape[1]
    if math.isfinite(shell.minimum_A):
        coordination = mean_of(counts.coordination(shell.minimum_A))
        contact = mean_of(counts.contact_fraction(shell.minimum_A))
        shares = tuple(mean_of(series) for series in counts.neighbour_shares(shell.minimum_A).T)
    return Structure(
        counts.r_A, g, error, counts.running_coordination(), running_error, independent, peak, height, minimum,
        coordination, contact, shares,
    )  # fmt: skip
