"""Molecular geometries read from SDF files."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from moxie.errors import InputError


@dataclass(frozen=True)
class Geometry:
    """A molecule in space: `positions_A` has shape (n_atoms, 3); `multiplicity` is 2S + 1."""

    name: str
    symbols: tuple[str, ...]
    positions_A: np.ndarray
    charge: int
    multiplicity: int


def read_sdf(path: str | Path) -> Geometry:
    """Return the first molecule of an SDF file with all its hydrogens.

    The charge is the sum of the formal charges and the multiplicity counts unpaired electrons as high spin. Raises
    InputError if the file is missing, damaged, empty, a flat drawing, or has two atoms at one place.
    """
    from rdkit import Chem, rdBase

    if not Path(path).is_file():
        raise InputError(f"{path} does not exist.")
    with rdBase.BlockLogs():
        try:
            molecule = next(iter(Chem.SDMolSupplier(str(path), removeHs=False)), None)
        except OSError:
            molecule = None
    if molecule is None or molecule.GetNumAtoms() == 0 or molecule.GetNumConformers() == 0:
        raise InputError(f"{path} holds no molecule that can be read. Delete it and run again to make it anew.")
    positions = np.array(molecule.GetConformer().GetPositions(), dtype=float)
    if len(positions) > 1 and not molecule.GetConformer().Is3D():
        raise InputError(f"{path} is a flat drawing, not a geometry. Delete it and run again to make it anew.")
    if len(positions) > 1 and np.min(_distances(positions)) < 0.3:
        raise InputError(f"{path}: two atoms are closer than 0.3 angstrom. Delete it and run again to make it anew.")
    unpaired = sum(atom.GetNumRadicalElectrons() for atom in molecule.GetAtoms())
    name = molecule.GetProp("_Name") if molecule.HasProp("_Name") else Path(path).stem
    return Geometry(
        name=name or Path(path).stem,
        symbols=tuple(atom.GetSymbol() for atom in molecule.GetAtoms()),
        positions_A=positions,
        charge=Chem.GetFormalCharge(molecule),
        multiplicity=unpaired + 1,
    )


def write_xyz(path: str | Path, symbols: tuple[str, ...], positions_A: np.ndarray, comment: str) -> None:
    """Write a geometry as a plain XYZ file, whole or not at all."""
    from moxie.io import write_text

    lines = [str(len(symbols)), comment.replace("\n", " ")]
    lines += [f"{s:2s} {x:14.8f} {y:14.8f} {z:14.8f}" for s, (x, y, z) in zip(symbols, positions_A, strict=True)]
    write_text(path, "\n".join(lines) + "\n")


def _distances(positions: np.ndarray) -> np.ndarray:
    i, j = np.triu_indices(len(positions), k=1)
    return np.linalg.norm(positions[i] - positions[j], axis=1)
