"""A linear model of the relaxed energy: pairs and triplets of occupied sites, counted by symmetry orbit.

E = c + sum over pairs J2[orbit] + sum over near triplets J3[orbit], fitted by ridge regression to the relaxations that
a search has paid for (a cluster expansion at fixed composition: Sanchez et al., Physica A 128, 334 (1984)).
The ridge parameter maximises the evidence (MacKay, Neural Comput. 4, 415 (1992)); the posterior gives coefficients to
draw for Thompson sampling.
"""

import itertools
from dataclasses import dataclass

import numpy as np
from numba import njit

from moxie.oxidation.placement.evaluator import Evaluator
from moxie.oxidation.placement.sites import Occupied, Sites

TRIPLET_REACH_A = 3.9  # all three distances of a triplet: bonds up to 3.84 A apart in silicon
RIDGES = np.logspace(-4, 2, 13)
TEMPERATURE_EV = 0.1  # of the odds by which a placement is filled up
DOWNHILL = 3  # attempts


@dataclass(frozen=True)
class Clusters:
    """The number of a cluster's feature: pair (n, n) and triplet (n, n, n) int32; n_features for no feature."""

    pair: np.ndarray
    triplet: np.ndarray
    n_features: int

    def count(self, occupied: Occupied) -> np.ndarray:
        """Return how often each feature occurs in a placement, (n_features,)."""
        counts = np.zeros(self.n_features + 1)
        _count(np.array(occupied, np.int64), self.pair, self.triplet, counts)
        return counts[:-1]


def make_clusters(sites: Sites, triplet_reach_A: float = TRIPLET_REACH_A) -> Clusters:
    """Return the pairs of all distances and the triplets within reach, numbered by orbit from the closest pair."""
    distances = sites.distances_A
    near = distances <= triplet_reach_A
    pairs = {(i, j): sites.canonical((i, j)) for i, j in itertools.combinations(range(sites.n_sites), 2)}
    triplets = {
        (i, j, k): sites.canonical((i, j, k))
        for i, j in pairs
        if near[i, j]
        for k in (j + 1 + np.flatnonzero(near[i, j + 1 :] & near[j, j + 1 :])).tolist()
    }

    def extent(orbit: Occupied) -> tuple[int, float, Occupied]:
        spread = sum(float(distances[i, j]) for i, j in itertools.combinations(orbit, 2))
        return len(orbit), round(spread, 3), orbit

    ordered = sorted({*pairs.values(), *triplets.values()}, key=extent)
    number = {orbit: k for k, orbit in enumerate(ordered)}
    pair = np.zeros((sites.n_sites,) * 2, np.int32)
    triplet = np.full((sites.n_sites,) * 3, len(number), np.int32)
    for table, clusters in ((pair, pairs), (triplet, triplets)):
        for cluster, orbit in clusters.items():
            for order in itertools.permutations(cluster):
                table[order] = number[orbit]
    return Clusters(pair, triplet, len(number))


