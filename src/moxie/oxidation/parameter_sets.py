"""Parameter sets of the valence force field: data files found by name, or a user's own by path.

A set is a YAML file whose every number names its source and whether it was checked against it. The files that come
with moxie lie in `parameters/`; copy one, edit it and give its path to use your own.
"""

import difflib
import math
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from moxie.errors import InputError
from moxie.yaml_files import check_file

DATA_FILES = ("parameters/*.yaml",)  # a job depends on them
FOLDER = Path(__file__).resolve().parent / "parameters"
FORMS = ("simplified", "keating")
KINDS = ("none", "quadratic", "cubic")
_BONDS = ("Si-Si", "Si-O")
_ANGLES = ("Si-Si-Si", "Si-Si-O", "O-Si-O", "Si-O-Si")
_PAIRS = ("Si-Si", "Si-O", "O-O")
_STATES = ("Si1+", "Si2+", "Si3+")
_LENGTHS_A = {"Si-Si": (2.0, 3.0), "Si-O": (1.3, 2.0)}
# Longer ranges meet more atoms than the engine's lists hold (`state.BIN_CAPACITY`), and act from 4.5 A on between third
# neighbours of the perfect crystal.
LONGEST_RANGE_A = 4.3
SKIN_A = 0.4  # pairs up to this beyond the range are listed for a relaxation
_LARGEST = 1000.0  # eV/A^n: forty times the stiffest bond
_TOP = ("name", "form", "source", "bonds", "angles", "suboxide_eV", "default_repulsion", "repulsions")


@dataclass(frozen=True)
class Repulsion:
    """Repulsion of atoms that are neither bonded nor second neighbours.

    kind quadratic: 1/2 strength (r^2 - d^2)^2 with strength in eV/A^4; cubic: strength (d - r)^3 in eV/A^3;
    `range_A` is d as a (2, 2) tuple by species (Si, O), in angstrom.
    """

    kind: str
    strength: float
    range_A: tuple[tuple[float, float], tuple[float, float]]


@dataclass(frozen=True)
class ParameterSet:
    """A valence force field; the form of each term is in `docs/theory/oxidation.md`.

    bond_k and bond_length are (2, 2) by species (Si, O); angle_k and angle_cos are (2, 3) by species of the centre
    and number of O among the ends; suboxide_eV is the penalty of Si with 0..4 O neighbours. eV and angstrom.
    Form keating: bond_k is alpha and angle_k is beta (eV/A^2).
    """

    name: str
    form: str
    source: str
    elements: tuple[str, ...]
    bond_k: tuple[tuple[float, float], tuple[float, float]]
    bond_length: tuple[tuple[float, float], tuple[float, float]]
    angle_k: tuple[tuple[float, float, float], tuple[float, float, float]]
    angle_cos: tuple[tuple[float, float, float], tuple[float, float, float]]
    suboxide_eV: tuple[float, float, float, float, float]
    repulsion: Repulsion
    repulsion_name: str

    @property
    def lattice_constant_A(self) -> float:
        """Cubic lattice constant of diamond silicon with unstrained bonds, in angstrom."""
        return 4.0 * self.bond_length[0][0] / math.sqrt(3.0)

    def with_suboxides(self, factor: float) -> "ParameterSet":
        """Return the same field with all suboxide penalties times a factor; itself for one."""
        if factor == 1:
            return self
        none, one, two, three, four = self.suboxide_eV
        return replace(self, suboxide_eV=(none, factor * one, factor * two, factor * three, four))

    def check_edge(self, shortest_A: float) -> None:
        """Raise InputError unless the shortest periodic edge of a cell (angstrom) takes the repulsion's range."""
        reach = max(max(row) for row in self.repulsion.range_A)
        if reach > 0 and shortest_A < 2 * (reach + SKIN_A):
            raise InputError(
                f"The shortest periodic edge is {shortest_A:.2f} A; the repulsion of `{self.name}` needs at least "
                f"{2 * (reach + SKIN_A):.2f} A. Use a larger cell."
            )


def available_sets() -> list[str]:
    """Return the names of the parameter sets that come with moxie."""
    return sorted(path.stem for path in FOLDER.glob("*.yaml"))


