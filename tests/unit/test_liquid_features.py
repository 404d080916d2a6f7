import json
import logging
import math
import re

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.signal import lfilter

from moxie.errors import InputError
from moxie.features.liquids import _electrolyte_structure, analyse, kind_of
from moxie.features.rdf import PairCounter, PairCounts, analyse_structure, count_pairs, first_shell
from moxie.features.site_search import central_atom, coordinating_label, find_sites, ions, solvents
from moxie.structures.molecules import parse_smiles
from moxie.timeseries import detect_equilibration, mean_of, means_of, statistical_inefficiency

TFSI = "O=S(=O)([N-]S(=O)(=O)C(F)(F)F)C(F)(F)F"


def autoregressive(count, memory, seed, mean=0.0):
    """Return x[n+1] = memory x[n] + noise with unit variance; g = (1 + memory) / (1 - memory)."""
    generator = np.random.default_rng(seed)
    noise = generator.normal(size=count) * math.sqrt(1 - memory**2)
    series = np.empty(count)
    series[0] = generator.normal()
    for index in range(1, count):
        series[index] = memory * series[index - 1] + noise[index]
    return series + mean


@pytest.mark.parametrize("memory", [0.0, 0.5, 0.9])
def test_statistical_inefficiency_of_a_known_process(memory):
    values = [statistical_inefficiency(autoregressive(20000, memory, seed)) for seed in range(4)]
    assert np.mean(values) == pytest.approx((1 + memory) / (1 - memory), rel=0.15)


def test_standard_error_of_a_correlated_mean_is_the_spread_of_means():
    memory, count = 0.8, 2000
    means = [mean_of(autoregressive(count, memory, seed)) for seed in range(60)]
    spread = np.std([mean.value for mean in means], ddof=1)
    assert np.mean([mean.standard_error for mean in means]) == pytest.approx(spread, rel=0.3)
    assert np.mean([mean.n_independent for mean in means]) == pytest.approx(count / 9, rel=0.2)


def test_constant_series_has_no_error():
    mean = mean_of(np.full(50, 1.577))
    assert (mean.value, mean.standard_error, mean.n_independent) == (pytest.approx(1.577), pytest.approx(0), 50)


def two_exponentials(generator, count, share, slow_ps, interval_ps=0.2):
    """Return a stationary series of unit variance: 0.3 ps, and a tail of `slow_ps` with a share of the variance."""
    series = np.zeros(count)
    for weight, memory_ps in ((1 - share, 0.3), (share, slow_ps)):
        memory = math.exp(-interval_ps / memory_ps)
        noise = generator.normal(size=count) * math.sqrt(1 - memory**2)
        noise[0] = generator.normal()
        series += math.sqrt(weight) * lfilter([1.0], [1.0, -memory], noise)
    return series


def oscillating(generator, count):
    """Return a second-order autoregressive series with a period of 20 samples, whose spectrum peaks far from zero."""
    damping, angle = 0.95, 2 * math.pi / 20
    return lfilter([1.0], [1.0, -2 * damping * math.cos(angle), damping**2], generator.normal(size=count + 500))[500:]


MADE_SERIES = {
    "white": (lambda rng: rng.normal(size=500), 0.92),
    "oscillating": (lambda rng: oscillating(rng, 500), 0.92),
    "tail of 10 ps in 100 ps": (lambda rng: two_exponentials(rng, 500, 0.3, 10.0), 0.86),
    "tail of 12 ps in 500 ps": (lambda rng: two_exponentials(rng, 2500, 0.3, 12.0), 0.90),
}


@pytest.mark.parametrize("name", MADE_SERIES)
def test_an_error_knows_of_a_tail_that_a_single_series_does_not_show(name):
    make, at_least = MADE_SERIES[name]
    rng = np.random.default_rng(4)
    means = [mean_of(make(rng)) for _ in range(200)]
    given = [mean for mean in means if not math.isnan(mean.standard_error)]
    covered = np.mean([abs(mean.value) < 1.96 * mean.standard_error for mean in given])
    assert len(given) > 150 and covered >= at_least
    spread = np.std([mean.value for mean in means])
    assert np.mean([mean.standard_error for mean in given]) < 1.9 * spread  # and is not merely large


