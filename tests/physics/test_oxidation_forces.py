"""Energies, forces and the virial of the engine against another one and against derivatives."""

from dataclasses import replace

import numpy as np
import pytest
from small_networks import rough

from moxie.oxidation.engine import Engine
from moxie.oxidation.kernels import relaxation
from moxie.oxidation.kernels import valence as kernels
from moxie.oxidation.kernels.compilation import called_from_python
from moxie.oxidation.kernels.slots import N_ROWS
from moxie.oxidation.parameter_sets import load_parameters
from moxie.structures.network import make_network
from moxie.structures.silicon import diamond


def rough_silicon():
    crystal = diamond((2, 2, 2))
    positions = crystal.positions + 0.15 * np.random.default_rng(1).standard_normal(crystal.positions.shape)
    return make_network(positions, crystal.species, crystal.bonds, crystal.cell)


# --- another engine ---------------------------------------------------------------------------------------------------
# OpenMM knows no units here: what it calls nm and kJ/mol stands for angstrom and eV, which no force of these notices.


def evaluate_elsewhere(network, force):
    import openmm
    from openmm import unit

    system = openmm.System()
    system.setDefaultPeriodicBoxVectors(*np.diag(network.cell))
    for _ in network.positions:
        system.addParticle(1.0)
    if not isinstance(force, openmm.CustomNonbondedForce):  # that one is periodic by its method
        force.setUsesPeriodicBoundaryConditions(True)
    assert force.usesPeriodicBoundaryConditions()
    system.addForce(force)
    context = openmm.Context(system, openmm.VerletIntegrator(1.0), openmm.Platform.getPlatformByName("Reference"))
    context.setPositions(network.positions)
    state = context.getState(getEnergy=True, getForces=True)
    forces = state.getForces(asNumpy=True).value_in_unit(unit.kilojoule_per_mole / unit.nanometer)
    return state.getPotentialEnergy().value_in_unit(unit.kilojoule_per_mole), np.array(forces)


def angles_of(network):
    """All (end, centre, end)."""
    near = network.neighbours()
    return [(a, i, b) for i, row in enumerate(near) for k, a in enumerate(row) for b in row[k + 1 :]]


def bonds_elsewhere(network, parameters):
    import openmm

    kinds = (network.species == "O").astype(int)
    if parameters.form == "keating":
        force = openmm.CustomBondForce("0.375*k/d^2*(r^2-d^2)^2")
        force.addPerBondParameter("k")
        force.addPerBondParameter("d")
    else:
        force = openmm.HarmonicBondForce()  # 1/2 k (r - r0)^2
    for i, j in network.bonds.tolist():
        k, length = (table[kinds[i]][kinds[j]] for table in (parameters.bond_k, parameters.bond_length))
        force.addBond(i, j, *([[k, length]] if parameters.form == "keating" else [length, k]))
    return evaluate_elsewhere(network, force)


def angles_elsewhere(network, parameters):
    import openmm

    kinds = (network.species == "O").astype(int)
    if parameters.form == "keating":
        dot = "distance(p1,p2)*distance(p3,p2)*cos(angle(p1,p2,p3))"
        force = openmm.CustomCompoundBondForce(3, f"0.375*k/d^2*({dot}-c0*d^2)^2")
        force.addGlobalParameter("d", parameters.bond_length[0][0])
        force.addPerBondParameter("k")
        force.addPerBondParameter("c0")
    else:
        force = openmm.CustomAngleForce("0.5*k*(cos(theta)-c0)^2")
        force.addPerAngleParameter("k")
        force.addPerAngleParameter("c0")
    for a, i, b in angles_of(network):
        ends = kinds[a] + kinds[b]
        values = [parameters.angle_k[kinds[i]][ends], parameters.angle_cos[kinds[i]][ends]]
        if parameters.form == "keating":
            force.addBond([a, i, b], values)
        else:
            force.addAngle(a, i, b, values)
    return evaluate_elsewhere(network, force)


