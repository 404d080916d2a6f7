import math
from dataclasses import astuple

import numpy as np
import pandas as pd
import pytest
from made_tables import liquids
from test_liquid_features import autoregressive, components

from moxie import thermodynamics as thermo
from moxie.constants import BAR_NM3_IN_KJ_MOL, GAS_CONSTANT_KJ_MOL_K
from moxie.features.dihedrals import DihedralCounter
from moxie.features.gathering import gather
from moxie.features.hydrogen_bonds import HydrogenBondCounter
from moxie.features.pooling import MOMENTS, pooled
from moxie.features.schemas import LIQUIDS
from moxie.features.site_search import find_tuples
from moxie.features.state_grid import DERIVATIVES, add_finite_differences, columns_from_grid
from moxie.features.tables import read_table, write_table
from moxie.timeseries import jackknife_mean

R = GAS_CONSTANT_KJ_MOL_K
T = 300.0


def test_ideal_gas_has_the_responses_of_an_ideal_gas():
    # constant p and T: the volume of N ideal particles follows a Gamma distribution with shape N + 1; H = pV
    n, pressure_bar = 200, 50.0
    scale = R * T / (pressure_bar * BAR_NM3_IN_KJ_MOL)
    volume = np.random.default_rng(1).gamma(n + 1, scale, 20000)
    enthalpy = pressure_bar * BAR_NM3_IN_KJ_MOL * volume
    kappa = thermo.isothermal_compressibility_per_GPa(volume, T)
    alpha = thermo.thermal_expansion_per_K(volume, enthalpy, T)
    heat = thermo.configurational_heat_capacity_J_mol_K(enthalpy, T, n)
    assert abs(kappa.value - 1e4 / pressure_bar) < 4 * kappa.standard_error
    assert abs(alpha.value - 1 / T) < 4 * alpha.standard_error
    assert abs(heat.value - 1000 * R * (n + 1) / n) < 4 * heat.standard_error
    total = thermo.heat_capacity_J_mol_K(heat, 3)  # monatomic: C_P = 5/2 R
    assert total.value == pytest.approx(2500 * R, rel=0.04)
    for mean in (kappa, alpha, heat):
        assert mean.standard_error / mean.value == pytest.approx(math.sqrt(2 / 20000), rel=0.6)


@pytest.mark.parametrize("oscillators", [1, 6])
def test_classical_oscillators_have_half_a_gas_constant_each(oscillators):
    energy = np.random.default_rng(2).gamma(oscillators / 2, R * T, 40000)
    heat = thermo.configurational_heat_capacity_J_mol_K(energy, T)
    assert abs(heat.value - 500 * R * oscillators) < 4 * heat.standard_error
    assert heat.standard_error < 0.04 * heat.value


def test_liquid_of_the_molecules_of_its_gas_has_only_the_mechanical_residual():
    energy = np.random.default_rng(3).gamma(3, R * T, 40000)
    one = thermo.configurational_heat_capacity_J_mol_K(energy, T)
    assert thermo.residual_heat_capacity_J_mol_K(one, energy, T).value == pytest.approx(-1000 * R)
    assert math.isnan(thermo.residual_heat_capacity_J_mol_K(one, None, T).value)


def test_dielectric_constant_of_a_dipole_series_of_known_fluctuation():
    volume, spread, epsilon = 15.0, 1.2, 1.0
    debye = [spread * autoregressive(8000, 0.8, seed) for seed in (1, 2, 3)]
    epsilon += 3 * spread**2 * 1.602176634e-19**2 * 1e-18 / (3 * 8.8541878128e-12 * volume * 1e-27 * 1.380649e-23 * T)
    found = thermo.dielectric_constant(np.column_stack(debye), np.full(8000, volume), T)
    assert abs(found.value - epsilon) < 4 * found.standard_error
    assert found.standard_error < 0.15 * epsilon


