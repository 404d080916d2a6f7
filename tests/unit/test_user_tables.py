"""A user's own columns pass through a prediction as they came; what cannot be used is named."""

import csv
import datetime
import decimal

import numpy as np
import pyarrow as pa
import pyarrow.parquet as parquet
import pytest

from moxie.commands import main
from moxie.errors import InputError
from moxie.learning.models import GaussianProcess
from moxie.learning.storage import save_model
from moxie.predicting import predict_table

CASES = {  # what a careless reader turns into a number, a date or nothing
    "cas": ["0000064175", "", "0000071432"],
    "cid": ["135398513", "9007199254740993", "12"],
    "batch": ["1234567890123", "1234567890124", "1234567890125"],
    "code": ["NA", "001E5", "1e10"],
    "flag": ["true", "NULL", "nan"],
    "made": ["2024-01-02", "01/02/24", "1.2.2024"],
    "price": ["1,50", "1.50", " 2.0 "],
    "note": ['5" pipe', "two\nlines", "ä;ö\t€"],
    "": ["a", "b", "c"],
}


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """A process on two features, as the task oxide_surrogate leaves it."""
    rng = np.random.default_rng(0)
    features = np.column_stack([rng.uniform(900, 1500, 12), rng.uniform(0.1, 0.5, 12)])
    process = GaussianProcess(0, 0).fit(features, features[:, 1], None)
    path = tmp_path_factory.mktemp("model") / "model.skops"
    names = ["temperature_K", "oxygen_per_area_per_A2"]
    content = {"task": "oxide_surrogate", "pipeline": process.pipeline, "noise_variance": 0.0, "features": names}
    content |= {"confidence": 0.9, "orientation": "100", "ranges": [[900, 1500], [0.1, 0.5]]}
    save_model(path, content)
    return path


