"""Samplers on the engine: what they record, that a killed run goes on as if undisturbed, and what they refuse."""

import logging
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from moxie.errors import InputError
from moxie.oxidation.engine import Engine, SamplerError
from moxie.oxidation.ladders import EnergyCurve, choose_ladder, expected_acceptance, space_ladder
from moxie.oxidation.metropolis import sample
from moxie.oxidation.observers import Observer, Table
from moxie.oxidation.parameter_sets import load_parameters
from moxie.oxidation.replica_exchange import exchange, make_replicas, swap_probability
from moxie.oxidation.reweighting import Reweighting
from moxie.structures.silicon import diamond, insert_oxygen

PARAMETERS = load_parameters("von_alfthan_2003")
LADDER = (0.3, 0.4, 0.5)


def oxidised_crystal():
    """64 Si with O in 16 of the bonds: SiO0.25."""
    crystal = diamond((2, 2, 2))
    return insert_oxygen(crystal, crystal.bonds[::8])


NETWORK = oxidised_crystal()


def new_engine(seed=5):
    return Engine(NETWORK, PARAMETERS, seed)


def metropolis(directory=None, stop=None, engine=None, **changes):
    engine = engine or new_engine()
    arguments = {"kT_eV": 0.5, "n_moves": 900, "hop_fraction": 0.5, "every": 200} | changes
    chain = sample(
        engine,
        observers=["energy_terms", "oxidation_states"],
        checkpoint_dir=directory,
        checkpoint_interval_s=0.0,
        stop=stop,
        **arguments,
    )
    return chain, engine


def ladder_run(directory=None, stop=None, threads=1, **changes):
    replicas = make_replicas(NETWORK, PARAMETERS, 3, seed=3)
    arguments = {"n_rounds": 8, "moves_per_round": 60, "hop_fraction": 0.5, "seed": 4} | changes
    run = exchange(
        replicas,
        LADDER,
        observers=["oxidation_states"],
        threads=threads,
        checkpoint_dir=directory,
        checkpoint_interval_s=0.0,
        stop=stop,
        **arguments,
    )
    return run, replicas


@pytest.fixture(scope="module")
def undisturbed():
    return {metropolis: metropolis(), ladder_run: ladder_run()}


def bytes_of(result):
    record, engines = result
    engines = engines if isinstance(engines, list) else [engines]
    parts = [(name, values.dtype.str, values.tobytes()) for name, values in record.columns.items()]
    parts += [
        (
            engine.atoms.position.tobytes(),
            engine.atoms.neighbours.tobytes(),
            engine.atoms.stream.tobytes(),
            engine.energy,
        )
        for engine in engines
    ]
    if hasattr(record, "round_trips"):
        parts += [values.tobytes() for values in (record.swaps_tried, record.swaps_accepted, record.round_trips)]
    return [*parts, record.attempts, record.largest_drift_eV]


def stop_after(n):
    steps = iter(range(1, 10_000))
    return lambda: next(steps) == n


# what is recorded


def test_a_chain_records_energy_acceptance_and_observers_in_columns_for_pandas(undisturbed):
    chain, engine = undisturbed[metropolis]
    frame = pd.DataFrame(chain.columns)
    assert frame["moves"].tolist() == [200, 400, 600, 800, 900]
    assert (frame["kT_eV"] == 0.5).all()
    assert frame["attempts"].tolist() == [200, 200, 200, 200, 100] and chain.attempts == 900
    assert (frame["accepted"] <= frame["valid"]).all() and (frame["valid"] <= frame["attempts"]).all()
    assert 0 < chain.accepted == frame["accepted"].sum() and (frame["hops_accepted"] <= frame["accepted"]).all()
    terms = frame[["bond_energy_eV", "angle_energy_eV", "repulsion_energy_eV", "suboxide_energy_eV"]].sum(axis=1)
    assert terms.to_numpy() == pytest.approx(frame["energy_eV"].to_numpy(), abs=1e-9)
    shares = frame[[f"si{k}_fraction" for k in range(5)]]
    assert shares.sum(axis=1).to_numpy() == pytest.approx(1.0)
    # each O has two Si neighbours: the mean oxidation state is conserved
    assert (shares * range(5)).sum(axis=1).to_numpy() == pytest.approx(2 * 16 / 64)
    assert frame["energy_eV"].iloc[-1] == engine.energy
    assert chain.largest_drift_eV < 1e-8


