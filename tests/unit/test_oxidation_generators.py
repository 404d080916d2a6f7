"""Generated networks: their starts, their promises (composition, coordination, no collapse, same bytes), bad input."""

import logging
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chisquare, hypergeom

from moxie.errors import InputError
from moxie.features.networks import closest_contacts
from moxie.oxidation.engine import Engine
from moxie.oxidation.networks.cells import stress_GPa
from moxie.oxidation.networks.generators import (
    Schedule,
    amorphous_silica,
    amorphous_silicon,
    anneal,
    cool,
    random_bond_oxide,
    random_network,
    silicon_oxide,
)
from moxie.oxidation.parameter_sets import load_parameters
from moxie.structures.network import validate
from moxie.structures.silicon import diamond, insert_oxygen

PARAMETERS = load_parameters("von_alfthan_2003")
QUICK = Schedule(((2.0, 3.0), (0.3, 1.0), (0.0, 1.0)), 3.0)
QUICK_OXIDE = replace(QUICK, pressure_GPa=0.0, hop_fraction=0.3)


def populations_p_value(states: np.ndarray, n_bonds: int, n_oxygen: int) -> float:
    """P value of the oxidation states against O placed on bonds at random: four draws without replacement."""
    expected = len(states) * hypergeom(n_bonds, n_oxygen, 4).pmf(np.arange(5))
    return float(chisquare(np.bincount(states, minlength=5), expected).pvalue)


@pytest.mark.parametrize("x", [0.3, 1.0, 1.7])
def test_oxygen_on_random_bonds_gives_binomial_populations(x):
    networks = [random_bond_oxide(216, x, PARAMETERS, seed) for seed in range(30)]
    states = np.concatenate([network.oxidation_states()[network.species == "Si"] for network in networks])
    p = round(216 * x) / 432
    assert populations_p_value(states, 432, round(216 * x)) > 1e-3
    assert np.bincount(states, minlength=5)[2] / len(states) == pytest.approx(6 * p**2 * (1 - p) ** 2, rel=0.1)


@pytest.mark.parametrize(
    ("x", "energy_eV"), [(0.25, 0.196), (0.5, 0.317), (0.85, 0.377), (1.0, 0.369), (1.5, 0.231), (1.75, 0.120)]
)
def test_suboxide_energy_of_random_bonds(x, energy_eV):
    """The closed form of the binomial populations times Hamann's penalties, eV per Si."""
    engines = [Engine(random_bond_oxide(512, x, PARAMETERS, seed), PARAMETERS) for seed in range(4)]
    found = np.mean([engine.energy_terms().suboxide / 512 for engine in engines])
    assert found == pytest.approx(energy_eV, abs=0.01)


def test_hops_at_infinite_temperature_make_the_populations_binomial():
    """From the most segregated start there is; at kT = 1e6 eV every proposed hop is accepted."""
    crystal = diamond((2, 2, 2))
    segregated = insert_oxygen(crystal, crystal.bonds[np.argsort(crystal.bonds[:, 0], kind="stable")[:40]])
    engine = Engine(segregated, load_parameters("von_alfthan_2003", "none"), 3)
    start = segregated.oxidation_states()[segregated.species == "Si"]
    assert populations_p_value(start, 128, 40) < 1e-6
    sampled = []
    for _ in range(12):
        tally = engine.run(300, 1e6, 1.0)
        assert tally.accepted == tally.valid
        states = engine.oxidation_states()
        sampled.append(states[states >= 0])
    assert populations_p_value(np.concatenate(sampled), 128, 40) > 1e-3


