"""One point of a study of settings: a short run with one time step, hydrogen mass, size and cut-off, and its results.

Each point is packed, equilibrated and sampled at constant pressure, and then goes on without a thermostat. A point that
blows up is a result too. Both parts are one chain of checkpoints; the facts of a segment say which part it belongs to.
"""

import logging
import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from moxie.constants import GAS_CONSTANT_KJ_MOL_K
from moxie.dynamics.checkpoints import Checkpoints, Segment, SegmentWriter
from moxie.dynamics.energy_drift import drift_of
from moxie.dynamics.engine import Engine, LastGood
from moxie.dynamics.execution import Execution
from moxie.dynamics.force_fields import load_force_field
from moxie.dynamics.motion import ConstantEnergy, degrees_of_freedom, one_line
from moxie.dynamics.platforms import PlatformChoice, choose_platform
from moxie.dynamics.preflight import check_run
from moxie.dynamics.protocol import RunSettings, longest_timestep_fs
from moxie.dynamics.recorders import Sampler, ns_per_day
from moxie.dynamics.sampling import ENERGY, POSITIONS, Moment, sample
from moxie.dynamics.series import as_columns
from moxie.dynamics.simulation import periodic_model, target_edge_nm
from moxie.dynamics.stress import MolecularCentres
from moxie.dynamics.systems import Model, site_positions_nm
from moxie.errors import InputError
from moxie.io import sha256
from moxie.job import Progress
from moxie.seeds import derive_seed
from moxie.structures.boxes import Box
from moxie.timeseries import FEWEST_SAMPLES, NO_MEAN, Mean, jackknife_mean, mean_of

_DISPLACEMENT_NM = 2e-4
_ENERGY_INTERVAL_PS = 0.05
_SAMPLING, _CONSERVING = "constant pressure", "constant energy"  # the parts of a point
_SAMPLED = dict.fromkeys(("density_g_cm3", "temperature_K", "squared_forces", "curvature"), "")
_BEYOND = 2.0  # how far a study may go past the longest time step of a run


@dataclass(frozen=True)
class Point:
    """The settings that a point varies."""

    timestep_fs: float
    hydrogen_mass_amu: float | None
    n_molecules: int
    cutoff_nm: float

    @property
    def label(self) -> str:
        """Return the name of the point in paths."""
        mass = "true" if self.hydrogen_mass_amu is None else f"{self.hydrogen_mass_amu:g}"
        return f"dt{self.timestep_fs:g}_m{mass}_n{self.n_molecules}_rc{self.cutoff_nm:g}"

    def of(self, settings: RunSettings) -> RunSettings:
        """Return the settings of a run with those of the point in their place."""
        return replace(
            settings, timestep_fs=self.timestep_fs, hydrogen_mass_amu=self.hydrogen_mass_amu, cutoff_nm=self.cutoff_nm
        )


def points(
    base: Point,
    timesteps_fs: list[float],
    hydrogen_masses_amu: list[float | None],
    molecules: list[int],
    cutoffs_nm: list[float],
) -> list[Point]:
    """Return the points of a study, each once, `base` first.

    Every time step with every hydrogen mass in the system's own box; every size with the system's own cut-off; every
    cut-off in the largest box.
    """
    largest = max([base.n_molecules, *molecules])
    steps = [replace(base, timestep_fs=t, hydrogen_mass_amu=m) for t in timesteps_fs for m in hydrogen_masses_amu]
    sizes = [replace(base, n_molecules=n) for n in (*molecules, largest)]
    cutoffs = [replace(base, n_molecules=largest, cutoff_nm=rc) for rc in cutoffs_nm]
    return list(dict.fromkeys([base, *steps, *sizes, *cutoffs]))


