"""What the first look at a move says, against the energy and the forces of the whole network before and after."""

import numpy as np
import pytest
from small_networks import rough

from moxie.oxidation.engine import Engine
from moxie.oxidation.kernels import moves, prescreen, sampler, trial
from moxie.oxidation.kernels.compilation import called_from_python
from moxie.oxidation.parameter_sets import load_parameters
from moxie.structures.silicon import beta_cristobalite, diamond

MOVES = {
    "switch": (moves.propose_switch, moves.apply_switch),
    "hop": (moves.propose_hop, moves.apply_hop),
}


def looked_at(engine, kind, count):
    """Yield, for so many drawn moves, (change of the energy, edge and rest as the sampler sees them, chain), with the
    move done and its O in place; it is undone afterwards."""
    propose, apply = map(called_from_python, MOVES[kind])
    before, after = called_from_python(prescreen.look_before), called_from_python(prescreen.look_after)
    place, undo = called_from_python(trial.place_between), called_from_python(moves.swap_edits)
    atoms, field, work = engine.atoms, engine.field, engine.work
    sampler.start(atoms, field, engine.bins, work)
    drawn_from = engine.silicons if kind == "switch" else engine.oxygens
    rings = (True,) if kind == "switch" else ()
    while count:
        n_chain = propose(atoms, work, drawn_from, len(drawn_from), *rings)
        if not n_chain:
            continue
        count -= 1
        chain = work.chain[:n_chain].copy()
        energy, n_centres = before(atoms, field, work, n_chain)
        n_edits = apply(atoms, work)
        placed = [atom for atom in chain[:4] if atoms.species[atom] == 1]
        for atom in placed:
            place(atoms, work, atom)
        new, edge2, rest2 = after(atoms, field, work, n_chain, n_centres)
        old = atoms.position[placed].copy()
        atoms.position[placed] = work.trial[placed]
        yield new - energy, edge2, rest2, chain
        atoms.position[placed] = old
        work.trial[placed] = old
        undo(atoms, work, n_edits)


SYSTEMS = {
    "silicon": lambda: diamond((2, 2, 2)),
    "silica": lambda: beta_cristobalite((2, 2, 2)),
    "suboxide": lambda: rough(0.25),
}
CASES = [
    ("silicon", "switch", "von_alfthan_2003"),
    ("silicon", "switch", "keating_1966"),
    ("silica", "switch", "von_alfthan_2003"),
    ("suboxide", "switch", "von_alfthan_2003"),
    ("suboxide", "hop", "von_alfthan_2003"),
    ("suboxide", "hop", "tu_tersoff_2000"),
]


@pytest.mark.parametrize(("system", "kind", "name"), CASES)
def test_first_look_is_the_change_of_the_whole_network(system, kind, name):
    parameters = load_parameters(name, "none")
    engine = Engine(SYSTEMS[system](), parameters, 3)
    engine.atoms.frozen[::9] = True
    engine.atoms.position[:] += 0.05 * np.random.default_rng(1).standard_normal(engine.atoms.position.shape)
    whole = engine.energy_terms()
    mobile = ~engine.atoms.frozen
    lengths = set()
    for change, edge2, rest2, chain in looked_at(engine, kind, 60):
        moved = engine.energy_terms()
        lengths.add(len(chain))
        assert change == pytest.approx(moved.bond + moved.angle - whole.bond - whole.angle, abs=1e-9)
        squares = ((moved.forces - whole.forces) ** 2).sum(axis=1)
        assert rest2 == pytest.approx(squares[chain].sum(), rel=1e-9)
        around = mobile.copy()
        around[chain] = False
        assert edge2 == pytest.approx(squares[around].sum(), rel=1e-9)
    assert lengths == {("silicon", "switch"): {4}, ("silica", "switch"): {5}, ("suboxide", "switch"): {4, 5}}.get(
        (system, kind), {4}
    )
