"""Ionic conductivity of made ions whose conductivity is known: independent, opposed, and bound in pairs."""

import logging

import numpy as np
import pandas as pd
import pytest

from moxie.errors import InputError
from moxie.features.conductivity import ionic_conductivity, ionicity, nernst_einstein_conductivity
from moxie.features.diffusion import self_diffusion
from moxie.features.schemas import TRANSPORT, TRANSPORT_CURVES
from moxie.features.tables import check_frame, write_table
from moxie.features.transport import analyse_transport
from moxie.io import read_json, write_json
from moxie.timeseries import Mean

EDGE_NM, TEMPERATURE_K, INTERVAL_PS, D_NM2_PS = 2.0, 298.15, 1.0, 3e-4
STATE = (EDGE_NM**3, TEMPERATURE_K)
N, FRAMES = 12, 500


def walk(rng, n=N, d_nm2_ps=D_NM2_PS):
    return np.cumsum(rng.normal(0, np.sqrt(2 * d_nm2_ps * INTERVAL_PS), (FRAMES, n, 3)), axis=0)


def rattling(rng, n, amplitude_nm, correlation=0.8):
    """Stationary fluctuation about zero that is forgotten after a few frames."""
    place = np.zeros((FRAMES, n, 3))
    for frame in range(1, FRAMES):
        kick = amplitude_nm * np.sqrt(1 - correlation**2)
        place[frame] = correlation * place[frame - 1] + rng.normal(0, kick, (n, 3))
    return place


def ratio_of(cations, anions):
    """Ionicity from legs of paths (n_frames, n, 3)."""
    moved = [plus.sum(axis=1) - minus.sum(axis=1) for plus, minus in zip(cations, anions, strict=True)]
    species = [(N, z, self_diffusion(legs, INTERVAL_PS).coefficient) for z, legs in ((1, cations), (-1, anions))]
    collective = ionic_conductivity(moved, INTERVAL_PS, *STATE)
    return ionicity(collective, nernst_einstein_conductivity(species, *STATE))


def test_nernst_einstein_of_the_deposited_diffusion_coefficients():
    # 9 Li+ and 9 TFSI- at 298 K in 15.4361 x 15.3940 x 15.4380 A: 4.49 S/m from 2.42 and 0.51e-10 m2/s
    species = [(9, 1, Mean(2.42e-10, 0.39e-10, 4)), (9, -1, Mean(0.51e-10, 0.08e-10, 4)), (50, 0, Mean(5e-10, 0.0, 4))]
    found = nernst_einstein_conductivity(species, 1.54361 * 1.53940 * 1.54380, 298.0)
    assert found.value == pytest.approx(4.49, abs=0.01)
    assert found.standard_error == pytest.approx(4.49 * (0.39 + 0.08) / 2.93, rel=5e-3)  # as if they erred alike


def test_independent_ions_have_the_conductivity_of_nernst_and_einstein():
    rng = np.random.default_rng(1)
    ratios = [ratio_of(*([walk(rng) for _ in range(3)] for _ in range(2))) for _ in range(8)]
    deviations = np.array([(ratio.value - 1) / ratio.standard_error for ratio in ratios])
    assert np.median([ratio.standard_error for ratio in ratios]) < 0.4
    assert np.abs(deviations).max() < 3.5 and abs(deviations.mean()) < 3 / np.sqrt(8)


def test_ions_of_opposite_paths_conduct_twice_as_well():
    rng = np.random.default_rng(2)
    legs = [walk(rng) for _ in range(4)]
    ratio = ratio_of(legs, [-leg for leg in legs])
    assert ratio.standard_error < 0.8 and ratio.value == pytest.approx(2.0, abs=3 * ratio.standard_error)


def test_rigid_neutral_pairs_do_not_conduct():
    rng = np.random.default_rng(3)
    legs = [walk(rng) for _ in range(2)]
    ratio = ratio_of(legs, [leg + 0.3 for leg in legs])
    assert (ratio.value, ratio.standard_error) == (0.0, 0.0)


def test_pairs_that_rattle_and_turn_hardly_conduct():
    rng = np.random.default_rng(4)
    legs = [walk(rng) for _ in range(3)]
    ratio = ratio_of(legs, [leg + rattling(rng, N, 0.05) for leg in legs])
    assert 0 <= ratio.value < 0.15


