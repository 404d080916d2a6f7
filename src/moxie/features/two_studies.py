"""Two studies' tables next to each other, row by row, in combined standard errors.

A number with errors differs where the 95 % interval of the difference, by Student's t with the degrees of freedom of
Welch and Satterthwaite, leaves out zero. Of two runs that differ in their seed alone one number in twenty does so by
chance; hence `differs` marks those, and `surely` those that still do after Holm's correction for the number of
comparisons (Holm, Scand. J. Statist. 6, 65 (1979)). A number without errors that depends on no random stream is the
same or changed, and so is a setting that stands in the tables.

A wrong cut-off shifts every state by little. So each quantity is also judged over all its states at once: the sum of
their differences as standard normal numbers, over the root of their number (Stouffer). Rows of one and the same runs
count as one.

Replicas that agree in all numbers come from one seed; the quantity is then called `seed`.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
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
from moxie.features.tables import read_units
from moxie.features.verdicts import Estimate

# those of one row for each state, not for each atom or point of a curve
TABLES = (
    LIQUIDS, ELECTROLYTES, TRANSPORT, SETTINGS_STUDY, OXIDE_RUNS, OXIDE_BULK, OXIDE_EQUILIBRIUM, MOLECULES, VALIDATION
)  # fmt: skip
COLUMNS = (
    "table", "row", "quantity", "unit", "value_a", "error_a", "value_b", "error_b", "difference", "combined_error",
    "z_score", "verdict", "surely",
)  # fmt: skip
SIGNIFICANCE = 0.05
ALL_STATES = "all states together"
_FEWEST_STATES = 3
# columns that a study is free to set, and chance is not
_SETTINGS = (
    "composition", "ensemble", "n_molecules", "n_sites", "timestep_fs", "force_field_sha256", "smiles", "n_legs",
    "leg_ps", "parameter_set", "target_thickness_nm", "thickness_scale", "method", "n_atoms", "density_functional",
)  # fmt: skip
# columns of the key along which rows come from the same runs
_OF_THE_SAME_RUNS = {
    TRANSPORT: ("species",), OXIDE_RUNS: ("stage",), OXIDE_BULK: ("kT_eV",), OXIDE_EQUILIBRIUM: ("temperature_K",)
}  # fmt: skip
_SAME = 1e-9  # relative difference of numbers that are the same but for rounding
_BESIDE_A_VALUE = ("_standard_error", "_n_independent")
_FAILING = ("changed", "other unit", "one seed", "only in A", "only in B")


def compare_studies(a: str | Path, b: str | Path) -> Any:
    """Return a data frame of all numbers of two studies, columns COLUMNS; a and b are their folders.

    `z_score` is the normal deviate that is as improbable as the difference is by Student's t. `verdict` is agrees,
    differs, same, changed, other unit, one seed, no standard error, only in A or only in B. Raises InputError for a
    folder without tables.
    """
    import pandas

    found = [_tables(Path(folder)) for folder in (a, b)]
    rows: list[dict[str, Any]] = []
    for table in TABLES:
        sides = [_Side.of(table, paths.get(table.name)) for paths in found]
        numbers = [side.numbers for side in sides]
        lines = [_compared(key, *(side.get(key) for side in numbers)) for key in _either(*numbers)]
        settings = [side.settings for side in sides]
        lines += [_compared_settings(key, *(side.get(key) for side in settings)) for key in _either(*settings)]
        if table is not VALIDATION:  # its numbers stand in the other tables
            lines += _over_states(lines)
        lines += [line | {"verdict": "one seed"} for side in sides for line in side.repeated]
        rows += [{"table": table.name} | line for line in lines]
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


_Key = tuple[str, str]  # row and quantity


@dataclass(frozen=True)
class _Number:
    estimate: Estimate
    unit: str
    exact: bool  # it has no random part
    of_runs: str  # the row without what its runs have in common with other rows


@dataclass(frozen=True)
class _Side:
    """What one study's table holds, by row and quantity."""

    numbers: dict[_Key, _Number] = field(default_factory=dict)
    settings: dict[_Key, str] = field(default_factory=dict)
    repeated: list[dict[str, Any]] = field(default_factory=list)

    @classmethod
    def of(cls, table: Table, path: Path | None) -> "_Side":
        side = cls()
        if path is None:
            return side
        frame, units = _read(path), read_units(path)
        key = [name for name in table.key if name != "replica" and name in frame]
        shared = _OF_THE_SAME_RUNS.get(table, ())
        for values, group in frame.groupby(key, dropna=False, sort=False):
            row = ", ".join(_text(value) for value in values)
            of_runs = ", ".join(_text(v) for name, v in zip(key, values, strict=True) if name not in shared)
            for quantity, found, unit, exact in _estimates(table, group, units):
                side.numbers[row, quantity] = _Number(found, unit, exact, of_runs)
            for name in (each for each in _SETTINGS if each in group and each not in key):
                side.settings[row, name] = ", ".join(sorted({_text(value) for value in group[name]}))
            if _repeats(table, group):
                side.repeated.append({"row": row, "quantity": "seed"})
        return side