def test_recorded_energies_are_those_of_wholly_relaxed_networks(undisturbed):
    for _, engines in undisturbed.values():
        for engine in engines if isinstance(engines, list) else [engines]:
            other = Engine(engine.to_network(), PARAMETERS)
            other.relax(1e-4, 5000)
            assert 0 <= engine.energy - other.energy < 1e-3


def test_observers_do_not_change_the_chain(undisturbed):
    engine = new_engine()
    chain = sample(engine, 0.5, 900, 0.5, every=200)
    assert (chain.columns["energy_eV"] == undisturbed[metropolis][0].columns["energy_eV"]).all()
    assert list(chain.columns) == ["moves", "kT_eV", "energy_eV", "attempts", "valid", "accepted", "hops_accepted"]


def test_an_observer_is_any_function_from_the_engine_to_numbers():
    def count_bonds(engine):
        return {"n_bonds": np.int64(len(engine.bonds())), "is_large": np.bool_(len(engine.bonds()) > 100)}

    chain = sample(new_engine(), 0.3, 20, 0.5, [count_bonds, Observer("x", lambda engine: {"x": 0.5})], every=10)
    assert chain.columns["n_bonds"].tolist() == [144, 144] and chain.columns["is_large"].tolist() == [1, 1]
    assert chain.columns["x"].tolist() == [0.5, 0.5]


@pytest.mark.parametrize(
    ("observers", "message"),
    [
        (["energy_therms"], "no observer `energy_therms`"),
        (["energy_terms", "energy_terms"], "Two observers are called `energy_terms`"),
        ([lambda engine: {"energy_eV": 1.0}], "`energy_eV`, a column that is already taken"),
        ([lambda engine: {"name": "a"}], "numbers are needed"),
        ([lambda engine: {f"x{engine.energy}": 1.0}], "same columns every time"),
    ],
)
def test_observers_that_cannot_be_recorded_are_refused(observers, message):
    with pytest.raises(InputError, match=message):
        sample(new_engine(), 0.5, 60, 0.5, observers, every=20)


@given(
    st.lists(st.tuples(st.integers(-(2**53), 2**53), st.floats(allow_nan=False)), min_size=1, max_size=8),
    st.integers(0, 8),
)
def test_a_table_continued_from_a_checkpoint_is_the_same_table(rows, cut):
    whole, table = Table(), Table()
    for k, (a, b) in enumerate(rows):
        if k == cut:
            table = Table.from_checkpoint(*table.to_checkpoint())
        whole.append({"a/b": a, "c": b})
        table.append({"a/b": a, "c": b})
    assert {k: v.tobytes() for k, v in table.columns.items()} == {k: v.tobytes() for k, v in whole.columns.items()}
    assert table.columns["a/b"].dtype == np.int64


# the same bytes


@pytest.mark.parametrize("run", [metropolis, ladder_run])
def test_the_same_seed_gives_the_same_bytes_and_another_does_not(undisturbed, run):
    assert bytes_of(run()) == bytes_of(undisturbed[run])
    if run is metropolis:
        other = metropolis(engine=new_engine(6))
    else:
        other = ladder_run(seed=5)
    assert bytes_of(other) != bytes_of(undisturbed[run])


@pytest.mark.parametrize("run", [metropolis, ladder_run])
@pytest.mark.parametrize("after", [1, 4])
def test_a_stopped_run_resumes_to_the_same_bytes(undisturbed, tmp_path, run, after):
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path, stop_after(after))
    assert bytes_of(run(tmp_path)) == bytes_of(undisturbed[run])
    # the last checkpoint holds the finished run: nothing is done twice
    assert bytes_of(run(tmp_path, stop=lambda: pytest.fail("moved on"))) == bytes_of(undisturbed[run])
    assert len(list(tmp_path.iterdir())) == 2


