"""Ideal silicon and silica networks with their bonds: diamond, beta-cristobalite, oxide-terminated silicon slabs."""

import math
from dataclasses import dataclass

import numpy as np

from moxie.constants import AMU_PER_A3_IN_G_CM3
from moxie.errors import InputError
from moxie.structures.back_side import FACT
from moxie.structures.network import MASS_AMU, Network, make_network, nearest_image

SILICA_DENSITY_G_CM3 = 2.20
SILICA_UNITS_PER_A3 = SILICA_DENSITY_G_CM3 / ((28.085 + 2 * 15.999) * AMU_PER_A3_IN_G_CM3)  # SiO2: rho N_A / M
SI_LATTICE_CONSTANT_A = 5.4270  # 4/sqrt(3) times the field's Si-Si bond of 2.35 A
# atoms per cm^2 of one atomic plane, from a = 5.431 A; Si(111) has two planes, 0.78 A apart, in each of its bilayers
MONOLAYER_PER_CM2 = {"100": 6.78e14, "110": 9.59e14, "111": 7.83e14}
_PLANE_ATOMS = 2  # of every surface cell below
NARROWEST_A = 9.0  # edge of a slab in the plane: bonds and repulsion must see one image only


@dataclass(frozen=True)
class Face:
    """The orthogonal cell of a silicon surface, z along the outward normal, two atoms in each atomic plane.

    edges: in lattice constants. sites: fractional coordinates, plane by plane upwards. multiple: surface cells along x
    and y come in multiples of these. bridge_starts: fractional (x, y) of the top plane's atoms at which a surface O
    begins, in the cell of `multiple` surface cells; bridge: from there to the other Si, in lattice constants.
    """

    edges: tuple[float, float, float]
    sites: tuple[tuple[float, float, float], ...]
    multiple: tuple[int, int]
    bridge_starts: tuple[tuple[float, float], ...]
    bridge: tuple[float, float]

    @property
    def planes(self) -> int:
        """Atomic planes in a surface cell."""
        return len(self.sites) // _PLANE_ATOMS

    @property
    def bridges_per_cell(self) -> float:
        """Surface O for each surface cell in the plane."""
        return len(self.bridge_starts) / (self.multiple[0] * self.multiple[1])


_ROOT2, _ROOT3 = math.sqrt(2), math.sqrt(3)
_STACK = {"A": ((0, 0), (1 / 2, 1 / 2)), "B": ((0, 1 / 3), (1 / 2, 5 / 6)), "C": ((0, 2 / 3), (1 / 2, 1 / 6))}
FACES = {
    "100": Face(
        (1.0, 1.0, 1.0),
        tuple(
            (x / 4, y / 4, z / 4)
            for z, plane in enumerate((((0, 0), (2, 2)), ((1, 1), (3, 3)), ((2, 0), (0, 2)), ((3, 1), (1, 3))))
            for x, y in plane
        ),
        (1, 1),
        ((3 / 4, 1 / 4), (1 / 4, 3 / 4)),
        (1 / 2, -1 / 2),
    ),
    "110": Face(  # x along [001], y along [1-10]
        (1.0, 1 / _ROOT2, 1 / _ROOT2),
        ((0, 0, 0), (1 / 4, 1 / 2, 0), (1 / 2, 1 / 2, 1 / 2), (3 / 4, 0, 1 / 2)),
        (1, 2),
        ((3 / 4, 0), (1 / 2, 1 / 4)),
        (0, 1 / _ROOT2),
    ),
    "111": Face(  # x along [1-10], y along [11-2]
        (1 / _ROOT2, _ROOT3 / _ROOT2, _ROOT3),
        tuple(
            (x, y, height / 12)
            for height, plane in zip((0, 1, 4, 5, 8, 9), "ABBCCA", strict=True)
            for x, y in _STACK[plane]
        ),
        (1, 1),
        ((0, 0),),
        (1 / (2 * _ROOT2), _ROOT3 / (2 * _ROOT2)),
    ),
}


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


def face(orientation: str) -> Face:
    """Return the surface cell of a wafer's orientation; raises InputError for one that is not known."""
    if orientation not in FACES:
        allowed = " or ".join(map(repr, FACES))
        raise InputError(f"The orientation of the silicon surface is {orientation!r}; it must be {allowed}, a text.")
    return FACES[orientation]


