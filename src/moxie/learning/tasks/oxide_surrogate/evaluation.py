"""Held-out predictions, learning curves and the leakage lesson, for any model and split."""

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from moxie.learning.metrics import HeldOut, scores_with_intervals
from moxie.learning.models import Model
from moxie.learning.splits import leave_one_group_out, random_folds
from moxie.learning.tasks.oxide_surrogate.noise import replica_noise

Factory = Callable[[], Model]


def held_out_predictions(
    make_model: Factory,
    features: np.ndarray,
    target: np.ndarray,
    groups: np.ndarray,
    cells: np.ndarray,
    split: Iterable[tuple[np.ndarray, np.ndarray]],
) -> tuple[HeldOut, Callable[[np.ndarray], np.ndarray]]:
    """Fit on the training rows of every fold, predict its test rows, and put them together in the order of the rows.

    Scaling, noise and constants are estimated from the training rows alone. The function that comes with the
    predictions gives the means for other features (n_rows, n_features), each row by the model that has not seen it.
    """
    folds = []
    for train, test in split:
        noise = replica_noise(target[train], cells[train]).variance
        folds.append((test, make_model().fit(features[train], target[train], noise)))

    def predict(others: np.ndarray) -> np.ndarray:
        both = np.full((2, len(target)), np.nan)
        for test, model in folds:
            both[:, test] = model.predict(others[test])
        return both

    mean, deviation = predict(features)
    return HeldOut(target, mean, deviation, groups), lambda others: predict(others)[0]


def learning_curve(
    models: dict[str, Factory],
    features: np.ndarray,
    target: np.ndarray,
    groups: np.ndarray,
    cells: np.ndarray,
    seed: int,
    confidence: float,
    repeats: int = 2,
) -> list[dict[str, Any]]:
    """Return the error on held-out groups against the number of training groups, drawn at random `repeats` times.

    One entry per number and model: {"n", "model", "rmse", "low", "high"}; from two training groups to all but one. The
    interval is over the held-out groups.
    """
    rng = np.random.default_rng(seed)
    distinct = np.unique(groups)
    entries = []
    for n_groups in range(2, len(distinct)):
        squares: dict[str, list[np.ndarray]] = {name: [] for name in models}
        tested: list[np.ndarray] = []
        for held_out in distinct:
            others = distinct[distinct != held_out]
            for _ in range(1 if n_groups == len(others) else repeats):
                train = np.isin(groups, rng.choice(others, n_groups, replace=False))
                test = groups == held_out
                tested.append(groups[test])
                noise = replica_noise(target[train], cells[train]).variance
                for name, make_model in models.items():
                    predicted, _ = make_model().fit(features[train], target[train], noise).predict(features[test])
                    squares[name].append((predicted - target[test]) ** 2)
        for name, values in squares.items():
            errors, rows = np.sqrt(np.concatenate(values)), np.concatenate(tested)
            zero = np.zeros(len(rows))
            rmse = scores_with_intervals(HeldOut(zero, errors, zero, rows), confidence)["rmse"]
            entries.append(
                {"n": n_groups, "model": name, "rmse": rmse["value"], "low": rmse["low"], "high": rmse["high"]}
            )
    return entries


def leakage(
    make_model: Factory,
    features: np.ndarray,
    target: np.ndarray,
    groups: np.ndarray,
    cells: np.ndarray,
    seed: int,
) -> dict[str, float]:
    """Return the error of the same model under the grouped split and under a random split of as many folds.

    In the random split replicas and neighbouring growth stages of a test row are in the training set.
    """
    n_folds = len(np.unique(groups))
    grouped, _ = held_out_predictions(make_model, features, target, groups, cells, leave_one_group_out(groups))
    random, _ = held_out_predictions(
        make_model, features, target, groups, cells, random_folds(len(target), n_folds, seed)
    )
    return {
        "grouped_rmse": float(np.sqrt(((grouped.mean - target) ** 2).mean())),
        "random_rmse": float(np.sqrt(((random.mean - target) ** 2).mean())),
    }
