"""What the main process of a workflow does around its jobs: at most one run in a folder, and no jobs of an older one.

`.moxie/run.lock` in the folder is held by the run at work, `.moxie/jobs/.../*.lock` by its jobs (`moxie.job`), and
`.moxie/run` holds the number of the last run that began. All stand apart from `results`, which a user may delete.
"""

import atexit
import logging
import os
import shlex
import signal
import sys
import threading
import time
import uuid
from collections.abc import Mapping
from pathlib import Path
from types import FrameType
from typing import Any

from moxie.errors import InputError
from moxie.io import read_json, write_text
from moxie.locks import Held, Lock, holders_below

FOLDER = Path(".moxie")
_RUN = "MOXIE_RUN"  # the environment carries it to jobs on other hosts
_GRACE_S = 15.0  # in which jobs save themselves
_AT_WORK = "Another run is at work in this folder: {}. Wait for it or end it ({}), then run again."


class Run:
    """One call of Snakemake in a folder, from the reading of the Snakefile on. It excludes others once it begins."""

    def __init__(self, folder: Path = FOLDER):
        self._folder, self._before = folder.resolve(), _last_run(folder)
        self._others = holders_below(self._folder) if self._folder.exists() else []

    def begin(self) -> None:
        """Take the folder before the first job; raises InputError when another run, or a job of one, is at work.

        One that was at work when this one began to plan has since changed what there was to do.
        """
        lock = Lock(self._folder / "run.lock", "the run")
        try:
            lock.take(patience_s=1.0)
        except Held as other:
            end = other.holder.how_to_end if other.holder else "see ps"
            raise InputError(_AT_WORK.format(other, end)) from None
        jobs = holders_below(self._folder / "jobs")
        if jobs:
            lock.release()
            lines = "".join(f"\n  {holder.doing}: {holder}" for holder in jobs)
            end = "; ".join(sorted({holder.how_to_end for holder in jobs}))
            raise InputError(
                f"Jobs of an earlier run are still at work in this folder:{lines}\n"
                f"Wait for them or end them ({end}), then run again."
            )
        if _last_run(self._folder) != self._before or self._others:
            lock.release()
            raise InputError("Another run was at work in this folder until just now. Run again.")
        atexit.register(lock.release)
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, _stop)
        os.environ[_RUN] = uuid.uuid4().hex
        write_text(self._folder / "run", os.environ[_RUN])


def replaced_report(study: Mapping[str, Any], default: Mapping[str, Any], folder: Path = Path()) -> str:
    """Return a note on the report that a study, `study` of its configuration, replaces in a folder; or nothing.

    An overlay that does not say what it is called keeps the title of the default study.
    """
    try:
        there = read_json(folder / "results" / "manifest.json")["config"]["study"]
    except (InputError, KeyError, TypeError):
        there = None
    note = ""
    if study == default:
        note = f"This study has no name of its own: its report is called {study['title']!r}. Give it `study.title`."
    if there and (there != study or note):
        note += f" It replaces the report of {there['title']!r} in {(folder / 'results').resolve()}."
    return f"{note.strip()} To keep studies apart, give each a folder: --directory FOLDER." if note else ""


def _stop(number: int, frame: FrameType | None) -> None:
    """End Snakemake as Ctrl-C does, once its jobs have saved themselves; the second time, end them at once.

    What Snakemake says of jobs that ended so would only hide the last line.
    """
    import psutil

    jobs = psutil.Process().children(recursive=True)
    if not _stopping.is_set():
        _stopping.set()
        print("Stopping: running jobs save themselves.", file=sys.stderr, flush=True)
        logging.getLogger("snakemake.logging").disabled = True
        atexit.register(_say_how_to_go_on)
        _signal(jobs, signal.SIGTERM)
        threading.Thread(target=_kill_late, args=(jobs,), daemon=True).start()
        raise KeyboardInterrupt
    _signal(jobs, signal.SIGKILL)


_stopping = threading.Event()


def _kill_late(jobs: list[Any]) -> None:
    time.sleep(_GRACE_S)
    _signal(jobs, signal.SIGKILL)


def _signal(processes: list[Any], number: int) -> None:
    import psutil

    for process in processes:
        try:
            process.send_signal(number)
        except psutil.Error:  # it has ended
            continue


def _say_how_to_go_on() -> None:
    typed = [sys.executable, *sys.argv] if sys.argv[0].endswith(".py") else sys.argv
    command = os.environ.get("MOXIE_COMMAND") or shlex.join(typed)
    print(f"Stopped; finished jobs and checkpoints are kept. To go on, type: {command}", file=sys.stderr, flush=True)


def check_still_wanted(folder: Path = FOLDER) -> None:
    """Raise InputError in a job on another host whose run has ended and was followed by another one.

    A scheduler may start it long after that; it would delete what the newer run has made.
    """
    began, last = os.environ.get(_RUN), _last_run(folder)
    if began and last and began != last:
        raise InputError("This job belongs to a run that has ended, and another one has begun since. It does nothing.")


def _last_run(folder: Path) -> str:
    try:
        return (folder / "run").read_text()
    except OSError:
        return ""
