"""How a computed number compares with its reference, in one phrase: the rules, and what applies them."""

import math
from dataclasses import dataclass

from moxie.quantiles import normal_quantile, student_quantile
from moxie.reference.registry import VERIFIED

ACCURACY_GOAL_PERCENT = {
    "density_g_cm3": 3.0,
    "enthalpy_of_vaporisation_kJ_mol": 5.0,
    "film_density_g_cm3": 5.0,
}
_CONFIDENCE = 0.95
_LARGEST_USEFUL_INTERVAL = 0.5  # half-width of the interval relative to the reference


@dataclass(frozen=True)
class Rule:
    """A verdict, and when it is given."""

    verdict: str
    reason: str


UNCHECKED = Rule("no verdict: reference unchecked", "a number quoted from memory proves and disproves nothing.")
NO_ERROR = Rule(
    "no verdict: no standard error",
    "the error of the computed number is unknown (one replica), or neither it nor the reference has one.",
)
IMPRECISE = Rule(
    "no verdict: too imprecise",
    "the 95 % interval of the deviation reaches further than half the reference on either side, so that almost "
    "anything would agree; or it holds both zero and a deviation found to be larger than the accuracy asked for, so "
    "that neither agreement nor disagreement is shown.",
)
AGREES = Rule(
    "agrees",
    "the 95 % interval of the deviation holds zero. The interval uses Student's t with the effective degrees of "
    "freedom of Welch and Satterthwaite, the reference counting as exactly known in its error: with two films and a "
    "sharp reference the factor is 12.7, not 2. Errors of single runs are widened already, and count as well known.",
)
WITHIN = Rule(
    "within {goal:g} %",
    "it deviates by more than its error, but by less than the accuracy that the study asks of this quantity.",
)
DEVIATES = Rule("deviates", "it deviates by more than its error and than any accuracy asked for.")
RULES = (UNCHECKED, NO_ERROR, IMPRECISE, AGREES, WITHIN, DEVIATES)  # the first that applies decides


@dataclass(frozen=True)
class Estimate:
    """A computed number. The standard error is 0 for a deterministic calculation and NaN where it is unknown.

    `n_independent` is the number of independent samples, or replicas, behind the error. `freedom` are the error's
    degrees of freedom: infinite for that of a single run, which is widened by Student's t where it is estimated
    (`moxie.timeseries`) and must not be a second time; of a scatter over replicas one fewer than these.
    """

    value: float
    standard_error: float
    n_independent: float
    freedom: float = math.inf


def z_score(estimate: Estimate, reference: float, reference_error: float | None) -> float:
    """Return the deviation in units of the combined standard error; an unknown reference error counts as none.

    NaN where the error of the estimate is unknown or both errors are zero.
    """
    combined = _combined_error(estimate, reference_error)
    return (estimate.value - reference) / combined if combined > 0 else math.nan


def verdict(
    estimate: Estimate,
    reference: float,
    reference_error: float | None,
    checked: str,
    goal_percent: float | None = None,
) -> str:
    """Say in one phrase how a number compares with its reference, by the first of RULES that applies."""
    if checked != VERIFIED:
        return UNCHECKED.verdict
    combined = _combined_error(estimate, reference_error)
    if not combined > 0:
        return NO_ERROR.verdict
    half_width = _coverage_factor(estimate, reference_error) * combined
    if half_width > _LARGEST_USEFUL_INTERVAL * abs(reference):
        return IMPRECISE.verdict
    deviation = estimate.value - reference
    goal_met = goal_percent is not None and abs(deviation) <= goal_percent / 100 * abs(reference)
    if abs(deviation) <= half_width:
        return (AGREES if goal_percent is None or goal_met else IMPRECISE).verdict
    if goal_met:
        return WITHIN.verdict.format(goal=goal_percent)
    return DEVIATES.verdict


def _combined_error(estimate: Estimate, reference_error: float | None) -> float:
    return math.hypot(estimate.standard_error, _known(reference_error))


def _coverage_factor(estimate: Estimate, reference_error: float | None) -> float:
    """Student's t for the deviation: Welch-Satterthwaite with infinitely many degrees of freedom of the reference."""
    probability = 0.5 + _CONFIDENCE / 2
    if estimate.standard_error == 0:
        return normal_quantile(probability)
    share = estimate.standard_error**2 / _combined_error(estimate, reference_error) ** 2
    return student_quantile(probability, max(estimate.freedom / share**2, 1.0))


def _known(error: float | None) -> float:
    return 0.0 if error is None or math.isnan(error) else error
