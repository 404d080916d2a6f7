"""A trajectory whose frames are not those of one run is refused when it is read."""

import numpy as np
import pytest
from MDAnalysis.lib.formats.libmdaxdr import XTCFile

from moxie.errors import InputError
from moxie.trajectories import Frames


def read(path, times, end_ps, interval_ps=1.0, begin_ps=0.0):
    with XTCFile(str(path), "w") as stream:
        for step, time in enumerate(times):
            stream.write(np.zeros((2, 3), np.float32), np.eye(3, dtype=np.float32), step, time)
    return len(list(Frames(path, 2, begin_ps, end_ps, interval_ps)))


TIMES = np.arange(1.0, 51.0)


@pytest.mark.parametrize(
    "times",
    [
        np.delete(TIMES, 20),  # one is missing
        np.delete(TIMES, slice(10, 25)),
        TIMES[1:],  # the first
        TIMES[::2],  # every second
        np.insert(TIMES, 20, TIMES[20]),  # one twice
        np.concatenate([TIMES[:30], TIMES[14:]]),  # back by sixteen
        np.concatenate([TIMES[:30], TIMES[30:] + 0.5]),  # another run's
        np.concatenate([TIMES[:-2], TIMES[-2:][::-1]]),
    ],
)
def test_frames_missing_repeated_or_out_of_order_are_refused(times, tmp_path):
    with pytest.raises(InputError, match="run.xtc: frame .*missing, repeated or out of order"):
        read(tmp_path / "run.xtc", times, 50.0)


@pytest.mark.parametrize(
    ("times", "interval_ps"),
    [
        (TIMES, 1.0),
        (np.arange(0.0, 51.0), 1.0),  # with the start
        (0.4 * np.arange(1, 126), 0.5),  # rounded to whole samples
        (0.1 * np.arange(1, 501), 0.1),
        (np.float32(50.0 * np.arange(1, 4001)), 50.0),  # 200 ns in single precision
    ],
)
def test_regular_frames_pass(times, interval_ps, tmp_path):
    assert read(tmp_path / "run.xtc", times, float(times[-1]), interval_ps) == len(times)


def test_a_trajectory_cut_short_is_refused_and_the_beginning_may_be_left_out(tmp_path):
    with pytest.raises(InputError, match="is cut short: it ends at 50 ps"):
        read(tmp_path / "run.xtc", TIMES, 60.0)
    assert read(tmp_path / "run.xtc", TIMES, 50.0, begin_ps=11.0) == 40
