"""The two legs of a liquid: the periodic box (`simulate`) and the isolated molecule (`simulate_gas`)."""

import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from moxie.dynamics.checkpoints import Checkpoints, Segment, SegmentWriter, concatenate
from moxie.dynamics.engine import Engine, LastGood
from moxie.dynamics.execution import Execution, Outputs
from moxie.dynamics.force_fields import load_force_field
from moxie.dynamics.motion import degrees_of_freedom
from moxie.dynamics.platforms import PlatformChoice, choose_platform
from moxie.dynamics.precision import StoppingRule, box_targets, gas_targets
from moxie.dynamics.protocol import RunSettings, check_settings
from moxie.dynamics.recorders import IsolatedSeries, LiquidSeries, Trajectory, ns_per_day
from moxie.dynamics.sampling import sample
from moxie.dynamics.series import ISOLATED, write_series
from moxie.dynamics.systems import Model, build_model, isolated_positions_nm, site_positions_nm
from moxie.errors import InputError
from moxie.io import replace_when_complete, sha256, write_json, write_text
from moxie.job import Progress
from moxie.structures.boxes import Box, expected_edge_nm, read_box

_LOOSE_EDGE = 1.02  # NPT starts at 2 % more than the estimated edge; the barostat does the rest


def simulate(
    box: str | Path,
    outputs: Outputs,
    settings: RunSettings,
    *,
    system: str,
    replica: int,
    seed: int,
    execution: Execution,
) -> dict[str, Any]:
    """Simulate a packed box at one state point and return what run.json holds.

    NPT (Monte Carlo barostat) or NVT at `settings.density_g_cm3`, Langevin-middle thermostat (Zhang et al., J. Phys.
    Chem. A 123, 6056 (2019)). The time series begins with the production time step and contains the equilibration; the
    analysis decides what to discard. The run ends after `settings.sampling_ps`, or before that once the standard errors
    in `settings.precision` are reached (`moxie.dynamics.precision`). A run that was killed continues from
    `execution.checkpoint_dir`; the folder is the caller's to delete once the outputs are safe. On one thread of the CPU
    platform an uninterrupted run gives the same bytes for one seed. Raises InputError for unusable inputs and for a run
    that blows up.
    """
    log = execution.log
    packed = read_box(box)
    check_settings(settings, load_force_field(settings.force_field))
    edge_nm = target_edge_nm(packed, settings, system)
    model = periodic_model(packed, settings)
    dependencies = {
        "settings": settings.as_dict(), "seed": seed, "box": sha256(box),
        "force_field": sha256(model.force_field.path),
    }  # fmt: skip
    checkpoints = Checkpoints(execution.checkpoint_dir, dependencies, log)
    segments = checkpoints.open()
    positions = site_positions_nm(model, packed)
    choice = choose_platform(model.system, positions, execution.platform, execution.threads, log)
    log.info(
        "%s: %d molecules, %d sites, %g K, %s, %s platform (%s)", system, model.n_molecules, len(positions),
        settings.temperature_K, settings.ensemble, choice.name, choice.precision,
    )  # fmt: skip
    start = _Clock()
    engine = Engine(model, settings, choice, seed, len(segments))
    if segments:
        engine.resume(segments[-1].last_step, *segments[-1].state(choice.made_by, log), log)
        log.info("continuing at %.1f ps, after segment %d", engine.time_ps, segments[-1].index)
    else:
        engine.start(positions, edge_nm, log)
    warm, begin_ps = start.lap(), engine.time_ps
    rule = StoppingRule(settings, box_targets(settings.precision), model.n_molecules)
    for segment in segments:
        rule.add(segment.samples)
    writer = SegmentWriter(
        checkpoints, segments, execution.checkpoint_interval_s, model.topology, settings.timestep_fs,
        settings.frame_steps,
    )  # fmt: skip
    progress = Progress(log, settings.total_samples * settings.sample_ps, "ps", begin_ps)
    recorders = (
        LiquidSeries(engine, writer, rule, edge_nm**3, progress), Trajectory(writer, settings.frame_steps),
        LastGood(engine, settings.frame_steps),
    )  # fmt: skip
    try:
        sample(engine, recorders, rule.is_over, writer, lambda: choice.made_by)
    except InputError as error:
        raise _with_last_good_state(error, engine, checkpoints.folder) from None
    produced = start.lap()
    rule.say(log)
    facts = {
        "system": system, "replica": replica, "seed": seed, **_description(model, settings, choice),
        "sampling": rule.report(),
        "segments": [{"index": s.index, "last_step": s.last_step, **s.facts} for s in segments],
        "warm_up_cpu_s": warm.cpu_s, "production_cpu_s": produced.cpu_s, "production_wall_s": produced.wall_s,
        "ns_per_day": ns_per_day(engine.time_ps - begin_ps, produced.wall_s),
    }  # fmt: skip
    _write_outputs(engine, segments, outputs, facts)
    return facts


