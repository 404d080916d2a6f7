"""Molecules from SMILES: parsing, the lowest-energy conformer, and SDF files.

The order of atoms is rdkit's: heavy atoms as they stand in the SMILES, then the hydrogens. Everything downstream
(boxes, force-field types, analysis) relies on that order, so all of it comes through `parse_smiles`.
"""

import re
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from moxie.errors import InputError
from moxie.io import replace_when_complete
from moxie.seeds import derive_seed

MOST_ATOMS = 1000
_SEED = 20261121

# van der Waals volumes of atoms in cubic angstrom: Zhao, Abraham and Zissimos, J. Org. Chem. 68, 7368 (2003), table 2
_ATOM_VOLUME_A3 = {
    "H": 7.24, "C": 20.58, "N": 15.60, "O": 14.71, "F": 13.31, "Cl": 22.45, "Br": 26.52, "I": 32.52,
    "P": 24.43, "S": 24.43, "Si": 38.79, "B": 40.48, "As": 26.52, "Se": 28.73, "Te": 36.62,
    "Li": 1.8, "Na": 4.4, "K": 11.0, "Mg": 1.6, "Ca": 4.2,
}  # fmt: skip  # the ions: 4/3 pi r^3 with Shannon's six-fold radii, rounded


def parse_smiles(smiles: str, name: str = "molecule") -> Any:
    """Return the rdkit molecule of a SMILES with every hydrogen explicit, without coordinates.

    Raises InputError for a SMILES that does not parse, is empty, or holds blanks, several fragments or atoms of no
    element, and for one of more than 1,000 atoms.
    """
    from rdkit import Chem

    molecule, complaint = _read_smiles(smiles)
    if complaint:
        raise InputError(f"molecules.{name}: {smiles!r} {complaint}")
    return Chem.Mol(molecule)


@lru_cache(maxsize=1024)
def _read_smiles(smiles: str) -> tuple[Any, str]:
    """Return the molecule, to be copied before it is changed, and what is wrong with its SMILES, if anything."""
    from rdkit import Chem, rdBase

    if not smiles.isprintable():
        return (
            None,
            "has a character that does not print. YAML makes one of \\n, \\N or \\t in double quotes: use single ones.",
        )
    if len(smiles.split()) > 1:  # rdkit would take what follows for a name
        return None, "has a blank, and a SMILES ends there. Leave it out."
    with rdBase.BlockLogs():
        molecule = Chem.MolFromSmiles(smiles) if smiles else None
    if molecule is None or molecule.GetNumAtoms() == 0:
        return None, (
            "is not a SMILES that rdkit can read (unbalanced brackets or rings, or a valence that it does not"
            " take, as that of ClF3). Write it anew, for example CCO for ethanol or [Li+] for a lithium ion."
        )
    if any(atom.GetAtomicNum() == 0 for atom in molecule.GetAtoms()):
        return None, "has a `*`, which is no element. Write the atom that is meant."
    if len(Chem.GetMolFrags(molecule)) > 1:
        parent = neutral_form(smiles)
        of_a_salt = f" The neutral parent of this one is {parent}." if parent else ""
        return None, (
            "holds several fragments (a salt or a mixture). Give one molecule or ion at a time; the composition of a"
            f" system mixes them.{of_a_salt}"
        )
    whole = Chem.AddHs(molecule)
    if whole.GetNumAtoms() > MOST_ATOMS:
        return None, (
            f"has {whole.GetNumAtoms()} atoms, hydrogens included; at most {MOST_ATOMS} are taken. Use a shorter chain"
            " or a fragment."
        )
    return whole, ""


