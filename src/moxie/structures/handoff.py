"""A finished structure for other programs: CIF, LAMMPS data and VASP input.

All files hold the structure's atoms at the same places in an orthogonal cell. Along a direction that is not periodic
the cell is the structure's extent and 20 A of vacuum, half of it on each side. The POSCAR also has a hydrogen, 1.48 A
away, in the direction of each missing bond of a frozen Si at the slab's back, so that no dangling bonds are left there
(none for an atom with fewer than two bonds). Frozen atoms are fixed by selective dynamics in VASP and have an atom type
of their own in LAMMPS. POTCAR.spec lists the elements in the order of the POSCAR; no pseudopotentials are included.
"""

import math
from pathlib import Path
from typing import Any

import numpy as np

from moxie.io import write_text
from moxie.structures.network import COORDINATION, MASS_AMU, Network

VACUUM_A = 20.0
SI_H_LENGTH_A = 1.48
FILES = ("film.cif", "film.lammps", "POSCAR", "INCAR", "KPOINTS", "POTCAR.spec")
K_SPACING_PER_A = 0.3  # largest distance of k points along a periodic direction


def write_handoff(network: Network, folder: str | Path, title: str) -> None:
    """Write FILES into a folder, each whole or not at all; `title` (one line) names the structure in them."""
    for name, text in handoff_texts(network, title).items():
        write_text(Path(folder) / name, text)


def handoff_texts(network: Network, title: str) -> dict[str, str]:
    """Return the text of each of FILES by its name."""
    from pymatgen.core import Lattice, Structure
    from pymatgen.io.cif import CifWriter
    from pymatgen.io.vasp import Incar, Kpoints

    positions, cell = placed(network)
    structure = Structure(
        Lattice.orthorhombic(*cell.tolist()), network.species.tolist(), positions, coords_are_cartesian=True
    )
    poscar_text, elements = poscar(network, title)
    along_x, along_y, along_z = (
        max(1, math.ceil(2 * math.pi / (edge * K_SPACING_PER_A))) if periodic else 1
        for edge, periodic in zip(network.cell.tolist(), network.periodic.tolist(), strict=True)
    )
    return {
        "film.cif": f"# {title}\n{CifWriter(structure, significant_figures=10)}",
        "film.lammps": lammps_data(network, title),
        "POSCAR": poscar_text,
        "INCAR": Incar(_incar(title, network)).get_str(),
        "KPOINTS": str(Kpoints.gamma_automatic((along_x, along_y, along_z))),
        "POTCAR.spec": "\n".join(elements) + "\n",
    }


def placed(network: Network) -> tuple[np.ndarray, np.ndarray]:
    """Return positions (n, 3) inside the hand-off's cell and its edges (3,), both in A."""
    positions, cell = network.positions.copy(), network.cell.copy()
    for axis in range(3):
        if network.periodic[axis]:
            positions[:, axis] %= cell[axis]
            positions[positions[:, axis] >= cell[axis], axis] = 0.0
        else:
            positions[:, axis] += 0.5 * VACUUM_A - positions[:, axis].min()
            cell[axis] = positions[:, axis].max() + 0.5 * VACUUM_A
    return positions, cell


def back_side_hydrogens(network: Network, positions: np.ndarray) -> np.ndarray:
    """Return the places (k, 3) in A of the hydrogens that complete the bonds of frozen Si; positions: see `placed`."""
    places = []
    for atom, neighbours in enumerate(network.neighbours()):
        missing = COORDINATION["Si"] - len(neighbours)
        if network.species[atom] != "Si" or not network.frozen[atom] or missing not in (1, 2):
            continue
        vectors = network.vectors(np.full(len(neighbours), atom), np.array(neighbours))
        units = vectors / np.linalg.norm(vectors, axis=1)[:, None]
        away = -units.sum(axis=0)
        directions = [away / np.linalg.norm(away)]
        if missing == 2:
            sideways = np.cross(*units)
            tilt = 0.5 * math.acos(-1 / 3)
            directions = [
                math.cos(tilt) * directions[0] + sign * math.sin(tilt) * sideways / np.linalg.norm(sideways)
                for sign in (1, -1)
            ]
        places += [positions[atom] + SI_H_LENGTH_A * direction for direction in directions]
    return np.array(places).reshape(-1, 3)


