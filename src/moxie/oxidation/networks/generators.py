"""Amorphous networks: silicon, silica and SiOx of any composition, made by randomising and annealing.

All are made the same way: a start (a crystal, or random points joined by a random tour), O on bonds drawn at random,
then a `Schedule`: hot moves that forget the start, annealing, and a quench at zero temperature (only moves that lower
the energy are taken), with relaxations of all positions, and of the cell where it is free, in between and at the end.
The field's repulsion is on from the first move: a network scrambled without it stays entangled.

One thread, one machine type: the same arguments give the same bytes.
"""

import logging
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from moxie.errors import InputError
from moxie.oxidation.arguments import is_whole
from moxie.oxidation.engine import Engine
from moxie.oxidation.networks.cells import relax_cell
from moxie.oxidation.parameter_sets import ParameterSet
from moxie.oxidation.rejection import Rejection, ending_at
from moxie.structures.network import Network, make_network
from moxie.structures.silicon import SILICA_UNITS_PER_A3, diamond, insert_oxygen

STARTS = ("crystal", "random")
FEWEST_CELLS = 2  # conventional cells along an edge; with one, bonds reach half an edge
CLOSEST_POINTS_A = 2.2  # of the random start; above 2.4 A so many points no longer fit at silicon's density
SAY_EVERY_S = 10.0
HOT_EV = 1.0  # above, moves only serve to forget the start, and are relaxed coarsely:
COARSE = Rejection(shells=(3,), evaluations=(15,), force_tolerance_eV_A=(0.3,), repulsion=(True,))
# Early rejection is calibrated anew when kT or the energy has fallen to this share, and more moves than this follow in
# a step. In a network fresh from the heat most acceptable moves gain electronvolts; rules that were found there give
# up all that gain little, which are those that count once it has cooled.
CALIBRATE_BELOW = 0.85
CALIBRATION_MOVES = 3000
CALIBRATION_FOLLOWED = 150, 250


@dataclass(frozen=True)
class Schedule:
    """An annealing.

    steps: (kT in eV, attempted moves per atom) one after the other; at kT = 0 only moves that lower the energy are
    taken, and the step ends early when a batch finds none. relax_every: attempts per atom in a batch, after which all
    positions relax. pressure_GPa: the cell relaxes isotropically to this pressure after every batch; None keeps the
    box. hop_fraction: share of the moves that are O hops, where the network has O and Si-Si bonds. triangles: whether
    moves may close rings of three Si. rejection: how moves relax below HOT_EV; None takes the engine's own stages.
    """

    steps: tuple[tuple[float, float], ...]
    relax_every: float = 100.0
    pressure_GPa: float | None = None
    hop_fraction: float = 0.0
    triangles: bool = True
    rejection: Rejection | None = None


def cool(
    start_kT_eV: float, end_kT_eV: float, n_steps: int, attempts_per_atom: float
) -> tuple[tuple[float, float], ...]:
    """Return `n_steps` equal steps of kT from start to end, both included, that share `attempts_per_atom`."""
    return tuple((float(kT), attempts_per_atom / n_steps) for kT in np.linspace(start_kT_eV, end_kT_eV, n_steps))


def silicon_annealing(attempts_per_atom: float) -> Schedule:
    """Return the annealing of amorphous silicon with so many attempts per atom while it cools: 5000 leave a bond-angle
    deviation of about 10 degrees, four times as many 0.5 less.

    It starts far above melting: with fewer hot moves a crystal remembers itself and grows back. Moves relax six shells:
    that leaves 0.04 eV where the standard eight leave 0.01, but everything relaxes after each batch, and the energy
    falls faster by half.
    """
    steps = ((2.0, 12.0), (0.32, 100.0), *cool(0.3, 0.22, 10, attempts_per_atom), (0.0, 100.0))
    return Schedule(steps, 50.0, rejection=ending_at(6))


SILICON_SCHEDULE = silicon_annealing(10_000.0)
# Six shells are no sampler of silica: they leave 0.6 eV of every move unrelaxed. But they come to a low energy several
# times sooner than twenty, and everything relaxes after each batch. Below 0.3 eV the energy, the density and the first
# peak of S(q) still fall. Rings of three are cheap in these fields, and hardly found in silica: they are left out.
SILICA_SCHEDULE = Schedule(
    ((2.0, 5.0), *cool(0.3, 0.12, 7, 1200.0), (0.0, 100.0)), 150.0, 0.0, triangles=False, rejection=ending_at(6)
)
SUBOXIDE = Schedule(((2.0, 5.0), *cool(0.5, 0.1, 10, 2000.0), (0.0, 100.0)), 100.0, 0.0, 0.3)


