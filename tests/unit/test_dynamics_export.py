import copy
import math

import numpy as np
import pytest

from moxie.dynamics.export import FILES, export
from moxie.dynamics.interactions import read_interactions
from moxie.dynamics.lammps_files import Configuration, lammps_files, rigid_parts
from moxie.dynamics.protocol import RunSettings
from moxie.dynamics.systems import build_model
from moxie.errors import InputError
from moxie.structures.boxes import pack, write_box
from moxie.structures.molecules import embed


def built(smiles, force_field="trappe_ua", edge_nm=3.0):
    return build_model({"it": 2}, {"it": smiles}, force_field, edge_nm=edge_nm)


def nonbonded(system):
    return next(force for force in system.getForces() if force.getName() == "NonbondedForce")


def everywhere(model, seed=1):
    """Sites at random places of a box of 2 nm."""
    n = model.system.getNumParticles()
    generator = np.random.default_rng(seed)
    molecule = np.repeat(np.arange(len(model.molecules)), [len(sites) for sites in model.molecules])
    return Configuration(
        generator.uniform(-1, 3, (n, 3)), generator.normal(size=(n, 3)), 2.0, molecule, ["X"] * n, 3.0, (20, 20, 20)
    )


def test_methanol_is_one_shake_cluster_and_ethanol_keeps_a_spring():
    methanol = rigid_parts(read_interactions(built("CO").system))
    assert methanol.bonds == {(0, 1), (1, 2), (3, 4), (4, 5)} and not methanol.stiff
    ethanol = rigid_parts(read_interactions(built("CCO").system))  # C, C, O, H: a chain of three rigid bonds
    assert {(1, 2), (2, 3)} < ethanol.bonds and ethanol.stiff == {(0, 1), (4, 5)}


@pytest.mark.parametrize("smiles", ["CC", "CCCCCCC", "CC(C)(C)O"])
def test_clusters_share_no_site_and_no_constraint_is_lost(smiles):
    interactions = read_interactions(built(smiles).system)
    parts = rigid_parts(interactions)
    assert parts.bonds | parts.stiff == set(interactions.constraints) and not parts.bonds & parts.stiff
    clusters = []
    for pair in sorted(parts.bonds):
        joined = [cluster for cluster in clusters if cluster & set(pair)]
        clusters = [cluster for cluster in clusters if cluster not in joined] + [set(pair).union(*joined)]
    assert all(len(cluster) <= 4 for cluster in clusters)
    assert sum(len(cluster) - 1 for cluster in clusters) == len(parts.bonds)


def test_time_step_is_short_enough_for_springs():
    model = built("CCO")
    settings = RunSettings(300.0, timestep_fs=4.0, hydrogen_mass_amu=3.0)
    text = lammps_files(read_interactions(model.system), everywhere(model), settings, "ethanol", 1)["system.in"]
    step = float(text.split("timestep ")[1].split()[0])
    period_fs = 1000 * 2 * math.pi / math.sqrt(502416 / (15.035 * 14.027 / (15.035 + 14.027)))
    assert step == pytest.approx(period_fs / 10, abs=0.1)
    assert "2 rigid bonds do not fit into SHAKE clusters" in text


def test_thermostat_and_barostat_come_in_lammps_units():
    model = built("CO")
    settings = RunSettings(310.0, pressure_bar=1013.25, friction_per_ps=0.5, equilibration_ps=2.0, sampling_ps=10.0)
    text = lammps_files(read_interactions(model.system), everywhere(model), settings, "methanol", 7)["system.in"]
    assert "fix thermostat all langevin 310 310 2000 8" in text
    assert "nph iso 1000 1000" in text and "timestep 2\n" in text
    assert text.index("shake") < text.index("nph")
    assert "run 1000\n" in text and "run 5000\n" in text
    held = RunSettings(310.0, ensemble="NVT", density_g_cm3=0.7)
    text = lammps_files(read_interactions(model.system), everywhere(model), held, "methanol", 7)["system.in"]
    assert "fix integrate all nve" in text and "nph" not in text


@pytest.mark.parametrize("c", [(1.0, 2.0, 0.5, -3.0, 0.2, 0.4), (0.9414, 2.8242, 0.0, -3.7656, 0.0, 0.0)])
def test_ryckaert_bellemans_torsion_becomes_the_same_cosine_series(c):
    import openmm

    system = copy.deepcopy(built("CCO").system)
    torsions = next(force for force in system.getForces() if isinstance(force, openmm.RBTorsionForce))
    torsions.setTorsionParameters(0, *torsions.getTorsionParameters(0)[:4], *c)
    terms = read_interactions(system).torsions[0].terms
    for phi in np.linspace(-math.pi, math.pi, 13):
        found = sum(amplitude * (1 + math.cos(n * phi - phase)) for n, phase, amplitude in terms)
        assert found == pytest.approx(sum(value * (-math.cos(phi)) ** n for n, value in enumerate(c)), abs=1e-12)


