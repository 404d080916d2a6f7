"""Harmonic oscillators under leapfrog Verlet, whose averages are known exactly: what temperature they have."""

from types import SimpleNamespace

import numpy as np
import openmm
import pytest

from moxie.constants import GAS_CONSTANT_KJ_MOL_K
from moxie.dynamics.motion import ConstantEnergy, leapfrog_temperature_K
from moxie.dynamics.platforms import PlatformChoice
from moxie.dynamics.transport import _Leg

REFERENCE = PlatformChoice("Reference", "double", {})
MASS, STEP_FS, T = 12.0, 2.0, 298.15
kT = GAS_CONSTANT_KJ_MOL_K * T


def wells(products):
    """A model of particles in isotropic harmonic wells with these values of frequency times step."""
    system = openmm.System()
    force = openmm.CustomExternalForce("k*(x^2+y^2+z^2)/2")
    force.addPerParticleParameter("k")
    for index, product in enumerate(products):
        system.addParticle(MASS)
        force.addParticle(index, [MASS * (product / (STEP_FS / 1000)) ** 2])
    system.addForce(force)
    return SimpleNamespace(system=system, molecules=tuple(np.arange(len(products))[:, None]))


def at_equal_action(products, random):
    """Positions and velocities half a step before of modes whose action is kT / w', w' being their discrete frequency.

    Actions are what a trajectory keeps, and kT over the frequency their mean when modes share energy evenly.
    """
    turn = 2 * np.arcsin(products / 2)[:, None]  # w' dt
    stiffness = MASS * (products / (STEP_FS / 1000))[:, None] ** 2
    square = 2 * kT * products[:, None] / (turn * np.sqrt(1 - products[:, None] ** 2 / 4)) / stiffness
    phase = random.uniform(0, 2 * np.pi, (len(products), 3))
    here, before = (np.sqrt(square) * np.cos(phase - lag * turn) for lag in (0, 1))
    return here, (here - before) / (STEP_FS / 1000)


@pytest.mark.parametrize("product", [0.1, 0.35, 0.7])
def test_temperature_of_a_leapfrog_trajectory_is_that_of_its_equally_shared_energy(product):
    products = np.full(6, product)
    motion = ConstantEnergy(wells(products), REFERENCE, STEP_FS)
    positions, velocities = at_equal_action(products, np.random.default_rng(1))
    motion.context.setPositions(positions)
    motion.context.setVelocities(velocities)
    rows = []
    for _ in range(3000):
        motion.advance(1)
        state = motion.state(energy=True, velocities=True)
        before = 0.5 * MASS * (state.getVelocities(asNumpy=True)._value ** 2).sum()
        rows.append((state.getKineticEnergy()._value, before))
    on_step, before = np.mean(rows, axis=0)
    degrees = 3 * len(products)
    square = product**2
    assert 2 * on_step / degrees / kT == pytest.approx(1 - square / 6, abs=2e-3 + square**2 / 100)
    assert 2 * before / degrees / kT == pytest.approx(1 + square / 12, abs=2e-3 + square**2 / 50)
    assert leapfrog_temperature_K(on_step, before, degrees) == pytest.approx(T * (1 + square**2 / 120), rel=1.5e-3)


@pytest.mark.parametrize("product", [0.2, 0.7])
def test_a_leg_has_the_temperature_of_the_run_it_starts_from_however_stiff_its_modes(product):
    count = 400
    leg = _Leg(wells(np.full(count, product)), REFERENCE, STEP_FS)
    positions = np.random.default_rng(2).normal(size=(count, 3)) * np.sqrt(kT / MASS) * STEP_FS / 1000 / product
    potential = 1.5 * count * kT  # what the configurations of a thermostat have, exactly
    origin = {"system": "wells", "settings": {"temperature_K": T}}
    leg.start(positions, origin, potential + 0.5 * leg.degrees * kT, 3000, 3)  # 6 ps, with a friction of 1 per ps
    temperatures = []
    for _ in range(300):
        leg.advance(1)
        state = leg.state(energy=True, velocities=True)
        before = leg.kinetic_kJ_mol(state.getVelocities(asNumpy=True)._value)
        temperatures.append(leapfrog_temperature_K(state.getKineticEnergy()._value, before, 3 * count))
    assert np.mean(temperatures) == pytest.approx(T, rel=4e-3)
