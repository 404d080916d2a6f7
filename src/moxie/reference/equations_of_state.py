"""Experimental properties of liquids from the reference equations of state in CoolProp."""

from functools import cache
from typing import Any

from moxie.reference.substances import inchi_key

DATA_FILES = ("liquid_ranges.csv",)  # a job depends on it


def experimental_enthalpy_of_vaporisation_kJ_mol(
    smiles: str, temperature_K: float, pressure_bar: float = 1.0
) -> float | None:
    """Return the molar enthalpy of the ideal gas minus that of the liquid at T and p, in kJ/mol.

    This, and not the enthalpy of vaporisation at saturation, is what <U_gas> - <U_liquid>/N + RT of a simulation
    estimates: a saturated vapour is not ideal (0.64 kJ/mol for methanol at 298 K). None where CoolProp has no
    equation of state for the molecule or the state point is no liquid within its range.
    """
    state = liquid_state(smiles, temperature_K, pressure_bar)
    return None if state is None else -state.hmolar_residual() / 1000.0


def liquid_density_g_cm3(smiles: str, temperature_K: float, pressure_bar: float = 1.0) -> float | None:
    """Return the density of the liquid in g/cm3; None under the same conditions."""
    state = liquid_state(smiles, temperature_K, pressure_bar)
    return None if state is None else state.rhomass() / 1000.0


def thermal_expansion_per_K(smiles: str, temperature_K: float, pressure_bar: float = 1.0) -> float | None:
    """Return the isobaric thermal expansion of the liquid in 1/K; None under the same conditions."""
    state = liquid_state(smiles, temperature_K, pressure_bar)
    return None if state is None else state.isobaric_expansion_coefficient()


def isothermal_compressibility_per_GPa(smiles: str, temperature_K: float, pressure_bar: float = 1.0) -> float | None:
    """Return the isothermal compressibility of the liquid in 1/GPa; None under the same conditions."""
    state = liquid_state(smiles, temperature_K, pressure_bar)
    return None if state is None else state.isothermal_compressibility() * 1e9


def residual_heat_capacity_J_mol_K(smiles: str, temperature_K: float, pressure_bar: float = 1.0) -> float | None:
    """Return the isobaric heat capacity of the liquid less that of its ideal gas; None under the same conditions."""
    state = liquid_state(smiles, temperature_K, pressure_bar)
    return None if state is None else state.cpmolar() - state.cp0molar()


def liquid_viscosity_mPa_s(smiles: str, temperature_K: float, pressure_bar: float = 1.0) -> float | None:
    """Return the shear viscosity of the liquid in mPa s; None also where CoolProp has no correlation fitted to data.

    Of some fluids it has a prediction instead (corresponding states, Chung's method), which its own description of the
    fluid says.
    """
    state = liquid_state(smiles, temperature_K, pressure_bar)
    if state is None or not _has_fitted_viscosity(fluid_of(smiles) or ""):
        return None
    try:
        return float(state.viscosity()) * 1000.0
    except ValueError:
        return None


@cache
def _has_fitted_viscosity(fluid: str) -> bool:
    """Return whether the viscosity that CoolProp takes, the first it lists, is a correlation of this fluid."""
    models = _description(fluid).get("TRANSPORT", {}).get("viscosity") or [{"type": "none"}]
    first = models[0] if isinstance(models, list) else models
    return first.get("type") is None and "reference_fluid" not in first


def _description(fluid: str) -> dict[str, Any]:
    import json

    from CoolProp.CoolProp import get_fluid_param_string

    return json.loads(get_fluid_param_string(fluid, "JSON"))[0]


def liquid_state(smiles: str, temperature_K: float, pressure_bar: float) -> Any:
    """Return CoolProp's state of a liquid; None where it has no equation of state or the state point is no liquid."""
    import CoolProp
    from CoolProp.CoolProp import AbstractState

    fluid = fluid_of(smiles)
    if fluid is None:
        return None
    state = AbstractState("HEOS", fluid)
    try:
        state.update(CoolProp.PT_INPUTS, pressure_bar * 1e5, temperature_K)
    except ValueError:
        return None
    liquid = state.phase() in (CoolProp.iphase_liquid, CoolProp.iphase_supercritical_liquid)
    return state if liquid else None


@cache
def _liquid_ranges() -> dict[str, tuple[float, float]]:
    """Return the lowest temperature of the equation of state and the boiling point at 1 atm, by InChIKey.

    liquid_ranges.csv: of every pure fluid in CoolProp 8.0.
    """
    import csv
    from importlib import resources

    text = resources.files("moxie.reference").joinpath("liquid_ranges.csv").read_text(encoding="utf-8")
    return {
        row["inchi_key"]: (float(row["lowest_K"]), float(row["boiling_K"])) for row in csv.DictReader(text.splitlines())
    }


def plainly_liquid(smiles: str, temperature_K: float, pressure_bar: float) -> bool | None:
    """Return True for a state point that surely is a liquid with an equation of state; None where CoolProp must tell.

    False where there is no equation of state of the molecule. Importing CoolProp takes 2 s; this takes none of it. From
    1 to 100 bar, 10 K above the lowest temperature (melting lines rise) and 2 K below boiling at 1 atm is a liquid.
    """
    found = _liquid_ranges().get(inchi_key(smiles))
    if found is None:
        return False
    lowest_K, boiling_K = found
    surely = lowest_K + 10 <= temperature_K <= boiling_K - 2 and 1 <= pressure_bar <= 100
    return True if surely else None


@cache
def fluid_of(smiles: str) -> str | None:
    """Return CoolProp's name of a pure substance, by its InChIKey, or None."""
    from CoolProp.CoolProp import FluidsList

    key = inchi_key(smiles)
    for fluid in FluidsList():
        if _description(fluid)["INFO"].get("INCHI_KEY") == key:
            return fluid
    return None
