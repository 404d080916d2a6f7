"""Energies term by term against closed forms in numpy: geometric combining, rigid water, virtual sites."""

import math
from dataclasses import replace

import numpy as np
import pytest
from gradients import check_forces
from hypothesis import given, settings
from hypothesis import strategies as st

from moxie.dynamics.combining import use_geometric_rule
from moxie.dynamics.force_fields import load_force_field
from moxie.dynamics.platforms import PlatformChoice, evaluate
from moxie.dynamics.systems import build_model, check_system, place_sites
from moxie.dynamics.typing import check_parameters
from moxie.errors import InputError
from moxie.structures.molecules import coordinates_A, embed

REFERENCE = PlatformChoice("Reference", "double", {})
COULOMB_KJ_MOL_NM = 138.935456
KCAL = 4.184
TFSI = "O=S(=O)([N-]S(=O)(=O)C(F)(F)F)C(F)(F)F"

# q (e), sigma (angstrom), epsilon (kJ/mol), typed from the published table
ETHANOL = {
    "C3": (-0.18, 3.50, 0.276144), "C2": (0.145, 3.50, 0.276144), "O": (-0.683, 3.12, 0.71128),
    "HC": (0.06, 2.50, 0.12552), "HO": (0.418, 1.0, 0.0),
}  # fmt: skip
METHANOL = ETHANOL | {"C": (0.145, 3.50, 0.276144), "HC": (0.04, 2.50, 0.12552)}


def energies_by_force(model, positions_nm):
    import openmm

    for group, force in enumerate(model.system.getForces()):
        force.setForceGroup(group)
    context = REFERENCE.context(model.system, openmm.VerletIntegrator(0.001))
    context.setPositions(positions_nm)
    found = {}
    for group, force in enumerate(model.system.getForces()):
        energy = context.getState(energy=True, groups={group}).getPotentialEnergy()._value
        name = type(force).__name__
        found[name] = found.get(name, 0.0) + energy
    return found


def positions_of(smiles, force_field, noise_nm=0.004, seed=4):
    atoms_nm = coordinates_A(embed(smiles, "it")) / 10
    atoms_nm = atoms_nm + np.random.default_rng(seed).normal(scale=noise_nm, size=atoms_nm.shape)
    return place_sites(check_parameters(force_field, smiles), atoms_nm)


def pair_energy(one, other, r_nm, rule="geometric"):
    sigma = math.sqrt(one[1] * other[1]) if rule == "geometric" else (one[1] + other[1]) / 2
    ratio = sigma / 10 / r_nm
    lennard_jones = 4 * math.sqrt(one[2] * other[2]) * (ratio**12 - ratio**6)
    return lennard_jones, COULOMB_KJ_MOL_NM * one[0] * other[0] / r_nm


def angle_between(a, b, c):
    u, v = a - b, c - b
    return math.acos(u @ v / np.linalg.norm(u) / np.linalg.norm(v))


def dihedral(a, b, c, d):
    axis = (c - b) / np.linalg.norm(c - b)
    u, v = (a - b) - ((a - b) @ axis) * axis, (d - c) - ((d - c) @ axis) * axis
    return math.atan2(np.cross(axis, u) @ v, u @ v)


