"""What `compare` finds: two seeds are alike as often as they should be, and of twenty planted changes it finds all."""

import numpy as np
import pandas as pd
import pyarrow.parquet as parquet
import pytest
from made_liquids import liquids

from moxie.features.schemas import LIQUIDS
from moxie.features.tables import write_table
from moxie.features.two_studies import ALL_STATES, compare_studies

REPLICAS = 4
# spread of one run's value over seeds, relative to the value: a hundred picoseconds of 216 molecules
SPREADS = {
    "density_g_cm3": 0.0015, "potential_energy_kJ_mol": 0.003, "enthalpy_kJ_mol": 0.003,
    "enthalpy_of_vaporisation_kJ_mol": 0.002, "isothermal_compressibility_per_GPa": 0.08,
    "thermal_expansion_per_K": 0.1, "heat_capacity_J_mol_K": 0.05, "dielectric_constant": 0.08,
    "rdf_oo_peak_position_A": 0.002, "rdf_oo_peak_height": 0.01, "rdf_oo_first_minimum_A": 0.01,
    "coordination_oo": 0.01, "hydrogen_bonds_per_molecule": 0.005,
}  # fmt: skip


def means():
    """Three liquids at three temperatures; what the made table leaves empty gets a value of the usual size."""
    usual = {
        "enthalpy_kJ_mol": -20.0, "isothermal_compressibility_per_GPa": 1.2, "thermal_expansion_per_K": 1.2e-3,
        "heat_capacity_J_mol_K": 90.0, "dielectric_constant": 20.0, "rdf_oo_peak_position_A": 2.75,
        "rdf_oo_peak_height": 3.0, "rdf_oo_first_minimum_A": 3.5, "coordination_oo": 1.95,
        "hydrogen_bonds_per_molecule": 1.9,
    }  # fmt: skip
    table = liquids()
    return table.assign(**{name: table[name].fillna(value) for name, value in usual.items()})


MEANS = means()


def study(folder, seed, plan=lambda table: table, afterwards=lambda table: table):
    """Write a study whose means `plan` changes, and whose table it changes `afterwards`."""
    rng = np.random.default_rng(seed)
    table = plan(MEANS.copy())
    table = pd.concat([table.assign(replica=replica) for replica in range(REPLICAS)], ignore_index=True)
    for name, spread in SPREADS.items():
        noise = spread * np.abs(MEANS[name]).mean() * rng.normal(size=len(table))
        table[name] += noise
        table[f"{name}_standard_error"] = spread * np.abs(MEANS[name]).mean()
    write_table(afterwards(table), folder / "results" / "features" / "liquids.parquet", LIQUIDS)
    return folder


def scaled(**factors):
    return lambda table: table.assign(**{name: factor * table[name] for name, factor in factors.items()})


def shifted(**shifts):
    return lambda table: table.assign(**{name: table[name] + shift for name, shift in shifts.items()})


def swapped_temperatures(table):
    first, last = (table["temperature_K"] == kelvin for kelvin in (278.15, 318.15))
    names = list(SPREADS)
    exchanged = table.copy()
    exchanged.loc[first, names], exchanged.loc[last, names] = (
        table.loc[last, names].values,
        table.loc[first, names].values,
    )
    return exchanged


def one_seed(table):
    again = table[(table["replica"] == 0) & (table["temperature_K"] == 298.15)].assign(replica=2)
    return pd.concat([table[(table["replica"] != 2) | (table["temperature_K"] != 298.15)], again])


def only_methanol(change):
    def plan(table):
        is_methanol = table["system"] == "methanol"
        return pd.concat([change(table[is_methanol]), table[~is_methanol]])

    return plan