def test_the_error_reaches_down_to_zero_where_nothing_conducts():
    rng = np.random.default_rng(4)
    moved = [rattling(rng, N, 0.05).sum(axis=1) for _ in range(3)]
    found = ionic_conductivity(moved, INTERVAL_PS, *STATE)
    exact = nernst_einstein_conductivity([(2 * N, 1, Mean(D_NM2_PS * 1e-6, 0.0, 1.0))], *STATE).value
    assert found.value - 2.5 * found.standard_error < 0 and found.standard_error < 0.05 * exact


def test_runs_that_differ_for_longer_than_a_leg_widen_the_error():
    rng = np.random.default_rng(6)
    paces = np.repeat([0.4, 1.0, 1.6], 2)  # of three runs with two legs each
    walks = [walk(rng).sum(axis=1) for _ in paces]
    legs = [np.sqrt(pace) * leg for pace, leg in zip(paces, walks, strict=True)]
    alike = ionic_conductivity(walks, INTERVAL_PS, *STATE)
    apart = ionic_conductivity(legs, INTERVAL_PS, *STATE, runs=[0, 0, 1, 1, 2, 2])
    assert apart.standard_error > 1.5 * alike.standard_error
    assert apart.standard_error == pytest.approx(apart.value * 0.6 / np.sqrt(3), rel=0.5)
    assert apart.n_independent in (3, 6) and alike.n_independent > 100  # runs, or legs


def test_rattling_of_free_ions_does_not_count():
    rng = np.random.default_rng(5)
    cations, anions = ([walk(rng) + rattling(rng, N, 0.03) for _ in range(4)] for _ in range(2))
    moved = [plus.sum(axis=1) - minus.sum(axis=1) for plus, minus in zip(cations, anions, strict=True)]
    found = ionic_conductivity(moved, INTERVAL_PS, *STATE)
    first_step = np.mean([(np.diff(leg, axis=0) ** 2).mean() for leg in moved]) / (2 * N * 2 * D_NM2_PS)
    exact = nernst_einstein_conductivity([(2 * N, 1, Mean(D_NM2_PS * 1e-6, 0.0, 1.0))], *STATE).value
    assert first_step > 1.5  # what neighbouring frames would say
    assert found.value == pytest.approx(exact, abs=3 * found.standard_error)
    assert found.standard_error < 0.8 * exact


@pytest.mark.slow
@pytest.mark.parametrize("amplitude_nm", [0.0, 0.05])
def test_error_covers_the_truth_as_often_as_it_says(amplitude_nm):
    rng = np.random.default_rng(9)
    exact = nernst_einstein_conductivity([(1, 1, Mean(D_NM2_PS * 1e-6, 0.0, 1.0))], *STATE).value
    found = [
        ionic_conductivity([(walk(rng, 1) + rattling(rng, 1, amplitude_nm))[:, 0]], INTERVAL_PS, *STATE)
        for _ in range(40)
    ]
    deviations = np.array([(mean.value - exact) / mean.standard_error for mean in found])
    assert abs(deviations.mean()) < 1
    assert np.mean(np.abs(deviations) < 1) > 0.45 and np.mean(np.abs(deviations) < 2) > 0.8


def test_paths_that_are_too_short_are_refused():
    with pytest.raises(InputError, match="2 legs of 9 ps.* too short for a conductivity.*transport.length_ps"):
        ionic_conductivity([walk(np.random.default_rng(6))[:10, 0] for _ in range(2)], 1.0, *STATE)


