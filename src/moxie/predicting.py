"""Predictions of a saved model for the rows of a CSV or Parquet file, with every unusable row named.

This is the one place where a learnt model meets quantum chemistry directly, and so stands above both packages: a table
of SMILES without the columns that a model of molecules needs gets them computed first, as the workflow would.
"""

import logging
import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

from moxie.errors import InputError
from moxie.learning import registry
from moxie.learning.storage import load_model
from moxie.learning.user_tables import GIVEN, UserTable, check_output, read_user_table, write_beside

_OK = "ok"
_MAY_BE_ABSENT = ("homo_eV", "lumo_eV")  # a bare cation has no occupied orbital


def predict_table(
    model_path: str | Path, table_path: str | Path, output: str | Path, log: logging.Logger | None = None
) -> Any:
    """Write the predictions of a model for all rows of a table as CSV or Parquet, whole or not at all; return them.

    The columns are `row` (from 1), those of the table as they came, what was computed, the model's predictions, and
    `prediction_status`: ok, or why the row has no prediction. Raises InputError for a model file that is damaged, holds
    untrusted types or belongs to no task, for a table that lacks columns, has other units or no usable row, and for an
    output that cannot be written or is one of the inputs.
    """
    import pandas

    log = log or logging.getLogger(__name__)
    if Path(output).resolve() in (Path(model_path).resolve(), Path(table_path).resolve()):
        raise InputError(f"{output} is read here too, and would be lost. Write the predictions to another file.")
    check_output(output)
    model = load_model(model_path)
    table = read_user_table(table_path)
    table, new = _predict_all(model, model_path, table, log)
    number = pandas.DataFrame({"row": range(1, len(new) + 1)})
    renamed = write_beside(table, number, new, output)
    if renamed:
        log.warning("%s: its columns %s are written as NAME%s", table_path, _few(renamed), GIVEN)
    good = int((new["prediction_status"] == _OK).sum())
    log.info("%s: %d of %d rows predicted", output, good, len(new))
    own = table.arrow.to_pandas(timestamp_as_object=True)
    return pandas.concat([number, own.drop(columns=renamed), new], axis=1)


def _predict_all(
    model: Mapping[str, Any], model_path: str | Path, table: UserTable, log: logging.Logger
) -> tuple[UserTable, Any]:
    """Return the user's table, without what an earlier prediction added, and a data frame of all that is new."""
    import pandas

    task = _task_of(model, model_path)
    with _using(model_path):
        needed = task.columns(model)
    frame, computed = table.columns(), None
    missing = [name for name in needed if name not in frame.columns]
    if "smiles" in needed and "smiles" in frame.columns and missing:
        with _using(model_path):
            method, seed = model["method"], model["conformer_seed"]
        computed = _quantum_chemistry(frame["smiles"], method, seed, log)
        frame = pandas.concat([frame.drop(columns=[c for c in frame if c in computed]), computed], axis=1)
        missing = [name for name in needed if name not in frame.columns]
    if "smiles" in missing:
        missing = ["smiles, from which all others are computed"]
    if missing:
        raise InputError(
            f"{table.path} does not fit the model {model_path}: it lacks {_few(missing)}. Its columns are "
            f"{_few([str(name) for name in frame])}."
        )
    for name, unit in needed.items():
        if table.units.get(name, unit) != unit:
            raise InputError(
                f"{table.path} does not fit the model {model_path}: column {name} is in {table.units[name]!r}, the "
                f"model was made with {unit!r}."
            )
    with _using(model_path):
        status = [_complaint(row, needed, model, task) for row in frame.to_dict("records")]
    usable = [number for number, reason in enumerate(status) if reason == _OK]
    for number, reason in enumerate(status):
        if reason != _OK:
            log.warning("%s, row %d: %s", table.path, number + 1, reason)
    if not usable:
        raise InputError(f"{table.path} has no row that can be predicted; the first says: {status[0].rstrip('.')}.")
    rows = frame.iloc[usable].reset_index(drop=True)
    for name, unit in needed.items():  # in a CSV file all cells are texts
        if unit and name not in task.lists:
            rows[name] = [_number(value) for value in rows[name]]
    with _using(model_path):
        predicted = task.predict(model, rows).set_index(pandas.Index(usable))
    new = (pandas.DataFrame(index=frame.index) if computed is None else computed).join(predicted)
    new = new.assign(prediction_status=status)
    if "prediction_status" in frame.columns:  # the table is an earlier prediction: what that added gives way
        kept = [name for name in table.arrow.column_names if name not in (*new, "row")]
        table = replace(table, arrow=table.arrow.select(kept))
    return table, new


