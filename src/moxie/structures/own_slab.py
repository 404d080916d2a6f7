"""A user's own slab as the start of the films: read from any file, checked, and made what a cut slab is.

A crystal of Si alone has its dangling bonds closed by O (`moxie.structures.dangling_bonds`); H is removed first. How
many of both is among the facts of the slab.

A file as moxie writes it holds its bonds. Without them two atoms are bonded when nearer than 1.15 (Si-Si) or 1.3 (Si-O)
times the field's bond length; pairs between that and 1.28 or 1.5 times the length are ambiguous, and refused. Two Si
that share an O are not bonded. (In grown films the longest Si-Si bond is 2.55 A and the next Si 3.1 A away, or 2.6 A if
they share an O; the longest Si-O bond is 1.67 A, on a bare Si(001) 1.93 A, and the next O 2.6 A away.)
"""

import math
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from moxie.errors import InputError
from moxie.structures.back_side import FACT, find_back_oxygens
from moxie.structures.dangling_bonds import close_dangling_bonds
from moxie.structures.network import Network, make_network, nearest_image, read_network, xyz_frames, xyz_lines
from moxie.structures.silicon import NARROWEST_A
from moxie.structures.slab_files import free_along_z, read_atoms, without_hydrogen

BONDED, NOT_BONDED = (1.15, 1.30), (1.28, 1.50)  # Si-Si, Si-O, in bond lengths
LARGEST_STRAIN = 0.02
VACUUM_A = 10.0
_FROZEN_BONDS = 4 / math.sqrt(3) - 0.2  # depth of four planes of (100), in bond lengths, above a back closed by H
# means of cos^4 and cos^6 of the angles between the crystal's bonds and the normal: the same for every turn about the
# normal. Those of cos^4 alone would take (211) and (331) for (110).
_BONDS_TO_NORMAL = {"100": (1 / 9, 1 / 27), "110": (2 / 9, 4 / 27), "111": (7 / 27, 61 / 243)}
_SAME = 0.015
_OWN_COLUMNS = "Properties=species:S:1:pos:R:3:frozen:L:1"


def own_slab(
    path: str | Path,
    orientation: str,
    free_back: bool,
    lattice_constant_A: float,
    si_o_length_A: float,
) -> Network:
    """Return the structure of a file as a slab to oxidise, its lowest atom at height 0; z points out of its front.

    The facts are those of a cut slab, `removed_hydrogen` and `closed_with_oxygen` where there was any, and
    `lateral_strain`, along x and y, of the crystal against the field's lattice.
    Raises InputError, naming the file, for a structure that is no sound network (`moxie.structures.network.validate`),
    for ambiguous bonds, a cell that is not periodic in the plane alone, is narrower than 9 A or has less than 10 A of
    vacuum, for a back that is not frozen or has O (with `free_back`: is frozen, or not closed by O), for a crystal that
    is missing, of another orientation, or laterally strained by more than 2 %.
    """
    try:
        changed = Path(path).stat().st_mtime_ns
    except OSError as error:
        raise InputError(f"The structure {path} cannot be read ({error.strerror}).") from None
    return _own_slab(str(path), changed, orientation, free_back, lattice_constant_A, si_o_length_A)


@lru_cache
def _own_slab(
    path: str, changed: int, orientation: str, free_back: bool, lattice_constant_A: float, si_o_length_A: float
) -> Network:
    label = f"The structure {path}"
    bond_A = lattice_constant_A * math.sqrt(3) / 4
    network = read_network(path) if _is_own(path) else _read_others(path, label, (bond_A, si_o_length_A), free_back)
    _check_not_wrapped(network.positions[:, 2], network.cell[2], label)
    _check_cell(network, label)
    _check_back(network, free_back, label)
    strain = _check_crystal(network, orientation, bond_A, label)
    info: dict[str, Any] = {
        **{key: network.info[key] for key in ("removed_hydrogen", "closed_with_oxygen") if key in network.info},
        "structure": Path(path).name,
        "orientation": orientation,
        "lattice_constant_A": lattice_constant_A,
        "lateral_strain": [round(float(value), 6) for value in strain],
    }
    if free_back:
        info[FACT] = find_back_oxygens(network, label).tolist()
    lowest = float(network.positions[:, 2].min())
    return replace(network, positions=network.positions - [0, 0, lowest], info=info, arrays={})


