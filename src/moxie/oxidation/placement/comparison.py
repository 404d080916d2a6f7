"""Searches side by side: the same cell, the same budget, many seeds, all relaxations counted."""

import logging
import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from moxie.oxidation.parameter_sets import load_parameters
from moxie.oxidation.placement.counts import enumerable
from moxie.oxidation.placement.evaluator import Evaluator, Relaxer, orbits
from moxie.oxidation.placement.searches import search
from moxie.oxidation.placement.sites import make_sites
from moxie.seeds import derive_seed

TARGET_TOLERANCE_EV = 1e-6


@dataclass(frozen=True)
class Settings:
    """A comparison: cell by name (`counts.CELLS`), number of O, methods (`searches.METHODS`), number of seeds, and the
    budget of each search in relaxations."""

    cell: str = "si16"
    n_oxygen: int = 6
    methods: tuple[str, ...] = ("random", "annealing", "genetic", "tree", "guided_tree", "model_alone")
    seeds: int = 10
    budget: int = 200


def run(
    settings: Settings, parameter_set: str, confidence: float, bootstrap_samples: int, seed: int, output: Path
) -> dict[str, Any]:
    """Compare the searches; write metrics.json, searches.parquet and best.extxyz into a folder, return the metrics.

    Where symmetry leaves few enough orbits all are relaxed first, so that the optimum is known; that is no search's
    cost. Raises InputError for an unknown cell or method, a number of O that does not fit, and a budget below 1.
    """
    from moxie.features.schemas import SEARCHES
    from moxie.features.tables import write_table
    from moxie.io import write_json
    from moxie.structures.network import write_networks

    log = logging.getLogger(__name__)
    parameters = load_parameters(parameter_set)
    sites = make_sites(settings.cell, parameters)
    relaxer = Relaxer(sites, parameters, settings.n_oxygen)
    every = enumerable(sites.cell, settings.n_oxygen)
    known = orbits(sites, settings.n_oxygen) if every else []
    for orbit in known:
        relaxer.relax(orbit)
    log.info("%d sites, %d operations, %s orbits", sites.n_sites, len(sites.images), len(known) or "too many")
    budget = min(settings.budget, len(known)) if every else settings.budget  # nothing is left to find beyond
    found: dict[str, list[Evaluator]] = {}
    for method in settings.methods:
        began, relaxing, relaxed = time.process_time(), relaxer.cpu_s, len(relaxer.energies_eV)
        seeds = [derive_seed(seed, "placement", method=method, repetition=k) for k in range(settings.seeds)]
        found[method] = [search(method, Evaluator(relaxer, budget), each) for each in seeds]
        spent = sum(evaluator.relaxations for evaluator in found[method])
        log.info(
            "%s: %.2f ms of searching for each of %d relaxations, %d of them new (%.2f ms each)",
            method,
            1e3 * (time.process_time() - began - relaxer.cpu_s + relaxing) / max(spent, 1),
            spent,
            len(relaxer.energies_eV) - relaxed,
            1e3 * relaxer.cpu_s / len(relaxer.energies_eV),
        )
    curves = {method: [e.energies_eV for e in evaluators] for method, evaluators in found.items()}
    best = min(relaxer.energies_eV, key=lambda orbit: (relaxer.energies_eV[orbit], orbit))
    metrics: dict[str, Any] = {
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
        "confidence": confidence,
        "bootstrap_samples": bootstrap_samples,
        "target_eV": relaxer.energies_eV[best],
        "target_is_optimum": every,
        "best": list(best),
        "methods": summarise(curves, relaxer.energies_eV[best], settings.budget, confidence, bootstrap_samples, seed),
    }
    for method, scores in metrics["methods"].items():
        log.info(
            "%s: target found in %.0f %%, median %s relaxations", method, 100 * scores["success"], scores["median"]
        )
    write_table(tabulate(curves), output / "searches.parquet", SEARCHES)
    write_networks(output / "best.extxyz", relaxer.network(best))
    write_json(output / "metrics.json", metrics)
    return metrics


def relaxations_to(energies_eV: Sequence[float], target_eV: float) -> float:
    """Return how many relaxations a search needed to come to the target; infinite where it did not."""
    hits = np.flatnonzero(np.asarray(energies_eV) <= target_eV + TARGET_TOLERANCE_EV)
    return float(hits[0] + 1) if len(hits) else math.inf


def summarise(
    curves: Mapping[str, Sequence[Sequence[float]]],
    target_eV: float,
    budget: int,
    confidence: float,
    bootstrap_samples: int,
    seed: int,
) -> dict[str, dict[str, Any]]:
    """Return the scores of each method, with intervals of a bootstrap over seeds.

    success: share of searches that came to the target. median, percentile_90: relaxations until then, None where they
    exceed the budget. cost: mean relaxations until then, failures counted with the whole budget. excess_eV: mean
    energy above the target at the end. cost_ratio: cost over that of annealing (where that was run).
    """
    costs = {m: np.array([relaxations_to(curve, target_eV) for curve in c]) for m, c in curves.items()}
    ends = {m: np.array([min(curve) for curve in c]) - target_eV for m, c in curves.items()}
    generator = np.random.default_rng(seed)

    def ends_of(values: np.ndarray) -> dict[str, float]:
        low, high = np.quantile(values, [0.5 - confidence / 2, 0.5 + confidence / 2])
        return {"low": float(low), "high": float(high)}

    def finite(value: float) -> float | None:
        return value if math.isfinite(value) else None

    picks = {m: generator.integers(len(values), size=(bootstrap_samples, len(values))) for m, values in costs.items()}
    capped = {m: np.minimum(values, budget) for m, values in costs.items()}
    scores = {}
    for method, values in costs.items():
        entry: dict[str, Any] = {
            "success": float(np.isfinite(values).mean()),
            "median": finite(float(np.quantile(values, 0.5, method="higher"))),
            "percentile_90": finite(float(np.quantile(values, 0.9, method="higher"))),
            "cost": {"value": float(capped[method].mean()), **ends_of(capped[method][picks[method]].mean(axis=1))},
            "excess_eV": {"value": float(ends[method].mean()), **ends_of(ends[method][picks[method]].mean(axis=1))},
        }
        if "annealing" in costs and method != "annealing":
            other = capped["annealing"]
            ratios = capped[method][picks[method]].mean(axis=1) / other[picks["annealing"]].mean(axis=1)
            entry["cost_ratio"] = {"value": float(capped[method].mean() / other.mean()), **ends_of(ratios)}
        scores[method] = entry
    return scores


def tabulate(curves: Mapping[str, Sequence[Sequence[float]]]) -> Any:
    """Return the table `searches`: a row wherever a search found something lower, and at its end."""
    import pandas

    rows = []
    for method, searches in curves.items():
        for number, energies in enumerate(searches):
            lowest = np.minimum.accumulate(energies)
            kept = np.flatnonzero(np.diff(lowest, prepend=np.inf) < 0)
            for k in np.union1d(kept, len(lowest) - 1).tolist():
                rows.append((method, number, k + 1, float(lowest[k])))
    return pandas.DataFrame(rows, columns=["method", "seed", "relaxations", "best_energy_eV"])
