"""Compiled Metropolis sampling of networks with staged early rejection.

A move's threshold is drawn first: it is accepted only if E_relaxed < E_old - kT ln u. The move is then looked at
(`prescreen`) and relaxed in stages (the atoms of the move alone, a few bond shells, six shells), and given up as soon
as it cannot end below the threshold. Repulsion is never negative, so the early stages leave it out and add the old
repulsion to the threshold. With a surrogate, moves are screened before they are relaxed (see `surrogate`).
"""

import numpy as np

from moxie.oxidation.kernels.compilation import entry, inlined, kernel, merged
from moxie.oxidation.kernels.moves import (
    CLASSES,
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
from moxie.oxidation.kernels.prescreen import look_after, look_before
from moxie.oxidation.kernels.random_stream import uniform
from moxie.oxidation.kernels.relaxation import begin, proceed, refresh_pairs, squared_gradient
from moxie.oxidation.kernels.repulsion import bring_home, enlist_all, follow, list_pairs, pair_term
from moxie.oxidation.kernels.surrogate import N_TERMS, terms_after, terms_before
from moxie.oxidation.kernels.valence import edge_gradient, grow_shells, retabulate, tabulate, valence

_SWITCH, _HOP, _EXCHANGE = SWITCH, HOP, EXCHANGE
_OFF_MIDDLE_A = (0.05, 0.09, 0.12)  # along no crystal axis

# columns of the stage table: four of the relaxation, then for each class of moves these four of the rule
SHELLS, FORCE_TOLERANCE, EVALUATIONS, REPEL, RULES = range(5)
OFFSET, EDGE, REST, REPULSION = range(4)
N_COLUMNS = RULES + 4 * len(CLASSES)
# entries of the tally: one for each kind of move in VALID and ACCEPTED, one for each stage in REACHED
ATTEMPTS, EVALUATED, LOGGED, FALSE_KILLS, SCREENED, VALID = range(6)
ACCEPTED = VALID + 3
REACHED = ACCEPTED + 3
N_TALLY = REACHED + 16
# columns of the shadow log: class, change of the energy, repulsion of the move's atoms before it, change of the
# surrogate's terms, then for each stage energy, edge and rest as in the rule
LOG_CLASS, LOG_CHANGE, LOG_REPULSION, LOG_TERMS = range(4)
LOG_STAGES = LOG_TERMS + N_TERMS


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


@entry
def start(atoms, field, bins, work):
    """Make bins, trial positions and each atom's repulsion anew from the positions."""
    n = len(atoms.position)
    work.counters[7] = 0
    work.counters[10] = 0
    for i in range(n - 1, -1, -1):
        work.counters[10] += atoms.frozen[i]
        if atoms.degree[i] == 0 and atoms.species[i] == 1 and not atoms.frozen[i]:
            work.reserve[work.counters[7]] = i
            work.counters[7] += 1
    for i in range(n):
        for k in range(3):
            if atoms.cell[k] < 1e29:
                value = atoms.position[i, k]
                value -= atoms.cell[k] * np.floor(value / atoms.cell[k])
                atoms.position[i, k] = value if value < atoms.cell[k] else 0.0
            work.trial[i, k] = atoms.position[i, k]
        work.repulsion_of[i] = 0.0
        work.moving[i] = i
    if field.repulsion_kind > 0:
        enlist_all(atoms, field, bins, work)
        work.counters[0] += 1
        work.counters[2] = 0
        tabulate(atoms, work, n, atoms.position)
        list_pairs(atoms, field, bins, work, n, atoms.position)
        for pair in range(work.counters[3]):
            i = work.atom[work.pair_i[pair]]
            j = work.atom[work.pair_j[pair]]
            value = pair_energy(atoms, field, i, j)
            work.repulsion_of[i] += value
            work.repulsion_of[j] += value


@kernel
def pair_energy(atoms, field, i, j):
    """Return the repulsion of two atoms at their positions, in eV."""
    r2 = 0.0
    for k in range(3):
        d = nearest(atoms, i, j, k)
        r2 += d * d
    return pair_term(field, atoms.species[i], atoms.species[j], r2)[0]


@inlined
def old_energy(atoms, field, bins, work, n_moving, repel):
    """Return (local energy before the move, number of centres); network and positions are the old ones.

    Remembers the pairs in range and the gradient at the edge.
    """
    centres = tabulate(atoms, work, n_moving, atoms.position)
    energy = valence(atoms.cell, field, work, n_moving, centres)
    edge_gradient(work, n_moving, centres)
    for row in range(n_moving, work.counters[9]):
        for k in range(3):
            work.edge[row, k] = work.g[row, k]
    work.counters[4] = 0
    if repel:
        bring_home(atoms, field, bins, work)
        list_pairs(atoms, field, bins, work, n_moving, atoms.position)
        for pair in range(work.counters[3]):
            i = work.atom[work.pair_i[pair]]
            j = work.atom[work.pair_j[pair]]
            value = pair_energy(atoms, field, i, j)
            if value > 0.0:
                k = work.counters[4]
                work.old_i[k] = i
                work.old_j[k] = j
                work.old_e[k] = value
                work.counters[4] += 1
                energy += value
    return energy, centres


@inlined
def squared_edge_change(atoms, work, n_moving, centres):
    """Return |change of the gradient|^2 on the mobile atoms around the local problem, in (eV/A)^2.

    They were at rest before the move, so this is what a larger local problem can still gain energy from.
    """
    edge_gradient(work, n_moving, centres)
    total = 0.0
    for row in range(n_moving, work.counters[9]):
        if work.counters[10] == 0 or not atoms.frozen[work.atom[row]]:
            for k in range(3):
                d = work.g[row, k] - work.edge[row, k]
                total += d * d
    return total


@kernel
def accept(atoms, field, bins, work, n_moving, repel):
    """Take over the relaxed positions of the local problem."""
    if repel:
        follow(atoms, field, bins, work, n_moving)
        for k in range(work.counters[8]):
            bins.away[bins.travellers[k]] = False
        work.counters[8] = 0
    for row in range(n_moving):
        atom = work.atom[row]
        for k in range(3):
            value = work.x[row, k]
            if atoms.cell[k] < 1e29:
                value -= atoms.cell[k] * np.floor(value / atoms.cell[k])
                if value >= atoms.cell[k]:
                    value = 0.0
            atoms.position[atom, k] = value
            work.trial[atom, k] = value
    if repel:
        for pair in range(work.counters[4]):
            work.repulsion_of[work.old_i[pair]] -= work.old_e[pair]
            work.repulsion_of[work.old_j[pair]] -= work.old_e[pair]
        for pair in range(work.counters[3]):
            i = work.atom[work.pair_i[pair]]
            j = work.atom[work.pair_j[pair]]
            value = pair_energy(atoms, field, i, j)
            if value > 0.0:
                work.repulsion_of[i] += value
                work.repulsion_of[j] += value


@kernel
def restore(atoms, field, bins, work, n_moving):
    """Forget the trial positions of work.moving[:n_moving]."""
    for k in range(n_moving):
        atom = work.moving[k]
        for axis in range(3):
            work.trial[atom, axis] = atoms.position[atom, axis]
    bring_home(atoms, field, bins, work)


@kernel
def toggle(atoms, work, kind, n_edits):
    """Exchange the network before the move with the one after it."""
    if kind == _EXCHANGE:
        apply_exchange(atoms, work)
    else:
        swap_edits(atoms, work, n_edits)


@merged
def attempt(
    atoms, field, bins, work, stages, kT, potential, kind, active, oxygens, triangles, weights, log, cut, tally
):
    """Try one move; return the change of energy - potential * number of O in eV (0 when it is not accepted)."""
    tally[ATTEMPTS] += 1
    if kind == _HOP:
        n_chain = propose_hop(atoms, work, oxygens, len(oxygens))
    elif kind == _SWITCH:
        n_chain = propose_switch(atoms, work, active, len(active), triangles)
    else:
        n_chain = propose_exchange(atoms, work, active, len(active))
    draw = uniform(atoms.stream)
    if n_chain == 0:
        return 0.0
    line = tally[LOGGED]
    shadow = line < len(log)
    tally[VALID + kind] += 1
    gain = -kT * np.log(1.0 - draw)
    label = move_class(atoms, work, kind, n_chain)
    rule = RULES + 4 * label
    repulsion = 0.0
    for c in range(n_chain):
        repulsion += work.repulsion_of[work.chain[c]]
    cost = -chain_penalty(atoms, field, work, n_chain)
    screen = len(weights) > 0
    n_ends = 0
    if screen or shadow:
        n_ends = terms_before(atoms, work, kind)
    glance = stages[0, EVALUATIONS] == 0.0 and kind != _EXCHANGE
    before_move = 0.0
    n_centres = 0
    if glance:
        before_move, n_centres = look_before(atoms, field, work, n_chain)
    n_edits = 0
    if kind == _HOP:
        n_edits = apply_hop(atoms, work)
    elif kind == _SWITCH:
        n_edits = apply_switch(atoms, work)
    else:
        apply_exchange(atoms, work)
        cost += potential if atoms.degree[work.chain[0]] == 0 else -potential
    cost += chain_penalty(atoms, field, work, n_chain)
    if screen or shadow:
        terms_after(atoms, work, kind, n_ends)
    if screen:
        learnt = 0.0
        for k in range(len(weights)):
            learnt += weights[k] * work.terms[k]
        if learnt > -kT * np.log(1.0 - uniform(atoms.stream)):
            tally[SCREENED] += 1
            toggle(atoms, work, kind, n_edits)
            return 0.0
        gain += learnt
    for c in range(n_chain):
        atom = work.chain[c]
        if atoms.species[atom] == 1 and c < 4 and atoms.degree[atom] > 0:
            place_between(atoms, work, atom)
    n_stages = len(stages)
    last = n_stages - 1
    first = 0
    if kind == _EXCHANGE:
        while stages[first, SHELLS] != stages[last, SHELLS]:
            first += 1
    flagged = False
    alive = True
    repel = False
    n_moving = 0
    n_restore = n_chain
    for c in range(n_chain):
        work.moving[c] = work.chain[c]
    centres = 0
    old = 0.0
    change = 0.0
    edge2 = 0.0
    norm2 = 0.0
    for stage in range(first, n_stages):
        tally[REACHED + stage] += 1
        if glance and stage == first:
            tally[EVALUATED] += 1
            after_move, edge2, norm2 = look_after(atoms, field, work, n_chain, n_centres)
            change = after_move - before_move + cost
        else:
            before = repel
            repel = stages[stage, REPEL] > 0.0 and field.repulsion_kind > 0
            reached = n_moving
            if n_moving == 0 or stages[stage, SHELLS] != stages[stage - 1, SHELLS]:
                reached = grow_shells(atoms, work, n_chain, int(stages[stage, SHELLS]))
            if reached != n_moving or repel != before:
                for row in range(n_moving):
                    for k in range(3):
                        work.trial[work.atom[row], k] = work.x[row, k]
                n_moving = reached
                n_restore = max(n_restore, n_moving)
                toggle(atoms, work, kind, n_edits)
                old, centres = old_energy(atoms, field, bins, work, n_moving, repel)
                toggle(atoms, work, kind, n_edits)
                retabulate(atoms, work, n_moving, work.trial)
                if repel:
                    refresh_pairs(atoms, field, bins, work, n_moving, work.trial)
                begin(atoms, field, bins, work, n_moving, centres, repel, work.trial)
                tally[EVALUATED] += 1
            status, evaluations = proceed(
                atoms,
                field,
                bins,
                work,
                n_moving,
                centres,
                repel,
                work.trial,
                stages[stage, FORCE_TOLERANCE],
                int(stages[stage, EVALUATIONS]),
            )
            tally[EVALUATED] += evaluations
            change = work.search[0] - old + cost
        if stage == last:
            alive = change < gain
            if shadow:
                tally[LOGGED] += 1
                log[line, LOG_CLASS] = label
                log[line, LOG_CHANGE] = change
                log[line, LOG_REPULSION] = repulsion
                for k in range(len(work.terms)):
                    log[line, LOG_TERMS + k] = work.terms[k]
            break
        if n_moving > 0:
            edge2 = squared_edge_change(atoms, work, n_moving, centres)
            norm2 = squared_gradient(work, n_moving)
        predicted = (
            change
            - stages[stage, rule + OFFSET]
            - stages[stage, rule + EDGE] * edge2
            - stages[stage, rule + REST] * norm2
            - stages[stage, rule + REPULSION] * repulsion
        )
        if shadow and predicted < cut:
            log[line, LOG_STAGES + 3 * stage] = change
            log[line, LOG_STAGES + 3 * stage + 1] = edge2
            log[line, LOG_STAGES + 3 * stage + 2] = norm2
            flagged = flagged or predicted > gain
        elif predicted > gain:
            alive = False
            break
    if alive:
        if flagged:
            tally[FALSE_KILLS] += 1
        if kind == _EXCHANGE:
            if atoms.degree[work.chain[0]] > 0:
                work.counters[7] -= 1
            else:
                work.reserve[work.counters[7]] = work.chain[0]
                work.counters[7] += 1
        accept(atoms, field, bins, work, n_moving, field.repulsion_kind > 0)
        tally[ACCEPTED + kind] += 1
        return change
    toggle(atoms, work, kind, n_edits)
    restore(atoms, field, bins, work, n_restore)
    return 0.0


@entry
def run_moves(
    atoms,
    field,
    bins,
    work,
    stages,
    n_moves,
    kT,
    hop_share,
    exchange_share,
    potential,
    active,
    oxygens,
    triangles,
    weights,
    log,
    cut,
    tally,
):
    """Try n_moves moves at kT (eV); return the change of the energy. `start` must have been called before.

    Where `log` has lines, moves whose predicted change stays below `cut` (eV) are followed to the end and logged, and
    the last line ends the run.
    """
    change = 0.0
    for _ in range(n_moves):
        kind = _SWITCH
        if hop_share + exchange_share > 0.0:
            draw = uniform(atoms.stream)
            if draw < hop_share:
                kind = _HOP
            elif draw < hop_share + exchange_share:
                kind = _EXCHANGE
        if len(oxygens if kind == _HOP else active) == 0:
            continue
        before = work.counters[7]
        step = attempt(
            atoms, field, bins, work, stages, kT, potential, kind, active, oxygens, triangles, weights, log, cut, tally
        )
        change += step + potential * (before - work.counters[7])
        if work.counters[5] != 0 or (len(log) > 0 and tally[LOGGED] == len(log)):
            break
    return change


@entry
def relax_all(atoms, field, bins, work, mobile, force_tolerance, max_evaluations):
    """Relax all mobile atoms; return (local energy change in eV, status)."""
    start(atoms, field, bins, work)
    n = len(mobile)
    for k in range(n):
        work.moving[k] = mobile[k]
    repel = field.repulsion_kind > 0
    old, centres = old_energy(atoms, field, bins, work, n, repel)
    retabulate(atoms, work, n, work.trial)
    if repel:
        refresh_pairs(atoms, field, bins, work, n, work.trial)
    begin(atoms, field, bins, work, n, centres, repel, work.trial)
    status, _ = proceed(atoms, field, bins, work, n, centres, repel, work.trial, force_tolerance, max_evaluations)
    accept(atoms, field, bins, work, n, repel)
    return work.search[0] - old, status
