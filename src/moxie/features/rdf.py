"""Radial distribution functions over the frames of a trajectory, with errors from blocks of decorrelated frames.

    g(r) = < n(r) V / (N_a N_b 4 pi r^2 dr) >,   Allen and Tildesley, Computer Simulation of Liquids, eq. 2.94

with N (N - 1) ordered pairs where both kinds are the same atoms, so that an ideal gas gives 1.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from moxie.timeseries import FEWEST_INDEPENDENT, NO_MEAN, Mean, error_of_mean, mean_of, means_of, pseudo_values

BIN_WIDTH_A = 0.05
_MOST_STRUCTURE_BLOCKS = 50
_FEWEST_FOR_A_PARABOLA = 3
_ITERATIONS = 12
_LOWEST_PEAK = 1.2
_MINIMUM_REACH_A = 0.3
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
    n_neighbours: float  # that one reference atom can have, on average

    @property
    def r_A(self) -> np.ndarray:
        """Return the centres of the bins."""
        return (self.edges_A[1:] + self.edges_A[:-1]) / 2

    def g(self, frames: np.ndarray | slice = slice(None)) -> np.ndarray:
        """Return g(r) over some frames, shape (n_bins,)."""
        volumes = self.volumes_A3[frames]
        return volumes @ self.counts[frames] / len(volumes) / self._ideal()

    def coordination(self, radius_A: float, frames: np.ndarray | slice = slice(None)) -> np.ndarray:
        """Return the neighbours within a radius per reference atom, for each frame; the last bin counts in part."""
        return self.counts[frames] @ self._share(radius_A) / self.n_reference

    def g_series(self) -> np.ndarray:
        """Return what each frame contributes to g(r), shape (n_frames, n_bins)."""
        return self.volumes_A3[:, None] * self.counts / self._ideal()

    def neighbour_shares(self, radius_A: float, frames: np.ndarray | slice = slice(None)) -> np.ndarray:
        """Return the shares of reference atoms with 0 to n_ranks - 1 neighbours within a radius, for each frame."""
        at_least = self.nearest[frames] @ self._share(radius_A) / self.n_reference
        return -np.diff(at_least, axis=1, prepend=1.0)

    def running_series(self) -> np.ndarray:
        """Return the neighbours up to the outer edge of each bin, for each frame, shape (n_frames, n_bins)."""
        return np.cumsum(self.counts, axis=1) / self.n_reference

    def _ideal(self) -> np.ndarray:
        return self.n_reference * self.n_neighbours * (4 / 3 * math.pi * np.diff(self.edges_A**3))

    def _share(self, radius_A: float) -> np.ndarray:
        return np.clip((radius_A - self.edges_A[:-1]) / np.diff(self.edges_A), 0, 1)


class PairCounter:
    """Counts the pairs of two kinds of atoms of different molecules frame by frame.

    The kinds are the same atoms or have none in common. `molecules` (n_atoms,) numbers the molecule of every atom of
    the box; without it each atom is one.
    """

    def __init__(
        self, reference: np.ndarray, neighbours: np.ndarray, r_max_A: float, n_ranks: int = 1,
        molecules: np.ndarray | None = None,
    ):  # fmt: skip
        self._reference, self._neighbours, self._n_ranks = reference, neighbours, n_ranks
        self._same = len(reference) == len(neighbours) and bool(np.array_equal(reference, neighbours))
        if molecules is None:
            molecules = np.arange(1 + max(reference.max(initial=0), neighbours.max(initial=0)))
        self._molecules = molecules[reference].astype(np.int64), molecules[neighbours].astype(np.int64)
        n_bins = max(1, int(r_max_A / BIN_WIDTH_A + 1e-9))
        self._edges = BIN_WIDTH_A * np.arange(
            n_bins + 1
        )  # the same for boxes of any size, so that replicas can be averaged
        self._counts: list[np.ndarray] = []
        self._nearest: list[np.ndarray] = []
        self._volumes: list[float] = []

    def add(self, positions: np.ndarray, box: np.ndarray) -> None:
        """Count in one frame: positions (n_atoms, 3), box edges and angles (6,), in angstrom and degrees."""
        first, second = positions[self._reference], positions[self._neighbours]
        few = len(first) * len(second) <= _MOST_PAIRS
        count = _count_all if few and (np.asarray(box[3:]) == 90).all() else _count_near
        counts, nearest = count(first, second, self._molecules, self._same, box, self._edges, self._n_ranks)
        self._counts.append(counts.astype(np.uint32))
        self._nearest.append(nearest.astype(np.uint32))
        self._volumes.append(float(np.prod(box[:3])))

    def result(self) -> PairCounts:
        """Return what was counted in all frames."""
        n_bins = len(self._edges) - 1
        counts = np.array(self._counts, dtype=np.uint32).reshape(-1, n_bins)
        nearest = np.array(self._nearest, dtype=np.uint32).reshape(-1, self._n_ranks, n_bins)
        return PairCounts(
            self._edges, counts, nearest, np.array(self._volumes), len(self._reference), self._n_neighbours()
        )

    def _n_neighbours(self) -> float:
        """Return how many neighbours of other molecules one reference atom can have, on average."""
        first, second = self._molecules
        kinds, of_kind = np.unique(second, return_counts=True)
        within = dict(zip(kinds.tolist(), of_kind.tolist(), strict=True))
        own = sum(within.get(molecule, 0) for molecule in first.tolist()) / max(1, len(first))
        return len(second) - own


def count_pairs(
    frames: Iterable[tuple[np.ndarray, np.ndarray]], reference: np.ndarray, neighbours: np.ndarray, r_max_A: float,
    molecules: np.ndarray | None = None,
) -> PairCounts:  # fmt: skip
    """Return the pair counts of two kinds of atoms of different molecules, as `PairCounter` counts them.

    `frames` yields positions (n_atoms, 3) and box edges and angles (6,), in angstrom and degrees. The two kinds must
    be either the same atoms or have none in common.
    """
    counter = PairCounter(reference, neighbours, r_max_A, molecules=molecules)
    for positions, box in frames:
        counter.add(positions, box)
    return counter.result()


def _count_near(
    first: np.ndarray, second: np.ndarray, molecules: tuple[np.ndarray, np.ndarray], same: bool, box: np.ndarray,
    edges: np.ndarray, n_ranks: int,
) -> tuple[np.ndarray, np.ndarray]:  # fmt: skip
    """Count with cell lists: for large systems and any box."""
    from MDAnalysis.lib.distances import capped_distance

    pairs, distances = capped_distance(
        first.astype(np.float32), second.astype(np.float32), edges[-1], box=box, min_cutoff=1e-6 if same else None
    )
    apart = molecules[0][pairs[:, 0]] != molecules[1][pairs[:, 1]]
    pairs, distances = pairs[apart], distances[apart]
    order = np.lexsort((distances, pairs[:, 0]))
    atoms, ascending = pairs[order, 0], distances[order]
    ranks = np.arange(len(atoms)) - np.searchsorted(atoms, atoms)
    nearest = [np.histogram(ascending[ranks == rank], edges)[0] for rank in range(n_ranks)]
    return np.histogram(distances, edges)[0], np.array(nearest)


def _count_all(
    first: np.ndarray, second: np.ndarray, molecules: tuple[np.ndarray, np.ndarray], same: bool, box: np.ndarray,
    edges: np.ndarray, n_ranks: int,
) -> tuple[np.ndarray, np.ndarray]:  # fmt: skip
    """Count by looking at every pair, which is faster in boxes of a few thousand atoms."""
    from moxie.features.pair_loop import histogram_pairs

    box_edges = np.asarray(box[:3], dtype=np.float64)
    n_bins = len(edges) - 1
    return histogram_pairs(
        np.ascontiguousarray(first, dtype=np.float64), np.ascontiguousarray(second, dtype=np.float64), *molecules,
        same, box_edges, float(edges[-1]), n_bins, n_ranks,
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
    low, high = max(0, min(low, top - 2)), min(len(g) - 1, max(high, top + 2))
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
    begin, end = max(top + 1, middle - reach), min(len(g), middle + reach + 1)
    return slice(begin, end) if begin < end else None


def fit_shell(r_A: np.ndarray, g: np.ndarray, windows: Windows) -> Shell:
    """Return the first shell from given windows.

    The peak is the maximum of a cubic through ln g (a Gaussian with a skew, as the peak of a liquid has), the minimum
    that of a parabola through g.
    """
    r, y = r_A[windows.peak], g[windows.peak]
    peak, height = float(r[np.argmax(y)]), float(y.max())
    if (y > 0).all():
        vertex = _vertex(r, np.log(y), np.sqrt(y), -1, 3)
        if vertex is not None:
            peak, height = vertex[0], float(np.exp(vertex[1]))
    if windows.minimum is None:
        return Shell(peak, height, math.nan)
    return Shell(peak, height, _minimum(r_A, g, float(r_A[windows.minimum].mean())))


def _minimum(r_A: np.ndarray, g: np.ndarray, start_A: float) -> float:
    """Return the minimum near a place: the vertex of a parabola whose smooth weights are centred on itself.

    So it moves evenly with g, and not by a bin at a time as the window in which it is looked for does.
    """
    place = start_A
    for _ in range(_ITERATIONS):
        weight = np.clip(1 - ((r_A - place) / _MINIMUM_REACH_A) ** 2, 0, None)
        near = weight > 0
        vertex = _vertex(r_A[near], g[near], weight[near], 1, 2) if near.sum() > _FEWEST_FOR_A_PARABOLA else None
        if vertex is None:
            return start_A
        place = vertex[0]
    return place


def _vertex(
    r: np.ndarray, y: np.ndarray, weight: np.ndarray, sign: int, degree: int
) -> tuple[float, float] | None:  # fmt: skip
    """Return where a weighted polynomial has its extremum of the given curvature, and its value there; None outside."""
    centre = float(r.mean())
    line = np.poly1d(np.polyfit(r - centre, y, min(degree, len(r) - 2), w=weight))
    places = [
        float(root.real) for root in line.deriv().roots
        if abs(root.imag) < 1e-12 and sign * line.deriv(2)(root.real) > 0 and r[0] <= root.real + centre <= r[-1]
    ]  # fmt: skip
    if not places:
        return None
    place = max(places, key=lambda at: -sign * float(line(at)))
    return place + centre, float(line(place))


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
    """Return the structure with standard errors.

    Those of the first shell are of pseudo-values from blocks of frames, in each of which peak, minimum and radius are
    found anew: the radius is itself a result. Those of the curves are of each bin's own series, whose memory is longer
    the farther one counts.
    """
    first = _first_shell_columns(counts, slice(None))
    radius = float(first[2])
    g, g_error, independent = means_of(counts.g_series())
    running, running_error, of_running = means_of(counts.running_series())
    errors, numbers = np.full(len(first), math.nan), np.full(len(first), independent)
    if min(independent, of_running) >= FEWEST_INDEPENDENT:
        pseudo, _ = pseudo_values(
            len(counts.counts), lambda kept: _first_shell_columns(counts, kept), _MOST_STRUCTURE_BLOCKS
        )
        fixed = _shell_series(counts, radius)
        numbers[3:] = [mean_of(series).n_independent for series in fixed.T]
        errors = np.array([error_of_mean(series).standard_error for series in pseudo.T])
    peak, height, minimum, coordination, contact, *shares = (
        Mean(float(value), float(error), float(number)) if math.isfinite(value) else NO_MEAN
        for value, error, number in zip(first, errors, numbers, strict=True)
    )
    return Structure(
        counts.r_A, g, g_error, running, running_error, independent, peak, height, minimum, coordination, contact,
        tuple(shares),
    )  # fmt: skip


def _first_shell_columns(counts: PairCounts, frames: np.ndarray | slice) -> np.ndarray:
    """Return peak, height and minimum of some frames, and the neighbours within the minimum (see `_shell_series`)."""
    shell = first_shell(counts.r_A, counts.g(frames))
    if not math.isfinite(shell.minimum_A):
        inside = np.full(2 + counts.nearest.shape[1], math.nan)
    else:
        inside = _shell_series(counts, shell.minimum_A, frames).mean(axis=0)
    return np.concatenate([[shell.peak_A, shell.height, shell.minimum_A], inside])


def _shell_series(counts: PairCounts, radius_A: float, frames: np.ndarray | slice = slice(None)) -> np.ndarray:
    """Return, for each frame, coordination number, contact fraction and shares of 0, 1, ... neighbours."""
    shares = counts.neighbour_shares(radius_A, frames)
    return np.column_stack([counts.coordination(radius_A, frames), 1.0 - shares[:, 0], shares])
