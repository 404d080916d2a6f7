"""OpenMM Systems from typed molecules, and the proof that a System is complete.

`openmm.app.ForceField` silently drops a bonded term that has no parameters, so every System is counted against the
molecular graph before it is used.
"""

import io
import itertools
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.sax.saxutils import quoteattr

import numpy as np

from moxie.dynamics.combining import check_combining_rule, nonbonded_of, use_geometric_rule
from moxie.dynamics.force_fields import ForceField, load_force_field
from moxie.dynamics.typing import NEUTRAL_E, NO_ATOM, Sites, VirtualSite, check_hydrogen_mass, check_parameters
from moxie.errors import InputError
from moxie.structures.boxes import Box
from moxie.structures.molecules import coordinates_A, embed, parse_smiles, symbols

_NEUTRAL_E = 1e-6  # of a box of up to a thousand molecules


@dataclass(frozen=True)
class Model:
    """A System with everything needed to run and to analyse it."""

    system: Any  # openmm.System
    topology: Any  # openmm.app.Topology
    force_field: ForceField
    components: tuple[tuple[Sites, int], ...]  # sites of each component, number of molecules
    molecules: tuple[np.ndarray, ...]  # site indices of every molecule
    mass_g_mol: float

    @property
    def n_molecules(self) -> int:
        """Return the number of molecules."""
        return len(self.molecules)


def build_model(
    composition: Mapping[str, int],
    smiles: Mapping[str, str],
    force_field: str | Path,
    *,
    edge_nm: float | None,
    cutoff_nm: float = 1.0,
    pme_tolerance: float = 5e-4,
    hydrogen_mass_amu: float | None = None,
) -> Model:
    """Return the checked System of a periodic cubic box, or of an isolated system where `edge_nm` is None.

    Periodic: particle-mesh Ewald, plain cut-off with the analytic dispersion correction. Isolated: no cut-off. Bonds
    are rigid where the force field says so. `hydrogen_mass_amu` takes mass from the atom a hydrogen is bonded to (None:
    true masses). Raises InputError for missing parameters, a file that OpenMM refuses, charges that do not cancel in a
    periodic box, and a System that lacks a term of the molecular graph or combines parameters by another rule.
    """
    from openmm import app, unit

    loaded = load_force_field(force_field)
    components = tuple((check_parameters(loaded.path, smiles[name], name), n) for name, n in composition.items())
    options: dict[str, Any] = {"nonbondedMethod": app.NoCutoff}
    if edge_nm is not None:
        options = {
            "nonbondedMethod": app.PME,
            "nonbondedCutoff": cutoff_nm * unit.nanometer,
            "ewaldErrorTolerance": pme_tolerance,
        }
    try:
        topology, molecules = _topology(loaded, components, edge_nm)
        generator = app.ForceField(str(loaded.path), io.StringIO(_residue_templates(components)))
        system = generator.createSystem(
            topology,
            constraints={"none": None, "h_bonds": app.HBonds, "all_bonds": app.AllBonds}[loaded.constraints],
            rigidWater=loaded.rigid_water,
            removeCMMotion=False,
            residueTemplates={residue: residue.name for residue in topology.residues()},
            **options,
        )
    except Exception as error:  # OpenMM raises what it likes
        reason = " ".join(str(error).split())[:300] or type(error).__name__
        if isinstance(error, KeyError):
            reason = f"the attribute or name {reason} is missing or unknown."
        raise InputError(f"OpenMM refuses the force field {loaded.path}: {reason}") from None
    if hydrogen_mass_amu is not None:
        for sites, _ in components:
            check_hydrogen_mass(loaded, sites, hydrogen_mass_amu)
        _repartition_mass(system, topology, hydrogen_mass_amu)
    if loaded.combining_rule == "geometric":
        use_geometric_rule(system, loaded.lennard_jones_14_scale)
    mass = sum(count * loaded.types[kind].mass_amu for sites, count in components for kind in sites.types)
    model = Model(system, topology, loaded, components, molecules, mass)
    if edge_nm is not None:
        nonbonded_of(system).setUseDispersionCorrection(True)
    check_system(model)
    _remove_empty_forces(system)
    return model


