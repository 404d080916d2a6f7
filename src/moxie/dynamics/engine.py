"""One running OpenMM simulation: start it, continue it, sample it, and say what went wrong when it blows up."""

import copy
import logging
from dataclasses import dataclass
from typing import Any

import numpy as np

from moxie.dynamics.platforms import PlatformChoice
from moxie.dynamics.protocol import BOLTZMANN_KJ_MOL_K, G_CM3_PER_AMU_NM3, WARM_UP_STEPS, Settings
from moxie.dynamics.relaxation import compress, relax
from moxie.dynamics.systems import Model
from moxie.errors import InputError
from moxie.seeds import derive_seed

_WARM_UP_FRICTION_PER_PS = 5.0
_LONGEST_MOVE_NM = 0.1  # of one site in one step; thermal motion covers a hundredth of it


@dataclass(frozen=True)
class Sample:
    """One row of the time series."""

    step: int
    time_ps: float
    potential_energy_kJ_mol: float
    temperature_K: float
    volume_nm3: float
    density_g_cm3: float
    dipole_e_nm: tuple[float, float, float]  # of the whole box, molecules unwrapped

    def row(self) -> list[float]:
        """Return the eight numbers of a row: time, potential energy, temperature, volume, density, dipole moment."""
        return [
            self.time_ps, self.potential_energy_kJ_mol, self.temperature_K, self.volume_nm3, self.density_g_cm3,
            *self.dipole_e_nm,
        ]  # fmt: skip


