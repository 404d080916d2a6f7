"""Molecules from SMILES: parsing, the lowest-energy conformer, and SDF files.

The order of atoms is rdkit's: heavy atoms as they stand in the SMILES, then the hydrogens. Everything downstream
(boxes, force-field types, analysis) relies on that order, so all of it comes through `parse_smiles`.
"""

from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from moxie.errors import InputError
from moxie.io import replace_when_complete

_SEED = 20261121
_LARGEST_CANDIDATES = 20

# van der Waals volumes of atoms in cubic angstrom: Zhao, Abraham and Zissimos, J. Org. Chem. 68, 7368 (2003), table 2
_ATOM_VOLUME_A3 = {
    "H": 7.24, "C": 20.58, "N": 15.60, "O": 14.71, "F": 13.31, "Cl": 22.45, "Br": 26.52, "I": 32.52,
    "P": 24.43, "S": 24.43, "Si": 38.79, "B": 40.48, "As": 26.52, "Se": 28.73, "Te": 36.62,
    "Li": 1.8, "Na": 4.4, "K": 11.0, "Mg": 1.6, "Ca": 4.2,
}  # fmt: skip  # the ions: 4/3 pi r^3 with Shannon's six-fold radii, rounded


def parse_smiles(smiles: str, name: str = "molecule") -> Any:
    """Return the rdkit molecule of a SMILES with every hydrogen explicit, without coordinates.

    Raises InputError for a SMILES that does not parse, is empty, or holds blanks, several fragments or atoms of no
    element.
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

    if len(smiles.split()) > 1:  # rdkit would take what follows for a name
        return None, "has a blank, and a SMILES ends there. Leave it out."
    with rdBase.BlockLogs():
        molecule = Chem.MolFromSmiles(smiles) if smiles else None
    if molecule is None or molecule.GetNumAtoms() == 0:
        return None, (
            "is not a SMILES that rdkit can read (unbalanced brackets or rings, or a valence that does not exist)."
            " Write it anew, for example CCO for ethanol or [Li+] for a lithium ion."
        )
    if any(atom.GetAtomicNum() == 0 for atom in molecule.GetAtoms()):
        return None, "has a `*`, which is no element. Write the atom that is meant."
    if len(Chem.GetMolFrags(molecule)) > 1:
        return None, (
            "holds several fragments (a salt or a mixture). Give one molecule or ion at a time; the composition of a"
            " system mixes them."
        )
    return Chem.AddHs(molecule), ""


def embed(smiles: str, name: str = "molecule", seed: int = _SEED) -> Any:
    """Return the rdkit molecule with its lowest-energy conformer out of several.

    Conformers come from ETKDGv3 (Wang et al., J. Chem. Inf. Model. 60, 2044 (2020)) and are relaxed with MMFF94s, or
    UFF where MMFF94s lacks parameters. One seed gives one geometry. Raises InputError where nothing embeds.
    """
    from rdkit import Chem
    from rdkit.Chem import rdDistGeom, rdMolDescriptors

    molecule = parse_smiles(smiles, name)
    if molecule.GetNumAtoms() == 1:
        conformer = Chem.Conformer(1)
        conformer.SetAtomPosition(0, (0.0, 0.0, 0.0))
        molecule.AddConformer(conformer, assignId=True)
        molecule.SetProp("_Name", name)
        return molecule
    candidates = min(_LARGEST_CANDIDATES, 3 + 3 * rdMolDescriptors.CalcNumRotatableBonds(molecule))
    settings: Any = rdDistGeom.ETKDGv3()
    settings.randomSeed = seed % 2**31
    settings.numThreads = 1
    identifiers = list(rdDistGeom.EmbedMultipleConfs(molecule, candidates, settings))
    if not identifiers:
        settings.useRandomCoords = True
        identifiers = list(rdDistGeom.EmbedMultipleConfs(molecule, candidates, settings))
    if not identifiers:
        raise InputError(
            f"molecules.{name}: rdkit finds no three-dimensional conformer of {smiles!r}. Check its stereochemistry"
            " and rings."
        )
    lowest = _lowest_conformer(molecule)
    conformer = Chem.Conformer(molecule.GetConformer(lowest))
    molecule.RemoveAllConformers()
    molecule.AddConformer(conformer, assignId=True)
    molecule.SetProp("_Name", name)
    if not np.isfinite(coordinates_A(molecule)).all():
        raise InputError(f"molecules.{name}: the conformer of {smiles!r} has coordinates that are not numbers.")
    return molecule


def _lowest_conformer(molecule: Any) -> int:
    from rdkit.Chem import rdForceFieldHelpers as fields

    if fields.MMFFHasAllMoleculeParams(molecule):
        results = fields.MMFFOptimizeMoleculeConfs(molecule, mmffVariant="MMFF94s", maxIters=1000, numThreads=1)
    elif fields.UFFHasAllMoleculeParams(molecule):
        results = fields.UFFOptimizeMoleculeConfs(molecule, maxIters=1000, numThreads=1)
    else:
        return molecule.GetConformers()[0].GetId()
    best = int(np.argmin([energy for _, energy in results]))
    return molecule.GetConformers()[best].GetId()


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
