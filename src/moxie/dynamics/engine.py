"""A run with its thermostat: start it, continue it, and say what went wrong when it blows up."""

import copy
import logging
from typing import Any

import numpy as np

from moxie.dynamics.motion import Motion, one_line
from moxie.dynamics.platforms import PlatformChoice
from moxie.dynamics.protocol import WARM_UP_STEPS, RunSettings
from moxie.dynamics.relaxation import compress, relax
from moxie.dynamics.sampling import POSITIONS, VELOCITIES, Moment
from moxie.dynamics.systems import Model
from moxie.errors import InputError
from moxie.seeds import derive_seed

_WARM_UP_FRICTION_PER_PS = 5.0
_LONGEST_MOVE_NM = 0.1  # of one site in one step; thermal motion covers a hundredth of it


class Engine(Motion):
    """A Context of a model with its thermostat and, under NPT, its barostat.

    The random streams come from `seed` and `segment`, so a continued run does not repeat numbers that were drawn.
    """

    def __init__(self, model: Model, settings: RunSettings, platform: PlatformChoice, seed: int, segment: int):
        import openmm
        from openmm import unit

        self.settings, self._platform, self._seed = settings, platform, seed
        system = copy.deepcopy(model.system)
        if settings.ensemble == "NPT":
            barostat = openmm.MonteCarloBarostat(
                settings.pressure_bar * unit.bar, settings.temperature_K * unit.kelvin, settings.barostat_interval
            )
            barostat.setRandomNumberSeed(derive_seed(seed, "barostat", segment=segment))
            system.addForce(barostat)
        integrator = _thermostat(settings, settings.friction_per_ps, settings.timestep_fs)
        integrator.setRandomNumberSeed(derive_seed(seed, "thermostat", segment=segment))
        super().__init__(model, platform.context(system, integrator), settings.timestep_fs)
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
                f"The box blew up during the warm-up ({one_line(error)}). Pack it at a lower density_g_cm3, or check"
                " the parameters of the force field."
            ) from None
        self.context.setPeriodicBoxVectors(*state.getPeriodicBoxVectors())
        self.context.setPositions(state.getPositions(asNumpy=True))
        self.context.setVelocities(state.getVelocities(asNumpy=True))
        self.keep(0, self.context.getState(positions=True, velocities=True))

    def resume(self, step: int, state: str, checkpoint: bytes, log: logging.Logger) -> None:
        """Continue after `step`: from the binary checkpoint, or from the portable state without one that loads."""
        if checkpoint and self._load(checkpoint, log):
            self.step = self.sound_step = step
        else:
            super().resume(step, state, b"", log)
        self.keep(step, self.context.getState(positions=True, velocities=True))

    def save(self) -> tuple[str, bytes]:
        """Return the portable state (XML) and the binary checkpoint, which holds the random streams."""
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
            log.info("the binary checkpoint does not load (%s); continuing from its portable state", one_line(error))
            return False

    def keep(self, step: int, state: Any) -> None:
        """Keep a state, of finite positions and velocities, as the last good one."""
        self._good = (step, state)

    def explain(self, error: Exception) -> str:
        """Return what went wrong, with the sites concerned, and what to do."""
        text, cause = super().explain(error), one_line(error).lower()
        if "cutoff" in cause or "box" in cause:
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


def _thermostat(settings: RunSettings, friction_per_ps: float, timestep_fs: float) -> Any:
    import openmm

    integrator = openmm.LangevinMiddleIntegrator(settings.temperature_K, friction_per_ps, timestep_fs / 1000)
    integrator.setConstraintTolerance(1e-6)
    return integrator


class LastGood:
    """Keeps the state of an engine from time to time, so that a failure can be traced from there."""

    needs = frozenset({POSITIONS, VELOCITIES})

    def __init__(self, engine: Engine, interval: int):
        self.interval, self._engine = interval, engine

    def record(self, moment: Moment) -> None:
        """Keep the state."""
        self._engine.keep(moment.step, moment.state)
