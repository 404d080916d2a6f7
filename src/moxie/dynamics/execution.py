"""How a run is executed, whatever it computes: where its files go, where it is saved meanwhile, on what it runs."""

import logging
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Outputs:
    """The files of a run, or of a leg that starts from one (without a topology of its own)."""

    timeseries: Path
    trajectory: Path
    run: Path
    topology: Path | None = None


@dataclass(frozen=True)
class Execution:
    """What changes nothing in the results of a run on one machine."""

    checkpoint_dir: str | Path
    checkpoint_interval_s: float = 30.0
    platform: str = "auto"
    threads: int = 1
    log: logging.Logger = logging.getLogger("moxie.dynamics")
