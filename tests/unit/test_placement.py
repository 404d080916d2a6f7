"""Placing O on bonds: symmetry, canonical forms, the cost of a search, and the searches themselves."""

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from moxie.errors import InputError
from moxie.features.schemas import SEARCHES
from moxie.features.tables import write_table
from moxie.io import write_json
from moxie.learning.searches import compare, summarise
from moxie.oxidation.parameter_sets import load_parameters
from moxie.oxidation.placement import runs, searches
from moxie.oxidation.placement.counts import CELLS, check_enumeration
from moxie.oxidation.placement.evaluator import BudgetSpentError, Evaluator, Relaxer, orbits
from moxie.oxidation.placement.model import Guide, Model, complete, descend, make_clusters, model_energy
from moxie.oxidation.placement.searches import METHODS, search
from moxie.oxidation.placement.sites import make_sites
from moxie.oxidation.placement.table import describe, relax_placements
from moxie.oxidation.placement.tree import Node, Tree, prior_confidence, upper_confidence

PARAMETERS = load_parameters("von_alfthan_2003")
SI16 = make_sites("si16", PARAMETERS)
NAMES = [name for name in METHODS if name != "enumeration"]


@pytest.fixture(scope="module")
def four():
    relaxer = Relaxer(SI16, PARAMETERS, 4)
    for orbit in orbits(SI16, 4):
        relaxer.relax(orbit)
    return relaxer


@pytest.mark.parametrize(("n_oxygen", "count"), [(0, 1), (1, 1), (4, 140), (5, 604), (6, 2596)])
def test_orbits_of_si16(n_oxygen, count):
    assert len(SI16.images) == 384
    found = orbits(SI16, n_oxygen)
    assert len(found) == count
    assert sum(map(SI16.multiplicity, found)) == math.comb(32, n_oxygen)


@pytest.mark.slow
def test_orbits_of_eight_oxygen():
    assert len(orbits(SI16, 8)) == 28_261 == burnside(SI16.images, 8)


def burnside(images, n_oxygen):
    """Number of orbits by Burnside's lemma: sets that an operation maps onto themselves are unions of its cycles."""
    total = 0
    for image in images:
        seen, fixed = set(), np.zeros(n_oxygen + 1, dtype=object)
        fixed[0] = 1
        for site in range(len(image)):
            length = 0
            while site not in seen:
                seen.add(site)
                site, length = int(image[site]), length + 1
            if 0 < length <= n_oxygen:
                fixed[length:] = fixed[length:] + fixed[:-length]
        total += int(fixed[n_oxygen])
    assert total % len(images) == 0
    return total // len(images)


@pytest.mark.parametrize("n_oxygen", [2, 3, 5])
def test_number_of_orbits_is_burnsides(n_oxygen):
    assert len(orbits(SI16, n_oxygen)) == burnside(SI16.images, n_oxygen)


@pytest.mark.parametrize("n_oxygen", [29, 31, 32])
def test_nearly_full_cells_have_the_orbits_of_their_free_bonds(n_oxygen):
    every = orbits(SI16, n_oxygen)
    assert len(every) == burnside(SI16.images, 32 - n_oxygen)
    assert all(len(orbit) == n_oxygen and SI16.canonical(orbit) == orbit for orbit in every)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("n_oxygen", [0, 31])
def test_a_search_ends_with_the_only_placement_there_is(method, n_oxygen):
    class Counting(Evaluator):
        asked = 0

        def energy(self, occupied):
            self.asked += 1
            return super().energy(occupied)

    evaluator = Counting(Relaxer(SI16, PARAMETERS, n_oxygen), 1)
    assert search(method, evaluator, 1).relaxations == 1
    assert evaluator.asked < 1000


def test_enumeration_is_refused_where_it_would_not_end():
    check_enumeration("si16", CELLS["si16"], 8)
    relaxer = Relaxer(SI16, PARAMETERS, 12)
    with pytest.raises(InputError, match="enumeration of 12 O on the cell `si16`: 2.26e"):
        search("enumeration", Evaluator(relaxer, 5), 1)


