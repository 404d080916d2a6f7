"""Growth of an oxide film on a silicon slab: from a recipe to networks at several stages of oxidation.

Time does not enter the Monte Carlo: the recipe's kinetics give a thickness, the thickness a number of O. These are
inserted one by one at the front; after each, the film relaxes and a batch of Metropolis moves follows. Every stage
ends with an anneal that cools to the process temperature. Silicon that is cut off from the substrate, such as a Si-Si
bond inside the oxide, is what O2 meets on its way to the front: it takes O first during growth, and all of it once an
anneal has reached the process temperature.
"""

import logging
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from moxie.constants import BOLTZMANN_EV_K
from moxie.errors import InputError
from moxie.oxidation.engine import Engine
from moxie.oxidation.films.front import FrontEngine
from moxie.oxidation.parameter_sets import ParameterSet
from moxie.oxidation.rejection import FILM_REJECTION, Calibration, Rejection
from moxie.oxidation.sampling.checkpoints import Checkpoints, digest, engine_arrays, restore_engine
from moxie.oxidation.tally import Tally
from moxie.structures.back_side import front_oxygen
from moxie.structures.network import Network, make_network
from moxie.structures.silicon import face

CALIBRATION_FOLLOWED = 75, 175  # moves, at the beginning of every stage's anneal
ALGORITHM = "films 10"  # part of every checkpoint's digest; change it when the chain of random numbers changes
KIND = "film"  # of the checkpoints


@dataclass(frozen=True)
class Growth:
    """How O is inserted. Each insertion picks a mobile Si-Si bond with weight exp(-dE_suboxide/penalty_scale_eV) *
    exp(z/depth_scale_A), in silicon cut off from the substrate if there is any; it is followed by `relax_steps`
    relaxation steps of the whole film, `hot_moves_per_oxygen` switches of fully oxidised Si at hot_kT_eV, and
    `moves_per_oxygen` moves at kT_eV, a share hop_fraction of them oxygen hops."""

    stages: int = 4
    moves_per_oxygen: int = 150
    hop_fraction: float = 0.3
    kT_eV: float = 0.3
    hot_moves_per_oxygen: int = 100
    hot_kT_eV: float = 0.8
    penalty_scale_eV: float = 0.2
    depth_scale_A: float = 2.0
    relax_steps: int = 60


@dataclass(frozen=True)
class Anneal:
    """Cooling at the end of each stage: `steps` equal steps of kT from start_kT_eV down to the process kT; in all
    `moves_per_oxygen` (last stage: final_moves_per_oxygen) moves for each O of the film. Before and after the last
    step, which is at the process temperature, O fills what silicon is cut off from the substrate."""

    steps: int = 12
    start_kT_eV: float = 0.4
    moves_per_oxygen: int = 120
    final_moves_per_oxygen: int = 300


@dataclass(frozen=True)
class FilmSettings:
    """Everything that decides a film, apart from slab, field and seed. checkpoint_interval_s decides nothing."""

    n_oxygen: int
    growth: Growth = Growth()
    anneal: Anneal = Anneal()
    checkpoint_interval_s: float = 30.0


@dataclass(frozen=True)
class FilmResult:
    """The networks after each stage's anneal (the last is the film) and the trace of the Monte Carlo.

    trace: one dict per batch of moves: stage, phase (hot | growth | calibration | anneal), n_oxygen, kT_eV, attempts,
    valid, accepted, hops_accepted, energy_eV. rejection: the rules that the last anneal used. Each network's info holds
    its energy terms, kT and acceptance; its arrays each atom's share of energy and lateral virial.
    """

    stages: list[Network]
    trace: list[dict[str, Any]]
    cpu_s: float
    attempts: int
    accepted: int
    largest_drift_eV: float
    rejection: Rejection


