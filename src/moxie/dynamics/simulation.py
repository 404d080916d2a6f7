"""The two legs of a liquid: the periodic box (`simulate`) and the isolated molecule (`simulate_gas`)."""

import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from moxie.dynamics.checkpoints import Checkpoints, Segment, SegmentWriter, concatenate
from moxie.dynamics.engine import Engine, Sample, degrees_of_freedom
from moxie.dynamics.force_fields import load_force_field
from moxie.dynamics.platforms import PlatformChoice, choose_platform
from moxie.dynamics.precision import StoppingRule, box_targets, gas_targets
from moxie.dynamics.protocol import Settings, check_settings
from moxie.dynamics.systems import Model, build_model, isolated_positions_nm, site_positions_nm
from moxie.errors import InputError
from moxie.io import replace_when_complete, sha256, write_json, write_text
from moxie.job import Progress
from moxie.structures.boxes import Box, expected_edge_nm, read_box

UNITS = {
    "time_ps": "ps",
    "potential_energy_kJ_mol": "kJ/mol",
    "temperature_K": "K",
    "volume_nm3": "nm3",
    "density_g_cm3": "g/cm3",
    "dipole_x_e_nm": "e nm",
    "dipole_y_e_nm": "e nm",
    "dipole_z_e_nm": "e nm",
}
_EVAPORATED = 4.0
_LOOSE_EDGE = 1.02  # NPT starts at 2 % more than the estimated edge; the barostat does the rest


@dataclass(frozen=True)
class Outputs:
    """Where the results of a liquid leg go."""

    timeseries: Path
    trajectory: Path
    topology: Path
    run: Path


def simulate(
    box: str | Path,
    outputs: Outputs,
    settings: Settings,
    *,
    system: str,
    replica: int,
    seed: int,
    checkpoint_dir: str | Path,
    checkpoint_interval_s: float = 120.0,
    platform: str = "auto",
    threads: int = 1,
    log: logging.Logger | None = None,
) -> dict[str, Any]:
    """Simulate a packed box at one state point and return what run.json holds.

    NPT (Monte Carlo barostat) or NVT at `settings.density_g_cm3`, Langevin-middle thermostat (Zhang et al., J. Phys.
    Chem. A 123, 6056 (2019)). The time series begins with the production time step and contains the equilibration; the
    analysis decides what to discard. The run ends after `settings.sampling_ps`, or before that once the standard errors
    in `settings.precision` are reached (`moxie.dynamics.precision`). A run that was killed continues from
    `checkpoint_dir`; the folder is deleted once the outputs are in place. On one thread of the CPU platform an
    uninterrupted run gives the same bytes for one seed. Raises InputError for unusable inputs and for a run that blows
    up.
    """
    log = log or logging.getLogger(__name__)
    packed = read_box(box)
    check_settings(settings, load_force_field(settings.force_field))
    edge_nm = target_edge_nm(packed, settings, system)
    model = periodic_model(packed, settings)
    dependencies = {
        "settings": settings.as_dict(), "seed": seed, "box": sha256(box),
        "force_field": sha256(model.force_field.path),
    }  # fmt: skip
    checkpoints = Checkpoints(checkpoint_dir, dependencies, log)
    segments = checkpoints.open()
    positions = site_positions_nm(model, packed)
    choice = choose_platform(model.system, positions, platform, threads, log)
    log.info(
        "%s: %d molecules, %d sites, %g K, %s, %s platform (%s)", system, model.n_molecules, len(positions),
        settings.temperature_K, settings.ensemble, choice.name, choice.precision,
    )  # fmt: skip
    start = _Clock()
    engine = Engine(model, settings, choice, seed, len(segments))
    done = segments[-1].last_step // settings.sample_steps if segments else 0
    if segments:
        engine.resume(segments[-1].last_step, *segments[-1].state(choice.made_by, log), log)
        log.info("continuing at %.1f ps, after segment %d", done * _sample_ps(settings), segments[-1].index)
    else:
        engine.start(positions, edge_nm, log)
    warm = start.lap()
    rule = StoppingRule(settings, box_targets(settings.precision), model.n_molecules)
    for segment in segments:
        rule.add(segment.samples)
    frame_steps = settings.samples_per_frame * settings.sample_steps
    writer = SegmentWriter(
        checkpoints, segments, checkpoint_interval_s, model.topology, settings.timestep_fs, frame_steps
    )
    _sample(engine, writer, rule, checkpoints.folder, choice, edge_nm**3, log)
    produced = start.lap()
    rule.say(log)
    facts = {
        "system": system, "replica": replica, "seed": seed, **_description(model, settings, choice),
        "sampling": rule.report(),
        "segments": [{"index": s.index, "last_step": s.last_step, **s.facts} for s in segments],
        "warm_up_cpu_s": warm.cpu_s, "production_cpu_s": produced.cpu_s, "production_wall_s": produced.wall_s,
        "ns_per_day": _ns_per_day((rule.n_samples - done) * _sample_ps(settings), produced.wall_s),
    }  # fmt: skip
    _write_outputs(engine, segments, outputs, facts)
    checkpoints.delete()
    return facts