def surface_cells(
    cells: tuple[int, int, int], orientation: str = "100", lattice_constant_A: float = SI_LATTICE_CONSTANT_A
) -> tuple[int, int, int]:
    """Return how many surface cells of an orientation come nearest to a slab of nx x ny x nz conventional cells.

    (100): the same numbers. Edges in the plane are at least 9 A.
    """
    surface = face(orientation)
    counts = []
    for axis, count in enumerate(cells):
        multiple = (*surface.multiple, 1)[axis]
        fewest = math.ceil(NARROWEST_A / (multiple * surface.edges[axis] * lattice_constant_A)) if axis < 2 else 1
        counts.append(multiple * max(fewest, round(count / (multiple * surface.edges[axis]))))
    return counts[0], counts[1], counts[2]


def plane_edges_A(
    cells: tuple[int, int, int], orientation: str = "100", lattice_constant_A: float = SI_LATTICE_CONSTANT_A
) -> tuple[float, float]:
    """Return the edges along x and y, in angstrom, of the slab that `surface_cells` counts."""
    counts, edges = surface_cells(cells, orientation, lattice_constant_A), face(orientation).edges
    return counts[0] * edges[0] * lattice_constant_A, counts[1] * edges[1] * lattice_constant_A


def silicon_slab(
    cells: tuple[int, int, int],
    frozen_layers: int = 4,
    vacuum_A: float = 30.0,
    lattice_constant_A: float = SI_LATTICE_CONSTANT_A,
    si_o_length_A: float = 1.60,
    orientation: str = "100",
) -> Network:
    """Return a silicon slab the size of nx x ny x nz conventional cells, periodic in x and y, free in z.

    orientation: 100 (4 atomic planes for each cell along z), 110 or 111; these take the number of their own surface
    cells that comes nearest (`surface_cells`). The bottom `frozen_layers` atomic planes keep their bulk positions, and
    the lowest plane its missing bonds: two for each of its atoms on (100), one on (110) and (111). With 0 of them the
    back is free and closed like the top (`moxie.structures.back_side`).

    At the top an O bridges each pair of dangling bonds, so that every mobile Si has four bonds and every O two:

    * (100): two dangling bonds per atom, along one <110> direction to its two neighbours 3.84 A away: rows of Si-O-Si,
      one O per surface atom.
    * (110): one per atom; an O joins next neighbours on the same side of a zigzag chain, 3.84 A apart, in pairs. (Over
      to the next chain it would be 4.50 A, with half as much strain again.)
    * (111): one per atom, upright; an O joins neighbours 3.84 A apart, in pairs.

    On (110) and (111) there is half an O for each surface atom; the two Si share a neighbour, so that each O closes a
    ring of three Si, which growth and annealing may open.

    The O starts above the middle of its pair at the height that gives the Si-O length, where the geometry allows.
    Raises InputError for an unknown orientation, fewer than 2 cells in plane, fewer than 2 along z, or layers frozen up
    to the surface.
    """
    surface = face(orientation)
    if min(cells) < 2:
        raise InputError(f"Slab of {cells} cells: at least 2 x 2 x 2 are needed.")
    counts = surface_cells(cells, orientation, lattice_constant_A)
    n_layers = surface.planes * counts[2]
    if not 0 <= frozen_layers <= n_layers - 3:
        raise InputError(
            f"frozen_layers is {frozen_layers}; with {cells[2]} cells along z ({n_layers} layers) it must lie in "
            f"1..{n_layers - 3}, or be 0 for a free back."
        )
    if vacuum_A < 10:
        raise InputError(f"vacuum_A is {vacuum_A}; at least 10 A are needed above the film.")
    positions, layer, cell = _surface_positions(surface, counts, lattice_constant_A)
    periodic = np.array([True, True, False])
    bonds = _bonds_within(positions, cell, periodic, 1.1 * lattice_constant_A * math.sqrt(3) / 4)
    top = np.flatnonzero(layer == n_layers - 1)
    bridges = _bridges(surface, positions, top, cell, lattice_constant_A)
    span = lattice_constant_A * math.hypot(*surface.bridge)
    rise = math.sqrt(max(si_o_length_A**2 - (span / 2) ** 2, 0.0)) + 0.5
    start = positions[bridges[:, 0]]
    middle = start + 0.5 * nearest_image(positions[bridges[:, 1]] - start, cell, periodic) + [0, 0, rise]
    n, n_front = len(positions), len(bridges)
    if not frozen_layers:
        image, centre = _inversion(positions, layer, bonds, cell)
        bridges, middle = np.vstack([bridges, image[bridges]]), np.vstack([middle, 2 * centre - middle])
    lowest = min(0.0, float(middle[:, 2].min()))
    new = [(int(atom), n + k) for k, bridge in enumerate(bridges) for atom in bridge]
    return make_network(
        np.vstack([positions, middle]) - [0, 0, lowest],
        ["Si"] * n + ["O"] * len(bridges),
        np.vstack([bonds, new]),
        [cell[0], cell[1], cell[2] - lowest + vacuum_A],
        periodic,
        np.concatenate([layer < frozen_layers, np.zeros(len(bridges), bool)]),
        {
            "cells": list(cells),
            "orientation": orientation,
            "frozen_layers": frozen_layers,
            "lattice_constant_A": lattice_constant_A,
            **({} if frozen_layers else {FACT: list(range(n + n_front, n + len(bridges)))}),
        },
        label=f"Si({orientation}) slab",
    )


