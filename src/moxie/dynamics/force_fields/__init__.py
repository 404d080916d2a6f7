"""The registry of force fields: one annotated OpenMM XML file each, read without OpenMM.

A file beside this module is in the registry under its name; a path to such a file works as a name too. Besides what
OpenMM reads, a file carries `def` (SMARTS) and `absorbs` on each Type, and a Metadata element with its sources and
validity.
"""

import difflib
import itertools
import math
import re
import xml.etree.ElementTree as ElementTree
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path

from moxie.errors import InputError

DATA_FILES = ("*.xml",)  # a job depends on them
_FOLDER = Path(__file__).resolve().parent
_CONSTRAINTS = ("none", "h_bonds", "all_bonds")
_COMBINING_RULES = ("lorentz_berthelot", "geometric")
_CHECKED_FORCES = (
    "HarmonicBondForce", "HarmonicAngleForce", "PeriodicTorsionForce", "RBTorsionForce", "NonbondedForce",
)  # fmt: skip
_WITHOUT_FORCES = ("Metadata", "Info", "AtomTypes", "Residues", "Patches")
_HOW_TO_EXTEND = (
    "moxie needs two things beyond what OpenMM reads: a Metadata element with title, combining_rule, united_atom,"
    " constraints, charge_scale, timestep_fs and cutoff_nm; and on each Type `def`, a SMARTS pattern whose first atom"
    " gets the type. See docs/extending.md, A force field"
)
_METADATA = (
    "title", "combining_rule", "united_atom", "constraints", "rigid_water", "charge_scale", "timestep_fs", "cutoff_nm",
    "name", "generator",
)  # fmt: skip
_NOT_ZERO = 1e-12
_PERIODIC = "PeriodicTorsionForce/Proper PeriodicTorsionForce/Improper".split()
_LIMITS: tuple[tuple[str, str, float, float, str], ...] = (
    # element, attribute (# for a number), lowest and highest value of what is not zero, unit. Bonds of molecules have
    # 1e5 to 1.3e6 kJ/mol/nm2, angles 100 to 2000 kJ/mol/rad2 and torsions below 150 kJ/mol; numbers in kcal, per
    # angstrom or per degree, in J or in K lie outside.
    ("HarmonicBondForce/Bond", "length", 0.01, 0.5, " nm"),
    ("HarmonicBondForce/Bond", "k", 1e4, 3e6, " kJ/mol/nm2"),
    ("HarmonicAngleForce/Angle", "angle", 0.5, math.pi + 1e-6, " rad"),
    ("HarmonicAngleForce/Angle", "k", 85.0, 1e4, " kJ/mol/rad2"),
    *((place, "phase#", 0.0, 2 * math.pi + 1e-6, " rad") for place in _PERIODIC),
    *((place, "k#", 0.0, 300.0, " kJ/mol") for place in _PERIODIC),
    *((place, "periodicity#", 1.0, 8.0, "") for place in _PERIODIC),
    ("RBTorsionForce/Proper", "c#", 0.0, 300.0, " kJ/mol"),
    ("NonbondedForce/Atom", "charge", 0.0, 8.0, " e"),
    ("NonbondedForce/Atom", "sigma", 0.0, 1.0, " nm"),
    ("NonbondedForce/Atom", "epsilon", 0.0, 50.0, " kJ/mol"),
    ("NonbondedForce", "coulomb14scale", 0.0, 1.0, ""),
    ("NonbondedForce", "lj14scale", 0.0, 1.0, ""),
)
_SIGNED = ("phase#", "k#", "c#", "charge")
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
    trans_pair: int = 0  # of an octahedral centre: which of the three pairs of opposite ligands is meant; 0 for any
    molecules: frozenset[str] = frozenset()  # canonical SMILES of the only molecules that have it; empty for any


@dataclass(frozen=True)
class VirtualRule:
    """A massless site: the atoms that a SMARTS pattern matches, in its order, carry it with these weights."""

    type: str
    smarts: str
    weights: tuple[float, ...]
    molecules: frozenset[str] = frozenset()


