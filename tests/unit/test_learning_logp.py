"""The task logp and the command that predicts: honest split, honest files, clear refusals."""

import ast
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from made_tables import measured_molecules, molecules
from rdkit import Chem

import moxie.errors
from moxie.commands import main
from moxie.errors import InputError
from moxie.features.schemas import LOGP_PREDICTIONS, MOLECULES
from moxie.features.tables import read_table, write_table
from moxie.learning import molecular, registry
from moxie.learning.registry import OUTPUTS, LearningSettings
from moxie.learning.storage import load_model, save_model
from moxie.learning.tasks.logp import evaluation as logp_evaluation
from moxie.learning.tasks.logp import nested
from moxie.learning.tasks.logp import task as logp
from moxie.learning.tasks.logp.evaluation import CHOSEN, choose, evaluate
from moxie.learning.tasks.logp.nested import Candidate, Fitted, conformal_quantile, fit_models, grouped_folds
from moxie.learning.tasks.logp.task import prepare
from moxie.molecules.lists import Entry
from moxie.molecules.properties import compute
from moxie.predicting import predict_table

SETTINGS = LearningSettings(confidence=0.9, conformer_seed=11)


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    folder = tmp_path_factory.mktemp("logp")
    write_table(pd.concat([measured_molecules(), molecules()]), folder / "molecules.parquet", MOLECULES)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(logp_evaluation, "_SIZES", (0.5, 1.0))  # for speed
        metrics = registry.get("logp").run({"molecules": folder / "molecules.parquet"}, folder / "out", SETTINGS, 7)
    return folder, metrics


def test_every_output_is_there_and_every_row_of_the_issue(finished):
    folder, metrics = finished
    assert sorted(path.name for path in (folder / "out").iterdir()) == sorted(OUTPUTS)
    assert set(metrics["models"]) == {
        *("mean", "alpb_dry", "alpb_wet", "crippen", "descriptors", "descriptors_quantum", "error_learning", "both"),
        "chosen",
    }
    assert json.loads((folder / "out" / "metrics.json").read_text())["n_rows"] == metrics["n_rows"] == 49


def test_learning_the_error_beats_the_physics_it_corrects(finished):
    _, metrics = finished
    assert metrics["models"][CHOSEN]["rmse"]["value"] < 0.5 * metrics["models"]["alpb_wet"]["rmse"]["value"]
    assert metrics["models"][CHOSEN]["coverage"]["value"] > 0.75
    physics = metrics["leakage"]["alpb_wet"]
    assert physics["grouped_rmse"] == pytest.approx(physics["random_rmse"])  # not fitted, so no split can flatter it


def test_predictions_hold_out_whole_scaffolds_and_mark_what_is_outside(finished):
    folder, _ = finished
    table = read_table(folder / "out" / "predictions.parquet", LOGP_PREDICTIONS)
    held_out = table[table["role"] == "held out"]
    assert len(held_out) == 49 and held_out.groupby("scaffold")["fold"].nunique().eq(1).all()
    new = table[table["role"] == "new"].set_index("molecule")
    assert "lithium" not in new.index  # an ion has no logP
    assert new.loc["methanol", "applicability"] == "in the training set"
    assert new.loc["water", "applicability"].startswith("outside: ")
    assert (table["lower"] < table["predicted"]).all() and (table["predicted"] < table["upper"]).all()


def test_zwitterions_are_outside_and_amides_are_not(finished):
    folder, _ = finished
    model = load_model(folder / "out" / "model.skops")
    rows = measured_molecules().iloc[:3].assign(smiles=["NCC(=O)O", "CC(N)=O", "NCCO"])
    said = logp.predict(model, rows)["applicability"].tolist()
    assert "zwitterion" in said[0] and "zwitterion" not in said[1] + said[2]


def test_shuffling_the_solvation_model_hurts_most(finished):
    _, metrics = finished
    growth = {entry["block"]: entry["increase"] for entry in metrics["importance"]}
    assert max(growth, key=growth.get) == "solvation free energies"
    assert len(metrics["worst"]) == 12 and all(entry["reason"] for entry in metrics["worst"])
    errors = [entry["rmse"] for entry in metrics["learning_curve"] if entry["model"] == CHOSEN]
    assert len(errors) == 2 and errors[-1] == pytest.approx(metrics["models"][CHOSEN]["rmse"]["value"])


