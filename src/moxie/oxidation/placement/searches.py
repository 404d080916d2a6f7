"""The searches, by name, behind one interface: each takes an evaluator and a generator and runs until its budget is
spent or nothing is left to relax.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from moxie.errors import InputError, nearest
from moxie.oxidation.placement.counts import check_enumeration
from moxie.oxidation.placement.evaluator import BudgetSpentError, Evaluator, orbits
from moxie.oxidation.placement.model import Clusters, Guide, make_clusters, model_energy
from moxie.oxidation.placement.sites import Occupied, Sites
from moxie.oxidation.placement.tree import Tree

PATIENCE = 200  # placements in a row that cost nothing, after which annealing and the genetic search start anew


@dataclass(frozen=True)
class Tuning:
    """Constants of the searches, tuned on six O in Si16 (docs/theory/tree_search.md)."""

    anneal_kT_eV: tuple[float, float] = (0.05, 0.02)
    population: int = 20
    mutation: float = 0.5
    exploration: float = 0.1
    prior_exploration: float = 3.0
    widening: float = 0.7
    model_first: int = 5
    model_starts: int = 3
    local_share: float = 0.2
    local_ranked: bool = True
    tree_local_share: float = 0.2


TUNING = Tuning()


def random_search(evaluator: Evaluator, generator: np.random.Generator) -> None:
    """Relax placements drawn uniformly."""
    for _ in _while_new(evaluator):
        evaluator.energy(_draw(evaluator, generator))


def annealing(evaluator: Evaluator, generator: np.random.Generator) -> None:
    """Simulated annealing: one O moves to any free site, Metropolis; it cools geometrically with the relaxations spent,
    so that the whole schedule fits into the budget. Where nothing new is found it starts anew, as cold as it was."""
    for _ in _while_new(evaluator):
        placement = _draw(evaluator, generator)
        energy = evaluator.energy(placement)
        for _ in _while_new(evaluator):
            kT = annealing_kT(evaluator.relaxations, evaluator.budget)
            trial = _moved(placement, evaluator.sites.n_sites, generator)
            changed = evaluator.energy(trial)
            if changed <= energy or generator.random() < np.exp((energy - changed) / kT):
                placement, energy = trial, changed


def annealing_kT(spent: int, budget: int) -> float:
    """Return the temperature in eV after some of the budget's relaxations."""
    hot, cold = TUNING.anneal_kT_eV
    return float(hot * (cold / hot) ** (spent / budget))


