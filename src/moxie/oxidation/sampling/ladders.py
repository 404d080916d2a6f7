"""The temperature ladder of replica exchange, spaced by what short runs measure. Example:

    ladder = choose_ladder(Engine(network, parameters, seed=2), kT_min_eV=0.10, kT_max_eV=0.40, acceptance=0.3)
    ladder.kT_eV, ladder.expected_acceptance

Two replicas at kT_i < kT_j exchange with probability min(1, exp(X)), X = (1/kT_i - 1/kT_j) (E_i - E_j). With energies
taken as normal, X is normal with mean m = -(1/kT_i - 1/kT_j) (<E>_j - <E>_i) and variance
s^2 = (1/kT_i - 1/kT_j)^2 (var E_i + var E_j), and the mean acceptance is

    A = Phi(m/s) + exp(m + s^2/2) Phi(-s - m/s).

For a constant heat capacity C (in k_B) this is about erfc(sqrt(C) |ln(T_j/T_i)| / 2): the acceptance is even when the
rungs are evenly spaced in the integral of sqrt(C) d ln T. Sources: Kofke, J. Chem. Phys. 117, 6911 (2002); Rathore,
Chopra, de Pablo, J. Chem. Phys. 122, 024111 (2005).
"""

import logging
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np
from scipy.interpolate import PchipInterpolator
from scipy.optimize import brentq
from scipy.special import log_ndtr, ndtr

from moxie.errors import InputError
from moxie.oxidation.arguments import check_kT, check_moves
from moxie.oxidation.engine import Engine
from moxie.oxidation.sampling.metropolis import sample

RECORDS = 100  # per short run
DISCARDED = 0.3  # share of them, while the network gets used to the temperature
MOST_RUNGS = 200


@dataclass(frozen=True)
class EnergyCurve:
    """Mean and standard deviation of the energy (eV) against kT (eV, ascending), from short runs."""

    kT_eV: np.ndarray
    mean_eV: np.ndarray
    sd_eV: np.ndarray

    @cached_property
    def _capacity(self) -> PchipInterpolator:
        """Heat capacity in k_B: between two runs the mean of what their means and what their fluctuations say."""
        from_means = np.maximum(np.diff(self.mean_eV), 0.0) / np.diff(self.kT_eV)
        fluctuation = (self.sd_eV / self.kT_eV) ** 2
        from_fluctuations = 0.5 * (fluctuation[1:] + fluctuation[:-1])
        between = np.pad(0.5 * (from_means + from_fluctuations), 1, mode="edge")
        middle = 0.5 * (self.kT_eV[1:] + self.kT_eV[:-1])
        return PchipInterpolator(np.concatenate([self.kT_eV[:1], middle, self.kT_eV[-1:]]), between)

    @cached_property
    def _stored(self) -> PchipInterpolator:
        return self._capacity.antiderivative()

    def at(self, kT_eV: float) -> tuple[float, float]:
        """Return mean and standard deviation of the energy at a kT of the range: integral and root of one capacity."""
        mean = self.mean_eV[0] + self._stored(kT_eV) - self._stored(self.kT_eV[0])
        return float(mean), float(kT_eV * np.sqrt(self._capacity(kT_eV)))


@dataclass(frozen=True)
class Ladder:
    """Rungs kT_eV (ascending), the acceptance expected between neighbours (one fewer), and what it was chosen from."""

    kT_eV: np.ndarray
    expected_acceptance: np.ndarray
    measured: EnergyCurve


