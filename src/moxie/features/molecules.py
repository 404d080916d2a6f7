"""The table of molecules from one JSON file per named molecule and per chunk of a list."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from moxie.errors import InputError
from moxie.features.schemas import MOLECULES
from moxie.io import read_json


def tabulate(paths: Sequence[str | Path]) -> Any:
    """Return the table `molecules` as a data frame; each file holds one row or a list of rows.

    Raises InputError naming a file that lacks a column.
    """
    import pandas

    rows = []
    for path in paths:
        content = read_json(path)
        for row in content if isinstance(content, list) else [content]:
            missing = [name for name in MOLECULES.column_names if not isinstance(row, dict) or name not in row]
            if missing:
                raise InputError(f"{path} lacks {', '.join(missing)}. Delete it and run again to make it anew.")
            rows.append({name: row[name] for name in MOLECULES.column_names})
    frame = pandas.DataFrame(rows, columns=MOLECULES.column_names)
    numbers = [column.name for column in MOLECULES.columns if column.dtype == "float"]
    return frame.astype(dict.fromkeys(numbers, "float64"))
