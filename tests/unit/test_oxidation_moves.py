"""Moves keep what they must keep, and the book-keeping of the sampler stays exact."""

import json
from dataclasses import replace

import numpy as np
import pytest

from moxie.errors import InputError
from moxie.oxidation.engine import Engine, SamplerError
from moxie.oxidation.kernels import batch, moves
from moxie.oxidation.kernels.compilation import called_from_python
from moxie.oxidation.kernels.random_stream import below, seed_stream, uniform
from moxie.oxidation.parameter_sets import load_parameters
from moxie.oxidation.rejection import Rejection, false_kill_rate
from moxie.structures.network import validate
from moxie.structures.silicon import beta_cristobalite, diamond, silicon_slab


@pytest.fixture(scope="module")
def parameters():
    return load_parameters("von_alfthan_2003")


def oxidised(parameters, seed=1, cells=(2, 2, 3), count=16):
    engine = Engine(silicon_slab(cells, 2), parameters, seed)
    for _ in range(count):
        bonds = engine.bonds()
        free = (engine.atoms.species[bonds] == 0).all(axis=1) & ~engine.atoms.frozen[bonds].any(axis=1)
        heights = engine.atoms.position[bonds[free], 2].min(axis=1)
        engine.insert_oxygen(*bonds[free][heights.argmax()].tolist())
        engine.relax(0.1, 60)
    return engine


@pytest.mark.parametrize("hop_fraction", [0.0, 0.5, 1.0])
def test_moves_conserve_composition_bonds_and_frozen_atoms(parameters, hop_fraction):
    engine = oxidised(parameters)
    before = engine.to_network()
    tally = engine.run(4000, 1.0, hop_fraction)
    after = engine.to_network()  # validates coordination, double bonds, O-O
    assert tally.accepted > 10
    assert key(after.bonds) != key(before.bonds)
    assert len(after.bonds) == len(before.bonds)
    assert (after.species == before.species).all()
    assert (after.coordination() == before.coordination()).all()
    assert (after.positions[after.frozen] == before.positions[before.frozen]).all()
    frozen = np.flatnonzero(before.frozen)
    assert all(before.neighbours()[atom] == after.neighbours()[atom] for atom in frozen)
    assert not doubly_linked(after)
    if hop_fraction == 0:
        assert tally.hops_valid == 0
    if hop_fraction == 1:
        assert tally.hops_accepted == tally.accepted


def key(bonds):
    return {tuple(bond) for bond in bonds.tolist()}


def doubly_linked(network):
    near = network.neighbours()
    for i in np.flatnonzero(network.species == "Si"):
        ends = [k for j in near[i] for k in ([j] if network.species[j] == "Si" else set(near[j]) - {i})]
        if len(ends) != len(set(ends)):
            return True
    return False


def test_hops_alone_never_change_the_silicon_network(parameters):
    engine = oxidised(parameters)

    def links(network):
        near = network.neighbours()
        direct = {tuple(b) for b in network.bonds.tolist() if (network.species[b] == "Si").all()}
        return direct | {tuple(sorted(near[o])) for o in np.flatnonzero(network.species == "O")}

    before = links(engine.to_network())
    engine.run(3000, 0.8, 1.0)
    assert links(engine.to_network()) == before


@pytest.mark.parametrize("make", [lambda: diamond((2, 2, 2)), lambda: beta_cristobalite((2, 2, 2))])
def test_bulk_networks_melt_when_hot_and_stay_valid(parameters, make):
    engine = Engine(make(), parameters, 5)
    engine.relax()
    tally = engine.run(3000, 2.0)
    assert tally.accepted > 20
    validate(engine.to_network(), "melt")
    assert abs(engine.check_energy()) < 1e-8


def test_running_energy_agrees_with_full_recomputation_after_many_moves(parameters):
    engine = oxidised(parameters)
    for _ in range(5):
        engine.run(2000, 0.6, 0.4)
        assert abs(engine.drift()) < 1e-8


def test_a_broken_running_energy_is_noticed(parameters):
    engine = oxidised(parameters, count=2)
    engine.energy += 1e-6
    with pytest.raises(SamplerError, match="off by"):
        engine.check_energy()


def test_a_cold_chain_never_accepts_a_rise(parameters):
    engine = oxidised(parameters)
    engine.relax(0.01, 1000)
    energies = [engine.energy]
    for _ in range(20):
        engine.run(200, 1e-9, 0.3)
        energies.append(engine.energy)
    assert (np.diff(energies) <= 1e-9).all()