@dataclass(frozen=True)
class ForceField:
    """A force field as its file describes it."""

    name: str
    path: Path
    title: str
    combining_rule: str
    united_atom: bool
    constraints: str  # none, h_bonds, all_bonds
    rigid_water: bool
    charge_scale: float  # molecular charge over formal charge
    timestep_fs: float
    cutoff_nm: float
    validity: str
    sources: dict[str, str]
    excluded: tuple[tuple[str, str], ...]  # SMARTS, reason
    types: dict[str, AtomType]
    virtual: tuple[VirtualRule, ...]
    terms: dict[str, tuple[tuple[tuple[str, str], ...], ...]]  # kind -> rows of ("type"|"class", name)
    zero_torsions: tuple[tuple[tuple[str, str], ...], ...]  # rows that are there only to say that there is no barrier
    coulomb_14_scale: float
    lennard_jones_14_scale: float
    generator: str  # program that makes the types of each molecule; empty where the file is complete
    penalty: float | None = None  # the largest of the terms that the generator estimated; None without any

    @property
    def is_template(self) -> bool:
        """Say whether the types are still to be made, for each molecule, by the generator."""
        return bool(self.generator) and not self.types

    def has_term(self, kind: str, types: tuple[str, ...]) -> bool:
        """Say whether a bond, angle or torsion between atoms of these types has parameters, in either direction."""
        return self._any_matches(self.terms[kind], types)

    def is_zero_torsion(self, types: tuple[str, ...]) -> bool:
        """Say whether a torsion has the constant 0; OpenMM leaves such a term out."""
        return self._any_matches(self.zero_torsions, types)

    def combine(self, first: str, second: str) -> tuple[float, float]:
        """Return sigma (nm) and epsilon (kJ/mol) of a pair of types under the combining rule."""
        one, other = self.types[first], self.types[second]
        epsilon = math.sqrt(one.epsilon_kJ_mol * other.epsilon_kJ_mol)
        if self.combining_rule == "geometric":
            return math.sqrt(one.sigma_nm * other.sigma_nm), epsilon
        return (one.sigma_nm + other.sigma_nm) / 2, epsilon

    def _any_matches(self, rows: tuple[tuple[tuple[str, str], ...], ...], types: tuple[str, ...]) -> bool:
        return any(self._matches(row, types) or self._matches(row, types[::-1]) for row in rows)

    def rows_of(self, kind: str, types: tuple[str, ...]) -> list[int]:
        """Return the rows of a kind that hold for atoms of these types; of an improper torsion, the centre first."""
        orders = (
            [(types[0], *order) for order in itertools.permutations(types[1:])]
            if kind == "improper"
            else [types, types[::-1]]
        )
        return [
            number for number, row in enumerate(self.terms[kind]) if any(self._matches(row, order) for order in orders)
        ]

    def improper_in_any_order(self, number: int, types: Sequence[str]) -> bool:
        """Say whether an improper row names these four types in whatever order."""
        row = self.terms["improper"][number]
        return any(self._matches(row, order) for order in itertools.permutations(types))

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


@cache
def available_force_fields() -> tuple[str, ...]:
    """Return the names in the registry, sorted."""
    return tuple(sorted(path.stem for path in _FOLDER.glob("*.xml")))


def is_registered(force_field: ForceField) -> bool:
    """Say whether a force field is one of the registry, not a file of the user's."""
    return force_field.path.parent == _FOLDER


