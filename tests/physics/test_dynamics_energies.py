"""Energies of OpenMM Systems against numbers worked out from the published parameters."""

import math

import numpy as np
import pytest
from gradients import check_forces

from moxie.dynamics.platforms import PlatformChoice, evaluate
from moxie.dynamics.systems import build_model

REFERENCE = PlatformChoice("Reference", "double", {})
COULOMB_KJ_MOL_NM = 138.935456  # e^2 / (4 pi eps0) times Avogadro's number
KELVIN = 0.00831446261815324
TFSI = "O=S(=O)([N-]S(=O)(=O)C(F)(F)F)C(F)(F)F"


def energy_of(model, positions_nm):
    return evaluate(REFERENCE, model.system, np.asarray(positions_nm, dtype=float))[0]


def methanol(angle_deg=108.5):
    """CH3, O, H: rigid bonds of 0.143 and 0.0945 nm."""
    angle = math.radians(angle_deg)
    return np.array([[0.143, 0, 0], [0, 0, 0], [0.0945 * math.cos(angle), 0.0945 * math.sin(angle), 0]])


def test_methanol_pair_has_the_energy_of_the_published_table():
    # TraPPE-UA: CH3 +0.265 e, 3.75 A, 98 K; O -0.7 e, 3.02 A, 93 K; H +0.435 e, no Lennard-Jones; Lorentz-Berthelot
    charge = np.array([0.265, -0.700, 0.435])
    sigma = np.array([0.375, 0.302, 0.0])
    epsilon = np.array([98.0, 93.0, 0.0]) * KELVIN
    first = methanol()
    second = methanol() @ np.diag([-1.0, 1.0, -1.0]) + np.array([-0.05, 0.33, 0.12])
    expected = 0.0
    for i in range(3):
        for j in range(3):
            r = np.linalg.norm(first[i] - second[j])
            expected += COULOMB_KJ_MOL_NM * charge[i] * charge[j] / r
            depth, ratio = math.sqrt(epsilon[i] * epsilon[j]), (sigma[i] + sigma[j]) / 2 / r
            expected += 4 * depth * (ratio**12 - ratio**6)
    model = build_model({"methanol": 2}, {"methanol": "CO"}, "trappe_ua", edge_nm=None)
    assert energy_of(model, np.vstack([first, second])) == pytest.approx(expected, abs=1e-4)
    assert abs(expected) > 1


def test_methanol_alone_has_only_its_angle():
    model = build_model({"methanol": 1}, {"methanol": "CO"}, "trappe_ua", edge_nm=None)
    assert energy_of(model, methanol()) == pytest.approx(0, abs=1e-6)
    bent = math.radians(5.0)
    assert energy_of(model, methanol(113.5)) == pytest.approx(0.5 * 55400 * KELVIN * bent**2, rel=1e-4)


@pytest.mark.parametrize("phi_deg", [0, 60, 90, 180, -135])
def test_ethanol_torsion_is_the_published_series(phi_deg):
    # c0 + c1 (1 + cos phi) + c2 (1 - cos 2 phi) + c3 (1 + cos 3 phi) in kelvin, phi = 180 degrees for trans
    phi = math.radians(phi_deg)
    expected = KELVIN * (
        209.82 * (1 + math.cos(phi)) - 29.17 * (1 - math.cos(2 * phi)) + 187.93 * (1 + math.cos(3 * phi))
    )
    bend, tilt = math.radians(109.47), math.radians(108.5)
    carbon = [0.143 - 0.143 + 0.154 * math.cos(bend), 0.154 * math.sin(bend), 0]
    turn = [0.0945 * math.sin(tilt) * math.cos(phi), 0.0945 * math.sin(tilt) * math.sin(phi)]
    positions = [carbon, [0, 0, 0], [0.143, 0, 0], [0.143 - 0.0945 * math.cos(tilt), *turn]]
    model = build_model({"ethanol": 1}, {"ethanol": "CCO"}, "trappe_ua", edge_nm=None)
    assert energy_of(model, positions) == pytest.approx(expected, abs=2e-4)


def test_united_atoms_four_bonds_apart_attract_and_nearer_ones_do_not():
    # n-pentane, all trans: only the pair CH3...CH3 (1-5) interacts; every angle and torsion at its minimum value
    angle, length = math.radians(114.0), 0.154
    x, y = length * math.sin(angle / 2), length * math.cos(angle / 2)
    chain = np.array([[index * x, (index % 2) * y, 0] for index in range(5)])
    ratio = 0.375 / np.linalg.norm(chain[0] - chain[4])
    expected = 4 * 98 * KELVIN * (ratio**12 - ratio**6)
    model = build_model({"pentane": 1}, {"pentane": "CCCCC"}, "trappe_ua", edge_nm=None)
    assert energy_of(model, chain) == pytest.approx(expected, abs=1e-4)


