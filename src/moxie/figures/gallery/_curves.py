"""Radial distribution functions averaged over replicas: shared by two figures."""

from pathlib import Path
from typing import Any

import numpy as np

from moxie.features.schemas import RDF_CURVES
from moxie.features.tables import read_table

KEY = ["system", "force_field", "temperature_K", "pressure_bar", "pair"]


def read_curves(path: Path) -> Any:
    """Return the curves averaged over replicas, with the standard error of the mean as far as it is known."""
    curves = read_table(path, RDF_CURVES)
    curves["variance"] = curves["g_standard_error"] ** 2
    table = (
        curves.groupby([*KEY, "r_A"])
        .agg(
            g=("g", "mean"),
            running_coordination=("running_coordination", "mean"),
            variance=("variance", lambda values: values.sum(skipna=False)),
            n_replicas=("g", "size"),
        )
        .reset_index()
    )
    table["g_standard_error"] = np.sqrt(table["variance"]) / table["n_replicas"]
    return table.drop(columns="variance")
