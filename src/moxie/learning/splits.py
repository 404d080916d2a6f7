"""Splits that keep together what belongs together."""

from collections.abc import Iterator

import numpy as np


def leave_one_group_out(groups: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Give (training rows, test rows) once for each distinct group, in ascending order; no group is ever in both."""
    for group in np.unique(groups):
        held_out = groups == group
        yield np.flatnonzero(~held_out), np.flatnonzero(held_out)


def random_folds(n_rows: int, n_folds: int, seed: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Give (training rows, test rows) of a split that ignores groups: only to show how much it flatters."""
    order = np.random.default_rng(seed).permutation(n_rows)
    for fold in np.array_split(order, n_folds):
        yield np.setdiff1d(order, fold), np.sort(fold)
