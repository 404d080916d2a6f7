"""Experimental properties of molecular liquids, from reference equations of state and critical compilations."""

from collections.abc import Callable

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
from moxie.reference.registry import VERIFIED, ReferenceValue, canonical_smiles, find

_ROOM_K = 298.15
_SAME_TEMPERATURE_K = 1.0
_ONE_BAR = 1.01325
_LOW_PRESSURE_BAR = 10.0
_RESPONSE_ERROR = 0.02  # relative, of second derivatives of an equation of state
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
    and so lies below the ideal-gas one by a fraction of a kJ/mol (0.6 for methanol); the note says so.
    """
    name = "enthalpy_of_vaporisation_kJ_mol"
    value = experimental_enthalpy_of_vaporisation_kJ_mol(smiles, temperature_K, pressure_bar)
    if value is not None:
        source = "CoolProp, equation of state: ideal gas minus liquid"
        return _reference(smiles, name, "kJ/mol", value, source, temperature_K)
    if abs(temperature_K - _ROOM_K) > _SAME_TEMPERATURE_K or fluid_of(smiles) is not None:
        return None
    from chemicals import phase_change

    row = _row(phase_change.Hvap_data_CRC, smiles)
    if row is None or not row["Hvap298"] > 0:
        return None
    source = "CRC Handbook, enthalpy of vaporisation at 298.15 K, from chemicals"
    note = "refers to the saturated vapour, not to the ideal gas"
    return _reference(smiles, name, "kJ/mol", float(row["Hvap298"]) / 1000, source, _ROOM_K, note)


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
    temperature, up to 10 bar. The error is 2 %, by which compilations differ (ethanol at 303 K: 24.28 and 23.87).
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
    if row is None or not row["Tmin"] <= temperature_K <= row["Tmax"]:
        return None
    terms = [row[letter] for letter in "ABCD"]
    value = sum(term * temperature_K**power for power, term in enumerate(terms) if term == term)
    source = "CRC Handbook, permittivity of liquids, polynomial in T, from chemicals"
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
    """Return the experimental shear viscosity, in mPa s, with its source, or None."""
    value = liquid_viscosity_mPa_s(smiles, temperature_K, pressure_bar)
    source = "CoolProp, reference correlation of the viscosity"
    return None if value is None else _reference(smiles, "viscosity_mPa_s", "mPa s", value, source, temperature_K)


def _perry_density(smiles: str, temperature_K: float, pressure_bar: float) -> float | None:
    from chemicals import volume

    from moxie.structures.molecules import molar_mass_g_mol

    row = _row(volume.rho_data_Perry_8E_105_l, smiles)
    if row is None or pressure_bar > _LOW_PRESSURE_BAR or not row["Tmin"] <= temperature_K <= row["Tmax"]:
        return None
    from chemicals.dippr import EQ105

    mol_m3 = EQ105(temperature_K, row["C1"], row["C2"], row["C3"], row["C4"])
    return float(mol_m3 * molar_mass_g_mol(smiles) / 1e6)


def _row(table: object, smiles: str) -> dict[str, float] | None:
    """Return the row of a compilation that belongs to a molecule, found by its registry number."""
    from chemicals import search_chemical

    try:
        number = search_chemical(f"smiles={canonical_smiles(smiles)}").CASs
    except (ValueError, KeyError):
        return None
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
