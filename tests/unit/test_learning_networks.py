"""The task network_energy: exact symmetry, relaxed labels, extrapolation where trees fail, clear refusals."""

import json
import math
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from made_tables import placements as made_placements

from moxie.errors import InputError
from moxie.features.tables import read_table, write_table
from moxie.learning import placements
from moxie.learning.predicting import predict_table
from moxie.learning.registry import OUTPUTS, Settings
from moxie.learning.tasks import network_energy
from moxie.oxidation.parameter_sets import load_parameters

SETTINGS = Settings(bootstrap_samples=100, trained_up_to=3)
PARAMETERS = load_parameters("von_alfthan_2003")


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    folder = tmp_path_factory.mktemp("network_energy")
    write_table(made_placements(), folder / "placements.parquet", "placements")
    metrics = network_energy.run({"placements": folder / "placements.parquet"}, folder / "out", SETTINGS, 7)
    return folder, metrics


def test_symmetry_operations_are_a_group_of_permutations():
    images = placements.si16(5.43).images
    assert images.shape == (384, 32) and (np.sort(images, axis=1) == np.arange(32)).all()
    known = {tuple(image) for image in images}
    assert all(tuple(images[a][images[b]]) in known for a, b in np.random.default_rng(1).integers(384, size=(60, 2)))


@pytest.mark.parametrize("n", [1, 2, 3, 4, 5])
def test_distinct_placements_are_as_many_as_burnside_counts(n):
    """Burnside's lemma: the number of orbits is the mean number of sets that an operation leaves alone."""
    fixed = []
    for image in placements.si16(5.43).images:
        polynomial, seen = [1], set()
        for start in range(32):
            length, bond = 0, start
            while bond not in seen:
                seen.add(bond)
                bond, length = image[bond], length + 1
            if length:
                factor = [1] + [0] * (length - 1) + [1]
                polynomial = np.convolve(polynomial, factor).tolist()
        fixed.append(polynomial[n])
    assert len(placements.distinct(n)) == sum(fixed) / 384
    assert sum(map(placements.multiplicity, placements.distinct(n))) == math.comb(32, n)


def test_numbers_of_distinct_placements_are_the_published_ones():
    assert [len(placements.distinct(n)) for n in (4, 5, 6)] == [140, 604, 2596]


def test_equivalent_placements_have_equal_counts_and_equal_energy():
    image = placements.si16(5.43).images[101]
    mask = placements.distinct(4)[77]
    other = sum(1 << int(image[bond]) for bond in placements.bonds_of(mask))
    assert other != mask
    counts = placements.cluster_counts([placements.name_of(mask), placements.name_of(other)])
    np.testing.assert_array_equal(counts[0], counts[1])
    energies = [placements.relax(each, PARAMETERS, 1)[0] for each in (mask, other)]
    assert energies[0] == pytest.approx(energies[1], abs=2e-3)


def test_counts_of_clusters_add_up_to_binomial_coefficients():
    counts = placements.cluster_counts(placements.name_of(mask) for mask in placements.distinct(4)[::20])
    assert counts.shape[1] == len(placements.cluster_names()) == 31
    assert (counts[:, 0] == 4).all()
    assert (counts[:, 1:7].sum(axis=1) == 6).all() and (counts[:, 7:].sum(axis=1) == 4).all()


def test_crystal_has_no_energy_and_one_oxygen_costs_more_than_its_two_penalties():
    assert placements.relax(0, PARAMETERS, 1)[0] == pytest.approx(0.0, abs=1e-3)
    energy, strain = placements.relax(placements.distinct(1)[0], PARAMETERS, 1)
    assert 2 * PARAMETERS.suboxide_eV[1] < energy < 2 * PARAMETERS.suboxide_eV[1] + 1.5
    assert 0.0 < strain < 0.03  # an O pushes its two Si apart


def test_table_of_a_content_is_the_same_for_the_same_seed():
    first, second = (placements.relax_placements(5, "von_alfthan_2003", 4, 3) for _ in range(2))
    pd.testing.assert_frame_equal(first, second)
    assert first["placement"].is_unique and len(first) == 4