def test_every_term_of_opls_ethanol_is_the_published_one():
    names = ["C3", "C2", "O", *["HC"] * 5, "HO"]
    bonds = [(0, 1), (1, 2), (0, 3), (0, 4), (0, 5), (1, 6), (1, 7), (2, 8)]
    near = {i: [a + b - i for a, b in bonds if i in (a, b)] for i in range(9)}
    kind = {"C3": "C", "C2": "C", "O": "O", "HC": "H", "HO": "H"}
    x = positions_of("CCO", "opls_aa")
    bonded = {(0, 1): (1.529, 224262.4), (1, 2): (1.410, 267776.0)}  # the others are rigid
    expected = {"HarmonicBondForce": 0.0, "HarmonicAngleForce": 0.0, "RBTorsionForce": 0.0, "lj": 0.0, "14": 0.0}
    for (i, j), (length, k) in bonded.items():
        expected["HarmonicBondForce"] += 0.5 * k * (np.linalg.norm(x[i] - x[j]) - length / 10) ** 2
    angles = {
        "CCH": (110.7, 313.8), "HCC": (110.7, 313.8), "HCH": (107.8, 276.144), "CCO": (109.5, 418.4),
        "HCO": (109.5, 292.88), "OCH": (109.5, 292.88), "COH": (108.5, 460.24),
    }  # fmt: skip
    one_three, one_four = set(), set()
    for j in range(9):
        for i in near[j]:
            for k in near[j]:
                if i < k:
                    key = "".join(kind[names[site]] for site in (i, j, k))
                    degrees, constant = angles[key if key in angles else key[::-1]]
                    expected["HarmonicAngleForce"] += (
                        0.5 * constant * (angle_between(x[i], x[j], x[k]) - math.radians(degrees)) ** 2
                    )
                    one_three.add((i, k))
    torsions = {"HCCH": (0, 0, 0.3), "HCCO": (0, 0, 0.468), "CCOH": (-0.356, -0.174, 0.492), "HCOH": (0, 0, 0.45)}
    for j, k in bonds:
        for i in (i for i in near[j] if i != k):
            for m in (m for m in near[k] if m != j):
                key = "".join(kind[names[site]] for site in (i, j, k, m))
                v1, v2, v3 = torsions[key if key in torsions else key[::-1]]
                phi = dihedral(x[i], x[j], x[k], x[m])
                expected["RBTorsionForce"] += (
                    0.5
                    * KCAL
                    * (v1 * (1 + math.cos(phi)) + v2 * (1 - math.cos(2 * phi)) + v3 * (1 + math.cos(3 * phi)))
                )
                one_four.add((min(i, m), max(i, m)))
    for i in range(9):
        for j in range(i + 1, 9):
            if (i, j) in bonds or (i, j) in one_three:
                continue
            lennard_jones, coulomb = pair_energy(ETHANOL[names[i]], ETHANOL[names[j]], np.linalg.norm(x[i] - x[j]))
            if (i, j) in one_four:
                expected["14"] += 0.5 * (lennard_jones + coulomb)
            else:
                expected["lj"] += lennard_jones
                expected["14"] += coulomb
    model = build_model({"ethanol": 1}, {"ethanol": "CCO"}, "opls_aa", edge_nm=None)
    found = energies_by_force(model, x)
    assert found["HarmonicBondForce"] == pytest.approx(expected["HarmonicBondForce"], rel=1e-6)
    assert found["HarmonicAngleForce"] == pytest.approx(expected["HarmonicAngleForce"], rel=1e-6)
    assert found["RBTorsionForce"] == pytest.approx(expected["RBTorsionForce"], abs=1e-3)
    assert found["NonbondedForce"] == pytest.approx(expected["14"], abs=1e-4)
    assert found["CustomNonbondedForce"] == pytest.approx(expected["lj"], abs=1e-6)
    assert abs(expected["14"]) > 1 and abs(expected["RBTorsionForce"]) > 0.1


@pytest.mark.parametrize("rule", ["geometric", "lorentz_berthelot"])
def test_methanol_pair_has_the_energy_of_the_declared_rule_and_of_no_other(tmp_path, rule):
    path = tmp_path / "opls_of_test.xml"
    text = (
        load_force_field("opls_aa").path.read_text().replace('combining_rule="geometric"', f'combining_rule="{rule}"')
    )
    path.write_text(text)
    names = ["C", "O", "HC", "HC", "HC", "HO"]
    one = positions_of("CO", "opls_aa")
    other = one @ np.diag([-1.0, 1.0, -1.0]) + np.array([-0.05, 0.33, 0.12])
    expected = {rule: 0.0 for rule in ("geometric", "lorentz_berthelot")}
    coulomb = 0.0
    for i in range(6):
        for j in range(6):
            for each in expected:
                pair = pair_energy(METHANOL[names[i]], METHANOL[names[j]], np.linalg.norm(one[i] - other[j]), each)
                expected[each] += pair[0]
            coulomb += pair[1]
    both = build_model({"methanol": 2}, {"methanol": "CO"}, path, edge_nm=None)
    single = build_model({"methanol": 1}, {"methanol": "CO"}, path, edge_nm=None)
    between = (
        evaluate(REFERENCE, both.system, np.vstack([one, other]))[0]
        - evaluate(REFERENCE, single.system, one)[0]
        - evaluate(REFERENCE, single.system, other)[0]
    )
    assert between == pytest.approx(expected[rule] + coulomb, abs=1e-5)
    assert abs(expected["geometric"] - expected["lorentz_berthelot"]) > 0.05
    wrong = "geometric" if rule == "lorentz_berthelot" else "lorentz_berthelot"
    with pytest.raises(InputError, match=f"pair .* has the Lennard-Jones energy .* where the {wrong} rule gives"):
        check_system(replace(both, force_field=replace(both.force_field, combining_rule=wrong)))


