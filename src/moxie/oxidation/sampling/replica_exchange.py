"""Replica exchange (parallel tempering) over a ladder of temperatures, on threads. Example:

    ladder = choose_ladder(Engine(network, parameters, seed=1), 0.10, 0.40)
    replicas = make_replicas(network, parameters, len(ladder.kT_eV), seed=2)
    run = exchange(replicas, ladder.kT_eV, n_rounds=2000, moves_per_round=5000, threads=4, checkpoint_dir="ladder",
                   observers=["oxidation_states"])
    print(run.acceptance, run.round_trips.sum())
    curve = Reweighting(run.columns, ["si2_fraction"]).average("si2_fraction", np.linspace(0.1, 0.4, 50))

A round is a batch of Metropolis moves of every replica at its own temperature, then a swap of temperatures between
neighbouring rungs, the pairs (0,1), (2,3), ... in even rounds and (1,2), (3,4), ... in odd ones, accepted with
probability min(1, exp((1/kT_i - 1/kT_j) (E_i - E_j))).

Which energy? The chain's states are networks, and E is the energy of a network's relaxed positions. Local relaxation
leaves an excess in the running energy that depends on the path and is larger for hot replicas, which accept more
moves; an exchange decided with it would not keep the Boltzmann distribution. All replicas are therefore relaxed wholly
at the end of each batch, before the energies are recorded and the exchange is tried: the recorded energy, the energy
in the exchange, and the one from which the next batch starts are the same number.

Early rejection belongs to a temperature: its rules stay with the rung when replicas change places. They go stale as
networks relax; `calibrate_at` names the rounds before which every rung finds its own anew, best all of them in the part
that the analysis leaves out.

Every replica draws from a stream of its own, and the swaps from another one: the result does not depend on the number
of threads.
"""

import logging
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from itertools import pairwise
from math import exp
from pathlib import Path
from typing import Any

import numpy as np

from moxie.errors import InputError
from moxie.job import Progress
from moxie.oxidation.arguments import check_kT, check_moves
from moxie.oxidation.engine import Engine, Rejection
from moxie.oxidation.kernels.random_stream import seed_stream, uniform
from moxie.oxidation.parameter_sets import ParameterSet
from moxie.oxidation.sampling.checkpoints import Checkpoints, digest, engine_arrays, engine_digest, restore_engine
from moxie.oxidation.sampling.metropolis import advance, relax
from moxie.oxidation.sampling.observers import Measure, Observer, Row, Table, make_observers, measure
from moxie.oxidation.tally import Tally
from moxie.seeds import derive_seed
from moxie.structures.network import Network

ALGORITHM = "replica exchange 6"  # part of every checkpoint's digest; change it when the random numbers change
KIND = "replica-exchange"  # of the checkpoints
CALIBRATION_FOLLOWED = 600, 1200  # moves of each rung


@dataclass(frozen=True)
class Exchange:
    """What a replica exchange recorded.

    kT_eV: the rungs, (n,). columns: round, rung, replica, then as in `metropolis.Chain`; one row per round and rung,
    in that order. swaps_tried, swaps_accepted: of each pair of neighbouring rungs, (n-1,). round_trips: how often each
    replica went from the lowest rung to the highest and back, (n,). cpu_s counts the runs before a resume too.
    """

    kT_eV: np.ndarray
    columns: dict[str, np.ndarray]
    swaps_tried: np.ndarray
    swaps_accepted: np.ndarray
    round_trips: np.ndarray
    attempts: int
    largest_drift_eV: float
    cpu_s: float

    @property
    def acceptance(self) -> np.ndarray:
        """Share of the swaps accepted between each pair of neighbouring rungs, (n-1,); nan where none was tried."""
        tried = np.where(self.swaps_tried > 0, self.swaps_tried, 1)
        return np.where(self.swaps_tried > 0, self.swaps_accepted / tried, np.nan)


@dataclass
class _State:
    rounds: int
    rung: list[int]  # of each replica
    rejections: list[dict[str, Any]]  # of each rung
    half_trips: list[int]  # of each replica: ends reached in turn, the lowest rung first
    swaps_tried: list[int]
    swaps_accepted: list[int]
    attempts: int = 0
    accepted: int = 0
    largest_drift_eV: float = 0.0
    cpu_s: float = 0.0
    energies_eV: list[float] = field(default_factory=list)


def make_replicas(
    network: Network, parameters: ParameterSet, n: int, seed: int, rejection: Rejection | None = None
) -> list[Engine]:
    """Return n engines that start from the same network, each with a stream of its own derived from `seed`.

    `rejection` is that of an engine calibrated on such a network, if there is one.
    """
    seeds = [derive_seed(seed, "replica", number=k) for k in range(n)]
    return [Engine(network, parameters, each, rejection) for each in seeds]


