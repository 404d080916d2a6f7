"""Mixtures of the configuration as whole numbers of molecules, and sweeps over concentration as systems of their own.

Everything after this sees numbers of molecules only.
"""

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from moxie.config import StudyConfig, System, label
from moxie.config.dynamics import UNITS, Mixture
from moxie.errors import InputError, nearest
from moxie.structures.composition import Composition, Salt, Size, Species, compose, estimated_density_g_cm3

_LARGEST_DEVIATION = 0.2  # of an amount from what was asked for


@dataclass(frozen=True)
class Resolved:
    """A configuration without lists of concentrations, every system with its numbers of molecules."""

    config: StudyConfig
    texts: dict[str, str]  # what each mixture became, for a person


def with_whole_numbers(config: StudyConfig) -> Resolved:
    """Return the configuration with each mixture's numbers in `composition`, one system for each concentration.

    A sweep is named after its amounts: nacl with mol_kg [1, 4] becomes nacl_1_mol_kg and nacl_4_mol_kg. What is
    resolved stays as it is. Raises InputError with every mixture that cannot be.
    """
    if config.dynamics is None:
        return Resolved(config, {})
    systems: dict[str, System] = {}
    texts: dict[str, str] = {}
    problems: list[str] = []
    for name, system in config.dynamics.systems.items():
        sweep = list(_of_one_concentration(name, system))
        if system.density_g_cm3 is not None and _needs_a_density(system) and len(sweep) > 1:
            problems.append(
                f"`dynamics.systems.{name}.density_g_cm3` = {system.density_g_cm3:g}: one density for"
                f" {len(sweep)} concentrations, each of which has its own. Leave it out, so that each is"
                " estimated (NPT), or write one system for each concentration."
            )
        for new_name, single in sweep:
            try:
                if new_name in systems or (new_name != name and new_name in config.dynamics.systems):
                    raise InputError(f"the sweep makes a system {new_name}, and there is one already. Rename it.")
                systems[new_name] = single
                if single.mixture is not None:
                    composition, text = _numbers(single, single.mixture, config.molecules)
                    if single.composition and single.composition != composition.counts:
                        raise InputError("both it and `composition` are given. Leave one out (`composition: null`).")
                    systems[new_name] = single.model_copy(update={"composition": composition.counts})
                    texts[new_name] = text
            except InputError as error:
                problems.append(f"`dynamics.systems.{name}.mixture`: {error}")
    if problems:
        lines = "\n".join(f"  {problem}" for problem in dict.fromkeys(problems))
        raise InputError(f"The configuration cannot be used:\n{lines}")
    return Resolved(
        config.model_copy(update={"dynamics": config.dynamics.model_copy(update={"systems": systems})}), texts
    )


def _needs_a_density(system: System) -> bool:
    """Whether numbers or volume of the box follow from its density."""
    salts = system.mixture.salts.values() if system.mixture else ()
    return system.ensemble == "NVT" or any(salt.mol_L for salt in salts)


def _of_one_concentration(name: str, system: System) -> Iterator[tuple[str, System]]:
    """Yield the systems of a sweep over concentration by name; a system without one is its own."""
    salts = system.mixture.salts if system.mixture else {}
    amounts = {
        salt: (unit, getattr(salts[salt], unit)) for salt in salts for unit in UNITS if getattr(salts[salt], unit)
    }
    for chosen in itertools.product(*(values for _, values in amounts.values())):
        new_name, changed = name, {}
        for (salt, (unit, values)), value in zip(amounts.items(), chosen, strict=True):
            changed[salt] = salts[salt].model_copy(update={unit: [value]})
            if len(values) > 1:
                new_name += f"_{_word(value)}_{unit.lower()}"
        if system.mixture is None or new_name == name:
            yield name, system
        else:
            yield new_name, system.model_copy(update={"mixture": system.mixture.model_copy(update={"salts": changed})})


def _word(value: float) -> str:
    return label(value).replace(".", "p").replace("e-", "em").replace("e+", "e")


def _numbers(system: System, mixture: Mixture, molecules: Mapping[str, str]) -> tuple[Composition, str]:
    names = [*mixture.solvents, *(ion for salt in mixture.salts.values() for ion in salt.ions)]
    for name in (*names, *mixture.densities_g_cm3):
        if name not in molecules:
            raise InputError(
                f"unknown molecule {name!r}.{nearest(name, molecules)} Known are {', '.join(molecules)}; add others"
                " with their SMILES under `molecules`."
            )
    species = {name: _species(molecules[name], name, mixture.densities_g_cm3.get(name)) for name in names}
    salts = [
        Salt(salt.ions, getattr(salt, unit)[0], unit)
        for salt in mixture.salts.values() for unit in UNITS if getattr(salt, unit)
    ]  # fmt: skip
    size = Size(mixture.molecules, "molecules") if mixture.molecules else Size(mixture.atoms or 0, "atoms")
    density = system.density_g_cm3
    source = ""
    if any(salt.unit == "mol_L" for salt in salts):
        source = ", at the stated density"
        if density is None:
            density = estimated_density_g_cm3(species, mixture.solvents, salts, mixture.ratio)
            source = (
                f", at a density of {density:.4g} g/cm3 estimated from volumes (10 to 20 % too low at times: give"
                " `density_g_cm3` once a run has told it)"
            )
    found = compose(species, mixture.solvents, salts, size, mixture.ratio, density)
    for name, (asked, got) in found.quantities.items():
        if abs(got - asked) > _LARGEST_DEVIATION * asked:
            raise InputError(
                f"A box of {size.number} {size.of} cannot have {name} {asked:g}: the nearest whole numbers of molecules"
                f" make it {got:.4g}. Use a larger box."
            )
    return found, found.text + source


def _species(smiles: str, name: str, density_g_cm3: float | None) -> Species:
    from moxie.structures.boxes import PACKING_FRACTION
    from moxie.structures.molecules import (
        formal_charge,
        molar_mass_g_mol,
        parse_smiles,
        van_der_waals_volume_A3,
    )  # fmt: skip

    molecule = parse_smiles(smiles, name)
    return Species(
        molar_mass_g_mol(smiles, name), molecule.GetNumAtoms(), formal_charge(molecule), density_g_cm3,
        van_der_waals_volume_A3(smiles, name) / PACKING_FRACTION,
    )  # fmt: skip
