"""What a table is: its columns with type, unit, meaning and range, its key, and the checks over whole rows."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from moxie.errors import InputError

VARIES = "varies"  # the unit of this column depends on the table and is given when it is written


@dataclass(frozen=True)
class Column:
    """One column: `dtype` is float, int, bool, str, list<float> or list<str>; limits are inclusive."""

    name: str
    dtype: str
    unit: str
    description: str
    low: float | None = None
    high: float | None = None
    nullable: bool = False
    allowed: tuple[str, ...] = ()


@dataclass(frozen=True)
class Table:
    """One table: its key columns are unique together; `checks` hold over whole rows (name, frame -> boolean series)."""

    name: str
    description: str
    key: tuple[str, ...]
    columns: tuple[Column, ...]
    checks: tuple[tuple[str, Callable[[Any], Any]], ...] = field(default=(), repr=False)

    @property
    def column_names(self) -> list[str]:
        return [column.name for column in self.columns]

    def column(self, name: str) -> Column:
        """Return one column; raises InputError with the columns there are."""
        for column in self.columns:
            if column.name == name:
                return column
        raise InputError(f"Table {self.name} has no column {name!r}; it has: {', '.join(self.column_names)}.")


def pandera_schema(table: Table) -> Any:
    """Return the strict pandera schema of a table: types, ranges, no other columns, unique keys."""
    import pandera.pandas as pandera

    def is_list_of(kind: type) -> Any:
        return pandera.Check(
            lambda value: isinstance(value, list) and all(isinstance(item, kind) for item in value),
            element_wise=True,
            error=f"a list of {kind.__name__}",
        )

    def column_schema(column: Column) -> Any:
        checks = []
        if column.low is not None:
            checks.append(pandera.Check.ge(column.low, error=f"at least {column.low:g}"))
        if column.high is not None:
            checks.append(pandera.Check.le(column.high, error=f"at most {column.high:g}"))
        if column.allowed:
            checks.append(pandera.Check.isin(column.allowed, error=f"one of {', '.join(column.allowed)}"))
        if column.dtype == "float":
            checks.append(pandera.Check(lambda values: abs(values) < float("inf"), error="finite"))
        if column.dtype.startswith("list"):
            checks.append(is_list_of(float if "float" in column.dtype else str))
        dtype = {"float": "float64", "int": "int64", "bool": "bool", "str": "str"}.get(column.dtype, "object")
        return pandera.Column(dtype, checks, nullable=column.nullable)

    return pandera.DataFrameSchema(
        {column.name: column_schema(column) for column in table.columns},
        checks=[pandera.Check(check, error=name) for name, check in table.checks],
        strict=True,
        unique=list(table.key),
        name=table.name,
    )
