import numpy as np
import pytest

from moxie.dynamics.systems import build_model, check_system, site_positions_nm
from moxie.errors import InputError
from moxie.structures.boxes import pack
from moxie.structures.molecules import embed

SMILES = {
    "methanol": "CO",
    "ethanol": "CCO",
    "water": "O",
    "lithium": "[Li+]",
    "tfsi": "O=S(=O)([N-]S(=O)(=O)C(F)(F)F)C(F)(F)F",
}
ELECTROLYTE = {"lithium": 2, "tfsi": 2, "water": 5}


def force_of(model, name):
    return next(force for force in model.system.getForces() if type(force).__name__ == name)


def test_rigid_bonds_are_constraints_and_everything_else_a_force():
    model = build_model({"ethanol": 3, "methanol": 2}, SMILES, "trappe_ua", edge_nm=3.0)
    assert model.system.getNumParticles() == 3 * 4 + 2 * 3
    assert model.system.getNumConstraints() == 3 * 3 + 2 * 2
    assert force_of(model, "HarmonicAngleForce").getNumAngles() == 3 * 2 + 2 * 1
    assert force_of(model, "RBTorsionForce").getNumTorsions() == 3
    assert model.n_molecules == 5
    assert model.mass_g_mol == pytest.approx(3 * 46.07 + 2 * 32.04, abs=0.05)


def test_electrolyte_has_flexible_bonds_and_scaled_one_four_interactions():
    model = build_model(ELECTROLYTE, SMILES, "und", edge_nm=2.0, cutoff_nm=0.7)
    assert model.system.getNumConstraints() == 0
    assert force_of(model, "HarmonicBondForce").getNumBonds() == 2 * 14 + 5 * 2
    nonbonded = force_of(model, "NonbondedForce")
    charges = [nonbonded.getParticleParameters(site)[0]._value for site in range(nonbonded.getNumParticles())]
    assert sum(charges) == pytest.approx(0, abs=1e-9)
    assert sum(charges[:2]) == pytest.approx(1.6)
    # F...N, four bonds' ends: Coulomb 0.8333, Lennard-Jones 0.5
    scaled = 0
    for index in range(nonbonded.getNumExceptions()):
        first, second, product, _, epsilon = nonbonded.getExceptionParameters(index)
        if epsilon._value > 0:
            scaled += 1
            assert product._value == pytest.approx(0.8333 * charges[first] * charges[second])
            depths = [nonbonded.getParticleParameters(site)[2]._value for site in (first, second)]
            assert epsilon._value == pytest.approx(0.5 * np.sqrt(depths[0] * depths[1]))
        else:
            assert product._value == 0
    assert scaled == 2 * 24  # every torsion of the anion is one 1-4 pair


def test_cutoff_ewald_tolerance_and_tail_are_as_asked():
    nonbonded = force_of(
        build_model({"methanol": 40}, SMILES, "trappe_ua", edge_nm=2.0, cutoff_nm=0.8, pme_tolerance=2e-4),
        "NonbondedForce",
    )
    assert nonbonded.getNonbondedMethod() == nonbonded.PME
    assert nonbonded.getCutoffDistance()._value == 0.8
    assert nonbonded.getEwaldErrorTolerance() == 2e-4
    assert nonbonded.getUseDispersionCorrection()
    assert not nonbonded.getUseSwitchingFunction()


def test_heavy_hydrogens_take_their_mass_from_the_oxygen():
    light = build_model({"methanol": 2}, SMILES, "trappe_ua", edge_nm=3.0).system
    heavy = build_model({"methanol": 2}, SMILES, "trappe_ua", edge_nm=3.0, hydrogen_mass_amu=3.0).system
    masses = [heavy.getParticleMass(site)._value for site in range(3)]
    assert masses == pytest.approx([15.035, 15.9994 - 1.992, 3.0])
    total = [sum(system.getParticleMass(site)._value for site in range(6)) for system in (light, heavy)]
    assert total[0] == pytest.approx(total[1])


def test_system_that_lacks_a_term_is_refused():
    model = build_model({"ethanol": 2}, SMILES, "trappe_ua", edge_nm=3.0)
    names = [type(force).__name__ for force in model.system.getForces()]
    model.system.removeForce(names.index("RBTorsionForce"))
    with pytest.raises(InputError, match="yields 0 torsions where the molecules ethanol have 2"):
        check_system(model)


def test_system_with_a_wrong_exclusion_is_refused():
    model = build_model({"methanol": 2}, SMILES, "trappe_ua", edge_nm=3.0)
    force_of(model, "NonbondedForce").addException(0, 4, 0.0, 0.3, 0.0)
    with pytest.raises(InputError, match="excludes 7 pairs where the molecules have 6"):
        check_system(model)


def test_charged_box_is_refused():
    with pytest.raises(InputError, match=r"charge \+0.800000 e under und"):
        build_model({"lithium": 2, "tfsi": 1, "water": 3}, SMILES, "und", edge_nm=2.0, cutoff_nm=0.7)


def test_two_names_for_one_molecule_are_two_components():
    model = build_model({"methanol": 2, "again": 3}, SMILES | {"again": "CO"}, "trappe_ua", edge_nm=3.0)
    assert [count for _, count in model.components] == [2, 3]


def test_united_atoms_sit_on_their_carbon_and_other_boxes_are_refused():
    composition = {"ethanol": 2}
    box = pack({"ethanol": embed("CCO", "ethanol")}, composition, SMILES, seed=1)
    model = build_model(composition, SMILES, "trappe_ua", edge_nm=3.0)
    positions = site_positions_nm(model, box)
    heavy = [atom for atom in range(18) if box.symbols[atom] != "H"]
    assert np.allclose(positions[[0, 1, 2, 4, 5, 6]], box.positions_A[heavy] / 10)
    assert np.allclose(np.linalg.norm(positions[[3, 7]] - positions[[2, 6]], axis=1), 0.097, atol=0.003)
    with pytest.raises(InputError, match="was expected"):
        site_positions_nm(build_model({"methanol": 3}, SMILES, "trappe_ua", edge_nm=3.0), box)
