"""Tables of the whole study from the part files of its jobs."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from moxie.errors import InputError
from moxie.features.schemas import DIHEDRAL_CURVES, DIHEDRALS, RDF, RDF_CURVES, Table, get_table
from moxie.features.state_grid import COMPLETIONS
from moxie.features.tables import read_table, write_table

_CURVES = {table.name: (part, table) for part, table in ((RDF, RDF_CURVES), (DIHEDRALS, DIHEDRAL_CURVES))}


def gather(parts: Sequence[str | Path], name: str, path: str | Path) -> None:
    """Join part files of table `name` into one table, sorted by its key, and fill what follows from several of them.

    Raises InputError if there are no parts, a part is damaged, or two parts hold the same key.
    """
    import pandas

    if not parts:
        raise InputError(f"There are no parts to make {path} from.")
    table = get_table(name)
    frames = [read_table(part, table).assign(_part=str(part)) for part in parts]
    frame = pandas.concat(frames, ignore_index=True)
    _refuse_shared_keys(frame, table, path)
    frame = frame.drop(columns="_part")
    write_table(COMPLETIONS[name](frame) if name in COMPLETIONS else frame, path, table)


def gather_curves(runs: Sequence[tuple[str, str | Path, str | Path]], name: str, path: str | Path) -> None:
    """Join the curves of all runs into the table `name`: rdf_curves or dihedral_curves.

    runs: (kind, curves, observables) each: the single row of table `kind` (liquids or electrolytes) in `observables`
    gives what the run's `curves` lack: its keys and the variant of its force field. Raises InputError if a run has not
    one row.
    """
    import pandas

    if not runs:
        raise InputError(f"There are no curves to make {path} from.")
    of_one, of_all = _CURVES[name]
    of_run = [column for column in of_all.column_names if column not in of_one.column_names]
    frames = []
    for kind, curve_path, observable_path in runs:
        table = get_table(kind)
        rows = read_table(observable_path, table)
        if len(rows) != 1:
            raise InputError(f"{observable_path}: expected the one row of one run, found {len(rows)}.")
        curves = read_table(curve_path, of_one)
        frames.append(curves.assign(**{column: rows[column].iloc[0] for column in of_run}))
    write_table(pandas.concat(frames, ignore_index=True), path, of_all)


def _refuse_shared_keys(frame: Any, table: Table, path: str | Path) -> None:
    shared = frame[frame.duplicated(list(table.key), keep=False)]
    if len(shared):
        first = shared.iloc[0]
        same = shared[(shared[list(table.key)] == first[list(table.key)]).all(axis=1)]
        key = ", ".join(f"{name}={first[name]}" for name in table.key)
        raise InputError(f"{path}: the row {key} is given by {' and by '.join(same['_part'])}.")