def neutral_form(smiles: str) -> str:
    """Return the SMILES of the neutral parent of a salt or an ion, by rdkit's MolStandardize.

    Counter-ions and solvents are left out, and protons given back or taken. Empty where nothing neutral is left, as of
    a tetraalkylammonium ion or a metal's, or where the SMILES cannot be read.
    """
    from rdkit import Chem, rdBase
    from rdkit.Chem.MolStandardize import rdMolStandardize

    with rdBase.BlockLogs():
        molecule = Chem.MolFromSmiles(smiles) if smiles else None
        parent = None if molecule is None else rdMolStandardize.ChargeParent(molecule)
    if parent is None or Chem.GetFormalCharge(parent) or not any(a.GetAtomicNum() == 6 for a in parent.GetAtoms()):
        return ""
    return Chem.MolToSmiles(parent)


def embed(smiles: str, name: str = "molecule", seed: int = _SEED) -> Any:
    """Return the rdkit molecule with its lowest-energy conformer out of several.

    Conformers come from ETKDGv3 (Wang et al., J. Chem. Inf. Model. 60, 2044 (2020)) and are relaxed with MMFF94s, or
    UFF where MMFF94s lacks parameters; crowded centres, which neither knows, are spread over a sphere. A base seed
    gives one geometry for one molecule, however its SMILES is written. Raises InputError where nothing embeds within
    the limits, or nothing without overlapping atoms.
    """
    from rdkit import Chem
    from rdkit.Geometry import Point3D

    from moxie.structures.conformers import lowest_conformer_A

    molecule = parse_smiles(smiles, name)
    canonical, order = _in_canonical_order(smiles, molecule)
    derived = derive_seed(seed, "conformer", smiles=Chem.MolToSmiles(Chem.RemoveHs(canonical)))
    try:
        positions_A = lowest_conformer_A(canonical, derived)
    except InputError as error:
        raise InputError(f"molecules.{name}: {smiles!r} {error}") from None
    conformer = Chem.Conformer(molecule.GetNumAtoms())
    in_order = np.empty_like(positions_A)
    in_order[order] = positions_A
    for centre, ligands in octahedral_centres(molecule):
        in_order[ligands] = _trans_in_turn(in_order[ligands], in_order[centre])
    for atom, position in enumerate(np.round(in_order, 4).tolist()):  # as an SDF file holds it
        conformer.SetAtomPosition(atom, Point3D(*position))
    molecule.AddConformer(conformer, assignId=True)
    molecule.SetProp("_Name", name)
    return molecule


def octahedral_centres(molecule: Any) -> list[tuple[int, list[int]]]:
    """Return each atom with six ligands of one atom and one element each, with them in order (PF6-).

    In every geometry that `embed` makes, the first and second of them, the third and fourth, and the fifth and sixth
    are opposite each other.
    """
    found = []
    for atom in molecule.GetAtoms():
        ligands = sorted(other.GetIdx() for other in atom.GetNeighbors())
        kinds = {(other.GetAtomicNum(), other.GetDegree()) for other in atom.GetNeighbors()}
        if len(ligands) == 6 and len(kinds) == 1 and next(iter(kinds))[1] == 1:
            found.append((atom.GetIdx(), ligands))
    return found


def _trans_in_turn(ligands_A: np.ndarray, centre_A: np.ndarray) -> np.ndarray:
    """Return six equal ligands (6, 3) so that each two in turn are opposite each other."""
    arms = ligands_A - centre_A
    cosine = arms @ arms.T
    left, order = list(range(len(arms))), []
    while left:
        first = left.pop(0)
        order += [first, left.pop(int(np.argmin(cosine[first, left])))]
    return ligands_A[order]


def other_starts_A(smiles: str, molecule: Any, positions_A: np.ndarray) -> list[np.ndarray]:
    """Return more start geometries (n, 3) where no force field knows the arrangement around an atom; none elsewhere.

    They are the same however the SMILES of `molecule`, with all its hydrogens, is written.
    """
    from rdkit import Chem

    from moxie.structures import conformers

    canonical, order = _in_canonical_order(smiles, molecule)
    seed = derive_seed(_SEED, "other starts", smiles=Chem.MolToSmiles(Chem.RemoveHs(canonical)))
    starts = conformers.other_starts_A(canonical, positions_A[order], seed)
    return [start[np.argsort(order)] for start in starts]


