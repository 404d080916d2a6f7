"""Oxygen placed on the bonds of a small silicon crystal: distinct placements, relaxed energy, clusters of oxygen.

The cell is Si16, 2 x 2 x 2 primitive cells of diamond: 32 bonds, 384 symmetry operations. A placement is a set of bonds
that hold an O, written as a mask of 32 bits; equivalent placements share one canonical mask. The Monte Carlo engine
takes orthogonal cells only, so four copies are relaxed together in the cubic cell of 64 atoms.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from itertools import combinations, permutations
from typing import Any

import numpy as np

from moxie.structures.network import Network

N_SI = 16
N_BONDS = 32
MOST_OXYGEN = 8  # beyond it there are more placements than this module's plain enumeration is good for
LARGEST_CLUSTER = 3
N_STARTS = 2
_COPIES = 4  # of Si16 in the cubic cell
_SHAKE_A = 0.1  # leaves the saddle points where a symmetric start would end
_FORCE_TOLERANCE_EV_A = 1e-3
_MOST_STEPS = 3000
_SCALES = (0.97, 1.25)  # of the cell's edge
_SCALE_TOLERANCE = 1e-3
_ANY_LATTICE = 5.43  # the permutations of the bonds do not depend on it


@dataclass(frozen=True)
class Cell:
    """The cubic cell of 64 atoms and how it repeats Si16.

    atom (64,) numbers each atom's counterpart in Si16; links (32, 4, 2) are the copies of each bond; images (384, 32)
    is where each symmetry operation takes each bond.
    """

    network: Network
    atom: np.ndarray
    links: np.ndarray
    images: np.ndarray


@cache
def si16(lattice_constant_A: float) -> Cell:
    """Return the cell with the operations that spglib finds."""
    import spglib

    from moxie.structures.silicon import diamond

    network = diamond((2, 2, 2), lattice_constant_A)
    vectors = lattice_constant_A * np.array([[0.0, 1, 1], [1, 0, 1], [1, 1, 0]])
    i, j = network.bonds.T
    atoms = network.positions @ np.linalg.inv(vectors)
    middles = (network.positions[i] + 0.5 * network.vectors(i, j)) @ np.linalg.inv(vectors)
    atom, bond = _repeats(atoms), _repeats(middles)
    first_atoms = atoms[[np.flatnonzero(atom == k)[0] for k in range(N_SI)]]
    first = middles[[np.flatnonzero(bond == k)[0] for k in range(N_BONDS)]]
    crystal: Any = (vectors, first_atoms, [14] * N_SI)
    found: Any = spglib.get_symmetry(crystal, symprec=1e-3)
    moved = np.einsum("oij,bj->obi", found["rotations"], first) + found["translations"][:, None]
    away = moved[:, :, None] - first
    images = np.abs(away - np.round(away)).sum(axis=3).argmin(axis=2)
    links = np.array([network.bonds[bond == k] for k in range(N_BONDS)])
    return Cell(network, atom, links, np.unique(images, axis=0))


def _repeats(fractional: np.ndarray) -> np.ndarray:
    """Number the points so that equal ones modulo the lattice share a number."""
    folded = np.round(np.round(fractional % 1.0, 5) % 1.0, 4)
    return np.unique(folded, axis=0, return_inverse=True)[1].ravel()


@cache
def _bits() -> np.ndarray:
    """Return 2**image for every operation and bond, (384, 32) uint64."""
    return np.uint64(1) << si16(_ANY_LATTICE).images.astype(np.uint64)


def canonical(sets: np.ndarray) -> np.ndarray:
    """Return the canonical mask of each row of a set of bonds (m, n): the smallest among its images, (m,) uint64."""
    smallest = np.full(len(sets), np.iinfo(np.uint64).max, dtype=np.uint64)
    for bits in _bits():
        smallest = np.minimum(smallest, bits[sets].sum(axis=1, dtype=np.uint64))
    return smallest


@cache
def distinct(n_oxygen: int) -> tuple[int, ...]:
    """Return the canonical masks of all distinct placements of n O, ascending; each grows from one of n - 1 O."""
    if n_oxygen == 0:
        return (0,)
    sets = [
        (*bonds_of(mask), bond) for mask in distinct(n_oxygen - 1) for bond in range(N_BONDS) if not mask >> bond & 1
    ]
    return tuple(np.unique(canonical(np.array(sets))).tolist())


def bonds_of(mask: int) -> list[int]:
    """Return the numbers of the bonds that hold an O."""
    return [bond for bond in range(N_BONDS) if mask >> bond & 1]


def multiplicity(mask: int) -> int:
    """Return how many placements are equivalent to this one, itself included."""
    return len(np.unique(_bits()[:, bonds_of(mask)].sum(axis=1)))


def choose(n_oxygen: int, most: int | None, seed: int) -> list[int]:
    """Return all distinct placements of n O, or `most` of them drawn at random."""
    masks = distinct(n_oxygen)
    if most is None or len(masks) <= most:
        return list(masks)
    return sorted(np.random.default_rng(seed).choice(masks, most, replace=False).tolist())


def relax(mask: int, parameters: Any, seed: int) -> tuple[float, float]:
    """Return the energy of Si16 with these O in eV, and the strain of its edge against the crystal.

    Positions and the cubic cell's edge are relaxed together (no pressure). The start puts each O in the middle of its
    bond and shifts all atoms a little, each copy of Si16 alike; the lowest of N_STARTS starts counts.
    """
    from moxie.oxidation.engine import Engine
    from moxie.structures.network import make_network
    from moxie.structures.silicon import insert_oxygen

    cell = si16(parameters.lattice_constant_A)
    held = bonds_of(mask)
    network = insert_oxygen(cell.network, cell.links[held].reshape(-1, 2))
    number = np.concatenate([cell.atom, N_SI + np.repeat(np.arange(len(held)), _COPIES)])
    rng = np.random.default_rng([seed, mask])
    results = []
    for _ in range(N_STARTS):
        shift = _SHAKE_A * rng.standard_normal((N_SI + len(held), 3))
        start = make_network(network.positions + shift[number], network.species, network.bonds, network.cell)
        results.append(_relaxed(Engine(start, parameters), network.cell))
    return min(results)


def _relaxed(engine: Any, edges: np.ndarray) -> tuple[float, float]:
    from scipy.optimize import minimize_scalar

    def energy(scale: float) -> float:
        engine.set_cell(edges * scale)
        engine.relax(_FORCE_TOLERANCE_EV_A, _MOST_STEPS)
        return float(engine.energy)

    found = minimize_scalar(energy, bounds=_SCALES, method="bounded", options={"xatol": _SCALE_TOLERANCE})
    return float(found.fun) / _COPIES, float(found.x) - 1.0


def relax_placements(n_oxygen: int, parameter_set: str, most: int | None, seed: int, log: Any = None) -> Any:
    """Return the rows of the table `placements` with n O as a data frame."""
    import pandas

    from moxie.job import Progress
    from moxie.oxidation.parameter_sets import load_parameters

    parameters = load_parameters(parameter_set)
    masks = choose(n_oxygen, most, seed)
    progress = Progress(log, len(masks), "placements") if log else None
    rows = []
    for done, mask in enumerate(masks):
        energy, strain = relax(mask, parameters, seed)
        rows.append((n_oxygen, name_of(mask), multiplicity(mask), energy, strain, parameters.name))
        if progress:
            progress.update(done + 1)
    columns = ["n_oxygen", "placement", "multiplicity", "energy_eV", "edge_strain", "parameter_set"]
    return pandas.DataFrame(rows, columns=columns)


def name_of(mask: int) -> str:
    """Return a placement's name: its mask as eight hexadecimal digits."""
    return f"{mask:08x}"


