"""A study: the validated configuration, and the runs that follow from it.

`Study.load` is the gate in front of every job. It checks all that can be known beforehand, across sections: SMILES,
force-field parameters, box sizes, kinetics, oxygen against bonds.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

from moxie.config import StudyConfig, System, label, load
from moxie.errors import InputError
from moxie.seeds import derive_seed
from moxie.study_checks import CHECKS

RUN = "{system}/{force_field}/T{temperature_K}_p{pressure_bar}/replica{replica}"
STATE = "{system}/{force_field}/T{temperature_K}_p{pressure_bar}"
LEG = RUN + "/transport/leg{leg}"
GAS = "{system}/{force_field}/gas/T{temperature_K}/replica{replica}"
MOLECULE_FORCE_FIELD = "results/structures/{force_field}/molecules/{molecule}.xml"
BOX_FORCE_FIELD = "results/structures/{force_field}/boxes/{system}.xml"
FILM = "Si{orientation}/T{temperature_K}/replica{replica}"
BULK = "bulk/x{x}/kT{kT_eV}/replica{replica}"
GAS_PRECISION = ("enthalpy_of_vaporisation_kJ_mol",)  # what the isolated molecule has a share in


@dataclass(frozen=True)
class Study:
    """A configuration that passed every check."""

    config: StudyConfig

    @classmethod
    def load(cls, values: Mapping[str, Any]) -> "Study":
        """Validate a configuration; raises InputError with every problem found, each on a line of its own."""
        study = cls(load(values))
        problems: list[str] = []
        for check in CHECKS:
            try:
                check(study)
            except InputError as error:
                problems.append(str(error))
        if problems:
            raise InputError("The configuration cannot be used:\n" + "\n".join(f"  {text}" for text in problems))
        return study

    def system(self, name: str) -> System:
        """Return a system by name."""
        return self.config.dynamics.systems[name]

    def own_files(self) -> list[str]:
        """Return the user's own files that the configuration names: force fields, parameters, structure, lists."""
        from moxie.molecules.lists import is_own

        oxidation, chemistry = self.config.oxidation, self.config.quantum_chemistry
        models = [oxidation.parameter_set, *(system.force_field for system in self.config.dynamics.systems.values())]
        found = [name for name in models if Path(name).suffix]
        found += [oxidation.slab.structure] if oxidation.slab.structure else []
        return sorted({*found, *(source for source in chemistry.molecule_lists if is_own(source))})

    def seed(self, stage: str, wildcards: Any) -> int:
        """Return the seed of a job from the base seed, the stage and all its wildcards."""
        return derive_seed(self.config.seed, stage, **dict(wildcards.items()))

    def smiles_of(self, name: str) -> dict[str, str]:
        """Return the SMILES of a system's components by name."""
        return {molecule: self.config.molecules[molecule] for molecule in self.system(name).composition}

    def kind(self, name: str) -> str:
        """Return "electrolytes" for a system with ions, else "liquids"."""
        from moxie.features.liquids import kind_of

        return kind_of(self.system(name).composition, self.smiles_of(name))

    def kinds(self) -> dict[str, list[str]]:
        """Return the names of the systems by kind; a kind that the study lacks is left out."""
        found: dict[str, list[str]] = {}
        for name in self.config.dynamics.systems:
            found.setdefault(self.kind(name), []).append(name)
        return found

    def has_gas(self, name: str) -> bool:
        """Return whether a system is a pure liquid, whose enthalpy of vaporisation needs the isolated molecule."""
        return len(self.system(name).composition) == 1 and self.kind(name) == "liquids"

    def with_dihedrals(self) -> list[str]:
        """Return the names of the systems that have dihedral angles of a kind that is measured (`dihedrals.TORSIONS`).

        A hydrogen within a united atom has no dihedral angle.
        """
        from moxie.features.dihedrals import TORSIONS
        from moxie.features.site_search import find_tuples

        return [
            name
            for name in self.config.dynamics.systems
            if any(len(find_tuples(self._molecules_as_sites(name), torsion.smarts)) for torsion in TORSIONS.values())
        ]

    def _molecules_as_sites(self, name: str) -> list[dict[str, Any]]:
        """Return one molecule of each component of a system, as `components` in run.json."""
        from moxie.dynamics.force_fields import load_force_field
        from moxie.dynamics.typing import check_parameters
        from moxie.structures.molecules import parse_smiles

        force_field, found = self.system(name).force_field, []
        for molecule, smiles in self.smiles_of(name).items():
            if load_force_field(force_field).is_template:
                atoms = list(range(parse_smiles(smiles, molecule).GetNumAtoms()))
            else:
                atoms = list(check_parameters(force_field, smiles, molecule).atoms)
            found.append({"name": molecule, "smiles": smiles, "count": 1, "site_atoms": atoms})
        return found

    def runs(self, name: str) -> list[str]:
        """Return the paths of a system's runs below results/dynamics."""
        system = self.system(name)
        return [
            RUN.format(
                system=name,
                force_field=Path(system.force_field).stem,
                temperature_K=label(temperature),
                pressure_bar=label(pressure),
                replica=replica,
            )
            for temperature in system.temperatures_K
            for pressure in system.pressures_bar
            for replica in range(system.replicas)
        ]

    def transport_legs(self) -> dict[str, list[str]]:
        """Return the paths of the legs for transport coefficients by that of their state point."""
        found: dict[str, list[str]] = {}
        for name, system in self.config.dynamics.systems.items():
            n_legs = system.transport.legs if system.transport else 0
            for run in self.runs(name) if n_legs else []:
                legs = [f"{run}/transport/leg{leg}" for leg in range(n_legs)]
                found.setdefault(run.rsplit("/", 1)[0], []).extend(legs)
        return found

    def transport_settings(self, name: str) -> dict[str, Any]:
        """Return how a system's legs go, as `moxie.dynamics.transport.TransportSettings` takes it."""
        transport = self.system(name).transport
        return transport.model_dump() if transport else {}

    def setting_points(self) -> dict[str, Any]:
        """Return the points of the study of settings by label, the system's own first (`settings_study.Point`)."""
        from moxie.dynamics.settings_study import Point, points

        wanted = self.config.dynamics.settings_study
        if wanted is None:
            return {}
        system = self.system(wanted.system)
        base = Point(system.timestep_fs, system.hydrogen_mass_amu, sum(system.composition.values()), system.cutoff_nm)
        lists = wanted.model_dump(include={"timesteps_fs", "hydrogen_masses_amu", "molecules", "cutoffs_nm"})
        return {point.label: point for point in points(base, **lists)}

    def setting_point(self, label: str) -> dict[str, Any]:
        """Return what a point simulates: its composition, and its settings as `protocol.Settings` takes them."""
        from moxie.dynamics.settings_study import scaled_composition

        wanted, point = self.config.dynamics.settings_study, self.setting_points()[label]
        assert wanted is not None  # there are no points without it
        values = self.point_settings() | {
            "timestep_fs": point.timestep_fs,
            "hydrogen_mass_amu": point.hydrogen_mass_amu,
            "cutoff_nm": point.cutoff_nm,
            "force_field": self.force_field_file(wanted.system),
        }
        composition = scaled_composition(self.system(wanted.system).composition, point.n_molecules)
        return {"composition": composition, "settings": values}

    def point_settings(self) -> dict[str, Any]:
        """Return the settings that all points of the settings study share, as `moxie.dynamics.protocol.Settings`."""
        wanted = self.config.dynamics.settings_study
        assert wanted is not None
        system = self.system(wanted.system)
        temperature_K = wanted.temperature_K or system.temperatures_K[0]
        values = self.settings(wanted.system, temperature_K, system.pressures_bar[0])
        return values | {"sampling_ps": wanted.sampling_ps, "precision": {}}

    def films(self) -> list[str]:
        """Return the paths of the films below results/oxidation."""
        return [
            FILM.format(orientation=orientation, temperature_K=temperature, replica=replica)
            for orientation in self.config.oxidation.orientations
            for temperature in self.film_temperatures()
            for replica in range(self.config.oxidation.replicas)
        ]

    def bulk_oxides(self) -> list[str]:
        """Return the paths of the bulk networks below results/oxidation."""
        bulk = self.config.oxidation.bulk
        if bulk is None:
            return []
        return [
            BULK.format(x=label(x), kT_eV=label(kT), replica=replica)
            for x in bulk.compositions
            for kT in bulk.kT_eV
            for replica in range(bulk.replicas)
        ]

    def bulk_settings(self) -> dict[str, Any]:
        """Return how bulk networks are annealed, as `moxie.oxidation.networks.bulk.BulkSettings` takes it."""
        bulk = self.config.oxidation.bulk
        return bulk.model_dump(include={"cells", "attempts_per_atom", "hop_fraction"}) if bulk else {}

    def exchange_film_temperature_K(self) -> float:
        """Return the process temperature of the films that replica exchange samples; of two as near, the lower."""
        oxidation = self.config.oxidation
        assert oxidation.replica_exchange is not None
        wanted = oxidation.replica_exchange.near_temperature_K
        return min(oxidation.temperatures_K, key=lambda temperature: (abs(temperature - wanted), temperature))

    def exchange_film(self, orientation: str) -> str:
        """Return the path of the film below results/oxidation that replica exchange samples."""
        return FILM.format(orientation=orientation, temperature_K=label(self.exchange_film_temperature_K()), replica=0)

    def exchange_settings(self) -> dict[str, Any]:
        """Return how a film is sampled, as `moxie.oxidation.films.equilibrium.ExchangeSettings` takes it."""
        oxidation = self.config.oxidation
        if oxidation.replica_exchange is None:
            return {}
        values = oxidation.replica_exchange.model_dump(exclude={"near_temperature_K", "equilibration_share"})
        return values | {"hop_fraction": oxidation.growth.hop_fraction}

    def film_temperatures(self) -> list[str]:
        """Return the labels of the oxidation temperatures."""
        return [label(temperature) for temperature in self.config.oxidation.temperatures_K]

    def film_size(self, temperature_K: float, orientation: str = "100") -> Any:
        """Return how much oxygen the recipe puts on a slab (`moxie.oxidation.films.sizing.FilmSize`)."""
        from moxie.oxidation.films.sizing import check_recipe_fits, check_recipe_fits_structure
        from moxie.structures.own_slab import own_slab
        from moxie.structures.silicon import plane_edges_A

        oxidation = self.config.oxidation
        parameters, slab, recipe = self.oxide_parameters(), oxidation.slab, oxidation.recipe.model_dump()
        scale = oxidation.thickness_scale
        if slab.structure is not None:
            start = own_slab(
                slab.structure,
                orientation,
                slab.frozen_layers == 0,
                parameters.lattice_constant_A,
                parameters.bond_length[0][1],
            )
            parameters.check_edge(float(start.cell[:2].min()))
            return check_recipe_fits_structure(start, temperature_K, orientation, scale, recipe)
        parameters.check_edge(min(plane_edges_A(slab.cells, orientation, parameters.lattice_constant_A)))
        return check_recipe_fits(
            cells=slab.cells,
            frozen_layers=slab.frozen_layers,
            temperature_K=temperature_K,
            orientation=orientation,
            thickness_scale=scale,
            lattice_constant_A=parameters.lattice_constant_A,
            **recipe,
        )

    def oxide_parameters(self) -> Any:
        """Return the parameter set of the oxides; raises InputError for one without O."""
        from moxie.oxidation.parameter_sets import load_parameters

        name = self.config.oxidation.parameter_set
        parameters = load_parameters(name)
        if "O" not in parameters.elements:
            raise InputError(
                f"parameter_set = {name!r} is for {', '.join(parameters.elements)} only; an oxide needs Si and O."
            )
        return parameters

    def parts(self) -> list[str]:
        """Return the parts that a study has, for the choice of figures and learning tasks."""
        from moxie.learning.thresholds import FEWEST_FILMS, FEWEST_TEMPERATURES

        oxidation = self.config.oxidation
        optional = {
            "liquid_states": self._has_liquid_states(),
            "force_fields": self.compares_force_fields(),
            "dihedrals": bool(self.with_dihedrals()),
            "transport": bool(self.transport_legs()),
            "settings_study": self.config.dynamics.settings_study is not None,
            "oxide_sweep": len(oxidation.temperatures_K) >= FEWEST_TEMPERATURES,
            "bulk_oxides": oxidation.bulk is not None,
            "oxide_equilibrium": oxidation.replica_exchange is not None,
            "orientations": len(oxidation.orientations) > 1,
            "film_sites": len(self.films()) >= FEWEST_FILMS,
            "measured_logp": self._has_measured_logp(),
        }
        return [*self.kinds(), "oxides", "molecules", *(name for name, there in optional.items() if there)]

    def check_sweep(self) -> None:
        """Raise InputError if there are too few process temperatures to leave one out."""
        from moxie.learning.thresholds import FEWEST_TEMPERATURES

        found = len(self.config.oxidation.temperatures_K)
        if found < FEWEST_TEMPERATURES:
            raise InputError(
                f"`oxidation.temperatures_K` names {found} temperature(s); the surrogate of the oxide, which chooses "
                f"the next recipe, needs at least {FEWEST_TEMPERATURES}. Add temperatures."
            )

    def compares_force_fields(self) -> bool:
        """Return whether a liquid is simulated with two or more force fields at one state point of the NPT ensemble."""
        from moxie.reference.registry import system_key

        force_fields: dict[tuple[str, float, float], set[str]] = {}
        for name in self.kinds().get("liquids", []):
            system, smiles = self.system(name), self.smiles_of(name)
            if system.ensemble == "NPT":
                liquid = system_key([(smiles[molecule], count) for molecule, count in system.composition.items()])
                for temperature in system.temperatures_K:
                    for pressure in system.pressures_bar:
                        force_fields.setdefault((liquid, temperature, pressure), set()).add(system.force_field)
        return any(len(names) > 1 for names in force_fields.values())

    def _has_liquid_states(self) -> bool:
        """Return whether a pure liquid has experimental densities at enough state points to leave one out."""
        from moxie.learning.thresholds import FEWEST_STATES
        from moxie.reference.liquids import has_density_reference

        for name, system in self.config.dynamics.systems.items():
            states = list(product(system.temperatures_K, system.pressures_bar))
            if not self.has_gas(name) or system.ensemble != "NPT" or len(states) < FEWEST_STATES:
                continue
            smiles = next(iter(self.smiles_of(name).values()))
            if sum(has_density_reference(smiles, *state) for state in states) >= FEWEST_STATES:
                return True
        return False

    def _has_measured_logp(self) -> bool:
        """Return whether the lists hold enough measured partition coefficients, on enough scaffolds, to learn from."""
        from moxie.learning.molecular import parse, scaffold
        from moxie.learning.thresholds import FEWEST_MOLECULES, N_FOLDS
        from moxie.molecules.lists import read_list
        from moxie.reference.partition import SETS

        chemistry = self.config.quantum_chemistry
        labelled = [
            (source, entry)
            for source in chemistry.molecule_lists
            for entry in read_list(source, chemistry.most_per_list)
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

    def learning_settings(self, task: str) -> dict[str, Any]:
        """Return the settings that a task depends on (`moxie.learning.registry.Settings`)."""
        from moxie.learning.registry import get

        learning = self.config.learning
        values = learning.model_dump(exclude={"placements"}) | {
            "trained_up_to": learning.placements.trained_up_to,
            "parameter_set": self.config.oxidation.parameter_set,
        }
        return {name: values[name] for name in get(task).settings}

    def placements(self) -> dict[int, int | None]:
        """Return {number of oxygen atoms: how many placements to relax at most}."""
        chosen = self.config.learning.placements
        return {
            n: None if n <= chosen.trained_up_to else chosen.tested_per_content for n in range(chosen.tested_up_to + 1)
        }

    def run_settings(self, name: str, temperature_K: float, pressure_bar: float) -> dict[str, Any]:
        """Return the settings of a run, as `moxie.dynamics.protocol.Settings` takes them."""
        values = self.settings(name, temperature_K, pressure_bar)
        return values | {"force_field": self.force_field_file(name)}

    def settings(self, name: str, temperature_K: float, pressure_bar: float) -> dict[str, Any]:
        """Return a system's settings at a state point, its force field as configured; see `run_settings` for jobs."""
        system, protocol = self.system(name), self.config.dynamics.protocol
        values = system.model_dump(exclude={"composition", "temperatures_K", "pressures_bar", "replicas", "transport"})
        values |= protocol.model_dump(exclude={"gas_sampling_ps", "checkpoint_interval_s"})
        values["precision"] = system.precision.model_dump(exclude_none=True)
        return values | {"temperature_K": temperature_K, "pressure_bar": pressure_bar}

    def force_field_file(self, name: str) -> str:
        """Return what a system's runs load: the configured name or path, or the file made of its molecules."""
        from moxie.dynamics.force_fields import load_force_field

        force_field = self.system(name).force_field
        if load_force_field(force_field).is_template:
            return BOX_FORCE_FIELD.format(force_field=force_field, system=name)
        return force_field

    def can_export(self, name: str) -> bool:
        """Return whether a system can be written for LAMMPS: not one with virtual sites."""
        from moxie.dynamics.force_fields import load_force_field

        return not load_force_field(self.system(name).force_field).virtual

    def gpu_percent(self, name: str) -> int:
        """Return the share of a graphics card that a run takes; 0 unless `dynamics.platform` names a GPU's."""
        from moxie.dynamics.platforms import gpu_percent
        from moxie.structures.molecules import parse_smiles, symbols

        if self.config.dynamics.platform in ("auto", "CPU"):
            return 0
        composition, smiles = self.system(name).composition, self.smiles_of(name)
        return gpu_percent(sum(n * len(symbols(parse_smiles(smiles[key], key))) for key, n in composition.items()))

    def gas_settings(self, name: str, temperature_K: float) -> dict[str, Any]:
        """Return the settings of a system's isolated molecule; what concerns only the box is at its default."""
        values = self.run_settings(name, temperature_K, pressure_bar=1.0)
        for key in ("ensemble", "density_g_cm3", "cutoff_nm", "pme_tolerance", "barostat_interval"):
            del values[key]
        values["precision"] = {key: error for key, error in values["precision"].items() if key in GAS_PRECISION}
        return values | {"sampling_ps": self.config.dynamics.protocol.gas_sampling_ps}

    def molecule_settings(self) -> dict[str, Any]:
        """Return how every molecule is computed, as `moxie.molecules.properties.Settings` takes it."""
        return self.config.quantum_chemistry.model_dump(exclude={"molecule_lists", "most_per_list", "most_per_chunk"})

    def molecule_chunks(self) -> dict[str, dict[str, Any]]:
        """Return {name of the list: {name of the chunk: its entries}} for all lists of molecules."""
        from moxie.molecules.lists import chunks, list_name, read_list

        chemistry = self.config.quantum_chemistry
        return {
            list_name(source): chunks(read_list(source, chemistry.most_per_list), chemistry.most_per_chunk)
            for source in chemistry.molecule_lists
        }