def load_force_field(name: str | Path) -> ForceField:
    """Return a force field by its name in the registry or by the path of its file.

    Raises InputError for an unknown name (with the nearest known one), for a file that is not usable, and for one that
    has the name of a force field in the registry, since results go by that name.
    """
    known = available_force_fields()
    if str(name) in known:
        return _read(_FOLDER / f"{name}.xml")
    path = Path(name)
    if path.suffix == ".xml" and path.exists():
        if set("{}") & set(str(name)):
            raise InputError(f"force_field: {path} has a brace in its path, which Snakemake takes for its own.")
        force_field = _read(path.resolve())
        if not (is_registered(force_field) or force_field.generator) and force_field.name in known:
            raise InputError(
                f"force_field: {path} has the name of a force field in the registry, so that their results could not be"
                " told apart. Rename the file."
            )
        return force_field
    near = difflib.get_close_matches(str(name).lower().replace("-", "_"), known, n=1, cutoff=0.3)
    raise InputError(
        f"force_field: {str(name)!r} is neither in the registry ({', '.join(known)}) nor the path of an XML file."
        + (f" Did you mean {near[0]!r}?" if near else "")
    )


@lru_cache(maxsize=16)
def _read(path: Path) -> ForceField:
    try:
        root = ElementTree.parse(path).getroot()
        metadata = root.find("Metadata")
        if root.tag != "ForceField":
            raise ValueError(f"it is a {root.tag} file, not an OpenMM ForceField file")
        if metadata is None:
            raise ValueError(f"it has no Metadata element. {_HOW_TO_EXTEND}")
        _refuse_infinities(root)
        _refuse_unknown(metadata, _METADATA)
        _refuse_beyond_limits(root)
        _refuse_repeated(root)
        if root.find("AtomTypes/Type") is not None:
            _refuse_unknown_names(root)
        unknown = sorted({row.tag for row in root} - {*_CHECKED_FORCES, *_WITHOUT_FORCES})
        if unknown:
            raise ValueError(f"it has {', '.join(unknown)}, and moxie can check only {', '.join(_CHECKED_FORCES)}")
        nonbonded = root.find("NonbondedForce")
        if nonbonded is None:
            raise ValueError("it has no NonbondedForce")
        if root.find("RBTorsionForce/Improper") is not None:
            raise ValueError("improper torsions are supported in PeriodicTorsionForce only")
        virtual = tuple(_virtual_rule(row) for row in metadata.findall("VirtualSite"))
        types = _atom_types(root, nonbonded, {rule.type for rule in virtual})
        force_field = ForceField(
            name=metadata.get("name", path.stem) if "generator" in metadata.attrib else path.stem,
            path=path,
            title=_words(_attribute(metadata, "title")),
            combining_rule=_choice(metadata, "combining_rule", _COMBINING_RULES),
            united_atom=_choice(metadata, "united_atom", ("true", "false")) == "true",
            constraints=_choice(metadata, "constraints", _CONSTRAINTS),
            rigid_water="rigid_water" in metadata.attrib
            and _choice(metadata, "rigid_water", ("true", "false")) == "true",
            charge_scale=_number(metadata, "charge_scale"),
            timestep_fs=_number(metadata, "timestep_fs"),
            cutoff_nm=_number(metadata, "cutoff_nm"),
            validity=_words(metadata.findtext("Validity")),
            sources={
                _attribute(row, "key"): f"{_words(row.text)}, doi {row.get('doi', 'none')}"
                for row in metadata.findall("Source")
            },
            excluded=tuple(
                (_attribute(row, "smarts"), _attribute(row, "reason")) for row in metadata.findall("Excluded")
            ),
            types=types,
            virtual=virtual,
            terms={
                kind: tuple(_row(element, size) for place in places for element in root.findall(place))
                for kind, (size, places) in _TERMS.items()
            },
            zero_torsions=tuple(
                _row(element, 4) for element in root.findall("PeriodicTorsionForce/Proper") if _is_zero(element)
            ),
            coulomb_14_scale=_number(nonbonded, "coulomb14scale"),
            lennard_jones_14_scale=_number(nonbonded, "lj14scale"),
            generator=metadata.get("generator", ""),
            penalty=_largest_penalty(metadata),
        )
    except (ElementTree.ParseError, OSError, ValueError) as error:
        raise InputError(f"The force field {path} cannot be used: {error}.") from None
    return force_field