def force_of(model, name):
    return next(force for force in model.system.getForces() if type(force).__name__ == name)


@settings(max_examples=25, deadline=None)
@given(*[st.floats(0.15, 0.6)] * 2, *[st.floats(0.001, 5)] * 2, st.floats(0.8, 3.0))
def test_geometric_force_is_lennard_jones_of_geometric_means(sigma_1, sigma_2, epsilon_1, epsilon_2, ratio):
    import openmm

    system, nonbonded = openmm.System(), openmm.NonbondedForce()
    for sigma, epsilon in ((sigma_1, epsilon_1), (sigma_2, epsilon_2)):
        system.addParticle(1.0)
        nonbonded.addParticle(0.0, sigma, epsilon)
    system.addForce(nonbonded)
    use_geometric_rule(system, 0.5)
    sigma = math.sqrt(sigma_1 * sigma_2)
    found, forces, _ = evaluate(REFERENCE, system, np.array([[0, 0, 0], [ratio * sigma, 0, 0]]))
    depth = 4 * math.sqrt(epsilon_1 * epsilon_2)
    assert found == pytest.approx(depth * (ratio**-12 - ratio**-6), rel=1e-9, abs=1e-12)
    slope = depth * (12 * ratio**-13 - 6 * ratio**-7) / sigma
    assert forces[1, 0] == pytest.approx(slope, rel=1e-6, abs=1e-9)


def test_one_four_pair_by_another_rule_is_refused():
    model = build_model({"butane": 1}, {"butane": "CCCC"}, "opls_aa", edge_nm=None)
    nonbonded = force_of(model, "NonbondedForce")
    for index in range(nonbonded.getNumExceptions()):
        first, second, charges, sigma, epsilon = nonbonded.getExceptionParameters(index)
        if epsilon._value and {first, second} & set(range(4)) and not {first, second} < set(range(4)):
            nonbonded.setExceptionParameters(index, first, second, charges, 0.3, epsilon)  # (3.5 + 2.5)/2 for C...H
            break
    with pytest.raises(InputError, match=r"1-4 pair opls_\d+-opls_\d+ .* sigma 0.3 nm"):
        check_system(model)


def test_custom_force_with_another_exclusion_is_refused():
    model = build_model({"methanol": 2}, {"methanol": "CO"}, "opls_aa", edge_nm=None)
    force_of(model, "CustomNonbondedForce").addExclusion(0, 7)
    with pytest.raises(InputError, match="excludes 31 pairs where the molecules have 30"):
        check_system(model)


def test_geometric_force_has_the_cutoff_of_the_charges_and_the_integral_of_its_tail():
    # U_tail = 8 pi / V sum_ij N_i N_j eps_ij (sigma_ij^12 / (9 rc^9) - sigma_ij^6 / (3 rc^3))
    count, edge, cutoff = 27, 2.2, 1.0
    model = build_model({"methane": count}, {"methane": "C"}, "opls_aa", edge_nm=edge, cutoff_nm=cutoff)
    nonbonded, custom = force_of(model, "NonbondedForce"), force_of(model, "CustomNonbondedForce")
    assert custom.getNonbondedMethod() == custom.CutoffPeriodic
    assert custom.getCutoffDistance() == nonbonded.getCutoffDistance()
    assert nonbonded.getUseDispersionCorrection() and custom.getUseLongRangeCorrection()
    molecule = positions_of("C", "opls_aa", 0.0)
    grid = np.stack(np.meshgrid(*[np.arange(3) * 0.7] * 3), axis=-1).reshape(-1, 1, 3)
    positions = (molecule + grid).reshape(-1, 3)
    with_tail = energies_by_force(model, positions)
    custom.setUseLongRangeCorrection(False)
    without = energies_by_force(model, positions)
    kinds = {"C": (count, 0.35, 0.276144), "H": (4 * count, 0.25, 0.12552)}
    tail = 0.0
    for n_1, sigma_1, epsilon_1 in kinds.values():
        for n_2, sigma_2, epsilon_2 in kinds.values():
            sigma, epsilon = math.sqrt(sigma_1 * sigma_2), math.sqrt(epsilon_1 * epsilon_2)
            tail += n_1 * n_2 * epsilon * (sigma**12 / (9 * cutoff**9) - sigma**6 / (3 * cutoff**3))
    expected = 8 * math.pi / edge**3 * tail
    assert with_tail["CustomNonbondedForce"] - without["CustomNonbondedForce"] == pytest.approx(expected, rel=0.02)
    assert expected < -1


