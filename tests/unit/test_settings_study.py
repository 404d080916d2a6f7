"""The study of settings: what its points measure, what it recommends and why, and what it refuses."""

import logging
import os
import sys
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from killing import kill_once
from made_tables import settings_study
from scipy.signal import lfilter
from test_config import DEFAULT, merged

from moxie.constants import GAS_CONSTANT_KJ_MOL_K
from moxie.dynamics.energy_drift import drift_of
from moxie.dynamics.engine import Engine
from moxie.dynamics.execution import Execution
from moxie.dynamics.force_fields import load_force_field
from moxie.dynamics.platforms import PlatformChoice, choose_platform
from moxie.dynamics.protocol import RunSettings
from moxie.dynamics.settings_study import (
    Point,
    _Curvature,
    configurational_temperature,
    points,
    scaled_composition,
    simulate_point,
)
from moxie.dynamics.simulation import periodic_model
from moxie.dynamics.systems import site_positions_nm
from moxie.errors import InputError
from moxie.features.recommended_settings import recommend
from moxie.features.schemas import SETTINGS_STUDY
from moxie.features.tables import write_table
from moxie.io import read_json, sha256
from moxie.structures.boxes import pack
from moxie.structures.molecules import embed
from moxie.study import Study

BASE = {"timestep_fs": 4.0, "hydrogen_mass_amu": 3.0, "n_molecules": 216, "cutoff_nm": 1.0}


def judged(change=None, percent=0.2, drift=0.1, base=BASE):
    table = settings_study()
    if change:
        change(table)
    return recommend(table, base, percent, drift)


def at(table, timestep_fs, mass):
    heavy = table["hydrogen_mass_amu"].fillna(0.0) == (mass or 0.0)
    return (table["timestep_fs"] == timestep_fs) & heavy & (table["n_molecules"] == 216)


def test_the_longest_step_that_agrees_the_smallest_box_and_the_shortest_cutoff_are_recommended():
    found = judged()
    series = found["series"]
    assert series["timestep"]["reference"]["timestep_fs"] == 0.5
    assert series["timestep"]["reference"]["hydrogen_mass_amu"] is None
    assert series["timestep"]["recommended"]["timestep_fs"] == 5.0
    assert series["timestep"]["recommended"]["hydrogen_mass_amu"] == 3.0
    assert series["molecules"]["recommended"]["n_molecules"] == 216
    assert series["cutoff"]["recommended"]["cutoff_nm"] == 1.0
    assert (found["force_field"], found["force_field_sha256"]) == ("trappe_ua", 64 * "0")
    rejected = {
        (row["timestep_fs"], row["hydrogen_mass_amu"]): row["reasons"] for row in series["timestep"]["rejected"]
    }
    assert rejected.keys() == {(4.0, None), (5.0, None)}
    assert "density off by -0.51 %" in rejected[4.0, None][0] and rejected[5.0, None] == ["the run blew up"]
    assert "5 fs with hydrogens of 3 amu" in found["sentence"] and "225 instead of 22.5 ns/day" in found["sentence"]


def test_of_one_step_true_masses_are_preferred():
    def mend(table):
        table.loc[at(table, 4.0, None), "density_g_cm3"] = 0.784
        table.loc[at(table, 5.0, 3.0), "density_g_cm3"] = 0.780

    best = judged(mend)["series"]["timestep"]["recommended"]
    assert (best["timestep_fs"], best["hydrogen_mass_amu"]) == (4.0, None)


@pytest.mark.parametrize(
    ("column", "value", "reason"),
    [
        ("density_g_cm3", 0.7855, "density"),  # 2.7 standard errors, 0.19 %
        ("kinetic_temperature_K", 299.3, "kinetic"),
        ("configurational_temperature_K", 300.0, "configurational"),
        ("energy_drift_kJ_mol_ns", -0.11, "drift"),
        ("density_g_cm3_standard_error", np.nan, "without a standard error"),
    ],
)
def test_each_condition_alone_rejects_a_step(column, value, reason):
    def spoil(table):
        table.loc[at(table, 5.0, 3.0), column] = value

    series = judged(spoil)["series"]["timestep"]
    assert series["recommended"]["timestep_fs"] == 4.0
    reasons = next(row["reasons"] for row in series["rejected"] if row["hydrogen_mass_amu"] == 3.0)
    assert len(reasons) == 1 and reason in reasons[0]


