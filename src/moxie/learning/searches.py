"""Searches compared by what they cost until they come to the target: from their rows alone, no matter who ran them."""

import math
from pathlib import Path
from typing import Any

import numpy as np

TARGET_TOLERANCE_EV = 1e-6


def compare(
    searches: str | Path, facts: str | Path, output: str | Path, confidence: float, bootstrap_samples: int, seed: int
) -> dict[str, Any]:
    """Write metrics.json from the table `searches` and the facts about the problem that the searches left; return it.

    Raises InputError for a file that is missing or damaged.
    """
    from moxie.features.schemas import SEARCHES
    from moxie.features.tables import read_table
    from moxie.io import read_json, write_json

    metrics = read_json(facts)
    rows = read_table(searches, SEARCHES)
    metrics |= {"confidence": confidence, "bootstrap_samples": bootstrap_samples}
    metrics["methods"] = summarise(rows, metrics["target_eV"], metrics["budget"], confidence, bootstrap_samples, seed)
    write_json(output, metrics)
    return metrics


def summarise(
    rows: Any, target_eV: float, budget: int, confidence: float, bootstrap_samples: int, seed: int
) -> dict[str, dict[str, Any]]:
    """Return the scores of each method, with intervals of a bootstrap over seeds, which are alike and independent.

    rows: the table `searches`, which holds every improvement and the end of each search.
    success: share of searches that came to the target. median, percentile_90: relaxations until then, None where they
    exceed the budget. cost: mean relaxations until then, failures counted with the whole budget. excess_eV: mean
    energy above the target at the end. cost_ratio: cost over that of annealing (where that was run). rival: the
    cheapest of the other methods, and the cost over its.
    """
    costs, ends = {}, {}
    for method, part in rows.groupby("method", sort=False):
        hits = part[part["best_energy_eV"] <= target_eV + TARGET_TOLERANCE_EV].groupby("seed")["relaxations"].min()
        seeds = np.unique(part["seed"])
        costs[str(method)] = hits.reindex(seeds).fillna(math.inf).to_numpy(float)
        ends[str(method)] = part.groupby("seed")["best_energy_eV"].min().to_numpy(float) - target_eV
    generator = np.random.default_rng(seed)

    def ends_of(values: np.ndarray) -> dict[str, float]:
        low, high = np.quantile(values, [0.5 - confidence / 2, 0.5 + confidence / 2])
        return {"low": float(low), "high": float(high)}

    def finite(value: float) -> float | None:
        return value if math.isfinite(value) else None

    picks = {m: generator.integers(len(values), size=(bootstrap_samples, len(values))) for m, values in costs.items()}
    capped = {m: np.minimum(values, budget) for m, values in costs.items()}

    def ratio(method: str, other: str) -> dict[str, float]:
        drawn = [capped[name][picks[name]].mean(axis=1) for name in (method, other)]
        return {"value": float(capped[method].mean() / capped[other].mean()), **ends_of(drawn[0] / drawn[1])}

    scores = {}
    for method, values in costs.items():
        entry: dict[str, Any] = {
            "success": float(np.isfinite(values).mean()),
            "median": finite(float(np.quantile(values, 0.5, method="higher"))),
            "percentile_90": finite(float(np.quantile(values, 0.9, method="higher"))),
            "cost": {"value": float(capped[method].mean()), **ends_of(capped[method][picks[method]].mean(axis=1))},
            "excess_eV": {"value": float(ends[method].mean()), **ends_of(ends[method][picks[method]].mean(axis=1))},
        }
        others = [other for other in costs if other != method]
        if "annealing" in others:
            entry["cost_ratio"] = ratio(method, "annealing")
        if others:
            rival = min(others, key=lambda other: float(capped[other].mean()))
            entry["rival"] = {"method": rival, "cost_ratio": ratio(method, rival)}
        scores[method] = entry
    return scores