@pytest.mark.parametrize(
    ("smiles", "force_field"),
    [("CO", "opls_aa"), ("CC(C)O", "opls_aa"), ("CC#N", "opls_aa"), (TFSI, "clp_2004"), (TFSI, "clp_2017")],
)
def test_forces_are_minus_the_gradient(smiles, force_field):
    model = build_model({"it": 1}, {"it": smiles}, force_field, edge_nm=None)
    check_forces(model.system, positions_of(smiles, force_field))


def test_straight_acetonitrile_has_no_torsion_and_finite_forces():
    # C-C-N on a line, where a torsion has no angle; hydrogens at 108.5 degrees from the C-C bond
    tilt = math.radians(108.5)
    hydrogens = [
        [0.109 * math.cos(tilt), 0.109 * math.sin(tilt) * math.cos(phi), 0.109 * math.sin(tilt) * math.sin(phi)]
        for phi in (0.0, 2 * math.pi / 3, 4 * math.pi / 3)
    ]
    positions = np.array([[0, 0, 0], [0.147, 0, 0], [0.147 + 0.1157, 0, 0], *hydrogens])
    model = build_model({"acetonitrile": 1}, {"acetonitrile": "CC#N"}, "opls_aa", edge_nm=None)
    energy, forces, _ = evaluate(REFERENCE, model.system, positions)
    assert np.isfinite(energy) and np.isfinite(forces).all()
    assert "RBTorsionForce" not in energies_by_force(model, positions)


@pytest.mark.parametrize(
    ("name", "oxygen", "fluorine"),
    [("clp_2004", (2.96, 0.87864), (2.95, 0.22175)), ("clp_2017", (3.15, 0.83736), (3.118, 0.2554))],
)
def test_lithium_beside_the_anion_has_the_energy_of_scaled_charges_and_geometric_means(name, oxygen, fluorine):
    table = {
        "C": (0.35, 3.50, 0.27614), "S": (1.02, 3.55, 1.046), "N": (-0.66, 3.25, 0.71128), "O": (-0.53, *oxygen),
        "F": (-0.16, *fluorine),
    }  # fmt: skip
    lithium = (0.8, 2.12645, 0.0764793)
    model = build_model({"lithium": 1, "tfsi": 1}, {"lithium": "[Li+]", "tfsi": TFSI}, name, edge_nm=None)
    alone = build_model({"tfsi": 1}, {"tfsi": TFSI}, name, edge_nm=None)
    anion = positions_of(TFSI, name)
    ion = anion[0] + (anion[0] - anion[1]) / np.linalg.norm(anion[0] - anion[1]) * 0.2
    expected = 0.0
    for kind, place in zip(model.components[1][0].types, anion, strict=True):
        charge, sigma, epsilon = table[kind]
        expected += sum(pair_energy(lithium, (0.8 * charge, sigma, epsilon), np.linalg.norm(place - ion)))
    both = evaluate(REFERENCE, model.system, np.vstack([ion, anion]))[0]
    assert both - evaluate(REFERENCE, alone.system, anion)[0] == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("phi_deg", [0.0, 75.0, 140.0, 180.0])
def test_torsion_of_the_anion_is_the_published_series(phi_deg):
    # S-N-S-C: V1, V2, V3 = 32.773, -10.420, -3.195 kJ/mol, in V/2 (1 + cos), V/2 (1 - cos 2), V/2 (1 + cos 3)
    model = build_model({"tfsi": 1}, {"tfsi": TFSI}, "clp_2004", edge_nm=None)
    types = model.components[0][0].types
    force = force_of(model, "PeriodicTorsionForce")
    phi, found, quartet = math.radians(phi_deg), 0.0, None
    for index in range(force.getNumTorsions()):
        *sites, periodicity, phase, k = force.getTorsionParameters(index)
        if sorted(types[site] for site in sites) == ["C", "N", "S", "S"] and quartet in (None, sites):
            quartet = sites
            found += k._value * (1 + math.cos(periodicity * phi - phase._value))
    expected = 0.5 * (32.773 * (1 + math.cos(phi)) - 10.420 * (1 - math.cos(2 * phi)) - 3.195 * (1 + math.cos(3 * phi)))
    assert found == pytest.approx(expected, abs=1e-5)


