"""g(r), S(q) and rings of a slice: no order gives 1, a crystal gives its shells, thin slices are not biased."""

import numpy as np
import pytest

from moxie.features.film_structure import (
    ring_observables,
    site_rings,
    slice_rdf,
    slice_structure_factor,
    structure_factors,
)
from moxie.features.networks import structure_factor
from moxie.structures.network import Network
from moxie.structures.silicon import beta_cristobalite, silicon_slab


def points(n, cell, seed=1):
    """Points without order or bonds, periodic in the plane."""
    places = np.random.default_rng(seed).random((n, 3)) * cell
    species = np.where(np.arange(n) % 3 == 0, "Si", "O")
    flags = np.array([True, True, False])
    return Network(places, species, np.zeros((0, 2), int), np.array(cell, float), flags, np.zeros(n, bool))


def as_film(network):
    """The same atoms, but free along z."""
    folded = np.mod(network.positions, network.cell)
    return Network(folded, network.species, network.bonds, network.cell, np.array([True, True, False]), network.frozen)


@pytest.mark.parametrize(("low", "high"), [(3.0, 7.0), (0.0, 20.0)])
def test_points_without_order_have_g_of_one_in_any_slice(low, high):
    table = slice_rdf(points(6000, (30, 30, 20)), low, high)
    far = table[table["r_A"] > 2]
    for _, rows in far.groupby("pair"):
        assert rows["g"].mean() == pytest.approx(1.0, abs=0.02)
        assert abs(np.polyfit(rows["r_A"], rows["g"], 1)[0]) < 0.01
    assert set(table["pair"]) == {"Si-Si", "Si-O", "O-O"}


def test_points_without_order_have_s_of_one():
    factor = slice_structure_factor(points(4000, (30, 30, 20)), 2.0, 18.0, "neutron")
    mean = np.average(factor.s, weights=factor.n_vectors)
    assert mean == pytest.approx(1.0, abs=4 / np.sqrt(factor.n_vectors.sum()))


def test_the_shells_of_the_crystal_are_counted():
    slab = silicon_slab((3, 3, 5))
    table = slice_rdf(slab, 3.0, 20.0)
    rows = table[table["pair"] == "Si-Si"]
    peaks = rows[rows["g"] > 0]["r_A"].to_numpy()
    assert abs(peaks[0] - 2.35) < 0.03 and not ((peaks > 2.4) & (peaks < 3.8)).any()
    assert set(table["pair"]) == {"Si-Si"}


def test_s_of_a_whole_crystal_is_that_of_its_waves_in_the_plane():
    network = beta_cristobalite((2, 2, 2))
    film = as_film(network)
    factor = slice_structure_factor(film, -1.0, float(network.cell[2]) + 1, "neutron")
    bulk = structure_factor(network, "neutron", 8.0)
    highest = factor.q_per_A[np.argmax(factor.s)]
    assert factor.s.max() > 20 and np.interp(highest, bulk.q_per_A, bulk.s) > 2
    assert np.median(factor.s) < 0.1  # between Bragg peaks a crystal scatters nothing


def test_rings_of_the_crystals():
    network = beta_cristobalite((3, 3, 3))
    found = ring_observables(network, -1.0, 100.0)
    assert found["rings_6_per_si"] == pytest.approx(2.0)
    assert all(found[f"rings_{size}_per_si"] == 0 for size in (3, 4, 5, 7, 9))
    half = ring_observables(network, -1.0, 0.5 * network.cell[2] - 0.1)
    assert half["rings_6_per_si"] == pytest.approx(2.0)
    sites = site_rings(network)
    silicon = network.species == "Si"
    assert (sites["smallest_ring"][silicon] == 6).all() and np.isnan(sites["smallest_ring"][~silicon]).all()
    three = site_rings(silicon_slab((2, 2, 3), orientation="111"))["smallest_ring"]
    assert np.nanmin(three) == 3  # the O of the (111) surface close rings of three


def test_an_oxide_without_interior_gives_empty_curves_of_the_right_kind(tmp_path):
    from moxie.features.gathering import gather
    from moxie.features.oxides import film_curves
    from moxie.features.schemas import get_table
    from moxie.features.tables import read_table, write_table

    slab = silicon_slab((3, 3, 4))
    key = {"orientation": "100", "temperature_K": 1000.0, "approach": "disordered", "replica": 0}
    for name, table in zip(("oxide_rdf", "oxide_structure_factors"), film_curves(slab, **key), strict=True):
        assert table.empty
        write_table(table, tmp_path / f"{name}.parquet", get_table(name))
        gather([tmp_path / f"{name}.parquet"], name, tmp_path / f"all_{name}.parquet")
        assert read_table(tmp_path / f"all_{name}.parquet", get_table(name)).empty
    assert np.isnan(ring_observables(slab, np.nan, np.nan)["rings_5_per_si"])
    assert structure_factors(slab, np.nan, np.nan).empty
