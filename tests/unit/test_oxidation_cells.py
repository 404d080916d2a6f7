"""Stress, relaxation of the cell and Metropolis moves of the volume."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from moxie.errors import InputError
from moxie.oxidation.engine import Engine
from moxie.oxidation.kernels.energy import EV_PER_A3_IN_GPA
from moxie.oxidation.networks.cells import relax_cell, stress_GPa, volume_moves
from moxie.oxidation.parameter_sets import load_parameters
from moxie.structures.network import make_network
from moxie.structures.silicon import beta_cristobalite, diamond, silicon_slab

SETS = ("von_alfthan_2003", "keating_1966")


def rattled(network, seed=3, width_A=0.08):
    shift = width_A * np.random.default_rng(seed).standard_normal(network.positions.shape)
    return make_network(network.positions + shift, network.species, network.bonds, network.cell)


def energy_of(network, parameters, strain):
    cell = network.cell * (1 + strain)
    scaled = make_network(network.positions * (1 + strain), network.species, network.bonds, cell)
    return Engine(scaled, parameters).energy


@pytest.mark.parametrize("make", [lambda: diamond((2, 2, 3)), lambda: beta_cristobalite((2, 2, 2))])
def test_stress_is_the_derivative_of_the_energy_with_each_edge(make):
    network = rattled(make())
    parameters = load_parameters("von_alfthan_2003")
    stress = stress_GPa(Engine(network, parameters))
    assert stress == pytest.approx(stress.T, abs=1e-9)
    h = 1e-5
    for axis in range(3):
        strain = np.zeros(3)
        strain[axis] = h
        slope = (energy_of(network, parameters, strain) - energy_of(network, parameters, -strain)) / (2 * h)
        expected = slope / np.prod(network.cell) * EV_PER_A3_IN_GPA
        assert stress[axis, axis] == pytest.approx(expected, rel=1e-6, abs=1e-6)
        assert abs(expected) > 0.01


ATOM_A = 8 / 27**0.5 * 2.35  # volume per atom over the square of the bond length


@pytest.mark.parametrize(
    ("name", "expected"),  # 2 k_b d^2/(9 V0) and 2 d^2 (3 alpha + beta)/(9 V0)
    [("von_alfthan_2003", 2 * 9.08 / 9 / ATOM_A), ("keating_1966", 2 * 2.965 * 3.285 / 9 / ATOM_A)],
)
def test_bulk_modulus_from_cells_relaxed_under_pressure(name, expected):
    engine = Engine(diamond((2, 2, 2)), load_parameters(name))
    volumes = []
    for pressure in (-0.2, 0.2):
        result = relax_cell(engine, pressure, tolerance_GPa=1e-5)
        assert result.converged and result.relaxations <= 8
        volumes.append(np.prod(engine.cell))
    modulus = -0.4 * np.mean(volumes) / (volumes[1] - volumes[0])
    assert modulus == pytest.approx(expected * EV_PER_A3_IN_GPA, rel=2e-3)
    assert modulus == pytest.approx({"von_alfthan_2003": 89.3, "keating_1966": 95.9}[name], abs=0.3)


@pytest.mark.parametrize("shape", ["isotropic", "edges"])
@pytest.mark.parametrize("name", SETS)
def test_a_crystal_at_zero_pressure_finds_its_lattice_constant(name, shape):
    parameters = load_parameters(name)
    engine = Engine(rattled(diamond((2, 2, 3), 5.7)), parameters)
    assert relax_cell(engine, 0.0, shape, 1e-3, force_tolerance_eV_A=1e-3).converged
    assert engine.cell == pytest.approx(parameters.lattice_constant_A * np.array([2, 2, 3]), rel=1e-5)
    assert abs(engine.drift()) < 1e-8


def test_each_shape_frees_its_own_edges():
    network = diamond((2, 2, 2))
    parameters = load_parameters("von_alfthan_2003")
    height = Engine(network, parameters)
    assert relax_cell(height, 3.0, "height", 1e-3).converged
    assert (height.cell[:2] == network.cell[:2]).all() and height.cell[2] < network.cell[2]
    stress = np.diag(stress_GPa(height))
    assert stress[2] == pytest.approx(-3.0, abs=1e-3)
    assert -3.0 < stress[0] < -0.5  # the held edges resist, by Poisson's ratio
    edges = Engine(make_network(network.positions * [1, 1, 1.03], network.species, network.bonds,
                                network.cell * [1, 1, 1.03]), parameters)  # fmt: skip
    assert relax_cell(edges, 3.0, "edges", 1e-3).converged
    assert np.diag(stress_GPa(edges)) == pytest.approx([-3.0] * 3, abs=1e-3)
    assert edges.cell == pytest.approx(np.full(3, edges.cell.mean()), rel=1e-4)


@settings(max_examples=10, deadline=None)
@given(st.floats(-5, 20))
def test_any_moderate_pressure_is_reached(pressure):
    engine = Engine(diamond((2, 2, 2)), load_parameters("von_alfthan_2003"))
    assert relax_cell(engine, pressure, tolerance_GPa=0.01).converged
    assert np.trace(stress_GPa(engine)) / 3 == pytest.approx(-pressure, abs=0.01)


@pytest.mark.parametrize(("pressure_GPa", "kT", "name"), [(0.0, 0.1, SETS[0]), (3.0, 0.05, SETS[1])])
def test_volume_moves_sample_the_exact_distribution(pressure_GPa, kT, name):
    """A crystal's relaxed E(V) is known in closed form; mean and variance of ln V against quadrature."""
    parameters = load_parameters(name)
    engine = Engine(diamond((2, 2, 2)), parameters, seed=8)
    relax_cell(engine, pressure_GPa, tolerance_GPa=1e-3)
    v0 = (2 * parameters.lattice_constant_A) ** 3

    def energy(u):
        stretch = np.exp(u / 3)
        d = parameters.bond_length[0][0]
        if parameters.form == "keating":  # all dot products scale alike
            k, beta = parameters.bond_k[0][0], parameters.angle_k[0][0]
            return 64 * d**2 * (stretch**2 - 1) ** 2 * (2 * 0.375 * k + 6 * 0.375 * beta / 9)
        return 64 * 2 * 0.5 * parameters.bond_k[0][0] * (d * (stretch - 1)) ** 2

    u = np.linspace(-0.3, 0.3, 20001)
    exponent = -(energy(u) + pressure_GPa / EV_PER_A3_IN_GPA * v0 * np.exp(u)) / kT
    weight = np.exp(exponent - exponent.max())
    mean = (weight * u).sum() / weight.sum()
    variance = (weight * (u - mean) ** 2).sum() / weight.sum()

    tally = volume_moves(engine, 3000, kT, pressure_GPa, largest_step=2.5 * variance**0.5, relax_steps=50)
    assert 0.3 < tally.accepted / tally.attempts < 0.8
    sampled = np.log(tally.volumes_A3 / v0)
    assert tally.energies_eV == pytest.approx(energy(sampled), abs=1e-6)
    blocks = sampled.reshape(20, -1)
    for values, expected in ((blocks.mean(axis=1), mean), (((blocks - mean) ** 2).mean(axis=1), variance)):
        error = values.std(ddof=1) / np.sqrt(len(values))
        assert abs(values.mean() - expected) < 4 * error
        assert error < 0.1 * variance**0.5 if expected is mean else error < 0.1 * variance


