"""Sampled energies against the exact Boltzmann average over every network that the moves can reach."""

import numpy as np
import pytest

from moxie.errors import InputError
from moxie.oxidation.engine import Engine, Rejection
from moxie.oxidation.parameter_sets import load_parameters
from moxie.structures.network import Network, make_network
from moxie.structures.silicon import diamond, insert_oxygen

FULL = Rejection(
    shells=(6,),
    kill_c=(-1.0,),
    switch=((0.0, 0.0),),
    hop=((0.0, 0.0),),
    force_tolerance_eV_A=(0.01,),
    max_steps=(400,),
    repulsion=(True,),
)


def small_world(n_oxygen: int) -> Network:
    """Two neighbouring Si and their six neighbours may move in a frozen crystal; O sit in bonds of the first."""
    crystal = diamond((2, 2, 2))
    near = crystal.neighbours()
    first = 0
    second = near[first][0]
    mobile = {first, second, *near[first], *near[second]}
    frozen = np.array([atom not in mobile for atom in range(len(crystal.positions))])
    links = np.array([(first, other) for other in near[first][1 : 1 + n_oxygen]])
    oxidised = insert_oxygen(crystal, links)
    frozen = np.concatenate([frozen, np.zeros(n_oxygen, bool)])
    return make_network(oxidised.positions, oxidised.species, oxidised.bonds, oxidised.cell, frozen=frozen)


def key_of(bonds) -> frozenset:
    return frozenset(tuple(sorted(bond)) for bond in np.asarray(bonds).tolist())


def reachable(network: Network, switches: bool, hops: bool) -> set[frozenset]:
    """All bond sets that the moves reach: a plain second implementation of the rules."""
    oxygen = network.species == "O"
    frozen = network.frozen
    start = key_of(network.bonds)
    found, todo = {start}, [start]
    while todo:
        bonds = todo.pop()
        near: dict[int, set[int]] = {}
        for i, j in bonds:
            near.setdefault(i, set()).add(j)
            near.setdefault(j, set()).add(i)

        def far(centre, end, near=near):
            return next(iter(near[end] - {centre})) if oxygen[end] else end

        def replaced(out, put, bonds=bonds):
            return (bonds - {tuple(sorted(b)) for b in out}) | {tuple(sorted(b)) for b in put}

        new = []
        if hops:
            for o in np.flatnonzero(oxygen & ~frozen).tolist():
                for s1 in near[o]:
                    (s0,) = near[o] - {s1}
                    for s2 in near[s1] - {o}:
                        if not (oxygen[s2] or frozen[[s0, s1, s2]].any()):
                            new.append(replaced([(s0, o), (s1, s2)], [(s0, s1), (o, s2)]))
        if switches:
            for i in np.flatnonzero(~oxygen & ~frozen).tolist():
                for link in near[i]:
                    j = far(i, link)
                    back = link if oxygen[link] else i
                    if frozen[j]:
                        continue
                    for a in near[i] - {link}:
                        for b in near[j] - {back}:
                            fa, fb = far(i, a), far(j, b)
                            if frozen[a] or frozen[b] or fa == fb or fa == j or fb == i:
                                continue
                            if fb in {far(i, x) for x in near[i]} or fa in {far(j, x) for x in near[j]}:
                                continue
                            new.append(replaced([(i, a), (j, b)], [(i, b), (j, a)]))
        for state in new:
            if state not in found:
                found.add(state)
                todo.append(state)
    return found


def relaxed_energy(network: Network, bonds: frozenset, parameters) -> float:
    positions = network.positions.copy()
    near: dict[int, list[int]] = {}
    for i, j in bonds:
        near.setdefault(i, []).append(j)
        near.setdefault(j, []).append(i)
    for o in np.flatnonzero(network.species == "O").tolist():
        i, j = near[o]
        positions[o] = positions[i] + 0.5 * network.vectors(np.array([i]), np.array([j]))[0]
    # swapped neighbours start far from where they belong: the lowest of several starts counts
    generator = np.random.default_rng(7)
    energies = []
    for spread in (0.0, 0.4, 0.4, 0.8, 0.8):
        shift = spread * generator.standard_normal(positions.shape) * ~network.frozen[:, None]
        try:
            state = make_network(positions + shift, network.species, sorted(bonds), network.cell, frozen=network.frozen)
        except InputError:  # two atoms came to lie on each other
            continue
        engine = Engine(state, parameters, 0)
        engine.relax(0.01, 1000)
        energies.append(engine.energy)
    return min(energies)


def check(network, parameters, kT, hop_fraction, rejection, batches, moves):
    states = reachable(network, hop_fraction < 1, hop_fraction > 0)
    energies = {state: relaxed_energy(network, state, parameters) for state in states}
    values = np.array(list(energies.values()))
    weights = np.exp(-(values - values.min()) / kT)
    exact = float((weights * values).sum() / weights.sum())
    engine = Engine(network, parameters, 11, rejection)
    engine.relax(0.01, 1000)
    engine.run(500, kT, hop_fraction)
    means = []
    visited = set()
    for _ in range(batches):
        sampled = []
        for _ in range(moves // 5):
            engine.run(5, kT, hop_fraction)
            state = key_of(engine.bonds())
            visited.add(state)
            sampled.append(energies[state])  # a state that the rules cannot reach is a KeyError
        means.append(np.mean(sampled))
    error = np.std(means, ddof=1) / np.sqrt(batches)
    assert abs(np.mean(means) - exact) < 4 * error + 0.01, (np.mean(means), exact, error, len(states))
    assert error < 0.1 * max(kT, 0.2), (error, kT)
    # not only the ground state: the test can tell a wrong rule from a right one
    assert len(visited) > 5 and exact - values.min() > 3 * error, (len(visited), exact, values.min(), error)
    return len(states), exact, float(np.mean(means)), float(error)


@pytest.mark.parametrize("kT", [0.3, 0.8])
def test_hops_sample_the_boltzmann_distribution(kT):
    network = small_world(2)
    parameters = load_parameters("von_alfthan_2003", "none")
    n, *_ = check(network, parameters, kT, 1.0, FULL, batches=20, moves=1000)
    assert n == 42  # two distinguishable O on seven links


@pytest.mark.parametrize("kT", [0.8, 1.5])
def test_switches_and_hops_sample_the_boltzmann_distribution(kT):
    network = small_world(1)
    parameters = load_parameters("von_alfthan_2003", "none")
    n, *_ = check(network, parameters, kT, 0.5, FULL, batches=20, moves=4000)
    assert n > 42


def test_early_rejection_keeps_the_distribution():
    network = small_world(1)
    parameters = load_parameters("von_alfthan_2003", "none")
    check(network, parameters, 0.8, 0.5, Rejection(), batches=20, moves=4000)