def _is_own(path: str) -> bool:
    """Return whether the file has the bonds and the columns of those that moxie writes."""
    try:
        with open(path, encoding="utf-8") as file:
            next(file, "")
            comment = next(file, "")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"The structure {path} cannot be read as text ({error}).") from None
    return "bonds=" in comment and _OWN_COLUMNS in comment


def _read_others(path: str, label: str, bond_lengths_A: tuple[float, float], free_back: bool) -> Network:
    """Return the network of any file that ASE reads: its bonds by distance, where a comment line lists none; without H;
    with its dangling bonds closed, where it is of Si alone."""
    if Path(path).suffix in (".xyz", ".extxyz"):
        xyz_frames(path, xyz_lines(path))  # the reader goes on for as many lines as are announced, beyond the end
    atoms = free_along_z(read_atoms(path, label))
    cell = np.array(atoms.cell)
    if np.abs(cell - np.diag(np.diag(cell))).max() > 1e-6:
        raise InputError(f"{label}: the cell must be orthogonal, with its edges along x, y and z; it is\n{cell}.")
    _check_not_wrapped(atoms.positions[:, 2], cell[2, 2], label)
    frozen = _frozen_atoms(atoms, label)
    depth_A = -1.0 if free_back else _FROZEN_BONDS * bond_lengths_A[0]
    atoms, frozen, n_hydrogen = without_hydrogen(atoms, frozen, depth_A, label)
    if not free_back and not frozen.any():  # else the first word would be of bonds that the back lacks
        _refuse_unmarked(sorted(set(atoms.arrays) - {"numbers", "positions"}), label)
    species = np.array(atoms.get_chemical_symbols(), dtype="<U2")
    whole = make_network(  # frozen throughout, so that everything but bonds is checked first
        atoms.positions, species, [], np.diag(cell), atoms.pbc, np.ones(len(atoms), bool), label=label
    )
    if "bonds" in atoms.info:
        bonds = _listed_bonds(atoms.info["bonds"], label)
    else:
        bonds = bonds_by_distance(whole, bond_lengths_A, label)
    if "O" in species:
        return make_network(whole.positions, species, bonds, whole.cell, whole.periodic, frozen, label=label)
    bare = replace(whole, bonds=bonds, frozen=frozen, info={"removed_hydrogen": n_hydrogen} if n_hydrogen else {})
    return close_dangling_bonds(bare, bond_lengths_A, label)


def _frozen_atoms(atoms: Any, label: str) -> np.ndarray:
    """Return the atoms that a column `frozen` or ASE's FixAtoms marks, (n,) bool."""
    from ase.constraints import FixAtoms

    if "frozen" in atoms.arrays:
        column = np.array(atoms.arrays["frozen"])
        if column.shape != (len(atoms),) or column.dtype.kind not in "bi":
            raise InputError(
                f"{label}: the column `frozen` does not hold one T or F for each atom. Announce it as frozen:L:1 in "
                "Properties."
            )
        return column.astype(bool)
    frozen = np.zeros(len(atoms), bool)
    for constraint in atoms.constraints:
        if not isinstance(constraint, FixAtoms):
            raise InputError(
                f"{label}: it holds the constraint {type(constraint).__name__}; atoms are frozen along all axes or "
                "none. Use FixAtoms, or a column `frozen` (frozen:L:1, T or F)."
            )
        frozen[constraint.get_indices()] = True
    return frozen


def _listed_bonds(listed: Any, label: str) -> np.ndarray:
    """Return the pairs (m, 2) of atom numbers of the comment line."""
    numbers = np.ravel(listed)
    if numbers.dtype.kind != "i" or numbers.size % 2:
        raise InputError(f'{label}: the comment line must list bonds as pairs of atoms from 0: bonds="0 1 0 2 ...".')
    return numbers.reshape(-1, 2)


