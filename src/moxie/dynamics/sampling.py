"""The one loop of every run: go to the nearest step at which a recorder is due, and let it record.

The loop knows no outputs. A recorder says when it is next due and what it needs to know of the state, as the reporters
of OpenMM's Simulation do; all that are due at a step share one State.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from moxie import interruption
from moxie.dynamics.checkpoints import SegmentWriter
from moxie.dynamics.motion import Motion

ENERGY, POSITIONS, VELOCITIES = "energy", "positions", "velocities"


@dataclass(frozen=True)
class Moment:
    """The state at a step, of which only what a recorder needed is known."""

    step: int
    time_ps: float
    state: Any  # openmm.State

    @property
    def potential_kJ_mol(self) -> float:
        """Return the potential energy."""
        return self.state.getPotentialEnergy()._value

    @property
    def kinetic_kJ_mol(self) -> float:
        """Return the kinetic energy as the integrator gives it: at the step (Verlet) or half a step before."""
        return self.state.getKineticEnergy()._value

    @property
    def positions_nm(self) -> np.ndarray:
        """Return the positions of the sites, shape (n, 3)."""
        return self.state.getPositions(asNumpy=True)._value

    @property
    def velocities_nm_ps(self) -> np.ndarray:
        """Return the velocities of the sites, shape (n, 3), half a step before the positions."""
        return self.state.getVelocities(asNumpy=True)._value

    @property
    def vectors_nm(self) -> np.ndarray:
        """Return the vectors of the box, shape (3, 3)."""
        return self.state.getPeriodicBoxVectors(asNumpy=True)._value

    @property
    def volume_nm3(self) -> float:
        """Return the volume of the box."""
        return self.state.getPeriodicBoxVolume()._value


class Recorder(Protocol):
    """Something that looks at a run from time to time."""

    @property
    def interval(self) -> int:
        """Return the steps between two records, of which the first is one interval after the start."""

    @property
    def needs(self) -> frozenset[str]:
        """Return what a record needs to know: some of ENERGY, POSITIONS, VELOCITIES."""

    def record(self, moment: Moment) -> None:
        """Look at the run at a step at which it is due."""


def next_due(recorder: Recorder, step: int) -> int:
    """Return the first step after `step` at which a recorder is due; a continued run keeps the same steps."""
    return (step // recorder.interval + 1) * recorder.interval


def sample(
    motion: Motion,
    recorders: Sequence[Recorder],
    is_over: Callable[[], bool],
    writer: SegmentWriter | None = None,
    facts: Callable[[], Mapping[str, Any]] = dict,
) -> None:
    """Go on until `is_over()`, in the order of the recorders where several are due at one step.

    With a writer, what they gave it is committed as a segment, with `facts()`, at every interval of it and at the end.
    Raises KeyboardInterrupt, after a commit, when the process was asked to end.
    """
    while not is_over():
        due = [next_due(recorder, motion.step) for recorder in recorders]
        motion.advance(min(due) - motion.step)
        present = [recorder for recorder, step in zip(recorders, due, strict=True) if step == motion.step]
        needs = frozenset[str]().union(*(recorder.needs for recorder in present))
        moment = Moment(motion.step, motion.time_ps, motion.state(**dict.fromkeys(needs, True)))
        for recorder in present:
            recorder.record(moment)
        if writer is not None:
            stopped = interruption.asked() and not is_over()
            if stopped or writer.is_due or is_over():
                writer.commit(motion.step, *motion.save(), dict(facts()))
            if stopped:
                raise KeyboardInterrupt
