import math

import numpy as np
import pytest
from scipy.signal import lfilter

from moxie.dynamics.precision import (
    FEWEST_INDEPENDENT,
    RESPONSES,
    StoppingRule,
    assess,
    box_targets,
    check_precision,
    gas_targets,
    is_check,
)
from moxie.dynamics.protocol import RunSettings
from moxie.dynamics.series import DIPOLE, LIQUID, as_columns
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
    assert found.standard_errors["density"] < 0.05 < found.standard_errors["energy"]
    assert not assess({"density": fast[:1000], "energy": slow[:1000]}, {"density": 0.1}, 0).reached  # n/g = 26
    assert assess({"density": fast}, {"density": 0.05}, 0).reached


def test_samples_in_segments_lead_to_the_same_decision():
    settings = RunSettings(300.0, sampling_ps=400.0, precision={"density_g_cm3": 0.002})
    generator = np.random.default_rng(7)
    rows = np.zeros((settings.total_samples, len(LIQUID)))
    run = as_columns(rows, LIQUID)
    run["density_g_cm3"][:] = 0.78 + 0.01 * autoregressive(generator, len(rows), 0.6)
    run["potential_energy_kJ_mol"][:] = autoregressive(generator, len(rows), 0.6)

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


def fluctuating(generator, settings, dielectric_constant, compressibility_per_GPa):
    """Rows of a run whose volume and dipole moment are Gaussian, with the variances that these constants ask for."""
    rows = np.zeros((settings.total_samples, len(LIQUID)))
    run = as_columns(rows, LIQUID)
    run["potential_energy_kJ_mol"][:] = autoregressive(generator, len(rows), 0.6)
    volume_nm3, scale = 14.0, 1.380649e-23 * settings.temperature_K
    sd_nm3 = math.sqrt(compressibility_per_GPa * scale * volume_nm3 * 1e18)
    run["volume_nm3"][:] = volume_nm3 + sd_nm3 * autoregressive(generator, len(rows), 0.6)
    run["density_g_cm3"][:] = 10.0 / run["volume_nm3"]
    square = (dielectric_constant - 1) * 3 * 8.8541878e-12 * volume_nm3 * 1e-27 * scale / (1.602177e-19 * 1e-9) ** 2
    for name in DIPOLE:
        run[name][:] = math.sqrt(square / 3) * autoregressive(generator, len(rows), 0.95)
    return rows


def run_until_precise(precision, seed, sampling_ps=2000.0):
    settings = RunSettings(300.0, sampling_ps=sampling_ps, sample_interval_ps=0.2, precision=precision)
    rows = fluctuating(np.random.default_rng(seed), settings, 24.0, 1.2)
    rule = StoppingRule(settings, box_targets(settings.precision), 216)
    while not rule.is_over():
        rule.add(rows[rule.n_samples : rule.n_samples + 1])
    report = rule.report()
    stationary = as_columns(rule.rows[report["n_equilibration"] :], LIQUID)
    return {name: RESPONSES[name](stationary, settings) for name in precision}, report


def test_a_run_ends_once_a_dielectric_constant_is_precise_and_its_error_covers_the_truth():
    found = [run_until_precise({"dielectric_constant": 3.0}, seed) for seed in range(24)]
    found = [each for each in found if each[1]["stopped"] == "precision reached"]
    assert len(found) >= 20  # an error from few cosines is now and then thrice as large
    means = [means["dielectric_constant"] for means, _ in found]
    assert all(
        report["standard_errors"]["dielectric_constant"] == mean.standard_error
        for mean, (_, report) in zip(means, found, strict=True)
    )
    assert all(mean.standard_error <= 3.0 and mean.n_independent >= 20 for mean in means)
    deviations = np.array([(mean.value - 24.0) / mean.standard_error for mean in means])
    assert np.mean(np.abs(deviations) < 1.96) > 0.75  # of 24, where 0.9 are expected
    assert abs(np.mean([mean.value for mean in means]) - 24.0) < 2.0
    lengths = [report["n_samples"] for _, report in found]
    assert 1000 < np.median(lengths) < 8000  # g = 39: 23^2 (2/3) g / 9 = 1500 independent of the looks


def test_a_response_function_that_stays_imprecise_ends_at_the_cap_and_says_so():
    _, report = run_until_precise({"dielectric_constant": 0.01, "isothermal_compressibility_per_GPa": 10.0}, 1, 100.0)
    assert report["stopped"] == "sampling_ps reached"
    assert not report["reached"]
    assert set(report["standard_errors"]) == {
        "potential_energy_kJ_mol", "density_g_cm3", "dielectric_constant", "isothermal_compressibility_per_GPa"
    }  # fmt: skip


def test_a_compressibility_can_be_asked_for():
    means, report = run_until_precise({"isothermal_compressibility_per_GPa": 0.1}, 2)
    assert report["stopped"] == "precision reached"
    assert means["isothermal_compressibility_per_GPa"].value == pytest.approx(1.2, abs=0.35)


@pytest.mark.parametrize(
    ("precision", "ensemble", "message"),
    [
        ({"viscosity": 0.1}, "NPT", "unknown quantity; allowed are density_g_cm3"),
        ({"density_g_cm3": 0.0}, "NPT", "must be above 0"),
        ({"potential_energy_kJ_mol": -1.0}, "NPT", "must be above 0"),
        ({"density_g_cm3": math.nan}, "NPT", "must be above 0"),
        ({"density_g_cm3": 0.001}, "NVT", "holds fixed"),
        ({"thermal_expansion_per_K": 1e-4}, "NVT", "thermal_expansion_per_K .* holds fixed"),
    ],
)
def test_a_precision_that_makes_no_sense_is_refused(precision, ensemble, message):
    with pytest.raises(InputError, match=message):
        check_precision(precision, ensemble)


def test_a_vaporisation_enthalpy_of_a_mixture_is_refused():
    with pytest.raises(InputError, match="one kind of molecule"):
        check_precision({"enthalpy_of_vaporisation_kJ_mol": 0.1}, "NPT", 2)
