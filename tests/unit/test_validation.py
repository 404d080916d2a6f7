"""Validation table: errors over replicas, and verdicts that follow the written rules."""

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_liquids import COMPOSITIONS
from made_tables import electrolytes, liquids, molecules, oxide_runs

from moxie.errors import InputError
from moxie.features.replicas import over_replicas, tabulate_over_replicas
from moxie.features.schemas import VALIDATION
from moxie.features.tables import read_table
from moxie.features.validation import make_validation_table, write_validation
from moxie.features.verdicts import RULES, Estimate, verdict, z_score
from moxie.reference.registry import UNCHECKED, VERIFIED
from moxie.timeseries import student_factor

MANY = 1000.0


@pytest.fixture(scope="module")
def table():
    return make_validation_table(
        liquids=liquids(),
        electrolytes=electrolytes(),
        oxide_runs=oxide_runs(),
        molecules=molecules(),
        compositions=COMPOSITIONS,
    )


def test_error_of_the_mean_over_three_replicas():
    estimate = over_replicas([1.0, 2.0, 3.0], [0.1, 0.1, 0.1], [50, 50, 50])
    assert estimate == Estimate(2.0, pytest.approx(1 / math.sqrt(3)), 3.0, 2.0)


def test_errors_of_two_runs_are_propagated_and_their_samples_added():
    estimate = over_replicas([1.0, 1.2], [0.03, 0.04], [20, 30])
    assert estimate == Estimate(pytest.approx(1.1), pytest.approx(0.025), 50.0)


def test_one_replica_without_own_error_has_an_unknown_error():
    assert math.isnan(over_replicas([1.0]).standard_error)
    assert over_replicas([np.nan, np.nan]) is None
    assert over_replicas([np.nan, 2.0, 4.0]).value == 3.0


@pytest.mark.parametrize(
    ("estimate", "reference", "error", "checked", "goal", "expected"),
    [
        (Estimate(1.0, 0.01, MANY), 1.0, 0.0, UNCHECKED, None, "no verdict: reference unchecked"),
        (Estimate(1.0, math.nan, 1), 1.0, 0.1, VERIFIED, None, "no verdict: no standard error"),
        (Estimate(1.0, 0.0, math.nan), 1.0, None, VERIFIED, None, "no verdict: no standard error"),
        (Estimate(1.0, 0.4, MANY), 1.0, 0.0, VERIFIED, None, "no verdict: too imprecise"),
        (Estimate(1.1, 0.1, MANY), 1.0, 0.0, VERIFIED, 5.0, "no verdict: too imprecise"),
        (Estimate(1.04, 0.1, MANY), 1.0, 0.0, VERIFIED, 5.0, "agrees"),
        (Estimate(1.015, 0.01, MANY), 1.0, None, VERIFIED, None, "agrees"),
        (Estimate(1.025, 0.01, MANY), 1.0, None, VERIFIED, None, "deviates"),
        (Estimate(1.025, 0.01, MANY), 1.0, None, VERIFIED, 3.0, "within 3 %"),
        (Estimate(1.035, 0.01, MANY), 1.0, None, VERIFIED, 3.0, "deviates"),
        (Estimate(1.1, 0.01, 2, 1), 1.0, None, VERIFIED, None, "agrees"),  # two replicas: factor 12.7
        (Estimate(1.13, 0.01, 2, 1), 1.0, None, VERIFIED, None, "deviates"),
        (Estimate(2.2, 0.0, math.nan), 1.85, 0.01, VERIFIED, None, "deviates"),  # deterministic
    ],
)
def test_verdict_follows_its_rules(estimate, reference, error, checked, goal, expected):
    assert verdict(estimate, reference, error, checked, goal) == expected