def swap_probability(kT_i_eV: float, kT_j_eV: float, energy_i_eV: float, energy_j_eV: float) -> float:
    """Return min(1, exp((1/kT_i - 1/kT_j) (E_i - E_j))): the probability to exchange the states of two rungs."""
    return exp(min(0.0, (1 / kT_i_eV - 1 / kT_j_eV) * (energy_i_eV - energy_j_eV)))


def exchange(
    replicas: Sequence[Engine],
    kT_eV: Sequence[float] | np.ndarray,
    n_rounds: int,
    moves_per_round: int,
    hop_fraction: float = 0.0,
    observers: Iterable[str | Observer | Measure] = (),
    seed: int = 0,
    threads: int = 1,
    checkpoint_dir: str | Path | None = None,
    log: logging.Logger | None = None,
    checkpoint_interval_s: float = 30.0,
    stop: Callable[[], bool] | None = None,
    calibrate_at: Sequence[int] = (),
) -> Exchange:
    """Run replica exchange over the ascending ladder `kT_eV` (eV); replica k starts on rung k, which takes its rules of
    early rejection unless `calibrate_at` holds round 0.

    The replicas end in their last states; `seed` belongs to the swaps alone. The same replicas and arguments give the
    same bytes on one machine type with any number of threads, also across a kill and a resume from `checkpoint_dir`;
    the last checkpoint holds the finished run. Observers measure one replica after the other, after each batch. `stop`
    is asked after each round; True ends the run with KeyboardInterrupt right after a checkpoint.
    Raises InputError for a ladder that is not ascending or does not match the replicas, for replicas that are not of
    one kind, and for arguments out of range; SamplerError when a running energy is off by more than 1e-8 eV.
    """
    log = log or logging.getLogger(__name__)
    ladder = _check_ladder(kT_eV, replicas)
    check_moves(hop_fraction, n_rounds=n_rounds, moves_per_round=moves_per_round, threads=threads)
    observing = make_observers(observers)
    settings = [
        ALGORITHM,
        [engine_digest(replica) for replica in replicas],
        [ladder, n_rounds, moves_per_round, hop_fraction, seed, list(calibrate_at)],
        [observer.name for observer in observing],
    ]
    checkpoints = Checkpoints(checkpoint_dir, digest(settings), log, KIND)
    state, table, stream = _begin(checkpoints, replicas, seed, log)
    progress = Progress(log, n_rounds, "rounds", state.rounds)
    began, cpu_before, saved = time.process_time(), state.cpu_s, time.monotonic()

    def calibrate(replica: int) -> dict[str, Any]:
        kT = ladder[state.rung[replica]]
        return replicas[replica].calibrate(kT, hop_fraction, None, *CALIBRATION_FOLLOWED).rejection.to_dict()

    def batch(replica: int) -> tuple[Tally, float]:
        rung = state.rung[replica]
        replicas[replica].set_rejection(Rejection.from_dict(state.rejections[rung]))
        return advance(replicas[replica], moves_per_round, ladder[rung], hop_fraction)

    with ThreadPoolExecutor(threads) as pool:
        while state.rounds < n_rounds:
            if state.rounds in calibrate_at:
                state.rejections = list(pool.map(calibrate, _on_rungs(state)))
            done = list(pool.map(batch, range(len(ladder))))
            for rung, replica in enumerate(_on_rungs(state)):
                tally, drift = done[replica]
                state.attempts += tally.attempts
                state.accepted += tally.accepted
                state.largest_drift_eV = max(state.largest_drift_eV, drift)
                where: Row = {"round": state.rounds, "rung": rung, "replica": replica}
                table.append(measure(replicas[replica], tally, ladder[rung], observing, where))
            _swap(state, [replica.energy for replica in replicas], ladder, stream)
            state.rounds += 1
            state.cpu_s = cpu_before + time.process_time() - began
            progress.update(state.rounds, _note(state, replicas))
            asked = stop is not None and stop()
            if asked or state.rounds == n_rounds or time.monotonic() - saved > checkpoint_interval_s:
                _save(checkpoints, replicas, state, table, stream)
                saved = time.monotonic()
            if asked:
                raise KeyboardInterrupt
    log.info("%d rounds on %d rungs, %s", state.rounds, len(ladder), _note(state, replicas))
    return Exchange(
        np.array(ladder),
        table.columns,
        np.array(state.swaps_tried),
        np.array(state.swaps_accepted),
        _round_trips(state),
        state.attempts,
        state.largest_drift_eV,
        state.cpu_s,
    )