# what went wrong: what it does to the means, to the table, and the quantity that must tell
CHANGED = {
    "cut-off of 0.9 instead of 1.0 nm, without the tail": (scaled(density_g_cm3=0.995), None, "density_g_cm3"),
    "well depth 1 % too deep": (scaled(potential_energy_kJ_mol=1.01), None, "potential_energy_kJ_mol"),
    "charge of the hydroxyl 1 % too large": (
        scaled(enthalpy_of_vaporisation_kJ_mol=1.015), None, "enthalpy_of_vaporisation_kJ_mol",
    ),
    "bond 1 % too long": (scaled(rdf_oo_peak_position_A=1.005), None, "rdf_oo_peak_position_A"),
    "thermostat 3 K too warm": (shifted(enthalpy_kJ_mol=0.27), None, "enthalpy_kJ_mol"),
    "400 bar instead of 1": (scaled(density_g_cm3=1.03), None, "density_g_cm3"),
    "-pV/N forgotten at 100 bar": (
        shifted(enthalpy_of_vaporisation_kJ_mol=0.4), None, "enthalpy_of_vaporisation_kJ_mol",
    ),
    "mean dipole subtracted in a short run": (scaled(dielectric_constant=0.6), None, "dielectric_constant"),
    "heat capacity without the kinetic part": (shifted(heat_capacity_J_mol_K=-25.0), None, "heat_capacity_J_mol_K"),
    "pairs within a molecule counted": (shifted(coordination_oo=1.0), None, "coordination_oo"),
    "hydrogen bonds up to 35 instead of 30 degrees": (
        scaled(hydrogen_bonds_per_molecule=1.03), None, "hydrogen_bonds_per_molecule",
    ),
    "kilocalories": (scaled(enthalpy_of_vaporisation_kJ_mol=1 / 4.184), None, "enthalpy_of_vaporisation_kJ_mol"),
    "first and last temperature exchanged": (swapped_temperatures, None, "density_g_cm3"),
    "one liquid only, with a wrong well": (only_methanol(scaled(density_g_cm3=0.98)), None, "density_g_cm3"),
    "one seed for two replicas": (None, one_seed, "seed"),
    "another time step": (None, lambda t: t.assign(timestep_fs=4.0), "timestep_fs"),
    "another file of the force field": (None, lambda t: t.assign(force_field_sha256=64 * "b"), "force_field_sha256"),
    "a smaller box": (None, lambda t: t.assign(n_molecules=125, n_sites=375), "n_molecules"),
    "a state missing": (None, lambda t: t[t["temperature_K"] != 318.15], "density_g_cm3"),
    "an observable lost": (None, lambda t: t.assign(coordination_oo=np.nan), "coordination_oo"),
}  # fmt: skip


@pytest.fixture(scope="module")
def reference(tmp_path_factory):
    return study(tmp_path_factory.mktemp("a"), 1)


def test_of_two_seeds_one_number_in_a_hundred_lies_beyond_2_6(tmp_path, reference):
    found = pd.concat([compare_studies(reference, study(tmp_path / str(seed), seed)) for seed in (2, 3, 4)])
    judged = found[found["quantity"].isin(SPREADS) & (found["row"] != ALL_STATES)]
    n = len(judged)
    assert n == 3 * 9 * len(SPREADS)
    for limit, nominal in ((2.576, 0.01), (1.96, 0.05)):
        share = (judged["z_score"].abs() > limit).mean()
        assert share <= nominal + 3 * np.sqrt(nominal * (1 - nominal) / n)
    assert found["surely"].sum() == 0
    assert 0.7 < found.loc[found["row"] == ALL_STATES, "z_score"].std() < 1.4  # of 39, one study in all


@pytest.mark.parametrize("name", CHANGED)
def test_each_of_twenty_planted_changes_is_found(tmp_path, reference, name):
    plan, afterwards, quantity = CHANGED[name]
    changes = {key: change for key, change in (("plan", plan), ("afterwards", afterwards)) if change}
    found = compare_studies(reference, study(tmp_path, 2, **changes))
    assert quantity in set(found.loc[found["surely"], "quantity"])


def test_another_unit_in_a_file_of_another_version_is_found(tmp_path, reference):
    path = study(tmp_path, 2) / "results" / "features" / "liquids.parquet"
    table = parquet.read_table(path)
    number = table.schema.get_field_index("density_g_cm3")
    field = table.schema.field(number).with_metadata({"unit": "kg/m3"})
    parquet.write_table(table.cast(table.schema.set(number, field)), path)
    found = compare_studies(reference, tmp_path)
    assert set(found.loc[found["surely"], "quantity"]) == {"density_g_cm3"}
    assert set(found.loc[found["surely"], "verdict"]) == {"other unit"}