def rigid_water(force_field):
    """Positions of the sites of one molecule in its rigid geometry, and its charges by site."""
    length, degrees = {"spce": (0.1, 109.47), "tip4p_2005": (0.09572, 104.52)}[force_field]
    half = math.radians(degrees) / 2
    oxygen, up = np.zeros(3), length * math.cos(half)
    sites = [oxygen, [length * math.sin(half), up, 0], [-length * math.sin(half), up, 0]]
    if force_field == "spce":
        return np.array(sites), [-0.8476, 0.4238, 0.4238]
    return np.array([*sites, [0, 0.01546, 0]]), [0.0, 0.5564, 0.5564, -1.1128]


@pytest.mark.parametrize(
    ("force_field", "sigma", "epsilon"), [("spce", 0.316557, 0.650194), ("tip4p_2005", 0.31589, 0.774908)]
)
def test_water_pair_has_the_energy_of_the_published_table(force_field, sigma, epsilon):
    one, charges = rigid_water(force_field)
    other = one @ np.array([[0, 1, 0], [-1, 0, 0], [0, 0, 1]]) + np.array([0.05, -0.28, 0.04])
    ratio = sigma / np.linalg.norm(one[0] - other[0])
    expected = 4 * epsilon * (ratio**12 - ratio**6)
    for i, first in enumerate(charges):
        for j, second in enumerate(charges):
            expected += COULOMB_KJ_MOL_NM * first * second / np.linalg.norm(one[i] - other[j])
    model = build_model({"water": 2}, {"water": "O"}, force_field, edge_nm=None)
    assert evaluate(REFERENCE, model.system, np.vstack([one, other]))[0] == pytest.approx(expected, abs=1e-4)
    assert evaluate(
        REFERENCE, build_model({"water": 1}, {"water": "O"}, force_field, edge_nm=None).system, one
    )[0] == pytest.approx(0, abs=1e-9)  # fmt: skip


@pytest.mark.parametrize("force_field", ["spce", "tip4p_2005"])
def test_water_is_rigid_with_six_degrees_of_freedom(force_field):
    from moxie.dynamics.motion import degrees_of_freedom

    model = build_model({"water": 3}, {"water": "O"}, force_field, edge_nm=2.0, cutoff_nm=0.9, hydrogen_mass_amu=3.0)
    assert degrees_of_freedom(model.system) == 3 * 6
    assert model.mass_g_mol == pytest.approx(3 * 18.0154, abs=1e-3)
    width = len(model.molecules[0])
    masses = [model.system.getParticleMass(site)._value for site in range(width)]
    assert masses == pytest.approx([15.9994 - 2 * 1.992, 3.0, 3.0, 0.0][:width])
    sites, _ = rigid_water(force_field)
    for index in range(model.system.getNumConstraints()):
        first, second, length = model.system.getConstraintParameters(index)
        expected = np.linalg.norm(sites[first % width] - sites[second % width])
        assert length._value == pytest.approx(expected, abs=2e-6)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.floats(-2, 2), min_size=3, max_size=3), st.lists(st.floats(-1, 1), min_size=4, max_size=4))
def test_virtual_site_moves_with_its_molecule(shift, quaternion):
    from scipy.spatial.transform import Rotation

    if np.linalg.norm(quaternion) < 1e-3:
        return
    turn = Rotation.from_quat(quaternion)
    sites, _ = rigid_water("tip4p_2005")
    moved = turn.apply(sites) + shift
    placed = place_sites(check_parameters("tip4p_2005", "O"), moved[:3])
    assert np.allclose(placed, moved, atol=1e-6)


def test_virtual_site_shares_the_exclusions_of_its_oxygen():
    model = build_model({"water": 2}, {"water": "O"}, "tip4p_2005", edge_nm=None)
    nonbonded = force_of(model, "NonbondedForce")
    excluded = {
        tuple(sorted(nonbonded.getExceptionParameters(index)[:2])) for index in range(nonbonded.getNumExceptions())
    }
    pairs = {(i, j) for i in range(4) for j in range(i + 1, 4)}
    assert excluded == pairs | {(i + 4, j + 4) for i, j in pairs}
    assert [atom.element is None for atom in model.topology.atoms()] == [False, False, False, True] * 2
