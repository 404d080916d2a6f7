"""Lists of molecules to compute beside the named ones, and the chunks that they are computed in.

A list is a built-in set of `moxie.reference.partition`, a CSV file with a column `smiles` (and perhaps `name` and
`logP`, a measured octanol-water partition coefficient), or a .smi file: on each line a SMILES, and after a blank its
name, or in columns parted by tabs, of which the second is the name; a header whose first word is `SMILES` and lines
that begin with # are passed over. Nothing here reads a SMILES: a bad one becomes a row with a reason. Reading is quick,
since every start of the workflow does it.
"""

import csv
import hashlib
import io
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from moxie.errors import InputError
from moxie.reference import partition

NAMED = "named"  # the list of the molecules that the configuration names one by one
_COLUMNS = ("smiles", "name", "logP")
_HEADERS = ("smiles", "smile", "smi", "canonical_smiles", "isomeric_smiles", "canonicalsmiles", "isomericsmiles")
_MAY_STAND_IN_SMILES = re.compile(
    r"Cl|Br|%\(\d+\)|[][BCNOPSFIbcnops0-9()=#$:/\\.%@+*~-]"
)  # what may stand outside brackets


@dataclass(frozen=True)
class Entry:
    """A molecule of a list; in a built-in set the SMILES is looked up by name (registry number) when it is computed."""

    name: str
    smiles: str
    logP: float | None = None


def is_own(source: str) -> bool:
    """Return whether a list is a file of the user's own."""
    return source not in partition.SETS


def list_name(source: str) -> str:
    """Return the short name of a list: that of a built-in set, or the stem of its file."""
    return source if source in partition.SETS else Path(source).stem


def read_list(source: str, most: int | None = None) -> list[Entry]:
    """Return the molecules of a list; of a longer one `most` of them, chosen by a hash of their names.

    Raises InputError for an unknown set, a missing or empty file, a row without SMILES, a molecule that stands there
    twice, and a logP that is not a finite number; the message says which row.
    """
    if source in partition.SETS:
        entries = [Entry(number, "") for number in partition.registry_numbers(source)]
    else:
        entries = _read_file(source)
    if most is not None and len(entries) > most:
        entries = sorted(entries, key=lambda entry: _bits(entry.name))[:most]
    return entries


def chunks(entries: Sequence[Entry], largest: int) -> dict[str, list[Entry]]:
    """Divide a list into chunks of at most `largest` molecules, by name of the chunk.

    A chunk holds the molecules whose hashed name begins with the same bits; one that is full is split by the next bit.
    So adding or removing a molecule changes its own chunk and no other.
    """
    found: dict[str, list[Entry]] = {}

    def split(members: list[tuple[str, Entry]], prefix: str) -> None:
        if len(members) > largest:
            for bit in "01":
                split([member for member in members if member[0][len(prefix)] == bit], prefix + bit)
        elif members:
            found[prefix or "all"] = sorted((entry for _, entry in members), key=lambda entry: entry.name)

    split([(_bits(entry.name), entry) for entry in entries], "")
    return found


def with_structures(source: str, entries: Sequence[Entry]) -> list[Entry]:
    """Return the entries with SMILES and measured logP, which built-in sets look up by registry number."""
    if source not in partition.SETS:
        return list(entries)
    measured = partition.measured_logP(source)
    return [Entry(e.name, partition.smiles_of(e.name) or "", measured[e.name]) for e in entries]


