"""The next recipe: it lies where nothing is known, the overlay is a configuration, the retrospective is honest."""

import json
from pathlib import Path

import numpy as np
import pytest
import yaml
from made_tables import oxide_runs

from moxie.features.schemas import OXIDE_RUNS
from moxie.features.tables import write_table
from moxie.learning.registry import LearningSettings
from moxie.learning.tasks.oxide_surrogate import active
from moxie.learning.tasks.oxide_surrogate.task import prepare
from moxie.study import Study

TARGET = "strain_energy_eV_per_atom"
SETTINGS = LearningSettings(TARGET, 0.9)


def test_the_next_temperature_lies_in_the_gap_of_a_smooth_function():
    data = prepare(oxide_runs(temperatures_K=(973.0, 998.0, 1023.0, 1048.0, 1448.0, 1473.0)), TARGET)
    variances = active.candidate_variances(data, 1)
    assert 1100.0 < max(variances, key=lambda t: variances[t]) < 1400.0
    assert not set(variances) & set(np.unique(data.temperatures))


def test_a_process_without_a_bend_in_temperature_says_so():
    record = {"target": TARGET, "temperatures_K": [900.0, 1100.0], "next_temperature_K": 1000.0}
    record["candidates"] = [{"temperature_K": 1000.0, "standard_deviation": 0.1}]
    scales = {"oxygen_per_area_per_A2": 1.0, "longest": 29.9}
    straight = active.overlay(record | {"length_scales": scales | {"temperature_K": 30.0}})
    bent = active.overlay(record | {"length_scales": scales | {"temperature_K": 2.0}})
    assert "follows gaps in oxygen" in straight and "oxygen" not in bent
    data = prepare(oxide_runs(temperatures_K=(973.0, 1073.0, 1173.0), replicas=1), TARGET)
    found = active.length_scales(active._fit(data, np.ones(len(data.target), bool), 1))
    assert set(found) == {"temperature_K", "oxygen_per_area_per_A2", "longest"} and min(found.values()) >= 0.2


def test_a_dense_sweep_is_refined_between_its_temperatures():
    data = prepare(oxide_runs(temperatures_K=tuple(np.arange(973.0, 1474.0, 20.0)), replicas=1), TARGET)
    assert list(active.candidate_variances(data, 1)) == pytest.approx(np.arange(983.0, 1464.0, 20.0))


def test_chosen_temperatures_beat_random_ones_where_the_answer_is_known():
    data = prepare(oxide_runs(temperatures_K=tuple(np.arange(923.0, 1524.0, 50.0)), noise=1e-4), TARGET)
    found = active.retrospective(data, SETTINGS, 3)
    entries = {(e["strategy"], e["n_temperatures"]): e["rmse"] for e in found}
    assert entries["variance", 4] < entries["random", 4]
    assert entries["variance", 2] == entries["random", 2] == entries["uniform grid", 2]
    assert entries["variance", 13] == pytest.approx(entries["uniform grid", 13])  # the same films in the end
    assert all(e["low"] <= e["rmse"] <= e["high"] and e["ratio_low"] <= e["ratio"] <= e["ratio_high"] for e in found)
    (fourth,) = (e for e in found if (e["strategy"], e["n_temperatures"]) == ("variance", 4))
    assert fourth["ratio"] == pytest.approx(entries["variance", 4] / entries["random", 4])
    assert fourth["ratio_high"] < 1.0  # beyond chance, not just on average


def test_uniform_grid_takes_the_temperature_farthest_from_all_others():
    assert active.widest_gap(np.array([0.0, 10.0]), np.array([2.0, 6.0, 9.0]), lambda t: 0.0) == 6.0


def test_one_replica_cannot_be_held_out():
    assert active.retrospective(prepare(oxide_runs(replicas=1), TARGET), SETTINGS, 1) == []


def test_overlay_is_a_configuration_with_one_more_temperature(tmp_path):
    write_table(oxide_runs(), tmp_path / "runs.parquet", OXIDE_RUNS)
    output = {"yaml": tmp_path / "next.yaml", "json": tmp_path / "next.json"}
    record = active.next_recipe(tmp_path / "runs.parquet", output, LearningSettings(TARGET), 1)
    values = yaml.safe_load((Path(__file__).parents[2] / "config.yaml").read_text())
    before = set(values["oxidation"]["temperatures_K"])
    values["oxidation"] |= yaml.safe_load((tmp_path / "next.yaml").read_text())["oxidation"]
    after = set(Study.load(values).config.oxidation.temperatures_K)
    assert after - before == {record["next_temperature_K"]} and before < after
    assert json.loads((tmp_path / "next.json").read_text())["target"] == TARGET
