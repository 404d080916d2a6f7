"""GAFF and GAFF2 with AM1-BCC charges: a force-field file for one molecule, from what antechamber finds.

One type stands for each kind of equivalent atom, and every bonded term of the molecule is a row of its own, so that the
file holds all that a simulation uses. Files of several molecules are joined into that of a mixture.
"""

import copy
import logging
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from moxie.dynamics import antechamber
from moxie.dynamics.amber_files import Parameters, Term, TypedAtom, estimated_terms, read_mol2
from moxie.dynamics.equivalence import constitution_smiles, equivalent_atoms, rooted_smarts
from moxie.dynamics.force_fields import ForceField, load_force_field
from moxie.dynamics.typing import angles_and_torsions, check_excluded, check_parameters
from moxie.errors import InputError
from moxie.io import replace_when_complete
from moxie.structures.molecules import formal_charge, parse_smiles, read_sdf, symbols

KJ_PER_KCAL = 4.184
_SIGMA_NM = 2 * 2 ** (-1 / 6) / 10  # per angstrom of Rmin/2
_LARGEST_CHARGE_ERROR_E = 0.01
_NO_RADIUS_NM = 0.1  # any length will do where the well depth is zero
# One kind of conjugated atom under two names, which tell single from double bonds. A few of their rows differ slightly;
# which of the two names an atom gets is arbitrary.
_PAIRS = ("cc cd", "ce cf", "cg ch", "cp cq", "nc nd", "ne nf", "pc pd", "pe pf")
_TWINS = {one: other for pair in _PAIRS for one, other in (pair.split(), pair.split()[::-1])}
_SECTIONS = {"bond": "BOND", "angle": "ANGLE", "torsion": "DIHE"}


def check_coverage(force_field: ForceField, smiles: Mapping[str, str]) -> None:
    """Raise InputError unless the force field is made for each of some molecules, given as {name: SMILES}.

    Needs rdkit only. The message says what is in the way.
    """
    seen: dict[str, str] = {}
    for name, text in smiles.items():
        molecule = parse_smiles(text, name)
        check_excluded(force_field, molecule, text, name)
        if any(atom.GetNumRadicalElectrons() for atom in molecule.GetAtoms()):
            raise InputError(
                f"The force field {force_field.name} does not cover {name} ({text}): it has unpaired electrons."
            )
        same = seen.setdefault(constitution_smiles(molecule), name)
        if same != name:
            raise InputError(
                f"{name} ({text}) and {same} ({smiles[same]}) have the same constitution, by which"
                f" {force_field.name} tells molecules apart. Keep one of them."
            )


def parametrise(
    sdf: str | Path, smiles: str, name: str, family: str, path: str | Path, log: logging.Logger | None = None
) -> None:
    """Write the force-field file of the molecule in an SDF file that `moxie.structures.molecules.write_sdf` wrote.

    `family` is gaff or gaff2. Raises InputError, and writes nothing, for molecules that the force field does not cover,
    where AM1 does not converge, and where terms have no parameters.
    """
    log = log or logging.getLogger(__name__)
    template = load_force_field(family)
    check_coverage(template, {name: smiles})
    antechamber.check_available()
    if symbols(read_sdf(sdf)) != symbols(parse_smiles(smiles, name)):
        raise InputError(f"{sdf} is not the molecule {name} ({smiles}). Delete it and run again to make it anew.")
    try:
        found = antechamber.run(sdf, formal_charge(parse_smiles(smiles, name)), family)
        text = force_field_xml(template, smiles, name, found)
    except InputError as error:
        raise InputError(f"{family} cannot be made for {name} ({smiles}): {error}.") from None
    with replace_when_complete(path) as partial:
        partial.write_text(text, encoding="utf-8")
        check_parameters(partial, smiles, name)
    for line in estimated_terms(found.frcmod):
        log.info("estimated by parmchk2: %s", line)


def combine(paths: Sequence[str | Path], path: str | Path) -> None:
    """Join the files of several molecules, made by `parametrise` with one force field, into one."""
    first, *others = (ElementTree.parse(one).getroot() for one in paths)
    for other in others:
        for section in first:
            addition: Any = other.find(section.tag)
            section.extend(row for row in addition if section.tag != "Metadata" or row.tag == "Molecule")
    with replace_when_complete(path) as partial:
        partial.write_text(_text(first), encoding="utf-8")


