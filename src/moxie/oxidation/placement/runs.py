"""Searches side by side: the same cell, the same budget, many seeds, all relaxations counted; raw rows, no verdict."""

import logging
import math
import time
from dataclasses import dataclass
from typing import Any

import numpy as np

from moxie.oxidation.parameter_sets import load_parameters
from moxie.oxidation.placement.counts import enumerable
from moxie.oxidation.placement.evaluator import Evaluator, Relaxer, orbits
from moxie.oxidation.placement.searches import METHODS, search
from moxie.oxidation.placement.sites import make_sites
from moxie.seeds import derive_seed
from moxie.structures.network import Network


@dataclass(frozen=True)
class SearchSettings:
    """Searches to run: cell by name (`counts.CELLS`), number of O, methods (`searches.METHODS`), number of seeds, and
    the budget of each search in relaxations."""

    cell: str = "si16"
    n_oxygen: int = 6
    methods: tuple[str, ...] = tuple(name for name in METHODS if name != "enumeration")
    seeds: int = 10
    budget: int = 150


@dataclass(frozen=True)
class Runs:
    """What searches found: `rows` of the table `searches`, `facts` about the problem, and the best relaxed network."""

    rows: Any
    facts: dict[str, Any]
    best: Network


def run_searches(settings: SearchSettings, parameter_set: str, seed: int, log: logging.Logger | None = None) -> Runs:
    """Run every method with every seed.

    Where symmetry leaves few enough orbits all are relaxed first, so that the optimum is known; that is no search's
    cost. Raises InputError for an unknown cell or method, a number of O that does not fit, and a budget below 1.
    """
    log = log or logging.getLogger(__name__)
    parameters = load_parameters(parameter_set)
    sites = make_sites(settings.cell, parameters)
    relaxer = Relaxer(sites, parameters, settings.n_oxygen)
    every = enumerable(sites.cell, settings.n_oxygen)
    known = orbits(sites, settings.n_oxygen) if every else []
    for orbit in known:
        relaxer.relax(orbit)
    log.info("%d sites, %d operations, %s orbits", sites.n_sites, len(sites.images), len(known) or "too many")
    budget = min(settings.budget, len(known)) if every else settings.budget  # nothing is left to find beyond
    curves: dict[str, list[list[float]]] = {}
    for method in settings.methods:
        began, relaxing, relaxed = time.process_time(), relaxer.cpu_s, len(relaxer.energies_eV)
        seeds = [derive_seed(seed, "placement", method=method, repetition=k) for k in range(settings.seeds)]
        curves[method] = [search(method, Evaluator(relaxer, budget), each).energies_eV for each in seeds]
        spent = sum(map(len, curves[method]))
        log.info(
            "%s: %.2f ms of searching for each of %d relaxations, %d of them new (%.2f ms each)",
            method,
            1e3 * (time.process_time() - began - relaxer.cpu_s + relaxing) / max(spent, 1),
            spent,
            len(relaxer.energies_eV) - relaxed,
            1e3 * relaxer.cpu_s / len(relaxer.energies_eV),
        )
    best = min(relaxer.energies_eV, key=lambda orbit: (relaxer.energies_eV[orbit], orbit))
    facts = {
        "cell": settings.cell,
        "n_oxygen": settings.n_oxygen,
        "parameter_set": parameters.name,
        "n_sites": sites.n_sites,
        "n_operations": len(sites.images),
        "n_placements": math.comb(sites.n_sites, settings.n_oxygen),
        "n_orbits": len(known) or None,
        "budget": settings.budget,
        "seeds": settings.seeds,
        "seed": seed,
        "target_eV": relaxer.energies_eV[best],
        "target_is_optimum": every,
        "best": list(best),
    }
    return Runs(tabulate(curves), facts, relaxer.network(best))


def tabulate(curves: dict[str, list[list[float]]]) -> Any:
    """Return the table `searches`: a row wherever a search found something lower, and at its end.

    curves: by method and seed, the energies that a search paid for, in order.
    """
    import pandas

    rows = []
    for method, searches in curves.items():
        for number, energies in enumerate(searches):
            lowest = np.minimum.accumulate(energies)
            kept = np.flatnonzero(np.diff(lowest, prepend=np.inf) < 0)
            for k in np.union1d(kept, len(lowest) - 1).tolist():
                rows.append((method, number, k + 1, float(lowest[k])))
    return pandas.DataFrame(rows, columns=["method", "seed", "relaxations", "best_energy_eV"])
