"""What a benchmark writes: the machine, the versions, and a list of rows with median, extremes and conditions."""

import statistics
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from moxie.io import write_json
from moxie.provenance import installed_versions, machine


def row(metric: str, system: str, n_atoms: int, values: Sequence[float], unit: str, conditions: str) -> dict[str, Any]:
    """Return one row: the median of some runs, with the smallest and the largest."""
    result = {
        "metric": metric,
        "system": system,
        "n_atoms": n_atoms,
        "value": statistics.median(values),
        "unit": unit,
        "minimum": min(values),
        "maximum": max(values),
        "runs": len(values),
        "conditions": conditions,
    }
    print(f"{metric:34} {system:28} {n_atoms:6} {result['value']:12.5g} {unit}  [{conditions}]", flush=True)
    return result


def write(path: Path, rows: list[dict[str, Any]]) -> None:
    """Write the rows of one stage."""
    write_json(path, {"machine": machine(), "versions": installed_versions(), "rows": rows})
    print(f"wrote {path}")
