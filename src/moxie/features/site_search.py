"""Which sites of a box are what, by chemistry and never by name: SMARTS patterns and formal charges."""

from typing import Any

import numpy as np

from moxie.errors import InputError
from moxie.structures.molecules import formal_charge, parse_smiles

_PATTERNS = {
    "hydroxyl_oxygen": "[OX2;H1,H2;+0]",
    "water_oxygen": "[OX2H2;+0]",
}


def find_sites(components: list[dict[str, Any]], role: str, only: str | None = None) -> np.ndarray:
    """Return the indices of the sites of one role in a whole box, shape (n,).

    `only` names the one component to look at. Roles: hydroxyl_oxygen, water_oxygen, cation (the centre of
    charge of each cation), anion (the atoms by which anions coordinate: their O, else their outer halogens, N or S, or
    the ion itself), solvent (those by which neutral molecules but water do: the O at their ends, else their O or N),
    centre (one atom of each molecule, see `central_atom`).
    `components` is the list in run.json: name, smiles, count and site_atoms, the atom behind each site.
    """
    found: list[np.ndarray] = []
    first = 0
    for component in components:
        wanted = only is None or component["name"] == only
        atoms = _atoms_of_role(component["smiles"], component["name"], role) if wanted else set()
        sites = [site for site, atom in enumerate(component["site_atoms"]) if atom in atoms]
        width, count = len(component["site_atoms"]), component["count"]
        found.append((first + width * np.arange(count)[:, None] + np.array(sites, dtype=int)[None, :]).ravel())
        first += width * count
    return np.concatenate(found).astype(int)


def find_tuples(components: list[dict[str, Any]], smarts: str, only: str | None = None) -> np.ndarray:
    """Return the sites of every match of a SMARTS pattern in a whole box, shape (n, atoms of the pattern).

    `only` names the one component to look at. Matches with an atom that is no site of its own, such as a hydrogen in a
    united atom, are left out.
    """
    from rdkit import Chem

    pattern = Chem.MolFromSmarts(smarts)
    found: list[np.ndarray] = []
    first = 0
    for component in components:
        site_of = {atom: site for site, atom in enumerate(component["site_atoms"])}
        molecule = parse_smiles(component["smiles"], component["name"])
        wanted = only is None or component["name"] == only
        matches = molecule.GetSubstructMatches(pattern, maxMatches=10**6) if wanted else ()
        sites = [[site_of[atom] for atom in match] for match in matches if all(atom in site_of for atom in match)]
        width, count = len(component["site_atoms"]), component["count"]
        within = np.array(sites, dtype=int).reshape(1, -1, pattern.GetNumAtoms())
        found.append((first + width * np.arange(count)[:, None, None] + within).reshape(-1, pattern.GetNumAtoms()))
        first += width * count
    return np.concatenate(found)


def central_atom(molecule: Any) -> int:
    """Return the heavy atom with the fewest bonds to the heavy atom farthest from it; of several the one nearest to all
    others, and of these the first in the canonical order: C of CCl4, S of DMSO, the nitrile's C of acetonitrile."""
    from rdkit import Chem

    heavy = [atom.GetIdx() for atom in molecule.GetAtoms() if atom.GetAtomicNum() > 1] or [0]
    apart = Chem.GetDistanceMatrix(molecule)[np.ix_(heavy, heavy)]
    order = Chem.CanonicalRankAtoms(molecule)
    ranks = [(apart[k].max(), apart[k].sum(), order[atom]) for k, atom in enumerate(heavy)]
    return heavy[min(range(len(heavy)), key=ranks.__getitem__)]


def central_elements(components: list[dict[str, Any]]) -> set[str]:
    """Return the elements of the central atoms of a box's molecules."""
    molecules = [parse_smiles(component["smiles"], component["name"]) for component in components]
    return {molecule.GetAtomWithIdx(central_atom(molecule)).GetSymbol() for molecule in molecules}


def molecule_of_sites(components: list[dict[str, Any]]) -> np.ndarray:
    """Return the number of the molecule that each site belongs to, shape (n_sites,)."""
    sizes = np.concatenate([np.full(row["count"], len(row["site_atoms"])) for row in components])
    return np.repeat(np.arange(len(sizes)), sizes)


def _atoms_of_role(smiles: str, name: str, role: str) -> set[int]:
    from rdkit import Chem

    molecule = parse_smiles(smiles, name)
    if role in _PATTERNS:
        pattern = Chem.MolFromSmarts(_PATTERNS[role])
        return {match[0] for match in molecule.GetSubstructMatches(pattern, maxMatches=10**6)}
    if role == "centre":
        return {central_atom(molecule)}
    charge = formal_charge(molecule)
    if role == "cation":
        return _charge_centres(molecule) if charge > 0 else set()
    if role == "anion":
        return _coordinating(molecule) if charge < 0 else set()
    if role == "solvent":
        return _donors(molecule) if charge == 0 else set()
    raise InputError(f"Unknown role {role!r}; allowed are cation, anion, solvent, centre, {', '.join(_PATTERNS)}.")


def _donors(molecule: Any) -> set[int]:
    """Return the atoms by which a neutral molecule coordinates: of a carbonate the O at the end, of an ether all O."""
    from rdkit import Chem

    if molecule.HasSubstructMatch(Chem.MolFromSmarts(_PATTERNS["water_oxygen"])):
        return set()  # it has a role of its own
    for element in ("O", "N"):
        found = {atom.GetIdx() for atom in molecule.GetAtoms() if atom.GetSymbol() == element}
        ends = {index for index in found if molecule.GetAtomWithIdx(index).GetDegree() == 1}
        if found:
            return ends or found
    return set()


def solvents(components: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the neutral components but water that can coordinate a cation."""
    return [row for row in components if _atoms_of_role(row["smiles"], row["name"], "solvent")]


def _charge_centres(molecule: Any) -> set[int]:
    """Return the charged atoms of a cation, or its central atom where conjugation shares the charge (imidazolium)."""
    charged = {atom.GetIdx() for atom in molecule.GetAtoms() if atom.GetFormalCharge() > 0}
    shared = any(bond.GetIsConjugated() for index in charged for bond in molecule.GetAtomWithIdx(index).GetBonds())
    return {central_atom(molecule)} if shared or not charged else charged


def _coordinating(molecule: Any) -> set[int]:
    for elements in (("O",), ("F", "Cl", "Br", "I"), ("N", "S", "P")):
        found = {atom.GetIdx() for atom in molecule.GetAtoms() if atom.GetSymbol() in elements}
        if found:
            return found
    return {central_atom(molecule)}


def ions(components: list[dict[str, Any]], sign: int) -> dict[str, str]:
    """Return what the cations (1) or anions (-1) are called, by component: the element, or the molecule's name."""
    found = {}
    for component in components:
        molecule = parse_smiles(component["smiles"], component["name"])
        if sign * formal_charge(molecule) > 0:
            single = molecule.GetNumAtoms() == 1
            found[component["name"]] = molecule.GetAtomWithIdx(0).GetSymbol() if single else component["name"]
    return found


def coordinating_label(component: dict[str, Any]) -> str:
    """Return what the coordinating atoms of an anion or a solvent are called: Cl, O(tfsi), O(ec)."""
    molecule = parse_smiles(component["smiles"], component["name"])
    atoms = _coordinating(molecule) if formal_charge(molecule) else _donors(molecule)
    elements = sorted({molecule.GetAtomWithIdx(index).GetSymbol() for index in atoms})
    return elements[0] if molecule.GetNumAtoms() == 1 else f"{','.join(elements)}({component['name']})"
