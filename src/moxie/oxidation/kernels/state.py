"""Flat arrays that the compiled kernels share: the network, the field, and the scratch space of one local problem.

Everything is allocated once here; no kernel allocates inside a move.

Atoms of a local problem are renumbered: rows 0..m-1 move, rows m..c-1 are their fixed neighbours (centres of angles
that have a moving end), rows beyond are fixed ends of those angles and fixed partners of the repulsion.

An O without bonds is in reserve: it is not part of the network, and an exchange move may put it into a bond.
"""

from typing import NamedTuple

import numpy as np

from moxie.oxidation.kernels.slots import N_COUNTERS
from moxie.oxidation.kernels.surrogate import N_TERMS
from moxie.oxidation.parameter_sets import SKIN_A, ParameterSet
from moxie.structures.network import Network

SILICON, OXYGEN = 0, 1
BIN_CAPACITY = 64
HISTORY = 7
DRIFT = 0.35  # how far an atom may be from where it was enlisted
LISTED = SKIN_A + 2 * DRIFT  # so far beyond the range two references are in each other's list
NEAR_CAPACITY = 80
FREE = 1e30  # length of an edge that is not periodic


class Field(NamedTuple):
    """Numbers of a parameter set, as arrays indexed by species (0 Si, 1 O). eV and angstrom.

    angle_k and angle_cos are indexed [species of the centre, number of O among the two ends].
    """

    keating: bool
    bond_k: np.ndarray
    bond_length: np.ndarray
    angle_k: np.ndarray
    angle_cos: np.ndarray
    repulsion_kind: int  # 0 none, 1 quadratic in r^2, 2 cubic
    repulsion_k: float
    repulsion_range: np.ndarray
    suboxide: np.ndarray


# One atom's numbers lie together, since a move meets atoms at random: in the first line of the cache (64 bytes) what a
# kernel asks of every atom it meets, in the second what only moving and repelling atoms need.
RECORD = np.dtype(
    [
        ("position", float, 3),
        ("neighbours", np.int32, 4),
        ("mark", np.int64),
        ("row_stamp", np.int64),
        ("row_of", np.int32),
        ("degree", np.int8),
        ("species", np.int8),
        ("frozen", bool),
        ("end_of_line", np.int8),
        ("trial", float, 3),
        ("reference", float, 3),
        ("repulsion_of", float),
        ("end", np.int64),
    ]
)


class Atoms(NamedTuple):
    """The network: n atoms, at most four neighbours each."""

    position: np.ndarray  # (n, 3)
    neighbours: np.ndarray  # (n, 4) int32, -1 where empty
    degree: np.ndarray  # (n,) int8
    species: np.ndarray  # (n,) int8
    frozen: np.ndarray  # (n,) bool
    cell: np.ndarray  # (3,) lengths; 1e30 where not periodic
    stream: np.ndarray  # (4,) uint64


class Bins(NamedTuple):
    """Who is near whom, for the repulsion. Every atom is enlisted at a reference, at most DRIFT from its position: in a
    linked cell, and in the lists of all atoms whose reference is within range + LISTED of its own."""

    shape: np.ndarray  # (3,) int64
    origin: np.ndarray  # (3,)
    width: np.ndarray  # (3,)
    of_atom: np.ndarray  # (n,) int32
    slot: np.ndarray  # (n,) int32
    filled: np.ndarray  # (n_bins,) int32
    atoms: np.ndarray  # (n_bins, BIN_CAPACITY) int32
    reference: np.ndarray  # (n, 3)
    near: np.ndarray  # (n, NEAR_CAPACITY) atoms, n_near of them; none for a field without repulsion
    n_near: np.ndarray  # (n,)
    away: np.ndarray  # (n,) bool: enlisted at a trial position
    travellers: np.ndarray  # (n,) these atoms, Scratch.counters[N_TRAVELLERS] of them


