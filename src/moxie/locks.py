"""Locks on files that say who holds them and that end with the process that does.

They are the kernel's (flock), which reach across hosts where a network file system passes them on, as NFS does. On a
file system without locks the record of the holder decides: on this host whether its process lives, of another host's
nothing is known, and it counts as alive.
"""

import fcntl
import json
import os
import socket
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

_POLL_S = 0.5


@dataclass(frozen=True)
class Holder:
    """A process that holds a lock, and what it does meanwhile."""

    doing: str
    host: str
    process: int
    started_s: float  # since the epoch; a number of a process is used again
    slurm_job: str | None

    @classmethod
    def this_process(cls, doing: str) -> "Holder":
        """Return the record of the process that calls."""
        return cls(doing, socket.gethostname(), os.getpid(), _started_s(os.getpid()), os.environ.get("SLURM_JOB_ID"))

    def __str__(self) -> str:
        return f"process {self.process} on {self.host}" + (f" (SLURM job {self.slurm_job})" if self.slurm_job else "")

    @property
    def how_to_end(self) -> str:
        """Return the command that ends it."""
        if self.slurm_job:
            return f"scancel {self.slurm_job}"
        return f"kill {self.process}" if self.host == socket.gethostname() else f"ssh {self.host} kill {self.process}"

    def may_live(self) -> bool:
        """Return whether the process is known to live, or runs on another host."""
        return self.host != socket.gethostname() or abs(_started_s(self.process) - self.started_s) < 1


class Held(Exception):
    """A lock is another's."""

    def __init__(self, holder: Holder | None):
        super().__init__(str(holder or "a process that has not said its name"))
        self.holder = holder


class Lock:
    """A lock on one file, which holds the record of who has it and is removed on release."""

    def __init__(self, path: str | Path, doing: str):
        self._path, self._doing, self._descriptor = Path(path), doing, -1

    def take(self, patience_s: float = 0.0) -> None:
        """Take the lock; raises Held when another process has it and keeps it for `patience_s`."""
        deadline = time.monotonic() + patience_s
        while not self._try():
            if time.monotonic() >= deadline:
                raise Held(_read(self._path))
            time.sleep(_POLL_S)
        os.ftruncate(self._descriptor, 0)
        os.pwrite(self._descriptor, json.dumps(asdict(Holder.this_process(self._doing))).encode(), 0)

    def release(self) -> None:
        """Give the lock back, if this process has it."""
        if self._descriptor >= 0:
            self._path.unlink(missing_ok=True)
            os.close(self._descriptor)
            self._descriptor = -1

    def _try(self) -> bool:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o666)
        if _is_free(self._path, descriptor) and _is_at(self._path, descriptor):
            self._descriptor = descriptor
            return True
        os.close(descriptor)
        return False


def holders_below(folder: str | Path) -> list[Holder]:
    """Return who holds a lock in a folder or below it; locks that nobody holds any more are removed."""
    return [holder for _, holder in locks_below(folder)]


def locks_below(folder: str | Path) -> list[tuple[Path, Holder]]:
    """Return the locks in a folder or below it that are held, each with its holder; others are removed."""
    return list(_held(Path(folder)))


def _held(folder: Path) -> Iterator[tuple[Path, Holder]]:
    for path in sorted(folder.rglob("*.lock")):
        try:
            descriptor = os.open(path, os.O_RDWR)
        except FileNotFoundError:  # just released
            continue
        holder = _read(path)
        if not _is_free(path, descriptor):
            yield path, holder or Holder(path.stem, "an unknown host", 0, 0.0, None)
        elif _is_at(path, descriptor):
            path.unlink(missing_ok=True)
        os.close(descriptor)


def _is_free(path: Path, descriptor: int) -> bool:
    """Return whether nobody else has the lock; where the file system has locks, this descriptor has it now."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:  # a file system without locks
        holder = _read(path)
        return holder is None or not holder.may_live()
    return True


def _is_at(path: Path, descriptor: int) -> bool:
    """Return whether an open file still stands at its path: its holder may have removed it since it was opened."""
    try:
        return os.path.samestat(os.fstat(descriptor), os.stat(path))
    except FileNotFoundError:
        return False


def _read(path: Path) -> Holder | None:
    try:
        return Holder(**json.loads(path.read_text()))
    except (OSError, ValueError, TypeError):
        return None


def _started_s(process: int) -> float:
    import psutil

    try:
        return psutil.Process(process).create_time()
    except psutil.Error:
        return 0.0
