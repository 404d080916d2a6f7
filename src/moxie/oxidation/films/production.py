"""A finished film sampled at its own temperature until its observables are stationary and precise. Example:

    sampled = sample_film(film, load_parameters("von_alfthan_2003"), Production(), temperature_K=1273, seed=1)
    sampled.status, sampled.frames[-1]

Moves are drawn from a catalogue (`kernels.catalogue`), over the film's O and the Si near them. After each batch the
whole film relaxes, O fills what silicon is cut off from the substrate, as in growth, and a record is made. The rules of
early rejection are those that the growth ended with, found in a hotter film; after CALIBRATED_AT records they, and the
list of Si, are found anew on the film at its own temperature. From then on both stay, so that the chain is reversible;
records before never count.
"""

import logging
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from moxie.constants import BOLTZMANN_EV_K
from moxie.errors import InputError
from moxie.oxidation.engine import Engine
from moxie.oxidation.films.front import FrontEngine
from moxie.oxidation.films.growth import Growth, energy_facts, fill_inclusions
from moxie.oxidation.films.production_settings import (
    CALIBRATED_AT,
    FEWEST_RECORDS,
    PRECISION,
    Production,
    check_production,
)
from moxie.oxidation.parameter_sets import ParameterSet
from moxie.oxidation.rejection import FILM_REJECTION, Rejection
from moxie.oxidation.sampling.checkpoints import Checkpoints, digest, engine_arrays, restore_engine
from moxie.oxidation.sampling.observers import Observer, Table, energy_terms, measure
from moxie.structures.network import Network, make_network
from moxie.timeseries import Mean, detect_equilibration, mean_of

ALGORITHM = "film production 1"
KIND = "production"
CALIBRATION_FOLLOWED = 150, 350
JUDGED_EVERY = 10
MOST_FRAMES = 40  # then every second is dropped, and half as many kept from there on


@dataclass(frozen=True)
class SampledFilm:
    """What a production recorded.

    columns: one entry a record: moves, kT_eV, energy_eV, attempts, valid (moves tried), accepted, hops_accepted, energy
    terms, n_oxygen, states and PRECISION. frames: networks at times evenly spaced over the whole run, with
    info["record"], info["stationary"] and the terms that the analysis needs; the last one is the end of the chain.
    start: first stationary record; n_independent: independent records from there on, of the slowest column.
    energy_change: of its mean from the first half of the stationary part to the second, eV.
    status: "precise", "sampled" (no precision asked for), or "not precise" and "not stationary" at the cap. A film
    whose energy still falls by more than two standard errors, or whose halves have no error, is not stationary.
    """

    columns: dict[str, np.ndarray]
    frames: list[Network]
    start: int
    n_independent: float
    energy_change: Mean
    status: str
    attempts: int
    accepted: int
    bounds_missed: float
    largest_drift_eV: float
    cpu_s: float


@dataclass
class _State:
    records: int = 0
    stride: int = 1
    attempts: int = 0
    accepted: int = 0
    bounds_missed: float = 0.0
    largest_drift_eV: float = 0.0
    cpu_s: float = 0.0


