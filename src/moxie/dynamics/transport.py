"""Legs at constant energy for transport coefficients: true masses, no thermostat, the stress sampled on the way.

A thermostat that acts on every site damps the collective motion that viscosity and diffusion measure. So each leg
starts from a frame of the equilibrated run, at the run's mean density, is thermalised with velocities of its own, gets
the mean energy of the temperature, and goes on without a thermostat. That energy is the run's mean potential energy and
f kT / 2, less what a leapfrog trajectory of this temperature lacks at its steps: a harmonic mode has kT (1 - (w dt)^2 /
24) there, which is the third of the excess of the kinetic energy between the steps over that at them
(`motion.leapfrog_temperature_K`).
"""

import logging
import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from moxie.constants import GAS_CONSTANT_KJ_MOL_K
from moxie.dynamics.checkpoints import Checkpoints, SegmentWriter, concatenate
from moxie.dynamics.execution import Execution, Outputs
from moxie.dynamics.force_fields import load_force_field
from moxie.dynamics.motion import ConstantEnergy, Motion, degrees_of_freedom, leapfrog_temperature_K, one_line
from moxie.dynamics.platforms import PlatformChoice, choose_platform
from moxie.dynamics.precision import FIRST_CHECK
from moxie.dynamics.protocol import RunSettings, check_timestep
from moxie.dynamics.recorders import Trajectory
from moxie.dynamics.relaxation import scale_molecules
from moxie.dynamics.sampling import ENERGY, POSITIONS, VELOCITIES, Moment, sample
from moxie.dynamics.series import as_columns, write_series
from moxie.dynamics.stress import COMPONENTS, MolecularCentres, MolecularStress
from moxie.dynamics.systems import Model, build_model
from moxie.errors import InputError
from moxie.io import read_json, replace_when_complete, sha256, write_json
from moxie.job import Progress
from moxie.seeds import derive_seed
from moxie.trajectories import Frames

LEG = {
    "time_ps": "ps",
    "potential_energy_kJ_mol": "kJ/mol",
    "kinetic_energy_kJ_mol": "kJ/mol",
    "temperature_K": "K",
    **dict.fromkeys(COMPONENTS, "bar"),
}
_LARGEST_DRIFT = 0.02  # of the total energy over a leg, in units of the kinetic energy
_BEYOND_BOUNDS = 100.0  # times the kinetic energy: not out of equilibrium, but blown up
_FEWEST_FRAMES = 40  # as moxie.features.diffusion needs
_LATER_PS = 2e-3  # the frame at the end of the equilibration is the last of it
_DEFAULT_STEP_FS = {"none": 1.0, "h_bonds": 2.0, "all_bonds": 2.0}


@dataclass(frozen=True)
class TransportSettings:
    """How a leg goes; the state point is that of the run it starts from. Every field is part of the digest."""

    legs: int = 4
    length_ps: float = 50.0
    thermalisation_ps: float = 5.0
    timestep_fs: float | None = None  # 2 fs with rigid bonds, 1 fs with flexible ones
    frame_interval_ps: float = 0.1
    stress_interval_fs: float = 20.0


def check_transport(name: str, settings: TransportSettings, run: RunSettings) -> None:
    """Raise InputError, beginning with `dynamics.systems.NAME.transport`, for legs that could not be run as asked."""
    try:
        timestep_fs = _timestep_fs(settings, run.force_field)
        sampled_ps, wish = run.sampling_ps, "a longer sampling_ps"
        if run.precision:  # it may end with the first look at its errors
            sampled_ps, wish = min(sampled_ps, FIRST_CHECK * run.sample_interval_ps), "no precision"
        frames = int(sampled_ps / run.frame_interval_ps + 1e-9)
        if not timestep_fs <= settings.stress_interval_fs <= 1000 * settings.frame_interval_ps:
            raise InputError(
                f"the time step ({timestep_fs:g} fs), stress_interval_fs ({settings.stress_interval_fs:g}) and"
                f" frame_interval_ps ({settings.frame_interval_ps:g}) must not decrease in this order."
            )
        if settings.length_ps < _FEWEST_FRAMES * settings.frame_interval_ps:
            raise InputError(
                f"length_ps is {settings.length_ps:g}; at least {_FEWEST_FRAMES} frames"
                f" ({_FEWEST_FRAMES * settings.frame_interval_ps:g} ps) are needed for a diffusion coefficient."
            )
        if frames < settings.legs:
            raise InputError(
                f"{settings.legs} legs need as many frames of the run to start from, and {frames} are sure of it"
                f" ({sampled_ps:g} ps). Use fewer legs, or {wish}."
            )
    except InputError as error:
        raise InputError(f"dynamics.systems.{name}.transport: {error}") from None