def poscar(network: Network, title: str) -> tuple[str, list[str]]:
    """Return the POSCAR (direct coordinates, one element after the other) and its elements in their order.

    Written here because pymatgen's writer takes time quadratic in the number of atoms with selective dynamics.
    """
    positions, cell = placed(network)
    hydrogens = back_side_hydrogens(network, positions)
    groups = [(name, positions[network.species == name], network.frozen[network.species == name]) for name in MASS_AMU]
    groups.append(("H", hydrogens, np.zeros(len(hydrogens), bool)))
    groups = [group for group in groups if len(group[1])]
    selective = bool(network.frozen.any())
    lines = [title, "1.0"]
    lines += [" ".join(f"{edge:.12f}" for edge in row) for row in np.diag(cell).tolist()]
    lines += [" ".join(name for name, *_ in groups), " ".join(str(len(places)) for _, places, _ in groups)]
    lines += ["Selective dynamics"] * selective + ["Direct"]
    for _, places, frozen in groups:
        for (x, y, z), fixed in zip((places / cell).tolist(), frozen.tolist(), strict=True):
            lines.append(f"{x:.14f} {y:.14f} {z:.14f}" + (" F F F" if fixed else " T T T") * selective)
    return "\n".join(lines) + "\n", [name for name, *_ in groups]


def lammps_data(network: Network, title: str) -> str:
    """Return the structure as a LAMMPS data file, `atom_style bond`, `units metal`, all atoms in molecule 1.

    Atom types: 1 Si, 2 O, and 3 frozen Si where there are any. Bond types: 1 Si-Si, 2 Si-O.
    """
    positions, cell = placed(network)
    held = network.frozen & (network.species == "Si")
    types = np.where(held, 3, np.where(network.species == "O", 2, 1))
    names = ["Si", "O", "Si frozen"][: 3 if held.any() else 2]
    boundary = " ".join("p" if periodic else "f" for periodic in network.periodic)
    bonds = network.bonds
    bond_types = np.where((network.species[bonds] == "Si").all(axis=1), 1, 2)
    lines = [
        f"{title}; atom_style bond, units metal, boundary {boundary}",
        "",
        f"{len(positions)} atoms",
        f"{len(bonds)} bonds",
        f"{len(names)} atom types",
        "2 bond types",
        "",
        *(f"0.0 {edge!r} {axis}lo {axis}hi" for axis, edge in zip("xyz", cell.tolist(), strict=True)),
        "",
        "Masses",
        "",
        *(f"{number} {MASS_AMU[name.split()[0]]} # {name}" for number, name in enumerate(names, start=1)),
        "",
        "Atoms # bond",
        "",
        *(
            f"{number} 1 {kind} {x!r} {y!r} {z!r}"
            for number, (kind, (x, y, z)) in enumerate(zip(types.tolist(), positions.tolist(), strict=True), start=1)
        ),
        "",
        "Bonds",
        "",
        *(
            f"{number} {kind} {i + 1} {j + 1}"
            for number, (kind, (i, j)) in enumerate(zip(bond_types.tolist(), bonds.tolist(), strict=True), start=1)
        ),
    ]
    return "\n".join(lines) + "\n"


def _incar(title: str, network: Network) -> dict[str, Any]:
    """Return the settings of a relaxation of the atoms in the fixed cell (PBE, as the pseudopotentials decide)."""
    settings: dict[str, Any] = {
        "SYSTEM": title,
        "PREC": "Accurate",
        "ENCUT": 520,
        "EDIFF": 1e-5,
        "ISMEAR": 0,
        "SIGMA": 0.05,
        "LREAL": "Auto",
        "IBRION": 2,
        "ISIF": 2,
        "NSW": 200,
        "EDIFFG": -0.02,
    }
    if not network.periodic[2]:
        settings |= {"LDIPOL": True, "IDIPOL": 3}
    return settings