def force_field_xml(template: ForceField, smiles: str, name: str, found: antechamber.Findings) -> str:
    """Return the text of a molecule's force-field file.

    Charges are averaged over equivalent atoms, and what their sum lacks to the formal charge is spread evenly. Raises
    InputError, to be read after the name of the molecule, for missing terms, for equivalent terms with different
    parameters, and for charges that are off by more than 0.01 e.
    """
    parameters = Parameters()
    parameters.read(found.parameters, template.name)
    parameters.read(found.frcmod, "parmchk2")
    molecule = parse_smiles(smiles, name)
    atoms = read_mol2(found.mol2)
    if [atom.element for atom in atoms] != symbols(molecule):
        raise InputError("antechamber changed the order of the atoms")
    root = copy.deepcopy(ElementTree.parse(template.path).getroot())
    _add_provenance(root, smiles, name, found)
    kinds = equivalent_atoms(molecule)
    names = {first: f"{name}_{number + 1}" for number, first in enumerate(sorted(set(kinds)))}
    types = [names[kind] for kind in kinds]
    charges_e = symmetrised([atom.charge_e for atom in atoms], kinds, formal_charge(molecule))
    for first, type_name in names.items():
        _add_type(root, type_name, atoms[first], charges_e[first], rooted_smarts(molecule, first), parameters)
    _add_terms(root, molecule, atoms, types, parameters)
    return _text(root)


def symmetrised(charges_e: Sequence[float], kinds: Sequence[int], total_e: int) -> list[float]:
    """Return charges that are equal for atoms of one kind and add up to `total_e`; raises InputError if far from it."""
    charges, labels = np.asarray(charges_e, dtype=float), np.asarray(kinds)
    lacking = total_e - charges.sum()
    if abs(lacking) > _LARGEST_CHARGE_ERROR_E:
        raise InputError(f"antechamber's charges add up to {charges.sum():.4f} e, not to {total_e} e")
    return [float(charges[labels == kind].mean() + lacking / len(charges)) for kind in labels]


def _add_provenance(root: ElementTree.Element, smiles: str, name: str, found: antechamber.Findings) -> None:
    metadata: Any = root.find("Metadata")
    molecule = ElementTree.SubElement(metadata, "Molecule", {"name": name, "smiles": smiles, **found.versions})
    for line in estimated_terms(found.frcmod):
        ElementTree.SubElement(molecule, "Estimated").text = line


def _add_type(
    root: ElementTree.Element, name: str, atom: TypedAtom, charge_e: float, smarts: str, parameters: Parameters
) -> None:
    if atom.atom_type not in parameters.lennard_jones or atom.atom_type not in parameters.masses_amu:
        raise InputError(f"there is no atom type {atom.atom_type}, which antechamber found, among its parameters")
    radius_A, epsilon = parameters.lennard_jones[atom.atom_type]
    _append(
        root, "AtomTypes", "Type", name=name, **{"class": atom.atom_type}, element=atom.element,
        mass=parameters.masses_amu[atom.atom_type], absorbs=0, **{"def": smarts}, source="charges",
    )  # fmt: skip
    _append(
        root, "NonbondedForce", "Atom", type=name, charge=charge_e, sigma=radius_A * _SIGMA_NM or _NO_RADIUS_NM,
        epsilon=epsilon * KJ_PER_KCAL,
    )  # fmt: skip


def _add_terms(
    root: ElementTree.Element, molecule: Any, atoms: list[TypedAtom], types: list[str], parameters: Parameters
) -> None:
    bonds = sorted(
        (min(pair), max(pair))
        for bond in molecule.GetBonds()
        for pair in [(bond.GetBeginAtomIdx(), bond.GetEndAtomIdx())]
    )
    angles, torsions = angles_and_torsions(len(atoms), bonds)
    rows: dict[tuple[str, tuple[str, ...]], tuple[Term, tuple[str, ...]]] = {}
    for kind, members in (("bond", bonds), ("angle", angles), ("torsion", torsions)):
        for member in members:
            found = tuple(atoms[index].atom_type for index in member)
            term = parameters.find(_SECTIONS[kind], found)
            if term is None:
                raise InputError(f"it has no {kind} {'-'.join(found)}")
            _remember(rows, kind, tuple(types[index] for index in member), term, found)
    for (kind, names), (term, _) in rows.items():
        _WRITERS[kind](root, names, term)
    for names, term in _impropers(molecule, atoms, types, parameters).items():
        _append(root, "PeriodicTorsionForce", "Improper", **_typed(names), **_periodic(term.rows), source=term.source)


