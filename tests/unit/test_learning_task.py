"""The task oxide_surrogate: honest split, honest files, clear refusals."""

import json
import subprocess
import sys

import numpy as np
import pytest
from made_oxides import TEMPERATURES_K
from made_tables import oxide_runs

from moxie.errors import InputError
from moxie.features.schemas import OXIDE_RUNS, PREDICTIONS
from moxie.features.tables import read_table, read_units, write_table
from moxie.learning import registry
from moxie.learning.registry import OUTPUTS, LearningSettings
from moxie.learning.storage import load_model, save_model
from moxie.learning.tasks.oxide_surrogate import task as oxide_surrogate
from moxie.learning.tasks.oxide_surrogate.task import TARGETS, evaluate, prepare

TARGET = "strain_energy_eV_per_atom"
SETTINGS = LearningSettings(TARGET, 0.9)


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    folder = tmp_path_factory.mktemp("learning")
    write_table(oxide_runs(), folder / "oxide_runs.parquet", OXIDE_RUNS)
    task = registry.get("oxide_surrogate")
    metrics = task.run({"oxide_runs": folder / "oxide_runs.parquet"}, folder / "out", SETTINGS, 7)
    return folder / "out", metrics


def test_every_output_is_there_and_nothing_else(finished):
    folder, _ = finished
    assert sorted(path.name for path in folder.iterdir()) == sorted(OUTPUTS)
    assert json.loads((folder / "metrics.json").read_text())["target"] == TARGET


def test_gaussian_process_beats_the_mean_on_a_smooth_truth(finished):
    _, metrics = finished
    models = metrics["models"]
    assert models["gaussian_process"]["rmse"]["value"] < 0.3 * models["mean"]["rmse"]["value"]
    assert models["gaussian_process"]["coverage"]["value"] > 0.75


def test_shuffling_what_the_observable_depends_on_hurts(finished):
    _, metrics = finished
    growth = {entry["block"]: entry for entry in metrics["importance"]}
    assert set(growth) == {"temperature", "oxygen per area"}
    assert all(entry["low"] > 0.0 for entry in growth.values())  # the made-up observable depends on both


def test_noise_floor_is_the_spread_that_was_put_in(finished):
    _, metrics = finished
    assert metrics["noise"]["standard_deviation"] == pytest.approx(0.001, rel=0.35)
    assert metrics["noise"]["degrees_of_freedom"] == 24


def test_predictions_carry_the_unit_of_the_target_and_cover_every_row(finished):
    folder, _ = finished
    table = read_table(folder / "predictions.parquet", PREDICTIONS)
    units = read_units(folder / "predictions.parquet")
    assert len(table) == 48 and units["predicted"] == units["lower"] == "eV"
    assert (table["lower"] < table["predicted"]).all() and (table["predicted"] < table["upper"]).all()
    assert table.groupby("fold")["temperature_K"].nunique().eq(1).all()


def test_held_out_labels_cannot_change_their_own_prediction():
    runs = oxide_runs(temperatures_K=TEMPERATURES_K[:4], stages=3)
    spoilt = runs.copy()
    hidden = spoilt["temperature_K"] == 1073.0
    spoilt.loc[hidden, TARGET] += 10.0
    for name in ("gaussian_process", "linear_interpolation", "mean"):
        before = evaluate(prepare(runs, TARGET), 3)[0][name]
        after = evaluate(prepare(spoilt, TARGET), 3)[0][name]
        rows = before.groups == 1073.0
        np.testing.assert_array_equal(before.mean[rows], after.mean[rows])
        assert not np.allclose(before.mean[~rows], after.mean[~rows])


def test_model_file_reproduces_its_predictions_in_a_fresh_process(finished):
    from moxie.learning.storage import predict

    folder, _ = finished
    features = [[1023.0, 0.2], [1423.0, 0.4]]
    here = predict(load_model(folder / "model.skops"), features)
    code = (
        "import sys, json; from moxie.learning.storage import load_model, predict;"
        f"m, d = predict(load_model(sys.argv[1]), {features});"
        "print(json.dumps([m.tolist(), d.tolist()]))"
    )
    run = subprocess.run(
        [sys.executable, "-c", code, str(folder / "model.skops")], capture_output=True, text=True, check=True
    )
    np.testing.assert_allclose(json.loads(run.stdout), here, rtol=1e-12)


def test_command_predicts_and_names_bad_rows(finished, tmp_path, caplog):
    from moxie.learning.storage import predict
    from moxie.predicting import predict_table

    folder, _ = finished
    text = "temperature_K,oxygen_per_area_per_A2,run\n1023,0.2,a\n1023,,b\nhot,0.2,c\n1023,inf,d\n"
    (tmp_path / "t.csv").write_text(text)
    table = predict_table(folder / "model.skops", tmp_path / "t.csv", tmp_path / "p.csv")
    mean, _ = predict(load_model(folder / "model.skops"), [[1023.0, 0.2]])
    assert table["predicted"].iloc[0] == pytest.approx(mean[0]) and table["predicted"].iloc[1:].isna().all()
    assert "row 2: oxygen_per_area_per_A2 = '' is not a finite number" in caplog.text
    assert "row 3: temperature_K = 'hot' is not a finite number" in caplog.text
    assert table["lower"].iloc[0] < mean[0] < table["upper"].iloc[0] and table["run"].tolist() == ["a", "b", "c", "d"]


