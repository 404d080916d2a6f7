"""How much independent repetitions of the same run differ: the floor below which no model can get."""

from dataclasses import dataclass

import numpy as np

_OWN_VARIANCE_FROM = 5  # repetitions


@dataclass(frozen=True)
class ReplicaNoise:
    """`variance` of one run, shape (n_rows,), or None if there are no repetitions; the rest describes its origin."""

    variance: np.ndarray | None
    standard_deviation: float | None
    degrees_of_freedom: int
    source: str


def replica_noise(target: np.ndarray, cells: np.ndarray) -> ReplicaNoise:
    """Estimate the variance between repetitions of a run.

    `cells`, shape (n_rows,), numbers the set-up of each row: rows of one cell differ by their random numbers only.
    A cell of five or more repetitions has its own sample variance; smaller ones share the pooled variance
    sum (n_c - 1) s_c^2 / sum (n_c - 1), since the variance of two numbers is hardly known at all.
    """
    variance = np.zeros(len(target))
    squares, freedom = 0.0, 0
    members = [np.flatnonzero(cells == cell) for cell in np.unique(cells)]
    for rows in members:
        squares += float(((target[rows] - target[rows].mean()) ** 2).sum())
        freedom += len(rows) - 1
    if freedom == 0:
        return ReplicaNoise(
            None, None, 0, "one replica only: the noise is the white-noise term of the Gaussian process, fitted"
        )
    pooled = squares / freedom
    own = 0
    for rows in members:
        enough = len(rows) >= _OWN_VARIANCE_FROM
        variance[rows] = target[rows].var(ddof=1) if enough else pooled
        own += enough
    source = "spread of the replicas"
    if own < len(members):
        source += f", pooled over {len(members) - own} set-ups with fewer than {_OWN_VARIANCE_FROM} replicas each"
    return ReplicaNoise(variance, float(np.sqrt(pooled)), freedom, source)
