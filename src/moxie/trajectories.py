"""Frames of a trajectory one at a time, so that analysis needs the memory of one frame whatever the length of a run."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from moxie.errors import InputError

_TOLERANCE = 0.02  # of the interval between frames
_ROUNDING = 1.6  # that interval is a whole number of samples, 0.4 ps for 0.5 ps where samples come every 0.2 ps


class Frames:
    """Positions and boxes of a trajectory from `begin_ps` on; it must reach to within one interval of `end_ps`."""

    def __init__(self, trajectory: str | Path, n_sites: int, begin_ps: float, end_ps: float, interval_ps: float):
        self._path, self._n_sites = str(trajectory), n_sites
        self._begin_ps, self._end_ps, self._interval_ps = begin_ps, end_ps, interval_ps

    def __iter__(self) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Yield positions (n_sites, 3) and box edges and angles (6,), in angstrom and degrees.

        Raises InputError, naming the file, for one that is damaged, cut short, or of another system, and where a frame
        is missing, there twice or out of order, which two processes that write one file bring about.
        """
        from MDAnalysis.lib.formats.libmdaxdr import XTCFile

        last_ps, first_ps, step_ps = 0.0, 0.0, self._interval_ps
        try:
            with XTCFile(self._path) as stream:
                if stream.n_atoms != self._n_sites:
                    raise InputError(f"{self._path} has {stream.n_atoms} sites where run.json says {self._n_sites}.")
                for number, frame in enumerate(stream):
                    last_ps, before_ps = float(frame.time), last_ps
                    if number == 0:
                        first_ps = last_ps
                    if number == 1:
                        step_ps = last_ps - first_ps
                    self._check_time(number, before_ps, last_ps, first_ps, step_ps)
                    if last_ps >= self._begin_ps - 1e-3:
                        yield 10 * frame.x, np.array([*(10 * np.diag(frame.box)), 90.0, 90.0, 90.0], dtype=np.float32)
        except OSError as error:
            raise InputError(
                f"{self._path} cannot be read ({error}). Delete it and run again to make it anew."
            ) from None
        if last_ps <= self._end_ps - 1.001 * self._interval_ps:
            raise InputError(
                f"{self._path} is cut short: it ends at {last_ps:g} ps where the time series of the run goes on to"
                f" {self._end_ps:g} ps. Delete it and run again to make it anew."
            )

    def _check_time(self, number: int, before_ps: float, time_ps: float, first_ps: float, step_ps: float) -> None:
        tolerance_ps = _TOLERANCE * step_ps + 1e-6 * time_ps  # times in the file have 24 bits
        near = 1 / _ROUNDING <= step_ps / self._interval_ps <= _ROUNDING
        begins = min(abs(first_ps), abs(first_ps - step_ps)) <= tolerance_ps or number == 0
        if not (near and begins and abs(time_ps - first_ps - number * step_ps) <= tolerance_ps):
            after = f" after one at {before_ps:g} ps" if number else ""
            raise InputError(
                f"{self._path}: frame {number} is at {time_ps:g} ps{after}, and one every {self._interval_ps:g} ps was"
                " asked for. Frames are missing, repeated or out of order, as when two processes write one file. Delete"
                " it and run again to make it anew."
            )