def simulate_gas(
    smiles: str,
    name: str,
    timeseries: str | Path,
    run: str | Path,
    settings: Settings,
    *,
    replica: int,
    seed: int,
    log: logging.Logger | None = None,
) -> dict[str, Any]:
    """Simulate one isolated molecule and return what run.json holds.

    No periodicity, no cut-off, Langevin thermostat. Of the settings, `equilibration_ps` is run and discarded,
    `sampling_ps` is sampled, or less where `precision` asks for an enthalpy of vaporisation and it is reached before;
    box, barostat and cut-off play no part. Double precision (OpenMM's Reference platform), which is also the fastest
    for a handful of sites, and is named so in run.json.
    """
    log = log or logging.getLogger(__name__)
    force_field = load_force_field(settings.force_field)
    check_settings(replace(settings, ensemble="NPT"), force_field)
    model = build_model(
        {name: 1}, {name: smiles}, settings.force_field, edge_nm=None, hydrogen_mass_amu=settings.hydrogen_mass_amu
    )
    start = _Clock()
    choice = PlatformChoice("Reference", "double", {})
    positions_nm = isolated_positions_nm(model.components[0][0])
    series, sampling = _gas_series(model, settings, choice, positions_nm, seed)
    used = start.lap()
    facts = {
        "system": name, "replica": replica, "seed": seed, **_description(model, settings, choice), "sampling": sampling,
        "production_cpu_s": used.cpu_s, "production_wall_s": used.wall_s,
    }  # fmt: skip
    write_series(series, timeseries)
    write_json(run, facts)
    log.info("%s gas at %g K: mean potential energy %.3f kJ/mol", name, settings.temperature_K, series[:, 1].mean())
    return facts


def _gas_series(
    model: Model, settings: Settings, choice: PlatformChoice, positions_nm: np.ndarray, seed: int
) -> tuple[np.ndarray, dict[str, Any]]:
    from moxie.dynamics.protocol import BOLTZMANN_KJ_MOL_K
    from moxie.seeds import derive_seed

    engine = Engine(model, replace(settings, ensemble="NVT"), choice, seed, 0)
    context, integrator = engine.context, engine.integrator
    context.setPositions(positions_nm)
    context.applyConstraints(1e-6)
    context.setVelocitiesToTemperature(settings.temperature_K, derive_seed(seed, "velocities"))
    integrator.step(round(1000 * settings.equilibration_ps / settings.timestep_fs))
    degrees = degrees_of_freedom(model.system)
    sampled = replace(settings, equilibration_ps=0.0)
    rule = StoppingRule(sampled, gas_targets(settings.precision), 1)
    while not rule.is_over():
        integrator.step(settings.sample_steps)
        state = context.getState(energy=True)
        kinetic = state.getKineticEnergy()._value
        rule.add(np.array([[
            (rule.n_samples + 1) * _sample_ps(settings),
            state.getPotentialEnergy()._value,
            2 * kinetic / (degrees * BOLTZMANN_KJ_MOL_K),
        ]]))  # fmt: skip
    rows = rule.rows
    if not np.isfinite(rows).all():
        raise InputError(
            f"The isolated molecule blew up at {settings.temperature_K:g} K. Use a timestep_fs below"
            f" {settings.timestep_fs:g}."
        )
    return rows, rule.report()


