"""Frames of a trajectory one at a time, so that analysis needs the memory of one frame whatever the length of a run."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from moxie.errors import InputError


class Frames:
    """Positions and boxes of a trajectory from `begin_ps` on; it must reach to within one interval of `end_ps`."""

    def __init__(self, trajectory: str | Path, n_sites: int, begin_ps: float, end_ps: float, interval_ps: float):
        self._path, self._n_sites = str(trajectory), n_sites
        self._begin_ps, self._end_ps, self._interval_ps = begin_ps, end_ps, interval_ps

    def __iter__(self) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Yield positions (n_sites, 3) and box edges and angles (6,), in angstrom and degrees.

        Raises InputError, naming the file, for one that is damaged, cut short, or of another system.
        """
        from MDAnalysis.lib.formats.libmdaxdr import XTCFile

        last_ps = 0.0
        try:
            with XTCFile(self._path) as stream:
                if stream.n_atoms != self._n_sites:
                    raise InputError(f"{self._path} has {stream.n_atoms} sites where run.json says {self._n_sites}.")
                for frame in stream:
                    last_ps = float(frame.time)
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
