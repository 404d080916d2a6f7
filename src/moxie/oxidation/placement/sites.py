"""Where O may be placed: the Si-Si bonds of a cell or of a slab's interface, and the symmetry that relates them.

A placement is a set of occupied sites. Symmetry operations permute the sites; placements that are images of each other
have the same relaxed energy, and the least of all images stands for the whole orbit (`Sites.canonical`).
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numba import njit

from moxie.errors import InputError, nearest
from moxie.oxidation.parameter_sets import ParameterSet
from moxie.oxidation.placement.counts import CELLS, Cell
from moxie.structures.network import Network
from moxie.structures.silicon import diamond, silicon_slab

SLAB_CELLS, SLAB_FROZEN_LAYERS, SLAB_BOND_LAYERS = (2, 2, 3), 4, 3
_TOLERANCE_A = 1e-3

Occupied = tuple[int, ...]


@dataclass(frozen=True)
class Sites:
    """The sites of a cell.

    network: the Si (and, on a slab, surface O) without the O to place; its orthogonal cell holds `copies` periodic
    copies of the cell that is searched. members: (n_sites, copies, 2) bonds of the network that a site stands for.
    middles: (n_sites, 3) angstrom. images: (n_operations, n_sites) int64, where each symmetry operation takes a site.
    repeats: (n_atoms,), the first atom of the network that is the same one of the searched cell.
    """

    name: str
    network: Network
    members: np.ndarray
    middles: np.ndarray
    images: np.ndarray
    repeats: np.ndarray

    @property
    def n_sites(self) -> int:
        """Number of bonds that can take an O."""
        return len(self.members)

    @property
    def cell(self) -> Cell:
        """Numbers of sites and of symmetry operations."""
        return Cell(self.n_sites, len(self.images))

    @property
    def copies(self) -> int:
        """Number of copies of the searched cell in the network's."""
        return int(self.members.shape[1])

    @cached_property
    def distances_A(self) -> np.ndarray:
        """Distances between the middles of the bonds, nearest copies, (n_sites, n_sites) in angstrom."""
        network = self.network
        tops = network.positions[self.members[:, :, 0]]
        halves = network.vectors(self.members[:, :, 0].ravel(), self.members[:, :, 1].ravel()).reshape(tops.shape) / 2
        every = (tops + halves).reshape(-1, 3)
        apart = self.middles[:, None] - every[None]
        apart -= np.where(network.periodic, network.cell * np.round(apart / network.cell), 0.0)
        return np.sqrt((apart**2).sum(axis=-1)).reshape(self.n_sites, self.n_sites, self.copies).min(axis=-1)

    def canonical(self, occupied: Occupied | np.ndarray) -> Occupied:
        """Return the lexicographically least image of a set of occupied sites, ascending."""
        best = np.empty(len(occupied), np.int64)
        _least_image(self.images, np.array(occupied, np.int64), best)
        return tuple(best.tolist())

    def multiplicity(self, orbit: Occupied) -> int:
        """Return how many placements are images of a canonical one, itself included."""
        kept = (np.sort(self.images[:, list(orbit)], axis=1) == np.array(orbit, int)).all(axis=1)
        return len(self.images) // int(kept.sum())


def make_sites(name: str, parameters: ParameterSet) -> Sites:
    """Return the sites of a cell by name.

    si16: 2 x 2 x 2 primitive cells, 32 bonds; si64: 2 x 2 x 2 conventional cells, 128 bonds; slab: the bonds between
    the uppermost four layers of an oxide-terminated Si(001) slab of 2 x 2 x 3 cells, 48 bonds. Raises InputError for an
    unknown name.
    """
    if name not in CELLS:
        raise InputError(f"Unknown cell {name!r}.{nearest(name, CELLS)} Allowed: {', '.join(CELLS)}.")
    edge = parameters.lattice_constant_A
    if name == "slab":
        return slab_sites(SLAB_CELLS, SLAB_FROZEN_LAYERS, SLAB_BOND_LAYERS, edge)
    network = diamond((2, 2, 2), edge)
    primitive = edge * np.array([[0.0, 1, 1], [1, 0, 1], [1, 1, 0]])
    return sites_of(name, network, network.bonds, primitive if name == "si16" else np.diag(network.cell))


