"""GFN2-xTB: geometry optimisation, electronic properties and solvation free energies of single molecules.

Bannwarth, Ehlert, Grimme, J. Chem. Theory Comput. 15, 1652 (2019), through tblite; optimiser: BFGS of ASE.
Dipole moments of GFN2-xTB are known to come out 13 to 20 % above experiment for small alcohols and water.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from moxie.constants import BOLTZMANN_EV_K
from moxie.molecules.geometry import Geometry

METHODS = ("GFN2-xTB", "GFN1-xTB")
SOLVENTS = {"water": "water", "octanol": "octanol", "wet_octanol": "woctanol"}  # our name -> that of ALPB
_BOHR_A = 0.529177210903  # CODATA 2018
_HARTREE_EV = 27.211386245988
_DEBYE_PER_E_BOHR = 2.541746473
_DIPOLE_DIGITS = 5  # what the convergence of the charges leaves
_KT_EV = 300.0 * BOLTZMANN_EV_K  # tblite's electronic temperature


@dataclass(frozen=True)
class Electrons:
    """What one self-consistent calculation gives; energies in eV, dipole in debye, charges in e, forces in eV/angstrom.

    `energy_eV` is without the entropy of the electrons' distribution over orbitals at 300 K, which `entropy_eV` (T S)
    has; tblite's own energy, and the forces, are those of the free energy. Bond orders are Wiberg-Mayer, shape (n, n).
    HOMO and LUMO are None where no orbital is occupied or none is empty.
    """

    energy_eV: float
    entropy_eV: float
    bond_orders: np.ndarray
    forces_eV_A: np.ndarray
    charges: np.ndarray
    dipole_D: float
    homo_eV: float | None
    lumo_eV: float | None


def single_point(geometry: Geometry, method: str = "GFN2-xTB") -> Electrons:
    """Return the electronic properties at a fixed geometry.

    Raises RuntimeError if the charges do not converge, and for a multiplicity that the number of valence electrons does
    not allow (tblite would take the next one without a word).
    """
    from ase.data import atomic_masses

    with _one_thread():
        numbers = _numbers(geometry)
        result = _calculator(geometry, method).singlepoint()
        energies = np.atleast_1d(result.get("orbital-energies")) * _HARTREE_EV
        occupations = np.atleast_1d(result.get("orbital-occupations"))
        # Of an ion the dipole depends on the origin: take the centre of mass, as is usual.
        centre = np.average(geometry.positions_A, axis=0, weights=atomic_masses[numbers]) / _BOHR_A
        dipole = np.asarray(result.get("dipole")) - geometry.charge * centre
        homo, lumo = frontier_orbitals(energies, occupations)
        entropy = electronic_entropy_eV(energies, round(float(occupations.sum())), geometry.multiplicity)
        orders = np.asarray(result.get("bond-orders")).reshape(len(numbers), len(numbers), -1).sum(axis=-1)
        return Electrons(
            energy_eV=float(result.get("energy")) * _HARTREE_EV + entropy,
            entropy_eV=entropy,
            bond_orders=orders,
            forces_eV_A=-np.asarray(result.get("gradient")) * _HARTREE_EV / _BOHR_A,
            charges=np.asarray(result.get("charges")),
            dipole_D=round(float(np.linalg.norm(dipole)) * _DEBYE_PER_E_BOHR, _DIPOLE_DIGITS),
            homo_eV=homo,
            lumo_eV=lumo,
        )


def solvation_free_energies(geometry: Geometry, method: str = "GFN2-xTB") -> dict[str, float]:
    """Return the free energy of solvation in every one of SOLVENTS, in eV, from 1 mol/l of gas to 1 mol/l in solution.

    Analytical linearised Poisson-Boltzmann model (ALPB: Ehlert, Stahn, Spicher, Grimme, J. Chem. Theory Comput. 17,
    4250 (2021)) at the geometry given, without relaxing it in the solvent: energy in solution minus energy of the gas.
    Raises RuntimeError if the charges do not converge.
    """
    with _one_thread():
        gas = _calculator(geometry, method).singlepoint()
        energies = {}
        for name, solvent in SOLVENTS.items():
            calculator = _calculator(geometry, method)
            calculator.add("alpb-solvation", solvent)
            solution = calculator.singlepoint(gas, copy=True)  # starts from the charges of the gas
            energies[name] = float(solution.get("energy") - gas.get("energy")) * _HARTREE_EV
    return energies


def spin_gaps_eV(geometry: Geometry, method: str = "GFN2-xTB") -> dict[int, float]:
    """Return how far the neighbouring multiplicities lie above that of a geometry, as it is, by multiplicity.

    With spin polarisation (Neugebauer, Baedorf, Ehlert, Hansen, Grimme, J. Comput. Chem. 44, 2120 (2023)), without
    which GFN gives O2 the same energy as a singlet and as a triplet. A state that does not converge is left out.
    """
    energies = {}
    with _one_thread():
        for multiplicity in (geometry.multiplicity, geometry.multiplicity - 2, geometry.multiplicity + 2):
            if multiplicity < 1:
                continue
            calculator = _calculator(replace(geometry, multiplicity=multiplicity), method)
            calculator.add("spin-polarization", 1.0)
            try:
                energies[multiplicity] = float(calculator.singlepoint().get("energy")) * _HARTREE_EV
            except (RuntimeError, ValueError, TypeError):  # tblite reports what it cannot do as one of these
                continue
    own = energies.pop(geometry.multiplicity, None)
    return {} if own is None else {multiplicity: energy - own for multiplicity, energy in energies.items()}


def electronic_entropy_eV(energies_eV: np.ndarray, n_electrons: int, multiplicity: int) -> float:
    """Return T S of electrons of both spins that fill the same orbitals as Fermi and Dirac have it at 300 K.

    Raises RuntimeError for a multiplicity that the number of electrons does not allow.
    """
    from scipy.optimize import brentq
    from scipy.special import expit, xlogy

    unpaired = multiplicity - 1
    if (n_electrons - unpaired) % 2 or unpaired > n_electrons:
        raise RuntimeError(f"{n_electrons} valence electrons cannot have the multiplicity {multiplicity}")
    total = 0.0
    for electrons in ((n_electrons + unpaired) // 2, (n_electrons - unpaired) // 2):
        if 0 < electrons < len(energies_eV):
            low, high = energies_eV.min() - 40 * _KT_EV, energies_eV.max() + 40 * _KT_EV

            def excess(level: float, electrons: int = electrons) -> float:
                return float(expit((level - energies_eV) / _KT_EV).sum()) - electrons

            filling = expit((brentq(excess, low, high, xtol=1e-10) - energies_eV) / _KT_EV)
            total -= _KT_EV * float((xlogy(filling, filling) + xlogy(1 - filling, 1 - filling)).sum())
    return total


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


def _numbers(geometry: Geometry) -> np.ndarray:
    from ase.data import atomic_numbers

    return np.array([atomic_numbers[symbol] for symbol in geometry.symbols])


def _calculator(geometry: Geometry, method: str) -> Any:
    from tblite.interface import Calculator

    calculator = Calculator(
        method,
        _numbers(geometry),
        np.ascontiguousarray(geometry.positions_A) / _BOHR_A,
        charge=float(geometry.charge),
        uhf=geometry.multiplicity - 1,
    )
    calculator.set("verbosity", 0)
    return calculator


@contextmanager
def _one_thread() -> Iterator[None]:
    """Hold tblite to one thread, whatever the environment says: jobs are parallel, not what is inside them."""
    import tblite.interface  # noqa: F401  (its threads can be limited only once it is loaded)
    from threadpoolctl import threadpool_limits

    with threadpool_limits(limits=1):
        yield