def test_same_seed_same_bytes_other_seed_other_chain(parameters):
    def chain(seed):
        engine = oxidised(parameters, seed, count=6)
        engine.run(1500, 0.6, 0.3)
        return engine.to_network().positions.tobytes(), engine.energy

    assert chain(3) == chain(3)
    assert chain(3) != chain(4)


def test_insertion_and_removal_are_inverse(parameters):
    engine = Engine(diamond((2, 2, 2)), parameters)
    before = engine.to_network()
    i, j = before.bonds[7].tolist()
    oxygen = engine.insert_oxygen(i, j)
    oxide = engine.to_network()
    assert len(oxide.bonds) == len(before.bonds) + 1 and oxide.neighbours()[oxygen] == sorted([i, j])
    assert engine.energy_terms().suboxide == pytest.approx(2 * 0.47)
    engine.remove_oxygen(oxygen)
    after = engine.to_network()
    assert (after.bonds == before.bonds).all() and (after.positions == before.positions).all()


def test_removal_renumbers_what_follows(parameters):
    engine = Engine(diamond((2, 2, 2)), parameters)
    bonds = engine.to_network().bonds
    first = engine.insert_oxygen(*bonds[0].tolist())
    engine.insert_oxygen(*bonds[40].tolist())
    engine.remove_oxygen(first)
    network = engine.to_network()
    assert network.neighbours()[first] == sorted(bonds[40].tolist())


def test_impossible_insertions_and_removals_are_refused(parameters):
    engine = Engine(silicon_slab((2, 2, 2), 2), parameters)
    network = engine.to_network()
    frozen = next(bond for bond in network.bonds.tolist() if network.frozen[bond].all())
    oxygen = int(np.flatnonzero(network.species == "O")[0])
    for i, j in (frozen, (oxygen, network.neighbours()[oxygen][0]), (20, 31)):
        with pytest.raises(InputError, match="no O can be inserted"):
            engine.insert_oxygen(i, j)
    with pytest.raises(InputError, match="cannot be removed"):
        engine.remove_oxygen(20)


def test_engine_refuses_what_it_cannot_treat(parameters):
    with pytest.raises(InputError, match="no parameters for O"):
        Engine(silicon_slab((2, 2, 2), 1), load_parameters("keating_1966"))
    with pytest.raises(InputError, match="larger cell"):
        Engine(diamond((1, 1, 1)), parameters)
    with pytest.raises(InputError, match="reserve is nan"):
        Engine(diamond((2, 2, 2)), parameters, reserve=float("nan"))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"n_moves": -5}, "n_moves is -5"),
        ({"n_moves": float("nan")}, "n_moves is nan"),
        ({"n_moves": 10.5}, "n_moves is 10.5"),
        ({"kT_eV": -0.3}, "kT_eV is -0.3"),
        ({"kT_eV": float("nan")}, "kT_eV is nan"),
        ({"hop_fraction": 5.0}, "hop_fraction is 5.0"),
        ({"exchange_fraction": -0.1}, "exchange_fraction is -0.1"),
        ({"hop_fraction": 0.7, "exchange_fraction": 0.7}, "together they are at most 1"),
        ({"chemical_potential_eV": float("nan")}, "chemical_potential_eV is nan"),
        ({"active": np.ones(72, bool)}, r"array of bool of shape \(72,\); .* np.flatnonzero"),
        ({"active": np.array([3.0, 4.0])}, "array of float64"),
        ({"active": [3, 70]}, "atom 70, which is O"),
        ({"active": [-1, 3]}, "from -1 to 3; the engine has 0 to 71"),
        ({"active": [3, 4000]}, "from 3 to 4000"),
    ],
)
def test_batches_that_cannot_be_run_are_refused(parameters, changes, message):
    engine = Engine(silicon_slab((2, 2, 2), 2), parameters, 1)
    assert len(engine.atoms.species) == 72
    state = engine.atoms.stream.tobytes()
    with pytest.raises(InputError, match=message):
        engine.run(**({"n_moves": 20, "kT_eV": 0.3} | changes))
    assert engine.atoms.stream.tobytes() == state
    assert engine.run(20, 0.3, active=[]).attempts == 0 and engine.run(20.0, 0, active=engine.silicons).attempts == 20


def test_constants_are_not_sought_at_zero_temperature(parameters):
    engine = Engine(silicon_slab((2, 2, 2), 2), parameters, 1)
    for call in (engine.calibrate, engine.measure_false_kills, engine.learn_surrogate):
        with pytest.raises(InputError, match="kT_eV is 0.0; it must be positive"):
            call(0.0)


