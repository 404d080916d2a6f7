"""Experimental properties of molecular liquids, from reference equations of state and critical compilations."""

from collections.abc import Callable
from dataclasses import replace
from functools import cache

from moxie.reference.equations_of_state import (
    experimental_enthalpy_of_vaporisation_kJ_mol,
    fluid_of,
    isothermal_compressibility_per_GPa,
    liquid_density_g_cm3,
    liquid_viscosity_mPa_s,
    plainly_liquid,
    residual_heat_capacity_J_mol_K,
    thermal_expansion_per_K,
)
from moxie.reference.registry import UNCHECKED, VERIFIED, ReferenceValue, canonical_smiles, find
from moxie.reference.substances import registry_number

_ROOM_K = 298.15
_SAME_TEMPERATURE_K = 1.0
_ONE_BAR = 1.01325
_LOW_PRESSURE_BAR = 10.0
_RESPONSE_ERROR = 0.02  # relative, of second derivatives of an equation of state
_DIMERS = ("[CX3](=[O,S])[O,S;X2][H]", "[S,P](=O)[OX2][H]", "[FX2,FX1][H]")
_FORMATION_ERROR_KJ_MOL = 2.0  # 90 % of the differences are within 1.6 of the CRC handbook's for 484 liquids
_SAME_VISCOSITY = 0.1  # relative
_DIELECTRIC_ERROR = 0.02  # relative; compilations differ by this much


def experimental_density_g_cm3(smiles: str, temperature_K: float, pressure_bar: float = _ONE_BAR) -> float | None:
    """Return the density of the liquid, in g/cm3, or None where it is not known.

    From the reference equation of state where CoolProp has one (methanol: de Reuck and Craven 1993; ethanol: Schroeder
    et al. 2014; water: Wagner and Pruss 2002), else from the saturated-liquid correlation of Perry's handbook, 8th
    edition, table 2-105, which is used up to 10 bar. None for a state point that is not a liquid.
    """
    found = density_reference(smiles, temperature_K, pressure_bar)
    return None if found is None else found.value


def density_reference(smiles: str, temperature_K: float, pressure_bar: float = _ONE_BAR) -> ReferenceValue | None:
    """Return the experimental density with its source, or None."""
    value = liquid_density_g_cm3(smiles, temperature_K, pressure_bar)
    source = "CoolProp, equation of state"
    if value is None and fluid_of(smiles) is None:
        value = _perry_density(smiles, temperature_K, pressure_bar)
        source = "Perry's Chemical Engineers' Handbook, 8th ed., table 2-105 (saturated liquid), from chemicals"
    return None if value is None else _reference(smiles, "density_g_cm3", "g/cm3", value, source, temperature_K)


def has_density_reference(smiles: str, temperature_K: float, pressure_bar: float = _ONE_BAR) -> bool:
    """Return whether there is a `density_reference`, without its value: quick, since every start asks."""
    plain = plainly_liquid(smiles, temperature_K, pressure_bar)
    if plain is False:
        return _perry_density(smiles, temperature_K, pressure_bar) is not None
    return bool(plain) or density_reference(smiles, temperature_K, pressure_bar) is not None


def enthalpy_of_vaporisation_reference(
    smiles: str, temperature_K: float, pressure_bar: float = _ONE_BAR
) -> ReferenceValue | None:
    """Return the enthalpy of vaporisation into the ideal gas, in kJ/mol, with its source, or None.

    Where there is no equation of state, the value at 298.15 K of the CRC handbook, which refers to the saturated vapour
    and so lies below the ideal-gas one by a fraction of a kJ/mol (0.6 for methanol); the note says so. Acids are dimers
    in their vapour (acetic acid: 23.4 kJ/mol, single molecules 51.4): for these the difference of the enthalpies of
    formation of ideal gas and liquid, or none.
    """
    name = "enthalpy_of_vaporisation_kJ_mol"
    value = experimental_enthalpy_of_vaporisation_kJ_mol(smiles, temperature_K, pressure_bar)
    if value is not None:
        source = "CoolProp, equation of state: ideal gas minus liquid"
        return _reference(smiles, name, "kJ/mol", value, source, temperature_K)
    if abs(temperature_K - _ROOM_K) > _SAME_TEMPERATURE_K or fluid_of(smiles) is not None:
        return None
    from chemicals import phase_change

    if _associates_in_the_vapour(smiles):
        return _from_formation(smiles)
    row = _row(phase_change.Hvap_data_CRC, smiles)
    if row is None or not row["Hvap298"] > 0:
        return None
    source = "CRC Handbook, enthalpy of vaporisation at 298.15 K, from chemicals"
    note = "refers to the saturated vapour, not to the ideal gas"
    return _reference(smiles, name, "kJ/mol", float(row["Hvap298"]) / 1000, source, _ROOM_K, note)