def test_large_errors_do_not_make_a_large_difference_acceptable():
    def spoil(table):
        table.loc[at(table, 5.0, 3.0), ["density_g_cm3", "density_g_cm3_standard_error"]] = [0.780, 0.01]

    assert judged(spoil)["series"]["timestep"]["recommended"]["timestep_fs"] == 4.0


def test_where_nothing_qualifies_nothing_is_recommended():
    def drifting(table):
        table["energy_drift_kJ_mol_ns"] = 0.5

    found = judged(drifting)
    assert found["series"]["timestep"]["recommended"] is None
    assert "No time step can be recommended" in found["sentence"] and "drift +0.5" in found["sentence"]

    def reference_broke(table):
        table.loc[at(table, 0.5, None), "failure"] = "it blew up"

    assert judged(reference_broke)["series"]["timestep"]["recommended"] is None


def test_the_reference_alone_is_said_to_be_needed_and_a_coarse_study_to_be_coarse():
    def apart(table):
        table.loc[table["n_molecules"] == 216, "density_g_cm3"] += 0.01
        table["density_g_cm3_standard_error"] = 0.002

    sentence = judged(apart)["sentence"]
    assert "No box cheaper than 512 molecules agrees" in sentence and "densities apart by 0.7 % only" in sentence


def test_a_table_of_another_study_is_refused():
    with pytest.raises(InputError, match="no row"):
        judged(base=BASE | {"n_molecules": 64})


def wandering(random, count, walk, noise, memory):
    """Return a made-up energy: a random walk and stationary noise with a memory."""
    return walk * np.cumsum(random.normal(size=count)) + noise * lfilter(
        [1.0], [1.0, -memory], random.normal(size=count)
    )


@pytest.mark.parametrize(
    ("count", "walk", "noise", "memory"),
    [(100, 1, 0, 0), (400, 1, 0, 0), (400, 0, 1, 0), (400, 0, 1, 0.8), (400, 0.3, 2, 0.6), (400, 0.1, 2, 0.5)],
)
def test_error_of_a_drift_covers_the_truth_of_walks_of_noise_and_of_both(count, walk, noise, memory):
    random = np.random.default_rng(1)
    time_ps = 0.05 * np.arange(1, count + 1)
    found = np.array(
        [drift_of(time_ps, 0.1 * time_ps + wandering(random, count, walk, noise, memory), 50) for _ in range(150)]
    )
    deviations = (found[:, 0] - 2.0) / found[:, 1]
    assert 0.88 < np.mean(np.abs(deviations) < 1.96)  # 0.95 but for 4 standard deviations of 150 draws
    assert abs(deviations.mean()) < 4 / np.sqrt(150)
    if not noise:  # the error of a walk is its way from end to end: a straight line would claim a third of it
        assert found[:, 1].mean() == pytest.approx(20 / np.sqrt(count) / 0.05, rel=0.25)


def test_drift_of_a_straight_line_is_its_slope_per_degree_of_freedom():
    time_ps = 0.05 * np.arange(1, 301)
    drift, error = drift_of(time_ps, 3.0 + 0.1 * time_ps, 50)
    assert drift == pytest.approx(2.0) and error < 1e-6
    assert drift_of(time_ps, np.full(300, -7.0), 50) == pytest.approx((0.0, 0.0), abs=1e-6)


def test_configurational_temperature_of_harmonic_wells():
    random, stiffness, wells = np.random.default_rng(2), 500.0, 300
    places = random.normal(scale=np.sqrt(GAS_CONSTANT_KJ_MOL_K * 310 / stiffness), size=(2000, wells))
    squared = ((stiffness * places) ** 2).sum(axis=1)
    found = configurational_temperature(squared, np.full(2000, stiffness * wells))
    assert abs(found.value - 310) < 4 * found.standard_error < 4


def methanol_box():
    return pack({"methanol": embed("CO")}, {"methanol": 48}, {"methanol": "CO"}, seed=2)


@pytest.fixture(scope="module")
def box():
    return methanol_box()


SHORT = RunSettings(
    298.15, cutoff_nm=0.6, timestep_fs=4.0, hydrogen_mass_amu=3.0, equilibration_ps=2.0, sampling_ps=8.0,
    sample_interval_ps=0.1,
)  # fmt: skip
LONGER = replace(SHORT, sampling_ps=16.0)
CONSERVED = 417  # energies in 20 ps, one every 12 steps of 4 fs


