"""From a molecule to interaction sites: SMARTS types, united atoms, and the bonded terms of the molecular graph."""

import itertools
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from moxie.dynamics.force_fields import ForceField, is_registered, load_force_field
from moxie.errors import InputError
from moxie.structures.molecules import formal_charge, octahedral_centres, parse_smiles

NO_ATOM = -1
NEUTRAL_E = 1e-9  # of one molecule; a thousand of them make 1e-6
_MOST_MATCHES = 10**6
_HYDROGEN_AMU = 1.008
_MASS_FACTOR = 2.5  # deuterium is meant to pass


@dataclass(frozen=True)
class VirtualSite:
    """A massless site at the weighted mean of other sites; it takes part in what its first parent is excluded from."""

    site: int
    parents: tuple[int, ...]
    weights: tuple[float, ...]


@dataclass(frozen=True)
class Sites:
    """The interaction sites of one molecule under one force field.

    `atoms[i]` is the atom of the all-atom molecule (order of `parse_smiles`) on which site i sits, or NO_ATOM for a
    virtual site, which come last; bonds, angles and torsions index sites. `rigid` molecules keep their angles too.
    """

    name: str
    smiles: str
    atoms: tuple[int, ...]
    types: tuple[str, ...]
    bonds: tuple[tuple[int, int], ...]
    angles: tuple[tuple[int, int, int], ...]
    torsions: tuple[tuple[int, int, int, int], ...]
    n_atoms: int
    impropers: tuple[tuple[int, int, int, int], ...] = ()  # the centre first
    virtual: tuple[VirtualSite, ...] = ()
    rigid: bool = False
    straight: tuple[tuple[int, int, int], ...] = ()  # angles between opposite ligands, which have no term

    def terms(self, kind: str) -> tuple[tuple[int, ...], ...]:
        """Return the terms of one kind: bond, angle, torsion or improper."""
        terms: dict[str, tuple[tuple[int, ...], ...]] = {
            "bond": self.bonds, "angle": self.angles, "torsion": self.torsions, "improper": self.impropers,
        }  # fmt: skip
        return terms[kind]

    def pairs_within_three_bonds(self) -> set[tuple[int, int]]:
        """Return the site pairs that are 1-2, 1-3 or 1-4 neighbours, each as (low, high)."""
        bent = [*self.angles, *self.straight]
        near = [*self.bonds, *((a, c) for a, _, c in bent), *((a, d) for a, _, _, d in self.torsions)]
        pairs = {(min(pair), max(pair)) for pair in near if pair[0] != pair[1]}
        for virtual in self.virtual:
            host = virtual.parents[0]
            shared = {sum(pair) - host for pair in pairs if host in pair}
            pairs |= {(min(virtual.site, other), max(virtual.site, other)) for other in {host, *shared}}
        return pairs


def check_parameters(force_field: str | Path, smiles: str, name: str = "molecule") -> Sites:
    """Return the sites of a molecule, or raise an InputError that names what the force field lacks.

    Needs rdkit only, so it can run while a configuration is read. The message names the force field, the molecule and
    the atoms or terms without parameters.
    """
    return _sites(load_force_field(force_field), smiles, name)


def check_hydrogen_mass(force_field: ForceField, sites: Sites, hydrogen_mass_amu: float) -> None:
    """Raise InputError where repartitioning would leave an atom lighter than its hydrogens."""
    kinds = [force_field.types[kind] for kind in sites.types]
    atoms = [(site, kind.element, kind.mass_amu) for site, kind in zip(sites.atoms, kinds, strict=True)]
    _check_hydrogen_mass(sites.name, atoms, list(sites.bonds), hydrogen_mass_amu)


def check_hydrogen_mass_of_atoms(smiles: str, name: str, hydrogen_mass_amu: float) -> None:
    """Do so for a molecule all of whose atoms are sites, before its parameters are made."""
    molecule = parse_smiles(smiles, name)
    atoms = [(atom.GetIdx(), atom.GetSymbol(), atom.GetMass()) for atom in molecule.GetAtoms()]
    bonds = [(bond.GetBeginAtomIdx(), bond.GetEndAtomIdx()) for bond in molecule.GetBonds()]
    _check_hydrogen_mass(name, atoms, bonds, hydrogen_mass_amu)


