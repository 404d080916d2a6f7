"""The audit of error bars on made tables whose coverage is known."""

import numpy as np
import pandas as pd
import pytest

from moxie.features.coverage import coverage, coverage_of_curves, coverage_of_pairs


def made(count, factor, missing=0.0, seed=1):
    rng = np.random.default_rng(seed)
    error = np.where(rng.uniform(size=count) < missing, np.nan, factor * 0.2)
    columns = {"density": rng.normal(1.0, 0.2, count), "density_standard_error": error, "density_n_independent": 9.0}
    return pd.DataFrame({"system": "made", "temperature_K": 300.0, **columns, "platform": "CPU"})


@pytest.mark.parametrize(("factor", "expected"), [(1.0, 0.95), (0.5, 0.673), (2.0, 1.0)])
def test_errors_too_small_or_too_large_are_found(factor, expected):
    row = coverage(made(2000, factor)).iloc[0]
    assert (row["observable"], row["runs"], row["given"]) == ("density", 2000, 2000)
    assert row["ratio"] == pytest.approx(1 / factor, rel=0.05)
    assert row["coverage"] == pytest.approx(expected, abs=0.03)
    assert 0 < row["coverage_standard_error"] < 0.02


def test_few_runs_allow_for_their_own_part_in_the_mean():
    tables = [made(4, 1.0, seed=seed) for seed in range(400)]
    assert np.mean([coverage(table)["coverage"].iloc[0] for table in tables]) == pytest.approx(0.95, abs=0.02)


def test_values_without_an_error_are_counted_and_states_kept_apart():
    table = pd.concat([made(100, 1.0, 0.5), made(50, 1.0).assign(temperature_K=310.0, density_standard_error=np.nan)])
    found = coverage(table).set_index("temperature_K")
    assert found.loc[300.0, "runs"] == 100 and 30 < found.loc[300.0, "given"] < 70
    assert found.loc[310.0, "given"] == 0 and np.isnan(found.loc[310.0, "coverage"])


def test_points_of_a_curve_are_counted_together():
    rng = np.random.default_rng(4)
    runs, angles = np.meshgrid(np.arange(200), np.arange(8.0), indexing="ij")
    table = pd.DataFrame({"torsion": "hydroxyl", "run": runs.ravel(), "angle_deg": angles.ravel()})
    table["density"] = rng.normal(table["angle_deg"], 0.1)
    table["density_standard_error"] = np.where(table["angle_deg"] < 4, 0.1, 0.05)
    [row] = coverage_of_curves(table, "torsion", "angle_deg").to_dict("records")
    assert row["observable"] == "density, hydroxyl" and row["runs"] == row["given"] == 200
    assert row["coverage"] == pytest.approx((0.95 + 0.673) / 2, abs=0.02)
    assert row["ratio"] == pytest.approx(1.5, abs=0.1)


def test_intervals_of_two_runs_hold_with_student_s_factor():
    table = pd.DataFrame({"system": "film", "height": np.random.default_rng(5).normal(3.0, 0.2, 1000)})
    [row] = coverage_of_pairs(table, ("height",), ("system",)).to_dict("records")
    assert row["runs"] == 500 and row["coverage"] == pytest.approx(0.95, abs=0.03)
