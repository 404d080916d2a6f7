"""Distributions of dihedral angles: Boltzmann's, symmetric, normalised, with errors that cover the truth."""

import math

import made_liquids
import numpy as np
import pandas as pd
import pytest
from test_config import DEFAULT, merged
from test_liquid_features import components

from moxie.config import load
from moxie.errors import InputError
from moxie.features.dihedrals import (
    ANGLES_DEG,
    BIN_WIDTH_DEG,
    TORSIONS,
    DihedralCounter,
    distribution,
    histogram,
)
from moxie.features.replicas import tabulate_over_replicas
from moxie.features.schemas import DIHEDRALS
from moxie.features.site_search import find_tuples
from moxie.features.tables import check_frame
from moxie.figures import registry
from moxie.figures.gallery.dihedral_distributions import curves_to_show
from moxie.study import Study
from moxie.timeseries import mean_of, student_factor

BOX = np.array([30.0, 30, 30, 90, 90, 90], dtype=np.float32)
BIN_TRUTH = [np.argmin(np.abs(ANGLES_DEG - angle)) for angle in (-60.0, 57.5)]
THERMAL_KJ_MOL = 0.00831446 * 300.0


def positions_of(angles_deg):
    """Four atoms for each angle, some of them across the edge of the box; shape (4 n, 3)."""
    radians = np.radians(angles_deg)
    corners = np.zeros((len(radians), 4, 3))
    corners[:, 0, 0], corners[:, 2:, 2] = 1.0, 1.0
    corners[:, 3, :2] = np.column_stack([np.cos(radians), np.sin(radians)])
    return np.mod(corners.reshape(-1, 3) + 29.5, 30.0)


def counted(frames):
    """The distribution over frames of angles, shape (n_frames, n)."""
    counter = DihedralCounter(np.arange(4 * len(frames[0])).reshape(-1, 4))
    for angles in frames:
        counter.add(positions_of(angles), BOX)
    return counter.result()


def torsion_energy(radians):
    """C-C-O-H of an alcohol in TraPPE-UA, kJ/mol."""
    series = ((209.82, 1, 1), (-29.17, 2, -1), (187.93, 3, 1))
    return 0.00831446 * sum(c * (1 + sign * np.cos(n * radians)) for c, n, sign in series)


def boltzmann_angles(shape, seed, energy=torsion_energy):
    """Independent angles of a free rotor in a torsion potential, by rejection."""
    rng = np.random.default_rng(seed)
    kept = np.empty(0)
    while len(kept) < math.prod(shape):
        trial = rng.uniform(-180, 180, 4 * math.prod(shape))
        weight = np.exp(-energy(np.radians(trial)) / THERMAL_KJ_MOL)
        kept = np.concatenate([kept, trial[rng.uniform(size=len(trial)) < weight]])
    return kept[: math.prod(shape)].reshape(shape)


def boltzmann_density(energy=torsion_energy):
    fine = np.radians(np.arange(-180, 180, 0.1) + 0.05)
    weight = np.exp(-energy(fine) / THERMAL_KJ_MOL).reshape(len(ANGLES_DEG), -1).sum(axis=1)
    return weight / weight.sum() / BIN_WIDTH_DEG


def test_free_rotors_in_a_torsion_potential_follow_boltzmann():
    found = counted(boltzmann_angles((400, 100), 1))
    deviations = (found.density_per_deg - boltzmann_density()) / found.standard_error_per_deg
    assert found.n_independent == pytest.approx(np.full(72, 400), rel=0.3)
    assert np.abs(deviations).max() < 4.5 and 0.75 < np.sqrt((deviations**2).mean()) < 1.25


def test_a_torsion_without_mirror_symmetry_is_not_made_symmetric():
    def energy(radians):
        return torsion_energy(radians) + 1.5 * np.sin(radians)

    found = counted(boltzmann_angles((300, 60), 2, energy))
    difference = found.density_per_deg - found.density_per_deg[::-1]
    assert np.abs(difference / found.standard_error_per_deg).max() > 10
    deviations = (found.density_per_deg - boltzmann_density(energy)) / found.standard_error_per_deg
    assert np.sqrt((deviations**2).mean()) < 1.3


