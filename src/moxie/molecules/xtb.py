"""GFN2-xTB: geometry optimisation and electronic properties of single molecules.

Bannwarth, Ehlert, Grimme, J. Chem. Theory Comput. 15, 1652 (2019), through tblite; optimiser: BFGS of ASE.
Dipole moments of GFN2-xTB are known to come out 13 to 20 % above experiment for small alcohols and water.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from moxie.errors import InputError
from moxie.io import write_json
from moxie.molecules.geometry import Geometry, read_sdf, write_xyz

METHODS = ("GFN2-xTB", "GFN1-xTB")
_BOHR_A = 0.529177210903  # CODATA 2018
_HARTREE_EV = 27.211386245988
_DEBYE_PER_E_BOHR = 2.541746473


@dataclass(frozen=True)
class Electrons:
    """What one self-consistent calculation gives; energies in eV, dipole in debye, charges in e, forces in eV/angstrom.

    HOMO and LUMO are None where no orbital is occupied or none is empty.
    """

    energy_eV: float
    forces_eV_A: np.ndarray
    charges: np.ndarray
    dipole_D: float
    homo_eV: float | None
    lumo_eV: float | None


def single_point(geometry: Geometry, method: str = "GFN2-xTB") -> Electrons:
    """Return the electronic properties at a fixed geometry; raises RuntimeError if the charges do not converge."""
    from ase.data import atomic_masses, atomic_numbers

    with _one_thread():
        from tblite.interface import Calculator

        numbers = np.array([atomic_numbers[symbol] for symbol in geometry.symbols])
        calculator = Calculator(
            method,
            numbers,
            np.ascontiguousarray(geometry.positions_A) / _BOHR_A,
            charge=float(geometry.charge),
            uhf=geometry.multiplicity - 1,
        )
        calculator.set("verbosity", 0)
        result = calculator.singlepoint()
        energies = np.atleast_1d(result.get("orbital-energies")) * _HARTREE_EV
        occupations = np.atleast_1d(result.get("orbital-occupations"))
        # Of an ion the dipole depends on the origin: take the centre of mass, as is usual.
        centre = np.average(geometry.positions_A, axis=0, weights=atomic_masses[numbers]) / _BOHR_A
        dipole = np.asarray(result.get("dipole")) - geometry.charge * centre
        homo, lumo = frontier_orbitals(energies, occupations)
        return Electrons(
            energy_eV=float(result.get("energy")) * _HARTREE_EV,
            forces_eV_A=-np.asarray(result.get("gradient")) * _HARTREE_EV / _BOHR_A,
            charges=np.asarray(result.get("charges")),
            dipole_D=float(np.linalg.norm(dipole)) * _DEBYE_PER_E_BOHR,
            homo_eV=homo,
            lumo_eV=lumo,
        )


def frontier_orbitals(energies_eV: np.ndarray, occupations: np.ndarray) -> tuple[float | None, float | None]:
    """Return the highest energy of an occupied and the lowest of an empty orbital.

    An orbital counts as occupied from half an electron on; a singly occupied one is the HOMO, never the LUMO.
    """
    occupied = occupations >= 0.5
    homo = float(energies_eV[occupied].max()) if occupied.any() else None
    lumo = float(energies_eV[~occupied].min()) if (~occupied).any() else None
    return homo, lumo


def relax(
    geometry: Geometry, method: str = "GFN2-xTB", force_tolerance_eV_A: float = 0.01, max_steps: int = 500
) -> tuple[Geometry, int]:
    """Return the optimised geometry and the number of steps; a single atom is returned as it is.

    Raises RuntimeError if the largest force is above the tolerance after `max_steps` steps.
    """
    if len(geometry.symbols) == 1:
        return geometry, 0
    with _one_thread():
        from ase import Atoms
        from ase.optimize import BFGS
        from tblite.ase import TBLite

        atoms = Atoms(geometry.symbols, geometry.positions_A)
        atoms.calc = TBLite(
            method=method, charge=geometry.charge, multiplicity=geometry.multiplicity, verbosity=0
        )  # fmt: skip
        optimiser = BFGS(atoms, logfile=None)
        converged = optimiser.run(fmax=force_tolerance_eV_A, steps=max_steps)
    if not converged:
        force = np.linalg.norm(atoms.get_forces(), axis=1).max()
        raise RuntimeError(f"not converged after {max_steps} steps: largest force {force:.3g} eV/angstrom")
    relaxed = Geometry(geometry.name, geometry.symbols, atoms.get_positions(), geometry.charge, geometry.multiplicity)
    return relaxed, int(optimiser.nsteps)


def optimise_molecule(
    sdf: str | Path,
    smiles: str,
    output: str | Path,
    *,
    name: str | None = None,
    method: str = "GFN2-xTB",
    force_tolerance_eV_A: float = 0.01,
    max_steps: int = 500,
    log: logging.Logger | None = None,
) -> dict[str, Any]:
    """Optimise one molecule and write its row as JSON to `output`, its geometry beside it as .xyz; return the row.

    The keys are the columns of the table `molecules`. A calculation that fails is a row too, with the reason as its
    status, no numbers and the starting geometry. Raises InputError for an unknown method or an unreadable SDF file.
    """
    log = log or logging.getLogger(__name__)
    if method not in METHODS:
        raise InputError(f"quantum_chemistry.method = {method!r} is not known; allowed: {', '.join(METHODS)}.")
    geometry = read_sdf(sdf)
    row: dict[str, Any] = {
        "molecule": name or geometry.name,
        "smiles": smiles,
        "charge": geometry.charge,
        "spin_multiplicity": geometry.multiplicity,
        "n_atoms": len(geometry.symbols),
        "method": method,
        "n_steps": 0,
        "symbols": list(geometry.symbols),
        "charges": [],
        **dict.fromkeys(("energy_eV", "dipole_D", "homo_eV", "lumo_eV", "gap_eV", "max_force_eV_A")),
    }
    try:
        geometry, row["n_steps"] = relax(geometry, method, force_tolerance_eV_A, max_steps)
        electrons = single_point(geometry, method)
    except (RuntimeError, ValueError, TypeError) as error:  # tblite reports what it cannot do as one of these
        row["status"] = f"failed: {' '.join(str(error).split())}"
        log.warning("%s: %s", row["molecule"], row["status"])
    else:
        row |= {
            "status": "ok",
            "energy_eV": electrons.energy_eV,
            "dipole_D": electrons.dipole_D,
            "homo_eV": electrons.homo_eV,
            "lumo_eV": electrons.lumo_eV,
            "gap_eV": _difference(electrons.lumo_eV, electrons.homo_eV),
            "max_force_eV_A": float(np.linalg.norm(electrons.forces_eV_A, axis=1).max()),
            "charges": electrons.charges.tolist(),
        }
        log.info("%s: %d steps, dipole %.3f D", row["molecule"], row["n_steps"], electrons.dipole_D)
    comment = f"{row['molecule']} {method} status={row['status']!r} charge={geometry.charge}"
    write_xyz(Path(output).with_suffix(".xyz"), geometry.symbols, geometry.positions_A, comment)
    write_json(output, row)
    return row


def _difference(a: float | None, b: float | None) -> float | None:
    return None if a is None or b is None else a - b


@contextmanager
def _one_thread() -> Iterator[None]:
    """Hold tblite to one thread, whatever the environment says: jobs are parallel, not what is inside them."""
    import tblite.interface  # noqa: F401  (its threads can be limited only once it is loaded)
    from threadpoolctl import threadpool_limits

    with threadpool_limits(limits=1):
        yield