@cache
def _associates_in_the_vapour(smiles: str) -> bool:
    """Return whether a vapour at room temperature is largely of dimers or larger rings: acids, and HF."""
    from rdkit import Chem

    molecule = Chem.AddHs(Chem.MolFromSmiles(canonical_smiles(smiles)))
    return any(molecule.HasSubstructMatch(Chem.MolFromSmarts(pattern)) for pattern in _DIMERS)


def _from_formation(smiles: str) -> ReferenceValue | None:
    from chemicals import reaction

    number = registry_number(smiles)
    gas, liquid = (function(number) if number else None for function in (reaction.Hfg, reaction.Hfl))
    if gas is None or liquid is None or not gas > liquid:
        return None
    return _reference(
        smiles, "enthalpy_of_vaporisation_kJ_mol", "kJ/mol", (gas - liquid) / 1000,
        "enthalpies of formation of ideal gas and liquid at 298.15 K, from chemicals", _ROOM_K,
        "of single molecules; the vapour is largely of dimers", error=_FORMATION_ERROR_KJ_MOL,
    )  # fmt: skip


def response_reference(
    quantity: str, smiles: str, temperature_K: float, pressure_bar: float = _ONE_BAR
) -> ReferenceValue | None:
    """Return a response function of the liquid from CoolProp's equation of state, or None.

    quantity: thermal_expansion_per_K, isothermal_compressibility_per_GPa or residual_heat_capacity_J_mol_K. The error
    is an assumed 2 %: equations of state state 0.1 % for densities, but 1 to 3 % for heat capacities.
    """
    function, unit = _RESPONSES[quantity]
    value = function(smiles, temperature_K, pressure_bar)
    if value is None:
        return None
    source = "CoolProp, equation of state"
    error = _RESPONSE_ERROR * abs(value)
    return _reference(smiles, quantity, unit, value, source, temperature_K, "error of 2 % assumed", error)


def dielectric_constant_reference(
    smiles: str, temperature_K: float, pressure_bar: float = _ONE_BAR
) -> ReferenceValue | None:
    """Return the static dielectric constant with its source, or None.

    A value at the temperature in values.yaml first, else the polynomials of the CRC handbook within their range of
    temperature, or its single value within 1 K, up to 10 bar. The error is 2 %, by which compilations differ (ethanol
    at 303 K: 24.28 and 23.87).
    """
    from chemicals import permittivity

    name = "dielectric_constant"
    no_liquid = fluid_of(smiles) is not None and liquid_density_g_cm3(smiles, temperature_K, pressure_bar) is None
    if no_liquid or pressure_bar > _LOW_PRESSURE_BAR:
        return None
    entries = find("dynamics", canonical_smiles(smiles), name, temperature_K=temperature_K)
    if entries:
        return entries[0]
    row = _row(permittivity.permittivity_data_CRC, smiles)
    if row is None:
        return None
    if row["Tmin"] <= temperature_K <= row["Tmax"]:
        terms = [row[letter] for letter in "ABCD"]
        value = sum(term * temperature_K**power for power, term in enumerate(terms) if term == term)
        source = "CRC Handbook, permittivity of liquids, polynomial in T, from chemicals"
    elif abs(row["T"] - temperature_K) <= _SAME_TEMPERATURE_K:
        value = row["Permittivity"]
        source = f"CRC Handbook, permittivity of liquids at {row['T']:g} K, from chemicals"
    else:
        return None
    return _reference(
        smiles, name, "1", value, source, temperature_K, "error of 2 % assumed", _DIELECTRIC_ERROR * value
    )  # fmt: skip


