"""Speed and quality of the Monte Carlo engine, each beside its false kills; the naive way and LAMMPS in the same run.

Attempts count when they pass the topology filter. Networks are annealed by the generators; larger ones are periodic
repeats of them, so that all sizes have the same structure.
"""

import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np

from benchmarks.rows import row

LAMMPS_RELAXER = Path(__file__).with_name("lammps_relaxer.py")
FORCE_TOLERANCE_EV_A = 0.03
# CPU seconds after which a network is done: the goals are 10 degrees within 30 s and 9.4 within 120 s
BUDGET_S = 120.0
FEWER = {True: (150, 300, 250), False: (400, 1000, 1000)}  # moves followed where one takes milliseconds; True: quick
Rows = list[dict[str, Any]]


def measure(quick: bool) -> Iterator[dict[str, Any]]:
    """Yield the rows of the oxidation engine, part after part; all share the code that the first has compiled.

    A part that fails is told at the end, by an ExceptionGroup: the other parts do not wait for it.
    """
    with tempfile.TemporaryDirectory() as cache, patch.dict(os.environ, NUMBA_CACHE_DIR=cache):
        made: dict[str, Any] = {}
        parts: dict[str, Callable[[], Iterable[dict[str, Any]]]] = {
            "compilation": lambda: compiling(1 if quick else 3),
            "networks": lambda: make_networks(made, quick),
            "silicon": lambda: silicon_rows(made["a-Si 1000, 1"]["network"], quick),
            "relaxing everything": lambda: naive_and_lammps(made["a-Si 1000, 1"]["network"], 3 if quick else 10),
            "two replicas": lambda: two_threads(made["a-Si 1000, 1"]["network"], 100_000 if quick else 600_000),
            "silica": lambda: silica_rows(made["silica"][0], quick),
            "film": lambda: film_rows(made["film"], quick),
        }
        failures = []
        for name, part in parts.items():
            began = time.perf_counter()
            try:
                yield from part()
            except Exception as failure:  # whatever it was, the rows of the others are worth having
                failure.add_note(f"while measuring: {name}")
                failures.append(failure)
            print(f"{name}: {time.perf_counter() - began:.0f} s by the clock", flush=True)
        if failures:
            raise ExceptionGroup("parts of the benchmark failed", failures)


def make_networks(made: dict[str, Any], quick: bool) -> Iterator[dict[str, Any]]:
    """Put the networks to be measured into `made`, two processes at work; yield their quality and CPU seconds.

    CPU seconds are those of each process.
    """
    seeds = [f"a-Si 1000, {seed}" for seed in range(1, 2 if quick else 6)]
    with ProcessPoolExecutor(2, get_context("spawn")) as pool:
        pool.submit(compile_the_rest).result()
        jobs: dict[str, Future[Any]] = {}
        if not quick:
            jobs["a-Si 4096"] = pool.submit(anneal_silicon, 1, 4096, 7000.0, 10.0, 5 * BUDGET_S)
        jobs |= {"silica": pool.submit(anneal_silica, quick), "film": pool.submit(oxidise_slab, quick)}
        for seed, name in enumerate(seeds, start=1):
            jobs[name] = pool.submit(anneal_silicon, seed, 1000, 2500.0 if quick else 10_000.0, 9.4, BUDGET_S)
    made |= {name: job.result() for name, job in jobs.items() if job.exception() is None}
    yield from quality_rows([made[name] for name in seeds if name in made], 1000)
    yield from quality_rows([made[name] for name in ("a-Si 4096",) if name in made], 4096)
    yield from made["silica"][1] if "silica" in made else []
    failures = [failure for job in jobs.values() if isinstance(failure := job.exception(), Exception)]
    if failures:
        raise ExceptionGroup("networks could not be made", failures)


def compile_the_rest() -> None:
    """Relax a crystal as a whole, so that no network below is charged with the compilation of that."""
    from moxie.oxidation.engine import Engine
    from moxie.oxidation.parameter_sets import load_parameters
    from moxie.structures.silicon import diamond

    Engine(diamond((3, 3, 3)), load_parameters("von_alfthan_2003"), 1).relax(0.1, 10)


