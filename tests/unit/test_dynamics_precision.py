import math

import numpy as np
import pytest
from scipy.signal import lfilter

from moxie.dynamics.precision import (
    FEWEST_INDEPENDENT,
    StoppingRule,
    assess,
    box_targets,
    check_precision,
    gas_targets,
    is_check,
)
from moxie.dynamics.protocol import Settings
from moxie.errors import InputError

MEMORY = 0.8  # g = 9
CAP = 6000


def autoregressive(generator, count, memory):
    noise = generator.normal(size=count) * math.sqrt(1 - memory**2)
    noise[0] = generator.normal()
    return lfilter([1.0], [1.0, -memory], noise)


def sample_until(generator, target):
    """Apply the rule to a density of zero mean and unit variance, and a faster energy; return what it stopped with."""
    density, energy = autoregressive(generator, CAP, MEMORY), autoregressive(generator, CAP, 0.5)
    for count in range(1, CAP + 1):
        if is_check(count, 0):
            found = assess({"density": density[:count], "energy": energy[:count]}, {"density": target}, 0)
            if found.reached:
                break
    return density[found.start : count].mean(), found.standard_errors["density"], count


@pytest.mark.parametrize("target", [0.2, pytest.param(0.1, marks=pytest.mark.slow)])
def test_error_at_the_stop_covers_the_truth_at_about_the_stated_rate(target):
    generator = np.random.default_rng(20)
    stops = np.array([sample_until(generator, target) for _ in range(60)])
    deviations = stops[:, 0] / stops[:, 1]
    assert np.mean(np.abs(deviations) < 1.96) >= 0.85  # 0.95 - 3 standard deviations of 60 draws
    assert deviations.std() < 1.35
    assert (stops[:, 1] <= target).all()
    assert stops[:, 0].std() < 1.3 * target
    needed = max(9 / target**2, 9 * FEWEST_INDEPENDENT)
    assert 0.7 * needed < stops[:, 2].mean() < 1.9 * needed


def test_a_run_is_judged_at_geometrically_spaced_times():
    checks = [number for number in range(2000) if is_check(number, 50)]
    assert checks == [150, 191, 250, 333, 450, 616, 850, 1181, 1650]


def test_a_lucky_moment_does_not_end_a_run():
    quiet = np.random.default_rng(0).normal(size=45) * 1e-6
    assert not assess({"density": quiet}, {"density": 0.1}, 0).reached


def test_the_slower_series_decides_for_both():
    generator = np.random.default_rng(3)
    slow, fast = autoregressive(generator, 4000, 0.95), autoregressive(generator, 4000, 0.0)
    found = assess({"density": fast, "energy": slow}, {"density": 0.05}, 0)
    assert found.n_independent == pytest.approx(4000 / 39, rel=0.5)
    assert found.standard_errors["density"] == pytest.approx(1 / math.sqrt(found.n_independent), rel=0.1)
    assert not found.reached
    assert assess({"density": fast}, {"density": 0.05}, 0).reached


def test_samples_in_segments_lead_to_the_same_decision():
    settings = Settings(300.0, sampling_ps=400.0, precision={"density_g_cm3": 0.002})
    generator = np.random.default_rng(7)
    rows = np.zeros((settings.total_samples, 8))
    rows[:, 4] = 0.78 + 0.01 * autoregressive(generator, len(rows), 0.6)
    rows[:, 1] = autoregressive(generator, len(rows), 0.6)

    def end(cuts):
        rule = StoppingRule(settings, box_targets(settings.precision), 10)
        for first, last in zip([0, *cuts], cuts, strict=False):
            rule.add(rows[first:last])
        while not rule.is_over():
            rule.add(rows[rule.n_samples : rule.n_samples + 1])
        return rule.report()

    whole = end([])
    assert whole["stopped"] == "precision reached"
    assert whole["standard_errors"]["density_g_cm3"] <= 0.002
    assert whole["n_independent"] >= FEWEST_INDEPENDENT
    count = whole["n_samples"]
    assert [end(cuts) for cuts in ([count], [count - 1], [33, 200], [count // 2, count])] == [whole] * 4


def test_an_enthalpy_of_vaporisation_is_shared_between_liquid_and_gas():
    precision = {"enthalpy_of_vaporisation_kJ_mol": 0.1, "density_g_cm3": 0.001}
    liquid, gas = box_targets(precision), gas_targets(precision)
    assert math.hypot(liquid["potential_energy_kJ_mol"], gas["potential_energy_kJ_mol"]) == pytest.approx(0.1)
    assert liquid["density_g_cm3"] == 0.001
    assert gas_targets({"potential_energy_kJ_mol": 0.1}) == {}
    assert box_targets({**precision, "potential_energy_kJ_mol": 0.01})["potential_energy_kJ_mol"] == 0.01


@pytest.mark.parametrize(
    ("precision", "ensemble", "message"),
    [
        ({"viscosity": 0.1}, "NPT", "unknown quantity; allowed are density_g_cm3"),
        ({"density_g_cm3": 0.0}, "NPT", "must be above 0"),
        ({"potential_energy_kJ_mol": -1.0}, "NPT", "must be above 0"),
        ({"density_g_cm3": math.nan}, "NPT", "must be above 0"),
        ({"density_g_cm3": 0.001}, "NVT", "holds fixed"),
    ],
)
def test_a_precision_that_makes_no_sense_is_refused(precision, ensemble, message):
    with pytest.raises(InputError, match=message):
        check_precision(precision, ensemble)


def test_a_vaporisation_enthalpy_of_a_mixture_is_refused():
    with pytest.raises(InputError, match="one kind of molecule"):
        check_precision({"enthalpy_of_vaporisation_kJ_mol": 0.1}, "NPT", 2)
