"""Ideal silicon and silica networks with their bonds: diamond, beta-cristobalite, the oxide-terminated Si(001) slab."""

import math

import numpy as np

from moxie.errors import InputError
from moxie.structures.network import MASS_AMU, Network, make_network, nearest_image

AMU_PER_A3_IN_G_CM3 = 1.66053906660  # CODATA 2018
SI_LATTICE_CONSTANT_A = 5.4270  # 4/sqrt(3) times the field's Si-Si bond of 2.35 A
MONOLAYER_PER_CM2 = 6.78e14  # atoms of one Si(001) layer


def diamond(cells: tuple[int, int, int], lattice_constant_A: float = SI_LATTICE_CONSTANT_A) -> Network:
    """Return diamond silicon of nx x ny x nz conventional cells (8 atoms each), periodic, with its bonds.

    Raises InputError for a cell count below 1 or a lattice constant outside 3-10 A.
    """
    positions, cell = _diamond_positions(cells, lattice_constant_A)
    bonds = _bonds_within(positions, cell, np.array([True] * 3), 1.1 * lattice_constant_A * math.sqrt(3) / 4)
    return make_network(positions, ["Si"] * len(positions), bonds, cell, label="diamond silicon")


def beta_cristobalite(cells: tuple[int, int, int], density_g_cm3: float = 2.20) -> Network:
    """Return ideal beta-cristobalite: diamond's Si with an O in the middle of each bond (Si-O-Si straight).

    The cubic edge follows from the density: a^3 = 8 m(SiO2) / rho. Raises InputError as `diamond` does.
    """
    if not 0.5 <= density_g_cm3 <= 10:
        raise InputError(f"Density {density_g_cm3} g/cm3 of beta-cristobalite is outside 0.5-10.")
    mass = MASS_AMU["Si"] + 2 * MASS_AMU["O"]
    edge = (8 * mass * AMU_PER_A3_IN_G_CM3 / density_g_cm3) ** (1 / 3)
    silicon = diamond(cells, edge)
    return insert_oxygen(silicon, silicon.bonds)


def insert_oxygen(network: Network, links: np.ndarray) -> Network:
    """Return the network with an O in the middle of each given Si-Si bond (k, 2); the new atoms come last."""
    n = len(network.positions)
    keep = {tuple(bond) for bond in network.bonds.tolist()} - {tuple(sorted(link)) for link in links.tolist()}
    middle = network.positions[links[:, 0]] + 0.5 * network.vectors(links[:, 0], links[:, 1])
    new = [(int(atom), n + k) for k, link in enumerate(links) for atom in link]
    return make_network(
        np.vstack([network.positions, middle]),
        [*network.species.tolist(), *["O"] * len(links)],
        np.array(sorted(keep) + new),
        network.cell,
        network.periodic,
        np.concatenate([network.frozen, np.zeros(len(links), bool)]),
        network.info,
        label="network with inserted oxygen",
    )


