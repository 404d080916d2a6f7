"""When a run has sampled enough: the standard errors that were asked for, judged at moments fixed beforehand.

The decision at one of these moments depends on the samples up to it and on nothing else, so a run that was killed and
continued decides as it would have done undisturbed.
"""

import logging
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from moxie.dynamics.series import DIPOLE, LIQUID, as_columns
from moxie.errors import InputError
from moxie.thermodynamics import (
    dielectric_constant,
    enthalpy_kJ_mol,
    isothermal_compressibility_per_GPa,
    thermal_expansion_per_K,
)
from moxie.timeseries import FEWEST_SAMPLES, Mean, detect_equilibration, mean_of

if TYPE_CHECKING:
    from moxie.dynamics.protocol import RunSettings

FEWEST_INDEPENDENT = 50.0
FIRST_CHECK = 100  # samples after the configured equilibration
_GROWTH = math.sqrt(2.0)
_GAS_SHARE = 0.1  # of the variance allowed to an enthalpy of vaporisation; the liquid has the rest
Series = Mapping[str, np.ndarray]  # column -> values, shape (n,)
# response functions, each from the stationary part of a run's time series (`series.LIQUID`) and its settings
RESPONSES: dict[str, Callable[[Series, "RunSettings"], Mean]] = {
    "isothermal_compressibility_per_GPa": lambda run, settings: isothermal_compressibility_per_GPa(
        run["volume_nm3"], settings.temperature_K
    ),
    "thermal_expansion_per_K": lambda run, settings: thermal_expansion_per_K(
        run["volume_nm3"],
        enthalpy_kJ_mol(run["potential_energy_kJ_mol"], run["volume_nm3"], settings.pressure_bar),
        settings.temperature_K,
    ),
    "dielectric_constant": lambda run, settings: dielectric_constant(
        np.column_stack([run[name] for name in DIPOLE]), run["volume_nm3"], settings.temperature_K
    ),
}
QUANTITIES = ("density_g_cm3", "potential_energy_kJ_mol", "enthalpy_of_vaporisation_kJ_mol", *RESPONSES)
_ONLY_NPT = ("density_g_cm3", "isothermal_compressibility_per_GPa", "thermal_expansion_per_K")


@dataclass(frozen=True)
class Assessment:
    """What some samples are worth: the standard error of each series, and whether all are as small as asked for."""

    reached: bool
    standard_errors: dict[str, float]
    n_independent: float
    start: int  # first sample of the stationary part


def check_precision(
    precision: Mapping[str, float], ensemble: str, n_components: int | None = None, has_ions: bool = False
) -> None:
    """Raise InputError for a standard error that cannot be asked for."""
    for name, error in precision.items():
        if name not in QUANTITIES:
            raise InputError(f"precision.{name}: unknown quantity; allowed are {', '.join(QUANTITIES)}.")
        if not (error > 0 and math.isfinite(error)):
            raise InputError(f"precision.{name} is {error:g}; a standard error must be above 0.")
    fixed = [name for name in _ONLY_NPT if name in precision and ensemble == "NVT"]
    if fixed:
        raise InputError(f"precision.{fixed[0]} asks for a density that ensemble NVT holds fixed. Leave it out.")
    if "dielectric_constant" in precision and has_ions:
        raise InputError(
            "precision.dielectric_constant: ions carry current, and an electrolyte has no static dielectric constant"
            " from the dipole moment of its box. Leave it out."
        )
    if "enthalpy_of_vaporisation_kJ_mol" in precision and n_components is not None and n_components > 1:
        raise InputError(
            "precision.enthalpy_of_vaporisation_kJ_mol is for liquids of one kind of molecule. Ask for"
            " potential_energy_kJ_mol."
        )


def box_targets(precision: Mapping[str, float]) -> dict[str, float]:
    """Return the standard errors that a box has to reach; an enthalpy of vaporisation asks for one of its energy."""
    targets = {name: error for name, error in precision.items() if name != QUANTITIES[2]}
    if QUANTITIES[2] in precision:
        share = precision[QUANTITIES[2]] * math.sqrt(1 - _GAS_SHARE)
        targets[QUANTITIES[1]] = min(share, targets.get(QUANTITIES[1], math.inf))
    return targets


def gas_targets(precision: Mapping[str, float]) -> dict[str, float]:
    """Return the standard error that the energy of the isolated molecule has to reach."""
    if QUANTITIES[2] not in precision:
        return {}
    return {QUANTITIES[1]: precision[QUANTITIES[2]] * math.sqrt(_GAS_SHARE)}