@dataclass(frozen=True)
class Amorphous:
    """A generated network and the trace of its annealing: one dict per batch with kT_eV, attempts, valid, accepted
    (of the batch), cpu_s (since the start of the annealing), energy_eV and volume_A3 (after its relaxation)."""

    network: Network
    trace: list[dict[str, float]]


def amorphous_silicon(
    n_atoms: int,
    parameters: ParameterSet,
    seed: int,
    start: str = "crystal",
    schedule: Schedule = SILICON_SCHEDULE,
    log: logging.Logger | None = None,
) -> Amorphous:
    """Return amorphous silicon, four bonds per atom, in a box with the density of the field's crystal or, where the
    schedule has a pressure, at that pressure.

    start: `crystal` (n_atoms = 8 nx ny nz with at least two cells along each edge; the most cubic box is taken) or
    `random` (any n_atoms from 64, a field with repulsion; see `random_network`). Raises InputError for a start or a
    size it cannot use.
    """
    if start not in STARTS:
        raise InputError(f"Unknown start {start!r} of amorphous silicon; allowed: {', '.join(STARTS)}.")
    if start == "random" and parameters.repulsion.kind == "none":
        raise InputError(
            f"A random start needs a field with repulsion, and `{parameters.name}` has none here: atoms would end up "
            "on each other. Use start `crystal`, or another parameter set."
        )
    edge = parameters.lattice_constant_A
    if start == "crystal":
        network = diamond(_cells(n_atoms, "amorphous silicon"), edge)
    else:
        network = random_network(n_atoms, edge**3 / 8, seed)
    return _make(network, parameters, seed, schedule, {"material": "a-Si", "start": start}, log)


def amorphous_silica(
    n_silicon: int,
    parameters: ParameterSet,
    seed: int,
    schedule: Schedule = SILICA_SCHEDULE,
    log: logging.Logger | None = None,
) -> Amorphous:
    """Return amorphous SiO2 of n_silicon = 8 nx ny nz Si and twice as many O, by default at zero pressure.

    By default without rings of three Si, which makes it 3-5 % denser than silica (docs/theory/monte_carlo.md).

    Raises InputError for a size it cannot use or a parameter set without oxygen.
    """
    return silicon_oxide(n_silicon, 2.0, parameters, seed, schedule, log)


def silicon_oxide(
    n_silicon: int,
    x: float,
    parameters: ParameterSet,
    seed: int,
    schedule: Schedule = SUBOXIDE,
    log: logging.Logger | None = None,
) -> Amorphous:
    """Return an SiOx network, 0 <= x <= 2, of n_silicon = 8 nx ny nz Si and round(x n_silicon) O.

    The composition reached is in the network's info as `x`, and the log says so where it is not the one asked for.
    The start is `random_bond_oxide`. Raises InputError for x outside 0..2 or a size it cannot use.
    """
    log = log or logging.getLogger(__name__)
    network = random_bond_oxide(n_silicon, x, parameters, seed)
    reached = network.info["x"]
    if not math.isclose(reached, x, abs_tol=1e-12):
        log.warning("x = %g makes no whole number of O on %d Si; x = %.6f is made instead.", x, n_silicon, reached)
    return _make(network, parameters, seed, schedule, {"material": "SiOx", "start": "crystal"}, log)


def random_bond_oxide(n_silicon: int, x: float, parameters: ParameterSet, seed: int) -> Network:
    """Return a diamond network with round(x n_silicon) O on bonds drawn at random without repetition.

    This is the network of infinite temperature on a fixed Si topology: the oxidation states are binomial with p = x/2
    (hypergeometric for a finite network). The volume per Si interpolates between the field's crystal and SiO2 of
    2.20 g/cm3. Raises InputError for x outside 0..2 or a size that `amorphous_silicon` cannot use either.
    """
    if not 0 <= x <= 2:
        raise InputError(f"x is {x} in SiOx; it must lie in 0..2.")
    cells = _cells(n_silicon, "SiOx")
    n_oxygen = round(x * n_silicon)
    share = n_oxygen / (2 * n_silicon)
    volume = (1 - share) * parameters.lattice_constant_A**3 / 8 + share / SILICA_UNITS_PER_A3
    silicon = diamond(cells, (8 * volume) ** (1 / 3))
    chosen = np.sort(np.random.default_rng(seed).choice(len(silicon.bonds), n_oxygen, replace=False))
    network = insert_oxygen(silicon, silicon.bonds[chosen])
    network.info["x"] = n_oxygen / n_silicon
    return network