@dataclass
class _Progress:
    stage: int = 0
    step: int = 0  # of the stage's anneal, those already done
    taken_up: int = 0  # O that the last complete anneal took up
    attempts: int = 0
    accepted: int = 0
    largest_drift_eV: float = 0.0
    cpu_s: float = 0.0
    trace: list[dict[str, Any]] = field(default_factory=list)


def grow_oxide(
    slab: Network,
    parameters: ParameterSet,
    settings: FilmSettings,
    temperature_K: float,
    seed: int,
    checkpoint_dir: str | Path | None = None,
    log: logging.Logger | None = None,
    stop: Callable[[], bool] | None = None,
    rejection: Rejection | None = None,
) -> FilmResult:
    """Grow an oxide film of settings.n_oxygen O atoms (those on the slab's front included).

    Growth stops short of that by as many O as the anneal before took up; if the last anneal takes up more, the film
    holds so many more O.

    `rejection` comes from `calibrate_rejection` and serves until the first stage's anneal; each anneal begins with a
    calibration of its own. Without it no move is given up early, which takes many times longer.

    The same slab, field, settings, temperature and seed give the same bytes on one machine type, also across a kill
    and a resume from `checkpoint_dir`. `stop` is asked between steps; True ends the run with KeyboardInterrupt right
    after a checkpoint. The checkpoints stay until `Checkpoints.clear` (see `clear_checkpoints`).
    Raises InputError when the slab holds too few Si-Si bonds or settings are out of range.
    """
    log = log or logging.getLogger(__name__)
    _check(slab, settings, temperature_K)
    kT = BOLTZMANN_EV_K * temperature_K
    targets = _targets(front_oxygen(slab), settings)
    checkpoints = Checkpoints(
        checkpoint_dir, _digest(slab, parameters, settings, temperature_K, seed, rejection), log, KIND
    )
    engine, progress, stages = _begin(checkpoints, slab, parameters, seed, rejection, log)
    began, cpu_before = time.process_time(), progress.cpu_s
    said = saved = time.monotonic()
    while progress.stage < len(targets):
        finished = _step(engine, progress, settings, targets, kT)
        if finished:
            engine.put_back()
            engine.info = slab.info | _stage_facts(engine, progress, kT)
            stages.append(engine.to_network())
            progress.stage += 1
            progress.step = 0
        progress.cpu_s = cpu_before + time.process_time() - began
        now = time.monotonic()
        asked = stop is not None and stop()
        if asked or now - saved > settings.checkpoint_interval_s:
            _save(checkpoints, engine, progress, stages)
            saved = now
        if asked:
            raise KeyboardInterrupt
        if now - said > 10.0 or progress.stage == len(targets):
            said = now
            _say(log, engine, progress, targets, settings)
    return FilmResult(
        stages,
        progress.trace,
        progress.cpu_s,
        progress.attempts,
        progress.accepted,
        progress.largest_drift_eV,
        engine.rejection,
    )


def calibrate_rejection(
    slab: Network, parameters: ParameterSet, growth: Growth, seed: int, log: logging.Logger | None = None
) -> tuple[Calibration, float, float]:
    """Find the constants of early rejection for films: on a rough film that grows by three O per O of a bare surface,
    or by half of what the slab takes.

    Returns (calibration, false-kill rate measured on other moves, effective number of these). The constants hold from
    the growth's kT downwards.
    """
    log = log or logging.getLogger(__name__)
    engine = FrontEngine(slab, parameters, seed, FILM_REJECTION)
    engine.relax(0.01, 1000)
    calibration = None
    for target in calibration_sizes(slab):
        while len(engine.oxygens) < target:
            _insert(engine, growth)
            engine.run(20, growth.kT_eV, growth.hop_fraction, active_silicon(engine))
        earlier = None if calibration is None else calibration.log
        calibration = engine.calibrate(
            growth.kT_eV, growth.hop_fraction, active_silicon(engine), 600, 1200, earlier, 30_000
        )
        log.info("%d O: %d moves followed, %.0f acceptable ones", target, len(calibration.log), calibration.effective)
    assert calibration is not None
    rate, number = engine.measure_false_kills(growth.kT_eV, growth.hop_fraction, active_silicon(engine), 1500, 30_000)
    log.info("False kills: %.2f %% of the acceptable moves (effectively %.0f)", 100 * rate, number)
    return calibration, rate, number


