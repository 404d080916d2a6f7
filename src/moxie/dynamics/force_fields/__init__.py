"""The registry of force fields: one annotated OpenMM XML file each, read without OpenMM.

A file beside this module is in the registry under its name; a path to such a file works as a name too. Besides what
OpenMM reads, a file carries `def` (SMARTS) and `absorbs` on each Type, and a Metadata element with its sources and
validity.
"""

import difflib
import itertools
import xml.etree.ElementTree as ElementTree
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from moxie.errors import InputError

_FOLDER = Path(__file__).parent
_CONSTRAINTS = ("none", "h_bonds", "all_bonds")
_TERMS = {
    "bond": (2, ("HarmonicBondForce/Bond",)),
    "angle": (3, ("HarmonicAngleForce/Angle",)),
    "torsion": (4, ("PeriodicTorsionForce/Proper", "RBTorsionForce/Proper")),
    "improper": (4, ("PeriodicTorsionForce/Improper",)),
}


@dataclass(frozen=True)
class AtomType:
    """One type: a SMARTS pattern that finds it, its mass, and its non-bonded parameters."""

    name: str
    type_class: str
    element: str
    mass_amu: float
    smarts: str
    overrides: tuple[str, ...]
    absorbs: int  # hydrogens taken in by a united atom
    charge_e: float
    sigma_nm: float
    epsilon_kJ_mol: float
    source: str


@dataclass(frozen=True)
class ForceField:
    """A force field as its file describes it."""

    name: str
    path: Path
    title: str
    combining_rule: str
    united_atom: bool
    constraints: str  # none, h_bonds, all_bonds
    charge_scale: float  # molecular charge over formal charge
    timestep_fs: float
    cutoff_nm: float
    validity: str
    sources: dict[str, str]
    excluded: tuple[tuple[str, str], ...]  # SMARTS, reason
    types: dict[str, AtomType]
    terms: dict[str, tuple[tuple[tuple[str, str], ...], ...]]  # kind -> rows of ("type"|"class", name)
    coulomb_14_scale: float
    lennard_jones_14_scale: float
    generator: str  # program that makes the types of each molecule; empty where the file is complete

    @property
    def is_template(self) -> bool:
        """Say whether the types are still to be made, for each molecule, by the generator."""
        return bool(self.generator) and not self.types

    def has_term(self, kind: str, types: tuple[str, ...]) -> bool:
        """Say whether a bond, angle or torsion between atoms of these types has parameters, in either direction."""
        return any(self._matches(row, types) or self._matches(row, types[::-1]) for row in self.terms[kind])

    def has_improper(self, centre: str, outer: tuple[str, ...]) -> bool:
        """Say whether an improper torsion about a type and three outer ones has parameters, in any order of these."""
        return any(
            self._matches(row, (centre, *order))
            for row in self.terms["improper"]
            for order in itertools.permutations(outer)
        )

    def _matches(self, row: tuple[tuple[str, str], ...], types: tuple[str, ...]) -> bool:
        return all(
            value == "" or value == (name if key == "type" else self.types[name].type_class)
            for (key, value), name in zip(row, types, strict=True)
        )


def available_force_fields() -> list[str]:
    """Return the names in the registry, sorted."""
    return sorted(path.stem for path in _FOLDER.glob("*.xml"))


def load_force_field(name: str | Path) -> ForceField:
    """Return a force field by its name in the registry or by the path of its file.

    Raises InputError for an unknown name (with the nearest known one) or for a file that is not usable.
    """
    registered = _FOLDER / f"{name}.xml"
    if registered.exists():
        return _read(registered)
    path = Path(name)
    if path.suffix == ".xml" and path.exists():
        return _read(path.resolve())
    known = available_force_fields()
    near = difflib.get_close_matches(str(name), known, n=1, cutoff=0.3)
    raise InputError(
        f"force_field: {str(name)!r} is neither in the registry ({', '.join(known)}) nor the path of an XML file."
        + (f" Did you mean {near[0]!r}?" if near else "")
    )


@lru_cache(maxsize=16)
def _read(path: Path) -> ForceField:
    try:
        root = ElementTree.parse(path).getroot()
        metadata = root.find("Metadata")
        if metadata is None:
            raise ValueError("it has no Metadata element")
        nonbonded = root.find("NonbondedForce")
        if nonbonded is None:
            raise ValueError("it has no NonbondedForce")
        if root.find("RBTorsionForce/Improper") is not None:
            raise ValueError("improper torsions are supported in PeriodicTorsionForce only")
        parameters = {row.attrib["type"]: row.attrib for row in nonbonded.findall("Atom")}
        types = {
            row.attrib["name"]: _atom_type(row.attrib, parameters[row.attrib["name"]])
            for row in root.findall("AtomTypes/Type")
        }
        force_field = ForceField(
            name=metadata.get("name", path.stem),
            path=path,
            title=metadata.attrib["title"],
            combining_rule=metadata.attrib["combining_rule"],
            united_atom=metadata.attrib["united_atom"] == "true",
            constraints=metadata.attrib["constraints"],
            charge_scale=float(metadata.attrib["charge_scale"]),
            timestep_fs=float(metadata.attrib["timestep_fs"]),
            cutoff_nm=float(metadata.attrib["cutoff_nm"]),
            validity=_words(metadata.findtext("Validity")),
            sources={
                row.attrib["key"]: f"{_words(row.text)}, doi {row.get('doi', 'none')}"
                for row in metadata.findall("Source")
            },
            excluded=tuple((row.attrib["smarts"], row.attrib["reason"]) for row in metadata.findall("Excluded")),
            types=types,
            terms={kind: _rows(root, *where) for kind, where in _TERMS.items()},
            coulomb_14_scale=float(nonbonded.attrib["coulomb14scale"]),
            lennard_jones_14_scale=float(nonbonded.attrib["lj14scale"]),
            generator=metadata.get("generator", ""),
        )
    except (ElementTree.ParseError, KeyError, ValueError) as error:
        raise InputError(f"The force field {path} cannot be used: {error}.") from None
    if force_field.combining_rule != "lorentz_berthelot":
        raise InputError(
            f"The force field {path} asks for the combining rule {force_field.combining_rule!r}; only"
            " lorentz_berthelot is available."
        )
    if force_field.constraints not in _CONSTRAINTS:
        raise InputError(
            f"The force field {path} asks for constraints {force_field.constraints!r}; allowed are"
            f" {', '.join(_CONSTRAINTS)}."
        )
    return force_field


def _atom_type(row: dict[str, str], parameters: dict[str, str]) -> AtomType:
    return AtomType(
        row["name"], row["class"], row["element"], float(row["mass"]), row["def"],
        tuple(row["overrides"].replace(",", " ").split()) if "overrides" in row else (),
        int(row.get("absorbs", 0)), float(parameters["charge"]), float(parameters["sigma"]),
        float(parameters["epsilon"]), row.get("source", ""),
    )  # fmt: skip


def _rows(root: ElementTree.Element, size: int, places: tuple[str, ...]) -> tuple[tuple[tuple[str, str], ...], ...]:
    rows = []
    for element in (row for place in places for row in root.findall(place)):
        row = []
        for position in range(1, size + 1):
            key = "type" if f"type{position}" in element.attrib else "class"
            row.append((key, element.attrib[f"{key}{position}"]))
        rows.append(tuple(row))
    return tuple(rows)


def _words(text: str | None) -> str:
    return " ".join((text or "").split())