def test_a_stationary_series_is_rarely_cut():
    rng = np.random.default_rng(6)
    starts = [detect_equilibration({"a": two_exponentials(rng, 500, 0.3, 12.0)}, 100)[0] for _ in range(100)]
    assert np.mean([start > 100 + 0.5 * 400 for start in starts]) <= 0.03
    assert np.mean([start > 100 for start in starts]) <= 0.25


def test_too_few_independent_samples_give_no_error():
    assert math.isnan(mean_of(np.linspace(0, 1, 30)).standard_error)


@pytest.mark.parametrize("seed", range(3))
def test_equilibration_ends_where_the_drift_ends_in_either_series(seed):
    count, settled = 3000, 600
    ramp = np.clip(1 - np.arange(count) / settled, 0, None)
    drifting = autoregressive(count, 0.5, seed) + 12 * ramp
    steady = autoregressive(count, 0.5, seed + 50, mean=5)
    for series in ({"a": drifting, "b": steady}, {"b": steady, "a": drifting}):
        start, independent = detect_equilibration(series)
        assert 0.6 * settled < start < 1.6 * settled
        assert (count - start) / 7 < independent < (count - start) / 1.2  # g = 3


def test_steady_series_keep_nearly_everything_but_what_was_configured():
    series = {"a": autoregressive(3000, 0.3, 1)}
    assert detect_equilibration(series)[0] < 900
    assert detect_equilibration(series, at_least=1500)[0] >= 1500


def test_short_or_uneven_series_are_refused():
    with pytest.raises(InputError, match="12 samples are left"):
        detect_equilibration({"a": np.arange(20.0)}, at_least=8)
    with pytest.raises(InputError, match="differ in length"):
        detect_equilibration({"a": np.arange(20.0), "b": np.arange(21.0)})


BOX = np.array([20.0, 20, 20, 90, 90, 90], dtype=np.float32)


def ideal_gas(count, frames, seed=0):
    generator = np.random.default_rng(seed)
    return [(generator.uniform(0, 20, (count, 3)), BOX) for _ in range(frames)]


@pytest.mark.parametrize("same", [True, False])
def test_ideal_gas_has_g_of_one_and_the_coordination_of_its_density(same):
    frames = ideal_gas(200, 60)
    reference = np.arange(200) if same else np.arange(50)
    neighbours = reference if same else np.arange(50, 200)
    counts = count_pairs(frames, reference, neighbours, 9.0)
    g = counts.g()
    structure_error = means_of(counts.g_series())[1]
    far = counts.r_A > 2.0
    assert np.mean(np.abs((g - 1)[far] / structure_error[far]) < 1.96) > 0.85
    assert np.allclose(counts.g_series().mean(axis=0), g)
    assert g[far].mean() == pytest.approx(1, abs=0.01)
    density = (199 if same else 150) / 8000
    assert counts.coordination(6.02).mean() == pytest.approx(density * 4 / 3 * math.pi * 6.02**3, rel=0.03)


def test_distances_are_the_same_in_boxes_of_any_size():
    frames, atoms = ideal_gas(20, 2), np.arange(20)
    small, large = (count_pairs(frames, atoms, atoms, reach).edges_A for reach in (8.6267, 9.7134))
    assert small[-1] <= 8.6267 and large[-1] <= 9.7134 and np.array_equal(small, large[: len(small)])


def test_errors_of_both_curves_are_the_scatter_of_many_runs():
    runs = [analyse_structure(count_pairs(ideal_gas(60, 40, seed), *2 * (np.arange(60),), 9.0)) for seed in range(30)]
    far = runs[0].r_A > 4.0
    for name in ("g", "running_coordination"):
        scatter = np.std([getattr(run, name) for run in runs], axis=0, ddof=1)[far]
        errors = np.mean([getattr(run, f"{name}_standard_error") for run in runs], axis=0)[far]
        assert np.sqrt((errors**2).mean() / (scatter**2).mean()) == pytest.approx(1.25, abs=0.25)  # Student
    assert all(run.n_independent > 15 for run in runs)


def test_ideal_gas_has_no_shell():
    structure = analyse_structure(count_pairs(ideal_gas(200, 30), np.arange(200), np.arange(200), 9.0))
    assert math.isnan(structure.coordination.value)
    assert math.isnan(structure.minimum_A.value)