def _atom_types(root: ElementTree.Element, nonbonded: ElementTree.Element, virtual: set[str]) -> dict[str, AtomType]:
    by_type = {row.get("type"): row for row in nonbonded.findall("Atom")}
    by_class = {row.get("class"): row for row in nonbonded.findall("Atom")}
    types: dict[str, AtomType] = {}
    for row in root.findall("AtomTypes/Type"):
        name = _attribute(row, "name")
        parameters = by_type.get(name, by_class.get(_attribute(row, "class")))
        if parameters is None:
            raise ValueError(f"NonbondedForce has no Atom for the type {name}")
        if name not in virtual and "def" not in row.attrib:
            raise ValueError(f"the Type {name} has no `def`. {_HOW_TO_EXTEND}")
        types[name] = AtomType(
            name, _attribute(row, "class"), "" if name in virtual else _attribute(row, "element"),
            _number(row, "mass"), row.get("def", ""), tuple(row.get("overrides", "").replace(",", " ").split()),
            round(_number(row, "absorbs")) if "absorbs" in row.attrib else 0, _number(parameters, "charge"),
            _number(parameters, "sigma"), _number(parameters, "epsilon"), row.get("source", ""),
            round(_number(row, "trans_pair")) if "trans_pair" in row.attrib else 0,
            frozenset(row.get("molecules", "").split()),
        )  # fmt: skip
    for kind in types.values():
        if kind.name not in virtual and kind.mass_amu <= 0:
            raise ValueError(f"the Type {kind.name} has the mass {kind.mass_amu:g}; it must be above 0")
    for name in virtual:
        if name not in types or types[name].mass_amu != 0:
            raise ValueError(f"the type {name} of a VirtualSite must be among the AtomTypes, with the mass 0")
    return types


def _refuse_infinities(root: ElementTree.Element) -> None:
    for element in root.iter():
        for key, value in element.attrib.items():
            if not key.startswith(("name", "class", "type")) and not _is_finite_or_words(value):
                raise ValueError(f"{key} of its {element.tag} is {value!r}, not a finite number")


def _refuse_unknown(element: ElementTree.Element, known: tuple[str, ...]) -> None:
    unknown = sorted(set(element.attrib) - set(known))
    if unknown:
        raise ValueError(f"its {element.tag} has the unknown {', '.join(unknown)}; known are {', '.join(known)}")


def _refuse_beyond_limits(root: ElementTree.Element) -> None:
    """Raise ValueError for a number that is not what OpenMM's units would make of it."""
    for place, pattern, lowest, highest, unit in _LIMITS:
        for row in root.findall(place):
            for name in [name for name in row.attrib if re.fullmatch(pattern.replace("#", r"\d+"), name)]:
                value = _number(row, name)
                size = abs(value) if pattern in _SIGNED else value
                if not lowest <= size <= highest and abs(value) > _NOT_ZERO:
                    sign = "+-" if pattern in _SIGNED else ""
                    raise ValueError(
                        f"{name} of its {_called(row)} is {row.get(name)}; allowed are {lowest:g} to"
                        f" {sign}{highest:g}{unit}"
                    )
                if pattern == "periodicity#" and value != round(value):
                    raise ValueError(f"{name} of its {_called(row)} is {row.get(name)}; it must be a whole number")


def _called(row: ElementTree.Element) -> str:
    """Return what a row is and for which types or classes."""
    keys = [key for key in row.attrib if re.fullmatch(r"(type|class)\d*", key)]
    return f"{row.tag} {'-'.join(row.get(key) or '*' for key in keys)}".strip()


