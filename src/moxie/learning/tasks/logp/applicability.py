"""Where the predictions of a model of molecules were tested, and where they are extrapolations."""

from collections.abc import Mapping
from functools import cache
from typing import Any

import numpy as np

from moxie.learning import molecular

_UNUSUAL = 0.05  # share of the held-out molecules that count as outside
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
    molecule = molecular.parse(row.smiles)
    if all(molecule.HasSubstructMatch(pattern) for pattern in ionising_groups()):
        return "outside: acid and amine, a zwitterion in water; logP is that of the neutral form"
    types = [c for c in molecular.descriptors([row.smiles]) if c.startswith(molecular.ATOM_TYPE)]
    unseen = [molecular.atom_type(c) for c in types if c not in model["atom_types"]]
    return f"outside: no molecule of the training set has atom type {', '.join(unseen)}" if unseen else ""


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
