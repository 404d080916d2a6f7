"""Growth kinetics: limits, inverse, published numbers, their errors, and the ranges outside which they refuse."""

import math

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from moxie.errors import InputError
from moxie.kinetics import (
    Step,
    deal_grove_rates,
    process_error_nm,
    process_nm,
    relative_errors,
    thickness_nm,
    thickness_with_error_nm,
    time_s,
)

# Deal and Grove 1965, dry O2 and steam, (111): T in C, B in um2/h, B/A in um/h, tau in h
DRY = [
    (1200, 0.045, 1.12, 0.027),
    (1100, 0.027, 0.30, 0.076),
    (1000, 0.0117, 0.071, 0.37),
    (920, 0.0049, 0.0208, 1.40),
    (800, 0.0011, 0.0030, 9.0),
]
STEAM = [(1200, 0.720, 14.4, 0), (1100, 0.510, 4.64, 0), (1000, 0.287, 1.27, 0), (920, 0.203, 0.406, 0)]
TABLE = [*(("dry_O2", row) for row in DRY), *(("steam", row) for row in STEAM)]

temperatures = st.floats(973, 1473)
massoud_temperatures = st.floats(1073, 1273)
times = st.floats(0.1, 1e6)
starts = st.floats(0, 50)
first_oxides = st.floats(0, 5)  # on which Massoud's fast start may begin
ambients = st.sampled_from(["dry_O2", "steam"])
orientations = st.sampled_from(["100", "110", "111"])


@pytest.mark.parametrize(("ambient", "row"), TABLE, ids=str)
def test_arrhenius_rates_agree_with_the_published_table_within_a_quarter(ambient, row):
    celsius, parabolic, linear, _ = row
    rates = deal_grove_rates(celsius + 273.15, ambient, "111")
    assert rates.parabolic_nm2_min * 60e-6 == pytest.approx(parabolic, rel=0.25)
    assert rates.linear_nm_min * 60e-3 == pytest.approx(linear, rel=0.25)


@pytest.mark.parametrize(
    ("ambient", "celsius", "expected_nm", "last_digit"),
    [
        ("dry_O2", 1000, 38.53, 0.01),
        ("dry_O2", 1100, 99.04, 0.01),
        ("steam", 1000, 388.4, 0.1),
        ("steam", 920, 178.2, 0.1),
    ],
)
def test_an_hour_of_oxidation_agrees_with_an_independent_implementation(ambient, celsius, expected_nm, last_digit):
    assert thickness_nm(celsius + 273.15, 3600, ambient) == pytest.approx(expected_nm, abs=0.51 * last_digit)


@pytest.mark.parametrize(("ambient", "row"), TABLE, ids=str)
def test_the_tables_model_solves_deal_and_groves_equation_with_the_tables_numbers(ambient, row):
    celsius, parabolic, linear, tau = row
    hours = (0.3**2 + 0.3 * parabolic / linear) / parabolic - tau  # to 0.3 um on (111), from bare silicon
    grown = thickness_nm(celsius + 273.15, 3600 * hours, ambient, "111", kinetics="deal_grove_table")
    assert grown == pytest.approx(300, rel=1e-9)


def test_the_table_and_the_single_line_are_different_constants():
    # at 920 C an hour on bare Si(100) in steam: 4 % apart in B, 13 % in B/A
    line, table = (thickness_nm(1193.15, 3600, "steam", kinetics=k) for k in ("deal_grove", "deal_grove_table"))
    assert 1.02 < table / line < 1.15


def test_table_is_interpolated_as_arrhenius_lines():
    # with tau and pressure out of the way, ln B against 1/T is straight between two rows
    inverse = [1 / (celsius + 273.15) for celsius in (1000, 1100)]
    middle = 1 / (0.5 * sum(inverse))
    thick = [
        process_nm([Step(t, 1e7, "steam", kinetics="deal_grove_table")], "111", extrapolate=True)[0]
        for t in (1273.15, middle, 1373.15)
    ]
    assert thick[1] == pytest.approx(math.sqrt(thick[0] * thick[2]), rel=0.01)  # parabolic regime: x ~ sqrt(B)


