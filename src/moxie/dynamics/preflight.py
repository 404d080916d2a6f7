"""Everything that can be known about a run before it starts: parameters, charge, box, time step.

rdkit is enough for a force field of the registry; a file of the user's is tried in OpenMM as well.
"""

import logging
from collections.abc import Mapping
from functools import lru_cache

from moxie.dynamics.antechamber import check_available
from moxie.dynamics.force_fields import ForceField, available_force_fields, is_registered, load_force_field
from moxie.dynamics.gaff import check_coverage
from moxie.dynamics.precision import check_precision
from moxie.dynamics.protocol import RunSettings, check_samples, check_settings
from moxie.dynamics.sources import check_names
from moxie.dynamics.typing import (
    check_hydrogen_mass,
    check_hydrogen_mass_of_atoms,
    check_parameters,
    unused_terms,
)
from moxie.errors import InputError
from moxie.structures.boxes import check_cutoff, check_density
from moxie.structures.molecules import formal_charge, parse_smiles, symbols

_MOST_NAMED = 12
_MOST_ATOMS = 2_000_000  # of a box; packing and typing are written for thousands


def check_run(name: str, composition: Mapping[str, int], smiles: Mapping[str, str], settings: RunSettings) -> None:
    """Raise InputError, beginning with `dynamics.systems.NAME`, for a system that could not be simulated as asked.

    Checks that every component is among the molecules and has all its parameters, that OpenMM can use a force field
    from outside the registry, that the charges of the composition cancel, that ensemble, time step and intervals are
    sound, that the box is wider than twice the cut-off, and that neither its atoms nor its samples are absurdly many.
    """
    try:
        force_field = load_force_field(settings.force_field)
        for component in composition:
            if component not in smiles:
                raise InputError(f"{component!r} is not among the molecules: {', '.join(smiles)}.")
        _check_size(composition, smiles)
        _check_covered(force_field, {component: smiles[component] for component in composition})
        if not (is_registered(force_field) or force_field.is_template or force_field.generator):
            _name_unused(str(force_field.path), tuple((component, smiles[component]) for component in composition))
        for component in composition:
            if force_field.is_template:
                if settings.hydrogen_mass_amu is not None:
                    check_hydrogen_mass_of_atoms(smiles[component], component, settings.hydrogen_mass_amu)
            else:
                sites = check_parameters(settings.force_field, smiles[component], component)
                if settings.hydrogen_mass_amu is not None:
                    check_hydrogen_mass(force_field, sites, settings.hydrogen_mass_amu)
                if not is_registered(force_field):
                    _try_in_openmm(str(force_field.path), component, smiles[component])
        if force_field.is_template:
            check_available()
        charges = _check_neutral(composition, smiles)
        check_settings(settings, force_field)
        check_samples(settings)
        check_precision(settings.precision, settings.ensemble, len(composition), any(charges.values()))
    except InputError as error:
        raise InputError(f"dynamics.systems.{name}: {error}") from None
    if settings.density_g_cm3 is not None:
        check_density(composition, smiles, settings.density_g_cm3, name)
        check_cutoff(composition, smiles, settings.cutoff_nm, settings.density_g_cm3, name)
    if settings.ensemble == "NPT":  # a density is only the first guess there
        check_cutoff(composition, smiles, settings.cutoff_nm, None, name)


def check_sources(sources: Mapping[str, str], smiles: Mapping[str, str]) -> None:
    """Raise InputError unless each molecule has a source, and OpenMM can use what is the user's among several."""
    check_names(sources, smiles)
    for name, source in sources.items():
        if len(set(sources.values())) > 1 and name in smiles and not is_registered(load_force_field(source)):
            check_parameters(source, smiles[name], name)
            _try_in_openmm(source, name, smiles[name])


@lru_cache(maxsize=64)
def _name_unused(force_field: str, molecules: tuple[tuple[str, str], ...]) -> None:
    """Say which rows of a user's file no atoms of a box get: they may be misspelt."""
    sites = [check_parameters(force_field, smiles, name) for name, smiles in molecules]
    unused = unused_terms(load_force_field(force_field), sites)
    if unused:
        logging.getLogger(__name__).warning(
            "%s: no atoms of %s get %s%s. If one of them should, its types or their order are others'.",
            force_field, " and ".join(name for name, _ in molecules), ", ".join(unused[:_MOST_NAMED]),
            f" and {len(unused) - _MOST_NAMED} rows more" if len(unused) > _MOST_NAMED else "",
        )  # fmt: skip


def _check_covered(force_field: ForceField, smiles: Mapping[str, str]) -> None:
    """Raise InputError for a molecule without parameters, with the force fields that cover the whole box."""
    try:
        _check_coverage(force_field, smiles)
    except InputError as error:
        raise InputError(f"{str(error).rstrip('.')}. {_alternatives(smiles)}") from None


def _check_coverage(force_field: ForceField, smiles: Mapping[str, str]) -> None:
    if force_field.is_template:
        check_coverage(force_field, smiles)
    else:
        for name, text in smiles.items():
            check_parameters(force_field.path, text, name)


def _alternatives(smiles: Mapping[str, str]) -> str:
    """Return which force fields of the registry have parameters for all of some molecules."""
    covering = []
    for name in available_force_fields():
        try:
            _check_coverage(load_force_field(name), smiles)
            covering.append(name)
        except InputError:
            continue
    box = " with ".join(smiles)
    if covering:
        return f"The whole box ({box}) has parameters in {' and '.join(covering)}."
    return (
        f"No force field of the registry covers the whole box ({box}): give the path of an OpenMM XML file with all its"
        " parameters (docs/extending.md, A force field)."
    )


@lru_cache(maxsize=64)
def _try_in_openmm(force_field: str, name: str, smiles: str) -> None:
    import openmm

    from moxie.dynamics.platforms import PlatformChoice, evaluate
    from moxie.dynamics.systems import build_model, isolated_positions_nm

    model = build_model({name: 1}, {name: smiles}, force_field, edge_nm=None)
    try:
        evaluate(PlatformChoice("Reference", "double", {}), model.system, isolated_positions_nm(model.components[0][0]))
    except openmm.OpenMMException as error:
        raise InputError(f"OpenMM refuses the force field {force_field}: {' '.join(str(error).split())}") from None


def _check_size(composition: Mapping[str, int], smiles: Mapping[str, str]) -> None:
    """Raise InputError for a box of absurdly many atoms."""
    atoms = sum(count * len(symbols(parse_smiles(smiles[name], name))) for name, count in composition.items())
    if atoms > _MOST_ATOMS:
        raise InputError(
            f"the composition has {atoms:,} atoms; at most {_MOST_ATOMS:,}. More is taken for a slip of a digit."
        )


def _check_neutral(composition: Mapping[str, int], smiles: Mapping[str, str]) -> dict[str, int]:
    """Return the charge of each component, in e; raise InputError unless they cancel."""
    charges = {name: formal_charge(parse_smiles(smiles[name], name)) for name in composition}
    total = sum(count * charges[name] for name, count in composition.items())
    if total:
        ions = ", ".join(f"{composition[name]} {name} ({charge:+d})" for name, charge in charges.items() if charge)
        raise InputError(f"the composition has the charge {total:+d}: {ions}. A periodic box must be neutral.")
    return charges
