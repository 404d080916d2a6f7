"""Reference values: each has unit, source and a mark; they are found by what they belong to."""

from pathlib import Path

import pytest
from made_liquids import COMPOSITIONS

from moxie.errors import InputError
from moxie.features.schemas import OXIDE_RUNS, TABLES
from moxie.features.validation import OXIDE_QUANTITIES
from moxie.reference.equations_of_state import (
    experimental_enthalpy_of_vaporisation_kJ_mol,
    fluid_of,
    plainly_liquid,
)
from moxie.reference.liquids import density_reference, has_density_reference
from moxie.reference.registry import OXIDE_SYSTEM, UNCHECKED, ReferenceValue, find, load_values, system_key


@pytest.mark.parametrize("value", load_values(), ids=lambda value: f"{value.system}-{value.quantity}")
def test_unit_of_a_reference_is_that_of_the_computed_column(value):
    column_name = OXIDE_QUANTITIES.get(value.quantity, value.quantity).split(" (")[0]  # without the species
    units = {c.unit for table in TABLES.values() for c in table.columns if c.name == column_name}
    assert units == {value.unit}
    assert value.error is None or value.error >= 0


def test_values_are_found_by_system_whatever_the_order_of_its_composition():
    key = system_key(COMPOSITIONS["litfsi_10m"])
    reversed_key = system_key(dict(reversed(COMPOSITIONS["litfsi_10m"].items())))
    doubled = system_key({smiles: 2 * count for smiles, count in COMPOSITIONS["litfsi_10m"].items()})
    assert key == reversed_key == doubled
    found = find("dynamics", key, "cation_water_coordination", temperature_K=298.15, model="und")
    assert [value.value for value in found] == [3.46]


def test_a_published_simulation_is_no_reference_for_another_model_or_temperature():
    key = system_key(COMPOSITIONS["litfsi_10m"])
    assert not find("dynamics", key, "cation_water_coordination", temperature_K=298.15, model="other")
    assert not find("dynamics", key, "cation_water_coordination", temperature_K=373.15, model="und")


def test_photoemission_shares_sum_to_one():
    shares = [find("oxidation", OXIDE_SYSTEM, f"suboxide_fraction_{n}")[0].value for n in (1, 2, 3)]
    assert sum(shares) == pytest.approx(1.0)
    assert {f"suboxide_fraction_{n}" for n in (1, 2, 3)} <= set(OXIDE_RUNS.column_names)


def test_a_reference_without_source_or_with_an_unknown_mark_is_refused():
    with pytest.raises(InputError, match="needs a unit and a source"):
        ReferenceValue("dynamics", "CO", "x", "1", 1.0, "experiment", UNCHECKED, "")
    with pytest.raises(InputError, match="checked must be"):
        ReferenceValue("dynamics", "CO", "x", "1", 1.0, "experiment", "sure", "a book")
    with pytest.raises(InputError, match="kind 'guess'"):
        ReferenceValue("dynamics", "CO", "x", "1", 1.0, "guess", UNCHECKED, "a book")


def test_unreadable_smiles_is_refused():
    with pytest.raises(InputError, match="'C\\(' cannot be read"):
        system_key({"C(": 1})


@pytest.mark.parametrize(("smiles", "expected"), [("CO", 38.10), ("CCO", 42.48)])
def test_ideal_gas_enthalpy_of_vaporisation_at_298_K(smiles, expected):
    assert experimental_enthalpy_of_vaporisation_kJ_mol(smiles, 298.15, 1.0) == pytest.approx(expected, abs=0.01)


def test_no_enthalpy_where_there_is_no_liquid_or_no_equation_of_state():
    assert experimental_enthalpy_of_vaporisation_kJ_mol("CO", 400.0, 1.0) is None
    assert experimental_enthalpy_of_vaporisation_kJ_mol("[Li+]", 298.15, 1.0) is None
    assert fluid_of("OC") == "Methanol"


def test_what_is_plainly_liquid_is_liquid_in_coolprop():
    import csv
    import json

    import CoolProp
    from CoolProp.CoolProp import AbstractState, FluidsList, get_fluid_param_string

    from moxie.reference import equations_of_state

    path = Path(equations_of_state.__file__).with_name("liquid_ranges.csv")
    rows = list(csv.DictReader(path.read_text().splitlines()))
    keys = {
        fluid: json.loads(get_fluid_param_string(fluid, "JSON"))[0]["INFO"].get("INCHI_KEY") for fluid in FluidsList()
    }
    assert {row["inchi_key"] for row in rows} == set(filter(None, keys.values()))
    n_ranges = 0
    for row in rows:
        assert keys[row["fluid"]] == row["inchi_key"]
        lowest, highest = float(row["lowest_K"]) + 10, float(row["boiling_K"]) - 2
        for temperature in (lowest, highest) if lowest < highest else ():
            n_ranges += 1
            for pressure_bar in (1.0, 100.0):
                state = AbstractState("HEOS", row["fluid"])
                state.update(CoolProp.PT_INPUTS, pressure_bar * 1e5, temperature)
                assert state.phase() in (CoolProp.iphase_liquid, CoolProp.iphase_supercritical_liquid), row
    assert n_ranges > 200