def simulate_transport(
    start: Outputs,
    outputs: Outputs,
    settings: TransportSettings,
    *,
    leg: int,
    seed: int,
    execution: Execution,
) -> dict[str, Any]:
    """Simulate one leg at constant energy and return what its run.json holds.

    `start` are the files of the equilibrated run. The time series has a row at every stress interval: energies and five
    components of the molecular pressure tensor (`moxie.dynamics.stress`). The trajectory holds positions that never
    jump across the box. A leg that was killed continues from `execution.checkpoint_dir`. Raises InputError for files
    that do not belong together, and for a leg whose energy drifts.
    """
    log = execution.log
    origin = read_json(start.run)
    timestep_fs = _timestep_fs(settings, origin["settings"]["force_field"])
    series = _stationary_series(start, origin)
    positions, edge_nm = _starting_point(start, origin, series, leg, settings.legs)
    model = _true_mass_model(origin, edge_nm)
    choice = choose_platform(model.system, positions, execution.platform, execution.threads, log)
    files = {name: sha256(getattr(start, name)) for name in ("timeseries", "trajectory")}
    dependencies = {
        "settings": asdict(settings), "origin": origin["settings"], "leg": leg, "seed": seed, "start": files,
        "force_field": sha256(model.force_field.path),
    }  # fmt: skip
    checkpoints = Checkpoints(execution.checkpoint_dir, dependencies, log)
    segments = checkpoints.open()
    run = _Leg(model, choice, timestep_fs)
    if segments:
        run.resume(segments[-1].last_step, *segments[-1].state(choice.made_by, log), log)
        log.info("continuing at %.1f ps, after segment %d", run.time_ps, segments[-1].index)
    else:
        thermalisation_steps = round(1000 * settings.thermalisation_ps / timestep_fs)
        run.start(positions, origin, _target_energy(series, origin, model), thermalisation_steps, seed)
    begin = time.process_time()
    steps = _Steps.of(settings, timestep_fs)
    writer = SegmentWriter(
        checkpoints, segments, execution.checkpoint_interval_s, model.topology, timestep_fs, steps.frame
    )
    progress = Progress(log, steps.total * timestep_fs / 1000, "ps", run.time_ps)
    recorders = (_LegSeries(run, writer, steps.sample, progress), Trajectory(writer, steps.frame))
    sample(run, recorders, lambda: run.step >= steps.total, writer, lambda: choice.made_by)
    rows = np.concatenate([segment.samples for segment in segments])
    facts = {
        "system": origin["system"], "replica": origin["replica"], "leg": leg, "seed": seed,
        "transport": asdict(settings) | {"timestep_fs": timestep_fs}, "settings": origin["settings"],
        "components": _components(model, origin), "force_field": model.force_field.name,
        "force_field_sha256": dependencies["force_field"], "edge_nm": edge_nm,
        "platform": choice.name, "precision": choice.precision, "production_cpu_s": time.process_time() - begin,
        **_conservation(as_columns(rows, LEG), run.degrees),
    }  # fmt: skip
    _check_conservation(facts, origin["system"], timestep_fs, log)
    _write(rows, [segment.frames for segment in segments], outputs, facts)
    return facts


@dataclass(frozen=True)
class _Steps:
    """The steps between two rows and two frames of a leg, and of all of it."""

    sample: int
    frame: int
    total: int

    @classmethod
    def of(cls, settings: TransportSettings, timestep_fs: float) -> "_Steps":
        each = max(1, round(settings.stress_interval_fs / timestep_fs))
        frame = max(1, round(1000 * settings.frame_interval_ps / timestep_fs / each))
        total = max(1, round(1000 * settings.length_ps / timestep_fs / each))
        return cls(each, each * frame, each * total)