def bonds_by_distance(network: Network, bond_lengths_A: tuple[float, float], label: str) -> np.ndarray:
    """Return the bonds (m, 2) that the distances tell; the network's own are not looked at.

    bond_lengths_A: of Si-Si and Si-O. Raises InputError for a pair of which the distance does not tell.
    """
    oxygen = network.species == "O"
    near, far = (np.array(bond_lengths_A) * limits for limits in (BONDED, NOT_BONDED))
    pairs = network.tree().query_pairs(far.max(), output_type="ndarray")
    n_oxygen = oxygen[pairs].sum(axis=1)
    kind = (n_oxygen == 1).astype(int)
    distance = np.linalg.norm(network.vectors(*pairs.T), axis=1)
    mixed = pairs[(n_oxygen == 1) & (distance < near[1])]
    silicon_of: dict[int, set[int]] = {}
    for i, j in mixed.tolist():
        of, silicon = (i, j) if oxygen[i] else (j, i)
        silicon_of.setdefault(of, set()).add(silicon)
    bridged = {(i, j) for ends in silicon_of.values() for i in ends for j in ends if i < j}
    apart = np.array([tuple(sorted(pair)) not in bridged for pair in pairs.tolist()], bool)
    possible = (n_oxygen == 1) | ((n_oxygen == 0) & apart)
    doubtful = np.flatnonzero(possible & (distance >= near[kind]) & (distance < far[kind]))
    if len(doubtful):
        i, j = pairs[doubtful[0]].tolist()
        raise InputError(
            f"{label} has no bonds, and the distance of atoms {i} ({network.species[i]}) and {j} "
            f"({network.species[j]}), {distance[doubtful[0]]:.2f} A, does not tell whether they are "
            'bonded. Relax the structure, or list the bonds in the comment line: bonds="0 1 0 2 ...", pairs of atoms '
            "from 0."
        )
    return np.sort(pairs[possible & (distance < near[kind])], axis=1)


def _check_cell(network: Network, label: str) -> None:
    if network.periodic.tolist() != [True, True, False]:
        found = " ".join("T" if flag else "F" for flag in network.periodic)
        raise InputError(
            f"{label}: pbc is {found}; a slab is periodic in its plane and free along z, the normal of its front: "
            'pbc="T T F".'
        )
    for axis, edge in zip("xy", network.cell[:2].tolist(), strict=True):
        if edge < NARROWEST_A:
            raise InputError(f"{label}: the cell is {edge:.2f} A along {axis}; at least {NARROWEST_A:g} A are needed.")
    vacuum = vacuum_of(network)
    if vacuum < VACUUM_A:
        raise InputError(
            f"{label}: the cell is {network.cell[2]:.2f} A along z and the atoms take "
            f"{network.cell[2] - vacuum:.2f} A; at least {VACUUM_A:g} A of vacuum are needed. Make the cell higher."
        )


def _check_not_wrapped(heights_A: np.ndarray, edge_A: float, label: str) -> None:
    """Raise InputError for a slab that leaves the cell at one end of z and comes in again at the other."""
    if not edge_A > 0 or edge_A - np.ptp(heights_A) >= VACUUM_A:
        return
    inside = np.sort(heights_A % edge_A)
    gaps = np.diff(inside, append=inside[0] + edge_A)
    if gaps.max() >= VACUUM_A and gaps.argmax() < len(gaps) - 1:
        lower, upper = inside[gaps.argmax()], inside[gaps.argmax() + 1]
        raise InputError(
            f"{label} is wrapped along z: its atoms lie below {lower:.2f} A and above {upper:.2f} A, with the vacuum in"
            f" between. Shift it so that the slab is in one piece: z -> (z - {upper - VACUUM_A / 2:.2f} A) modulo"
            f" {edge_A:.2f} A."
        )


def vacuum_of(network: Network) -> float:
    """Return the height of the cell that the atoms leave, in A."""
    return float(network.cell[2] - np.ptp(network.positions[:, 2]))


