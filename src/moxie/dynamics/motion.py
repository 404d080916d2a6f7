"""Something that moves: a Context that is taken on step by step, saved and continued, and says when it blew up."""

import logging
import time
from typing import Any

import numpy as np

from moxie.constants import GAS_CONSTANT_KJ_MOL_K
from moxie.dynamics.platforms import PlatformChoice
from moxie.dynamics.systems import Model
from moxie.errors import InputError

_CONSTRAINT_TOLERANCE = 1e-7


class Motion:
    """A Context with its integrator, the steps taken, and the time spent on them."""

    def __init__(self, model: Model, context: Any, timestep_fs: float):
        self.model, self.context, self.timestep_fs = model, context, timestep_fs
        self.integrator = context.getIntegrator()
        self.step = self.sound_step = 0  # taken; the last one at which the energy was known to be finite
        self.cpu_s = self.wall_s = 0.0  # of steps and energies

    @property
    def time_ps(self) -> float:
        """Return the simulated time."""
        return self.step * self.timestep_fs / 1000

    def advance(self, steps: int) -> None:
        """Go on by some steps; raises InputError where OpenMM says that the motion blew up."""
        began = time.process_time(), time.perf_counter()
        try:
            self.integrator.step(steps)
        except Exception as error:  # OpenMM raises what it likes
            raise InputError(self.explain(error)) from None
        finally:
            self._spend(*began)
        self.step += steps

    def state(self, **wanted: bool) -> Any:
        """Return OpenMM's State with what is wanted of it; raises InputError for energies that are not finite."""
        began = time.process_time(), time.perf_counter()
        state = self.context.getState(**wanted)
        self._spend(*began)
        if wanted.get("energy"):
            energy = state.getPotentialEnergy()._value + state.getKineticEnergy()._value
            if not np.isfinite(energy):
                raise InputError(self.explain(FloatingPointError("the energy is not finite")))
            self.sound_step = self.step
        return state

    def save(self) -> tuple[str, bytes]:
        """Return the portable state (XML) and a binary checkpoint, empty where nothing but the state is needed."""
        import openmm

        return openmm.XmlSerializer.serialize(self.context.getState(positions=True, velocities=True)), b""

    def resume(self, step: int, state: str, checkpoint: bytes, log: logging.Logger) -> None:
        """Continue after `step` from what `save` gave."""
        import openmm

        self.context.setState(openmm.XmlSerializer.deserialize(state))
        self.step = self.sound_step = step

    def explain(self, error: Exception) -> str:
        """Return what went wrong, and what to do."""
        time_ps = self.sound_step * self.timestep_fs / 1000
        return f"The simulation failed after step {self.sound_step} ({time_ps:g} ps): {one_line(error)}."

    def _spend(self, cpu_s: float, wall_s: float) -> None:
        self.cpu_s += time.process_time() - cpu_s
        self.wall_s += time.perf_counter() - wall_s


class ConstantEnergy(Motion):
    """Motion without a thermostat (leapfrog Verlet)."""

    tolerance = _CONSTRAINT_TOLERANCE

    def __init__(self, model: Model, choice: PlatformChoice, timestep_fs: float):
        import openmm

        integrator = openmm.VerletIntegrator(timestep_fs / 1000)
        integrator.setConstraintTolerance(self.tolerance)
        super().__init__(model, choice.context(model.system, integrator), timestep_fs)


def leapfrog_temperature_K(on_step_kJ_mol: float, half_step_kJ_mol: float, degrees: int) -> float:
    """Return the temperature of a trajectory at constant energy from kinetic energies at steps and between them.

    A leapfrog trajectory with the step dt conserves a Hamiltonian that differs from the true one, and shares its
    thermal energy evenly. A harmonic mode of frequency w then has the mean kinetic energy kT/2 (1 - (w dt)^2 / 6) at
    the steps and kT/2 (1 + (w dt)^2 / 12) between them, so that a third of the one and two thirds of the other give kT,
    up to (w dt)^4 / 120 (docs/theory/dynamics.md, Transport).
    """
    return 2 * (on_step_kJ_mol + 2 * half_step_kJ_mol) / 3 / (degrees * GAS_CONSTANT_KJ_MOL_K)


def degrees_of_freedom(system: Any) -> int:
    """Return 3 N minus the constraints; the Langevin thermostat acts on the centre of mass too."""
    massive = sum(system.getParticleMass(index)._value > 0 for index in range(system.getNumParticles()))
    return 3 * massive - system.getNumConstraints()


def one_line(error: Exception) -> str:
    """Return the first sentence of a message."""
    return " ".join(str(error).split()).split(". ")[0][:200].rstrip(".") or type(error).__name__