def _in_canonical_order(smiles: str, molecule: Any) -> tuple[Any, list[int]]:
    """Return the molecule with the atoms of its canonical SMILES in order, and which of `molecule` each of them is."""
    from rdkit import Chem, rdBase

    bare = Chem.MolFromSmiles(smiles)
    text = Chem.MolToSmiles(bare)
    order = [int(word) for word in re.findall(r"\d+", bare.GetProp("_smilesAtomOutputOrder"))]
    with rdBase.BlockLogs():
        again = Chem.MolFromSmiles(text)
    if again is not None:
        canonical = Chem.AddHs(again)
        order += [hydrogen for atom in order for hydrogen in _added_hydrogens(molecule, atom, bare.GetNumAtoms())]
        elements = [molecule.GetAtomWithIdx(atom).GetAtomicNum() for atom in order]
        if elements == [atom.GetAtomicNum() for atom in canonical.GetAtoms()]:
            return canonical, order
    return Chem.Mol(molecule), list(range(molecule.GetNumAtoms()))


def _added_hydrogens(molecule: Any, atom: int, n_before: int) -> list[int]:
    neighbours = molecule.GetAtomWithIdx(atom).GetNeighbors()
    return sorted(other.GetIdx() for other in neighbours if other.GetIdx() >= n_before)


def write_sdf(molecule: Any, path: str | Path) -> None:
    """Write one molecule with its conformer; formal charges stay, the title is its name."""
    from rdkit import Chem

    with replace_when_complete(path) as partial:
        writer = Chem.SDWriter(str(partial))
        writer.write(molecule)
        writer.close()


def read_sdf(path: str | Path) -> Any:
    """Read a molecule that `write_sdf` wrote. Raises InputError naming the file when it is missing or damaged."""
    from rdkit import Chem

    if not Path(path).exists():
        raise InputError(f"{path} does not exist.")
    molecule = next(iter(Chem.SDMolSupplier(str(path), removeHs=False)), None)
    if molecule is None or molecule.GetNumConformers() != 1:
        raise InputError(f"{path} holds no molecule that rdkit can read. Delete it and run again to make it anew.")
    return molecule


def symbols(molecule: Any) -> list[str]:
    """Return the element symbol of every atom, in order."""
    return [atom.GetSymbol() for atom in molecule.GetAtoms()]


def coordinates_A(molecule: Any) -> np.ndarray:
    """Return the conformer's coordinates, shape (n_atoms, 3), in angstrom."""
    return np.asarray(molecule.GetConformer().GetPositions(), dtype=float)


def formal_charge(molecule: Any) -> int:
    """Return the sum of the formal charges."""
    return sum(atom.GetFormalCharge() for atom in molecule.GetAtoms())


def molar_mass_g_mol(smiles: str, name: str = "molecule") -> float:
    """Return the molar mass with natural isotopes, in g/mol."""
    return float(sum(atom.GetMass() for atom in parse_smiles(smiles, name).GetAtoms()))


def van_der_waals_volume_A3(smiles: str, name: str = "molecule") -> float:
    """Return the van der Waals volume from atoms, bonds and rings, in cubic angstrom.

    V = sum V(atom) - 5.92 N(bonds) - 14.7 N(aromatic rings) - 3.8 N(other rings): Zhao, Abraham and Zissimos, J. Org.
    Chem. 68, 7368 (2003), eq. 4. Elements outside their table count as carbon.
    """
    molecule = parse_smiles(smiles, name)
    volume = sum(_ATOM_VOLUME_A3.get(symbol, 20.58) for symbol in symbols(molecule))
    rings = molecule.GetRingInfo().BondRings()
    aromatic = sum(all(molecule.GetBondWithIdx(index).GetIsAromatic() for index in ring) for ring in rings)
    return volume - 5.92 * molecule.GetNumBonds() - 14.7 * aromatic - 3.8 * (len(rings) - aromatic)
