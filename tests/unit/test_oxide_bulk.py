"""Bulk SiOx: the random-bond limit is exact, annealing segregates, and the table says so."""

import numpy as np
import pandas as pd
import pytest

from moxie.errors import InputError
from moxie.features.bulk import bulk_observables, random_bond_populations
from moxie.features.schemas import OXIDE_BULK
from moxie.features.tables import check_frame
from moxie.features.validation import make_validation_table
from moxie.oxidation.networks.bulk import BulkSettings, anneal_bulk, bulk_schedule
from moxie.oxidation.networks.generators import random_bond_oxide
from moxie.oxidation.parameter_sets import load_parameters

PARAMETERS = load_parameters("von_alfthan_2003")
SETTINGS = BulkSettings(cells=2, attempts_per_atom=20.0)


@pytest.fixture(scope="module")
def networks():
    return {x: anneal_bulk(x, 0.25, PARAMETERS, SETTINGS, seed) for seed, x in enumerate((0.0, 1.0, 2.0))}


@pytest.fixture(scope="module")
def rows(networks):
    return pd.DataFrame([bulk_observables(network, 0) for network in networks.values()]).set_index("x", drop=False)


def test_random_bond_curve_is_the_published_one():
    known = {0.25: 0.196, 0.5: 0.317, 0.75: 0.372, 0.85: 0.377, 1.0: 0.369, 1.2: 0.331, 1.5: 0.231, 1.75: 0.120}
    energies = random_bond_populations(np.array(list(known))) @ np.array(PARAMETERS.suboxide_eV)
    np.testing.assert_allclose(energies, list(known.values()), atol=6e-4)


def test_a_finite_network_has_its_own_exact_mean():
    found = []
    for seed in range(200):
        network = random_bond_oxide(64, 0.75, PARAMETERS, seed)
        found.append(np.bincount(network.oxidation_states()[network.species == "Si"], minlength=5) / 64)
    mean, error = np.mean(found, axis=0), np.std(found, axis=0) / np.sqrt(len(found))
    assert (abs(mean - random_bond_populations(0.75, 64)) < 4 * error + 1e-12).all()
    np.testing.assert_allclose(random_bond_populations(0.75, 10**6), random_bond_populations(0.75), atol=1e-5)


def test_the_anneal_ends_at_its_temperature():
    for kT in (0.1, 0.5, 1.0):
        steps = bulk_schedule(kT, SETTINGS).steps
        assert steps[-1][0] == kT and steps[1][0] == max(0.5, kT)
        assert sum(per_atom for _, per_atom in steps[1:]) == pytest.approx(SETTINGS.attempts_per_atom)


def test_the_ends_have_no_suboxide_and_the_middle_has_a_dome(rows):
    ends = rows.loc[[0.0, 2.0]]
    assert (ends["suboxide_energy_eV_per_si"] == 0).all() and (ends["random_bond_suboxide_energy_eV_per_si"] == 0).all()
    middle = rows.loc[1.0]
    assert 0 < middle["suboxide_energy_eV_per_si"] < middle["start_suboxide_energy_eV_per_si"]
    assert middle["energy_eV_per_si"] > ends["energy_eV_per_si"].mean() + 0.05
    assert rows.loc[0.0, "largest_cluster_share"] == 1 and rows.loc[0.0, "percolating_directions"] == 3
    assert np.isnan(rows.loc[2.0, "largest_cluster_share"]) and rows.loc[2.0, "n_silicon_clusters"] == 0


def test_the_row_fits_its_table_and_keeps_the_book(rows):
    check_frame(rows.reset_index(drop=True), OXIDE_BULK, "rows")
    parts = rows["strain_energy_eV_per_si"] + rows["suboxide_energy_eV_per_si"]
    np.testing.assert_allclose(rows["energy_eV_per_si"], parts)
    penalty = rows[[f"si{n}_fraction" for n in range(5)]].to_numpy() @ np.array(PARAMETERS.suboxide_eV)
    np.testing.assert_allclose(rows["suboxide_energy_eV_per_si"], penalty, atol=1e-12)


def test_the_random_start_is_compared_with_the_exact_mean(rows):
    bulk = pd.concat([rows.assign(replica=k) for k in range(3)], ignore_index=True)
    bulk.loc[bulk["replica"] == 1, "start_suboxide_energy_eV_per_si"] += 0.02
    table = make_validation_table(oxide_bulk=bulk)
    assert list(table["system"]) == ["SiO1"]
    row = table.iloc[0]
    assert row["reference_value"] == pytest.approx(rows.loc[1.0, "random_bond_suboxide_energy_eV_per_si"])
    assert row["n_independent"] == 3 and row["verdict"] in ("agrees", "deviates")


def test_a_network_without_its_facts_is_refused(networks):
    from dataclasses import replace

    bare = replace(networks[1.0], info={"x": 1.0})
    with pytest.raises(InputError, match="lacks the facts kT_eV"):
        bulk_observables(bare, 0)
