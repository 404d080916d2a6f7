"""The cell of a network: stress, relaxation together with the positions, and Metropolis moves of the volume.

    stress = (1/V) dE/d(strain), summed from the atoms' virials; tension is positive, so that at rest under an external
    pressure p each free diagonal component equals -p. At a minimum of the positions this is also the derivative of the
    *relaxed* energy with the cell: the positions' own response does not enter to first order.

Only orthogonal cells: the shears are reported by `stress_GPa` and never relaxed. Which edges are free:

* `isotropic`: one scale for all three edges (the mean of the three diagonal components decides);
* `edges`: each edge by itself;
* `height`: the z edge alone, the lateral cell of a film stays its substrate's. Needs a network periodic in z: a film
  with a free surface has no height to set, it takes its own when its positions relax.
"""

import math
from dataclasses import dataclass

import numpy as np

from moxie.errors import InputError
from moxie.oxidation.arguments import check_batch
from moxie.oxidation.engine import Engine
from moxie.oxidation.kernels.energy import EV_PER_A3_IN_GPA

SHAPES = ("isotropic", "edges", "height")
LARGEST_STRAIN = 0.04  # of an edge in one step
STIFFNESS_GPA = {"bulk": 60.0, "shear": 40.0}  # first guess, between silica and silicon; updated on the way


@dataclass(frozen=True)
class CellRelaxation:
    """What `relax_cell` did: whether the stress came within the tolerance, the largest remaining deviation of a free
    component from -pressure in GPa, and the number of relaxations of all positions."""

    converged: bool
    deviation_GPa: float
    relaxations: int


def stress_GPa(engine: Engine) -> np.ndarray:
    """Return the stress tensor (3, 3) in GPa, tension positive, of the present positions and cell."""
    return engine.energy_terms().atom_virial.sum(axis=0) / float(np.prod(engine.cell)) * EV_PER_A3_IN_GPA


def relax_cell(
    engine: Engine,
    pressure_GPa: float = 0.0,
    shape: str = "isotropic",
    tolerance_GPa: float = 0.01,
    max_relaxations: int = 40,
    force_tolerance_eV_A: float = 0.01,
    relax_steps: int = 500,
) -> CellRelaxation:
    """Relax all positions and the free edges until the stress is within `tolerance_GPa` of -pressure_GPa.

    Broyden's method on the logarithms of the free edges (a secant where one number is free), with all positions relaxed
    at each step to `force_tolerance_eV_A` in at most `relax_steps` steps; no step changes an edge by more than 4 %.
    Not reaching the tolerance is no error: the result says so. Raises InputError for an unknown shape, a direction
    without a period, a tolerance that is not positive, and a cell that became too small for the repulsion's range.
    """
    projection = _free_edges(engine, shape)
    if not tolerance_GPa > 0:
        raise InputError(f"tolerance_GPa is {tolerance_GPa}; it must be positive.")
    if not math.isfinite(pressure_GPa):
        raise InputError(f"pressure_GPa is {pressure_GPa}; it must be a finite number.")

    def deviation() -> np.ndarray:
        engine.relax(force_tolerance_eV_A, relax_steps)
        return projection @ (np.diag(stress_GPa(engine)) + pressure_GPa)

    lame = STIFFNESS_GPA["bulk"] - 2 / 3 * STIFFNESS_GPA["shear"]
    elastic = lame * np.ones((3, 3)) + 2 * STIFFNESS_GPA["shear"] * np.eye(3)
    spread = projection.T / (projection**2).sum(axis=1)  # free numbers -> logarithms of the three edges
    compliance = np.linalg.inv(projection @ elastic @ spread)
    residual = deviation()
    for count in range(1, max_relaxations):
        if np.abs(residual).max() <= tolerance_GPa:
            return CellRelaxation(True, float(np.abs(residual).max()), count)
        step = -compliance @ residual
        step *= min(1.0, LARGEST_STRAIN / float(np.abs(step).max()))
        engine.set_cell(engine.cell * np.exp(spread @ step))
        previous, residual = residual, deviation()
        change = residual - previous
        if float(step @ change) > 0:  # stiffness along the step is positive: learn from it
            along = step @ compliance
            compliance += np.outer(step - compliance @ change, along) / float(along @ change)
    return CellRelaxation(bool(np.abs(residual).max() <= tolerance_GPa), float(np.abs(residual).max()), max_relaxations)