def test_spc_fw_water_has_its_published_stretch_and_bend():
    # 529.23 kcal/mol/A2 about 1.012 A, 37.925 kcal/mol/rad2 about 113.24 degrees, both U = K (x - x0)^2
    angle = math.radians(110.0)
    positions = np.array([[0, 0, 0], [0.1, 0, 0], [0.103 * math.cos(angle), 0.103 * math.sin(angle), 0]])
    bend = 37.925 * (angle - math.radians(113.24)) ** 2
    expected = 4.184 * (529.23 * (0.012**2 + 0.018**2) + bend)
    model = build_model({"water": 1}, {"water": "O"}, "und", edge_nm=None)
    assert energy_of(model, positions) == pytest.approx(expected, rel=1e-5)


def test_ion_pair_has_the_energy_of_scaled_charges():
    # Li +0.8 e, 2.126 A, 0.0182661 kcal/mol beside the O (-0.82 e, 3.165 A, 0.155323 kcal/mol) of a relaxed water
    angle = math.radians(113.24)
    water = np.array([[0, 0, 0], [0.1012, 0, 0], [0.1012 * math.cos(angle), 0.1012 * math.sin(angle), 0]])
    ion = np.array([[0.05, -0.19, 0.03]])
    expected = 0.0
    for place, charge in zip(water, (-0.82, 0.41, 0.41), strict=True):
        expected += COULOMB_KJ_MOL_NM * 0.8 * charge / np.linalg.norm(place - ion[0])
    ratio = (0.2126 + 0.3165) / 2 / np.linalg.norm(ion[0])
    expected += 4.184 * 4 * math.sqrt(0.0182661 * 0.155323) * (ratio**12 - ratio**6)
    model = build_model({"lithium": 1, "water": 1}, {"lithium": "[Li+]", "water": "O"}, "und", edge_nm=None)
    assert energy_of(model, np.vstack([ion, water])) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize(
    ("smiles", "force_field"),
    [("CCO", "trappe_ua"), ("CC(C)C", "trappe_ua"), ("CC(C)(C)O", "trappe_ua"), (TFSI, "und")],
)
def test_forces_are_minus_the_gradient(smiles, force_field):
    from moxie.structures.molecules import coordinates_A, embed

    model = build_model({"it": 1}, {"it": smiles}, force_field, edge_nm=None)
    generator = np.random.default_rng(4)
    positions = coordinates_A(embed(smiles, "it"))[list(model.components[0][0].atoms)] / 10
    positions = positions + generator.normal(scale=0.004, size=positions.shape)
    check_forces(model.system, positions)


def test_dispersion_correction_is_the_integral_of_the_tail():
    # for one kind of site: U_tail = 8 pi N^2/V eps (sigma^12/(9 rc^9) - sigma^6/(3 rc^3))
    count, edge, cutoff = 64, 2.4, 1.0
    model = build_model({"methane": count}, {"methane": "C"}, "trappe_ua", edge_nm=edge, cutoff_nm=cutoff)
    grid = np.stack(np.meshgrid(*[np.arange(4) * 0.6] * 3), axis=-1).reshape(-1, 3)
    nonbonded = next(force for force in model.system.getForces() if hasattr(force, "setUseDispersionCorrection"))
    with_tail = energy_of(model, grid)
    nonbonded.setUseDispersionCorrection(False)
    without = energy_of(model, grid)
    sigma, epsilon = 0.373, 148 * KELVIN
    tail = sigma**12 / (9 * cutoff**9) - sigma**6 / (3 * cutoff**3)
    assert with_tail - without == pytest.approx(8 * math.pi * count**2 / edge**3 * epsilon * tail, rel=1e-3)


def test_isolated_methanol_has_the_mean_energy_of_its_rigid_bond_ensemble(tmp_path):
    # p(angle) ~ sin(angle) sqrt(det H) exp(-U/kT), H the mass metric of the two rigid bonds (Fixman, PNAS 71, 3050)
    from moxie.dynamics.protocol import RunSettings
    from moxie.dynamics.simulation import simulate_gas

    temperature = 298.15
    angle = np.linspace(1.0, 2.8, 20001)
    energy = 0.5 * 55400 * KELVIN * (angle - math.radians(108.5)) ** 2
    m_c, m_o, m_h = 15.035, 15.9994, 1.008
    metric = (1 / m_c + 1 / m_o) * (1 / m_o + 1 / m_h) - (np.cos(angle) / m_o) ** 2
    weight = np.sin(angle) * np.sqrt(metric) * np.exp(-energy / (KELVIN * temperature))
    expected = (weight * energy).sum() / weight.sum()
    settings = RunSettings(temperature, equilibration_ps=5, sampling_ps=1500, sample_interval_ps=0.5)
    simulate_gas("CO", "methanol", tmp_path / "t.parquet", tmp_path / "r.json", settings, replica=0, seed=11)
    import pandas as pd

    from moxie.timeseries import mean_of

    found = mean_of(pd.read_parquet(tmp_path / "t.parquet")["potential_energy_kJ_mol"].to_numpy())
    assert found.standard_error < 0.06
    assert found.value == pytest.approx(expected, abs=4 * found.standard_error)
