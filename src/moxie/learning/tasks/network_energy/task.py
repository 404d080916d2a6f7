"""The relaxed energy of oxygen on the bonds of silicon, from how many O share which neighbourhoods.

Split: oxygen contents never seen, all cells with more O than any training cell; the rows are canonical structures, so
no test row has an equivalent in training. Baselines: the mean, and a straight line in the number of O. Models: ridge
regressions on counts of pairs, and of pairs and triplets, of O by their symmetry (a cluster expansion);
gradient-boosted trees on the same counts.
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from moxie.errors import InputError
from moxie.features.schemas import NETWORK_ENERGY_PREDICTIONS, PLACEMENTS
from moxie.learning.checks import check_columns, check_finite, check_groups, check_keys
from moxie.learning.grouped import best_alpha, permutation_importance
from moxie.learning.metrics import HeldOut, grouping, interval, rmse_ratio, scores_with_intervals
from moxie.learning.registry import LearningSettings, Task
from moxie.learning.splits import random_folds
from moxie.learning.tasks.network_energy.extrapolation import growth, last_step_half_width

BEST = "triplets"
N_SI = 16
FEATURES = (
    "n_oxygen",
    *(column.name for column in PLACEMENTS.columns if column.name.startswith(("pair_", "triplet_"))),
)
COLUMNS = {"mean": 0, "composition": 1, "pairs": 7, "triplets": 31, "trees": 31}  # of FEATURES, from the left
ORDER = {"mean": 0, "composition": 1, "pairs": 2, "triplets": 3, "trees": 3}  # atoms of the largest clusters
BLOCKS = {"pairs": range(1, 7), "triplets": range(7, 31)}  # with a fixed number of O each adds up to what it must
KEY = ("n_oxygen", "placement")
_SIZES = (50, 100, 200, 400)  # relaxations in the learning curve, before all of them
_REPEATS = 3
_FEWEST_CONTENTS = 3
_COPIES = 3  # of each structure in the leaky split
_FOLDS = 5


@dataclass(frozen=True)
class Data:
    """Training and test rows: counts of clusters (n, 31), energies (n,) in eV, oxygen atoms (n,), and the frames."""

    counts: np.ndarray
    energy: np.ndarray
    n_oxygen: np.ndarray
    test_counts: np.ndarray
    test_energy: np.ndarray
    test: Any
    parameter_set: str


def prepare(placements: Any, trained_up_to: int) -> Data:
    """Return the rows of the task from the table `placements`, sorted by key.

    Raises InputError for missing columns, repeated keys, energies that are not finite, several parameter sets, fewer
    than three oxygen contents in training and none beyond it.
    """
    check_columns(placements, "placements", "network_energy", (*KEY, *FEATURES[1:], "energy_eV", "parameter_set"))
    check_keys(placements, "placements", KEY)
    check_finite(placements, "placements", KEY, ("energy_eV",))
    names = sorted(placements["parameter_set"].unique())
    if len(names) > 1:
        raise InputError(f"The table placements mixes parameter sets: {', '.join(names)}.")
    frame = placements.sort_values(list(KEY), ignore_index=True)
    train = frame[frame["n_oxygen"] <= trained_up_to]
    test = frame[frame["n_oxygen"] > trained_up_to].reset_index(drop=True)
    advice = "Raise learning.placements.trained_up_to."
    check_groups(train["n_oxygen"], "placements", "network_energy", "oxygen contents", _FEWEST_CONTENTS, advice)
    if not len(test):
        raise InputError(
            f"The table placements has no row with more than {trained_up_to} O to test on. Raise "
            "learning.placements.tested_up_to."
        )
    return Data(
        train[list(FEATURES)].to_numpy(float),
        train["energy_eV"].to_numpy(float),
        train["n_oxygen"].to_numpy(),
        test[list(FEATURES)].to_numpy(float),
        test["energy_eV"].to_numpy(float),
        test,
        names[0],
    )


def estimators(counts: np.ndarray, energy: np.ndarray, n_oxygen: np.ndarray, seed: int) -> dict[str, Any]:
    """Return every model, not fitted; the penalties of the ridges are the best for contents left out of these rows."""
    from sklearn.dummy import DummyRegressor
    from sklearn.ensemble import GradientBoostingRegressor
    from sklearn.linear_model import LinearRegression

    models = {"mean": DummyRegressor(), "composition": LinearRegression()}
    for name in ("pairs", "triplets"):
        models[name] = _ridge(best_alpha(_ridge, counts[:, : COLUMNS[name]], energy, n_oxygen))
    return models | {"trees": GradientBoostingRegressor(random_state=seed)}


def run(inputs: Mapping[str, Path], output: Path, settings: LearningSettings, seed: int) -> dict[str, Any]:
    """Train, evaluate and write metrics.json, predictions.parquet, model.skops and card.md; return the metrics."""
    from threadpoolctl import threadpool_limits

    from moxie.features.tables import read_table
    from moxie.learning.outputs import write_outputs
    from moxie.learning.task_card import model_card
    from moxie.learning.tasks.network_energy.card import words

    log = logging.getLogger(__name__)
    data = prepare(read_table(inputs["placements"], PLACEMENTS), settings.trained_up_to)
    with threadpool_limits(limits=1):
        log.info("%d training and %d test structures", len(data.energy), len(data.test_energy))
        models = estimators(data.counts, data.energy, data.n_oxygen, seed)
        rows, half_widths = evaluate(models, data, settings, seed)
        metrics = summarise(models, rows, data, settings, seed)
    model = {
        "task": "network_energy",
        "pipeline": models[BEST],
        "half_width_eV": half_widths[BEST],
        "confidence": settings.confidence,
        "parameter_set": data.parameter_set,
        "most_oxygen": int(data.n_oxygen.max()),
    }
    low, high = interval(rows[BEST].mean, rows[BEST].deviation, settings.confidence)
    predictions = data.test[list(KEY)].assign(
        observed=data.test_energy,
        predicted=rows[BEST].mean,
        lower=low,
        upper=high,
        **{name: rows[name].mean for name in rows if name != BEST},
    )
    card = model_card(metrics, words(metrics))
    write_outputs(output, model, predictions, NETWORK_ENERGY_PREDICTIONS, card, metrics)
    return metrics


def evaluate(
    models: Mapping[str, Any], data: Data, settings: LearningSettings, seed: int
) -> tuple[dict[str, HeldOut], dict[str, float]]:
    """Fit every model to all training rows; return its predictions for the test rows and the half-width of its interval
    in the last step of the training (`moxie.learning.tasks.network_energy.extrapolation`)."""
    from scipy.stats import norm

    scale = norm.ppf(0.5 + settings.confidence / 2)
    highest = int(data.n_oxygen.max())
    lower = data.n_oxygen < highest
    without_last = estimators(data.counts[lower], data.energy[lower], data.n_oxygen[lower], seed)
    rows, half_widths = {}, {}
    for name, model in models.items():
        used = _used(name, data.counts)
        half_width = last_step_half_width(without_last[name], used, data.energy, data.n_oxygen, settings.confidence)
        mean = model.fit(used, data.energy).predict(_used(name, data.test_counts))
        deviation = half_width * growth(data.test["n_oxygen"], highest, ORDER[name]) / scale
        rows[name] = HeldOut(data.test_energy, mean, deviation, data.test["n_oxygen"].to_numpy())
        half_widths[name] = half_width
    return rows, half_widths


def last_step_errors(data: Data, seed: int) -> dict[str, float]:
    """Return each model's error for the highest training content, fitted to all lower ones: the inner split."""
    last = data.n_oxygen == data.n_oxygen.max()
    found = estimators(data.counts[~last], data.energy[~last], data.n_oxygen[~last], seed)
    errors = {}
    for name, model in found.items():
        model.fit(_used(name, data.counts[~last]), data.energy[~last])
        errors[name] = _rmse(model.predict(_used(name, data.counts[last])) - data.energy[last])
    return errors