def _refuse_repeated(root: ElementTree.Element) -> None:
    """Raise ValueError for a type, a class or a term that two rows give; OpenMM would take one without a word."""
    for place in ("AtomTypes/Type", "NonbondedForce/Atom"):
        seen: set[tuple[str | None, ...]] = set()
        for row in root.findall(place):
            key = (row.get("name"),) if row.tag == "Type" else (row.get("type"), row.get("class"))
            if key in seen:
                raise ValueError(f"its {_called(row)} {row.get('name', '')} stands there twice".replace("  ", " "))
            seen.add(key)
    for kind, (size, places) in _TERMS.items():
        known: set[tuple[tuple[str, str], ...]] = set()
        for row in (row for place in places for row in root.findall(place)):
            names = _row(row, size)
            turned = (names[0], *sorted(names[1:])) if kind == "improper" else min(names, names[::-1])
            if turned in known:
                raise ValueError(
                    f"its {_called(row)} is given twice, and only one of the two would count. Join the rows: a torsion"
                    " takes k1, k2, ... with periodicity1, periodicity2, ..."
                )
            known.add(turned)


def _refuse_unknown_names(root: ElementTree.Element) -> None:
    """Raise ValueError for a term that names a type or class that no Type has."""
    known = {"type": {row.get("name") for row in root.findall("AtomTypes/Type")}}
    known["class"] = {row.get("class") for row in root.findall("AtomTypes/Type")}
    for size, places in _TERMS.values():
        for row in (row for place in places for row in root.findall(place)):
            for key, name in _row(row, size):
                if name and name not in known[key]:
                    near = difflib.get_close_matches(name, [each for each in known[key] if each], n=1)
                    raise ValueError(
                        f"its {_called(row)} names the {key} {name}, which no Type has"
                        + (f" (is {near[0]} meant?)" if near else "")
                    )


def _largest_penalty(metadata: ElementTree.Element) -> float | None:
    """Return the largest penalty in parmchk2's remarks on the terms that it estimated."""
    remarks = [row.text or "" for row in metadata.findall("Molecule/Estimated")]
    scores = [float(score) for remark in remarks for score in re.findall(r"penalty score=\s*([\d.]+)", remark)]
    return max(scores, default=None)


def _is_finite_or_words(text: str) -> bool:
    try:
        return math.isfinite(float(text))
    except ValueError:
        return True


def _virtual_rule(row: ElementTree.Element) -> VirtualRule:
    _refuse_unknown(row, ("type", "def", "weights", "source", "molecules"))
    weights = tuple(float(weight) for weight in _attribute(row, "weights").split())
    if len(weights) not in (2, 3) or abs(sum(weights) - 1) > 1e-6:
        raise ValueError(f"the weights of a VirtualSite must be two or three that add up to 1, not {weights}")
    of = frozenset(row.get("molecules", "").split())
    return VirtualRule(_attribute(row, "type"), _attribute(row, "def"), weights, of)


def _row(element: ElementTree.Element, size: int) -> tuple[tuple[str, str], ...]:
    keys = ("type" if f"type{position}" in element.attrib else "class" for position in range(1, size + 1))
    return tuple((key, _attribute(element, f"{key}{position}")) for position, key in enumerate(keys, start=1))


def _is_zero(proper: ElementTree.Element) -> bool:
    return all(float(value) == 0 for key, value in proper.attrib.items() if key[0] == "k" and key[1:].isdigit())


def _attribute(element: ElementTree.Element, name: str) -> str:
    if name not in element.attrib:
        known = ", ".join(f'{key}="{value}"' for key, value in list(element.attrib.items())[:3])
        raise ValueError(f"its {element.tag} ({known}) has no {name!r}")
    return element.attrib[name]


def _number(element: ElementTree.Element, name: str) -> float:
    text = _attribute(element, name)
    try:
        return float(text)
    except ValueError:
        raise ValueError(f"{name} of its {element.tag} is {text!r}, not a number") from None


def _choice(element: ElementTree.Element, name: str, allowed: tuple[str, ...]) -> str:
    text = _attribute(element, name)
    if text not in allowed:
        raise ValueError(f"{name} of its {element.tag} is {text!r}; allowed are {', '.join(allowed)}")
    return text


def _words(text: str | None) -> str:
    return " ".join((text or "").split())
