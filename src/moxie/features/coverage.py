"""How often error bars hold: many independent runs of one state point, their scatter against the errors they give.

Nothing here knows an observable by name: every column of a table that has a standard error is audited.
"""

import math
from typing import Any

import numpy as np

STATE = ("system", "species", "force_field", "temperature_K", "pressure_bar", "sampled_ps", "leg_ps")
_ERROR, _CONFIDENCE = "_standard_error", 1.96


def coverage(table: Any, state: tuple[str, ...] = STATE) -> Any:
    """Return how the errors of a table's observables compare with the scatter of its rows, as a data frame.

    table: one row for each independent run; rows alike in the columns of `state` (as far as the table has them) are of
    one state point. One row comes back for each state point and observable: `runs` that have a value, `given` those
    with an error above zero, `mean` and `scatter` of all values, `mean_standard_error` (root mean square) of those
    given, `ratio` of scatter to error, `coverage`, the share of given intervals of 1.96 errors that hold the mean of
    all runs (a run's own part in that mean is allowed for), and `coverage_standard_error`, binomial.
    """
    import pandas as pd

    keys = [name for name in state if name in table]
    names = [name for name in table if f"{name}{_ERROR}" in table and not name.endswith(_ERROR)]
    groups = table.groupby(keys) if keys else [((), table)]
    rows = []
    for values, runs in groups:
        described = dict(zip(keys, values, strict=True))
        rows += [described | found for name in names if (found := _of_observable(runs, name)) is not None]
    return pd.DataFrame(rows)


def _of_observable(runs: Any, name: str) -> dict[str, Any] | None:
    value, error = runs[name].to_numpy(dtype=float), runs[f"{name}{_ERROR}"].to_numpy(dtype=float)
    there = np.isfinite(value)
    value, error = value[there], error[there]
    given = np.isfinite(error) & (error > 0)
    if len(value) < 2:
        return None
    number, mean, scatter = int(given.sum()), float(value.mean()), float(value.std(ddof=1))
    typical = float(np.sqrt((error[given] ** 2).mean())) if number else math.nan
    reach = _CONFIDENCE * error[given] * math.sqrt(1 - 1 / len(value))
    held = int((np.abs(value[given] - mean) <= reach).sum())
    smoothed = (held + 1) / (number + 2)
    return {
        "observable": name, "runs": len(value), "given": number, "mean": mean, "scatter": scatter,
        "mean_standard_error": typical, "ratio": scatter / typical if number else math.nan,
        "coverage": held / number if number else math.nan,
        "coverage_standard_error": math.sqrt(smoothed * (1 - smoothed) / number) if number else math.nan,
    }  # fmt: skip