def test_g_agrees_with_mdanalysis():
    import MDAnalysis
    from MDAnalysis.analysis.rdf import InterRDF

    frames = ideal_gas(120, 12, seed=3)
    universe = MDAnalysis.Universe.empty(120, trajectory=True)
    universe.load_new(np.array([positions for positions, _ in frames], dtype=np.float32), dimensions=BOX)
    first, second = universe.atoms[:40], universe.atoms[40:]
    theirs = InterRDF(first, second, nbins=180, range=(0.0, 9.0)).run().results.rdf
    ours = count_pairs(frames, np.arange(40), np.arange(40, 120), 9.0).g()
    assert np.allclose(ours, theirs, rtol=1e-3, atol=1e-3)


def test_face_centred_crystal_has_twelve_neighbours():
    cell, repeats = 4.0, 5
    basis = np.array([[0, 0, 0], [0.5, 0.5, 0], [0.5, 0, 0.5], [0, 0.5, 0.5]])
    corners = np.stack(np.meshgrid(*[np.arange(repeats)] * 3), axis=-1).reshape(-1, 1, 3)
    sites = ((corners + basis) * cell).reshape(-1, 3)
    generator = np.random.default_rng(1)
    frames = [(sites + generator.normal(scale=0.12, size=sites.shape), BOX) for _ in range(30)]
    everything = np.arange(len(sites))
    structure = analyse_structure(count_pairs(frames, everything, everything, 7.0))
    assert structure.peak_A.value == pytest.approx(4.0 / math.sqrt(2), abs=0.03)
    assert 3.1 < structure.minimum_A.value < 3.8
    assert structure.coordination.value == pytest.approx(12, abs=0.05)
    assert structure.contact_fraction.value == 1
    assert structure.peak_A.n_independent > 5
    assert 0 < structure.peak_A.standard_error < 0.02
    at_minimum = np.searchsorted(structure.r_A, structure.minimum_A.value)
    assert structure.running_coordination[at_minimum] == pytest.approx(12, abs=0.05)


@settings(max_examples=40, deadline=None)
@given(st.floats(2.0, 4.0), st.floats(2.0, 20.0), st.floats(0.1, 0.25))
def test_peak_of_a_gaussian_shell_is_found(position, height, width):
    r = np.arange(0.025, 10, 0.05)
    liquid = 1 / (1 + np.exp(-(r - 1.5 * position) / 0.15))
    g = height * np.exp(-((r - position) ** 2) / (2 * width**2)) + liquid
    shell = first_shell(r, g)
    assert shell.peak_A == pytest.approx(position, abs=0.02)
    assert shell.height == pytest.approx(height, rel=0.05)
    assert position < shell.minimum_A < 1.5 * position


def test_peak_of_a_skewed_shell_is_where_it_is():
    r = np.arange(0.025, 10, 0.05)
    steep = 40.0  # x^n exp(-n (x - 1)) peaks at 1 with a skew
    for position in np.linspace(2.6, 2.9, 7):
        x = r / position
        g = 3 * np.exp(6 * steep * (np.log(x) - x + 1)) + 1 / (1 + np.exp(-(r - 1.6 * position) / 0.15))
        shell = first_shell(r, g)
        assert shell.peak_A == pytest.approx(position, abs=0.002)
        assert shell.height == pytest.approx(3 * (1 + 1e-9), rel=0.01)


def made_counts(generator, frames, count=200):
    """Return pair counts of a shell at 2.8 A whose population and width of the gap behind it wander slowly."""
    edges = np.linspace(0, 8, 161)
    r = (edges[1:] + edges[:-1]) / 2
    wander = lfilter([1.0], [1.0, -0.8], 0.6 * generator.normal(size=frames + 50))[50:, None]
    shell = (3 + 0.15 * wander) * np.exp(-((r - 2.8) ** 2) / (2 * 0.15**2))
    liquid = 1 / (1 + np.exp(-(r - 4.1 - 0.03 * wander) / 0.15))
    ideal = count * (count - 1) * 4 / 3 * math.pi * np.diff(edges**3) / 6000
    counts = generator.poisson((shell + liquid + 0.05) * ideal).astype(np.uint32)
    return PairCounts(edges, counts, counts[:, None] * 0, np.full(frames, 6000.0), count, count - 1)


