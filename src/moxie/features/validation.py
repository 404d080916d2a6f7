"""The validation table: every computed number that has a reference, beside it, with a verdict that hides nothing."""

import math
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from moxie.features.pooling import POOLED, pooled
from moxie.features.replicas import over_approaches, over_replicas
from moxie.features.verdicts import ACCURACY_GOAL_PERCENT, Estimate, verdict, z_score
from moxie.reference.dipoles import dipole_references
from moxie.reference.registry import (
    OXIDE_SYSTEM,
    UNCHECKED,
    VERIFIED,
    ReferenceValue,
    canonical_smiles,
    find,
    load_values,
    oxide_system,
)
from moxie.reference.registry import system_key as composition_key

_SMALLEST_DIPOLE_D = 0.3  # below it a ratio says little

_LIQUID_QUANTITIES = ("rdf_oo_peak_position_A", "coordination_oo")
_RESPONSES = ("thermal_expansion_per_K", "isothermal_compressibility_per_GPa", "residual_heat_capacity_J_mol_K")
_STATE = ["system", "force_field", "temperature_K", "pressure_bar", "force_field_sha256"]  # of one model and its runs
_ELECTROLYTE_QUANTITIES = (
    "cation_water_peak_A",
    "cation_water_coordination",
    "cation_anion_peak_A",
    "cation_anion_coordination",
    "cation_contact_fraction",
)
_EQUAL_DIPOLES = ReferenceValue(
    "molecules",
    "",
    "dipole_ratio_to_experiment",
    "1",
    1.0,
    "experiment",
    VERIFIED,
    "mean over the molecules whose dipole moment two compilations in chemicals agree on; each is in the figure's data",
    error=0.0,
)
# name in this table -> column of oxide_runs
OXIDE_QUANTITIES = {
    "film_density_g_cm3": "film_density_g_cm3",
    "film_si_o_si_angle_deg": "si_o_si_angle_deg",
    "suboxide_fraction_1": "suboxide_fraction_1",
    "suboxide_fraction_2": "suboxide_fraction_2",
    "suboxide_fraction_3": "suboxide_fraction_3",
    "suboxide_total_per_cm2": "suboxide_total_per_cm2",
    "transition_width_A": "transition_width_A",
    "oxide_thickness_nm": "oxide_thickness_nm",
}
OF_ONE_FACE = ("suboxide_total_per_cm2",)  # the others' references are of silica, or were found on every orientation
# recipes whose thickness others have published, by the name of the reference's system
GROWTH_RECIPES = {
    "Si(100), 1 h in dry O2": {"time_s": 3600.0, "ambient": "dry_O2"},
    "Si(100), 1 h in steam": {"time_s": 3600.0, "ambient": "steam"},
}
_GROWTH_MODEL = "deal_grove"


def make_validation_table(
    *,
    liquids: Any = None,
    electrolytes: Any = None,
    transport: Any = None,
    oxide_runs: Any = None,
    oxide_bulk: Any = None,
    molecules: Any = None,
    compositions: Mapping[str, Mapping[str, int]] | None = None,
    growth_nm: Callable[..., float] | None = None,
) -> Any:
    """Return the validation table (columns of `moxie.features.schemas.VALIDATION`) as a data frame.

    Each argument is the table of that name as a data frame, or None; `compositions` gives {SMILES: count} of every
    system in `liquids`, `electrolytes` and `transport`; `growth_nm(temperature_K, time_s=, ambient=, kinetics=)`
    is the thickness of thermal oxide on bare Si(100). A quantity without a reference has no row.
    """
    import pandas

    from moxie.features.schemas import VALIDATION

    compositions = compositions or {}
    rows: list[dict[str, Any]] = []
    if liquids is not None:
        rows += _fluid_rows(liquids, _LIQUID_QUANTITIES, compositions)
        rows += _property_rows(liquids, compositions)
    if electrolytes is not None:
        rows += _fluid_rows(electrolytes, _ELECTROLYTE_QUANTITIES, compositions)
    if transport is not None:
        rows += _transport_rows(transport, compositions)
    if oxide_runs is not None:
        rows += _oxide_rows(oxide_runs)
    if oxide_bulk is not None:
        rows += _bulk_rows(oxide_bulk)
    if growth_nm is not None:
        rows += _growth_rows(growth_nm)
    if molecules is not None:
        rows += _molecule_rows(molecules)
    frame = pandas.DataFrame(rows, columns=VALIDATION.column_names)
    numbers = {column.name: "float64" for column in VALIDATION.columns if column.dtype == "float"}
    texts = {column.name: "str" for column in VALIDATION.columns if column.dtype == "str"}
    frame = frame.astype(numbers | texts)
    return frame.sort_values(
        ["stage", "system", "model", "quantity", "temperature_K", "pressure_bar"], ignore_index=True
    )


