"""The spin multiplicity of a molecule from its SMILES, in accord with the number of its electrons.

Radicals on different atoms couple to high spin. An atom by itself has the multiplicity of Hund's first rule. Two
unpaired electrons on one atom of a molecule are a lone pair where chemistry has a singlet: in compounds of boron and
the heavier elements of its group and of carbon's (AlCl, SiCl2), and in carbenes beside an atom with lone pairs (CF2,
imidazolylidenes). A metal with an open d shell gets the lowest multiplicity that the electrons allow.
"""

from collections.abc import Mapping
from typing import Any

_D_GROUPS = {first + offset: 3 + offset for first in (21, 39) for offset in range(10)} | {
    72 + offset: 4 + offset for offset in range(9)
}
_PAIRED = frozenset((5, 13, 31, 49, 81, 14, 32, 50, 82))
_LONE_PAIRS = frozenset((7, 8, 9, 15, 16, 17, 34, 35, 53))
_SAME_EV = 0.1  # below it the method does not tell which of two states is lower
_F_BLOCK = range(57, 72)  # GFN keeps their f electrons in the core, which leaves three


def multiplicity(molecule: Any) -> tuple[int, str]:
    """Return 2S + 1 of an rdkit molecule with all its hydrogens, and what is to be said about it (or nothing)."""
    from rdkit.Chem import GetFormalCharge

    atoms = list(molecule.GetAtoms())
    electrons = sum(valence_parity(atom.GetAtomicNum()) for atom in atoms) - GetFormalCharge(molecule)
    if len(atoms) == 1:
        number, charge = atoms[0].GetAtomicNum(), atoms[0].GetFormalCharge()
        unpaired, remark = _of_an_atom(number, charge), ""
        if number in _D_GROUPS and charge:
            remark = "ion of a transition metal in its high-spin state"
    else:
        unpaired, remark = sum(_unpaired(atom) for atom in atoms), _open_shell(atoms)
    if (electrons - unpaired) % 2:
        unpaired = unpaired - 1 if unpaired else 1
        remark = remark or "the SMILES leaves a number of unpaired electrons that its electrons do not allow"
    return unpaired + 1, f"{remark}: multiplicity {unpaired + 1}" if remark else ""


def remark_on_gaps(multiplicity: int, gaps_eV: Mapping[int, float]) -> str:
    """Return a remark on another multiplicity that lies lower, or nothing; `gaps_eV` are of `xtb.spin_gaps_eV`."""
    lowest = min(gaps_eV, key=lambda other: gaps_eV[other], default=multiplicity)
    if gaps_eV.get(lowest, 0.0) > -_SAME_EV:
        return ""
    return (
        f"computed with multiplicity {multiplicity}, but {lowest} lies {-gaps_eV[lowest]:.1f} eV lower at this "
        "geometry (spin-polarised); a SMILES says its unpaired electrons by atoms in brackets: [O][O], not O=O"
    )


def valence_parity(number: int) -> int:
    """Return a number that is even or odd as the electrons are that GFN treats; closed cores hold an even number."""
    return 3 if number in _F_BLOCK else number


def _unpaired(atom: Any) -> int:
    number, unpaired = atom.GetAtomicNum(), atom.GetNumRadicalElectrons()
    if number in _D_GROUPS:
        return 0
    beside_lone_pair = any(other.GetAtomicNum() in _LONE_PAIRS for other in atom.GetNeighbors())
    paired = number in _PAIRED or (number == 6 and (beside_lone_pair or unpaired > 2))
    return unpaired % 2 if paired else unpaired


def _open_shell(atoms: list[Any]) -> str:
    for atom in atoms:
        if atom.GetAtomicNum() in _D_GROUPS:
            orders = (
                bond.GetBondTypeAsDouble()
                for bond in atom.GetBonds()
                if bond.GetOtherAtom(atom).GetAtomicNum() not in _D_GROUPS
            )
            oxidation = atom.GetFormalCharge() + sum(orders)
            d_electrons = _D_GROUPS[atom.GetAtomicNum()] - oxidation
            if 0 < d_electrons < 10:
                return f"{atom.GetSymbol()} has an open d shell ({d_electrons:g} electrons), in its low-spin state"
    return ""


def _of_an_atom(number: int, charge: int) -> int:
    """Return the unpaired electrons of an atom or ion by itself."""
    if number in _D_GROUPS and charge > 0:
        d_electrons = _D_GROUPS[number] - charge  # the s electrons go first
        return min(d_electrons, 10 - d_electrons) if 0 <= d_electrons <= 10 else 0
    if charge == 0:
        from ase.data import ground_state_magnetic_moments

        return round(float(ground_state_magnetic_moments[number])) if number < len(ground_state_magnetic_moments) else 0
    outer = number - charge - max(core for core in (0, 2, 10, 18, 28, 36, 46, 54, 78) if core <= number - charge)
    if outer <= 2:
        return outer % 2
    return min(outer - 2, 8 - outer) if outer <= 8 else 0