def test_sites_are_wrapped_with_the_images_that_bring_them_back():
    model = built("CO")
    here = everywhere(model)
    text = lammps_files(read_interactions(model.system), here, RunSettings(300.0), "methanol", 1)["system.data"]
    rows = text.split("Atoms # full\n\n")[1].split("\n\n")[0].splitlines()
    numbers = np.array([[float(value) for value in row.split()] for row in rows])
    assert (numbers[:, 4:7] >= 0).all() and (numbers[:, 4:7] < 20).all()
    assert np.allclose(numbers[:, 4:7] + 20 * numbers[:, 7:10], 10 * here.positions_nm)
    assert numbers[:, 3].sum() == pytest.approx(0)
    assert numbers[:, 1].tolist() == [1, 1, 1, 2, 2, 2]


def test_one_four_scales_are_found():
    tfsi = "O=S(=O)([N-]S(=O)(=O)C(F)(F)F)C(F)(F)F"
    model = build_model({"li": 1, "it": 1}, {"li": "[Li+]", "it": tfsi}, "und", edge_nm=3.0)
    interactions = read_interactions(model.system)
    assert interactions.lennard_jones_14_scale == pytest.approx(0.5)
    assert interactions.coulomb_14_scale == pytest.approx(0.8333, abs=1e-4)


def with_virtual_site(system):
    import openmm

    site = system.addParticle(0.0)
    system.setVirtualSite(site, openmm.TwoParticleAverageSite(0, 1, 0.5, 0.5))
    nonbonded(system).addParticle(0.0, 0.1, 0.0)


def with_unknown_force(system):
    import openmm

    system.addForce(openmm.CustomNonbondedForce("r"))


def with_odd_pair(system):
    force = nonbonded(system)
    first, second, *_ = force.getExceptionParameters(0)
    force.setExceptionParameters(0, first, second, 0.3, 0.3, 0.2)


def with_missing_exclusion(system):
    nonbonded(system).addException(0, system.getNumParticles() - 1, 0.0, 0.1, 0.0)


def without_periodicity(system):
    force = nonbonded(system)
    force.setNonbondedMethod(force.NoCutoff)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (with_virtual_site, "virtual sites, which cannot be exported"),
        (with_unknown_force, "CustomNonbondedForce of the OpenMM System cannot be exported"),
        (with_odd_pair, "has parameters of its own"),
        (with_missing_exclusion, "not those within three bonds"),
        (without_periodicity, "Only periodic boxes"),
    ],
)
def test_what_lammps_could_not_be_given_faithfully_is_refused(change, message):
    system = copy.deepcopy(built("CCO").system)
    change(system)
    with pytest.raises(InputError, match=message):
        read_interactions(system)


def test_several_scales_are_refused():
    system = copy.deepcopy(built("CCO").system)
    force = nonbonded(system)
    for index in range(force.getNumExceptions()):
        first, second, *_ = force.getExceptionParameters(index)
        if (first, second) in ((0, 3), (4, 7)):
            force.setExceptionParameters(index, first, second, 0, (0.375 + 0.1) / 2, 0.0)
    assert read_interactions(system).lennard_jones_14_scale == 0
    for number, (first, second) in enumerate(((0, 3), (4, 7))):
        force.setParticleParameters(first, 0.1, 0.375, 0.8)
        index = next(
            i for i in range(force.getNumExceptions()) if set(force.getExceptionParameters(i)[:2]) == {first, second}
        )
        force.setExceptionParameters(index, first, second, 0.1 * 0.435 * (0.5 + 0.1 * number), 0.2375, 0.0)
    with pytest.raises(InputError, match="Coulomb scales from 0.5 to 0.6"):
        read_interactions(system)


def test_export_writes_both_files_and_the_same_bytes_again(tmp_path):
    write_box(pack({"methanol": embed("CO")}, {"methanol": 40}, {"methanol": "CO"}, seed=2), tmp_path / "box.xyz")
    settings = RunSettings(298.15, cutoff_nm=0.6)
    options = {"system": "methanol", "seed": 5, "platform": "CPU"}
    texts = export(tmp_path / "box.xyz", tmp_path / "a", settings, **options)
    export(tmp_path / "box.xyz", tmp_path / "b", settings, **options)
    for name in FILES:
        assert (tmp_path / "a" / name).read_text() == texts[name] == (tmp_path / "b" / name).read_text()
    assert "120 atoms" in texts["system.data"]


def test_torsions_without_a_barrier_are_left_out():
    import openmm

    system, coulomb = openmm.System(), openmm.NonbondedForce()
    coulomb.setNonbondedMethod(coulomb.PME)
    periodic, ryckaert_bellemans = openmm.PeriodicTorsionForce(), openmm.RBTorsionForce()
    for _ in range(5):
        system.addParticle(12.0)
        coulomb.addParticle(0.0, 0.3, 0.4)
    periodic.addTorsion(0, 1, 2, 3, 3, 0.0, 0.0)
    periodic.addTorsion(0, 1, 2, 3, 2, math.pi, 1.5)
    periodic.addTorsion(1, 2, 3, 4, 3, 0.0, 0.0)
    ryckaert_bellemans.addTorsion(0, 1, 2, 4, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0)
    for force in (coulomb, periodic, ryckaert_bellemans):
        system.addForce(force)
    assert [(row.sites, row.terms) for row in read_interactions(system).torsions] == [
        ((0, 1, 2, 3), ((2, pytest.approx(math.pi), 1.5),))
    ]
