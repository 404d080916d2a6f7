"""What a move changes before any atom relaxes: the energy and the forces of the terms at the few atoms whose bonds it
makes or breaks.

The network was at rest before the move, so that the change of the gradient is the gradient. All other terms are what
they were: four atoms are looked at instead of the sixteen that a relaxation of four needs.
"""

from moxie.oxidation.kernels.compilation import inlined, kernel
from moxie.oxidation.kernels.slots import N_ROWS, ROW_STAMP
from moxie.oxidation.kernels.valence import angles, row_for, still_bond, stretch

_BRIDGE = 4  # row of the O between the two Si of a switch: it keeps its two bonds


@inlined
def look_before(atoms, field, work, n_chain):
    """Number the atoms of the move in work.chain and the other ends of its O; return (energy at them, their number).

    The gradient is left in work.g, with its sign changed.
    """
    work.counters[ROW_STAMP] += 1
    work.counters[N_ROWS] = 0
    for c in range(n_chain):
        known_row(atoms, work, work.chain[c])
    for c in range(min(n_chain, _BRIDGE)):
        atom = work.chain[c]
        if atoms.species[atom] == 1:
            known_row(atoms, work, atoms.neighbours[atom, 0])
            known_row(atoms, work, atoms.neighbours[atom, 1])
    n_centres = work.counters[N_ROWS]
    return terms_at(atoms, field, work, n_chain, n_centres, -1.0), n_centres


@inlined
def look_after(atoms, field, work, n_chain, n_centres):
    """Return (energy at the same atoms after the move, squared change of the gradient on the mobile atoms around those
    of the move, the same on these), in eV and (eV/A)^2."""
    for c in range(min(n_chain, _BRIDGE)):
        atom = work.chain[c]
        if atoms.species[atom] == 1:
            for k in range(3):
                work.x[c, k] = work.trial[atom, k]
    energy = terms_at(atoms, field, work, n_chain, n_centres, 1.0)
    rest2, edge2 = 0.0, 0.0
    for row in range(work.counters[N_ROWS]):
        g2 = work.g[row, 0] ** 2 + work.g[row, 1] ** 2 + work.g[row, 2] ** 2
        if row < n_chain:
            rest2 += g2
        elif not atoms.frozen[work.atom[row]]:
            edge2 += g2
    return energy, edge2, rest2


@inlined
def known_row(atoms, work, atom):
    """Return the row of an atom; a new one begins without forces."""
    known = work.counters[N_ROWS]
    row = row_for(atoms, work, atom, atoms.position)
    if work.counters[N_ROWS] > known:
        work.g[row, 0] = 0.0
        work.g[row, 1] = 0.0
        work.g[row, 2] = 0.0
    return row


@kernel
def terms_at(atoms, field, work, n_chain, n_centres, sign):
    """Return the energy of the bonds and angles at the first n_centres rows but the bridge; `sign` times its gradient
    is added to work.g."""
    energy = 0.0
    skipped = _BRIDGE if n_chain > _BRIDGE else n_centres
    for row in range(n_centres):
        if row == skipped:
            continue
        atom = work.atom[row]
        degree = atoms.degree[atom]
        work.table_degree[row] = degree
        work.table_moving[row] = degree
        for p in range(degree):
            work.table[row, p] = known_row(atoms, work, atoms.neighbours[atom, p])
            still_bond(atoms.cell, work, row, p)
        energy += angles(field, work, row)
        for p in range(degree):
            other = work.table[row, p]
            one = work.inverse[row, p]
            share = 0.5 if other < n_centres and other != skipped else 1.0
            e, pull = stretch(field, work.local_species[row], work.local_species[other], 1.0 / one)
            energy += share * e
            radial = share * pull - work.along[row, p] * one
            for k in range(3):
                f = sign * (radial * work.unit[row, p, k] + work.across[row, p, k] * one)
                work.g[other, k] += f
                work.g[row, k] -= f
    return energy