@pytest.mark.parametrize("row", DRY, ids=str)
def test_tau_of_the_table_is_a_fast_start_of_some_20_nm_that_pressure_does_not_change(row):
    celsius, parabolic, linear, tau = row
    for pressure in (1.01325, 0.2):
        step = Step(celsius + 273.15, 0.0, pressure_bar=pressure, kinetics="deal_grove_table")
        start = process_nm([step], "111", extrapolate=True)[0] / 1000
        assert start**2 + start * parabolic / linear == pytest.approx(parabolic * tau)
        assert 0.018 < start < 0.030
        assert process_nm([step], "111", 45.0) == [pytest.approx(45.0)]  # an oxide beyond the fast start stays


def test_thin_oxide_grows_linearly_and_thick_oxide_as_the_root_of_time():
    rates = deal_grove_rates(1273.15)
    assert thickness_nm(1273.15, 1.0) == pytest.approx(rates.linear_nm_min / 60, rel=1e-3)
    long = 1e9
    assert thickness_nm(1273.15, long) == pytest.approx(math.sqrt(rates.parabolic_nm2_min * long / 60), rel=5e-3)


@given(temperature=temperatures, seconds=times, start=starts, ambient=ambients, orientation=orientations)
def test_deal_grove_time_is_the_inverse_of_thickness(temperature, seconds, start, ambient, orientation):
    recipe = {"initial_oxide_nm": start, "ambient": ambient, "orientation": orientation}
    x = thickness_nm(temperature, seconds, **recipe)
    assert time_s(temperature, x, **recipe) == pytest.approx(seconds, rel=1e-6, abs=1e-6 * (1 + start) ** 2)


@given(temperature=massoud_temperatures, seconds=st.floats(0.1, 2e3), start=first_oxides)
def test_massoud_time_is_the_inverse_of_thickness(temperature, seconds, start):
    x = thickness_nm(temperature, seconds, initial_oxide_nm=start, kinetics="massoud")
    back = time_s(temperature, x, initial_oxide_nm=start, kinetics="massoud")
    assert thickness_nm(temperature, back, initial_oxide_nm=start, kinetics="massoud") == pytest.approx(x, rel=1e-9)


@given(temperature=st.floats(1193, 1473), target=st.floats(31, 1900), ambient=ambients, start=starts)
def test_the_tables_time_and_thickness_are_inverse(temperature, target, ambient, start):
    recipe = {"ambient": ambient, "initial_oxide_nm": start, "kinetics": "deal_grove_table"}
    assume(target > start)
    seconds = time_s(temperature, target, **recipe)
    assert thickness_nm(temperature, seconds, **recipe) == pytest.approx(target, rel=1e-9)


@given(
    temperature=massoud_temperatures, seconds=st.floats(0.1, 2e3), kinetics=st.sampled_from(["deal_grove", "massoud"])
)
def test_hotter_longer_and_an_initial_oxide_all_give_more(temperature, seconds, kinetics):
    base = thickness_nm(temperature, seconds, kinetics=kinetics)
    assert thickness_nm(temperature, 1.1 * seconds, kinetics=kinetics) > base > 0
    assert thickness_nm(temperature, seconds, initial_oxide_nm=1.0, kinetics=kinetics) > base
    if temperature < 1270:
        assert thickness_nm(temperature + 3, seconds, kinetics=kinetics) > base


@given(temperature=st.floats(1073, 1470), hours=st.floats(24, 1000), ambient=ambients)
def test_the_table_grows_more_when_hotter_or_longer(temperature, hours, ambient):
    assume(ambient == "dry_O2" or temperature >= 1193)
    grow = [(temperature, hours), (temperature + 3, hours), (temperature, 1.1 * hours)]
    base, hotter, longer = (
        process_nm([Step(t, 3600 * h, ambient, kinetics="deal_grove_table")], extrapolate=True)[0] for t, h in grow
    )
    assert hotter > base and longer > base


@given(
    temperature=temperatures,
    seconds=times,
    ambient=ambients,
    pressure=st.floats(0.1, 1.0),
    kinetics=st.sampled_from(["deal_grove", "deal_grove_table"]),
)
def test_more_pressure_gives_more_oxide_and_never_more_than_in_proportion(
    temperature, seconds, ambient, pressure, kinetics
):
    assume(kinetics == "deal_grove" or temperature > 1193)
    low, high = (
        process_nm([Step(temperature, seconds, ambient, p, kinetics)], extrapolate=True)[0]
        for p in (pressure, 1.05 * pressure)
    )
    assert low < high < 1.05 * low * (1 + 1e-9)


