"""Experimental and published values, each with its unit, its source and how far it was checked."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from math import gcd

from moxie.errors import InputError

DATA_FILES = ("values.yaml",)  # a job depends on it
VERIFIED = "verified"
UNCHECKED = "literature, unchecked"
OXIDE_SYSTEM = "Si/SiO2(001)"
_FACES = {"100": OXIDE_SYSTEM, "110": "Si/SiO2(110)", "111": "Si/SiO2(111)"}
_SAME_TEMPERATURE_K = 1.5


def oxide_system(orientation: str) -> str:
    """Return the name that the interface on a wafer of this orientation has among the references."""
    return _FACES[orientation]


@dataclass(frozen=True)
class ReferenceValue:
    """One published number; the fields are explained at the head of values.yaml."""

    stage: str
    system: str
    quantity: str
    unit: str
    value: float
    kind: str
    checked: str
    source: str
    error: float | None = None
    temperature_K: float | None = None
    model: str | None = None
    note: str = ""

    def __post_init__(self) -> None:
        if self.kind not in ("experiment", "simulation", "analytic"):
            raise InputError(f"Reference {self.system} {self.quantity}: kind {self.kind!r} is not known.")
        if self.checked not in (VERIFIED, UNCHECKED):
            raise InputError(f"Reference {self.system} {self.quantity}: checked must be {VERIFIED!r} or {UNCHECKED!r}.")
        if not self.unit or not self.source:
            raise InputError(f"Reference {self.system} {self.quantity} needs a unit and a source.")


@cache
def load_values() -> tuple[ReferenceValue, ...]:
    """Return all values of values.yaml."""
    import yaml

    text = resources.files("moxie.reference").joinpath("values.yaml").read_text(encoding="utf-8")
    return tuple(ReferenceValue(**entry) for entry in yaml.safe_load(text))


def find(
    stage: str, system: str, quantity: str, *, temperature_K: float | None = None, model: str | None = None
) -> list[ReferenceValue]:
    """Return the values that a computed number can be compared with.

    A value given at one temperature is found within 1.5 K of it; a value of a simulation only for the same model.
    """
    return [
        value
        for value in load_values()
        if (value.stage, value.system, value.quantity) == (stage, system, quantity)
        and (value.model is None or value.model == model)
        and (
            value.temperature_K is None
            or (temperature_K is not None and abs(value.temperature_K - temperature_K) <= _SAME_TEMPERATURE_K)
        )
    ]


def system_key(composition: Mapping[str, int] | Iterable[tuple[str, int]]) -> str:
    """Return the name under which values of a system are filed, from its composition: {SMILES: count}, or such pairs.

    One component gives its canonical SMILES, a mixture "SMILES:count + ..." in lowest terms. Raises InputError for a
    SMILES that cannot be read.
    """
    counts: dict[str, int] = {}
    for smiles, count in composition.items() if isinstance(composition, Mapping) else composition:
        canonical = canonical_smiles(smiles)
        counts[canonical] = counts.get(canonical, 0) + count
    if len(counts) == 1:
        return next(iter(counts))
    divisor = gcd(*counts.values())
    return " + ".join(f"{smiles}:{counts[smiles] // divisor}" for smiles in sorted(counts))


def canonical_smiles(smiles: str) -> str:
    """Return the canonical form of a SMILES; raises InputError if it cannot be read."""
    from rdkit import Chem, rdBase

    with rdBase.BlockLogs():
        molecule = Chem.MolFromSmiles(smiles)
    if molecule is None:
        raise InputError(f"SMILES {smiles!r} cannot be read.")
    return Chem.MolToSmiles(molecule)
