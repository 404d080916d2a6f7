"""Which atoms of a molecule are equivalent, and the SMARTS that finds one kind of them in this molecule only.

Both look at the constitution alone: elements and which atoms are bonded. Bond orders and formal charges are left out,
so that atoms which differ only between resonance structures are equivalent, as the oxygens of a carboxylate; so are
the stereoisomers of a molecule.
"""

from typing import Any


def constitution(molecule: Any) -> Any:
    """Return a copy of an rdkit molecule whose bonds have no order and whose atoms have no charge or chirality."""
    from rdkit import Chem

    copy = Chem.RWMol(molecule)
    for atom in copy.GetAtoms():
        atom.SetIsAromatic(False)
        atom.SetFormalCharge(0)
        atom.SetNoImplicit(True)
        atom.SetChiralTag(Chem.ChiralType.CHI_UNSPECIFIED)
    for bond in copy.GetBonds():
        bond.SetIsAromatic(False)
        bond.SetBondType(Chem.BondType.ZERO)  # has no valence to exceed
        bond.SetStereo(Chem.BondStereo.STEREONONE)
        bond.SetBondDir(Chem.BondDir.NONE)
    plain = copy.GetMol()
    plain.UpdatePropertyCache(strict=False)
    Chem.FastFindRings(plain)
    return plain


def constitution_smiles(molecule: Any) -> str:
    """Return a text that two molecules share if and only if their constitution is the same."""
    from rdkit import Chem

    return str(Chem.MolToSmiles(constitution(molecule), isomericSmiles=False))


def equivalent_atoms(molecule: Any) -> list[int]:
    """Return for each atom the index of the first atom that is equivalent to it."""
    from rdkit import Chem

    ranks = list(Chem.CanonicalRankAtoms(constitution(molecule), breakTies=False, includeChirality=False))
    return [ranks.index(rank) for rank in ranks]


def rooted_smarts(molecule: Any, atom: int) -> str:
    """Return a SMARTS of the whole molecule whose first atom matches the atoms equivalent to `atom`, and no others.

    Hydrogens stand as counts on their neighbours, so that a match does not have to permute them.
    """
    from rdkit import Chem

    plain = constitution(molecule)
    atoms = list(plain.GetAtoms())
    symbols = [
        "[#1]" if one.GetAtomicNum() == 1 else
        f"[#{one.GetAtomicNum()};D{one.GetDegree()};H{one.GetTotalNumHs(includeNeighbors=True)}]"
        for one in atoms
    ]  # fmt: skip
    used = {one.GetIdx() for one in atoms if one.GetAtomicNum() != 1} | {atom}
    return str(
        Chem.MolFragmentToSmiles(
            plain,
            atomsToUse=sorted(used),
            atomSymbols=symbols,
            bondSymbols=["~"] * plain.GetNumBonds(),
            rootedAtAtom=atom,
            isomericSmiles=False,
        )
    )