def scaled_composition(composition: Mapping[str, int], n_molecules: int) -> dict[str, int]:
    """Return a composition with another number of molecules; raises InputError where that gives fractions."""
    total = sum(composition.values())
    if any(count * n_molecules % total for count in composition.values()):
        step = total // math.gcd(*composition.values())
        raise InputError(
            f"{n_molecules} molecules cannot have the composition {dict(composition)}. Use multiples of {step}."
        )
    return {name: count * n_molecules // total for name, count in composition.items()}


def check_point(
    point: Point, composition: Mapping[str, int], smiles: Mapping[str, str], settings: RunSettings, nve_ps: float
) -> None:
    """Raise InputError, beginning with `dynamics.settings_study`, for a point that could not be run as asked.

    Time steps up to twice the longest that a run may have are allowed here, so that the study can show what they do.
    """
    try:
        allowed = longest_timestep_fs(point.hydrogen_mass_amu, load_force_field(settings.force_field))
        if point.timestep_fs > _BEYOND * allowed:
            raise InputError(
                f"a time step of {point.timestep_fs:g} fs is more than twice the {allowed:g} fs that a run may have."
                " Use shorter ones in timesteps_fs."
            )
        if settings.ensemble != "NPT":
            raise InputError(f"its ensemble is {settings.ensemble}; a density to judge by needs NPT.")
        if nve_ps < FEWEST_SAMPLES * _ENERGY_INTERVAL_PS:
            raise InputError(f"nve_ps is {nve_ps:g}; at least {FEWEST_SAMPLES * _ENERGY_INTERVAL_PS:g} are needed.")
        within = replace(point.of(settings), timestep_fs=min(point.timestep_fs, allowed))
        check_run("", scaled_composition(composition, point.n_molecules), smiles, within)
    except InputError as error:
        text = str(error).removeprefix("dynamics.systems.: ")
        raise InputError(
            f"dynamics.settings_study, {point.n_molecules} molecules with a cut-off of {point.cutoff_nm:g} nm: {text}"
        ) from None


def simulate_point(
    packed: Box,
    settings: RunSettings,
    nve_ps: float,
    *,
    system: str,
    seed: int,
    execution: Execution,
) -> dict[str, Any]:
    """Simulate one point and return its row of the table `settings_study`.

    `settings.equilibration_ps` and `sampling_ps` at constant pressure, then `nve_ps` at constant energy (leapfrog
    Verlet) with the same masses and time step. Where the run blows up, `failure` says how and the observables are
    empty. A point that was killed continues from `execution.checkpoint_dir`, which the caller deletes once the row is
    kept. Raises InputError for a box or force field that cannot be used.
    """
    log = execution.log
    edge_nm = target_edge_nm(packed, settings, system)
    model = periodic_model(packed, settings)
    positions = site_positions_nm(model, packed)
    choice = choose_platform(model.system, positions, execution.platform, execution.threads, log)
    dependencies = {
        "settings": settings.as_dict(), "nve_ps": nve_ps, "seed": seed, "composition": dict(packed.composition),
        "smiles": dict(packed.smiles), "force_field": sha256(model.force_field.path),
    }  # fmt: skip
    checkpoints = Checkpoints(execution.checkpoint_dir, dependencies, log)
    segments = checkpoints.open()
    writer = SegmentWriter(checkpoints, segments, execution.checkpoint_interval_s)
    row: dict[str, Any] = {
        "system": system, "force_field": model.force_field.name,
        "force_field_sha256": dependencies["force_field"], "temperature_K": settings.temperature_K,
        "pressure_bar": settings.pressure_bar, "timestep_fs": settings.timestep_fs,
        "hydrogen_mass_amu": settings.hydrogen_mass_amu, "n_molecules": model.n_molecules,
        "cutoff_nm": settings.cutoff_nm, "platform": choice.name, "precision": choice.precision,
        "sampled_ps": settings.sampling_ps, "nve_ps": nve_ps, "failure": "",
        **NO_MEAN.as_columns("density_g_cm3"), **NO_MEAN.as_columns("kinetic_temperature_K"),
        **NO_MEAN.as_columns("configurational_temperature_K"), "energy_drift_kJ_mol_ns": math.nan,
        "energy_drift_kJ_mol_ns_standard_error": math.nan, "ns_per_day": math.nan,
    }  # fmt: skip
    try:
        engine = Engine(model, settings, choice, seed, len(segments))
        if not segments:
            engine.start(positions, edge_nm, log)
        elif segments[-1].facts["part"] == _SAMPLING:
            engine.resume(segments[-1].last_step, *segments[-1].state(choice.made_by, log), log)
        if segments:
            time_ps = segments[-1].last_step * settings.timestep_fs / 1000
            log.info("continuing at %.1f ps of %s", time_ps, segments[-1].facts["part"])
        row |= _sampled(engine, segments, writer, choice, seed, execution.threads, log)
        row |= _conserved(engine, segments, writer, choice, nve_ps, log)
    except InputError as error:
        row["failure"] = str(error)
        log.warning("%s", error)
    return row


def configurational_temperature(squared_forces: np.ndarray, curvatures: np.ndarray) -> Mean:
    """Return <sum_m F_m^2> / (R <sum_m lap_m U>) in K, from series of both, shape (n,) each.

    F_m (kJ/mol/nm) is the force on molecule m and lap_m (kJ/mol/nm2) the Laplacian in the position of its centre at
    fixed orientation and shape. Constraints within molecules do not enter the measure of these positions, so that the
    ratio is the temperature of the sampled configurations with rigid bonds as well (Butler et al., J. Chem. Phys. 109,
    6519 (1998), for molecular coordinates).
    """
    columns = np.column_stack([squared_forces, curvatures])
    return jackknife_mean(columns, lambda rows: rows[:, 0].mean() / rows[:, 1].mean() / GAS_CONSTANT_KJ_MOL_K)


class _Curvature:
    """Forces on molecules and the curvature of the energy, in a Context of its own."""

    def __init__(self, model: Model, choice: PlatformChoice, seed: int):
        import openmm

        self._context = choice.context(model.system, openmm.VerletIntegrator(0.001))
        self._centres = MolecularCentres(model.system, model.molecules)
        self._first = np.array([sites[0] for sites in model.molecules])
        masses = np.array([model.system.getParticleMass(i)._value for i in range(model.system.getNumParticles())])
        self._massless = masses == 0  # OpenMM hands their forces on to the atoms, and lists them all the same
        self._random = np.random.default_rng(seed)

    def at(self, positions_nm: np.ndarray, vectors_nm: np.ndarray) -> tuple[float, float]:
        """Return sum_m F_m^2 and an unbiased estimate of sum_m lap_m U: v H v for a random v of entries +1 and -1.

        (Hutchinson, Commun. Stat. Simul. Comput. 18, 1059 (1989).)
        """
        self._context.setPeriodicBoxVectors(*vectors_nm)
        direction = self._random.choice([-1.0, 1.0], size=(len(self._first), 3))
        shift = _DISPLACEMENT_NM * self._centres.to_sites(direction)
        ahead, here, behind = (self._forces(positions_nm + sign * shift) for sign in (1.0, 0.0, -1.0))
        return float((here**2).sum()), float(((behind - ahead) * direction).sum()) / (2 * _DISPLACEMENT_NM)

    def _forces(self, positions_nm: np.ndarray) -> np.ndarray:
        self._context.setPositions(positions_nm)
        forces = self._context.getState(forces=True).getForces(asNumpy=True)._value
        forces[self._massless] = 0.0
        return np.add.reduceat(forces, self._first)


def _rows(segments: list[Segment], part: str) -> list[np.ndarray]:
    """Return the samples of one part of a point."""
    return [row for segment in segments if segment.facts["part"] == part for row in segment.samples]


class _PointSeries:
    """Density, temperature and, after the equilibration, what the configurational temperature is made of."""

    needs = frozenset({ENERGY, POSITIONS})

    def __init__(self, engine: Engine, curvature: _Curvature, writer: SegmentWriter, say: Progress):
        self.interval, self._say = engine.settings.sample_steps, say
        self._equilibration = engine.settings.equilibration_samples * self.interval
        self._sampler, self._curvature, self._writer = Sampler(engine.model), curvature, writer

    def record(self, moment: Moment) -> None:
        """Add a row."""
        found, forces = self._sampler.at(moment), (math.nan, math.nan)
        if moment.step > self._equilibration:
            forces = self._curvature.at(moment.positions_nm, moment.vectors_nm)
        self._writer.add([found.density_g_cm3, found.temperature_K, *forces])
        self._say.update(found.time_ps, f"{found.density_g_cm3:.4f} g/cm3")


def _sampled(
    engine: Engine, segments: list[Segment], writer: SegmentWriter, choice: PlatformChoice, seed: int, threads: int,
    log: logging.Logger,
) -> dict[str, float]:  # fmt: skip
    """Take the samples at constant pressure that are still missing, and return the means over all of them."""
    settings = engine.settings
    total_steps, total_ps = settings.total_samples * settings.sample_steps, settings.total_samples * settings.sample_ps
    before_s = max((segment.facts.get("used_s", 0.0) for segment in segments), default=0.0)

    def used_s() -> float:  # processor time on the CPU platform, where others may share it; else that of the clock
        return before_s + (engine.cpu_s / threads if choice.name == "CPU" else engine.wall_s)

    complete = len(_rows(segments, _SAMPLING)) == settings.total_samples
    curvature = _Curvature(engine.model, choice, derive_seed(seed, "curvature", segment=len(segments)))
    progress = Progress(log, total_ps, "ps", engine.time_ps)
    recorders = (_PointSeries(engine, curvature, writer, progress), LastGood(engine, settings.sample_steps))
    sample(
        engine, recorders, lambda: complete or engine.step >= total_steps, writer,
        lambda: choice.made_by | {"part": _SAMPLING, "used_s": used_s()},
    )  # fmt: skip
    series = as_columns(np.array(_rows(segments, _SAMPLING))[settings.equilibration_samples :], _SAMPLED)
    density = series["density_g_cm3"]
    if len(density) < FEWEST_SAMPLES:
        raise InputError(f"sampling_ps gives {len(density)} samples; at least {FEWEST_SAMPLES} are needed.")
    configurational = configurational_temperature(series["squared_forces"], series["curvature"])
    return {
        **mean_of(density).as_columns("density_g_cm3"),
        **mean_of(series["temperature_K"]).as_columns("kinetic_temperature_K"),
        **configurational.as_columns("configurational_temperature_K"),
        "ns_per_day": ns_per_day(total_ps, used_s()),
    }


class _Conserving(ConstantEnergy):
    def explain(self, error: Exception) -> str:
        return f"Without a thermostat the run failed: {one_line(error)}."


class _EnergySeries:
    """The total energy of a motion that should conserve it."""

    needs = frozenset({ENERGY})

    def __init__(self, interval: int, writer: SegmentWriter):
        self.interval, self._writer = interval, writer

    def record(self, moment: Moment) -> None:
        """Add a row."""
        self._writer.add([moment.potential_kJ_mol + moment.kinetic_kJ_mol])


def _conserved(
    engine: Engine, segments: list[Segment], writer: SegmentWriter, choice: PlatformChoice, nve_ps: float,
    log: logging.Logger,
) -> dict[str, float]:  # fmt: skip
    """Go on at constant energy and volume from where the engine is, and return the drift of the energy."""
    motion = _Conserving(engine.model, choice, engine.timestep_fs)
    if _rows(segments, _CONSERVING):
        motion.resume(segments[-1].last_step, *segments[-1].state(choice.made_by, log), log)
    else:
        state = engine.context.getState(positions=True, velocities=True)
        motion.context.setPeriodicBoxVectors(*state.getPeriodicBoxVectors())
        motion.context.setPositions(state.getPositions(asNumpy=True))
        motion.context.applyConstraints(motion.tolerance)
        motion.context.setVelocities(state.getVelocities(asNumpy=True))
        motion.context.applyVelocityConstraints(motion.tolerance)
    timestep_ps = motion.timestep_fs / 1000
    steps = max(1, round(_ENERGY_INTERVAL_PS / timestep_ps))
    total = steps * round(nve_ps / (steps * timestep_ps))
    facts = choice.made_by | {"part": _CONSERVING}
    sample(motion, [_EnergySeries(steps, writer)], lambda: motion.step >= total, writer, lambda: facts)
    series = np.array(_rows(segments, _CONSERVING))[:, 0]
    time_ps = steps * timestep_ps * np.arange(1, len(series) + 1)
    drift, error = drift_of(time_ps, series, degrees_of_freedom(engine.model.system) - 3)
    return {"energy_drift_kJ_mol_ns": drift, "energy_drift_kJ_mol_ns_standard_error": error}