def write_csv(path, columns):
    with open(path, "w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        writer.writerow(columns)
        writer.writerows(zip(*columns.values(), strict=True))


def read_csv(path):
    with open(path, newline="", encoding="utf-8") as stream:
        header, *rows = csv.reader(stream)
    return dict(zip(header, map(list, zip(*rows, strict=True)), strict=True))


ASKED = {"temperature_K": ["1000", "1100.50", "1e3"], "oxygen_per_area_per_A2": ["0.2", "0.30", ".2"]}


def test_texts_of_a_csv_file_stay_as_they_are(model, tmp_path):
    write_csv(tmp_path / "t.csv", CASES | ASKED)
    predict_table(model, tmp_path / "t.csv", tmp_path / "p.csv")
    found = read_csv(tmp_path / "p.csv")
    assert {name: found[name] for name in CASES | ASKED} == CASES | ASKED
    assert list(found)[: len(CASES) + 1] == ["row", *CASES]
    assert found["predicted"][0] == found["predicted"][2] and found["prediction_status"] == ["ok"] * 3


def test_values_of_a_parquet_file_keep_their_kind(model, tmp_path):
    table = pa.table(
        {
            "cid": pa.array([135398513, None, 9007199254740993], pa.int64()),
            "cas": ["0000064175", None, "NA"],
            "made": [datetime.date(2024, 1, 2), None, datetime.date(1650, 1, 1)],
            "price": [decimal.Decimal("1.50"), None, decimal.Decimal("2.00")],
            "flag": [True, None, False],
            "mass": [46.07, None, 0.1 + 0.2],
            "spectrum": [[1.0], None, []],
            "raw": [b"\x00", None, b"ab"],
            "temperature_K": pa.array([1000, 1100, 1200], pa.int32()),
            "oxygen_per_area_per_A2": [0.2, 0.3, 0.4],
        }
    )
    parquet.write_table(table, tmp_path / "t.parquet")
    for name in ("p.csv", "p.parquet"):
        predict_table(model, tmp_path / "t.parquet", tmp_path / name)
    found = read_csv(tmp_path / "p.csv")
    assert found["cid"] == ["135398513", "", "9007199254740993"] and found["cas"] == ["0000064175", "", "NA"]
    assert found["made"] == ["2024-01-02", "", "1650-01-01"] and found["price"] == ["1.50", "", "2.00"]
    assert found["flag"] == ["True", "", "False"] and float(found["mass"][2]) == 0.1 + 0.2
    assert "spectrum" not in found and "raw" not in found
    back = parquet.read_table(tmp_path / "p.parquet")
    assert back.select(table.column_names).equals(table)


def test_columns_with_the_names_of_new_ones_are_kept_under_another(model, tmp_path, caplog):
    write_csv(tmp_path / "t.csv", ASKED | {"row": ["A", "B", "C"], "lower": ["x", "y", "z"]})
    predict_table(model, tmp_path / "t.csv", tmp_path / "p.csv")
    found = read_csv(tmp_path / "p.csv")
    assert found["row_given"] == ["A", "B", "C"] and found["lower_given"] == ["x", "y", "z"]
    assert found["row"] == ["1", "2", "3"] and "row, lower are written as NAME_given" in caplog.text
    predict_table(model, tmp_path / "p.csv", tmp_path / "again.csv")  # of an earlier prediction the new ones give way
    assert read_csv(tmp_path / "again.csv") == found


@pytest.mark.parametrize("bad", ["", "NA", "12,5", "1_000", "inf", "1000 K", "0x10"])
def test_cells_that_are_no_numbers_are_bad_rows(bad, model, tmp_path):
    write_csv(tmp_path / "t.csv", ASKED | {"temperature_K": ["1000", bad, "1000"]})
    predict_table(model, tmp_path / "t.csv", tmp_path / "p.csv")
    status = read_csv(tmp_path / "p.csv")["prediction_status"]
    assert status[1] == f"temperature_K = {bad!r} is not a finite number" and status[0] == status[2] == "ok"


@pytest.mark.parametrize("cells", [[[1000.0], [1.0, 2.0], None], [b"1000", b"", None], [True, False, None]])
def test_lists_bytes_and_truths_are_bad_rows_and_not_a_damaged_model(cells, model, tmp_path):
    parquet.write_table(
        pa.table({"temperature_K": cells, "oxygen_per_area_per_A2": [0.2, 0.2, 0.2]}), tmp_path / "t.parquet"
    )
    with pytest.raises(InputError, match="no row that can be predicted; the first says: temperature_K = .* finite"):
        predict_table(model, tmp_path / "t.parquet", tmp_path / "p.csv")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("temperature_K,oxygen_per_area_per_A2\n1000\n", "fewer values in a row .* 1 in line 2, 2 in the header"),
        ("temperature_K,oxygen_per_area_per_A2\n1,2,3\n", "more values in a row than there are columns"),
        ('temperature_K,oxygen_per_area_per_A2\n"1,2\n', "line 3: unexpected end of data"),
        ("temperature_K,temperature_K,oxygen_per_area_per_A2\n1,1,1\n", "more than one column temperature_K"),
        ("temperature_K;oxygen_per_area_per_A2\n1;1\n", "lacks temperature_K, oxygen_per_area_per_A2"),
        ("", "holds no rows"),
    ],
)
def test_tables_that_cannot_be_read_are_refused(text, message, model, tmp_path):
    (tmp_path / "t.csv").write_text(text)
    with pytest.raises(InputError, match=message):
        predict_table(model, tmp_path / "t.csv", tmp_path / "p.csv")
    assert not (tmp_path / "p.csv").exists()


@pytest.mark.parametrize("name", ["file/p.csv", "a" * 300 + ".csv", "p.xlsx", "there.csv"])
def test_an_output_that_cannot_be_written_is_one_line(name, model, tmp_path, capsys):
    (tmp_path / "file").write_text("")
    (tmp_path / "there.csv").mkdir()
    write_csv(tmp_path / "t.csv", ASKED)
    command = ["predict", "--model", str(model), "--table", str(tmp_path / "t.csv"), "--out", str(tmp_path / name)]
    assert main(command) == 2
    printed = capsys.readouterr().err.strip().splitlines()
    assert len(printed) == 1 and ("cannot be written" in printed[0] or "is a folder" in printed[0])