@pytest.mark.parametrize("x", [0.0, 0.5, 1.3, 2.0])
def test_oxides_keep_composition_coordination_and_distances(x):
    made = silicon_oxide(64, x, PARAMETERS, 5, QUICK_OXIDE)
    network = made.network
    validate(network, "oxide")
    assert (network.species == "O").sum() == round(64 * x) and (network.species == "Si").sum() == 64
    assert (network.coordination() == np.where(network.species == "O", 2, 4)).all()
    assert network.info["x"] == pytest.approx(x, abs=0.5 / 64) and network.info["seed"] == 5
    contacts = closest_contacts(network)
    assert contacts["Si-Si"] > 2.5 and contacts["Si-O"] > 2.0 and contacts["O-O"] > 1.9
    assert sum(batch["accepted"] for batch in made.trace) > 5
    engine = Engine(network, PARAMETERS)
    assert engine.energy == pytest.approx(network.info["energy_eV"], abs=1e-8)
    assert np.abs(engine.energy_terms().forces).max() < 0.002
    assert np.trace(stress_GPa(engine)) / 3 == pytest.approx(0, abs=0.02)


def test_a_long_step_calibrates_early_rejection():
    engine = Engine(diamond((2, 2, 2)), load_parameters("keating_1966"), 3)
    trace = anneal(engine, Schedule(((2.0, 10.0),), 10.0))
    assert not engine.rejection.rules  # too short for a calibration to pay
    trace += anneal(engine, Schedule(((0.3, 100.0), (0.0, 20.0)), 50.0))
    assert engine.rejection.rules and 0 <= trace[-1]["energy_eV"] < 0.7 * trace[0]["energy_eV"]
    assert abs(engine.drift()) < 1e-8


@pytest.mark.parametrize(
    ("name", "start"),
    [("von_alfthan_2003", "crystal"), ("von_alfthan_2003", "random"), ("keating_1966", "crystal")],
)
def test_silicon_keeps_its_box_and_four_bonds(start, name):
    parameters = load_parameters(name)
    network = amorphous_silicon(64, parameters, 2, start, QUICK).network
    validate(network, "a-Si")
    assert np.prod(network.cell) / 64 == pytest.approx(parameters.lattice_constant_A**3 / 8)
    assert (network.coordination() == 4).all()
    assert network.info["start"] == start and network.info["parameter_set"] == name


def test_silica_is_full_of_oxygen():
    network = amorphous_silica(64, PARAMETERS, 1, Schedule(((2.0, 0.5),), 1.0, 0.0)).network
    assert (network.species == "O").sum() == 128
    assert (network.oxidation_states()[network.species == "Si"] == 4).all()


def test_same_seed_same_bytes_other_seed_other_network():
    def bytes_of(network):
        return network.positions.tobytes(), network.bonds.tobytes(), network.cell.tobytes(), str(network.info)

    short = Schedule(((1.5, 3.0), (0.0, 3.0)), 3.0)
    for make in (
        lambda seed: (
            silicon_oxide(64, 0.8, PARAMETERS, seed, replace(short, pressure_GPa=0.0, hop_fraction=0.5)).network
        ),
        lambda seed: amorphous_silicon(70, PARAMETERS, seed, "random", short).network,
    ):
        assert bytes_of(make(4)) == bytes_of(make(4))
        assert bytes_of(make(4)) != bytes_of(make(5))


@settings(max_examples=8, deadline=None)
@given(st.integers(64, 150), st.integers(0, 2**32))
def test_random_networks_have_four_bonds_and_no_close_points(n_atoms, seed):
    network = random_network(n_atoms, 20.0, seed)  # validates: no bond twice, none of an atom to itself
    assert len(network.positions) == n_atoms and (network.coordination() == 4).all()
    i, j = np.triu_indices(n_atoms, 1)
    assert np.linalg.norm(network.vectors(i, j), axis=1).min() >= 2.2
    lengths = np.linalg.norm(network.vectors(*network.bonds.T), axis=1)
    assert np.median(lengths) < 4.0  # the tour joins near points


def test_an_annealing_reports_watches_and_ends_its_quench_early(caplog):
    engine = Engine(diamond((2, 2, 2)), PARAMETERS, 9)
    seen = []
    schedule = Schedule(((3.0, 5.0), (0.0, 400.0)), 5.0)

    def watch(engine, batch):
        seen.append((engine.energy, batch))
        return False

    with caplog.at_level(logging.INFO):
        trace = anneal(engine, schedule, logging.getLogger("anneal"), watch)
    assert seen == [(batch["energy_eV"], batch) for batch in trace]
    energies = [batch["energy_eV"] for batch in trace]
    assert (np.diff(energies) <= 1e-6).all() and energies[0] > 1  # never uphill at zero temperature
    assert trace[-1]["accepted"] == 0 and len(trace) < 81
    assert all(batch["accepted"] > 0 for batch in trace[:-1])
    assert "attempts/s" in caplog.text and "100 % done" in caplog.text


