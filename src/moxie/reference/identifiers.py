"""Compounds that `chemicals` knows, by registry number or InChIKey, without loading them all.

`chemicals.search_chemical` makes 70,000 objects (two seconds and 300 MB) before it says that it does not know an ion.
Here its files are searched as they stand; the same compound is found.
"""

from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

# In the order in which `chemicals` looks: the last of the small ones first, the large one where they lack a compound.
_FILES = (
    "Inorganic db.tsv",
    "Anion db.tsv",
    "Cation db.tsv",
    "chemical identifiers example user db.tsv",
    "chemical identifiers pubchem small.tsv",
    "chemical identifiers pubchem large.tsv",
)


class Compound(NamedTuple):
    """A line of a file, as far as it is used."""

    registry_number: str
    smiles: str
    inchi_key: str
    common_name: str


def find_by_inchi_key(key: str) -> Compound | None:
    """Return the compound with an InChIKey, or None where `chemicals` lacks it."""
    return _find(6, key)


def find_by_registry_number(number: str) -> Compound | None:
    """Return the compound with a CAS registry number, or None where `chemicals` lacks it."""
    found = _find(1, number)
    if found:
        return found
    from chemicals import search_chemical  # which knows some compounds by a second number

    try:
        other = search_chemical(number)
    except (ValueError, KeyError):
        return None
    return Compound(other.CASs, other.smiles, other.InChI_key, other.common_name)


def _find(column: int, value: str) -> Compound | None:
    for file in _FILES:
        place = _index(file, column).get(value.encode())
        if place is not None:
            content = _content(file)
            fields = content[place : content.index(b"\n", place)].decode().split("\t")
            return Compound(fields[1], fields[4], fields[6], fields[8])
    return None


@cache
def _index(file: str, column: int) -> dict[bytes, int]:
    """Return where the line of each value of a column begins; the last one, if there are several."""
    places, start = {}, 0
    for line in _content(file).splitlines(keepends=True):
        places[line.split(b"\t", column + 1)[column]] = start
        start += len(line)
    places.pop(b"", None)
    return places


@cache
def _content(file: str) -> bytes:
    specification = find_spec("chemicals")
    assert specification is not None and specification.origin is not None  # a dependency
    content = (Path(specification.origin).parent / "Identifiers" / file).read_bytes()
    return content if content.endswith(b"\n") else content + b"\n"
