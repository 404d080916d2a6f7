"""Ideal silicon structures have the crystal's geometry."""

import numpy as np
import pytest

from moxie.errors import InputError
from moxie.structures.network import MASS_AMU
from moxie.structures.silicon import SI_LATTICE_CONSTANT_A, beta_cristobalite, diamond, silicon_slab


def lengths(network):
    return np.linalg.norm(network.vectors(network.bonds[:, 0], network.bonds[:, 1]), axis=1)


def cosines(network, centre_kind):
    near = network.neighbours()
    found = []
    for atom in np.flatnonzero((network.species == centre_kind) & ~network.frozen):
        vectors = network.vectors(np.full(len(near[atom]), atom), np.array(near[atom]))
        unit = vectors / np.linalg.norm(vectors, axis=1)[:, None]
        found += [unit[p] @ unit[q] for p in range(len(unit)) for q in range(p)]
    return np.array(found)


@pytest.mark.parametrize("cells", [(1, 1, 1), (2, 3, 2)])
def test_diamond_has_tetrahedral_bonds(cells):
    network = diamond(cells)
    assert len(network.positions) == 8 * np.prod(cells) and len(network.bonds) == 2 * len(network.positions)
    np.testing.assert_allclose(lengths(network), SI_LATTICE_CONSTANT_A * np.sqrt(3) / 4)
    np.testing.assert_allclose(cosines(network, "Si"), -1 / 3, atol=1e-12)


@pytest.mark.parametrize("density", [1.8, 2.20, 2.6])
def test_beta_cristobalite_is_straight_and_has_its_density(density):
    network = beta_cristobalite((2, 2, 2), density)
    assert (network.coordination() == np.where(network.species == "O", 2, 4)).all()
    np.testing.assert_allclose(cosines(network, "O"), -1, atol=1e-12)
    mass = sum(MASS_AMU[element] for element in network.species.tolist())
    np.testing.assert_allclose(mass * 1.66053906660 / np.prod(network.cell), density)


@pytest.mark.parametrize(("cells", "frozen"), [((2, 2, 2), 1), ((2, 3, 3), 4), ((4, 4, 5), 4)])
def test_slab_has_no_dangling_bond_but_at_the_frozen_bottom(cells, frozen):
    slab = silicon_slab(cells, frozen)
    surface = 2 * cells[0] * cells[1]
    counts = slab.coordination()
    assert (slab.species == "O").sum() == surface
    wanted = np.where(slab.species == "O", 2, 4)
    assert (counts[~slab.frozen] == wanted[~slab.frozen]).all()
    lowest = slab.positions[:, 2] < 0.1
    assert (counts[lowest] == 2).all() and slab.frozen[lowest].all()
    assert (counts[~lowest] == wanted[~lowest]).all()
    assert slab.frozen.sum() == frozen * surface


def test_surface_bridges_run_along_one_direction_over_second_neighbours():
    slab = silicon_slab((3, 3, 2), 1)
    near = slab.neighbours()
    directions = []
    for atom in np.flatnonzero(slab.species == "O"):
        i, j = near[atom]
        vector = slab.vectors(np.array([i]), np.array([j]))[0]
        np.testing.assert_allclose(np.linalg.norm(vector), SI_LATTICE_CONSTANT_A / np.sqrt(2))
        directions.append(vector * np.sign(vector[0]))
        assert slab.positions[atom, 2] > slab.positions[i, 2]
    np.testing.assert_allclose(directions, np.broadcast_to(directions[0], (len(directions), 3)), atol=1e-9)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: silicon_slab((1, 4, 4)), "2 x 2 x 2"),
        (lambda: silicon_slab((2, 2, 2), 6), "frozen_layers is 6"),
        (lambda: silicon_slab((2, 2, 2), 1, vacuum_A=2), "vacuum"),
        (lambda: diamond((0, 1, 1)), "whole numbers"),
        (lambda: diamond((1, 1, 1), 20.0), "Lattice constant"),
        (lambda: beta_cristobalite((1, 1, 1), 0.0), "Density"),
    ],
)
def test_impossible_structures_are_refused(call, message):
    with pytest.raises(InputError, match=message):
        call()
