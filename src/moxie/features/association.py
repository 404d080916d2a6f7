"""Association of ions: who touches whom, clusters of touching ions, and how long a contact lasts.

Two ions touch while a coordinating atom of the anion is closer to the centre of the cation than a cut-off, the first
minimum of their g(r). Clusters are the connected parts of the graph of contacts. Frames are looked at one at a time; of
each contact only its beginnings and ends are kept.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from moxie.timeseries import NO_MEAN, Mean, mean_of

_FEWEST_ENDS = 5  # of contacts, for a time of contact
_GROUPS = 40  # of pairs, for the error of the intermittent time
_OWN_NAMES = ("free_ion_fraction", "contact_pair_ion_fraction", "aggregate_ion_fraction", "largest_ion_cluster")
TIMES = ("cation_anion_contact_time_continuous_ps", "cation_anion_contact_time_intermittent_ps")
NAMES = (*_OWN_NAMES, *TIMES)


@dataclass(frozen=True)
class Contact:
    """A time during which a pair touches, in frames; `censored` says that the run ended before it did."""

    first: int
    length: int
    censored: bool


class AssociationCounter:
    """Follows the contacts of ions frame by frame.

    cations, anions: site indices; `molecules` (n_sites,) numbers the molecule of each site; ions without any contact
    count as clusters of one.
    """

    def __init__(self, cations: np.ndarray, anions: np.ndarray, molecules: np.ndarray, cutoff_A: float):
        self._cations, self._anions, self._cutoff_A = cations, anions, cutoff_A
        ions = np.unique(molecules[np.concatenate([cations, anions])])
        self._n_ions = len(ions)
        self._cation_ion = np.searchsorted(ions, molecules[cations])
        self._anion_ion = np.searchsorted(ions, molecules[anions])
        self._shares: list[tuple[float, ...]] = []
        self._began: dict[int, int] = {}
        self._ended: dict[int, list[Contact]] = {}

    def add(self, positions: np.ndarray, box: np.ndarray) -> None:
        """Look at one frame: positions (n_sites, 3), box edges and angles (6,), in angstrom and degrees."""
        from MDAnalysis.lib.distances import capped_distance

        near = capped_distance(
            positions[self._cations].astype(np.float32), positions[self._anions].astype(np.float32), self._cutoff_A,
            box=box, return_distances=False,
        )  # fmt: skip
        touching = np.unique(self._cation_ion[near[:, 0]] * self._n_ions + self._anion_ion[near[:, 1]])
        self.add_contacts(touching // self._n_ions, touching % self._n_ions)

    def add_contacts(self, first: np.ndarray, second: np.ndarray) -> None:
        """Count a frame in which these pairs of ions touch, each once; ions are numbered from 0."""
        frame = len(self._shares)
        self._shares.append(_shares(self._n_ions, first, second))
        now = set((np.asarray(first, dtype=int) * self._n_ions + np.asarray(second, dtype=int)).tolist())
        for pair in [pair for pair in self._began if pair not in now]:
            self._close(pair, frame, censored=False)
        for pair in now:
            self._began.setdefault(pair, frame)

    def _close(self, pair: int, frame: int, censored: bool) -> None:
        first = self._began.pop(pair)
        self._ended.setdefault(pair, []).append(Contact(first, frame - first, censored))

    def means(self, interval_ps: float) -> dict[str, Mean]:
        """Return shares of ions, the size of the largest cluster, and the contact times, by the names of `NAMES`."""
        n_frames = len(self._shares)
        if not n_frames:
            return dict.fromkeys(NAMES, NO_MEAN)
        for pair in list(self._began):
            self._close(pair, n_frames, censored=True)
        shares = dict(zip(_OWN_NAMES, (mean_of(series) for series in np.array(self._shares).T), strict=True))
        n_pairs = len(np.unique(self._cation_ion)) * len(np.unique(self._anion_ion))
        times = contact_times(list(self._ended.values()), n_pairs, n_frames, interval_ps)
        return shares | dict(zip(TIMES, times, strict=True))


def _shares(n_ions: int, first: np.ndarray, second: np.ndarray) -> tuple[float, float, float, float]:
    """Return the shares of ions that are free, in pairs and in larger clusters, and the size of the largest."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    graph = coo_array((np.ones(len(first), dtype=np.int8), (first, second)), shape=(n_ions, n_ions))
    _, labels = connected_components(graph, directed=False)
    sizes = np.bincount(labels)
    free, paired = float((sizes == 1).sum()), 2.0 * float((sizes == 2).sum())
    return free / n_ions, paired / n_ions, (n_ions - free - paired) / n_ions, float(sizes.max())