def test_errors_of_a_first_shell_contain_that_its_radius_is_found_from_the_data():
    rng = np.random.default_rng(8)
    runs = [analyse_structure(made_counts(rng, 60)) for _ in range(24)]
    for name in ("minimum_A", "coordination", "height"):
        values = np.array([getattr(run, name).value for run in runs])
        errors = np.array([getattr(run, name).standard_error for run in runs])
        assert np.mean(np.abs(values - values.mean()) < 1.96 * errors) > 0.8, name
        assert 0.8 < np.nanmean(errors) / values.std(ddof=1) < 2.5, name


def components(*rows):
    return [dict(zip(("name", "smiles", "count", "site_atoms"), row, strict=True)) for row in rows]


def test_sites_are_found_by_chemistry_not_by_name():
    alcohols = components(("x", "CCO", 2, [0, 1, 2, 8]), ("y", "CCC", 1, [0, 1, 2]), ("z", "COC", 1, [0, 1, 2]))
    assert find_sites(alcohols, "hydroxyl_oxygen").tolist() == [2, 6]
    assert find_sites(alcohols, "cation").tolist() == []
    salt = components(("a", "[Li+]", 2, [0]), ("b", TFSI, 1, list(range(15))), ("c", "O", 2, [0, 1, 2]))
    assert find_sites(salt, "cation").tolist() == [0, 1]
    assert find_sites(salt, "anion").tolist() == [2, 4, 7, 8]
    assert find_sites(salt, "water_oxygen").tolist() == [17, 20]
    with pytest.raises(InputError, match="Unknown role"):
        find_sites(salt, "oxygen")


def test_systems_are_sorted_into_tables_by_charge():
    smiles = {"li": "[Li+]", "tfsi": TFSI, "water": "O", "methanol": "CO"}
    assert kind_of({"li": 1, "tfsi": 1, "water": 5}, smiles) == "electrolytes"
    assert kind_of({"water": 5, "methanol": 5}, smiles) == "liquids"


def made_run(folder, rows, sites, settings=None, frames=0, memory=0.5):
    """Write the files of a run with known numbers; return their paths."""
    from moxie.dynamics.series import write_series

    count = 400
    time_ps = 0.2 * np.arange(1, count + 1)
    energy = autoregressive(count, memory, 1, mean=-3600.0)
    density = 0.78 + 0.01 * autoregressive(count, 0.5, 2)
    dipole = np.column_stack([autoregressive(count, 0.5, seed) for seed in (11, 12, 13)])
    write_series(
        np.column_stack([time_ps, energy, np.full(count, 298.0), 8.0 * 0.78 / density, density, dipole]),
        folder / "t.parquet",
    )
    facts = {
        "system": "it", "replica": 2, "force_field": "made", "force_field_sha256": "0", "n_molecules": 100,
        "n_sites": sites, "platform": "CPU", "precision": "single", "components": rows, "degrees_of_freedom": 700,
        "settings": {
            "temperature_K": 298.15, "pressure_bar": 1.0, "ensemble": "NPT", "timestep_fs": 2.0,
            "equilibration_ps": 10.0, "sampling_ps": 70.0, "frame_interval_ps": 80.0 / frames if frames else 80.0,
        } | (settings or {}),
    }  # fmt: skip
    (folder / "r.json").write_text(json.dumps(facts))
    from openmm.app.internal.xtc_utils import xtc_write_frame

    generator = np.random.default_rng(5)
    for index in range(frames):
        xtc_write_frame(
            str(folder / "t.xtc").encode(), generator.uniform(0, 2, (sites, 3)).astype(np.float32),
            (2 * np.eye(3)).astype(np.float32), np.float32(80.0 / frames * (index + 1)), np.int32(index),
        )  # fmt: skip
    return folder / "t.parquet", folder / "t.xtc", folder / "r.json"