def site_positions_nm(model: Model, box: Box) -> np.ndarray:
    """Return the positions of the sites, shape (n_sites, 3), in nm, from an all-atom box.

    United atoms sit on their heavy atom. Raises InputError when the atoms of the box are not those of its SMILES.
    """
    positions, first = [], 0
    for sites, count in model.components:
        expected = symbols(parse_smiles(sites.smiles, sites.name))
        for _ in range(count):
            last = first + sites.n_atoms
            if box.symbols[first:last] != expected:
                raise InputError(
                    f"The packed box holds {''.join(box.symbols[first:last])} where {sites.name} ({sites.smiles}) was"
                    " expected. Delete the box and run again to make it anew."
                )
            positions.append(place_sites(sites, box.positions_A[first:last] / 10))
            first = last
    if first != len(box.symbols):
        raise InputError(f"The packed box holds {len(box.symbols)} atoms where its composition has {first}.")
    return np.concatenate(positions)


def place_sites(sites: Sites, atoms_nm: np.ndarray) -> np.ndarray:
    """Return the positions of a molecule's sites, shape (n_sites, 3), from those of its atoms, shape (n_atoms, 3)."""
    positions = atoms_nm[[atom for atom in sites.atoms if atom != NO_ATOM]]
    virtual = [np.asarray(site.weights) @ positions[list(site.parents)] for site in sites.virtual]
    return np.vstack([positions, *virtual])


def isolated_positions_nm(sites: Sites) -> np.ndarray:
    """Return the positions, shape (n_sites, 3), in nm, of one molecule in its lowest conformer."""
    return place_sites(sites, coordinates_A(embed(sites.smiles, sites.name)) / 10)


def site_charges_e(system: Any) -> np.ndarray:
    """Return the charges of all sites, shape (n_sites,)."""
    force = nonbonded_of(system)
    return np.array([force.getParticleParameters(index)[0]._value for index in range(force.getNumParticles())])


def check_system(model: Model) -> None:
    """Raise InputError unless the System holds every term of the molecular graph, is neutral and excludes rightly.

    The parameters of all pairs must follow the combining rule of the force field, in full and between 1-4 neighbours.
    """
    counted = _count_terms(model)
    expected = {
        kind: sum(count * len(sites.terms(kind)) for sites, count in model.components)
        for kind in ("bond", "angle", "improper")
    }
    is_zero = model.force_field.is_zero_torsion
    expected["torsion"] = sum(
        count * sum(not is_zero(tuple(sites.types[site] for site in term)) for term in sites.torsions)
        for sites, count in model.components
    )
    for kind, number in expected.items():
        if counted[kind] != number:
            raise InputError(
                f"The force field {model.force_field.name} yields {counted[kind]} {kind}s where the molecules"
                f" {', '.join(sites.name for sites, _ in model.components)} have {number}. Its file lacks"
                " parameters, or has a constant of 0 there, which OpenMM leaves out."
            )
    nonbonded = nonbonded_of(model.system)
    total = float(site_charges_e(model.system).sum())
    limit = max(_NEUTRAL_E, NEUTRAL_E * model.n_molecules)
    if nonbonded.usesPeriodicBoundaryConditions() and abs(total) > limit:
        raise InputError(
            f"The box has the charge {total:+.6f} e under {model.force_field.name}; a periodic box must be neutral."
            " Change the numbers of the ions in the composition."
        )
    _check_exclusions(model, nonbonded)
    types = [kind for sites, count in model.components for kind in sites.types * count]
    check_combining_rule(model.system, model.force_field, types)


def _count_terms(model: Model) -> dict[str, int]:
    """Count the terms of each kind; a constraint stands for a bond, or for an angle in a rigid molecule."""
    import openmm

    system = model.system
    rigid_angles = sum(count * len(sites.angles) for sites, count in model.components if sites.rigid)
    counted = {"bond": system.getNumConstraints() - rigid_angles, "angle": rigid_angles, "torsion": 0, "improper": 0}
    paths: set[tuple[int, ...]] = set()
    bonded = {frozenset(atom.index for atom in bond) for bond in model.topology.bonds()}
    for force in system.getForces():
        if isinstance(force, openmm.HarmonicBondForce):
            counted["bond"] += force.getNumBonds()
        elif isinstance(force, openmm.HarmonicAngleForce):
            counted["angle"] += force.getNumAngles()
        elif isinstance(force, openmm.PeriodicTorsionForce | openmm.RBTorsionForce):
            rows = [tuple(force.getTorsionParameters(index)[:4]) for index in range(force.getNumTorsions())]
            for row, _ in itertools.groupby(rows):  # the terms of one torsion stand together
                path = min(row, row[::-1])
                is_path = all(frozenset(pair) in bonded for pair in itertools.pairwise(row))
                counted["torsion" if is_path and path not in paths else "improper"] += 1
                paths.add(path)
    return counted


