"""What a study must hold across the sections of its configuration, known before any job.

Each check raises InputError with all that it finds; `CHECKS` lists them in the order of their messages.
"""

import itertools
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from moxie.config import System
from moxie.errors import InputError, nearest

if TYPE_CHECKING:
    from moxie.study import Study


def check_molecules(study: "Study") -> None:
    """The SMILES of `molecules`, the lists of molecules, and whether a density functional can be had."""
    from moxie.molecules.density_functional import check_available
    from moxie.molecules.lists import list_name, read_list
    from moxie.structures.molecules import parse_smiles

    problems, lists = [], dict[str, str]()
    for source in study.config.quantum_chemistry.molecule_lists:
        name = list_name(source)
        try:
            read_list(source)
        except InputError as error:
            problems.append(f"`quantum_chemistry.molecule_lists`: {error}")
        if name in lists:
            problems.append(
                f"`quantum_chemistry.molecule_lists`: {lists[name]} and {source} are both called {name}. Rename one."
            )
        lists[name] = source
    if study.config.quantum_chemistry.density_functional:
        try:
            check_available()
        except InputError as error:
            problems.append(str(error))
    for name, smiles in study.config.molecules.items():
        try:
            parse_smiles(smiles, name)
        except InputError as error:
            problems.append(str(error))
    if problems:
        raise InputError("\n  ".join(problems))


def check_systems(study: "Study") -> None:
    """The systems of `dynamics`, each as a run, and the names of their force fields' files."""
    problems = []
    files: dict[str, str] = {}
    for name, system in study.config.dynamics.systems.items():
        other = files.setdefault(Path(system.force_field).stem, system.force_field)
        if Path(other).resolve() != Path(system.force_field).resolve():
            problems.append(
                f"`dynamics.systems.{name}.force_field` = {system.force_field}: its results would go by the same"
                f" name as those of {other}. Rename one of the files."
            )
    for name, system in study.config.dynamics.systems.items():
        try:
            _check_system(study, name, system)
        except InputError as error:
            problems.append(str(error))
    if problems:
        raise InputError("\n  ".join(problems))


def _check_system(study: "Study", name: str, system: System) -> None:
    from moxie.dynamics.force_fields import load_force_field
    from moxie.dynamics.preflight import check_run
    from moxie.dynamics.protocol import Settings, check_samples, check_settings
    from moxie.dynamics.transport import TransportSettings, check_transport

    molecules = study.config.molecules
    for molecule in system.composition:
        if molecule not in molecules:
            raise InputError(
                f"`dynamics.systems.{name}.composition`: unknown molecule {molecule!r}."
                f"{nearest(molecule, molecules)} Known are {', '.join(molecules)}; add others with their SMILES "
                "under `molecules`."
            )
    for temperature in system.temperatures_K:
        settings = Settings(**study.settings(name, temperature, system.pressures_bar[0]))
        check_run(name, system.composition, study.smiles_of(name), settings)
        if system.transport:
            check_transport(name, TransportSettings(**study.transport_settings(name)), settings)
        if study.has_gas(name):
            gas = Settings(**study.gas_settings(name, temperature))
            try:
                check_settings(gas, load_force_field(system.force_field))
                check_samples(gas)
            except InputError as error:
                raise InputError(f"`dynamics.protocol.gas_sampling_ps` = {gas.sampling_ps:g}: {error}") from None


def check_settings_study(study: "Study") -> None:
    """Every point of `dynamics.settings_study`."""
    from moxie.dynamics.protocol import Settings
    from moxie.dynamics.settings_study import check_point

    wanted, systems = study.config.dynamics.settings_study, study.config.dynamics.systems
    if wanted is None:
        return
    if wanted.system not in systems:
        raise InputError(
            f"`dynamics.settings_study.system` = {wanted.system!r}: not a system."
            f"{nearest(wanted.system, systems)} Allowed: {', '.join(systems)}."
        )
    values = study.point_settings()
    problems = []
    for point in study.setting_points().values():
        try:
            settings = Settings(**values)
            smiles = study.smiles_of(wanted.system)
            check_point(point, study.system(wanted.system).composition, smiles, settings, wanted.nve_ps)
        except InputError as error:
            problems.append(str(error))
    if problems:
        raise InputError("\n  ".join(dict.fromkeys(problems)))


def check_oxidation(study: "Study") -> None:
    """Recipes against slabs, and the replica exchange."""
    problems = []
    oxidation = study.config.oxidation
    if oxidation.slab.structure is not None and len(oxidation.orientations) > 1:
        raise InputError(
            f"`oxidation.slab.structure` = {oxidation.slab.structure}: one structure has one face, but "
            f"`oxidation.orientations` names {', '.join(oxidation.orientations)}. Name one."
        )
    for temperature, orientation in itertools.product(oxidation.temperatures_K, oxidation.orientations):
        try:
            study.film_size(temperature, orientation)
        except InputError as error:
            problems.append(f"`oxidation`: {error}")
    if oxidation.replica_exchange is not None:
        from moxie.oxidation.films.equilibrium import ExchangeSettings, check_exchange

        try:
            check_exchange(
                ExchangeSettings(**study.exchange_settings()),
                oxidation.replica_exchange.equilibration_share,
                min(oxidation.temperatures_K),
            )
        except InputError as error:
            problems.append(f"`oxidation.replica_exchange`: {error}")
    if problems:
        raise InputError("\n  ".join(dict.fromkeys(problems)))


def check_bulk(study: "Study") -> None:
    """The cell of the bulk oxides against the repulsion, and their compositions against each other."""
    from moxie.oxidation.films.sizing import check_bulk_fits

    bulk = study.config.oxidation.bulk
    if bulk is None:
        return
    try:
        parameters = study.oxide_parameters()
    except InputError:
        return  # `check_oxidation` says so
    check_bulk_fits(bulk.cells, bulk.compositions, parameters)


def check_learning(study: "Study") -> None:
    """The target of the oxide surrogate, and the contents of the placements."""
    from moxie.learning.tasks.oxide_surrogate.task import TARGETS

    target = study.config.learning.target
    if target not in TARGETS:
        raise InputError(
            f"`learning.target` = {target!r}: not a target.{nearest(target, TARGETS)} Allowed: {', '.join(TARGETS)}."
        )
    placements = study.config.learning.placements
    if placements.tested_up_to <= placements.trained_up_to:
        raise InputError(
            f"`learning.placements.tested_up_to` = {placements.tested_up_to}: must be larger than `trained_up_to` "
            f"= {placements.trained_up_to}, since the test is on oxygen contents never seen."
        )


def check_tree_search(study: "Study") -> None:
    """The number of O against the sites of the cell, and an enumeration that ends."""
    from moxie.oxidation.placement.counts import CELLS, check_count, check_enumeration

    search = study.config.learning.tree_search
    cell = CELLS[search.cell]
    try:
        check_count(search.cell, cell.n_sites, search.n_oxygen)
        if "enumeration" in search.methods:
            check_enumeration(search.cell, cell, search.n_oxygen)
    except InputError as error:
        raise InputError(f"`learning.tree_search`: {error}") from None


CHECKS: tuple[Callable[["Study"], None], ...] = (
    check_molecules,
    check_systems,
    check_settings_study,
    check_oxidation,
    check_bulk,
    check_learning,
    check_tree_search,
)
