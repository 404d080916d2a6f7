"""Angles, rings, contacts, g(r) and S(q) of bulk networks against closed forms and brute force."""

import itertools

import networkx as nx
import numpy as np
import pytest

from moxie.errors import InputError
from moxie.features.networks import (
    StructureFactor,
    bond_angle_deviation,
    bond_angles,
    closest_contacts,
    crystalline_fraction,
    density_g_cm3,
    first_sharp_peak,
    network_quality,
    pair_counts,
    ring_counts,
    silicon_links,
    structure_factor,
)
from moxie.oxidation.networks.generators import random_network
from moxie.structures.network import Network, make_network
from moxie.structures.silicon import beta_cristobalite, diamond, insert_oxygen, silicon_slab

CRYSTAL = diamond((3, 3, 3))


def test_crystals_have_their_angles_and_densities():
    assert bond_angle_deviation(CRYSTAL) == pytest.approx((0, 0), abs=1e-9)
    assert density_g_cm3(CRYSTAL) == pytest.approx(2.334, abs=1e-3)
    silica = beta_cristobalite((2, 2, 2), 2.2)
    angles = bond_angles(silica)
    assert {kind: len(values) for kind, values in angles.items()} == {
        "Si-Si-Si": 0, "Si-Si-O": 0, "O-Si-O": 6 * 64, "Si-O-Si": 128
    }  # fmt: skip
    assert angles["O-Si-O"] == pytest.approx(109.4712, abs=1e-3) and angles["Si-O-Si"] == pytest.approx(180, abs=1e-3)
    assert density_g_cm3(silica) == pytest.approx(2.2)


def test_deviations_of_a_sheared_crystal():
    """Doubling one edge makes angles that are known: the deviation from the mean is the smaller one."""
    stretched = make_network(
        CRYSTAL.positions * [1, 1, 1.2], CRYSTAL.species, CRYSTAL.bonds, CRYSTAL.cell * [1, 1, 1.2]
    )
    u = np.array([[1, 1, 1.2], [1, -1, -1.2], [-1, 1, -1.2], [-1, -1, 1.2]]) / np.sqrt(2 + 1.44)
    angles = np.degrees([np.arccos(a @ b) for a, b in itertools.combinations(u, 2)])
    about_mean, about_tetrahedral = bond_angle_deviation(stretched)
    assert about_mean == pytest.approx(angles.std())
    assert about_tetrahedral == pytest.approx(np.sqrt(((angles - 109.4712206) ** 2).mean()))
    assert about_tetrahedral > about_mean > 1


def test_oxygen_changes_the_kinds_of_angles():
    oxide = insert_oxygen(CRYSTAL, CRYSTAL.bonds[:1])
    counts = {kind: len(values) for kind, values in bond_angles(oxide).items()}
    assert counts == {"Si-Si-Si": 6 * 216 - 6, "Si-Si-O": 6, "O-Si-O": 0, "Si-O-Si": 1}


def test_rings_of_crystals():
    """Diamond and beta-cristobalite: two six-rings per Si, and no other shortest-path ring."""
    for network in (CRYSTAL, beta_cristobalite((3, 3, 3))):
        counts = ring_counts(network, 8)
        assert counts[6] == 2 * 216 and counts.sum() == counts[6]


def test_a_crystal_is_crystalline_and_a_random_network_is_not():
    assert crystalline_fraction(CRYSTAL) == 1 == crystalline_fraction(beta_cristobalite((3, 3, 3)))
    assert crystalline_fraction(random_network(200, 20.0, 1)) == 0
    # one bond exchanged in a crystal: the atoms near it leave diamond, the others stay
    i, j = CRYSTAL.bonds[100].tolist()
    near = CRYSTAL.neighbours()
    a, b = next(k for k in near[i] if k != j), next(k for k in near[j] if k != i)
    switched = {frozenset(bond) for bond in CRYSTAL.bonds.tolist()}
    switched = (switched - {frozenset((i, a)), frozenset((j, b))}) | {frozenset((i, b)), frozenset((j, a))}
    defect = make_network(CRYSTAL.positions, CRYSTAL.species, [sorted(s) for s in switched], CRYSTAL.cell)
    assert 0.7 < crystalline_fraction(defect) < 0.95


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_rings_of_a_random_network_agree_with_brute_force(seed):
    network = random_network(64, 20.0, seed)
    graph = nx.Graph(network.bonds.tolist())
    apart = dict(nx.all_pairs_shortest_path_length(graph))
    expected = np.zeros(8, int)
    for ring in nx.simple_cycles(graph, length_bound=7):
        n = len(ring)
        pairs = itertools.combinations(range(n), 2)
        if n > 2 and all(apart[ring[i]][ring[j]] == min(j - i, n - j + i) for i, j in pairs):
            expected[n] += 1
    assert (ring_counts(network, 7) == expected).all()
    assert expected[3:].min() > 0