def _surface_positions(
    surface: Face, counts: tuple[int, int, int], lattice_constant_A: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return positions (n, 3) with the bottom plane first, the plane of each atom (n,), and the cell (3,)."""
    edges = np.array(surface.edges) * lattice_constant_A
    copies = np.stack(np.meshgrid(*(np.arange(count) for count in counts), indexing="ij"), axis=-1).reshape(-1, 1, 3)
    sites = np.array(surface.sites)
    positions = ((copies + sites) * edges).reshape(-1, 3)
    layer = (copies[..., 2] * surface.planes + np.arange(len(sites)) // _PLANE_ATOMS).ravel()
    order = np.lexsort(np.round(positions, 6).T)
    return positions[order], layer[order], np.array(counts) * edges


def _bridges(
    surface: Face, positions: np.ndarray, top: np.ndarray, cell: np.ndarray, lattice_constant_A: float
) -> np.ndarray:
    """Return the pairs (k, 2) of top atoms that a surface O joins."""
    unit = np.array(surface.edges[:2]) * lattice_constant_A * surface.multiple
    plane = positions[top, :2]
    starts = np.concatenate(
        [top[_same_place(plane, unit * start, unit).all(axis=1)] for start in surface.bridge_starts]
    )
    ends = positions[starts, :2] + lattice_constant_A * np.array(surface.bridge)
    found = [top[_same_place(plane, end, cell[:2]).all(axis=1)] for end in ends]
    pairs = np.sort(np.stack([starts, np.concatenate(found)], axis=1), axis=1)
    return pairs[np.lexsort((pairs[:, 1], pairs[:, 0]))]


def _inversion(
    positions: np.ndarray, layer: np.ndarray, bonds: np.ndarray, cell: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return each atom's image (n,) under an inversion that turns the slab upside down, and the inversion's centre.

    The centre is the middle of a bond between the two planes in the middle of the slab.
    """
    from scipy.spatial import cKDTree

    middle = (layer.max() + 1) // 2
    across = bonds[(np.sort(layer[bonds], axis=1) == [middle - 1, middle]).all(axis=1)]
    i, j = across[0]
    periodic = np.array([True, True, False])
    centre = positions[i] + 0.5 * nearest_image((positions[j] - positions[i])[None], cell, periodic)[0]
    box = np.array([cell[0], cell[1], 0.0])

    def folded(points: np.ndarray) -> np.ndarray:  # off the cell's edge, where rounding decides
        return points + [1.0, 1.0, 0.0] - box * np.floor((points + [1.0, 1.0, 0.0]) / cell)

    distance, image = cKDTree(folded(positions), boxsize=box).query(folded(2 * centre - positions))
    assert distance.max() < 0.01
    return image, centre


def _same_place(points: np.ndarray, point: np.ndarray, period: np.ndarray) -> np.ndarray:
    apart = points - point
    return np.abs(apart - period * np.round(apart / period)) < 0.01


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
