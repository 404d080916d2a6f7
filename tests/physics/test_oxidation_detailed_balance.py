"""Sampled states and energies against the exact Boltzmann distribution over every network that the moves can reach."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from small_networks import (
    count_oxygen,
    distribution_p,
    exact_energies,
    has_triangle,
    hold_against,
    links_of,
    reachable_links,
    ring_world,
    sample,
    silica_world,
    small_world,
)

from moxie.oxidation.engine import Engine
from moxie.oxidation.kernels.surrogate import Surrogate
from moxie.oxidation.parameter_sets import load_parameters
from moxie.oxidation.rejection import Rejection, ending_at
from moxie.oxidation.sampling.checkpoints import engine_arrays, restore_engine
from moxie.structures.network import make_network
from moxie.structures.silicon import beta_cristobalite, diamond

# Why no move needs a ratio of proposal probabilities, the number of O included.
# Switch and hop: each is one draw of a chain of atoms, and the reverse move is one draw of the chain that it leaves
# behind, from as many choices (active Si x 4 x 3 x 3; O x 2 x 3).
# Exchange: O are indistinguishable, a state is the set of links with or without an O. Both directions draw an active Si
# and one of its four links; the link that is drawn is toggled, so S -> S' and S' -> S have the same probability (from
# one end of the link or from both, alike). No count of O or of free bonds enters, and the stationary weight of a state
# with N O is exp(-(E - mu N)/kT), without N!. With labels it is the same: the reserve is a stack, an insertion takes
# its top and a removal puts back there, so each move has one reverse of equal probability; a state with N of M O has
# M!/(M - N)! ways to put labels on its links times (M - N)! orders of the stack = M!, whatever N.
# A move that cannot be done (no O left in reserve, frozen atom, double link) counts as refused, in both directions.

TIGHT = Rejection(shells=(6,), evaluations=(600,), force_tolerance_eV_A=(0.002,), repulsion=(True,))
# the usual stages, the last one as tight, so that what is left is the rejection alone
STAGED = replace(
    ending_at(7),
    evaluations=(0, 2, 6, 14, 20, 8, 15, 20, 600),
    force_tolerance_eV_A=(0.5, 0.5, 0.5, 0.3, 0.2, 0.03, 0.03, 0.002, 0.002),
)
CASES = {
    # name: world, repulsion, moves, share of hops, of exchanges, reserve, three kT in eV, chemical potentials in eV
    "Si, switches": (small_world, 0, "none", {"switch"}, 0.0, 0.0, 0, (1.5, 2.5, 4.0), (0.0,)),
    "SiOx, hops": (small_world, 2, "none", {"hop"}, 1.0, 0.0, 0, (0.1, 0.3, 0.8), (0.0,)),
    "SiOx, switches and hops": (small_world, 1, "none", {"switch", "hop"}, 0.5, 0.0, 0, (1.2, 1.8, 2.5), (0.0,)),
    "SiO2, switches": (silica_world, None, "cubic", {"switch"}, 0.0, 0.0, 0, (1.5, 2.0, 3.0), (0.0,)),
    "SiOx, exchanges": (small_world, 0, "none", {"exchange"}, 0.0, 1.0, 3, (0.3, 0.8, 1.5), (1.0, 1.9)),
    "SiOx, all": (small_world, 0, "none", {"switch", "hop", "exchange"}, 0.4, 0.3, 1, (1.5, 2.0, 2.5), (1.0, 2.0)),
}
# an exchange alone is never given up early, so there is nothing to calibrate
RUNS = [(case, False) for case in CASES] + [(case, True) for case in CASES if CASES[case][5] < 1]


@cache
def enumerated(case):
    make, n_oxygen, repulsion, moves, hop, exchange, reserve, _, _ = CASES[case]
    world = make() if n_oxygen is None else make(n_oxygen)
    # a crystal is all saddles; a chain starts from a network without its symmetry
    positions = world.positions + 0.02 * np.random.default_rng(3).standard_normal(world.positions.shape) * (
        ~world.frozen[:, None]
    )
    world = make_network(positions, world.species, world.bonds, world.cell, frozen=world.frozen)
    parameters = load_parameters("von_alfthan_2003", repulsion)
    start = links_of(Engine(world, parameters))
    states = reachable_links(start, world.frozen, moves, reserve)
    return world, parameters, states, exact_energies(states, world, parameters)


def judge(case, kT, mu, calibrated, seed=11, surrogate=None, spoil=None, **statistics):
    world, parameters, states, energies = enumerated(case)
    _, _, _, _, hop, exchange, reserve, _, _ = CASES[case]
    engine = Engine(world, parameters, seed, STAGED if calibrated else TIGHT, reserve=reserve)
    engine.relax(0.005, 1000)
    if calibrated:
        engine.calibrate(kT, hop, n_first=300, n_followed=700)
    engine.surrogate = surrogate
    if spoil:
        spoil(engine, kT, hop)
    verdict = hold_against(engine, states, energies, kT, hop, exchange, mu, **statistics)
    engine.check_energy()
    print(f"{case}, kT {kT}, mu {mu}, calibrated {calibrated}, {len(states)} states: {verdict}")
    assert verdict.distribution_p > 1e-3 and verdict.oxygen_p > 1e-3 and abs(verdict.z) < 3.5, verdict
    assert verdict.misfit_eV < 0.01 + 0.01 * kT, verdict  # some networks have two minima
    # sharp enough to tell a wrong rule from a right one
    assert verdict.error_eV < 0.1 * verdict.spread_eV and verdict.mean_eV > 4 * verdict.error_eV, verdict
    return verdict


@pytest.mark.parametrize(("case", "calibrated"), RUNS)
def test_states_have_their_boltzmann_populations(case, calibrated):
    moves, *_, kTs, mus = CASES[case][3:]
    judge(case, kTs[2], mus[-1], calibrated, batches=40, samples=50, every=30 if "switch" in moves else 5)


@pytest.mark.parametrize(
    ("case", "calibrated"),
    [
        ("SiOx, hops", True),
        ("SiOx, switches and hops", False),
        ("SiOx, switches and hops", True),
        ("SiO2, switches", True),
    ],
)
def test_moves_drawn_from_a_catalogue_sample_boltzmann(case, calibrated):
    moves, *_, kTs, mus = CASES[case][3:]
    every = 40 if "switch" in moves else 10
    judge(case, kTs[1], mus[-1], calibrated, batches=40, samples=50, every=every, catalogue=True)


def test_bounds_that_are_all_too_high_are_found_out_and_a_catalogue_samples_boltzmann_again():
    tallies = []

    def spoil(engine, kT, hop):
        engine.run(2000, kT, hop, catalogue=True)
        listing = engine._listing.catalogue
        listing.bound[:] = np.minimum(listing.bound + 1.5 * kT, 12 * kT)
        tallies.extend(engine.run(8000, kT, hop, catalogue=True) for _ in range(2))

    judge("SiOx, switches and hops", 1.8, 0.0, True, batches=40, samples=50, every=40, catalogue=True, spoil=spoil)
    print([(tally.bounds_missed, tally.accepted) for tally in tallies])
    assert tallies[0].bounds_missed > 1
    assert tallies[1].bounds_missed < 0.01 * tallies[1].accepted


def test_a_catalogues_chain_goes_on_from_a_checkpoint_to_the_same_bytes_and_counts_every_attempt():
    world, parameters, states, _ = enumerated("SiOx, switches and hops")

    def begin():
        engine = Engine(world, parameters, 3, STAGED)
        engine.relax(0.005, 1000)
        engine.calibrate(1.5, 0.5, n_first=100, n_followed=100)
        return engine

    straight, resumed = begin(), begin()
    tallies = [straight.run(300, 1.5, 0.5, catalogue=True) for _ in range(2)]
    assert all(tally.attempts == 300 and 0 < tally.accepted <= tally.valid < 300 for tally in tallies)
    resumed.run(300, 1.5, 0.5, catalogue=True)
    arrays = {key: values.copy() for key, values in engine_arrays(resumed).items()}
    again = begin()
    restore_engine(again, arrays, resumed.energy)
    again.run(300, 1.5, 0.5, catalogue=True)
    for key, values in engine_arrays(straight).items():
        assert values.tobytes() == engine_arrays(again)[key].tobytes(), key
    assert again.energy == straight.energy
    assert sum(tally.bounds_missed for tally in tallies) < 0.05 * sum(tally.accepted for tally in tallies)


@pytest.mark.parametrize("seed", [110, 205, 206])
def test_rules_from_few_moves_of_a_class_do_not_hold_a_chain_back(seed):
    """With these seeds the calibration meets few switches, and lines through them had given up most of the others."""
    judge("SiOx, switches and hops", 1.8, 0.0, True, seed=seed, batches=40, samples=50, every=40)


@pytest.mark.slow
@pytest.mark.parametrize(("case", "calibrated"), RUNS)
def test_states_have_their_boltzmann_populations_at_three_temperatures(case, calibrated):
    *_, kTs, mus = CASES[case]
    for kT in kTs:
        for mu in mus:
            judge(case, kT, mu, calibrated, seed=23, batches=60, samples=150, every=60)


@pytest.mark.parametrize("kT", [0.1, 0.3])
def test_the_usual_force_tolerance_shifts_the_mean_energy_by_little(kT):
    """An O in a straight Si-O-Si is softest of all; a move may end on the saddle, 0.02 eV above the minimum."""
    case = "SiOx, hops"
    world, parameters, states, energies = enumerated(case)
    engine = Engine(world, parameters, 4)
    engine.relax(0.005, 1000)
    engine.calibrate(kT, 1.0, n_first=300, n_followed=700)
    verdict = hold_against(engine, states, energies, kT, 1.0, batches=40, samples=50, every=5)
    print(f"{case}, kT {kT}, usual tolerance: bias {verdict.z * verdict.error_eV:.4f} eV, {verdict}")
    assert abs(verdict.z) * verdict.error_eV < 0.01 and verdict.misfit_eV < 0.015, verdict


CHEAP = Rejection(shells=(0,), evaluations=(1,), force_tolerance_eV_A=(0.5,), repulsion=(False,))
ENDLESS_KT_EV = 1e6


@pytest.mark.parametrize(
    ("make", "moves", "hop", "exchange", "reserve", "fugacity", "restricted"),
    [
        (lambda: small_world(0), {"switch"}, 0.0, 0.0, 0, 1.0, False),
        (lambda: small_world(1), {"switch"}, 0.0, 0.0, 0, 1.0, True),
        (lambda: small_world(3), {"hop"}, 1.0, 0.0, 0, 1.0, False),
        (lambda: small_world(1), {"switch", "hop"}, 0.5, 0.0, 0, 1.0, False),
        (lambda: small_world(0), {"exchange"}, 0.0, 1.0, 7, 1.0, False),
        (lambda: small_world(1), {"exchange"}, 0.0, 1.0, 2, 0.5, True),
        (lambda: small_world(1), {"switch", "hop", "exchange"}, 0.3, 0.4, 1, 2.0, False),
        (silica_world, {"switch"}, 0.0, 0.0, 0, 1.0, False),
    ],
    ids=["Si", "one active Si", "hops", "SiOx", "exchanges", "active exchanges", "all", "SiO2"],
)
def test_proposals_are_symmetric(make, moves, hop, exchange, reserve, fugacity, restricted):
    """At infinite temperature every reachable state is equally likely, times fugacity^N; the field does not matter."""
    world = make()
    parameters = load_parameters("von_alfthan_2003", "none")
    engine = Engine(world, parameters, 5, CHEAP, reserve=reserve)
    start = links_of(engine)
    active = engine.silicons[:1] if restricted else None
    states = reachable_links(start, world.frozen, moves, count_oxygen(start) + reserve)
    if restricted:  # what is reached from one Si alone, in a longer run of the chain
        seen = {start}
        for _ in range(3000):
            engine.run(3, ENDLESS_KT_EV, hop, active, exchange)
            seen.add(links_of(engine))
        states = [state for state in states if state in seen]
    assert len(states) > 5
    exact = float(fugacity) ** np.array([count_oxygen(state) for state in states])
    mu = ENDLESS_KT_EV * float(np.log(fugacity))
    move = {"hop_fraction": hop, "exchange_fraction": exchange, "chemical_potential_eV": mu, "active": active}
    shares, _ = sample(engine, states, 60, 100, 10, kT_eV=ENDLESS_KT_EV, **move)
    p = distribution_p(shares, exact / exact.sum())
    assert p > 1e-3, p


@pytest.mark.parametrize("crystal", [diamond, beta_cristobalite])
def test_networks_without_triangles_are_sampled_among_themselves(crystal):
    world = ring_world(crystal((2, 2, 2)))
    engine = Engine(world, load_parameters("von_alfthan_2003", "none"), 6, CHEAP, triangles=False)
    start = links_of(engine)
    states = reachable_links(start, world.frozen, {"switch"}, triangles=False)
    everything = reachable_links(start, world.frozen, {"switch"})
    print(f"{len(states)} of {len(everything)} states have no ring of three")
    assert 50 < len(states) < len(everything) and any(has_triangle(state) for state in everything)
    shares, _ = sample(engine, states, 60, 100, 30, kT_eV=ENDLESS_KT_EV)
    p = distribution_p(shares, np.full(len(states), 1 / len(states)))
    assert p > 1e-3, p


ARBITRARY = (0.7, -0.4, 0.2, 0.15, -0.1, 0.5, -0.2, 0.3, 0.1)


@pytest.mark.parametrize(
    ("make", "moves", "hop", "exchange", "reserve"),
    [
        (lambda: ring_world(diamond((2, 2, 2))), {"switch"}, 0.0, 0.0, 0),
        (lambda: ring_world(beta_cristobalite((2, 2, 2))), {"switch"}, 0.0, 0.0, 0),
        (lambda: small_world(1), {"switch", "hop", "exchange"}, 0.3, 0.4, 1),
    ],
    ids=["Si", "SiO2", "all moves"],
)
def test_a_screen_does_not_change_what_is_sampled(make, moves, hop, exchange, reserve):
    """The surrogate prefers some states by factors, the field none: all must be equally likely still."""
    world = make()
    engine = Engine(world, load_parameters("von_alfthan_2003", "none"), 8, CHEAP, reserve=reserve)
    start = links_of(engine)
    states = reachable_links(start, world.frozen, moves, count_oxygen(start) + reserve)
    engine.surrogate = Surrogate(tuple(2 * ENDLESS_KT_EV * weight for weight in ARBITRARY))
    tally = engine.run(2000, ENDLESS_KT_EV, hop, None, exchange)
    assert tally.screened > 0.1 * tally.valid
    move = {"hop_fraction": hop, "exchange_fraction": exchange}
    shares, _ = sample(engine, states, 60, 100, 30, kT_eV=ENDLESS_KT_EV, **move)
    p = distribution_p(shares, np.full(len(states), 1 / len(states)))
    assert p > 1e-3, p


def test_a_screen_behind_which_moves_are_rejected_early_samples_boltzmann():
    judge("SiOx, switches and hops", 1.8, 0.0, True, surrogate=Surrogate(ARBITRARY), batches=40, samples=50, every=40)


@pytest.mark.slow
@pytest.mark.parametrize("calibrated", [False, True])
def test_learnt_screens_sample_boltzmann_in_every_case_and_run(calibrated):
    """Twenty runs: as many deviations beyond two standard errors as chance allows, none beyond three and a half."""
    z = []
    for case in CASES:
        *_, kTs, mus = CASES[case]
        for kT in kTs:
            for seed in (31, 32):
                z.append(judge(case, kT, mus[0], calibrated, seed, Surrogate(ARBITRARY), samples=150, every=60).z)
    print(f"{len(z)} runs, largest |z| {max(map(abs, z)):.2f}, mean {np.mean(z):.2f}")
    assert len(z) >= 20 and sum(abs(each) > 2 for each in z) < 0.2 * len(z)
    assert abs(np.mean(z)) < 3 / np.sqrt(len(z))