def write_validation(table: Any, parquet: str | Path, csv: str | Path) -> None:
    """Write the validation table as Parquet with metadata and as CSV, each whole or not at all."""
    from moxie.features.schemas import VALIDATION
    from moxie.features.tables import read_table, write_table
    from moxie.io import write_text

    units = dict.fromkeys(("value", "standard_error", "reference_value", "reference_error"), "see column unit")
    write_table(table, parquet, VALIDATION, units)
    write_text(csv, read_table(parquet, VALIDATION).to_csv(index=False, float_format="%.8g"))


def _fluid_rows(
    table: Any, quantities: tuple[str, ...], compositions: Mapping[str, Mapping[str, int]]
) -> list[dict[str, Any]]:
    rows = []
    for (system, model, temperature, pressure, variant), runs in table.groupby(_STATE):
        key = composition_key(compositions[system])
        for quantity in quantities:
            references = find("dynamics", key, quantity, temperature_K=temperature, model=model)
            estimate = _of_runs(runs, quantity)
            if estimate is not None:
                state = (system, model, temperature, pressure)
                rows += [_row("dynamics", *state, estimate, r, variant) for r in references]
    return rows


def _property_rows(
    liquids: Any, compositions: Mapping[str, Mapping[str, int]]
) -> list[dict[str, Any]]:  # fmt: skip
    from moxie.reference.liquids import (
        density_reference,
        dielectric_constant_reference,
        enthalpy_of_vaporisation_reference,
        response_reference,
    )

    look_up: dict[str, Callable[..., ReferenceValue | None]] = {
        "density_g_cm3": density_reference,
        "enthalpy_of_vaporisation_kJ_mol": enthalpy_of_vaporisation_reference,
        "dielectric_constant": dielectric_constant_reference,
        **{quantity: partial(response_reference, quantity) for quantity in _RESPONSES},
    }
    rows = []
    for (system, model, temperature, pressure, variant), runs in liquids.groupby(_STATE):
        smiles = list(compositions[system])
        if len(smiles) != 1:
            continue
        for quantity, reference_of in look_up.items():
            if quantity == "density_g_cm3" and (runs["ensemble"] != "NPT").any():
                continue  # a given density is not a result
            estimate = _of_runs(runs, quantity)
            experiment = reference_of(smiles[0], temperature, pressure)
            key = composition_key(compositions[system])
            references = find("dynamics", key, quantity, temperature_K=temperature, model=model)
            if experiment is not None:
                references = [experiment, *(r for r in references if r != experiment)]
            if estimate is not None:
                state = (system, model, temperature, pressure)
                rows += [_row("dynamics", *state, estimate, r, variant) for r in references]
    return rows