@pytest.mark.parametrize("replicas", [1, 2, 4])
def test_verdicts_count_the_uncertainty_of_an_error_once(replicas):
    """True agreement is found in 95 of 100 cases: from the widened error of a single run and from the scatter of four.

    Two widened errors are propagated, which is careful: |t| with six degrees of freedom is below 3.18 in 98.1 of 100.
    """
    rng = np.random.default_rng(replicas)
    freedom, cases = 3, 1500
    widened = student_factor(freedom) * np.sqrt(rng.chisquare(freedom, (cases, replicas)) / freedom)
    runs = zip(10 + rng.normal(size=(cases, replicas)), widened, strict=True)
    found = [over_replicas(values, errors, np.full(replicas, 6.0)) for values, errors in runs]
    agreed = np.mean([verdict(estimate, 10.0, 0.0, VERIFIED) == "agrees" for estimate in found])
    judged = np.mean([not verdict(estimate, 10.0, 0.0, VERIFIED).startswith("no") for estimate in found])
    assert agreed / judged == pytest.approx(0.95 if replicas != 2 else 0.981, abs=0.015)


@given(st.floats(-10, 10), st.floats(0.001, 1), st.floats(0, 1))
def test_z_score_is_antisymmetric_about_the_reference(deviation, own, other):
    above = z_score(Estimate(5 + deviation, own, 10), 5.0, other)
    below = z_score(Estimate(5 - deviation, own, 10), 5.0, other)
    assert above == pytest.approx(-below, abs=1e-9)
    assert abs(above) <= abs(deviation) / own + 1e-9


def test_every_stage_is_compared(table):
    assert set(table["stage"]) == {"dynamics", "oxidation", "molecules"}
    names = set(table["quantity"])
    assert {"density_g_cm3", "enthalpy_of_vaporisation_kJ_mol", "film_density_g_cm3", "dipole_D"} <= names
    assert {"film_si_o_si_angle_deg", "suboxide_total_per_cm2", "transition_width_A", "oxide_thickness_nm"} <= names
    assert (table["quantity"] == "density_g_cm3").sum() == 9  # 3 liquids x 3 temperatures; not the given one


def test_unchecked_references_get_neither_verdict_nor_z(table):
    rows = table[table["checked"] != VERIFIED]
    assert len(rows) and rows["z_score"].isna().all()
    assert set(rows["verdict"]) == {"no verdict: reference unchecked"}


def test_deviations_are_shown_where_there_is_no_verdict(table):
    assert table["deviation_percent"].notna().all()


@pytest.mark.parametrize(("model", "kinds"), [("gaff", 2), ("gaff2", 1), ("trappe_ua", 1)])
def test_simulated_density_is_a_reference_for_the_same_force_field_only(model, kinds):
    runs = liquids(temperatures_K=(298.15,)).assign(force_field=model)
    table = make_validation_table(liquids=runs, compositions=COMPOSITIONS)
    rows = table[(table["system"] == "methanol") & (table["quantity"] == "density_g_cm3")]
    assert len(rows) == kinds
    assert rows["reference_value"].between(0.78, 0.79).all()


def test_dipoles_of_a_density_functional_stand_beside_those_of_tight_binding():
    both = molecules().assign(density_functional="b3lyp/def2-tzvppd", dft_dipole_D=1.86)
    rows = make_validation_table(molecules=both)
    water = rows[rows["system"] == "water"].set_index("model")["value"]
    assert water.to_dict() == {"GFN2-xTB": 2.217, "b3lyp/def2-tzvppd": 1.86}


def test_density_is_compared_with_the_equation_of_state(table):
    row = table[(table["system"] == "methanol") & (table["quantity"] == "density_g_cm3")]
    row = row[row["temperature_K"] == 298.15].iloc[0]
    assert row["reference_value"] == pytest.approx(0.7863, abs=1e-4)
    assert row["deviation_percent"] == pytest.approx(100 * (0.779 / 0.78633 - 1), abs=0.01)


def test_oxide_errors_are_those_over_replicas_of_the_final_stage(table):
    runs = oxide_runs()
    final = runs[runs["is_final"] & (runs["temperature_K"] == 1173.0)]["transition_width_A"]
    row = table[(table["quantity"] == "transition_width_A") & (table["temperature_K"] == 1173.0)].iloc[0]
    assert row["value"] == pytest.approx(final.mean())
    assert row["standard_error"] == pytest.approx(final.std() / math.sqrt(2))
    assert row["n_independent"] == 2 and row["degrees_of_freedom"] == 1