class _Leg(ConstantEnergy):
    """The motion of a leg: thermalised, without total momentum, at the energy of the temperature."""

    def __init__(self, model: Model, choice: PlatformChoice, timestep_fs: float):
        super().__init__(model, choice, timestep_fs)
        self.choice = choice
        self.degrees = degrees_of_freedom(model.system) - 3  # the total momentum is zero
        self._centres = MolecularCentres(model.system, model.molecules)
        self._masses_amu = np.array(
            [model.system.getParticleMass(i)._value for i in range(model.system.getNumParticles())]
        )

    def start(
        self, positions_nm: np.ndarray, origin: dict[str, Any], energy_kJ_mol: float, thermalisation_steps: int,
        seed: int,
    ) -> None:  # fmt: skip
        """Thermalise, remove the total momentum, and scale the velocities to the energy of the temperature."""
        import openmm

        temperature_K = origin["settings"]["temperature_K"]
        thermostat = openmm.LangevinMiddleIntegrator(temperature_K, 1.0, self.timestep_fs / 1000)
        thermostat.setConstraintTolerance(self.tolerance)
        thermostat.setRandomNumberSeed(derive_seed(seed, "thermostat"))
        warm = Motion(self.model, self.choice.context(self.model.system, thermostat), self.timestep_fs)
        warm.context.setPositions(positions_nm)
        warm.context.applyConstraints(self.tolerance)
        warm.context.setVelocitiesToTemperature(temperature_K, derive_seed(seed, "velocities"))
        try:
            warm.advance(thermalisation_steps)
            state = warm.state(positions=True, velocities=True, energy=True)
        except InputError as error:
            raise InputError(self.explain(error)) from None
        self.context.setPositions(state.getPositions(asNumpy=True))
        velocities = state.getVelocities(asNumpy=True)._value
        velocities = velocities - np.average(self._centres.of(velocities), axis=0, weights=self._centres.masses_amu)
        self.context.setVelocities(velocities)
        kinetic = _Quadratic.through([self._at_step_kJ_mol(factor * velocities) for factor in (-1, 0, 1)])
        wanted = energy_kJ_mol - state.getPotentialEnergy()._value - kinetic.constant / 3
        expected = 0.5 * self.degrees * GAS_CONSTANT_KJ_MOL_K * temperature_K
        if abs(wanted) > _BEYOND_BOUNDS * expected:
            raise InputError(self.explain(FloatingPointError("its energy left all bounds")))
        if not 0.5 * expected < wanted < 1.5 * expected:
            raise InputError(
                f"{origin['system']} at {temperature_K:g} K is not in equilibrium after thermalisation_ps: its"
                f" potential energy is off the mean of the run by {expected - wanted:.0f} kJ/mol, at a kinetic energy"
                f" of {expected:.0f} kJ/mol. Use a longer thermalisation_ps, or a longer equilibration_ps of the run."
            )
        self.context.setVelocities(kinetic.larger_root(wanted) * velocities)

    def kinetic_kJ_mol(self, velocities_nm_ps: np.ndarray) -> float:
        """Return the kinetic energy of velocities, shape (n_sites, 3)."""
        return 0.5 * float(self._masses_amu @ (velocities_nm_ps**2).sum(axis=1))

    def _at_step_kJ_mol(self, velocities_nm_ps: np.ndarray) -> float:
        """Return the kinetic energy at the step, velocities being those of half a step before.

        Of velocities of zero it is that which the forces of half a step give, sum F^2 dt^2 / 8 m: by so much the mean
        kinetic energy between the steps exceeds that at them; of a harmonic mode kT/2 (w dt)^2 / 4, on average.
        """
        self.context.setVelocities(velocities_nm_ps)
        return self.context.getState(energy=True).getKineticEnergy()._value

    def explain(self, error: Exception) -> str:
        """Return what went wrong, and what to do."""
        time_ps = self.sound_step * self.timestep_fs / 1000
        return (
            f"A leg of transport blew up after {time_ps:g} ps ({one_line(error)}). Use a transport.timestep_fs below"
            f" {self.timestep_fs:g}; what was committed before stays in the checkpoints."
        )


@dataclass(frozen=True)
class _Quadratic:
    """A polynomial of second degree."""

    square: float
    linear: float
    constant: float

    @classmethod
    def through(cls, values: Sequence[float]) -> "_Quadratic":
        """Return the one with these values at -1, 0 and 1."""
        behind, here, ahead = values
        return cls((ahead + behind) / 2 - here, (ahead - behind) / 2, here)

    def larger_root(self, value: float) -> float:
        """Return the larger place at which it has a value."""
        return (-self.linear + math.sqrt(self.linear**2 + 4 * self.square * (value - self.constant))) / (
            2 * self.square
        )


class _LegSeries:
    """The time series of a leg, with the stress in a Context of its own."""

    needs = frozenset({ENERGY, POSITIONS, VELOCITIES})

    def __init__(self, run: _Leg, writer: SegmentWriter, interval: int, say: Progress):
        self.interval, self._writer, self._run, self._say = interval, writer, run, say
        self._stress = MolecularStress(run.model.system, run.model.molecules, run.choice)

    def record(self, moment: Moment) -> None:
        """Add a row."""
        velocities = moment.velocities_nm_ps
        pressures = self._stress.pressures_bar(moment.positions_nm, velocities, moment.vectors_nm)
        before = self._run.kinetic_kJ_mol(velocities)
        temperature_K = leapfrog_temperature_K(moment.kinetic_kJ_mol, before, self._run.degrees)
        self._writer.add([moment.time_ps, moment.potential_kJ_mol, moment.kinetic_kJ_mol, temperature_K, *pressures])
        self._say.update(moment.time_ps, f"{temperature_K:.0f} K")


