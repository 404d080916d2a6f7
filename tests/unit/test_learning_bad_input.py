"""What every task refuses alike: model files that were tampered with or are none, and tables that do not fit."""

import json
import zipfile

import numpy as np
import pandas as pd
import pytest
from sklearn.gaussian_process.kernels import RBF

from moxie.errors import InputError
from moxie.learning import checks, registry
from moxie.learning.storage import load_model, save_model
from moxie.learning.tasks.network_energy.task import FEATURES
from moxie.predicting import predict_table

FRAME = pd.DataFrame({"film": ["a", "b", "c"], "value": [1.0, 2.0, 3.0]})
ROWS = {
    "force_field_error": "system,model,quantity,temperature_K,pressure_bar\na,b,c,300,1\n",
    "logp": "smiles\nCO\n",
    "network_energy": f"{','.join(FEATURES)}\n1{',0' * (len(FEATURES) - 1)}\n",
    "oxide_surrogate": "temperature_K,oxygen_per_area_per_A2\n1000,0.2\n",
    "site_map": "site\n1\n",
}


def test_every_task_is_looked_at():
    assert sorted(ROWS) == registry.names()


@pytest.mark.parametrize("task", registry.names())
def test_types_that_are_not_trusted_are_named(task, tmp_path):
    from sklearn.gaussian_process.kernels import Matern

    save_model(tmp_path / "m.skops", {"task": task, "pipeline": Matern()})
    with pytest.raises(InputError, match=r"m\.skops holds types that are not trusted: .*Matern"):
        load_model(tmp_path / "m.skops")


@pytest.mark.parametrize("task", registry.names())
def test_a_model_without_its_content_is_refused_and_nothing_is_written(task, tmp_path):
    save_model(tmp_path / "m.skops", {"task": task})
    (tmp_path / "t.csv").write_text(ROWS[task])
    with pytest.raises(InputError, match=r"m\.skops lacks .*: it is not a model that this version of moxie made"):
        predict_table(tmp_path / "m.skops", tmp_path / "t.csv", tmp_path / "p.csv")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["m.skops", "t.csv"]


@pytest.mark.parametrize("where", [0.3, 0.6, 0.9])
def test_a_changed_byte_is_noticed(where, tmp_path):
    save_model(tmp_path / "m.skops", {"task": "oxide_surrogate", "numbers": np.arange(4000.0)})
    content = bytearray((tmp_path / "m.skops").read_bytes())
    content[int(where * len(content))] ^= 0xFF
    (tmp_path / "m.skops").write_bytes(bytes(content))
    with pytest.raises(InputError, match=r"m\.skops is damaged"):
        load_model(tmp_path / "m.skops")


@pytest.mark.parametrize("n", range(12))
def test_a_file_changed_anywhere_is_refused_in_one_message(n, tmp_path):
    save_model(tmp_path / "m.skops", {"task": "network_energy", "pipeline": RBF(2.0), "numbers": np.arange(3.0)})
    with zipfile.ZipFile(tmp_path / "m.skops") as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    schema = json.loads(files["schema.json"])
    places = list(_places(schema))
    parent, key = places[n * len(places) // 12]
    parent[key] = -3
    with zipfile.ZipFile(tmp_path / "changed.skops", "w") as archive:
        for name, content in (files | {"schema.json": json.dumps(schema).encode()}).items():
            archive.writestr(name, content)
    (tmp_path / "t.csv").write_text(ROWS["network_energy"])
    with pytest.raises(InputError, match="changed.skops"):
        predict_table(tmp_path / "changed.skops", tmp_path / "t.csv", tmp_path / "p.csv")
    assert not (tmp_path / "p.csv").exists()


def _places(node):
    for key, value in node.items() if isinstance(node, dict) else enumerate(node):
        yield node, key
        if isinstance(value, dict | list):
            yield from _places(value)


@pytest.mark.parametrize(
    ("model", "table", "out", "message"),
    [
        ("m.skops", "t.csv", "t.csv", "t.csv is read here too, and would be lost"),
        ("m.skops", "t.csv", "m.skops", "m.skops is read here too, and would be lost"),
        ("m.skops", "t.csv", ".", "is a folder. Name the file to write"),
        (".", "t.csv", "p.csv", "does not exist, or is no file"),
        ("t.csv", "t.csv", "p.csv", "t.csv is damaged, or is no model"),
        ("m.skops", "ragged.csv", "p.csv", "ragged.csv has more values in a row than there are columns"),
    ],
)
def test_mixed_up_files_are_refused_and_left_alone(model, table, out, message, tmp_path):
    save_model(tmp_path / "m.skops", {"task": "network_energy", "pipeline": None})
    (tmp_path / "t.csv").write_text(ROWS["network_energy"])
    (tmp_path / "ragged.csv").write_text("smiles,name\nCCO,x,y,z\nCC\n")
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    with pytest.raises(InputError, match=message):
        predict_table(tmp_path / model, tmp_path / table, tmp_path / out)
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before


@pytest.mark.parametrize("task", ["force_field_error", "network_energy"])
def test_a_table_without_the_columns_is_refused(task, tmp_path):
    content = {"curves": []} if task == "force_field_error" else {"pipeline": None}
    save_model(tmp_path / "m.skops", {"task": task, **content})
    (tmp_path / "t.csv").write_text("other\n1\n")
    with pytest.raises(InputError, match=r"t\.csv does not fit the model .*it lacks"):
        predict_table(tmp_path / "m.skops", tmp_path / "t.csv", tmp_path / "p.csv")


@pytest.mark.parametrize(
    ("check", "message"),
    [
        (lambda: checks.check_columns(FRAME, "t", "x", ["film", "dose"]), "table t lacks dose, which the task x needs"),
        (lambda: checks.check_keys(pd.concat([FRAME, FRAME]), "t", ["film"]), "t has more than one row for film=a"),
        (lambda: checks.check_keys(FRAME.assign(film=[None, "b", "c"]), "t", ["film"]), "a row with an empty key"),
        (
            lambda: checks.check_finite(FRAME.assign(value=[1.0, np.nan, np.inf]), "t", ["film"], ["value"], "Do y."),
            r"value is empty or infinite in 2 of 3 rows of t, first at film=b\. Do y\.",
        ),
        (
            lambda: checks.check_groups(["a", "a"], "t", "x", "films", 2, "Add films."),
            r"t has 2 usable row\(s\) with 1 films; the task x holds whole ones out and needs at least 2\. Add films\.",
        ),
    ],
)
def test_tables_are_refused_with_row_and_reason(check, message):
    with pytest.raises(InputError, match=message):
        check()
