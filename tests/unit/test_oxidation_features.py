"""Film observables on networks whose answers are known."""

import numpy as np
import pandas as pd
import pytest

from moxie.errors import InputError
from moxie.features.film_sampling import mean_profile, mean_sites, sampled_row
from moxie.features.interfaces import WIDTH_10_90, find_interface
from moxie.features.oxides import (
    analyse_film,
    bond_geometry,
    depth_profile,
    interior_density,
    lateral_stress,
    site_table,
    surface_height,
)
from moxie.structures.network import Network, make_network
from moxie.structures.silicon import beta_cristobalite, diamond, insert_oxygen, silicon_slab

FACTS = {
    "bond_energy_eV": 1.0,
    "angle_energy_eV": 2.0,
    "repulsion_energy_eV": 0.5,
    "suboxide_energy_eV": 3.0,
    "accepted_fraction": 0.1,
    "kT_eV": 0.1,
}


def ideal_film(cells=(3, 3, 6), oxidised_above_A=12.0, virial=0.0) -> Network:
    """A Si slab with an O in every Si-Si bond that begins above a height: an abrupt interface at a known place."""
    slab = silicon_slab(cells, 2)
    silicon = slab.species == "Si"
    both = silicon[slab.bonds].all(axis=1)
    middle = slab.positions[slab.bonds, 2].mean(axis=1)
    film = insert_oxygen(slab, slab.bonds[both & (middle > oxidised_above_A)])
    n = len(film.positions)
    return make_network(
        film.positions,
        film.species,
        film.bonds,
        film.cell,
        film.periodic,
        film.frozen,
        FACTS,
        arrays={"energy_eV": np.ones(n), "lateral_virial_eV": np.full(n, virial)},
    )


@pytest.mark.parametrize("height", [9.0, 12.0, 16.0])
def test_the_interface_is_found_where_oxidation_begins(height):
    position, width = find_interface(ideal_film(oxidised_above_A=height))
    assert position == pytest.approx(height, abs=0.8)  # half a layer spacing of 1.36 A, about
    assert width < 1.0


def test_a_wider_transition_is_found_wider():
    abrupt = ideal_film()
    generator = np.random.default_rng(0)
    slab = silicon_slab((3, 3, 6), 2)
    silicon = slab.species == "Si"
    both = silicon[slab.bonds].all(axis=1)
    middle = slab.positions[slab.bonds, 2].mean(axis=1)
    chance = 1 / (1 + np.exp(-(middle - 14.0) / 2.0))
    free = ~slab.frozen[slab.bonds].any(axis=1)
    graded = insert_oxygen(slab, slab.bonds[both & free & (generator.random(len(middle)) < chance)])
    position, width = find_interface(graded)
    # a logistic of scale 2 A crosses 10-90 % in 8.8 A
    assert position == pytest.approx(14.0, abs=1.0) and WIDTH_10_90 * width == pytest.approx(8.8, rel=0.25)
    assert width > 3 * find_interface(abrupt)[1]


def test_interior_density_is_that_of_the_bulk():
    bulk = beta_cristobalite((2, 2, 6), 2.20)
    for low, high in ((3.0, 33.0), (5.0, 26.5)):
        assert interior_density(bulk, low, high) == pytest.approx(2.20, rel=0.02)


def test_a_thin_oxide_has_no_interior():
    bulk = beta_cristobalite((2, 2, 3), 2.20)
    assert np.isnan(interior_density(bulk, 2.0, 10.0))


def test_lateral_stress_is_the_virial_density_wherever_its_planes_cut():
    bulk = beta_cristobalite((2, 2, 6), 2.20)
    n = len(bulk.positions)
    bulk.arrays["lateral_virial_eV"] = np.full(n, 0.02)
    expected = 0.02 * n / np.prod(bulk.cell) * 160.2176634  # of a homogeneous body
    for low, high in ((3.0, 33.0), (3.7, 33.0), (3.0, 12.5), (5.0, 26.5)):
        assert lateral_stress(bulk, low, high) == pytest.approx(expected, rel=0.05)
    assert np.isnan(lateral_stress(bulk, 12.0, 20.4))  # no interior of 3 A


def test_bond_lengths_and_angles_of_the_crystals():
    lengths, angles = bond_geometry(diamond((2, 2, 2)))
    np.testing.assert_allclose(lengths, 2.35, atol=1e-3)
    np.testing.assert_allclose(angles, np.degrees(np.arccos(-1 / 3)))
    silica = beta_cristobalite((1, 1, 1))
    lengths, angles = bond_geometry(silica)
    np.testing.assert_allclose(angles[silica.species == "O"], 180, atol=1e-4)


