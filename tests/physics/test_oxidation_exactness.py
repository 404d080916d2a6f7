"""What the engine's short cuts leave out: local relaxation, lists of near atoms, the reserve of oxygen."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from small_networks import hotelling, rough

from moxie.errors import InputError
from moxie.oxidation.engine import Engine
from moxie.oxidation.kernels import compilation
from moxie.oxidation.kernels.moves import linked
from moxie.oxidation.kernels.random_stream import seed_stream
from moxie.oxidation.kernels.slots import N_TRAVELLERS
from moxie.oxidation.kernels.state import DRIFT
from moxie.oxidation.networks.generators import random_bond_oxide
from moxie.oxidation.parameter_sets import SKIN_A, load_parameters
from moxie.oxidation.rejection import Rejection, ending_at
from moxie.oxidation.sampling.checkpoints import engine_arrays, restore_engine
from moxie.structures.network import validate
from moxie.structures.silicon import beta_cristobalite, diamond

# --- local against global ---------------------------------------------------------------------------------------------

PARAMETERS = load_parameters("von_alfthan_2003")


def annealed(network, steps, hot_attempts=6, seed=3):
    """An engine with the network randomised at 2 eV, then annealed; steps: (kT in eV, attempts per atom)."""
    engine = Engine(network, PARAMETERS, seed)
    engine.relax(0.05, 200)
    n_atoms = len(network.positions)
    for kT, attempts in [(2.0, hot_attempts), *steps]:
        engine.calibrate(kT, n_first=100 if kT == 2.0 else 300, n_followed=150 if kT == 2.0 else 400)
        engine.run(attempts * n_atoms, kT)
        engine.relax(0.01, 1000)
        engine.check_energy()
    return engine


def local_energy_bias(engine, kT, n_moves):
    """What is left to gain by relaxing everything after an accepted move on a network at rest, eV, (n_moves,)."""
    result = []
    while len(result) < n_moves:
        assert engine.relax(0.005, 20_000)
        while not engine.run(1, kT).accepted:
            pass
        local = engine.energy
        assert engine.relax(0.005, 20_000)
        engine.check_energy()
        result.append(local - engine.energy)
    return np.array(result)


def check_bias(engine, kT, n_moves):
    bias = local_energy_bias(engine, kT, n_moves)
    n_atoms = len(engine.atoms.position)
    print(f"{n_atoms} atoms, kT {kT}: local minus global {bias.mean():.4f} eV, largest {bias.max():.4f} eV")
    assert -0.001 < bias.mean() < 0.03 and bias.max() < 0.15, bias


def test_local_energy_of_accepted_moves_in_amorphous_silicon_is_the_global_one():
    check_bias(annealed(diamond((3, 3, 3)), [(0.4, 50)], 4), 0.4, 12)


@pytest.mark.slow
def test_local_energy_of_accepted_moves_in_a_larger_amorphous_silicon_is_the_global_one():
    engine = annealed(diamond((5, 5, 5)), [(0.4, 200), (0.3, 300)])
    check_bias(engine, 0.3, 60)


@pytest.mark.slow
def test_local_energy_of_accepted_moves_in_amorphous_silica_is_the_global_one():
    """Strain spreads far in silica: in this hardly annealed one eight shells leave 0.5 eV, ten 0.23, twelve 0.06."""
    engine = annealed(beta_cristobalite((3, 3, 3)), [(0.6, 10), (0.4, 15)], hot_attempts=2)
    stages = engine.rejection
    engine.set_rejection(replace(stages, shells=(*stages.shells[:-1], 14)))
    check_bias(engine, 0.4, 20)


# --- a catalogue's chain against the plain one -----------------------------------------------------------------------


def accepted_moves(engine, arrays, energy_eV, kT, hop, n_moves, seeds, catalogue):
    """Accepted switches and hops and the change of the energy in short chains from one state, (seeds, 3)."""
    rows = []
    for seed in seeds:
        restore_engine(engine, arrays | {"stream": seed_stream(seed)}, energy_eV)
        tally = engine.run(n_moves, kT, hop, catalogue=catalogue)
        rows.append((tally.accepted - tally.hops_accepted, tally.hops_accepted, engine.energy - energy_eV))
    return np.array(rows, float)


def test_a_catalogue_that_has_learnt_accepts_as_many_switches_and_hops_as_a_plain_chain():
    """324 atoms: most bounds were learnt far from the latest move, and in networks since left."""
    kT, hop, n_moves, n_chains = 0.15, 0.05, 1000, 24
    engine = Engine(random_bond_oxide(216, 0.5, PARAMETERS, 1), PARAMETERS, 3, ending_at(7))
    engine.relax(0.05, 200)
    for hot, moves in ((2.0, 600), (0.4, 3000), (kT, 2000)):
        engine.calibrate(hot, hop, n_first=60, n_followed=90)
        engine.run(moves, hot, hop)
        engine.relax(0.02, 300)
    learnt = engine.run(10_000, kT, hop, catalogue=True)
    assert min(learnt.hops_accepted, learnt.accepted - learnt.hops_accepted) > 10
    arrays, energy = {key: values.copy() for key, values in engine_arrays(engine).items()}, engine.energy
    plain, listed = (
        accepted_moves(engine, arrays, energy, kT, hop, n_moves, range(first, first + n_chains), catalogue)
        for first, catalogue in ((100, False), (200, True))
    )
    mean, error = listed.mean(axis=0), np.sqrt((plain.var(axis=0) + listed.var(axis=0)) / (n_chains - 1))
    print(f"switches, hops, eV: plain {plain.mean(axis=0)}, catalogue {mean}, error of the difference {error}")
    assert (abs(mean - plain.mean(axis=0)) < 3.5 * error).all()
    assert (3.5 * error[:2] < plain.mean(axis=0)[:2]).all()  # a catalogue that loses either kind would show


# --- who is near whom -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("make", [lambda: rough(0.0), lambda: beta_cristobalite((2, 2, 2))], ids=["SiOx", "SiO2"])
@pytest.mark.parametrize("kT", [0.3, 3.0])
def test_lists_of_near_atoms_miss_no_pair_after_moves_of_all_kinds(make, kT):
    engine = Engine(make(), load_parameters("von_alfthan_2003"), 5, ending_at(7), reserve=8)
    engine.relax(0.05, 200)
    engine.calibrate(kT, 0.3, n_first=30, n_followed=30)
    tally = engine.run(400, kT, 0.3, None, 0.3, 1.0)
    assert tally.accepted > 0
    atoms, bins = engine.atoms, engine.bins
    assert not bins.away.any()
    assert engine.work.counters[N_TRAVELLERS] == 0
    held = np.flatnonzero(atoms.degree > 0)
    assert (bins.of_atom[atoms.degree == 0] == -1).all()
    assert (bins.n_near[atoms.degree == 0] == 0).all()
    drift = bins.reference[held] - atoms.position[held]
    drift -= atoms.cell * np.round(drift / atoms.cell)
    assert np.linalg.norm(drift, axis=1).max() <= DRIFT
    apart = atoms.position[held][:, None] - atoms.position[held]
    apart -= atoms.cell * np.round(apart / atoms.cell)
    kinds = atoms.species[held]
    close = np.linalg.norm(apart, axis=-1) < engine.field.repulsion_range[kinds[:, None], kinds] + SKIN_A
    np.fill_diagonal(close, False)
    assert close.sum() > len(held)
    for row, atom in enumerate(held):
        near = bins.near[atom, : bins.n_near[atom]].tolist()
        assert len(set(near)) == len(near)
        assert set(held[close[row]].tolist()) <= set(near)


# --- no collapse ------------------------------------------------------------------------------------------------------


def closest(network):
    """Shortest distance in A of pairs that are neither bonded nor second neighbours, of second neighbours, of bonds."""
    near = network.neighbours()
    apart, second = np.inf, np.inf
    for i in range(len(near)):
        others = {k for j in near[i] for k in near[j]} - {i, *near[i]}
        r = np.linalg.norm(network.vectors(np.full(len(near), i), np.arange(len(near))), axis=1)
        second = min(second, *(r[k] for k in others))
        r[[i, *near[i], *others]] = np.inf
        apart = min(apart, r.min())
    bonds = np.linalg.norm(network.vectors(*network.bonds.T), axis=1)
    return float(apart), float(second), float(bonds.min())


@pytest.mark.parametrize(
    ("make", "hop"),
    [
        (lambda: diamond((2, 2, 2)), 0.0),
        (lambda: beta_cristobalite((2, 2, 2)), 0.0),
        (lambda: random_bond_oxide(64, 1.0, PARAMETERS, 1), 0.3),
    ],
    ids=["Si", "SiO2", "SiO"],
)
def test_no_network_collapses_hot_or_cold(make, hop):
    engine = Engine(make(), PARAMETERS, 8)
    engine.relax(0.05, 200)
    # to fold an angle costs 1 eV, so that at kT of 2 eV second neighbours may come as close as they like
    for kT, moves, apart_A, second_A, bond_A in [(2.0, 600, 1.8, 0.0, 1.2), (0.3, 2000, 2.2, 1.9, 1.4)]:
        engine.calibrate(kT, hop, n_first=60, n_followed=120)
        assert engine.run(moves, kT, hop).accepted > 3
        engine.relax(0.01, 500)
        apart, second, bond = closest(engine.to_network())
        print(f"kT {kT}: closest {apart:.2f} A, second neighbours {second:.2f} A, bond {bond:.2f} A")
        assert apart > apart_A and second > second_A and bond > bond_A


# --- the reserve of oxygen, the same bytes, no field ------------------------------------------------------------------


def reserved(seed=3, reserve=12):
    engine = Engine(diamond((2, 2, 2)), PARAMETERS, seed, reserve=reserve)
    engine.relax()
    return engine


EXCHANGE = {"kT_eV": 0.5, "hop_fraction": 0.3, "exchange_fraction": 0.5, "chemical_potential_eV": 1.5}


def test_oxygen_in_reserve_is_no_part_of_the_network():
    engine, plain = reserved(), Engine(diamond((2, 2, 2)), PARAMETERS, 3)
    plain.relax()
    assert engine.energy == plain.energy and engine.n_oxygen == 0 and len(engine.oxygens) == 0
    assert len(engine.mobile) == len(plain.mobile) == 64
    assert engine.to_network().positions.tobytes() == plain.to_network().positions.tobytes()
    tally = engine.run(600, **EXCHANGE)
    assert tally.exchanges_accepted > 10 and 0 < engine.n_oxygen <= 12
    network = engine.to_network()
    validate(network, "network")
    assert (network.species == "O").sum() == engine.n_oxygen == len(engine.oxygens) == len(network.species) - 64
    assert engine.oxidation_states()[:64].sum() == 2 * engine.n_oxygen
    assert (network.oxidation_states()[:64] == engine.oxidation_states()[:64]).all()
    fresh = Engine(network, PARAMETERS)
    assert fresh.energy == pytest.approx(engine.energy, abs=1e-8)
    shares = fresh.atom_shares()
    for key, values in network.arrays.items():
        np.testing.assert_allclose(values, shares[key], atol=1e-9)
    forces = engine.energy_terms().forces
    assert (np.delete(forces, engine.mobile, axis=0) == 0).all()
    assert engine.relax(0.01, 1000) and abs(engine.check_energy()) < 1e-8
    engine.run(200, 0.5, 0.0, exchange_fraction=1.0, chemical_potential_eV=-5.0)
    loose = next(o for o in range(64, 76) if o not in engine.oxygens)
    with pytest.raises(InputError, match="cannot be removed"):
        engine.remove_oxygen(loose)
    oxygen = engine.insert_oxygen(*next(b for b in engine.bonds().tolist() if max(b) < 64))
    engine.remove_oxygen(oxygen)
    assert abs(engine.check_energy()) < 1e-8


def test_a_reserve_needs_a_field_with_oxygen_and_a_whole_number():
    for reserve in (-1, 1.5):
        with pytest.raises(InputError, match="whole number"):
            Engine(diamond((2, 2, 2)), PARAMETERS, reserve=reserve)
    with pytest.raises(InputError, match="no parameters for O"):
        Engine(diamond((2, 2, 2)), load_parameters("keating_1966"), reserve=1)


def test_an_engine_with_reserve_goes_on_from_its_arrays_with_the_same_bytes():
    def state(engine):
        return [engine.atoms.position.tobytes(), engine.atoms.neighbours.tobytes(), engine.energy, engine.n_oxygen]

    engine = reserved()
    engine.run(300, **EXCHANGE)
    saved = {key: values.copy() for key, values in engine_arrays(engine).items()}
    energy, n_oxygen = engine.energy, engine.n_oxygen
    other = reserved(seed=9)
    restore_engine(other, saved, energy)
    assert other.n_oxygen == n_oxygen
    engine.run(300, **EXCHANGE)
    other.run(300, **EXCHANGE)
    assert state(engine) == state(other)


def test_the_same_seed_gives_the_same_bytes_calibration_and_exchanges_included():
    def chain(seed):
        engine = reserved(seed)
        engine.run(200, **EXCHANGE)
        engine.calibrate(0.5, 0.3, n_first=60, n_followed=80)
        tally = engine.run(1000, **EXCHANGE)
        return (
            engine.atoms.position.tobytes(),
            engine.atoms.neighbours.tobytes(),
            engine.energy,
            tally,
            engine.rejection,
        )

    assert chain(3) == chain(3)
    assert chain(3)[:2] != chain(4)[:2]


@pytest.mark.parametrize("x", [0.5, 1.0, 1.5])
def test_oxidation_states_are_binomial_at_infinite_temperature(x):
    """Each placement of the O on the links of each Si topology is equally likely, since whether a move is allowed does
    not depend on where the O are. So four links of a Si are drawn without repetition: the hypergeometric distribution,
    which deviates from the binomial one of an endless network by terms of order 1/N alone."""
    from scipy.stats import binom, hypergeom

    n_silicon = 64
    engine = Engine(
        random_bond_oxide(n_silicon, x, PARAMETERS, 1),
        load_parameters("von_alfthan_2003", "none"),
        6,
        Rejection(shells=(0,), evaluations=(1,), force_tolerance_eV_A=(0.5,), repulsion=(False,)),
    )
    moves = {"kT_eV": 1e6, "hop_fraction": 0.5}
    tally = engine.run(5000, **moves)
    assert tally.accepted > 0.999 * tally.valid > 1000
    batches, samples = 60, 20
    populations = np.zeros((batches, 5))
    for batch in range(batches):
        for _ in range(samples):
            engine.run(300, **moves)
            states = engine.oxidation_states()[engine.silicons]
            populations[batch] += np.bincount(states, minlength=5) / (n_silicon * samples)
    counts = np.arange(5)
    expected = hypergeom.pmf(counts, 2 * n_silicon, engine.n_oxygen, 4)
    # two of the five follow from the others: there are as many Si and as many O as ever
    p = hotelling(populations[:, :3], expected[:3])
    print(f"x {x}: {populations.mean(axis=0).round(4)}, expected {expected.round(4)}, p {p:.3f}")
    assert p > 1e-3
    np.testing.assert_allclose(expected, binom.pmf(counts, 4, x / 2), atol=0.01)  # the limit of large networks


def test_the_cache_of_compiled_code_knows_every_module_with_kernels():
    folder = Path(compilation.__file__).parent
    library = folder.parents[1]
    with_kernels = [path for path in library.rglob("*.py") if "kernels.compilation import" in path.read_text()]
    assert len(with_kernels) > 5 and all(path.parent == folder for path in with_kernels)


def test_a_kernel_for_other_kernels_refuses_a_call_from_python():
    engine = Engine(rough(), load_parameters("von_alfthan_2003"))
    with pytest.raises(TypeError, match="`linked` is for other kernels"):
        linked(engine.atoms, 0, 1)
    assert compilation.called_from_python(linked)(engine.atoms, *engine.bonds()[0])