def _remove_empty_forces(system: Any) -> None:
    for index in reversed(range(system.getNumForces())):
        force = system.getForce(index)
        sizes = [
            getattr(force, name)() for name in ("getNumBonds", "getNumAngles", "getNumTorsions") if hasattr(force, name)
        ]
        if sizes == [0]:
            system.removeForce(index)


def _check_exclusions(model: Model, nonbonded: Any) -> None:
    import openmm

    found = set()
    for index in range(nonbonded.getNumExceptions()):
        first, second, *_ = nonbonded.getExceptionParameters(index)
        found.add((min(first, second), max(first, second)))
    expected, start = set(), 0
    for sites, count in model.components:
        near = sites.pairs_within_three_bonds()
        for _ in range(count):
            expected |= {(start + a, start + b) for a, b in near}
            start += len(sites.atoms)
    custom = [force for force in model.system.getForces() if isinstance(force, openmm.CustomNonbondedForce)]
    excluded = [{tuple(sorted(f.getExclusionParticles(k))) for k in range(f.getNumExclusions())} for f in custom]
    for pairs in (found, *excluded):
        if pairs != expected:
            raise InputError(
                f"The force field {model.force_field.name} excludes {len(pairs)} pairs where the molecules have"
                f" {len(expected)} within three bonds."
            )


def _repartition_mass(system: Any, topology: Any, hydrogen_mass_amu: float) -> None:
    """Give hydrogens a mass at the cost of their neighbours; unlike OpenMM's own option, in rigid water as well."""
    for bond in topology.bonds():
        first, second = sorted(bond, key=lambda atom: atom.element.symbol == "H")
        if second.element.symbol == "H" != first.element.symbol:
            moved = hydrogen_mass_amu - system.getParticleMass(second.index)._value
            system.setParticleMass(first.index, system.getParticleMass(first.index)._value - moved)
            system.setParticleMass(second.index, hydrogen_mass_amu)


def _residue_name(index: int, sites: Sites) -> str:
    return "HOH" if sites.rigid else f"M{index:02d}"  # OpenMM makes the molecules of that name rigid


def _site_names(force_field: ForceField, sites: Sites) -> list[str]:
    return [f"{force_field.types[kind].element or 'M'}{index + 1}" for index, kind in enumerate(sites.types)]


def _residue_templates(components: tuple[tuple[Sites, int], ...]) -> str:
    lines = ["<ForceField>", "<Residues>"]
    for name, sites in {_residue_name(index, sites): sites for index, (sites, _) in enumerate(components)}.items():
        lines.append(f'<Residue name="{name}" override="1">')
        lines += [f'<Atom name="S{site}" type={quoteattr(kind)}/>' for site, kind in enumerate(sites.types)]
        lines += [f'<Bond atomName1="S{a}" atomName2="S{b}"/>' for a, b in sites.bonds]
        lines += [_virtual_site_row(virtual) for virtual in sites.virtual]
        lines.append("</Residue>")
    return "\n".join([*lines, "</Residues>", "</ForceField>"])


def _virtual_site_row(virtual: VirtualSite) -> str:
    parents = " ".join(f'atomName{k}="S{site}"' for k, site in enumerate(virtual.parents, start=1))
    weights = " ".join(f'weight{k}="{weight!r}"' for k, weight in enumerate(virtual.weights, start=1))
    return f'<VirtualSite type="average{len(virtual.parents)}" siteName="S{virtual.site}" {parents} {weights}/>'


def _topology(
    force_field: ForceField, components: tuple[tuple[Sites, int], ...], edge_nm: float | None
) -> tuple[Any, tuple[np.ndarray, ...]]:
    from openmm import app

    topology = app.Topology()
    molecules: list[np.ndarray] = []
    start = 0
    for index, (sites, count) in enumerate(components):
        chain = topology.addChain()
        names = _site_names(force_field, sites)
        symbols_of = [force_field.types[kind].element for kind in sites.types]
        elements = [app.Element.getBySymbol(symbol) if symbol else None for symbol in symbols_of]
        for _ in range(count):
            residue = topology.addResidue(_residue_name(index, sites), chain)
            atoms = [topology.addAtom(*pair, residue) for pair in zip(names, elements, strict=True)]
            for first, second in sites.bonds:
                topology.addBond(atoms[first], atoms[second])
            molecules.append(np.arange(start, start + len(atoms)))
            start += len(atoms)
    if edge_nm is not None:
        topology.setPeriodicBoxVectors(np.eye(3) * edge_nm)
    return topology, tuple(molecules)