@dataclass(frozen=True)
class VolumeTally:
    """Volume moves tried and accepted, and the volume (A^3) and energy (eV) after each."""

    attempts: int
    accepted: int
    volumes_A3: np.ndarray
    energies_eV: np.ndarray


def volume_moves(
    engine: Engine,
    n_moves: int,
    kT_eV: float,
    pressure_GPa: float = 0.0,
    largest_step: float = 0.02,
    shape: str = "isotropic",
    force_tolerance_eV_A: float = 0.005,
    relax_steps: int = 500,
) -> VolumeTally:
    """Try Metropolis moves of the volume (`isotropic`) or of the height (`height`) at kT and a pressure.

    A move draws a change of ln V uniform in [-largest_step, largest_step], scales the network, relaxes all positions
    and is accepted with probability min(1, exp(-(dE + p dV)/kT)); a refused move restores positions, cell and energy
    exactly. Ensemble: the positions are slaved to network and cell, E(V) is the relaxed energy, so there is no
    N kT ln V of free particles; what is sampled is exp(-(E + p V)/kT) d ln V for each network, with the measure of the
    logarithm of the volume. It is exact as long as a network has one minimum per cell; the relaxation's tolerance
    must be small against kT. The engine must be relaxed at the start; its own stream is drawn from.
    Raises InputError for n_moves, kT, pressure or largest_step out of range, for the shape `edges` and where
    `relax_cell` does.
    """
    if shape not in ("isotropic", "height"):
        raise InputError(f"The shape of a volume move is {shape!r}; it must be isotropic or height.")
    projection = _free_edges(engine, shape)
    check_batch(n_moves, kT_eV, 0.0, 0.0, 0.0)
    if not math.isfinite(pressure_GPa):
        raise InputError(f"pressure_GPa is {pressure_GPa}; it must be a finite number.")
    if not 0 < largest_step <= 0.5:
        raise InputError(f"largest_step is {largest_step}; changes of ln V must lie in (0, 0.5].")
    edges = (projection[0] > 0) / np.count_nonzero(projection[0])
    pressure = pressure_GPa / EV_PER_A3_IN_GPA
    accepted = 0
    volumes, energies = np.empty(n_moves), np.empty(n_moves)
    for move in range(n_moves):
        cell, energy, atoms = engine.cell, engine.energy, engine.atoms
        position, neighbours = atoms.position.copy(), atoms.neighbours.copy()
        change = largest_step * (2 * engine.draw() - 1)
        threshold = -kT_eV * math.log(1.0 - engine.draw())
        engine.set_cell(cell * np.exp(change * edges))
        engine.relax(force_tolerance_eV_A, relax_steps)
        work = pressure * float(np.prod(engine.cell) - np.prod(cell))
        if engine.energy - energy + work <= threshold:
            accepted += 1
        else:
            engine.set_cell(cell)
            engine.set_state(position, neighbours, atoms.species, atoms.frozen, engine.atoms.stream, energy)
        volumes[move], energies[move] = np.prod(engine.cell), engine.energy
    return VolumeTally(n_moves, accepted, volumes, energies)


def _free_edges(engine: Engine, shape: str) -> np.ndarray:
    """Return the rows (k, 3) that turn the three diagonal stresses into the k that the free edges feel."""
    rows = {"isotropic": np.full((1, 3), 1 / 3), "edges": np.eye(3), "height": np.array([[0.0, 0.0, 1.0]])}
    if shape not in rows:
        raise InputError(f"Unknown cell shape {shape!r}; allowed: {', '.join(SHAPES)}.")
    if not (engine.atoms.cell[2] < 1e29):
        raise InputError(
            f"The network is free along z, so its cell has no volume to relax ({shape}); its height follows from "
            "`Engine.relax`. Use a network that is periodic along z."
        )
    return rows[shape]
