"""Density functional single points through pyscf, an optional package: only imported when a study asks for it.

Kohn-Sham with density fitting off, restricted for closed shells and unrestricted for open ones, at the GFN2-xTB
geometry. Dipole moments need diffuse functions (def2-SVPD, def2-TZVPPD): without them water comes out 7 % too high.
Elements whose basis was made for an effective core potential (those beyond krypton in def2) get it. Where the usual
extrapolation (DIIS) does not converge, second-order steps (Sun, arXiv:1610.08423) go on from there.
"""

from dataclasses import dataclass

import numpy as np

from moxie.errors import InputError
from moxie.molecules.geometry import Geometry

_HARTREE_EV = 27.211386245988


@dataclass(frozen=True)
class KohnSham:
    """Total energy and dipole moment; the dipole of an ion is about its centre of mass."""

    energy_eV: float
    dipole_D: float


def check_available() -> None:
    """Raise InputError if pyscf is not installed."""
    from importlib.util import find_spec

    if find_spec("pyscf") is None:
        raise InputError(
            "quantum_chemistry.density_functional asks for a calculation with pyscf, which is not installed. Install "
            "it (.venv/bin/pip install --require-hashes -r envs/quantum.txt), or set "
            "quantum_chemistry.density_functional to null."
        )


def single_point(geometry: Geometry, functional: str, basis: str) -> KohnSham:
    """Return energy and dipole at a fixed geometry.

    Raises RuntimeError for a functional or basis that pyscf does not know or lacks for an element, and if the
    self-consistent field does not converge. Raises InputError without pyscf.
    """
    check_available()
    from ase.data import atomic_masses, atomic_numbers
    from pyscf import dft, gto, lib

    lib.num_threads(1)
    _, cores = gto.mole.bse_predefined_ecp(basis, geometry.symbols)
    try:
        molecule = gto.M(
            atom=list(zip(geometry.symbols, geometry.positions_A.tolist(), strict=True)),
            unit="Angstrom",
            basis=basis,
            ecp={symbol: basis for symbol in sorted(set(geometry.symbols)) if atomic_numbers[symbol] in (cores or ())},
            charge=geometry.charge,
            spin=geometry.multiplicity - 1,
            verbose=0,
        )
        solver = (dft.RKS if geometry.multiplicity == 1 else dft.UKS)(molecule)
        solver.xc = functional
        energy = solver.kernel()
        if not solver.converged:  # open p and d shells turn from one step to the next
            solver = solver.newton()
            energy = solver.kernel(solver.mo_coeff, solver.mo_occ)
    except (KeyError, ValueError, AttributeError, RuntimeError) as error:
        raise RuntimeError(f"{functional}/{basis}: {error}") from error
    if not solver.converged:
        raise RuntimeError(f"{functional}/{basis}: the self-consistent field does not converge")
    masses = atomic_masses[[atomic_numbers[symbol] for symbol in geometry.symbols]]
    centre = np.average(geometry.positions_A, axis=0, weights=masses)
    dipole = np.asarray(solver.dip_moment(unit="Debye", origin=centre / lib.param.BOHR, verbose=0))
    return KohnSham(float(energy) * _HARTREE_EV, float(np.linalg.norm(dipole)))
