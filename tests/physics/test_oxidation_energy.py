"""The valence force field: analytic energies and moduli, forces and virial against finite differences."""

import numpy as np
import pytest

from moxie.constants import AMU_PER_A3_IN_G_CM3
from moxie.oxidation.engine import Engine
from moxie.oxidation.kernels.energy import EV_PER_A3_IN_GPA
from moxie.oxidation.parameter_sets import load_parameters
from moxie.structures.network import Network, make_network
from moxie.structures.silicon import beta_cristobalite, diamond, silicon_slab

SIO2_G_CM3 = 0.0662 / 3 * (28.085 + 2 * 15.999) * AMU_PER_A3_IN_G_CM3


def scaled(network: Network, factors) -> Network:
    factors = np.broadcast_to(np.asarray(factors, float), 3)
    return make_network(
        network.positions * factors, network.species, network.bonds, network.cell * factors, network.periodic
    )


def energy(network, parameters):
    return Engine(network, parameters).energy_terms()


def rough_slab(seed=0, spread=0.25):
    """A disordered Si/SiOx network, so that every term acts."""
    engine = Engine(silicon_slab((2, 2, 3), 2), load_parameters("von_alfthan_2003"), seed)
    generator = np.random.default_rng(seed)
    for _ in range(20):
        bonds = engine.bonds()
        free = (engine.atoms.species[bonds] == 0).all(axis=1) & ~engine.atoms.frozen[bonds].any(axis=1)
        engine.insert_oxygen(*generator.choice(bonds[free]).tolist())
    engine.relax(0.1, 50)
    engine.run(300, 1.0, 0.3)
    network = engine.to_network()
    positions = network.positions + spread * generator.standard_normal(network.positions.shape)
    return make_network(positions, network.species, network.bonds, network.cell, network.periodic, network.frozen)


def test_strained_diamond_has_its_analytic_energy():
    network = diamond((2, 2, 2), (8 / 0.054) ** (1 / 3))
    terms = energy(network, load_parameters("von_alfthan_2003"))
    bond = np.sqrt(3) / 4 * (8 / 0.054) ** (1 / 3)
    assert terms.total / 64 == pytest.approx(2 * 0.5 * 9.08 * (bond - 2.35) ** 2, rel=1e-10)
    assert terms.total / 64 == pytest.approx(0.03138, abs=1e-5)
    assert terms.angle == pytest.approx(0, abs=1e-12) and terms.repulsion == 0


def test_beta_cristobalite_has_its_analytic_energy():
    terms = energy(beta_cristobalite((2, 2, 2), SIO2_G_CM3), load_parameters("von_alfthan_2003"))
    assert terms.total / 192 == pytest.approx(0.05687, abs=1e-5)
    assert terms.suboxide == 0 and terms.repulsion == 0


@pytest.mark.parametrize(("name", "modulus_GPa"), [("von_alfthan_2003", 89.0), ("keating_1966", 95.7)])
def test_bulk_modulus_of_silicon(name, modulus_GPa):
    parameters = load_parameters(name)
    network = diamond((2, 2, 2), parameters.lattice_constant_A)
    step = 1e-3
    curve = [energy(scaled(network, 1 + s), parameters).total for s in (-step, 0.0, step)]
    volume = float(np.prod(network.cell))
    # E = 9/2 B V s^2 for a linear strain s
    modulus = (curve[0] - 2 * curve[1] + curve[2]) / step**2 / (9 * volume) * EV_PER_A3_IN_GPA
    d, v0 = 2.35, volume / 64
    if name == "keating_1966":
        exact = 2 * d**2 * (3 * 2.965 + 0.845025) / (9 * v0) * EV_PER_A3_IN_GPA
    else:
        exact = 2 * 9.08 * d**2 / (9 * v0) * EV_PER_A3_IN_GPA
    assert modulus == pytest.approx(exact, rel=1e-3)
    assert modulus == pytest.approx(modulus_GPa, rel=0.01)


def switched_off(parameters, keep):
    from dataclasses import replace

    zero2, zero3 = ((0.0, 0.0),) * 2, ((0.0, 0.0, 0.0),) * 2
    changes = {}
    if keep != "bond":
        changes["bond_k"] = zero2
    if keep != "angle":
        changes["angle_k"] = zero3
    if keep != "repulsion":
        changes["repulsion"] = replace(parameters.repulsion, kind="none")
    return replace(parameters, **changes)


@pytest.mark.parametrize(
    ("name", "repulsion", "keep"),
    [
        ("von_alfthan_2003", "cubic", "bond"),
        ("von_alfthan_2003", "cubic", "angle"),
        ("von_alfthan_2003", "cubic", "repulsion"),
        ("von_alfthan_2003", "quadratic", "repulsion"),
        ("tu_tersoff_2000", "cubic", "angle"),
    ],
)
def test_each_term_has_the_forces_of_its_energy(name, repulsion, keep):
    network = rough_slab()
    parameters = switched_off(load_parameters(name, repulsion), keep)
    check_forces(network, parameters)


