"""Compiled Metropolis sampling of networks with staged early rejection.

A move's threshold is drawn first: it is accepted only if E_relaxed < E_old - kT ln u. The move is then relaxed in
stages (the atoms of the move alone, a few bond shells, six shells), and given up as soon as it cannot end below the
threshold. Repulsion is never negative, so the early stages leave it out and add the old repulsion to the threshold.
"""

import numpy as np
from numba import njit

from moxie.oxidation.kernels import grow_shells, tabulate, valence
from moxie.oxidation.moves import (
    apply_hop,
    apply_switch,
    chain_penalty,
    propose_hop,
    propose_switch,
    swap_edits,
)
from moxie.oxidation.random_stream import uniform
from moxie.oxidation.relaxation import KILLED, refresh_pairs, relax
from moxie.oxidation.repulsion import bin_all, bin_atom, list_pairs, pair_term

_KILLED = KILLED

# rows of the stage table
SHELLS, KILL_C, FORCE_TOLERANCE, MAX_STEPS, REPEL, SWITCH_EDGE, SWITCH_MARGIN, HOP_EDGE, HOP_MARGIN = range(9)
# entries of the tally
(
    ATTEMPTS,
    VALID,
    ACCEPTED,
    HOPS_VALID,
    HOPS_ACCEPTED,
    EVALUATIONS,
    FALSE_KILLS,
    SHADOW_ACCEPTED,
    REACHED,
) = range(9)
TALLY_SIZE = 20


@njit(cache=True)
def nearest(atoms, i, j, k):
    """Return component k of the vector from atom i to the nearest image of j."""
    d = atoms.position[j, k] - atoms.position[i, k]
    return d - atoms.cell[k] * np.round(d / atoms.cell[k])


@njit(cache=True)
def place_between(atoms, work, oxygen):
    """Put the trial position of a bridging O in the middle of its two Si."""
    i = atoms.neighbours[oxygen, 0]
    j = atoms.neighbours[oxygen, 1]
    for k in range(3):
        work.trial[oxygen, k] = atoms.position[i, k] + 0.5 * nearest(atoms, i, j, k)


@njit(cache=True)
def start(atoms, field, bins, work):
    """Make bins, trial positions and each atom's repulsion anew from the positions."""
    n = len(atoms.position)
    for i in range(n):
        for k in range(3):
            if atoms.cell[k] < 1e29:
                value = atoms.position[i, k]
                value -= atoms.cell[k] * np.floor(value / atoms.cell[k])
                atoms.position[i, k] = value if value < atoms.cell[k] else 0.0
            work.trial[i, k] = atoms.position[i, k]
        work.repulsion_of[i] = 0.0
        work.moving[i] = i
    bin_all(atoms, bins, work)
    if field.repulsion_kind > 0:
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


@njit(cache=True)
def pair_energy(atoms, field, i, j):
    """Return the repulsion of two atoms at their positions, in eV."""
    r2 = 0.0
    for k in range(3):
        d = nearest(atoms, i, j, k)
        r2 += d * d
    return pair_term(field, atoms.species[i], atoms.species[j], r2)[0]


@njit(cache=True)
def old_energy(atoms, field, bins, work, n_moving, repel):
    """Return the local energy before the move (network and positions are the old ones); remembers the old pairs."""
    centres = tabulate(atoms, work, n_moving, atoms.position)
    energy = valence(atoms.cell, field, work, n_moving, centres)
    work.counters[4] = 0
    if repel:
        refresh_pairs(atoms, field, bins, work, n_moving, atoms.position)
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
    return energy


@njit(cache=True)
def remember_edge(work, n_moving):
    """Keep the gradient on the fixed atoms of the local problem, by atom."""
    for row in range(n_moving, work.counters[2]):
        atom = work.atom[row]
        for k in range(3):
            work.edge[atom, k] = work.g[row, k]


@njit(cache=True)
def edge_change(atoms, work, n_moving):
    """Return |change of the force| on the mobile atoms around the local problem, in eV/A.

    They were at rest before the move, so this is what a larger local problem can still gain energy from.
    """
    total = 0.0
    for row in range(n_moving, work.counters[2]):
        atom = work.atom[row]
        if not atoms.frozen[atom]:
            for k in range(3):
                d = work.g[row, k] - work.edge[atom, k]
                total += d * d
    return np.sqrt(total)


@njit(cache=True)
def accept(atoms, field, bins, work, n_moving, repel):
    """Take over the relaxed positions of the local problem."""
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
        bin_atom(atoms, bins, work, atom, atoms.position[atom, 0], atoms.position[atom, 1], atoms.position[atom, 2])
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


@njit(cache=True)
def restore(atoms, bins, work, n_moving, rebin):
    """Forget the trial positions of work.moving[:n_moving]."""
    for k in range(n_moving):
        atom = work.moving[k]
        for axis in range(3):
            work.trial[atom, axis] = atoms.position[atom, axis]
        if rebin:
            bin_atom(atoms, bins, work, atom, atoms.position[atom, 0], atoms.position[atom, 1], atoms.position[atom, 2])


