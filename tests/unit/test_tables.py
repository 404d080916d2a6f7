"""Tables: what is written is what is read, and what does not fit is refused with a name and a place."""

import numpy as np
import pandas as pd
import pyarrow.parquet as parquet
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_tables import MAKERS, liquids, molecules, oxide_runs, rdf_curves

from moxie.errors import InputError
from moxie.features.gathering import gather, gather_curves
from moxie.features.schemas import (
    GROWTH_CURVES,
    LIQUIDS,
    MOLECULES,
    OXIDE_RUNS,
    PREDICTIONS,
    RDF,
    RDF_CURVES,
    TABLES,
    get_table,
)
from moxie.features.tables import check_frame, read_table, read_units, write_table


@pytest.mark.parametrize("name", sorted(MAKERS))
def test_round_trip_keeps_every_value(name, tmp_path):
    frame = MAKERS[name]()
    write_table(frame, tmp_path / "t.parquet", get_table(name))
    table = TABLES[name]
    expected = frame[table.column_names].sort_values(list(table.key), kind="stable", ignore_index=True)
    pd.testing.assert_frame_equal(read_table(tmp_path / "t.parquet", get_table(name)), expected, check_dtype=False)


@pytest.mark.parametrize("name", sorted(MAKERS))
def test_every_column_carries_its_unit_and_description(name, tmp_path):
    write_table(MAKERS[name](), tmp_path / "t.parquet", get_table(name))
    for column in TABLES[name].columns:
        metadata = parquet.read_schema(tmp_path / "t.parquet").field(column.name).metadata
        assert metadata[b"unit"].decode() == column.unit
        assert metadata[b"description"].decode() == column.description


def test_equal_rows_in_any_order_give_equal_bytes(tmp_path):
    frame = oxide_runs()
    write_table(frame, tmp_path / "a.parquet", OXIDE_RUNS)
    write_table(frame.sample(frac=1, random_state=2), tmp_path / "b.parquet", OXIDE_RUNS)
    assert (tmp_path / "a.parquet").read_bytes() == (tmp_path / "b.parquet").read_bytes()


@settings(max_examples=25, deadline=None)
@given(
    values=st.lists(
        st.floats(0, 1e3, allow_nan=False) | st.just(float("nan")),
        min_size=3,
        max_size=3,
    )
)
def test_optional_numbers_survive_exactly(values, tmp_path_factory):
    path = tmp_path_factory.mktemp("t") / "t.parquet"
    write_table(molecules().assign(dipole_D=values), path, MOLECULES)
    order = np.argsort(molecules()["molecule"].to_numpy())
    np.testing.assert_array_equal(read_table(path, MOLECULES)["dipole_D"], np.array(values, dtype=float)[order])


def test_repeated_key_is_refused_with_its_values(tmp_path):
    frame = oxide_runs()
    with pytest.raises(InputError, match="approach=disordered, replica=0, stage=1.*more than once"):
        write_table(pd.concat([frame, frame.head(1)]), tmp_path / "t.parquet", OXIDE_RUNS)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"density_g_cm3": -1.0}, r"column density_g_cm3: -1.0 must be at least 0"),
        ({"density_g_cm3": np.inf}, r"column density_g_cm3: inf must be"),
        ({"ensemble": "NVE"}, r"column ensemble: 'NVE' must be one of NPT, NVT"),
        ({"n_sites": 2.5}, r"column n_sites: 'float64' is not int"),
        ({"timestep_fs": np.nan}, r"column timestep_fs: is empty"),
        ({"platform": 3}, r"column platform: .* is not str"),
    ],
)
def test_value_outside_the_schema_is_refused_by_row_and_column(change, message, tmp_path):
    with pytest.raises(InputError, match=message):
        write_table(liquids().assign(**change), tmp_path / "t.parquet", LIQUIDS)


def test_missing_and_unknown_columns_are_named(tmp_path):
    frame = liquids().drop(columns="platform").assign(surprise=1)
    with pytest.raises(InputError, match="lacks platform and has unknown surprise"):
        write_table(frame, tmp_path / "t.parquet", LIQUIDS)


def test_populations_that_do_not_sum_to_one_are_refused(tmp_path):
    with pytest.raises(InputError, match="sum to 1"):
        write_table(oxide_runs().assign(si0_fraction=0.99), tmp_path / "t.parquet", OXIDE_RUNS)


@pytest.mark.parametrize("keep", [0, 10, -20])
def test_truncated_file_is_named(keep, tmp_path):
    path = tmp_path / "t.parquet"
    write_table(liquids(), path, LIQUIDS)
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(InputError, match=r"t.parquet is damaged.*Delete"):
        read_table(path, LIQUIDS)


def test_missing_file_is_named(tmp_path):
    with pytest.raises(InputError, match="nowhere.parquet does not exist"):
        read_table(tmp_path / "nowhere.parquet", LIQUIDS)