def _remember(
    rows: dict[tuple[str, tuple[str, ...]], tuple[Term, tuple[str, ...]]],
    kind: str,
    names: tuple[str, ...],
    term: Term,
    found: tuple[str, ...],
) -> None:
    names = min(names, names[::-1])
    first, before = rows.setdefault((kind, names), (term, found))
    mirrored = tuple(_TWINS.get(name, name) for name in found)
    if first.rows != term.rows and before not in (mirrored, mirrored[::-1]):
        raise InputError(
            f"it gives equivalent {kind}s different parameters, those of {'-'.join(before)} and {'-'.join(found)}. Its"
            " types cannot describe this molecule"
        )


def _impropers(
    molecule: Any, atoms: list[TypedAtom], types: list[str], parameters: Parameters
) -> dict[tuple[str, ...], Term]:
    """Return the improper torsions by the types of their atoms, the centre first, as OpenMM's AMBER ordering has it.

    The order of the outer ones is that of the file; like atoms are taken in the order of the molecule.
    """
    rows: dict[tuple[str, ...], Term] = {}
    done: set[tuple[str, ...]] = set()
    for atom in molecule.GetAtoms():
        outer = sorted(other.GetIdx() for other in atom.GetNeighbors())
        centre = atom.GetIdx()
        if len(outer) != 3:
            continue
        term = parameters.find_improper(atoms[centre].atom_type, tuple(atoms[index].atom_type for index in outer))
        kind = (types[centre], *sorted(types[index] for index in outer))
        if term is None or kind in done:
            continue
        done.add(kind)
        ordered = []
        for wanted in (term.order[0], term.order[1], term.order[3]):
            chosen = next(index for index in outer if atoms[index].atom_type == wanted and index not in ordered)
            ordered.append(chosen)
        rows[(types[centre], *(types[index] for index in ordered))] = term
    return rows


def _add_bond(root: ElementTree.Element, names: tuple[str, ...], term: Term) -> None:
    ((stiffness, length_A),) = term.rows
    _append(
        root, "HarmonicBondForce", "Bond", **_typed(names), length=length_A / 10, k=200 * KJ_PER_KCAL * stiffness,
        source=term.source,
    )  # fmt: skip


def _add_angle(root: ElementTree.Element, names: tuple[str, ...], term: Term) -> None:
    ((stiffness, angle_deg),) = term.rows
    _append(
        root, "HarmonicAngleForce", "Angle", **_typed(names), angle=float(np.radians(angle_deg)),
        k=2 * KJ_PER_KCAL * stiffness, source=term.source,
    )  # fmt: skip


def _add_torsion(root: ElementTree.Element, names: tuple[str, ...], term: Term) -> None:
    barriers = tuple(row for row in term.rows if row[0] != 0)
    if barriers:
        _append(root, "PeriodicTorsionForce", "Proper", **_typed(names), **_periodic(barriers), source=term.source)
    else:  # OpenMM would drop a periodic torsion without a barrier, and it could not be told from a missing one
        zeros = {f"c{power}": 0 for power in range(6)}
        _append(root, "RBTorsionForce", "Proper", **_typed(names), **zeros, source=term.source)


_WRITERS = {"bond": _add_bond, "angle": _add_angle, "torsion": _add_torsion}


def _typed(names: Iterable[str]) -> dict[str, str]:
    return {f"type{position + 1}": name for position, name in enumerate(names)}


def _periodic(rows: tuple[tuple[float, ...], ...]) -> dict[str, float]:
    values: dict[str, float] = {}
    for number, (barrier, phase_deg, periodicity) in enumerate(rows, start=1):
        values |= {
            f"periodicity{number}": int(periodicity), f"phase{number}": float(np.radians(phase_deg)),
            f"k{number}": KJ_PER_KCAL * barrier,
        }  # fmt: skip
    return values


def _append(root: ElementTree.Element, section: str, tag: str, **attributes: Any) -> None:
    parent: Any = root.find(section)
    ElementTree.SubElement(
        parent, tag, {key: value if isinstance(value, str) else repr(value) for key, value in attributes.items()}
    )


def _text(root: ElementTree.Element) -> str:
    ElementTree.indent(root, " ")
    return ElementTree.tostring(root, encoding="unicode") + "\n"