@pytest.mark.parametrize("name", CELLS)
def test_operations_are_a_group_that_keeps_distances(name):
    sites = make_sites(name, PARAMETERS)
    assert sites.cell == CELLS[name]
    group = {tuple(image) for image in sites.images.tolist()}
    assert tuple(range(sites.n_sites)) in group
    generator = np.random.default_rng(0)
    for a, b in generator.integers(len(sites.images), size=(30, 2)):
        assert tuple(sites.images[a][sites.images[b]].tolist()) in group
        assert tuple(np.argsort(sites.images[a]).tolist()) in group
        moved = sites.distances_A[np.ix_(sites.images[a], sites.images[a])]
        np.testing.assert_allclose(moved, sites.distances_A, atol=1e-6)


@settings(max_examples=60, deadline=None)
@given(st.sets(st.integers(0, 31), min_size=1, max_size=10), st.integers(0, 383), st.randoms())
def test_canonical_form_is_the_same_for_every_image(occupied, operation, shuffle):
    chosen = list(occupied)
    shuffle.shuffle(chosen)
    canonical = SI16.canonical(tuple(chosen))
    assert SI16.canonical(SI16.images[operation][chosen]) == canonical
    assert list(canonical) == sorted(canonical) <= sorted(chosen)


def test_energies_of_images_agree_within_the_choice_of_the_minimum(four):
    """Two images relax from starts that are shaken differently: mostly into the same minimum."""
    generator = np.random.default_rng(1)
    fresh = Relaxer(SI16, PARAMETERS, 4)
    differences = []
    for orbit in list(four.energies_eV)[::10]:
        image = SI16.images[int(generator.integers(384))][list(orbit)]
        differences.append(abs(fresh.relax(tuple(sorted(image.tolist()))) - four.energies_eV[orbit]))
    assert np.median(differences) < 1e-3


def test_the_relaxed_network_has_the_energy_of_its_orbit(four):
    from moxie.oxidation.engine import Engine

    best = min(four.energies_eV, key=four.energies_eV.get)
    network = four.network(best)
    assert (network.species == "O").sum() == 4 * SI16.copies
    assert Engine(network, PARAMETERS).energy / SI16.copies == pytest.approx(four.energies_eV[best], abs=1e-9)


def test_crystal_has_no_energy_and_one_oxygen_costs_more_than_its_two_penalties():
    assert Relaxer(SI16, PARAMETERS, 0).relax(()) == pytest.approx(0.0, abs=1e-5)
    relaxer = Relaxer(SI16, PARAMETERS, 1)
    assert 2 * PARAMETERS.suboxide_eV[1] < relaxer.relax((0,)) < 2 * PARAMETERS.suboxide_eV[1] + 1.5
    assert 0.0 < relaxer.edge_strains[(0,)] < 0.03  # an O pushes its two Si apart


def test_no_stretch_of_the_edges_lowers_the_energy(four):
    from moxie.oxidation.engine import Engine

    orbit = max(four.energies_eV, key=four.energies_eV.get)
    network = four.network(orbit)
    assert network.cell == pytest.approx(SI16.network.cell * (1 + four.edge_strains[orbit]))
    for stretch in (0.997, 1.003):
        engine = Engine(network, PARAMETERS)
        engine.set_cell(network.cell * stretch)
        engine.relax(1e-3, 3000)
        assert engine.energy / SI16.copies > four.energies_eV[orbit]


def test_a_slab_keeps_its_cell_and_its_frozen_atoms():
    sites = make_sites("slab", PARAMETERS)
    relaxer = Relaxer(sites, PARAMETERS, 3)
    network = relaxer.network(sites.canonical((0, 20, 40)))
    frozen = sites.network.frozen
    np.testing.assert_array_equal(network.positions[: len(frozen)][frozen], sites.network.positions[frozen])
    np.testing.assert_array_equal(network.cell[:2], sites.network.cell[:2])