@pytest.mark.parametrize("shape", ["isotropic", "height"])
def test_a_refused_volume_move_leaves_every_bit_in_place(shape):
    engine = Engine(rattled(beta_cristobalite((2, 2, 2))), load_parameters("von_alfthan_2003"), 5)
    engine.run(300, 1.0)
    relax_cell(engine, 0.0, tolerance_GPa=0.05)
    engine.relax(0.001, 3000)
    before = [engine.atoms.position.tobytes(), engine.atoms.neighbours.tobytes(), engine.cell.tobytes(), engine.energy]
    tally = volume_moves(engine, 6, 0.0, 0.0, largest_step=0.3, shape=shape)
    assert tally.accepted == 0
    after = [engine.atoms.position.tobytes(), engine.atoms.neighbours.tobytes(), engine.cell.tobytes(), engine.energy]
    assert after == before
    assert abs(engine.drift()) < 1e-8
    engine.run(200, 0.5)
    assert abs(engine.check_energy()) < 1e-8


def test_height_moves_keep_the_lateral_cell():
    engine = Engine(diamond((2, 2, 2)), load_parameters("von_alfthan_2003"), 1)
    tally = volume_moves(engine, 40, 0.1, shape="height")
    assert 0 < tally.accepted < 40
    assert (engine.cell[:2] == diamond((2, 2, 2)).cell[:2]).all()
    assert len(set(tally.volumes_A3.tolist())) == tally.accepted + (
        tally.volumes_A3[0] == np.prod(diamond((2, 2, 2)).cell)
    )


def test_bad_requests_are_named():
    engine = Engine(diamond((2, 2, 2)), load_parameters("von_alfthan_2003"))
    film = Engine(silicon_slab((2, 2, 2), 2), load_parameters("von_alfthan_2003"))
    for call, message in [
        (lambda: relax_cell(engine, 0.0, "lateral"), "allowed: isotropic, edges, height"),
        (lambda: relax_cell(engine, tolerance_GPa=0.0), "tolerance_GPa is 0.0"),
        (lambda: relax_cell(engine, float("nan")), "pressure_GPa is nan"),
        (lambda: relax_cell(film, 0.0, "height"), "free along z"),
        (lambda: volume_moves(film, 1, 0.1, shape="height"), "free along z"),
        (lambda: volume_moves(engine, 1, 0.1, shape="edges"), "isotropic or height"),
        (lambda: volume_moves(engine, 1, -0.1), "kT_eV is -0.1"),
        (lambda: volume_moves(engine, 1, float("inf")), "kT_eV is inf"),
        (lambda: volume_moves(engine, 1, 0.1, float("nan")), "pressure_GPa is nan"),
        (lambda: volume_moves(engine, -1, 0.1), "n_moves is -1"),
        (lambda: volume_moves(engine, 1, 0.1, largest_step=0.0), "largest_step is 0.0"),
    ]:
        with pytest.raises(InputError, match=message):
            call()
