"""Slabs from the files of other programs: any format that ASE reads, and what such files leave unsaid."""

from pathlib import Path
from typing import Any

import numpy as np

from moxie.errors import InputError

_LAMMPS = (".data", ".lmp", ".lammps", ".lammpsdata")
_EXTENDED_XYZ = (".xyz", ".extxyz")
_BOUND_A = 1.8  # a longer Si-H distance is no bond
_ROOM_A = 10.0  # of vacuum, from which on a periodic z is meant to be free


def read_atoms(path: str, label: str) -> Any:
    """Return the one frame of a file as ASE's Atoms; raises InputError for a file that ASE cannot read."""
    from ase.io import read

    try:
        frames = read(path, index=":", **_format(path))
    except Exception as error:  # the reader's own, of any kind
        known = "extended XYZ" if Path(path).suffix in _EXTENDED_XYZ else "a structure that ASE can read"
        raise InputError(f"{label} is not {known}: {str(error).strip() or type(error).__name__}") from None
    if len(frames) != 1:
        raise InputError(f"{label} holds {len(frames)} frames; one is needed.")
    return frames[0]


def _format(path: str) -> dict[str, Any]:
    name = Path(path)
    if name.suffix in _EXTENDED_XYZ:
        return {"format": "extxyz"}
    if name.suffix in _LAMMPS or name.name.startswith("data."):
        return {"format": "lammps-data", "atom_style": _atom_style(path)}
    return {}


def _atom_style(path: str) -> str:
    """Return the atom style that a LAMMPS data file names behind "Atoms #"; atomic where it names none."""
    for line in Path(path).read_text(encoding="utf-8").splitlines():
        if line.split("#")[0].strip() == "Atoms":
            return line.partition("#")[2].strip() or "atomic"
    return "atomic"


def free_along_z(atoms: Any) -> Any:
    """Return the atoms, in one piece and free along z where the cell leaves vacuum there: formats of crystals know no
    free direction, and fold the atoms back into the cell."""
    edge = float(np.array(atoms.cell)[2, 2])
    if not (atoms.pbc.all() and len(atoms) and edge > 0):
        return atoms
    inside = np.sort(atoms.positions[:, 2] % edge)
    gaps = np.diff(inside, append=inside[0] + edge)
    if gaps.max() < _ROOM_A:
        return atoms
    atoms = atoms.copy()
    atoms.pbc = [True, True, False]
    if np.ptp(atoms.positions[:, 2]) > edge - _ROOM_A:
        lowest = inside[(gaps.argmax() + 1) % len(inside)]
        atoms.positions[:, 2] = (atoms.positions[:, 2] - lowest + 0.5) % edge
    return atoms


def without_hydrogen(atoms: Any, frozen: np.ndarray, frozen_depth_A: float, label: str) -> tuple[Any, np.ndarray, int]:
    """Return atoms without H, which are frozen, and how many H there were.

    H on Si marks dangling bonds. Those at the back end there: where no atom is marked as frozen, the Si up to
    `frozen_depth_A` above the lowest become so (below zero: none). Those at the front are left open. Raises InputError
    for H on anything but one Si.
    """
    hydrogen = np.array(atoms.get_chemical_symbols()) == "H"
    if not hydrogen.any():
        return atoms, frozen, 0
    distances = atoms.get_all_distances(mic=True)[hydrogen]
    bound = distances < _BOUND_A
    bound[:, hydrogen] = False
    silicon = np.array(atoms.get_chemical_symbols()) == "Si"
    wrong = np.flatnonzero((bound.sum(axis=1) != 1) | bound[:, ~silicon].any(axis=1))
    if len(wrong):
        atom = int(np.flatnonzero(hydrogen)[wrong[0]])
        raise InputError(
            f"{label}: atom {atom} is an H that is not bound to one Si (nearer than {_BOUND_A:g} A); only H that closes"
            " dangling bonds of Si is understood. Remove the others."
        )
    heights = atoms.positions[:, 2]
    of_back = heights[hydrogen] < np.median(heights[silicon])
    if of_back.any() and not frozen.any():
        lowest = heights[silicon].min()
        frozen = silicon & (heights <= lowest + frozen_depth_A)
    kept = ~hydrogen
    return atoms[kept], frozen[kept], int(hydrogen.sum())