class Model:
    """The linear model; it keeps sums over the relaxations it learns from, so that a fit costs the same throughout."""

    def __init__(self, clusters: Clusters):
        k = clusters.n_features + 1  # the last for the constant
        self.clusters = clusters
        self.rows = 0
        self._gram = np.zeros((k, k))
        self._cross = np.zeros(k)
        self._square = 0.0
        self._fitted = 0

    def add(self, occupied: Occupied, energy_eV: float) -> None:
        """Learn from one relaxation."""
        row = np.append(self.clusters.count(occupied), 1.0)
        self._gram += np.outer(row, row)
        self._cross += energy_eV * row
        self._square += energy_eV**2
        self.rows += 1

    def coefficients(self, generator: np.random.Generator | None = None) -> np.ndarray:
        """Return coefficients (n_features + 1,) in eV, the last zero: the posterior's mean, or a sample of it.

        All zero before the second relaxation.
        """
        if self.rows < 2:
            return np.zeros(self.clusters.n_features + 1)
        if self._fitted != self.rows:
            self._fit()
        values = self._mean
        if generator is not None:
            values = values + self._vectors @ (self._spread * generator.standard_normal(len(self._spread)))
        return np.append(values, 0.0)

    def _fit(self) -> None:
        mean = self._gram[-1, :-1] / self.rows
        scatter = self._gram[:-1, :-1] - self.rows * np.outer(mean, mean)
        values, self._vectors = np.linalg.eigh(scatter)
        values = np.maximum(values, 0.0)
        projected = self._vectors.T @ (self._cross[:-1] - self._cross[-1] * mean)
        square = self._square - self._cross[-1] ** 2 / self.rows
        best = np.inf
        for ridge in RIDGES:
            # evidence with prior variance s2 / ridge and noise variance s2, the latter at its own best value
            noise = max((square - float((projected**2 / (values + ridge)).sum())) / self.rows, 1e-12)
            loss = self.rows * np.log(noise) + float(np.log1p(values / ridge).sum())
            if loss < best:
                best, chosen, variance = loss, ridge, noise
        self._mean = self._vectors @ (projected / (values + chosen))
        self._spread = np.sqrt(variance / (values + chosen))
        self._fitted = self.rows


class Guide:
    """A model that learns from a search's own relaxations and fills placements up for it."""

    def __init__(self, clusters: Clusters):
        self.model = Model(clusters)
        self._learnt = 0

    def learn(self, evaluator: Evaluator) -> None:
        """Learn from what the search has paid for since the last call."""
        new = slice(self._learnt, None)
        for orbit, energy in zip(evaluator.orbits[new], evaluator.energies_eV[new], strict=True):
            self.model.add(orbit, energy)
        self._learnt = evaluator.relaxations

    def fill(self, held: np.ndarray, n_oxygen: int, generator: np.random.Generator, attempt: int = 0) -> np.ndarray:
        """Return the sites `held` filled up to n_oxygen, low in energy by coefficients drawn from the posterior.

        Sites are drawn with odds that double their temperature at each attempt, then moved downhill; from attempt
        DOWNHILL on they stay as drawn, so that something new is found in the end.
        """
        pair, triplet = self.model.clusters.pair, self.model.clusters.triplet
        drawn = self.model.coefficients(generator)
        uniforms = generator.random(n_oxygen - len(held))
        placement = complete(held, n_oxygen, pair, triplet, drawn, TEMPERATURE_EV * 2.0**attempt, uniforms)
        if attempt < DOWNHILL:
            descend(placement, len(held), pair, triplet, drawn)
        return np.asarray(placement)

    def neighbour(self, evaluator: Evaluator, generator: np.random.Generator, ranked: bool) -> Occupied | None:
        """Return a placement that is not yet known, one O away from the best one known; None where all are known.

        Ranked: the lowest in energy by coefficients drawn from the posterior; else any.
        """
        best = evaluator.orbits[int(np.argmin(evaluator.energies_eV))]
        taken = set(best)
        new = {
            evaluator.sites.canonical((*best[:a], site, *best[a + 1 :]))
            for a in range(len(best))
            for site in range(evaluator.sites.n_sites)
            if site not in taken
        }
        options = sorted(orbit for orbit in new if not evaluator.known(orbit))
        if not options:
            return None
        if not ranked:
            return options[int(generator.integers(len(options)))]
        pair, triplet = self.model.clusters.pair, self.model.clusters.triplet
        drawn = self.model.coefficients(generator)
        return min(options, key=lambda orbit: model_energy(np.array(orbit), pair, triplet, drawn))

    def priors(self, placements: list[Occupied]) -> np.ndarray:
        """Return odds of partial placements of equal size that sum to one, exp(-energy / temperature) by the mean."""
        pair, triplet = self.model.clusters.pair, self.model.clusters.triplet
        mean = self.model.coefficients()
        rows = np.array(placements, np.int64)
        energies = np.array([model_energy(row, pair, triplet, mean) for row in rows])
        odds = np.exp((energies.min() - energies) / TEMPERATURE_EV)
        return np.asarray(odds / odds.sum())