def summarise(
    models: Mapping[str, Any],
    rows: Mapping[str, HeldOut],
    data: Data,
    settings: LearningSettings,
    seed: int,
) -> dict[str, Any]:
    """Return what goes into metrics.json."""
    n_test = data.test["n_oxygen"].to_numpy()
    best = rows[BEST]
    low, high = interval(best.mean, best.deviation, settings.confidence)
    covered = (best.observed >= low) & (best.observed <= high)
    return {
        "task": "network_energy",
        "target": "energy_eV",
        "unit": "eV",
        "features": list(FEATURES),
        "split": f"oxygen contents never seen: at most {settings.trained_up_to} O in training, more in the test",
        "seed": seed,
        "confidence": settings.confidence,
        "groups": grouping(n_test, "oxygen contents"),
        "parameter_set": data.parameter_set,
        "n_rows": len(data.energy),
        "n_test": len(data.test_energy),
        "target_range": [float(data.energy.min()), float(data.energy.max())],
        "models": {name: scores_with_intervals(held_out, settings.confidence) for name, held_out in rows.items()},
        "best": BEST,
        "alpha": {name: float(models[name]["model"].alpha) for name in ("pairs", "triplets")},
        "last_step_rmse": last_step_errors(data, seed),
        "rmse_ratios": {name: rmse_ratio(best, rows[name], settings.confidence) for name in rows if name != BEST},
        "by_content": [
            {
                "n_oxygen": int(n),
                "n_structures": int((n_test == n).sum()),
                "spread": float(data.test_energy[n_test == n].std()),
                "rmse": {name: _rmse((r.mean - r.observed)[n_test == n]) for name, r in rows.items()},
                "mean_error": {name: float((r.mean - r.observed)[n_test == n].mean()) for name, r in rows.items()},
                "coverage": float(covered[n_test == n].mean()),
                "half_width": float((high - best.mean)[n_test == n].mean()),
                "rmse_meV_per_si": 1000 * _rmse((best.mean - best.observed)[n_test == n]) / N_SI,
            }
            for n in np.unique(n_test)
        ],
        "learning_curve": learning_curve(data, seed),
        "importance": permutation_importance(
            models[BEST].predict, data.test_counts, BLOCKS, best, settings.confidence, seed, within=n_test
        ),
        "leakage": leakage(models, data, seed),
    }


