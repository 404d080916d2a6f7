"""The molecules of a study: those named one by one, and lists of them in chunks."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from moxie.config.molecules import QuantumChemistry
from moxie.errors import InputError
from moxie.study.stage import Stage, raise_together

if TYPE_CHECKING:
    from moxie.molecules.lists import Entry


@dataclass(frozen=True, eq=False)
class MoleculesStage(Stage):
    """Quantum chemistry of `molecules` (SMILES by name) and of the lists that `config` names."""

    config: QuantumChemistry
    molecules: Mapping[str, str]
    name = "molecules"

    def checks(self) -> Iterable[Callable[[], None]]:
        return (self._check_not_empty, self._check_lists, self._check_density_functional)

    def parts(self) -> Iterable[str]:
        return ("molecules", *(["measured_logp"] if self._has_measured_logp else []))

    def own_files(self) -> Iterable[str]:
        from moxie.molecules.lists import is_own

        return filter(is_own, self.config.molecule_lists)

    @cached_property
    def settings(self) -> dict[str, Any]:
        """How every molecule is computed, as `moxie.molecules.properties.MoleculeSettings` takes it."""
        return self.config.model_dump(exclude={"molecule_lists", "most_per_list", "most_per_chunk"})

    @cached_property
    def chunks(self) -> dict[str, dict[str, list["Entry"]]]:
        """{name of the list: {name of the chunk: its entries}} for all lists of molecules."""
        from moxie.molecules.lists import chunks, list_name

        return {list_name(source): chunks(entries, self.config.most_per_chunk) for source, entries in self._lists}

    @cached_property
    def results(self) -> list[str]:
        """The paths of all results, those of single molecules first."""
        return [
            *(f"results/molecules/{name}.json" for name in self.molecules),
            *(f"results/molecules/lists/{name}/{chunk}.json" for name in self.chunks for chunk in self.chunks[name]),
        ]

    @cached_property
    def _lists(self) -> list[tuple[str, list["Entry"]]]:
        from moxie.molecules.lists import read_list

        return [(source, read_list(source, self.config.most_per_list)) for source in self.config.molecule_lists]

    @cached_property
    def _has_measured_logp(self) -> bool:
        """Whether the lists hold enough measured partition coefficients, on enough scaffolds, to learn from."""
        from moxie.learning.molecular import parse, scaffold
        from moxie.learning.thresholds import FEWEST_MOLECULES, N_FOLDS
        from moxie.reference.partition import SETS

        labelled = [
            (source, entry)
            for source, entries in self._lists
            for entry in entries
            if source in SETS or entry.logP is not None
        ]
        if len(labelled) < FEWEST_MOLECULES:
            return False
        scaffolds = set()
        for source, entry in labelled:
            if source not in SETS and parse(entry.smiles) is not None:
                scaffolds.add(scaffold(entry.smiles))
            if source in SETS or len(scaffolds) >= N_FOLDS:  # a built-in set has them
                return True
        return False

    def _check_not_empty(self) -> None:
        if not self.molecules and not self.config.molecule_lists:
            raise InputError(
                "`quantum_chemistry`: there is no molecule to compute. Name some with their SMILES under `molecules`, "
                "give `quantum_chemistry.molecule_lists`, or set `quantum_chemistry: null`."
            )

    def _check_lists(self) -> None:
        from moxie.molecules.lists import list_name, read_list

        problems, lists = [], dict[str, str]()
        for source in self.config.molecule_lists:
            name = list_name(source)
            try:
                read_list(source)
            except InputError as error:
                problems.append(f"`quantum_chemistry.molecule_lists`: {error}")
            if name in lists:
                problems.append(
                    f"`quantum_chemistry.molecule_lists`: {lists[name]} and {source} are both called {name}. "
                    "Rename one."
                )
            lists[name] = source
        raise_together(problems)

    def _check_density_functional(self) -> None:
        from moxie.molecules.density_functional import check_available

        if self.config.density_functional:
            check_available()
