"""Gaussian process with known noise, and the baselines it has to beat.

Every model has `fit(features, target, noise_variance)` and `predict(features) -> (mean, standard deviation)`, where the
standard deviation is that of a single new run, noise included. Features are columns (temperature, oxygen per area).
"""

import math
from collections.abc import Callable, Sequence
from typing import Any, Protocol

import numpy as np

from moxie.learning.splits import leave_one_group_out

LONGEST = 30.0  # length scale of a process, in standard deviations of a feature


class Model(Protocol):
    def fit(self, features: np.ndarray, target: np.ndarray, noise_variance: np.ndarray | None) -> "Model": ...

    def predict(self, features: np.ndarray) -> tuple[np.ndarray, np.ndarray]: ...


class Process:
    """A Gaussian process on scaled features; `noise_variance` is added to its predictive variance."""

    def __init__(self) -> None:
        self.pipeline: Any = None
        self.noise_variance = 0.0

    def _fit(self, process: Any, features: np.ndarray, target: np.ndarray) -> None:
        import warnings

        from sklearn.exceptions import ConvergenceWarning
        from sklearn.pipeline import Pipeline
        from sklearn.preprocessing import StandardScaler

        self.pipeline = Pipeline([("scale", StandardScaler()), ("process", process)])
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)  # a constant at its bound is an answer, not a failure
            self.pipeline.fit(features, target)

    def predict(self, features: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        mean, deviation = self.pipeline.predict(features, return_std=True)
        return mean, np.sqrt(deviation**2 + self.noise_variance)


class GaussianProcess(Process):
    """Linear trend plus smooth deviation plus white noise, on scaled features (Rasmussen, Williams 2006, ch. 2).

    Kernel: c1 RBF(one length per feature) + c2 (s^2 + x.x') + w; the variance between replicas stands on the diagonal
    beside it, so that w takes up only what the smooth part cannot. The constants maximise the marginal likelihood.
    """

    def __init__(self, seed: int = 0, restarts: int = 2):
        super().__init__()
        self._seed, self._restarts = seed, restarts

    def fit(self, features: np.ndarray, target: np.ndarray, noise_variance: np.ndarray | None) -> "GaussianProcess":
        from sklearn.gaussian_process import GaussianProcessRegressor
        from sklearn.gaussian_process.kernels import RBF, ConstantKernel, DotProduct, WhiteKernel

        kernel = (
            ConstantKernel(1.0, (1e-3, 1e3)) * RBF(np.ones(features.shape[1]), (0.2, LONGEST))
            + ConstantKernel(0.1, (1e-4, 1e2)) * DotProduct(1.0, "fixed")
            + WhiteKernel(1e-2, (1e-6, 1e1))
        )
        scale = float(target.std()) or 1.0  # what normalize_y divides by
        alpha = 1e-8 if noise_variance is None else noise_variance / scale**2 + 1e-8
        self.noise_variance = 0.0 if noise_variance is None else float(noise_variance.mean())
        process = GaussianProcessRegressor(
            kernel,
            alpha=alpha,
            normalize_y=True,
            n_restarts_optimizer=self._restarts,
            random_state=self._seed,
        )
        self._fit(process, features, target)
        return self

    @property
    def kernel(self) -> str:
        """The kernel with its fitted constants, for scaled features and target."""
        return str(self.pipeline["process"].kernel_)


class OfColumns:
    """A model that sees only some columns of the features."""

    def __init__(self, make: Callable[[], Model], columns: Sequence[int]):
        self._model, self._columns = make(), list(columns)

    def fit(self, features: np.ndarray, target: np.ndarray, noise_variance: np.ndarray | None) -> "OfColumns":
        self._model.fit(features[:, self._columns], target, noise_variance)
        return self

    def predict(self, features: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return self._model.predict(features[:, self._columns])


class MeanBaseline:
    """The mean of the training rows; the interval is that of one more row of a normal distribution.

    With few rows Student's t widens it; so that it fits among Gaussian intervals, `deviation` is the half-width at the
    given confidence over the Gaussian quantile.
    """

    def __init__(self, confidence: float = 0.9):
        self._confidence = confidence

    def fit(self, features: np.ndarray, target: np.ndarray, noise_variance: np.ndarray | None) -> "MeanBaseline":
        n = len(target)
        spread = float(target.std(ddof=1)) * math.sqrt(1 + 1 / n)
        self.mean, self.deviation = float(target.mean()), spread * _student(n - 1, self._confidence)
        return self

    def predict(self, features: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return np.full(len(features), self.mean), np.full(len(features), self.deviation)


class Plane:
    """A straight line in every feature by least squares; the interval comes from the residuals."""

    def fit(self, features: np.ndarray, target: np.ndarray, noise_variance: np.ndarray | None) -> "Plane":
        columns = np.column_stack([np.ones(len(features)), features])
        self._coefficients, *_ = np.linalg.lstsq(columns, target, rcond=None)
        residuals = target - columns @ self._coefficients
        self._deviation = float(np.sqrt((residuals**2).sum() / max(len(target) - columns.shape[1], 1)))
        return self

    def predict(self, features: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        mean = self._coefficients[0] + features @ self._coefficients[1:]
        return mean, np.full(len(features), self._deviation)


class LinearInterpolation:
    """Piecewise linear in the second feature at every training temperature, then linear between the two nearest.

    Beyond the ends of the data the nearest value is kept: continuing the outermost slope does far worse, since most
    observables of a film saturate. Replicas with equal features are averaged. The interval has the root-mean-square
    error of leaving out one training temperature at a time, or that of the replicas if it is larger.
    """

    def fit(self, features: np.ndarray, target: np.ndarray, noise_variance: np.ndarray | None) -> "LinearInterpolation":
        self._curves = _curves(features, target)
        residuals = [
            target[test] - _interpolate(_curves(features[train], target[train]), features[test])
            for train, test in leave_one_group_out(features[:, 0])
            if len(train)
        ]
        squares = np.concatenate(residuals) ** 2 if residuals else np.zeros(1)
        noise = 0.0 if noise_variance is None else float(noise_variance.mean())
        self._deviation = float(np.sqrt(max(squares.mean(), noise)))
        return self

    def predict(self, features: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return _interpolate(self._curves, features), np.full(len(features), self._deviation)


def _student(freedom: int, confidence: float) -> float:
    """Return the quantile of Student's t over that of a normal distribution."""
    from scipy.stats import norm, t

    return float(t.ppf(0.5 + confidence / 2, freedom) / norm.ppf(0.5 + confidence / 2))


def _curves(features: np.ndarray, target: np.ndarray) -> dict[float, tuple[np.ndarray, np.ndarray]]:
    curves = {}
    for temperature in np.unique(features[:, 0]):
        rows = features[:, 0] == temperature
        oxygen, index = np.unique(features[rows, 1], return_inverse=True)
        curves[float(temperature)] = (oxygen, np.bincount(index, target[rows]) / np.bincount(index))
    return curves


def _interpolate(curves: dict[float, tuple[np.ndarray, np.ndarray]], features: np.ndarray) -> np.ndarray:
    temperatures = np.array(sorted(curves))
    at_each = np.array([np.interp(features[:, 1], *curves[temperature]) for temperature in temperatures])
    return np.array([np.interp(t, temperatures, values) for t, values in zip(features[:, 0], at_each.T, strict=True)])