def silicon_slab(
    cells: tuple[int, int, int],
    frozen_layers: int = 4,
    vacuum_A: float = 30.0,
    lattice_constant_A: float = SI_LATTICE_CONSTANT_A,
    si_o_length_A: float = 1.60,
) -> Network:
    """Return a Si(001) slab of nx x ny x nz conventional cells (4 layers each), periodic in x and y, free in z.

    The bottom `frozen_layers` atomic layers keep their bulk positions, and the lowest its missing bonds. At the top
    each atom of the unreconstructed surface has two dangling bonds, which point along one <110> direction to its two
    neighbours 3.84 A away. An O bridges each such pair: rows of Si-O-Si, one O per surface atom, every mobile Si with
    four bonds and every O with two. The O starts above the middle of its pair at the height that gives the Si-O
    length, where the geometry allows.
    Raises InputError for fewer than 2 cells in plane, fewer than 2 along z, or layers frozen up to the surface.
    """
    n_layers = 4 * cells[2]
    if min(cells) < 2:
        raise InputError(f"Slab of {cells} cells: at least 2 x 2 x 2 are needed.")
    if not 1 <= frozen_layers <= n_layers - 3:
        raise InputError(
            f"frozen_layers is {frozen_layers}; with {cells[2]} cells along z ({n_layers} layers) it must lie in "
            f"1..{n_layers - 3}."
        )
    if vacuum_A < 10:
        raise InputError(f"vacuum_A is {vacuum_A}; at least 10 A are needed above the film.")
    positions, cell = _diamond_positions(cells, lattice_constant_A)
    periodic = np.array([True, True, False])
    bonds = _bonds_within(positions, cell, periodic, 1.1 * lattice_constant_A * math.sqrt(3) / 4)
    layer = np.round(positions[:, 2] / (lattice_constant_A / 4)).astype(int)
    counts = np.bincount(bonds.ravel(), minlength=len(positions))
    top = np.flatnonzero(layer == n_layers - 1)
    assert (counts[top] == 2).all()
    second = lattice_constant_A / math.sqrt(2)
    pairs = top[_bonds_within(positions[top], cell, periodic, 1.01 * second)]
    # of the four surface neighbours at 3.84 A, two share a second-layer atom; the dangling bonds point to the others
    below: list[set[int]] = [set() for _ in positions]
    for i, j in bonds.tolist():
        below[i].add(j)
        below[j].add(i)
    bridges = np.array([(i, j) for i, j in pairs.tolist() if not below[i] & below[j]])
    rise = math.sqrt(max(si_o_length_A**2 - (second / 2) ** 2, 0.0)) + 0.5
    start = positions[bridges[:, 0]]
    middle = start + 0.5 * nearest_image(positions[bridges[:, 1]] - start, cell, periodic) + [0, 0, rise]
    n = len(positions)
    new = [(int(atom), n + k) for k, bridge in enumerate(bridges) for atom in bridge]
    return make_network(
        np.vstack([positions, middle]),
        ["Si"] * n + ["O"] * len(bridges),
        np.vstack([bonds, new]),
        [cell[0], cell[1], cell[2] + vacuum_A],
        periodic,
        np.concatenate([layer < frozen_layers, np.zeros(len(bridges), bool)]),
        {"cells": list(cells), "frozen_layers": frozen_layers, "lattice_constant_A": lattice_constant_A},
        label="Si(001) slab",
    )


def _diamond_positions(cells: tuple[int, int, int], lattice_constant_A: float) -> tuple[np.ndarray, np.ndarray]:
    from ase.build import bulk

    if len(cells) != 3 or min(cells) < 1 or max(cells) > 1000:
        raise InputError(f"Cells {cells}: three whole numbers from 1 to 1000 are needed.")
    if not 3 <= lattice_constant_A <= 10:
        raise InputError(f"Lattice constant {lattice_constant_A} A is outside 3-10 A.")
    atoms = bulk("Si", "diamond", a=lattice_constant_A, cubic=True) * tuple(int(c) for c in cells)
    positions = atoms.get_positions()
    order = np.lexsort(np.round(positions, 6).T)  # by layer, bottom first
    return positions[order], np.array(cells, float) * lattice_constant_A


def _bonds_within(positions: np.ndarray, cell: np.ndarray, periodic: np.ndarray, reach: float) -> np.ndarray:
    """Return all pairs (m, 2) closer than `reach`, by nearest image."""
    from scipy.spatial import cKDTree

    folded = positions.copy()
    for axis in np.flatnonzero(periodic):
        if 2 * reach > cell[axis]:
            raise InputError(f"A cell edge of {cell[axis]:.2f} A is too short for neighbours at {reach:.2f} A.")
        folded[:, axis] = np.mod(folded[:, axis], cell[axis])
        folded[folded[:, axis] >= cell[axis], axis] = 0.0
    box = np.where(periodic, cell, 0.0)
    pairs = cKDTree(folded, boxsize=box).query_pairs(reach, output_type="ndarray")
    return np.sort(pairs, axis=1)
