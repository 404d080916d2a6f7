"""What runs in this folder now, and how far it is, on a workstation and on a cluster."""

import time
from collections.abc import Iterator
from pathlib import Path

from moxie.locks import Holder, locks_below
from moxie.supervision import FOLDER


def status(folder: str | Path = ".") -> list[str]:
    """Return a line for each job at work: what it does, who does it, since when, and the last word of its log."""
    return list(jobs_at_work(Path(folder))) or ["No job is at work in this folder."]


def jobs_at_work(folder: Path) -> Iterator[str]:
    """Yield a line for each job at work in a folder; none where nobody is."""
    jobs = folder / FOLDER / "jobs"
    for path, holder in locks_below(jobs):
        log = folder / "results" / "logs" / path.relative_to(jobs).with_suffix(".log")
        yield f"{holder.doing}: {_last_word(log)} [{holder}, {_age(holder)}]"


def _last_word(log: Path) -> str:
    """Return the message of the last line of a log, which says the percentage where the job reports progress."""
    try:
        lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        lines = []
    said = [line for line in lines if line.count(": ")]
    return said[-1].split(": ", 1)[1].strip() if said else "has said nothing yet"


def _age(holder: Holder) -> str:
    minutes = max(time.time() - holder.started_s, 0) / 60
    return f"for {minutes:.0f} min" if holder.started_s else "since an unknown time"