def silicon_rows(silicon: Any, quick: bool) -> Rows:
    """Measure amorphous silicon with six shells, and the network itself with the standard ones.

    The sizes are periodic repeats, and 216 atoms; all use the rules that were found in the network itself, so that
    their rates tell what the size does.
    """
    from moxie.oxidation.networks.generators import amorphous_silicon, silicon_annealing
    from moxie.oxidation.parameter_sets import load_parameters
    from moxie.oxidation.rejection import SILICON_REJECTION, ending_at
    from moxie.structures.network import repeat

    rules, rows = silicon_speed(silicon, ending_at(6), quick)
    field = load_parameters("von_alfthan_2003")
    others = [repeat(silicon, shape) for shape in (((3, 3, 3),) if quick else ((2, 2, 2), (3, 3, 3), (5, 5, 4)))]
    if not quick:
        others.append(amorphous_silicon(216, field, 1, schedule=silicon_annealing(5000.0)).network)
    for network in others:
        rows += silicon_speed(network, rules, quick)[1]
    return [*rows, *silicon_speed(silicon, SILICON_REJECTION, quick, 30 if quick else 100)[1]]


def silicon_speed(network: Any, stages: Any, quick: bool, accepted: int = 0) -> tuple[Any, Rows]:
    """Measure one network of silicon at kT 0.25 eV, and the local bias of so many accepted moves; return the rules
    too, found here unless `stages` has some."""
    from moxie.oxidation.engine import Engine
    from moxie.oxidation.parameter_sets import load_parameters

    engine = Engine(network, load_parameters("von_alfthan_2003", "none"), 1, stages)
    followed, runs, moves = ((300, 600, 500), 3, 100_000) if quick else ((600, 1200, 1000), 5, 200_000)
    rows = speed("a-Si", engine, 0.25, 0.0, lambda e: e.silicons, runs, moves, followed)
    return engine.rejection, [*rows, *(local_bias("a-Si", engine, 0.25, accepted) if accepted else [])]