@njit(cache=True, nogil=True)
def _count(occupied, pair, triplet, counts):
    n = len(occupied)
    for a in range(n):
        for b in range(a + 1, n):
            counts[pair[occupied[a], occupied[b]]] += 1
            for c in range(b + 1, n):
                counts[triplet[occupied[a], occupied[b], occupied[c]]] += 1


@njit(cache=True, nogil=True)
def add_marginals(site, occupied, pair, triplet, coefficients, marginals):
    """Add to `marginals` (n_sites,) what occupying `site` beside `occupied` changes in the energy of each further O."""
    for other in range(len(marginals)):
        change = coefficients[pair[other, site]]
        for held in occupied:
            change += coefficients[triplet[other, site, held]]
        marginals[other] += change


@njit(cache=True, nogil=True)
def complete(partial, n_oxygen, pair, triplet, coefficients, temperature, uniforms):
    """Return `partial` filled up to n_oxygen sites, each drawn with odds exp(-marginal energy / temperature).

    uniforms: (n_oxygen - len(partial),) numbers in [0, 1). At temperature 0 the lowest marginal is taken.
    """
    n_sites = len(pair)
    held = len(partial)
    occupied = np.empty(n_oxygen, np.int64)
    free = np.ones(n_sites, np.bool_)
    marginals = np.zeros(n_sites)
    for a in range(held):
        occupied[a] = partial[a]
        free[partial[a]] = False
        add_marginals(partial[a], occupied[:a], pair, triplet, coefficients, marginals)
    for step in range(held, n_oxygen):
        lowest = np.inf
        best = -1
        for site in range(n_sites):
            if free[site] and marginals[site] < lowest:
                lowest = marginals[site]
                best = site
        chosen = best
        if temperature > 0.0:
            total = 0.0
            for site in range(n_sites):
                if free[site]:
                    total += np.exp((lowest - marginals[site]) / temperature)
            left = uniforms[step - held] * total
            for site in range(n_sites):
                if free[site]:
                    chosen = site
                    left -= np.exp((lowest - marginals[site]) / temperature)
                    if left < 0.0:
                        break
        occupied[step] = chosen
        free[chosen] = False
        add_marginals(chosen, occupied[:step], pair, triplet, coefficients, marginals)
    return occupied


@njit(cache=True, nogil=True)
def model_energy(occupied, pair, triplet, coefficients):
    """Return the model's energy of a placement, without its constant."""
    energy = 0.0
    n = len(occupied)
    for a in range(n):
        for b in range(a + 1, n):
            energy += coefficients[pair[occupied[a], occupied[b]]]
            for c in range(b + 1, n):
                energy += coefficients[triplet[occupied[a], occupied[b], occupied[c]]]
    return energy


@njit(cache=True, nogil=True)
def descend(occupied, held, pair, triplet, coefficients):
    """Move one O at a time to the free site that lowers the model's energy most, until none does; in place.

    The first `held` stay."""
    n_sites = len(pair)
    n = len(occupied)
    rest = np.empty(n - 1, np.int64)
    while True:
        gain = -1e-9
        which = -1
        where = -1
        for a in range(held, n):
            k = 0
            for b in range(n):
                if b != a:
                    rest[k] = occupied[b]
                    k += 1
            old = 0.0
            for site in range(n_sites + 1):  # the present site first
                place = occupied[a] if site == 0 else site - 1
                taken = False
                energy = 0.0
                for b in range(n - 1):
                    if rest[b] == place:
                        taken = True
                        break
                    energy += coefficients[pair[place, rest[b]]]
                    for c in range(b + 1, n - 1):
                        energy += coefficients[triplet[place, rest[b], rest[c]]]
                if taken:
                    continue
                if site == 0:
                    old = energy
                elif energy - old < gain:
                    gain = energy - old
                    which = a
                    where = place
        if which < 0:
            return
        occupied[which] = where