def _check_hydrogen_mass(
    name: str, atoms: list[tuple[int, str, float]], bonds: list[tuple[int, int]], hydrogen_mass_amu: float
) -> None:
    for (number, element, mass), others in zip(atoms, _neighbours(len(atoms), bonds), strict=True):
        masses = [atoms[other][2] for other in others if atoms[other][1] == "H"]
        together = mass + sum(masses)
        most = together / (len(masses) + 1)
        if masses and element != "H" and hydrogen_mass_amu > most:
            raise InputError(
                f"hydrogen_mass_amu is {hydrogen_mass_amu:g}: it would leave {element} (atom {number}) of {name}"
                f" {together - len(masses) * hydrogen_mass_amu:.2f} amu, less than its hydrogens. Use at most"
                f" {most:.2f}, or null."
            )


@lru_cache(maxsize=64)
def _cached(path: Path, smiles: str, name: str) -> Sites:
    return _assign(load_force_field(path), smiles, name)


def _sites(force_field: ForceField, smiles: str, name: str) -> Sites:
    return _cached(force_field.path, smiles, name)


def _assign(force_field: ForceField, smiles: str, name: str) -> Sites:
    molecule = parse_smiles(smiles, name)
    check_excluded(force_field, molecule, smiles, name)
    if force_field.is_template:
        raise InputError(
            f"The parameters of {force_field.name} are made for each molecule with {force_field.generator}. Give the"
            " path of the file that moxie.dynamics.gaff.parametrise writes."
        )
    types = _atom_types(force_field, molecule, smiles, name)
    atoms = tuple(sorted(types))
    index = {atom: site for site, atom in enumerate(atoms)}
    bonds = sorted(
        (min(pair), max(pair))
        for bond in molecule.GetBonds()
        if bond.GetBeginAtomIdx() in index and bond.GetEndAtomIdx() in index
        for pair in [(index[bond.GetBeginAtomIdx()], index[bond.GetEndAtomIdx()])]
    )
    angles, torsions = angles_and_torsions(len(atoms), bonds)
    straight = tuple(
        angle for angle in angles if _opposite(force_field, types[atoms[angle[0]]], types[atoms[angle[2]]])
    )
    virtual = _virtual_sites(force_field, molecule, index)
    sites = Sites(
        name, smiles, (*atoms, *(NO_ATOM for _ in virtual)),
        (*(types[atom] for atom in atoms), *(kind for kind, _ in virtual)), tuple(bonds),
        tuple(angle for angle in angles if angle not in straight), torsions,
        molecule.GetNumAtoms(), _impropers(force_field, types, atoms, bonds), tuple(site for _, site in virtual),
        force_field.rigid_water and molecule.HasSubstructMatch(_pattern("[OX2H2]", force_field, "water")), straight,
    )  # fmt: skip
    _check_terms(force_field, sites, molecule)
    _check_impropers(force_field, sites)
    _check_charge(force_field, sites, formal_charge(molecule))
    return sites


def _opposite(force_field: ForceField, first: str, last: str) -> bool:
    """Say whether two neighbours of an atom are opposite ligands of an octahedral centre, by their types."""
    return first == last and force_field.types[first].trans_pair > 0


def check_excluded(force_field: ForceField, molecule: object, smiles: str, name: str) -> None:
    """Raise InputError, with the reason, for isotopes and for a molecule that the file of a force field excludes."""
    isotopes = {f"{atom.GetIsotope()}{atom.GetSymbol()}" for atom in molecule.GetAtoms() if atom.GetIsotope()}  # type: ignore[attr-defined]
    if isotopes:
        raise InputError(
            f"{name} ({smiles}) has the isotope {', '.join(sorted(isotopes))}, and force fields have the masses of"
            " natural abundance. Leave it out of the SMILES."
        )
    for pattern, reason in force_field.excluded:
        if molecule.HasSubstructMatch(_pattern(pattern, force_field, "Excluded")):  # type: ignore[attr-defined]
            raise InputError(f"The force field {force_field.name} does not cover {name} ({smiles}): {reason}.")