def test_faces_oxidise_in_the_order_100_110_111_and_alike_when_diffusion_limits():
    thin = [thickness_nm(1173, 60, orientation=face) for face in ("100", "110", "111")]
    assert thin[1] / thin[0] == pytest.approx(1.45, rel=0.02) and thin[2] / thin[0] == pytest.approx(1.68, rel=0.02)
    thick = [thickness_nm(1473, 1e8, "steam", face) for face in ("100", "110", "111")]
    assert thick == pytest.approx([thick[0]] * 3, rel=0.01)


def test_no_time_leaves_the_initial_oxide():
    for kinetics in ("deal_grove", "deal_grove_table"):
        assert thickness_nm(1173, 0, initial_oxide_nm=42.5, kinetics=kinetics) == pytest.approx(42.5, rel=1e-12)
    assert thickness_nm(1173, 0, initial_oxide_nm=4.5, kinetics="massoud") == pytest.approx(4.5, rel=1e-12)


def test_massoud_time_constants_fall_with_temperature():
    # with tau0 exp(+E/kT) the fast start lasts minutes at 800 C; with the wrong sign it would be over at once
    def start_nm(minutes):
        full = thickness_nm(1073.15, 60 * minutes, kinetics="massoud")
        return full

    rate_early = start_nm(1.0)
    rate_late = start_nm(101.0) - start_nm(100.0)
    assert rate_early > 2 * rate_late


def test_massoud_exceeds_deal_grove_for_thin_oxide():
    assert thickness_nm(1173, 600, kinetics="massoud") > 1.5 * thickness_nm(1173, 600)


def test_rates_follow_pressure():
    for ambient, pressure in (("steam", 2.0265), ("dry_O2", 0.506625)):
        there = deal_grove_rates(1173, ambient, pressure_bar=pressure)
        single = deal_grove_rates(1173, ambient)
        assert there.parabolic_nm2_min == pytest.approx(pressure / 1.01325 * single.parabolic_nm2_min)
        assert there.linear_nm_min == pytest.approx(pressure / 1.01325 * single.linear_nm_min)


@given(seconds=st.floats(0.1, 2e3), share=st.floats(0, 1), temperature=massoud_temperatures, start=first_oxides)
def test_massoud_growth_cut_in_two_is_the_same_growth(seconds, share, temperature, start):
    whole = process_nm([Step(temperature, seconds, kinetics="massoud")], "100", start)[-1]
    first, second = (Step(temperature, part * seconds, kinetics="massoud") for part in (share, 1 - share))
    assert process_nm([first, second], "100", start)[-1] == pytest.approx(whole, rel=1e-9)
    if share < 0.99:
        rest = time_s(temperature, whole, initial_oxide_nm=start, kinetics="massoud", steps=[vars(first)])
        assert rest == pytest.approx(second.time_s, rel=1e-3, abs=1e-3)


def test_the_excess_of_thin_dry_oxide_decays_through_all_steps():
    """Six steps of ten minutes at 1173 K on 0.8 nm are an hour: 19.5 nm, not the 30.4 of six fresh starts."""
    parts = process_nm([Step(1173, 600, kinetics="massoud")] * 6, "100", 0.8)
    assert parts[-1] == pytest.approx(thickness_nm(1173, 3600, initial_oxide_nm=0.8, kinetics="massoud"))
    cold_first = process_nm([Step(1073, 3e4, kinetics="massoud"), Step(1173, 600, kinetics="massoud")], "100", 0.8)
    fresh = thickness_nm(1173, 600, initial_oxide_nm=0.8, kinetics="massoud")
    assert 0 < cold_first[1] - cold_first[0] < fresh - 0.8


def test_the_excess_ages_over_every_oxidising_step():
    """An hour of dry oxygen at 1173.15 K uses up the same share of the excess whatever model it is grown with."""
    grown = {}
    for kinetics in ("massoud", "deal_grove"):
        steps = [Step(1173.15, 3600, kinetics=kinetics), Step(1173.15, 1800, kinetics="massoud")]
        before, after = process_nm(steps, "100", 0.8)
        grown[kinetics] = after - before
    assert grown["massoud"] == pytest.approx(5.75, abs=0.01)
    # the line's hour grows 10.1 instead of 19.6 nm: the half hour finds a thinner oxide; a fresh start gave 10.96
    assert grown["deal_grove"] == pytest.approx(6.15, abs=0.01)
    steam = process_nm([Step(1173.15, 60, "steam"), Step(1173.15, 0.0, kinetics="massoud")], "100", 0.8)
    assert steam[0] == pytest.approx(steam[1])