def repulsion_elsewhere(network, parameters):
    import openmm

    rule = parameters.repulsion
    form = {"cubic": "g*(d-r)^3", "quadratic": "0.5*g*(r^2-d^2)^2"}[rule.kind]
    force = openmm.CustomNonbondedForce(f"step(d-r)*{form}; d=reach(kind1,kind2)")
    force.addGlobalParameter("g", rule.strength)
    table = np.array(rule.range_A)
    force.addTabulatedFunction("reach", openmm.Discrete2DFunction(2, 2, table.ravel().tolist()))
    force.addPerParticleParameter("kind")
    for element in network.species:
        force.addParticle([float(element == "O")])
    near = network.neighbours()
    for i, row in enumerate(near):
        others = {*row, *(k for j in row for k in near[j])}
        for j in sorted(k for k in others if k > i):
            force.addExclusion(i, j)
    force.setNonbondedMethod(openmm.CustomNonbondedForce.CutoffPeriodic)
    force.setCutoffDistance(float(table.max()) + 0.1)
    return evaluate_elsewhere(network, force)


def only(parameters, term):
    """The parameter set with one term alone: bond, angle or repulsion."""
    zero2, zero3 = ((0.0, 0.0),) * 2, ((0.0, 0.0, 0.0),) * 2
    return replace(
        parameters,
        bond_k=parameters.bond_k if term == "bond" else zero2,
        angle_k=parameters.angle_k if term == "angle" else zero3,
        repulsion=parameters.repulsion if term == "repulsion" else replace(parameters.repulsion, kind="none"),
    )


@pytest.mark.parametrize(
    ("name", "repulsion", "term"),
    [
        ("von_alfthan_2003", "cubic", "bond"),
        ("von_alfthan_2003", "cubic", "angle"),
        ("tu_tersoff_2000", "cubic", "angle"),
        ("von_alfthan_2003", "cubic", "repulsion"),
        ("von_alfthan_2003", "quadratic", "repulsion"),
        ("tu_tersoff_2000", "cubic", "repulsion"),
        ("keating_1966", None, "bond"),
        ("keating_1966", None, "angle"),
    ],
)
def test_energy_and_forces_are_those_of_another_engine(name, repulsion, term):
    network = rough_silicon() if name == "keating_1966" else rough(0.25)
    parameters = only(load_parameters(name, repulsion), term)
    ours = Engine(network, parameters).energy_terms()
    elsewhere = {"bond": bonds_elsewhere, "angle": angles_elsewhere, "repulsion": repulsion_elsewhere}[term]
    energy, forces = elsewhere(network, parameters)
    assert getattr(ours, term) > 0.1
    assert getattr(ours, term) == pytest.approx(energy, rel=1e-9)
    assert abs(forces - ours.forces).max() < 1e-8 * abs(forces).max()
    print(name, term, energy, abs(forces - ours.forces).max() / abs(forces).max())


def test_all_kinds_of_angles_pairs_and_states_were_compared():
    network = rough(0.25)
    kinds = (network.species == "O").astype(int)
    assert {(kinds[i], kinds[a] + kinds[b]) for a, i, b in angles_of(network)} == {(0, 0), (0, 1), (0, 2), (1, 0)}
    assert set(network.oxidation_states()[network.species == "Si"]) == {0, 1, 2, 3, 4}
    penalties = np.array(load_parameters("von_alfthan_2003").suboxide_eV)
    expected = penalties[network.oxidation_states()[network.species == "Si"]].sum()
    assert Engine(network, load_parameters("von_alfthan_2003")).energy_terms().suboxide == pytest.approx(expected)


# --- derivatives ------------------------------------------------------------------------------------------------------


grow_shells, tabulate, valence, edge_gradient, refresh_pairs, total = (
    called_from_python(kernel)
    for kernel in (
        kernels.grow_shells,
        kernels.tabulate,
        kernels.valence,
        kernels.edge_gradient,
        relaxation.refresh_pairs,
        relaxation.total,
    )
)


def local_problem(engine, shells):
    """Set up the local problem around one atom; return (rows that move, centres)."""
    engine.work.chain[0] = len(engine.atoms.position) // 2
    n_moving = grow_shells(engine.atoms, engine.work, 1, shells)
    return n_moving, tabulate(engine.atoms, engine.work, n_moving, engine.atoms.position)