def test_the_curvature_is_that_of_the_energy(box):
    model = periodic_model(box, SHORT)
    positions = site_positions_nm(model, box)
    choice = choose_platform(model.system, positions, "CPU")
    curvature = _Curvature(model, choice, 1)
    vectors = np.eye(3) * box.edge_A / 10
    estimates = np.array([curvature.at(positions, vectors) for _ in range(60)])
    assert np.ptp(estimates[:, 0]) == 0.0
    trace, step = 0.0, 2e-4
    for molecule in range(48):
        for axis in range(3):
            shift = np.zeros((48, 3))
            shift[molecule, axis] = step
            moved = curvature._centres.to_sites(shift)
            behind, ahead = (curvature._forces(positions + sign * moved)[molecule, axis] for sign in (-1, 1))
            trace += (behind - ahead) / (2 * step)
    error = estimates[:, 1].std() / np.sqrt(len(estimates))
    assert abs(estimates[:, 1].mean() - trace) < 4 * error < 0.5 * abs(trace)


@pytest.mark.parametrize(
    ("smiles", "force_field"), [("CO", "trappe_ua"), ("O", "tip4p_2005")], ids=["sites of mass", "a massless site"]
)
def test_force_on_a_molecule_is_the_slope_of_the_energy(smiles, force_field):
    """OpenMM lists the force on a massless site beside what it hands on of it to the atoms."""
    packed = pack({"it": embed(smiles, "it")}, {"it": 48}, {"it": smiles}, seed=3)
    model = periodic_model(packed, replace(SHORT, force_field=force_field, cutoff_nm=0.45))
    curvature = _Curvature(model, PlatformChoice("Reference", "double", {}), 1)
    positions, step = site_positions_nm(model, packed), 1e-4
    curvature._context.setPeriodicBoxVectors(*(np.eye(3) * packed.edge_A / 10))
    found = curvature._forces(positions)
    for molecule, axis in ((0, 0), (7, 1), (47, 2)):
        shift = np.zeros((48, 3))
        shift[molecule, axis] = step
        energies = []
        for sign in (-1, 1):
            curvature._context.setPositions(positions + sign * curvature._centres.to_sites(shift))
            energies.append(curvature._context.getState(energy=True).getPotentialEnergy()._value)
        assert found[molecule, axis] == pytest.approx((energies[0] - energies[1]) / (2 * step), rel=1e-3, abs=2.0)


def point_of(box, folder, settings=SHORT, nve_ps=2.0, **execution):
    execution = Execution(folder / "checkpoint", platform="CPU", **execution)
    return simulate_point(box, settings, nve_ps, system="methanol", seed=3, execution=execution)


def test_a_point_gives_a_whole_row(box, tmp_path):
    row = point_of(box, tmp_path)
    write_table(pd.DataFrame([row]), tmp_path / "row.parquet", SETTINGS_STUDY)
    assert row["force_field_sha256"] == sha256(load_force_field("trappe_ua").path)
    assert row["failure"] == "" and 0.6 < row["density_g_cm3"] < 0.95
    for kind in ("kinetic", "configurational"):
        name = f"{kind}_temperature_K"
        assert abs(row[name] - 298.15) < 5 * row[f"{name}_standard_error"] < 100
    assert np.isfinite(row["energy_drift_kJ_mol_ns"]) and row["ns_per_day"] > 0


def test_a_point_that_blows_up_is_a_row_too(box, tmp_path, monkeypatch, caplog):
    def explode(*_):
        raise InputError("The simulation failed after step 7.")

    monkeypatch.setattr("moxie.dynamics.engine.Engine.advance", explode)
    with caplog.at_level(logging.WARNING):
        row = point_of(box, tmp_path)
    write_table(pd.DataFrame([row]), tmp_path / "row.parquet", SETTINGS_STUDY)
    assert row["failure"] == "The simulation failed after step 7." in caplog.text
    assert np.isnan(row["density_g_cm3"])


CHILD = """
import sys
from pathlib import Path
sys.path[:0] = {path!r}
from test_settings_study import LONGER, methanol_box, point_of
point_of(methanol_box(), Path({folder!r}), LONGER, 20.0, checkpoint_interval_s=0.05)
"""


def segments_of(folder):
    """Facts of the committed segments, in order."""
    places = sorted((folder / "checkpoint").glob("segment_????"))
    return [read_json(place / "segment.json") for place in places]


def killed_within(folder, part, count):
    """Begin a point in a child process and kill it once `count` segments of a part are committed."""
    code = CHILD.format(path=[os.path.dirname(__file__), *sys.path], folder=str(folder))

    def ready():
        return sum(content["facts"]["part"] == part for content in segments_of(folder)) >= count

    kill_once(ready, code, limit_s=90, wait_s=0.05)
    return sum(content["facts"]["samples"] for content in segments_of(folder) if content["facts"]["part"] == part)