@njit(cache=True)
def attempt(atoms, field, bins, work, stages, kT, hop, active, n_active, oxygens, n_oxygens, shadow, tally):
    """Try one move; return the change of the total energy in eV (0 when it is not accepted)."""
    tally[ATTEMPTS] += 1
    if hop:
        n_chain = propose_hop(atoms, work, oxygens, n_oxygens)
    else:
        n_chain = propose_switch(atoms, work, active, n_active)
    draw = uniform(atoms.stream)
    if n_chain == 0:
        return 0.0
    tally[VALID] += 1
    if hop:
        tally[HOPS_VALID] += 1
    gain = -kT * np.log(1.0 - draw)
    before = chain_penalty(atoms, field, work, n_chain)
    n_edits = apply_hop(atoms, work) if hop else apply_switch(atoms, work)
    suboxide = chain_penalty(atoms, field, work, n_chain) - before
    allowed = gain - suboxide  # what bonds, angles and repulsion may gain
    for c in range(n_chain):
        atom = work.chain[c]
        if atoms.species[atom] == 1 and (hop or c < 4):
            place_between(atoms, work, atom)
    flagged = False
    n_moving = 0
    n_restore = 0
    rebin = False
    alive = True
    change = 0.0
    n_stages = len(stages)
    for stage in range(n_stages):
        tally[REACHED + stage] += 1
        last = stage == n_stages - 1
        repel = stages[stage, REPEL] > 0.0 and field.repulsion_kind > 0
        n_moving = grow_shells(atoms, work, n_chain, int(stages[stage, SHELLS]))
        n_restore = max(n_restore, n_moving)
        swap_edits(atoms, work, n_edits)
        old = old_energy(atoms, field, bins, work, n_moving, repel)
        if not last:
            remember_edge(work, n_moving)
        swap_edits(atoms, work, n_edits)
        margin = stages[stage, HOP_MARGIN if hop else SWITCH_MARGIN]
        limit = old + allowed + margin
        if not repel:
            for c in range(n_chain):
                limit += work.repulsion_of[work.chain[c]]
        centres = tabulate(atoms, work, n_moving, work.trial)
        if repel:
            rebin = True
            refresh_pairs(atoms, field, bins, work, n_moving, work.trial)
        energy, status, flag, evaluations = relax(
            atoms,
            field,
            bins,
            work,
            n_moving,
            centres,
            repel,
            work.trial,
            limit,
            stages[stage, KILL_C],
            shadow,
            stages[stage, FORCE_TOLERANCE],
            int(stages[stage, MAX_STEPS]),
        )
        tally[EVALUATIONS] += evaluations
        if status == _KILLED:
            alive = False
            break
        if flag:
            flagged = True
        if last:
            change = energy - old
            alive = change < allowed
            if shadow:
                work.shadow_log[(tally[VALID] - 1) % len(work.shadow_log), 8] = change - allowed
                work.shadow_log[(tally[VALID] - 1) % len(work.shadow_log), 9] = n_chain + 10 * hop
        else:
            for row in range(n_moving):
                for k in range(3):
                    work.trial[work.atom[row], k] = work.x[row, k]
            edge = edge_change(atoms, work, n_moving)
            if shadow:
                work.shadow_log[(tally[VALID] - 1) % len(work.shadow_log), 2 * stage] = energy - limit + margin
                work.shadow_log[(tally[VALID] - 1) % len(work.shadow_log), 2 * stage + 1] = edge
            if energy - stages[stage, HOP_EDGE if hop else SWITCH_EDGE] * edge > limit:
                flagged = True
                if not shadow:
                    alive = False
                    break
    if alive:
        if shadow:
            tally[SHADOW_ACCEPTED] += 1
            if flagged:
                tally[FALSE_KILLS] += 1
        accept(atoms, field, bins, work, n_moving, stages[n_stages - 1, REPEL] > 0.0 and field.repulsion_kind > 0)
        tally[ACCEPTED] += 1
        if hop:
            tally[HOPS_ACCEPTED] += 1
        return change + suboxide
    swap_edits(atoms, work, n_edits)
    restore(atoms, bins, work, n_restore, rebin)
    return 0.0


@njit(cache=True)
def run_moves(atoms, field, bins, work, stages, n_moves, kT, hop_fraction, active, oxygens, shadow, tally):
    """Try n_moves moves at kT (eV); return the change of the total energy. `start` must have been called before."""
    change = 0.0
    for _ in range(n_moves):
        hop = hop_fraction > 0.0 and uniform(atoms.stream) < hop_fraction
        if (hop and len(oxygens) == 0) or (not hop and len(active) == 0):
            continue
        change += attempt(
            atoms, field, bins, work, stages, kT, hop, active, len(active), oxygens, len(oxygens), shadow, tally
        )
        if work.counters[5] != 0:
            break
    return change


@njit(cache=True)
def relax_all(atoms, field, bins, work, mobile, force_tolerance, max_steps):
    """Relax all mobile atoms; return (local energy change in eV, status)."""
    start(atoms, field, bins, work)
    n = len(mobile)
    for k in range(n):
        work.moving[k] = mobile[k]
    repel = field.repulsion_kind > 0
    old = old_energy(atoms, field, bins, work, n, repel)
    centres = tabulate(atoms, work, n, work.trial)
    if repel:
        refresh_pairs(atoms, field, bins, work, n, work.trial)
    energy, status, _, _ = relax(
        atoms, field, bins, work, n, centres, repel, work.trial, 0.0, -1.0, False, force_tolerance, max_steps
    )
    accept(atoms, field, bins, work, n, repel)
    return energy - old, status
