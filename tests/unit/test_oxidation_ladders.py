"""Ladders of temperatures, and averages at temperatures between their rungs."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from moxie.errors import InputError
from moxie.oxidation.engine import Engine
from moxie.oxidation.parameter_sets import load_parameters
from moxie.oxidation.sampling.ladders import EnergyCurve, choose_ladder, expected_acceptance, space_ladder
from moxie.reweighting import Reweighting
from moxie.structures.silicon import diamond

# ladders


def constant_capacity(capacity):
    """Return the energies of `capacity` degrees of freedom that store k_B each."""
    kT = np.geomspace(0.05, 0.8, 60)
    return EnergyCurve(kT, capacity * kT, np.sqrt(capacity) * kT)


@settings(max_examples=20, deadline=None)
@given(st.floats(20, 600), st.floats(0.1, 0.6), st.floats(0.06, 0.2), st.floats(1.5, 3.8))
def test_ladders_of_constant_heat_capacity_are_geometric_and_no_longer_than_needed(capacity, wanted, low, ratio):
    ladder = space_ladder(constant_capacity(capacity), low, low * ratio, wanted)
    kT = ladder.kT_eV
    assert kT[0] == low and kT[-1] == low * ratio and (np.diff(kT) > 0).all()
    assert (ladder.expected_acceptance >= wanted - 1e-4).all()
    assert np.ptp(ladder.expected_acceptance) < 0.01
    assert kT[1:] / kT[:-1] == pytest.approx((kT[-1] / kT[0]) ** (1 / (len(kT) - 1)), rel=0.01)
    if len(kT) > 2:  # one rung fewer would not do
        wider = (kT[-1] / kT[0]) ** (1 / (len(kT) - 2))
        assert expected_acceptance(ladder.measured, low, low * wider) < wanted + 0.01


@given(st.floats(1, 500), st.floats(0.06, 0.3), st.floats(1.01, 2.0))
def test_expected_acceptance_is_that_of_normal_energies(capacity, low, ratio):
    curve, high = constant_capacity(capacity), low * ratio
    (mean_low, sd_low), (mean_high, sd_high) = curve.at(low), curve.at(high)
    generator = np.random.default_rng(1)
    cold = mean_low + sd_low * generator.standard_normal(20_000)
    hot = mean_high + sd_high * generator.standard_normal(20_000)
    direct = np.exp(np.minimum(0, (1 / low - 1 / high) * (cold - hot))).mean()
    assert expected_acceptance(curve, low, high) == pytest.approx(direct, abs=0.02)


def test_a_frozen_network_needs_two_rungs():
    curve = EnergyCurve(np.array([0.1, 0.4]), np.array([5.0, 5.0]), np.zeros(2))
    ladder = space_ladder(curve, 0.1, 0.4)
    assert ladder.kT_eV.tolist() == [0.1, 0.4] and ladder.expected_acceptance.tolist() == [1.0]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((0.4, 0.1), "the first must be the smaller"),
        ((0.0, 0.4), "kT_eV is 0.0"),
        ((0.1, 0.4, 1.0), "acceptance is 1.0"),
        ((0.1, 0.4, 0.9999999), "More than 200 rungs"),
    ],
)
def test_ladders_that_cannot_be_spaced_are_refused(arguments, message):
    with pytest.raises(InputError, match=message):
        space_ladder(constant_capacity(300), *arguments)


def test_short_probes_are_refused():
    engine = Engine(diamond((2, 2, 2)), load_parameters("von_alfthan_2003"), 5)
    with pytest.raises(InputError, match="at least 2 probes of 100 moves"):
        choose_ladder(engine, 0.2, 0.4, n_probes=3, moves_per_probe=50)


# reweighting: n harmonic degrees of freedom have the energy distribution Gamma(n/2, kT) and heat capacity n/2


def harmonic_columns(kT, rounds, n=24, seed=1, memory=0.0):
    generator = np.random.default_rng(seed)
    noise = generator.standard_normal((rounds, len(kT), n))
    for k in range(1, rounds):
        noise[k] = memory * noise[k - 1] + np.sqrt(1 - memory**2) * noise[k]
    energy = 0.5 * (noise**2).sum(axis=2) * kT
    return {
        "rung": np.tile(range(len(kT)), rounds),
        "replica": np.tile(range(len(kT)), rounds),
        "kT_eV": np.tile(kT, rounds),
        "energy_eV": energy.ravel(),
        "root": np.sqrt(energy).ravel(),
        "constant": np.full(energy.size, 3.0),
    }


@pytest.mark.parametrize("memory", [0.0, 0.9])
def test_reweighting_reproduces_harmonic_energies_with_honest_errors(memory):
    from scipy.special import gammaln

    kT = np.array([0.1, 0.15, 0.22, 0.3])
    between = np.array([0.1, 0.12, 0.18, 0.26, 0.3])
    deviations = []
    for seed in range(6):
        reweighting = Reweighting(harmonic_columns(kT, 3000, 24, seed, memory), ["root"])
        energy, root = reweighting.average("energy_eV", between), reweighting.average("root", between)
        capacity = reweighting.heat_capacity(between)
        exact_root = np.exp(gammaln(12.5) - gammaln(12)) * np.sqrt(between)
        deviations.append((energy.value - 12 * between) / energy.error)
        deviations.append((root.value - exact_root) / root.error)
        deviations.append((capacity.value - 12) / capacity.error)
        assert (energy.error < 0.03 * energy.value).all() and (capacity.error < 3).all()
        # the largest of nine estimates, never much below the truth
        assert 0.8 < reweighting.inefficiency * (1 - memory**2) / (1 + memory**2) < 2.5
    assert np.abs(deviations).max() < 3.5
    assert 0.6 < np.sqrt(np.mean(np.square(deviations))) < 1.4


def test_a_table_of_curves_is_ready_for_pandas():
    kT = np.array([0.1, 0.15, 0.2])
    reweighting = Reweighting(harmonic_columns(kT, 400), ["constant"])
    frame = pd.DataFrame(reweighting.table(np.linspace(0.1, 0.2, 5)))
    assert {"kT_eV", "energy_eV", "energy_eV_error", "heat_capacity_kB", "heat_capacity_kB_error"} <= set(frame.columns)
    assert (frame["constant"] == 3.0).all() and (frame["constant_error"] == 0.0).all()
    assert frame["energy_eV"].is_monotonic_increasing


def test_reweighting_refuses_what_was_not_sampled():
    kT = np.array([0.1, 0.15, 0.2])
    columns = harmonic_columns(kT, 400)
    reweighting = Reweighting(columns)
    for outside in (0.0999, 0.21, float("nan")):
        with pytest.raises(InputError, match="outside the sampled range 0.1 to 0.2 eV"):
            reweighting.average("energy_eV", outside)
    with pytest.raises(InputError, match="not among the observables"):
        reweighting.average("root", 0.15)
    with pytest.raises(InputError, match="lack si2_fraction"):
        Reweighting(columns, ["si2_fraction"])
    with pytest.raises(InputError, match="overlap by only .* Put a rung between"):
        Reweighting(harmonic_columns(np.array([0.1, 0.15, 0.9]), 400))
    with pytest.raises(InputError, match="effective samples; 5000 are needed"):
        Reweighting(columns, least_effective_samples=5000).average("energy_eV", 0.12)
    with pytest.raises(InputError, match="independent ones .* Run longer"):
        Reweighting(harmonic_columns(kT, 100, memory=0.98))
    with pytest.raises(InputError, match="10 rounds hold only"):
        Reweighting(harmonic_columns(kT, 10))
    with pytest.raises(InputError, match="discard_fraction is 1.0"):
        Reweighting(columns, discard_fraction=1.0)
    with pytest.raises(InputError, match="round by round"):
        Reweighting({name: values[1:] for name, values in columns.items()})