def test_a_killed_point_continues_in_the_part_where_it_was(box, tmp_path, caplog, monkeypatch):
    advanced = []
    original = Engine.advance
    monkeypatch.setattr(Engine, "advance", lambda *args: advanced.append(1) or original(*args))

    killed_within(tmp_path, "constant pressure", 3)  # the child of the next line goes on from there
    sampled = sum(content["facts"]["samples"] for content in segments_of(tmp_path))
    assert 0 < sampled < LONGER.total_samples
    conserved = killed_within(tmp_path, "constant energy", 3)
    assert 0 < conserved < CONSERVED
    with caplog.at_level(logging.INFO):
        row = point_of(box, tmp_path, LONGER, 20.0)
    assert "of constant energy" in caplog.text and not advanced  # nothing was sampled again
    contents = segments_of(tmp_path)
    for part, total in (("constant pressure", LONGER.total_samples), ("constant energy", CONSERVED)):
        assert sum(content["facts"]["samples"] for content in contents if content["facts"]["part"] == part) == total
    energies = np.concatenate([
        np.load(place / "samples.npy")[:, 0] for place, content in
        zip(sorted((tmp_path / "checkpoint").glob("segment_????")), contents, strict=True)
        if content["facts"]["part"] == "constant energy"
    ])  # fmt: skip
    assert np.abs(np.diff(energies)).max() < 8 * np.abs(np.diff(energies)).mean()  # no jump where it was cut
    assert row["failure"] == "" and np.isfinite(row["energy_drift_kJ_mol_ns"])
    assert 0.6 < row["density_g_cm3"] < 0.95 and 20 < row["ns_per_day"] < 20000
    again = point_of(box, tmp_path, LONGER, 20.0)
    assert {key: again[key] for key in row} == row  # until its checkpoint is deleted, a row comes back at once


def test_points_vary_one_thing_at_a_time_and_come_once():
    base = Point(4.0, 3.0, 216, 1.0)
    found = points(base, [2.0, 4.0], [None, 3.0], [216, 512], [1.0, 1.2])
    assert found[0] == base and len(found) == len(set(found)) == 6
    assert {(p.n_molecules, p.cutoff_nm) for p in found} == {(216, 1.0), (512, 1.0), (512, 1.2)}
    assert len({point.label for point in found}) == 6


def test_a_composition_is_scaled_whole():
    assert scaled_composition({"lithium": 9, "water": 51}, 120) == {"lithium": 18, "water": 102}
    with pytest.raises(InputError, match="multiples of 20"):
        scaled_composition({"lithium": 9, "water": 51}, 70)


def configured(**values):
    return Study.load(merged(DEFAULT, {"dynamics": {"settings_study": {"timesteps_fs": [2.0, 4.0]} | values}}))


def test_it_is_off_by_default_and_its_points_have_settings():
    assert Study.load(DEFAULT).dynamics.settings_points is None
    assert "settings_study" not in Study.load(DEFAULT).parts
    study = configured(molecules=[216, 512], sampling_ps=77.0)
    points = study.dynamics.settings_points
    assert "settings_study" in study.parts and len(points.points) == 5
    assert points.composition("dt4_m3_n512_rc1") == {"methanol": 512}
    assert points.settings("dt4_m3_n512_rc1").sampling_ps == 77.0


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"timesteps_fs": [-1.0]}, "timesteps_fs"),
        ({"timesteps_fs": []}, "timesteps_fs"),
        ({"timesteps_fs": [6.0]}, "more than twice the 2.5 fs"),
        ({"hydrogen_masses_amu": [0.5]}, "hydrogen_masses_amu"),
        ({"system": "methanoll"}, "Did you mean `methanol`"),
        ({"system": "litfsi_10m", "timesteps_fs": [1.0]}, "needs NPT"),
        ({"molecules": [64]}, "64 molecules with a cut-off of 1 nm: .*too small for a cut-off of 1 nm"),
        ({"cutoffs_nm": [1.4]}, "216 molecules with a cut-off of 1.4 nm: .*too small"),
        ({"nve_ps": 0.1}, "nve_ps is 0.1"),
        ({"steps_fs": [1.0]}, "steps_fs"),
    ],
)
def test_a_mistake_is_named_before_any_job(values, message):
    with pytest.raises(InputError, match=message) as caught:
        configured(**values)
    assert "settings_study" in str(caught.value)