def write_series(rows: np.ndarray, path: str | Path, units: Mapping[str, str] = UNITS) -> None:
    """Write a time series as Parquet with units in the metadata; columns of NaN are left out.

    rows: (n, k), the first k columns of `units` ({name: unit}).
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    columns = {name: values for name, values in zip(units, rows.T, strict=False) if not np.isnan(values).all()}
    schema = pa.schema([pa.field(name, pa.float64(), metadata={"unit": units[name]}) for name in columns])
    with replace_when_complete(path) as partial:
        pq.write_table(pa.table(columns, schema=schema), partial)


def _sample(
    engine: Engine, writer: SegmentWriter, rule: StoppingRule, folder: Path, choice: PlatformChoice,
    liquid_nm3: float, log: logging.Logger,
) -> None:  # fmt: skip
    """Take samples until the rule says that they suffice, committing a segment at every interval and at the end."""
    settings = engine.settings
    total, done = settings.total_samples, rule.n_samples
    progress = Progress(log, total * _sample_ps(settings), "ps", done * _sample_ps(settings))
    begin, begin_done = time.monotonic(), done
    try:
        while not rule.is_over():
            number = rule.n_samples + 1
            sample, positions, vectors = engine.advance(number % settings.samples_per_frame == 0)
            check_still_liquid(sample, liquid_nm3, settings)
            row = sample.row()
            writer.add(row)
            if positions is not None:
                writer.add_frame(sample.step, positions, vectors)
            rule.add(np.array([row]))
            if writer.is_due or rule.is_over():
                writer.commit(engine.step, *engine.save(), choice.made_by)
            rate = _ns_per_day((number - begin_done) * _sample_ps(settings), time.monotonic() - begin)
            progress.update(sample.time_ps, f"{rate:.0f} ns/day, {sample.density_g_cm3:.4f} g/cm3")
    except InputError as error:
        good = engine.last_good_state()
        if good is None:
            raise
        place = folder / "last_good_state.xml"
        write_text(place, good)
        raise InputError(f"{error} The last good state is in {place}.") from None


def check_still_liquid(sample: Sample, liquid_nm3: float, settings: Settings) -> None:
    """Raise InputError for a box that has grown to four times its volume at the start: the liquid evaporates.

    The mesh of the Ewald sums is that of the start, and what is measured of liquids has no meaning.
    """
    if sample.volume_nm3 > _EVAPORATED * liquid_nm3:
        density = sample.density_g_cm3 * sample.volume_nm3 / liquid_nm3
        raise InputError(
            f"The liquid evaporates at {settings.temperature_K:g} K and {settings.pressure_bar:g} bar: after"
            f" {sample.time_ps:.1f} ps the density is {sample.density_g_cm3:.3f} g/cm3, where it began with"
            f" {density:.3f}. Use a lower temperature or a higher pressure, or ensemble NVT; for a dilute phase give"
            " its density_g_cm3."
        )


def _write_outputs(engine: Engine, segments: list[Segment], outputs: Outputs, facts: dict[str, Any]) -> None:
    from openmm import app

    write_series(np.concatenate([segment.samples for segment in segments]), outputs.timeseries)
    with replace_when_complete(outputs.trajectory) as partial:
        concatenate([segment.frames for segment in segments], partial)
    state = engine.context.getState(positions=True)
    topology = engine.model.topology
    topology.setPeriodicBoxVectors(state.getPeriodicBoxVectors())
    with replace_when_complete(outputs.topology) as partial, open(partial, "w") as stream:
        app.PDBFile.writeFile(topology, state.getPositions(), stream)
    write_json(outputs.run, facts)


def target_edge_nm(packed: Box, settings: Settings, system: str) -> float:
    """Return the edge at which production begins; raises InputError when the cut-off does not fit into it."""
    edge_nm = expected_edge_nm(packed.composition, packed.smiles, settings.density_g_cm3)
    if settings.ensemble == "NPT" and settings.density_g_cm3 is None:
        edge_nm *= _LOOSE_EDGE
    if edge_nm <= 2 * settings.cutoff_nm:
        raise InputError(
            f"dynamics.systems.{system}: the box will be {edge_nm:.3f} nm wide, not more than twice cutoff_nm"
            f" ({settings.cutoff_nm:g} nm). Use more molecules or a shorter cut-off."
        )
    return edge_nm


def periodic_model(packed: Box, settings: Settings) -> Model:
    return build_model(
        packed.composition,
        packed.smiles,
        settings.force_field,
        edge_nm=packed.edge_A / 10,
        cutoff_nm=settings.cutoff_nm,
        pme_tolerance=settings.pme_tolerance,
        hydrogen_mass_amu=settings.hydrogen_mass_amu,
    )


def _description(model: Model, settings: Settings, choice: PlatformChoice) -> dict[str, Any]:
    components: list[Mapping[str, Any]] = [
        {"name": sites.name, "smiles": sites.smiles, "count": count, "site_atoms": list(sites.atoms),
         "site_types": list(sites.types)}
        for sites, count in model.components
    ]  # fmt: skip
    return {
        "settings": settings.as_dict(), "components": components, "n_molecules": model.n_molecules,
        "n_sites": sum(len(sites) for sites in model.molecules), "degrees_of_freedom": degrees_of_freedom(model.system),
        "mass_g_mol": model.mass_g_mol,
        "force_field": model.force_field.name, "force_field_title": model.force_field.title,
        "force_field_sha256": sha256(model.force_field.path), "force_field_sources": model.force_field.sources,
        **choice.made_by,
    }  # fmt: skip


@dataclass(frozen=True)
class _Lap:
    cpu_s: float
    wall_s: float


class _Clock:
    def __init__(self) -> None:
        self._cpu, self._wall = time.process_time(), time.monotonic()

    def lap(self) -> _Lap:
        cpu, wall = time.process_time(), time.monotonic()
        lap = _Lap(cpu - self._cpu, wall - self._wall)
        self._cpu, self._wall = cpu, wall
        return lap


def _sample_ps(settings: Settings) -> float:
    return settings.sample_steps * settings.timestep_fs / 1000


def _ns_per_day(time_ps: float, wall_s: float) -> float:
    return time_ps / 1000 / max(wall_s, 1e-9) * 86400
