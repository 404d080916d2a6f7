"""What a study learns: the tasks that its parts allow, placements of oxygen, and the comparison of searches."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from moxie.config.learning import Learning
from moxie.errors import InputError, nearest
from moxie.study.stage import Stage


@dataclass(frozen=True, eq=False)
class LearningStage(Stage):
    """Learning from the parts that `others` give; `parameter_set` is the valence force field of placements,
    `conformer_seed` that of the molecules.

    Each task that can be run is a part of the study by its name, and so is the comparison of searches, `tree_search`.
    """

    config: Learning
    parameter_set: str
    others: tuple[Stage, ...]
    conformer_seed: int
    name = "learning"

    def checks(self) -> Iterable[Callable[[], None]]:
        return (self._check_settings, self._check_tree_search)

    def parts(self) -> Iterable[str]:
        return (*self.tasks, "tree_search")

    def own_files(self) -> Iterable[str]:
        return [self.parameter_set] if Path(self.parameter_set).suffix else []

    @cached_property
    def tasks(self) -> list[str]:
        """The tasks for which the study has what they need."""
        from moxie.learning.registry import names

        return names(("placements", *(part for stage in self.others for part in stage.parts())))

    def settings(self, task: str) -> dict[str, Any]:
        """Return the settings that a task depends on (`moxie.learning.registry.Settings`)."""
        from moxie.learning.registry import get

        values = self.config.model_dump(exclude={"placements"}) | {
            "trained_up_to": self.config.placements.trained_up_to,
            "conformer_seed": self.conformer_seed,
        }
        names = get(task).settings
        if "suboxide_eV" in names:
            from moxie.oxidation.parameter_sets import load_parameters

            parameters = load_parameters(self.parameter_set)
            values |= {"parameter_set": parameters.name, "suboxide_eV": list(parameters.suboxide_eV)}
        return {name: values[name] for name in names}

    @cached_property
    def placements(self) -> dict[int, int | None]:
        """{number of oxygen atoms: how many placements to relax at most}."""
        chosen = self.config.placements
        return {
            n: None if n <= chosen.trained_up_to else chosen.tested_per_content for n in range(chosen.tested_up_to + 1)
        }

    def _check_settings(self) -> None:
        """The target of the oxide surrogate, and the contents of the placements."""
        from moxie.learning.tasks.oxide_surrogate.task import TARGETS

        target, placements = self.config.target, self.config.placements
        if target not in TARGETS:
            raise InputError(
                f"`learning.target` = {target!r}: not a target.{nearest(target, TARGETS)} "
                f"Allowed: {', '.join(TARGETS)}."
            )
        if placements.tested_up_to <= placements.trained_up_to:
            raise InputError(
                f"`learning.placements.tested_up_to` = {placements.tested_up_to}: must be larger than `trained_up_to` "
                f"= {placements.trained_up_to}, since the test is on oxygen contents never seen."
            )

    def _check_tree_search(self) -> None:
        """The number of O against the sites of the cell, and an enumeration that ends."""
        from moxie.oxidation.placement.counts import CELLS, check_count, check_enumeration

        search = self.config.tree_search
        cell = CELLS[search.cell]
        try:
            check_count(search.cell, cell.n_sites, search.n_oxygen)
            if "enumeration" in search.methods:
                check_enumeration(search.cell, cell, search.n_oxygen)
        except InputError as error:
            raise InputError(f"`learning.tree_search`: {error}") from None