def calibration_sizes(slab: Network) -> tuple[int, int]:
    """Return the numbers of O at the front for the two parts of `calibrate_rejection`.

    One and three times the O of the bare surface are added to those there, 16 and 32 being the fewest in all; no more
    than a half of the mobile Si-Si bonds take one.
    """
    present, area = front_oxygen(slab), slab.area_A2
    bare = present
    if "orientation" in slab.info and "lattice_constant_A" in slab.info:
        surface, lattice_constant_A = face(slab.info["orientation"]), float(slab.info["lattice_constant_A"])
        cell_A2 = surface.edges[0] * surface.edges[1] * lattice_constant_A**2
        bare = round(surface.bridges_per_cell * area / cell_A2)
    most = present + _free_bonds(slab) // 2
    first, last = (max(present, 8) + times * max(bare, 8) for times in (1, 3))
    return min(first, most), min(last, most)


def _free_bonds(slab: Network) -> int:
    """Return the number of Si-Si bonds between mobile atoms."""
    silicon = (slab.species == "Si") & ~slab.frozen
    return int((silicon[slab.bonds[:, 0]] & silicon[slab.bonds[:, 1]]).sum())


def clear_checkpoints(checkpoint_dir: str | Path) -> None:
    """Remove a finished film's checkpoints; call it when the outputs are in place."""
    Checkpoints(checkpoint_dir, "", logging.getLogger(__name__), KIND).clear()


def _check(slab: Network, settings: FilmSettings, temperature_K: float) -> None:
    growth, anneal = settings.growth, settings.anneal
    if not 100 <= temperature_K <= 3000:
        raise InputError(f"temperature_K is {temperature_K}; process temperatures lie in 100-3000 K.")
    if not 0 <= growth.hop_fraction <= 1:
        raise InputError(f"growth.hop_fraction is {growth.hop_fraction}; it must lie in [0, 1].")
    positive = {
        "growth.stages": growth.stages,
        "growth.kT_eV": growth.kT_eV,
        "growth.hot_kT_eV": growth.hot_kT_eV,
        "growth.penalty_scale_eV": growth.penalty_scale_eV,
        "growth.depth_scale_A": growth.depth_scale_A,
        "growth.relax_steps": growth.relax_steps,
        "anneal.steps": anneal.steps,
        "anneal.start_kT_eV": anneal.start_kT_eV,
    }
    for key, value in positive.items():
        if not value > 0:
            raise InputError(f"{key} is {value}; it must be positive.")
    counts = {
        "growth.moves_per_oxygen": growth.moves_per_oxygen,
        "growth.hot_moves_per_oxygen": growth.hot_moves_per_oxygen,
        "anneal.moves_per_oxygen": anneal.moves_per_oxygen,
        "anneal.final_moves_per_oxygen": anneal.final_moves_per_oxygen,
    }
    for key, value in counts.items():
        if value < 0:
            raise InputError(f"{key} is {value}; it must be zero or more.")
    free, present = _free_bonds(slab), front_oxygen(slab)
    if settings.n_oxygen < present:
        raise InputError(f"n_oxygen is {settings.n_oxygen}, but the slab already holds {present} O.")
    if settings.n_oxygen - present > free:
        raise InputError(
            f"{settings.n_oxygen - present} O are to be inserted, but the slab has only {free} Si-Si bonds between "
            "mobile atoms. Use a thicker slab, fewer frozen layers or a thinner oxide."
        )


def _stage_facts(engine: Engine, progress: _Progress, kT: float) -> dict[str, Any]:
    """Return what a finished stage's frame says about itself; accepted_fraction is that of its last anneal step."""
    last = progress.trace[-1]
    return {
        "stage": progress.stage + 1,
        "kT_eV": kT,
        "n_oxygen": len(engine.oxygens),
        "parameter_set": engine.parameters.name,
        "accepted_fraction": last["accepted"] / max(last["attempts"], 1),
        **energy_facts(engine),
    }