def test_card_names_data_split_baselines_and_limits(finished):
    folder, metrics = finished
    card = (folder / "out" / "card.md").read_text()
    for text in ("Intended use", "Bemis-Murcko", "Wildman-Crippen", "Leakage", "Largest errors", "Limits", "weights"):
        assert text in card
    assert f"{metrics['models'][CHOSEN]['rmse']['value']:.3g}" in card
    heavy = [Chem.MolFromSmiles(text).GetNumAtoms() for text in measured_molecules()["smiles"]]
    assert f"Half of the molecules have at most {np.median(heavy):g} heavy atoms" in card


_RUN = """
import sys
from pathlib import Path
from moxie.learning.registry import LearningSettings
from moxie.learning.tasks.logp import evaluation, task
evaluation.KINDS, evaluation._SIZES = ("bayesian_ridge",), (0.5, 1.0)  # for speed
task.run({"molecules": Path(sys.argv[1])}, Path(sys.argv[2]), LearningSettings(), 7)
"""


def test_same_seed_gives_the_same_files_in_any_process(tmp_path):
    """The order of a set of strings depends on the hash seed, an object's address on the process."""
    write_table(measured_molecules(), tmp_path / "molecules.parquet", MOLECULES)
    for seed in ("1", "2"):
        command = [sys.executable, "-c", _RUN, str(tmp_path / "molecules.parquet"), str(tmp_path / seed)]
        subprocess.run(command, check=True, env=os.environ | {"PYTHONHASHSEED": seed}, capture_output=True)
    for name in OUTPUTS:
        assert (tmp_path / "1" / name).read_bytes() == (tmp_path / "2" / name).read_bytes(), name


