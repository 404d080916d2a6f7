"""Scores of predictions with confidence intervals."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class HeldOut:
    """Predictions for rows that were held out; all arrays have shape (n_rows,)."""

    observed: np.ndarray
    mean: np.ndarray
    deviation: np.ndarray
    groups: np.ndarray


def interval(mean: np.ndarray, deviation: np.ndarray, confidence: float) -> tuple[np.ndarray, np.ndarray]:
    """Return the ends of the central Gaussian interval that is to hold a share `confidence` of new runs."""
    from scipy.stats import norm

    half_width = norm.ppf(0.5 + confidence / 2) * deviation
    return mean - half_width, mean + half_width


def scores(rows: HeldOut, confidence: float) -> dict[str, float]:
    """Return rmse, mae, r2 (against the mean of these rows), coverage and mean width of the interval."""
    error = rows.mean - rows.observed
    low, high = interval(rows.mean, rows.deviation, confidence)
    total = float(((rows.observed - rows.observed.mean()) ** 2).sum())
    return {
        "rmse": float(np.sqrt((error**2).mean())),
        "mae": float(np.abs(error).mean()),
        "r2": 1.0 - float((error**2).sum()) / total if total > 0 else float("nan"),
        "coverage": float(((rows.observed >= low) & (rows.observed <= high)).mean()),
        "interval_width": float((high - low).mean()),
    }


def scores_with_intervals(
    rows: HeldOut, confidence: float, n_samples: int, seed: int
) -> dict[str, dict[str, float | None]]:
    """Return every score as {value, low, high}, the interval by bootstrap over whole groups.

    Groups (temperatures) are drawn with replacement, since the rows of one group are not independent; the ends are
    percentiles. With few groups such an interval is itself rough, and too narrow rather than too wide.
    """
    rng = np.random.default_rng(seed)
    groups = np.unique(rows.groups)
    members = {group: np.flatnonzero(rows.groups == group) for group in groups}
    alone = len(groups) == len(rows.groups)
    resampled = []
    for _ in range(n_samples):
        drawn = rng.choice(len(groups), len(groups))
        index = drawn if alone else np.concatenate([members[groups[number]] for number in drawn])
        resampled.append(scores(_take(rows, index), confidence))
    tail = 100 * (1 - confidence) / 2
    result: dict[str, dict[str, float | None]] = {}
    for name, value in scores(rows, confidence).items():
        values = np.array([sample[name] for sample in resampled])
        values = values[np.isfinite(values)]
        ends = np.percentile(values, [tail, 100 - tail]) if len(values) else (None, None)
        result[name] = {"value": _plain(value), "low": _plain(ends[0]), "high": _plain(ends[1])}
    return result


def rmse_ratio(a: HeldOut, b: HeldOut, confidence: float, n_samples: int, seed: int) -> dict[str, float]:
    """Return rmse(a) / rmse(b) with its interval, by a bootstrap that draws the same groups for both."""
    rng = np.random.default_rng(seed)
    groups = np.unique(a.groups)
    table = np.array([[_squared_error(rows, group) for rows in (a, b)] for group in groups])
    drawn = rng.integers(len(groups), size=(n_samples, len(groups)))
    sums = table[drawn].sum(axis=1)
    tail = 100 * (1 - confidence) / 2
    low, high = np.percentile(np.sqrt(sums[:, 0] / sums[:, 1]), [tail, 100 - tail])
    total = table.sum(axis=0)
    return {"value": float(np.sqrt(total[0] / total[1])), "low": float(low), "high": float(high)}


def _squared_error(rows: HeldOut, group: float) -> float:
    return float(((rows.mean - rows.observed)[rows.groups == group] ** 2).sum())


def _take(rows: HeldOut, index: np.ndarray) -> HeldOut:
    return HeldOut(rows.observed[index], rows.mean[index], rows.deviation[index], rows.groups[index])


def _plain(value: float | None) -> float | None:
    return None if value is None or not np.isfinite(value) else float(value)
