"""Curves averaged over replicas: shared by several figures."""

from pathlib import Path
from typing import Any

from moxie.features.replicas import tabulate_over_replicas
from moxie.features.schemas import RDF_CURVES
from moxie.features.tables import read_table

KEY = ["system", "force_field", "force_field_sha256", "temperature_K", "pressure_bar", "pair"]


def read_curves(path: Path) -> Any:
    """Return the radial distribution functions averaged over replicas, with their standard error as far as known."""
    return tabulate_over_replicas(read_table(path, RDF_CURVES), [*KEY, "r_A"], "g", "running_coordination")
