"""Compiled moves of the network: bond switch, oxygen hop, exchange of oxygen with a reserve; each can be undone.

Every proposal is symmetric: the reverse move is proposed with the same probability (see `docs/theory/oxidation.md`),
so that Metropolis' rule needs no correction. Moves never touch a frozen atom's bonds, never make a double bond, never
link two Si twice (directly or through one O), and never only rename atoms; on request they never close a ring of three
Si either.
"""

from moxie.oxidation.kernels.compilation import entry, inlined, kernel
from moxie.oxidation.kernels.random_stream import below
from moxie.oxidation.kernels.slots import N_RESERVE

SWITCH, HOP, EXCHANGE = range(3)
_SWITCH = SWITCH
# what the rules of early rejection tell apart: switches by the number of O among the atoms that move
CLASSES = ("switch, no O", "switch, 1 O", "switch, 2 O", "switch, 3 O", "hop", "exchange")


@entry
def bonded(atoms, i, j):
    """Return whether two atoms are neighbours."""
    for p in range(atoms.degree[i]):
        if atoms.neighbours[i, p] == j:
            return True
    return False


@kernel
def other_end(atoms, oxygen, silicon):
    """Return the neighbour of a bridging O that is not the given Si."""
    first = atoms.neighbours[oxygen, 0]
    return atoms.neighbours[oxygen, 1] if first == silicon else first


@kernel
def linked(atoms, i, j):
    """Return how often two Si are linked, directly or through one O."""
    count = 0
    for p in range(atoms.degree[i]):
        near = atoms.neighbours[i, p]
        if near == j:
            count += 1
        elif atoms.species[near] == 1 and other_end(atoms, near, i) == j:
            count += 1
    return count


@kernel
def replace_neighbour(atoms, work, n_edits, atom, old, new):
    """Write `new` over `old` among the neighbours of an atom, and log it; return the log's length."""
    for p in range(atoms.degree[atom]):
        if atoms.neighbours[atom, p] == old:
            atoms.neighbours[atom, p] = new
            work.edits[n_edits, 0] = atom
            work.edits[n_edits, 1] = p
            work.edits[n_edits, 2] = old
            break
    return n_edits + 1


@inlined
def swap_edits(atoms, work, n_edits):
    """Undo the logged edits, or do them again when they are undone: the log and the network trade places."""
    for k in range(n_edits):
        atom = work.edits[k, 0]
        slot = work.edits[k, 1]
        current = atoms.neighbours[atom, slot]
        atoms.neighbours[atom, slot] = work.edits[k, 2]
        work.edits[k, 2] = current


@kernel
def far_silicon(atoms, near, centre):
    """Return the Si that `centre` reaches over its neighbour `near`: itself, or the other end of a bridging O."""
    return other_end(atoms, near, centre) if atoms.species[near] == 1 else near


@kernel
def closes_triangle(atoms, i, lost, j, far):
    """Return whether a link between Si i and `far` closes a ring of three Si, once i has lost its link to `lost` and
    `far` its link to j."""
    for p in range(4):
        k = far_silicon(atoms, atoms.neighbours[i, p], i)
        if k != lost and k != j and linked(atoms, k, far) > 0:
            return True
    return False


@kernel
def only_renames(atoms, i, link_i, a, j, link_j, b):
    """Return whether i and j, of which i gives a to j for b, have all else in common: the switch then makes the same
    network again, with i and j in each other's place."""
    for p in range(4):
        near = atoms.neighbours[i, p]
        if near == link_i or near == a:
            continue
        shared = False
        for q in range(4):
            other = atoms.neighbours[j, q]
            if other != link_j and other != b and atoms.species[other] == atoms.species[near]:
                shared = shared or far_silicon(atoms, other, j) == far_silicon(atoms, near, i)
        if not shared:
            return False
    return True


@inlined
def propose_switch(atoms, work, active, n_active, triangles):
    """Draw a bond switch into work.chain; return the chain's length, 0 when the draw is not a valid move.

    chain = i, j, a, b [, O between i and j]. `active` lists the Si from which i is drawn. `triangles`: whether the
    switch may close rings of three Si.
    """
    i = active[below(atoms.stream, n_active)]
    pick = below(atoms.stream, 4)
    pick_a = below(atoms.stream, 3)
    pick_b = below(atoms.stream, 3)
    return form_switch(atoms, work, i, pick, pick_a, pick_b, triangles)


