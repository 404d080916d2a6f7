"""Models weighted inside the training rows alone, with intervals from held-out groups: nested cross-validation.

The outer folds say how good a model is on groups it has not seen. Inside each training set, grouped inner folds weight
the candidates and calibrate the interval, so that no test row has any part in either.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from moxie.errors import InputError

KINDS = ("bayesian_ridge", "gaussian_process")
SIZE = "HeavyAtomCount"
LARGE_FROM = 12  # heavy atoms; larger molecules have an interval of their own
FEWEST_TO_CALIBRATE = 50  # of each size


@dataclass(frozen=True)
class Candidate:
    """A kind of model on some columns; with a `base` column it learns what that column is wrong by."""

    kind: str
    columns: tuple[str, ...]
    base: str | None = None
    label: str = ""


@dataclass(frozen=True)
class Fitted:
    """Candidates fitted to all training rows, with their weights, which are positive and add up to one.

    `factors` times the mean standard deviation is the half-width of the interval, the second for molecules with more
    than LARGE_FROM heavy atoms; `inner_rmse` is the error in the inner folds of every candidate by label, and of all
    together under "weighted".
    """

    members: tuple[tuple[Candidate, Any, float], ...]
    factors: tuple[float, float]
    inner_rmse: Mapping[str, float] = field(default_factory=dict)

    def predict(self, table: Mapping[str, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
        """Return prediction and half-width of the interval, each of shape (n_rows,)."""
        mean, deviation = np.zeros((2, len(next(iter(table.values())))))
        for candidate, pipeline, weight in self.members:
            one, spread = _predict(candidate, pipeline, table)
            mean += weight * one
            deviation += weight * spread
        return mean, np.where(_large(table), self.factors[1], self.factors[0]) * deviation

    @property
    def weights(self) -> dict[str, float]:
        """The weights by label of the candidate."""
        return {candidate.label: weight for candidate, _, weight in self.members}


def grouped_folds(groups: np.ndarray, n_folds: int) -> list[tuple[np.ndarray, np.ndarray]]:
    """Give (training rows, test rows): whole groups, folds as equal as they can be, largest groups first.

    Raises InputError for fewer groups than folds, or a single one.
    """
    from sklearn.model_selection import GroupKFold

    n_groups = len(np.unique(groups))
    if n_groups < max(n_folds, 2):
        raise InputError(f"{len(groups)} rows in {n_groups} group(s) cannot be split into {n_folds} folds.")
    return list(GroupKFold(n_folds).split(groups, groups=groups))


def fit_models(
    models: Mapping[str, Sequence[Candidate]],
    table: Mapping[str, np.ndarray],
    target: np.ndarray,
    groups: np.ndarray,
    confidence: float,
    n_folds: int = 5,
) -> dict[str, Fitted]:
    """Fit all candidates; weight those of each model by grouped inner folds and calibrate the interval of their mean.

    There are `n_folds` inner folds, or as many as groups if these are fewer. A candidate of several models is fitted
    once. Constants are set by the evidence, in every inner fold anew from its own rows: those of all rows given here
    would have seen what the fold holds out.

    Weights: the non-negative ones that fit the inner held-out predictions best, divided by their sum (stacking:
    Breiman, Mach. Learn. 24, 49 (1996)). Interval: cross-conformal (Vovk, Ann. Math. Artif. Intell. 74, 9 (2015)) with
    whole groups held out and residuals divided by the models' standard deviation, small and large molecules apart
    where there are FEWEST_TO_CALIBRATE of each.
    """
    from scipy.optimize import nnls

    folds = grouped_folds(groups, min(n_folds, len(np.unique(groups))))
    candidates = list(dict.fromkeys(candidate for options in models.values() for candidate in options))
    pipelines = [_fit(candidate, table, target) for candidate in candidates]
    means, deviations = np.empty((2, len(target), len(candidates)))
    for train, test in folds:
        part = rows_of(table, train)
        for number, (candidate, pipeline) in enumerate(zip(candidates, pipelines, strict=True)):
            inner = _fit(candidate, part, target[train], start=pipeline)
            means[test, number], deviations[test, number] = _predict(candidate, inner, rows_of(table, test))
    found = {}
    for name, options in models.items():
        chosen = [candidates.index(candidate) for candidate in options]
        weights, _ = nnls(means[:, chosen], target)
        weights = weights / weights.sum() if weights.sum() > 0 else np.full(len(chosen), 1 / len(chosen))
        residuals = target - means[:, chosen] @ weights
        errors = {candidates[k].label: _rmse(target - means[:, k]) for k in chosen}
        members = zip(options, (pipelines[k] for k in chosen), weights.tolist(), strict=True)
        scores = np.abs(residuals) / (deviations[:, chosen] @ weights)
        found[name] = Fitted(
            tuple(member for member in members if member[2] > 0),
            _factors(scores, _large(table), confidence),
            errors | {"weighted": _rmse(residuals)},
        )
    return found


def _factors(scores: np.ndarray, large: np.ndarray, confidence: float) -> tuple[float, float]:
    if min(large.sum(), (~large).sum()) < FEWEST_TO_CALIBRATE:
        return (conformal_quantile(scores, confidence),) * 2
    return conformal_quantile(scores[~large], confidence), conformal_quantile(scores[large], confidence)


def _large(table: Mapping[str, np.ndarray]) -> np.ndarray:
    """Return which rows are large molecules, (n_rows,); none where sizes are not among the columns."""
    sizes = table.get(SIZE)
    return np.zeros(len(next(iter(table.values()))), bool) if sizes is None else sizes > LARGE_FROM


def conformal_quantile(scores: np.ndarray, confidence: float) -> float:
    """Return the ceil((n + 1) confidence)-th smallest of n scores, the largest if there are too few."""
    rank = int(np.ceil((len(scores) + 1) * confidence))
    return float(np.sort(scores)[min(rank, len(scores)) - 1])


def _fit(candidate: Candidate, table: Mapping[str, np.ndarray], target: np.ndarray, start: Any = None) -> Any:
    """Return a fitted pipeline; the search for a process's constants begins at those of `start`, where it is given."""
    import warnings

    from sklearn.exceptions import ConvergenceWarning
    from sklearn.gaussian_process import GaussianProcessRegressor
    from sklearn.gaussian_process.kernels import RBF, ConstantKernel, DotProduct, WhiteKernel
    from sklearn.linear_model import BayesianRidge

    features, rest = _features(candidate, table), target - _base(candidate, table)
    if candidate.kind == "bayesian_ridge":
        return _pipeline(BayesianRidge()).fit(features, rest)
    kernel = (
        ConstantKernel(1.0, (1e-2, 1e3)) * RBF(10.0, (1.0, 1e3))
        + ConstantKernel(1e-2, (1e-5, 1e1)) * DotProduct(1.0, "fixed")
        + WhiteKernel(5e-2, (1e-4, 1.0))
    )
    if start is not None:
        kernel = kernel.clone_with_theta(start["model"].kernel_.theta)
    pipeline = _pipeline(GaussianProcessRegressor(kernel, alpha=1e-8, normalize_y=True, random_state=0))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # a constant at its bound is an answer, not a failure
        return pipeline.fit(features, rest)


def _predict(candidate: Candidate, pipeline: Any, table: Mapping[str, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    features, base = _features(candidate, table), _base(candidate, table)
    mean, deviation = pipeline.predict(features, return_std=True)
    return base + mean, deviation


def _pipeline(model: Any) -> Any:
    from sklearn.feature_selection import VarianceThreshold
    from sklearn.pipeline import Pipeline
    from sklearn.preprocessing import StandardScaler

    return Pipeline([("varying", VarianceThreshold()), ("scale", StandardScaler()), ("model", model)])


def _features(candidate: Candidate, table: Mapping[str, np.ndarray]) -> np.ndarray:
    return np.column_stack([table[name] for name in candidate.columns])


def _base(candidate: Candidate, table: Mapping[str, np.ndarray]) -> np.ndarray:
    return table[candidate.base] if candidate.base else np.zeros(len(table[candidate.columns[0]]))


def rows_of(table: Mapping[str, np.ndarray], rows: np.ndarray) -> dict[str, np.ndarray]:
    return {name: values[rows] for name, values in table.items()}


def _rmse(residuals: np.ndarray) -> float:
    return float(np.sqrt((residuals**2).mean()))