def test_two_links_between_two_silicon_are_a_two_ring():
    """Two O between the same two Si: taken as a bare list of bonds, as no valid move makes it."""
    positions = np.array([[0, 0, 0], [2.4, 0, 0], [1.2, 1.0, 0], [1.2, -1.0, 0.0]])
    bonds = np.array([[0, 2], [0, 3], [1, 2], [1, 3]])
    pair = Network(
        positions, np.array(["Si", "Si", "O", "O"]), bonds, np.full(3, 20.0), np.ones(3, bool), np.ones(4, bool)
    )
    assert silicon_links(pair).tolist() == [[0, 1], [0, 1]]
    assert ring_counts(pair)[2] == 1 and ring_counts(pair).sum() == 1


def test_contacts_agree_with_brute_force():
    network = insert_oxygen(CRYSTAL, CRYSTAL.bonds[[0, 90, 200]])
    shift = 0.2 * np.random.default_rng(2).standard_normal(network.positions.shape)
    network = make_network(network.positions + shift, network.species, network.bonds, network.cell)
    near = network.neighbours()
    shortest = {"Si-Si": np.inf, "Si-O": np.inf, "O-O": np.inf}
    for i, j in itertools.combinations(range(len(near)), 2):
        if j in near[i] or set(near[i]) & set(near[j]):
            continue
        kind = ("Si-Si", "Si-O", "O-O")[[network.species[i], network.species[j]].count("O")]
        shortest[kind] = min(shortest[kind], np.linalg.norm(network.vectors(np.array([i]), np.array([j]))))
    found = closest_contacts(network, 20.0)
    assert found == pytest.approx(shortest)


def test_g_of_a_crystal_counts_its_shells():
    counts = pair_counts(CRYSTAL, "Si", "Si")
    assert counts.coordination(3.0)[0] == pytest.approx(4)
    assert counts.coordination(4.2)[0] == pytest.approx(16)
    assert counts.edges_A[-1] < CRYSTAL.cell[0] / 2


def test_structure_factor_of_a_crystal_is_its_bragg_peaks():
    factor = structure_factor(CRYSTAL, "neutron", 4.0)
    a = CRYSTAL.cell[0] / 3
    peaks = factor.q_per_A[factor.s > 5]
    allowed = 2 * np.pi / a * np.sqrt([3, 8, 11])
    assert all(np.abs(allowed - q).min() < 0.05 for q in peaks)
    assert all(np.abs(peaks - q).min() < 0.05 for q in allowed)
    # (111): |F|^2 = N^2/2 on 4 of the vectors, all others in the bin zero
    bin_111 = int(np.abs(factor.q_per_A - allowed[0]).argmin())
    assert factor.s[bin_111] * factor.n_vectors[bin_111] == pytest.approx(4 * 216 / 2, rel=1e-6)


@pytest.mark.parametrize("radiation", ["x-ray", "neutron"])
def test_structure_factor_of_random_points_is_one(radiation):
    generator = np.random.default_rng(4)
    n = 900
    points = generator.uniform(0, 25, (n, 3))
    species = np.array(["Si", "O", "O"] * (n // 3))
    gas = Network(points, species, np.zeros((0, 2), int), np.full(3, 25.0), np.ones(3, bool), np.ones(n, bool))
    factor = structure_factor(gas, radiation, 4.0)
    mean = np.average(factor.s, weights=factor.n_vectors)
    assert abs(mean - 1) < 4 / np.sqrt(factor.n_vectors.sum())
    assert factor.n_vectors.sum() == pytest.approx(4 / 3 * np.pi * 4**3 * 25**3 / (2 * np.pi) ** 3 / 2, rel=0.02)


def test_first_peak_is_found_where_it_is():
    q = np.arange(0.5, 4, 0.05)
    for place in (1.5, 2.0):
        s = 1 + np.exp(-0.5 * ((q - place) / 0.2) ** 2)
        found = first_sharp_peak(StructureFactor(q, s, np.full(len(q), 50), "x-ray"))
        assert found == pytest.approx(place, abs=0.01)
    assert np.isnan(first_sharp_peak(StructureFactor(q, q, np.full(len(q), 50), "x-ray")))


def test_quality_is_one_flat_table():
    quality = network_quality(beta_cristobalite((2, 2, 2)))
    assert quality["rings_6_per_Si"] > 0 and quality["three_ring_fraction"] == 0
    assert all(isinstance(value, float) for value in quality.values())


def test_bad_requests_are_named():
    slab = silicon_slab((2, 2, 2), 2)
    for call, message in [
        (lambda: structure_factor(CRYSTAL, "electron"), "allowed: x-ray, neutron"),
        (lambda: structure_factor(slab), "periodic in all three"),
        (lambda: pair_counts(slab, "Si", "O"), "periodic in all three"),
        (lambda: pair_counts(CRYSTAL, "Si", "O"), "has no O"),
    ]:
        with pytest.raises(InputError, match=message):
            call()
