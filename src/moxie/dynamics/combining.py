"""Combining rules: geometric forces, which OpenMM does not offer, and the proof that a System follows its rule.

The Lennard-Jones force of the geometric rule is a CustomNonbondedForce. Charges and the scaled 1-4 pairs stay in the
NonbondedForce, whose own Lennard-Jones part is switched off.
"""

from typing import Any

import numpy as np

from moxie.dynamics.force_fields import ForceField
from moxie.errors import InputError

# With a = 2 sqrt(eps) sigma^6 and b = 2 sqrt(eps) sigma^3 of each site this is 4 eps ((sigma/r)^12 - (sigma/r)^6); of
# the equivalent forms it is the fastest.
_GEOMETRIC = "a1*a2*q*q-b1*b2*q; q=1/r^6"
_PROBES = (0.9, 1.3)  # of sigma: two energies fix both parameters of a pair
_RELATIVE_TOLERANCE = 1e-5
_SMALLEST_ENERGY_KJ_MOL = 1e-9


def use_geometric_rule(system: Any, lennard_jones_14_scale: float) -> None:
    """Move the Lennard-Jones forces of a System from the Lorentz-Berthelot to the geometric rule, in place.

    sigma_ij = sqrt(sigma_i sigma_j), eps_ij = sqrt(eps_i eps_j) (Jorgensen et al., J. Am. Chem. Soc. 118, 11225
    (1996)). The custom force has the cut-off, the exclusions and the dispersion correction of the NonbondedForce.
    """
    import openmm

    nonbonded = nonbonded_of(system)
    sites = [nonbonded.getParticleParameters(index) for index in range(nonbonded.getNumParticles())]
    sigma = np.array([parameters[1]._value for parameters in sites])
    epsilon = np.array([parameters[2]._value for parameters in sites])
    custom = openmm.CustomNonbondedForce(_GEOMETRIC)
    custom.addPerParticleParameter("a")
    custom.addPerParticleParameter("b")
    for index, (charge, _, _) in enumerate(sites):
        root = 2 * np.sqrt(epsilon[index])
        custom.addParticle([root * sigma[index] ** 6, root * sigma[index] ** 3])
        nonbonded.setParticleParameters(index, charge, 1.0, 0.0)
    for index in range(nonbonded.getNumExceptions()):
        first, second, charges, _, depth = nonbonded.getExceptionParameters(index)
        custom.addExclusion(first, second)
        if depth._value != 0:
            pair = np.sqrt(sigma[first] * sigma[second]), np.sqrt(epsilon[first] * epsilon[second])
            nonbonded.setExceptionParameters(
                index, first, second, charges, float(pair[0]), float(lennard_jones_14_scale * pair[1])
            )
    if nonbonded.usesPeriodicBoundaryConditions():
        custom.setNonbondedMethod(openmm.CustomNonbondedForce.CutoffPeriodic)
        custom.setCutoffDistance(nonbonded.getCutoffDistance())
        custom.setUseLongRangeCorrection(True)
    custom.setName("GeometricLennardJones")
    system.addForce(custom)


def check_combining_rule(system: Any, force_field: ForceField, types: list[str]) -> None:
    """Raise InputError unless all unlike and like pairs of a System have the energy of its declared combining rule.

    The energies of two sites alone, computed by OpenMM from the forces and parameters of the System, are compared with
    4 eps ((sigma/r)^12 - (sigma/r)^6) for every pair of `types` (one for each site), and so are the parameters of the
    scaled 1-4 pairs.
    """
    first_of = {kind: index for index, kind in reversed(list(enumerate(types)))}
    energy_of = _PairEnergy(system)
    kinds = list(first_of)
    for place, one in enumerate(kinds):
        for other in kinds[place:]:
            sigma, epsilon = force_field.combine(one, other)
            for probe in _PROBES:
                expected = 4 * epsilon * (probe**-12 - probe**-6)
                found = energy_of(first_of[one], first_of[other], probe * sigma)
                if abs(found - expected) > _RELATIVE_TOLERANCE * abs(expected) + _SMALLEST_ENERGY_KJ_MOL:
                    raise InputError(
                        f"The pair {one}-{other} of {force_field.name} has the Lennard-Jones energy {found:.6g} kJ/mol"
                        f" at {probe * sigma:.4f} nm where the {force_field.combining_rule} rule gives {expected:.6g}."
                    )
    _check_scaled_pairs(system, force_field, types)


def nonbonded_of(system: Any) -> Any:
    """Return the NonbondedForce of a System."""
    import openmm

    return next(force for force in system.getForces() if isinstance(force, openmm.NonbondedForce))


class _PairEnergy:
    """Lennard-Jones energy of any two sites of a System, alone and without a cut-off."""

    def __init__(self, system: Any):
        import openmm

        self._original = [
            force
            for force in system.getForces()
            if isinstance(force, openmm.NonbondedForce | openmm.CustomNonbondedForce)
        ]
        pair = openmm.System()
        self._copies = []
        for force in self._original:
            if isinstance(force, openmm.NonbondedForce):
                copy = openmm.NonbondedForce()
            else:
                copy = openmm.CustomNonbondedForce(force.getEnergyFunction())
                for index in range(force.getNumPerParticleParameters()):
                    copy.addPerParticleParameter(force.getPerParticleParameterName(index))
            for _ in range(2):
                copy.addParticle(*_uncharged(force, 0))
            self._copies.append(copy)
            pair.addForce(copy)
        for _ in range(2):
            pair.addParticle(1.0)
        self._context = openmm.Context(
            pair, openmm.VerletIntegrator(0.001), openmm.Platform.getPlatformByName("Reference")
        )

    def __call__(self, first: int, second: int, distance_nm: float) -> float:
        for copy, force in zip(self._copies, self._original, strict=True):
            for site, index in enumerate((first, second)):
                copy.setParticleParameters(site, *_uncharged(force, index))
            copy.updateParametersInContext(self._context)
        self._context.setPositions(np.array([[0.0, 0.0, 0.0], [distance_nm, 0.0, 0.0]]))
        return float(self._context.getState(energy=True).getPotentialEnergy()._value)


def _uncharged(force: Any, index: int) -> tuple[Any, ...]:
    import openmm

    parameters = force.getParticleParameters(index)
    return (0.0, *parameters[1:]) if isinstance(force, openmm.NonbondedForce) else (parameters,)


def _check_scaled_pairs(system: Any, force_field: ForceField, types: list[str]) -> None:
    nonbonded = nonbonded_of(system)
    scale = force_field.lennard_jones_14_scale
    seen = set()
    for index in range(nonbonded.getNumExceptions()):
        first, second, _, sigma, depth = nonbonded.getExceptionParameters(index)
        found = (sigma._value, depth._value)
        key = (types[first], types[second], found)
        if found[1] == 0 or key in seen:
            continue
        seen.add(key)
        expected = force_field.combine(types[first], types[second])
        if not np.allclose(found, (expected[0], scale * expected[1]), rtol=_RELATIVE_TOLERANCE, atol=0):
            raise InputError(
                f"The 1-4 pair {types[first]}-{types[second]} of {force_field.name} has sigma {found[0]:.6g} nm and"
                f" epsilon {found[1]:.6g} kJ/mol where the {force_field.combining_rule} rule gives {expected[0]:.6g}"
                f" and {scale * expected[1]:.6g}."
            )