def test_enthalpy_of_vaporisation_is_gas_minus_liquid_plus_rt(tmp_path):
    from moxie.dynamics.series import ISOLATED, write_series
    from moxie.features.schemas import DIHEDRALS, LIQUIDS, RDF
    from moxie.features.tables import check_frame

    paths = made_run(tmp_path, components(("methanol", "CO", 100, [0, 1, 5])), 300, frames=40)
    rows = np.full((3000, 3), np.nan)
    rows[:, 0], rows[:, 1] = np.arange(3000), autoregressive(3000, 0.2, 9, mean=1.5)
    write_series(rows, tmp_path / "gas.parquet", ISOLATED)
    observables, curves, dihedrals = analyse(*paths, tmp_path / "gas.parquet")
    row = check_frame(observables, LIQUIDS, "here").iloc[0]
    assert row["enthalpy_of_vaporisation_kJ_mol"] == pytest.approx(1.5 + 36 + 2.479 - 0.0048, abs=0.15)
    assert row["potential_energy_kJ_mol"] == pytest.approx(-36, abs=0.01)
    assert row["density_g_cm3"] == pytest.approx(0.78, abs=0.005)
    assert row["density_g_cm3_standard_error"] == pytest.approx(0.01 * math.sqrt(3 / 350), rel=0.4)
    assert row["equilibration_ps"] >= 10
    assert (row["replica"], row["sampled_ps"]) == (2, 80.0)
    check_frame(curves, RDF, "here")
    assert set(curves["pair"]) == {"O-O"}
    assert len(check_frame(dihedrals, DIHEDRALS, "here")) == 0  # methanol in united atoms has none


def test_a_liquid_that_is_its_own_ideal_gas_takes_nothing_to_evaporate():
    from moxie.features.liquids import _vaporisation

    thermal = 0.00831446261815324 * 298.15
    energies = 1.5 + 0.1 * autoregressive(2000, 0.2, 3)
    found = _vaporisation(298.15, mean_of(energies), energies, pressed_kJ_mol=thermal)  # pV = N kT
    assert found.value == pytest.approx(0, abs=1e-9)
    # methanol at 400 bar: 40.5 cm3/mol
    pressed = 400 * 40.5e-3 * 0.1
    under_pressure = _vaporisation(298.15, mean_of(energies), energies, pressed)
    assert under_pressure.value == pytest.approx(thermal - 1.62, abs=1e-9)


def test_without_gas_or_hydroxyl_oxygen_there_is_nothing_instead_of_a_guess(tmp_path):
    paths = made_run(tmp_path, components(("butane", "CCCC", 100, [0, 1, 2, 3])), 400, frames=5)
    observables, curves, dihedrals = analyse(*paths)
    assert math.isnan(observables["enthalpy_of_vaporisation_kJ_mol"].iloc[0])
    assert math.isnan(observables["coordination_oo"].iloc[0])
    assert set(curves["pair"]) == {"C-C"} and set(dihedrals["torsion"]) == {"backbone"}
    trans = dihedrals.loc[dihedrals["angle_deg"].abs() > 120, "probability_density_per_deg"].sum() * 5
    assert observables["backbone_trans_fraction"].iloc[0] == pytest.approx(trans)


def test_a_liquid_without_oxygen_has_the_structure_of_its_molecules_centres(tmp_path):
    acetonitrile = components(("acetonitrile", "CC#N", 100, [0, 1, 2, 3, 4, 5]))
    observables, curves, dihedrals = analyse(*made_run(tmp_path, acetonitrile, 600, frames=20))
    assert set(curves["pair"]) == {"C-C"} and len(dihedrals) == 0
    assert math.isnan(observables["coordination_oo"].iloc[0])
    assert curves["g"].iloc[-40:].mean() == pytest.approx(1.0, abs=0.05)  # random places: an ideal gas
    # one centre for each of 100 molecules in a box of 20 A, up to 10 A
    neighbours = 99 * 4 / 3 * math.pi * 10**3 / 20**3
    assert curves["running_coordination"].iloc[-1] == pytest.approx(neighbours, rel=0.05)


@pytest.mark.parametrize(
    ("smiles", "element", "index"),
    [
        ("CC#N", "C", 1),
        ("CS(C)=O", "S", 1),
        ("ClC(Cl)(Cl)Cl", "C", 1),
        ("CCCCC", "C", 2),
        ("COC", "O", 1),
        ("O", "O", 0),
    ],
)
def test_the_central_atom_is_the_middle_of_the_heavy_atoms(smiles, element, index):
    molecule = parse_smiles(smiles)
    assert central_atom(molecule) == index and molecule.GetAtomWithIdx(index).GetSymbol() == element


def test_each_of_several_components_has_its_own_dihedral_angles(tmp_path):
    rows = components(("butane", "CCCC", 40, [0, 1, 2, 3]), ("pentane", "CCCCC", 20, [0, 1, 2, 3, 4]))
    observables, _, dihedrals = analyse(*made_run(tmp_path, rows, 260, frames=20))
    wide = dihedrals.pivot(index="angle_deg", columns="torsion", values="probability_density_per_deg")
    assert set(wide) == {"backbone", "backbone (butane)", "backbone (pentane)"}
    # 40 angles of butane, 2 x 20 of pentane
    np.testing.assert_allclose(
        wide["backbone"], (wide["backbone (butane)"] + wide["backbone (pentane)"]) / 2, atol=1e-9
    )


