"""The study of settings: its points, what each simulates, and whether it can."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from moxie.config.dynamics import SettingsStudy
from moxie.errors import InputError, nearest
from moxie.study.stage import raise_together
from moxie.study.system import SystemPlan

if TYPE_CHECKING:
    from moxie.dynamics.protocol import RunSettings
    from moxie.dynamics.settings_study import Point


@dataclass(frozen=True, eq=False)
class SettingsPoints:
    """The points around the settings of one of the systems of a study."""

    config: SettingsStudy
    systems: Mapping[str, SystemPlan]

    @property
    def system(self) -> SystemPlan:
        """The system whose settings vary."""
        return self.systems[self.config.system]

    @cached_property
    def points(self) -> dict[str, "Point"]:
        """The points by label, the system's own first."""
        from moxie.dynamics.settings_study import Point, points

        system = self.system.config
        base = Point(system.timestep_fs, system.hydrogen_mass_amu, sum(system.composition.values()), system.cutoff_nm)
        lists = self.config.model_dump(include={"timesteps_fs", "hydrogen_masses_amu", "molecules", "cutoffs_nm"})
        return {point.label: point for point in points(base, **lists)}

    @property
    def base(self) -> "Point":
        """The point of the system's own settings."""
        return next(iter(self.points.values()))

    @cached_property
    def bounds(self) -> dict[str, float]:
        """The bounds of what is recommended, as `moxie.features.recommended_settings.recommend` takes them."""
        return self.config.model_dump(include={"largest_difference_percent", "largest_drift_kJ_mol_ns"})

    def composition(self, label: str) -> dict[str, int]:
        """Return the number of each molecule of a point by name."""
        from moxie.dynamics.settings_study import scaled_composition

        return scaled_composition(self.system.composition, self.points[label].n_molecules)

    def settings(self, label: str) -> "RunSettings":
        """Return the settings of a point's run."""
        return replace(self.points[label].of(self._shared), force_field=self.system.force_field_file)

    def simulated(self, label: str) -> dict[str, Any]:
        """Return what a point simulates: its composition, and its settings as plain values."""
        return {"composition": self.composition(label), "settings": vars(self.settings(label))}

    @cached_property
    def _shared(self) -> "RunSettings":
        """The settings that all points share, with the force field as configured."""
        system = self.system.config
        temperature_K = self.config.temperature_K or system.temperatures_K[0]
        settings = self.system.as_configured(temperature_K, system.pressures_bar[0])
        return replace(settings, sampling_ps=self.config.sampling_ps, precision={})

    def check(self) -> None:
        """Raise InputError for points that could not be run."""
        from moxie.dynamics.settings_study import check_point

        if self.config.system not in self.systems:
            raise InputError(
                f"`dynamics.settings_study.system` = {self.config.system!r}: not a system."
                f"{nearest(self.config.system, self.systems)} Allowed: {', '.join(self.systems)}."
            )
        problems = []
        for point in self.points.values():
            try:
                check_point(point, self.system.composition, self.system.smiles, self._shared, self.config.nve_ps)
            except InputError as error:
                problems.append(str(error))
        raise_together(problems)
