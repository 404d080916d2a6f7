"""What a study learns: the tasks that its parts allow, placements of oxygen, and the comparison of searches."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from moxie.config.learning import Learning
from moxie.config.oxidation import Oxidation
from moxie.errors import InputError, nearest
from moxie.study.stage import Stage


@dataclass(frozen=True, eq=False)
class LearningStage(Stage):
    """Learning from the parts that `others` give; `oxidation` is what the study says of oxides, if it does, and
    `conformer_seed` the seed of the molecules.

    Each task that can be run is a part of the study by its name, and so is the comparison of searches, `tree_search`.
    """

    config: Learning
    oxidation: Oxidation | None
    others: tuple[Stage, ...]
    conformer_seed: int
    name = "learning"

    def checks(self) -> Iterable[Callable[[], None]]:
        return (self._check_settings, self._check_tree_search)

    def parts(self) -> Iterable[str]:
        return (*self.tasks, *(["tree_search"] if self.config.tree_search else []))

    def own_files(self) -> Iterable[str]:
        return [self.parameter_set] if Path(self.parameter_set).suffix else []

    def wildcards(self) -> dict[str, list[str]]:
        return {"{n_oxygen}": [str(number) for number in self.placements]}

    @cached_property
    def tasks(self) -> list[str]:
        """The tasks for which the study has what they need."""
        from moxie.learning.registry import names

        own = ["placements"] if self.config.placements else []
        return names((*own, *(part for stage in self.others for part in stage.parts())))

    @cached_property
    def parameter_set(self) -> str:
        """The valence force field of placements and searches: the configured one, else that of the oxides."""
        return self.config.parameter_set or (self.oxidation or Oxidation()).parameter_set

    def settings(self, task: str) -> dict[str, Any]:
        """Return the settings that a task depends on (`moxie.learning.registry.LearningSettings`)."""
        from moxie.learning.registry import get

        placements = self.config.placements
        values = self.config.model_dump(exclude={"placements"}) | (placements.model_dump() if placements else {})
        values["conformer_seed"] = self.conformer_seed
        names = get(task).settings
        if "suboxide_eV" in names:
            from moxie.oxidation.parameter_sets import load_parameters

            assert self.oxidation is not None  # a task with such a setting needs films
            parameters = load_parameters(self.oxidation.parameter_set)
            values |= {"parameter_set": parameters.name, "suboxide_eV": list(parameters.suboxide_eV)}
        return {name: values[name] for name in names}

    @cached_property
    def placements(self) -> dict[int, int | None]:
        """{number of oxygen atoms: how many placements to relax at most}."""
        chosen = self.config.placements
        if chosen is None:
            return {}
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
        if placements and placements.tested_up_to <= placements.trained_up_to:
            raise InputError(
                f"`learning.placements.tested_up_to` = {placements.tested_up_to}: must be larger than `trained_up_to` "
                f"= {placements.trained_up_to}, since the test is on oxygen contents never seen."
            )

    def _check_tree_search(self) -> None:
        """The number of O against the sites of the cell, and an enumeration that ends."""
        from moxie.oxidation.placement.counts import CELLS, check_count, check_enumeration

        search = self.config.tree_search
        if search is None:
            return
        cell = CELLS[search.cell]
        try:
            check_count(search.cell, cell.n_sites, search.n_oxygen)
            if "enumeration" in search.methods:
                check_enumeration(search.cell, cell, search.n_oxygen)
        except InputError as error:
            raise InputError(f"`learning.tree_search`: {error}") from None
