"""What an OpenMM System is made of, read back term by term: what another engine needs to compute the same energy.

Units are OpenMM's: nm, kJ/mol, rad, e, amu. Understood are harmonic bonds and angles, periodic and Ryckaert-Bellemans
torsions, distance constraints, and NonbondedForce with Lorentz-Berthelot rules; geometric rules are understood as the
CustomNonbondedForce `GEOMETRIC` beside a NonbondedForce that holds the charges and the 1-4 pairs.
"""

import math
from collections import defaultdict
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from moxie.errors import InputError

GEOMETRIC = "a1*a2*q*q-b1*b2*q;q=1/r^6"  # a = 2 sqrt(eps) sigma^6, b = 2 sqrt(eps) sigma^3 of each particle
_TOLERANCE = 1e-6  # between 1-4 parameters and those that the rule and the scale give
_IGNORED = ("CMMotionRemover", "MonteCarloBarostat")

Pair = tuple[int, int]


@dataclass(frozen=True)
class Torsion:
    """sum_n amplitude_n (1 + cos(n phi - phase_n)) of four sites; phi is 180 degrees for trans."""

    sites: tuple[int, int, int, int]
    terms: tuple[tuple[int, float, float], ...]  # n, phase in rad, amplitude in kJ/mol


@dataclass(frozen=True)
class Interactions:
    """Every term of a System."""

    mass_amu: np.ndarray  # (n,)
    charge_e: np.ndarray  # (n,)
    sigma_nm: np.ndarray  # (n,)
    epsilon_kJ_mol: np.ndarray  # (n,)
    combining_rule: Literal["lorentz_berthelot", "geometric"]
    cutoff_nm: float
    tail_correction: bool
    lennard_jones_14_scale: float
    coulomb_14_scale: float
    bonds: dict[Pair, tuple[float, float]]  # length (nm), force constant (kJ/mol/nm2) of U = k/2 (r - r0)^2
    constraints: dict[Pair, float]  # length (nm)
    angles: dict[tuple[int, int, int], tuple[float, float]]  # angle (rad), k (kJ/mol/rad2) of U = k/2 (x - x0)^2
    torsions: tuple[Torsion, ...]

    @property
    def n_sites(self) -> int:
        """Return the number of sites."""
        return len(self.mass_amu)


def read_interactions(system: Any) -> Interactions:
    """Return the terms of a periodic OpenMM System.

    Raises InputError for virtual sites, for a force or a non-bonded method that is not understood, and where excluded
    and scaled pairs do not follow from the bonds by one pair of 1-4 scales.
    """
    import openmm

    n = system.getNumParticles()
    if any(system.isVirtualSite(site) for site in range(n)):
        raise InputError("The force field has virtual sites, which cannot be exported. Choose one without them.")
    bonds: dict[Pair, tuple[float, float]] = {}
    angles: dict[tuple[int, int, int], tuple[float, float]] = {}
    torsions: list[Torsion] = []
    nonbonded, custom = None, None
    for force in system.getForces():
        if isinstance(force, openmm.HarmonicBondForce):
            for index in range(force.getNumBonds()):
                first, second, length, k = force.getBondParameters(index)
                bonds[_ordered(first, second)] = (length._value, k._value)
        elif isinstance(force, openmm.HarmonicAngleForce):
            for index in range(force.getNumAngles()):
                first, centre, last, angle, k = force.getAngleParameters(index)
                angles[min(first, last), centre, max(first, last)] = (angle._value, k._value)
        elif isinstance(force, openmm.PeriodicTorsionForce):
            torsions += _periodic(force)
        elif isinstance(force, openmm.RBTorsionForce):
            torsions += [_ryckaert_bellemans(force, index) for index in range(force.getNumTorsions())]
        elif isinstance(force, openmm.NonbondedForce):
            nonbonded = force
        elif isinstance(force, openmm.CustomNonbondedForce) and _is_geometric(force):
            custom = force
        elif force.getName() not in _IGNORED:
            raise InputError(f"The force {force.getName()} of the OpenMM System cannot be exported.")
    if nonbonded is None or nonbonded.getNonbondedMethod() not in (nonbonded.PME, nonbonded.Ewald):
        raise InputError("Only periodic boxes with Ewald sums can be exported, not isolated molecules.")
    constraints = {}
    for index in range(system.getNumConstraints()):
        first, second, length = system.getConstraintParameters(index)
        constraints[_ordered(first, second)] = length._value
    charge, sigma, epsilon = _site_parameters(nonbonded, custom)
    rule: Literal["lorentz_berthelot", "geometric"] = "lorentz_berthelot" if custom is None else "geometric"
    lennard_jones, coulomb = _scales(nonbonded, charge, sigma, epsilon, rule, [*bonds, *constraints])
    return Interactions(
        np.array([system.getParticleMass(site)._value for site in range(n)]), charge, sigma, epsilon, rule,
        nonbonded.getCutoffDistance()._value,
        nonbonded.getUseDispersionCorrection() if custom is None else custom.getUseLongRangeCorrection(),
        lennard_jones, coulomb, bonds, constraints, angles, tuple(torsion for torsion in torsions if torsion.terms),
    )  # fmt: skip