@cache
def _clusters(size: int) -> tuple[np.ndarray, tuple[tuple[int, ...], ...]]:
    """Return the kind of every cluster of bonds, shape (32,) * size, and one cluster of each kind."""
    kinds = np.full((N_BONDS,) * size, -1)
    found: list[tuple[int, ...]] = []
    for cluster in combinations(range(N_BONDS), size):
        if kinds[cluster] >= 0:
            continue
        images = si16(_ANY_LATTICE).images[:, cluster]
        for order in permutations(range(size)):
            kinds[tuple(images[:, k] for k in order)] = len(found)
        found.append(cluster)
    return kinds, tuple(found)


def cluster_counts(names: Iterable[str]) -> np.ndarray:
    """Return how often each kind of cluster of one, two and three O occurs in placements, (m, 1 + 6 + 24).

    These are the correlation functions of a cluster expansion (Sanchez, Ducastelle, Gratias, Physica A 128, 334 (1984))
    of the lattice of bonds. Equivalent placements have equal counts.
    """
    rows = []
    for name in names:
        held = bonds_of(int(name, 16))
        row = [np.array([len(held)])]
        for size in range(2, LARGEST_CLUSTER + 1):
            kinds, found = _clusters(size)
            present = [kinds[cluster] for cluster in combinations(held, size)]
            row.append(np.bincount(np.array(present, dtype=int), minlength=len(found)))
        rows.append(np.concatenate(row))
    return np.array(rows, dtype=float)


def cluster_names() -> list[str]:
    """Return the names of the columns of `cluster_counts`; only the O of pair_1 share a Si."""
    counts = {size: len(_clusters(size)[1]) for size in range(2, LARGEST_CLUSTER + 1)}
    numbered = [f"{name}_{k + 1}" for size, name in ((2, "pair"), (3, "triplet")) for k in range(counts[size])]
    return ["n_oxygen", *numbered]
