"""What every script of the workflow has in common: a log, progress on the terminal, errors of one line, a record."""

import errno
import logging
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from moxie import checksums, finished, interruption
from moxie.errors import InputError
from moxie.io import sha256, write_json
from moxie.locks import Held, Lock
from moxie.provenance import record_path
from moxie.supervision import FOLDER

_LEAST_FREE_MB = 0.2
_PATIENCE_S = 150.0  # a file server gives up the locks of a lost host after 90 s


@contextmanager
def job(snakemake: Any) -> Iterator[logging.Logger]:
    """Run the body of a workflow script: log to the rule's log file and to the terminal, name failures in one line.

    An InputError, and a full or locked disk, end the process with exit status 1 and a message, without a traceback; any
    other exception goes into the log with its traceback and is raised again. A job that ends well leaves its record for
    the manifest: rule, wildcards, seed, checksums of inputs and outputs, wall and CPU time, peak memory. No two
    processes do the same job at a time. Inputs that are not what their jobs wrote are refused.

    A job with `params.checkpoints` keeps its outputs there until Snakemake has taken them; where it had ended before,
    they are put back and the process ends.
    """
    name = snakemake.rule
    if snakemake.wildcards:
        name += " " + " ".join(value for _, value in snakemake.wildcards.items())
    log = _configure_logging(name)
    log_file = Path(snakemake.log[0])
    lock = _take_lock(log, name, log_file)
    interruption.listen()
    try:
        _open_log_file(log, log_file)
        with _told(log_file, log):
            results = record_path(log_file).parents[len(_below(log_file).parts)]
            inputs = checksums.checked(snakemake.input, results)
            checkpoints, depends_on = snakemake.params.get("checkpoints"), _dependencies(snakemake, inputs)
            if checkpoints and finished.put_back(checkpoints, snakemake.output, depends_on):
                log.info("had ended before; its outputs are put back")
                _leave_record(snakemake, inputs, results)
                sys.exit(0)
            yield log
            outputs = _leave_record(snakemake, inputs, results)
            if checkpoints:
                finished.keep(checkpoints, outputs, depends_on)
    finally:
        lock.release()


def _dependencies(snakemake: Any, inputs: dict[str, str]) -> str:
    params = {name: value for name, value in snakemake.params.items() if name != "checkpoints"}
    return finished.digest([snakemake.rule, dict(snakemake.wildcards.items()), params, inputs])


def _leave_record(snakemake: Any, inputs: dict[str, str], results: Path) -> dict[str, str]:
    """Write down what the job read, wrote and used; return the checksums of its outputs."""
    outputs = {str(path): sha256(path) for path in snakemake.output}
    checksums.record(outputs, results)
    write_json(record_path(snakemake.log[0]), _record(snakemake, inputs, outputs))
    return outputs


@contextmanager
def _told(log_file: Path, log: logging.Logger) -> Iterator[None]:
    """Turn how the body ends into words and an exit status."""
    start = time.monotonic()
    log.debug("process %d started", os.getpid())
    try:
        yield
    except InputError as error:
        log.error("%s", error)
        logging.shutdown()
        sys.exit(1)
    except KeyboardInterrupt:
        log.info("stopped when asked to; what was saved is kept for the next run")
        logging.shutdown()
        sys.exit(130)
    except Exception as error:
        trouble = _trouble_with_files(error, log_file.parent)
        if trouble:
            logging.raiseExceptions = False  # the log may lie on the same disk
            log.error("%s Then run again: what was saved before is kept.", trouble)
            log.debug("failed after %.1f s", time.monotonic() - start, exc_info=True)
            sys.exit(1)
        log.exception("failed after %.1f s", time.monotonic() - start)
        raise
    log.debug("finished in %.1f s", time.monotonic() - start)


def _trouble_with_files(error: BaseException, folder: Path) -> str:
    """Return what is wrong with the disk, if that is the reason of an error; writers word it as they like."""
    import shutil

    free_MB = shutil.disk_usage(folder).free / 1e6
    if free_MB < _LEAST_FREE_MB or getattr(error, "errno", None) in (errno.ENOSPC, errno.EDQUOT):
        return f"The disk with {folder.resolve()} is full ({free_MB:.2f} MB free; {error}). Make room on it."
    if getattr(error, "errno", None) in (errno.EACCES, errno.EPERM, errno.EROFS):
        return f"A file cannot be written or read ({error}). Give this user the right to."
    return ""


def _record(snakemake: Any, inputs: dict[str, str], outputs: dict[str, str]) -> dict[str, Any]:
    import resource

    import psutil

    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return {
        "rule": snakemake.rule,
        "wildcards": dict(snakemake.wildcards.items()),
        "seed": snakemake.params.get("seed"),
        "inputs": inputs,
        "outputs": outputs,
        "wall_s": round(time.time() - psutil.Process().create_time(), 2),
        "cpu_s": round(sum(usage.ru_utime + usage.ru_stime for usage in used), 2),
        "max_rss_MB": round(max(usage.ru_maxrss for usage in used) / 1024, 1),
    }


def _configure_logging(name: str) -> logging.Logger:
    log = logging.getLogger("moxie")
    log.setLevel(logging.DEBUG)
    log.propagate = False
    for handler in log.handlers[:]:
        log.removeHandler(handler)
        handler.close()
    terminal = logging.StreamHandler(sys.stderr)
    terminal.setLevel(logging.INFO)
    terminal.setFormatter(logging.Formatter(f"[{name}] %(message)s"))
    log.addHandler(terminal)
    return log


def _take_lock(log: logging.Logger, name: str, log_file: Path) -> Lock:
    """Take the job's lock, or end this process where another one, left by a killed run, still does the job.

    Snakemake deletes log and outputs before it starts a job, so that neither can be the lock.
    """
    lock = Lock(FOLDER / "jobs" / _below(log_file).with_suffix(".lock"), name)
    try:
        lock.take()
    except Held as first:
        log.info("waiting for %s, which still does this job", first)
        try:
            lock.take(_PATIENCE_S)
        except Held as other:
            end = f" ({other.holder.how_to_end})" if other.holder else ""
            words = f"Another process is still doing this job: {other}. Wait for it or end it{end}, then run again."
            log.error("%s", words)
            sys.exit(1)
    return lock


def _below(log_file: Path) -> Path:
    """Return the place of a log below the folder of all logs."""
    return Path(*log_file.parts[log_file.parts.index("logs") + 1 :])


def _open_log_file(log: logging.Logger, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    record = logging.FileHandler(path, mode="w", encoding="utf-8")
    record.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    log.addHandler(record)


class Progress:
    """Report percent, rate and estimated end of a long loop, at most once every `interval_s` seconds."""

    def __init__(self, log: logging.Logger, total: float, unit: str, done: float = 0.0, interval_s: float = 10.0):
        self._log, self._total, self._unit, self._interval_s = log, total, unit, interval_s
        self._first = done
        self._start = self._last = time.monotonic()

    def update(self, done: float, note: str = "") -> None:
        """Say how far the loop is, if the last word is long enough ago."""
        now = time.monotonic()
        if now - self._last < self._interval_s:
            return
        self._last = now
        rate = (done - self._first) / (now - self._start)
        left_s = (self._total - done) / rate if rate > 0 else float("inf")
        percent = 100 * done / self._total
        self._log.info(
            "%3.0f %%, %.3g %s/s, about %.0f s left%s", percent, rate, self._unit, left_s, note and ", " + note
        )
