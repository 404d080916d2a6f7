"""A move tried: drawn, carried out, its O put in place, first looked at, and undone."""

from typing import NamedTuple

import numpy as np

from moxie.oxidation.kernels.batch import EDGE, EVALUATIONS, OFFSET, REPULSION, REST, RULES
from moxie.oxidation.kernels.compilation import inlined, kernel
from moxie.oxidation.kernels.moves import (
    EXCHANGE,
    HOP,
    SWITCH,
    apply_exchange,
    apply_hop,
    apply_switch,
    chain_penalty,
    move_class,
    propose_exchange,
    propose_hop,
    propose_switch,
    swap_edits,
)
from moxie.oxidation.kernels.prescreen import look_before
from moxie.oxidation.kernels.surrogate import terms_after, terms_before

_SWITCH, _HOP, _EXCHANGE = SWITCH, HOP, EXCHANGE
_OFF_MIDDLE_A = (0.05, 0.09, 0.12)  # along no crystal axis


class Trial(NamedTuple):
    """A move that was carried out. cost: change of the suboxide energy and of -potential * number of O; before: energy
    of the terms that it changes, at n_centres atoms; column: of its class's rule in the stage table."""

    kind: int
    n_chain: int
    n_edits: int
    cost: float
    before: float
    n_centres: int
    repulsion: float
    label: int
    column: int


@kernel
def nearest(atoms, i, j, k):
    """Return component k of the vector from atom i to the nearest image of j."""
    d = atoms.position[j, k] - atoms.position[i, k]
    return d - atoms.cell[k] * np.round(d / atoms.cell[k])


@kernel
def place_between(atoms, work, oxygen):
    """Put the trial position of a bridging O near the middle of its two Si.

    A little off it: a straight Si-O-Si under compression is a saddle, which a relaxation from the middle cannot leave.
    """
    i = atoms.neighbours[oxygen, 0]
    j = atoms.neighbours[oxygen, 1]
    for k in range(3):
        work.trial[oxygen, k] = atoms.position[i, k] + 0.5 * nearest(atoms, i, j, k) + _OFF_MIDDLE_A[k]


@inlined
def place_oxygens(atoms, work, n_chain):
    """Put the O of the chain whose ends the move has changed between them."""
    for c in range(n_chain):
        atom = work.chain[c]
        if atoms.species[atom] == 1 and c < 4 and atoms.degree[atom] > 0:
            place_between(atoms, work, atom)


@inlined
def propose(atoms, work, batch, kind):
    """Draw a move of a kind into work.chain; return the chain's length, 0 when the draw is not a valid move."""
    if kind == _HOP:
        return propose_hop(atoms, work, batch.oxygens, len(batch.oxygens))
    if kind == _SWITCH:
        return propose_switch(atoms, work, batch.active, len(batch.active), batch.triangles)
    return propose_exchange(atoms, work, batch.active, len(batch.active))


@inlined
def glances(batch, kind):
    """Return whether a move of this kind is looked at before anything relaxes."""
    return batch.stages[0, EVALUATIONS] == 0.0 and kind != _EXCHANGE


@inlined
def carry_out(atoms, field, work, batch, kind, n_chain, topology):
    """Carry out the move in work.chain; return what is known of it. `topology`: whether to count the surrogate's
    terms."""
    label = move_class(atoms, work, kind, n_chain)
    repulsion = 0.0
    for c in range(n_chain):
        repulsion += work.repulsion_of[work.chain[c]]
    cost = -chain_penalty(atoms, field, work, n_chain)
    n_ends = 0
    if topology:
        n_ends = terms_before(atoms, work, kind)
    before = 0.0
    n_centres = 0
    if glances(batch, kind):
        before, n_centres = look_before(atoms, field, work, n_chain)
    n_edits = 0
    if kind == _HOP:
        n_edits = apply_hop(atoms, work)
    elif kind == _SWITCH:
        n_edits = apply_switch(atoms, work)
    else:
        apply_exchange(atoms, work)
        cost += batch.potential if atoms.degree[work.chain[0]] == 0 else -batch.potential
    cost += chain_penalty(atoms, field, work, n_chain)
    if topology:
        terms_after(atoms, work, kind, n_ends)
    return Trial(kind, n_chain, n_edits, cost, before, n_centres, repulsion, label, RULES + 4 * label)


@kernel
def toggle(atoms, work, trial):
    """Exchange the network before the move with the one after it."""
    if trial.kind == _EXCHANGE:
        apply_exchange(atoms, work)
    else:
        swap_edits(atoms, work, trial.n_edits)


@inlined
def predicted(batch, stage, trial, change, edge2, norm2):
    """Return the change of the energy in eV that the rule of a stage expects at the end of the relaxation."""
    rule = trial.column
    return (
        change
        - batch.stages[stage, rule + OFFSET]
        - batch.stages[stage, rule + EDGE] * edge2
        - batch.stages[stage, rule + REST] * norm2
        - batch.stages[stage, rule + REPULSION] * trial.repulsion
    )