def test_without_its_excess_massoud_is_deal_grove_with_other_constants():
    x0, x1 = process_nm([Step(1273.15, 36000, "steam"), Step(1273.15, 1800, kinetics="massoud")], extrapolate=True)
    b = 1.70e11 * math.exp(-2.22 / (8.617333262e-5 * 1273.15))
    a = b / (7.35e6 * math.exp(-1.76 / (8.617333262e-5 * 1273.15)))
    assert x1 * (x1 + a) - x0 * (x0 + a) == pytest.approx(30 * b, rel=1e-6)


@given(seconds=times, share=st.floats(0, 1), temperature=temperatures, ambient=ambients, start=starts)
def test_deal_grove_growth_cut_in_two_is_the_same_growth(seconds, share, temperature, ambient, start):
    whole = process_nm([Step(temperature, seconds, ambient)], "100", start)[-1]
    parts = [Step(temperature, share * seconds, ambient), Step(temperature, (1 - share) * seconds, ambient)]
    assert process_nm(parts, "100", start)[-1] == pytest.approx(whole, rel=1e-9)


@given(
    first=st.tuples(massoud_temperatures, st.floats(1, 1e5)),
    second=st.tuples(massoud_temperatures, st.floats(1, 1e5)),
    kinetics=st.sampled_from(["deal_grove", "massoud"]),
)
def test_each_step_starts_from_the_oxide_of_the_one_before(first, second, kinetics):
    steps = [Step(*first, kinetics=kinetics), Step(*second, "steam"), Step(1173.0, 0.0)]
    grown = process_nm(steps, "100", 1.0, extrapolate=True)
    assume(kinetics == "deal_grove" or grown[0] < 50)
    assert grown[0] == pytest.approx(thickness_nm(*first, initial_oxide_nm=1.0, kinetics=kinetics))
    assert grown[1] == pytest.approx(thickness_nm(*second, "steam", initial_oxide_nm=grown[0]))
    assert grown[2] == pytest.approx(grown[1], rel=1e-12)
    earlier = [vars(step) for step in steps[:1]]
    assert thickness_nm(*second, "steam", initial_oxide_nm=1.0, steps=earlier) == pytest.approx(grown[1])
    needed = time_s(second[0], grown[1], "steam", initial_oxide_nm=1.0, steps=earlier)
    assert thickness_nm(second[0], needed, "steam", initial_oxide_nm=1.0, steps=earlier) == pytest.approx(grown[1])


def test_errors_of_the_constants_are_the_scatter_of_the_table_about_the_line():
    for ambient, rows in (("dry_O2", DRY), ("steam", STEAM)):
        lines = [deal_grove_rates(row[0] + 273.15, ambient, "111") for row in rows]
        of_b = [math.log(row[1] / (line.parabolic_nm2_min * 60e-6)) for row, line in zip(rows, lines, strict=True)]
        of_l = [math.log(row[2] / (line.linear_nm_min * 60e-3)) for row, line in zip(rows, lines, strict=True)]
        errors = relative_errors(ambient)
        assert errors["B"] == pytest.approx(math.sqrt(sum(x * x for x in of_b) / len(of_b)))
        assert errors["B/A"] == pytest.approx(math.sqrt(sum(x * x for x in of_l) / len(of_l)))
        assert 0.05 < min(errors.values()) and max(errors.values()) < 0.25


def test_error_is_that_of_b_over_a_for_thin_oxide_and_half_that_of_b_for_thick():
    errors = relative_errors("dry_O2")
    thin, thin_error = thickness_with_error_nm(1273.15, 1.0)
    assert thin_error / thin == pytest.approx(errors["B/A"], rel=0.01)
    thick, thick_error = thickness_with_error_nm(1273.15, 1e9)
    assert thick_error / thick == pytest.approx(0.5 * errors["B"], rel=0.02)


@given(temperature=temperatures, seconds=times, start=starts, ambient=ambients)
@settings(max_examples=50)
def test_error_follows_the_law_of_propagation(temperature, seconds, start, ambient):
    # dx (2x/B + A/B) = (x^2 - x0^2) / B dlnB + (x - x0) A/B dln(B/A), from the law at fixed time
    rates = deal_grove_rates(temperature, ambient)
    errors = relative_errors(ambient)
    x, error = thickness_with_error_nm(temperature, seconds, ambient, initial_oxide_nm=start)
    b, linear = rates.parabolic_nm2_min, rates.linear_nm_min
    expected = math.hypot((x**2 - start**2) / b * errors["B"], (x - start) / linear * errors["B/A"])
    assert error == pytest.approx(expected / (2 * x / b + 1 / linear), rel=0.03, abs=1e-9 * (1 + start))


