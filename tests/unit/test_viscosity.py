"""Viscosity from made stress series whose correlation integral is known, and the tables of a state point."""

import numpy as np
import pytest
from scipy.signal import lfilter

from moxie.constants import GAS_CONSTANT_KJ_MOL_K
from moxie.errors import InputError
from moxie.features.viscosity import BAR_PER_KJ_MOL_NM3, shear_viscosity

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
    assert 0 < found.value.standard_error < 0.15 * exact
    assert found.value.value == pytest.approx(exact, abs=3 * found.value.standard_error)
    assert found.correlation_time_ps == pytest.approx(exact / (FACTOR * (400.0**2 + 600.0**2)), rel=0.2)
    late = found.running_mPa_s[len(found.times_ps) // 2 :]
    assert late.mean() == pytest.approx(found.value.value, abs=4 * found.running_standard_error_mPa_s[-1])


@pytest.mark.slow
def test_error_covers_the_truth_as_often_as_it_says():
    rng = np.random.default_rng(2)
    deviations = []
    for _ in range(12):
        legs = [ornstein_uhlenbeck(rng, 0.3, 400.0, 2500) for _ in range(4)]
        found = shear_viscosity(legs, INTERVAL_PS, [VOLUME_NM3] * 4, TEMPERATURE_K).value
        deviations.append((found.value - integral(0.3, 400.0)) / found.standard_error)
    assert np.mean(np.abs(deviations) < 1) > 0.5
    assert np.mean(np.abs(deviations) < 2) > 0.8
    assert abs(np.mean(deviations)) < 1


def test_series_that_are_too_short_are_refused():
    legs = [ornstein_uhlenbeck(np.random.default_rng(3), 0.3, 400.0, 12) for _ in range(2)]
    with pytest.raises(InputError, match="too short for a viscosity.*Use a longer transport.length_ps or more legs"):
        shear_viscosity(legs, INTERVAL_PS, [VOLUME_NM3] * 2, TEMPERATURE_K)
