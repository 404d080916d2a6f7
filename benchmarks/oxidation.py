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
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np

from benchmarks.rows import row

LAMMPS_RELAXER = Path(__file__).with_name("lammps_relaxer.py")
FORCE_TOLERANCE_EV_A = 0.03
Rows = list[dict[str, Any]]


def measure(quick: bool) -> Rows:
    """Measure the rows of the oxidation engine. All processes share the code that the first row has compiled."""
    with tempfile.TemporaryDirectory() as cache, patch.dict(os.environ, NUMBA_CACHE_DIR=cache):
        return [*compiling(), *engine_rows(quick)]


def engine_rows(quick: bool) -> Rows:
    """Measure everything but the compilation."""
    from moxie.oxidation.engine import Engine
    from moxie.oxidation.films import Anneal, FilmSettings, Growth, active_silicon, calibrate_rejection, grow_oxide
    from moxie.oxidation.generators import amorphous_silicon
    from moxie.oxidation.parameter_sets import load_parameters
    from moxie.oxidation.rejection import FILM, SILICA, ending_at
    from moxie.structures.network import repeat
    from moxie.structures.silicon import silicon_slab

    runs = 3 if quick else 5
    bare, full = load_parameters("von_alfthan_2003", "none"), load_parameters("von_alfthan_2003")
    followed = (300, 600, 500) if quick else (1000, 2000, 1500)
    fewer = (150, 300, 250) if quick else (600, 1200, 800)  # where a move takes milliseconds
    silicon, silica, rows = anneal_networks(quick)
    networks = {
        1000 * a * b * c: repeat(silicon, (a, b, c)) for a, b, c in ((1, 1, 1), (2, 2, 2), (3, 3, 3), (5, 5, 4))
    }
    if quick:
        networks = {n: networks[n] for n in (1000, 27_000)}
    else:
        networks = {216: amorphous_silicon(216, bare, 1).network} | networks
    for network in networks.values():
        engine = Engine(network, bare, 1, ending_at(6))
        rows += speed("a-Si", engine, 0.25, 0.0, lambda e: e.silicons, runs, 100_000 if quick else 200_000, followed)
    engine = Engine(silicon, bare, 1)
    rows += speed("a-Si", engine, 0.25, 0.0, lambda e: e.silicons, runs, 100_000 if quick else 200_000, followed)
    rows += local_bias("a-Si", engine, 0.25, 30 if quick else 100)
    rows += naive_and_lammps(silicon, rows, 3 if quick else 10)
    rows += two_threads(silicon, 200_000 if quick else 1_000_000)

    for stages in (ending_at(6), SILICA):
        engine = Engine(silica, full, 1, stages, triangles=False)
        whole_moves = moves_to_the_end("a-SiO2", engine, 0.3, 40 if quick else 200)
        moves = (5_000 if quick else 20_000) // (1 if stages.shells[-1] == 6 else 5)
        rows += speed("a-SiO2", engine, 0.3, 0.0, lambda e: e.silicons, runs, moves, fewer)
        rows += [whole_moves, *local_bias("a-SiO2", engine, 0.3, 20 if quick else 50)]

    slab, growth = silicon_slab((4, 4, 5)), Growth(stages=1)
    calibration, _, _ = calibrate_rejection(slab, full, growth, 1)
    settings = FilmSettings(100 if quick else 160, growth, Anneal(6, 0.4, 200, 200))
    film = grow_oxide(slab, full, settings, 1273.0, 1, rejection=calibration.rejection).stages[-1]
    for kT in (0.12, growth.kT_eV):
        engine = Engine(film, full, 1, FILM)
        rows += speed("oxidising slab", engine, kT, 0.3, active_silicon, runs, 5_000 if quick else 20_000, fewer)
    return rows


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

    followed: moves in the two parts of the calibration, and in the measurement of false kills.
    """
    n = len(engine.atoms.position)
    calibration = engine.calibrate(kT, hops, active(engine), *followed[:2])
    rates, shares = [], []
    for _ in range(runs):
        began = time.process_time()
        tally = engine.run(moves, kT, hops, active(engine))
        rates.append(tally.valid / (time.process_time() - began))
        shares.append(tally.accepted / tally.valid)
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
            f"{where}, effectively {number:.0f} acceptable moves; {calibration.effective:.0f} in the calibration",
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


def anneal_networks(quick: bool) -> tuple[Any, Any, Rows]:
    """Make a-Si of 1000 atoms from several seeds, and a-SiO2 of 3000, two at a time; return one of each, and the rows.

    CPU seconds are those of each process.
    """
    seeds = range(1, 2 if quick else 6)
    with ProcessPoolExecutor(2, get_context("spawn")) as pool:
        oxide = pool.submit(anneal_silica, quick)
        wanted = [(1000, 500.0, 1)] if quick else [(4096, 5000.0, 1), (1000, 20_000.0, 5)]
        runs = {
            (n, attempts): [pool.submit(anneal_silicon, seed, n, attempts) for seed in seeds[:networks]]
            for n, attempts, networks in wanted
        }
        made = {key: [each.result() for each in futures] for key, futures in runs.items()}
        silica, rows = oxide.result()
    for (n, attempts), networks in made.items():
        rows += silicon_rows(networks, n, f"{attempts:.0f} attempts per atom while cooling")
    best = max(key for key in made if key[0] == 1000)
    return made[best][-1]["network"], silica, rows


def silicon_rows(made: list[dict[str, Any]], n: int, annealing: str) -> Rows:
    """Return the rows of annealed silicon of n atoms, one network for each seed."""
    where = f"fixed box, randomised crystal, {annealing}, by seed"
    units = {"bond_angle_deviation_deg": "degree", "crystalline_fraction": "1", "cpu_seconds_to_anneal": "s"}
    units |= {"cpu_seconds_to_10_degrees": "s", "cpu_seconds_to_9.4_degrees": "s"}
    rows = []
    for metric, unit in units.items():
        values = [each[metric] for each in made if metric in each]
        if values:
            rows.append(row(metric, "a-Si", n, values, unit, f"{where}; reached by {len(values)} of {len(made)}"))
    return rows


def anneal_silicon(seed: int, n: int, attempts_per_atom: float) -> dict[str, Any]:
    """Anneal n atoms in a cube from a randomised crystal.

    CPU seconds until the bond-angle deviation is below 10 and 9.4 degrees count from the start of the annealing, and
    are there only if it came so far.
    """
    from moxie.features.networks import bond_angle_deviation, crystalline_fraction
    from moxie.oxidation.engine import Engine
    from moxie.oxidation.generators import anneal, silicon_annealing
    from moxie.oxidation.parameter_sets import load_parameters
    from moxie.structures.silicon import diamond

    field = load_parameters("von_alfthan_2003")  # without repulsion atoms of an entangled network lie on each other
    cells = round((n / 8) ** (1 / 3))
    engine = Engine(diamond((cells, cells, cells), field.lattice_constant_A), field, seed)
    reached: dict[str, float] = {}

    def watch(engine: Engine, batch: dict[str, float]) -> None:
        if batch["energy_eV"] < 0.5 * n:  # hotter networks are far from it, and hold angles that are folded flat
            deviation = bond_angle_deviation(engine.to_network())[0]
            for limit in (10, 9.4):
                if deviation < limit:
                    reached.setdefault(f"cpu_seconds_to_{limit}_degrees", batch["cpu_s"])

    trace = anneal(engine, silicon_annealing(attempts_per_atom), watch=watch)
    network = engine.to_network()
    return {
        "network": network,
        "cpu_seconds_to_anneal": trace[-1]["cpu_s"],
        **reached,
        "bond_angle_deviation_deg": bond_angle_deviation(network)[0],
        "crystalline_fraction": crystalline_fraction(network),
    }


def anneal_silica(quick: bool) -> tuple[Any, Rows]:
    """Make silica at zero pressure; its quality beside the CPU seconds it took."""
    from moxie.features.networks import first_sharp_peak, network_quality, structure_factor
    from moxie.oxidation.generators import SILICA, Schedule, amorphous_silica, cool
    from moxie.oxidation.parameter_sets import load_parameters

    steps = ((2.0, 2.0), *cool(0.3, 0.15, 4, 100.0))
    schedule = Schedule(steps, 30.0, 0.0, triangles=False, rejection=SILICA.rejection) if quick else SILICA
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


def naive_and_lammps(silicon: Any, rows: Rows, moves: int) -> Rows:
    """Compare with relaxing the whole system for every move, in the same code and in LAMMPS."""
    from moxie.oxidation.engine import Engine
    from moxie.oxidation.parameter_sets import load_parameters
    from moxie.oxidation.rejection import Rejection
    from moxie.structures.network import write_networks

    field, n = load_parameters("von_alfthan_2003", "none"), len(silicon.positions)
    speeds = [r["value"] for r in rows if r["metric"] == "attempts_per_cpu_second" and r["n_atoms"] == n]
    ours = speeds[-1]  # with the standard last stage
    whole = Rejection((60,), (1000,), (FORCE_TOLERANCE_EV_A,), (True,))
    engine = Engine(silicon, field, 5, whole)
    rates = []
    for _ in range(5):
        began = time.process_time()
        tally = engine.run(moves, 0.25)
        rates.append(tally.valid / (time.process_time() - began))
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


def switched(network: Any, seed: int) -> Any:
    """Return the network after one random bond switch, not relaxed."""
    from moxie.oxidation import moves
    from moxie.oxidation.compilation import called_from_python
    from moxie.oxidation.engine import Engine
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


def compiling() -> Rows:
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

    first, *later = [took() for _ in range(4)]
    conditions = "start of Python to the first ten moves, by the clock"
    return [
        row("first_move_seconds", "empty cache", 216, [first], "s", conditions),
        row("first_move_seconds", "full cache", 216, later, "s", conditions),
    ]