def jumping_angles(n_frames, n, seed, stay=0.95):
    """Angles that shake within one of three wells and seldom change the well."""
    rng = np.random.default_rng(seed)
    well = rng.integers(0, 3, n)
    frames = np.empty((n_frames, n))
    for frame in frames:
        well = np.where(rng.uniform(size=n) < stay, well, rng.integers(0, 3, n))
        frame[:] = np.array([60.0, 180.0, -60.0])[well] + rng.normal(0, 12, n)
    return (frames + 180) % 360 - 180


@pytest.mark.parametrize(("stay", "n_frames"), [(0.0, 400), (0.95, 400), (0.9, 60)])
def test_errors_cover_the_scatter_of_many_runs_with_slow_changes_of_the_well(stay, n_frames):
    runs = [distribution(np.array([histogram(f) for f in jumping_angles(n_frames, 40, s, stay)])) for s in range(60)]
    densities = np.array([run.density_per_deg for run in runs])
    variances = np.array([run.standard_error_per_deg**2 for run in runs])
    seen = densities.mean(axis=0) > 1e-3
    ratio = np.sqrt(np.nanmean(variances, axis=0)[seen].mean() / densities.var(axis=0, ddof=1)[seen].mean())
    assert 0.85 < ratio < 1.7  # Student's t of three cosines is 1.62
    largest = np.array([run.n_independent.max() for run in runs])
    assert np.median(largest) < n_frames / 5 if stay else np.median(largest) > 0.8 * n_frames


def test_the_trans_fraction_is_the_integral_of_the_distribution_and_the_share_of_the_angles():
    angles = jumping_angles(200, 30, 3)
    found = counted(angles)
    beyond = np.abs(ANGLES_DEG) > 120
    assert found.trans_fraction.value == pytest.approx(found.density_per_deg[beyond].sum() * BIN_WIDTH_DEG)
    direct = mean_of((np.abs(angles) > 120).mean(axis=1))
    of_molecules = (np.abs(angles) > 120).mean(axis=0)
    scatter = student_factor(29) * of_molecules.std(ddof=1) / math.sqrt(30)
    assert found.trans_fraction.value == pytest.approx(direct.value, abs=1e-3)
    assert found.trans_fraction.standard_error == pytest.approx(max(direct.standard_error, scatter), rel=0.01)


@pytest.mark.parametrize("stay", [0.998, 1.0])
def test_few_molecules_that_remember_longer_than_the_run_have_errors_that_cover(stay):
    """Nine molecules whose wells hardly change or never do: mirror images differ, by chance alone."""
    runs = [counted(jumping_angles(160, 9, seed, stay)) for seed in range(40)]
    left = np.array([run.density_per_deg[BIN_TRUTH] for run in runs])
    errors = np.array([run.standard_error_per_deg[BIN_TRUTH] for run in runs])
    truth = left.mean()
    assert 0.85 < np.sqrt((errors**2).mean() / ((left - truth) ** 2).mean()) < 1.7
    assert (np.abs(left - truth) < 1.96 * errors).mean() > 0.85
    trans = np.array([(run.trans_fraction.value, run.trans_fraction.standard_error) for run in runs])
    assert (np.abs(trans[:, 0] - 1 / 3) < 1.96 * trans[:, 1]).mean() > 0.85


def test_two_angles_of_one_molecule_are_no_two_molecules():
    once = jumping_angles(160, 9, 7, 1.0)
    twice = DihedralCounter(np.arange(72).reshape(-1, 4), np.repeat(np.arange(9), 2))
    for angles in np.repeat(once, 2, axis=1):
        twice.add(positions_of(angles), BOX)
    np.testing.assert_allclose(twice.result().standard_error_per_deg, counted(once).standard_error_per_deg, rtol=1e-9)


def test_bins_are_half_open_and_periodic():
    assert histogram(np.array([-180.0, -175.0001, -175.0, 179.9, 180.0, 180.00001]))[[0, 1, -1]].tolist() == [4, 1, 1]
    assert ANGLES_DEG[0] == -177.5 and len(ANGLES_DEG) * BIN_WIDTH_DEG == 360


def test_few_frames_give_a_curve_without_errors_and_none_give_nothing():
    found = counted(boltzmann_angles((2, 4), 4))
    assert np.isnan(found.standard_error_per_deg).all() and math.isnan(found.trans_fraction.standard_error)
    assert DihedralCounter(np.zeros((1, 4), dtype=int)).result() is None