@pytest.mark.parametrize("angle", [90.0, 89.999])  # every pair, and cell lists
def test_pairs_within_a_molecule_are_no_neighbours(angle):
    box = np.array([20.0, 20.0, 20.0, 90.0, angle, 90.0])
    # three diols in a row, O at 0 and 3, 5 and 8, 10 and 13: only 3-5 and 8-10 are of different molecules within 2.5
    places = np.array([[x, 1.0, 1.0] for x in (0.0, 3.0, 5.0, 8.0, 10.0, 13.0)])
    everything = np.arange(6)
    for molecules, neighbours in ((np.repeat(np.arange(3), 2), 4 / 6), (None, 10 / 6)):
        counts = count_pairs([(places, box)], everything, everything, 9.0, molecules)
        assert counts.coordination(3.2).item() == pytest.approx(neighbours)
    counts = count_pairs([(places, box)], everything, everything, 9.0, np.repeat(np.arange(3), 2))
    assert counts.n_neighbours == 4


@pytest.mark.parametrize("angle", [90.0, 89.999])
def test_neighbour_shares_are_those_of_a_plain_count(angle):
    rng = np.random.default_rng(4)
    positions = rng.uniform(0, 12, (6, 40, 3)).astype(np.float32)
    box = np.array([12.0, 12.0, 12.0, 90.0, angle, 90.0])
    counter = PairCounter(np.arange(10), np.arange(10, 40), 5.0, n_ranks=4)
    found = np.zeros((6, 5))
    for frame, here in enumerate(positions):
        counter.add(here, box)
        shifts = here[:10, None] - here[None, 10:]
        distances = np.linalg.norm(shifts - 12 * np.round(shifts / 12), axis=2)
        found[frame] = np.bincount(np.minimum((distances < 4.0).sum(axis=1), 4), minlength=5) / 10
    counts = counter.result()
    assert np.allclose(counts.neighbour_shares(4.0), found[:, :4], atol=1e-6 if angle == 90 else 0.11)
    assert np.allclose(counts.neighbour_shares(4.0).sum(axis=1) + found[:, 4], 1.0, atol=0.11)


def test_electrolyte_row_has_the_columns_of_its_table(tmp_path):
    from moxie.features.schemas import ELECTROLYTES
    from moxie.features.tables import check_frame

    rows = components(("a", "[Li+]", 9, [0]), ("b", TFSI, 9, list(range(15))), ("c", "O", 50, [0, 1, 2]))
    paths = made_run(tmp_path, rows, 9 + 135 + 150, {"ensemble": "NVT"}, frames=20)
    observables, curves, dihedrals = analyse(*paths)
    check_frame(observables, ELECTROLYTES, "here")
    assert set(curves["pair"]) == {"Li-Ow", "Li-O(b)"} and set(dihedrals["torsion"]) == {"backbone"}
    row = observables.iloc[0]
    for stem in ("cation_water", "cation_anion"):
        shares = np.array([row[f"{stem}_{n}_fraction"] for n in range(7)])
        assert np.isnan(shares).all() or 0.0 <= shares.sum() <= 1.0 + 1e-9
    if not math.isnan(row["cation_contact_fraction"]):
        assert row["cation_contact_fraction"] == pytest.approx(1 - row["cation_anion_0_fraction"])
    if not math.isnan(row["free_ion_fraction"]):
        parts = ("free_ion_fraction", "contact_pair_ion_fraction", "aggregate_ion_fraction")
        assert sum(row[name] for name in parts) == pytest.approx(1.0)


@pytest.mark.parametrize(("wanted_K", "refused"), [(305.0, False), (315.0, True)])
def test_a_run_at_another_temperature_is_said_or_refused(tmp_path, caplog, wanted_K, refused):
    paths = made_run(tmp_path, components(("x", "CC", 100, [0, 1])), 200, {"temperature_K": wanted_K}, frames=2)
    series = pd.read_parquet(paths[0])
    series["temperature_K"] = 298.0 + autoregressive(len(series), 0.5, 4)
    series.to_parquet(paths[0])
    message = rf"mean temperature is 298.*K where {wanted_K:g} K was asked for"
    if refused:
        with pytest.raises(InputError, match=message):
            analyse(*paths)
    else:
        analyse(*paths)
        assert re.search(message, caplog.text)