def load_parameters(name: str, repulsion: str | None = None) -> ParameterSet:
    """Return a parameter set by name, or by the path of a YAML file of the same shape.

    `repulsion` picks one of the set's repulsions by name, or "none"; by default the set's own choice.
    Raises InputError for an unknown name, a damaged file, a missing, unknown or unphysical entry, and a `name` that is
    not the file's.
    """
    path = FOLDER / f"{name}.yaml"
    if name not in available_sets():
        path = Path(name)
        if path.suffix not in (".yaml", ".yml"):
            known = available_sets()
            near = difflib.get_close_matches(name, known, n=1, cutoff=0.4)
            hint = f" Did you mean `{near[0]}`?" if near else ""
            raise InputError(
                f"Unknown oxidation parameter set `{name}`.{hint} Known sets: {', '.join(known)}; "
                "or give the path of your own .yaml file."
            )
    try:
        status = path.stat()
    except OSError as error:
        raise InputError(f"The parameter set {path} cannot be read ({error.strerror}).") from error
    return _read(path, repulsion, (status.st_size, status.st_mtime_ns, status.st_ctime_ns))


@lru_cache(maxsize=16)
def _read(path: Path, repulsion: str | None, state: tuple[int, ...]) -> ParameterSet:
    """Return what a file says; one that has changed has another state, its size and times, and is read anew."""
    content = check_file(path)
    label = str(path) if path.parent != FOLDER else path.stem
    parameters = _parse(content, label, repulsion)
    if parameters.name != path.stem:  # tables and figures would call an edited copy by the name of the original
        raise InputError(f"{label}: `name` is {parameters.name!r}; write the file's own name, {path.stem!r}.")
    return parameters


def _parse(content: Any, label: str, repulsion: str | None) -> ParameterSet:
    top = _section(content, label, "the file", _TOP, required=_TOP)
    form = top["form"]
    if form not in FORMS:
        raise InputError(f"{label}: `form` is {form!r}; it must be one of {', '.join(FORMS)}.")
    bonds = _section(top["bonds"], label, "bonds", _BONDS, required=("Si-Si",))
    angles = _section(top["angles"], label, "angles", _ANGLES, required=("Si-Si-Si",))
    with_oxygen = "Si-O" in bonds
    if with_oxygen:
        _section(angles, label, "angles", _ANGLES, required=_ANGLES)
        if form == "keating":
            raise InputError(f"{label}: the form `keating` holds for Si alone; remove `Si-O` or use `simplified`.")
    k, length = {}, {}
    for key in bonds:
        entry = _entry(bonds[key], label, f"bonds.{key}", ("k", "length"))
        k[key] = _positive(entry["k"], label, f"bonds.{key}.k")
        length[key] = _positive(entry["length"], label, f"bonds.{key}.length")
        shortest, longest = _LENGTHS_A[key]
        if not shortest <= length[key] <= longest:
            raise InputError(
                f"{label}: `bonds.{key}.length` is {length[key]:g}; {key} bonds are {shortest:g} to {longest:g} "
                "angstrom long. Lengths are in angstrom and energies in eV."
            )
    angle_k, angle_cos = {}, {}
    for key in angles:
        entry = _entry(angles[key], label, f"angles.{key}", ("k", "cos"))
        angle_k[key] = _positive(entry["k"], label, f"angles.{key}.k")
        angle_cos[key] = _number(entry["cos"], label, f"angles.{key}.cos")
        if not -1.0 <= angle_cos[key] <= 1.0:
            raise InputError(f"{label}: `angles.{key}.cos` is {angle_cos[key]}; a cosine lies in [-1, 1].")
    states = _section(top["suboxide_eV"], label, "suboxide_eV", _STATES, required=_STATES if with_oxygen else ())
    penalties = [0.0] * 5
    for number, key in enumerate(_STATES, start=1):
        if key in states:
            entry = _entry(states[key], label, f"suboxide_eV.{key}", ("value",))
            penalties[number] = _number(entry["value"], label, f"suboxide_eV.{key}.value")
            if abs(penalties[number]) > _LARGEST:
                raise InputError(
                    f"{label}: `suboxide_eV.{key}.value` is {penalties[number]}; at most {_LARGEST:g} eV either way."
                )
    chosen = repulsion if repulsion is not None else top["default_repulsion"]
    return ParameterSet(
        name=str(top["name"]),
        form=form,
        source=str(top["source"]),
        elements=("Si", "O") if with_oxygen else ("Si",),
        bond_k=((k["Si-Si"], k.get("Si-O", 0.0)), (k.get("Si-O", 0.0), 0.0)),
        bond_length=((length["Si-Si"], length.get("Si-O", 1.0)), (length.get("Si-O", 1.0), 1.0)),
        angle_k=(
            (angle_k["Si-Si-Si"], angle_k.get("Si-Si-O", 0.0), angle_k.get("O-Si-O", 0.0)),
            (angle_k.get("Si-O-Si", 0.0), 0.0, 0.0),
        ),
        angle_cos=(
            (angle_cos["Si-Si-Si"], angle_cos.get("Si-Si-O", 0.0), angle_cos.get("O-Si-O", 0.0)),
            (angle_cos.get("Si-O-Si", 0.0), 0.0, 0.0),
        ),
        suboxide_eV=(0.0, penalties[1], penalties[2], penalties[3], 0.0),
        repulsion=_repulsion(top["repulsions"] or {}, label, chosen),
        repulsion_name=str(chosen),
    )