def test_errors_of_a_constant_are_shared_between_steps():
    whole = process_error_nm([Step(1273.15, 3600)])
    cut = process_error_nm([Step(1273.15, 1800), Step(1273.15, 1800)])
    assert cut[-1] == pytest.approx(whole[-1]) and cut[0] < cut[1]
    assert process_error_nm([Step(1273.15, 0.0)], "100", 5.0) == [0.0]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: thickness_nm(900, 10), "973-1473"),
        (lambda: thickness_nm(1500, 10), "973-1473"),
        (lambda: thickness_nm(1000, 10, kinetics="massoud"), "1073-1273"),
        (lambda: thickness_nm(1300, 10, kinetics="massoud"), "1073-1273"),
        (lambda: thickness_nm(1173, 10, "steam", kinetics="massoud"), "dry_O2"),
        (lambda: thickness_nm(1173, 10, orientation="111", kinetics="massoud"), "orientation 100"),
        (lambda: thickness_nm(1173, 10, pressure_bar=0.5, kinetics="massoud"), "about 1 bar"),
        (lambda: thickness_nm(1173, 1800, initial_oxide_nm=100, kinetics="massoud"), "up to 5 nm. Name the steps"),
        (lambda: time_s(1173, 120, initial_oxide_nm=100, kinetics="massoud"), "up to 5 nm. Name the steps"),
        (lambda: thickness_nm(1273, 20000, kinetics="massoud"), "up to 50 nm. For thicker oxide use deal_grove"),
        (lambda: thickness_nm(1173, 10, kinetics="guess"), "deal_grove, deal_grove_table, massoud"),
        (lambda: thickness_nm(1173, 10, kinetics="deal_grove_table"), "30-2000 nm.*massoud"),
        (lambda: thickness_nm(1173, 1e4, "steam", kinetics="deal_grove_table"), "for steam, 1193-1473"),
        (lambda: time_s(1173, 20, kinetics="deal_grove_table"), "30-2000 nm"),
        (lambda: thickness_nm(1173, 10, ambient="air"), "dry_O2, steam"),
        (lambda: thickness_nm(1173, 10, ambient="air", kinetics="deal_grove_table"), "dry_O2, steam"),
        (lambda: thickness_nm(1173, 10, orientation="211"), "'100' or '110' or '111'"),
        (lambda: thickness_nm(1173, 10, orientation=100), "orientation is 100; it must be '100' or .*, a text"),
        (lambda: thickness_nm(1273, 1e308), "time_s is 1e.308; the thickness is too large"),
        (lambda: time_s(1173, 1e200), "target_nm is 1e.200; no finite time"),
        (
            lambda: thickness_nm(1173, 1, steps=[{"temperature": 1000, "time_s": 1}]),
            "step 1: the key 'temperature' is unknown. Keys: temperature_K, time_s",
        ),
        (lambda: thickness_nm(1173, 1, steps=[{"temperature_K": 1000}]), "step 1: time_s is missing"),
        (lambda: thickness_nm(1173, -1), "time_s"),
        (lambda: thickness_nm(1173, math.nan), "time_s"),
        (lambda: thickness_nm(1173, 1, initial_oxide_nm=-1), "initial_oxide_nm"),
        (lambda: thickness_nm(1173, 1, pressure_bar=0), "pressure_bar"),
        (lambda: thickness_nm(1173, 1, pressure_bar=10), "pressure_bar is 10.*0.02-1.1 bar"),
        (lambda: thickness_nm(1173, 1, "steam", pressure_bar=30), "pressure_bar is 30.*0.1-20.3 bar"),
        (lambda: thickness_nm(math.nan, 1), "Temperature nan"),
        (lambda: time_s(1173, 1.0, initial_oxide_nm=2.0), "target_nm"),
        (lambda: time_s(1173, 1.0, steps=[{"temperature_K": 1273.0, "time_s": 3600.0}]), "target_nm.*start, 38"),
        (lambda: process_nm([Step(1173, 1), Step(800, 1)]), "Step 2 of 2: Temperature 800 K"),
    ],
)
def test_what_is_outside_the_models_is_refused(call, message):
    with pytest.raises(InputError, match=message):
        call()