class Scratch(NamedTuple):
    """Scratch space; see the module's docstring for the numbering."""

    trial: np.ndarray  # (n, 3) trial positions, equal to the positions outside a move
    row_of: np.ndarray  # (n,) int32: local row of an atom, valid
    row_stamp: np.ndarray  # (n,) int64 where this equals counters[ROW_STAMP]
    mark: np.ndarray  # (n,) int64, for exclusions
    counters: np.ndarray  # (N_COUNTERS,) int64, see `slots`
    atom: np.ndarray  # (n,) atom of a local row
    local_species: np.ndarray
    x: np.ndarray  # (n, 3)
    g: np.ndarray  # (n, 3) gradient
    x_best: np.ndarray
    g_best: np.ndarray
    direction: np.ndarray
    table: np.ndarray  # (n, 4) local neighbours, moving ones first for fixed centres
    table_degree: np.ndarray
    table_moving: np.ndarray
    bonds: np.ndarray  # (2 n + 8, 4) bonds with a moving end: row, its slot, other row, its slot there (-1: none)
    unit: np.ndarray  # (n, 4, 3) unit vector from a row to each of its local neighbours
    inverse: np.ndarray  # (n, 4) 1 / length of these
    across: np.ndarray  # (n, 4, 3) sum over the angles at a bond: slope times the other bond's unit vector
    along: np.ndarray  # (n, 4) the same times the cosine
    pull: np.ndarray  # (n, 4) dE/dlength of these bonds, eV/A
    x_listed: np.ndarray  # positions at which the pair list was made
    pair_i: np.ndarray
    pair_j: np.ndarray
    old_i: np.ndarray  # pairs of the state before the move, by atom
    old_j: np.ndarray
    old_e: np.ndarray
    steps: np.ndarray  # (HISTORY, 3 n)
    changes: np.ndarray  # (HISTORY, 3 n)
    rho: np.ndarray
    alpha: np.ndarray
    repulsion_of: np.ndarray  # (n,) repulsion energy an atom takes part in, eV
    moving: np.ndarray  # (n,) atoms chosen to move
    chain: np.ndarray  # (8,) atoms of the move
    edits: np.ndarray  # (8, 3) undo log: atom, slot, previous neighbour
    edge: np.ndarray  # (n, 3) gradient on the fixed rows of the local problem before the move
    outcome: np.ndarray  # (2,) of a move that was relaxed, see `batch`
    search: np.ndarray  # (3,) of a relaxation that may go on: energy, stored steps, newest step
    reserve: np.ndarray  # (n,) the O in reserve, counters[N_RESERVE] of them
    ends: np.ndarray  # (4,) of the surrogate: Si whose links or O a move changes,
    near: np.ndarray  # (2, 4) Si linked to either end of a link,
    next: np.ndarray  # (2, 4, 4) those linked to them, -1 where there is none,
    terms: np.ndarray  # (N_TERMS,) change of its terms by a move


def make_field(parameters: ParameterSet) -> Field:
    """Turn a parameter set into arrays."""
    return Field(
        keating=parameters.form == "keating",
        bond_k=np.array(parameters.bond_k, float),
        bond_length=np.array(parameters.bond_length, float),
        angle_k=np.array(parameters.angle_k, float),
        angle_cos=np.array(parameters.angle_cos, float),
        repulsion_kind={"none": 0, "quadratic": 1, "cubic": 2}[parameters.repulsion.kind],
        repulsion_k=float(parameters.repulsion.strength),
        repulsion_range=np.array(parameters.repulsion.range_A, float),
        suboxide=np.array(parameters.suboxide_eV, float),
    )


def make_atoms(network: Network, stream: np.ndarray) -> Atoms:
    """Turn a network (orthogonal cell) into arrays; neighbours in ascending order of atom number.

    Positions are folded into the cell along its periodic axes: the kernels look no further than the next image.
    """
    n = len(network.positions)
    neighbours = np.full((n, 4), -1, np.int32)
    degree = np.zeros(n, np.int8)
    for i, j in network.bonds:
        neighbours[i, degree[i]] = j
        neighbours[j, degree[j]] = i
        degree[i] += 1
        degree[j] += 1
    cell = np.where(network.periodic, network.cell, FREE).astype(float)
    species = np.where(network.species == "O", OXYGEN, SILICON).astype(np.int8)
    position = network.positions - np.where(network.periodic, cell * np.floor(network.positions / cell), 0.0)
    position = np.where(network.periodic & (position >= cell), 0.0, position)
    return Atoms(position, neighbours, degree, species, network.frozen.copy(), cell, stream)


