"""Two studies' tables next to each other, row by row, in combined standard errors.

A number with errors differs where the 95 % interval of the difference, by Student's t with the degrees of freedom of
Welch and Satterthwaite, leaves out zero. Of two runs that differ in their seed alone one number in twenty does so by
chance; hence `differs` marks those, and `surely` those that still do after Holm's correction for the number of
comparisons (Holm, Scand. J. Statist. 6, 65 (1979)). A number without errors that depends on no random stream is the
same or changed.
"""

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from moxie.errors import InputError
from moxie.features.schemas import (
    ELECTROLYTES,
    LIQUIDS,
    MOLECULES,
    OXIDE_BULK,
    OXIDE_EQUILIBRIUM,
    OXIDE_RUNS,
    SETTINGS_STUDY,
    TRANSPORT,
    VALIDATION,
    Table,
)

# those of one row for each state, not for each atom or point of a curve
TABLES = (
    LIQUIDS, ELECTROLYTES, TRANSPORT, SETTINGS_STUDY, OXIDE_RUNS, OXIDE_BULK, OXIDE_EQUILIBRIUM, MOLECULES, VALIDATION
)  # fmt: skip
COLUMNS = (
    "table", "row", "quantity", "unit", "value_a", "error_a", "value_b", "error_b", "difference", "combined_error",
    "z_score", "verdict", "surely",
)  # fmt: skip
SIGNIFICANCE = 0.05
_SAME = 1e-9  # relative difference of numbers that are the same but for rounding
_BESIDE_A_VALUE = ("_standard_error", "_n_independent")
_FAILING = ("changed", "only in A", "only in B")


def compare_studies(a: str | Path, b: str | Path) -> Any:
    """Return a data frame of all numbers of two studies, columns COLUMNS; a and b are their folders.

    `verdict` is agrees, differs, same, changed, no standard error, only in A or only in B. Raises InputError for a
    folder without tables.
    """
    import pandas

    found = {name: _tables(Path(folder)) for name, folder in (("A", a), ("B", b))}
    rows: list[dict[str, Any]] = []
    for table in TABLES:
        numbers = [_numbers(table, found[name].get(table.name)) for name in ("A", "B")]
        for key in dict.fromkeys([*numbers[0], *numbers[1]]):
            rows.append({"table": table.name} | _compared(key, numbers[0].get(key), numbers[1].get(key)))
    frame = pandas.DataFrame(rows, columns=["p_value", *COLUMNS])
    frame["surely"] = _surely(frame["p_value"].to_numpy(float)) | frame["verdict"].isin(_FAILING)
    return frame[list(COLUMNS)]


def summarise(comparison: Any) -> dict[str, int]:
    """Return the numbers behind a verdict on two studies: how many have each verdict, how many differ surely."""
    counts = comparison["verdict"].value_counts().to_dict()
    judged = counts.get("agrees", 0) + counts.get("differs", 0)
    return {**counts, "judged": judged, "surely": int(comparison["surely"].sum())}


def _tables(folder: Path) -> dict[str, Path]:
    results = folder / "results" if (folder / "results").is_dir() else folder
    paths = {table.name: results / "features" / f"{table.name}.parquet" for table in TABLES}
    paths[VALIDATION.name] = results / "tables" / "validation.parquet"
    found = {name: path for name, path in paths.items() if path.is_file()}
    if not found:
        raise InputError(f"{folder} has no table of a study (results/features/*.parquet). Run the study first.")
    return found


def _numbers(table: Table, path: Path | None) -> dict[tuple[str, str], tuple[Any, str, bool]]:
    """Return {(row, quantity): (its estimate over the replicas, its unit, whether it has no random part)}."""
    from moxie.features.replicas import over_replicas

    if path is None:
        return {}
    frame = _read(path)
    key = [name for name in table.key if name != "replica" and name in frame]
    found: dict[tuple[str, str], tuple[Any, str, bool]] = {}
    for values, group in frame.groupby(key, dropna=False, sort=False):
        row = ", ".join(_text(value) for value in values)
        for quantity, unit, value, error, count in _quantities(table, group):
            errors = None if error is None else group[error]
            counts = group[count] if count in group else errors
            estimate = over_replicas(group[value], errors, counts)
            if estimate is not None:
                found[row, quantity] = (estimate, unit, error is None and "replica" not in table.key)
    return found


def _read(path: Path) -> Any:
    """Return a table as it stands there: another version of moxie may have given it fewer columns or more."""
    import pandas

    try:
        return pandas.read_parquet(path)
    except (OSError, ValueError) as error:
        raise InputError(f"{path} cannot be read ({error}). Run its study again.") from error


def _quantities(table: Table, group: Any) -> Iterator[tuple[str, str, str, str | None, str]]:
    """Yield quantity, unit, and the names of the columns of value, error and number of samples."""
    if table is VALIDATION:
        yield "value", group["unit"].iloc[0], "value", "standard_error", "n_independent"
        return
    for column in table.columns:
        name = column.name
        beside = name in table.key or name.endswith(_BESIDE_A_VALUE)
        if column.dtype == "float" and name in group and not beside:
            error = f"{name}_standard_error"
            yield name, column.unit, name, error if error in group else None, f"{name}_n_independent"


def _compared(key: tuple[str, str], a: Any, b: Any) -> dict[str, Any]:
    row, quantity = key
    line: dict[str, Any] = {"row": row, "quantity": quantity, "unit": (a or b)[1], "p_value": math.nan}
    for name, side in (("a", a), ("b", b)):
        line[f"value_{name}"] = side[0].value if side else math.nan
        line[f"error_{name}"] = side[0].standard_error if side else math.nan
    if a is None or b is None:
        return line | {"verdict": "only in B" if a is None else "only in A"}
    first, second = a[0], b[0]
    line["difference"] = second.value - first.value
    combined = math.hypot(first.standard_error, second.standard_error)
    if not combined > 0:
        exact = a[2] or combined == 0
        same = abs(line["difference"]) <= _SAME * max(abs(first.value), abs(second.value))
        return line | {"verdict": "same" if same else "changed" if exact else "no standard error"}
    z = line["difference"] / combined
    p = _p_value(z, first, second)
    return line | {
        "combined_error": combined,
        "z_score": z,
        "p_value": p,
        "verdict": "differs" if p < SIGNIFICANCE else "agrees",
    }


def _p_value(z: float, first: Any, second: Any) -> float:
    """Return the two-sided probability of a larger |z| by chance; an unknown number of samples counts as many."""
    from scipy.stats import t

    parts = [
        each.standard_error**4 / max(each.n_independent - 1, 1)
        for each in (first, second)
        if math.isfinite(each.n_independent)
    ]
    total = math.hypot(first.standard_error, second.standard_error) ** 4
    return 2 * float(t.sf(abs(z), total / sum(parts) if sum(parts) > 0 else math.inf))


def _surely(p_values: Any) -> Any:
    """Return which of many p-values are significant after Holm's correction; NaN is not."""
    import numpy as np

    judged = np.flatnonzero(np.isfinite(p_values))
    result = np.zeros(len(p_values), bool)
    for rank, index in enumerate(judged[np.argsort(p_values[judged])]):
        if p_values[index] >= SIGNIFICANCE / (len(judged) - rank):
            break
        result[index] = True
    return result


def _text(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)