@pytest.mark.parametrize("name", ["von_alfthan_2003", "keating_1966"])
@pytest.mark.parametrize("shells", [0, 2])
def test_local_gradient_is_that_of_the_local_energy_on_moving_and_on_fixed_atoms(name, shells):
    network = rough_silicon() if name == "keating_1966" else rough()
    engine = Engine(network, load_parameters(name))
    work = engine.work

    def energy():
        n_moving, centres = local_problem(engine, shells)
        value = valence(engine.atoms.cell, engine.field, work, n_moving, centres)
        edge_gradient(work, n_moving, centres)
        return value, n_moving

    _, n_moving = energy()
    n_rows = int(work.counters[N_ROWS])
    atoms, gradient = work.atom[:n_rows].copy(), work.g[:n_rows].copy()
    assert 0 < n_moving < n_rows < len(engine.atoms.position)
    numerical = np.zeros_like(gradient)
    step = 1e-5
    for row, atom in enumerate(atoms):
        for axis in range(3):
            for sign in (1, -1):
                engine.atoms.position[atom, axis] += sign * step
                numerical[row, axis] += sign * energy()[0] / (2 * step)
                engine.atoms.position[atom, axis] -= sign * step
    assert (work.atom[:n_rows] == atoms).all()
    assert abs(gradient[n_moving:]).max() > 0.1
    np.testing.assert_allclose(gradient, numerical, atol=1e-7 * abs(gradient).max())


@pytest.mark.parametrize("repulsion", ["cubic", "quadratic"])
def test_local_gradient_with_repulsion_is_that_of_the_local_energy(repulsion):
    engine = Engine(rough(0.25), load_parameters("von_alfthan_2003", repulsion))
    atoms, field, bins, work = engine.atoms, engine.field, engine.bins, engine.work
    n_moving, centres = local_problem(engine, 2)
    refresh_pairs(atoms, field, bins, work, n_moving, atoms.position)

    def energy():
        return total(atoms, field, bins, work, n_moving, centres, True, atoms.position)

    without = valence(atoms.cell, field, work, n_moving, centres)
    assert energy() > without + 1e-3
    gradient = work.g[:n_moving].copy()
    step = 1e-5
    for row in range(n_moving):
        for axis in range(3):
            work.x[row, axis] += step
            up = energy()
            work.x[row, axis] -= 2 * step
            down = energy()
            work.x[row, axis] += step
            assert gradient[row, axis] == pytest.approx((up - down) / (2 * step), abs=3e-6, rel=1e-6)


@pytest.mark.parametrize(("name", "repulsion"), [("von_alfthan_2003", "quadratic"), ("keating_1966", None)])
def test_virial_is_the_derivative_by_every_component_of_strain(name, repulsion):
    """Stretches of the periodic cell, and all nine components on a free cluster, since the cell stays orthogonal."""
    network = rough_silicon() if name == "keating_1966" else rough()
    parameters = load_parameters(name, repulsion)
    engine = Engine(network, parameters)
    virial = engine.energy_terms().atom_virial.sum(axis=0)
    cluster = free_cluster(network)
    free = Engine(cluster, parameters)
    shear = free.energy_terms().atom_virial.sum(axis=0)
    step = 1e-6
    for a in range(3):
        for b in range(3):
            strain = np.eye(3)
            strain[a, b] += step
            up = strained(cluster, strain, parameters)
            strain[a, b] -= 2 * step
            down = strained(cluster, strain, parameters)
            assert shear[a, b] == pytest.approx((up - down) / (2 * step), abs=1e-5 * abs(shear).max())
        factors = np.ones(3)
        values = []
        for sign in (1, -1):
            factors[a] = 1 + sign * step
            values.append(Engine(scaled(network, factors), parameters).energy)
        assert virial[a, a] == pytest.approx((values[0] - values[1]) / (2 * step), rel=1e-5)


def free_cluster(network):
    """The network without the bonds across its boundary, in a cell so large that no image is near; all atoms frozen,
    since frozen atoms may have fewer bonds."""
    vectors = network.positions[network.bonds[:, 1]] - network.positions[network.bonds[:, 0]]
    inside = (abs(vectors) < 0.5 * network.cell).all(axis=1)
    return make_network(
        network.positions + network.cell,
        network.species,
        network.bonds[inside],
        3 * network.cell,
        frozen=np.ones(len(network.positions), bool),
    )


def strained(network, strain, parameters):
    moved = network.positions @ strain.T
    return Engine(
        make_network(moved, network.species, network.bonds, network.cell, frozen=network.frozen), parameters
    ).energy


def scaled(network, factors):
    return make_network(network.positions * factors, network.species, network.bonds, network.cell * factors)