def _atom_types(force_field: ForceField, molecule: object, smiles: str, name: str) -> dict[int, str]:
    candidates: dict[int, set[str]] = {}
    here = canonical_smiles(molecule)
    pairs = {
        ligand: 1 + place // 2 for _, ligands in octahedral_centres(molecule) for place, ligand in enumerate(ligands)
    }
    for atom_type in (kind for kind in force_field.types.values() if kind.smarts):
        if atom_type.molecules and here not in atom_type.molecules:
            continue
        pattern = _pattern(atom_type.smarts, force_field, atom_type.name)
        matches = molecule.GetSubstructMatches(pattern, uniquify=False, maxMatches=_MOST_MATCHES)  # type: ignore[attr-defined]
        if len(matches) == _MOST_MATCHES:
            raise InputError(
                f"{name} ({smiles}) has so many like branches that the pattern of the type {atom_type.name} of"
                f" {force_field.name} matches in more than {_MOST_MATCHES} ways. Use a smaller molecule."
            )
        for match in matches:
            if atom_type.trans_pair and pairs.get(match[0]) != atom_type.trans_pair:
                continue
            candidates.setdefault(match[0], set()).add(atom_type.name)
    chosen: dict[int, str] = {}
    problems = []
    absorbed: set[int] = set()
    for atom in molecule.GetAtoms():  # type: ignore[attr-defined]
        found = candidates.get(atom.GetIdx(), set())
        found = found - {other for one in found for other in force_field.types[one].overrides}
        if len(found) > 1:
            raise InputError(
                f"The force field {force_field.name} gives atom {atom.GetIdx()} ({atom.GetSymbol()}) of {name}"
                f" ({smiles}) several types: {', '.join(sorted(found))}. One must override the others."
            )
        if not found:
            continue
        chosen[atom.GetIdx()] = found.pop()
        hydrogens = [other.GetIdx() for other in atom.GetNeighbors() if other.GetSymbol() == "H"]
        if force_field.types[chosen[atom.GetIdx()]].absorbs == len(hydrogens):
            absorbed.update(hydrogens)
    for atom in molecule.GetAtoms():  # type: ignore[attr-defined]
        if atom.GetIdx() not in chosen and atom.GetIdx() not in absorbed:
            neighbours = "".join(sorted(other.GetSymbol() for other in atom.GetNeighbors()))
            problems.append(f"atom {atom.GetIdx()} ({atom.GetSymbol()} bonded to {neighbours or 'nothing'})")
    if problems:
        raise InputError(
            f"The force field {force_field.name} has no type for {', '.join(problems[:6])} of {name} ({smiles})."
            f" It covers: {force_field.validity}"
        )
    types = {atom: kind for atom, kind in chosen.items() if atom not in absorbed}
    _check_elements(force_field, molecule, types, f"{name} ({smiles})")
    return types


def canonical_smiles(molecule: object) -> str:
    """Return the canonical SMILES of a molecule without its explicit hydrogens: one text for one molecule."""
    from rdkit import Chem

    return Chem.MolToSmiles(Chem.RemoveHs(molecule))


def _check_elements(force_field: ForceField, molecule: Any, types: dict[int, str], name: str) -> None:
    for index, kind in types.items():
        atom, found = molecule.GetAtomWithIdx(index), force_field.types[kind]
        mass = atom.GetMass() + found.absorbs * _HYDROGEN_AMU
        if found.element != atom.GetSymbol():
            raise InputError(
                f"The force field {force_field.name} gives atom {index} ({atom.GetSymbol()}) of {name} the type"
                f" {found.name}, whose element is {found.element}."
            )
        if not mass / _MASS_FACTOR < found.mass_amu < mass * _MASS_FACTOR:
            raise InputError(
                f"The force field {force_field.name} gives atom {index} ({atom.GetSymbol()}) of {name} the type"
                f" {found.name}, whose mass is {found.mass_amu:g} amu instead of about {mass:.3f}."
            )


def _virtual_sites(force_field: ForceField, molecule: object, index: dict[int, int]) -> list[tuple[str, VirtualSite]]:
    found: list[tuple[str, VirtualSite]] = []
    here = canonical_smiles(molecule)
    for rule in force_field.virtual:
        if rule.molecules and here not in rule.molecules:
            continue
        for match in molecule.GetSubstructMatches(_pattern(rule.smarts, force_field, rule.type)):  # type: ignore[attr-defined]
            if len(match) != len(rule.weights) or any(atom not in index for atom in match):
                raise InputError(
                    f"The force field {force_field.path}: the pattern {rule.smarts!r} of the virtual site {rule.type}"
                    f" must match the {len(rule.weights)} sites that carry it, one for each weight."
                )
            site = VirtualSite(len(index) + len(found), tuple(index[atom] for atom in match), rule.weights)
            found.append((rule.type, site))
    return found


def _pattern(smarts: str, force_field: ForceField, what: str) -> object:
    from rdkit import Chem

    pattern = Chem.MolFromSmarts(smarts)
    if pattern is None:
        raise InputError(f"The force field {force_field.path}: {smarts!r} of {what} is not a SMARTS pattern.")
    return pattern


