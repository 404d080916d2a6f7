"""Density functional single points: what pyscf itself says, core potentials, radicals and ions."""

import numpy as np
import pytest

from moxie.molecules.density_functional import single_point
from moxie.molecules.geometry import Geometry

pytest.importorskip("pyscf", reason="pyscf is optional: .venv/bin/pip install --require-hashes -r envs/quantum.txt")

BOHR_A = 0.529177210903
HARTREE_EV = 27.211386245988


def atom(symbol, multiplicity):
    return Geometry(symbol, (symbol,), np.zeros((1, 3)), 0, multiplicity)


def diatomic(symbols, distance_A, charge=0, multiplicity=1, shift_A=0.0):
    return Geometry("AB", symbols, shift_A + np.array([[0.0, 0, 0], [0, 0, distance_A]]), charge, multiplicity)


def test_water_is_what_pyscf_says_in_its_own_units():
    from pyscf import dft, gto

    positions_A = np.array([[0, 0, 0.1173], [0, 0.7572, -0.4692], [0, -0.7572, -0.4692]])
    turned = positions_A[:, [2, 0, 1]] / BOHR_A
    atoms = list(zip("OHH", turned.tolist(), strict=True))
    bare = dft.RKS(gto.M(atom=atoms, unit="Bohr", basis="def2-svp", verbose=0), xc="pbe").run()
    ours = single_point(Geometry("water", ("O", "H", "H"), positions_A, 0, 1), "pbe", "def2-svp")
    assert ours.energy_eV == pytest.approx(bare.e_tot * HARTREE_EV, abs=1e-4)
    assert ours.dipole_D == pytest.approx(np.linalg.norm(bare.dip_moment(verbose=0)), abs=1e-4)


def test_a_heavy_atom_has_its_core_potential_and_a_sensible_bond():
    """Measured: 3.05 eV, to which the zero-point energy (0.14) and iodine's spin-orbit lowering (0.31) are added."""
    iodide, parts = diatomic(("H", "I"), 1.609), (atom("H", 2), atom("I", 2))
    whole, *apart = (single_point(each, "pbe", "def2-svpd").energy_eV for each in (iodide, *parts))
    assert sum(apart) - whole == pytest.approx(3.5, abs=0.3)


def test_the_hydroxyl_radical_has_its_measured_dipole():
    radical = single_point(diatomic(("O", "H"), 0.970, multiplicity=2), "b3lyp", "def2-svpd")
    assert radical.dipole_D == pytest.approx(1.6676, rel=0.05)  # Peterson, Can. J. Phys. 62, 1502


def test_dipole_of_an_ion_does_not_depend_on_where_it_stands():
    here, there = (single_point(diatomic(("O", "H"), 0.96, -1, shift_A=s), "pbe", "def2-svp") for s in (0.0, 3.0))
    assert there.energy_eV == pytest.approx(here.energy_eV, abs=1e-5)
    assert there.dipole_D == pytest.approx(here.dipole_D, abs=1e-4)


@pytest.mark.parametrize(("functional", "basis"), [("no-such", "def2-svp"), ("pbe", "no-such")])
def test_unknown_names_are_refused_with_the_names(functional, basis):
    with pytest.raises(RuntimeError, match=f"{functional}/{basis}: .*"):
        single_point(atom("He", 1), functional, basis)
