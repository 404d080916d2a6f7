"""Tables of a user's own, CSV or Parquet: read without a change to any cell, written back beside what is predicted.

Every cell of a CSV file stays the text that it was (leading zeros, long numbers, dates, NA), every column of a Parquet
file keeps its type. Numbers are made only of the columns that a model asks for, in copies of them.
"""

import csv
import io
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from moxie.errors import InputError

FORMATS = (".csv", ".parquet")
GIVEN = "_given"  # follows the name of a user's column that has the name of a new one


@dataclass(frozen=True)
class UserTable:
    """A file's columns as an Arrow table, texts if it was CSV, and the units that a Parquet file says."""

    path: Path
    arrow: Any
    units: dict[str, str]

    def columns(self) -> Any:
        """Return the columns as a data frame; raises InputError where two have one name."""
        names = self.arrow.column_names
        repeated = sorted({name for name in names if names.count(name) > 1})
        if repeated:
            raise InputError(f"{self.path} has more than one column {', '.join(repeated)}. Rename all but one.")
        return self.arrow.to_pandas(timestamp_as_object=True)  # any year


def read_user_table(path: str | Path) -> UserTable:
    """Read a .csv or .parquet file; raises InputError naming the file, and the line where there is one."""
    path = Path(path)
    if not path.is_file():
        raise InputError(f"{path} does not exist, or is no file.")
    if path.suffix not in FORMATS:
        raise InputError(f"{path} is neither a .csv nor a .parquet file.")
    table = _read_csv(path) if path.suffix == ".csv" else _read_parquet(path)
    if not table.arrow.num_rows:
        raise InputError(f"{path} holds no rows.")
    return table


def check_output(path: str | Path) -> None:
    """Raise InputError if nothing can be written to a path, before anything is computed."""
    import os

    path = Path(path)
    try:
        is_folder = path.is_dir()
    except OSError as error:
        raise cannot_write(path, error) from error
    if is_folder:
        raise InputError(f"{path} is a folder. Name the file to write, for example {path / 'predictions.csv'}.")
    if path.suffix not in FORMATS:
        raise InputError(f"{path} cannot be written: the name must end in .csv or .parquet.")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        writable = os.access(path.parent, os.W_OK)
    except OSError as error:
        raise cannot_write(path, error) from error
    if not writable:
        raise InputError(f"{path} cannot be written: its folder does not allow it. Choose another place.")


def cannot_write(path: str | Path, error: OSError) -> InputError:
    """Return the one line that says why a file cannot be written."""
    return InputError(f"{path} cannot be written ({error.strerror or error}). Choose another place.")


def write_beside(table: UserTable, before: Any, after: Any, output: str | Path) -> list[str]:
    """Write a table with new columns before and after the user's own, as CSV or Parquet by the name's ending.

    before, after: data frames with as many rows. A user's column that has the name of a new one is written with GIVEN
    behind its name; these names are returned. CSV has no place for lists and bytes: such columns are left out there.
    """
    import pyarrow.parquet

    from moxie.io import replace_when_complete

    new = {*before.columns, *after.columns}
    names = [f"{name}{GIVEN}" if name in new else name for name in table.arrow.column_names]
    left, right = (pyarrow.Table.from_pandas(frame, preserve_index=False) for frame in (before, after))
    parts = (left, table.arrow.rename_columns(names), right)
    schema = pyarrow.schema([field for part in parts for field in part.schema])
    whole = pyarrow.Table.from_arrays([column for part in parts for column in part.columns], schema=schema)
    try:
        if Path(output).suffix == ".parquet":
            with replace_when_complete(output) as partial:
                pyarrow.parquet.write_table(whole, partial)
        else:
            own = range(len(left.schema), len(left.schema) + len(names))
            _write_csv(whole, own, Path(output))
    except OSError as error:
        raise cannot_write(output, error) from error
    return [name for name in table.arrow.column_names if name in new]


def _write_csv(table: Any, own: range, output: Path) -> None:
    from moxie.io import write_text

    kept = [k for k, field in enumerate(table.schema) if not _has_no_text(field.type)]
    texts = (
        [_text(value) if k in own or not isinstance(value, float) else _rounded(value) for value in cells]
        for k in kept
        for cells in [table.column(k).to_pylist()]
    )
    stream = io.StringIO(newline="")
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow([table.column_names[k] for k in kept])
    writer.writerows(zip(*texts, strict=True))
    write_text(output, stream.getvalue())


def _rounded(value: float) -> str:
    """Return a computed number, of which no more than eight digits mean anything."""
    return "" if value != value else f"{value:.8g}"


def _has_no_text(kind: Any) -> bool:
    import pyarrow.types as types

    nested = types.is_nested(kind)
    return nested or types.is_binary(kind) or types.is_large_binary(kind) or types.is_fixed_size_binary(kind)


def _text(value: Any) -> str:
    """Return a cell as text: shortest digits that give the number back, dates in ISO form, nothing for no value."""
    if value is None or value != value:  # NaN
        return ""
    return value.isoformat() if hasattr(value, "isoformat") else str(value)


def _read_csv(path: Path) -> UserTable:
    import pyarrow

    try:
        text = path.read_bytes().decode("utf-8-sig")  # as bytes, so that line ends inside quotes stay as they are
    except UnicodeDecodeError as error:
        raise InputError(f"{path} is not a CSV file that can be read: not a text in UTF-8 ({error}).") from error
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)  # else an open quote swallows the rows below it
    rows = []
    try:
        header = next(reader, [])
        for row in reader:
            if not row:
                continue
            if len(row) != len(header):
                raise InputError(
                    f"{path} has {'more' if len(row) > len(header) else 'fewer'} values in a row than there are "
                    f"columns: {len(row)} in line {reader.line_num}, {len(header)} in the header. Put texts with "
                    "commas in quotes."
                )
            rows.append(row)
    except csv.Error as error:
        raise InputError(f"{path} is not a CSV file that can be read: line {reader.line_num + 1}: {error}.") from error
    columns = list(zip(*rows, strict=True)) or [()] * len(header)
    arrays = [pyarrow.array(column, pyarrow.string()) for column in columns]
    return UserTable(path, pyarrow.Table.from_arrays(arrays, names=header), {})


def _read_parquet(path: Path) -> UserTable:
    from moxie.features.tables import read_arrow, read_units

    units = read_units(path)
    arrow = read_arrow(path)
    # a frame that was filtered or sorted keeps its old row numbers, which are no column of the user's
    arrow = arrow.select([name for name in arrow.column_names if not name.startswith("__index_level_")])
    return UserTable(path, arrow.replace_schema_metadata(None), units)