def test_counts_of_clusters_are_those_of_every_image_and_add_up_to_binomial_coefficients():
    every = orbits(SI16, 4)[::20]
    frame = describe(SI16, every)
    pairs, triplets = frame.filter(like="pair_"), frame.filter(like="triplet_")
    assert (pairs.shape[1], triplets.shape[1]) == (6, 24)
    assert (pairs.sum(axis=1) == 6).all() and (triplets.sum(axis=1) == 4).all()
    images = [tuple(np.sort(SI16.images[101][list(orbit)]).tolist()) for orbit in every]
    assert images != every
    counted = describe(SI16, images)
    np.testing.assert_array_equal(counted[[*pairs, *triplets]], frame[[*pairs, *triplets]])
    share = describe(SI16, [SI16.canonical((0, site)) for site in range(1, 32)])["pair_1"]
    assert share.sum() == 6  # the bonds that end on the two Si of a bond


def test_table_of_a_content_is_the_same_for_the_same_seed():
    first, second = (relax_placements(5, "von_alfthan_2003", 4, 3) for _ in range(2))
    pd.testing.assert_frame_equal(first, second)
    assert first["placement"].is_unique and len(first) == 4


def test_an_orbit_costs_once_and_the_budget_holds(four):
    evaluator = Evaluator(four, 2)
    assert evaluator.energy((0, 1, 2, 3)) == evaluator.energy(SI16.images[17][[3, 1, 0, 2]])
    assert evaluator.relaxations == 1
    evaluator.energy((0, 8, 18, 22))
    with pytest.raises(BudgetSpentError):
        evaluator.energy((0, 1, 7, 28))
    assert evaluator.relaxations == 2 and evaluator.energy((0, 1, 2, 3)) == evaluator.energies_eV[0]


@pytest.mark.parametrize("method", METHODS)
def test_searches_keep_the_budget_and_repeat_themselves(method, four):
    one, other = (search(method, Evaluator(four, 25), 3) for _ in range(2))
    assert one.orbits == other.orbits and 0 < one.relaxations <= 25
    assert len(set(one.orbits)) == one.relaxations
    assert search(method, Evaluator(four, 25), 4).orbits != one.orbits


@pytest.mark.parametrize("method", ["tree", "guided_tree", "enumeration"])
@pytest.mark.parametrize("seed", range(4))
def test_a_complete_search_finds_the_optimum_within_all_orbits(method, seed, four):
    evaluator = search(method, Evaluator(four, 1000), seed)
    assert min(evaluator.energies_eV) == min(four.energies_eV.values())
    assert evaluator.relaxations == len(four.energies_eV) == 140


def test_bounds():
    assert upper_confidence(0.9, 0, 10, 0.0) == math.inf
    assert upper_confidence(0.9, 3, 10, 0.0) == 0.9
    assert upper_confidence(0.5, 2, 10, 1.0) > upper_confidence(0.5, 4, 10, 1.0) > 0.5
    assert prior_confidence(0.4, 3, 10, 0.7, 0.0) == 0.4
    assert prior_confidence(0.4, 0, 9, 0.5, 2.0) == pytest.approx(0.4 + 2.0 * 0.5 * 3)


def make_tree(relaxer, exploration=0.0, backup="best"):
    return Tree(Evaluator(relaxer, 1000), np.random.default_rng(0), exploration, backup)


def test_selection_takes_unvisited_children_first_and_is_greedy_without_exploration(four):
    tree = make_tree(four)
    tree.root.children = children = [Node((0,)), Node((1,)), Node((2,))]
    tree.root.visits, tree.lowest, tree.highest = 2, 1.0, 2.0
    for child, energy in zip(children[:2], (1.0, 2.0), strict=True):
        child.visits, child.sum_eV, child.least_eV = 1, energy, energy
    assert tree.selection()[-1] is children[2]
    children[2].visits, children[2].sum_eV, children[2].least_eV = 1, 1.5, 1.5
    assert tree.selection()[-1] is children[0]
    children[0].complete = True
    assert tree.selection()[-1] is children[2]