def slab_sites(cells: tuple[int, int, int], frozen_layers: int, bond_layers: int, edge_A: float) -> Sites:
    """Return the sites of the uppermost `bond_layers` layers of Si-Si bonds of an oxide-terminated Si(001) slab."""
    network = silicon_slab(cells, frozen_layers, lattice_constant_A=edge_A)
    silicon = network.bonds[(network.species[network.bonds] == "Si").all(axis=1)]
    height = network.positions[silicon, 2].mean(axis=1)
    top = network.positions[network.species == "Si", 2].max()
    near = (height > top - bond_layers * edge_A / 4) & ~network.frozen[silicon].any(axis=1)
    return sites_of("slab", network, silicon[near], np.diag(network.cell))


def sites_of(name: str, network: Network, bonds: np.ndarray, lattice: np.ndarray) -> Sites:
    """Return the sites of the given Si-Si bonds (m, 2); bonds that differ by a vector of `lattice` (rows) are one site.

    The symmetry is that of the atoms (frozen ones are another kind) and the lattice, found by spglib.
    """
    import spglib

    inverse = np.linalg.inv(lattice)

    def folded(points: np.ndarray) -> np.ndarray:
        fraction = points @ inverse
        return np.asarray(fraction - np.floor(fraction + _TOLERANCE_A / np.linalg.norm(lattice[0])))

    middles = folded(network.positions[bonds[:, 0]] + 0.5 * network.vectors(bonds[:, 0], bonds[:, 1]))
    order = np.lexsort(np.round(middles, 6).T)
    find = _finder(middles[order], lattice)
    unique = np.unique(find(middles[order]))
    centres = middles[order][unique]
    find = _finder(centres, lattice)
    members = [bonds[order][find(middles[order]) == site] for site in range(len(centres))]

    atoms = folded(network.positions)
    kinds = 2 * (network.species == "O") + network.frozen
    repeats = _finder(atoms, lattice)(atoms)
    first = np.unique(repeats)
    cell = (lattice.tolist(), atoms[first].tolist(), kinds[first].tolist())
    found: Any = spglib.get_symmetry(cell, symprec=_TOLERANCE_A)
    images = [
        find(centres @ rotation.T + shift)
        for rotation, shift in zip(found["rotations"], found["translations"], strict=True)
    ]
    return Sites(name, network, np.array(members), centres @ lattice, np.unique(np.array(images), axis=0), repeats)


def _finder(points: np.ndarray, lattice: np.ndarray):
    """Return a function that gives, for fractional coordinates (k, 3), the first of `points` at the same place."""

    def find(wanted: np.ndarray) -> np.ndarray:
        apart = wanted[:, None] - points[None]
        apart -= np.round(apart)
        close = np.linalg.norm(apart @ lattice, axis=-1) < 10 * _TOLERANCE_A
        if not close.any(axis=1).all():
            raise ValueError("a symmetry operation does not map the sites onto each other")
        return np.asarray(close.argmax(axis=1))

    return find


@njit(cache=True, nogil=True)
def _least_image(images, occupied, best):
    """Put the lexicographically least image of `occupied` (k,) into `best` (k,), ascending."""
    k = len(occupied)
    image = np.empty(k, np.int64)
    for operation in range(len(images)):
        for a in range(k):
            site = images[operation, occupied[a]]
            b = a
            while b > 0 and image[b - 1] > site:
                image[b] = image[b - 1]
                b -= 1
            image[b] = site
        less = operation == 0
        if not less:
            for a in range(k):
                if image[a] != best[a]:
                    less = image[a] < best[a]
                    break
        if less:
            for a in range(k):
                best[a] = image[a]
