"""The validation table in a few lines: each quantity of a model judged over all its states at once.

A single state often proves little: with two replicas at each of six temperatures, a width that is a quarter too small
everywhere agrees at every one of them. The mean deviation over the states has the scatter of all of them behind it.
"""

import math
from dataclasses import dataclass
from typing import Any

from moxie.features.verdicts import ACCURACY_GOAL_PERCENT, Estimate, verdict

FAR_PERCENT = 20.0  # a number without a verdict that is further off than this is named
_ONE_THING = ["stage", "system", "model", "force_field_sha256", "quantity", "reference_kind", "checked"]
_ORDER = ("deviates", "no verdict", "within", "agrees")


@dataclass(frozen=True)
class Summary:
    """One quantity of one model against one kind of reference, over all states.

    `deviation_percent` is the mean relative deviation over the states, `standard_error_percent` its standard error
    (NaN where the error of a state is unknown), `reference_error_percent` that of the references, which all states
    share and which therefore does not shrink with their number. `lowest_percent` and `highest_percent` are the single
    states' extremes. `nth_reference` tells several sources of the same numbers apart.
    `tested` is what the row says something about (`moxie.features.schemas.VALIDATION`).
    """

    stage: str
    system: str
    model: str
    quantity: str
    unit: str
    reference_kind: str
    tested: str
    n_states: int
    nth_reference: int
    deviation_percent: float
    standard_error_percent: float
    reference_error_percent: float
    lowest_percent: float
    highest_percent: float
    verdict: str

    @property
    def start(self) -> str:
        """Return the verdict's first words: deviates, no verdict, within or agrees."""
        return next(start for start in _ORDER if self.verdict.startswith(start))

    @property
    def is_far(self) -> bool:
        """Return whether the deviation is large although nothing could be proved."""
        return self.start == "no verdict" and abs(self.deviation_percent) > FAR_PERCENT


def summarise(validation: Any) -> list[Summary]:
    """Return the rows of a validation table (`moxie.features.schemas.VALIDATION`) combined over states, worst first.

    States are taken as independent, since each has its own runs. The mean's degrees of freedom follow from Welch and
    Satterthwaite. A quantity whose reference is zero somewhere keeps no relative deviation and is left out.
    """
    found = []
    numbered = validation.assign(nth_reference=nth_reference(validation))
    for _, rows in numbered.groupby([*_ONE_THING, "nth_reference"], dropna=False, sort=False):
        rows = rows[rows["reference_value"] != 0]
        if len(rows):
            found.append(_combine(rows))
    return sorted(found, key=lambda each: (_ORDER.index(each.start), not each.is_far, -abs(each.deviation_percent)))


def nth_reference(validation: Any) -> Any:
    """Return a number for each row: 0 for the first reference of a number, 1 for a second source of the same one.

    Two sources for one number are no two states, whose errors would be independent.
    """
    state = [*_ONE_THING, "temperature_K", "pressure_bar"]
    return validation.sort_values("source", kind="stable").groupby(state, dropna=False, sort=False).cumcount()


def _combine(rows: Any) -> Summary:
    import numpy as np

    first = rows.iloc[0]
    scale = rows["reference_value"].abs().to_numpy(float)
    deviations = (rows["value"] - rows["reference_value"]).to_numpy(float) / scale
    errors = rows["standard_error"].to_numpy(float) / scale
    reference_error = float(np.nan_to_num(rows["reference_error"].to_numpy(float) / scale).mean())
    n = len(rows)
    error = float(np.sqrt((errors**2).sum()) / n)  # NaN if one state's is unknown
    uncertain = float((errors**4 / rows["degrees_of_freedom"].fillna(math.inf).to_numpy(float)).sum())
    freedom = float((errors**2).sum()) ** 2 / uncertain if uncertain > 0 else math.inf
    mean = Estimate(1 + float(deviations.mean()), error, float(rows["n_independent"].sum()), freedom)
    goal = ACCURACY_GOAL_PERCENT.get(first["quantity"])
    return Summary(
        stage=first["stage"],
        system=first["system"],
        model=first["model"],
        quantity=first["quantity"],
        unit=first["unit"],
        reference_kind=first["reference_kind"],
        tested=first["tested"],
        n_states=n,
        nth_reference=int(first["nth_reference"]),
        deviation_percent=100 * float(deviations.mean()),
        standard_error_percent=100 * error,
        reference_error_percent=100 * reference_error,
        lowest_percent=100 * float(deviations.min()),
        highest_percent=100 * float(deviations.max()),
        verdict=verdict(mean, 1.0, reference_error, first["checked"], goal),
    )