def test_growth_kinetics_agree_with_an_independent_implementation():
    from moxie.kinetics import thickness_nm

    rows = make_validation_table(growth_nm=thickness_nm)
    assert list(rows["temperature_K"]) == [1273.15, 1373.15, 1193.15, 1273.15]
    assert (rows["verdict"] == "agrees").all() and (rows["quantity"] == "oxide_thickness_nm").all()
    wrong = make_validation_table(growth_nm=lambda *args, **recipe: 1.01 * thickness_nm(*args, **recipe))
    assert (wrong["verdict"] == "deviates").all()


def test_rows_of_a_force_field_name_its_variant_and_the_others_none(table):
    of_force_field = table["stage"] == "dynamics"
    assert set(table["force_field_sha256"][of_force_field]) == {64 * "0"}
    assert set(table["force_field_sha256"][~of_force_field]) == {""} and (~of_force_field).any()


def test_replicas_of_two_variants_are_never_averaged(tmp_path):
    runs = liquids((298.15,)).query("system == 'ethanol'")
    other = runs.assign(replica=1, density_g_cm3=0.9, force_field_sha256=64 * "b")
    both = make_validation_table(liquids=pd.concat([runs, other]), compositions=COMPOSITIONS)
    densities = both[both["quantity"] == "density_g_cm3"].groupby("force_field_sha256")["value"].first()
    assert densities.to_dict() == {64 * "0": runs["density_g_cm3"].iloc[0], 64 * "b": 0.9}
    with pytest.raises(InputError, match="is given more than once"):
        write_validation(both, tmp_path / "v.parquet", tmp_path / "v.csv")


def test_both_files_hold_the_same_rows(table, tmp_path):
    import pandas as pd

    write_validation(table, tmp_path / "v.parquet", tmp_path / "v.csv")
    from_parquet = read_table(tmp_path / "v.parquet", VALIDATION)
    from_csv = pd.read_csv(tmp_path / "v.csv")
    assert list(from_csv.columns) == list(from_parquet.columns) and len(from_csv) == len(table)
    np.testing.assert_allclose(from_csv["value"], from_parquet["value"], rtol=1e-7)


def test_a_study_without_results_gives_an_empty_table():
    assert len(make_validation_table()) == 0


def test_tables_and_single_quantities_have_the_same_means_over_replicas():
    rng = np.random.default_rng(3)
    for n in (1, 2, 3, 5):
        frame = pd.DataFrame({"state": 1, "q": rng.normal(size=n), "q_standard_error": rng.uniform(0.1, 0.2, n)})
        whole = tabulate_over_replicas(frame, ["state"], "q").iloc[0]
        single = over_replicas(frame["q"], frame["q_standard_error"], np.full(n, 9.0))
        assert whole["q"] == pytest.approx(single.value)
        assert whole["q_standard_error"] == pytest.approx(single.standard_error)
        assert whole["n_replicas"] == n
        bare = tabulate_over_replicas(frame[["state", "q"]], ["state"], "q").iloc[0]["q_standard_error"]
        assert bare == pytest.approx(over_replicas(frame["q"]).standard_error, nan_ok=True)


def test_every_rule_of_the_verdict_can_be_met():
    met = {
        verdict(Estimate(1.0, 0.0, math.nan), 1.0, None, UNCHECKED),
        verdict(Estimate(1.0, math.nan, 1.0), 1.0, None, VERIFIED),
        verdict(Estimate(1.0, 0.9, 9.0), 1.0, None, VERIFIED),
        verdict(Estimate(1.0, 0.01, MANY), 1.0, None, VERIFIED),
        verdict(Estimate(1.02, 0.001, MANY), 1.0, None, VERIFIED, 3.0),
        verdict(Estimate(1.5, 0.01, MANY), 1.0, None, VERIFIED, 3.0),
    }
    assert met == {rule.verdict.format(goal=3.0) for rule in RULES}
