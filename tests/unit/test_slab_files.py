"""Slabs from other programs: any format, bare surfaces closed as those of a cut slab, H understood or refused."""

import numpy as np
import pytest
from ase import Atoms
from ase.build import add_adsorbate, diamond100
from ase.constraints import FixAtoms
from ase.io import write

from moxie.errors import InputError
from moxie.oxidation.engine import Engine
from moxie.oxidation.parameter_sets import load_parameters
from moxie.structures.back_side import back_oxygens
from moxie.structures.own_slab import own_slab
from moxie.structures.silicon import silicon_slab

PARAMETERS = load_parameters("von_alfthan_2003")
LATTICE_A = PARAMETERS.lattice_constant_A
FIELD = (LATTICE_A, PARAMETERS.bond_length[0][1])


def bare(orientation="100", frozen_layers=4):
    """A cut slab as Atoms, its O taken away; frozen atoms are fixed."""
    slab = silicon_slab((2, 2, 3), frozen_layers, lattice_constant_A=LATTICE_A, orientation=orientation)
    silicon = slab.species == "Si"
    atoms = Atoms("Si" * int(silicon.sum()), slab.positions[silicon], cell=slab.cell, pbc=True)
    if frozen_layers:
        atoms.set_constraint(FixAtoms(mask=slab.frozen[silicon]))
    return slab, atoms


def with_hydrogen(atoms, side):
    """Close the bonds that the lowest (side -1) or highest plane lacks by H, two on each Si of (100)."""
    heights = atoms.positions[:, 2]
    edge = heights.max() if side > 0 else heights.min()
    for place in atoms.positions[np.abs(heights - edge) < 0.1]:
        for shift in (-1.2, 1.2):
            atoms += Atoms("H", [place + [shift / np.sqrt(2), shift / np.sqrt(2), side * 0.87]])
    return atoms


@pytest.mark.parametrize("orientation", ["100", "110", "111"])
def test_a_bare_surface_is_closed_as_that_of_a_cut_slab(orientation, tmp_path):
    slab, atoms = bare(orientation)
    write(tmp_path / "POSCAR", atoms, format="vasp")
    closed = own_slab(tmp_path / "POSCAR", orientation, False, *FIELD)
    n_oxygen = int((slab.species == "O").sum())
    assert closed.info["closed_with_oxygen"] == n_oxygen == int((closed.species == "O").sum())
    np.testing.assert_array_equal(closed.frozen, slab.frozen)
    energies = [Engine(network, PARAMETERS) for network in (closed, slab)]
    for engine in energies:
        engine.relax(0.01, 1000)
    assert energies[0].energy == pytest.approx(energies[1].energy, rel=0.05)
    if orientation == "100":  # whose pairs are the only ones
        np.testing.assert_array_equal(_joined(closed), _joined(slab))


def _joined(network):
    """The places of the two Si of every O, sorted."""
    ends = network.positions[network.bonds[np.isin(network.bonds[:, 1], np.flatnonzero(network.species == "O")), 0]]
    return np.unique(np.round(ends - network.positions.min(axis=0), 3), axis=0)


def test_a_bare_crystal_without_frozen_atoms_is_closed_on_both_sides_for_a_free_back(tmp_path):
    slab, atoms = bare(frozen_layers=0)
    write(tmp_path / "slab.cif", atoms)
    closed = own_slab(tmp_path / "slab.cif", "100", True, *FIELD)
    assert closed.info["closed_with_oxygen"] == int((slab.species == "O").sum())
    assert len(back_oxygens(closed)) == len(back_oxygens(slab))


@pytest.mark.parametrize("name", ["slab.cif", "slab.data", "slab.xyz", "slab.vasp"])
def test_hydrogen_at_the_back_marks_what_is_frozen(name, tmp_path):
    slab, atoms = bare()
    atoms.set_constraint()
    hydrogenated = with_hydrogen(atoms, -1)
    options = {"format": "lammps-data", "masses": True} if name.endswith(".data") else {}
    write(tmp_path / name, hydrogenated, **options)
    closed = own_slab(tmp_path / name, "100", False, *FIELD)
    assert closed.info["removed_hydrogen"] == 2 * int(
        np.isclose(slab.positions[:, 2], slab.positions[:, 2].min()).sum()
    )
    assert closed.info["closed_with_oxygen"] == int((slab.species == "O").sum())
    assert closed.frozen.sum() == slab.frozen.sum() and set(closed.species) == {"Si", "O"}


def test_hydrogen_at_the_front_gives_way_to_oxygen(tmp_path):
    slab, atoms = bare()
    write(tmp_path / "slab.xyz", with_hydrogen(atoms, 1), format="extxyz")
    closed = own_slab(tmp_path / "slab.xyz", "100", False, *FIELD)
    assert closed.info["closed_with_oxygen"] == int((slab.species == "O").sum())
    assert closed.info["removed_hydrogen"] == 2 * closed.info["closed_with_oxygen"]


def test_what_ase_builds_is_accepted(tmp_path):
    slab = diamond100("Si", (3, 3, 8), a=LATTICE_A, vacuum=15.0)
    slab.set_constraint(FixAtoms(mask=slab.positions[:, 2] < slab.positions[:, 2].min() + 0.9 * LATTICE_A))
    write(tmp_path / "slab.vasp", slab)
    closed = own_slab(tmp_path / "slab.vasp", "100", False, *FIELD)
    assert closed.info["closed_with_oxygen"] == 9 and closed.frozen.sum() == 36


def test_what_cannot_be_closed_is_named(tmp_path):
    _, atoms = bare()
    top = int(atoms.positions[:, 2].argmax())
    odd = atoms.copy()
    del odd[top]
    for name, case, message in (
        ("hole", odd, "finds no other to share an O|has . bonds|the dangling bond"),
        ("water", with_adsorbate(atoms, "H", 3.0), "an H that is not bound to one Si"),
        ("carbon", with_adsorbate(atoms, "C", 2.0), "'C'; networks hold Si and O only"),
    ):
        write(tmp_path / f"{name}.vasp", case)
        with pytest.raises(InputError, match=message):
            own_slab(tmp_path / f"{name}.vasp", "100", False, *FIELD)
    (tmp_path / "notes.vasp").write_text("no structure\n")
    with pytest.raises(InputError, match="is not a structure that ASE can read"):
        own_slab(tmp_path / "notes.vasp", "100", False, *FIELD)


def with_adsorbate(atoms, element, height_A):
    atoms = atoms.copy()
    add_adsorbate(atoms, element, height_A, position=tuple(atoms.positions[0, :2] + 0.3))
    return atoms
