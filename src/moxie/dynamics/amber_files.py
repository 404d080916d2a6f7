"""AMBER's parameter files (gaff.dat, gaff2.dat, frcmod) and antechamber's mol2, as far as one molecule needs them.

The formats are those of https://ambermd.org/FileFormats.php. Numbers keep AMBER's units: kcal/mol, angstrom, degrees,
and U = K (x - x0)^2 for bonds and angles.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from moxie.errors import InputError

Types = tuple[str, ...]
_WIDTHS = {"BOND": 5, "ANGLE": 8, "DIHE": 11, "IMPROPER": 11}  # columns of the types
_COUNTS = {"BOND": 2, "ANGLE": 2, "DIHE": 4, "IMPROPER": 3}  # numbers that follow
_KEYWORDS = ("MASS", *_WIDTHS, "NONBON")


@dataclass(frozen=True)
class Term:
    """The parameters of one term, with the file they come from: rows of numbers, more than one only for torsions."""

    rows: tuple[tuple[float, ...], ...]
    source: str
    order: Types = ()  # of an improper torsion: the types as the file orders them, the centre third


@dataclass
class Parameters:
    """What parameter files say about atom types; files read later win."""

    masses_amu: dict[str, float] = field(default_factory=dict)
    lennard_jones: dict[str, tuple[float, float]] = field(default_factory=dict)  # Rmin/2 in A, epsilon in kcal/mol
    terms: dict[str, dict[Types, Term]] = field(default_factory=lambda: {name: {} for name in _WIDTHS})

    def read(self, text: str, source: str) -> None:
        """Add a .dat or frcmod file. Raises InputError for a row that parmchk2 could not fill."""
        unfinished: dict[Types, bool] = {}  # torsions whose last row announced another one
        for section, line in _rows(text):
            if "ATTN" in line:
                raise InputError(f"it has no parameters for {line[: _WIDTHS.get(section, 2)].strip()}")
            if section == "MASS":
                self.masses_amu[line[:2].strip()] = float(line[2:].split()[0])
            elif section == "NONBON":
                name, radius, depth = line.split()[:3]
                self.lennard_jones[name] = (float(radius), float(depth))
            else:
                self._add_term(section, line, source, unfinished)

    def find(self, section: str, types: Types) -> Term | None:
        """Return the term of a bond, angle or proper torsion; a named outer type wins over the wildcard X."""
        terms = self.terms[section]
        wild = ("X", *types[1:-1], "X")
        keys = (types, types[::-1], *((wild, wild[::-1]) if section == "DIHE" else ()))
        return next((terms[key] for key in keys if key in terms), None)

    def find_improper(self, centre: str, outer: Types) -> Term | None:
        """Return the improper torsion about a centre with three neighbours, whatever their order."""
        return self.terms["IMPROPER"].get((centre, *sorted(outer)))

    def _add_term(self, section: str, line: str, source: str, unfinished: dict[Types, bool]) -> None:
        width = _WIDTHS[section]
        types = tuple(name.strip() for name in line[:width].split("-"))
        values = [float(value) for value in line[width:].split()[: _COUNTS[section]]]
        if section == "IMPROPER":
            self.terms[section][(types[2], *sorted((types[0], types[1], types[3])))] = Term(
                (tuple(values),), source, types
            )
            return
        if section != "DIHE":
            self.terms[section][types] = Term((tuple(values),), source)
            return
        paths, barrier, phase_deg, periodicity = values
        key = types if types in unfinished or types[::-1] not in unfinished else types[::-1]
        before = self.terms[section][key].rows if unfinished.get(key) else ()
        self.terms[section].pop(key[::-1], None)
        self.terms[section][key] = Term((*before, (barrier / paths, phase_deg, abs(periodicity))), source)
        unfinished[key] = periodicity < 0


def estimated_terms(frcmod: str) -> list[str]:
    """Return the rows of an frcmod, each with parmchk2's remark: all terms that the force field itself lacks."""
    return [" ".join(line.split()) for section, line in _rows(frcmod) if section in _WIDTHS]


def _rows(text: str) -> Iterator[tuple[str, str]]:
    lines = text.splitlines()
    if "MASS" in (line.strip() for line in lines):
        section = ""
        for line in lines:
            if line.strip() in _KEYWORDS:
                section = line.strip()
            elif section and line.strip():
                yield section, line
        return
    blocks = [block.splitlines() for block in re.split(r"\n(?:[ \t]*\n)+", text)]
    blocks[0], blocks[1] = blocks[0][1:], blocks[1][1:]  # the title; the list of hydrophilic types
    for section, block in zip(("MASS", *_WIDTHS), blocks, strict=False):
        yield from ((section, line) for line in block if line.strip())
    for block in blocks[5:]:
        if block and block[0].startswith("MOD4"):
            yield from (("NONBON", line) for line in block[1:])


@dataclass(frozen=True)
class TypedAtom:
    """One atom of antechamber's mol2."""

    element: str
    atom_type: str
    charge_e: float


def read_mol2(text: str) -> list[TypedAtom]:
    """Return the atoms of a mol2 file in which antechamber named each atom after its element and a number."""
    section = text.partition("@<TRIPOS>ATOM")[2].partition("@<TRIPOS>")[0]
    rows = [line.split() for line in section.splitlines() if line.strip()]
    return [TypedAtom(row[1].rstrip("0123456789").capitalize(), row[5], float(row[8])) for row in rows]
