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

    `factor` times the members' mean standard deviation is the half-width of the interval; `inner_rmse` is the error in
    the inner folds of every candidate by label, and of all together under "weighted".
    """

    members: tuple[tuple[Candidate, Any, float], ...]
    factor: float
    inner_rmse: Mapping[str, float] = field(default_factory=dict)

    def predict(self, table: Mapping[str, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
        """Return prediction and half-width of the interval, each of shape (n_rows,)."""
        mean, deviation = np.zeros((2, len(next(iter(table.values())))))
        for candidate, pipeline, weight in self.members:
            one, spread = _predict(candidate, pipeline, table)
            mean += weight * one
            deviation += weight * spread
        return mean, self.factor * deviation

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


def fit_weighted(
    candidates: Sequence[Candidate],
    table: Mapping[str, np.ndarray],
    target: np.ndarray,
    groups: np.ndarray,
    confidence: float,
    n_folds: int = 5,
) -> Fitted:
    """Fit all candidates, weight them by grouped inner folds and calibrate the interval of the weighted mean.

    There are `n_folds` inner folds, or as many as groups if these are fewer.

    Weights: the non-negative ones that fit the inner held-out predictions best, divided by their sum (stacking:
    Breiman, Mach. Learn. 24, 49 (1996)). Both kinds of model set their constants by the evidence; a Gaussian process
    keeps those of all rows given here in the inner folds. Interval: cross-conformal (Vovk, Ann. Math. Artif. Intell.
    74, 9 (2015)) with whole groups held out and residuals divided by the models' standard deviation.
    """
    from scipy.optimize import nnls

    folds = grouped_folds(groups, min(n_folds, len(np.unique(groups))))
    pipelines = [_fit(candidate, table, target) for candidate in candidates]
    means, deviations = np.empty((2, len(target), len(candidates)))
    for train, test in folds:
        for number, (candidate, pipeline) in enumerate(zip(candidates, pipelines, strict=True)):
            inner = _refit(candidate, pipeline, rows_of(table, train), target[train])
            means[test, number], deviations[test, number] = _predict(candidate, inner, rows_of(table, test))
    weights, _ = nnls(means, target)
    weights = weights / weights.sum() if weights.sum() > 0 else np.full(len(candidates), 1 / len(candidates))
    residuals = target - means @ weights
    errors = {c.label: _rmse(target - mean) for c, mean in zip(candidates, means.T, strict=True)}
    return Fitted(
        tuple(member for member in zip(candidates, pipelines, weights.tolist(), strict=True) if member[2] > 0),
        conformal_quantile(np.abs(residuals) / (deviations @ weights), confidence),
        errors | {"weighted": _rmse(residuals)},
    )


def conformal_quantile(scores: np.ndarray, confidence: float) -> float:
    """Return the ceil((n + 1) confidence)-th smallest of n scores, the largest if there are too few."""
    rank = int(np.ceil((len(scores) + 1) * confidence))
    return float(np.sort(scores)[min(rank, len(scores)) - 1])


def _fit(candidate: Candidate, table: Mapping[str, np.ndarray], target: np.ndarray) -> Any:
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
    pipeline = _pipeline(GaussianProcessRegressor(kernel, alpha=1e-8, normalize_y=True))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # a constant at its bound is an answer, not a failure
        return pipeline.fit(features, rest)


def _refit(candidate: Candidate, pipeline: Any, table: Mapping[str, np.ndarray], target: np.ndarray) -> Any:
    """Return a new model with the same constants, fitted to other rows."""
    from sklearn.base import clone

    again = clone(pipeline)
    if candidate.kind == "gaussian_process":
        again.set_params(model__kernel=pipeline["model"].kernel_, model__optimizer=None)
    return again.fit(_features(candidate, table), target - _base(candidate, table))


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
