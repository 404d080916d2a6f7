"""Ctrl-C, kill and scancel: work that saves itself ends after it has, all other work ends at once.

A loop that can save itself asks `asked()` every few seconds; when it is true, it saves and raises KeyboardInterrupt.
"""

import signal
import time
from types import FrameType

_SAME_S = 1.0  # a terminal and Snakemake may both pass on what was pressed once


class _Request:
    polled = False
    at_s: float | None = None


def listen() -> None:
    """Heed SIGINT and SIGTERM in this process: as a request where a loop asks for it, else with KeyboardInterrupt."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _take)


def asked() -> bool:
    """Return whether the process was asked to end. Whoever calls this once must go on calling it."""
    _Request.polled = True
    return _Request.at_s is not None


def _take(number: int, frame: FrameType | None) -> None:
    """Note the first request; where nobody asks for it, and when it comes again, end at once."""
    now = time.monotonic()
    if _Request.at_s is not None and now - _Request.at_s < _SAME_S:
        return
    first, _Request.at_s = _Request.at_s is None, now
    if not (first and _Request.polled):
        raise KeyboardInterrupt
