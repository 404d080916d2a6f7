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
    return {name: float(value) for name, value in _from_sums(_addends(rows, confidence).sum(axis=0)).items()}


def scores_with_intervals(
    rows: HeldOut, confidence: float, n_samples: int, seed: int
) -> dict[str, dict[str, float | None]]:
    """Return every score as {value, low, high}, the interval by bootstrap over whole groups.

    Groups (temperatures) are drawn with replacement, since the rows of one group are not independent; the ends are
    percentiles. With few groups such an interval is itself rough, and too narrow rather than too wide.
    """
    sums = sums_by_group(_addends(rows, confidence), rows.groups)
    resampled = _from_sums(resampled_sums(sums, n_samples, seed))
    tail = 100 * (1 - confidence) / 2
    result: dict[str, dict[str, float | None]] = {}
    for name, value in _from_sums(sums.sum(axis=0)).items():
        values = resampled[name][np.isfinite(resampled[name])]
        ends = np.percentile(values, [tail, 100 - tail]) if len(values) else (None, None)
        result[name] = {"value": _plain(float(value)), "low": _plain(ends[0]), "high": _plain(ends[1])}
    return result


def rmse_ratio(a: HeldOut, b: HeldOut, confidence: float, n_samples: int, seed: int) -> dict[str, float]:
    """Return rmse(a) / rmse(b) with its interval, by a bootstrap that draws the same groups for both."""
    table = np.column_stack([sums_by_group((rows.mean - rows.observed)[:, None] ** 2, rows.groups) for rows in (a, b)])
    sums = resampled_sums(table, n_samples, seed)
    tail = 100 * (1 - confidence) / 2
    low, high = np.percentile(np.sqrt(sums[:, 0] / sums[:, 1]), [tail, 100 - tail])
    total = table.sum(axis=0)
    return {"value": float(np.sqrt(total[0] / total[1])), "low": float(low), "high": float(high)}


def sums_by_group(table: np.ndarray, groups: np.ndarray) -> np.ndarray:
    """Return the sums of a table's rows (n_rows, k) over each distinct group, (n_groups, k), in ascending order."""
    distinct, number = np.unique(groups, return_inverse=True)
    sums = np.zeros((len(distinct), table.shape[1]))
    np.add.at(sums, number, table)
    return sums


def resampled_sums(table: np.ndarray, n_samples: int, seed: int) -> np.ndarray:
    """Return the sums of a table's rows (n, k), n of them drawn with replacement, for each sample: (n_samples, k)."""
    rng = np.random.default_rng(seed)
    n = len(table)
    return np.array([np.bincount(rng.integers(n, size=n), minlength=n) @ table for _ in range(n_samples)])


def _addends(rows: HeldOut, confidence: float) -> np.ndarray:
    """Return for each row what adds up to the scores of any set of rows, (n_rows, 7)."""
    error = rows.mean - rows.observed
    low, high = interval(rows.mean, rows.deviation, confidence)
    observed = rows.observed - rows.observed.mean()
    covered = (rows.observed >= low) & (rows.observed <= high)
    columns = (np.ones(len(error)), error**2, np.abs(error), observed, observed**2, covered, high - low)
    return np.column_stack(columns).astype(float)


def _from_sums(sums: np.ndarray) -> dict[str, np.ndarray]:
    """Return the scores from sums of `_addends`, (..., 7)."""
    n, squares, absolute, observed, observed_squares, covered, width = np.moveaxis(sums, -1, 0)
    total = observed_squares - observed**2 / n
    varies = total > 1e-9 * observed_squares
    with np.errstate(divide="ignore", invalid="ignore"):
        r2 = np.where(varies, 1.0 - squares / total, np.nan)
    rmse = np.sqrt(squares / n)
    return {"rmse": rmse, "mae": absolute / n, "r2": r2, "coverage": covered / n, "interval_width": width / n}


def _plain(value: float | None) -> float | None:
    return None if value is None or not np.isfinite(value) else float(value)
