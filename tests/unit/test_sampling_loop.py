"""The sampling loop: recorders are called when they are due, with what they need, also after an interruption."""

from types import SimpleNamespace

import pytest

from moxie.dynamics.sampling import ENERGY, POSITIONS, next_due, sample


class Walk:
    """A motion that only counts its steps."""

    def __init__(self, step=0):
        self.step, self.asked = step, []

    @property
    def time_ps(self):
        return 0.5 * self.step

    def advance(self, steps):
        assert steps > 0
        self.step += steps

    def state(self, **wanted):
        self.asked.append((self.step, sorted(wanted)))

    def save(self):
        return f"state {self.step}", b"random numbers"


class Diary:
    def __init__(self, interval, *needs):
        self.interval, self.needs, self.steps = interval, frozenset(needs), []

    def record(self, moment):
        assert moment.time_ps == 0.5 * moment.step
        self.steps.append(moment.step)


class Writer:
    def __init__(self):
        self.committed, self.is_due = [], False

    def commit(self, *what):
        self.committed.append(what)


def test_every_recorder_is_called_when_it_is_due_and_the_state_is_taken_once():
    walk, energies, frames = Walk(), Diary(4, ENERGY), Diary(6, ENERGY, POSITIONS)
    sample(walk, [energies, frames], lambda: walk.step >= 12)
    assert (energies.steps, frames.steps) == ([4, 8, 12], [6, 12])
    both = [ENERGY, POSITIONS]
    assert walk.asked == [(4, [ENERGY]), (6, both), (8, [ENERGY]), (12, both)]


@pytest.mark.parametrize("cut", range(1, 12))
def test_a_continued_run_records_at_the_same_steps(cut):
    walk, diaries = Walk(cut), [Diary(4), Diary(6)]
    sample(walk, diaries, lambda: walk.step >= 12)
    assert [diary.steps for diary in diaries] == [[s for s in (4, 8, 12) if s > cut], [s for s in (6, 12) if s > cut]]
    assert next_due(SimpleNamespace(interval=4), cut) == 4 * (cut // 4 + 1)


def test_segments_are_committed_when_due_and_at_the_end_after_the_records():
    walk, writer, diary = Walk(), Writer(), Diary(2)

    def record(moment):
        diary.steps.append(moment.step)
        writer.is_due = moment.step == 4

    diary.record = record
    sample(walk, [diary], lambda: walk.step >= 8, writer, lambda: {"rows": len(diary.steps)})
    assert writer.committed == [
        (4, "state 4", b"random numbers", {"rows": 2}), (8, "state 8", b"random numbers", {"rows": 4})
    ]  # fmt: skip


def test_nothing_moves_where_it_is_over():
    walk = Walk(8)
    sample(walk, [Diary(2)], lambda: walk.step >= 8)
    assert walk.step == 8 and not walk.asked
