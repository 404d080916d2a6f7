"""Whether films that came to their temperature from different sides meet: the gap between them, or the interval.

Each side's value is the mean over its films (`moxie.features.replicas.over_films`). Where the 95 % interval of the gap,
by Student's t with the degrees of freedom of Welch and Satterthwaite, holds zero, the two sides agree: as far as they
are known, the value is the model's equilibrium. An interval that reaches further than half of the value on either side
shows nothing. Where they differ the equilibrium lies between them, if they began on either side of it.
"""

import math
from pathlib import Path
from typing import Any

from moxie.approaches import SIDES
from moxie.features.replicas import by_approach, over_approaches
from moxie.features.schemas import OXIDE_APPROACHES, OXIDE_RUNS, VARIES
from moxie.features.tables import write_table
from moxie.features.verdicts import Estimate

QUANTITIES = (
    "suboxide_total_monolayers",
    "suboxide_fraction_1",
    "suboxide_fraction_2",
    "suboxide_fraction_3",
    "film_density_g_cm3",
    "si_o_si_angle_deg",
    "lateral_stress_GPa",
    "transition_width_A",
    "strain_energy_eV_per_atom",
)
AGREE, DIFFER, IMPRECISE, UNKNOWN = "agree", "differ", "too imprecise", "no standard error"
_LARGEST_USEFUL_INTERVAL = 0.5  # half-width of the interval of the gap relative to the mean, as for other verdicts
_CONFIDENCE = 0.95


def compare_approaches(oxide_runs: Any) -> Any:
    """Return the table `oxide_approaches` from `oxide_runs`, as a data frame: a row for each state and quantity that
    films of both approaches have."""
    import pandas

    rows = []
    final = oxide_runs[oxide_runs["is_final"]]
    for (orientation, temperature), films in final.groupby(["orientation", "temperature_K"]):
        for quantity in QUANTITIES:
            sides = by_approach(films, quantity)
            if set(SIDES) <= set(sides):
                both = over_approaches(films, quantity)
                assert both is not None
                rows.append(
                    {
                        "orientation": orientation,
                        "temperature_K": temperature,
                        "quantity": quantity,
                        "unit": OXIDE_RUNS.column(quantity).unit,
                        **_compared(*(sides[name] for name in SIDES)),
                        "value": both.value,
                        "standard_error": both.standard_error,
                    }
                )
    return pandas.DataFrame(rows, columns=OXIDE_APPROACHES.column_names)


def write_approaches(table: Any, path: str | Path) -> None:
    """Write the table `oxide_approaches`, whole or not at all."""
    units = {column.name: "see column unit" for column in OXIDE_APPROACHES.columns if column.unit == VARIES}
    write_table(table, path, OXIDE_APPROACHES, units)


def _compared(disordered: Estimate, ordered: Estimate) -> dict[str, Any]:
    gap = ordered.value - disordered.value
    error = math.hypot(ordered.standard_error, disordered.standard_error)
    verdict = UNKNOWN
    if math.isfinite(error):
        half_width = _factor(disordered, ordered) * error
        useful = half_width <= _LARGEST_USEFUL_INTERVAL * abs(ordered.value + disordered.value) / 2
        verdict = DIFFER if abs(gap) > half_width else AGREE if useful else IMPRECISE
    values: dict[str, Any] = {}
    for name, side in zip(SIDES, (disordered, ordered), strict=True):
        values |= {name: side.value, f"{name}_standard_error": side.standard_error}
        values |= {f"{name}_films": int(side.n_independent)}
    return values | {
        "gap": gap,
        "gap_standard_error": error,
        "verdict": verdict,
        "lowest": min(ordered.value, disordered.value),
        "highest": max(ordered.value, disordered.value),
    }


def _factor(*sides: Estimate) -> float:
    """Return Student's t of the difference of two means."""
    from scipy.stats import t

    variances = [side.standard_error**2 for side in sides]
    spread = sum(v**2 / side.freedom for v, side in zip(variances, sides, strict=True))
    freedom = sum(variances) ** 2 / spread if spread > 0 else 1.0
    return float(t.ppf(0.5 + _CONFIDENCE / 2, max(freedom, 1.0)))
