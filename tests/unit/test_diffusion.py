"""Diffusion from displacements: walks whose diffusion coefficient is known, unwrapping, the finite-size correction."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from moxie.errors import InputError
from moxie.features.diffusion import (
    finite_size_corrected,
    mean_squared_displacement,
    self_diffusion,
    unwrapped,
    walk_covariance,
    without_drift,
)
from moxie.timeseries import Mean

D_NM2_PS, INTERVAL_PS = 2e-3, 0.1


def walk(rng, n_frames=300, n=50, d_nm2_ps=D_NM2_PS):
    return np.cumsum(rng.normal(0, np.sqrt(2 * d_nm2_ps * INTERVAL_PS), (n_frames, n, 3)), axis=0)


def direct_msd(paths, lag):
    return ((paths[lag:] - paths[: len(paths) - lag]) ** 2).sum(axis=2).mean()


def test_fourier_sum_is_the_direct_sum():
    paths = 5.0 + walk(np.random.default_rng(0), 30, 4)
    found = mean_squared_displacement(paths)
    assert np.allclose(found[1:], [direct_msd(paths, lag) for lag in range(1, 30)])
    assert found[0] == pytest.approx(0.0, abs=1e-12)


def test_ballistic_motion_has_the_mean_squared_velocity():
    velocities = np.random.default_rng(1).normal(size=(20, 3))
    times = 0.1 * np.arange(50)
    found = mean_squared_displacement(times[:, None, None] * velocities)
    assert np.allclose(found, (velocities**2).sum(axis=1).mean() * times**2)


@pytest.mark.parametrize("noise", [0.0, 0.7])
def test_covariance_of_a_random_walk_is_the_sampled_one(noise):
    rng = np.random.default_rng(2)
    lags = np.array([1, 3, 10, 20])
    samples = []
    for _ in range(6000):
        path = np.cumsum(rng.normal(size=(40, 1, 3)), axis=0) + rng.normal(0, math.sqrt(noise), (40, 1, 3))
        samples.append(mean_squared_displacement(path)[lags])
    expected = walk_covariance(lags, 40, noise)
    scale = np.sqrt(np.outer(np.diag(expected), np.diag(expected)))
    assert np.abs((np.cov(np.array(samples).T) - expected) / scale).max() < 0.1


def alike(rng, n_frames, n):
    return walk(rng, n_frames, n)


def fast_and_slow(rng, n_frames, n, stay=100):
    """Walkers that are ten times as fast in one surrounding as in the other, and stay in each for 100 frames."""
    fast = (rng.integers(2, size=n) + np.cumsum(rng.random((n_frames, n)) < 1 / stay, axis=0)) % 2
    pace = np.where(fast == 1, 20 / 11, 2 / 11) * D_NM2_PS
    return np.cumsum(rng.normal(size=(n_frames, n, 3)) * np.sqrt(2 * pace * INTERVAL_PS)[..., None], axis=0)


def hopping(rng, n_frames, n, wait=100, cage_nm=0.05):
    """Molecules that rattle in a cage and jump to another every 100 frames."""
    length = math.sqrt(6 * D_NM2_PS * INTERVAL_PS * wait)
    jumps = (rng.random((n_frames, n)) < 1 / wait)[..., None] * rng.normal(0, length / math.sqrt(3), (n_frames, n, 3))
    return np.cumsum(jumps, axis=0) + rng.normal(0, cage_nm, (n_frames, n, 3))


@pytest.mark.parametrize(("n", "n_legs"), [(9, 1), (9, 3), (50, 2)])
@pytest.mark.parametrize("motion", [alike, fast_and_slow, hopping])
def test_coefficient_has_an_honest_error(motion, n, n_legs):
    from scipy.stats import t as student

    rng = np.random.default_rng(3)
    found = [self_diffusion([motion(rng, 400, n) for _ in range(n_legs)], INTERVAL_PS).coefficient for _ in range(40)]
    values, errors, counts = (
        np.array([getattr(mean, name) for mean in found]) for name in ("value", "standard_error", "n_independent")
    )
    assert values.mean() == pytest.approx(2e-9, abs=4 * values.std() / math.sqrt(40))
    probability = 2 * student.sf(np.abs(values - 2e-9) / errors, counts - 1)
    # of 40 runs, at least as many as 39 in 40 tries give if the intervals hold the truth as often as they claim
    assert (probability > 0.32).sum() >= 21 and (probability > 0.05).sum() >= 35
    assert np.median(errors) < 2.5 * values.std()


def test_legs_of_one_run_share_its_slow_molecules():
    rng = np.random.default_rng(11)
    pace = rng.permutation(np.repeat([0.1, 1.9], 6))[:, None]  # keep their pace from leg to leg
    legs = [np.sqrt(pace) * walk(rng, 300, 12) for _ in range(4)]
    apart = self_diffusion(legs, INTERVAL_PS).coefficient
    together = self_diffusion(legs, INTERVAL_PS, [0, 0, 0, 0]).coefficient
    expected = 2e-9 * 0.9 * math.sqrt(12 / 11 / 12)
    assert together.standard_error == pytest.approx(expected, rel=0.2)
    assert apart.standard_error == pytest.approx(expected / 2, rel=0.2)
    assert (together.n_independent, apart.n_independent) == (12, 48)


def test_slow_rattling_of_few_ions_is_waited_for():
    rng = np.random.default_rng(12)
    legs = []
    for _ in range(3):
        rattle = np.zeros((2000, 9, 3))
        for frame in range(1, 2000):  # relaxes within 33 frames; no line through nine ions looks improbable
            rattle[frame] = 0.97 * rattle[frame - 1] + rng.normal(0, 0.0125, (9, 3))
        legs.append(walk(rng, 2000, 9) + rattle)
    found = self_diffusion(legs, INTERVAL_PS)
    assert found.start_ps > 1.0
    assert found.coefficient.value == pytest.approx(2e-9, abs=3 * found.coefficient.standard_error)
    assert found.coefficient.standard_error < 0.25 * 2e-9


def test_least_squares_weights_beat_a_straight_line():
    rng = np.random.default_rng(4)
    ours, plain = [], []
    for _ in range(60):
        paths = walk(rng, 200, 10)
        ours.append(self_diffusion([paths], INTERVAL_PS).coefficient.value)
        msd = mean_squared_displacement(paths)
        plain.append(np.polyfit(INTERVAL_PS * np.arange(1, 101), msd[1:101], 1)[0] / 6 * 1e-6)
    assert np.std(ours) < 0.7 * np.std(plain)


def test_drift_of_the_whole_box_does_not_count():
    rng = np.random.default_rng(5)
    masses = rng.uniform(1, 3, 50)
    paths = walk(rng)
    drifting = paths + 0.05 * np.arange(len(paths))[:, None, None]
    assert np.allclose(without_drift(drifting, masses), without_drift(paths, masses))
    assert self_diffusion([drifting], INTERVAL_PS).coefficient.value > 1e-8  # it would count
    still = self_diffusion([without_drift(drifting, masses)], INTERVAL_PS).coefficient
    assert still.value == pytest.approx(2e-9, rel=0.06)


def test_fit_starts_after_the_rattling_in_a_cage():
    rng = np.random.default_rng(6)
    legs = []
    for _ in range(4):
        rattle = np.zeros((600, 100, 3))
        for frame in range(1, 600):  # relaxes within 10 frames
            rattle[frame] = 0.9 * rattle[frame - 1] + rng.normal(0, 0.02, (100, 3))
        legs.append(walk(rng, 600, 100) + rattle)
    found = self_diffusion(legs, INTERVAL_PS)
    assert found.is_linear
    assert 0.3 < found.start_ps < 7.5  # the longest that is tried
    assert found.coefficient.value == pytest.approx(2e-9, abs=4 * found.coefficient.standard_error)


def test_common_motion_widens_the_error_of_a_single_leg():
    rng = np.random.default_rng(10)

    def stirred(strength):  # the pace changes from frame to frame for all molecules together
        pace = rng.gamma(1 / strength, strength, (300, 1, 1)) if strength else np.ones((300, 1, 1))
        return np.cumsum(np.sqrt(pace) * rng.normal(0, np.sqrt(2 * D_NM2_PS * INTERVAL_PS), (300, 50, 3)), axis=0)

    found = [self_diffusion([stirred(0.2)], INTERVAL_PS).coefficient for _ in range(40)]
    alone = self_diffusion([stirred(0)], INTERVAL_PS).coefficient
    errors = np.array([mean.standard_error for mean in found])
    spread = np.std([mean.value for mean in found])
    assert alone.standard_error < 0.6 * spread  # what independent walkers would claim
    assert 0.8 * spread < errors.mean() < 2.5 * spread


def test_motion_that_never_becomes_linear_is_marked():
    velocities = np.random.default_rng(7).normal(size=(200, 3))
    legs = [0.01 * np.arange(200)[:, None, None] * velocities for _ in range(2)]
    assert not self_diffusion(legs, INTERVAL_PS).is_linear


def test_too_few_frames_are_refused():
    with pytest.raises(InputError, match="from 20 frames is not sensible.*transport.length_ps"):
        self_diffusion([walk(np.random.default_rng(8), 20)], INTERVAL_PS)


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    edges=st.lists(st.floats(1.0, 5.0), min_size=3, max_size=3),
    n_frames=st.integers(2, 40),
)
def test_unwrapping_undoes_any_fold_into_the_box(seed, edges, n_frames):
    rng, box = np.random.default_rng(seed), np.array(edges)
    paths = rng.uniform(-3, 3, (1, 4, 3)) * box + np.cumsum(
        rng.uniform(-0.49, 0.49, (n_frames, 4, 3)) * box, axis=0
    )  # fmt: skip
    folded = paths + box * rng.integers(-3, 4, paths.shape)
    found = unwrapped(folded, box)
    assert np.allclose(found - found[0], paths - paths[0], atol=1e-9)


def test_finite_size_correction_is_that_of_yeh_and_hummer():
    # 2.837297 k T / (6 pi eta L) for methanol, experimental viscosity, 298.15 K, 500 molecules: 0.352e-9 m2/s
    found = finite_size_corrected(Mean(2e-9, 0.0, 4.0), Mean(0.544, 0.0, 100.0), 298.15, 3.23)
    assert found.value - 2e-9 == pytest.approx(0.352e-9, abs=0.002e-9)
    assert found.standard_error == 0.0


def test_error_of_the_viscosity_is_carried():
    rng = np.random.default_rng(9)
    diffusion, viscosity = Mean(2e-9, 4e-11, 4.0), Mean(0.54, 0.02, 50.0)
    found = finite_size_corrected(diffusion, viscosity, 298.15, 2.5)
    sampled = [
        finite_size_corrected(
            Mean(rng.normal(2e-9, 4e-11), 0.0, 1.0), Mean(rng.normal(0.54, 0.02), 0.0, 1.0), 298.15, 2.5
        ).value
        for _ in range(4000)
    ]
    assert found.standard_error == pytest.approx(np.std(sampled), rel=0.06)
    assert found.n_independent == 4.0