@contextmanager
def _using(model_path: str | Path) -> Iterator[None]:
    """Blame the model where its content is not what its task expects: the table has been checked."""
    try:
        yield
    except KeyError as error:
        raise InputError(f"{model_path} lacks {error}: it is not a model that this version of moxie made.") from error
    except (AttributeError, IndexError, TypeError, ValueError) as error:
        raise InputError(
            f"{model_path} cannot be used ({error}): it was changed, or is not a model that this version of moxie made."
        ) from error


def _few(names: list[str]) -> str:
    return ", ".join(names if len(names) <= 12 else [*names[:10], f"... ({len(names)} in all)"])


def _task_of(model: Mapping[str, Any], path: str | Path) -> registry.Task:
    if not isinstance(model, dict) or model.get("task") not in registry.names():
        raise InputError(f"{path} is no model of a learning task; those are {', '.join(registry.names())}.")
    return registry.get(model["task"])


def _complaint(row: Mapping[str, Any], needed: Mapping[str, str], model: Mapping[str, Any], task: registry.Task) -> str:
    """Say what is wrong with a row, or ok."""
    from moxie.learning.molecular import parse

    if str(row.get("status", _OK)) != _OK:
        failed = str(row["status"])
        return failed if failed.startswith("failed") else f"its column status says {failed!r}, not ok"
    for name, unit in needed.items():
        value = row[name]
        if name == "smiles":
            if not isinstance(value, str) or parse(value) is None:
                return f"{_shown(value)} is not a SMILES that can be read"
        elif name in task.lists:
            if not _is_list(value) or not len(value):
                return f"{name} = {_shown(value)} is not a list"
            if unit and any(_number(part) is None for part in value):
                return f"{name} holds {_shown(next(v for v in value if _number(v) is None))}, which is not a number"
        elif not unit:
            if not isinstance(value, str) or not value:
                return f"{name} = {_shown(value)} is not a text"
        elif name in _MAY_BE_ABSENT and (value is None or value == "" or value != value):
            continue
        elif _number(value) is None:
            return f"{name} = {_shown(value)} is not a finite number"
    lengths = {len(row[name]) for name in task.lists if name in needed}
    if len(lengths) > 1:
        return f"{' and '.join(task.lists)} differ in length"
    if "method" in model and row.get("method", model["method"]) != model["method"]:
        return f"computed with {row['method']}, the model was made with {model['method']}"
    return task.complain(row, model) or _OK


def _number(value: Any) -> float | None:
    """Return a cell as a finite number, or None where it is none; lists, bytes and true or false are none."""
    import numbers

    if isinstance(value, str):
        text = value.strip()
        value = None if "_" in text else text  # python reads 1_000, nothing else does
    elif isinstance(value, bool) or not isinstance(value, numbers.Real | Decimal):
        return None
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def _is_list(value: Any) -> bool:
    return not isinstance(value, str | bytes) and hasattr(value, "__len__")


def _shown(value: Any) -> str:
    text = repr(value.tolist() if hasattr(value, "tolist") else value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _quantum_chemistry(smiles: Any, method: str, seed: int, log: logging.Logger) -> Any:
    """Return the columns of the table `molecules` computed from SMILES, as a data frame.

    With the seed of the study's conformers, so that a molecule has the number that it has there.
    """
    import pandas

    from moxie.molecules.lists import Entry
    from moxie.molecules.properties import MoleculeSettings, compute

    log.info("computing %d molecules with %s", len(smiles), method)
    progress = log.getChild("chemistry")
    progress.addFilter(lambda record: record.levelno == logging.INFO)  # failures are named when the rows are checked
    texts = [text.strip() if isinstance(text, str) else "" for text in smiles]
    entries = [Entry(f"row {number + 1}", text) for number, text in enumerate(texts)]
    rows = pandas.DataFrame(
        compute("table", entries, seed=seed, settings=MoleculeSettings(method=method), log=progress)
    )
    computed = rows.drop(columns=["list", "molecule", "smiles", "logP_measured"])
    numbers = [name for name in computed if name.endswith(("_eV", "_D"))]
    return computed.astype(dict.fromkeys(numbers, "float64"))