def is_check(number: int, equilibration: int) -> bool:
    """Return whether the run is judged after `number` samples: 100, 141, 200, 283, ... after the equilibration.

    Looking at times a constant factor apart keeps the number of looks, each of which may catch a lucky moment, small.
    """
    sampled = number - equilibration
    if sampled < FIRST_CHECK:
        return False
    power = round(math.log(sampled / FIRST_CHECK, _GROWTH))
    return sampled == round(FIRST_CHECK * _GROWTH**power)


def assess(
    series: Mapping[str, np.ndarray],
    targets: Mapping[str, float],
    at_least: int,
    responses: Mapping[str, Callable[[int], Mean]] | None = None,
) -> Assessment:
    """Judge the samples so far.

    All series share one stationary part, and the standard errors are those of `moxie.timeseries.mean_of`. `responses`
    give other quantities from the samples that begin there, with errors of their own. Reached are the targets only with
    at least 50 independent samples of the slowest series, below which errors are too uncertain to stop a run by.
    """
    names = [*series, *(responses or {})]
    length = len(next(iter(series.values())))
    if length - at_least < FEWEST_SAMPLES:
        return Assessment(False, dict.fromkeys(names, math.nan), 0.0, at_least)
    start, independent = detect_equilibration(series, at_least)
    errors = {name: mean_of(values[start:]).standard_error for name, values in series.items()}
    errors |= {name: response(start).standard_error for name, response in (responses or {}).items()}
    precise = all(errors[name] <= target for name, target in targets.items())
    return Assessment(precise and independent >= FEWEST_INDEPENDENT, errors, independent, start)


class StoppingRule:
    """The samples of one run and the decision whether they suffice: targets reached, or `sampling_ps` over."""

    def __init__(
        self,
        settings: "RunSettings",
        targets: Mapping[str, float],
        n_molecules: int,
        columns: Mapping[str, str] = LIQUID,
    ):
        self._settings, self._targets, self._n_molecules = settings, dict(targets), n_molecules
        self._columns = columns
        self._rows: list[np.ndarray] = []
        self.n_samples = 0
        self._reached = False

    @property
    def rows(self) -> np.ndarray:
        """Return all samples, one row each, shape (n, k)."""
        return np.concatenate(self._rows)

    def add(self, rows: np.ndarray) -> None:
        """Add samples in their order, one row or a committed segment of them; a run never goes past its end."""
        self._rows.append(rows)
        self.n_samples += len(rows)
        if self._targets and is_check(self.n_samples, self._settings.equilibration_samples):
            self._reached = self._assess().reached

    def is_over(self) -> bool:
        """Return whether the run may end."""
        return self._reached or self.n_samples >= self._settings.total_samples

    def report(self) -> dict[str, Any]:
        """Return why the run ended and how precise it is, as run.json holds it; errors only where they were asked."""
        stopped = "precision reached" if self._reached else "sampling_ps reached"
        facts: dict[str, Any] = {"stopped": stopped, "n_samples": self.n_samples}
        if self._targets:
            found = self._assess()
            facts |= {
                "reached": found.reached, "targets": self._targets, "standard_errors": found.standard_errors,
                "n_independent": found.n_independent, "n_equilibration": found.start,
            }  # fmt: skip
        return facts

    def say(self, log: logging.Logger) -> None:
        """Say how a run ended for which a precision was asked; nothing for another."""
        if not self._targets:
            return
        facts = self.report()
        errors = ", ".join(
            f"{name} {facts['standard_errors'][name]:.2g} (asked for {target:g})"
            for name, target in self._targets.items()
        )
        text = f"{facts['stopped']}: standard error of {errors}, {facts['n_independent']:.0f} independent samples"
        if facts["reached"]:
            log.info("%s", text)
        else:
            log.warning("%s of the %g needed. Raise sampling_ps.", text, FEWEST_INDEPENDENT)

    def _assess(self) -> Assessment:
        run = as_columns(self.rows, self._columns)
        series = {"potential_energy_kJ_mol": run["potential_energy_kJ_mol"] / self._n_molecules}
        if "density_g_cm3" in run and self._settings.ensemble == "NPT":
            series["density_g_cm3"] = run["density_g_cm3"]

        def from_fluctuations(name: str) -> Callable[[int], Mean]:
            return lambda start: RESPONSES[name](
                {column: values[start:] for column, values in run.items()}, self._settings
            )

        responses = {name: from_fluctuations(name) for name in self._targets if name in RESPONSES}
        return assess(series, self._targets, self._settings.equilibration_samples, responses)
