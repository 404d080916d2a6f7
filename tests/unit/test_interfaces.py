"""Interface, photoemission, clusters and Voronoi volumes on structures whose answers are known."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_oxidation_features import ideal_film

from moxie.features.clusters import silicon_clusters
from moxie.features.interfaces import (
    EV_PER_A2_IN_J_M2,
    SMOOTHING_A,
    bridge_fraction,
    find_interface,
    height_map,
    interface_energy,
    isotonic_width,
    roughness,
)
from moxie.features.photoemission import CORE_LEVEL_SHIFTS_EV, FULL_WIDTHS_EV, intensities, lines
from moxie.features.voronoi import voronoi_volumes
from moxie.structures.network import Network, make_network
from moxie.structures.silicon import beta_cristobalite, diamond, insert_oxygen, silicon_slab

LATTICE_A = 5.427
LAYER_A = LATTICE_A / 4


def oxidised_where(chosen, cells=(3, 3, 6), frozen_layers=2) -> Network:
    """A Si slab with an O in every Si-Si bond whose middle (x, y, z) is chosen."""
    slab = silicon_slab(cells, frozen_layers)
    both = (slab.species == "Si")[slab.bonds].all(axis=1) & ~slab.frozen[slab.bonds].any(axis=1)
    start = slab.positions[slab.bonds[:, 0]]
    middle = start + 0.5 * slab.vectors(*slab.bonds.T)
    return insert_oxygen(slab, slab.bonds[both & chosen(middle)])


def test_a_single_oxygen_makes_no_interface_of_a_width():
    crystal = diamond((2, 2, 4))
    assert math.isnan(find_interface(insert_oxygen(crystal, crystal.bonds[:1]))[1])
    assert 0 < find_interface(ideal_film())[1] < 1


def test_an_abrupt_interface_is_flat():
    rough, correlation = roughness(ideal_film())
    assert rough < 0.03 and math.isnan(correlation)


def test_half_a_layer_more_or_less_of_oxide_moves_the_dividing_surface_by_as_much():
    # one layer deeper on half the plane: a square wave of half a layer, without its harmonics beyond the smoothing
    edge = 8 * LATTICE_A
    film = oxidised_where(lambda middle: middle[:, 2] > 14.3 + LAYER_A * (middle[:, 0] % edge > edge / 2), (8, 2, 5))
    vectors, amplitudes = height_map(film)
    first = np.isclose(vectors[:, 0], 2 * np.pi / edge) & (vectors[:, 1] == 0)
    smoothed = math.exp(-0.5 * (SMOOTHING_A * 2 * np.pi / edge) ** 2)
    assert np.abs(amplitudes[first][0]) == pytest.approx(LAYER_A / np.pi * smoothed, rel=0.05)


@pytest.mark.parametrize("amplitude", [1.0, 2.0])
def test_roughness_of_a_wave_is_its_amplitude_over_root_two(amplitude):
    cells = (8, 3, 6)
    edge = cells[0] * LATTICE_A
    wave = 2 * np.pi / edge

    def chosen(middle):
        return middle[:, 2] > 16.0 + amplitude * np.sin(wave * middle[:, 0])

    rough, correlation = roughness(oxidised_where(chosen, cells))
    smoothed = math.exp(-0.5 * (SMOOTHING_A * wave) ** 2)
    # layers of 1.36 A cut the wave into steps
    assert rough == pytest.approx(amplitude / math.sqrt(2) * smoothed, rel=0.25)
    # the direction average of a wave is a Bessel function, J0(k r) = 1/e at k r = 1.749, where the cell allows it
    assert math.isnan(correlation) or correlation == pytest.approx(1.749 / wave, rel=0.2)


def test_correlation_length_of_a_single_wave_is_where_its_bessel_function_falls_to_1_over_e():
    cells = (8, 8, 5)
    wave = 2 * 2 * np.pi / (cells[0] * LATTICE_A)  # two periods
    film = oxidised_where(lambda middle: middle[:, 2] > 14.0 + 2.0 * np.sin(wave * middle[:, 0]), cells)
    assert roughness(film)[1] == pytest.approx(1.749 / wave, rel=0.05)


def test_an_uncorrelated_interface_has_the_correlation_length_of_the_smoothing():
    generator = np.random.default_rng(5)

    def chosen(middle):
        layer = np.abs(middle[:, 2] - 14.25) < 0.7
        return (middle[:, 2] > 15.0) | (layer & (generator.random(len(middle)) < 0.5))

    rough, correlation = roughness(oxidised_where(chosen, (8, 8, 5)))
    assert 0.05 < rough < 1.0 and correlation == pytest.approx(2 * SMOOTHING_A, rel=0.15)


@given(shift=st.tuples(st.floats(-20, 20), st.floats(-20, 20)))
@settings(max_examples=15, deadline=None)
def test_roughness_does_not_depend_on_the_origin(shift):
    film = oxidised_where(lambda middle: middle[:, 2] > 14.0 + 2.0 * np.sin(0.3 * middle[:, 0]), (4, 4, 5))
    moved = make_network(
        film.positions + [*shift, 0.0], film.species, film.bonds, film.cell, film.periodic, film.frozen
    )
    np.testing.assert_allclose(np.abs(height_map(moved)[1]), np.abs(height_map(film)[1]), atol=1e-9)


def test_isotonic_width_of_a_graded_interface_is_that_of_its_curve():
    generator = np.random.default_rng(1)
    film = oxidised_where(
        lambda middle: generator.random(len(middle)) < 1 / (1 + np.exp(-(middle[:, 2] - 18.0) / 2.0)), (6, 6, 8)
    )
    assert isotonic_width(film) == pytest.approx(8.8, rel=0.2)  # a logistic of scale 2 A: 4.39 scales
    assert isotonic_width(ideal_film()) <= 2 * LAYER_A + 0.01
    thin = silicon_slab((3, 3, 4))  # only Si2+ on top
    assert math.isnan(isotonic_width(thin))


def test_bridges_are_counted():
    slab = silicon_slab((3, 3, 4))
    top = slab.positions[slab.species == "O", 2].mean()
    assert bridge_fraction(slab, top) == 1.0  # every O joins two Si2+ of the surface
    film = ideal_film(oxidised_above_A=12.0)
    assert bridge_fraction(film, find_interface(film)[0]) == 0.0  # every O leads from Si2+ up to Si4+
    assert math.isnan(bridge_fraction(diamond((2, 2, 2)), 0.0))


def test_interface_energy_is_the_excess_over_crystal_and_oxide():
    film = ideal_film(oxidised_above_A=10.0)
    z, silicon = film.positions[:, 2], film.species == "Si"
    energy = np.where(silicon, 0.0, 0.3)  # per O of the oxide
    layer = silicon & (np.abs(z - 10.0) < 1.0)
    assert layer.sum() > 0
    energy[layer] += 0.2
    dressed = make_network(
        film.positions, film.species, film.bonds, film.cell, film.periodic, film.frozen, arrays={"energy_eV": energy}
    )
    expected = 0.2 * layer.sum() / film.area_A2 * EV_PER_A2_IN_J_M2
    assert interface_energy(dressed, (14.0, 22.0)) == pytest.approx(expected)
    assert math.isnan(interface_energy(dressed, (math.nan, math.nan)))
    # a strained crystal is its own zero: 0.02 eV for each Si of it, by its bonds, change nothing
    states = film.oxidation_states()
    strained = energy + 0.02 * np.where(silicon, film.coordination() / 4 - states / 4, 0.0)
    network = make_network(
        film.positions, film.species, film.bonds, film.cell, film.periodic, film.frozen, arrays={"energy_eV": strained}
    )
    assert interface_energy(network, (14.0, 22.0)) == pytest.approx(expected)


def test_photoemission_of_a_layered_film_follows_the_escape_depth():
    film = ideal_film((3, 3, 8), oxidised_above_A=30.0)
    surface = film.positions[:, 2].max()
    shares = intensities(film, surface, escape_depth_A=5.0)
    assert shares.sum() == pytest.approx(1.0) and shares[1] == shares[3] == 0.0
    # layers of n Si at distance c weaken by exp(-c / 5 A) each: a geometric series above and below the Si2+ layer
    states = film.oxidation_states()
    silicon = film.species == "Si"
    full = np.unique(np.round(film.positions[silicon & (states == 4), 2], 3))
    none = np.unique(np.round(film.positions[silicon & (states == 0), 2], 3))
    signal = [sum(math.exp(-(surface - z) / 5.0) for z in layers) for layers in (none, full)]
    assert shares[0] / shares[4] == pytest.approx(signal[0] / signal[1], rel=1e-3)
    deep = intensities(film, surface, escape_depth_A=1e6)
    assert deep == pytest.approx(np.bincount(states[silicon], minlength=5) / silicon.sum(), abs=1e-4)


def test_spectrum_has_unit_area_its_mean_shift_and_the_stated_widths():
    energies = np.arange(-4, 9, 0.005)
    shares = np.array([0.4, 0.1, 0.1, 0.1, 0.3])
    parts = lines(shares, energies)
    assert parts.sum() * 0.005 == pytest.approx(1.0, abs=1e-6)
    np.testing.assert_allclose(parts.sum(axis=1) * 0.005, shares, atol=1e-6)
    assert (parts.sum(axis=0) * energies).sum() * 0.005 == pytest.approx(shares @ CORE_LEVEL_SHIFTS_EV, abs=1e-5)
    for part, width in zip(parts, FULL_WIDTHS_EV, strict=True):
        above = energies[part > part.max() / 2]
        assert above.max() - above.min() == pytest.approx(width, abs=0.02)


def test_clusters_of_a_crystal_of_silica_and_of_a_film():
    crystal = silicon_clusters(diamond((2, 3, 2)))
    assert crystal.sizes.tolist() == [96] and crystal.percolates.all() and not crystal.anchored.any()
    silica = silicon_clusters(beta_cristobalite((2, 2, 2)))
    assert (silica.sizes == 1).all() and len(silica.sizes) == 64 and not silica.percolates.any()
    film = ideal_film(oxidised_above_A=12.0)
    clusters = silicon_clusters(film)
    full = (film.oxidation_states() == 4).sum()
    assert clusters.anchored.tolist() == [True] + [False] * full
    assert clusters.sizes[0] == (film.species == "Si").sum() - full
    assert clusters.percolates[0].tolist() == [True, True, False]


def test_a_chain_across_the_cell_percolates_along_itself_only():
    # oxidise every bond but those of one zigzag chain along [110], which closes on itself through the corner
    crystal = diamond((2, 2, 2))
    direction = np.array([1.0, 1.0, 0.0]) / math.sqrt(2)
    vectors = crystal.vectors(*crystal.bonds.T)
    middle = crystal.positions[crystal.bonds[:, 0]] + 0.5 * vectors
    along = np.abs(vectors @ direction) > 0.5
    across = (middle @ (np.array([1.0, -1.0, 0.0]) / math.sqrt(2))) % (LATTICE_A * math.sqrt(2))
    height = middle[:, 2] % (2 * LATTICE_A)
    chain = (
        along & (np.abs(height - LATTICE_A / 8) < 0.3) & (np.minimum(across, LATTICE_A * math.sqrt(2) - across) < 0.3)
    )
    clusters = silicon_clusters(insert_oxygen(crystal, crystal.bonds[~chain]))
    assert clusters.sizes[0] == 8 and clusters.percolates[0].tolist() == [True, True, False]
    assert (clusters.sizes[1:] == 1).all() and not clusters.percolates[1:].any()


def test_voronoi_volumes_of_crystals_and_their_sum():
    np.testing.assert_allclose(voronoi_volumes(diamond((2, 2, 2))), LATTICE_A**3 / 8, rtol=1e-4)
    silica = beta_cristobalite((2, 2, 2))
    rng = np.random.default_rng(0)
    shaken = make_network(
        silica.positions + rng.normal(0, 0.1, silica.positions.shape),
        silica.species,
        silica.bonds,
        silica.cell,
        silica.periodic,
    )
    assert voronoi_volumes(shaken).sum() == pytest.approx(np.prod(silica.cell), rel=1e-9)


def test_voronoi_cells_at_free_faces_are_open():
    slab = silicon_slab((3, 3, 4))
    volumes = voronoi_volumes(slab)
    layer = np.round(slab.positions[:, 2] / LAYER_A)
    inner = (slab.species == "Si") & (layer > 2) & (layer < 12)
    np.testing.assert_allclose(volumes[inner], LATTICE_A**3 / 8, rtol=1e-4)
    assert np.isnan(volumes[slab.species == "O"]).all() and np.isnan(volumes[layer == 0]).all()
