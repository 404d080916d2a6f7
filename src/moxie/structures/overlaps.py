"""Start geometries where force fields have no type: neighbours and lone pairs of crowded centres spread over a sphere.

Distance geometry knows no valence angles at an atom with five or more neighbours and lone pairs and places them at
random, and UFF has a type for some of these elements with the angles of another. Two of the neighbours then often
overlap, and what relaxes from there is another molecule (SF4 and F2 from SF6), or sits on a saddle (tetrahedral SF4).
"""

from collections.abc import Mapping, Sequence

import numpy as np

_AS_LARGE_AS = 8  # the atomic number whose radius a lone pair has
_OVERLAP = 1.2  # sums of covalent radii (Cordero et al., Dalton Trans. 2008, 2832); 1.23 across bicyclo[1.1.1]pentane
_CLEAR = 1.7  # sums of covalent radii that atoms without a bond are pushed apart to
_LONGEST_BOND = 1.5


def overlapping(numbers: Sequence[int], bonds: Sequence[tuple[int, int]], positions_A: np.ndarray) -> bool:
    """Return whether atoms without a bond are nearer than 1.2 sums of their covalent radii, or a bond is torn."""
    i, j, bonded, ratio = _pairs(numbers, bonds, positions_A)
    return bool((ratio[~bonded] < _OVERLAP).any() or (ratio[bonded] > _LONGEST_BOND).any())


def spread(
    numbers: Sequence[int],
    bonds: Sequence[tuple[int, int]],
    positions_A: np.ndarray,
    centres: Mapping[int, int],
    seed: int | None = None,
) -> np.ndarray:
    """Return positions (n, 3) in which no atoms overlap, as far as that goes.

    `centres` gives the lone pairs of each crowded atom. Bonds take the sums of the covalent radii, the neighbours and
    lone pairs of a centre repel each other with 1/r^2, those of other atoms keep their distances, and what is further
    apart in the molecule is kept from overlapping. With a seed, the centres' neighbours that have no others start in
    random directions, as lone pairs always do.
    """
    from scipy.optimize import minimize

    n = len(numbers)
    start, bonds, numbers = _with_lone_pairs(numbers, bonds, positions_A, centres, seed)
    i, j, bonded, ratio = _pairs(numbers, bonds, start)
    length = np.linalg.norm(start[i] - start[j], axis=1)
    touching = length / ratio
    adjacency = np.zeros((len(numbers), len(numbers)), dtype=int)
    for a, b in bonds:
        adjacency[a, b] = adjacency[b, a] = 1
    crowded = np.isin(np.arange(len(numbers)), list(centres))
    shared = adjacency[i] * adjacency[j]
    around = ~bonded & (shared @ crowded.astype(int) > 0)
    kept = ~bonded & ~around & (shared.sum(axis=1) > 0)
    others = ~bonded & ~around & ~kept & (j < n)

    def energy(flat: np.ndarray) -> tuple[float, np.ndarray]:
        x = flat.reshape(-1, 3)
        vectors = x[i] - x[j]
        r = np.linalg.norm(vectors, axis=1) + 1e-9
        stretch = np.where(bonded, r - touching, np.where(kept, r - length, np.minimum(r - _CLEAR * touching, 0)))
        held = bonded | kept | others
        value = 20 * stretch[held] @ stretch[held] + (touching[around] / r[around]) @ (touching[around] / r[around])
        slope = np.where(held, 40 * stretch, np.where(around, -2 * touching**2 / r**3, 0))
        forces = (slope / r)[:, None] * vectors
        gradient = np.zeros_like(x)
        np.add.at(gradient, i, forces)
        np.add.at(gradient, j, -forces)
        return float(value), gradient.ravel()

    result = minimize(energy, start.ravel(), jac=True, method="L-BFGS-B", options={"maxiter": 300})
    return result.x.reshape(-1, 3)[:n]


def _with_lone_pairs(
    numbers: Sequence[int],
    bonds: Sequence[tuple[int, int]],
    positions_A: np.ndarray,
    centres: Mapping[int, int],
    seed: int | None,
) -> tuple[np.ndarray, list[tuple[int, int]], list[int]]:
    """Return positions, bonds and atomic numbers with a lone pair as an atom of the size of oxygen."""
    from ase.data import covalent_radii

    generator = np.random.default_rng(0 if seed is None else seed)
    positions, bonds, numbers = positions_A.copy(), list(bonds), list(numbers)
    alone = {atom for atom in range(len(numbers)) if sum(atom in bond for bond in bonds) == 1}
    pairs = []
    for centre, count in sorted(centres.items()):
        terminal = sorted({a + b - centre for a, b in bonds if centre in (a, b)} & alone)
        directions = generator.normal(size=(len(terminal) + count, 3))
        directions /= np.linalg.norm(directions, axis=1)[:, None]
        if seed is not None:
            lengths = covalent_radii[[numbers[atom] for atom in terminal]] + covalent_radii[numbers[centre]]
            positions[terminal] = positions[centre] + directions[: len(terminal)] * lengths[:, None]
        pairs += [(centre, direction) for direction in directions[len(terminal) :]]
    for centre, direction in pairs:
        bonds.append((centre, len(numbers)))
        numbers.append(_AS_LARGE_AS)
        positions = np.vstack([positions, positions[centre] + 1.5 * direction])
    return positions, bonds, numbers


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
