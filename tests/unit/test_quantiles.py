"""Quantiles and tails against those of scipy.stats."""

import math

import pytest
from scipy import stats

from moxie import quantiles


@pytest.mark.parametrize("freedom", [1.0, 2.5, 9.0, 1e5, math.inf])
@pytest.mark.parametrize("probability", [0.001, 0.3, 0.5, 0.975])
def test_they_are_those_of_scipy(probability, freedom):
    value = stats.t.ppf(probability, freedom)
    assert quantiles.normal_quantile(probability) == pytest.approx(stats.norm.ppf(probability), rel=1e-12)
    assert quantiles.student_quantile(probability, freedom) == pytest.approx(value, rel=1e-12, abs=1e-15)
    assert quantiles.student_tail(value, freedom) == pytest.approx(1 - probability, rel=1e-12)
    if freedom < math.inf:
        chi2 = quantiles.chi_squared_tail(10 * probability, freedom)
        assert chi2 == pytest.approx(stats.chi2.sf(10 * probability, freedom), rel=1e-12)
