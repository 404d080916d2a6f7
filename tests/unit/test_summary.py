"""Quantities judged over their states at once: a bias of one sign is seen, noise is not, and nothing is hidden."""

import math

import numpy as np
import pandas as pd
import pytest

from moxie.features.summary import summarise
from moxie.figures.front_page import front_page

ROW = {
    "stage": "oxidation",
    "system": "Si(100) oxide",
    "model": "von_alfthan_2003",
    "force_field_sha256": "",
    "temperature_K": 1000.0,
    "pressure_bar": math.nan,
    "quantity": "transition_width_A",
    "unit": "angstrom",
    "value": 5.0,
    "standard_error": 0.2,
    "n_independent": 2.0,
    "degrees_of_freedom": 1.0,
    "reference_value": 5.0,
    "reference_error": 0.0,
    "reference_kind": "experiment",
    "tested": "model",
    "source": "made up",
    "checked": "verified",
    "verdict": "agrees",
}


def table(*rows):
    return pd.DataFrame([{**ROW, **row} for row in rows])


def test_a_bias_that_no_single_pair_of_replicas_shows_is_seen_over_six_temperatures():
    rows = [
        {"temperature_K": t, "value": v}
        for t, v in zip(range(900, 1500, 100), (3.6, 3.7, 3.8, 3.7, 3.6, 3.8), strict=True)
    ]
    [single] = summarise(table(rows[0]))
    [whole] = summarise(table(*rows))
    assert single.verdict != "deviates"  # two replicas: a factor of 12.7
    assert whole.verdict == "deviates" and whole.n_states == 6
    assert whole.deviation_percent == pytest.approx(100 * (np.mean([3.6, 3.7, 3.8, 3.7, 3.6, 3.8]) / 5 - 1))
    assert whole.standard_error_percent == pytest.approx(100 * 0.2 / 5 / math.sqrt(6))


def test_noise_of_both_signs_stays_an_agreement_as_often_as_it_should():
    rng = np.random.default_rng(7)
    verdicts = []
    for _ in range(400):
        samples = 5 + rng.normal(0, 0.3, (6, 4))  # six states, four replicas each
        rows = [
            {
                "value": s.mean(),
                "standard_error": s.std(ddof=1) / 2,
                "degrees_of_freedom": 3.0,
                "temperature_K": 900.0 + i,
            }
            for i, s in enumerate(samples)
        ]
        verdicts.append(summarise(table(*rows))[0].verdict)
    share = np.mean([verdict == "agrees" for verdict in verdicts])
    assert 0.92 <= share <= 0.99


def test_an_error_of_the_reference_is_shared_and_does_not_shrink_with_the_number_of_states():
    rows = [
        {
            "value": 5.5,
            "standard_error": 0.01,
            "degrees_of_freedom": math.nan,
            "reference_error": 0.4,
            "temperature_K": t,
        }
        for t in range(900, 1900, 100)
    ]
    [whole] = summarise(table(*rows))
    assert whole.verdict == "agrees" and whole.reference_error_percent == pytest.approx(8.0)


def test_two_sources_for_one_number_are_no_two_states():
    two = [{"source": name, "reference_value": value} for name, value in (("first", 4.0), ("second", 4.5))]
    rows = [{**each, "temperature_K": t} for t in (900.0, 1000.0, 1100.0) for each in two]
    apart = sorted(summarise(table(*rows)), key=lambda each: each.deviation_percent)
    assert [each.deviation_percent for each in apart] == pytest.approx([100 * (5 / 4.5 - 1), 25.0])
    assert [each.n_states for each in apart] == [3, 3]
    assert apart[1].standard_error_percent == pytest.approx(100 * 0.2 / 4 / math.sqrt(3))
    [shown] = front_page(table(*two))["rows"]  # the worst, beside the reference that it is off from
    assert (shown["reference"], shown["deviation"], shown["states"]) == ("4", "+25 %", "")


def test_what_is_far_off_without_an_error_is_named_and_never_judged():
    rows = [{"value": 2.0, "standard_error": math.nan, "temperature_K": t} for t in (900.0, 1000.0, 1100.0)]
    [whole] = summarise(table(*rows))
    assert whole.verdict == "no verdict: no standard error" and whole.is_far
    assert front_page(table(*rows))["sentences"] == [("Do not trust:", "transition width (−60 %, Si(100) oxide).")]


def test_worst_stands_first_and_references_that_were_not_checked_are_kept_apart():
    rows = [
        {
            "quantity": "dipole_D",
            "unit": "debye",
            "value": 1.0,
            "reference_value": 1.0,
            "standard_error": 0.001,
            "degrees_of_freedom": math.nan,
        },
        {
            "quantity": "film_density_g_cm3",
            "unit": "g/cm3",
            "value": 1.0,
            "reference_value": 2.2,
            "standard_error": 0.001,
            "degrees_of_freedom": math.nan,
        },
        {
            "quantity": "film_density_g_cm3",
            "unit": "g/cm3",
            "value": 1.0,
            "reference_value": 1.0,
            "checked": "literature, unchecked",
        },
    ]
    found = summarise(table(*rows))
    assert [each.start for each in found] == ["deviates", "no verdict", "agrees"]


def test_the_front_page_counts_tests_of_the_model_alone():
    rows = [
        {"value": 3.0, "standard_error": 0.05, "degrees_of_freedom": math.nan},
        {
            "quantity": "film_density_g_cm3",
            "value": 2.2,
            "reference_value": 2.2,
            "standard_error": 0.01,
            "degrees_of_freedom": 8.0,
        },
        {
            "quantity": "oxide_thickness_nm",
            "tested": "bookkeeping",
            "value": 1.0,
            "reference_value": 1.0,
            "standard_error": 0.01,
            "degrees_of_freedom": 8.0,
        },
        {
            "quantity": "oxide_thickness_nm",
            "tested": "code",
            "system": "Si(100), 1 h in steam",
            "value": 2.0,
            "reference_value": 1.0,
            "standard_error": 0.01,
            "degrees_of_freedom": 8.0,
        },
    ]
    front = front_page(table(*rows))
    counts = {item["verdict"]: item["count"] for item in front["counts"]}
    assert counts == {"deviates": 1, "no verdict": 0, "within": 0, "agrees": 1}
    assert "tests of the code (1): failed: oxide thickness" in front["checks"]
    assert "checks of the bookkeeping (1): it passes" in front["checks"]
    assert front["sentences"] == [
        ("Trust:", "oxide density (1 comparison)."),
        ("Do not trust:", "transition width (−40 %, Si(100) oxide)."),
    ]
    assert [row["verdict"] for row in front["rows"]] == ["deviates", "agrees"]


def test_a_table_without_rows_makes_a_front_page_that_says_so():
    front = front_page(table(ROW).iloc[:0])
    assert front["sentences"] == [("Nothing to judge:", "no computed number has a reference.")] and front["rows"] == []