def test_file_in_other_units_is_refused(tmp_path):
    path = tmp_path / "t.parquet"
    write_table(liquids(), path, LIQUIDS)
    table = parquet.read_table(path)
    index = table.schema.get_field_index("density_g_cm3")
    field = table.schema.field(index).with_metadata({"unit": "kg/m3", "description": "mass density"})
    parquet.write_table(table.cast(table.schema.set(index, field)), path)
    with pytest.raises(InputError, match="density_g_cm3 is in 'kg/m3', expected 'g/cm3'"):
        read_table(path, LIQUIDS)


def test_units_of_varying_columns_are_given_when_written(tmp_path):
    from moxie.features.schemas import VARIES

    names = [column.name for column in PREDICTIONS.columns if column.unit == VARIES]
    frame = pd.DataFrame({c.name: [1.0 if c.dtype == "float" else 1] for c in PREDICTIONS.columns})
    write_table(frame.assign(target="x"), tmp_path / "p.parquet", PREDICTIONS, dict.fromkeys(names, "eV"))
    assert {read_units(tmp_path / "p.parquet")[name] for name in names} == {"eV"}


def test_gather_joins_parts_and_names_both_files_of_a_shared_key(tmp_path):
    frame = liquids()
    parts = [tmp_path / "a.parquet", tmp_path / "b.parquet"]
    write_table(frame.head(2), parts[0], LIQUIDS)
    write_table(frame.tail(4), parts[1], LIQUIDS)
    gather(parts, "liquids", tmp_path / "all.parquet")
    assert len(read_table(tmp_path / "all.parquet", LIQUIDS)) == 6
    write_table(frame.tail(8), parts[1], LIQUIDS)
    with pytest.raises(InputError, match=r"given by .*a.parquet and by .*b.parquet"):
        gather(parts, "liquids", tmp_path / "all.parquet")
    with pytest.raises(InputError, match="no parts"):
        gather([], "liquids", tmp_path / "all.parquet")


def test_curves_take_the_keys_of_their_run(tmp_path):
    run = liquids().head(1).assign(force_field_sha256=64 * "a")
    curves = rdf_curves()
    curves = curves[curves["system"] == "methanol"][RDF.column_names]
    write_table(run, tmp_path / "o.parquet", LIQUIDS)
    write_table(curves, tmp_path / "r.parquet", RDF)
    runs = [("liquids", tmp_path / "r.parquet", tmp_path / "o.parquet")]
    gather_curves(runs, "rdf_curves", tmp_path / "all.parquet")
    table = read_table(tmp_path / "all.parquet", RDF_CURVES)
    assert set(table["temperature_K"]) == {278.15} and set(table["system"]) == {"methanol"}
    assert set(table["force_field_sha256"]) == {64 * "a"}
    with pytest.raises(InputError, match="no curves"):
        gather_curves([], "rdf_curves", tmp_path / "all.parquet")


@pytest.mark.parametrize("name", [name for name in sorted(MAKERS) if "force_field" in TABLES[name].column_names])
def test_every_table_of_a_force_field_names_its_variant_and_refuses_two_under_one_name(name, tmp_path):
    frame = MAKERS[name]()
    several = frame.groupby(["system", "force_field"])["system"].transform("size") > 1
    variant = frame["force_field_sha256"].where(frame.index != several.idxmax(), 64 * "b")
    if several.any():
        with pytest.raises(InputError, match="one force_field_sha256 for all rows of a system.*delete"):
            write_table(frame.assign(force_field_sha256=variant), tmp_path / "t.parquet", TABLES[name])
    write_table(frame.assign(force_field_sha256=64 * "c"), tmp_path / "t.parquet", TABLES[name])
    assert set(read_table(tmp_path / "t.parquet", TABLES[name])["force_field_sha256"]) == {64 * "c"}


def test_the_checked_frame_is_a_copy():
    frame = liquids()
    checked = check_frame(frame, TABLES["liquids"], "here")
    checked.loc[0, "density_g_cm3"] = 0.0
    assert frame.loc[0, "density_g_cm3"] > 0


def test_growth_table_runs_to_twice_the_recipe_and_marks_it(tmp_path):
    from moxie.features.growth import tabulate_growth

    names = {"kinetics": "deal_grove", "ambient": "dry_O2"}
    frame = tabulate_growth(
        lambda temperature, time, face: (0.001 * temperature + time, 0.1), [973, 1073], ["100", "111"], 10.0, **names
    )
    write_table(frame, tmp_path / "g.parquet", GROWTH_CURVES)
    assert set(frame["orientation"]) == {"100", "111"}
    recipe = frame[frame["is_recipe"] & (frame["orientation"] == "111")]
    assert list(recipe["time_s"]) == [10.0, 10.0] and frame["time_s"].max() == 20.0
    assert list(recipe["thickness_nm"]) == pytest.approx([10.973, 11.073])
    with pytest.raises(InputError, match="gives nan nm at 973 K"):
        tabulate_growth(lambda temperature, time, face: (float("nan"), 0.1), [973], ["100"], 10.0, **names)
