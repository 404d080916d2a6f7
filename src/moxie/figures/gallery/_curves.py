"""Curves averaged over replicas: shared by several figures."""

from pathlib import Path
from typing import Any

import numpy as np

from moxie.features.schemas import RDF_CURVES
from moxie.features.tables import read_table

KEY = ["system", "force_field", "force_field_sha256", "temperature_K", "pressure_bar", "pair"]


def read_curves(path: Path) -> Any:
    """Return the radial distribution functions averaged over replicas, with their standard error as far as known."""
    return over_replicas(read_table(path, RDF_CURVES), [*KEY, "r_A"], "g", "running_coordination")


def over_replicas(curves: Any, by: list[str], quantity: str, *others: str) -> Any:
    """Return the means of columns over replicas, the standard error of the mean of `quantity`, and `n_replicas`.

    From three replicas on the error is that of their scatter, else the replicas' own errors are propagated.
    """
    groups = curves.assign(variance=curves[f"{quantity}_standard_error"] ** 2).groupby(by)
    table = groups[[quantity, *others]].mean()
    count, scatter = groups.size(), groups[quantity].std()
    own = np.sqrt(groups["variance"].agg(lambda values: values.sum(skipna=False))) / count
    table[f"{quantity}_standard_error"] = np.where(count < 3, own, scatter / np.sqrt(count))
    return table.assign(n_replicas=count).reset_index()
