"""The distribution of a simulated dihedral angle is Boltzmann's of its torsion potential, and mirror-symmetric."""

import numpy as np
import openmm
import pytest

from moxie.dynamics.systems import build_model
from moxie.features.dihedrals import ANGLES_DEG, BIN_WIDTH_DEG, TORSIONS, DihedralCounter
from moxie.features.site_search import find_tuples
from moxie.structures.molecules import embed

R_KJ_MOL_K, TEMPERATURE_K = 0.00831446, 500.0
BOX_A = np.array([100.0, 100, 100, 90, 90, 90], dtype=np.float32)


def alkane_energy_kJ_mol(radians):
    """Martin and Siepmann 1998: C-C-C-C of TraPPE-UA."""
    series = 355.03 * (1 + np.cos(radians)) - 68.19 * (1 - np.cos(2 * radians)) + 791.32 * (1 + np.cos(3 * radians))
    return R_KJ_MOL_K * series


@pytest.fixture(scope="module")
def butane():
    """One isolated butane: four united atoms, rigid bonds, no pair interaction, so that its torsion is free."""
    model = build_model({"butane": 1}, {"butane": "CCCC"}, "trappe_ua", edge_nm=None)
    integrator = openmm.LangevinMiddleIntegrator(TEMPERATURE_K, 2.0, 0.004)
    integrator.setRandomNumberSeed(4)
    platform = openmm.Platform.getPlatformByName("Reference")
    context = openmm.Context(model.system, integrator, platform)
    context.setPositions(embed("CCCC", "butane").GetConformer().GetPositions()[:4] / 10)
    context.setVelocitiesToTemperature(TEMPERATURE_K, 5)
    components = [{"name": "butane", "smiles": "CCCC", "count": 1, "site_atoms": [0, 1, 2, 3]}]
    counter = DihedralCounter(find_tuples(components, TORSIONS["backbone"].smarts))
    integrator.step(2000)
    for _ in range(12000):
        integrator.step(25)
        counter.add(10 * context.getState(positions=True).getPositions(asNumpy=True)._value, BOX_A)
    return counter.result()


def test_a_free_torsion_follows_boltzmann(butane):
    fine = np.radians(np.arange(-180, 180, 0.1) + 0.05)
    exact = np.exp(-alkane_energy_kJ_mol(fine) / (R_KJ_MOL_K * TEMPERATURE_K)).reshape(len(ANGLES_DEG), -1).sum(axis=1)
    exact /= exact.sum()
    deviation = butane.density_per_deg * BIN_WIDTH_DEG - exact
    z = (deviation / (butane.standard_error_per_deg * BIN_WIDTH_DEG))[exact > 2e-3]
    assert np.sqrt((z**2).mean()) < 1.6 and np.abs(z).max() < 4.5
    trans = exact[np.abs(ANGLES_DEG) > 120].sum()
    assert abs(butane.trans_fraction.value - trans) < 3.5 * butane.trans_fraction.standard_error < 0.15


def test_a_molecule_that_is_its_own_mirror_image_has_a_symmetric_distribution(butane):
    seen = butane.density_per_deg > 4e-4
    difference = butane.density_per_deg - butane.density_per_deg[::-1]
    error = np.hypot(butane.standard_error_per_deg, butane.standard_error_per_deg[::-1])
    half = seen & (ANGLES_DEG > 0)
    z = difference[half] / error[half]
    assert np.sqrt((z**2).mean()) < 2.0
    gauche = [butane.density_per_deg[(sign * ANGLES_DEG > 0) & (np.abs(ANGLES_DEG) < 120)].sum() for sign in (1, -1)]
    assert gauche[0] == pytest.approx(gauche[1], rel=0.3)
