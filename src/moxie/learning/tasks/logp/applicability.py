"""Where the predictions of a model of molecules were tested, and where they are extrapolations."""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

import numpy as np

from moxie.learning import molecular

_UNUSUAL = 0.05  # share of the held-out molecules that count as outside
_ZWITTERION = "outside: acid and amine, a zwitterion in water; logP is that of the neutral form"
_ACID = "[CX3,S,P](=O)[OX2H1]"
_AMINE = "[NX3;!$(N-[C,S,N,P]=[O,S,N]);!$(N-a);!$(N-C=C);!$(N~[O,N])]"


def limits(similarity: np.ndarray, widths: np.ndarray) -> dict[str, float]:
    """Return the lowest similarity and the widest interval of all but the most unusual twentieth of held-out molecules.

    Coverage was measured on molecules like these; beyond either limit it was hardly tested.
    """
    return {
        "lowest_similarity": float(np.quantile(similarity, _UNUSUAL)),
        "widest_interval": float(np.quantile(widths, 1 - _UNUSUAL)),
    }


def by_structure(model: Mapping[str, Any], row: Any, training: set[str]) -> str:
    """Say what sets a molecule apart by its structure, or nothing."""
    if molecular.canonical(row.smiles) in training:
        return "in the training set"
    if row.charge != 0 or row.spin_multiplicity != 1:
        return "outside: charged or open shell; logP is that of the neutral closed-shell form"
    if all(ionising(row.smiles)):
        return _ZWITTERION
    types = [c for c in molecular.descriptors([row.smiles]) if c.startswith(molecular.ATOM_TYPE)]
    return by_atom_types([c for c in types if c not in model["atom_types"]])


def by_atom_types(unseen: Sequence[str]) -> str:
    """Say which columns of atom types no training molecule has, or nothing."""
    names = ", ".join(molecular.atom_type(column) for column in unseen)
    return f"outside: no molecule of the training set has atom type {names}" if unseen else ""


def ionising(smiles: str) -> tuple[bool, bool]:
    """Return whether a molecule has an acid, and whether an aliphatic amine."""
    molecule = molecular.parse(smiles)
    acid, amine = (molecule.HasSubstructMatch(pattern) for pattern in ionising_groups())
    return acid, amine


def of_held_out(smiles: str, unseen: Sequence[str], known: Mapping[str, Any], similarity: float, width: float) -> str:
    """Say of a neutral molecule that was held out what `by_structure` and `by_statistics` say of a new one.

    unseen: columns of its atom types that no training molecule of its fold has.
    """
    structure = _ZWITTERION if all(ionising(smiles)) else by_atom_types(unseen)
    return structure or by_statistics(known, similarity, width)


@cache
def ionising_groups() -> tuple[Any, Any]:
    """Return the patterns of an acid and of an aliphatic amine."""
    from rdkit import Chem

    return Chem.MolFromSmarts(_ACID), Chem.MolFromSmarts(_AMINE)


def by_statistics(known: Mapping[str, Any], similarity: float, width: float) -> str:
    """Say how a molecule lies beyond the limits of `limits`, or "inside"."""
    if similarity < known["lowest_similarity"]:
        return f"outside: the most similar training molecule has a Tanimoto similarity of {similarity:.2f} only"
    if width > known["widest_interval"]:
        return "outside: the interval is wider than nearly all that were tested"
    return "inside"