def test_profile_counts_every_atom_once():
    film = ideal_film()
    profile = depth_profile(film, 12.0)
    volume = film.area_A2
    silicon = sum(profile[f"si{k}_per_A3"].sum() for k in range(5)) * volume
    assert silicon == pytest.approx((film.species == "Si").sum())
    assert profile["o_per_A3"].sum() * volume == pytest.approx((film.species == "O").sum())
    assert (np.diff(profile["depth_A"]) == 1.0).all()
    mass = profile["density_g_cm3"].sum() * volume / 1.66053906660
    assert mass == pytest.approx(28.085 * (film.species == "Si").sum() + 15.999 * (film.species == "O").sum())


def test_surface_leaves_a_quarter_monolayer_above():
    film = ideal_film((4, 4, 6))
    above = film.positions[film.species == "O", 2] > surface_height(film)
    assert above.sum() <= 8


def test_tables_have_keys_fractions_and_counts_that_add_up():
    frames = [ideal_film(oxidised_above_A=16.0), ideal_film(oxidised_above_A=12.0)]
    runs, sites, profiles = analyse_film(frames, 1273.0, 1, "von_alfthan_2003", 2.0, 1.2, 0.6)
    assert runs["stage"].tolist() == [1, 2] and runs["is_final"].tolist() == [False, True]
    assert (runs["temperature_K"] == 1273.0).all() and (runs["replica"] == 1).all()
    np.testing.assert_allclose(runs[[f"si{k}_fraction" for k in range(5)]].sum(axis=1), 1)
    np.testing.assert_allclose(runs[[f"suboxide_fraction_{k}" for k in (1, 2, 3)]].sum(axis=1), 1)
    areal = runs[[f"si{k}_per_cm2" for k in (1, 2, 3)]].sum(axis=1)
    np.testing.assert_allclose(areal, runs["suboxide_total_per_cm2"])
    np.testing.assert_allclose(runs["suboxide_total_monolayers"], areal / 6.78e14)
    film = frames[-1]
    mobile = ~film.frozen
    assert runs["strain_energy_eV_per_atom"].iloc[1] == pytest.approx(3.5 / mobile.sum())
    assert runs["n_o"].iloc[1] == (film.species == "O").sum() == (sites["element"] == "O").sum()
    assert len(sites) == len(film.positions) and sites["site"].is_unique
    assert sites["frozen"].sum() == film.frozen.sum()
    states = sites.loc[(sites["element"] == "Si") & ~sites["frozen"], "oxidation_state"]
    assert (states == 4).mean() == pytest.approx(runs["si4_fraction"].iloc[1])
    assert not profiles.duplicated(["temperature_K", "replica", "stage", "depth_A"]).any()


def test_an_abrupt_ideal_interface_has_one_monolayer_of_si2():
    # every atom of the layer that the abrupt front cuts through has two O above and two Si below
    runs, *_ = analyse_film([ideal_film((3, 3, 6), 12.0)], 1273.0, 0, "x", 1.0, 1.0, 1.0)
    assert runs["suboxide_fraction_2"].iloc[0] == 1.0
    assert runs["suboxide_total_monolayers"].iloc[0] == pytest.approx(1.0, rel=0.01)


def test_frames_without_facts_or_oxide_are_refused():
    film = ideal_film()
    bare = make_network(film.positions, film.species, film.bonds, film.cell, film.periodic, film.frozen, film.info)
    with pytest.raises(InputError, match="lacks the column `energy_eV`"):
        analyse_film([bare], 1273.0, 0, "x", 1, 1, 1)
    with pytest.raises(InputError, match="is 100; it must be '100' or '110' or '111', a text"):
        analyse_film([bare], 1273.0, 0, "x", 1, 1, 1, orientation=100)
    info = {key: value for key, value in film.info.items() if key != "kT_eV"}
    less = make_network(
        film.positions, film.species, film.bonds, film.cell, film.periodic, film.frozen, info, arrays=film.arrays
    )
    with pytest.raises(InputError, match="lacks the fact `kT_eV`"):
        analyse_film([less], 1273.0, 0, "x", 1, 1, 1)
    with pytest.raises(InputError, match="no stages"):
        analyse_film([], 1273.0, 0, "x", 1, 1, 1)
    with pytest.raises(InputError, match="no partly oxidised"):
        find_interface(diamond((2, 2, 2)))


