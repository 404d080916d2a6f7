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


def coverage_of_curves(table: Any, curve: str, along: str, state: tuple[str, ...] = STATE) -> Any:
    """Return the same for curves: one row for each curve and quantity, its points together.

    Each run has a curve, named in the column `curve`, over the values of `along`. Mean, scatter and error are no
    numbers of one point and left out; the binomial error is that of the points' mean as if all erred alike.
    """
    import pandas as pd

    points = coverage(table, (*state, curve, along)).dropna(subset=["coverage"])
    keys = [name for name in (*state, curve, "observable") if name in points]
    rows = []
    for values, group in points.groupby(keys):
        means = group[["ratio", "coverage", "coverage_standard_error"]].mean().to_dict()
        name = f"{values[-1]}, {values[-2]}"
        counts = {"runs": int(group["runs"].max()), "given": round(group["given"].mean())}
        rows.append(dict(zip(keys[:-2], values[:-2], strict=True)) | {"observable": name} | counts | means)
    return pd.DataFrame(rows)


def coverage_of_pairs(table: Any, names: tuple[str, ...], state: tuple[str, ...]) -> Any:
    """Return the same for means over pairs of runs, whose error is their scatter and whose factor is 12.7 (`verdict`).

    Rows of one state are taken two by two as they stand; `mean_standard_error` is widened by 12.7 / 1.96.
    """
    import pandas as pd

    from moxie.timeseries import student_factor

    rows = []
    for values, runs in table.groupby(list(state)):
        for name in names:
            value = runs[name].dropna().to_numpy(dtype=float)
            pairs = value[: len(value) // 2 * 2].reshape(-1, 2)
            error = student_factor(1) * np.abs(pairs[:, 0] - pairs[:, 1]) / 2
            made = pd.DataFrame({name: pairs.mean(axis=1), f"{name}{_ERROR}": error})
            found = _of_observable(made, name)
            if found is not None:
                rows.append(dict(zip(state, values, strict=True)) | found | {"observable": f"{name}, mean of two"})
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
