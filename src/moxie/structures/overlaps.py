"""Start geometries where force fields have no type: the atoms around crowded centres spread over a sphere.

Distance geometry knows no valence angles at an atom with five or more neighbours and places them at random, and UFF has
a type for some of these elements with the angles of another. Two of the neighbours then often overlap, and what relaxes
from there is another molecule (SF4 and F2 from SF6).
"""

from collections.abc import Sequence

import numpy as np

CROWDED = 5  # neighbours from which an atom's are spread
_OVERLAP = 1.2  # sums of covalent radii (Cordero et al., Dalton Trans. 2008, 2832); 1.23 across bicyclo[1.1.1]pentane
_CLEAR = 1.7  # sums of covalent radii that atoms without a bond are pushed apart to
_LONGEST_BOND = 1.5


def overlapping(numbers: Sequence[int], bonds: Sequence[tuple[int, int]], positions_A: np.ndarray) -> bool:
    """Return whether atoms without a bond are nearer than 1.2 sums of their covalent radii, or a bond is torn."""
    i, j, bonded, ratio = _pairs(numbers, bonds, positions_A)
    return bool((ratio[~bonded] < _OVERLAP).any() or (ratio[bonded] > _LONGEST_BOND).any())


def spread(numbers: Sequence[int], bonds: Sequence[tuple[int, int]], positions_A: np.ndarray) -> np.ndarray:
    """Return positions (n, 3) in which no atoms overlap, as far as that goes.

    Bonds take the sums of the covalent radii, the neighbours of an atom with five or more repel each other with 1/r^2,
    those of the others keep their distances, and what is further apart in the molecule is kept from overlapping.
    """
    from scipy.optimize import minimize

    i, j, bonded, ratio = _pairs(numbers, bonds, positions_A)
    n, length = len(numbers), np.linalg.norm(positions_A[i] - positions_A[j], axis=1)
    touching = length / ratio
    adjacency = np.zeros((n, n), dtype=int)
    for a, b in bonds:
        adjacency[a, b] = adjacency[b, a] = 1
    crowded = adjacency.sum(axis=1) >= CROWDED
    shared = adjacency[i] * adjacency[j]
    around = ~bonded & (shared @ crowded.astype(int) > 0)
    kept = ~bonded & ~around & (shared.sum(axis=1) > 0)
    others = ~bonded & ~around & ~kept

    def energy(flat: np.ndarray) -> tuple[float, np.ndarray]:
        x = flat.reshape(n, 3)
        vectors = x[i] - x[j]
        r = np.linalg.norm(vectors, axis=1) + 1e-9
        stretch = np.where(bonded, r - touching, np.where(kept, r - length, np.minimum(r - _CLEAR * touching, 0)))
        held = bonded | kept | others
        value = 20 * stretch[held] @ stretch[held] + (touching[around] / r[around]) @ (touching[around] / r[around])
        slope = np.where(held, 40 * stretch, -2 * touching**2 / r**3)
        forces = (slope / r)[:, None] * vectors
        gradient = np.zeros_like(x)
        np.add.at(gradient, i, forces)
        np.add.at(gradient, j, -forces)
        return float(value), gradient.ravel()

    result = minimize(energy, positions_A.ravel(), jac=True, method="L-BFGS-B", options={"maxiter": 300})
    return result.x.reshape(n, 3)


def _pairs(
    numbers: Sequence[int], bonds: Sequence[tuple[int, int]], positions_A: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return all pairs of atoms, which are bonded, and their distances in sums of covalent radii."""
    from ase.data import covalent_radii

    i, j = np.triu_indices(len(numbers), k=1)
    adjacent = np.zeros((len(numbers), len(numbers)), dtype=bool)
    for a, b in bonds:
        adjacent[min(a, b), max(a, b)] = True
    radii = covalent_radii[np.asarray(numbers)]
    return i, j, adjacent[i, j], np.linalg.norm(positions_A[i] - positions_A[j], axis=1) / (radii[i] + radii[j])
