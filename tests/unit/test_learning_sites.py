"""The task site_map: known kinds of site are found, scores have their limits, clear refusals."""

import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from made_tables import mapped_sites, oxide_runs, site_environments

from moxie.config.learning import Learning
from moxie.config.oxidation import Oxidation
from moxie.errors import InputError
from moxie.features.schemas import SITE_MAP, get_table
from moxie.features.tables import read_table, write_table
from moxie.learning.registry import OUTPUTS, LearningSettings
from moxie.learning.tasks.site_map import task as site_map
from moxie.learning.tasks.site_map.environments import COSINES, DISTANCES, describe_sites
from moxie.oxidation.parameter_sets import FOLDER, load_parameters
from moxie.structures.silicon import beta_cristobalite, diamond
from moxie.study.learning import LearningStage

PARAMETERS = "von_alfthan_2003"
SETTINGS = LearningSettings(parameter_set=PARAMETERS, suboxide_eV=load_parameters(PARAMETERS).suboxide_eV)
RUNS = oxide_runs().assign(parameter_set=PARAMETERS)


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    folder = tmp_path_factory.mktemp("site_map")
    odd = site_environments()
    odd.loc[7, list(DISTANCES)] += 0.8  # one site unlike all others
    inputs = {}
    for name, table in (("site_environments", odd), ("oxide_sites", mapped_sites()), ("oxide_runs", RUNS)):
        write_table(table, folder / f"{name}.parquet", get_table(name))
        inputs[name] = folder / f"{name}.parquet"
    return folder, site_map.run(inputs, folder / "out", SETTINGS, 7)


def test_ideal_networks_have_the_environments_of_their_crystals():
    silicon = describe_sites(diamond((2, 2, 2)))
    np.testing.assert_allclose(silicon[list(DISTANCES[:4])], 2.35, atol=1e-3)
    np.testing.assert_allclose(silicon[list(DISTANCES[4:])], 2.35 * np.sqrt(8 / 3), atol=2e-3)
    np.testing.assert_allclose(silicon[list(COSINES)], -1 / 3, atol=1e-6)
    silica = describe_sites(beta_cristobalite((2, 2, 2)))
    assert (silica["distance_4_A"] < 1.7).all() and (silica["distance_5_A"] > 3.0).all()


def test_known_kinds_of_site_are_found_and_noise_is_not(finished):
    _, metrics = finished
    found = metrics["agreement"]
    assert found["oxidation state"]["clusters"]["ari"]["value"] > 0.95
    assert abs(found["strain"]["clusters"]["ari"]["value"]) < 0.03
    for part in found.values():
        assert abs(part["permuted"]["ari"]["value"]) < 0.02
    assert found["oxidation state"]["depth layers"]["ari"]["value"] < 0.1


def test_the_odd_site_heads_the_list_of_outliers(finished):
    _, metrics = finished
    assert metrics["outliers"][0]["temperature_K"] == 973.0 and metrics["outliers"][0]["site"] == 7


def test_number_of_clusters_is_the_largest_stable_one():
    assert site_map.choose_count({2: 1.0, 3: 0.95, 4: 0.5}) == 3
    assert site_map.choose_count({2: 0.3, 3: 0.8, 4: 0.5}) == 3


def test_oxidation_states_and_energies_cannot_change_the_map():
    changed = mapped_sites().assign(oxidation_state=0, energy_eV=1.0)
    maps = []
    for sites in (mapped_sites(), changed):
        data = site_map.prepare(site_environments(), sites, RUNS, SETTINGS)
        maps.append(site_map.place(site_map.fit(data.features, 3, 1), data.features)["cluster"])
    np.testing.assert_array_equal(*maps)


def test_command_puts_sites_on_the_same_map_in_a_fresh_process(finished, tmp_path):
    folder, _ = finished
    assert sorted(path.name for path in (folder / "out").iterdir()) == sorted(OUTPUTS)
    command = ["--model", folder / "out/model.skops", "--table", folder / "site_environments.parquet"]
    program = [sys.executable, "-m", "moxie", "predict", *command, "--out", tmp_path / "p.csv"]
    subprocess.run([str(part) for part in program], check=True, capture_output=True)
    again = pd.read_csv(tmp_path / "p.csv")
    expected = read_table(folder / "out/predictions.parquet", SITE_MAP)
    assert (again["cluster"].to_numpy() == expected["cluster"].to_numpy()).all()
    np.testing.assert_allclose(again["component_1"], expected["component_1"], rtol=1e-6)


def test_films_of_another_parameter_set_are_refused():
    other = LearningSettings(parameter_set="mine", suboxide_eV=SETTINGS.suboxide_eV)
    with pytest.raises(InputError, match="films of oxide_runs were made with von_alfthan_2003, not with mine"):
        site_map.prepare(site_environments(), mapped_sites(), RUNS, other)


def test_strain_is_the_energy_without_the_penalty_that_the_study_gives(tmp_path):
    own = tmp_path / "mine.yaml"
    own.write_text((FOLDER / f"{PARAMETERS}.yaml").read_text().replace(f"name: {PARAMETERS}", "name: mine"))
    stage = LearningStage(Learning(), Oxidation(parameter_set=str(own)), (), 1)
    assert stage.settings("site_map") == {
        "confidence": 0.9,
        "parameter_set": "mine",
        "suboxide_eV": list(SETTINGS.suboxide_eV),
    }
    frame = site_map.prepare(site_environments(), mapped_sites(), RUNS, SETTINGS).frame
    penalty = np.array(SETTINGS.suboxide_eV)[frame["oxidation_state"]]
    np.testing.assert_allclose(frame["strain_energy_eV"], frame["energy_eV"] - penalty)


@pytest.mark.parametrize(
    ("environments", "sites", "message"),
    [
        (site_environments().drop(columns="cosine_3"), mapped_sites(), "lacks cosine_3, which the task site_map"),
        (
            pd.concat([site_environments()] * 2),
            mapped_sites(),
            "more than one row for orientation=100, temp",
        ),
        (site_environments().assign(distance_2_A=np.inf), mapped_sites(), "distance_2_A is empty or infinite in 270"),
        (site_environments(), mapped_sites().iloc[:-1], "oxidation_state is empty or infinite in 1 of 270 rows"),
        (site_environments((973.0,)), mapped_sites(), "with 1 films.*at least 3"),
    ],
)
def test_unusable_data_is_refused_with_its_reason(environments, sites, message):
    with pytest.raises(InputError, match=message):
        site_map.prepare(environments, sites, RUNS, SETTINGS)
