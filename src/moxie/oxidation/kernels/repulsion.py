"""Compiled repulsion of atoms that are neither bonded nor second neighbours: who is near whom, pair lists, energy.

The lists of near atoms outlive the moves: only atoms that went far are enlisted anew, and brought home when the move is
given up. The pairs of a local problem are found among them.

quadratic: 1/2 gamma (r^2 - d^2)^2; cubic: gamma (d - r)^3; both for r < d, with d by the pair's species.
"""

import numpy as np

from moxie.oxidation.kernels.compilation import kernel
from moxie.oxidation.kernels.slots import MARK_STAMP, N_PAIRS, N_TRAVELLERS, OVERFLOW, ROW_STAMP
from moxie.oxidation.kernels.state import BIN_CAPACITY, DRIFT, LISTED, NEAR_CAPACITY
from moxie.oxidation.kernels.valence import folded, row_for
from moxie.oxidation.parameter_sets import SKIN_A

_SKIN, _DRIFT, _LISTED = SKIN_A, DRIFT, LISTED
_CAPACITY, _NEAR = BIN_CAPACITY, NEAR_CAPACITY


@kernel
def bin_index(atoms, bins, x, y, z):
    """Return the linked cell of a point; points beyond a free edge belong to the outermost cell."""
    index = 0
    for axis in range(3):
        value = x if axis == 0 else (y if axis == 1 else z)
        length = atoms.cell[axis]
        count = bins.shape[axis]
        if length < 1e29:
            value -= length * np.floor(value / length)
        k = int(np.floor((value - bins.origin[axis]) / bins.width[axis]))
        k = min(max(k, 0), count - 1)
        index = index * count + k
    return index


@kernel
def neighbour_cell(k, offset, count, periodic):
    """Return the cell at an offset of -1, 0 or 1 along one axis; -1 where there is none or it was already visited."""
    k += offset
    if not periodic:
        return k if k < count else -1
    if (count == 1 and offset != 0) or (count == 2 and offset == -1):
        return -1
    return k % count


@kernel
def delist(bins, atom):
    """Take an atom out of its linked cell and out of all lists."""
    for k in range(bins.n_near[atom]):
        other = bins.near[atom, k]
        last = bins.n_near[other] - 1
        slot = last
        while bins.near[other, slot] != atom:
            slot -= 1
        bins.near[other, slot] = bins.near[other, last]
        bins.n_near[other] = last
    bins.n_near[atom] = 0
    cell = bins.of_atom[atom]
    if cell >= 0:
        last = bins.filled[cell] - 1
        moved = bins.atoms[cell, last]
        bins.atoms[cell, bins.slot[atom]] = moved
        bins.slot[moved] = bins.slot[atom]
        bins.filled[cell] = last
        bins.of_atom[atom] = -1


