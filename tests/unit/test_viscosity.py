"""Viscosity from made stress series whose correlation integral is known, and the tables of a state point."""

import numpy as np
import pytest
from scipy.signal import lfilter

from moxie.constants import GAS_CONSTANT_KJ_MOL_K
from moxie.errors import InputError
from moxie.features.viscosity import BAR_PER_KJ_MOL_NM3, _compared, shear_viscosity
from moxie.timeseries import Mean

TEMPERATURE_K, VOLUME_NM3, INTERVAL_PS = 298.15, 14.7, 0.02
FACTOR = VOLUME_NM3 / (GAS_CONSTANT_KJ_MOL_K * TEMPERATURE_K * BAR_PER_KJ_MOL_NM3) * 1e-4  # mPa s per bar2 ps


def ornstein_uhlenbeck(rng, correlation_time_ps, sd_bar, n_samples, n_series=5):
    """Return stationary series (n_samples, n_series) with an exponential correlation function."""
    a = np.exp(-INTERVAL_PS / correlation_time_ps)
    noise = rng.normal(0, sd_bar * np.sqrt(1 - a**2), (n_samples, n_series))
    noise[0] = rng.normal(0, sd_bar, n_series)
    return lfilter([1.0], [1.0, -a], noise, axis=0)


def integral(correlation_time_ps, sd_bar):
    """Return the viscosity of such a series, as it is sampled."""
    a = np.exp(-INTERVAL_PS / correlation_time_ps)
    return FACTOR * sd_bar**2 * INTERVAL_PS * (0.5 + a / (1 - a))


def test_known_integral_is_found_within_its_error():
    rng = np.random.default_rng(1)
    legs = [
        ornstein_uhlenbeck(rng, 0.3, 400.0, 2500) + ornstein_uhlenbeck(rng, 0.03, 600.0, 2500) for _ in range(4)
    ]  # a slow decay under a fast one, as in a liquid
    found = shear_viscosity(legs, INTERVAL_PS, [VOLUME_NM3] * 4, TEMPERATURE_K)
    exact = integral(0.3, 400.0) + integral(0.03, 600.0)
    assert 0 < found.value.standard_error < 0.35 * exact
    assert found.value.value == pytest.approx(exact, abs=3 * found.value.standard_error)
    assert found.correlation_time_ps == pytest.approx(exact / (FACTOR * (400.0**2 + 600.0**2)), rel=0.4)
    late = found.running_mPa_s[len(found.times_ps) // 2 :]
    assert late.mean() == pytest.approx(found.value.value, abs=4 * found.running_standard_error_mPa_s[-1])


def two_decays(rng, fast_ps, slow_ps, slow_share, length_ps, n_legs):
    """Return legs whose integral is one, of which a slow exponential has a share, and the exact integral as sampled."""
    n_samples = round(length_ps / INTERVAL_PS)
    parts = [(fast_ps, np.sqrt((1 - slow_share) / fast_ps)), (slow_ps, np.sqrt(slow_share / slow_ps))]
    legs = [sum(ornstein_uhlenbeck(rng, *part, n_samples) for part in parts) for _ in range(n_legs)]
    return legs, sum(integral(*part) for part in parts)


@pytest.mark.parametrize(
    ("slow_ps", "share", "length_ps"), [(2.0, 0.55, 50.0), (1.0, 0.29, 50.0), (0.5, 0.23, 50.0), (2.0, 0.55, 200.0)]
)
def test_a_slow_decay_is_neither_missed_nor_unknown_to_the_error(slow_ps, share, length_ps):
    rng = np.random.default_rng(2)
    ratios, errors = [], []
    for _ in range(30):
        legs, exact = two_decays(rng, 0.2, slow_ps, share, length_ps, 6)
        found = shear_viscosity(legs, INTERVAL_PS, [VOLUME_NM3] * 6, TEMPERATURE_K).value
        ratios.append(found.value / exact)
        errors.append(found.standard_error / exact)
    assert np.mean(ratios) == pytest.approx(1.04, abs=0.09)
    assert np.mean(np.abs(np.array(ratios) - 1) < 1.96 * np.array(errors)) >= 0.85  # 0.95 less three deviations
    assert np.mean(errors) < 0.25


def test_legs_shorter_than_the_decay_of_the_stress_give_no_value():
    rng = np.random.default_rng(7)
    refused = 0
    for _ in range(10):
        legs, _ = two_decays(rng, 0.1, 10.0, 0.9, 15.0, 6)
        try:
            shear_viscosity(legs, INTERVAL_PS, [VOLUME_NM3] * 6, TEMPERATURE_K)
        except InputError as problem:
            refused += "the integral is not over within a leg" in str(problem)
    assert refused >= 8


def test_a_running_integral_that_contradicts_the_spectrum_widens_the_error_and_is_said():
    limit = Mean(0.35, 0.02, 100.0)
    times, running, error = np.linspace(0, 10, 201), np.full(201, 0.55), np.full(201, 0.03)
    found, remark = _compared(limit, times, running, error)
    assert found.value == 0.35 and found.standard_error == pytest.approx(np.hypot(0.02, 0.2))
    assert "running integral of the stress is 0.55" in remark
    assert _compared(limit, times, np.full(201, 0.38), error) == (limit, "")


def test_series_that_are_too_short_are_refused():
    legs = [ornstein_uhlenbeck(np.random.default_rng(3), 0.3, 400.0, 12) for _ in range(2)]
    with pytest.raises(InputError, match="too short for a viscosity.*Use a longer transport.length_ps or more legs"):
        shear_viscosity(legs, INTERVAL_PS, [VOLUME_NM3] * 2, TEMPERATURE_K)