def test_little_data_is_said(tmp_path, caplog):
    paths = made_run(
        tmp_path, components(("x", "CC", 100, [0, 1])), 200, {"equilibration_ps": 50.0}, memory=0.95, frames=2
    )
    with caplog.at_level(logging.WARNING):
        analyse(*paths)
    assert "independent samples are left" in caplog.text


def test_trajectory_of_another_system_or_damaged_is_named(tmp_path):
    paths = made_run(tmp_path, components(("methanol", "CO", 100, [0, 1, 5])), 300, frames=4)
    facts = json.loads(paths[2].read_text())
    paths[2].write_text(json.dumps(facts | {"n_sites": 310}))
    with pytest.raises(InputError, match="300 sites where run.json says 310"):
        analyse(*paths)
    paths[2].write_text(json.dumps(facts))
    paths[1].write_bytes(paths[1].read_bytes()[:-100])
    with pytest.raises(InputError, match="t.xtc cannot be read"):
        analyse(*paths)


def test_time_series_is_written_with_units(tmp_path):
    import pyarrow.parquet as pq

    paths = made_run(tmp_path, components(("butane", "CCCC", 100, [0, 1, 2, 3])), 400)
    schema = pq.read_schema(paths[0])
    assert schema.field("density_g_cm3").metadata[b"unit"] == b"g/cm3"
    assert pd.read_parquet(paths[0]).shape == (400, 8)


@pytest.mark.parametrize(
    ("smiles", "density", "enthalpy"),
    [("CO", 0.78633, 38.10), ("CCO", 0.78513, 42.48), ("CCCO", 0.7995, 47.45)],
)
def test_experiment_is_found_by_smiles(smiles, density, enthalpy):
    from moxie.reference.liquids import density_reference, enthalpy_of_vaporisation_reference

    assert density_reference(smiles, 298.15).value == pytest.approx(density, abs=2e-4)
    assert enthalpy_of_vaporisation_reference(smiles, 298.15).value == pytest.approx(enthalpy, abs=0.02)


def test_experiment_is_absent_where_there_is_no_liquid_or_no_data():
    from moxie.reference.liquids import enthalpy_of_vaporisation_reference, experimental_density_g_cm3

    assert experimental_density_g_cm3("CCCC", 298.15) is None  # a gas
    assert experimental_density_g_cm3("CCCO", 298.15, 500.0) is None  # the correlation holds at low pressure
    assert experimental_density_g_cm3(TFSI, 298.15) is None
    assert enthalpy_of_vaporisation_reference("CCCO", 350.0) is None


@pytest.mark.parametrize(
    ("smiles", "expansion", "compressibility", "residual", "dielectric"),
    [("CO", 1.193e-3, 1.264, 37.2, 32.6), ("CCO", 1.095e-3, 1.164, 46.9, 24.85), ("O", 2.57e-4, 0.452, 41.7, 78.4)],
)
def test_experimental_responses_are_found_by_smiles(smiles, expansion, compressibility, residual, dielectric):
    from moxie.reference.liquids import dielectric_constant_reference, response_reference

    expected = {
        "thermal_expansion_per_K": expansion, "isothermal_compressibility_per_GPa": compressibility,
        "residual_heat_capacity_J_mol_K": residual,
    }  # fmt: skip
    found = {name: response_reference(name, smiles, 298.15) for name in expected}
    found["dielectric_constant"] = dielectric_constant_reference(smiles, 298.15)
    for name, value in (expected | {"dielectric_constant": dielectric}).items():
        assert found[name].value == pytest.approx(value, rel=2e-3)
        assert found[name].error == pytest.approx(0.02 * found[name].value, rel=0.01)
        assert found[name].source


def test_experimental_responses_are_absent_where_there_is_no_liquid_or_no_data():
    from moxie.reference.liquids import dielectric_constant_reference, response_reference

    assert response_reference("thermal_expansion_per_K", "CCCO", 298.15) is None  # no equation of state
    assert dielectric_constant_reference("CCCC", 298.15) is None  # a gas
    assert dielectric_constant_reference("CO", 298.15, 2000.0) is None  # known at low pressure only
    assert dielectric_constant_reference("CO", 320.0) is None  # beyond the polynomial


