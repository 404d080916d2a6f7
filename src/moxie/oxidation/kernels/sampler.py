"""Compiled Metropolis sampling of networks with staged early rejection.

A move's threshold is drawn first: it is accepted only if E_relaxed < E_old - kT ln u. The move is then looked at
(`prescreen`) and relaxed in stages (the atoms of the move alone, a few bond shells, six shells), and given up as soon
as it cannot end below the threshold. Repulsion is never negative, so the early stages leave it out and add the old
repulsion to the threshold. With a surrogate, moves are screened before they are relaxed (see `surrogate`). With a
catalogue, moves that are hopeless are not even drawn (see `catalogue`).
"""

import numpy as np

from moxie.oxidation.kernels.batch import (
    ACCEPTED,
    ATTEMPTS,
    BARRIER,
    CHANGE,
    EVALUATED,
    EVALUATIONS,
    FALSE_KILLS,
    FORCE_TOLERANCE,
    LOG_CHANGE,
    LOG_CLASS,
    LOG_REPULSION,
    LOG_STAGES,
    LOG_TERMS,
    LOGGED,
    N_VISITS,
    REACHED,
    REPEL,
    SCREENED,
    SHELLS,
    VALID,
)
from moxie.oxidation.kernels.catalogue import (
    arrive,
    draw_move,
    draw_skip,
    form_listed,
    keep,
    know_the_way_back,
    learn,
    list_moves,
    site_kind,
)
from moxie.oxidation.kernels.compilation import entry, inlined, kernel, merged
from moxie.oxidation.kernels.moves import EXCHANGE, HOP, SWITCH
from moxie.oxidation.kernels.prescreen import look_after
from moxie.oxidation.kernels.random_stream import uniform
from moxie.oxidation.kernels.relaxation import begin, proceed, refresh_pairs, squared_gradient
from moxie.oxidation.kernels.repulsion import bring_home, enlist_all, follow, list_pairs, pair_term
from moxie.oxidation.kernels.slots import (
    N_EDITS,
    N_FROZEN,
    N_OLD_PAIRS,
    N_PAIRS,
    N_RESERVE,
    N_ROWS,
    N_TERM_ROWS,
    N_TRAVELLERS,
    OVERFLOW,
    ROW_STAMP,
)
from moxie.oxidation.kernels.trial import carry_out, glances, nearest, place_oxygens, predicted, propose, toggle
from moxie.oxidation.kernels.valence import edge_gradient, grow_shells, retabulate, tabulate, valence

_SWITCH, _HOP, _EXCHANGE = SWITCH, HOP, EXCHANGE
_NO_BARRIER_EV = -1e300


@entry
def start(atoms, field, bins, work):
    """Make bins, trial positions and each atom's repulsion anew from the positions."""
    n = len(atoms.position)
    work.counters[N_RESERVE] = 0
    work.counters[N_FROZEN] = 0
    for i in range(n - 1, -1, -1):
        work.counters[N_FROZEN] += atoms.frozen[i]
        if atoms.degree[i] == 0 and atoms.species[i] == 1 and not atoms.frozen[i]:
            work.reserve[work.counters[N_RESERVE]] = i
            work.counters[N_RESERVE] += 1
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
        work.counters[ROW_STAMP] += 1
        work.counters[N_ROWS] = 0
        tabulate(atoms, work, n, atoms.position)
        list_pairs(atoms, field, bins, work, n, atoms.position)
        for pair in range(work.counters[N_PAIRS]):
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
    for row in range(n_moving, work.counters[N_TERM_ROWS]):
        for k in range(3):
            work.edge[row, k] = work.g[row, k]
    work.counters[N_OLD_PAIRS] = 0
    if repel:
        bring_home(atoms, field, bins, work)
        list_pairs(atoms, field, bins, work, n_moving, atoms.position)
        for pair in range(work.counters[N_PAIRS]):
            i = work.atom[work.pair_i[pair]]
            j = work.atom[work.pair_j[pair]]
            value = pair_energy(atoms, field, i, j)
            if value > 0.0:
                k = work.counters[N_OLD_PAIRS]
                work.old_i[k] = i
                work.old_j[k] = j
                work.old_e[k] = value
                work.counters[N_OLD_PAIRS] += 1
                energy += value
    return energy, centres


@inlined
def squared_edge_change(atoms, work, n_moving, centres):
    """Return |change of the gradient|^2 on the mobile atoms around the local problem, in (eV/A)^2.

    They were at rest before the move, so this is what a larger local problem can still gain energy from.
    """
    edge_gradient(work, n_moving, centres)
    total = 0.0
    for row in range(n_moving, work.counters[N_TERM_ROWS]):
        if work.counters[N_FROZEN] == 0 or not atoms.frozen[work.atom[row]]:
            for k in range(3):
                d = work.g[row, k] - work.edge[row, k]
                total += d * d
    return total