def test_short_runs_have_the_right_dielectric_constant_on_average_but_no_error():
    volume, memory = 15.0, math.exp(-1 / 200)  # a fifth of the run
    scale = 1.602176634e-19**2 * 1e-18 / (8.8541878128e-12 * volume * 1e-27 * 1.380649e-23 * T)
    found = [
        thermo.dielectric_constant(
            np.column_stack([autoregressive(1000, memory, 3 * seed + axis) for axis in range(3)]),
            np.full(1000, volume), T,
        )
        for seed in range(60)
    ]  # fmt: skip
    values = np.array([mean.value for mean in found])
    assert values.mean() == pytest.approx(1 + scale, abs=3 * values.std() / math.sqrt(60))  # about the mean: 0.68 of it
    assert np.mean([math.isnan(mean.standard_error) for mean in found]) > 0.8


def test_moments_pooled_about_the_common_mean_are_those_of_the_joined_series():
    rng = np.random.default_rng(3)
    volumes, enthalpies = rng.normal(14, 0.3, (5, 40)), rng.normal(-8000, 90, (5, 40))
    pooled = thermo.Moments.pooled([thermo.Moments.of(*run) for run in zip(volumes, enthalpies, strict=True)])
    joined = thermo.Moments.of(volumes.ravel(), enthalpies.ravel())
    np.testing.assert_allclose(astuple(pooled), astuple(joined), rtol=1e-9)


def test_response_functions_of_replicas_are_pooled_without_the_bias_of_short_runs():
    count, replicas, memory = 150, 8, 0.95  # g = 39: a run has four independent samples
    kappa, bias = [], []
    for study in range(40):
        rows = []
        for replica in range(replicas):
            volume = 14 + 0.25 * autoregressive(count, memory, 1000 * study + replica)
            moments = thermo.Moments.of(volume, -8000 + 300 * (volume - 14))
            row = dict(zip(MOMENTS, astuple(moments), strict=True)) | {"temperature_K": T, "n_molecules": 216}
            row["isothermal_compressibility_per_GPa"] = moments.isothermal_compressibility_per_GPa(T)
            rows.append(row)
        runs = pd.DataFrame(rows)
        kappa.append(pooled(runs, "isothermal_compressibility_per_GPa"))
        bias.append(runs["isothermal_compressibility_per_GPa"].mean())
    exact = 0.25**2 / 14 * 1e-18 / (1.380649e-23 * T)
    values = np.array([found.value for found in kappa])
    errors = np.array([found.standard_error for found in kappa])
    assert np.mean(bias) < 0.85 * exact
    assert values.mean() == pytest.approx(exact, abs=3 * values.std() / math.sqrt(len(values)))
    t_of_seven = 2.365
    assert np.mean(np.abs(values - exact) < t_of_seven * errors) > 0.85


def test_error_and_bias_of_a_variance_of_correlated_samples():
    # n = 400 with g = 9 biases the plain variance by -g/n = -2.2 %; the jackknife takes that out, and knows its error
    means = [
        jackknife_mean(autoregressive(400, 0.8, seed)[:, None], lambda columns: float(columns.var()))
        for seed in range(150)
    ]
    values = np.array([mean.value for mean in means])
    errors = np.array([mean.standard_error for mean in means])
    assert values.mean() == pytest.approx(1, abs=3 * values.std() / math.sqrt(150))
    assert 0.8 < np.nanmean(errors) / values.std() < 1.7
    assert np.mean(np.abs(values - 1) < 1.96 * errors) > 0.88


def test_too_short_a_series_gives_no_error():
    assert math.isnan(thermo.isothermal_compressibility_per_GPa(np.linspace(1, 2, 40), T).standard_error)


