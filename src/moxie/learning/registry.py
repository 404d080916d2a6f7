"""The learning tasks: one module in `moxie.learning.tasks` each, found by itself.

A task module holds `TASK = Task(...)`; adding a task means adding that one file and its test.
"""

import importlib
import pkgutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from moxie.errors import InputError

OUTPUTS = ("metrics.json", "predictions.parquet", "model.skops", "card.md")


@dataclass(frozen=True)
class Settings:
    """What the configuration says about learning: the target column, the coverage of every interval in (0.5, 1), and
    the number of bootstrap resamplings."""

    target: str
    confidence: float = 0.9
    bootstrap_samples: int = 1000


@dataclass(frozen=True)
class Task:
    """A learning task: `inputs` maps labels to paths under results/; `run` writes OUTPUTS into a folder."""

    name: str
    description: str
    inputs: Mapping[str, str]
    run: Callable[[Mapping[str, Path], Path, Settings, int], dict[str, Any]]


def names() -> list[str]:
    """Return the names of all tasks."""
    package = importlib.import_module("moxie.learning.tasks")
    return sorted(module.name for module in pkgutil.iter_modules(package.__path__))


def get(name: str) -> Task:
    """Return a task; raises InputError with the names there are."""
    if name not in names():
        raise InputError(f"There is no learning task {name!r}; the tasks are {', '.join(names())}.")
    return importlib.import_module(f"moxie.learning.tasks.{name}").TASK
