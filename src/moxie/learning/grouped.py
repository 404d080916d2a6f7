"""What the tasks share that learn from rows in groups: choice of a penalty, importance."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from moxie.learning.metrics import HeldOut, resampled_sums, sums_by_group
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
    n_samples: int,
    seed: int,
    within: np.ndarray | None = None,
) -> list[dict[str, Any]]:
    """Return by how much the error grows when a block of columns is shuffled among held-out rows.

    Rows are shuffled within the sets that `within` numbers, all together by default. One entry per block: {"block",
    "increase", "low", "high"}, the interval from a bootstrap over the groups of `rows`.
    """
    rng = np.random.default_rng(seed)
    within = np.zeros(len(features)) if within is None else within
    reference = (rows.mean - rows.observed) ** 2
    tail = 100 * (1 - confidence) / 2
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
        table = np.column_stack([squares, reference, np.ones(len(features))])
        sums = resampled_sums(sums_by_group(table, rows.groups), n_samples, seed)
        growth = np.sqrt(sums[:, 0] / sums[:, 2]) - np.sqrt(sums[:, 1] / sums[:, 2])
        low, high = np.percentile(growth, [tail, 100 - tail])
        increase = float(np.sqrt(squares.mean()) - np.sqrt(reference.mean()))
        entries.append({"block": block, "increase": increase, "low": float(low), "high": float(high)})
    return entries
