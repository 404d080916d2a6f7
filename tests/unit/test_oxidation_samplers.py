"""Samplers on the engine: what they record, that a killed run goes on as if undisturbed, and what they refuse."""

import logging
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from moxie.errors import InputError
from moxie.oxidation.engine import Engine, SamplerError
from moxie.oxidation.parameter_sets import load_parameters
from moxie.oxidation.sampling.metropolis import sample
from moxie.oxidation.sampling.observers import Observer, Table
from moxie.oxidation.sampling.replica_exchange import exchange, make_replicas, swap_probability
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
        ([lambda engine: {"moves": -1}], "`moves`, a column that is already taken"),
        ([lambda engine: None], "returns None; a dict of numbers"),
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


@pytest.mark.parametrize("column", ["round", "rung", "replica"])
def test_observers_leave_the_columns_of_a_ladder_alone(column):
    with pytest.raises(InputError, match=f"`{column}`, a column that is already taken"):
        exchange(make_replicas(NETWORK, PARAMETERS, 2, 1), (0.3, 0.4), 1, 1, observers=[lambda engine: {column: 9}])


def test_checkpoints_need_a_directory(tmp_path):
    (tmp_path / "file").write_text("")
    for place in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(InputError, match=r"file is a file; name a directory"):
            metropolis(place)


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
    from moxie.oxidation.kernels.random_stream import seed_stream, uniform
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
    others = (
        Engine(diamond((2, 2, 2)), PARAMETERS, 9),
        Engine(NETWORK, stiffer, 9),
        Engine(NETWORK, PARAMETERS, 9, triangles=False),
        Engine(insert_oxygen(NETWORK, NETWORK.bonds[:1]), PARAMETERS, 9),
    )
    for other in others:
        with pytest.raises(InputError, match="networks of one kind"):
            exchange([first, other], (0.3, 0.4), 1, 1)
    more = insert_oxygen(diamond((2, 2, 2)), diamond((2, 2, 2)).bonds[:40:8])  # as many O, fewer of them bonded
    with pytest.raises(InputError, match="bonded or in reserve"):
        exchange([first, Engine(more, PARAMETERS, 9, reserve=11)], (0.3, 0.4), 1, 1)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"kT_eV": 0.0}, "kT_eV is 0.0"),
        ({"kT_eV": float("inf")}, "kT_eV is inf"),
        ({"n_moves": 0}, "n_moves is 0"),
        ({"n_moves": float("nan")}, "n_moves is nan"),
        ({"every": 0.5}, "every is 0.5"),
        ({"hop_fraction": 1.5}, "hop_fraction is 1.5"),
    ],
)
def test_chains_that_cannot_be_run_are_refused(changes, message):
    with pytest.raises(InputError, match=message):
        metropolis(**changes)
