"""Measured octanol-water partition coefficients (logP), read from the package `chemicals` (MIT licence).

Only single values are looked up, at run time: no table is copied. Two built-in sets:

* logp_crc: CRC Handbook of Chemistry and Physics, 95th edition (2014), section "Octanol-water partition coefficients":
  449 compounds, recommended measured values.
* logp_syrres: Syracuse Research Corporation, KOWWIN data (SrcKowData2.zip, 2006): 11,569 compounds, the measured values
  behind that program; 4,913 of them have a structure in `chemicals`.

For 426 compounds in both, they differ by 0.16 log units (root mean square), by more than 0.3 for 22: a floor for the
error of any model.
"""

import csv
import gzip
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from moxie.reference.identifiers import find_by_registry_number

_FILES = {"logp_crc": ("CRC logP table.tsv", "\t"), "logp_syrres": ("Syrres logP data.csv.gz", "\t")}
SETS = tuple(_FILES)
SOURCES = {
    "logp_crc": "CRC Handbook of Chemistry and Physics, 95th ed. (2014), from chemicals",
    "logp_syrres": "Syracuse Research Corporation, KOWWIN data (2006), from chemicals",
}


@cache
def _table(name: str) -> dict[str, float]:
    """Return {registry number: logP}. The file is read without importing `chemicals`, which takes half a second."""
    specification = find_spec("chemicals")
    assert specification is not None and specification.origin is not None  # a dependency
    file, separator = _FILES[name]
    path = Path(specification.origin).parent / "Environment" / file
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "rt", encoding="utf-8") as stream:
        rows = list(csv.reader(stream, delimiter=separator))
    return {row[0]: float(row[-1]) for row in rows[1:] if row}


def registry_numbers(name: str) -> list[str]:
    """Return the CAS registry numbers of a set."""
    return sorted(_table(name))


def measured_logP(name: str) -> dict[str, float]:
    """Return the measured logP of every compound of a set by registry number."""
    return dict(_table(name))


def smiles_of(registry_number: str) -> str | None:
    """Return the SMILES of a compound, or None where `chemicals` knows no structure."""
    found = find_by_registry_number(registry_number)
    return (found.smiles or None) if found else None