def silica_rows(silica: Any, quick: bool) -> Rows:
    """Measure silica with six shells, which are too few, and with the standard ones."""
    from moxie.oxidation.engine import Engine
    from moxie.oxidation.parameter_sets import load_parameters
    from moxie.oxidation.rejection import SILICA_REJECTION, ending_at

    rows: Rows = []
    for stages, moves in ((ending_at(6), 20_000), (SILICA_REJECTION, 4_000)):
        engine = Engine(silica, load_parameters("von_alfthan_2003"), 1, stages, triangles=False)
        rows.append(moves_to_the_end("a-SiO2", engine, 0.3, 40 if quick else 100))
        runs, moves = (3, moves // 4) if quick else (5, moves)
        rows += speed("a-SiO2", engine, 0.3, 0.0, lambda e: e.silicons, runs, moves, FEWER[quick])
        rows += local_bias("a-SiO2", engine, 0.3, 20 if quick else 40)
    return rows


def film_rows(film: Any, quick: bool) -> Rows:
    """Measure an oxidising slab while it is annealed and while it grows."""
    from moxie.oxidation.engine import Engine
    from moxie.oxidation.films.growth import Growth, active_silicon
    from moxie.oxidation.parameter_sets import load_parameters
    from moxie.oxidation.rejection import FILM_REJECTION

    rows: Rows = []
    for kT in (0.12, Growth().kT_eV):
        engine = Engine(film, load_parameters("von_alfthan_2003"), 1, FILM_REJECTION)
        runs, moves = (3, 5_000) if quick else (5, 20_000)
        rows += speed("oxidising slab", engine, kT, 0.3, active_silicon, runs, moves, FEWER[quick])
    return rows


def oxidise_slab(quick: bool) -> Any:
    """Return a silicon slab with a thin oxide."""
    from moxie.oxidation.films.growth import Anneal, FilmSettings, Growth, calibrate_rejection, grow_oxide
    from moxie.oxidation.parameter_sets import load_parameters
    from moxie.structures.silicon import silicon_slab

    slab, growth, field = silicon_slab((4, 4, 5)), Growth(stages=1), load_parameters("von_alfthan_2003")
    calibration, _, _ = calibrate_rejection(slab, field, growth, 1)
    settings = FilmSettings(60 if quick else 160, growth, Anneal(6, 0.4, *([80, 80] if quick else [200, 200])))
    return grow_oxide(slab, field, settings, 1273.0, 1, rejection=calibration.rejection).stages[-1]


def speed(
    system: str,
    engine: Any,
    kT: float,
    hops: float,
    active: Callable[[Any], Any],
    runs: int,
    moves: int,
    followed: tuple[int, int, int],
) -> Rows:
    """Measure attempts per CPU second, acceptance, false kills and memory of one network.

    followed: moves in the two parts of the calibration, which an engine that has rules goes without, and in the
    measurement of false kills.
    """
    n = len(engine.atoms.position)
    found = "rules found elsewhere"
    if not engine.rejection.rules:
        calibration = engine.calibrate(kT, hops, active(engine), *followed[:2])
        found = f"{calibration.effective:.0f} in the calibration"
    rates, shares = attempts_per_second(engine, moves, kT, hops, active(engine), runs)
    engine.check_energy()
    lost, number = engine.measure_false_kills(kT, hops, active(engine), followed[2])
    where = f"kT {kT} eV, last stage {engine.rejection.shells[-1]} shells, {engine.energy / n:.3f} eV/atom"
    where += f", {hops:.0%} hops, repulsion on" if hops else ""
    size = sum(a.nbytes for part in (engine.atoms, engine.bins, engine.work) for a in part) / n
    return [
        row("attempts_per_cpu_second", system, n, rates, "1/s", f"{where}, {moves} moves a run"),
        row("acceptance", system, n, shares, "1", where),
        row(
            "false_kill_rate",
            system,
            n,
            [lost],
            "1",
            f"{where}, effectively {number:.0f} acceptable moves; {found}",
        ),
        row("bytes_per_atom", system, n, [size], "B", "all arrays of the engine"),
    ]


def moves_to_the_end(system: str, engine: Any, kT: float, moves: int) -> dict[str, Any]:
    """Measure what a move costs that no rule gives up: with the acceptance, a bound on any early rejection."""
    began = time.process_time()
    tally = engine.run(moves, kT)
    cost = (time.process_time() - began) / tally.valid
    where = f"kT {kT} eV, last stage {engine.rejection.shells[-1]} shells, nothing given up"
    return row("cpu_seconds_per_relaxed_move", system, len(engine.atoms.position), [cost], "s", where)


def quality_rows(annealed: list[dict[str, Any]], n: int) -> Rows:
    """Return the rows of annealed silicon of n atoms, one network for each seed."""
    rows: Rows = []
    units = {"bond_angle_deviation": "degree", "cpu_seconds": "s", "crystalline_fraction": "1"}
    for metric in sorted({key for each in annealed for key in each if key != "network"}):
        values = [each[metric] for each in annealed if metric in each]
        unit = next(unit for start, unit in units.items() if metric.startswith(start))
        where = f"fixed box, randomised crystal, by seed; {len(values)} of {len(annealed)}"
        rows.append(row(metric, "a-Si", n, values, unit, where))
    return rows


def anneal_silicon(seed: int, n: int, attempts_per_atom: float, goal_deg: float, budget_s: float) -> dict[str, Any]:
    """Anneal n atoms in a cube from a randomised crystal, until the bond-angle deviation is below the goal or the
    budget of CPU seconds is spent.

    CPU seconds count from the start of the annealing. Those until the deviation is below 10 and 9.4 degrees are there
    only if it came so far, and so are the deviations after 30 and 120 s if it took so long.
    """
    from moxie.features.networks import bond_angle_deviation, crystalline_fraction
    from moxie.oxidation.engine import Engine
    from moxie.oxidation.networks.generators import anneal, silicon_annealing
    from moxie.oxidation.parameter_sets import load_parameters
    from moxie.structures.silicon import diamond

    field = load_parameters("von_alfthan_2003")  # without repulsion atoms of an entangled network lie on each other
    cells = round((n / 8) ** (1 / 3))
    engine = Engine(diamond((cells, cells, cells), field.lattice_constant_A), field, seed)
    found: dict[str, Any] = {}
    watching_s = 0.0

    def watch(engine: Engine, batch: dict[str, float]) -> bool:
        nonlocal watching_s
        if batch["energy_eV"] > 0.5 * n:  # far from it, and there are angles that are folded flat
            return False
        began, spent = time.process_time(), batch["cpu_s"] - watching_s
        deviation = bond_angle_deviation(engine.to_network())[0]
        watching_s += time.process_time() - began
        for limit in (10, 9.4):
            if deviation < limit:
                found.setdefault(f"cpu_seconds_to_{limit}_degrees", spent)
        for moment in (30, 120):
            if spent > moment:
                found.setdefault(f"bond_angle_deviation_after_{moment}_s_deg", deviation)
        return deviation < goal_deg or spent > budget_s

    trace = anneal(engine, silicon_annealing(attempts_per_atom), watch=watch)
    network = engine.to_network()
    return {
        "network": network,
        "cpu_seconds_to_anneal": trace[-1]["cpu_s"] - watching_s,
        "bond_angle_deviation_deg": bond_angle_deviation(network)[0],
        "crystalline_fraction": crystalline_fraction(network),
        **found,
    }


def anneal_silica(quick: bool) -> tuple[Any, Rows]:
    """Make silica at zero pressure; its quality beside the CPU seconds it took."""
    from moxie.features.networks import first_sharp_peak, network_quality, structure_factor
    from moxie.oxidation.networks.generators import SILICA_SCHEDULE, Schedule, amorphous_silica, cool
    from moxie.oxidation.parameter_sets import load_parameters

    steps = ((2.0, 2.0), *cool(0.3, 0.15, 4, 100.0))
    schedule = (
        Schedule(steps, 30.0, 0.0, triangles=False, rejection=SILICA_SCHEDULE.rejection) if quick else SILICA_SCHEDULE
    )
    began = time.process_time()
    network = amorphous_silica(216 if quick else 1000, load_parameters("von_alfthan_2003"), 1, schedule).network
    took = time.process_time() - began
    quality = network_quality(network) | {"first_sharp_peak_per_A": first_sharp_peak(structure_factor(network))}
    units = {
        "density_g_cm3": "g/cm3",
        "Si-O-Si_mean_deg": "degree",
        "Si-O-Si_sd_deg": "degree",
        "O-Si-O_sd_deg": "degree",
        "rings_2_per_Si": "1",
        "three_ring_fraction": "1",
        "first_sharp_peak_per_A": "1/A",
    }
    n, where = len(network.positions), "zero pressure, one seed"
    rows = [row(name, "a-SiO2", n, [float(quality[name])], unit, where) for name, unit in units.items()]
    return network, [*rows, row("cpu_seconds_to_anneal", "a-SiO2", n, [took], "s", where)]


def local_bias(system: str, engine: Any, kT: float, accepted: int) -> Rows:
    """Measure how much energy a relaxation of the whole network takes out after an accepted move; rules are there."""
    engine.relax(0.002, 5000)
    found: list[float] = []
    while len(found) < accepted:
        tally = engine.run(200, kT)
        if tally.accepted:
            before = engine.energy
            engine.relax(0.002, 5000)
            found += [(before - engine.energy) / tally.accepted] * tally.accepted
    n = len(engine.atoms.position)
    result = row(
        "local_energy_bias_eV",
        system,
        n,
        found,
        "eV",
        f"kT {kT} eV, last stage {engine.rejection.shells[-1]} shells; value is the mean over accepted moves",
    )
    return [result | {"value": float(np.mean(found))}]


def naive_and_lammps(silicon: Any, moves: int) -> Rows:
    """Compare with relaxing the whole system for every move, in the same code and in LAMMPS."""
    from moxie.oxidation.engine import Engine
    from moxie.oxidation.parameter_sets import load_parameters
    from moxie.oxidation.rejection import Rejection
    from moxie.structures.network import write_networks

    field, n = load_parameters("von_alfthan_2003", "none"), len(silicon.positions)
    engine = Engine(silicon, field, 1)
    engine.calibrate(0.25)
    ours = float(np.median(attempts_per_second(engine, 20_000 * moves, 0.25)[0]))
    whole = Rejection((60,), (1000,), (FORCE_TOLERANCE_EV_A,), (True,))
    engine = Engine(silicon, field, 5, whole)
    rates, _ = attempts_per_second(engine, moves, 0.25)
    conditions = f"whole-system L-BFGS to {FORCE_TOLERANCE_EV_A} eV/A for every move"
    result = [
        row("naive_attempts_per_cpu_second", "a-Si", n, rates, "1/s", conditions),
        row("ratio_to_naive", "a-Si", n, [ours / rate for rate in rates], "1", conditions),
    ]
    frames = [switched(silicon, seed) for seed in range(moves)]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "switched.xyz"
        write_networks(path, frames)
        environment = os.environ | {"LD_LIBRARY_PATH": str(Path(sys.prefix) / "lib"), "OMP_NUM_THREADS": "1"}
        answer = subprocess.run(
            [sys.executable, str(LAMMPS_RELAXER), str(path), str(FORCE_TOLERANCE_EV_A)],
            env=environment,
            capture_output=True,
            text=True,
        )
    if answer.returncode:
        print(f"LAMMPS did not run: {answer.stderr.strip().splitlines()[-1:]}", flush=True)
        return result
    lammps = json.loads(answer.stdout)
    apart = []
    for frame, energy in zip(frames, lammps["energies_eV"], strict=True):
        check = Engine(frame, field, 1)
        check.relax(FORCE_TOLERANCE_EV_A / 10, 5000)
        apart.append(energy - check.energy)
    conditions = f"cg to {FORCE_TOLERANCE_EV_A} eV/A for every move, set-up not counted"
    return [
        *result,
        row("lammps_relaxations_per_cpu_second", "a-Si", n, [1 / t for t in lammps["cpu_s"]], "1/s", conditions),
        row("ratio_to_lammps", "a-Si", n, [ours * t for t in lammps["cpu_s"]], "1", conditions),
        row("lammps_energy_difference_eV", "a-Si", n, apart, "eV", "relaxed after a bond switch, LAMMPS minus ours"),
    ]


def attempts_per_second(
    engine: Any, moves: int, kT: float, hops: float = 0.0, active: Any = None, runs: int = 5
) -> tuple[list[float], list[float]]:
    """Return, for each run, the valid attempts per CPU second and the share of them that was accepted."""
    rates, shares = [], []
    for _ in range(runs):
        began = time.process_time()
        tally = engine.run(moves, kT, hops, active)
        rates.append(tally.valid / (time.process_time() - began))
        shares.append(tally.accepted / tally.valid)
    return rates, shares


def switched(network: Any, seed: int) -> Any:
    """Return the network after one random bond switch, not relaxed."""
    from moxie.oxidation.engine import Engine
    from moxie.oxidation.kernels import moves
    from moxie.oxidation.kernels.compilation import called_from_python
    from moxie.oxidation.parameter_sets import load_parameters

    propose, apply = (called_from_python(kernel) for kernel in (moves.propose_switch, moves.apply_switch))
    engine = Engine(network, load_parameters("von_alfthan_2003", "none"), 1000 + seed)
    while not propose(engine.atoms, engine.work, engine.silicons, len(engine.silicons), True):
        pass
    apply(engine.atoms, engine.work)
    return engine.to_network()


def two_threads(silicon: Any, moves: int) -> Rows:
    """Run two replicas on two threads; each one's rate by the clock against that of one alone."""
    from moxie.oxidation.engine import Engine
    from moxie.oxidation.parameter_sets import load_parameters

    engines = [Engine(silicon, load_parameters("von_alfthan_2003", "none"), seed) for seed in (1, 2)]
    for engine in engines:
        engine.calibrate(0.25)

    def rate(engine: Any, into: list[float]) -> None:
        began = time.perf_counter()
        into.append(engine.run(moves, 0.25).valid / (time.perf_counter() - began))

    alone: list[float] = []
    for engine in engines:
        rate(engine, alone)
    together: list[float] = []
    threads = [threading.Thread(target=rate, args=(engine, together)) for engine in engines]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    shares = [value / float(np.mean(alone)) for value in together]
    return [row("two_replica_rate_share", "a-Si", len(silicon.positions), shares, "1", "two threads, by the clock")]


def compiling(runs: int) -> Rows:
    """Measure a process from its start to its first moves, with an empty and with a full cache of compiled code."""
    code = (
        "from moxie.oxidation.engine import Engine;from moxie.oxidation.parameter_sets import load_parameters;"
        "from moxie.structures.silicon import diamond;"
        "Engine(diamond((3, 3, 3)), load_parameters('von_alfthan_2003'), 1).run(10, 0.3)"
    )

    def took() -> float:
        began = time.perf_counter()
        subprocess.run([sys.executable, "-c", code], check=True)
        return time.perf_counter() - began

    first, *later = [took() for _ in range(1 + runs)]
    conditions = "start of Python to the first ten moves, by the clock"
    return [
        row("first_move_seconds", "empty cache", 216, [first], "s", conditions),
        row("first_move_seconds", "full cache", 216, later, "s", conditions),
    ]
