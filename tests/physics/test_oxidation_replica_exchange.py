"""Replica exchange and MBAR against the exact Boltzmann averages over every network that the moves can reach."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from small_networks import FULL, reachable, relaxed_energy, small_world

from moxie.oxidation.engine import Engine
from moxie.oxidation.parameter_sets import load_parameters
from moxie.oxidation.sampling.ladders import choose_ladder
from moxie.oxidation.sampling.replica_exchange import exchange, make_replicas, swap_probability
from moxie.reweighting import Reweighting
from moxie.structures.silicon import diamond, insert_oxygen


def stiff_bridges():
    """Parameters under which every network of the small world has one relaxed shape, hence one energy.

    With the softer Si-O-Si angle of the published set some of them buckle in two ways, 0.02 eV apart.
    """
    parameters = load_parameters("von_alfthan_2003", "none")
    silicon, (_, *rest) = parameters.angle_k
    return replace(parameters, angle_k=(silicon, (30.0, *rest)))


class Enumeration:
    """Energies and shares of Si2+ among the mobile Si of all reachable networks, and their exact averages."""

    def __init__(self, network, parameters, switches, hops):
        states = list(reachable(network, switches, hops))
        self.energy = np.array([relaxed_energy(network, state, parameters) for state in states])
        self.twice_oxidised = np.array([self._share(network, state) for state in states])

    @staticmethod
    def _share(network, state):
        oxygen = network.species == "O"
        mobile = ~oxygen & ~network.frozen
        ends = np.array(sorted(state))
        count = np.zeros(len(oxygen), int)
        np.add.at(count, ends[:, 0], oxygen[ends[:, 1]])
        np.add.at(count, ends[:, 1], oxygen[ends[:, 0]])
        return (count[mobile] == 2).mean()

    def weights(self, kT):
        weights = np.exp(-(self.energy - self.energy.min()) / kT)
        return weights / weights.sum()

    def averages(self, temperatures):
        """Return <E>, the heat capacity in k_B and the share of Si2+ at each temperature, (3, n)."""
        rows = []
        for kT in temperatures:
            w = self.weights(kT)
            mean = w @ self.energy
            rows.append((mean, w @ (self.energy - mean) ** 2 / kT**2, w @ self.twice_oxidised))
        return np.array(rows).T

    def swap_acceptance(self, kT_low, kT_high):
        chance = [[swap_probability(kT_low, kT_high, a, b) for b in self.energy] for a in self.energy]
        return self.weights(kT_low) @ np.array(chance) @ self.weights(kT_high)


def z_scores(run, exact, temperatures):
    """Return the deviations from the exact averages in standard errors, and the curves."""
    reweighting = Reweighting(run.columns, ["si2_fraction"])
    curves = (
        reweighting.average("energy_eV", temperatures),
        reweighting.heat_capacity(temperatures),
        reweighting.average("si2_fraction", temperatures),
    )
    spread = [np.where(curve.error > 0, curve.error, 1e-12) for curve in curves]  # one O: never a Si2+
    return np.array([(c.value - row) / s for c, row, s in zip(curves, exact, spread, strict=True)]), curves


def swap_scores(run, exact, ladder):
    expected = np.array([exact.swap_acceptance(*pair) for pair in zip(ladder, ladder[1:], strict=False)])
    return (run.acceptance - expected) / np.sqrt(expected * (1 - expected) / run.swaps_tried)


@cache
def hopping_oxygen():
    """Two O on seven links: 42 networks on four levels."""
    ladder = (0.05, 0.1, 0.2, 0.4)
    network, parameters = small_world(2), stiff_bridges()
    exact = Enumeration(network, parameters, switches=False, hops=True)
    replicas = make_replicas(network, parameters, 4, 1, FULL)
    return exact, ladder, exchange(replicas, ladder, 600, 40, 1.0, ["oxidation_states"], seed=1)


def test_curves_between_the_rungs_are_the_exact_boltzmann_averages():
    exact, ladder, run = hopping_oxygen()
    assert len(exact.energy) == 42
    temperatures = np.array([0.05, 0.07, 0.1, 0.14, 0.2, 0.28, 0.4])
    truth = exact.averages(temperatures)
    z, (energy, capacity, _) = z_scores(run, truth, temperatures)
    assert np.abs(z).max() < 3.5, z
    # errors small enough to tell: a Schottky peak, not a constant
    assert (energy.error < 0.01).all() and np.ptp(truth[0]) > 10 * energy.error.max()
    assert np.ptp(truth[1]) > 5 * capacity.error.max()


def test_means_on_the_rungs_are_exact_and_exchange_leaves_them_so():
    exact, ladder, run = hopping_oxygen()
    energy = run.columns["energy_eV"].reshape(-1, 4)[60:]
    blocks = energy[: len(energy) // 20 * 20].reshape(20, -1, 4).mean(axis=1)
    error = blocks.std(axis=0, ddof=1) / np.sqrt(20)
    assert (np.abs(blocks.mean(axis=0) - exact.averages(ladder)[0]) < 3.9 * error).all()  # 3.5 sigma for 19 degrees
    assert (error < 0.01).all()


def test_swaps_are_accepted_as_often_as_the_exact_distributions_say():
    exact, ladder, run = hopping_oxygen()
    assert np.abs(swap_scores(run, exact, ladder)).max() < 4, run.acceptance
    assert (run.round_trips > 10).all()


def test_a_two_level_system_swaps_and_stores_heat_as_the_textbook_says():
    # one O on seven links: one level of weight 1, one of weight 6
    network, parameters = small_world(1), load_parameters("von_alfthan_2003", "none")
    exact = Enumeration(network, parameters, switches=False, hops=True)
    gap = np.ptp(exact.energy)
    assert len(exact.energy) == 7 and gap > 0.05 and (exact.energy - exact.energy.min() > 0.99 * gap).sum() == 6
    ladder = (0.3 * gap, 0.6 * gap, 5 * gap)

    def upper(kT):
        return 6 / (6 + np.exp(gap / kT))

    run = exchange(make_replicas(network, parameters, 3, 2, FULL), ladder, 400, 20, 1.0, ["oxidation_states"], seed=2)
    # two levels: only a swap that lifts the colder rung is ever refused
    expected = np.array(
        [
            1 - (1 - upper(a)) * upper(b) * (1 - np.exp(-gap * (1 / a - 1 / b)))
            for a, b in zip(ladder, ladder[1:], strict=False)
        ]
    )
    sigma = np.sqrt(expected * (1 - expected) / run.swaps_tried)
    assert (np.abs(run.acceptance - expected) < 4 * sigma).all() and (expected < 0.9).all()
    temperatures = gap * np.array([0.3, 0.45, 0.6, 1.0, 2.0, 5.0])
    p = upper(temperatures)
    reweighting = Reweighting(run.columns)
    capacity = reweighting.heat_capacity(temperatures)
    schottky = (gap / temperatures) ** 2 * p * (1 - p)
    assert (np.abs(capacity.value - schottky) < 3.5 * capacity.error + 2e-3 * schottky).all()


@pytest.mark.slow
def test_switches_and_hops_exchange_exactly():
    ladder = (0.8, 1.2, 1.8, 2.7)
    network, parameters = small_world(1), load_parameters("von_alfthan_2003", "none")
    exact = Enumeration(network, parameters, switches=True, hops=True)
    assert len(exact.energy) == 140
    temperatures = np.array([0.8, 1.0, 1.2, 1.5, 1.8, 2.2, 2.7])
    scores = []
    for seed in range(3):
        replicas = make_replicas(network, parameters, 4, seed, FULL)
        run = exchange(replicas, ladder, 600, 300, 0.5, ["oxidation_states"], seed=seed)
        z, (energy, _, _) = z_scores(run, exact.averages(temperatures), temperatures)
        assert np.abs(z).max() < 3.5, (seed, z)
        assert np.abs(swap_scores(run, exact, ladder)).max() < 4, run.acceptance
        assert (energy.error < 0.1 * temperatures).all()
        scores.append(z[0])
    assert np.sqrt(np.mean(np.square(scores))) < 1.6  # the errors are honest


@pytest.mark.slow
def test_a_chosen_ladder_swaps_about_as_often_as_asked():
    crystal = diamond((2, 2, 2))
    network = insert_oxygen(crystal, crystal.bonds[::4])  # 64 Si, 32 O
    parameters = load_parameters("von_alfthan_2003")
    engine = Engine(network, parameters, 1)
    ladder = choose_ladder(engine, 0.12, 0.6, acceptance=0.3, n_probes=6, moves_per_probe=10_000, hop_fraction=1.0)
    assert 3 < len(ladder.kT_eV) < 12 and (ladder.expected_acceptance < 0.45).all()
    replicas = make_replicas(engine.to_network(), parameters, len(ladder.kT_eV), 2)
    run = exchange(replicas, ladder.kT_eV, 160, 100, 1.0, seed=3)
    assert run.acceptance.mean() == pytest.approx(ladder.expected_acceptance.mean(), abs=0.13)
    assert (np.abs(run.acceptance - ladder.expected_acceptance) < 0.25).all(), run.acceptance