def _starting_point(
    start: Outputs, origin: dict[str, Any], series: Any, leg: int, legs: int
) -> tuple[np.ndarray, float]:
    """Return positions from the frame of this leg, scaled to the mean density of the run, and the edge of the box."""
    edge_nm = float(np.cbrt(series["volume_nm3"].mean()))
    sizes = [len(component["site_atoms"]) for component in origin["components"] for _ in range(component["count"])]
    settings = RunSettings(**origin["settings"])
    begin_ps, end_ps = settings.equilibration_ps + _LATER_PS, float(series["time_ps"].iloc[-1])
    frames = list(Frames(start.trajectory, sum(sizes), begin_ps, end_ps, settings.frame_interval_ps))
    if len(frames) < legs:
        raise InputError(
            f"{start.trajectory} has {len(frames)} frames after the equilibration; {legs} legs need as many to start"
            " from. Use fewer transport.legs, or a longer sampling_ps."
        )
    positions_A, box_A = frames[round((leg + 1) * len(frames) / legs) - 1]
    molecules = tuple(np.split(np.arange(len(positions_A)), np.cumsum(sizes)[:-1]))
    return scale_molecules(positions_A.astype(float) / 10, molecules, 10 * edge_nm / float(box_A[0])), edge_nm


def _stationary_series(start: Outputs, origin: dict[str, Any]) -> Any:
    import pandas as pd

    series = pd.read_parquet(start.timeseries)
    return series[series["time_ps"] > origin["settings"]["equilibration_ps"]]


def _target_energy(series: Any, origin: dict[str, Any], model: Model) -> float:
    """Return the mean total energy at the temperature: the run's potential energy and equipartition, in kJ/mol."""
    degrees = degrees_of_freedom(model.system) - 3
    kinetic = 0.5 * degrees * GAS_CONSTANT_KJ_MOL_K * origin["settings"]["temperature_K"]
    return float(series["potential_energy_kJ_mol"].mean()) + kinetic


def _true_mass_model(origin: dict[str, Any], edge_nm: float) -> Model:
    settings, components = origin["settings"], origin["components"]
    return build_model(
        {component["name"]: component["count"] for component in components},
        {component["name"]: component["smiles"] for component in components},
        settings["force_field"],
        edge_nm=edge_nm,
        cutoff_nm=settings["cutoff_nm"],
        pme_tolerance=settings["pme_tolerance"],
        hydrogen_mass_amu=None,
    )


def _timestep_fs(settings: TransportSettings, name: str) -> float:
    force_field = load_force_field(name)
    timestep_fs = settings.timestep_fs or _DEFAULT_STEP_FS[force_field.constraints]
    check_timestep(timestep_fs, None, force_field)
    return timestep_fs


def _components(model: Model, origin: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the components with the masses of their sites."""
    firsts = np.cumsum([0, *(component["count"] for component in origin["components"])])[:-1]
    return [
        {**component, "site_masses_amu": [model.system.getParticleMass(int(i))._value for i in model.molecules[first]]}
        for component, first in zip(origin["components"], firsts, strict=True)
    ]


def _conservation(leg: Mapping[str, np.ndarray], degrees: int) -> dict[str, float]:
    """Return the drift of the total energy and the mean temperature of a leg."""
    time_ps, kinetic = leg["time_ps"], leg["kinetic_energy_kJ_mol"]
    total = leg["potential_energy_kJ_mol"] + kinetic
    slope = float(np.polyfit(time_ps, total, 1)[0]) if len(total) > 2 else 0.0
    return {
        "mean_temperature_K": float(leg["temperature_K"].mean()),
        "energy_drift_kJ_mol_ns_per_degree": 1000 * slope / degrees,
        "energy_drift_fraction": slope * float(time_ps[-1] - time_ps[0]) / float(kinetic.mean()),
    }


def _check_conservation(facts: dict[str, Any], system: str, timestep_fs: float, log: logging.Logger) -> None:
    drift, temperature = facts["energy_drift_fraction"], facts["settings"]["temperature_K"]
    if abs(drift) > _LARGEST_DRIFT:
        raise InputError(
            f"{system} at {temperature:g} K: the total energy drifts by {drift:.1%} of the kinetic energy over one leg;"
            f" at most {_LARGEST_DRIFT:.0%} is allowed. Use a transport.timestep_fs below {timestep_fs:g}, a smaller"
            " dynamics.protocol.pme_tolerance, or shorter legs."
        )
    log.info(
        "%s leg %d: %.1f K (wanted %.1f), energy drift %+.3f kJ/mol/ns per degree of freedom",
        system, facts["leg"], facts["mean_temperature_K"], temperature, facts["energy_drift_kJ_mol_ns_per_degree"],
    )  # fmt: skip


def _write(rows: np.ndarray, frames: list[Path], outputs: Outputs, facts: dict[str, Any]) -> None:
    write_series(rows, outputs.timeseries, LEG)
    with replace_when_complete(outputs.trajectory) as partial:
        concatenate(frames, partial)
    write_json(outputs.run, facts)