def _transport_rows(transport: Any, compositions: Mapping[str, Mapping[str, int]]) -> list[dict[str, Any]]:
    """Diffusion of each species, corrected for the box or not as the reference is; viscosity; ionic conductivity."""
    from moxie.reference.liquids import viscosity_reference

    rows = []
    for line in transport.to_dict("records"):
        system, model, temperature, pressure, variant = (line[name] for name in _STATE)
        composition, state = compositions[system], (system, model, temperature, pressure)
        for column in ("diffusion_m2_s", "diffusion_corrected_m2_s"):
            quantity = f"{column} ({canonical_smiles(line['smiles'])})"
            references = find(
                "dynamics", composition_key(composition), quantity, temperature_K=temperature, model=model
            )  # fmt: skip
            rows += [(*state, _estimate(line, column), r, variant) for r in references]
        reference = viscosity_reference(line["smiles"], temperature, pressure) if len(composition) == 1 else None
        if reference is not None:
            rows.append((*state, _estimate(line, "viscosity_mPa_s"), reference, variant))
    for line in transport.drop_duplicates(_STATE).to_dict("records"):
        system, model, temperature, pressure, variant = (line[name] for name in _STATE)
        for column in ("conductivity_S_m", "nernst_einstein_conductivity_S_m"):
            known_for = composition_key(compositions[system])
            references = find("dynamics", known_for, column, temperature_K=temperature, model=model)
            state = (system, model, temperature, pressure)
            rows += [(*state, _estimate(line, column), r, variant) for r in references]
    return [_row("dynamics", *row) for row in rows if math.isfinite(row[4].value)]


def _estimate(line: Mapping[str, Any], column: str) -> Estimate:
    return Estimate(line[column], line[f"{column}_standard_error"], line[f"{column}_n_independent"])


def _oxide_rows(oxide_runs: Any) -> list[dict[str, Any]]:
    rows = []
    final = oxide_runs[oxide_runs["is_final"]]
    for (orientation, temperature, model), runs in final.groupby(["orientation", "temperature_K", "parameter_set"]):
        system = oxide_system(orientation)
        for quantity, column in OXIDE_QUANTITIES.items():
            estimate = over_approaches(runs, column)
            known_for = system if quantity in OF_ONE_FACE else OXIDE_SYSTEM
            references = find("oxidation", known_for, quantity, temperature_K=temperature, model=model)
            tested = "model"
            if quantity == "oxide_thickness_nm":
                references, tested = [_thickness_target(runs)], "bookkeeping"
            if estimate is not None:
                state = (system, model, temperature, math.nan)
                rows += [_row("oxidation", *state, estimate, r, tested=tested) for r in references]
    return rows


def _bulk_rows(oxide_bulk: Any) -> list[dict[str, Any]]:
    """The random starts of bulk SiOx against the exact mean of infinite temperature, by composition."""
    rows = []
    for (x, model), runs in oxide_bulk.groupby(["x", "parameter_set"]):
        exact = float(runs["random_bond_suboxide_energy_eV_per_si"].iloc[0])
        estimate = over_replicas(runs["start_suboxide_energy_eV_per_si"])
        if exact > 0 and estimate is not None:
            reference = ReferenceValue(
                "oxidation",
                f"SiO{x:g}",
                "random_bond_suboxide_energy_eV_per_si",
                "eV",
                exact,
                "analytic",
                VERIFIED,
                "mean of the suboxide penalty over all ways to place the O on the bonds (hypergeometric)",
                error=0.0,
            )
            row = _row("oxidation", reference.system, model, math.nan, math.nan, estimate, reference, tested="code")
            rows.append(row)
    return rows


def _thickness_target(runs: Any) -> ReferenceValue:
    scale = float(runs["thickness_scale"].iloc[0])
    return ReferenceValue(
        "oxidation",
        OXIDE_SYSTEM,
        "oxide_thickness_nm",
        "nm",
        float(runs["target_thickness_nm"].mean()),
        "analytic",
        VERIFIED,
        f"growth kinetics of the recipe x {scale:g}; the growth aims at it, so this tests the bookkeeping",
        error=0.0,
    )