def grid(temperatures, pressures, alpha=1e-3, kappa_per_GPa=1.0):
    rows = []
    for temperature in temperatures:
        for pressure in pressures:
            row = liquids([temperature]).iloc[0].to_dict()
            density = 0.8 * math.exp(-alpha * (temperature - 300) + kappa_per_GPa * 1e-4 * (pressure - 1))
            row |= {"pressure_bar": pressure, "density_g_cm3": density, "density_g_cm3_standard_error": 1e-3 * density}
            row |= {"enthalpy_kJ_mol": -30 + 0.1 * (temperature - 300), "enthalpy_kJ_mol_standard_error": 0.05}
            rows.append(row)
    return pd.DataFrame(rows)


def test_differences_over_a_grid_are_the_derivatives_of_the_equation_of_state_put_in():
    table = add_finite_differences(grid([280.0, 300.0, 330.0], [1.0, 500.0, 2000.0]))
    middle = table[table["temperature_K"] == 300.0]
    assert np.allclose(middle["thermal_expansion_from_grid_per_K"], 1e-3)
    assert np.allclose(middle["heat_capacity_from_grid_J_mol_K"], 100.0)
    assert table.loc[table["temperature_K"] != 300.0, "thermal_expansion_from_grid_per_K"].isna().all()
    assert np.allclose(table.loc[table["pressure_bar"] == 500.0, "isothermal_compressibility_from_grid_per_GPa"], 1.0)
    assert table.loc[table["pressure_bar"] != 500.0, "isothermal_compressibility_grid_z"].isna().all()


def test_errors_of_differences_are_propagated_and_compared():
    row = add_finite_differences(grid([290.0, 300.0, 310.0], [1.0])).iloc[1]
    error = math.sqrt(2) * 1e-3 / 20
    assert row["thermal_expansion_from_grid_per_K_standard_error"] == pytest.approx(error)
    z = (row["thermal_expansion_per_K"] - 1e-3) / math.hypot(error, row["thermal_expansion_per_K_standard_error"])
    assert row["thermal_expansion_grid_z"] == pytest.approx(z)
    assert math.isnan(row["isothermal_compressibility_from_grid_per_GPa"])


def test_neighbours_are_of_the_same_replica_system_and_ensemble():
    table = grid([290.0, 300.0, 310.0], [1.0])
    for column, value in (
        ("replica", 1), ("system", "other"), ("ensemble", "NVT"), ("force_field_sha256", 64 * "b"),
    ):  # fmt: skip
        changed = table.astype({column: object}).copy()
        changed.loc[2, column] = value
        filled = add_finite_differences(changed)
        assert filled["thermal_expansion_from_grid_per_K"].isna().all()
    assert set(columns_from_grid()) <= set(LIQUIDS.column_names)
    assert all(item.partner in table for item in DERIVATIVES)


def test_gathered_liquids_hold_the_columns_of_the_grid(tmp_path):
    table = grid([290.0, 300.0, 310.0], [1.0])
    for index in range(3):
        write_table(table.iloc[[index]], tmp_path / f"{index}.parquet", LIQUIDS)
    gather([tmp_path / f"{index}.parquet" for index in range(3)], "liquids", tmp_path / "all.parquet")
    assert read_table(tmp_path / "all.parquet", LIQUIDS)["thermal_expansion_from_grid_per_K"].notna().tolist() == [
        False, True, False,
    ]  # fmt: skip


BOX = np.array([30.0, 30, 30, 90, 90, 90], dtype=np.float32)


def test_populations_of_dihedrals_made_by_hand():
    angles = np.radians([180, -179, 121, 119, 60, -60, 0, -121])
    sites = np.arange(32).reshape(8, 4)
    positions = np.zeros((32, 3))
    for number, angle in enumerate(angles):
        corners = [[1, 0, 0], [0, 0, 0], [0, 0, 1], [math.cos(angle), math.sin(angle), 1]]
        positions[sites[number]] = np.array(corners) + 29.5  # across the edge of the box
    counter = DihedralCounter(sites)
    counter.add(positions, BOX)
    counter.add(np.mod(positions, 30.0), BOX)
    assert counter.result().trans_fraction.value == 0.5