def _check_back(network: Network, free_back: bool, label: str) -> None:
    frozen, heights = network.frozen, network.positions[:, 2]
    if free_back and frozen.any():
        raise InputError(
            f"{label}: {frozen.sum()} atoms are frozen, but `frozen_layers: 0` asks for a free back. Set frozen_layers "
            "to 1 or more, or mark no atom as frozen."
        )
    if not free_back and not frozen.any():
        _refuse_unmarked([], label)
    if (network.species[frozen] == "O").any():
        atom = int(np.flatnonzero(frozen & (network.species == "O"))[0])
        raise InputError(f"{label}: atom {atom} is a frozen O; only the crystal at the back can be frozen.")
    if frozen.any() and (frozen.all() or heights[frozen].max() > np.median(heights[~frozen])):
        raise InputError(
            f"{label}: frozen atoms reach up to {heights[frozen].max():.1f} A, into the upper half of the others or "
            "above; only the back, the lower end along z, can be frozen."
        )
    below = np.flatnonzero((network.species == "O") & (heights < heights[frozen].max(initial=-np.inf)))
    if len(below):
        raise InputError(
            f"{label}: {len(below)} O lie below the highest frozen atom, atom {below[0]} for one; they would count as "
            "the film's. Remove the O of a frozen back, or mark no atom as frozen and ask for a free back by "
            "`frozen_layers: 0`."
        )


def _refuse_unmarked(columns: list[str], label: str) -> None:
    others = f" (its columns {', '.join(columns)} are not taken for that)" if columns else ""
    raise InputError(
        f"{label}: no atom is marked as frozen{others}. Mark the atoms of the back in a column `frozen` (frozen:L:1, T "
        "or F) or by ASE's FixAtoms, or ask for a free back by `frozen_layers: 0`."
    )


def face_of(vectors: np.ndarray) -> str | None:
    """Return the face (100, 110 or 111) normal to z of the crystal with bonds along `vectors`, (m, 3); None for any
    other."""
    cos2 = vectors[:, 2] ** 2 / (vectors**2).sum(axis=1)
    found = np.array([(cos2**2).mean(), (cos2**3).mean()])
    off = {name: float(np.abs(found - means).max()) for name, means in _BONDS_TO_NORMAL.items()}
    likely = min(off, key=off.__getitem__)
    return likely if off[likely] <= _SAME else None


def _check_crystal(network: Network, orientation: str, bond_A: float, label: str) -> np.ndarray:
    """Return the lateral strain (2,) of the crystal."""
    silicon = np.flatnonzero((network.oxidation_states() == 0) & (network.coordination() == 4))
    lattice_constant_A = 4 * bond_A / math.sqrt(3)
    wanted = math.ceil(8 / lattice_constant_A**3 * network.area_A2 * bond_A)  # somewhat less than two planes
    if len(silicon) < wanted:
        raise InputError(
            f"{label}: {len(silicon)} Si have four Si neighbours; at least {wanted} are needed, a crystal to oxidise."
        )
    bonds = network.bonds[np.isin(network.bonds, silicon).any(axis=1)]
    i, j = np.vstack([bonds[np.isin(bonds[:, 0], silicon)], bonds[np.isin(bonds[:, 1], silicon)][:, ::-1]]).T
    vectors = nearest_image(network.positions[j] - network.positions[i], network.cell, network.periodic)
    squares = vectors**2
    likely = face_of(vectors)
    if likely is None:
        raise InputError(
            f"{label}: the Si-Si bonds are not those of a crystal with a (100), (110) or (111) face along z."
        )
    if likely != orientation:
        raise InputError(
            f"{label}: its crystal has a ({likely}) face along z, but `oxidation.orientations` names {orientation}."
        )
    # over an atom's four bonds x^2 and y^2 sum to 4/3 b^2 however the crystal is turned
    sums = np.stack([np.bincount(i, squares[:, axis])[silicon] for axis in (0, 1)], axis=1)
    strain = np.median(np.sqrt(0.75 * sums) / bond_A - 1, axis=0)
    if np.abs(strain).max() > LARGEST_STRAIN:
        fitting = network.cell[:2] / (1 + strain)
        raise InputError(
            f"{label}: the crystal is strained by {100 * strain[0]:+.2f} % along x and {100 * strain[1]:+.2f} % along "
            f"y against the field's lattice constant of {lattice_constant_A:.3f} A; at most "
            f"{100 * LARGEST_STRAIN:g} % are allowed. Scale the structure to a cell of {fitting[0]:.2f} x "
            f"{fitting[1]:.2f} A."
        )
    return strain
