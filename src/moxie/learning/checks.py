"""What every task asks of a table before it learns from it; each refusal names the table and the row."""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from moxie.errors import InputError


def check_columns(frame: Any, table: str, task: str, columns: Iterable[str]) -> None:
    """Raise InputError if the frame lacks a column."""
    missing = [name for name in columns if name not in frame.columns]
    if missing:
        raise InputError(f"The table {table} lacks {', '.join(missing)}, which the task {task} needs.")


def check_keys(frame: Any, table: str, key: Sequence[str]) -> None:
    """Raise InputError if two rows have the same key, or one has an empty one."""
    empty = frame[frame[list(key)].isna().any(axis=1)]
    if len(empty):
        raise InputError(f"The table {table} has a row with an empty key: {where(empty.iloc[0], key)}.")
    repeated = frame[frame.duplicated(list(key))]
    if len(repeated):
        raise InputError(f"The table {table} has more than one row for {where(repeated.iloc[0], key)}.")


def check_finite(frame: Any, table: str, key: Sequence[str], columns: Iterable[str], advice: str = "") -> None:
    """Raise InputError if a number that is to be learnt, or learnt from, is empty or infinite."""
    for name in columns:
        bad = frame[~np.isfinite(frame[name].astype(float))]
        if len(bad):
            raise InputError(
                f"{name} is empty or infinite in {len(bad)} of {len(frame)} rows of {table}, first at "
                f"{where(bad.iloc[0], key)}.{advice and ' ' + advice}"
            )


def check_groups(groups: Any, table: str, task: str, name: str, fewest: int, advice: str) -> None:
    """Raise InputError if there are too few groups to hold some out."""
    found = len(set(np.asarray(groups).tolist()))
    if found < fewest:
        raise InputError(
            f"The table {table} has {len(groups)} usable row(s) with {found} {name}; the task {task} holds whole ones "
            f"out and needs at least {fewest}. {advice}"
        )


def where(row: Any, key: Sequence[str]) -> str:
    """Return a row's key in words."""
    return ", ".join(f"{name}={row[name]}" for name in key)