def test_dihedrals_and_donors_are_found_by_chemistry():
    ethanol = components(("x", "CCO", 2, [0, 1, 2, 8]))  # united atoms and the hydroxyl hydrogen
    assert find_tuples(ethanol, "[#6]-[CX4]-!@[OX2;+0]-[#1]").tolist() == [[0, 1, 2, 3], [4, 5, 6, 7]]
    assert find_tuples(ethanol, "[#7,#8]-[#1]").tolist() == [[2, 3], [6, 7]]
    assert find_tuples(components(("m", "CO", 1, [0, 1, 5])), "[#6]-[CX4]-!@[OX2;+0]-[#1]").shape == (0, 4)


def test_a_hydrogen_bond_needs_distance_and_angle():
    # donor O at the origin, H along x; acceptors of other molecules at some distance and angle
    donors, acceptors, molecules = np.array([[0, 1]]), np.array([0, 2]), np.array([0, 0, 1])
    counter = HydrogenBondCounter(donors, acceptors, molecules)
    for distance, degrees in ((2.8, 0), (2.8, 29), (2.8, 31), (3.45, 10), (3.55, 10)):
        angle = math.radians(degrees)
        acceptor = [distance * math.cos(angle), distance * math.sin(angle), 0]
        counter.add(np.array([[0, 0, 0], [0.95, 0, 0], acceptor]), BOX)
    assert counter.counts == [1, 1, 0, 1, 0]
    same = HydrogenBondCounter(donors, acceptors, np.array([0, 0, 0]))
    same.add(np.array([[0, 0, 0], [0.95, 0, 0], [2.8, 0, 0]]), BOX)
    assert same.counts == [0]


def test_hydrogen_bonds_agree_with_mdanalysis():
    import MDAnalysis
    from MDAnalysis.analysis.hydrogenbonds import HydrogenBondAnalysis

    generator = np.random.default_rng(4)
    count, edge = 512, 25.6
    lattice = 3.2 * np.stack(np.meshgrid(*[np.arange(8)] * 3), axis=-1).reshape(-1, 3)
    oxygen = lattice + generator.normal(scale=0.3, size=(count, 3))
    box = np.array([edge, edge, edge, 90, 90, 90], dtype=np.float32)
    hydrogens = oxygen[:, None] + 0.96 * _directions(generator, (count, 2))
    positions = np.concatenate([oxygen[:, None], hydrogens], axis=1).reshape(-1, 3)
    universe = MDAnalysis.Universe.empty(3 * count, trajectory=True)
    universe.add_TopologyAttr("names", ["O", "H", "H"] * count)
    universe.add_TopologyAttr("bonds", [(3 * i, 3 * i + k) for i in range(count) for k in (1, 2)])
    universe.load_new(positions[None].astype(np.float32), dimensions=box)
    theirs = HydrogenBondAnalysis(
        universe, hydrogens_sel="name H", acceptors_sel="name O", d_a_cutoff=3.5, d_h_a_angle_cutoff=0
    )  # its angle is at the hydrogen, ours at the donor
    found = theirs.run().results.hbonds[:, 1:4].astype(int)  # donor, hydrogen, acceptor
    first = 3 * np.arange(count)
    donors = np.stack([np.repeat(first, 2), np.setdiff1d(np.arange(3 * count), first)], axis=1)
    counter = HydrogenBondCounter(donors, first, np.arange(3 * count) // 3)
    counter.add(positions, box)
    corners = (positions[found[:, column]].astype(np.float32) for column in (1, 0, 2))
    donor_angle = MDAnalysis.lib.distances.calc_angles(*corners, box=box)
    assert counter.counts[0] == int((donor_angle < math.pi / 6).sum()) > 20


def _directions(generator, shape):
    vectors = generator.normal(size=(*shape, 3))
    return vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)