@kernel
def accept(atoms, field, bins, work, n_moving, repel):
    """Take over the relaxed positions of the local problem."""
    if repel:
        follow(atoms, field, bins, work, n_moving)
        for k in range(work.counters[N_TRAVELLERS]):
            bins.away[bins.travellers[k]] = False
        work.counters[N_TRAVELLERS] = 0
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
        for pair in range(work.counters[N_OLD_PAIRS]):
            work.repulsion_of[work.old_i[pair]] -= work.old_e[pair]
            work.repulsion_of[work.old_j[pair]] -= work.old_e[pair]
        for pair in range(work.counters[N_PAIRS]):
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


@inlined
def passes_screen(atoms, work, batch):
    """Return (whether the surrogate lets the move in work.chain pass, what it expects the energy to change by)."""
    learnt = 0.0
    for k in range(len(batch.weights)):
        learnt += batch.weights[k] * work.terms[k]
    return learnt <= -batch.kT * np.log(1.0 - uniform(atoms.stream)), learnt


@inlined
def first_stage(batch, kind):
    """Return where the relaxation of a move begins: an exchange begins with the last stage's shells."""
    first = 0
    if kind == _EXCHANGE:
        while batch.stages[first, SHELLS] != batch.stages[len(batch.stages) - 1, SHELLS]:
            first += 1
    return first


@inlined
def log_end(work, batch, trial):
    """Log the end of a move followed in shadow mode."""
    line = batch.tally[LOGGED]
    batch.tally[LOGGED] += 1
    batch.log[line, LOG_CLASS] = trial.label
    batch.log[line, LOG_CHANGE] = work.outcome[CHANGE]
    batch.log[line, LOG_REPULSION] = trial.repulsion
    for k in range(len(work.terms)):
        batch.log[line, LOG_TERMS + k] = work.terms[k]


