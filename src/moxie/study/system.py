"""One liquid or electrolyte of a study: its runs, legs for transport and isolated molecule, and how each goes."""

import itertools
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from moxie.config import System, label
from moxie.config.dynamics import Dynamics
from moxie.errors import InputError, nearest

if TYPE_CHECKING:
    from moxie.dynamics.force_fields import ForceField
    from moxie.dynamics.protocol import RunSettings
    from moxie.dynamics.transport import TransportSettings

STATE = "{system}/{force_field}/T{temperature_K}_p{pressure_bar}"
RUN = STATE + "/replica{replica}"
LEG = RUN + "/transport/leg{leg}"
GAS = "{system}/{force_field}/gas/T{temperature_K}/replica{replica}"
MOLECULE_FORCE_FIELD = "results/structures/{force_field}/molecules/{molecule}.xml"
BOX_FORCE_FIELD = "results/structures/{force_field}/boxes/{system}.xml"
_GAS_PRECISION = "enthalpy_of_vaporisation_kJ_mol"  # what the isolated molecule has a share in
_OF_A_BOX = ("ensemble", "density_g_cm3", "cutoff_nm", "pme_tolerance", "barostat_interval")


@dataclass(frozen=True, eq=False)
class SystemPlan:
    """A system of `dynamics.systems` by its name; `molecules` has the SMILES of all molecules by name."""

    name: str
    dynamics: Dynamics
    molecules: Mapping[str, str]

    @property
    def config(self) -> System:
        """The system as configured."""
        return self.dynamics.systems[self.name]

    @property
    def composition(self) -> dict[str, int]:
        """The number of each molecule by name."""
        return self.config.composition

    @cached_property
    def smiles(self) -> dict[str, str]:
        """The SMILES of the components by name."""
        return {molecule: self.molecules[molecule] for molecule in self.composition}

    @cached_property
    def kind(self) -> str:
        """ "electrolytes" for a system with ions, else "liquids"."""
        from moxie.features.liquids import kind_of

        return kind_of(self.composition, self.smiles)

    @cached_property
    def has_gas(self) -> bool:
        """Whether this is a pure liquid, whose enthalpy of vaporisation needs the isolated molecule."""
        return len(self.composition) == 1 and self.kind == "liquids"

    @cached_property
    def runs(self) -> list[str]:
        """The paths of the runs below results/dynamics."""
        return [
            RUN.format(
                system=self.name,
                force_field=self.force_field_name,
                temperature_K=label(temperature),
                pressure_bar=label(pressure),
                replica=replica,
            )
            for temperature, pressure, replica in itertools.product(
                self.config.temperatures_K, self.config.pressures_bar, range(self.config.replicas)
            )
        ]

    @cached_property
    def legs(self) -> dict[str, list[str]]:
        """{state point: the paths of its legs for transport coefficients}, both below results/dynamics."""
        found: dict[str, list[str]] = {}
        n_legs = self.config.transport.legs if self.config.transport else 0
        for run in self.runs if n_legs else []:
            legs = [f"{run}/transport/leg{leg}" for leg in range(n_legs)]
            found.setdefault(run.rsplit("/", 1)[0], []).extend(legs)
        return found

    @cached_property
    def sources(self) -> dict[str, str]:
        """The force field of each molecule, by name or path, as configured."""
        if isinstance(self.config.force_field, str):
            return dict.fromkeys(self.composition, self.config.force_field)
        return self.config.force_field

    @property
    def is_joined(self) -> bool:
        """Whether a job joins the force field from what the molecules use of their sources."""
        return len(set(self.sources.values())) > 1 or self.config.charge_scale is not None

    @property
    def force_field_name(self) -> str:
        """What the force field goes by in paths and tables."""
        from moxie.dynamics.sources import joined_name

        return joined_name(self.sources.values(), self.config.charge_scale)

    @cached_property
    def force_field(self) -> "ForceField":
        """The force field; raises InputError if it cannot be read."""
        from moxie.dynamics.force_fields import load_force_field

        return load_force_field(self._readable_file)

    @cached_property
    def _readable_file(self) -> str:
        """What can be read before any job: the configured name or path, or a file of this process's own."""
        from moxie.dynamics.sources import joined_file

        if self.is_joined:
            return str(joined_file(self.sources, self.smiles, self.config.charge_scale))
        return next(iter(self.sources.values()))

    @cached_property
    def force_field_file(self) -> str:
        """What the runs load: the configured name or path, or the file made of the molecules."""
        if self.is_joined or self.force_field.is_template:
            return BOX_FORCE_FIELD.format(force_field=self.force_field_name, system=self.name)
        return self._readable_file

    @property
    def source_files(self) -> list[str]:
        """The user's own files among the force fields."""
        return sorted({source for source in self.sources.values() if Path(source).suffix})

    @property
    def can_export(self) -> bool:
        """Whether the system can be written for LAMMPS: not one with virtual sites."""
        return not self.force_field.virtual

    @cached_property
    def gpu_percent(self) -> int:
        """The share of a graphics card that a run takes; 0 unless `dynamics.platform` names a GPU's."""
        from moxie.dynamics.platforms import gpu_percent
        from moxie.structures.molecules import parse_smiles, symbols

        if self.dynamics.platform in ("auto", "CPU"):
            return 0
        return gpu_percent(
            sum(count * len(symbols(parse_smiles(self.smiles[key], key))) for key, count in self.composition.items())
        )

    def run_settings(self, temperature_K: float, pressure_bar: float) -> "RunSettings":
        """Return the settings of a run; its force field is the file that the run loads."""
        return replace(self.as_configured(temperature_K, pressure_bar), force_field=self.force_field_file)

    def as_configured(self, temperature_K: float, pressure_bar: float) -> "RunSettings":
        """Return the settings of a run with the force field as configured, which need not be readable."""
        from moxie.dynamics.protocol import RunSettings

        values = self._shared | {"force_field": self._readable_file}
        return RunSettings(temperature_K=temperature_K, pressure_bar=pressure_bar, **values)

    def gas_settings(self, temperature_K: float) -> "RunSettings":
        """Return the settings of the isolated molecule; what concerns only the box is at its default."""
        from moxie.dynamics.protocol import RunSettings

        values = {key: value for key, value in self._shared.items() if key not in _OF_A_BOX}
        values["precision"] = {key: value for key, value in values["precision"].items() if key == _GAS_PRECISION}
        values["sampling_ps"] = self.dynamics.protocol.gas_sampling_ps
        return RunSettings(temperature_K=temperature_K, **values | {"force_field": self.force_field_file})

    @cached_property
    def transport_settings(self) -> "TransportSettings":
        """How the legs go."""
        from moxie.dynamics.transport import TransportSettings

        assert self.config.transport is not None  # there are no legs without it
        return TransportSettings(**self.config.transport.model_dump())

    @cached_property
    def _shared(self) -> dict[str, Any]:
        """The settings that all runs share."""
        from moxie.dynamics.protocol import RunSettings

        known = {field.name for field in fields(RunSettings)}
        given = self.dynamics.protocol.model_dump() | self.config.model_dump()
        values = {key: value for key, value in given.items() if key in known}
        return values | {"precision": self.config.precision.model_dump(exclude_none=True)}

    @cached_property
    def has_dihedrals(self) -> bool:
        """Whether the system has dihedral angles of a kind that is measured (`dihedrals.TORSIONS`).

        A hydrogen within a united atom has no dihedral angle.
        """
        from moxie.features.dihedrals import TORSIONS
        from moxie.features.site_search import find_tuples

        return any(len(find_tuples(self._one_of_each, torsion.smarts)) for torsion in TORSIONS.values())

    @cached_property
    def _one_of_each(self) -> list[dict[str, Any]]:
        """One molecule of each component, as `components` in run.json."""
        from moxie.dynamics.typing import check_parameters
        from moxie.structures.molecules import parse_smiles

        found = []
        for molecule, smiles in self.smiles.items():
            if self.force_field.is_template:
                atoms = list(range(parse_smiles(smiles, molecule).GetNumAtoms()))
            else:
                atoms = list(check_parameters(self._readable_file, smiles, molecule).atoms)
            found.append({"name": molecule, "smiles": smiles, "count": 1, "site_atoms": atoms})
        return found

    @cached_property
    def has_reference_states(self) -> bool:
        """Whether this is a pure liquid with experimental densities at enough state points to leave one out."""
        from moxie.learning.thresholds import FEWEST_STATES
        from moxie.reference.liquids import has_density_reference

        states = list(itertools.product(self.config.temperatures_K, self.config.pressures_bar))
        if not self.has_gas or self.config.ensemble != "NPT" or len(states) < FEWEST_STATES:
            return False
        smiles = next(iter(self.smiles.values()))
        return sum(has_density_reference(smiles, *state) for state in states) >= FEWEST_STATES

    def check(self) -> None:
        """Raise InputError for a system that could not be run as asked."""
        from moxie.dynamics.preflight import check_run, check_sources
        from moxie.dynamics.protocol import check_samples, check_settings
        from moxie.dynamics.transport import check_transport

        for molecule in self.composition:
            if molecule not in self.molecules:
                raise InputError(
                    f"`dynamics.systems.{self.name}.composition`: unknown molecule {molecule!r}."
                    f"{nearest(molecule, self.molecules)} Known are {', '.join(self.molecules)}; add others with their "
                    "SMILES under `molecules`."
                )
        try:
            check_sources(self.sources, self.smiles)
            self.as_configured(self.config.temperatures_K[0], self.config.pressures_bar[0])  # joins the sources
        except InputError as error:
            raise InputError(f"dynamics.systems.{self.name}: {error}") from None
        if self.config.charge_scale is not None and self.kind == "liquids":
            raise InputError(
                f"`dynamics.systems.{self.name}.charge_scale` = {self.config.charge_scale:g}: the box has no ions whose"
                " charges it could scale. Leave it out."
            )
        for temperature in self.config.temperatures_K:
            settings = self.as_configured(temperature, self.config.pressures_bar[0])
            check_run(self.name, self.composition, self.smiles, settings)
            if self.config.transport:
                check_transport(self.name, self.transport_settings, settings)
            if self.has_gas:
                gas = self.gas_settings(temperature)
                try:
                    check_settings(gas, self.force_field)
                    check_samples(gas)
                except InputError as error:
                    raise InputError(f"`dynamics.protocol.gas_sampling_ps` = {gas.sampling_ps:g}: {error}") from None
