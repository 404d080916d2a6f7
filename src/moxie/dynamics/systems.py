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

from moxie.dynamics.force_fields import ForceField, load_force_field
from moxie.dynamics.typing import Sites, check_parameters
from moxie.errors import InputError
from moxie.structures.boxes import Box
from moxie.structures.molecules import parse_smiles, symbols

_NEUTRAL_E = 1e-6


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

    Periodic: particle-mesh Ewald, plain cut-off with the analytic dispersion correction, Lorentz-Berthelot rules.
    Isolated: no cut-off. Bonds are rigid where the force field says so. `hydrogen_mass_amu` takes mass from the atom a
    hydrogen is bonded to (None: true masses). Raises InputError for missing parameters, charges that do not cancel in
    a periodic box, and a System that lacks a term of the molecular graph.
    """
    from openmm import app, unit

    loaded = load_force_field(force_field)
    components = tuple((check_parameters(loaded.path, smiles[name], name), n) for name, n in composition.items())
    topology, molecules = _topology(loaded, components, edge_nm)
    generator = app.ForceField(str(loaded.path), io.StringIO(_residue_templates(components)))
    options: dict[str, Any] = {"nonbondedMethod": app.NoCutoff}
    if edge_nm is not None:
        options = {
            "nonbondedMethod": app.PME,
            "nonbondedCutoff": cutoff_nm * unit.nanometer,
            "ewaldErrorTolerance": pme_tolerance,
        }
    system = generator.createSystem(
        topology,
        constraints={"none": None, "h_bonds": app.HBonds, "all_bonds": app.AllBonds}[loaded.constraints],
        rigidWater=False,
        removeCMMotion=False,
        residueTemplates={residue: residue.name for residue in topology.residues()},
        hydrogenMass=None if hydrogen_mass_amu is None else hydrogen_mass_amu * unit.amu,
        **options,
    )
    mass = sum(count * loaded.types[kind].mass_amu for sites, count in components for kind in sites.types)
    model = Model(system, topology, loaded, components, molecules, mass)
    if edge_nm is not None:
        _nonbonded(system).setUseDispersionCorrection(True)
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
            positions.append(box.positions_A[first:last][list(sites.atoms)] / 10)
            first = last
    if first != len(box.symbols):
        raise InputError(f"The packed box holds {len(box.symbols)} atoms where its composition has {first}.")
    return np.concatenate(positions)


def check_system(model: Model) -> None:
    """Raise InputError unless the System holds every term of the molecular graph, is neutral, and excludes rightly."""
    counted = _count_terms(model)
    expected = {
        kind: sum(count * len(sites.terms(kind)) for sites, count in model.components)
        for kind in ("bond", "angle", "torsion", "improper")
    }
    for kind, number in expected.items():
        if counted[kind] != number:
            raise InputError(
                f"The force field {model.force_field.name} yields {counted[kind]} {kind}s where the molecules"
                f" {', '.join(sites.name for sites, _ in model.components)} have {number}. Its file lacks parameters."
            )
    nonbonded = _nonbonded(model.system)
    charges = [nonbonded.getParticleParameters(index)[0]._value for index in range(nonbonded.getNumParticles())]
    total = float(np.sum(charges))
    if nonbonded.usesPeriodicBoundaryConditions() and abs(total) > _NEUTRAL_E:
        raise InputError(
            f"The box has the charge {total:+.6f} e under {model.force_field.name}; a periodic box must be neutral."
            " Change the numbers of the ions in the composition."
        )
    _check_exclusions(model, nonbonded)


def _count_terms(model: Model) -> dict[str, int]:
    import openmm

    counted = {"bond": model.system.getNumConstraints(), "angle": 0, "torsion": 0, "improper": 0}
    paths: set[tuple[int, ...]] = set()
    bonded = {frozenset(atom.index for atom in bond) for bond in model.topology.bonds()}
    for force in model.system.getForces():
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
    if found != expected:
        raise InputError(
            f"The force field {model.force_field.name} excludes {len(found)} pairs where the molecules have"
            f" {len(expected)} within three bonds."
        )


def _nonbonded(system: Any) -> Any:
    import openmm

    return next(force for force in system.getForces() if isinstance(force, openmm.NonbondedForce))


def _residue_name(index: int) -> str:
    return f"M{index:02d}"


def _site_names(force_field: ForceField, sites: Sites) -> list[str]:
    return [f"{force_field.types[kind].element}{index + 1}" for index, kind in enumerate(sites.types)]


def _residue_templates(components: tuple[tuple[Sites, int], ...]) -> str:
    lines = ["<ForceField>", "<Residues>"]
    for index, (sites, _) in enumerate(components):
        lines.append(f'<Residue name="{_residue_name(index)}">')
        lines += [f'<Atom name="S{site}" type={quoteattr(kind)}/>' for site, kind in enumerate(sites.types)]
        lines += [f'<Bond atomName1="S{a}" atomName2="S{b}"/>' for a, b in sites.bonds]
        lines.append("</Residue>")
    return "\n".join([*lines, "</Residues>", "</ForceField>"])


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
        elements = [app.Element.getBySymbol(force_field.types[kind].element) for kind in sites.types]
        for _ in range(count):
            residue = topology.addResidue(_residue_name(index), chain)
            atoms = [topology.addAtom(*pair, residue) for pair in zip(names, elements, strict=True)]
            for first, second in sites.bonds:
                topology.addBond(atoms[first], atoms[second])
            molecules.append(np.arange(start, start + len(atoms)))
            start += len(atoms)
    if edge_nm is not None:
        topology.setPeriodicBoxVectors(np.eye(3) * edge_nm)
    return topology, tuple(molecules)
