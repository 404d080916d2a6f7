"""Everything that can be known about a run before it starts: parameters, charge, box, time step.

rdkit is enough for a force field of the registry; a file of the user's is tried in OpenMM as well.
"""

from collections.abc import Mapping
from functools import lru_cache

from moxie.dynamics.antechamber import check_available
from moxie.dynamics.force_fields import is_registered, load_force_field
from moxie.dynamics.gaff import check_coverage
from moxie.dynamics.precision import check_precision
from moxie.dynamics.protocol import RunSettings, check_samples, check_settings
from moxie.dynamics.typing import check_hydrogen_mass, check_hydrogen_mass_of_atoms, check_parameters
from moxie.errors import InputError
from moxie.structures.boxes import check_cutoff, check_density
from moxie.structures.molecules import formal_charge, parse_smiles


def check_run(name: str, composition: Mapping[str, int], smiles: Mapping[str, str], settings: RunSettings) -> None:
    """Raise InputError, beginning with `dynamics.systems.NAME`, for a system that could not be simulated as asked.

    Checks that every component is among the molecules and has all its parameters, that OpenMM can use a force field
    from outside the registry, that the charges of the composition cancel, that ensemble, time step and intervals are
    sound, and that the box is wider than twice the cut-off.
    """
    try:
        force_field = load_force_field(settings.force_field)
        for component in composition:
            if component not in smiles:
                raise InputError(f"{component!r} is not among the molecules: {', '.join(smiles)}.")
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
            check_coverage(force_field, {component: smiles[component] for component in composition})
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


def _check_neutral(composition: Mapping[str, int], smiles: Mapping[str, str]) -> dict[str, int]:
    """Return the charge of each component, in e; raise InputError unless they cancel."""
    charges = {name: formal_charge(parse_smiles(smiles[name], name)) for name in composition}
    total = sum(count * charges[name] for name, count in composition.items())
    if total:
        ions = ", ".join(f"{composition[name]} {name} ({charge:+d})" for name, charge in charges.items() if charge)
        raise InputError(f"the composition has the charge {total:+d}: {ions}. A periodic box must be neutral.")
    return charges