def test_every_output_is_there_and_the_pair_sum_is_learnt_beyond_its_contents(finished):
    folder, metrics = finished
    assert sorted(path.name for path in (folder / "out").iterdir()) == sorted(OUTPUTS)
    models = {name: scores["rmse"]["value"] for name, scores in metrics["models"].items()}
    assert models["pairs"] < 0.02 < 0.3 * models["composition"]
    assert models["trees"] > metrics["by_content"][0]["spread"]  # worse than a constant: trees cannot extrapolate
    assert models["trees"] > 10 * models["triplets"]


def test_copies_of_a_structure_on_both_sides_flatter_trees(finished):
    _, metrics = finished
    assert metrics["leakage"]["trees"]["random_rmse"] < 0.7 * metrics["leakage"]["trees"]["grouped_rmse"]


def test_importance_finds_the_pairs_that_make_the_energy(finished):
    _, metrics = finished
    growth = {entry["block"]: entry["increase"] for entry in metrics["importance"]}
    assert growth["pairs on one Si"] > 5 * abs(growth["triplets"])


def test_held_out_energies_cannot_change_their_own_prediction():
    table = made_placements()
    spoilt = table.assign(energy_eV=table["energy_eV"].where(table["n_oxygen"] <= 3, 50.0))
    means = []
    for each in (table, spoilt):
        data = network_energy.prepare(each, 3)
        models = network_energy.estimators(data.counts, data.energy, data.n_oxygen, 1)
        means.append(network_energy.evaluate(models, data, SETTINGS)[0]["triplets"].mean)
    np.testing.assert_array_equal(*means)


def test_command_reproduces_the_predictions_in_a_fresh_process_and_names_bad_rows(finished, tmp_path, caplog):
    folder, _ = finished
    held_out = read_table(folder / "out" / "predictions.parquet", "network_energy_predictions")
    model = str(folder / "out" / "model.skops")
    held_out[["placement"]].to_csv(tmp_path / "t.csv", index=False)
    command = ["predict", "--model", model, "--table", str(tmp_path / "t.csv"), "--out", str(tmp_path / "p.csv")]
    subprocess.run([sys.executable, "-m", "moxie.learning", *command], check=True, capture_output=True)
    again = pd.read_csv(tmp_path / "p.csv")
    np.testing.assert_allclose(again["predicted"], held_out["predicted"], rtol=1e-6)
    assert again["applicability"].str.startswith("outside: more than the 3 O").all()
    (tmp_path / "bad.csv").write_text("placement\n0000000f\nwater\n\n")
    predict_table(model, tmp_path / "bad.csv", tmp_path / "q.csv")
    assert "row 2: placement 'water' is not a mask of 32 bits" in caplog.text


def test_same_seed_gives_the_same_files(finished, tmp_path):
    folder, _ = finished
    network_energy.run({"placements": folder / "placements.parquet"}, tmp_path, SETTINGS, 7)
    for name in ("metrics.json", "predictions.parquet", "card.md"):
        assert (folder / "out" / name).read_bytes() == (tmp_path / name).read_bytes()


def test_card_names_data_split_and_limits(finished):
    folder, metrics = finished
    card = (folder / "out" / "card.md").read_text()
    for text in ("Intended use", "oxygen contents never seen", "baseline", "Limits", "Leakage", "mapie"):
        assert text in card
    assert json.loads((folder / "out" / "metrics.json").read_text())["n_rows"] == metrics["n_rows"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda f: f.drop(columns="energy_eV"), "placements lacks energy_eV, which the task network_energy needs"),
        (lambda f: pd.concat([f, f.iloc[:1]]), "more than one row for n_oxygen=0, placement=00000000"),
        (lambda f: f.assign(energy_eV=np.nan), "energy_eV is empty or infinite in 72 of 72 rows"),
        (lambda f: f.assign(energy_eV=[np.inf] + [1.0] * 71), "in 1 of 72 rows of placements, first at n_oxygen=0"),
        (lambda f: f[f["n_oxygen"].isin((3, 4))], "24 usable row.* with 1 oxygen contents.*at least 3"),
        (lambda f: f[f["n_oxygen"] <= 3], "no row with more than 3 O to test on"),
        (lambda f: f.assign(parameter_set=["a"] + ["b"] * 71), "mixes parameter sets: a, b"),
    ],
)
def test_unusable_data_is_refused_with_its_reason(change, message):
    with pytest.raises(InputError, match=message):
        network_energy.prepare(change(made_placements()), 3)