def _check_ladder(kT_eV: Sequence[float] | np.ndarray, replicas: Sequence[Engine]) -> list[float]:
    ladder = [float(kT) for kT in kT_eV]
    if len(ladder) < 2:
        raise InputError(f"The ladder has {len(ladder)} rung; replica exchange needs two or more.")
    for kT in ladder:
        check_kT(kT)
    if any(low >= high for low, high in pairwise(ladder)):
        raise InputError(f"The ladder {ladder} does not ascend; sort it and leave each temperature in once.")
    if len(replicas) != len(ladder):
        raise InputError(f"There are {len(replicas)} replicas for {len(ladder)} rungs; give one replica for each rung.")
    if len({replica.atoms.stream.tobytes() for replica in replicas}) < len(replicas):
        raise InputError("Two replicas share a random stream; make them with different seeds (see make_replicas).")
    if len({_kind(replica) for replica in replicas}) > 1:
        raise InputError(
            "The replicas differ in parameters, cell, `triangles`, or number of Si, O (bonded or in reserve) or fixed "
            "atoms; only networks of one kind can exchange temperatures."
        )
    return ladder


def _kind(replica: Engine) -> str:
    """Return a digest of what replicas must share. No move here takes O from the reserve: the bonded O stay as many."""
    species, frozen = replica.atoms.species, replica.atoms.frozen
    counts = np.bincount(species + 2 * frozen, minlength=4).tolist()
    return digest([asdict(replica.parameters), replica.cell.tolist(), counts, replica.n_oxygen, replica.triangles])


def _on_rungs(state: _State) -> list[int]:
    """Return the replica on each rung."""
    return np.argsort(state.rung).tolist()


def _swap(state: _State, energies: Sequence[float], ladder: Sequence[float], stream: np.ndarray) -> None:
    """Try to swap the replicas of every second pair of neighbouring rungs, and count the ends of the ladder reached.

    One number is drawn for each pair, needed or not.
    """
    replica = _on_rungs(state)
    for low in range(state.rounds % 2, len(ladder) - 1, 2):
        i, j = replica[low], replica[low + 1]
        state.swaps_tried[low] += 1
        if uniform(stream) < swap_probability(ladder[low], ladder[low + 1], energies[i], energies[j]):
            state.swaps_accepted[low] += 1
            state.rung[i], state.rung[j] = low + 1, low
    _count_ends(state)


def _count_ends(state: _State) -> None:
    """Advance a replica's half trips where it stands on the end of the ladder that it has to reach next."""
    for replica, rung in enumerate(state.rung):
        wanted = 0 if state.half_trips[replica] % 2 == 0 else len(state.rung) - 1
        if rung == wanted:
            state.half_trips[replica] += 1


def _round_trips(state: _State) -> np.ndarray:
    """Return each replica's round trips: after the first visit of the lowest rung, two ends are one trip."""
    return np.maximum(np.array(state.half_trips) - 1, 0) // 2


def _note(state: _State, replicas: Sequence[Engine]) -> str:
    accepted = 100 * state.accepted / max(state.attempts, 1)
    swapped = 100 * sum(state.swaps_accepted) / max(sum(state.swaps_tried), 1)
    energies = [replica.energy for replica in replicas]
    return (
        f"{state.attempts / max(state.cpu_s, 1e-9):.0f} attempts/s, {accepted:.2f} % accepted, {swapped:.0f} % of "
        f"swaps accepted, {_round_trips(state).sum()} round trips, {min(energies):.2f} to {max(energies):.2f} eV"
    )


def _begin(
    checkpoints: Checkpoints, replicas: Sequence[Engine], seed: int, log: logging.Logger
) -> tuple[_State, Table, np.ndarray]:
    found = checkpoints.load()
    if found is None:
        n = len(replicas)
        rejections = [replica.rejection.to_dict() for replica in replicas]
        state = _State(0, list(range(n)), rejections, [0] * n, [0] * (n - 1), [0] * (n - 1))
        _count_ends(state)
        for replica in replicas:
            relax(replica)
        return state, Table(), seed_stream(derive_seed(seed, "swaps"))
    facts, arrays = found
    state = _State(**facts["state"])
    for k, replica in enumerate(replicas):
        restore_engine(replica, arrays, state.energies_eV[k], f"replica{k}_")
    log.info("Resumed after %d rounds.", state.rounds)
    return state, Table.from_checkpoint(facts["columns"], arrays), arrays["swap_stream"]


def _save(
    checkpoints: Checkpoints, replicas: Sequence[Engine], state: _State, table: Table, stream: np.ndarray
) -> None:
    state.energies_eV = [replica.energy for replica in replicas]
    columns, arrays = table.to_checkpoint()
    arrays["swap_stream"] = stream
    for k, replica in enumerate(replicas):
        arrays |= engine_arrays(replica, f"replica{k}_")
    checkpoints.save({"state": asdict(state), "columns": columns}, arrays)