def test_calibrated_rejection_gives_up_few_acceptable_moves(parameters):
    engine = oxidised(parameters, cells=(2, 2, 3), count=24)
    engine.relax(0.01, 1000)
    slow = engine.run(1000, 0.4, 0.3)
    calibration = engine.calibrate(0.4, 0.3, n_first=500, n_followed=1000)
    assert calibration.effective > 50
    rate, number = engine.measure_false_kills(0.4, 0.3, n_followed=1000)
    assert number > 50 and rate < 0.03
    fast = engine.run(4000, 0.4, 0.3)
    assert fast.evaluations / fast.valid < 0.5 * slow.evaluations / slow.valid
    assert abs(engine.check_energy()) < 1e-8
    assert Rejection.from_dict(json.loads(json.dumps(calibration.rejection.to_dict()))) == calibration.rejection


def test_false_kill_rate_of_known_rules():
    # one stage before the last; predictions 1 eV above the end for half of the moves, 1 eV below for the others
    rejection = Rejection((0, 6), (1, 1), (1.0, 1.0), (False, True))
    log = np.zeros((2, batch.LOG_STAGES + 6))
    log[:, batch.LOG_CHANGE] = 0.5
    log[:, batch.LOG_STAGES] = [1.5, -0.5]
    rules = np.zeros((2, 6, 4))
    rejection = replace(rejection, rules=rules.tolist())
    accepted = np.exp(-0.5 / 0.4)
    expected = (accepted - np.exp(-1.5 / 0.4)) / (2 * accepted)
    assert false_kill_rate(rejection, log, 0.4) == pytest.approx(expected)


def test_random_stream_is_uniform_and_seeds_differ():
    stream = seed_stream(1)
    draws = np.array([uniform(stream) for _ in range(20000)])
    assert draws.min() >= 0 and draws.max() < 1
    counts = np.bincount((draws * 10).astype(int), minlength=10)
    assert ((counts - 2000) ** 2 / 2000).sum() < 30  # chi-squared with 9 degrees of freedom, p = 4e-4
    assert abs(np.corrcoef(draws[1:], draws[:-1])[0, 1]) < 0.03
    assert {below(stream, 3) for _ in range(100)} == {0, 1, 2}
    assert len({tuple(seed_stream(seed)) for seed in range(100)}) == 100


def test_random_stream_is_xoshiro256_plus_plus():
    # first outputs for the state (1, 2, 3, 4), by the published recurrence in plain integers
    mask = (1 << 64) - 1

    def rotate(x, k):
        return ((x << k) | (x >> (64 - k))) & mask

    s = [1, 2, 3, 4]
    stream = np.array(s, np.uint64)
    for _ in range(50):
        result = (rotate((s[0] + s[3]) & mask, 23) + s[0]) & mask
        t = (s[1] << 17) & mask
        s[2] ^= s[0]
        s[3] ^= s[1]
        s[1] ^= s[2]
        s[0] ^= s[3]
        s[2] ^= t
        s[3] = rotate(s[3], 45)
        assert uniform(stream) == (result >> 11) / 2**53


def test_a_switch_that_would_only_rename_two_silicon_is_not_proposed(parameters):
    """In two rings of three that share a link i-j, i and j have all else in common."""
    engine = oxidised(parameters, count=24)
    propose, apply = called_from_python(moves.propose_switch), called_from_python(moves.apply_switch)
    undo, atoms, work = called_from_python(moves.swap_edits), engine.atoms, engine.work

    def links():
        """Return, for every Si, whom it is linked with and whether over an O; O have no names."""
        found = {}
        for i in engine.silicons.tolist():
            found[i] = set()
            for near in atoms.neighbours[i].tolist():
                over = atoms.species[near] == 1
                found[i].add((int(atoms.neighbours[near, :2].sum()) - i if over else near, bool(over)))
        return found

    alike = set()
    for _ in range(30):
        engine.run(1000, 2.0, 0.2)
        before = links()
        alike = {
            (i, j)
            for i, others in before.items()
            for j, _ in others
            if j in before and len({other for other in others & before[j] if other[0] not in (i, j)}) > 1
        }
        if alike:
            break
    assert alike, "the network has no two rings of three that share a link"
    tried = set()
    for _ in range(8000):
        if propose(atoms, work, engine.silicons, len(engine.silicons), True):
            i, j = work.chain[:2].tolist()
            n_edits = apply(atoms, work)
            after = links()
            undo(atoms, work, n_edits)
            other_name = {i: j, j: i}
            renamed = {
                other_name.get(atom, atom): {(other_name.get(far, far), over) for far, over in others}
                for atom, others in before.items()
            }
            assert after not in (before, renamed)
            tried.add((i, j))
    assert len(tried) > 50 and links() == before
    assert not tried & alike  # such a pair can do nothing else