@kernel
def form_switch(atoms, work, i, pick, pick_a, pick_b, triangles):
    """Write the switch of Si i over its link `pick` (of four), with the substituents pick_a of i and pick_b of j (of
    three each), into work.chain; return the chain's length, 0 when it is not a valid move."""
    if atoms.frozen[i]:
        return 0
    near = atoms.neighbours[i, pick]
    link_j = i
    bridge = -1
    if atoms.species[near] == 1:
        bridge = near
        if atoms.frozen[bridge]:
            return 0
        j = other_end(atoms, bridge, i)
        link_j = bridge
    else:
        j = near
    if atoms.frozen[j] or j == i:
        return 0
    a = atoms.neighbours[i, pick_a if pick_a < pick else pick_a + 1]
    slot_j = 0
    for p in range(4):
        if atoms.neighbours[j, p] == link_j:
            slot_j = p
    b = atoms.neighbours[j, pick_b if pick_b < slot_j else pick_b + 1]
    if a == b or a == j or b == i or atoms.frozen[a] or atoms.frozen[b]:
        return 0
    far_a = far_silicon(atoms, a, i)
    far_b = far_silicon(atoms, b, j)
    if far_a == far_b or far_a == j or far_b == i:
        return 0
    if linked(atoms, i, far_b) > 0 or linked(atoms, j, far_a) > 0:
        return 0
    if only_renames(atoms, i, near, a, j, link_j, b):
        return 0
    if not triangles and (closes_triangle(atoms, i, far_a, j, far_b) or closes_triangle(atoms, j, far_b, i, far_a)):
        return 0
    work.chain[0] = i
    work.chain[1] = j
    work.chain[2] = a
    work.chain[3] = b
    if bridge >= 0:
        work.chain[4] = bridge
        return 5
    return 4


@inlined
def apply_switch(atoms, work):
    """Carry out the switch in work.chain: i-a, j-b become i-b, j-a; return the number of logged edits."""
    i, j, a, b = work.chain[0], work.chain[1], work.chain[2], work.chain[3]
    n = replace_neighbour(atoms, work, 0, i, a, b)
    n = replace_neighbour(atoms, work, n, j, b, a)
    n = replace_neighbour(atoms, work, n, a, i, j)
    return replace_neighbour(atoms, work, n, b, j, i)


@inlined
def propose_hop(atoms, work, oxygens, n_oxygens):
    """Draw an oxygen hop Si0-O-Si1-Si2 -> Si0-Si1-O-Si2 into work.chain (O, Si0, Si1, Si2); return 4, or 0."""
    oxygen = oxygens[below(atoms.stream, n_oxygens)]
    side = below(atoms.stream, 2)
    pick = below(atoms.stream, 3)
    return form_hop(atoms, work, oxygen, side, pick)


@kernel
def form_hop(atoms, work, oxygen, side, pick):
    """Write the hop of an O over its Si `side` (of two) into that one's other bond `pick` (of three) into work.chain
    (O, Si0, Si1, Si2); return 4, or 0."""
    if atoms.frozen[oxygen] or atoms.degree[oxygen] == 0:
        return 0
    s1 = atoms.neighbours[oxygen, side]
    s0 = atoms.neighbours[oxygen, 1 - side]
    if atoms.frozen[s0] or atoms.frozen[s1]:
        return 0
    slot = 0
    for p in range(4):
        if atoms.neighbours[s1, p] == oxygen:
            slot = p
    s2 = atoms.neighbours[s1, pick if pick < slot else pick + 1]
    if atoms.species[s2] == 1 or atoms.frozen[s2] or s2 == s0:
        return 0
    work.chain[0] = oxygen
    work.chain[1] = s0
    work.chain[2] = s1
    work.chain[3] = s2
    return 4