def _repulsion(choices: Any, label: str, chosen: Any) -> Repulsion:
    none = Repulsion("none", 0.0, ((0.0, 0.0), (0.0, 0.0)))
    if not isinstance(chosen, str):
        raise InputError(f"{label}: `default_repulsion` is {chosen!r}; it must be the name of one repulsion, or none.")
    if chosen == "none":
        return none
    if not isinstance(choices, dict) or chosen not in choices:
        names = ["none", *(choices if isinstance(choices, dict) else [])]
        raise InputError(f"{label}: unknown repulsion `{chosen}`. This set has: {', '.join(names)}.")
    where = f"repulsions.{chosen}"
    entry = _entry(choices[chosen], label, where, ("kind", "strength", "range_A"))
    if entry["kind"] not in KINDS:
        raise InputError(f"{label}: `{where}.kind` is {entry['kind']!r}; it must be one of {', '.join(KINDS)}.")
    ranges = _section(entry["range_A"], label, f"{where}.range_A", _PAIRS, required=_PAIRS)
    d = {key: _number(ranges[key], label, f"{where}.range_A.{key}") for key in _PAIRS}
    if min(d.values()) < 0 or max(d.values()) > LONGEST_RANGE_A:
        raise InputError(
            f"{label}: `{where}.range_A` holds {d}; ranges lie between 0 and {LONGEST_RANGE_A:g} angstrom. Longer ones "
            "meet more atoms than the engine's lists hold."
        )
    strength = _positive(entry["strength"], label, f"{where}.strength")
    return Repulsion(entry["kind"], strength, ((d["Si-Si"], d["Si-O"]), (d["Si-O"], d["O-O"])))


def _entry(value: Any, label: str, where: str, keys: tuple[str, ...]) -> dict[str, Any]:
    """A number with its source: exactly `keys`, `source` and `checked`."""
    allowed = (*keys, "source", "checked")
    entry = _section(value, label, where, allowed, required=allowed)
    if not isinstance(entry["checked"], bool):
        raise InputError(f"{label}: `{where}.checked` is {entry['checked']!r}; it must be true or false.")
    return entry


def _section(value: Any, label: str, where: str, allowed: tuple[str, ...], required: tuple[str, ...]) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise InputError(f"{label}: {where} must hold the keys {', '.join(allowed)}; found {value!r}.")
    for key in value:
        if key not in allowed:
            near = difflib.get_close_matches(str(key), allowed, n=1, cutoff=0.4)
            hint = f" Did you mean `{near[0]}`?" if near else ""
            raise InputError(f"{label}: unknown key `{key}` in {where}.{hint} Allowed: {', '.join(allowed)}.")
    for key in required:
        if key not in value:
            raise InputError(f"{label}: `{key}` is missing in {where}.")
    return value


def _number(value: Any, label: str, where: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < 1e300:
        raise InputError(f"{label}: `{where}` is {value!r}; it must be a finite number.")
    return float(value)


def _positive(value: Any, label: str, where: str) -> float:
    number = _number(value, label, where)
    if number <= 0:
        raise InputError(f"{label}: `{where}` is {number}; it must be positive.")
    if number > _LARGEST:
        raise InputError(f"{label}: `{where}` is {number}; at most {_LARGEST:g}. Units are eV and angstrom.")
    return number