def choose_ladder(
    engine: Engine,
    kT_min_eV: float,
    kT_max_eV: float,
    acceptance: float = 0.3,
    n_probes: int = 8,
    moves_per_probe: int = 100_000,
    hop_fraction: float = 0.0,
    log: logging.Logger | None = None,
) -> Ladder:
    """Return the ladder of fewest rungs from kT_min to kT_max whose acceptance is even and at least `acceptance`.

    The engine is cooled from kT_max to kT_min through `n_probes` short runs, and ends in the last one's state. Runs
    too short to equilibrate the cold end make the ladder too wide there: look at the acceptances of the exchange.
    Raises InputError for arguments out of range, or when more than 200 rungs would be needed.
    """
    log = log or logging.getLogger(__name__)
    check_range(kT_min_eV, kT_max_eV)
    check_moves(hop_fraction, n_probes=n_probes, moves_per_probe=moves_per_probe)
    if n_probes < 2 or moves_per_probe < RECORDS:
        raise InputError(
            f"choose_ladder needs at least 2 probes of {RECORDS} moves, not {n_probes} of {moves_per_probe}."
        )
    grid = np.geomspace(kT_min_eV, kT_max_eV, n_probes)
    mean, sd = np.zeros(n_probes), np.zeros(n_probes)
    for k in reversed(range(n_probes)):
        chain = sample(engine, float(grid[k]), moves_per_probe, hop_fraction, every=moves_per_probe // RECORDS, log=log)
        energies = chain.columns["energy_eV"][int(DISCARDED * RECORDS) :]
        mean[k], sd[k] = energies.mean(), energies.std(ddof=1)
    ladder = space_ladder(EnergyCurve(grid, mean, sd), kT_min_eV, kT_max_eV, acceptance)
    log.info("Ladder of %d rungs, %.2f expected between neighbours.", len(ladder.kT_eV), ladder.expected_acceptance[0])
    return ladder


def space_ladder(curve: EnergyCurve, kT_min_eV: float, kT_max_eV: float, acceptance: float = 0.3) -> Ladder:
    """Return the ladder of fewest rungs whose expected acceptance is even and at least `acceptance`."""
    check_range(kT_min_eV, kT_max_eV)
    if not 0 < acceptance < 1:
        raise InputError(f"acceptance is {acceptance}; it must lie between 0 and 1 (0.2 to 0.4 is usual).")
    rungs = _climb(curve, kT_min_eV, kT_max_eV, acceptance, MOST_RUNGS)
    steps = len(rungs) - 1
    if rungs[-1] < kT_max_eV:
        raise InputError(
            f"More than {MOST_RUNGS} rungs would be needed between kT {kT_min_eV} and {kT_max_eV} eV. Use a smaller "
            "network, a narrower range or a lower acceptance."
        )

    def excess(even: float) -> float:
        return expected_acceptance(curve, _climb(curve, kT_min_eV, kT_max_eV, even, steps)[-2], kT_max_eV) - even

    # `steps` steps of the acceptance asked for go beyond kT_max: make them shorter until the last one ends there
    highest = 0.9999
    if steps > 1 and excess(acceptance) > 0 > excess(highest):
        even = brentq(excess, acceptance, highest, xtol=1e-6)
        rungs = [*_climb(curve, kT_min_eV, kT_max_eV, even, steps)[:steps], kT_max_eV]
    expected = [expected_acceptance(curve, low, high) for low, high in pairwise(rungs)]
    return Ladder(np.array(rungs), np.array(expected), curve)


def expected_acceptance(curve: EnergyCurve, kT_low_eV: float, kT_high_eV: float) -> float:
    """Return the mean acceptance of exchanges between two temperatures with normal energies (see the module)."""
    difference = 1 / kT_low_eV - 1 / kT_high_eV
    (mean_low, sd_low), (mean_high, sd_high) = curve.at(kT_low_eV), curve.at(kT_high_eV)
    m = -difference * (mean_high - mean_low)
    s = difference * np.hypot(sd_low, sd_high)
    if s < 1e-12:
        return float(np.exp(min(m, 0.0)))
    return min(1.0, float(ndtr(m / s) + np.exp(m + s * s / 2 + log_ndtr(-s - m / s))))


def check_range(kT_min_eV: float, kT_max_eV: float) -> None:
    """Raise InputError unless 0 < kT_min < kT_max."""
    check_kT(kT_min_eV)
    check_kT(kT_max_eV)
    if not kT_min_eV < kT_max_eV:
        raise InputError(f"kT_min_eV is {kT_min_eV} and kT_max_eV {kT_max_eV}; the first must be the smaller one.")


def _climb(curve: EnergyCurve, kT_min: float, kT_max: float, acceptance: float, most_steps: int) -> list[float]:
    """Return rungs from kT_min up, each as far from the one before as the acceptance allows, at most to kT_max."""
    rungs = [kT_min]
    while rungs[-1] < kT_max and len(rungs) <= most_steps:
        low = rungs[-1]

        def excess(high: float, low: float = low) -> float:
            return expected_acceptance(curve, low, high) - acceptance

        rungs.append(kT_max if excess(kT_max) >= 0 else brentq(excess, low, kT_max, xtol=1e-9 * kT_max))
    return rungs