@inlined
def apply_hop(atoms, work):
    """Carry out the hop in work.chain; return the number of logged edits."""
    oxygen, s0, s1, s2 = work.chain[0], work.chain[1], work.chain[2], work.chain[3]
    n = replace_neighbour(atoms, work, 0, s0, oxygen, s1)
    n = replace_neighbour(atoms, work, n, s2, s1, oxygen)
    # Si1 keeps its four slots: the one of the O now holds Si0, the one of Si2 holds the O
    slot_o, slot_2 = 0, 0
    for p in range(4):
        if atoms.neighbours[s1, p] == oxygen:
            slot_o = p
        elif atoms.neighbours[s1, p] == s2:
            slot_2 = p
    atoms.neighbours[s1, slot_o] = s0
    atoms.neighbours[s1, slot_2] = oxygen
    work.edits[n, 0], work.edits[n, 1], work.edits[n, 2] = s1, slot_o, oxygen
    work.edits[n + 1, 0], work.edits[n + 1, 1], work.edits[n + 1, 2] = s1, slot_2, s2
    return replace_neighbour(atoms, work, n + 2, oxygen, s0, s2)


@entry
def insert_oxygen(atoms, oxygen, i, j):
    """Put a loose O (no neighbours) into the bond i-j: Si-Si becomes Si-O-Si."""
    for p in range(atoms.degree[i]):
        if atoms.neighbours[i, p] == j:
            atoms.neighbours[i, p] = oxygen
            break
    for p in range(atoms.degree[j]):
        if atoms.neighbours[j, p] == i:
            atoms.neighbours[j, p] = oxygen
            break
    atoms.neighbours[oxygen, 0] = i
    atoms.neighbours[oxygen, 1] = j
    atoms.degree[oxygen] = 2


@entry
def remove_oxygen(atoms, oxygen):
    """Take a bridging O out: Si-O-Si becomes Si-Si. The O is left loose."""
    i = atoms.neighbours[oxygen, 0]
    j = atoms.neighbours[oxygen, 1]
    for p in range(atoms.degree[i]):
        if atoms.neighbours[i, p] == oxygen:
            atoms.neighbours[i, p] = j
            break
    for p in range(atoms.degree[j]):
        if atoms.neighbours[j, p] == oxygen:
            atoms.neighbours[j, p] = i
            break
    atoms.neighbours[oxygen, 0] = -1
    atoms.neighbours[oxygen, 1] = -1
    atoms.degree[oxygen] = 0


@kernel
def propose_exchange(atoms, work, active, n_active):
    """Draw a link of a Si: an O from the reserve goes into a Si-Si bond, an O that bridges goes to the reserve.

    Writes work.chain (O, Si, Si); returns 3, or 0. Both directions draw the same Si and slot, so that no ratio of
    counts is needed.
    """
    i = active[below(atoms.stream, n_active)]
    slot = below(atoms.stream, 4)
    if atoms.frozen[i]:
        return 0
    near = atoms.neighbours[i, slot]
    if atoms.frozen[near]:
        return 0
    if atoms.species[near] == 1:
        if atoms.frozen[other_end(atoms, near, i)]:
            return 0
        work.chain[0] = near
        work.chain[1] = atoms.neighbours[near, 0]
        work.chain[2] = atoms.neighbours[near, 1]
        return 3
    if work.counters[N_RESERVE] == 0:
        return 0
    work.chain[0] = work.reserve[work.counters[N_RESERVE] - 1]
    work.chain[1] = i
    work.chain[2] = near
    return 3


@kernel
def apply_exchange(atoms, work):
    """Carry out the exchange in work.chain, or undo it."""
    if atoms.degree[work.chain[0]] == 0:
        insert_oxygen(atoms, work.chain[0], work.chain[1], work.chain[2])
    else:
        remove_oxygen(atoms, work.chain[0])


@kernel
def move_class(atoms, work, kind, n_chain):
    """Return the class of the move in work.chain, an index into CLASSES."""
    if kind != _SWITCH:
        return 3 + kind
    count = 0
    for c in range(n_chain):
        count += atoms.species[work.chain[c]]
    return count


@kernel
def oxidation_state(atoms, silicon):
    """Return the number of O neighbours of a Si."""
    count = 0
    for p in range(atoms.degree[silicon]):
        count += atoms.species[atoms.neighbours[silicon, p]]
    return count


@inlined
def chain_penalty(atoms, field, work, n_chain):
    """Return the suboxide energy in eV of the Si in the chain (all whose state a move can change)."""
    energy = 0.0
    for c in range(n_chain):
        atom = work.chain[c]
        if atoms.species[atom] == 0:
            energy += field.suboxide[oxidation_state(atoms, atom)]
    return energy
