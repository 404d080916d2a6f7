"""The compiled loop over all pairs of a frame."""

import numpy as np
from numba import njit


@njit(cache=True)
def _insert(ascending: np.ndarray, value: float) -> None:
    """Keep the smallest values seen so far in ascending order."""
    k = len(ascending) - 1
    if value >= ascending[k]:
        return
    while k > 0 and ascending[k - 1] > value:
        ascending[k] = ascending[k - 1]
        k -= 1
    ascending[k] = value


@njit(cache=True, fastmath={"contract", "arcp", "nsz"})
def histogram_pairs(
    first: np.ndarray, second: np.ndarray, first_molecules: np.ndarray, second_molecules: np.ndarray, same: bool,
    edges_A: np.ndarray, r_max_A: float, n_bins: int, n_ranks: int,
) -> tuple[np.ndarray, np.ndarray]:  # fmt: skip
    """Return the histograms of all distances, (n_bins,), and of those to the first, second, ... nearest neighbour,
    (n_ranks, n_bins).

    first (n, 3) and second (m, 3) in an orthorhombic box, minimum images; `same` for one kind of atom, whose pairs
    count in both directions. Pairs within a molecule, by the numbers in first_molecules (n,) and second_molecules (m,),
    do not count.
    """
    counts, nearest = np.zeros(n_bins, np.int64), np.zeros((n_ranks, n_bins), np.int64)
    x, y, z = second[:, 0].copy(), second[:, 1].copy(), second[:, 2].copy()
    shortest = np.full((len(first), n_ranks), np.inf)
    squares = np.empty(len(second))
    limit, per_A = r_max_A * r_max_A, n_bins / r_max_A
    weight = 2 if same else 1
    for i in range(len(first)):
        begin = i + 1 if same else 0
        for j in range(begin, len(second)):
            dx, dy, dz = x[j] - first[i, 0], y[j] - first[i, 1], z[j] - first[i, 2]
            dx -= edges_A[0] * np.rint(dx / edges_A[0])
            dy -= edges_A[1] * np.rint(dy / edges_A[1])
            dz -= edges_A[2] * np.rint(dz / edges_A[2])
            squares[j] = dx * dx + dy * dy + dz * dz
        for j in range(begin, len(second)):
            if squares[j] < limit and first_molecules[i] != second_molecules[j]:
                counts[min(int(np.sqrt(squares[j]) * per_A), n_bins - 1)] += weight
                _insert(shortest[i], squares[j])
                if same:
                    _insert(shortest[j], squares[j])
    for i in range(len(first)):
        for rank in range(n_ranks):
            if shortest[i, rank] < limit:
                nearest[rank, min(int(np.sqrt(shortest[i, rank]) * per_A), n_bins - 1)] += 1
    return counts, nearest
