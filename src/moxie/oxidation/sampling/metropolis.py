"""Metropolis sampling at one temperature, with observers, progress, checkpoints and resume. Example:

    import pandas

    from moxie.oxidation.engine import Engine
    from moxie.oxidation.networks.generators import random_bond_oxide
    from moxie.oxidation.sampling.metropolis import sample
    from moxie.oxidation.parameter_sets import load_parameters

    parameters = load_parameters("von_alfthan_2003")
    engine = Engine(random_bond_oxide(216, 0.5, parameters, seed=1), parameters, seed=2)
    engine.relax()
    engine.calibrate(kT_eV=0.3, hop_fraction=0.3)  # without it no move is given up early: many times slower
    chain = sample(engine, 0.3, 100_000, hop_fraction=0.3, observers=["energy_terms"], checkpoint_dir="chain")
    print(pandas.DataFrame(chain.columns))  # half a minute later, the compilation of the first run not counted

The chain walks over networks; a network's energy is that of its relaxed positions. A move relaxes only the atoms
around it, which leaves an excess of some hundredths of an eV in the running energy. Before each record the whole
network is therefore relaxed: what is recorded, and what the next batch's thresholds start from, is the energy of the
network itself. That happens after a fixed number of moves, whatever these did, so the chain still samples the
Boltzmann distribution.
"""

import logging
import time
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from moxie.job import Progress
from moxie.oxidation.arguments import check_kT, check_moves
from moxie.oxidation.engine import Engine
from moxie.oxidation.sampling.checkpoints import Checkpoints, digest, engine_arrays, engine_digest, restore_engine
from moxie.oxidation.sampling.observers import Measure, Observer, Table, make_observers, measure
from moxie.oxidation.tally import Tally

ALGORITHM = "metropolis 4"  # part of every checkpoint's digest; change it when the chain of random numbers changes
FORCE_TOLERANCE_EV_A = 0.01
RELAX_STEPS = 1000


@dataclass(frozen=True)
class Chain:
    """What a chain recorded.

    columns: moves (done so far), kT_eV, energy_eV, attempts, valid, accepted, hops_accepted (of the batch before the
    record) and the observers' columns; arrays of equal length. cpu_s counts the runs before a resume too.
    """

    columns: dict[str, np.ndarray]
    attempts: int
    accepted: int
    largest_drift_eV: float
    cpu_s: float


@dataclass
class _State:
    moves: int = 0
    attempts: int = 0
    accepted: int = 0
    largest_drift_eV: float = 0.0
    cpu_s: float = 0.0


def sample(
    engine: Engine,
    kT_eV: float,
    n_moves: int,
    hop_fraction: float = 0.0,
    observers: Iterable[str | Observer | Measure] = (),
    every: int = 10_000,
    checkpoint_dir: str | Path | None = None,
    log: logging.Logger | None = None,
    checkpoint_interval_s: float = 30.0,
    stop: Callable[[], bool] | None = None,
) -> Chain:
    """Try `n_moves` moves at kT, a share `hop_fraction` of them oxygen hops; record every `every` moves.

    The engine ends in the last state. The same engine and arguments give the same bytes on one machine type, also
    across a kill and a resume from `checkpoint_dir`; the last checkpoint holds the finished chain, so that a repeated
    call returns it at once. The functions of observers are known to a checkpoint by name alone. `stop` is asked after
    each record; True ends the run with KeyboardInterrupt right after a checkpoint.
    Raises InputError for arguments out of range, SamplerError when the running energy is off by more than 1e-8 eV
    (checked at each record and checkpoint).
    """
    log = log or logging.getLogger(__name__)
    check_moves(hop_fraction, n_moves=n_moves, every=every)
    check_kT(kT_eV)
    observing = make_observers(observers)
    names = [observer.name for observer in observing]
    settings = [ALGORITHM, engine_digest(engine), kT_eV, n_moves, hop_fraction, every, names]
    checkpoints = Checkpoints(checkpoint_dir, digest(settings), log, "metropolis")
    state, table = _begin(checkpoints, engine, log)
    progress = Progress(log, n_moves, "moves", state.moves)
    began, cpu_before, saved = time.process_time(), state.cpu_s, time.monotonic()
    while state.moves < n_moves:
        batch = min(every, n_moves - state.moves)
        tally, drift = advance(engine, batch, kT_eV, hop_fraction)
        state.moves += batch
        state.attempts += tally.attempts
        state.accepted += tally.accepted
        state.largest_drift_eV = max(state.largest_drift_eV, drift)
        state.cpu_s = cpu_before + time.process_time() - began
        table.append(measure(engine, tally, kT_eV, observing, {"moves": state.moves}))
        acceptance = f"{100 * state.accepted / max(state.attempts, 1):.2f} % accepted, {engine.energy:.2f} eV"
        progress.update(state.moves, acceptance)
        asked = stop is not None and stop()
        if asked or state.moves == n_moves or time.monotonic() - saved > checkpoint_interval_s:
            columns, arrays = table.to_checkpoint()
            facts = {"state": asdict(state), "energy_eV": engine.energy, "columns": columns}
            checkpoints.save(facts, engine_arrays(engine) | arrays)
            saved = time.monotonic()
        if asked:
            raise KeyboardInterrupt
    log.info(
        "%d moves at kT %.4g eV, %.0f attempts/s, %.2f %% accepted, %.2f eV",
        state.moves,
        kT_eV,
        state.attempts / max(state.cpu_s, 1e-9),
        100 * state.accepted / max(state.attempts, 1),
        engine.energy,
    )
    return Chain(table.columns, state.attempts, state.accepted, state.largest_drift_eV, state.cpu_s)


def advance(engine: Engine, n_moves: int, kT_eV: float, hop_fraction: float) -> tuple[Tally, float]:
    """Try a batch of moves, relax the whole network and check the running energy; return (tally, |drift| in eV)."""
    tally = engine.run(n_moves, kT_eV, hop_fraction)
    return tally, relax(engine)


def relax(engine: Engine) -> float:
    """Relax the whole network and check the running energy; return |drift| in eV."""
    engine.relax(FORCE_TOLERANCE_EV_A, RELAX_STEPS)
    return abs(engine.check_energy())


def _begin(checkpoints: Checkpoints, engine: Engine, log: logging.Logger) -> tuple[_State, Table]:
    found = checkpoints.load()
    if found is None:
        relax(engine)
        return _State(), Table()
    facts, arrays = found
    restore_engine(engine, arrays, facts["energy_eV"])
    state = _State(**facts["state"])
    log.info("Resumed after %d moves.", state.moves)
    return state, Table.from_checkpoint(facts["columns"], arrays)