def mixed(sigma: tuple[float, float], epsilon: tuple[float, float], rule: str) -> tuple[float, float]:
    """Return sigma and epsilon of a pair of unlike sites by a combining rule, in the units given."""
    if rule == "geometric":
        return math.sqrt(sigma[0] * sigma[1]), math.sqrt(epsilon[0] * epsilon[1])
    return (sigma[0] + sigma[1]) / 2, math.sqrt(epsilon[0] * epsilon[1])


def _ordered(first: int, second: int) -> Pair:
    return (first, second) if first < second else (second, first)


def _periodic(force: Any) -> list[Torsion]:
    """Return one torsion for all the terms of the same four sites."""
    terms: dict[tuple[int, int, int, int], list[tuple[int, float, float]]] = defaultdict(list)
    for index in range(force.getNumTorsions()):
        *sites, n, phase, k = force.getTorsionParameters(index)
        terms[min(tuple(sites), tuple(reversed(sites)))].append((n, phase._value, k._value))
    return [Torsion(sites, tuple(sorted(row for row in rows if row[2]))) for sites, rows in terms.items()]


def _ryckaert_bellemans(force: Any, index: int) -> Torsion:
    """Return sum_n C_n cos^n(phi - 180 deg) as a cosine series; its constant is the term with n = 0."""
    first, second, third, fourth, *powers = force.getTorsionParameters(index)
    signed = [(-1) ** n * c._value for n, c in enumerate(powers)]
    series = np.polynomial.chebyshev.poly2cheb(signed)
    constant = float(series[0] - series[1:].sum())
    rows = [(0, 0.0, constant / 2), *((n, 0.0, c) for n, c in enumerate(series[1:].tolist(), start=1))]
    return Torsion((first, second, third, fourth), tuple(row for row in rows if abs(row[2]) > 1e-12))


def _is_geometric(force: Any) -> bool:
    parameters = [force.getPerParticleParameterName(index) for index in range(force.getNumPerParticleParameters())]
    return "".join(force.getEnergyFunction().split()) == GEOMETRIC and parameters == ["a", "b"]


def _site_parameters(nonbonded: Any, custom: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return charge, sigma and epsilon of every site."""
    n = nonbonded.getNumParticles()
    rows = [[value._value for value in nonbonded.getParticleParameters(site)] for site in range(n)]
    charge, sigma, epsilon = np.array(rows).T
    if custom is None:
        return charge, sigma, epsilon
    if epsilon.any():
        raise InputError("Lennard-Jones parameters stand in two forces of the OpenMM System; that cannot be exported.")
    a, b = np.array([custom.getParticleParameters(site) for site in range(n)]).T
    acts = b > 0
    cube = np.divide(a, b, out=np.full(n, 1e-3), where=acts)  # sigma plays no part without epsilon
    return charge, np.cbrt(cube), np.where(acts, (b / (2 * cube)) ** 2, 0.0)


def _scales(
    nonbonded: Any, charge: np.ndarray, sigma: np.ndarray, epsilon: np.ndarray, rule: str, bonds: list[Pair]
) -> tuple[float, float]:
    """Return the Lennard-Jones and Coulomb scales of 1-4 pairs, which all exceptions must obey."""
    exceptions = {}
    for index in range(nonbonded.getNumExceptions()):
        first, second, product, length, depth = nonbonded.getExceptionParameters(index)
        exceptions[_ordered(first, second)] = (product._value, length._value, depth._value)
    distance = _bonds_apart(bonds)
    if set(exceptions) != set(distance):
        raise InputError("The excluded pairs of the OpenMM System are not those within three bonds.")
    found: dict[str, list[float]] = {"Lennard-Jones": [], "Coulomb": []}
    for (i, j), (product, length, depth) in exceptions.items():
        length_ij, depth_ij = mixed((sigma[i], sigma[j]), (epsilon[i], epsilon[j]), rule)
        near = distance[i, j] < 3
        if near and (product or depth) or (depth and abs(length - length_ij) > _TOLERANCE * length_ij):
            raise InputError(f"The pair of sites {i} and {j} has parameters of its own, which cannot be exported.")
        if not near:
            found["Lennard-Jones"] += [depth / depth_ij] if depth_ij else []
            found["Coulomb"] += [product / (charge[i] * charge[j])] if charge[i] * charge[j] else []
    for kind, values in found.items():
        if values and max(values) - min(values) > _TOLERANCE:
            raise InputError(
                f"1-4 pairs have {kind} scales from {min(values):g} to {max(values):g}; only one scale can be exported."
            )
    lennard_jones, coulomb = (float(np.median(values)) if values else 0.0 for values in found.values())
    return lennard_jones, coulomb


def _bonds_apart(bonds: list[Pair]) -> dict[Pair, int]:
    """Return the number of bonds between all pairs of sites within three bonds."""
    near = defaultdict(set)
    for first, second in bonds:
        near[first].add(second)
        near[second].add(first)
    apart: dict[Pair, int] = {}
    for start in near:
        seen, shell = {start}, {start}
        for count in (1, 2, 3):
            shell = set().union(*(near[site] for site in shell)) - seen
            seen |= shell
            apart.update({_ordered(start, site): count for site in shell})
    return apart
