"""The next recipe to simulate: where the surrogate of the oxide is least certain, and whether that is worth following.

Uncertainty sampling (Settles, Active Learning Literature Survey, 2009, section 3.1): the temperature at which the
Gaussian process has the largest predictive variance, averaged over the growth stages that a film would have there.
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from moxie.learning.metrics import HeldOut, rmse_ratio, scores_with_intervals
from moxie.learning.models import LONGEST, GaussianProcess
from moxie.learning.registry import LearningSettings
from moxie.learning.tasks.oxide_surrogate.noise import replica_noise
from moxie.learning.tasks.oxide_surrogate.task import FEATURES, Data, prepare

_GRID_STEPS = 20
_RANDOM_ORDERS = 10

Choice = Callable[[np.ndarray, np.ndarray, Callable[[float], float]], float]


def next_recipe(oxide_runs: str | Path, output: Mapping[str, str | Path], settings: LearningSettings, seed: int) -> Any:
    """Write the next configuration overlay (output["yaml"]) and its reasons (output["json"]); return the latter.

    Raises InputError as the task oxide_surrogate does.
    """
    from threadpoolctl import threadpool_limits

    from moxie.features.schemas import OXIDE_RUNS
    from moxie.features.tables import read_table
    from moxie.io import write_json, write_text

    data = prepare(read_table(oxide_runs, OXIDE_RUNS), settings.target)
    with threadpool_limits(limits=1):
        variances = candidate_variances(data, seed)
        record = {
            "target": settings.target,
            "length_scales": length_scales(_fit(data, np.ones(len(data.target), bool), seed)),
            "temperatures_K": np.unique(data.temperatures).tolist(),
            "candidates": [{"temperature_K": t, "standard_deviation": v**0.5} for t, v in variances.items()],
            "next_temperature_K": max(variances, key=lambda t: variances[t]),
            "retrospective": retrospective(data, settings, seed),
        }
    write_text(output["yaml"], overlay(record))
    write_json(output["json"], record)
    return record


def overlay(record: Mapping[str, Any]) -> str:
    """Return the overlay: the study's temperatures and the next one, so that films that exist are kept."""
    chosen = record["next_temperature_K"]
    deviation = next(c["standard_deviation"] for c in record["candidates"] if c["temperature_K"] == chosen)
    temperatures = ", ".join(f"{t:g}" for t in sorted([*record["temperatures_K"], chosen]))
    scales = record["length_scales"]
    why = (
        ""
        if scales["temperature_K"] < scales["longest"]
        else "# The process sees no bend against temperature (its length scale is at the bound), so the choice follows "
        "gaps in oxygen\n# between the films, not gaps in temperature.\n"
    )
    return (
        f"# The surrogate of {record['target']} is least certain at {chosen:g} K: standard deviation {deviation:.3g} "
        f"of a single run.\n{why}# Lay it over the study it was made from, after its own file:\n"
        "#   .venv/bin/snakemake --cores 2 --configfile my_study.yaml next.yaml\n"
        f"oxidation: {{temperatures_K: [{temperatures}]}}\n"
    )


def length_scales(process: GaussianProcess) -> dict[str, float]:
    """Return over how many standard deviations of each feature the process bends, and the longest that is allowed.

    At the longest it is a straight line in that feature, whose variance knows no gaps.
    """
    lengths = np.exp(process.pipeline["process"].kernel_.theta[1:3])
    return {**dict(zip(FEATURES, (float(x) for x in lengths), strict=True)), "longest": 0.999 * LONGEST}


def candidate_variances(data: Data, seed: int) -> dict[float, float]:
    """Return {temperature: predictive variance} on a grid between the temperatures of the study, these left out; in the
    middle between neighbours where they are as close as the grid."""
    known = np.unique(data.temperatures)
    grid, step = np.linspace(known[0], known[-1], _GRID_STEPS + 1, retstep=True)
    grid = np.round(grid[np.abs(grid[:, None] - known).min(axis=1) >= 0.5 * step], 1)
    if not len(grid):
        grid = np.round(0.5 * (known[1:] + known[:-1]), 1)
    everything = np.ones(len(data.target), bool)
    variance = variance_of(_fit(data, everything, seed), data, everything)
    return {float(temperature): variance(float(temperature)) for temperature in grid}


