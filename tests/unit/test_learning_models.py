"""Models: the Gaussian process learns a known smooth function, and its intervals hold what they promise."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_oxides import smooth_observable

from moxie.learning.metrics import (
    HeldOut,
    degrees_of_freedom,
    effective_groups,
    interval,
    interval_over_groups,
    rmse_ratio,
    scores,
    scores_with_intervals,
)
from moxie.learning.models import GaussianProcess, LinearInterpolation, MeanBaseline
from moxie.learning.splits import leave_one_group_out, random_folds
from moxie.learning.tasks.oxide_surrogate.noise import replica_noise


def sample(n, noise, seed):
    rng = np.random.default_rng(seed)
    features = np.column_stack([rng.uniform(973, 1473, n), rng.uniform(0.1, 0.5, n)])
    truth = smooth_observable(features[:, 0], features[:, 1])
    return features, truth, truth + rng.normal(0, noise, n)


def rmse(a, b):
    return float(np.sqrt(((a - b) ** 2).mean()))


def test_gaussian_process_recovers_a_smooth_function_far_better_than_the_mean():
    features, _, noisy = sample(60, 0.002, 1)
    new, truth, _ = sample(200, 0.0, 2)
    noise = np.full(60, 0.002**2)
    process, _ = GaussianProcess(0).fit(features, noisy, noise).predict(new)
    mean, _ = MeanBaseline().fit(features, noisy, noise).predict(new)
    assert rmse(process, truth) < 0.1 * rmse(mean, truth)
    assert rmse(process, truth) < 0.002


def test_interval_holds_the_promised_share_of_new_runs():
    noise = 0.004
    covered = []
    for seed in range(4):
        features, _, noisy = sample(60, noise, 10 + seed)
        new, _, observed = sample(150, noise, 100 + seed)
        mean, deviation = GaussianProcess(seed, 0).fit(features, noisy, np.full(60, noise**2)).predict(new)
        low, high = interval(mean, deviation, 0.9)
        covered.append(((observed >= low) & (observed <= high)).mean())
    assert 0.85 < np.mean(covered) < 0.96


def test_noise_stays_in_the_prediction_of_a_single_run():
    features, _, noisy = sample(60, 0.004, 3)
    _, deviation = GaussianProcess(0, 0).fit(features, noisy, np.full(60, 0.004**2)).predict(features[:5])
    assert (deviation >= 0.004).all()


def test_same_seed_same_prediction():
    features, _, noisy = sample(30, 0.004, 4)
    first = GaussianProcess(5).fit(features, noisy, None).predict(features)
    second = GaussianProcess(5).fit(features, noisy, None).predict(features)
    np.testing.assert_array_equal(first, second)


@settings(max_examples=20, deadline=None)
@given(st.floats(-1, 1), st.floats(-1, 1), st.floats(-1, 1))
def test_linear_interpolation_is_exact_for_a_plane_and_keeps_the_nearest_value_beyond(a, b, c):
    grid = np.array([[t, o] for t in (1.0, 2.0, 4.0) for o in (0.0, 1.0, 3.0)])
    plane = a + b * grid[:, 0] + c * grid[:, 1]
    new = np.array([[1.5, 0.5], [3.0, 2.0], [0.5, -1.0], [5.0, 4.0]])
    inside = np.clip(new, [1.0, 0.0], [4.0, 3.0])
    predicted, _ = LinearInterpolation().fit(grid, plane, None).predict(new)
    np.testing.assert_allclose(predicted, a + b * inside[:, 0] + c * inside[:, 1], atol=1e-9)


def test_linear_interpolation_averages_replicas():
    features = np.array([[1.0, 0.0], [1.0, 0.0], [2.0, 0.0], [2.0, 0.0]])
    predicted, deviation = (
        LinearInterpolation().fit(features, np.array([0.0, 2.0, 4.0, 6.0]), None).predict(np.array([[1.5, 0.0]]))
    )
    assert predicted[0] == pytest.approx(3.0) and deviation[0] > 0


def test_no_group_is_ever_in_training_and_test():
    groups = np.repeat([3, 1, 2], [4, 2, 5])
    seen = []
    for train, test in leave_one_group_out(groups):
        assert not set(groups[train]) & set(groups[test])
        assert sorted([*train, *test]) == list(range(11))
        seen += list(test)
    assert sorted(seen) == list(range(11))


@given(st.integers(2, 40), st.integers(2, 6), st.integers(0, 1000))
def test_random_folds_are_a_partition(n_rows, n_folds, seed):
    tested = [row for train, test in random_folds(n_rows, n_folds, seed) for row in test]
    assert sorted(tested) == list(range(n_rows))


def test_variance_of_few_replicas_is_pooled_and_of_many_is_their_own():
    cells = np.array([0, 0, 1, 1, 2, 2, 2, 2, 2])
    target = np.array([0.0, 2.0, 0.0, 4.0, 1.0, 1.0, 1.0, 1.0, 6.0])
    noise = replica_noise(target, cells)
    pooled = (2 + 8 + 20) / (1 + 1 + 4)
    np.testing.assert_allclose(noise.variance, [pooled] * 4 + [5.0] * 5)
    assert noise.degrees_of_freedom == 6


def test_one_replica_leaves_the_noise_to_the_model_and_says_so():
    noise = replica_noise(np.array([1.0, 2.0]), np.array([0, 1]))
    assert noise.variance is None and "one replica only" in noise.source


def test_scores_of_known_errors():
    rows = HeldOut(np.array([0.0, 2.0]), np.array([1.0, 1.0]), np.array([1.0, 0.1]), np.array([0, 1]))
    result = scores(rows, 0.9)
    assert result["rmse"] == result["mae"] == 1.0 and result["r2"] == 0.0 and result["coverage"] == 0.5
    assert result["interval_width"] == pytest.approx(2 * 1.6449 * 0.55, abs=1e-3)


def test_interval_holds_the_value_and_one_group_has_none():
    rng = np.random.default_rng(0)
    observed = rng.normal(size=40)
    rows = HeldOut(observed, observed + rng.normal(0, 0.3, 40), np.full(40, 0.3), np.repeat(np.arange(8), 5))
    result = scores_with_intervals(rows, 0.9)
    for score in result.values():
        assert score["low"] <= score["value"] <= score["high"]
    single = HeldOut(rows.observed, rows.mean, rows.deviation, np.zeros(40))
    alone = scores_with_intervals(single, 0.9)["rmse"]
    assert alone == {"value": pytest.approx(scores(single, 0.9)["rmse"]), "low": None, "high": None}


@pytest.mark.parametrize(
    "sizes", [[8] * 2, [8] * 6, [8] * 12, [208, 95, 12, 10, 8] + [6] * 6 + [1] * 60, [95, 50, 40, 35, 30] + [3] * 40]
)
def test_intervals_hold_their_share_for_few_and_unequal_groups(sizes):
    """Errors with a bias and a size of their own in each group; the expected squared error is known."""
    rng = np.random.default_rng(1)
    groups = np.repeat(np.arange(len(sizes)), sizes)
    held, trials = 0, 250
    for _ in range(trials):
        bias, size = 0.5 * rng.normal(size=len(sizes)), 0.8 * np.exp(0.35 * rng.normal(size=len(sizes)))
        error = bias[groups] + size[groups] * rng.normal(size=len(groups))
        rows = HeldOut(np.zeros(len(groups)), error, np.ones(len(groups)), groups)
        rmse = scores_with_intervals(rows, 0.9)["rmse"]
        held += rmse["low"] <= np.sqrt(0.25 + 0.64 * np.exp(2 * 0.35**2)) <= rmse["high"]
    assert 0.82 < held / trials < 0.99


def test_unequal_groups_count_for_fewer():
    assert effective_groups(np.repeat([0, 1, 2, 3], 5)) == pytest.approx(4.0)
    assert effective_groups(np.array([0] * 98 + [1, 2])) == pytest.approx(1.04, abs=0.01)
    assert degrees_of_freedom(np.full(7, 3)) == 6.0 and degrees_of_freedom(np.array([5, 5])) == 1.0
    assert degrees_of_freedom(np.array([208, 95] + [1] * 143)) < 4.0
    known = {"value": 2.0, "low": None, "high": None}  # mean of 1, 2, 3: standard error sqrt(1/3), t of 2 degrees
    found = interval_over_groups(2.0, np.array([2.5, 2.0, 1.5]), np.ones(3), 0.9)
    assert found == known | {
        "low": pytest.approx(2 - 2.919986 / np.sqrt(3)),
        "high": pytest.approx(2 + 2.919986 / np.sqrt(3)),
    }


def test_ratio_of_errors_to_itself_is_one():
    rows = HeldOut(np.arange(6.0), np.arange(6.0) + [1, 2, 1, 2, 3, 1], np.ones(6), np.repeat([0, 1, 2], 2))
    ratio = rmse_ratio(rows, rows, 0.9)
    assert ratio == {"value": 1.0, "low": 1.0, "high": 1.0}
