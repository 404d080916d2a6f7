"""The learning tasks: one folder in `moxie.learning.tasks` each, found by itself.

Its module `task.py` holds `TASK = Task(...)`; adding a task means adding that folder and its test.
"""

import importlib
import pkgutil
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from moxie.errors import InputError

OUTPUTS = ("metrics.json", "predictions.parquet", "model.skops", "card.md")


@dataclass(frozen=True)
class LearningSettings:
    """What the configuration says about learning: the target column of the oxide surrogate, the coverage of every
    interval in (0.5, 1), and the oxygen content at which training ends; the name of the oxide's parameter set and its
    penalties of Si with 0..4 O neighbours in eV; and the seed from which the conformers of the table `molecules` were
    drawn."""

    target: str = "suboxide_total_monolayers"
    confidence: float = 0.9
    trained_up_to: int = 5
    parameter_set: str = ""
    suboxide_eV: tuple[float, ...] = ()
    conformer_seed: int = 0


@dataclass(frozen=True)
class Task:
    """A learning task: `inputs` maps labels to paths under results/; `run` writes OUTPUTS into a folder.

    `settings` are the fields of `LearningSettings` that it depends on. `needs` are the parts of a
    study without which it cannot run. `predict` takes the content of its model file and a data frame of rows to
    predict, and returns a data frame of equal length; `columns` maps a model to the columns that these rows need, with
    their units, which are empty for texts; those named in `lists` hold a list in each row. `complain` says what else
    makes a row unusable, or nothing.
    """

    name: str
    description: str
    inputs: Mapping[str, str]
    run: Callable[[Mapping[str, Path], Path, LearningSettings, int], dict[str, Any]]
    predict: Callable[[Mapping[str, Any], Any], Any]
    columns: Callable[[Mapping[str, Any]], Mapping[str, str]]
    complain: Callable[[Mapping[str, Any], Mapping[str, Any]], str] = lambda row, model: ""
    settings: tuple[str, ...] = ("confidence",)
    needs: tuple[str, ...] = ()
    lists: tuple[str, ...] = ()


def names(parts: Collection[str] | None = None) -> list[str]:
    """Return the names of all tasks, or of those that a study with these parts can run."""
    package = importlib.import_module("moxie.learning.tasks")
    found = sorted(module.name for module in pkgutil.iter_modules(package.__path__))
    return found if parts is None else [name for name in found if set(get(name).needs) <= set(parts)]


def get(name: str) -> Task:
    """Return a task; raises InputError with the names there are."""
    if name not in names():
        raise InputError(f"There is no learning task {name!r}; the tasks are {', '.join(names())}.")
    return importlib.import_module(f"moxie.learning.tasks.{name}.task").TASK