def random_network(n_atoms: int, volume_per_atom_A3: float, seed: int) -> Network:
    """Return a four-coordinated network without double bonds from random points in a cubic box.

    Points no closer than 2.2 A; a closed tour that visits every point twice gives each its four bonds. The tour grows
    from three points: each further visit of a point C goes into the bond A-B where it lengthens the tour least, A-B
    becoming A-C-B, unless C is bonded to A or B already (after Barkema and Mousseau, PRB 62, 4985 (2000)). Nothing is
    relaxed. Raises InputError for fewer than 64 atoms or a volume in which the points do not fit.
    """
    if not is_whole(n_atoms) or n_atoms < 8 * FEWEST_CELLS**3:
        raise InputError(
            f"n_atoms is {n_atoms}; a random start needs a whole number of atoms: use at least {8 * FEWEST_CELLS**3}."
        )
    generator = np.random.default_rng(seed)
    edge = (n_atoms * volume_per_atom_A3) ** (1 / 3)
    points = _scatter(n_atoms, edge, generator)

    def separation(a: np.ndarray | int, b: np.ndarray | int) -> np.ndarray:
        vectors = points[a] - points[b]
        return np.asarray(np.linalg.norm(vectors - edge * np.round(vectors / edge), axis=-1))

    first = int(generator.integers(n_atoms))
    tour = [first, *np.argsort(separation(np.arange(n_atoms), first), kind="stable")[1:3].tolist()]
    bonds = np.full((2 * n_atoms, 2), -1)
    bonds[:3] = [(tour[0], tour[1]), (tour[1], tour[2]), (tour[2], tour[0])]
    linked: list[set[int]] = [set() for _ in points]
    for a, b in bonds[:3].tolist():
        linked[a].add(b)
        linked[b].add(a)
    count = 3
    rounds = [np.setdiff1d(np.arange(n_atoms), tour), np.arange(n_atoms)]
    for order in rounds:
        for c in generator.permutation(order).tolist():
            a, b = bonds[:count].T
            longer = separation(a, c) + separation(b, c) - separation(a, b)
            taken = np.array([*linked[c], c])
            longer[np.isin(a, taken) | np.isin(b, taken)] = np.inf
            place = int(np.argmin(longer))
            i, j = bonds[place].tolist()
            bonds[place], bonds[count] = (i, c), (c, j)
            count += 1
            linked[i].symmetric_difference_update((j, c))
            linked[j].symmetric_difference_update((i, c))
            linked[c].update((i, j))
    return make_network(points, ["Si"] * n_atoms, bonds, [edge] * 3, label="random silicon network")


def anneal(
    engine: Engine,
    schedule: Schedule,
    log: logging.Logger | None = None,
    watch: Callable[[Engine, dict[str, float]], bool] | None = None,
) -> list[dict[str, float]]:
    """Run a schedule on an engine and return its trace (see `Amorphous`).

    `watch` is called after each batch, with the engine and the batch's line of the trace; True ends the annealing.

    Early rejection is calibrated on the way, as kT and energy fall. The log gets attempts/s, acceptance, energy and the
    estimated time left every ten seconds. The running energy is checked after every batch.
    Raises InputError for a schedule out of range.
    """
    _check(schedule)
    log = log or logging.getLogger(__name__)
    n_atoms = len(engine.atoms.position)
    n_bonds = 2 * len(engine.silicons)
    hops = schedule.hop_fraction if 0 < len(engine.oxygens) < n_bonds else 0.0
    batches = [
        (float(kT), round(n_atoms * per_atom / parts), parts)
        for kT, per_atom in schedule.steps
        for parts in [max(1, round(per_atom / schedule.relax_every))]
    ]
    left = sum(size * parts for _, size, parts in batches)
    trace: list[dict[str, float]] = []
    began, said = time.process_time(), time.monotonic()
    calibrated = math.inf, math.inf  # at this kT and energy, both in eV
    fine = schedule.rejection or engine.rejection
    for kT, size, parts in batches:
        engine.set_rejection(COARSE if kT > HOT_EV else fine)
        for part in range(parts):
            now = kT, engine.energy
            fallen = any(x < CALIBRATE_BELOW * then for x, then in zip(now, calibrated, strict=True))
            if fallen and 0.0 < kT < HOT_EV and size * (parts - part) > CALIBRATION_MOVES:
                fine = engine.calibrate(kT, hops, None, *CALIBRATION_FOLLOWED).rejection
                calibrated = now
            tally = engine.run(size, kT, hops)
            left -= size
            relax(engine, schedule.pressure_GPa)
            engine.check_energy()
            cpu_s = time.process_time() - began
            trace.append(
                {
                    "kT_eV": kT,
                    "attempts": tally.attempts,
                    "valid": tally.valid,
                    "accepted": tally.accepted,
                    "cpu_s": cpu_s,
                    "energy_eV": engine.energy,
                    "volume_A3": float(np.prod(engine.cell)),
                }
            )
            if watch is not None and watch(engine, trace[-1]):
                return trace
            if time.monotonic() - said > SAY_EVERY_S:
                said = time.monotonic()
                _say(log, trace, n_atoms, left)
            if kT == 0 and tally.accepted == 0:
                break
    if trace:
        _say(log, trace, n_atoms, 0)
    return trace


