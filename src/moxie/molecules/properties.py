"""Everything the table `molecules` says about a molecule: one named molecule from its SDF file, or a chunk of a list.

What cannot be computed (an unreadable SMILES, no conformer, an element the method lacks, no convergence), and a
molecule that relaxes to another one, is a row with its reason in `status` and empty numbers, so that one bad molecule
does not stop a study.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from moxie.errors import InputError
from moxie.io import write_json
from moxie.molecules import density_functional, spin, xtb
from moxie.molecules.bonds import changed_bonds, describe
from moxie.molecules.geometry import Geometry, read_sdf, write_xyz
from moxie.molecules.lists import NAMED, Entry

_NUMBERS = (
    "energy_eV", "electronic_entropy_eV", "dipole_D", "homo_eV", "lumo_eV", "gap_eV", "max_force_eV_A",
    *(f"solvation_{name}_eV" for name in xtb.SOLVENTS),
    "dft_energy_eV", "dft_dipole_D",
)  # fmt: skip
_OPEN_SHELL_EV, _WIDE_GAP_EV = 0.005, 2.0  # entropy of degenerate orbitals; a gap that exchange does not close
_SAME_EV = 0.002  # what relaxations to 0.01 eV/angstrom leave between two of one geometry


@dataclass(frozen=True)
class MoleculeSettings:
    """Of `quantum_chemistry` in the configuration; `density_functional` is {functional, basis} or None."""

    method: str = "GFN2-xTB"
    force_tolerance_eV_A: float = 0.01
    max_steps: int = 500
    most_atoms: int = 200
    density_functional: Mapping[str, str] | None = None

    def __post_init__(self) -> None:
        if self.method not in xtb.METHODS:
            raise InputError(
                f"quantum_chemistry.method = {self.method!r} is not known; allowed: {', '.join(xtb.METHODS)}."
            )


def optimise_molecule(
    sdf: str | Path,
    smiles: str,
    output: str | Path,
    *,
    name: str | None = None,
    settings: MoleculeSettings | None = None,
    log: logging.Logger | None = None,
) -> dict[str, Any]:
    """Optimise one molecule and write its row as JSON to `output`, its geometry beside it as .xyz; return the row.

    The keys are the columns of the table `molecules`. Of a failed calculation the starting geometry is written.
    Raises InputError for an unreadable SDF file.
    """
    from moxie.structures.molecules import parse_smiles

    geometry = read_sdf(sdf)
    row = _empty_row(NAMED, Entry(name or geometry.name, smiles), settings or MoleculeSettings())
    molecule = parse_smiles(smiles, row["molecule"])
    if [atom.GetSymbol() for atom in molecule.GetAtoms()] != list(geometry.symbols):
        raise InputError(f"{sdf} is not the molecule {smiles}. Delete it and run again to make it anew.")
    geometry = _fill(row, molecule, geometry.positions_A, settings or MoleculeSettings())
    _report(log or logging.getLogger(__name__), row)
    write_xyz(Path(output).with_suffix(".xyz"), geometry.symbols, geometry.positions_A, _comment(row))
    write_json(output, row)
    return row


def compute_chunk(
    list_name: str,
    entries: Sequence[Entry],
    output: str | Path,
    *,
    seed: int,
    settings: MoleculeSettings | None = None,
    log: logging.Logger | None = None,
) -> list[dict[str, Any]]:
    """Compute the molecules of one chunk of a list; write their rows to a JSON file and return them."""
    rows = compute(list_name, entries, seed=seed, settings=settings, log=log)
    write_json(output, rows)
    return rows


def compute(
    list_name: str,
    entries: Sequence[Entry],
    *,
    seed: int,
    settings: MoleculeSettings | None = None,
    log: logging.Logger | None = None,
) -> list[dict[str, Any]]:
    """Return one row of the table `molecules` for each entry, from its SMILES.

    The seed of a conformer search depends on `seed` and the molecule alone, so that it has one result whatever list or
    chunk it stands in and however its SMILES is written.
    """
    from moxie.job import Progress
    from moxie.structures.molecules import coordinates_A, embed, parse_smiles

    log = log or logging.getLogger(__name__)
    settings = settings or MoleculeSettings()
    progress = Progress(log, len(entries), "molecules")
    rows = []
    for number, entry in enumerate(entries):
        row = _empty_row(list_name, entry, settings)
        try:
            if not entry.smiles:
                raise InputError("no SMILES is given, and none is known")
            _check_size(parse_smiles(entry.smiles, entry.name).GetNumAtoms(), settings)  # before its conformers
            molecule = embed(entry.smiles, entry.name, seed)
        except InputError as error:
            row["status"] = _failure(error).replace(f"molecules.{entry.name}: ", "", 1)
        else:
            _fill(row, molecule, coordinates_A(molecule), settings)
        _report(log, row)
        rows.append(row)
        progress.update(number + 1)
    return rows


def _empty_row(list_name: str, entry: Entry, settings: MoleculeSettings) -> dict[str, Any]:
    functional = settings.density_functional
    return {
        "list": list_name,
        "molecule": entry.name,
        "smiles": entry.smiles,
        "logP_measured": entry.logP,
        "charge": 0,
        "spin_multiplicity": 0,
        "n_atoms": 0,
        "method": settings.method,
        "density_functional": f"{functional['functional']}/{functional['basis']}" if functional else "",
        "remarks": "",
        "n_steps": 0,
        "symbols": [],
        "charges": [],
        **dict.fromkeys(_NUMBERS),
    }


def _fill(row: dict[str, Any], molecule: Any, positions_A: np.ndarray, settings: MoleculeSettings) -> Geometry:
    """Put the results for a molecule at a start geometry into its row.

    Return the relaxed geometry, also where it is another molecule's, or the one given after a failure.
    """
    from moxie.structures.molecules import formal_charge, other_starts_A, symbols

    multiplicity, row["remarks"] = spin.multiplicity(molecule)
    geometry = Geometry(row["molecule"], tuple(symbols(molecule)), positions_A, formal_charge(molecule), multiplicity)
    row["charge"], row["spin_multiplicity"] = geometry.charge, geometry.multiplicity
    row["n_atoms"], row["symbols"] = len(geometry.symbols), list(geometry.symbols)
    try:
        _check_size(len(geometry.symbols), settings)
        starts = [positions_A, *other_starts_A(row["smiles"], molecule, positions_A)]
        found = _lowest([_relax(molecule, replace(geometry, positions_A=start), settings) for start in starts])
        relaxed, electrons = found.geometry, found.electrons
        if found.change:
            row["status"] = f"changed: {found.change}"
            return relaxed
        row["remarks"] = "; ".join(filter(None, [row["remarks"], _remark_on_spin(relaxed, electrons, settings)]))
        solvation = xtb.solvation_free_energies(relaxed, settings.method)
        functional = settings.density_functional
        kohn_sham = density_functional.single_point(relaxed, **functional) if functional else None
    except (RuntimeError, ValueError, TypeError) as error:  # tblite reports what it cannot do as one of these
        row["status"] = _failure(error)
        return geometry
    row |= {
        "status": "ok",
        "n_steps": found.n_steps,
        "energy_eV": electrons.energy_eV,
        "electronic_entropy_eV": electrons.entropy_eV,
        "dipole_D": electrons.dipole_D,
        "homo_eV": electrons.homo_eV,
        "lumo_eV": electrons.lumo_eV,
        "gap_eV": _difference(electrons.lumo_eV, electrons.homo_eV),
        "max_force_eV_A": float(np.linalg.norm(electrons.forces_eV_A, axis=1).max()),
        "charges": electrons.charges.tolist(),
        **{f"solvation_{name}_eV": energy for name, energy in solvation.items()},
    }
    if kohn_sham is not None:
        row |= {"dft_energy_eV": kohn_sham.energy_eV, "dft_dipole_D": kohn_sham.dipole_D}
    return relaxed


@dataclass(frozen=True)
class _Relaxed:
    """What came of one start geometry; `change` says what became of the bonds, and is empty where they stayed."""

    geometry: Geometry
    n_steps: int
    electrons: xtb.Electrons
    change: str


def _relax(molecule: Any, start: Geometry, settings: MoleculeSettings) -> "_Relaxed | RuntimeError":
    """Relax one start geometry, or return why that failed."""
    try:
        relaxed, n_steps = xtb.relax(start, settings.method, settings.force_tolerance_eV_A, settings.max_steps)
        electrons = xtb.single_point(relaxed, settings.method)
    except (RuntimeError, ValueError, TypeError) as error:  # tblite reports what it cannot do as one of these
        return RuntimeError(str(error))
    bonds = [(bond.GetBeginAtomIdx(), bond.GetEndAtomIdx()) for bond in molecule.GetBonds()]
    broken, formed = changed_bonds(start.symbols, bonds, relaxed.positions_A, electrons.bond_orders)
    change = describe(start.symbols, bonds, broken, formed) if broken or formed else ""
    return _Relaxed(relaxed, n_steps, electrons, change)


def _lowest(outcomes: Sequence["_Relaxed | RuntimeError"]) -> _Relaxed:
    """Return the lowest molecule that kept its bonds, or the lowest of all; raises the first error if none relaxed.

    Of equal ones the first counts, so that rounding does not choose.
    """
    relaxed = [outcome for outcome in outcomes if isinstance(outcome, _Relaxed)]
    if not relaxed:
        raise next(outcome for outcome in outcomes if isinstance(outcome, RuntimeError))
    candidates = [outcome for outcome in relaxed if not outcome.change] or relaxed
    lowest = min(outcome.electrons.energy_eV for outcome in candidates)
    return next(outcome for outcome in candidates if outcome.electrons.energy_eV < lowest + _SAME_EV)


def _remark_on_spin(relaxed: Geometry, electrons: xtb.Electrons, settings: MoleculeSettings) -> str:
    """Return a remark where another multiplicity lies lower; a wide gap between the orbitals needs no look at it."""
    gap = _difference(electrons.lumo_eV, electrons.homo_eV)
    closed = relaxed.multiplicity == 1 and electrons.entropy_eV < _OPEN_SHELL_EV and (gap is None or gap > _WIDE_GAP_EV)
    if closed or len(relaxed.symbols) == 1:
        return ""
    return spin.remark_on_gaps(relaxed.multiplicity, xtb.spin_gaps_eV(relaxed, settings.method))


def _check_size(n_atoms: int, settings: MoleculeSettings) -> None:
    allowed = settings.most_atoms
    if n_atoms > allowed:
        raise InputError(f"{n_atoms} atoms, hydrogens included; quantum_chemistry.most_atoms allows {allowed}")


def _failure(error: Exception) -> str:
    return f"failed: {' '.join(str(error).split())}"


def _comment(row: Mapping[str, Any]) -> str:
    return f"{row['molecule']} {row['method']} status={row['status']!r} charge={row['charge']}"


def _report(log: logging.Logger, row: Mapping[str, Any]) -> None:
    if row["status"] == "ok":
        log.debug("%s: %d steps, dipole %.3f D", row["molecule"], row["n_steps"], row["dipole_D"])
    else:
        log.warning("%s: %s", row["molecule"], row["status"])


def _difference(a: float | None, b: float | None) -> float | None:
    return None if a is None or b is None else a - b
