"""The liquids and electrolytes of a study, and its study of settings."""

import itertools
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from moxie.config.dynamics import Dynamics
from moxie.errors import InputError
from moxie.study.settings_points import SettingsPoints
from moxie.study.stage import Stage, raise_together
from moxie.study.system import GAS, LEG, RUN, STATE, SystemPlan


@dataclass(frozen=True, eq=False)
class DynamicsStage(Stage):
    """All systems that `config` names; `molecules` has the SMILES by name."""

    config: Dynamics
    molecules: Mapping[str, str]
    name = "dynamics"

    def checks(self) -> Iterable[Callable[[], None]]:
        return (self._check_systems, *([self.settings_points.check] if self.settings_points else []))

    def parts(self) -> Iterable[str]:
        optional = {
            "liquid_states": any(system.has_reference_states for system in self.systems.values()),
            "force_fields": self._compares_force_fields,
            "dihedrals": bool(self.with_dihedrals),
            "transport": bool(self.legs),
            "settings_study": self.settings_points is not None,
        }
        return (*self.kinds, *(name for name, there in optional.items() if there))

    def own_files(self) -> Iterable[str]:
        return sorted({file for system in self.systems.values() for file in system.source_files})

    def wildcards(self) -> dict[str, list[str]]:
        plans = self.systems.values()
        gases = [run for plan in plans if plan.has_gas for run in plan.runs]
        made = [plan for plan in plans if plan.is_joined or plan.force_field.is_template]
        return {
            RUN: [run for plan in plans for run in plan.runs],
            STATE: list(self.legs),
            LEG: [leg for legs in self.legs.values() for leg in legs],
            GAS: [re.sub(r"/(T[^/]+)_p[^/]+/", r"/gas/\1/", run) for run in gases],
            "{system}": list(self.systems),
            "{point}": list(self.settings_points.points) if self.settings_points else [],
            "{force_field}/{system}": [f"{plan.force_field_name}/{plan.name}" for plan in made],
            "{force_field}/{molecule}": [
                f"{plan.force_field_name}/{name}" for plan in made if not plan.is_joined for name in plan.composition
            ],
        }

    @cached_property
    def systems(self) -> dict[str, SystemPlan]:
        """The systems by name."""
        return {name: SystemPlan(name, self.config, self.molecules) for name in self.config.systems}

    @cached_property
    def settings_points(self) -> SettingsPoints | None:
        """The study of settings, if there is one."""
        return SettingsPoints(self.config.settings_study, self.systems) if self.config.settings_study else None

    @cached_property
    def kinds(self) -> dict[str, list[str]]:
        """The names of the systems by kind; a kind that the study lacks is left out."""
        found: dict[str, list[str]] = {}
        for name, system in self.systems.items():
            found.setdefault(system.kind, []).append(name)
        return found

    @cached_property
    def with_dihedrals(self) -> list[str]:
        """The names of the systems with dihedral angles of a kind that is measured."""
        return [name for name, system in self.systems.items() if system.has_dihedrals]

    @cached_property
    def legs(self) -> dict[str, list[str]]:
        """{state point: the paths of its legs for transport coefficients}, both below results/dynamics."""
        return {state: legs for system in self.systems.values() for state, legs in system.legs.items()}

    @cached_property
    def components(self) -> list[str]:
        """The names of all molecules that a system is made of."""
        return list(dict.fromkeys(molecule for system in self.systems.values() for molecule in system.composition))

    @cached_property
    def compositions(self) -> dict[str, dict[str, int]]:
        """{system: {SMILES: number of molecules}}."""
        return {
            name: {system.smiles[molecule]: count for molecule, count in system.composition.items()}
            for name, system in self.systems.items()
        }

    @cached_property
    def _compares_force_fields(self) -> bool:
        """Whether a liquid is simulated with two or more force fields at one state point of the NPT ensemble."""
        from moxie.reference.registry import system_key

        force_fields: dict[tuple[str, float, float], set[str]] = {}
        for name in self.kinds.get("liquids", []):
            system = self.config.systems[name]
            if system.ensemble == "NPT":
                liquid = system_key(list(self.compositions[name].items()))
                for state in itertools.product(system.temperatures_K, system.pressures_bar):
                    force_fields.setdefault((liquid, *state), set()).add(self.systems[name].force_field_name)
        return any(len(names) > 1 for names in force_fields.values())

    def _check_systems(self) -> None:
        """The systems, each as a run, and the names of their force fields' files."""
        problems = []
        files: dict[str, str] = {}
        for name, system in self.systems.items():
            for source in dict.fromkeys(system.sources.values()):
                other = files.setdefault(Path(source).stem, source)
                if Path(other).resolve() != Path(source).resolve():
                    problems.append(
                        f"`dynamics.systems.{name}.force_field` = {source}: its results would go by the same name as"
                        f" those of {other}. Rename one of the files."
                    )
        for plan in self.systems.values():
            try:
                plan.check()
            except InputError as error:
                problems.append(str(error))
        raise_together(problems)
