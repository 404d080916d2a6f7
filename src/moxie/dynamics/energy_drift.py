"""The drift of an energy that should be conserved, with an error that knows how such an energy wanders.

Rounding and an unswitched cut-off make the energy of a trajectory a random walk about its drift; the integrator's own
error adds fluctuations that do not wander. A straight line with white noise takes the walk for a drift. So the means of
blocks are taken as drift + walk + noise: a mixed model whose share of the walk is not known, and is averaged over with
its restricted likelihood (Patterson and Thompson, Biometrika 58, 545 (1971)). Of noise alone this is the line of least
squares, of a walk alone the way from end to end.
"""

import math
from functools import lru_cache

import numpy as np

_MOST_BLOCKS = 60
_FEWEST_IN_BLOCK = 4  # what the noise remembers should be over within a block
_SHARES = 1 / (1 + np.exp(-np.linspace(-8.0, 10.0, 37)))  # of the walk in the variance of a block


def drift_of(time_ps: np.ndarray, energy_kJ_mol: np.ndarray, degrees: int) -> tuple[float, float]:
    """Return the drift of the total energy per degree of freedom and its standard error, kJ/mol/ns.

    time_ps, energy_kJ_mol: evenly spaced, shape (n,), n at least 20.
    """
    count = min(_MOST_BLOCKS, len(time_ps) // _FEWEST_IN_BLOCK)
    blocks = np.array_split(np.arange(len(time_ps)), count)
    time, energy = (np.array([values[block].mean() for block in blocks]) for values in (time_ps, energy_kJ_mol))
    scale = max(float(np.ptp(energy)), 1e-12)  # a constant energy has no likelihood
    variances, directions = _walk(count)
    line = directions.T @ np.column_stack([np.ones(count), time - time.mean()])
    series = directions.T @ ((energy - energy.mean()) / scale)
    freedom = count - 2
    slopes, errors, likelihoods = [], [], []
    for share in _SHARES:
        variance = share * variances + (1 - share)
        normal = line.T @ (line / variance[:, None])
        inverse = np.linalg.inv(normal)
        coefficients = inverse @ (line.T @ (series / variance))
        square = float(((series - line @ coefficients) ** 2 / variance).sum()) / freedom + 1e-24
        likelihoods.append(
            -0.5 * (freedom * math.log(square) + np.log(variance).sum() + math.log(np.linalg.det(normal)))
        )
        slopes.append(coefficients[1])
        errors.append(math.sqrt(square * inverse[1, 1] * freedom / (freedom - 2)))
    weights = np.exp(np.array(likelihoods) - max(likelihoods))
    weights /= weights.sum()
    slope = float(weights @ slopes)
    error = math.sqrt(float(weights @ (np.square(errors) + (np.array(slopes) - slope) ** 2)))
    return 1000 * scale * slope / degrees, 1000 * scale * error / degrees


@lru_cache(maxsize=8)
def _walk(count: int) -> tuple[np.ndarray, np.ndarray]:
    """Return eigenvalues and -vectors of the covariance of the block means of a walk, of unit variance per block."""
    place = np.arange(count)
    covariance = np.minimum.outer(place, place) + 0.5
    np.fill_diagonal(covariance, place + 1 / 3)
    values, vectors = np.linalg.eigh(covariance)
    return values, vectors
