"""A study: the validated configuration, and the stages that follow from it.

`Study.load` is the gate in front of every job. It checks all that can be known beforehand, across sections: SMILES,
force-field parameters, box sizes, kinetics, oxygen against bonds.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from moxie.config import StudyConfig, load
from moxie.errors import InputError
from moxie.seeds import derive_seed
from moxie.study.dynamics import DynamicsStage
from moxie.study.learning import LearningStage
from moxie.study.mixtures import with_whole_numbers
from moxie.study.molecules import MoleculesStage
from moxie.study.oxidation import OxidationStage
from moxie.study.stage import Stage, raise_together

_MOST_RUNS = 200_000


@dataclass(frozen=True, eq=False)
class Study:
    """A configuration that passed every check. A stage that it leaves out is None."""

    config: StudyConfig
    mixtures: Mapping[str, str] = field(default_factory=dict)  # what the mixture of a system became, for a person

    @classmethod
    def load(cls, values: Mapping[str, Any], files: Sequence[Mapping[str, Any]] = ()) -> "Study":
        """Validate a configuration, merged from `files`; raises InputError with every problem, each on its own line."""
        resolved = with_whole_numbers(load(values, files))
        study = cls(resolved.config, resolved.texts)
        study._check_count()
        problems: list[str] = []
        checks = [study._check_not_empty, study._check_smiles, study._check_style]
        for check in (*checks, *(check for stage in study.stages for check in stage.checks())):
            try:
                check()
            except InputError as error:
                problems.append(str(error))
        if problems:
            raise InputError("The configuration cannot be used:\n" + "\n".join(f"  {text}" for text in problems))
        return study

    @cached_property
    def dynamics(self) -> DynamicsStage | None:
        """Molecular dynamics of liquids and electrolytes."""
        config = self.config.dynamics
        return DynamicsStage(config, self.config.molecules) if config else None

    @cached_property
    def oxidation(self) -> OxidationStage | None:
        """Monte Carlo oxidation of silicon."""
        return OxidationStage(self.config.oxidation) if self.config.oxidation else None

    @cached_property
    def molecules(self) -> MoleculesStage | None:
        """Quantum chemistry of single molecules."""
        config = self.config.quantum_chemistry
        return MoleculesStage(config, self.config.molecules) if config else None

    @cached_property
    def learning(self) -> LearningStage | None:
        """Models learnt from what the other stages give."""
        config = self.config.learning
        return LearningStage(config, self.config.oxidation, self._simulating, self.config.seed) if config else None

    @property
    def _simulating(self) -> tuple[Stage, ...]:
        return tuple(stage for stage in (self.dynamics, self.oxidation, self.molecules) if stage)

    @property
    def stages(self) -> tuple[Stage, ...]:
        """The stages of this study in the order in which data flow."""
        return (*self._simulating, *([self.learning] if self.learning else []))

    @property
    def left_out(self) -> list[str]:
        """The sections of stages that this study has not."""
        return [
            name
            for name in ("dynamics", "oxidation", "quantum_chemistry", "learning")
            if getattr(self.config, name) is None
        ]

    @cached_property
    def parts(self) -> tuple[str, ...]:
        """The parts that this study has, for the choice of figures."""
        compared = ["validation"] if any(stage.parts() for stage in self._simulating) else []
        return (*(part for stage in self.stages for part in stage.parts()), *compared)

    @cached_property
    def figure_labels(self) -> dict[str, str]:
        """What stands for the names in braces in the paths of figures' inputs."""
        return {name: text for stage in self.stages for name, text in stage.figure_labels().items()}

    def own_files(self) -> list[str]:
        """Return the user's own files that the configuration names: force fields, parameters, structure, lists."""
        return sorted({file for stage in self.stages for file in stage.own_files()})

    def seed(self, rule: str, wildcards: Any) -> int:
        """Return the seed of a job from the base seed, its rule and all its wildcards."""
        return derive_seed(self.config.seed, rule, **dict(wildcards.items()))

    def _check_count(self) -> None:
        """Raise InputError for more runs than one plan can hold; first of all, since what follows goes through them."""
        dynamics, oxidation = self.config.dynamics, self.config.oxidation
        systems = dynamics.systems.values() if dynamics else ()
        runs = sum(len(each.temperatures_K) * len(each.pressures_bar) * each.replicas for each in systems)
        films = 0
        if oxidation:
            states = len(oxidation.orientations) * len(oxidation.temperatures_K)
            films = states * len(oxidation.approaches) * oxidation.replicas
        if runs + films > _MOST_RUNS:
            raise InputError(
                f"`dynamics` names {runs:,} runs and `oxidation` {films:,} films, temperatures times pressures times"
                f" replicas; one study holds at most {_MOST_RUNS:,}. Split it, as docs/cluster.md says."
            )

    def _check_not_empty(self) -> None:
        if not self.stages:
            raise InputError(
                "Nothing is planned: `dynamics`, `oxidation`, `quantum_chemistry` and `learning` are all null or left "
                "out. Give one of them."
            )

    def _check_style(self) -> None:
        from moxie.figures.registry import check_style

        check_style(self.config.figures.style)

    def _check_smiles(self) -> None:
        from moxie.structures.molecules import parse_smiles

        problems = []
        for name, smiles in self.config.molecules.items():
            try:
                parse_smiles(smiles, name)
            except InputError as error:
                problems.append(str(error))
        raise_together(problems)