def _estimates(table: Table, group: Any, units: dict[str, str]) -> Iterator[tuple[str, Estimate, str, bool]]:
    """Yield quantity, estimate over the replicas, unit, and whether it is exact."""
    from moxie.features.replicas import over_films, over_replicas

    if table is VALIDATION:
        yield "value", _of_validation(group.iloc[0]), group["unit"].iloc[0], False
        return
    for quantity, unit, error in _quantities(table, group):
        errors = None if error is None else group[error]
        if table is OXIDE_RUNS:
            estimate = over_films(group[quantity], errors)
        else:
            count = f"{quantity}_n_independent"
            estimate = over_replicas(group[quantity], errors, group[count] if count in group else errors)
        if estimate is not None:
            exact = error is None and "replica" not in table.key
            yield quantity, estimate, units.get(quantity, unit), exact


def _repeats(table: Table, group: Any) -> bool:
    """Return whether two replicas agree in every number, some of which chance decides."""
    if "replica" not in table.key:
        return False
    names = [column.name for column in table.columns if column.dtype == "float" and column.name in group]
    numbers = group[[name for name in names if name not in table.key and name not in _SETTINGS]].dropna(axis=1)
    return bool(numbers.shape[1]) and bool(numbers.duplicated().any())


def _either(first: dict[_Key, Any], second: dict[_Key, Any]) -> list[_Key]:
    return list(dict.fromkeys([*first, *second]))


def _of_validation(line: Any) -> Estimate:
    freedom = float(line.get("degrees_of_freedom", math.nan))
    freedom = math.inf if math.isnan(freedom) else freedom
    return Estimate(float(line["value"]), float(line["standard_error"]), float(line["n_independent"]), freedom)


def _read(path: Path) -> Any:
    """Return a table as it stands there: another version of moxie may have given it fewer columns or more."""
    import pandas

    try:
        return pandas.read_parquet(path)
    except (OSError, ValueError) as error:
        raise InputError(f"{path} cannot be read ({error}). Run its study again.") from error


def _quantities(table: Table, group: Any) -> Iterator[tuple[str, str, str | None]]:
    """Yield the columns of values, their units, and the columns of their errors, where they have any."""
    for column in table.columns:
        name = column.name
        beside = name in (*table.key, *_SETTINGS) or name.endswith(_BESIDE_A_VALUE)
        if column.dtype == "float" and name in group and not beside:
            error = f"{name}_standard_error"
            yield name, column.unit, error if error in group else None


def _compared_settings(key: _Key, a: str | None, b: str | None) -> dict[str, Any]:
    line = {"row": key[0], "quantity": key[1], "unit": "", "p_value": math.nan}
    if a is None or b is None:
        return line | {"verdict": "only in B" if a is None else "only in A"}
    return line | {"verdict": "same" if a == b else "changed"}


def _compared(key: _Key, a: _Number | None, b: _Number | None) -> dict[str, Any]:
    row, quantity = key
    one = a or b
    assert one is not None
    line: dict[str, Any] = {
        "row": row, "quantity": quantity, "unit": one.unit, "p_value": math.nan, "of_runs": one.of_runs
    }  # fmt: skip
    for name, side in (("a", a), ("b", b)):
        line[f"value_{name}"] = side.estimate.value if side else math.nan
        line[f"error_{name}"] = side.estimate.standard_error if side else math.nan
    if a is None or b is None:
        return line | {"verdict": "only in B" if a is None else "only in A"}
    if a.unit != b.unit:
        return line | {"verdict": "other unit"}
    first, second = a.estimate, b.estimate
    line["difference"] = second.value - first.value
    combined = math.hypot(first.standard_error, second.standard_error)
    if not combined > 0:
        exact = a.exact or combined == 0
        same = abs(line["difference"]) <= _SAME * max(abs(first.value), abs(second.value))
        return line | {"verdict": "same" if same else "changed" if exact else "no standard error"}
    p = _p_value(line["difference"] / combined, first, second)
    return line | {
        "combined_error": combined,
        "z_score": math.copysign(_normal(p), line["difference"]),
        "p_value": p,
        "verdict": "differs" if p < SIGNIFICANCE else "agrees",
    }


def _over_states(lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return a line for each quantity that is judged in three or more states; the mean stands for those of one run."""
    from scipy.stats import norm

    alike: dict[tuple[str, str], dict[str, list[float]]] = {}
    for line in lines:
        if math.isfinite(line["p_value"]):
            of_quantity = alike.setdefault((line["quantity"], line["unit"]), {})
            of_quantity.setdefault(line["of_runs"], []).append(line["z_score"])
    found = []
    for (quantity, unit), runs in alike.items():
        if len(runs) >= _FEWEST_STATES:
            z = sum(sum(each) / len(each) for each in runs.values()) / math.sqrt(len(runs))
            p = 2 * float(norm.sf(abs(z)))
            verdict = "differs" if p < SIGNIFICANCE else "agrees"
            line = {"row": ALL_STATES, "quantity": quantity, "unit": unit}
            found.append(line | {"z_score": z, "p_value": p, "verdict": verdict})
    return found


def _normal(p: float) -> float:
    """Return the normal deviate, in standard errors that are exactly known, that is as improbable."""
    from scipy.stats import norm

    return float(norm.isf(max(p, 1e-300) / 2))


def _p_value(z: float, first: Estimate, second: Estimate) -> float:
    """Return the two-sided probability of a larger |z| by chance."""
    from scipy.stats import t

    uncertain = sum(each.standard_error**4 / each.freedom for each in (first, second))
    total = math.hypot(first.standard_error, second.standard_error) ** 4
    return 2 * float(t.sf(abs(z), total / uncertain if uncertain > 0 else math.inf))


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