def leg_files(folder, rng, length_ps):
    """Files of a leg of Li+ and Cl- that walk in a box, one frame each ps, positions folded into the box."""
    from MDAnalysis.lib.formats.libmdaxdr import XTCFile

    folder.mkdir()
    paths = np.concatenate([walk(rng), walk(rng, d_nm2_ps=2 * D_NM2_PS)], axis=1)[:length_ps]
    with XTCFile(str(folder / "trajectory.xtc"), "w") as stream:
        for frame, x in enumerate(paths):
            stream.write((x % EDGE_NM).astype(np.float32), np.float32(EDGE_NM) * np.eye(3, dtype=np.float32),
                         frame, float(frame), 1000.0)  # fmt: skip
    pressures = {f"pressure_{name}_bar": rng.normal(0, 300, 4) for name in ("xy", "xz", "yz", "xx_yy", "zz")}
    pd.DataFrame({"time_ps": 1.0 + np.arange(4), **pressures}).to_parquet(folder / "timeseries.parquet")
    ions = [("lithium", "[Li+]", 6.94), ("chloride", "[Cl-]", 35.45)]
    write_json(folder / "run.json", {
        "system": "salt", "replica": 0, "force_field_sha256": "0",
        "force_field": "made", "edge_nm": EDGE_NM, "mean_temperature_K": TEMPERATURE_K,
        "energy_drift_kJ_mol_ns_per_degree": 0.0, "settings": {"temperature_K": TEMPERATURE_K, "pressure_bar": 1.0},
        "transport": {"length_ps": float(length_ps), "timestep_fs": 1.0, "stress_interval_fs": 1000.0,
                      "frame_interval_ps": 1.0},
        "components": [{"name": name, "smiles": smiles, "count": N, "site_masses_amu": [mass]}
                       for name, smiles, mass in ions],
    })  # fmt: skip
    return [folder / name for name in ("timeseries.parquet", "trajectory.xtc", "run.json")]


def test_leg_cut_short_between_frames_is_named(tmp_path):
    files = [leg_files(tmp_path / str(leg), np.random.default_rng(8), length) for leg, length in enumerate((90, 60))]
    files[1][2].write_bytes(files[0][2].read_bytes())  # it was to be 90 ps long
    with pytest.raises(InputError, match=r"1/trajectory.xtc is cut short: it ends at 59 ps .* goes on to 90 ps"):
        analyse_transport(*zip(*files, strict=True))


def test_legs_of_two_variants_of_a_force_field_are_not_joined(tmp_path):
    files = [leg_files(tmp_path / str(leg), np.random.default_rng(8), 90) for leg in range(2)]
    files[1][2].write_text(files[1][2].read_text().replace('"force_field_sha256": "0"', '"force_field_sha256": "1"'))
    with pytest.raises(InputError, match=r"1/run.json and .*0/run.json differ in force_field_sha256.*Delete"):
        analyse_transport(*zip(*files, strict=True))


def test_the_table_of_an_electrolyte_has_its_conductivity(tmp_path, caplog):
    rng = np.random.default_rng(7)
    files = list(zip(*(leg_files(tmp_path / str(leg), rng, FRAMES) for leg in range(3)), strict=True))
    with caplog.at_level(logging.WARNING):
        table, curves = analyse_transport(*files)
    check_frame(curves, TRANSPORT_CURVES, "here")
    assert set(curves["value_n_independent"]) == {3}
    write_table(table, tmp_path / "transport.parquet", TRANSPORT)
    assert "The stress was sampled every 1000 fs" in caplog.text and table["viscosity_mPa_s"].isna().all()
    assert table["remarks"].str.contains("use a shorter transport.stress_interval_fs").all()
    first, second = table.to_dict("records")
    assert first["conductivity_S_m"] == second["conductivity_S_m"] > 0
    # the frame of the centre of mass slows the ions by their share of the mass, which does not change the current
    exact = nernst_einstein_conductivity([(N, 1, Mean(3 * D_NM2_PS * 1e-6, 0.0, 1.0))], *STATE).value
    assert first["conductivity_S_m"] == pytest.approx(exact, abs=3.5 * first["conductivity_S_m_standard_error"])
    assert first["nernst_einstein_conductivity_S_m"] == pytest.approx(exact, rel=0.15)
    # two species about their centre of mass: sum_j m_j L_ij = 0, so that t+ is the anions' share of the mass
    mass = [row["site_masses_amu"][0] for row in read_json(files[2][0])["components"]]
    share = first["transference_number_barycentric"], second["transference_number_barycentric"]
    assert share == pytest.approx((mass[1] / sum(mass), mass[0] / sum(mass)), rel=1e-3)
    assert first["onsager_with_anions_mol2_J_m_s"] == pytest.approx(second["onsager_with_cations_mol2_J_m_s"])
    assert np.isnan(first["transference_number_solvent"]) and np.isnan(first["onsager_with_neutral_mol2_J_m_s"])
    names = ("nernst_einstein_transference_number", "transference_number_barycentric")
    assert [sum(table[name]) for name in names] == pytest.approx([1, 1])
    assert abs(first["ionicity"] - 1) < 3.5 * first["ionicity_standard_error"]
