"""A catalogue of all moves of the present network, from which the next one worth a trial is drawn without rejection.

At low temperatures a network stays what it is for thousands of attempts, and every one of its moves is tried again and
again. Each is known, from an earlier trial or from the first look, to be accepted with at most exp(-bound/kT). With q
the chance that an attempt draws the move, w = q exp(-bound/kT), and W the sum of w over all moves, the number of
attempts up to the next move worth a trial is geometric with mean 1/W, and that move is drawn with w/W (Bortz, Kalos,
Lebowitz, J. Comput. Phys. 17, 10 (1975)). It is then accepted with the rest of its probability, exp(-(dE - bound)/kT):
per attempt the chain does exactly what it does when moves are drawn one by one, as long as the bounds hold.

After a move the slots around it are looked at anew, and where atoms have drifted from where they were then. Elsewhere
bounds stay, less a margin. The way back is known: its bound is never above what the move has gained. The catalogues of
the last networks are kept, since most moves lead to and fro, but for one whose bound was found too high. What a bound
was too high for is counted (`Catalogue.lost`): the moves tried are an unbiased sample of it, as no bound lies above
_HIGHEST kT.
"""

import numpy as np

from moxie.oxidation.kernels.batch import (
    BUILT,
    HOP_SLOTS,
    KEPT,
    N_KEPT,
    N_TODO,
    NEXT_KEPT,
    SWITCH_SLOTS,
)
from moxie.oxidation.kernels.compilation import kernel
from moxie.oxidation.kernels.moves import HOP, SWITCH, far_silicon, form_hop, form_switch
from moxie.oxidation.kernels.prescreen import look_after
from moxie.oxidation.kernels.random_stream import uniform
from moxie.oxidation.kernels.slots import MARK_STAMP, N_EDITS
from moxie.oxidation.kernels.trial import carry_out, glances, place_oxygens, predicted, toggle

_SWITCH, _HOP = SWITCH, HOP
_SWITCH_SLOTS, _HOP_SLOTS, _KEPT = SWITCH_SLOTS, HOP_SLOTS, KEPT
_HIGHEST = 12.0  # bounds in kT: what lies above it is tried as if it lay there
_MARGIN_EV = 0.05  # for atoms that drift by less than _DRIFT_A
_DRIFT_A = 0.02
_FORGET_EV = 0.1  # taken off a bound where atoms have drifted farther
_FAR_A = 0.06  # where they have drifted farther than this, a bound is forgotten


@kernel
def site_kind(batch, site):
    """Return (kind of the site's moves, its first slot, its number of slots)."""
    n_active = len(batch.active)
    if site < n_active:
        return _SWITCH, _SWITCH_SLOTS * site, _SWITCH_SLOTS
    return _HOP, _SWITCH_SLOTS * n_active + _HOP_SLOTS * (site - n_active), _HOP_SLOTS


