"""Ideal silicon structures have the crystal's geometry."""

import numpy as np
import pytest

from moxie.errors import InputError
from moxie.oxidation.engine import Engine
from moxie.oxidation.parameter_sets import load_parameters
from moxie.structures.network import MASS_AMU
from moxie.structures.silicon import (
    MONOLAYER_PER_CM2,
    SI_LATTICE_CONSTANT_A,
    beta_cristobalite,
    diamond,
    silicon_slab,
    surface_cells,
)


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


@pytest.mark.parametrize("orientation", ["100", "110", "111"])
@pytest.mark.parametrize(("cells", "frozen"), [((2, 2, 2), 1), ((2, 3, 3), 4), ((4, 4, 5), 4)])
def test_slab_has_no_dangling_bond_but_at_the_frozen_bottom(cells, frozen, orientation):
    slab = silicon_slab(cells, frozen, orientation=orientation)
    counts = surface_cells(cells, orientation)
    surface = 2 * counts[0] * counts[1]
    dangling = {"100": 2, "110": 1, "111": 1}[orientation]
    counts = slab.coordination()
    assert (slab.species == "O").sum() == surface * dangling / 2
    wanted = np.where(slab.species == "O", 2, 4)
    assert (counts[~slab.frozen] == wanted[~slab.frozen]).all()
    lowest = slab.positions[:, 2] < 0.1
    assert lowest.sum() == surface and (counts[lowest] == 4 - dangling).all() and slab.frozen[lowest].all()
    assert (counts[~lowest] == wanted[~lowest]).all()
    assert slab.frozen.sum() == frozen * surface


@pytest.mark.parametrize(("orientation", "spacings"), [("100", {1}), ("110", {1}), ("111", {1, 3})])
def test_the_slab_is_the_crystal_seen_along_its_normal(orientation, spacings):
    slab = silicon_slab((3, 3, 4), 4, orientation=orientation)
    silicon = np.flatnonzero(slab.species == "Si")
    direct = (slab.species[slab.bonds] == "Si").all(axis=1)
    np.testing.assert_allclose(lengths(slab)[direct], SI_LATTICE_CONSTANT_A * np.sqrt(3) / 4)
    heights, counts = np.unique(np.round(slab.positions[silicon, 2], 5), return_counts=True)
    assert len(set(counts)) == 1
    # the monolayer of the literature is for a = 5.431 A
    per_cm2 = counts[0] / slab.area_A2 * 1e16 * (SI_LATTICE_CONSTANT_A / 5.431) ** 2
    assert per_cm2 == pytest.approx(MONOLAYER_PER_CM2[orientation], rel=2e-3)
    steps = np.diff(heights)
    assert set(np.round(steps / steps.min()).astype(int)) == spacings
    # from the lowest plane to the same one a surface cell higher: eight atoms in a cubed lattice constant
    planes = {"100": 4, "110": 2, "111": 6}[orientation]
    volume = slab.area_A2 * (heights[planes] - heights[0])
    assert planes * counts[0] / volume == pytest.approx(8 / SI_LATTICE_CONSTANT_A**3)


@pytest.mark.parametrize("orientation", ["100", "110", "111"])
def test_the_crystal_below_the_surface_has_no_energy_and_no_force(orientation):
    parameters = load_parameters("von_alfthan_2003")
    slab = silicon_slab((2, 2, 3), 4, lattice_constant_A=parameters.lattice_constant_A, orientation=orientation)
    terms = Engine(slab, parameters).energy_terms()
    near = slab.neighbours()
    inside = [
        atom
        for atom in np.flatnonzero((slab.species == "Si") & ~slab.frozen)
        if all((slab.species[[n, *near[n]]] == "Si").all() for n in near[atom])
    ]
    assert len(inside) > 8
    np.testing.assert_allclose(terms.atom_energy[inside], 0, atol=1e-12)
    np.testing.assert_allclose(terms.forces[inside], 0, atol=1e-9)


@pytest.mark.parametrize(("orientation", "cells"), [("100", (4, 4, 5)), ("110", (4, 6, 7)), ("111", (6, 3, 3))])
def test_another_surface_takes_the_nearest_whole_number_of_its_own_cells(orientation, cells):
    assert surface_cells((4, 4, 5), orientation) == cells
    slab = silicon_slab((4, 4, 5), 4, orientation=orientation)
    height = slab.positions[slab.species == "Si", 2].max()
    np.testing.assert_allclose(slab.cell[:2], 4 * SI_LATTICE_CONSTANT_A, rtol=0.1)
    np.testing.assert_allclose(height, 5 * SI_LATTICE_CONSTANT_A, rtol=0.1)


@pytest.mark.parametrize("orientation", ["110", "111"])
def test_oxygen_on_the_other_surfaces_joins_neighbours_in_pairs(orientation):
    slab = silicon_slab((2, 3, 2), 1, orientation=orientation)
    near = slab.neighbours()
    ends = np.array([near[atom] for atom in np.flatnonzero(slab.species == "O")])
    assert len(np.unique(ends)) == ends.size
    between = np.linalg.norm(slab.vectors(ends[:, 0], ends[:, 1]), axis=1)
    np.testing.assert_allclose(between, SI_LATTICE_CONSTANT_A / np.sqrt(2))


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
        assert not set(near[i]) & set(near[j]) - {atom}
    np.testing.assert_allclose(directions, np.broadcast_to(directions[0], (len(directions), 3)), atol=1e-9)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: silicon_slab((1, 4, 4)), "2 x 2 x 2"),
        (lambda: silicon_slab((2, 2, 2), 6), "frozen_layers is 6"),
        (lambda: silicon_slab((2, 2, 2), 1, vacuum_A=2), "vacuum"),
        (lambda: silicon_slab((2, 2, 2), 1, orientation="001"), "is '001'; it must be '100' or '110' or '111', a text"),
        (lambda: diamond((0, 1, 1)), "whole numbers"),
        (lambda: diamond((1, 1, 1), 20.0), "Lattice constant"),
        (lambda: beta_cristobalite((1, 1, 1), 0.0), "Density"),
    ],
)
def test_impossible_structures_are_refused(call, message):
    with pytest.raises(InputError, match=message):
        call()
