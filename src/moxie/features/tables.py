"""Parquet tables that carry their units: written whole, checked against their schema, read back with the same care."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from moxie.errors import InputError
from moxie.features.schemas import VARIES, Column, Table, pandera_schema
from moxie.io import replace_when_complete

_SHOWN_FAILURES = 5


def write_table(frame: Any, path: str | Path, table: Table, units: Mapping[str, str] | None = None) -> None:
    """Check a data frame against its schema and write it as Parquet, whole or not at all.

    Columns come out in the order of the schema and rows sorted by the key, so equal content gives equal bytes.
    Integers in columns of floating-point numbers are converted. `units` gives the units of the columns whose unit
    is declared as varying. Raises InputError naming the row and the column of what does not fit.
    """
    import pyarrow
    import pyarrow.parquet as parquet

    frame = check_frame(frame, table, str(path))
    frame = frame.sort_values(list(table.key), kind="stable", ignore_index=True)
    units = dict(units or {})
    schema = pyarrow.schema(
        [_arrow_field(column, units.get(column.name, column.unit)) for column in table.columns],
        metadata={"table": table.name, "description": table.description, "key": ",".join(table.key)},
    )
    arrays = [
        pyarrow.array(frame[field.name].tolist() if pyarrow.types.is_list(field.type) else frame[field.name],
                      type=field.type, from_pandas=True)
        for field in schema
    ]  # fmt: skip
    with replace_when_complete(path) as partial:
        parquet.write_table(pyarrow.Table.from_arrays(arrays, schema=schema), partial, compression="zstd")


def read_table(path: str | Path, table: Table) -> Any:
    """Read a table as a pandas data frame; raises InputError naming the file, row and column at fault."""
    arrow = read_arrow(path)
    for column in table.columns:
        if column.name in arrow.schema.names and column.unit != VARIES:
            found = _metadata(arrow.schema.field(column.name)).get("unit")
            if found != column.unit:
                raise InputError(
                    f"{path}: column {column.name} is in {found!r}, expected {column.unit!r}. {_ANEW.format(path=path)}"
                )
    frame = arrow.to_pandas()
    for column in table.columns:
        if column.dtype.startswith("list") and column.name in frame:
            frame[column.name] = [list(value) if value is not None else None for value in frame[column.name]]
    return check_frame(frame, table, str(path))


def read_units(path: str | Path) -> dict[str, str]:
    """Return the unit of every column of a Parquet file that has one in its metadata."""
    return {field.name: _metadata(field)["unit"] for field in read_arrow(path).schema if "unit" in _metadata(field)}


def check_frame(frame: Any, table: Table, where: str) -> Any:
    """Return the frame with its columns in the order of the schema; raises InputError if it does not fit `table`."""
    import pandera.errors

    missing = [name for name in table.column_names if name not in frame.columns]
    extra = [str(name) for name in frame.columns if name not in table.column_names]
    if missing or extra:
        complaints = [f"lacks {', '.join(missing)}"] * bool(missing) + [f"has unknown {', '.join(extra)}"] * bool(extra)
        raise InputError(f"{where}: the columns do not fit table {table.name}: it {' and '.join(complaints)}.")
    frame = frame[table.column_names].reset_index(drop=True).copy()
    for column in table.columns:
        frame[column.name] = _as_declared(frame[column.name], column)
    try:
        return pandera_schema(table).validate(frame, lazy=True)
    except pandera.errors.SchemaErrors as errors:
        raise InputError(f"{where}: {_describe_failures(errors.failure_cases, frame, table)}") from None


_ANEW = "Delete {path} and run again to make it anew."


def read_arrow(path: str | Path) -> Any:
    """Return a Parquet file as an Arrow table; raises InputError if it is missing or damaged."""
    import pyarrow
    import pyarrow.parquet as parquet

    if not Path(path).is_file():
        raise InputError(f"{path} does not exist.")
    try:
        return parquet.read_table(path, partitioning=None)
    except (pyarrow.ArrowException, OSError) as error:
        reason = str(error).splitlines()[0]
        raise InputError(f"{path} is damaged or not a Parquet file ({reason}). {_ANEW.format(path=path)}") from error


def _arrow_field(column: Column, unit: str) -> Any:
    import pyarrow

    types = {
        "float": pyarrow.float64(),
        "int": pyarrow.int64(),
        "bool": pyarrow.bool_(),
        "str": pyarrow.string(),
        "list<float>": pyarrow.list_(pyarrow.float64()),
        "list<str>": pyarrow.list_(pyarrow.string()),
    }
    metadata = {"unit": unit, "description": column.description}
    return pyarrow.field(column.name, types[column.dtype], nullable=column.nullable, metadata=metadata)


def _metadata(field: Any) -> dict[str, str]:
    return {key.decode(): value.decode() for key, value in (field.metadata or {}).items()}


def _as_declared(values: Any, column: Column) -> Any:
    """Convert what converts without loss: integers to floats, whole floats to integers, an all-empty column to NaN."""
    import pandas

    kind = pandas.api.types
    if kind.is_bool_dtype(values):
        return values
    if column.dtype == "float" and (kind.is_integer_dtype(values) or values.isna().all()):
        return values.astype("float64")
    if column.dtype == "float" and kind.is_float_dtype(values):
        return values.astype("float64")
    if column.dtype == "int" and kind.is_integer_dtype(values):
        return values.astype("int64")
    if column.dtype == "int" and kind.is_float_dtype(values) and values.notna().all() and (values % 1 == 0).all():
        return values.astype("int64")
    if column.dtype == "str" and all(isinstance(value, str) for value in values):
        return values.astype("str")
    return values


def _describe_failures(cases: Any, frame: Any, table: Table) -> str:
    """Say in words which rows and columns failed which check, a few of them if they are many."""
    texts = []
    seen: set[tuple[str, Any, Any]] = set()
    for case in cases.itertuples():
        row = case.index if isinstance(case.index, int | float) and case.index == case.index else None
        check = "is given more than once" if "multiple_fields_uniqueness" in str(case.check) else str(case.check)
        whole_row = case.schema_context == "DataFrameSchema"
        of_type = check.startswith("dtype(")
        if str(case.failure_case).startswith("TypeError"):
            continue  # a range check that stumbled over a wrong type, which is reported by itself
        about = (check, None if of_type else row, None if whole_row else case.column)
        if about in seen and (whole_row or of_type):
            continue
        seen.add(about)
        place = ""
        if row is not None:
            key = ", ".join(f"{name}={frame[name].iloc[int(row)]}" for name in table.key)
            place = f"row {int(row)} ({key})"
        if whole_row:
            texts.append(f"{place or 'a row'}: {check if 'more than once' in check else 'must hold: ' + check}")
        elif check == "not_nullable":
            texts.append(f"{place}, column {case.column}: is empty")
        elif of_type:
            texts.append(f"column {case.column}: {case.failure_case!r} is not {table.column(case.column).dtype}")
        else:
            texts.append(f"{place}, column {case.column}: {case.failure_case!r} must be {check}")
    shown = "; ".join(texts[:_SHOWN_FAILURES])
    more = f"; and {len(texts) - _SHOWN_FAILURES} more" if len(texts) > _SHOWN_FAILURES else ""
    return f"table {table.name} does not fit its schema: {shown}{more}."
