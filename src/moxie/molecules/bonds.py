"""Whether a relaxed molecule is still the one of its SMILES.

A bond of the SMILES counts as broken where the atoms are far apart and their Wiberg-Mayer bond order is small, a bond
as formed where both say so; hydrogen bonds (orders below 0.2), contacts and the bonds of metal ions to several partners
are neither. Bonds that move between like atoms (a proton shared by two carboxylates) leave the same molecule.
"""

from collections import Counter
from collections.abc import Sequence

import numpy as np

Bond = tuple[int, int]
_FAR, _FAR_OF_A_METAL, _NEAR = 1.25, 1.6, 1.25  # sums of covalent radii
_WEAK, _STRONG, _STRONG_ACROSS = 0.4, 0.55, 0.8  # bond orders; the last within an angle, where it may be a bridge's
_NONMETALS = frozenset(
    "H He B C N O F Ne Si P S Cl Ar Ge As Se Br Kr Sb Te I Xe At Rn".split()
)  # fmt: skip


def changed_bonds(
    symbols: Sequence[str], bonds: Sequence[Bond], positions_A: np.ndarray, bond_orders: np.ndarray
) -> tuple[list[Bond], list[Bond]]:
    """Return the bonds that a relaxation broke and formed, as pairs of atoms; none where the molecule is the same.

    `bonds` are those of the SMILES, `bond_orders` has shape (n, n).
    """
    from ase.data import atomic_numbers, covalent_radii

    known = {(min(bond), max(bond)) for bond in bonds}
    neighbours: dict[int, set[int]] = {atom: set() for atom in range(len(symbols))}
    for i, j in known:
        neighbours[i].add(j)
        neighbours[j].add(i)
    radii = np.array([covalent_radii[atomic_numbers[symbol]] for symbol in symbols])
    metal = np.array([symbol not in _NONMETALS for symbol in symbols])
    distances = np.linalg.norm(positions_A[:, None] - positions_A[None], axis=-1)
    ratio = distances / (radii[:, None] + radii[None])
    broken, formed = [], []
    for i in range(len(symbols)):
        for j in range(i + 1, len(symbols)):
            to_metal = bool(metal[i] or metal[j])
            if (i, j) in known:
                if ratio[i, j] > (_FAR_OF_A_METAL if to_metal else _FAR) and bond_orders[i, j] < _WEAK:
                    broken.append((i, j))
            elif not to_metal and ratio[i, j] < _NEAR:
                across = bool(neighbours[i] & neighbours[j])
                if bond_orders[i, j] > (_STRONG_ACROSS if across else _STRONG):
                    formed.append((i, j))
    after = (known - set(broken)) | set(formed)
    if _skeleton(symbols, known) == _skeleton(symbols, after):
        return [], []
    return broken, formed


def describe(symbols: Sequence[str], bonds: Sequence[Bond], broken: Sequence[Bond], formed: Sequence[Bond]) -> str:
    """Return a sentence about what became of a molecule: bonds by their atoms, and the formulas of the pieces."""
    parts = [
        f"{what} {', '.join(f'{symbols[i]}{i}-{symbols[j]}{j}' for i, j in pairs)}"
        for what, pairs in (("broke", broken), ("formed", formed))
        if pairs
    ]
    after = ({(min(bond), max(bond)) for bond in bonds} - set(broken)) | set(formed)
    pieces = _pieces(len(symbols), after)
    into = f", into {' + '.join(_formula([symbols[atom] for atom in piece]) for piece in pieces)}"
    return f"relaxing {' and '.join(parts)}{into if len(pieces) > 1 else ''}"


def _skeleton(symbols: Sequence[str], bonds: set[Bond]) -> str:
    """Return a canonical text of the graph of elements and bonds, whatever the orders and charges."""
    from rdkit import Chem

    molecule = Chem.RWMol()
    for symbol in symbols:
        atom = Chem.Atom(symbol)
        atom.SetNoImplicit(True)
        molecule.AddAtom(atom)
    for i, j in bonds:
        molecule.AddBond(i, j, Chem.BondType.SINGLE)
    return Chem.MolToSmiles(molecule)


def _pieces(count: int, bonds: set[Bond]) -> list[list[int]]:
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    rows, columns = (list(ends) for ends in zip(*bonds, strict=True)) if bonds else ([], [])
    _, labels = connected_components(coo_array((np.ones(len(rows)), (rows, columns)), shape=(count, count)), False)
    return sorted((np.flatnonzero(labels == label).tolist() for label in np.unique(labels)), key=len, reverse=True)


def _formula(symbols: Sequence[str]) -> str:
    """Return a formula in Hill's order."""
    counts = Counter(symbols)
    first = [symbol for symbol in ("C", "H") if "C" in counts and symbol in counts]
    ordered = first + sorted(set(counts) - set(first))
    return "".join(f"{symbol}{counts[symbol] if counts[symbol] > 1 else ''}" for symbol in ordered)
