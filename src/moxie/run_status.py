"""How far a run of the workflow is, from what it left in its folder: Snakemake's log, the records and logs of jobs."""

import re
from dataclasses import dataclass
from pathlib import Path

from moxie.errors import InputError
from moxie.io import read_json
from moxie.status import jobs_at_work

_TOTAL = re.compile(r"^(\w+) +(\d+)$")
_STARTED = re.compile(r"^Job (\d+): (.*)$")
_FINISHED = re.compile(r"^Finished jobid: (\d+) \(Rule: (\w+)\)$")
_FAILED = re.compile(r"^Error in rule (\w+):$")
_FIELD = re.compile(r"^ +(jobid|log): (\S+)")
_TRACE = re.compile(r"^\S+ \S+ (?:ERROR|CRITICAL) \S+ (.*)$")


@dataclass(frozen=True)
class Failure:
    """A job that failed: its rule, its log and the first line of why."""

    rule: str
    log: str
    reason: str


@dataclass(frozen=True)
class Status:
    """Of the last run in a folder. `planned` and `done` count jobs by rule; `begun` are the messages of jobs that began
    and have no end; `at_work` says of each process known to be at work there what it does; `left_s` is the time left at
    the rates measured, None where no job of a rule still to come was ever measured; `ended` whether Snakemake has."""

    planned: dict[str, int]
    done: dict[str, int]
    begun: tuple[str, ...]
    failed: tuple[Failure, ...]
    at_work: tuple[str, ...]
    left_s: float | None
    ended: bool


def read_status(folder: str | Path) -> Status:
    """Return the status of the last run in a folder; raises InputError where none ever began."""
    folder = Path(folder)
    logs = sorted((folder / ".snakemake" / "log").glob("*.snakemake.log"), key=lambda path: path.stat().st_mtime)
    for path in reversed(logs):
        text = path.read_text(encoding="utf-8", errors="replace")
        if "Job stats:" in text and "This was a dry-run" not in text:
            return _status_of(folder, text)
    if logs:
        return Status({}, {}, (), (), (), 0.0, True)
    raise InputError(f"No run of the workflow has begun in {folder.resolve()}: it has no .snakemake/log.")


def _status_of(folder: Path, text: str) -> Status:
    planned: dict[str, int] = {}
    done: dict[str, int] = {}
    started: dict[str, str] = {}
    failures: list[tuple[str, str, str]] = []
    cores, rule, table = 1, "", False
    for line in text.splitlines():
        if match := re.match(r"^Provided cores: (\d+)", line):
            cores = int(match[1])
        elif line.startswith("Job stats:"):
            planned, table = {}, True
        elif table and (match := _TOTAL.match(line)):
            planned[match[1]] = int(match[2])
        elif match := _STARTED.match(line):
            started[match[1]], table = match[2], False
        elif match := _FINISHED.match(line):
            started.pop(match[1], None)
            done[match[2]] = done.get(match[2], 0) + 1
        elif match := _FAILED.match(line):
            rule, job, log = match[1], "", ""
        elif rule and (match := _FIELD.match(line)):
            job, log = (match[2], log) if match[1] == "jobid" else (job, match[2])
            if job and log:
                started.pop(job, None)
                failures.append((rule, log, _reason(folder / log)))
                rule = ""
    planned.pop("total", None)
    goals = {name for name in planned if name == "all"} - done.keys()
    for name in goals:  # a target, not a job
        planned.pop(name)
    ended = "Complete log(s):" in text
    at_work = tuple(jobs_at_work(folder))
    failed = tuple(Failure(*each) for each in dict.fromkeys(failures))
    left_s = _time_left_s(folder, planned, done, cores)
    return Status(planned, done, () if ended else tuple(started.values()), failed, at_work, left_s, ended)


def _reason(log: Path) -> str:
    """Return the first line of why a job failed, from its log."""
    try:
        lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return "its log is gone"
    for number, line in enumerate(lines):
        if match := _TRACE.match(line):
            if re.match(r"failed after", match[1]):  # of a traceback the last line says why
                return next((text for text in reversed(lines[number:]) if text and not text[0].isspace()), match[1])
            return match[1]
    return lines[-1] if lines else "its log is empty: it was killed, or never began"


def _time_left_s(folder: Path, planned: dict[str, int], done: dict[str, int], cores: int) -> float | None:
    walls: dict[str, list[float]] = {}
    for path in (folder / "results" / "jobs").rglob("*.json"):
        try:
            record = read_json(path)
        except InputError:  # being written
            continue
        walls.setdefault(record["rule"], []).append(float(record["wall_s"]))
    left_s = 0.0
    for rule, number in planned.items():
        remaining = number - done.get(rule, 0)
        if remaining > 0 and rule not in walls:
            return None
        if remaining > 0:
            left_s += remaining * sum(walls[rule]) / len(walls[rule])
    return left_s / cores


def describe(status: Status) -> str:
    """Return the status in lines for people."""
    if not status.planned:
        return "Nothing was to be done in the last run."
    total, n_done = sum(status.planned.values()), sum(status.done.get(rule, 0) for rule in status.planned)
    lines = [f"{n_done} of {total} jobs done ({100 * n_done // max(total, 1)} %), {len(status.failed)} failed"]
    if status.ended and n_done >= total:
        return "\n".join([lines[0], "The run is complete."])
    if status.at_work:
        lines += ["at work:", *(f"  {line}" for line in status.at_work)]
    elif status.begun:
        lines += ["begun, and no process is known to be at work:", *(f"  {message}" for message in status.begun)]
    lines += [f"failed: {each.rule} ({each.log}): {each.reason}" for each in status.failed]
    waiting = {rule: n - status.done.get(rule, 0) for rule, n in status.planned.items() if n > status.done.get(rule, 0)}
    lines.append("to do: " + ", ".join(f"{n} {rule}" for rule, n in waiting.items()))
    if status.left_s is None:
        lines.append("time left: unknown, since no job of one of these rules was ever measured")
    else:
        lines.append(f"time left: about {_duration(status.left_s)}, at the rates measured in this folder")
    if not status.at_work:
        lines.append("No job is known to be at work here; the next run continues.")
    return "\n".join(lines)


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
