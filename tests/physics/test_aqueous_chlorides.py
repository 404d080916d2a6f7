"""Joung and Cheatham's ions: the energies of pairs, by hand, and neutral boxes with three- and four-site water."""

import math

import numpy as np
import openmm
import pytest

from moxie.dynamics.motion import degrees_of_freedom
from moxie.dynamics.platforms import PlatformChoice, evaluate
from moxie.dynamics.preflight import check_run
from moxie.dynamics.protocol import RunSettings
from moxie.dynamics.systems import build_model, site_charges_e, site_positions_nm
from moxie.errors import InputError
from moxie.structures.boxes import pack
from moxie.structures.molecules import embed

REFERENCE = PlatformChoice("Reference", "double", {})
SMILES = {"water": "O", "lithium": "[Li+]", "sodium": "[Na+]", "potassium": "[K+]", "chloride": "[Cl-]"}
# sigma (A) and epsilon (kJ/mol) of cation and anion, openmmforcefields 3aa9162
PAIRS = {
    ("jc_spce", "sodium"): ((2.159538, 1.475453), (4.830453, 0.053492)),
    ("jc_spce", "potassium"): ((2.838403, 1.797887), (4.830453, 0.053492)),
    ("jc_tip4p_ew", "lithium"): ((1.439692, 0.435087), (4.917761, 0.048792)),
}


@pytest.mark.parametrize(("force_field", "cation"), PAIRS)
def test_energy_of_a_pair_of_ions_is_lennard_jones_by_the_mean_of_sigmas_and_coulomb(force_field, cation):
    model = build_model({cation: 1, "chloride": 1}, SMILES, force_field, edge_nm=None)
    for r_nm in (0.24, 0.28, 0.5):
        energy, forces, _ = evaluate(REFERENCE, model.system, np.array([[0, 0, 0], [r_nm, 0, 0]]))
        (sigma, epsilon), (other, depth) = PAIRS[force_field, cation]
        ratio = ((sigma + other) / 20 / r_nm) ** 6
        expected = 4 * math.sqrt(epsilon * depth) * (ratio**2 - ratio) - 138.935457644 / r_nm
        assert energy == pytest.approx(expected, rel=1e-6)
        assert forces[0] == pytest.approx(-forces[1])


@pytest.mark.parametrize(("force_field", "sites"), [("jc_spce", 3), ("jc_tip4p_ew", 4)])
def test_a_brine_is_neutral_whole_and_rigid(force_field, sites):
    counts = {"sodium": 3, "chloride": 3, "water": 40}
    packed = pack({name: embed(SMILES[name], name) for name in counts}, counts, SMILES, seed=1)
    model = build_model(counts, SMILES, force_field, edge_nm=packed.edge_A / 10, cutoff_nm=0.5)
    assert model.system.getNumParticles() == 6 + 40 * sites
    assert abs(site_charges_e(model.system).sum()) < 1e-9
    assert degrees_of_freedom(model.system) == 3 * 6 + 6 * 40
    energy, forces, _ = evaluate(REFERENCE, model.system, site_positions_nm(model, packed))
    assert np.isfinite(energy) and np.isfinite(forces).all()
    assert any(isinstance(force, openmm.NonbondedForce) for force in model.system.getForces())


def test_water_of_tip4p_ew_has_its_charge_in_its_place():
    """0.125 A from the oxygen towards the hydrogens (Horn et al. 2004)."""
    packed = pack({"water": embed("O", "water")}, {"water": 2}, SMILES, seed=1)
    model = build_model({"water": 2}, SMILES, "jc_tip4p_ew", edge_nm=None)
    context = REFERENCE.context(model.system, openmm.VerletIntegrator(0.001))
    context.setPositions(site_positions_nm(model, packed))
    context.applyConstraints(1e-8)
    context.computeVirtualSites()
    oxygen, _, _, charge = context.getState(positions=True).getPositions(asNumpy=True)._value[:4]
    assert np.linalg.norm(charge - oxygen) == pytest.approx(0.0125, abs=1e-6)


def test_a_brine_that_is_not_neutral_is_refused():
    settings = RunSettings(298.15, "jc_spce", cutoff_nm=0.9)
    with pytest.raises(InputError, match=r"charge \+1"):
        check_run("brine", {"sodium": 10, "chloride": 9, "water": 600}, SMILES, settings)
