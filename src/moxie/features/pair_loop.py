"""The compiled loop over all pairs of a frame."""

import numpy as np
from numba import njit


@njit(cache=True, fastmath={"contract", "arcp", "nsz"})
def histogram_pairs(
    first: np.ndarray, second: np.ndarray, same: bool, edges_A: np.ndarray, r_max_A: float, n_bins: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return the histograms, shape (n_bins,) each, of all distances and of those to the nearest neighbour.

    first (n, 3) and second (m, 3) in an orthorhombic box, minimum images; `same` for one kind of atom, whose pairs
    count in both directions.
    """
    counts, nearest = np.zeros(n_bins, np.int64), np.zeros(n_bins, np.int64)
    x, y, z = second[:, 0].copy(), second[:, 1].copy(), second[:, 2].copy()
    shortest = np.full(len(first), np.inf)
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
            if squares[j] < limit:
                counts[min(int(np.sqrt(squares[j]) * per_A), n_bins - 1)] += weight
                shortest[i] = min(shortest[i], squares[j])
                if same:
                    shortest[j] = min(shortest[j], squares[j])
    for square in shortest:
        if square < limit:
            nearest[min(int(np.sqrt(square) * per_A), n_bins - 1)] += 1
    return counts, nearest
