"""Schemas: every column is described, and the names say the unit."""

import re

import pytest

from moxie.errors import InputError
from moxie.features.schemas import TABLES, VARIES, get_table, pandera_schema

SUFFIXES = {
    "_K": "K",
    "_bar": "bar",
    "_g_cm3": "g/cm3",
    "_kJ_mol": "kJ/mol",
    "_J_mol_K": "J/mol/K",
    "_per_K": "1/K",
    "_per_GPa": "1/GPa",
    "_per_cm2": "1/cm2",
    "_per_A2": "1/angstrom2",
    "_per_A3": "1/angstrom3",
    "_A2": "angstrom2",
    "_eV": "eV",
    "_eV_A": "eV/angstrom",
    "_m2_s": "m2/s",
    "_mol2_J_m_s": "mol2/(J m s)",
    "_mPa_s": "mPa s",
    "_nm": "nm",
    "_ps": "ps",
    "_fs": "fs",
    "_s": "s",
    "_per_A": "1/angstrom",
    "_A": "angstrom",
    "_deg": "degree",
    "_per_deg": "1/degree",
    "_GPa": "GPa",
    "_D": "debye",
    "_percent": "percent",
}
COLUMNS = [(table.name, column) for table in TABLES.values() for column in table.columns]


@pytest.mark.parametrize(("table", "column"), COLUMNS, ids=lambda value: getattr(value, "name", value))
def test_column_is_described_and_its_name_agrees_with_its_unit(table, column):
    assert column.description and column.dtype in {"float", "int", "bool", "str", "list<float>", "list<str>"}
    if column.dtype in ("float", "int"):
        assert column.unit
    name = re.sub(r"_(standard_error|n_independent)$", "", column.name)
    ending = max((suffix for suffix in SUFFIXES if name.endswith(suffix)), key=len, default=None)
    if ending and not column.name.endswith("_n_independent") and column.unit != VARIES and column.dtype == "float":
        assert column.unit == SUFFIXES[ending]


def test_every_observable_of_a_simulation_says_how_its_error_is_found():
    methods = {
        "density_g_cm3": "slowest cosines", "dielectric_constant": "20 independent dipole",
        "viscosity_mPa_s": "cosines",
        "rdf_oo_peak_position_A": "found anew", "diffusion_m2_s": "random walks", "ionicity": "propagated",
        "thermal_expansion_from_grid_per_K": "neighbouring", "thermal_expansion_per_K": "below 8 independent",
    }  # fmt: skip
    found = {}
    for name in ("liquids", "electrolytes", "transport", "settings_study", "dihedral_curves"):
        table = TABLES[name]
        for column in table.columns:
            if f"{column.name}_n_independent" in table.column_names:
                found[column.name] = table.column(f"{column.name}_standard_error").description
    assert all(re.match(f"standard error of {name}: .{{20}}", text) for name, text in found.items())
    assert all(words in found[name] for name, words in methods.items())


@pytest.mark.parametrize("table", TABLES.values(), ids=lambda table: table.name)
def test_keys_are_columns_without_gaps_and_names_are_unique(table):
    assert len(set(table.column_names)) == len(table.columns)
    assert set(table.key) <= set(table.column_names)
    schema = pandera_schema(table)
    assert schema.strict and schema.unique == list(table.key)


def test_unknown_table_is_refused_with_the_names_there_are():
    with pytest.raises(InputError, match="no table 'oxides'.*oxide_runs"):
        get_table("oxides")


def test_every_table_of_a_module_can_be_had_from_the_package():
    from moxie.features import schemas

    passed_on = {table.name for table in vars(schemas).values() if isinstance(table, schemas.Table)}
    assert passed_on == set(TABLES)