def angles_and_torsions(
    count: int, bonds: list[tuple[int, int]]
) -> tuple[tuple[tuple[int, int, int], ...], tuple[tuple[int, int, int, int], ...]]:
    """Return the angles and the proper torsions of a molecular graph of `count` sites."""
    neighbours = _neighbours(count, bonds)
    angles = tuple((a, b, c) for b in range(count) for a in neighbours[b] for c in neighbours[b] if a < c)
    torsions = tuple(
        (a, b, c, d) for b, c in bonds for a in neighbours[b] if a != c for d in neighbours[c] if d != b and d != a
    )
    return angles, torsions


def _impropers(
    force_field: ForceField, types: dict[int, str], atoms: tuple[int, ...], bonds: list[tuple[int, int]]
) -> tuple[tuple[int, int, int, int], ...]:
    """Return the improper torsions that have parameters: a site and three of its neighbours."""
    if not force_field.terms["improper"]:
        return ()
    names = [types[atom] for atom in atoms]
    return tuple(
        (centre, *outer)
        for centre, others in enumerate(_neighbours(len(atoms), bonds))
        for outer in itertools.combinations(others, 3)
        if force_field.has_improper(names[centre], tuple(names[site] for site in outer))
    )


def _neighbours(count: int, bonds: list[tuple[int, int]]) -> list[list[int]]:
    neighbours: list[list[int]] = [[] for _ in range(count)]
    for first, second in bonds:
        neighbours[first].append(second)
        neighbours[second].append(first)
    return neighbours


def _check_terms(force_field: ForceField, sites: Sites, molecule: object) -> None:
    missing: list[str] = []
    for kind in ("bond", "angle", "torsion"):
        for term in sites.terms(kind):
            names = tuple(sites.types[site] for site in term)
            if not force_field.has_term(kind, names):
                where = "-".join(str(sites.atoms[site]) for site in term)
                text = f"{kind} {'-'.join(names)}"
                if not any(text in line for line in missing):
                    missing.append(f"{text} (atoms {where})")
    if missing:
        raise InputError(
            f"The force field {force_field.name} has no parameters for {'; '.join(missing[:6])} of {sites.name}"
            f" ({sites.smiles}). It covers: {force_field.validity}"
        )


def _check_impropers(force_field: ForceField, sites: Sites) -> None:
    """Raise InputError for an improper torsion whose centre is not first, so that it would be applied to nothing."""
    neighbours = _neighbours(len(sites.atoms), list(sites.bonds))
    used = {
        row
        for term in sites.impropers
        for row in force_field.rows_of("improper", tuple(sites.types[site] for site in term))
    }
    for number, row in enumerate(force_field.terms["improper"]):
        if is_registered(force_field) or any(name == "" for _, name in row):
            continue
        for centre, others in enumerate(neighbours):
            for outer in itertools.combinations(others, 3) if number not in used else ():
                names = [sites.types[site] for site in (centre, *outer)]
                if force_field.improper_in_any_order(number, names):
                    written = "-".join(name or "*" for _, name in row)
                    raise InputError(
                        f"The force field {force_field.name} has an Improper {written} that no atoms of {sites.name}"
                        f" ({sites.smiles}) get, though it has their types: OpenMM takes the first for the centre. Put"
                        f" {force_field.types[names[0]].type_class} (or its type) first."
                    )


def unused_terms(force_field: ForceField, molecules: Iterable[Sites]) -> list[str]:
    """Return the rows of a force field that no atoms of some molecules get, as text: "Angle C800-C801-O802"."""
    molecules, found = list(molecules), []
    for kind, rows in force_field.terms.items():
        used = {
            number
            for sites in molecules
            for term in dict.fromkeys(tuple(sites.types[site] for site in term) for term in sites.terms(kind))
            for number in force_field.rows_of(kind, term)
        }
        found += [
            f"{kind} {'-'.join(name or '*' for _, name in row)}"
            for number, row in enumerate(rows)
            if number not in used
        ]
    types = {kind for sites in molecules for kind in sites.types}
    return found + [f"type {name}" for name in force_field.types if name not in types]


def _check_charge(force_field: ForceField, sites: Sites, formal: int) -> None:
    charge = sum(force_field.types[kind].charge_e for kind in sites.types)
    expected = formal * force_field.charge_scale
    if abs(charge - expected) > NEUTRAL_E:
        raise InputError(
            f"The force field {force_field.name} gives {sites.name} ({sites.smiles}) the charge {charge:.9g} e; its"
            f" formal charge times the scale {force_field.charge_scale:g} is {expected:g}."
        )