def energy_facts(engine: Engine) -> dict[str, float]:
    """Return the energy terms of a film as its files state them, and its largest force."""
    energy = engine.energy_terms()
    return {
        "bond_energy_eV": energy.bond,
        "angle_energy_eV": energy.angle,
        "repulsion_energy_eV": energy.repulsion,
        "suboxide_energy_eV": energy.suboxide,
        "largest_force_eV_A": float(abs(energy.forces[engine.mobile]).max()),
    }


def with_energies_of(parameters: ParameterSet, film: Network) -> Network:
    """Return a film as it is, with the energies that another field gives it: those of its terms and of its atoms.

    Suboxide penalties exert no force, so that a film grown with other ones is at rest with these, too.
    """
    engine = Engine(film, parameters, rejection=FILM_REJECTION)
    engine.info = film.info | energy_facts(engine)
    return engine.to_network()


def _targets(present: int, settings: FilmSettings) -> list[int]:
    """Return the number of O at the end of each stage: equal shares, no stage empty unless nothing is inserted."""
    count = max(1, min(settings.growth.stages, settings.n_oxygen - present))
    return [present + round((settings.n_oxygen - present) * (k + 1) / count) for k in range(count)]


def _step(engine: Engine, progress: _Progress, settings: FilmSettings, targets: list[int], kT: float) -> bool:
    """Do one step of the present stage (an insertion or an anneal step); return whether the stage is complete."""
    target = targets[progress.stage]
    growth, anneal = settings.growth, settings.anneal
    n_oxygen = len(engine.oxygens)
    if progress.step == 0 and n_oxygen < target - progress.taken_up:
        _insert(engine, growth)
        if growth.hot_moves_per_oxygen:
            full = np.flatnonzero((engine.oxidation_states() == 4) & ~engine.atoms.frozen)
            if len(full) > 1:
                tally = engine.run(growth.hot_moves_per_oxygen, growth.hot_kT_eV, 0.0, full)
                _record(engine, progress, "hot", growth.hot_kT_eV, tally)
        tally = engine.run(growth.moves_per_oxygen, growth.kT_eV, growth.hop_fraction, active_silicon(engine))
        _record(engine, progress, "growth", growth.kT_eV, tally)
        return False
    last = progress.stage == len(targets) - 1
    per_oxygen = anneal.final_moves_per_oxygen if last else anneal.moves_per_oxygen
    done = progress.step
    start = max(anneal.start_kT_eV, kT)
    if done == 0 and engine.rejection.rules:
        # as the oxide grows and anneals, its moves gain less and less: old rules would give up nearly all of them
        found = engine.calibrate(start, growth.hop_fraction, active_silicon(engine), *CALIBRATION_FOLLOWED)
        _record(engine, progress, "calibration", start, found.tally)
    complete = done + 1 == anneal.steps
    if complete:
        fill_inclusions(engine, growth, target)
    share = [per_oxygen * n_oxygen * k // anneal.steps for k in (done, done + 1)]
    now = start + (kT - start) * (done + 1) / anneal.steps
    tally = engine.run(share[1] - share[0], now, growth.hop_fraction, active_silicon(engine))
    _record(engine, progress, "anneal", now, tally)
    progress.step += 1
    engine.relax(0.05, growth.relax_steps)
    if complete:
        fill_inclusions(engine, growth, target)
        progress.taken_up = len(engine.oxygens) - n_oxygen
        engine.relax(0.005, 1000)
    progress.largest_drift_eV = max(progress.largest_drift_eV, abs(engine.check_energy()))
    return complete


def fill_inclusions(engine: Engine, growth: Growth, target: int = 0) -> None:
    """Insert O until no silicon is cut off from the substrate and the film holds `target` of them."""
    while len(inclusions(engine)) or len(engine.oxygens) < target:
        _insert(engine, growth)


def _insert(engine: Engine, growth: Growth) -> None:
    engine.insert_oxygen(*choose_bond(engine, growth))
    engine.relax(0.05, growth.relax_steps)


def _silicon_bonds(engine: Engine) -> np.ndarray:
    """Return the Si-Si bonds, (m, 2)."""
    bonds = engine.bonds()
    return bonds[(engine.atoms.species[bonds] == 0).all(axis=1)]


def inclusions(engine: Engine) -> np.ndarray:
    """Return the Si-Si bonds, (k, 2), of silicon that no chain of such bonds joins to the substrate, the largest piece
    of silicon."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    bonds = _silicon_bonds(engine)
    n_atoms = len(engine.atoms.species)
    linked = coo_array((np.ones(len(bonds)), bonds.T), shape=(n_atoms, n_atoms))
    _, piece = connected_components(linked, directed=False)
    return bonds[piece[bonds[:, 0]] != np.bincount(piece).argmax()]


def choose_bond(engine: Engine, growth: Growth) -> tuple[int, int]:
    """Draw the mobile Si-Si bond that takes the next O; see `Growth` for the weights. InputError if there is none."""
    atoms = engine.atoms
    bonds = inclusions(engine)
    if not len(bonds):
        bonds = _silicon_bonds(engine)
        bonds = bonds[~atoms.frozen[bonds].any(axis=1)]
    if not len(bonds):
        raise InputError("No Si-Si bond is left for another O; use a thicker slab or a thinner oxide.")
    states = engine.oxidation_states()[bonds]
    penalty = engine.field.suboxide
    cost = (penalty[states + 1] - penalty[states]).sum(axis=1)
    height = atoms.position[bonds[:, 0], 2] + 0.5 * (atoms.position[bonds[:, 1], 2] - atoms.position[bonds[:, 0], 2])
    exponent = -cost / growth.penalty_scale_eV + height / growth.depth_scale_A
    cumulative = np.cumsum(np.exp(exponent - exponent.max()))
    index = int(np.searchsorted(cumulative, engine.draw() * cumulative[-1], side="right"))
    i, j = bonds[min(index, len(bonds) - 1)].tolist()
    return i, j


def active_silicon(engine: Engine) -> np.ndarray:
    """Return the mobile Si with an O neighbour, or with a Si neighbour that has one: those worth a bond switch."""
    states = engine.oxidation_states()
    near = engine.atoms.neighbours
    oxidised = states > 0
    active = oxidised | ((near >= 0) & oxidised[near]).any(axis=1)
    return np.flatnonzero(active & (engine.atoms.species == 0) & ~engine.atoms.frozen).astype(np.int32)


def _record(engine: Engine, progress: _Progress, phase: str, kT: float, tally: Tally) -> None:
    progress.attempts += tally.attempts
    progress.accepted += tally.accepted
    progress.trace.append(
        {
            "stage": progress.stage + 1,
            "phase": phase,
            "n_oxygen": len(engine.oxygens),
            "kT_eV": kT,
            "attempts": tally.attempts,
            "valid": tally.valid,
            "accepted": tally.accepted,
            "hops_accepted": tally.hops_accepted,
            "energy_eV": engine.energy,
        }
    )


def _work_left(progress: _Progress, targets: list[int], settings: FilmSettings, n_oxygen: int) -> tuple[float, float]:
    """Return (moves still to do, moves in all): the estimate behind the progress lines."""
    growth, anneal = settings.growth, settings.anneal
    each = growth.moves_per_oxygen + growth.hot_moves_per_oxygen
    present = progress.trace[0]["n_oxygen"] - 1 if progress.trace else n_oxygen
    last = len(targets) - 1
    sizes = [
        (anneal.final_moves_per_oxygen if k == last else anneal.moves_per_oxygen) * target
        for k, target in enumerate(targets)
    ]
    left = float(each * max(targets[-1] - n_oxygen, 0) + sum(sizes[progress.stage :]))
    if progress.stage <= last:
        left -= sizes[progress.stage] * progress.step / anneal.steps
    return left, float(each * (targets[-1] - present) + sum(sizes))


def _say(log: logging.Logger, engine: Engine, progress: _Progress, targets: list[int], settings: FilmSettings) -> None:
    left, in_all = _work_left(progress, targets, settings, len(engine.oxygens))
    rate = progress.attempts / max(progress.cpu_s, 1e-9)
    log.info(
        "%3.0f %% done, %d O of %d, stage %d of %d, %.0f attempts/s, %.2f %% accepted, %.2f eV, about %.0f s left",
        100 * (1 - left / max(in_all, 1.0)),
        len(engine.oxygens),
        targets[-1],
        min(progress.stage + 1, len(targets)),
        len(targets),
        rate,
        100 * progress.accepted / max(progress.attempts, 1),
        engine.energy,
        left / max(rate, 1e-9),
    )


def _digest(
    slab: Network,
    parameters: ParameterSet,
    settings: FilmSettings,
    temperature_K: float,
    seed: int,
    rejection: Rejection | None,
) -> str:
    decisive = asdict(settings)
    del decisive["checkpoint_interval_s"]
    return digest(
        [
            ALGORITHM,
            asdict(parameters),
            decisive,
            temperature_K,
            seed,
            None if rejection is None else rejection.to_dict(),
            slab.positions.tolist(),
            slab.bonds.tolist(),
            slab.species.tolist(),
            slab.frozen.tolist(),
            slab.cell.tolist(),
        ]
    )


def _begin(
    checkpoints: Checkpoints,
    slab: Network,
    parameters: ParameterSet,
    seed: int,
    rejection: Rejection | None,
    log: logging.Logger,
) -> tuple[FrontEngine, _Progress, list[Network]]:
    found = checkpoints.load()
    engine = FrontEngine(slab, parameters, seed, rejection or FILM_REJECTION)
    if found is None:
        engine.relax(0.01, 1000)
        return engine, _Progress(), []
    facts, arrays = found
    engine.set_rejection(Rejection.from_dict(facts["rejection"]))
    restore_engine(engine, arrays, facts["energy"])
    progress = _Progress(**facts["progress"])
    stages = []
    for k in range(progress.stage):
        stages.append(
            make_network(
                arrays[f"stage{k}_position"],
                np.where(arrays[f"stage{k}_species"] == 1, "O", "Si"),
                arrays[f"stage{k}_bonds"],
                slab.cell,
                slab.periodic,
                arrays[f"stage{k}_frozen"],
                facts["stages"][k],
                label=f"checkpoint, stage {k}",
                arrays={
                    key.removeprefix(f"stage{k}_array_"): values
                    for key, values in arrays.items()
                    if key.startswith(f"stage{k}_array_")
                },
            )
        )
    log.info("Resumed at stage %d with %d O.", progress.stage + 1, len(engine.oxygens))
    return engine, progress, stages


def _save(checkpoints: Checkpoints, engine: Engine, progress: _Progress, stages: list[Network]) -> None:
    progress.largest_drift_eV = max(progress.largest_drift_eV, abs(engine.drift()))
    arrays = engine_arrays(engine)
    for k, network in enumerate(stages):
        arrays[f"stage{k}_position"] = network.positions
        arrays[f"stage{k}_species"] = (network.species == "O").astype(np.int32)
        arrays[f"stage{k}_bonds"] = network.bonds
        arrays[f"stage{k}_frozen"] = network.frozen
        for key, values in network.arrays.items():
            arrays[f"stage{k}_array_{key}"] = values
    facts = {
        "energy": engine.energy,
        "progress": asdict(progress),
        "stages": [dict(s.info) for s in stages],
        "rejection": engine.rejection.to_dict(),
    }
    checkpoints.save(facts, arrays)