def variance_of(model: GaussianProcess, data: Data, rows: np.ndarray) -> Callable[[float], float]:
    """Return the predictive variance against temperature of a Gaussian process that was fitted to these rows.

    The oxygen content of each stage at a temperature is interpolated between those of the training films.
    """
    stages = data.frame["stage"].to_numpy()[rows]
    temperatures, oxygen = data.temperatures[rows], data.features[rows, 1]
    known = np.unique(temperatures)
    curves = [
        [oxygen[(stages == stage) & (temperatures == t)].mean() for t in known]
        for stage in np.unique(stages)
        if all(((stages == stage) & (temperatures == t)).any() for t in known)
    ]

    def variance(temperature: float) -> float:
        points = [(temperature, float(np.interp(temperature, known, curve))) for curve in curves]
        return float((model.predict(np.array(points))[1] ** 2).mean())

    return variance


def most_uncertain(chosen: np.ndarray, left: np.ndarray, variance: Callable[[float], float]) -> float:
    """Return the temperature of largest predictive variance."""
    return float(max(left, key=variance))


def widest_gap(chosen: np.ndarray, left: np.ndarray, variance: Callable[[float], float]) -> float:
    """Return the temperature farthest from all chosen ones: a grid that grows evenly."""
    return float(max(left, key=lambda t: np.abs(chosen - t).min()))


def at_random(rng: np.random.Generator) -> Choice:
    """Return a strategy that draws."""
    return lambda chosen, left, variance: float(rng.choice(left))


def retrospective(data: Data, settings: LearningSettings, seed: int) -> list[dict[str, Any]]:
    """Return how fast each strategy would have learnt what the finished sweep holds.

    Each replica in turn provides the training films, starting with the lowest and highest temperature and adding one
    at a time; the other replicas at all temperatures are the test. One entry per strategy and number of temperatures:
    {"strategy", "n_temperatures", "rmse", "low", "high", "ratio", "ratio_low", "ratio_high"}, the last three of its
    error to that of random choice. Intervals: over the temperatures of the test films, the same for both.
    Empty with one replica, since nothing can be held out.
    """
    replicas = data.frame["replica"].to_numpy()
    if len(np.unique(replicas)) < 2:
        return []
    rng = np.random.default_rng(seed)
    strategies: dict[str, Sequence[Choice]] = {
        "variance": [most_uncertain],
        "uniform grid": [widest_gap],
        "random": [at_random(rng)] * _RANDOM_ORDERS,
    }
    found: dict[str, dict[int, HeldOut]] = {}
    for name, choices in strategies.items():
        squares: dict[int, list[np.ndarray]] = {}
        for replica in np.unique(replicas):
            followed = [_follow(data, replicas == replica, choice, seed) for choice in choices]
            for n in followed[0]:
                squares.setdefault(n, []).append(np.mean([errors[n] ** 2 for errors in followed], axis=0))
        tested = np.concatenate([data.temperatures[replicas != replica] for replica in np.unique(replicas)])
        zero = np.zeros(len(tested))
        found[name] = {n: HeldOut(zero, np.sqrt(np.concatenate(part)), zero, tested) for n, part in squares.items()}
    entries = []
    for name, by_number in found.items():
        for n, rows in by_number.items():
            rmse = scores_with_intervals(rows, settings.confidence)["rmse"]
            ratio = rmse_ratio(rows, found["random"][n], settings.confidence)
            entry = {"strategy": name, "n_temperatures": n, "rmse": rmse["value"], "low": rmse["low"]}
            entry |= {"high": rmse["high"], "ratio": ratio["value"]}
            entries.append(entry | {"ratio_low": ratio["low"], "ratio_high": ratio["high"]})
    return entries


def _follow(data: Data, pool: np.ndarray, choice: Choice, seed: int) -> dict[int, np.ndarray]:
    """Return the errors on the rows outside the pool by number of temperatures, after each choice."""
    available = np.unique(data.temperatures[pool])
    chosen = np.array([available[0], available[-1]])
    results = {}
    while True:
        rows = pool & np.isin(data.temperatures, chosen)
        model = _fit(data, rows, seed)
        mean, _ = model.predict(data.features[~pool])
        results[len(chosen)] = mean - data.target[~pool]
        left = np.setdiff1d(available, chosen)
        if not len(left):
            return results
        chosen = np.append(chosen, choice(chosen, left, variance_of(model, data, rows)))


def _fit(data: Data, rows: np.ndarray, seed: int) -> GaussianProcess:
    noise = replica_noise(data.target[rows], data.cells[rows]).variance
    return GaussianProcess(seed, 0).fit(data.features[rows], data.target[rows], noise)