def relax(engine: Engine, pressure_GPa: float | None, fine: bool = False) -> None:
    """Relax all positions, and the cell to a pressure where one is given; `fine` to 0.001 eV/A and 0.01 GPa."""
    force, steps = (0.001, 5000) if fine else (0.02, 300)
    if pressure_GPa is not None:
        relax_cell(engine, pressure_GPa, "isotropic", 0.01 if fine else 0.1, 40, force, steps)
    else:
        engine.relax(force, steps)


def _make(
    network: Network,
    parameters: ParameterSet,
    seed: int,
    schedule: Schedule,
    facts: dict[str, Any],
    log: logging.Logger | None,
) -> Amorphous:
    engine = Engine(network, parameters, seed, triangles=schedule.triangles)
    relax(engine, None)
    relax(engine, schedule.pressure_GPa)
    trace = anneal(engine, schedule, log)
    relax(engine, schedule.pressure_GPa, fine=True)
    engine.check_energy()
    engine.info |= {
        **facts,
        "seed": seed,
        "parameter_set": parameters.name,
        "repulsion": parameters.repulsion_name,
        "attempts": int(sum(batch["attempts"] for batch in trace)),
        "accepted": int(sum(batch["accepted"] for batch in trace)),
        "energy_eV": engine.energy,
    }
    return Amorphous(engine.to_network(), trace)


def _cells(n_silicon: int, what: str) -> tuple[int, int, int]:
    """Return the most cubic (nx, ny, nz) with 8 nx ny nz = n_silicon."""
    fewest = FEWEST_CELLS
    if not is_whole(n_silicon) or n_silicon < 1:
        raise InputError(
            f"{n_silicon} Si cannot make a box of {what}; a whole number, at least {8 * fewest**3}, is needed."
        )
    count = int(n_silicon) // 8
    shapes = [
        (a, b, count // (a * b))
        for a in range(fewest, round(count ** (1 / 3)) + 1)
        if count % a == 0
        for b in range(a, math.isqrt(count // a) + 1)
        if (count // a) % b == 0
    ]
    if n_silicon != 8 * count or not shapes:
        near = sorted({8 * max(fewest, round((n_silicon / 8) ** (1 / 3)) + k) ** 3 for k in (-1, 0, 1)})
        raise InputError(
            f"{n_silicon} Si cannot make a box of {what}: 8 nx ny nz with at least {fewest} cells along each edge are "
            f"needed (the smallest is {8 * fewest**3}). Cubic boxes near it: {', '.join(map(str, near))}."
        )
    return max(shapes, key=lambda shape: shape[0] / shape[2])


def _scatter(n_points: int, edge: float, generator: np.random.Generator) -> np.ndarray:
    """Return random points (n, 3) in a periodic cube, none closer than 2.2 A to another."""
    points = np.empty((n_points, 3))
    for k in range(n_points):
        for _ in range(20000):
            trial = edge * generator.random(3)
            apart = points[:k] - trial
            apart -= edge * np.round(apart / edge)
            if k == 0 or (apart**2).sum(axis=1).min() >= CLOSEST_POINTS_A**2:
                points[k] = trial
                break
        else:
            raise InputError(
                f"Only {k} of {n_points} random points fit into {edge**3:.0f} A^3 at {CLOSEST_POINTS_A} A from each "
                "other. Use a lower density."
            )
    return points


def _check(schedule: Schedule) -> None:
    if not schedule.steps:
        raise InputError("The annealing schedule has no steps.")
    for kT, per_atom in schedule.steps:
        if not (0 <= kT < math.inf and 0 < per_atom < math.inf):
            raise InputError(
                f"The annealing step (kT {kT}, attempts per atom {per_atom}) is out of range: kT must be zero or more "
                "and the attempts positive."
            )
    if not schedule.relax_every > 0:
        raise InputError(f"relax_every is {schedule.relax_every}; it must be positive.")
    if not 0 <= schedule.hop_fraction <= 1:
        raise InputError(f"hop_fraction is {schedule.hop_fraction}; it must lie in [0, 1].")


def _say(log: logging.Logger, trace: list[dict[str, float]], n_atoms: int, left: int) -> None:
    attempts = sum(batch["attempts"] for batch in trace)
    rate = attempts / max(trace[-1]["cpu_s"], 1e-9)
    last = trace[-1]
    log.info(
        "%3.0f %% done, kT %.3f eV, %.0f attempts/s, %.2f %% accepted, %.4f eV/atom, %.2f A^3/atom, about %.0f s left",
        100 * attempts / max(attempts + left, 1),
        last["kT_eV"],
        rate,
        100 * last["accepted"] / max(last["attempts"], 1),
        last["energy_eV"] / n_atoms,
        last["volume_A3"] / n_atoms,
        left / max(rate, 1e-9),
    )