def simulate_gas(
    smiles: str,
    name: str,
    timeseries: str | Path,
    run: str | Path,
    settings: RunSettings,
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
    write_series(series, timeseries, ISOLATED)
    write_json(run, facts)
    log.info("%s gas at %g K: mean potential energy %.3f kJ/mol", name, settings.temperature_K, series[:, 1].mean())
    return facts


def _gas_series(
    model: Model, settings: RunSettings, choice: PlatformChoice, positions_nm: np.ndarray, seed: int
) -> tuple[np.ndarray, dict[str, Any]]:
    from moxie.seeds import derive_seed

    engine = Engine(model, replace(settings, ensemble="NVT"), choice, seed, 0)
    engine.context.setPositions(positions_nm)
    engine.context.applyConstraints(1e-6)
    engine.context.setVelocitiesToTemperature(settings.temperature_K, derive_seed(seed, "velocities"))
    rule = StoppingRule(replace(settings, equilibration_ps=0.0), gas_targets(settings.precision), 1, ISOLATED)
    try:
        engine.advance(round(1000 * settings.equilibration_ps / settings.timestep_fs))
        engine.step = 0  # sampling begins
        sample(engine, [IsolatedSeries(engine, rule)], rule.is_over)
    except InputError:
        raise InputError(
            f"The isolated molecule blew up at {settings.temperature_K:g} K. Use a timestep_fs below"
            f" {settings.timestep_fs:g}."
        ) from None
    return rule.rows, rule.report()


def _with_last_good_state(error: InputError, engine: Engine, folder: Path) -> InputError:
    """Write the last good state of an engine into a folder and return the error that says where it is."""
    good = engine.last_good_state()
    if good is None:
        return error
    place = folder / "last_good_state.xml"
    write_text(place, good)
    return InputError(f"{error} The last good state is in {place}.")


def _write_outputs(engine: Engine, segments: list[Segment], outputs: Outputs, facts: dict[str, Any]) -> None:
    from openmm import app

    write_series(np.concatenate([segment.samples for segment in segments]), outputs.timeseries)
    with replace_when_complete(outputs.trajectory) as partial:
        concatenate([segment.frames for segment in segments], partial)
    state = engine.context.getState(positions=True)
    topology = engine.model.topology
    topology.setPeriodicBoxVectors(state.getPeriodicBoxVectors())
    assert outputs.topology is not None  # only a leg has none
    with replace_when_complete(outputs.topology) as partial, open(partial, "w") as stream:
        app.PDBFile.writeFile(topology, state.getPositions(), stream)
    write_json(outputs.run, facts)


def target_edge_nm(packed: Box, settings: RunSettings, system: str) -> float:
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


def periodic_model(packed: Box, settings: RunSettings) -> Model:
    return build_model(
        packed.composition,
        packed.smiles,
        settings.force_field,
        edge_nm=packed.edge_A / 10,
        cutoff_nm=settings.cutoff_nm,
        pme_tolerance=settings.pme_tolerance,
        hydrogen_mass_amu=settings.hydrogen_mass_amu,
    )


def _description(model: Model, settings: RunSettings, choice: PlatformChoice) -> dict[str, Any]:
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
        "force_field_penalty": model.force_field.penalty,
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