def test_a_sampled_film_is_the_mean_of_its_chain_with_errors_of_decorrelated_samples():
    generator = np.random.default_rng(2)
    row = {"stage": 4, "n_o": 20, "temperature_K": 1273.0, **{f"si{k}_per_cm2": 1e15 for k in range(5)}}
    angles, density = generator.normal(144.0, 2.0, 12), np.full(12, np.nan)
    rows = [
        row | {"si_o_si_angle_deg": float(a), "film_density_g_cm3": float(d)}
        for a, d in zip(angles, density, strict=True)
    ]
    n = 400
    chain = pd.DataFrame({f"si{k}_fraction": np.full(n, 0.2) for k in range(5)})
    chain["suboxide_total_monolayers"] = generator.normal(1.5, 0.1, n)
    for k in (1, 2, 3):
        chain[f"suboxide_fraction_{k}"] = np.repeat(generator.normal(0.33, 0.03, n // 10), 10)  # ten records alike
    made = sampled_row(rows, chain, 6.78e14)
    assert made["si_o_si_angle_deg"] == pytest.approx(angles.mean())
    assert made["si_o_si_angle_deg_standard_error"] == pytest.approx(2.0 / np.sqrt(12), rel=0.6)
    assert np.isnan(made["film_density_g_cm3"]) and np.isnan(made["film_density_g_cm3_standard_error"])
    assert made["suboxide_total_monolayers_standard_error"] == pytest.approx(0.1 / np.sqrt(n), rel=0.3)
    assert made["suboxide_fraction_1_standard_error"] == pytest.approx(0.03 / np.sqrt(n / 10), rel=0.5)
    assert made["suboxide_total_per_cm2"] == pytest.approx(6.78e14 * chain["suboxide_total_monolayers"].mean())
    assert made["si1_per_cm2"] == pytest.approx(1e15) and made["temperature_K"] == 1273.0 and made["n_o"] == 20
    deep = pd.DataFrame({"depth_A": [-0.5, 0.5], "o_per_A3": [0.0, 0.04]})
    deeper = pd.DataFrame({"depth_A": [-0.5, 0.5, 1.5], "o_per_A3": [0.02, 0.04, 0.04]})
    mean = mean_profile([deep, deeper])
    assert mean["o_per_A3"].tolist() == pytest.approx([0.01, 0.04, 0.02])
    assert mean["o_per_A3_standard_error"].isna().all()  # two frames


def test_bins_and_atoms_of_a_sampled_film_have_errors_of_decorrelated_frames():
    generator = np.random.default_rng(4)
    depth, n = np.arange(30.0), 60
    profiles = [pd.DataFrame({"depth_A": depth, "o_per_A3": 0.04 + generator.normal(0, 1e-3, 30)}) for _ in range(n)]
    profiles = [profile.assign(o_per_A3=profile["o_per_A3"].where(depth > 0, 0.0)) for profile in profiles]
    made = mean_profile(profiles)
    assert np.isnan(made["o_per_A3_standard_error"][0])  # never changed
    errors = made["o_per_A3_standard_error"][1:]
    assert np.sqrt((errors**2).mean()) == pytest.approx(1e-3 / np.sqrt(n), rel=0.5)
    assert (abs(made["o_per_A3"][1:] - 0.04) < 4 * errors).mean() > 0.9
    film = ideal_film()
    later = pd.DataFrame(site_table(film, 12.0))
    frames = [later.assign(energy_eV=1 + generator.normal(0, 0.1, len(later))) for _ in range(n)]
    frames[:20] = [frame.iloc[:-1] for frame in frames[:20]]  # the last atom came in the end
    sites = mean_sites(frames)
    assert sites["site"].tolist() == later["site"].tolist()
    assert (sites["sampled_oxidation_state"] == later["oxidation_state"]).all()
    assert sites["sampled_energy_eV"].to_numpy() == pytest.approx(1.0, abs=0.1)
    errors = sites["sampled_energy_eV_standard_error"]
    assert np.sqrt((errors[:-1] ** 2).mean()) == pytest.approx(0.1 / np.sqrt(n), rel=0.5) and np.isnan(errors.iloc[-1])
    assert sites["sampled_oxidation_state_standard_error"].isna().all()