def test_curves_fit_their_table_and_a_distribution_that_is_not_normalised_is_refused():
    frame = counted(boltzmann_angles((50, 20), 5)).as_frame().assign(torsion="hydroxyl")
    check_frame(frame, DIHEDRALS, "here")
    with pytest.raises(InputError, match="probabilities that sum to 1 for each curve"):
        check_frame(frame.iloc[1:], DIHEDRALS, "here")


@pytest.mark.parametrize(
    ("smiles", "sites", "hydroxyl", "backbone"),
    [
        ("CCO", [0, 1, 2, 8], 1, 0),  # united atoms: the hydroxyl hydrogen is a site
        ("CCO", range(9), 1, 0),
        ("CCCO", [0, 1, 2, 3, 11], 1, 1),
        ("CO", [0, 1, 5], 0, 0),  # methyl hydrogens are no sites
        ("CC(C)O", range(12), 2, 0),
        ("CCCC", [0, 1, 2, 3], 0, 1),
        ("C1CCCCC1", range(18), 0, 0),
        ("CC#CC", range(10), 0, 0),
        ("O=S(=O)([N-]S(=O)(=O)C(F)(F)F)C(F)(F)F", range(15), 0, 2),  # TFSI: C-S-N-S from either end
        ("O=S(=O)([O-])C(F)(F)F", range(8), 0, 0),  # triflate: all ends turn among equals
        ("ClCCCl", range(8), 0, 1),
        ("OCC(F)(F)F", range(9), 1, 0),
        ("CC(=O)OC", range(11), 0, 2),  # an ester: C-C-O-C and O=C-O-C
    ],
)
def test_kinds_of_dihedral_angles_are_found_in_all_atom_and_united_atom_molecules(smiles, sites, hydroxyl, backbone):
    box = components(("x", smiles, 3, list(sites)))
    found = {name: find_tuples(box, torsion.smarts).shape for name, torsion in TORSIONS.items()}
    assert found == {"hydroxyl": (3 * hydroxyl, 4), "backbone": (3 * backbone, 4)}


def test_the_figure_shows_the_state_that_most_force_fields_share():
    liquids, curves = made_liquids.liquids(), made_liquids.dihedral_curves()
    both = curves_to_show(curves, liquids)
    assert set(both["temperature_K"]) == {298.15}
    assert both.groupby("liquid")["force_field"].nunique().to_dict() == {"methanol": 2, "ethanol": 1}
    lonely = curves[~((curves["system"] == "methanol_opls") & (curves["temperature_K"] == 298.15))]
    shown = curves_to_show(lonely, liquids)
    assert set(shown.loc[shown["liquid"] == "methanol", "temperature_K"]) == {278.15}


def test_replicas_are_averaged_with_their_own_errors_or_their_scatter():
    curves = made_liquids.dihedral_curves().query("system == 'ethanol' and temperature_K == 298.15")
    density, by = "probability_density_per_deg", ["system", "angle_deg"]
    copies = [curves.assign(**{"replica": r, density: curves[density] * (1 + 0.1 * r)}) for r in range(3)]
    two = tabulate_over_replicas(pd.concat(copies[:2]), by, density)
    assert np.allclose(two[density], 1.05 * curves[density])
    assert np.allclose(two[f"{density}_standard_error"], 0.05 * curves[density] / np.sqrt(2))
    three = tabulate_over_replicas(pd.concat(copies), by, density)
    assert np.allclose(three[f"{density}_standard_error"], 0.1 * curves[density] / np.sqrt(3))


def test_a_study_without_such_angles_has_no_figure_of_them():
    whole = Study(load(DEFAULT))
    assert whole.dynamics.with_dihedrals == ["ethanol", "litfsi_10m"] and "dihedrals" in whole.parts
    salt = Study(load(merged(DEFAULT, {"dynamics": {"systems": {"ethanol": None}}})))
    assert salt.dynamics.with_dihedrals == ["litfsi_10m"] and "dihedral_distributions" in registry.names(salt.parts)
    without = Study(load(merged(DEFAULT, {"dynamics": {"systems": {"ethanol": None, "litfsi_10m": None}}})))
    assert without.dynamics.with_dihedrals == [] and "dihedral_distributions" not in registry.names(without.parts)