def test_selection_widens_from_the_child_with_the_largest_prior(four):
    class Ranked:
        def priors(self, placements):
            odds = np.array([0.1, 0.2, 0.3, 0.4])
            return odds[[site for (site,) in placements]]

    tree = Tree(Evaluator(four, 1000), np.random.default_rng(0), 0.0, guide=Ranked(), widening=0.5)
    children = [Node((site,)) for site in range(4)]
    for visits, sites in ((0, [3]), (1, [3]), (2, [3, 2]), (4, [3, 2]), (5, [3, 2, 1]), (100, [3, 2, 1, 0])):
        tree.root.visits = visits
        seen, priors = tree._widened(tree.root, children, tree.guide)
        assert [node.occupied for node in seen] == [(site,) for site in sites]
        assert priors.sum() == pytest.approx(1.0) and (np.diff(priors) < 0).all()


def test_backpropagation_adds_up(four):
    tree = make_tree(four, backup="mean")
    path = [tree.root, Node((0,))]
    for energy in (1.0, 3.0):
        tree.backpropagation(path, energy)
    for node in path:
        assert (node.visits, node.sum_eV, node.least_eV, node.complete) == (2, 4.0, 1.0, False)
    assert tree.value(path[1]) == 0.5
    tree.backup = "best"
    assert tree.value(path[1]) == 1.0


def test_expansion_merges_placements_that_are_images_of_each_other(four):
    tree = make_tree(four)
    tree.expansion(tree.root)
    assert [node.occupied for node in tree.root.children] == [(0,)]
    (first,) = tree.root.children
    tree.expansion(first)
    assert len(first.children) == 6
    for node in first.children:
        tree.expansion(node)
    below = {id(child) for node in first.children for child in node.children}
    assert len(below) == 24 and len(tree.table) == 1 + 1 + 6 + 24


def test_the_model_finds_its_own_coefficients_again():
    clusters = make_clusters(SI16)
    generator = np.random.default_rng(2)
    truth = generator.standard_normal(clusters.n_features)
    placements = [tuple(generator.choice(32, 6, replace=False).tolist()) for _ in range(300)]
    model = Model(clusters)
    for placement in placements[:200]:
        model.add(placement, 5.0 + float(clusters.count(placement) @ truth))
    fitted = model.coefficients()
    for placement in placements[200:]:
        known = float((clusters.count(placement) - clusters.count(placements[0])) @ truth)
        new = [model_energy(np.array(p), clusters.pair, clusters.triplet, fitted) for p in (placement, placements[0])]
        assert new[0] - new[1] == pytest.approx(known, abs=1e-2)


def test_filling_up_keeps_what_is_held_and_moving_downhill_lowers_the_energy():
    clusters = make_clusters(SI16)
    generator = np.random.default_rng(3)
    coefficients = np.append(generator.standard_normal(clusters.n_features), 0.0)
    table = (clusters.pair, clusters.triplet, coefficients)
    for _ in range(20):
        held = generator.choice(32, 3, replace=False)
        filled = complete(held, 8, *table, 0.5, generator.random(5))
        assert filled[:3].tolist() == held.tolist() and len(set(filled.tolist())) == 8
        moved = filled.copy()
        descend(moved, 3, *table)
        assert moved[:3].tolist() == held.tolist() and len(set(moved.tolist())) == 8
        assert model_energy(moved, *table) <= model_energy(filled, *table) + 1e-9
    assert Guide(clusters).priors([(0, 1), (0, 2), (0, 3)]) == pytest.approx([1 / 3] * 3)