class Engine:
    """A Context of a model with its thermostat and, under NPT, its barostat.

    The random streams come from `seed` and `segment`, so a continued run does not repeat numbers that were drawn.
    """

    def __init__(self, model: Model, settings: Settings, platform: PlatformChoice, seed: int, segment: int):
        import openmm
        from openmm import unit

        self.model, self.settings, self._platform, self._seed = model, settings, platform, seed
        system = copy.deepcopy(model.system)
        if settings.ensemble == "NPT":
            barostat = openmm.MonteCarloBarostat(
                settings.pressure_bar * unit.bar, settings.temperature_K * unit.kelvin, settings.barostat_interval
            )
            barostat.setRandomNumberSeed(derive_seed(seed, "barostat", segment=segment))
            system.addForce(barostat)
        self.integrator = _thermostat(settings, settings.friction_per_ps, settings.timestep_fs)
        self.integrator.setRandomNumberSeed(derive_seed(seed, "thermostat", segment=segment))
        self.context = platform.context(system, self.integrator)
        self.step = 0
        self._degrees = degrees_of_freedom(system)
        self._charges_e = site_charges_e(system)
        self._good: tuple[int, Any] | None = None

    def start(self, positions_nm: np.ndarray, edge_nm: float, log: logging.Logger) -> None:
        """Warm up from packed positions: relax, compress to `edge_nm`, and lengthen the time step stage by stage."""
        integrator = _thermostat(self.settings, _WARM_UP_FRICTION_PER_PS, self.settings.warm_up_fs[0])
        integrator.setRandomNumberSeed(derive_seed(self._seed, "warm_up"))
        context = self._platform.context(self.model.system, integrator)
        context.setPositions(positions_nm)
        try:
            log.debug("relaxed to %.1f kJ/mol", relax(context))
            context.setVelocitiesToTemperature(self.settings.temperature_K, derive_seed(self._seed, "velocities"))
            integrator.step(WARM_UP_STEPS // 2)
            compress(context, self.model, edge_nm, log)
            for timestep_fs in self.settings.warm_up_fs:
                integrator.setStepSize(timestep_fs / 1000)
                integrator.step(WARM_UP_STEPS)
            state = context.getState(positions=True, velocities=True, energy=True)
        except Exception as error:
            raise InputError(
                f"The box blew up during the warm-up ({_one_line(error)}). Pack it at a lower density_g_cm3, or check"
                " the parameters of the force field."
            ) from None
        self.context.setPeriodicBoxVectors(*state.getPeriodicBoxVectors())
        self.context.setPositions(state.getPositions(asNumpy=True))
        self.context.setVelocities(state.getVelocities(asNumpy=True))
        self._keep(self.context.getState(positions=True, velocities=True))

    def resume(self, step: int, state: str, checkpoint: bytes, log: logging.Logger) -> None:
        """Continue after `step`: from the binary checkpoint, or from the portable state without one that loads."""
        import openmm

        if not (checkpoint and self._load(checkpoint, log)):
            self.context.setState(openmm.XmlSerializer.deserialize(state))
        self.step = step
        self._keep(self.context.getState(positions=True, velocities=True))

    def advance(self, with_positions: bool) -> tuple[Sample, np.ndarray | None, np.ndarray]:
        """Go on by one sample interval; return the sample, the positions where asked for, and the edges of the box.

        Raises InputError with the step and the sites concerned when energies or positions are no longer finite.
        """
        settings = self.settings
        try:
            self.integrator.step(settings.sample_steps)
            state = self.context.getState(energy=True, positions=True, velocities=with_positions)
            energy = state.getPotentialEnergy()._value
            kinetic = state.getKineticEnergy()._value
            if not (np.isfinite(energy) and np.isfinite(kinetic)):
                raise FloatingPointError("the energy is not finite")
        except Exception as error:
            raise InputError(self._explain(error)) from None
        self.step += settings.sample_steps
        volume = state.getPeriodicBoxVolume()._value
        positions = state.getPositions(asNumpy=True)._value
        x, y, z = (self._charges_e @ positions).tolist()
        sample = Sample(
            self.step,
            self.step * settings.timestep_fs / 1000,
            energy,
            2 * kinetic / (self._degrees * BOLTZMANN_KJ_MOL_K),
            volume,
            self.model.mass_g_mol / volume * G_CM3_PER_AMU_NM3,
            (x, y, z),
        )
        if with_positions:
            self._keep(state)
        return sample, positions if with_positions else None, state.getPeriodicBoxVectors(asNumpy=True)._value

    def save(self) -> tuple[str, bytes]:
        """Return the portable state (XML) and the binary checkpoint."""
        import openmm

        state = self.context.getState(positions=True, velocities=True, parameters=True, integratorParameters=True)
        return openmm.XmlSerializer.serialize(state), self.context.createCheckpoint()

    def last_good_state(self) -> str | None:
        """Return the last state with finite positions, as XML."""
        import openmm

        return None if self._good is None else openmm.XmlSerializer.serialize(self._good[1])

    def _load(self, checkpoint: bytes, log: logging.Logger) -> bool:
        import openmm

        try:
            self.context.loadCheckpoint(checkpoint)
            return True
        except openmm.OpenMMException as error:
            log.info("the binary checkpoint does not load (%s); continuing from its portable state", _one_line(error))
            return False

    def _keep(self, state: Any) -> None:
        self._good = (self.step, state)

    def _explain(self, error: Exception) -> str:
        cause = _one_line(error)
        time_ps = self.step * self.settings.timestep_fs / 1000
        text = f"The simulation failed after step {self.step} ({time_ps:g} ps): {cause}."
        if "cutoff" in cause.lower() or "box" in cause.lower():
            return text + " The box shrank below twice cutoff_nm: use more molecules or a shorter cut-off."
        where = self._trace()
        return text + where + (
            f" Use a timestep_fs below {self.settings.timestep_fs:g}, a longer"
            " equilibration, or check the force field."
        )  # fmt: skip

    def _trace(self) -> str:
        """Repeat the steps from the last good state one by one and name the sites that leave first."""
        if self._good is None:
            return ""
        step, state = self._good
        try:
            self.context.setPeriodicBoxVectors(*state.getPeriodicBoxVectors())
            self.context.setPositions(state.getPositions(asNumpy=True))
            self.context.setVelocities(state.getVelocities(asNumpy=True))
            before = state.getPositions(asNumpy=True)._value
            for number in range(1, self.settings.samples_per_frame * self.settings.sample_steps + 1):
                try:
                    self.integrator.step(1)
                finally:
                    after = self.context.getState(positions=True).getPositions(asNumpy=True)._value
                bad = ~(np.sqrt(((after - before) ** 2).sum(axis=1)) < _LONGEST_MOVE_NM)
                if bad.any():
                    return f" From step {step + number} on, these sites move too fast: {self._names(bad)}."
                before = after
        except Exception:  # the cause is already known; this only adds where
            return ""
        return ""

    def _names(self, chosen: np.ndarray, most: int = 6) -> str:
        atoms = list(self.model.topology.atoms())
        names = {index: sites.name for index, (sites, _) in enumerate(self.model.components)}
        texts = []
        for index in np.flatnonzero(chosen)[:most]:
            residue = atoms[index].residue
            texts.append(f"{atoms[index].name} of {names[residue.chain.index]} {residue.index}")
        rest = int(chosen.sum()) - len(texts)
        return ", ".join(texts) + (f" and {rest} more" if rest > 0 else "")


def degrees_of_freedom(system: Any) -> int:
    """Return 3 N minus the constraints; the Langevin thermostat acts on the centre of mass too."""
    massive = sum(system.getParticleMass(index)._value > 0 for index in range(system.getNumParticles()))
    return 3 * massive - system.getNumConstraints()


def site_charges_e(system: Any) -> np.ndarray:
    """Return the charges of all sites, shape (n_sites,)."""
    import openmm

    force = next(force for force in system.getForces() if isinstance(force, openmm.NonbondedForce))
    return np.array([force.getParticleParameters(index)[0]._value for index in range(force.getNumParticles())])


def _thermostat(settings: Settings, friction_per_ps: float, timestep_fs: float) -> Any:
    import openmm

    integrator = openmm.LangevinMiddleIntegrator(settings.temperature_K, friction_per_ps, timestep_fs / 1000)
    integrator.setConstraintTolerance(1e-6)
    return integrator


def _one_line(error: Exception) -> str:
    """Return the first sentence of a message."""
    return " ".join(str(error).split()).split(". ")[0][:200].rstrip(".") or type(error).__name__
