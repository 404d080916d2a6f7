"""Quantiles and tails of the normal, Student's and chi-squared distributions.

As in `scipy.stats`, to the last digit or two; its import costs a job a second.
"""

import math


def normal_quantile(probability: float) -> float:
    """Return what a standard normal variable stays below with a probability."""
    from scipy.special import ndtri

    return float(ndtri(probability))


def student_quantile(probability: float, freedom: float) -> float:
    """Return what Student's t with so many degrees of freedom stays below with a probability."""
    from scipy.special import stdtrit

    return normal_quantile(probability) if math.isinf(freedom) else float(stdtrit(freedom, probability))


def student_tail(value: float, freedom: float) -> float:
    """Return the probability that Student's t with so many degrees of freedom exceeds a value."""
    from scipy.special import ndtr, stdtr

    return float(ndtr(-value) if math.isinf(freedom) else stdtr(freedom, -value))


def chi_squared_tail(value: float, freedom: float) -> float:
    """Return the probability that the sum of so many squared standard normal variables exceeds a value."""
    from scipy.special import chdtrc

    return float(chdtrc(freedom, value))
