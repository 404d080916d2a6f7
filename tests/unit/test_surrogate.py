"""Learnt moves: what the surrogate counts, how it is fitted, what it refuses."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from moxie.errors import InputError
from moxie.oxidation import engine as engine_module
from moxie.oxidation.engine import Engine
from moxie.oxidation.kernels import batch, moves
from moxie.oxidation.kernels.surrogate import (
    _BRIDGED,
    _DIRECT,
    _OXYGEN,
    _PAIRS,
    N_TERMS,
    SCREEN_COST,
    TERMS,
    Surrogate,
    fit_surrogate,
)
from moxie.oxidation.networks.generators import random_bond_oxide
from moxie.oxidation.parameter_sets import load_parameters
from moxie.oxidation.rejection import Rejection, provisional
from moxie.structures.silicon import diamond, silicon_slab

PARAMETERS = load_parameters("von_alfthan_2003", "none")
CHEAP = Rejection(shells=(0,), evaluations=(1,), force_tolerance_eV_A=(0.5,), repulsion=(False,))
ANY_KT_EV = 1e6


def count_terms(neighbours: np.ndarray, species: np.ndarray) -> np.ndarray:
    """TERMS of a whole network, by a plain count: neighbours (n, 4), species (0 Si, 1 O)."""
    partners: dict[int, dict[int, int]] = {}
    for i in np.flatnonzero(species == 0).tolist():
        partners[i] = {}
        for near in neighbours[i][neighbours[i] >= 0].tolist():
            bridged = int(species[near] == 1)
            far = next((k for k in neighbours[near].tolist() if k >= 0 and k != i), i) if bridged else near
            partners[i][far] = bridged
    n = {i: int((species[row[row >= 0]] == 1).sum()) for i, row in enumerate(neighbours) if species[i] == 0}
    result = np.zeros(N_TERMS)
    for size in (3, 4, 5):
        result[size - 3] = sum(_cycles(partners, [i], size) for i in partners) / (2 * size)
    for i, row in partners.items():
        for j, bridged in row.items():
            result[_BRIDGED if bridged else _DIRECT] += n[i] * n[j] / 2
        result[_OXYGEN] += n[i] / 2
        result[_PAIRS : _PAIRS + 3] += (
            n[i] * (n[i] - 1) / 2,
            n[i] * (n[i] - 1) * (n[i] - 2) / 6,
            n[i] * (n[i] - 1) * (n[i] - 2) * (n[i] - 3) / 24,
        )
    return result


def _cycles(partners: dict[int, dict[int, int]], path: list[int], size: int) -> int:
    if len(path) == size:
        return int(path[0] in partners[path[-1]])
    return sum(_cycles(partners, [*path, k], size) for k in partners[path[-1]] if k not in path)


def scrambled(x: float, seed: int) -> Engine:
    """A network of 64 Si far from the crystal: short rings abound."""
    engine = Engine(random_bond_oxide(64, x, PARAMETERS, seed), PARAMETERS, seed, CHEAP, reserve=3)
    engine.run(3000, ANY_KT_EV, hop_fraction=0.2 if x else 0.0)
    return engine


def test_terms_of_a_crystal_are_known():
    engine = Engine(diamond((3, 3, 3)), PARAMETERS)
    assert count_terms(engine.atoms.neighbours, engine.atoms.species).tolist() == [0.0] * N_TERMS
    silica = Engine(random_bond_oxide(64, 2.0, PARAMETERS, 1), PARAMETERS)
    terms = dict(zip(TERMS, count_terms(silica.atoms.neighbours, silica.atoms.species), strict=True))
    assert terms["sum of n n' over bridged links"] == 128 * 16 and terms["sum of n n' over direct links"] == 0
    assert terms["O"] == 128 and terms["pairs of O at a Si"] == 64 * 6 and terms["quadruplets of O at a Si"] == 64


@settings(max_examples=8, deadline=None)
@given(st.sampled_from([0.0, 0.7, 1.4, 2.0]), st.integers(0, 1000))
def test_the_change_by_a_move_is_the_difference_of_whole_counts(x, seed):
    engine = scrambled(x, seed)
    kinds = [moves.SWITCH] * 12 + ([moves.HOP] * 6 if 0 < x < 2 else []) + [moves.EXCHANGE] * 4
    for kind in kinds:
        atoms = engine.atoms
        before = count_terms(atoms.neighbours, atoms.species)
        log = np.zeros((1, batch.LOG_STAGES + 3))
        shares = {moves.SWITCH: (0.0, 0.0), moves.HOP: (1.0, 0.0), moves.EXCHANGE: (0.0, 1.0)}[kind]
        while not (tally := engine._run(1, ANY_KT_EV, shares[0], None, shares[1], 0.0, log, 1e9)).accepted:
            pass
        assert tally.logged == 1
        change = count_terms(engine.atoms.neighbours, engine.atoms.species) - before
        assert log[0, batch.LOG_TERMS : batch.LOG_STAGES] == pytest.approx(change, abs=1e-9)
    if x == 0.7:
        assert before[:3].min() > 0  # rings of three, four and five were there to be counted


def test_a_surface_with_open_bonds_is_counted_too():
    engine = Engine(silicon_slab((3, 3, 2), 2), PARAMETERS, 3, CHEAP)
    before = count_terms(engine.atoms.neighbours, engine.atoms.species)
    total = np.zeros(N_TERMS)
    for _ in range(60):
        log = np.zeros((1, batch.LOG_STAGES + 3))
        if engine._run(1, ANY_KT_EV, 0.0, None, 0.0, 0.0, log, 1e9).accepted:
            total += log[0, batch.LOG_TERMS : batch.LOG_STAGES]
    assert np.abs(total).sum() > 0
    assert count_terms(engine.atoms.neighbours, engine.atoms.species) - before == pytest.approx(total)


def test_a_fit_finds_the_weights_that_made_the_energies():
    generator = np.random.default_rng(3)
    changes = generator.integers(-2, 4, (4000, N_TERMS)).astype(float)
    weights = np.linspace(0.3, 1.1, N_TERMS)
    surrogate = fit_surrogate(changes, changes @ weights + 0.05 * generator.standard_normal(4000), 0.3)
    scale = surrogate.weights[-1] / weights[-1]
    assert min(abs(scale - allowed) for allowed in (0.5, 0.75, 1.0)) < 0.02
    assert surrogate.weights == pytest.approx(scale * weights, abs=0.02)
    assert surrogate.acceptance_share > 0.9 and surrogate.relaxation_share < 0.5


def test_a_surrogate_that_knows_nothing_screens_nothing():
    generator = np.random.default_rng(4)
    changes = generator.integers(-2, 4, (4000, N_TERMS)).astype(float)
    surrogate = fit_surrogate(changes, 2 + generator.standard_normal(4000), 0.1)
    assert surrogate.weights == (0.0,) * N_TERMS and surrogate.relaxation_share == 1.0


def test_a_weak_screen_pays_only_where_it_costs_nothing():
    generator = np.random.default_rng(5)
    changes = generator.integers(-2, 4, (4000, N_TERMS)).astype(float)
    change_eV = 0.006 * changes.sum(axis=1) + np.abs(0.3 * generator.standard_normal(4000))
    costly, free = (fit_surrogate(changes, change_eV, 0.2, cost) for cost in (0.25, 0.0))
    assert costly.weights == (0.0,) * N_TERMS
    assert any(free.weights) and free.acceptance_share > free.relaxation_share


def test_the_engine_counts_a_screen_as_free_without_early_rejection(monkeypatch):
    costs = []
    monkeypatch.setattr(engine_module, "fit_surrogate", lambda *given: costs.append(given[3]))
    engine = Engine(random_bond_oxide(64, 0.7, PARAMETERS, 1), PARAMETERS, 1, CHEAP)
    engine.learn_surrogate(0.3, n_followed=20)
    engine.set_rejection(provisional(engine.rejection))
    engine.learn_surrogate(0.3, n_followed=20)
    assert costs == [0.0, SCREEN_COST]


@pytest.mark.parametrize("weights", [(), (1.0,), (np.nan,) * N_TERMS])
def test_unusable_weights_are_refused(weights):
    with pytest.raises(InputError, match=f"needs {N_TERMS} finite weights"):
        Surrogate(weights)


def test_a_network_without_moves_cannot_teach():
    with pytest.raises(InputError, match="no move was followed"):
        fit_surrogate(np.zeros((0, N_TERMS)), np.zeros(0), 0.2)