_RESPONSES: dict[str, tuple[Callable[[str, float, float], float | None], str]] = {
    "thermal_expansion_per_K": (thermal_expansion_per_K, "1/K"),
    "isothermal_compressibility_per_GPa": (isothermal_compressibility_per_GPa, "1/GPa"),
    "residual_heat_capacity_J_mol_K": (residual_heat_capacity_J_mol_K, "J/mol/K"),
}


def viscosity_reference(
    smiles: str, temperature_K: float, pressure_bar: float = _ONE_BAR
) -> ReferenceValue | None:  # fmt: skip
    """Return the experimental shear viscosity, in mPa s, with its source, or None.

    From CoolProp where it has a correlation fitted to this fluid, else from Perry's handbook up to 10 bar. Where the
    two differ by more than a tenth (n-pentane at 298 K: 0.18 and 0.22) it is Perry's, unchecked, and the note says so.
    """
    name, fitted = "viscosity_mPa_s", liquid_viscosity_mPa_s(smiles, temperature_K, pressure_bar)
    perry = _perry_viscosity(smiles, temperature_K, pressure_bar)
    handbook = "Perry's Chemical Engineers' Handbook, 8th ed., table 2-313, from chemicals"
    if fitted is not None and (perry is None or abs(perry / fitted - 1) <= _SAME_VISCOSITY):
        return _reference(
            smiles, name, "mPa s", fitted, "CoolProp, reference correlation of the viscosity", temperature_K
        )  # fmt: skip
    if perry is None:
        return None
    found = _reference(smiles, name, "mPa s", perry, handbook, temperature_K)
    if fitted is None:
        return found
    return replace(found, checked=UNCHECKED, note=f"CoolProp's correlation has {fitted:.3g}")


def _perry_viscosity(smiles: str, temperature_K: float, pressure_bar: float) -> float | None:
    from chemicals import viscosity
    from chemicals.dippr import EQ101

    if fluid_of(smiles) is not None and liquid_density_g_cm3(smiles, temperature_K, pressure_bar) is None:
        return None  # no liquid there
    row = _row(viscosity.mu_data_Perrys_8E_2_313, smiles)
    if row is None or pressure_bar > _LOW_PRESSURE_BAR or not row["Tmin"] <= temperature_K <= row["Tmax"]:
        return None
    return float(EQ101(temperature_K, *(row[f"C{number}"] for number in range(1, 6)))) * 1000


def _perry_density(smiles: str, temperature_K: float, pressure_bar: float) -> float | None:
    from chemicals import volume
    from rdkit import Chem

    row = _row(volume.rho_data_Perry_8E_105_l, smiles)
    if row is None or pressure_bar > _LOW_PRESSURE_BAR or not row["Tmin"] <= temperature_K <= row["Tmax"]:
        return None
    from chemicals.dippr import EQ105

    mol_m3 = EQ105(temperature_K, row["C1"], row["C2"], row["C3"], row["C4"])
    molar_mass_g_mol = sum(atom.GetMass() for atom in Chem.AddHs(Chem.MolFromSmiles(smiles)).GetAtoms())
    return float(mol_m3 * molar_mass_g_mol / 1e6)


def _row(table: object, smiles: str) -> dict[str, float] | None:
    """Return the row of a compilation that belongs to a molecule, found by its registry number."""
    number = registry_number(smiles)
    return table.loc[number].to_dict() if number in table.index else None  # type: ignore[attr-defined]


def _reference(
    smiles: str,
    quantity: str,
    unit: str,
    value: float,
    source: str,
    temperature_K: float,
    note: str = "",
    error: float | None = None,
) -> ReferenceValue:
    return ReferenceValue(
        "dynamics", canonical_smiles(smiles), quantity, unit, value, "experiment", VERIFIED, source,
        temperature_K=temperature_K, note=note, error=error,
    )  # fmt: skip
