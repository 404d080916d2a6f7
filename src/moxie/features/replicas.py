"""Means over replicas: of one quantity, and of whole tables; and over films, which replicas alone tell apart."""

import math
from typing import Any

from moxie.features.verdicts import Estimate

_OWN_SCATTER = 3  # replicas from which on their scatter is the error


def over_replicas(values: Any, errors: Any = None, counts: Any = None) -> Estimate | None:
    """Combine one quantity over the replicas of a state point; None if no replica has it.

    `errors` and `counts` are those of each replica, where the quantity has any; a value without one is no result, and
    does not count beside those that have it. If none has, neither has the mean. From three replicas on the standard
    error is that of the mean over replicas, with as many degrees of freedom less one. With fewer the errors of the
    single runs, widened as they are, are propagated and their sample counts added. A quantity without errors of single
    runs has that of the mean over replicas.
    """
    import numpy as np

    values = np.asarray(values, dtype=float)
    kept = np.isfinite(values)
    own = None if errors is None else np.asarray(errors, dtype=float)
    if own is not None and (kept & np.isfinite(own)).any():
        kept &= np.isfinite(own)
    elif own is not None and kept.any():
        return Estimate(float(values[kept].mean()), math.nan, float(kept.sum()))
    values = values[kept]
    n = len(values)
    if n == 0:
        return None
    if own is not None and n < _OWN_SCATTER:
        own, samples = own[kept], np.asarray(counts, dtype=float)[kept]
        return Estimate(float(values.mean()), float(np.sqrt((own**2).sum()) / n), float(samples.sum()))
    spread = float(values.std(ddof=1) / math.sqrt(n)) if n > 1 else math.nan
    return Estimate(float(values.mean()), spread, float(n), max(n - 1.0, 1.0))


def tabulate_over_replicas(frame: Any, by: list[str], *quantities: str) -> Any:
    """Return one row per group: means of quantities over replicas, each with its standard error, and `n_replicas`.

    As `over_replicas` does for one quantity: where the frame has a column {quantity}_standard_error, the replicas' own
    errors are propagated for fewer than three, else the error is that of their scatter; NaN for one replica without.
    """
    import numpy as np

    groups = frame.groupby(by)
    table, count = groups[list(quantities)].mean(), groups.size()
    for quantity in quantities:
        error = groups[quantity].std() / np.sqrt(count)
        name = f"{quantity}_standard_error"
        if name in frame:
            own = groups[name].agg(lambda errors: np.sqrt((errors**2).sum(skipna=False))) / count
            error = np.where(count < _OWN_SCATTER, own, error)
        table[name] = error
    return table.assign(n_replicas=count).reset_index()


def over_films(values: Any, errors: Any = None) -> Estimate | None:
    """Combine one quantity over films, or over other parts that need not sample the same; None if none has it.

    A film may stay in one basin for as long as it is sampled, and two films may agree by chance. So the variance of a
    part is the larger one of their scatter and of the mean of their own squared errors, and unknown for a single part,
    whose own error knows nothing of other basins. `n_independent` is the number of parts, one more than the degrees of
    freedom.
    """
    import numpy as np

    values = np.asarray(values, dtype=float)
    kept = np.isfinite(values)
    own = np.full(len(values), math.nan) if errors is None else np.asarray(errors, dtype=float)
    values, own = values[kept], own[kept]
    n = len(values)
    if n == 0:
        return None
    if n == 1:
        return Estimate(float(values[0]), math.nan, 1.0, 1.0)
    known = own[np.isfinite(own)] ** 2
    variance = max(float(values.var(ddof=1)), float(known.mean()) if len(known) else 0.0)
    return Estimate(float(values.mean()), math.sqrt(variance / n), float(n), n - 1.0)


def by_approach(films: Any, quantity: str) -> dict[str, Estimate]:
    """Return one quantity of final films of one state, from rows of `oxide_runs`, for each approach that has it."""
    found = {name: over_films(*_with_errors(rows, quantity)) for name, rows in films.groupby("approach")}
    return {name: estimate for name, estimate in found.items() if estimate is not None}


def over_approaches(films: Any, quantity: str) -> Estimate | None:
    """Combine one quantity over all final films of one state, from rows of `oxide_runs`; None if no film has it.

    First over the films of each approach, then over the approaches, by the rule of `over_films`: a gap between two
    sides counts as scatter, so that the standard error is half of it where it is larger than the sides' own errors.
    """
    sides = by_approach(films, quantity)
    if len(sides) < 2:
        return next(iter(sides.values()), None)
    both = over_films([side.value for side in sides.values()], [side.standard_error for side in sides.values()])
    assert both is not None
    n = sum(side.n_independent for side in sides.values())
    return Estimate(both.value, both.standard_error, n, max(n - len(sides), 1.0))


def tabulate_over_films(films: Any, by: list[str], quantity: str) -> Any:
    """Return one row per group that has the quantity, as `over_approaches` finds it: the columns of `by`, mean,
    standard_error, n_replicas (films behind the mean) and quantity."""
    import pandas

    columns = [*by, "mean", "standard_error", "n_replicas", "quantity"]
    rows = []
    for values, group in films.groupby(by):
        estimate = over_approaches(group, quantity)
        if estimate is not None:
            number = int(group[quantity].notna().sum())
            rows.append([*values, estimate.value, estimate.standard_error, number, quantity])
    return pandas.DataFrame(rows, columns=columns)


def _with_errors(films: Any, quantity: str) -> tuple[Any, Any]:
    error = f"{quantity}_standard_error"
    return films[quantity], films[error] if error in films else None