def sample_film(
    film: Network,
    parameters: ParameterSet,
    settings: Production,
    temperature_K: float,
    seed: int,
    monolayer_per_cm2: float,
    growth: Growth | None = None,
    rejection: Rejection | None = None,
    checkpoint_dir: str | Path | None = None,
    log: logging.Logger | None = None,
    checkpoint_interval_s: float = 30.0,
    stop: Callable[[], bool] | None = None,
) -> SampledFilm:
    """Sample a film at its temperature; see the module. `growth` says how O fills silicon that is cut off, `rejection`
    holds the rules that the growth ended with; without it they are found at the start, too.

    The same film and arguments give the same bytes on one machine type, also across a kill and a resume from
    `checkpoint_dir`. `stop` is asked after each record; True ends the run with KeyboardInterrupt after a checkpoint.
    Raises InputError as `check_production` does and for a film without oxygen, SamplerError when the running energy is
    off by more than 1e-8 eV.
    """
    log = log or logging.getLogger(__name__)
    check_production(settings)
    if not (film.species == "O").any():
        raise InputError("The film holds no oxygen; there is nothing to sample.")
    growth = growth or Growth()
    kT = BOLTZMANN_EV_K * temperature_K
    observers = [
        Observer("energy_terms", energy_terms),
        Observer("film", lambda e: _states(e, film, monolayer_per_cm2)),
    ]
    content = [ALGORITHM, asdict(parameters), asdict(settings), asdict(growth), temperature_K, seed, monolayer_per_cm2]
    content.append(None if rejection is None else rejection.to_dict())
    content += [film.positions.tolist(), film.bonds.tolist(), film.species.tolist(), film.frozen.tolist()]
    checkpoints = Checkpoints(checkpoint_dir, digest(content), log, KIND)
    engine = FrontEngine(film, parameters, seed, rejection or FILM_REJECTION)
    state, table, frames, active = _begin(checkpoints, engine, film)
    began, cpu_before, saved = time.process_time(), state.cpu_s, time.monotonic()
    most = settings.moves_per_oxygen // settings.moves_per_record
    status = ""
    while not status:
        if state.records == CALIBRATED_AT or not engine.rejection.rules:
            active = _silicon_near_oxygen(engine)
            found = engine.calibrate(kT, settings.hop_fraction, active, *CALIBRATION_FOLLOWED)
            state.attempts += found.tally.attempts
            state.accepted += found.tally.accepted
        moves = settings.moves_per_record * len(engine.oxygens)
        tally = engine.run(moves, kT, settings.hop_fraction, active, catalogue=True)
        engine.relax(0.01, 1000)
        fill_inclusions(engine, growth)
        state.largest_drift_eV = max(state.largest_drift_eV, abs(engine.check_energy()))
        state.attempts += tally.attempts
        state.accepted += tally.accepted
        state.bounds_missed += tally.bounds_missed
        table.append(measure(engine, tally, kT, observers, {"moves": state.attempts}))
        state.records += 1
        if state.records % state.stride == 0:
            frames.append(_frame(engine, film, state, kT, tally))
            if len(frames) == MOST_FRAMES:
                frames = frames[1::2]
                state.stride *= 2
        state.cpu_s = cpu_before + time.process_time() - began
        if state.records >= FEWEST_RECORDS and (state.records % JUDGED_EVERY == 0 or state.records == most):
            status = _judge(table.columns, settings, state.records == most, log)
        asked = stop is not None and stop()
        if asked or time.monotonic() - saved > checkpoint_interval_s:
            _save(checkpoints, engine, state, table, frames, active)
            saved = time.monotonic()
        if asked:
            raise KeyboardInterrupt
    engine.put_back()
    columns = table.columns
    start, independent = _stationary(columns)
    change = _energy_change(columns, start)
    if not frames or frames[-1].info["record"] != state.records:
        frames.append(_frame(engine, film, state, kT, tally))
    for frame in frames:
        frame.info["stationary"] = bool(frame.info["record"] > start)
    log.info(
        "%s after %d records of %d moves per O, stationary from record %d, %.0f independent; %.2f eV, %.2f +- %.2f "
        "between the halves of the stationary part; %.2f %% of the acceptance missed by bounds, %.1f CPU s",
        status,
        state.records,
        settings.moves_per_record,
        start,
        independent,
        engine.energy,
        change.value,
        change.standard_error,
        100 * state.bounds_missed / max(state.accepted + state.bounds_missed, 1),
        state.cpu_s,
    )
    return SampledFilm(
        columns,
        frames,
        start,
        independent,
        change,
        status,
        state.attempts,
        state.accepted,
        state.bounds_missed,
        state.largest_drift_eV,
        state.cpu_s,
    )


def clear_checkpoints(checkpoint_dir: str | Path) -> None:
    """Remove a finished production's checkpoints; call it when the outputs are in place."""
    Checkpoints(checkpoint_dir, "", logging.getLogger(__name__), KIND).clear()


def _states(engine: Engine, film: Network, monolayer_per_cm2: float) -> dict[str, float]:
    states = engine.oxidation_states()[engine.silicons]
    counts = np.bincount(states, minlength=5)
    suboxide = max(int(counts[1:4].sum()), 1)
    return {
        "n_oxygen": len(engine.oxygens),
        **{f"si{k}_fraction": float(counts[k] / counts.sum()) for k in range(5)},
        "suboxide_total_monolayers": float(counts[1:4].sum() / (film.area_A2 * 1e-16) / monolayer_per_cm2),
        **{f"suboxide_fraction_{k}": float(counts[k] / suboxide) for k in (1, 2, 3)},
    }