def genetic(evaluator: Evaluator, generator: np.random.Generator) -> None:
    """Steady-state genetic search: two of the population's better half mate, the child replaces the worst.

    A child takes its sites from both parents at random, after one was mapped by a random symmetry operation; half of
    the children are mutated by moving one O. The population starts anew when nothing new is found.
    """
    images = evaluator.sites.images
    n = evaluator.n_oxygen
    for _ in _while_new(evaluator):
        population: dict[Occupied, float] = {}
        for _ in range(10 * TUNING.population):
            placement = _draw(evaluator, generator)
            population[evaluator.sites.canonical(placement)] = evaluator.energy(placement)
            if len(population) == TUNING.population:
                break
        for _ in _while_new(evaluator):
            ranked = sorted(population, key=population.__getitem__)
            half = max(len(ranked) // 2, 1)
            one, other = (np.array(ranked[int(generator.integers(half))]) for _ in range(2))
            pool = np.union1d(one, images[int(generator.integers(len(images)))][other])
            child = generator.choice(pool, n, replace=False)
            if generator.random() < TUNING.mutation:
                child = _moved(child, evaluator.sites.n_sites, generator)
            population[evaluator.sites.canonical(child)] = evaluator.energy(child)
            if len(population) > TUNING.population:
                del population[max(population, key=population.__getitem__)]


def tree(evaluator: Evaluator, generator: np.random.Generator) -> None:
    """Monte Carlo tree search without a model: UCT, best backup, uniform simulation."""
    Tree(evaluator, generator, TUNING.exploration).run()


def guided_tree(evaluator: Evaluator, generator: np.random.Generator) -> None:
    """Monte Carlo tree search with a pair and triplet model learnt on the way: PUCT, widening, Thompson sampling."""
    guide = Guide(_clusters(evaluator.sites))
    Tree(
        evaluator,
        generator,
        TUNING.prior_exploration,
        guide=guide,
        widening=TUNING.widening,
        local_share=TUNING.tree_local_share,
    ).run()


def model_alone(evaluator: Evaluator, generator: np.random.Generator) -> None:
    """The same model without a tree: the lowest of a few placements filled up by Thompson sampling is relaxed next."""
    _by_model(evaluator, generator, 0.0)


def model_local(evaluator: Evaluator, generator: np.random.Generator) -> None:
    """The same as `model_alone`, but with some share of moves of one O away from the best placement known."""
    _by_model(evaluator, generator, TUNING.local_share)


def _by_model(evaluator: Evaluator, generator: np.random.Generator, local_share: float) -> None:
    clusters = _clusters(evaluator.sites)
    guide = Guide(clusters)
    nothing = np.zeros(0, np.int64)
    for _ in range(TUNING.model_first):
        evaluator.energy(_draw(evaluator, generator))
    attempt = 0
    for _ in _while_new(evaluator):
        guide.learn(evaluator)
        mean = guide.model.coefficients()
        if local_share and generator.random() < local_share:
            near = guide.neighbour(evaluator, generator, TUNING.local_ranked)
            if near is not None:
                evaluator.energy(near)
                continue
        filled = [
            guide.fill(nothing, evaluator.n_oxygen, generator, min(attempt, 20)) for _ in range(TUNING.model_starts)
        ]
        new = [placement for placement in filled if not evaluator.known(evaluator.sites.canonical(placement))]
        attempt = max(attempt - 1, 0) if new else attempt + 1
        if new:
            evaluator.energy(min(new, key=lambda p: model_energy(p, clusters.pair, clusters.triplet, mean)))


def enumeration(evaluator: Evaluator, generator: np.random.Generator) -> None:
    """Relax every orbit, in random order; raises InputError where there are too many."""
    check_enumeration(evaluator.sites.name, evaluator.sites.cell, evaluator.n_oxygen)
    every = orbits(evaluator.sites, evaluator.n_oxygen)
    for number in generator.permutation(len(every)).tolist():
        evaluator.energy(every[number])


METHODS: dict[str, Callable[[Evaluator, np.random.Generator], None]] = {
    "random": random_search,
    "annealing": annealing,
    "genetic": genetic,
    "tree": tree,
    "guided_tree": guided_tree,
    "model_alone": model_alone,
    "model_local": model_local,
    "enumeration": enumeration,
}


def search(method: str, evaluator: Evaluator, seed: int) -> Evaluator:
    """Run a search until its budget is spent or nothing is left; return the evaluator, which holds what it found.

    Raises InputError for an unknown method.
    """
    if method not in METHODS:
        raise InputError(f"Unknown search {method!r}.{nearest(method, METHODS)} Allowed: {', '.join(METHODS)}.")
    if evaluator.n_oxygen == 0:
        evaluator.energy(())
        return evaluator
    try:
        METHODS[method](evaluator, np.random.default_rng(seed))
    except BudgetSpentError:
        pass
    return evaluator


_CLUSTERS: dict[int, tuple[Sites, Clusters]] = {}


def _clusters(sites: Sites) -> Clusters:
    """Return the clusters of these sites, made once."""
    if id(sites) not in _CLUSTERS:
        _CLUSTERS[id(sites)] = (sites, make_clusters(sites))
    return _CLUSTERS[id(sites)][1]


def _draw(evaluator: Evaluator, generator: np.random.Generator) -> np.ndarray:
    return np.asarray(generator.choice(evaluator.sites.n_sites, evaluator.n_oxygen, replace=False))


def _moved(placement: np.ndarray, n_sites: int, generator: np.random.Generator) -> np.ndarray:
    """Return the placement with one O on another free site (as it is when none is free)."""
    free = np.setdiff1d(np.arange(n_sites), placement)
    if len(free) == 0:
        return placement
    moved = placement.copy()
    moved[int(generator.integers(len(moved)))] = int(generator.choice(free))
    return moved


def _while_new(evaluator: Evaluator) -> Iterator[None]:
    """Go on until the budget is spent, or PATIENCE rounds in a row have cost no relaxation: then hardly anything is
    left to find."""
    stale = 0
    while stale < PATIENCE and not evaluator.is_spent:
        before = evaluator.relaxations
        yield
        stale = stale + 1 if evaluator.relaxations == before else 0
