"""Growth kinetics: limits, inverse, published numbers, and the ranges outside which they refuse."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moxie.errors import InputError
from moxie.oxidation.kinetics import deal_grove_rates, thickness_nm, time_s

# Deal and Grove 1965, dry O2 and steam, (111): T in C, B in um2/h, B/A in um/h
DRY = [(1200, 0.045, 1.12), (1100, 0.027, 0.30), (1000, 0.0117, 0.071), (920, 0.0049, 0.0208), (800, 0.0011, 0.0030)]
STEAM = [(1200, 0.720, 14.4), (1100, 0.510, 4.64), (1000, 0.287, 1.27), (920, 0.203, 0.406)]

temperatures = st.floats(973, 1473)
massoud_temperatures = st.floats(1073, 1273)
times = st.floats(0.1, 1e6)
starts = st.floats(0, 50)


@pytest.mark.parametrize(
    ("ambient", "row"), [*(("dry_O2", row) for row in DRY), *(("steam", row) for row in STEAM)], ids=str
)
def test_arrhenius_rates_agree_with_the_published_table_within_a_quarter(ambient, row):
    celsius, parabolic, linear = row
    rates = deal_grove_rates(celsius + 273.15, ambient, "111")
    assert rates.parabolic_nm2_min * 60e-6 == pytest.approx(parabolic, rel=0.25)
    assert rates.linear_nm_min * 60e-3 == pytest.approx(linear, rel=0.25)


@pytest.mark.parametrize(("celsius", "expected_nm"), [(1000, 38.53), (1100, 99.04)])
def test_an_hour_of_dry_oxidation_agrees_with_an_independent_implementation(celsius, expected_nm):
    assert thickness_nm(celsius + 273.15, 3600) == pytest.approx(expected_nm, rel=0.005)


def test_an_hour_of_steam_agrees_with_an_independent_implementation():
    assert thickness_nm(1273.15, 3600, "steam") == pytest.approx(388.4, rel=0.02)


def test_thin_oxide_grows_linearly_and_thick_oxide_as_the_root_of_time():
    rates = deal_grove_rates(1273.15)
    assert thickness_nm(1273.15, 1.0) == pytest.approx(rates.linear_nm_min / 60, rel=1e-3)
    long = 1e9
    assert thickness_nm(1273.15, long) == pytest.approx(math.sqrt(rates.parabolic_nm2_min * long / 60), rel=5e-3)


@given(temperature=temperatures, seconds=times, start=starts)
def test_deal_grove_time_is_the_inverse_of_thickness(temperature, seconds, start):
    x = thickness_nm(temperature, seconds, initial_oxide_nm=start)
    back = time_s(temperature, x, initial_oxide_nm=start)
    assert thickness_nm(temperature, back, initial_oxide_nm=start) == pytest.approx(x, rel=1e-9)


@given(temperature=massoud_temperatures, seconds=times, start=starts)
def test_massoud_time_is_the_inverse_of_thickness(temperature, seconds, start):
    x = thickness_nm(temperature, seconds, initial_oxide_nm=start, kinetics="massoud")
    back = time_s(temperature, x, initial_oxide_nm=start, kinetics="massoud")
    assert thickness_nm(temperature, back, initial_oxide_nm=start, kinetics="massoud") == pytest.approx(x, rel=1e-6)


@given(temperature=massoud_temperatures, seconds=times, kinetics=st.sampled_from(["deal_grove", "massoud"]))
def test_hotter_longer_and_an_initial_oxide_all_give_more(temperature, seconds, kinetics):
    base = thickness_nm(temperature, seconds, kinetics=kinetics)
    assert thickness_nm(temperature, 1.1 * seconds, kinetics=kinetics) > base > 0
    assert thickness_nm(temperature, seconds, initial_oxide_nm=1.0, kinetics=kinetics) > base
    if temperature < 1270:
        assert thickness_nm(temperature + 3, seconds, kinetics=kinetics) > base


def test_no_time_leaves_the_initial_oxide():
    for kinetics in ("deal_grove", "massoud"):
        assert thickness_nm(1173, 0, initial_oxide_nm=2.5, kinetics=kinetics) == pytest.approx(2.5, rel=1e-12)


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
    double = deal_grove_rates(1173, pressure_bar=2.0265)
    single = deal_grove_rates(1173)
    assert double.parabolic_nm2_min == pytest.approx(2 * single.parabolic_nm2_min)
    assert double.linear_nm_min == pytest.approx(2 * single.linear_nm_min)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: thickness_nm(900, 10), "973-1473"),
        (lambda: thickness_nm(1500, 10), "973-1473"),
        (lambda: thickness_nm(1000, 10, kinetics="massoud"), "1073-1273"),
        (lambda: thickness_nm(1300, 10, kinetics="massoud"), "1073-1273"),
        (lambda: thickness_nm(1173, 10, "steam", kinetics="massoud"), "dry_O2"),
        (lambda: thickness_nm(1173, 10, orientation="111", kinetics="massoud"), "orientation 100"),
        (lambda: thickness_nm(1173, 10, pressure_bar=3, kinetics="massoud"), "about 1 bar"),
        (lambda: thickness_nm(1173, 10, kinetics="guess"), "deal_grove or massoud"),
        (lambda: thickness_nm(1173, 10, ambient="air"), "dry_O2, steam"),
        (lambda: thickness_nm(1173, 10, orientation="110"), "100, 111"),
        (lambda: thickness_nm(1173, -1), "time_s"),
        (lambda: thickness_nm(1173, 1, initial_oxide_nm=-1), "initial_oxide_nm"),
        (lambda: thickness_nm(1173, 1, pressure_bar=0), "pressure_bar"),
        (lambda: thickness_nm(math.nan, 1), "Temperature nan"),
        (lambda: time_s(1173, 1.0, initial_oxide_nm=2.0), "target_nm"),
    ],
)
def test_what_is_outside_the_models_is_refused(call, message):
    with pytest.raises(InputError, match=message):
        call()