@inlined
def relax(atoms, field, bins, work, batch, trial, gain):
    """Relax a move stage by stage until it ends, or cannot end below `gain` (eV); work.outcome tells its energy.

    Return (whether it ends below, whether a rule would have given it up, moving rows, atoms with trial positions).
    """
    stages, tally = batch.stages, batch.tally
    line = tally[LOGGED]
    shadow = line < len(batch.log)
    last = len(stages) - 1
    first = first_stage(batch, trial.kind)
    glance = glances(batch, trial.kind)
    flagged = False
    repel = False
    n_moving = 0
    n_restore = trial.n_chain
    for c in range(trial.n_chain):
        work.moving[c] = work.chain[c]
    centres = 0
    old = 0.0
    change = 0.0
    edge2 = 0.0
    norm2 = 0.0
    work.outcome[BARRIER] = _NO_BARRIER_EV
    for stage in range(first, len(stages)):
        tally[REACHED + stage] += 1
        if glance and stage == first:
            tally[EVALUATED] += 1
            after_move, edge2, norm2 = look_after(atoms, field, work, trial.n_chain, trial.n_centres)
            change = after_move - trial.before + trial.cost
        else:
            before = repel
            repel = stages[stage, REPEL] > 0.0 and field.repulsion_kind > 0
            reached = n_moving
            if n_moving == 0 or stages[stage, SHELLS] != stages[stage - 1, SHELLS]:
                reached = grow_shells(atoms, work, trial.n_chain, int(stages[stage, SHELLS]))
            if reached != n_moving or repel != before:
                for row in range(n_moving):
                    for k in range(3):
                        work.trial[work.atom[row], k] = work.x[row, k]
                n_moving = reached
                n_restore = max(n_restore, n_moving)
                toggle(atoms, work, trial)
                old, centres = old_energy(atoms, field, bins, work, n_moving, repel)
                toggle(atoms, work, trial)
                retabulate(atoms, work, n_moving, work.trial)
                if repel:
                    refresh_pairs(atoms, field, bins, work, n_moving, work.trial)
                begin(atoms, field, bins, work, n_moving, centres, repel, work.trial)
                tally[EVALUATED] += 1
            _, evaluations = proceed(
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
            change = work.search[0] - old + trial.cost
        if stage == last:
            break
        if n_moving > 0:
            edge2 = squared_edge_change(atoms, work, n_moving, centres)
            norm2 = squared_gradient(work, n_moving)
        expected = predicted(batch, stage, trial, change, edge2, norm2)
        work.outcome[BARRIER] = max(work.outcome[BARRIER], expected)
        if shadow and expected < batch.cut:
            batch.log[line, LOG_STAGES + 3 * stage] = change
            batch.log[line, LOG_STAGES + 3 * stage + 1] = edge2
            batch.log[line, LOG_STAGES + 3 * stage + 2] = norm2
            flagged = flagged or expected > gain
        elif expected > gain:
            return False, flagged, n_moving, n_restore
    work.outcome[CHANGE] = change
    work.outcome[BARRIER] = max(work.outcome[BARRIER], change)
    if shadow:
        log_end(work, batch, trial)
    return change < gain, flagged, n_moving, n_restore


@inlined
def decide(atoms, field, bins, work, batch, trial, alive, flagged, n_moving, n_restore):
    """Take a relaxed move over, or undo it."""
    if not alive:
        toggle(atoms, work, trial)
        restore(atoms, field, bins, work, n_restore)
        return
    if flagged:
        batch.tally[FALSE_KILLS] += 1
    if trial.kind == _EXCHANGE:
        if atoms.degree[work.chain[0]] > 0:
            work.counters[N_RESERVE] -= 1
        else:
            work.reserve[work.counters[N_RESERVE]] = work.chain[0]
            work.counters[N_RESERVE] += 1
    work.counters[N_EDITS] = trial.n_edits
    accept(atoms, field, bins, work, n_moving, field.repulsion_kind > 0)
    batch.tally[ACCEPTED + trial.kind] += 1


@merged
def attempt(atoms, field, bins, work, batch, kind, n_chain, head_start):
    """Try the move in work.chain, n_chain atoms long; `head_start` (eV) is what its threshold has been raised by.

    Return the change of energy - potential * number of O in eV (0 when it is not accepted).
    """
    draw = uniform(atoms.stream)
    if n_chain == 0:
        return 0.0
    batch.tally[VALID + kind] += 1
    gain = head_start - batch.kT * np.log(1.0 - draw)
    screen = len(batch.weights) > 0
    topology = screen or batch.tally[LOGGED] < len(batch.log)
    trial = carry_out(atoms, field, work, batch, kind, n_chain, topology)
    if screen:
        passed, learnt = passes_screen(atoms, work, batch)
        if not passed:
            batch.tally[SCREENED] += 1
            toggle(atoms, work, trial)
            return 0.0
        gain += learnt
    place_oxygens(atoms, work, n_chain)
    alive, flagged, n_moving, n_restore = relax(atoms, field, bins, work, batch, trial, gain)
    decide(atoms, field, bins, work, batch, trial, alive, flagged, n_moving, n_restore)
    return work.outcome[CHANGE] if alive else 0.0


@inlined
def draw_kind(atoms, batch):
    """Draw the kind of the next move."""
    if batch.hop_share + batch.exchange_share > 0.0:
        draw = uniform(atoms.stream)
        if draw < batch.hop_share:
            return _HOP
        if draw < batch.hop_share + batch.exchange_share:
            return _EXCHANGE
    return _SWITCH


@kernel
def note_trial(atoms, field, work, batch, site, slot, n_chain, accepted):
    """Bring the catalogue up to date after a move drawn from it was tried."""
    listing = batch.catalogue
    kind, first, _ = site_kind(batch, site)
    index = first + slot
    barrier = work.outcome[BARRIER]
    missed = listing.bound[index] - max(barrier, 0.0)
    learn(batch, site, index, barrier)
    if accepted:
        if missed > 0.0:
            listing.lost[0] += np.exp(missed / batch.kT) - 1.0
        change = work.outcome[CHANGE]
        first, second, third, fourth = work.chain[0], work.chain[1], work.chain[2], work.chain[3]
        keep(batch, missed <= 0.0)
        arrive(atoms, field, work, batch, n_chain)
        know_the_way_back(atoms, work, batch, site, first, second, third, fourth, -change)
        visit = listing.counts[N_VISITS]
        if visit < len(listing.visits):
            listing.visits[visit, 0] = listing.hashes[1]
            listing.visits[visit, 1] = kind
            listing.counts[N_VISITS] += 1


@entry
def run_moves(atoms, field, bins, work, batch, n_moves):
    """Try n_moves moves; return the change of the energy. `start` must have been called before.

    Where the batch's log has lines, moves whose predicted change stays below its `cut` (eV) are followed to the end and
    logged, and the last line ends the run.
    """
    tally, listing = batch.tally, batch.catalogue
    listed = len(listing.bound) > 0
    if listed:
        list_moves(atoms, field, work, batch)
    change = 0.0
    done = 0
    while done < n_moves:
        head_start = 0.0
        site = 0
        slot = -1
        n_chain = 0
        if listed:
            skip = draw_skip(atoms, batch, n_moves - done)
            if skip > n_moves - done:
                tally[ATTEMPTS] += n_moves - done
                break
            done += skip
            tally[ATTEMPTS] += skip
            site, slot = draw_move(atoms, batch)
            kind, first, _ = site_kind(batch, site)
            if slot >= 0:
                n_chain = form_listed(atoms, work, batch, site, slot)
                head_start = listing.bound[first + slot]
        else:
            done += 1
            kind = draw_kind(atoms, batch)
            if len(batch.oxygens if kind == _HOP else batch.active) == 0:
                continue
            tally[ATTEMPTS] += 1
            n_chain = propose(atoms, work, batch, kind)
        before = work.counters[N_RESERVE]
        accepted = tally[ACCEPTED + kind]
        step = attempt(atoms, field, bins, work, batch, kind, n_chain, head_start)
        change += step + batch.potential * (before - work.counters[N_RESERVE])
        if n_chain > 0 and listed:
            note_trial(atoms, field, work, batch, site, slot, n_chain, tally[ACCEPTED + kind] > accepted)
        if work.counters[OVERFLOW] != 0 or (len(batch.log) > 0 and tally[LOGGED] == len(batch.log)):
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
