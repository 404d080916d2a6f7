"""The task network_energy: extrapolation where trees fail, the same files again, clear refusals."""

import itertools
import json
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_tables import placements as made_placements

from moxie.errors import InputError
from moxie.features.schemas import NETWORK_ENERGY_PREDICTIONS, PLACEMENTS
from moxie.features.tables import read_table, write_table
from moxie.learning.grouped import permutation_importance
from moxie.learning.metrics import HeldOut, interval
from moxie.learning.registry import OUTPUTS, LearningSettings
from moxie.learning.tasks.network_energy import task as network_energy
from moxie.learning.tasks.network_energy.extrapolation import growth
from moxie.oxidation.parameter_sets import load_parameters
from moxie.oxidation.placement.sites import make_sites
from moxie.oxidation.placement.table import choose, describe
from moxie.predicting import predict_table

SETTINGS = LearningSettings(trained_up_to=3)


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    folder = tmp_path_factory.mktemp("network_energy")
    write_table(made_placements(), folder / "placements.parquet", PLACEMENTS)
    metrics = network_energy.run({"placements": folder / "placements.parquet"}, folder / "out", SETTINGS, 7)
    return folder, metrics


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
    assert growth["pairs"] > 5 * abs(growth["triplets"])


def test_shuffled_placements_are_counts_that_can_stand_together():
    """A number of O that does not fit its pairs is no placement; the error there says nothing about importance."""
    data = network_energy.prepare(made_placements(), 3)
    seen = []

    def predict(counts):
        seen.append(counts)
        return np.zeros(len(counts))

    rows = HeldOut(data.test_energy, data.test_energy, data.test_energy, np.arange(len(data.test_energy)))
    within = data.test["n_oxygen"].to_numpy()
    permutation_importance(predict, data.test_counts, network_energy.BLOCKS, rows, 0.9, 1, within=within)
    for counts in seen:
        for record in (dict(zip(network_energy.FEATURES, row, strict=True)) for row in counts[:20]):
            assert network_energy.complain(record, {}) == ""


def test_held_out_energies_cannot_change_their_own_prediction():
    table = made_placements()
    spoilt = table.assign(energy_eV=table["energy_eV"].where(table["n_oxygen"] <= 3, 50.0))
    means = []
    for each in (table, spoilt):
        data = network_energy.prepare(each, 3)
        models = network_energy.estimators(data.counts, data.energy, data.n_oxygen, 1)
        means.append(network_energy.evaluate(models, data, SETTINGS, 1)[0]["triplets"].mean)
    np.testing.assert_array_equal(*means)


def with_quadruplets(seed):
    """Training up to 4 O, test with 5 and 6: random energies of all clusters by symmetry, up to those of four O."""
    rng = np.random.default_rng(seed)
    sites = make_sites("si16", load_parameters("von_alfthan_2003"))
    orbits = [orbit for n, most in enumerate((1, 1, 6, 24, 140, 150, 150)) for orbit in choose(sites, n, most, seed)]
    frame = describe(sites, orbits)
    quadruplets = choose(sites, 4, None, 0)
    known = dict(zip(quadruplets, 0.05 * rng.standard_normal(len(quadruplets)), strict=True))
    far = [sum(known[sites.canonical(four)] for four in itertools.combinations(orbit, 4)) for orbit in orbits]
    counts = frame[list(network_energy.FEATURES)].to_numpy(float)
    near = counts @ rng.normal(0.0, 0.2, counts.shape[1])
    return frame.assign(energy_eV=near + far, edge_strain=0.0, parameter_set="made_up")


def test_intervals_hold_their_share_of_contents_never_seen():
    held, plain = [], []
    for seed in range(4):
        data = network_energy.prepare(with_quadruplets(seed), 4)
        every = network_energy.estimators(data.counts, data.energy, data.n_oxygen, seed)
        models = {name: every[name] for name in ("pairs", "triplets")}
        rows, half_widths = network_energy.evaluate(models, data, SETTINGS, seed)
        for name, held_out in rows.items():
            error = np.abs(held_out.mean - held_out.observed)
            _, high = interval(held_out.mean, held_out.deviation, SETTINGS.confidence)
            held.append(np.mean(error <= high - held_out.mean))
            plain.append(np.mean(error <= half_widths[name]))
    assert 0.85 < np.mean(held) < 0.99
    assert np.mean(plain) < 0.8  # what residuals without growth would have promised to be 0.9


@given(st.integers(2, 8), st.integers(0, 5))
def test_intervals_grow_with_the_content_and_never_shrink(highest, order):
    wider = growth(np.arange(highest + 6), highest, order)
    assert (np.diff(wider) >= 0.0).all() and wider[0] == 1.0 and wider[-1] > 1.0


def test_growth_counts_the_clusters_that_are_left_out():
    assert growth(np.array([5, 6, 7]), 5, 3) == pytest.approx([1.0, np.sqrt(15 / 5), np.sqrt(35 / 5)])
    assert growth(np.array([4]), 3, 3) == pytest.approx(1.0)  # one quadruplet now, one triplet in the last step


def test_command_reproduces_the_predictions_in_a_fresh_process_and_names_bad_rows(finished, tmp_path, caplog):
    folder, _ = finished
    held_out = read_table(folder / "out" / "predictions.parquet", NETWORK_ENERGY_PREDICTIONS)
    model = str(folder / "out" / "model.skops")
    table = held_out[["placement"]].merge(made_placements(), how="left")
    features = table[list(network_energy.FEATURES)]
    features.to_csv(tmp_path / "t.csv", index=False)
    command = ["predict", "--model", model, "--table", str(tmp_path / "t.csv"), "--out", str(tmp_path / "p.csv")]
    subprocess.run([sys.executable, "-m", "moxie", *command], check=True, capture_output=True)
    again = pd.read_csv(tmp_path / "p.csv")
    np.testing.assert_allclose(again["predicted"], held_out["predicted"], rtol=1e-6)
    assert again["applicability"].str.startswith("outside: more than the 3 O").all()
    features.assign(n_oxygen=[5, *features["n_oxygen"][1:]]).to_csv(tmp_path / "bad.csv", index=False)
    predict_table(model, tmp_path / "bad.csv", tmp_path / "q.csv")
    assert "row 1: 5 O make 10 pairs, but the counts add up to 6" in caplog.text


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