def test_no_loop_runs_over_a_set_in_the_order_of_its_hashes():
    """Over a set of strings it differs from run to run; `sorted` gives it an order."""
    loops = []
    for path in Path(moxie.errors.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            iterated = getattr(node, "iter", None)
            named = isinstance(iterated, ast.Call) and getattr(iterated.func, "id", "") in ("set", "frozenset")
            if named or isinstance(iterated, ast.Set | ast.SetComp):
                loops.append(f"{path.name}: {ast.unparse(iterated)}")
    assert set(loops) <= {"typing.py: {host, *shared}"}  # numbers of atoms


def test_held_out_labels_cannot_change_their_own_prediction(monkeypatch):
    monkeypatch.setattr(logp_evaluation, "KINDS", ("bayesian_ridge",))  # for speed
    frame = measured_molecules()
    before_data, _, _ = prepare(frame)
    hidden = before_data.groups == "c1ccncc1"
    spoilt = frame.copy()
    spoilt.loc[spoilt["smiles"].isin(before_data.frame.loc[hidden, "smiles"]), "logP_measured"] += 5.0
    before, after = evaluate(before_data, SETTINGS), evaluate(prepare(spoilt)[0], SETTINGS)
    fold = before.fold[hidden][0]
    for name in ("mean", "descriptors", "descriptors_quantum", "both", CHOSEN):
        same = before.fold == fold
        np.testing.assert_allclose(before.rows[name].mean[same], after.rows[name].mean[same])
        np.testing.assert_allclose(before.rows[name].deviation[same], after.rows[name].deviation[same])
        assert not np.allclose(before.rows[name].mean[~same], after.rows[name].mean[~same])


def test_weights_are_positive_add_up_to_one_and_prefer_the_right_model():
    rng = np.random.default_rng(0)
    table = {"x": rng.normal(size=60), "noise": rng.normal(size=60)}
    target = 2 * table["x"] + 0.1 * rng.normal(size=60)
    options = [Candidate("bayesian_ridge", (name,), label=name) for name in ("noise", "x")]
    fitted = fit_models({"x": options}, table, target, np.arange(60) // 6, 0.9)["x"]
    assert sum(fitted.weights.values()) == pytest.approx(1) and fitted.weights["x"] > 0.95
    mean, half_width = fitted.predict(table)
    assert (np.abs(mean - target) <= half_width).mean() == pytest.approx(0.9, abs=0.07)


def test_large_molecules_have_an_interval_of_their_own():
    rng = np.random.default_rng(0)
    n = 400
    table = {"x": rng.normal(size=n), "HeavyAtomCount": np.where(np.arange(n) % 2, 20.0, 6.0)}
    large = table["HeavyAtomCount"] > 12
    target = 2 * table["x"] + np.where(large, 1.0, 0.2) * rng.normal(size=n)
    options = {"x": [Candidate("bayesian_ridge", ("x",), label="x")]}
    mean, half_width = fit_models(options, table, target, np.arange(n) // 10, 0.9)["x"].predict(table)
    for members in (large, ~large):
        assert (np.abs(mean - target) <= half_width)[members].mean() == pytest.approx(0.9, abs=0.03)
    few = {name: values[:80] for name, values in table.items()}  # forty of each are too few
    factors = fit_models(options, few, target[:80], np.arange(80) // 8, 0.9)["x"].factors
    assert factors[0] == factors[1]


def test_constants_of_an_inner_fold_come_from_its_own_rows(monkeypatch):
    """The kernel of all rows has seen what the fold holds out; it may only be where the search begins."""
    rng = np.random.default_rng(3)
    table = {"x": rng.uniform(-2, 2, 60)}
    target = np.sin(3 * table["x"]) + 0.1 * rng.normal(size=60)
    kernels = []
    plain = nested._fit

    def spy(candidate, rows, values, start=None):
        pipeline = plain(candidate, rows, values, start)
        if start is not None:
            kernels.append((pipeline["model"], plain(candidate, rows, values)["model"], start["model"].kernel_.theta))
        return pipeline

    monkeypatch.setattr(nested, "_fit", spy)
    options = {"x": [Candidate("gaussian_process", ("x",), label="x")]}
    fit_models(options, table, target, np.arange(60) // 12, 0.9)
    assert len(kernels) == 5 and len({tuple(warm.kernel_.theta) for warm, _, _ in kernels}) == 5
    for warm, cold, start in kernels:  # of the fold's own rows they are the more probable ones
        evidence = warm.log_marginal_likelihood_value_
        assert evidence > warm.log_marginal_likelihood(start) + 1e-4
        assert evidence >= cold.log_marginal_likelihood_value_ - 1e-3


def test_the_model_is_chosen_by_its_inner_errors_alone():
    errors = {"descriptors": 0.1, "descriptors_quantum": 0.3, "error_learning": 0.2, "both": 0.25}
    fitted = {name: Fitted((), (1.0, 1.0), {"weighted": error}) for name, error in errors.items()}
    assert choose(fitted) == "error_learning"


def test_held_out_molecules_follow_the_rules_that_new_ones_do(finished):
    folder, metrics = finished
    table = read_table(folder / "out" / "predictions.parquet", LOGP_PREDICTIONS)
    held_out = table[table["role"] == "held out"].set_index("smiles")
    types = {smiles: set(molecular.descriptors([smiles])) for smiles in held_out.index}
    for smiles, row in held_out.iterrows():
        train = held_out.index[held_out["fold"] != row["fold"]]
        known = set().union(*(types[other] for other in train))
        assert row["applicability"].startswith("outside: no molecule") == bool(types[smiles] - known)
    kinds = {part["kind"]: part["n"] for part in metrics["by_kind"]}
    assert kinds["inside the domain"] == (held_out["applicability"] == "inside").sum()
    assert kinds["inside the domain"] + kinds["outside"] == 49


def test_conformal_quantile_takes_the_next_larger_score():
    assert conformal_quantile(np.arange(1.0, 100.0), 0.9) == 90.0
    assert conformal_quantile(np.array([1.0, 3.0, 2.0]), 0.9) == 3.0


def test_solvation_features_are_logP_by_definition():
    table = measured_molecules().iloc[:1].assign(solvation_water_eV=-0.1, solvation_wet_octanol_eV=-0.2)
    expected = 0.1 / (8.617333262e-5 * 298.15 * np.log(10))
    assert molecular.quantum_features(table)["logP_alpb_wet"][0] == pytest.approx(expected)


def test_crippen_and_scaffolds_are_those_of_known_molecules():
    assert molecular.crippen_logP("c1ccccc1") == pytest.approx(1.687, abs=1e-3)  # 6 aromatic CH of 0.1581 + 0.1230
    assert molecular.scaffold("CCc1ccccc1") == molecular.scaffold("Oc1ccccc1") == "c1ccccc1"
    for smiles, name in {
        "CCO": "alcohol", "CC(=O)O": "acid", "CCOC(C)=O": "ester", "CCCC": "alkane", "NCCO": "alcohol",
        "CCCl": "halide",
        "CC(N)=O": "amide", "CC[N+](=O)[O-]": "nitro", "CCN": "amine", "C=CCC": "alkene", "COP(=O)(OC)OC": "ester",
        "CSC": "sulphide", "CC(C)=O": "ketone", "CC=O": "aldehyde", "C=O": "aldehyde",
    }.items():  # fmt: skip
        assert molecular.scaffold(smiles) == f"acyclic {name}"
    assert molecular.scaffold("O") == "acyclic, other"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda f: f.drop(columns="dipole_D"), "lacks dipole_D"),
        (lambda f: pd.concat([f, f.iloc[:1]]), "more than one row for list=measured, molecule=C"),
        (lambda f: f.assign(logP_measured=np.inf), "logP_measured of C is infinite"),
        (lambda f: f.assign(smiles="C(("), "SMILES 'C\\(\\(' of C in measured cannot be read"),
        (lambda f: f.iloc[:8], "8 usable molecules .* in 5 scaffold.*needs 30 in 5"),
        (lambda f: f[f["smiles"].str.startswith("c1ccccc1")], "7 usable molecules .* in 1 scaffold"),
        (lambda f: f.assign(logP_measured=np.nan), "0 usable molecules"),
        (lambda f: f.assign(method=["GFN1-xTB"] + ["GFN2-xTB"] * (len(f) - 1)), "mixes methods: GFN1-xTB, GFN2-xTB"),
    ],
)
def test_unusable_data_is_refused_with_its_reason(change, message):
    with pytest.raises(InputError, match=message):
        prepare(change(measured_molecules()))


def test_fewer_groups_than_folds_are_refused():
    with pytest.raises(InputError, match=r"6 rows in 1 group\(s\) cannot be split into 5 folds"):
        grouped_folds(np.zeros(6), 5)


def test_refused_data_leaves_nothing_behind(tmp_path):
    write_table(measured_molecules().iloc[:8], tmp_path / "molecules.parquet", MOLECULES)
    with pytest.raises(InputError):
        logp.run({"molecules": tmp_path / "molecules.parquet"}, tmp_path / "out", SETTINGS, 7)
    assert not (tmp_path / "out").exists()


def test_repeated_measurements_of_one_structure_become_one_row():
    frame = measured_molecules()
    again = frame.iloc[:1].assign(list="other", logP_measured=frame["logP_measured"].iloc[0] + 1.0)
    data, _, left_out = prepare(pd.concat([frame, again], ignore_index=True))
    assert len(data.target) == 49 and left_out["same structure as another"] == 1
    row = data.frame.index[data.frame["smiles"] == "C"][0]
    assert data.target[row] == pytest.approx(frame["logP_measured"].iloc[0] + 0.5)


def test_measurements_of_one_structure_that_contradict_each_other_are_left_out():
    frame = measured_molecules()
    wrong = frame.iloc[:1].assign(list="other", logP_measured=frame["logP_measured"].iloc[0] + 3.0)
    data, _, left_out = prepare(pd.concat([frame, wrong], ignore_index=True))
    assert len(data.target) == 48 and "C" not in set(data.frame["smiles"])
    assert left_out["contradicted by another measurement of the structure"] == 2


def test_command_reproduces_the_model_in_a_fresh_process(finished, tmp_path):
    folder, _ = finished
    command = [sys.executable, "-m", "moxie", "predict", "--model", str(folder / "out" / "model.skops")]
    command += ["--table", str(folder / "molecules.parquet"), "--out", str(tmp_path / "p.csv")]
    subprocess.run(command, check=True, capture_output=True)
    there = pd.read_csv(tmp_path / "p.csv").set_index("molecule")
    table = read_table(folder / "molecules.parquet", MOLECULES)
    table = table[table["molecule"] != "lithium"].reset_index(drop=True)
    here = logp.predict(load_model(folder / "out" / "model.skops"), table).set_index(table["molecule"])
    np.testing.assert_allclose(there["predicted"].loc[here.index], here["predicted"], rtol=1e-6)
    assert there["prediction_status"].loc["lithium"].startswith("an ion has no octanol-water partition coefficient")
    assert (there["prediction_status"].drop("lithium") == "ok").all()
    assert there["row"].tolist() == list(range(1, len(there) + 1))


def test_smiles_are_enough_and_bad_rows_are_named(finished, tmp_path, caplog):
    folder, _ = finished
    (tmp_path / "t.csv").write_text("smiles,note\nCCO,fine\nC((,broken\n,empty\n[Na+].[Cl-],salt\n")
    with caplog.at_level("WARNING"):
        result = predict_table(folder / "out" / "model.skops", tmp_path / "t.csv", tmp_path / "p.csv")
    assert result["prediction_status"].tolist()[0] == "ok" and np.isfinite(result["predicted"].iloc[0])
    assert result["predicted"].iloc[1:].isna().all() and result["note"].tolist() == ["fine", "broken", "empty", "salt"]
    assert "row 2: failed" in caplog.text and "row 3: failed" in caplog.text and "several fragments" in caplog.text
    assert len(pd.read_csv(tmp_path / "p.csv")) == 4


def test_a_prediction_depends_on_the_molecule_and_not_on_how_it_is_written(finished, tmp_path):
    folder, _ = finished
    (tmp_path / "t.csv").write_text("smiles\nCCCO\nOCCC\nC(O)CC\n[At]C\n")
    result = predict_table(folder / "out" / "model.skops", tmp_path / "t.csv", tmp_path / "p.csv")
    first = result["predicted"].iloc[:3]  # threads add in any order: the last digits may differ
    assert first.max() - first.min() < 1e-9 and np.isfinite(result["predicted"].iloc[3])
    assert "has atom type (none known)" in result["applicability"].iloc[3]  # astatine
    again = predict_table(folder / "out" / "model.skops", tmp_path / "p.csv", tmp_path / "again.csv")
    assert again.columns.tolist().count("row") == 1 and (again["prediction_status"] == "ok").all()


def test_a_molecule_has_the_number_that_it_has_in_the_study(finished, tmp_path):
    """The model carries the seed of the study's conformers, which start from the canonical SMILES in both."""
    folder, _ = finished
    (tmp_path / "t.csv").write_text("smiles\nOCCC(C)CC\n")
    here = predict_table(folder / "out" / "model.skops", tmp_path / "t.csv", tmp_path / "p.csv").iloc[0]
    (there,) = compute("list", [Entry("x", "CCC(C)CCO")], seed=11)
    for name in ("energy_eV", "dipole_D"):  # threads add in any order: the last digits may differ
        assert here[name] == pytest.approx(there[name], rel=1e-8)
    frame = pd.DataFrame([there]).astype({"homo_eV": float, "lumo_eV": float})
    model = load_model(folder / "out" / "model.skops")
    assert here["predicted"] == pytest.approx(logp.predict(model, frame)["predicted"].iloc[0], abs=1e-9)


def test_molecules_that_became_others_are_left_out_and_counted():
    frame = measured_molecules()
    status = frame["status"].where(~frame["smiles"].isin(["C", "CC"]), "relaxed to another molecule: C.C")
    data, _, left_out = prepare(frame.assign(status=status))
    assert len(data.target) == 47 and left_out["another molecule after relaxing"] == 2
    assert left_out["not computed"] == 0


def test_tables_that_do_not_fit_the_model_are_refused(finished, tmp_path, capsys):
    folder, _ = finished
    model, out = str(folder / "out" / "model.skops"), tmp_path / "p.csv"
    pd.DataFrame({"temperature_K": [1000.0]}).to_csv(tmp_path / "oxide.csv", index=False)
    (tmp_path / "none.csv").write_text("smiles\nC((\n")
    (tmp_path / "empty.csv").write_text("smiles\n")
    (tmp_path / "t.xlsx").write_text("")
    (tmp_path / "capitals.csv").write_text("SMILES,name\nCO,methanol\n")
    for name, message in {
        "oxide.csv": "does not fit the model .* lacks smiles, from which",
        "capitals.csv": r"lacks smiles, from which all others are computed\. Its columns are SMILES, name\.",
        "none.csv": "has no row that can be predicted; the first says: failed",
        "empty.csv": "holds no rows",
        "t.xlsx": "neither a .csv nor a .parquet",
        "gone.csv": "gone.csv does not exist",
    }.items():
        with pytest.raises(InputError, match=message):
            predict_table(model, tmp_path / name, out)
    assert main(["predict", "--model", model, "--table", str(tmp_path / "gone.csv"), "--out", str(out)]) == 2
    printed = capsys.readouterr().err
    assert "gone.csv does not exist" in printed and "Traceback" not in printed and not out.exists()


def test_other_units_are_refused(finished, tmp_path):
    import pyarrow.parquet as parquet

    folder, _ = finished
    arrow = parquet.read_table(folder / "molecules.parquet")
    place = arrow.schema.get_field_index("dipole_D")
    field = arrow.schema.field(place).with_metadata({"unit": "e angstrom"})
    parquet.write_table(arrow.cast(arrow.schema.set(place, field)), tmp_path / "t.parquet")
    with pytest.raises(InputError, match="dipole_D is in 'e angstrom', the model was made with 'debye'"):
        predict_table(folder / "out" / "model.skops", tmp_path / "t.parquet", tmp_path / "p.csv")


def test_model_files_that_are_no_models_are_refused(finished, tmp_path):
    from sklearn.gaussian_process.kernels import Matern

    folder, _ = finished
    table = folder / "molecules.parquet"
    save_model(tmp_path / "other.skops", {"task": "logp", "pipeline": Matern()})
    save_model(tmp_path / "none.skops", {"weights": [1.0]})
    save_model(tmp_path / "half.skops", {"task": "logp", "factor": 1.0})
    for name, message in {
        "other.skops": "not trusted: .*Matern",
        "none.skops": "no model of a learning task; those are .*logp, .*oxide_surrogate",
        "half.skops": "lacks .*: it is not a model that this version",
    }.items():
        with pytest.raises(InputError, match=message):
            predict_table(tmp_path / name, table, tmp_path / "p.csv")
    assert not (tmp_path / "p.csv").exists()


@pytest.mark.parametrize(
    ("smiles", "expected"),
    [
        ("CC(C)[NH2+]CC(O)COc1cccc2ccccc12", "CC(C)NCC(O)COc1cccc2ccccc12"),  # propranolol, protonated
        ("CC(=O)[O-].[Na+]", "CC(=O)O"),
        ("Cl.CN1CCC1", "CN1CCC1"),
        ("C[N+](C)(C)C.[Cl-]", ""),
        ("[Na+].[Cl-]", ""),
        ("CCO", "CCO"),
        ("C((", ""),
    ],
)
def test_ions_and_salts_are_told_their_neutral_form(smiles, expected):
    from moxie.structures.molecules import neutral_form, parse_smiles

    assert neutral_form(smiles) == expected
    row = {"smiles": smiles, "charge": "1", "spin_multiplicity": "1"}
    said = logp.complain(row, {})
    assert (f"ask for its neutral form {expected}" if expected else "no neutral form") in said
    assert logp.complain(row | {"charge": 0}, {}) == "" and "radical" in logp.complain(
        {"smiles": "[CH3]", "charge": 0, "spin_multiplicity": 2}, {}
    )
    if "." in smiles and expected:
        with pytest.raises(InputError, match=f"several fragments .* is {re.escape(expected)}"):
            parse_smiles(smiles)
