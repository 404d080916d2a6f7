"""Means over replicas: of one quantity, and of whole tables."""

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
