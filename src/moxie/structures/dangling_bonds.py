"""Dangling bonds of a bare silicon surface, closed by O as those of a cut slab are (`moxie.structures.silicon`).

Every bond that a Si lacks has a direction: that of a tetrahedron whose other corners are there. An O joins two of them
that belong to neighbours 3.84 A apart and point to each other best, each used once: a perfect matching.
"""

import math

import numpy as np

from moxie.errors import InputError
from moxie.structures.network import COORDINATION, Network, make_network

_NEIGHBOURS = (0.85, 1.15)  # distance of the Si that an O joins, in a/sqrt(2) of the crystal
_RISE_A = 0.5  # of an O above the height that gives the Si-O length, as in `silicon_slab`


def close_dangling_bonds(network: Network, bond_lengths_A: tuple[float, float], label: str) -> Network:
    """Return a network of Si alone with an O for each two bonds that unfrozen Si lack; the O come last.

    bond_lengths_A: of Si-Si and Si-O. Raises InputError, naming an atom, where bonds cannot be closed in pairs.
    """
    import networkx

    owners, directions = _dangling(network, label)
    if not len(owners):
        return network
    spacing = bond_lengths_A[0] * 4 / math.sqrt(6)  # a/sqrt(2)
    graph = networkx.Graph()
    graph.add_nodes_from(range(len(owners)))
    first, second = np.triu_indices(len(owners), 1)
    vectors = network.vectors(owners[first], owners[second])
    length = np.linalg.norm(vectors, axis=1)
    near = (length > _NEIGHBOURS[0] * spacing) & (length < _NEIGHBOURS[1] * spacing)
    first, second, vectors = first[near], second[near], vectors[near] / length[near, None]
    towards = np.einsum("ij,ij->i", directions[first] - directions[second], vectors)
    for i, j, weight in zip(first, second, towards, strict=True):
        graph.add_edge(int(i), int(j), weight=round(float(weight), 3))  # equal ones stay equal
    pairs = np.array(sorted(tuple(sorted(pair)) for pair in networkx.max_weight_matching(graph, maxcardinality=True)))
    left = sorted(set(range(len(owners))) - set(pairs.ravel().tolist()))
    if left:
        atom = int(owners[left[0]])
        raise InputError(
            f"{label}: the dangling bond of atom {atom} finds no other to share an O with; bonds are closed in pairs of"
            f" Si about {spacing:.2f} A apart. Complete or remove the atom, or freeze it if it belongs to the back."
        )
    joined = np.unique(np.sort(owners[pairs], axis=1), axis=0)
    if len(joined) < len(pairs):
        raise InputError(f"{label}: two O would join the same two Si. Use a cell that is wider in its plane.")
    middle, outwards = _middles(network, joined, owners, directions, bond_lengths_A[1])
    n = len(network.positions)
    bonds = [(int(atom), n + k) for k, ends in enumerate(joined) for atom in ends]
    return make_network(
        np.vstack([network.positions, middle + outwards]),
        [*network.species.tolist(), *["O"] * len(joined)],
        np.vstack([network.bonds, bonds]),
        network.cell,
        network.periodic,
        np.concatenate([network.frozen, np.zeros(len(joined), bool)]),
        {**network.info, "closed_with_oxygen": len(joined)},
        label=label,
    )


def _dangling(network: Network, label: str) -> tuple[np.ndarray, np.ndarray]:
    """Return the atom (k,) and the direction (k, 3) of every bond that an unfrozen Si lacks."""
    owners: list[int] = []
    directions: list[np.ndarray] = []
    for atom in np.flatnonzero((network.coordination() < COORDINATION["Si"]) & ~network.frozen).tolist():
        ends = np.array(network.neighbours()[atom], dtype=np.int64)
        missing = COORDINATION["Si"] - len(ends)
        if missing > 2:
            raise InputError(
                f"{label}: atom {atom} has {len(ends)} bonds; an O closes one or two missing bonds of a Si. Remove it."
            )
        bonds = network.vectors(np.full(len(ends), atom), ends)
        bonds /= np.linalg.norm(bonds, axis=1, keepdims=True)
        away = -bonds.sum(axis=0)
        away /= np.linalg.norm(away)
        if missing == 2:
            across = np.cross(bonds[0], bonds[1])
            across *= math.sqrt(2 / 3) / np.linalg.norm(across)
            directions += [away / math.sqrt(3) + across, away / math.sqrt(3) - across]
        else:
            directions.append(away)
        owners += [atom] * missing
    return np.array(owners, dtype=np.int64), np.array(directions).reshape(-1, 3)


def _middles(
    network: Network, joined: np.ndarray, owners: np.ndarray, directions: np.ndarray, si_o_length_A: float
) -> tuple[np.ndarray, np.ndarray]:
    """Return the middles of pairs of Si (k, 3) and how far outwards their O start (k, 3)."""
    apart = network.vectors(*joined.T)
    height = np.sqrt(np.maximum(si_o_length_A**2 - (apart**2).sum(axis=1) / 4, 0)) + _RISE_A
    upwards = np.array([np.sign(directions[np.isin(owners, ends)][:, 2].sum()) for ends in joined])
    return network.positions[joined[:, 0]] + 0.5 * apart, np.outer(height * upwards, [0, 0, 1])
