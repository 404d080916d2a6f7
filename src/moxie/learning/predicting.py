"""Predictions of a saved model for the rows of a CSV or Parquet file, with every unusable row named.

This is the one place where a learnt model meets quantum chemistry directly: a table of SMILES without the columns that
a model of molecules needs gets them computed first, as the workflow would.
"""

import logging
import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from moxie.errors import InputError
from moxie.io import write_text
from moxie.learning import registry
from moxie.learning.storage import load_model

_OK = "ok"
_ADDED = ("row", "prediction_status")


def predict_table(
    model_path: str | Path, table_path: str | Path, output: str | Path, log: logging.Logger | None = None
) -> Any:
    """Write the predictions of a model for all rows of a table as CSV, whole or not at all, and return them.

    The columns are `row` (from 1), those of the table that hold single values, the model's predictions, and
    `prediction_status`: ok, or why the row has no prediction. Raises InputError for a model file that is damaged, holds
    untrusted types or belongs to no task, for a table that lacks columns, has other units or no usable row, and for an
    output that is a folder or one of the inputs.
    """
    log = log or logging.getLogger(__name__)
    if Path(output).is_dir():
        raise InputError(
            f"{output} is a folder. Name the file to write, for example {Path(output) / 'predictions.csv'}."
        )
    if Path(output).resolve() in (Path(model_path).resolve(), Path(table_path).resolve()):
        raise InputError(f"{output} is read here too, and would be lost. Write the predictions to another file.")
    model = load_model(model_path)
    result = _predict_all(model, model_path, table_path, log)
    write_text(output, result.to_csv(index=False, float_format="%.8g"))
    good = int((result["prediction_status"] == _OK).sum())
    log.info("%s: %d of %d rows predicted", output, good, len(result))
    return result


def _predict_all(model: Mapping[str, Any], model_path: str | Path, table_path: str | Path, log: logging.Logger) -> Any:
    import pandas

    task = _task_of(model, model_path)
    frame, units = read_any(table_path)
    with _using(model_path):
        needed = task.columns(model)
    missing = [name for name in needed if name not in frame.columns]
    if "smiles" in needed and "smiles" in frame.columns and missing:
        with _using(model_path):
            method = model["method"]
        frame = _with_quantum_chemistry(frame, method, log)
        missing = [name for name in needed if name not in frame.columns]
    if "smiles" in missing:
        missing = ["smiles, from which all others are computed"]
    if missing:
        raise InputError(
            f"{table_path} does not fit the model {model_path}: it lacks {_few(missing)}. Its columns are "
            f"{_few([str(name) for name in frame])}."
        )
    for name, unit in needed.items():
        if units.get(name, unit) != unit:
            raise InputError(
                f"{table_path} does not fit the model {model_path}: column {name} is in {units[name]!r}, the model was "
                f"made with {unit!r}."
            )
    with _using(model_path):
        status = [_complaint(row, needed, model, task) for row in frame.to_dict("records")]
    usable = [number for number, reason in enumerate(status) if reason == _OK]
    for number, reason in enumerate(status):
        if reason != _OK:
            log.warning("%s, row %d: %s", table_path, number + 1, reason)
    if not usable:
        raise InputError(f"{table_path} has no row that can be predicted; the first says: {status[0].rstrip('.')}.")
    rows = frame.iloc[usable].reset_index(drop=True)
    for name, unit in needed.items():  # one text in a CSV file makes a text of its whole column
        if unit and not rows[name].map(_is_list).any():
            rows[name] = rows[name].astype(float)
    with _using(model_path):
        predicted = task.predict(model, rows).set_index(pandas.Index(usable))
    new = {*predicted, *_ADDED}  # those of an earlier prediction give way
    kept = [name for name in frame if name not in new and not frame[name].map(_is_list).any()]
    result = frame[kept].join(predicted).assign(prediction_status=status)
    result.insert(0, "row", range(1, len(result) + 1))
    return result


def read_any(path: str | Path) -> tuple[Any, dict[str, str]]:
    """Return a CSV or Parquet file as a data frame, and the units of its columns as far as the file says them."""
    import pandas

    from moxie.features.tables import read_units

    if not Path(path).is_file():
        raise InputError(f"{path} does not exist, or is no file.")
    if Path(path).suffix == ".parquet":
        units = read_units(path)
        frame = pandas.read_parquet(path)  # a frame that was filtered or sorted keeps its old row numbers in the file
        frame = frame.reset_index(drop=all(name is None for name in frame.index.names))
    elif Path(path).suffix == ".csv":
        units = {}
        try:
            frame = pandas.read_csv(path)
        except (ValueError, UnicodeDecodeError) as error:  # pandas' parser errors are ValueErrors
            raise InputError(f"{path} is not a CSV file that can be read ({' '.join(str(error).split())}).") from error
        if not isinstance(frame.index, pandas.RangeIndex):
            raise InputError(
                f"{path} has more values in a row than there are columns. Put texts with commas in quotes."
            )
    else:
        raise InputError(f"{path} is neither a .csv nor a .parquet file.")
    if not len(frame):
        raise InputError(f"{path} holds no rows.")
    return frame, units


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
                return f"{value!r} is not a SMILES that can be read"
        elif not unit and not _is_list(value):
            if not isinstance(value, str) or not value:
                return f"{name} = {value!r} is not a text"
        elif name in ("homo_eV", "lumo_eV") or _is_list(value):
            continue  # an orbital may be absent: a bare cation has no occupied one
        elif not _is_finite(value):
            return f"{name} = {value!r} is not a finite number"
    if "method" in model and row.get("method", model["method"]) != model["method"]:
        return f"computed with {row['method']}, the model was made with {model['method']}"
    return task.complain(row, model) or _OK


def _is_finite(value: Any) -> bool:
    try:
        return math.isfinite(float(value))
    except (TypeError, ValueError):
        return False


def _is_list(value: Any) -> bool:
    return not isinstance(value, str) and hasattr(value, "__len__")


def _with_quantum_chemistry(frame: Any, method: str, log: logging.Logger) -> Any:
    """Return the frame with the columns of the table `molecules` computed from its SMILES."""
    import pandas

    from moxie.molecules.lists import Entry
    from moxie.molecules.properties import Settings, compute

    log.info("computing %d molecules with %s", len(frame), method)
    progress = log.getChild("chemistry")
    progress.addFilter(lambda record: record.levelno == logging.INFO)  # failures are named when the rows are checked
    smiles = ["" if pandas.isna(text) else str(text).strip() for text in frame["smiles"]]
    entries = [Entry(f"row {number + 1}", _canonical(text)) for number, text in enumerate(smiles)]
    rows = pandas.DataFrame(compute("table", entries, seed=0, settings=Settings(method=method), log=progress))
    computed = rows.drop(columns=["list", "molecule", "smiles", "logP_measured"])
    numbers = [name for name in computed if name.endswith(("_eV", "_D"))]
    computed = computed.astype(dict.fromkeys(numbers, "float64"))
    return pandas.concat([frame.drop(columns=[c for c in frame if c in computed]), computed], axis=1)


def _canonical(smiles: str) -> str:
    """Return a SMILES in rdkit's notation, so that one molecule has one conformer, however it was written."""
    from rdkit import Chem

    from moxie.learning.molecular import parse

    molecule = parse(smiles)
    return smiles if molecule is None else Chem.MolToSmiles(molecule)