@kernel
def form_listed(atoms, work, batch, site, slot):
    """Write the move of a site's slot into work.chain; return the chain's length, 0 when it is not valid."""
    n_active = len(batch.active)
    if site < n_active:
        pick = slot // 9
        return form_switch(atoms, work, batch.active[site], pick, slot // 3 % 3, slot % 3, batch.triangles)
    return form_hop(atoms, work, batch.oxygens[site - n_active], slot // 3, slot % 3)


@kernel
def chance(batch, site):
    """Return the chance that an attempt draws one given slot of a site."""
    n_active = len(batch.active)
    if site < n_active:
        return (1.0 - batch.hop_share) / (n_active * _SWITCH_SLOTS)
    return batch.hop_share / (len(batch.oxygens) * _HOP_SLOTS)


@kernel
def slot_weight(batch, q, index):
    """Return the chance per attempt that a slot's move is tried, q that of drawing it from one slot."""
    listing = batch.catalogue
    if listing.times[index] == 0:
        return 0.0
    return q * listing.times[index] * np.exp(-listing.bound[index] / batch.kT)


@kernel
def site_weight(batch, site):
    """Return the sum of a site's weights."""
    _, first, count = site_kind(batch, site)
    q = chance(batch, site)
    total = 0.0
    for slot in range(count):
        total += slot_weight(batch, q, first + slot)
    return total


@kernel
def sum_site(batch, site):
    """Renew the sums that a site has a share in."""
    tree = batch.catalogue.tree
    node = len(tree) // 2 + site
    tree[node] = site_weight(batch, site)
    while node > 1:
        node //= 2
        tree[node] = tree[2 * node] + tree[2 * node + 1]


@kernel
def sum_all(batch):
    """Renew all sums."""
    tree = batch.catalogue.tree
    leaves = len(tree) // 2
    for site in range(leaves):
        tree[leaves + site] = 0.0
    for site in range(len(batch.active) + len(batch.oxygens)):
        tree[leaves + site] = site_weight(batch, site)
    for node in range(leaves - 1, 0, -1):
        tree[node] = tree[2 * node] + tree[2 * node + 1]


@kernel
def within(batch, bound):
    """Return a bound in eV, no lower than 0 and no higher than any may be."""
    return min(max(bound, 0.0), _HIGHEST * batch.kT)


@kernel
def learn(batch, site, index, barrier):
    """Take over what the trial of a move has shown: exp(-barrier/kT) is its acceptance, or at least that."""
    batch.catalogue.bound[index] = within(batch, barrier - _MARGIN_EV)
    sum_site(batch, site)


@kernel
def look_at(atoms, field, work, batch, site, slot, forget):
    """Renew the bound of a slot by the first look at its move; what was known counts for less, or for nothing."""
    listing = batch.catalogue
    kind, first, _ = site_kind(batch, site)
    index = first + slot
    known = listing.times[index] > 0
    listing.times[index] = 0
    n_chain = form_listed(atoms, work, batch, site, slot)
    if n_chain == 0:
        return
    times = 1
    if kind == _SWITCH:
        other = listing.site_of[work.chain[1]]
        if other >= 0:
            if work.chain[1] < work.chain[0]:
                return  # it stands in the other Si's slots
            times = 2
    bound = 0.0
    if glances(batch, kind):
        trial = carry_out(atoms, field, work, batch, kind, n_chain, False)
        place_oxygens(atoms, work, n_chain)
        after, edge2, norm2 = look_after(atoms, field, work, n_chain, trial.n_centres)
        bound = predicted(batch, 0, trial, after - trial.before + trial.cost, edge2, norm2) - _MARGIN_EV
        toggle(atoms, work, trial)
        for c in range(n_chain):
            atom = work.chain[c]
            for k in range(3):
                work.trial[atom, k] = atoms.position[atom, k]
    if known and not forget:
        bound = max(bound, listing.bound[index] - _FORGET_EV)
    listing.times[index] = times
    listing.bound[index] = within(batch, bound)


@kernel
def look_at_site(atoms, field, work, batch, site, forget):
    """Renew the bounds of a site."""
    _, _, count = site_kind(batch, site)
    for slot in range(count):
        look_at(atoms, field, work, batch, site, slot, forget)


@kernel
def mixed(a, b):
    """Return 64 well mixed bits of two small numbers (splitmix64)."""
    z = (np.uint64(a) << np.uint64(32)) ^ np.uint64(b)
    z += np.uint64(0x9E3779B97F4A7C15)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


@kernel
def list_moves(atoms, field, work, batch):
    """Begin a batch: fill the catalogue if it is new, sum its weights, and forget the networks kept."""
    listing = batch.catalogue
    if listing.counts[BUILT] == 0:
        for site in range(len(batch.active) + len(batch.oxygens)):
            look_at_site(atoms, field, work, batch, site, True)
        for atom in range(len(atoms.position)):
            see(atoms, batch, atom)
        listing.counts[BUILT] = 1
        sum_all(batch)
    else:
        sum_all(batch)
        look_around(atoms, field, work, batch, 0)
    listing.counts[N_KEPT] = 0
    listing.counts[NEXT_KEPT] = 0
    with_order = np.uint64(0)
    without = np.uint64(0)
    for atom in range(len(atoms.position)):
        for p in range(atoms.degree[atom]):
            with_order += mixed(4 * atom + p, atoms.neighbours[atom, p])
            without += mixed(atom, atoms.neighbours[atom, p])
    listing.hashes[0] = with_order
    listing.hashes[1] = without


@kernel
def draw_skip(atoms, batch, most):
    """Draw how many attempts pass up to and with the next one that tries a move; more than `most` says none of them."""
    total = batch.catalogue.tree[1]
    draw = 1.0 - uniform(atoms.stream)
    if total >= 1.0:
        return 1
    if total <= 0.0:
        return most + 1
    skip = np.floor(np.log(draw) / np.log1p(-total))
    return most + 1 if skip >= most else int(skip) + 1


@kernel
def draw_move(atoms, batch):
    """Draw a move by its weight; return (site, slot), slot -1 where rounding led to none."""
    tree = batch.catalogue.tree
    leaves = len(tree) // 2
    x = uniform(atoms.stream) * tree[1]
    node = 1
    while node < leaves:
        node *= 2
        if x >= tree[node]:
            x -= tree[node]
            node += 1
    site = node - leaves
    if site >= len(batch.active) + len(batch.oxygens):
        return 0, -1
    _, first, count = site_kind(batch, site)
    q = chance(batch, site)
    last = -1
    for slot in range(count):
        weight = slot_weight(batch, q, first + slot)
        if weight > 0.0:
            last = slot
            if x < weight:
                break
            x -= weight
    return site, last


@kernel
def keep(batch, trusted):
    """Keep the present network's catalogue for when the chain comes back; it takes the place of the oldest.

    One that is not to be trusted is not kept, and what was kept of this network before is forgotten.
    """
    listing = batch.catalogue
    place = -1
    for k in range(listing.counts[N_KEPT]):
        if listing.kept_hash[k] == listing.hashes[0]:
            place = k
    if not trusted:
        if place >= 0:
            listing.kept_hash[place] = np.uint64(0)
        return
    if place < 0:
        place = listing.counts[NEXT_KEPT]
        listing.counts[NEXT_KEPT] = (place + 1) % _KEPT
        listing.counts[N_KEPT] = min(listing.counts[N_KEPT] + 1, _KEPT)
    listing.kept_hash[place] = listing.hashes[0]
    for index in range(len(listing.bound)):
        listing.kept_bound[place, index] = listing.bound[index]
        listing.kept_times[place, index] = listing.times[index]
    for atom in range(len(listing.seen)):
        for k in range(3):
            listing.kept_seen[place, atom, k] = listing.seen[atom, k]


@kernel
def add_silicon(atoms, work, batch, atom):
    """Put a Si that is not marked yet on the list of those to be looked at."""
    listing = batch.catalogue
    if atoms.species[atom] == 0 and work.mark[atom] != work.counters[MARK_STAMP]:
        work.mark[atom] = work.counters[MARK_STAMP]
        listing.todo[listing.counts[N_TODO]] = atom
        listing.counts[N_TODO] += 1


@kernel
def add_around(atoms, work, batch, silicon):
    """Put a Si and all within two links of it on that list."""
    add_silicon(atoms, work, batch, silicon)
    for p in range(atoms.degree[silicon]):
        near = far_silicon(atoms, atoms.neighbours[silicon, p], silicon)
        add_silicon(atoms, work, batch, near)
        for q in range(atoms.degree[near]):
            add_silicon(atoms, work, batch, far_silicon(atoms, atoms.neighbours[near, q], near))


@kernel
def see(atoms, batch, atom):
    """Note where an atom is now."""
    for k in range(3):
        batch.catalogue.seen[atom, k] = atoms.position[atom, k]


@kernel
def gone(atoms, batch, atom):
    """Return how far an atom is from where it was when the slots around it were looked at, in A."""
    d2 = 0.0
    for k in range(3):
        d = atoms.position[atom, k] - batch.catalogue.seen[atom, k]
        d -= atoms.cell[k] * np.round(d / atoms.cell[k])
        d2 += d * d
    return np.sqrt(d2)


@kernel
def add_drifted(atoms, work, batch, farther_than_A):
    """Put the Si around atoms that have gone so far on the list of those to be looked at, and note where these are."""
    for atom in range(len(atoms.position)):
        if gone(atoms, batch, atom) > farther_than_A:
            see(atoms, batch, atom)
            if atoms.species[atom] == 0:
                add_around(atoms, work, batch, atom)
            elif atoms.degree[atom] == 2:
                add_around(atoms, work, batch, atoms.neighbours[atom, 0])
                add_around(atoms, work, batch, atoms.neighbours[atom, 1])


@kernel
def look_around(atoms, field, work, batch, n_chain):
    """Look anew at the slots around the move in work.chain, n_chain atoms long, and around atoms that have drifted."""
    listing = batch.catalogue
    work.counters[MARK_STAMP] += 1
    listing.counts[N_TODO] = 0
    for c in range(n_chain):
        atom = work.chain[c]
        if atoms.species[atom] == 0:
            add_around(atoms, work, batch, atom)
        else:
            add_around(atoms, work, batch, atoms.neighbours[atom, 0])
            add_around(atoms, work, batch, atoms.neighbours[atom, 1])
    add_drifted(atoms, work, batch, _FAR_A)
    forgotten = listing.counts[N_TODO]
    add_drifted(atoms, work, batch, _DRIFT_A)
    for k in range(listing.counts[N_TODO]):
        silicon = listing.todo[k]
        if listing.site_of[silicon] >= 0:
            look_at_site(atoms, field, work, batch, listing.site_of[silicon], k < forgotten)
            sum_site(batch, listing.site_of[silicon])
        for p in range(atoms.degree[silicon]):
            near = atoms.neighbours[silicon, p]
            if atoms.species[near] == 1 and listing.site_of[near] >= 0:
                if work.mark[near] != work.counters[MARK_STAMP]:
                    work.mark[near] = work.counters[MARK_STAMP]
                    look_at_site(atoms, field, work, batch, listing.site_of[near], k < forgotten)
                    sum_site(batch, listing.site_of[near])


@kernel
def know_the_way_back(atoms, work, batch, site, first, second, third, fourth, barrier):
    """Lower the bound of the move that undoes the one of these four atoms, of the same site, to what it costs, eV."""
    listing = batch.catalogue
    kind, begin, count = site_kind(batch, site)
    for slot in range(count):
        if listing.times[begin + slot] == 0 or form_listed(atoms, work, batch, site, slot) == 0:
            continue
        chain = work.chain
        if kind == _HOP:
            undoes = chain[0] == first and chain[1] == fourth and chain[2] == third and chain[3] == second
        else:
            undoes = chain[0] == first and chain[1] == second and chain[2] == fourth and chain[3] == third
        if undoes:
            known = listing.bound[begin + slot]
            listing.bound[begin + slot] = min(known, within(batch, barrier - _MARGIN_EV))
    sum_site(batch, site)


@kernel
def arrive(atoms, field, work, batch, n_chain):
    """Make the catalogue that of the network a move has led to, after `keep` for the one before."""
    listing = batch.catalogue
    for k in range(work.counters[N_EDITS]):
        atom = work.edits[k, 0]
        slot = work.edits[k, 1]
        old = work.edits[k, 2]
        new = atoms.neighbours[atom, slot]
        listing.hashes[0] += mixed(4 * atom + slot, new) - mixed(4 * atom + slot, old)
        listing.hashes[1] += mixed(atom, new) - mixed(atom, old)
    for k in range(listing.counts[N_KEPT]):
        if listing.kept_hash[k] == listing.hashes[0]:
            for index in range(len(listing.bound)):
                listing.bound[index] = listing.kept_bound[k, index]
                listing.times[index] = listing.kept_times[k, index]
            for atom in range(len(listing.seen)):
                for axis in range(3):
                    listing.seen[atom, axis] = listing.kept_seen[k, atom, axis]
            sum_all(batch)
            look_around(atoms, field, work, batch, 0)
            return
    look_around(atoms, field, work, batch, n_chain)