@pytest.mark.parametrize("run", [metropolis, ladder_run])
def test_a_killed_process_resumes_to_the_same_bytes(undisturbed, tmp_path, run):
    program = f"""
import os, signal, sys
sys.path.insert(0, {str(__file__.rsplit("/", 1)[0])!r})
from test_oxidation_samplers import {run.__name__}
steps = iter(range(1, 1000))
def stop():
    if next(steps) == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    return False
{run.__name__}({str(tmp_path)!r}, stop)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=300)
    assert done.returncode == -9, done.stderr
    assert len(list(tmp_path.glob("*.ckpt"))) == 2  # of the rounds before the one that was killed
    assert bytes_of(run(tmp_path)) == bytes_of(undisturbed[run])


@pytest.mark.parametrize("run", [metropolis, ladder_run])
def test_a_damaged_checkpoint_is_set_aside_and_the_one_before_used(undisturbed, tmp_path, caplog, run):
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path, stop_after(3))
    previous, newest = sorted(tmp_path.glob("*.ckpt"))
    content = bytearray(newest.read_bytes())
    content[len(content) // 2] ^= 1
    newest.write_bytes(content)
    with caplog.at_level(logging.INFO):
        assert bytes_of(run(tmp_path)) == bytes_of(undisturbed[run])
    assert str(newest) in caplog.text and "damaged" in caplog.text and "Resumed after" in caplog.text
    assert newest.with_suffix(".corrupt").exists()


@pytest.mark.parametrize(("run", "changes"), [(metropolis, {"kT_eV": 0.4}), (ladder_run, {"moves_per_round": 50})])
def test_a_checkpoint_of_other_settings_is_set_aside(tmp_path, caplog, run, changes):
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path, stop_after(2))
    with caplog.at_level(logging.INFO):
        resumed = run(tmp_path, **changes)
    assert "other settings" in caplog.text and list(tmp_path.glob("*.stale"))
    assert bytes_of(resumed) == bytes_of(run(**changes))


def test_the_number_of_threads_changes_nothing(undisturbed):
    for threads in (2, 5):
        assert bytes_of(ladder_run(threads=threads)) == bytes_of(undisturbed[ladder_run])


def test_broken_book_keeping_stops_the_run():
    engine = new_engine()
    broken = Observer("break", lambda engine: setattr(engine, "energy", engine.energy + 1e-6) or {"x": 0.0})
    with pytest.raises(SamplerError, match="off by"):
        sample(engine, 0.5, 40, observers=[broken], every=20)


def test_progress_says_rate_acceptance_energy_and_end(caplog, monkeypatch):
    import moxie.job

    clock = iter(range(0, 10**6, 11))
    monkeypatch.setattr(moxie.job.time, "monotonic", lambda: next(clock))
    with caplog.at_level(logging.INFO):
        metropolis()
        ladder_run()
    assert "moves/s, about" in caplog.text and "% accepted" in caplog.text and " eV" in caplog.text
    assert "rounds/s, about" in caplog.text and "round trips" in caplog.text and "% of swaps" in caplog.text


# replica exchange


def test_a_ladder_is_walked_round_by_round_by_all_replicas(undisturbed):
    run, replicas = undisturbed[ladder_run]
    frame = pd.DataFrame(run.columns)
    assert frame["round"].tolist() == np.repeat(range(8), 3).tolist() and frame["rung"].tolist() == [0, 1, 2] * 8
    assert (frame["kT_eV"] == np.tile(LADDER, 8)).all()
    assert (np.sort(frame["replica"].to_numpy().reshape(8, 3), axis=1) == [0, 1, 2]).all()
    assert run.swaps_tried.tolist() == [4, 4]
    # every accepted swap is one exchange of neighbours between two rounds
    places = np.argsort(frame["replica"].to_numpy().reshape(8, 3), axis=1)
    assert (abs(np.diff(places, axis=0)) <= 1).all() and (places[0] == [0, 1, 2]).all()
    swaps = (np.diff(places, axis=0) != 0).sum() / 2
    assert run.swaps_accepted.sum() - swaps in (0, 1)  # the swap after the last round is not in the table
    assert len({replica.atoms.stream.tobytes() for replica in replicas}) == 3


def test_swaps_are_those_that_the_recorded_energies_and_the_stream_allow(undisturbed):
    from moxie.oxidation.random_stream import seed_stream, uniform
    from moxie.seeds import derive_seed

    run, _ = undisturbed[ladder_run]
    energy, replica = (run.columns[name].reshape(8, 3) for name in ("energy_eV", "replica"))
    stream = seed_stream(derive_seed(4, "swaps"))
    for k in range(7):
        low = k % 2
        order = replica[k].copy()
        chance = np.exp((1 / LADDER[low] - 1 / LADDER[low + 1]) * (energy[k, low] - energy[k, low + 1]))
        if uniform(stream) < chance:
            order[[low, low + 1]] = order[[low + 1, low]]
        assert (replica[k + 1] == order).all()


def test_round_trips_are_counted_from_the_bottom_to_the_top_and_back():
    run, _ = ladder_run(n_rounds=60, moves_per_round=5)
    replica = run.columns["replica"].reshape(60, 3)
    for number in range(3):
        ends = [0 if row[0] == number else 2 for row in replica if number in (row[0], row[2])]
        changes = [end for k, end in enumerate(ends) if k == 0 or end != ends[k - 1]]
        if changes[0] == 2:
            changes = changes[1:]
        counted = (len(changes) - 1) // 2
        assert run.round_trips[number] - counted in (0, 1)  # one more may end after the last round
    assert run.round_trips.sum() > 0


kTs = st.floats(0.05, 2.0)
energies = st.floats(-50, 50)


@given(kTs, kTs, energies, energies)
def test_swaps_keep_the_joint_boltzmann_distribution(kT_i, kT_j, energy_i, energy_j):
    forward = swap_probability(kT_i, kT_j, energy_i, energy_j)
    back = swap_probability(kT_i, kT_j, energy_j, energy_i)
    assert 0 <= forward <= 1 and max(forward, back) == 1
    assert forward == pytest.approx(swap_probability(kT_j, kT_i, energy_j, energy_i))
    # detailed balance: p(E_i | kT_i) p(E_j | kT_j) forward = p(E_j | kT_i) p(E_i | kT_j) back
    left, right = -energy_i / kT_i - energy_j / kT_j, -energy_j / kT_i - energy_i / kT_j
    assert forward * np.exp(min(left - right, 0)) == pytest.approx(back * np.exp(min(right - left, 0)), rel=1e-6)


@pytest.mark.parametrize(
    ("kT", "message"),
    [
        ((0.3,), "has 1 rung"),
        ((), "has 0 rung"),
        ((0.4, 0.3), "does not ascend"),
        ((0.3, 0.3), "does not ascend"),
        ((0.0, 0.3), "kT_eV is 0.0"),
        ((-0.1, 0.3), "kT_eV is -0.1"),
        ((0.3, float("nan")), "kT_eV is nan"),
        ((0.3, 0.4, 0.5), "2 replicas for 3 rungs"),
    ],
)
def test_ladders_that_cannot_be_run_are_refused(kT, message):
    with pytest.raises(InputError, match=message):
        exchange(make_replicas(NETWORK, PARAMETERS, 2, 1), kT, 1, 1)


def test_replicas_of_different_kinds_or_with_one_stream_are_refused():
    first, second = make_replicas(NETWORK, PARAMETERS, 2, 1)
    twin = Engine(NETWORK, PARAMETERS, stream=first.atoms.stream)
    with pytest.raises(InputError, match="share a random stream"):
        exchange([first, twin], (0.3, 0.4), 1, 1)
    stiffer = replace(PARAMETERS, suboxide_eV=(0.0, 0.5, 0.5, 0.5, 0.0))
    for other in (Engine(diamond((2, 2, 2)), PARAMETERS, 9), Engine(NETWORK, stiffer, 9)):
        with pytest.raises(InputError, match="networks of one kind"):
            exchange([first, other], (0.3, 0.4), 1, 1)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"kT_eV": 0.0}, "kT_eV is 0.0"),
        ({"kT_eV": float("inf")}, "kT_eV is inf"),
        ({"n_moves": 0}, "n_moves is 0"),
        ({"every": 0.5}, "every is 0.5"),
        ({"hop_fraction": 1.5}, "hop_fraction is 1.5"),
    ],
)
def test_chains_that_cannot_be_run_are_refused(changes, message):
    with pytest.raises(InputError, match=message):
        metropolis(**changes)


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
    with pytest.raises(InputError, match="at least 2 probes of 100 moves"):
        choose_ladder(new_engine(), 0.2, 0.4, n_probes=3, moves_per_probe=50)


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