def test_scores_of_a_comparison():
    curves = {"annealing": [[2.0, 1.5, 1.0], [2.0, 2.0, 2.0]], "tree": [[1.0, 3.0, 3.0], [3.0, 1.0, 2.0]]}
    rows = runs.tabulate(curves)
    assert rows[(rows["method"] == "tree") & (rows["seed"] == 0)]["relaxations"].tolist() == [1, 3]
    scores = summarise(rows, 1.0, 3, 0.9, 200, 1)
    assert scores["annealing"]["success"] == 0.5 and scores["annealing"]["percentile_90"] is None
    assert scores["tree"]["median"] == 2 and scores["tree"]["cost"]["value"] == 1.5
    assert scores["tree"]["cost_ratio"]["value"] == 0.5
    assert scores["annealing"]["excess_eV"]["value"] == 0.5
    rival = scores["tree"]["rival"]
    assert rival["method"] == "annealing" and rival["cost_ratio"] == scores["tree"]["cost_ratio"]
    assert scores["annealing"]["rival"]["method"] == "tree"


def test_a_comparison_says_the_same_again_and_needs_the_rows_alone(tmp_path):
    chosen = runs.SearchSettings(n_oxygen=3, methods=("annealing", "guided_tree"), seeds=2, budget=10)
    for name in ("a", "b"):
        searched = runs.run_searches(chosen, "von_alfthan_2003", 1)
        write_table(searched.rows, tmp_path / name / "searches.parquet", SEARCHES)
        write_json(tmp_path / name / "facts.json", searched.facts)
        files = (tmp_path / name / file for file in ("searches.parquet", "facts.json", "metrics.json"))
        metrics = compare(*files, 0.9, 100, 1)
    for file in ("metrics.json", "searches.parquet"):
        assert (tmp_path / "a" / file).read_bytes() == (tmp_path / "b" / file).read_bytes()
    assert metrics["n_orbits"] == 24 and metrics["target_is_optimum"] and set(metrics["methods"]) == set(chosen.methods)


def test_annealing_cools_through_its_whole_schedule_within_any_budget(four, monkeypatch):
    """Metropolis at the end of the budget is as cold as at the end of the schedule, whatever the budget is."""
    for budget in (20, 60):
        met = []

        evaluator = Evaluator(four, budget)

        def spy(placement, n_sites, generator, met=met, spent=evaluator, plain=searches._moved):
            met.append(spent.relaxations)
            return plain(placement, n_sites, generator)

        with monkeypatch.context() as patch:
            patch.setattr(searches, "_moved", spy)
            search("annealing", evaluator, 1)
        hot, cold = searches.TUNING.anneal_kT_eV
        kT = [searches.annealing_kT(spent, budget) for spent in met]
        assert kT[0] == pytest.approx(hot, rel=0.2) and kT[-1] == pytest.approx(cold, rel=0.2)
        assert all(a >= b for a, b in zip(kT, kT[1:], strict=False))


def test_a_local_move_is_new_and_one_oxygen_away_from_the_best(four):
    evaluator = Evaluator(four, 1000)
    guide = Guide(make_clusters(SI16))
    generator = np.random.default_rng(1)
    for _ in range(12):
        evaluator.energy(generator.choice(32, 4, replace=False))
    guide.learn(evaluator)
    for ranked in (True, False):
        near = guide.neighbour(evaluator, generator, ranked)
        best = evaluator.orbits[int(np.argmin(evaluator.energies_eV))]
        assert not evaluator.known(near)
        moves = {SI16.canonical((*set(best) - {old}, new)) for old in best for new in set(range(32)) - set(best)}
        assert near in moves
    for orbit in moves:
        evaluator.energy(orbit)
    if min(evaluator.energies_eV) == evaluator._paid[best]:
        assert guide.neighbour(evaluator, generator, True) is None


def test_bad_input_is_refused(four):
    with pytest.raises(InputError, match=r"33 O on the cell `si16`.*32 Si-Si bonds"):
        Relaxer(SI16, PARAMETERS, 33)
    with pytest.raises(InputError, match="Did you mean `annealing`"):
        search("anealing", Evaluator(four, 5), 1)
    with pytest.raises(InputError, match="0 relaxations; at least 1"):
        Evaluator(four, 0)
    with pytest.raises(InputError, match="Did you mean `si16`"):
        make_sites("si15", PARAMETERS)