def contact_times(
    pairs: Sequence[Sequence[Contact]], n_pairs: int, n_frames: int, interval_ps: float
) -> tuple[Mean, Mean]:  # fmt: skip
    """Return the continuous and the intermittent time of contact.

    pairs: the contacts of each pair of ions that ever touches, of `n_pairs` that there are. Continuous: the time until
    a contact first breaks, from the share of the steps between frames in which one does (the maximum-likelihood
    estimate of a constant rate, whatever the run cuts off). Intermittent: the time in which the correlation of being in
    contact, <h(0) h(t)>, has fallen to 1/e of the way from <h> to <h>^2, whatever came between (Rapaport, Mol. Phys.
    50, 1151 (1983)); with constant rates of leaving and coming back it is the inverse of their sum. Breaks between
    frames are not seen. Errors are the scatter over pairs. Empty below five ends, or where the correlation does not
    fall that far in half of the frames.
    """
    ends = np.array([sum(not contact.censored for contact in contacts) for contacts in pairs], dtype=float)
    steps = np.array([sum(c.length - c.censored for c in contacts) for contacts in pairs], dtype=float)
    if ends.sum() < _FEWEST_ENDS or ends.sum() >= steps.sum():
        return NO_MEAN, NO_MEAN
    share = ends.sum() / steps.sum()
    scatter = math.sqrt(float(((ends - share * steps) ** 2).sum())) / steps.sum()
    error = max(scatter, share / math.sqrt(ends.sum()))
    rate = -math.log1p(-share)
    continuous = Mean(interval_ps / rate, interval_ps * error / (1 - share) / rate**2, float(ends.sum()))
    return continuous, _intermittent(pairs, n_pairs, n_frames, interval_ps, float(ends.sum()))


def _intermittent(
    pairs: Sequence[Sequence[Contact]], n_pairs: int, n_frames: int, interval_ps: float, n_ends: float
) -> Mean:  # fmt: skip
    groups = min(_GROUPS, len(pairs))
    half = n_frames // 2
    products, shares = np.zeros((groups, half)), np.zeros(groups)
    for number, contacts in enumerate(pairs):
        touching = np.zeros(n_frames)
        for contact in contacts:
            touching[contact.first : contact.first + contact.length] = 1
        spectrum = np.abs(np.fft.rfft(touching, 2 * n_frames)) ** 2
        products[number % groups] += np.fft.irfft(spectrum)[:half] / np.arange(n_frames, n_frames - half, -1)
        shares[number % groups] += touching.mean()

    def time_ps(weight: np.ndarray) -> float:
        of_pair = n_pairs * weight.sum() / groups
        plateau = (weight @ shares / of_pair) ** 2
        curve = weight @ products / of_pair - plateau
        below = np.flatnonzero(curve <= curve[0] / math.e)
        if curve[0] <= 0 or not len(below):
            return math.nan
        last = below[0] - 1
        slope = math.log(curve[last] / max(curve[last + 1], 1e-300))
        return interval_ps * (last + math.log(curve[last] * math.e / curve[0]) / slope)

    value = time_ps(np.ones(groups))
    kept = np.array([time_ps(np.where(np.arange(groups) == one, 0.0, 1.0)) for one in range(groups)])
    if not math.isfinite(value) or groups < _FEWEST_ENDS or not np.isfinite(kept).all():
        return NO_MEAN
    error = math.sqrt((groups - 1) / groups * float(((kept - kept.mean()) ** 2).sum()))
    return Mean(value, error, min(float(groups), n_ends))