def make_bins(records: np.ndarray, atoms: Atoms, field: Field, edges: np.ndarray) -> Bins:
    """Size the linked cells for the longest distance of two references in one list.

    `edges` are the cell's lengths, also along free axes. The layout does not depend on the positions, so that a
    resumed run sums in the same order; what lies beyond a free edge is counted to the outermost cells.
    """
    reach = max(float(field.repulsion_range.max()), 2.0) + LISTED
    extent = np.where(atoms.cell < 1e29, atoms.cell, edges)
    shape = np.maximum(1, np.floor(extent / reach)).astype(np.int64)
    n, n_bins = len(atoms.position), int(np.prod(shape))
    return Bins(
        shape,
        np.zeros(3),
        extent / shape,
        np.full(n, -1, np.int32),
        np.zeros(n, np.int32),
        np.zeros(n_bins, np.int32),
        np.zeros((n_bins, BIN_CAPACITY), np.int32),
        records["reference"],
        np.zeros((n if field.repulsion_kind else 0, NEAR_CAPACITY), np.uint32),
        np.zeros(n, np.int32),
        np.zeros(n, bool),
        np.zeros(n, np.uint32),
    )


def make_records(atoms: Atoms) -> tuple[np.ndarray, Atoms]:
    """Return (records, views of them): a copy of the atoms, each one's numbers together."""
    n = len(atoms.position)
    memory = np.zeros((n + 1) * RECORD.itemsize, np.uint8)
    first = -memory.ctypes.data % 64
    records = memory[first:][: n * RECORD.itemsize].view(RECORD)
    packed = [name for name in Atoms._fields if name in (RECORD.names or ())]
    for name in packed:
        records[name] = getattr(atoms, name)
    return records, atoms._replace(**{name: records[name] for name in packed})


def make_scratch(records: np.ndarray) -> Scratch:
    """Allocate the scratch space for the atoms of `make_records`."""
    n = len(records)
    pairs = 20 * n + 100

    def reals(*shape: int) -> np.ndarray:
        return np.zeros(shape)

    def integers(*shape: int) -> np.ndarray:
        return np.zeros(shape, np.int32)

    def rows(*shape: int) -> np.ndarray:  # unsigned: the compiler need not look out for indices from the end
        return np.zeros(shape, np.uint32)

    return Scratch(
        trial=records["trial"],
        row_of=records["row_of"],
        row_stamp=records["row_stamp"],
        mark=records["mark"],
        counters=np.zeros(N_COUNTERS, np.int64),
        atom=rows(n),
        local_species=rows(n),
        x=reals(n, 3),
        g=reals(n, 3),
        x_best=reals(n, 3),
        g_best=reals(n, 3),
        direction=reals(n, 3),
        table=rows(n, 4),
        table_degree=integers(n),
        table_moving=rows(n),
        bonds=rows(2 * n + 8, 4),
        unit=reals(n, 4, 3),
        inverse=reals(n, 4),
        across=reals(n, 4, 3),
        along=reals(n, 4),
        pull=reals(n, 4),
        x_listed=reals(n, 3),
        pair_i=rows(pairs),
        pair_j=rows(pairs),
        old_i=rows(pairs),
        old_j=rows(pairs),
        old_e=reals(pairs),
        steps=reals(HISTORY, 3 * n),
        changes=reals(HISTORY, 3 * n),
        rho=reals(HISTORY),
        alpha=reals(HISTORY),
        repulsion_of=records["repulsion_of"],
        moving=rows(n),
        chain=integers(8),
        edits=integers(8, 3),
        edge=reals(n, 3),
        outcome=reals(2),
        search=reals(3),
        reserve=integers(n),
        ends=integers(4),
        near=integers(2, 4),
        next=integers(2, 4, 4),
        terms=reals(N_TERMS),
    )