def _bits(name: str) -> str:
    """Return the first 64 bits of a hash of a name, as zeros and ones."""
    return format(int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big"), "064b")


def _read_file(source: str) -> list[Entry]:
    path = Path(source)
    if path.suffix not in (".csv", ".smi"):
        raise InputError(
            f"{source!r} is neither a built-in set ({', '.join(partition.SETS)}) nor a .csv or .smi file. A CSV file "
            "needs a column smiles; name and logP are optional."
        )
    if not re.fullmatch(r"[a-z][a-z0-9_]*", path.stem) or path.stem in (NAMED, *partition.SETS):
        raise InputError(
            f"{source}: the name of a list must start with a lower-case letter, hold lower-case letters, digits and _ "
            f"only, and differ from {NAMED} and the built-in sets. Rename the file."
        )
    if not path.is_file():
        raise InputError(f"{source} does not exist. Paths count from the folder in which the workflow runs.")
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(f"{source} is not a text file in UTF-8 ({error}).") from error
    rows = (_csv_rows if path.suffix == ".csv" else _smi_rows)(source, text)
    entries, seen = [], dict[str, int]()
    for line, smiles, name, logP in rows:
        if not smiles:
            raise InputError(f"{source}, line {line}: there is no SMILES.")
        entry = Entry(name or smiles, smiles, _number(source, line, logP))
        if entry.name in seen:
            raise InputError(f"{source}, line {line}: {entry.name!r} stands in line {seen[entry.name]} already.")
        seen[entry.name] = line
        entries.append(entry)
    if not entries:
        raise InputError(f"{source} holds no molecule.")
    return entries


def _csv_rows(source: str, text: str) -> list[tuple[int, str, str, str]]:
    reader = csv.DictReader(io.StringIO(text, newline=""), strict=True)  # else an open quote swallows the rows below it
    try:
        return _known_columns(source, reader)
    except csv.Error as error:
        raise InputError(
            f"{source}, line {reader.line_num + 1}: {error}. Put texts with commas in pairs of quotes."
        ) from error


def _known_columns(source: str, reader: "csv.DictReader[str]") -> list[tuple[int, str, str, str]]:
    header = list(reader.fieldnames or [])
    for column in header:  # what is left out by a slip of the pen would go unnoticed
        meant = next((known for known in _COLUMNS if column.strip().lower() == known.lower() and column != known), None)
        if meant and meant not in header:
            raise InputError(f"{source} has a column {column!r}; is {meant} meant? Write it so, or rename the column.")
    repeated = [column for column in _COLUMNS if header.count(column) > 1]
    if repeated:
        raise InputError(f"{source} has {header.count(repeated[0])} columns {repeated[0]}. Rename all but one.")
    if "smiles" not in header:
        other = next((mark for mark in (";", "\t") if len(header) == 1 and mark in header[0]), "")
        advice = f" Part its columns by commas, not by {other!r}." if other else ""
        raise InputError(f"{source} lacks a column smiles; its columns are {', '.join(header) or '(none)'}.{advice}")
    rows = []
    for row in reader:
        if (row[header[0]] or "").lstrip().startswith("#"):
            raise InputError(f"{source}, line {reader.line_num}: a CSV file has no comments. Delete the line.")
        if None in row:
            raise InputError(f"{source}, line {reader.line_num}: there are more values than columns.")
        if None in row.values():
            raise InputError(f"{source}, line {reader.line_num}: there are fewer values than columns.")
        smiles, name, logP = ((row.get(column) or "").strip() for column in _COLUMNS)
        rows.append((reader.line_num, smiles, name, logP))
    return rows


def _smi_rows(source: str, text: str) -> list[tuple[int, str, str, str]]:
    rows: list[tuple[int, str, str, str]] = []
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        words = [part.strip() for part in line.split("\t")] if "\t" in line.strip() else line.split(maxsplit=1)
        smiles, name = words[0], words[1].strip() if len(words) > 1 else ""
        if not rows and smiles.lower() in _HEADERS:
            rows.append((0, "", "", ""))  # only the first line that says something can be a header
            continue
        where = f"{source}, line {number}"
        if re.search("[,;]", smiles):
            raise InputError(
                f"{where}: {smiles!r} holds a comma or semicolon, which no SMILES has. In a .smi file a blank or a tab "
                "parts the SMILES from its name; a file with commas is a .csv file, with the header smiles,name."
            )
        if " " in smiles or name.startswith("|"):
            raise InputError(
                f"{where}: {line.strip()!r} has more than a SMILES before its name, or an extension between bars, "
                "which is not read. Write the SMILES alone, then a tab and the name."
            )
        if not rows and _MAY_STAND_IN_SMILES.sub("", re.sub(r"\[[^]]*\]", "", smiles)):
            raise InputError(
                f"{where}: {smiles!r} is no SMILES. If this is a header, the SMILES must stand first and its column be "
                "called SMILES."
            )
        rows.append((number, smiles, name, ""))
    return [row for row in rows if row[0]]


def _number(source: str, line: int, text: str) -> float | None:
    if not text:
        return None
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise InputError(
            f"{source}, line {line}: logP = {text!r} is not a finite number. Leave it empty if it is not known."
        )
    return value
