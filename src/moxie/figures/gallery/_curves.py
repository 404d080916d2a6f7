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


def over_replicas(curves: Any, by: list[str], *quantities: str) -> Any:
    """Return the means of quantities over replicas, the standard error of each mean, and `n_replicas`.

    From three replicas on the error is that of their scatter, else the replicas' own errors are propagated.
    """
    groups = curves.groupby(by)
    table, count = groups[list(quantities)].mean(), groups.size()
    for quantity in quantities:
        own = groups[f"{quantity}_standard_error"].agg(lambda errors: np.sqrt((errors**2).sum(skipna=False))) / count
        table[f"{quantity}_standard_error"] = np.where(count < 3, own, groups[quantity].std() / np.sqrt(count))
    return table.assign(n_replicas=count).reset_index()