def test_predictions_say_where_the_training_ends(finished, tmp_path):
    from moxie.predicting import predict_table

    folder, _ = finished
    text = "temperature_K,oxygen_per_area_per_A2,orientation\n1023,0.2,100\n900,0.2,100\n1023,9,100\n1023,0.2,111\n"
    (tmp_path / "t.csv").write_text(text)
    table = predict_table(folder / "model.skops", tmp_path / "t.csv", tmp_path / "p.csv")
    inside, cold, thick, _ = table["applicability"].tolist()
    assert inside == "inside" and cold == "outside: the training films have temperature_K 973 to 1473"
    assert thick.startswith("outside: the training films have oxygen_per_area_per_A2")
    assert table["prediction_status"].iloc[3] == "orientation = 111; the model was trained on films on Si(100)"


@pytest.mark.parametrize("index", [[1, 0], [7, 9], ["b", "a"]])
def test_a_parquet_table_that_was_sorted_or_filtered_keeps_its_rows(finished, index, tmp_path):
    import pandas as pd

    from moxie.predicting import predict_table

    folder, _ = finished
    rows = pd.DataFrame({"temperature_K": [973.0, 1473.0], "oxygen_per_area_per_A2": [0.1, 0.3]})
    rows.to_csv(tmp_path / "t.csv", index=False)
    rows.set_axis(index).to_parquet(tmp_path / "t.parquet")
    plain, indexed = (
        predict_table(folder / "model.skops", tmp_path / f"t.{kind}", tmp_path / "p.csv") for kind in ("csv", "parquet")
    )
    pd.testing.assert_frame_equal(indexed, plain.astype(dict.fromkeys(rows, float)))  # cells of a CSV file are texts


def test_model_file_with_another_type_is_refused(tmp_path):
    from sklearn.gaussian_process.kernels import Matern

    save_model(tmp_path / "m.skops", {"pipeline": Matern()})
    with pytest.raises(InputError, match="not trusted: .*Matern"):
        load_model(tmp_path / "m.skops")
    (tmp_path / "broken.skops").write_bytes((tmp_path / "m.skops").read_bytes()[:100])
    with pytest.raises(InputError, match="broken.skops is damaged"):
        load_model(tmp_path / "broken.skops")


def test_card_names_data_split_baselines_and_limits(finished):
    folder, metrics = finished
    card = (folder / "card.md").read_text()
    for text in ("Intended use", "leave one temperature out", "linear interpolation", "Limits", "Leakage", TARGET):
        assert text in card
    assert f"{metrics['models']['gaussian_process']['rmse']['value']:.3g}" in card


def test_same_seed_gives_the_same_files(finished, tmp_path):
    folder, _ = finished
    write_table(oxide_runs(), tmp_path / "oxide_runs.parquet", OXIDE_RUNS)
    oxide_surrogate.run({"oxide_runs": tmp_path / "oxide_runs.parquet"}, tmp_path / "out", SETTINGS, 7)
    for name in ("metrics.json", "predictions.parquet", "card.md"):
        assert (folder / name).read_bytes() == (tmp_path / "out" / name).read_bytes()


def test_one_replica_is_accepted_and_the_source_of_the_noise_stated(tmp_path):
    write_table(oxide_runs(replicas=1, stages=3), tmp_path / "r.parquet", OXIDE_RUNS)
    metrics = oxide_surrogate.run({"oxide_runs": tmp_path / "r.parquet"}, tmp_path / "out", SETTINGS, 7)
    assert metrics["noise"]["standard_deviation"] is None
    assert "one replica only" in (tmp_path / "out" / "card.md").read_text()


@pytest.mark.parametrize(
    ("runs", "target", "message"),
    [
        (oxide_runs(temperatures_K=(973.0, 1073.0)), TARGET, "gives 2 temperature.*at least 3"),
        (oxide_runs(), "film_density_g_cm3", "film_density_g_cm3 is empty or infinite in 36 of 48 rows"),
        (oxide_runs().assign(**{TARGET: np.inf}), TARGET, "empty or infinite in 48 of 48"),
        (oxide_runs().drop(columns=TARGET), TARGET, f"lacks {TARGET}"),
        (oxide_runs(), "temperature_K", "cannot be predicted; allowed: .*strain_energy"),
        (oxide_runs().assign(replica=0), TARGET, "more than one row for temperature_K=973.0, replica=0, stage=1"),
    ],
)
def test_unusable_data_is_refused_with_its_reason(runs, target, message):
    with pytest.raises(InputError, match=message):
        prepare(runs, target)


def test_targets_are_results_not_inputs():
    assert TARGET in TARGETS and "suboxide_total_monolayers" in TARGETS
    assert not {"temperature_K", "kT_eV", "area_A2", "target_thickness_nm"} & set(TARGETS)


def test_unknown_task_is_refused_with_the_names_there_are():
    assert {"logp", "oxide_surrogate"} <= set(registry.names()) and registry.names(["placements"]) == ["network_energy"]
    with pytest.raises(InputError, match="no learning task 'x'.*oxide_surrogate"):
        registry.get("x")