def _frame(engine: FrontEngine, film: Network, state: _State, kT: float, tally: Any) -> Network:
    engine.info = film.info | {
        "record": state.records,
        "kT_eV": kT,
        "n_oxygen": len(engine.oxygens),
        "accepted_fraction": tally.accepted / max(tally.attempts, 1),
        **energy_facts(engine),
    }
    return engine.to_network()


def _stationary(columns: dict[str, np.ndarray]) -> tuple[int, float]:
    """Return (first record of the stationary part, its independent records)."""
    decisive = {name: columns[name].astype(float) for name in ("energy_eV", *PRECISION)}
    return detect_equilibration(decisive, min(CALIBRATED_AT, len(columns["moves"]) // 2))


def _energy_change(columns: dict[str, np.ndarray], start: int) -> Mean:
    """Return the change of the mean energy from the first half of the stationary part to the second."""
    first, second = (mean_of(half) for half in np.array_split(columns["energy_eV"][start:].astype(float), 2))
    error = float(np.hypot(first.standard_error, second.standard_error))
    return Mean(second.value - first.value, error, min(first.n_independent, second.n_independent))


def _judge(columns: dict[str, np.ndarray], settings: Production, at_the_cap: bool, log: logging.Logger) -> str:
    """Return the status of a production that may end here, or nothing."""
    start, independent = _stationary(columns)
    change = _energy_change(columns, start)
    at_rest = change.value >= -2 * change.standard_error  # False without an error
    stationary = start <= len(columns["moves"]) // 2 and independent >= 3 and at_rest
    errors = {name: mean_of(columns[name][start:]).standard_error for name in settings.precision}
    # a column that never changed has no error: nothing was sampled yet
    missed = {name: e for name, e in errors.items() if not 0 < e <= settings.precision[name]}
    if stationary and settings.precision and not missed:
        return "precise"
    if not at_the_cap:
        return ""
    if not stationary:
        log.warning("Not stationary at the cap of %d moves per O; raise moves_per_oxygen.", settings.moves_per_oxygen)
        return "not stationary"
    for name, error in missed.items():
        log.warning("%s has a standard error of %.3g at the cap, not %g.", name, error, settings.precision[name])
    return "not precise" if missed else "sampled"


def _silicon_near_oxygen(engine: FrontEngine) -> np.ndarray:
    """Return the mobile Si of the front that at most two bonds part from one with an O neighbour, int32."""
    near = engine.atoms.neighbours
    chosen = engine.oxidation_states() > 0
    for _ in range(2):
        chosen |= ((near >= 0) & chosen[near]).any(axis=1)
    return engine.front_silicons[chosen[engine.front_silicons]]


def _begin(
    checkpoints: Checkpoints, engine: FrontEngine, film: Network
) -> tuple[_State, Table, list[Network], np.ndarray]:
    found = checkpoints.load()
    if found is None:
        engine.relax(0.01, 1000)
        return _State(), Table(), [], _silicon_near_oxygen(engine)
    facts, arrays = found
    engine.set_rejection(Rejection.from_dict(facts["rejection"]))
    restore_engine(engine, arrays, facts["energy_eV"])
    frames = []
    for k, info in enumerate(facts["frames"]):
        own = {key.removeprefix(f"frame{k}_"): values for key, values in arrays.items() if key.startswith(f"frame{k}_")}
        frames.append(
            make_network(
                own.pop("position"),
                np.where(own.pop("oxygen"), "O", "Si"),
                own.pop("bonds"),
                film.cell,
                film.periodic,
                own.pop("frozen"),
                info,
                arrays=own,
            )
        )
    return _State(**facts["state"]), Table.from_checkpoint(facts["columns"], arrays), frames, arrays["active"]


def _save(
    checkpoints: Checkpoints,
    engine: FrontEngine,
    state: _State,
    table: Table,
    frames: list[Network],
    active: np.ndarray,
) -> None:
    columns, arrays = table.to_checkpoint()
    arrays |= engine_arrays(engine) | {"active": active}
    for k, frame in enumerate(frames):
        arrays[f"frame{k}_position"] = frame.positions
        arrays[f"frame{k}_oxygen"] = frame.species == "O"
        arrays[f"frame{k}_bonds"] = frame.bonds
        arrays[f"frame{k}_frozen"] = frame.frozen
        arrays |= {f"frame{k}_{key}": values for key, values in frame.arrays.items()}
    facts = {
        "state": asdict(state),
        "energy_eV": engine.energy,
        "columns": columns,
        "rejection": engine.rejection.to_dict(),
        "frames": [frame.info for frame in frames],
    }
    checkpoints.save(facts, arrays)
