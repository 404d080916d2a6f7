"""What the tasks share that learn from rows in groups: choice of a penalty, importance."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from moxie.learning.metrics import HeldOut, interval_over_groups, sums_by_group
from moxie.learning.splits import leave_one_group_out

ALPHAS = tuple(np.logspace(-4, 2, 7).tolist())
_SHUFFLES = 5


def best_alpha(make: Callable[[float], Any], features: np.ndarray, target: np.ndarray, groups: np.ndarray) -> float:
    """Return the penalty of ALPHAS with the least squared error on groups that are held out one at a time."""

    def error(alpha: float) -> float:
        folds = leave_one_group_out(groups)
        parts = [
            make(alpha).fit(features[train], target[train]).predict(features[test]) - target[test]
            for train, test in folds
        ]
        return float((np.concatenate(parts) ** 2).sum())

    return min(ALPHAS, key=error)


def permutation_importance(
    predict: Callable[[np.ndarray], np.ndarray],
    features: np.ndarray,
    blocks: Mapping[str, Sequence[int]],
    rows: HeldOut,
    confidence: float,
    seed: int,
    within: np.ndarray | None = None,
) -> list[dict[str, Any]]:
    """Return by how much the error grows when a block of columns is shuffled among held-out rows.

    Rows are shuffled within the sets that `within` numbers, all together by default; it keeps apart rows whose columns
    cannot stand together. One entry per block: {"block", "increase", "low", "high"} (`growth`).
    """
    rng = np.random.default_rng(seed)
    within = np.zeros(len(features)) if within is None else within
    reference = (rows.mean - rows.observed) ** 2
    entries = []
    for block, columns in blocks.items():
        squares = np.zeros(len(features))
        for _ in range(_SHUFFLES):
            order = np.arange(len(features))
            for part in np.unique(within):
                members = np.flatnonzero(within == part)
                order[members] = rng.permutation(members)
            shuffled = features.copy()
            shuffled[:, list(columns)] = features[order][:, list(columns)]
            squares += (predict(shuffled) - rows.observed) ** 2 / _SHUFFLES
        entries.append({"block": block, **growth(squares, reference, rows.groups, confidence)})
    return entries


def growth(squares: np.ndarray, reference: np.ndarray, groups: np.ndarray, confidence: float) -> dict[str, Any]:
    """Return by how much the error of `squares` is larger than that of `reference`: {"increase", "low", "high"}.

    Both are squared errors, (n_rows,); the interval is that over groups.
    """
    table = sums_by_group(np.column_stack([squares, reference, np.ones(len(squares))]), groups)

    def difference(sums: np.ndarray) -> np.ndarray:
        larger, smaller, n = np.moveaxis(sums, -1, 0)
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.sqrt(larger / n) - np.sqrt(smaller / n)

    total = table.sum(axis=0)
    ends = interval_over_groups(float(difference(total)), difference(total - table), table[:, 2], confidence)
    return {"increase": ends["value"], "low": ends["low"], "high": ends["high"]}