def learning_curve(data: Data, seed: int) -> list[dict[str, Any]]:
    """Return the error on the test rows against the number of training relaxations, drawn at random.

    One entry per number and model: {"n", "model", "rmse", "low", "high"}, over several draws together; low and high
    are those of the best and the worst draw.
    """
    rng = np.random.default_rng(seed)
    entries = []
    for n in (*(size for size in _SIZES if size < len(data.energy)), len(data.energy)):
        squares: dict[str, list[np.ndarray]] = {}
        for _ in range(_REPEATS if n < len(data.energy) else 1):
            part = rng.choice(len(data.energy), n, replace=False)
            models = estimators(data.counts[part], data.energy[part], data.n_oxygen[part], seed)
            for name, model in models.items():
                model.fit(_used(name, data.counts[part]), data.energy[part])
                error = model.predict(_used(name, data.test_counts)) - data.test_energy
                squares.setdefault(name, []).append(error**2)
        entries += [
            {
                "n": n,
                "model": name,
                "rmse": float(np.sqrt(np.concatenate(values).mean())),
                "low": float(np.sqrt(min(draw.mean() for draw in values))),
                "high": float(np.sqrt(max(draw.mean() for draw in values))),
            }
            for name, values in squares.items()
        ]
    return entries


def leakage(models: Mapping[str, Any], data: Data, seed: int) -> dict[str, dict[str, float]]:
    """Return the error inside the training contents: whole canonical structures held out, and a random split.

    In the random split each structure is there several times, as equivalent placements that a list made without regard
    to symmetry would hold: a flexible model then only has to remember.
    """
    n = len(data.energy)
    structure = np.repeat(np.arange(n), _COPIES)
    results = {}
    for name in models:
        used = _used(name, data.counts)
        splits: dict[str, tuple[np.ndarray, Any]] = {
            "grouped_rmse": (np.arange(n), random_folds(n, _FOLDS, seed)),
            "random_rmse": (structure, random_folds(len(structure), _FOLDS, seed)),
        }
        results[name] = {
            kind: _cross_validated(models[name], used[index], data.energy[index], folds)
            for kind, (index, folds) in splits.items()
        }
    return results


def predict(model: Mapping[str, Any], frame: Any) -> Any:
    """Return predicted, lower, upper (eV) and applicability for rows with the counts of pairs and triplets."""
    import pandas

    counts = frame[list(FEATURES)].to_numpy(float)
    mean = model["pipeline"].predict(counts)
    most = model["most_oxygen"]
    half_width = model["half_width_eV"] * growth(counts[:, 0], most, ORDER[BEST])
    outside = f"outside: more than the {most} O of the training cells"
    return pandas.DataFrame(
        {
            "predicted": mean,
            "lower": mean - half_width,
            "upper": mean + half_width,
            "applicability": ["inside" if n <= most else outside for n in counts[:, 0]],
        }
    )


def complain(row: Mapping[str, Any], model: Mapping[str, Any]) -> str:
    """Say what is wrong with a row that is to be predicted, or nothing."""
    n = float(row["n_oxygen"])
    for kind, expected in (("pair", n * (n - 1) / 2), ("triplet", n * (n - 1) * (n - 2) / 6)):
        found = sum(float(row[name]) for name in FEATURES if name.startswith(kind))
        if found != expected:
            return f"{n:g} O make {expected:g} {kind}s, but the counts add up to {found:g}"
    return ""


def _ridge(alpha: float) -> Any:
    from sklearn.linear_model import Ridge
    from sklearn.pipeline import Pipeline
    from sklearn.preprocessing import StandardScaler

    return Pipeline([("scale", StandardScaler()), ("model", Ridge(alpha))])


def _used(name: str, counts: np.ndarray) -> np.ndarray:
    return counts[:, : max(COLUMNS[name], 1)]


def _cross_validated(model: Any, features: np.ndarray, target: np.ndarray, folds: Any) -> float:
    from sklearn.base import clone

    errors = [clone(model).fit(features[train], target[train]).predict(features[test]) - target[test]
              for train, test in folds]  # fmt: skip
    return _rmse(np.concatenate(errors))


def _rmse(errors: np.ndarray) -> float:
    return float(np.sqrt((errors**2).mean()))


TASK = Task(
    name="network_energy",
    description="The relaxed energy of oxygen on the bonds of silicon, beyond the oxygen contents of the training.",
    inputs={"placements": "features/placements.parquet"},
    run=run,
    predict=predict,
    columns=lambda model: {name: PLACEMENTS.column(name).unit for name in FEATURES},
    complain=complain,
    settings=("confidence", "trained_up_to"),
    needs=("placements",),
)
