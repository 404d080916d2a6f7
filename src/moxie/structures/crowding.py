"""Which atoms have neighbours and lone pairs around them that force fields do not know the angles of."""

from typing import Any

_CROWDED = 5  # neighbours and lone pairs
_D_BLOCK = (*range(21, 31), *range(39, 49), *range(72, 81))
_P_BLOCK = (*range(5, 11), *range(13, 19), *range(31, 37), *range(49, 55), *range(81, 87))
_GROUP_14 = (6, 14, 32, 50, 82)
_EMPTY_PLACES = {4: (0, 2), 5: (0, 1)}  # of metals, by neighbours: tetrahedron or square, bipyramid or pyramid
_NOT_IN_SPACE = ("CHI_UNSPECIFIED", "CHI_TETRAHEDRAL_CW", "CHI_TETRAHEDRAL_CCW")


def crowded_centres(molecule: Any) -> dict[int, tuple[int, ...]]:
    """Return these atoms of an rdkit molecule, each with the numbers of lone pairs to try around it.

    They are atoms of the p block with five or more neighbours and lone pairs, of which one may keep to an s orbital
    ([TeCl6]2-), so that none is tried too; carbenes and their heavier kin, which start out linear; and transition
    metals with four or five neighbours, which may leave two or one place empty (a square). Atoms whose arrangement the
    SMILES gives (`@SP1`, `@OH3`) are left as they are.
    """
    from rdkit import Chem

    alternating = Chem.Mol(molecule)
    Chem.Kekulize(alternating, clearAromaticFlags=True)
    centres: dict[int, tuple[int, ...]] = {}
    for atom in alternating.GetAtoms():
        number, neighbours = atom.GetAtomicNum(), atom.GetDegree()
        if neighbours < 2 or str(atom.GetChiralTag()) not in _NOT_IN_SPACE:
            continue
        pairs = _lone_pairs(atom) if number in _P_BLOCK else 0
        carbene = number in _GROUP_14 and pairs > 0
        if neighbours + pairs >= _CROWDED or carbene or (number in _D_BLOCK and neighbours in _EMPTY_PLACES):
            places = _EMPTY_PLACES.get(neighbours, (0,)) if number in _D_BLOCK else (pairs, 0)
            centres[atom.GetIdx()] = tuple(dict.fromkeys(places))
    return centres


def _lone_pairs(atom: Any) -> int:
    from rdkit import Chem

    outer = Chem.GetPeriodicTable().GetNOuterElecs(atom.GetAtomicNum())
    orders = sum(bond.GetBondTypeAsDouble() for bond in atom.GetBonds())
    return max(0, int(outer - atom.GetFormalCharge() - orders) // 2)