def test_who_watches_an_annealing_may_end_it():
    engine = Engine(diamond((2, 2, 2)), PARAMETERS, 9)
    seen = []

    def watch(engine, batch):
        seen.append(batch)
        return len(seen) == 3

    assert anneal(engine, Schedule(((3.0, 50.0),), 5.0), watch=watch) == seen and len(seen) == 3
    assert abs(engine.drift()) < 1e-8


def test_a_composition_that_is_no_whole_number_of_oxygen_is_rounded_and_said(caplog):
    made = silicon_oxide(64, 0.99, PARAMETERS, 1, replace(QUICK_OXIDE, steps=((0.1, 1.0),)))
    assert made.network.info["x"] == 63 / 64
    assert "x = 0.984375 is made instead" in caplog.text


def test_cooling_shares_its_attempts():
    assert cool(0.3, 0.1, 3, 90.0) == (
        pytest.approx((0.3, 30.0)),
        pytest.approx((0.2, 30.0)),
        pytest.approx((0.1, 30.0)),
    )


def test_boxes_are_as_cubic_as_their_size_allows():
    assert random_bond_oxide(8 * 12, 0.0, PARAMETERS, 1).cell == pytest.approx(5.42709 * np.array([2, 2, 3]), rel=1e-4)
    assert random_bond_oxide(4096, 0.0, PARAMETERS, 1).cell == pytest.approx(5.42709 * np.full(3, 8), rel=1e-4)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: silicon_oxide(64, 2.1, PARAMETERS, 1), r"x is 2\.1 in SiOx; it must lie in 0\.\.2"),
        (lambda: silicon_oxide(64, float("nan"), PARAMETERS, 1), "x is nan"),
        (lambda: silicon_oxide(32, 1.0, PARAMETERS, 1), "32 Si cannot make a box"),
        (lambda: silicon_oxide(-8, 1.0, PARAMETERS, 1), "-8 Si cannot make a box"),
        (lambda: silicon_oxide(float("nan"), 1.0, PARAMETERS, 1), "nan Si cannot make a box"),
        (lambda: random_network(65.5, 20.0, 1), "n_atoms is 65.5; a random start needs"),
        (lambda: amorphous_silica(100, PARAMETERS, 1), "Cubic boxes near it: 64, 216"),
        (lambda: amorphous_silica(64, load_parameters("keating_1966"), 1), "has no parameters for O"),
        (lambda: amorphous_silicon(64, PARAMETERS, 1, "liquid"), "allowed: crystal, random"),
        (lambda: amorphous_silicon(64, load_parameters("keating_1966"), 1, "random"), "needs a field with repulsion"),
        (lambda: amorphous_silicon(20, PARAMETERS, 1, "random"), "use at least 64"),
        (lambda: random_network(64, 9.0, 1), "random points fit into"),
        (lambda: amorphous_silicon(64, PARAMETERS, 1, schedule=Schedule(())), "no steps"),
        (lambda: amorphous_silicon(64, PARAMETERS, 1, schedule=Schedule(((-0.1, 5.0),))), "kT -0.1"),
        (lambda: amorphous_silicon(64, PARAMETERS, 1, schedule=Schedule(((0.1, 0.0),))), "attempts per atom 0.0"),
        (lambda: silicon_oxide(64, 1.0, PARAMETERS, 1, replace(QUICK, hop_fraction=1.5)), "hop_fraction is 1.5"),
        (lambda: silicon_oxide(64, 1.0, PARAMETERS, 1, replace(QUICK, relax_every=0.0)), "relax_every is 0.0"),
    ],
)
def test_bad_requests_are_named(call, message):
    with pytest.raises(InputError, match=message):
        call()