@pytest.mark.parametrize(
    ("smiles", "temperature_K", "pressure_bar", "plain"),
    [
        ("CO", 300.0, 1.0, True),
        ("CO", 400.0, 1.0, None),  # a gas
        ("CO", 400.0, 50.0, None),  # a liquid above its boiling point
        ("O", 274.0, 1.0, None),
        ("CC#N", 298.15, 1.0, False),  # acetonitrile: Perry's handbook
        ("CC#N", 298.15, 50.0, False),
        ("[Li+]", 298.15, 1.0, False),
    ],
)
def test_whether_a_density_is_known_needs_no_value(smiles, temperature_K, pressure_bar, plain):
    assert plainly_liquid(smiles, temperature_K, pressure_bar) is plain
    known = density_reference(smiles, temperature_K, pressure_bar) is not None
    assert has_density_reference(smiles, temperature_K, pressure_bar) == known


# chemicals 1.5.2 (Perry's handbook, CRC handbook) and CoolProp 8.0, at 298.15 K and 1 atm unless said otherwise.
@pytest.mark.parametrize(
    ("smiles", "number", "density_g_cm3"),
    [
        ("CS(C)=O", "67-68-5", 1.0962), ("O=CN", "75-12-7", 1.1291), ("CCOC(C)=O", "141-78-6", 0.8936),
        ("OCCO", "107-21-1", 1.1102), ("ClCCl", "75-09-2", 1.3183), ("CC(=O)CC", "78-93-3", 0.7995),
        ("CCCO", "71-23-8", 0.7995), ("CC=O", "75-07-0", 0.7744),
    ],
)  # fmt: skip
def test_compilations_are_found_however_a_smiles_is_written(smiles, number, density_g_cm3):
    from moxie.reference.substances import registry_number

    assert registry_number(smiles) == number
    assert density_reference(smiles, 298.15).value == pytest.approx(density_g_cm3, abs=1e-4)


def test_compounds_are_those_that_chemicals_finds():
    from chemicals import search_chemical

    from moxie.reference.identifiers import find_by_inchi_key, find_by_registry_number

    numbers = ["67-56-1", "7732-18-5", "7440-70-2", "7647-14-5", "50-78-2", "13403-37-7"]  # the last by another name
    for number in numbers:
        expected, found = search_chemical(number), find_by_registry_number(number)
        assert found == (expected.CASs, expected.smiles, expected.InChI_key, expected.common_name)
        assert find_by_inchi_key(found.inchi_key).registry_number == expected.CASs
    assert find_by_registry_number("1-11-1") is None is find_by_inchi_key("AAAAAAAAAAAAAA-UHFFFAOYSA-N")


def test_a_molecule_that_no_compilation_knows_has_no_number():
    from moxie.reference.substances import registry_number

    assert registry_number("CC(F)(Cl)CC(Br)(I)CC#N") is None


# Perry's handbook, 8th ed., table 2-313 (chemicals 1.5.2), and CoolProp 8.0
@pytest.mark.parametrize(
    ("smiles", "viscosity", "source", "checked"),
    [
        ("CC(C)=O", 0.3068, "Perry", "verified"), ("CCCO", 1.9501, "Perry", "verified"),
        ("C1CCOC1", 0.4559, "Perry", "verified"), ("C1CCCC1", 0.4148, "Perry", "verified"),
        ("CCCCC", 0.2231, "Perry", "literature, unchecked"),
        ("CCCCCC", 0.298, "CoolProp", "verified"), ("CO", 0.5437, "CoolProp", "verified"),
        ("O", 0.89, "CoolProp", "verified"),
    ],
)  # fmt: skip
def test_viscosities_are_fits_to_measurements(smiles, viscosity, source, checked):
    from moxie.reference.liquids import viscosity_reference

    found = viscosity_reference(smiles, 298.15)
    assert found.value == pytest.approx(viscosity, rel=2e-3)
    assert source in found.source and found.checked == checked


@pytest.mark.parametrize("fluid", ["Isopentane", "Cyclopentane", "R125", "EthylBenzene", "R32", "Propylene"])
def test_predicted_viscosities_are_told_from_fits_by_the_description(fluid):
    from moxie.reference.equations_of_state import _has_fitted_viscosity

    assert _has_fitted_viscosity(fluid) == (fluid == "R125")


# of single molecules: differences of the enthalpies of formation; methyl acetate and 1-propanol do not associate so
@pytest.mark.parametrize(
    ("smiles", "enthalpy", "source"),
    [
        ("CC(=O)O", 51.38, "formation"), ("CCC(=O)O", 55.0, "formation"), ("OC=O", 46.3, "formation"),
        ("OC(=O)C(F)(F)F", 38.5, "formation"), ("CCCO", 47.45, "CRC"), ("COC(C)=O", 32.29, "CRC"),
    ],
)  # fmt: skip
def test_enthalpies_of_vaporisation_of_acids_are_those_of_single_molecules(smiles, enthalpy, source):
    from moxie.reference.liquids import enthalpy_of_vaporisation_reference

    found = enthalpy_of_vaporisation_reference(smiles, 298.15)
    assert found.value == pytest.approx(enthalpy, abs=0.05) and source in found.source


def test_an_acid_without_enthalpies_of_formation_has_no_reference():
    from moxie.reference.liquids import enthalpy_of_vaporisation_reference

    assert enthalpy_of_vaporisation_reference("OC(=O)CCCCCCCCCCCCC=CC", 298.15) is None


@pytest.mark.parametrize(
    ("smiles", "temperature_K", "permittivity"),
    [("CCS", 298.15, 6.667), ("CC=O", 291.15, 21.0), ("CCOS(=O)(=O)OCC", 293.15, 29.2), ("CC=O", 298.15, None)],
)
def test_dielectric_constants_given_as_one_number_hold_at_their_temperature(smiles, temperature_K, permittivity):
    from moxie.reference.liquids import dielectric_constant_reference

    found = dielectric_constant_reference(smiles, temperature_K)
    assert (found and found.value) == permittivity