def test_trajectory_cut_short_between_frames_is_named(tmp_path):
    from MDAnalysis.lib.formats.libmdaxdr import XTCFile

    paths = made_run(tmp_path, components(("methanol", "CO", 100, [0, 1, 5])), 300, frames=8)
    with XTCFile(str(paths[1])) as stream:
        frames = list(stream)
    with XTCFile(str(paths[1]), "w") as stream:
        for frame in frames[:6]:
            stream.write(frame.x, frame.box, frame.step, frame.time)
    with pytest.raises(InputError, match=r"t.xtc is cut short: it ends at 60 ps .* goes on to 80 ps"):
        analyse(*paths)


# atoms in the order of the SMILES, hydrogens last; one site an atom
IONS = {
    "lithium": ("[Li+]", [0], "Li"),
    "sodium": ("[Na+]", [0], "Na"),
    "calcium": ("[Ca+2]", [0], "Ca"),
    "choline": ("C[N+](C)(C)CCO", [1], "choline"),
    "emim": ("CC[n+]1ccn(C)c1", [2], "emim"),  # any of the ring's atoms stands for it
}
ANIONS = {
    "chloride": ("[Cl-]", [0], "Cl"),
    "pf6": ("F[P-](F)(F)(F)(F)F", [0, 2, 3, 4, 5, 6], "F(pf6)"),
    "nitrate": ("[O-][N+](=O)[O-]", [0, 2, 3], "O(nitrate)"),
    "thiocyanate": ("[S-]C#N", [0, 2], "N,S(thiocyanate)"),
}


def ion(name, smiles):
    return {"name": name, "smiles": smiles, "count": 1, "site_atoms": list(range(parse_smiles(smiles).GetNumAtoms()))}


@pytest.mark.parametrize("name", IONS)
def test_a_cation_stands_for_its_centre_of_charge(name):
    smiles, atoms, label = IONS[name]
    found = find_sites([ion(name, smiles)], "cation").tolist()
    assert found == atoms if name != "emim" else len(found) == 1 and found[0] in (2, 3, 4, 5, 7)
    assert ions([ion(name, smiles)], 1) == {name: label} and ions([ion(name, smiles)], -1) == {}


@pytest.mark.parametrize("name", ANIONS)
def test_an_anion_coordinates_by_its_outer_atoms(name):
    smiles, atoms, label = ANIONS[name]
    assert find_sites([ion(name, smiles)], "anion").tolist() == atoms
    assert coordinating_label(ion(name, smiles)) == label
    assert find_sites([ion("x", "[Na+]"), ion(name, smiles)], "anion", "x").tolist() == []


@pytest.mark.parametrize(
    ("smiles", "atoms", "label"),
    [("O=C1OCCO1", [0], "O(x)"), ("COCCOC", [1, 4], "O(x)"), ("CC#N", [2], "N(x)"), ("CS(C)=O", [3], "O(x)")],
)
def test_a_solvent_coordinates_by_its_outer_oxygen(smiles, atoms, label):
    assert find_sites([ion("x", smiles)], "solvent").tolist() == atoms
    assert coordinating_label(ion("x", smiles)) == label


def test_water_ions_and_alkanes_are_no_solvents_of_curves():
    assert solvents([ion("x", smiles) for smiles in ("O", "[Li+]", "[Cl-]", "CCC")]) == []


def test_salt_in_water_speaks_of_its_own_ions_pair_by_pair():
    components = [
        {"name": name, "smiles": smiles, "count": count, "site_atoms": sites}
        for name, smiles, count, sites in (
            ("sodium", "[Na+]", 2, [0]), ("potassium", "[K+]", 1, [0]), ("chloride", "[Cl-]", 3, [0]),
            ("water", "O", 8, [0]),
        )
    ]  # fmt: skip
    rng = np.random.default_rng(1)
    box = np.array([12, 12, 12, 90, 90, 90], np.float32)
    boxes = [(12 * rng.random((14, 3), dtype=np.float32), box) for _ in range(40)]
    found, together, _ = _electrolyte_structure({"components": components}, boxes, 6.0)
    assert set(found) == {"Na-Ow", "Na-Cl", "K-Ow", "K-Cl"}
    assert all(structure is not None for structure in together)
