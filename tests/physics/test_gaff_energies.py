"""Force-field files made from antechamber's files, against the topologies that AMBER's LEaP makes of the same files."""

import itertools
import re

import numpy as np
import pytest
from gaff_files import DATA, MOLECULES, written

from moxie.dynamics.gaff import combine
from moxie.dynamics.platforms import PlatformChoice, evaluate
from moxie.dynamics.systems import build_model
from moxie.structures.molecules import coordinates_A, embed

REFERENCE = PlatformChoice("Reference", "double", {})


def flexible(text):
    return text.replace('constraints="h_bonds"', 'constraints="none"')


def shaken(name, seed):
    positions = coordinates_A(embed(MOLECULES[name], name)) / 10
    return positions + np.random.default_rng(seed).normal(scale=0.006, size=positions.shape)


def energies_by_term(system, positions_nm):
    """Return {term: energy in kJ/mol}; Ryckaert-Bellemans and periodic torsions together."""
    import openmm

    for group, force in enumerate(system.getForces()):
        force.setForceGroup(group)
    context = openmm.Context(system, openmm.VerletIntegrator(0.001), openmm.Platform.getPlatformByName("Reference"))
    context.setPositions(positions_nm)
    terms = {"nonbonded": 0.0, "bond": 0.0, "angle": 0.0, "torsion": 0.0}
    for group, force in enumerate(system.getForces()):
        kind = next((kind for kind in terms if kind in type(force).__name__.lower()), None)
        if kind is not None:
            terms[kind] += context.getState(energy=True, groups={group}).getPotentialEnergy()._value
    return terms


def leap_system(name):
    from openmm import app

    topology = app.AmberPrmtopFile(str(DATA / f"{name}.prmtop"))
    return topology.createSystem(nonbondedMethod=app.NoCutoff, constraints=None, rigidWater=False, removeCMMotion=False)


@pytest.mark.parametrize("name", MOLECULES)
def test_every_term_has_the_energy_of_leap(tmp_path, name):
    model = build_model({name: 1}, MOLECULES, written(tmp_path, name, flexible), edge_nm=None)
    for seed in range(3):
        positions = shaken(name, seed)
        expected = energies_by_term(leap_system(name), positions)
        found = energies_by_term(model.system, positions)
        for term, energy in expected.items():  # LEaP takes pi as 3.141594 and writes eight digits
            assert found[term] == pytest.approx(energy, rel=1e-5, abs=1e-4), term
        assert abs(expected["angle"]) > 0.1


@pytest.mark.parametrize(
    ("name", "impropers"), [("methanol", 0), ("acetonitrile", 0), ("formamide", 2), ("benzene", 6)]
)
def test_planar_centres_have_one_improper_each(tmp_path, name, impropers):
    model = build_model({name: 3}, MOLECULES, written(tmp_path, name), edge_nm=None)
    sites, _ = model.components[0]
    assert len(sites.impropers) == impropers
    flat = coordinates_A(embed("c1ccccc1", "benzene")) / 10
    if name == "benzene":  # lifting one hydrogen out of the plane costs the improper's energy and the torsions'
        lifted = flat.copy()
        lifted[6, 2] += 0.03
        assert energies_by_term(model.system, np.vstack([flat + 5 * k for k in range(3)]))["torsion"] < 3
        assert energies_by_term(model.system, np.vstack([lifted + 5 * k for k in range(3)]))["torsion"] > 5


def test_system_without_its_impropers_is_refused(tmp_path):
    from dataclasses import replace

    from moxie.dynamics.systems import check_system
    from moxie.errors import InputError

    whole = build_model({"formamide": 1}, MOLECULES, written(tmp_path, "formamide"), edge_nm=None)
    (tmp_path / "short").mkdir()
    path = written(tmp_path / "short", "formamide", lambda text: re.sub(r"<Improper [^>]*>", "", text, count=1))
    short = build_model({"formamide": 1}, MOLECULES, path, edge_nm=None)
    assert len(short.components[0][0].impropers) == 1
    with pytest.raises(InputError, match=r"yields 1 impropers where .* have 2"):
        check_system(replace(whole, system=short.system))


@pytest.mark.parametrize("name", ["ethanol", "formamide"])
def test_forces_are_minus_the_gradient(tmp_path, name):
    model = build_model({name: 1}, MOLECULES, written(tmp_path, name), edge_nm=None)
    positions = shaken(name, 7)
    forces = evaluate(REFERENCE, model.system, positions)[1]
    step = 1e-5
    for site, axis in itertools.product(range(len(positions)), range(3)):
        shift = np.zeros_like(positions)
        shift[site, axis] = step
        above, below = (evaluate(REFERENCE, model.system, positions + sign * shift)[0] for sign in (1, -1))
        assert (below - above) / (2 * step) == pytest.approx(forces[site, axis], rel=1e-4, abs=0.05)


def test_mixture_has_the_energy_of_its_molecules_apart(tmp_path):
    names = ("methanol", "acetonitrile")
    combine([written(tmp_path, name) for name in names], tmp_path / "both.xml")
    mixed = build_model(dict.fromkeys(names, 1), MOLECULES, tmp_path / "both.xml", edge_nm=None)
    assert mixed.force_field.name == "gaff2"
    parts = [shaken(name, 3) for name in names]
    apart = sum(
        evaluate(REFERENCE, build_model({name: 1}, MOLECULES, tmp_path / f"{name}.xml", edge_nm=None).system, part)[0]
        for name, part in zip(names, parts, strict=True)
    )
    far = np.vstack([parts[0], parts[1] + [1000.0, 0, 0]])
    assert evaluate(REFERENCE, mixed.system, far)[0] == pytest.approx(apart, abs=1e-3)
    near = np.vstack([parts[0], parts[1] + [0.5, 0.1, 0]])
    assert abs(evaluate(REFERENCE, mixed.system, near)[0] - apart) > 0.1
