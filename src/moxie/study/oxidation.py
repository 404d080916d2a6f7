"""The oxides of a study: films on slabs, bulk networks, and films at equilibrium."""

import itertools
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from moxie.approaches import APPROACHES, SIDES
from moxie.config import label
from moxie.config.oxidation import Oxidation
from moxie.errors import InputError
from moxie.study.stage import Stage, raise_together

if TYPE_CHECKING:
    from moxie.oxidation.films.sizing import FilmSize

FILM = "Si{orientation}/T{temperature_K}/{approach}/replica{replica}"
BULK = "bulk/x{x}/kT{kT_eV}/replica{replica}"


@dataclass(frozen=True, eq=False)
class OxidationStage(Stage):
    """Oxide films of every orientation, temperature and replica that `config` names, and what it asks for beside."""

    config: Oxidation
    _sizes: dict[tuple[float, str], "FilmSize"] = field(default_factory=dict)
    name = "oxidation"

    def checks(self) -> Iterable[Callable[[], None]]:
        return (self._check_films, self._check_bulk)

    def parts(self) -> Iterable[str]:
        from moxie.learning.thresholds import FEWEST_FILMS, FEWEST_TEMPERATURES

        optional = {
            "oxide_sweep": len(self.config.temperatures_K) >= FEWEST_TEMPERATURES,
            "bulk_oxides": self.config.bulk is not None,
            "oxide_equilibrium": self.config.replica_exchange is not None,
            "orientations": len(self.config.orientations) > 1,
            "approaches": self.both_sides,
            "film_sites": len(self.films) >= FEWEST_FILMS,
        }
        return ("oxides", *(name for name, there in optional.items() if there))

    def own_files(self) -> Iterable[str]:
        files = (self.config.parameter_set, self.config.slab.structure)
        return [file for file in files if file is not None and Path(file).suffix]

    def figure_labels(self) -> dict[str, str]:
        return {
            "coldest": label(min(self.config.temperatures_K)),
            "hottest": label(max(self.config.temperatures_K)),
            "orientation": min(self.config.orientations),
            "approach": self.config.approaches[0],
        }

    @cached_property
    def film_keys(self) -> list[dict[str, Any]]:
        """The orientation, temperature, approach and replica of each film."""
        return [
            {"orientation": orientation, "temperature_K": temperature, "approach": approach, "replica": replica}
            for orientation, temperature, approach, replica in itertools.product(
                self.config.orientations,
                self.config.temperatures_K,
                self.config.approaches,
                range(self.config.replicas),
            )
        ]

    @cached_property
    def films(self) -> list[str]:
        """The paths of the films below results/oxidation."""
        return [FILM.format(**film | {"temperature_K": label(film["temperature_K"])}) for film in self.film_keys]

    @property
    def both_sides(self) -> bool:
        """Whether films come to their temperature from both sides that are held against each other."""
        return set(SIDES) <= set(self.config.approaches)

    @cached_property
    def bulk_oxides(self) -> list[str]:
        """The paths of the bulk networks below results/oxidation."""
        bulk = self.config.bulk
        if bulk is None:
            return []
        return [
            BULK.format(x=label(x), kT_eV=label(kT), replica=replica)
            for x, kT, replica in itertools.product(bulk.compositions, bulk.kT_eV, range(bulk.replicas))
        ]

    @cached_property
    def bulk_settings(self) -> dict[str, Any]:
        """How bulk networks are annealed, as `moxie.oxidation.networks.bulk.BulkSettings` takes it."""
        bulk = self.config.bulk
        return bulk.model_dump(include={"cells", "attempts_per_atom", "hop_fraction"}) if bulk else {}

    @cached_property
    def production_settings(self) -> dict[str, Any]:
        """How a finished film is sampled, as `films.production_settings.Production` takes it; {}: not at all."""
        production = self.config.production
        if production is None:
            return {}
        return production.model_dump() | {"precision": production.precision.model_dump(exclude_none=True)}

    @cached_property
    def exchanged(self) -> list[str]:
        """The orientations whose film is sampled by replica exchange."""
        return list(self.config.orientations) if self.config.replica_exchange else []

    @cached_property
    def exchange_film_temperature_K(self) -> float:
        """The process temperature of the films that replica exchange samples; of two as near, the lower."""
        assert self.config.replica_exchange is not None
        wanted = self.config.replica_exchange.near_temperature_K
        return min(self.config.temperatures_K, key=lambda temperature: (abs(temperature - wanted), temperature))

    def exchange_film(self, orientation: str) -> str:
        """Return the path of the film below results/oxidation that replica exchange samples."""
        return FILM.format(
            orientation=orientation,
            temperature_K=label(self.exchange_film_temperature_K),
            approach=self.config.approaches[0],
            replica=0,
        )

    @cached_property
    def exchange_settings(self) -> dict[str, Any]:
        """How a film is sampled, as `moxie.oxidation.films.equilibrium.ExchangeSettings` takes it."""
        exchange = self.config.replica_exchange
        if exchange is None:
            return {}
        values = exchange.model_dump(exclude={"near_temperature_K", "equilibration_share"})
        return values | {"hop_fraction": self.config.growth.hop_fraction}

    def film_size(self, temperature_K: float, orientation: str = "100") -> "FilmSize":
        """Return how much oxygen the recipe puts on a slab; raises InputError if it does not fit."""
        key = (temperature_K, orientation)
        if key not in self._sizes:
            self._sizes[key] = self._find_size(temperature_K, orientation)
        return self._sizes[key]

    def _find_size(self, temperature_K: float, orientation: str) -> "FilmSize":
        from moxie.oxidation.films.sizing import check_recipe_fits, check_recipe_fits_structure
        from moxie.structures.own_slab import own_slab
        from moxie.structures.silicon import plane_edges_A

        parameters, slab, recipe = self.parameters, self.config.slab, self.config.recipe.model_dump()
        scale = self.config.thickness_scale
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

    @cached_property
    def parameters(self) -> Any:
        """The parameter set of the oxides; raises InputError for one without O."""
        from moxie.oxidation.parameter_sets import load_parameters

        name = self.config.parameter_set
        parameters = load_parameters(name)
        if "O" not in parameters.elements:
            raise InputError(
                f"parameter_set = {name!r} is for {', '.join(parameters.elements)} only; an oxide needs Si and O."
            )
        return parameters

    def check_sweep(self) -> None:
        """Raise InputError if there are too few process temperatures to leave one out."""
        from moxie.learning.thresholds import FEWEST_TEMPERATURES

        found = len(self.config.temperatures_K)
        if found < FEWEST_TEMPERATURES:
            raise InputError(
                f"`oxidation.temperatures_K` names {found} temperature(s); the surrogate of the oxide, which chooses "
                f"the next recipe, needs at least {FEWEST_TEMPERATURES}. Add temperatures."
            )

    def _check_films(self) -> None:
        """Recipes against slabs, and the replica exchange."""
        config = self.config
        if config.slab.structure is not None and len(config.orientations) > 1:
            raise InputError(
                f"`oxidation.slab.structure` = {config.slab.structure}: one structure has one face, but "
                f"`oxidation.orientations` names {', '.join(config.orientations)}. Name one."
            )
        problems = []
        for temperature, orientation in itertools.product(config.temperatures_K, config.orientations):
            try:
                self.film_size(temperature, orientation)
            except InputError as error:
                problems.append(f"`oxidation`: {error}")
        problems += self._problems_of_approaches()
        if config.production is not None:
            from moxie.oxidation.films.production_settings import Production, check_production

            try:
                check_production(Production(**self.production_settings))
            except InputError as error:
                problems.append(f"`oxidation.production`: {error}")
        if config.replica_exchange is not None:
            from moxie.oxidation.films.equilibrium import ExchangeSettings, check_exchange

            try:
                check_exchange(
                    ExchangeSettings(**self.exchange_settings),
                    config.replica_exchange.equilibration_share,
                    min(config.temperatures_K),
                )
            except InputError as error:
                problems.append(f"`oxidation.replica_exchange`: {error}")
        raise_together(problems)

    def _problems_of_approaches(self) -> list[str]:
        """Approaches that lead nowhere else than the others do."""
        scaled = [name for name in self.config.approaches if APPROACHES[name].suboxide_factor != 1]
        if not scaled:
            return []
        if self.config.production is None:
            return [
                f"`oxidation.approaches` names {', '.join(scaled)}, whose films come to the model's own penalties by "
                "being sampled, but `oxidation.production` is null. Set it, or name disordered alone."
            ]
        if not any(self.parameters.suboxide_eV):
            return [
                f"`oxidation.approaches` names {', '.join(scaled)}, which scales the suboxide penalties; those of "
                f"{self.parameters.name} are all zero, so that there is no ordered side. Name disordered alone."
            ]
        return []

    def _check_bulk(self) -> None:
        """The cell of the bulk oxides against the repulsion, and their compositions against each other."""
        from moxie.oxidation.films.sizing import check_bulk_fits

        bulk = self.config.bulk
        if bulk is None:
            return
        try:
            parameters = self.parameters
        except InputError:
            return  # `_check_films` says so
        check_bulk_fits(bulk.cells, bulk.compositions, parameters)