@kernel
def enlist(atoms, field, bins, work, atom, x, y, z):
    """Make a point an atom's reference: put it into the linked cell and the lists there, and out of all others.

    An O in reserve belongs to none.
    """
    delist(bins, atom)
    if atoms.degree[atom] == 0:
        return
    home = bin_index(atoms, bins, x, y, z)
    count = bins.filled[home]
    if count >= _CAPACITY:
        work.counters[OVERFLOW] = 1  # more atoms than any sound network has; the sampler stops on it
        return
    bins.reference[atom, 0] = x
    bins.reference[atom, 1] = y
    bins.reference[atom, 2] = z
    kind = atoms.species[atom]
    ny, nz = bins.shape[1], bins.shape[2]
    for ox in range(-1, 2):
        cx = neighbour_cell(home // (nz * ny), ox, bins.shape[0], atoms.cell[0] < 1e29)
        if cx < 0:
            continue
        for oy in range(-1, 2):
            cy = neighbour_cell((home // nz) % ny, oy, ny, atoms.cell[1] < 1e29)
            if cy < 0:
                continue
            for oz in range(-1, 2):
                cz = neighbour_cell(home % nz, oz, nz, atoms.cell[2] < 1e29)
                if cz < 0:
                    continue
                cell = (cx * ny + cy) * nz + cz
                for slot in range(bins.filled[cell]):
                    other = bins.atoms[cell, slot]
                    reach = field.repulsion_range[kind, atoms.species[other]] + _LISTED
                    if squared_distance(atoms, bins, other, x, y, z) < reach * reach:
                        if bins.n_near[atom] >= _NEAR or bins.n_near[other] >= _NEAR:
                            work.counters[OVERFLOW] = 1
                            return
                        bins.near[atom, bins.n_near[atom]] = other
                        bins.near[other, bins.n_near[other]] = atom
                        bins.n_near[atom] += 1
                        bins.n_near[other] += 1
    bins.atoms[home, count] = atom
    bins.slot[atom] = count
    bins.filled[home] = count + 1
    bins.of_atom[atom] = home


@kernel
def squared_distance(atoms, bins, atom, x, y, z):
    """Return the squared distance of a point from the nearest image of an atom's reference, in A^2."""
    total = 0.0
    for k in range(3):
        d = (x if k == 0 else (y if k == 1 else z)) - bins.reference[atom, k]
        d -= atoms.cell[k] * np.round(d / atoms.cell[k])
        total += d * d
    return total


@kernel
def enlist_home(atoms, field, bins, work, atom):
    """Enlist an atom at its position."""
    home = atoms.position[atom]
    enlist(atoms, field, bins, work, atom, home[0], home[1], home[2])


@kernel
def enlist_all(atoms, field, bins, work):
    """Enlist all atoms at their positions, in order of number (so that a resumed run sums alike)."""
    bins.filled[:] = 0
    bins.of_atom[:] = -1
    bins.n_near[:] = 0
    bins.away[:] = False
    work.counters[N_TRAVELLERS] = 0
    for atom in range(len(atoms.position)):
        enlist_home(atoms, field, bins, work, atom)


@kernel
def follow(atoms, field, bins, work, n_moving):
    """Enlist the moving rows anew that are too far from their reference, or went into the reserve or out of it."""
    for row in range(n_moving):
        atom = work.atom[row]
        x, y, z = work.x[row, 0], work.x[row, 1], work.x[row, 2]
        changed = (bins.of_atom[atom] < 0) != (atoms.degree[atom] == 0)
        if changed or squared_distance(atoms, bins, atom, x, y, z) > _DRIFT * _DRIFT:
            if not bins.away[atom]:
                bins.away[atom] = True
                bins.travellers[work.counters[N_TRAVELLERS]] = atom
                work.counters[N_TRAVELLERS] += 1
            enlist(atoms, field, bins, work, atom, x, y, z)


@kernel
def bring_home(atoms, field, bins, work):
    """Enlist at their positions those atoms that are enlisted at a trial position."""
    for k in range(work.counters[N_TRAVELLERS]):
        atom = bins.travellers[k]
        bins.away[atom] = False
        enlist_home(atoms, field, bins, work, atom)
    work.counters[N_TRAVELLERS] = 0


@kernel
def list_pairs(atoms, field, bins, work, n_moving, source):
    """List the pairs with a moving row within range plus skin; positions are work.x, of others `source`.

    No atom may be farther than DRIFT from its reference.
    """
    count = 0
    for row in range(n_moving):
        atom = work.atom[row]
        for k in range(3):
            work.x_listed[row, k] = work.x[row, k]
        if atoms.degree[atom] == 0:
            continue
        work.counters[MARK_STAMP] += 1
        stamp = work.counters[MARK_STAMP]
        work.mark[atom] = stamp
        for p in range(atoms.degree[atom]):
            near = atoms.neighbours[atom, p]
            work.mark[near] = stamp
            for q in range(atoms.degree[near]):
                work.mark[atoms.neighbours[near, q]] = stamp
        for slot in range(bins.n_near[atom]):
            other = bins.near[atom, slot]
            if work.mark[other] == stamp or atoms.degree[other] == 0:
                continue
            other_row = work.row_of[other]
            moves = work.row_stamp[other] == work.counters[ROW_STAMP] and other_row < n_moving
            if moves and other_row < row:
                continue
            d2 = 0.0
            for k in range(3):
                d = (work.x[other_row, k] if moves else source[other, k]) - work.x[row, k]
                d = folded(d, atoms.cell[k])
                d2 += d * d
            reach = field.repulsion_range[atoms.species[atom], atoms.species[other]] + _SKIN
            if d2 < reach * reach:
                if count >= len(work.pair_i):
                    work.counters[OVERFLOW] = 1
                    work.counters[N_PAIRS] = count
                    return
                work.pair_i[count] = row
                work.pair_j[count] = row_for(atoms, work, other, source)
                count += 1
    work.counters[N_PAIRS] = count


@kernel
def pair_term(field, kind_i, kind_j, r2):
    """Return (energy, slope dE/dr over r) of a pair at squared distance r2; zero outside the range."""
    reach = field.repulsion_range[kind_i, kind_j]
    if r2 >= reach * reach:
        return 0.0, 0.0
    if field.repulsion_kind == 1:
        d = r2 - reach * reach
        return 0.5 * field.repulsion_k * d * d, 2.0 * field.repulsion_k * d
    r = max(np.sqrt(r2), 1e-6)
    d = reach - r
    return field.repulsion_k * d * d * d, -3.0 * field.repulsion_k * d * d / r


@kernel
def repulsion(cell, field, work, n_moving):
    """Return the repulsion energy of the listed pairs at work.x in eV and add its gradient to work.g[:n_moving]."""
    energy = 0.0
    x = work.x
    g = work.g
    for k in range(work.counters[N_PAIRS]):
        i = work.pair_i[k]
        j = work.pair_j[k]
        dx = folded(x[j, 0] - x[i, 0], cell[0])
        dy = folded(x[j, 1] - x[i, 1], cell[1])
        dz = folded(x[j, 2] - x[i, 2], cell[2])
        r2 = dx * dx + dy * dy + dz * dz
        value, slope = pair_term(field, work.local_species[i], work.local_species[j], r2)
        if value > 0.0:
            energy += value
            if j < n_moving:
                g[j, 0] += slope * dx
                g[j, 1] += slope * dy
                g[j, 2] += slope * dz
            g[i, 0] -= slope * dx
            g[i, 1] -= slope * dy
            g[i, 2] -= slope * dz
    return energy