def _growth_rows(growth_nm: Callable[..., float]) -> list[dict[str, Any]]:
    rows = []
    for reference in load_values():
        if reference.system in GROWTH_RECIPES and reference.temperature_K is not None:
            recipe = GROWTH_RECIPES[reference.system]
            value = growth_nm(reference.temperature_K, kinetics=_GROWTH_MODEL, **recipe)
            estimate = Estimate(value, 0.0, math.nan)
            state = (reference.system, _GROWTH_MODEL, reference.temperature_K, math.nan)
            rows.append(_row("oxidation", *state, estimate, reference, tested="code"))  # the same formula elsewhere
    return rows


def _molecule_rows(molecules: Any) -> list[dict[str, Any]]:
    """Dipole moments: each named molecule by itself, a list of molecules by its mean ratio to experiment.

    Where there is a density functional, its dipole moments follow in rows of their own.
    """
    rows = []
    good = molecules[molecules["status"] == "ok"]
    functional = good[good["density_functional"] != ""]
    functional = functional.assign(method=functional["density_functional"], dipole_D=functional["dft_dipole_D"])
    for part in (good, functional):
        for molecule in part[part["list"] == "named"].itertuples():
            estimate = Estimate(molecule.dipole_D, 0.0, math.nan)
            for reference in dipole_references(molecule.smiles):
                rows.append(
                    _row("molecules", molecule.molecule, molecule.method, math.nan, math.nan, estimate, reference)
                )  # fmt: skip
        for (name, method), group in part[part["list"] != "named"].groupby(["list", "method"]):
            ratio = over_replicas(_dipole_ratios(group))
            if ratio is not None:
                rows.append(_row("molecules", name, method, math.nan, math.nan, ratio, _EQUAL_DIPOLES))
    return rows


def _dipole_ratios(molecules: Any) -> list[float]:
    """Return computed by experimental dipole moment of all molecules of which compilations agree on the latter."""
    ratios = []
    for molecule in molecules.itertuples():
        for reference in dipole_references(molecule.smiles):
            if reference.checked == VERIFIED and reference.value >= _SMALLEST_DIPOLE_D:
                ratios.append(molecule.dipole_D / reference.value)
    return ratios


def _of_runs(runs: Any, quantity: str) -> Estimate | None:
    together = pooled(runs, quantity) if quantity in POOLED else None
    if together is not None:
        replicas = together.n_independent
        return Estimate(together.value, together.standard_error, replicas, replicas - 1)
    return over_replicas(runs[quantity], runs[f"{quantity}_standard_error"], runs[f"{quantity}_n_independent"])


def _row(
    stage: str,
    system: str,
    model: str,
    temperature_K: float,
    pressure_bar: float,
    estimate: Estimate,
    reference: ReferenceValue,
    force_field_sha256: str = "",
    tested: str = "model",
) -> dict[str, Any]:
    goal = ACCURACY_GOAL_PERCENT.get(reference.quantity)
    deviation = estimate.value - reference.value
    # An unchecked reference gets no z-score either: it would read like a verdict.
    z = z_score(estimate, reference.value, reference.error) if reference.checked != UNCHECKED else math.nan
    return {
        "stage": stage,
        "system": system,
        "model": model,
        "force_field_sha256": force_field_sha256,
        "temperature_K": temperature_K,
        "pressure_bar": pressure_bar,
        "quantity": reference.quantity,
        "unit": reference.unit,
        "value": estimate.value,
        "standard_error": estimate.standard_error,
        "n_independent": estimate.n_independent,
        "degrees_of_freedom": estimate.freedom if math.isfinite(estimate.freedom) else math.nan,
        "reference_value": reference.value,
        "reference_error": math.nan if reference.error is None else reference.error,
        "reference_kind": reference.kind,
        "tested": tested,
        "source": reference.source,
        "checked": reference.checked,
        "deviation_percent": 100 * deviation / abs(reference.value) if reference.value else math.nan,
        "z_score": z,
        "verdict": verdict(estimate, reference.value, reference.error, reference.checked, goal),
    }