@pytest.mark.parametrize("keep", ["bond", "angle"])
def test_each_keating_term_has_the_forces_of_its_energy(keep):
    crystal = diamond((2, 2, 2))
    positions = crystal.positions + 0.15 * np.random.default_rng(1).standard_normal(crystal.positions.shape)
    network = make_network(positions, crystal.species, crystal.bonds, crystal.cell)
    check_forces(network, switched_off(load_parameters("keating_1966"), keep))


def check_forces(network, parameters):
    engine = Engine(network, parameters)
    forces = engine.energy_terms().forces
    assert abs(forces).max() > 0.01  # the term acts
    step = 1e-5
    busiest = np.argsort(-abs(forces).max(axis=1))[:6]
    for atom in busiest:
        for axis in range(3):
            engine.atoms.position[atom, axis] += step
            up = engine.energy_terms().total
            engine.atoms.position[atom, axis] -= 2 * step
            down = engine.energy_terms().total
            engine.atoms.position[atom, axis] += step
            assert forces[atom, axis] == pytest.approx((down - up) / (2 * step), abs=2e-6, rel=1e-5)
    np.testing.assert_allclose(forces.sum(axis=0), 0, atol=1e-9)


def test_virial_is_the_derivative_by_strain():
    network = rough_slab(spread=0.1)
    crystal = make_network(
        network.positions, network.species, network.bonds, network.cell, network.periodic, network.frozen
    )
    parameters = load_parameters("von_alfthan_2003")
    terms = energy(crystal, parameters)
    virial = terms.atom_virial.sum(axis=0)
    np.testing.assert_allclose(virial, virial.T, atol=1e-8)  # no torque
    step = 1e-6
    for axis in range(3):
        values = []
        for sign in (1, -1):
            factors = np.ones(3)
            factors[axis] += sign * step
            stretched = make_network(
                crystal.positions * factors,
                crystal.species,
                crystal.bonds,
                crystal.cell * factors,
                crystal.periodic,
                crystal.frozen,
            )
            values.append(energy(stretched, parameters).total)
        assert virial[axis, axis] == pytest.approx((values[0] - values[1]) / (2 * step), rel=1e-5)


def test_shares_of_the_atoms_add_up():
    terms = energy(rough_slab(), load_parameters("von_alfthan_2003"))
    assert terms.atom_energy.sum() == pytest.approx(terms.total, rel=1e-12)
    assert min(terms.bond, terms.angle, terms.repulsion, terms.suboxide) > 0


def test_relaxation_ends_without_forces_and_agrees_with_the_full_energy():
    engine = Engine(rough_slab(), load_parameters("von_alfthan_2003"))
    before = engine.energy
    assert engine.relax(0.005, 2000)
    terms = engine.energy_terms()
    assert engine.energy < before
    assert engine.energy == pytest.approx(terms.total, abs=1e-8)
    assert abs(terms.forces[engine.mobile]).max() < 0.0051


def test_a_network_pushed_by_its_periodic_image_is_the_same():
    network = rough_slab()
    moved = network.positions + [0.4 * network.cell[0], 0.7 * network.cell[1], 0.0]
    shifted = make_network(moved, network.species, network.bonds, network.cell, network.periodic, network.frozen)
    parameters = load_parameters("von_alfthan_2003")
    assert energy(shifted, parameters).total == pytest.approx(energy(network, parameters).total, rel=1e-10)


def test_an_unwrapped_network_is_the_same():
    network = rough_slab()
    cells = np.random.default_rng(1).integers(-3, 4, network.positions.shape) * network.periodic
    unwrapped = network.positions + cells * network.cell
    moved = make_network(unwrapped, network.species, network.bonds, network.cell, network.periodic, network.frozen)
    parameters = load_parameters("von_alfthan_2003")
    terms, expected = energy(moved, parameters), energy(network, parameters)
    assert terms.repulsion > 1
    for name in ("bond", "angle", "repulsion"):
        assert getattr(terms, name) == pytest.approx(getattr(expected, name), rel=1e-9)


def test_repulsion_agrees_with_a_sum_over_all_pairs():
    network = rough_slab()
    parameters = load_parameters("von_alfthan_2003")
    near = network.neighbours()
    total = 0.0
    for i in range(len(near)):
        excluded = {i, *near[i], *(k for j in near[i] for k in near[j])}
        others = np.array([j for j in range(i + 1, len(near)) if j not in excluded], int)
        r = np.linalg.norm(network.vectors(np.full(len(others), i), others), axis=1)
        kinds = (network.species[others] == "O").astype(int)
        reach = np.array(parameters.repulsion.range_A)[int(network.species[i] == "O"), kinds]
        total += float((0.5 * np.maximum(reach - r, 0.0) ** 3).sum())
    assert total > 1
    assert energy(network, parameters).repulsion == pytest.approx(total, rel=1e-10)
