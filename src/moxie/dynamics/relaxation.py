"""From a packed box to one that can be integrated: steepest descent with a cap, and stepwise compression."""

import logging
from typing import Any

import numpy as np

from moxie.dynamics.systems import Model
from moxie.errors import InputError

_FIRST_STEP_NM = 0.005
_SMALLEST_STEP_NM = 1e-5
_LONGEST_SCALE = 0.98


def relax(context: Any, steps: int = 60) -> float:
    """Go downhill from the present positions and return the potential energy, in kJ/mol.

    Steepest descent in which no site moves further than a step that grows by 1.2 when the energy falls and halves when
    it does not; constraints are restored after every step. It removes overlaps, it does not find a minimum.
    """
    context.applyConstraints(1e-5)
    state = context.getState(positions=True, forces=True, energy=True)
    energy, step_nm = state.getPotentialEnergy()._value, _FIRST_STEP_NM
    positions, forces = state.getPositions(asNumpy=True)._value, state.getForces(asNumpy=True)._value
    for _ in range(steps):
        largest = float(np.sqrt((forces**2).sum(axis=1)).max())
        if step_nm < _SMALLEST_STEP_NM or not 0 < largest < np.inf:
            break
        # a few overlaps must not hold back the others: long forces are clipped at ten times their root mean square
        norm = np.sqrt((forces**2).sum(axis=1, keepdims=True))
        clip = min(largest, 10 * float(np.sqrt(np.mean(norm**2))))
        moved = positions + forces / np.maximum(norm, 1e-12) * np.minimum(norm, clip) / clip * step_nm
        context.setPositions(moved)
        context.applyConstraints(1e-5)
        trial = context.getState(positions=True, forces=True, energy=True)
        trial_energy = trial.getPotentialEnergy()._value
        if np.isfinite(trial_energy) and trial_energy < energy:
            energy, step_nm = trial_energy, 1.2 * step_nm
            positions, forces = trial.getPositions(asNumpy=True)._value, trial.getForces(asNumpy=True)._value
        else:
            step_nm *= 0.5
    context.setPositions(positions)
    if not np.isfinite(energy):
        raise InputError("The packed box has overlaps that could not be removed. Pack it at a lower density_g_cm3.")
    return energy


def compress(context: Any, model: Model, edge_nm: float, log: logging.Logger, steps: int = 60) -> None:
    """Bring the box to an edge by scaling molecular centres in steps of at most 2 %, each relaxed and run a little.

    `steps` short integration steps follow each scaling; the integrator's present step size is used.
    """
    while True:
        state = context.getState(positions=True)
        present = state.getPeriodicBoxVectors(asNumpy=True)._value[0, 0]
        if abs(present - edge_nm) < 1e-9:
            return
        target = max(edge_nm, present * _LONGEST_SCALE) if edge_nm < present else edge_nm
        positions = scale_molecules(state.getPositions(asNumpy=True)._value, model.molecules, target / present)
        context.setPeriodicBoxVectors(*(np.eye(3) * target))
        context.setPositions(positions)
        energy = relax(context, 15)
        context.getIntegrator().step(steps)
        log.debug("box edge %.3f nm, potential energy %.1f kJ/mol", target, energy)


def scale_molecules(positions_nm: np.ndarray, molecules: tuple[np.ndarray, ...], factor: float) -> np.ndarray:
    """Return positions with the geometric centre of each molecule scaled about the origin; molecules stay rigid."""
    scaled = positions_nm.copy()
    for sites in molecules:
        centre = positions_nm[sites].mean(axis=0)
        scaled[sites] += (factor - 1) * centre
    return scaled
