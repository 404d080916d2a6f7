"""Compiled repulsion of atoms that are neither bonded nor second neighbours: linked cells, pair lists, energy.

quadratic: 1/2 gamma (r^2 - d^2)^2; cubic: gamma (d - r)^3; both for r < d, with d by the pair's species.
"""

import numpy as np

from moxie.oxidation.compilation import kernel
from moxie.oxidation.kernels import folded, row_for
from moxie.oxidation.state import BIN_CAPACITY, SKIN

_SKIN = SKIN
_CAPACITY = BIN_CAPACITY


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
def bin_atom(atoms, bins, work, atom, x, y, z):
    """Put an atom into the linked cell of a point; an O in reserve belongs to none."""
    new = bin_index(atoms, bins, x, y, z) if atoms.degree[atom] > 0 else -1
    old = bins.of_atom[atom]
    if old == new:
        return
    if old >= 0:
        last = bins.filled[old] - 1
        moved = bins.atoms[old, last]
        bins.atoms[old, bins.slot[atom]] = moved
        bins.slot[moved] = bins.slot[atom]
        bins.filled[old] = last
    bins.of_atom[atom] = new
    if new < 0:
        return
    count = bins.filled[new]
    if count >= _CAPACITY:
        work.counters[5] = 1  # more atoms than any sound network has; the sampler stops on it
        bins.of_atom[atom] = -1
        return
    bins.atoms[new, count] = atom
    bins.slot[atom] = count
    bins.filled[new] = count + 1


@kernel
def bin_all(atoms, bins, work):
    """Fill the linked cells anew from the positions, in order of atom number (so that a resumed run sums alike)."""
    bins.filled[:] = 0
    bins.of_atom[:] = -1
    for atom in range(len(atoms.position)):
        bin_atom(atoms, bins, work, atom, atoms.position[atom, 0], atoms.position[atom, 1], atoms.position[atom, 2])


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
def list_pairs(atoms, field, bins, work, n_moving, source):
    """List the pairs with a moving row within range plus skin; positions are work.x, of others `source`.

    The cells must hold the moving atoms at their work.x.
    """
    count = 0
    nx, ny, nz = bins.shape[0], bins.shape[1], bins.shape[2]
    for row in range(n_moving):
        atom = work.atom[row]
        for k in range(3):
            work.x_listed[row, k] = work.x[row, k]
        if atoms.degree[atom] == 0:
            continue
        work.counters[1] += 1
        stamp = work.counters[1]
        work.mark[atom] = stamp
        for p in range(atoms.degree[atom]):
            near = atoms.neighbours[atom, p]
            work.mark[near] = stamp
            for q in range(atoms.degree[near]):
                work.mark[atoms.neighbours[near, q]] = stamp
        home = bins.of_atom[atom]
        bz = home % nz
        by = (home // nz) % ny
        bx = home // (nz * ny)
        for ox in range(-1, 2):
            cx = neighbour_cell(bx, ox, nx, atoms.cell[0] < 1e29)
            if cx < 0:
                continue
            for oy in range(-1, 2):
                cy = neighbour_cell(by, oy, ny, atoms.cell[1] < 1e29)
                if cy < 0:
                    continue
                for oz in range(-1, 2):
                    cz = neighbour_cell(bz, oz, nz, atoms.cell[2] < 1e29)
                    if cz < 0:
                        continue
                    index = (cx * ny + cy) * nz + cz
                    for slot in range(bins.filled[index]):
                        other = bins.atoms[index, slot]
                        if work.mark[other] == stamp:
                            continue
                        known = work.row_stamp[other] == work.counters[0]
                        if known and work.row_of[other] < n_moving:
                            if work.row_of[other] < row:
                                continue
                            orow = work.row_of[other]
                            d2 = 0.0
                            for k in range(3):
                                d = work.x[orow, k] - work.x[row, k]
                                d -= atoms.cell[k] * np.round(d / atoms.cell[k])
                                d2 += d * d
                        else:
                            d2 = 0.0
                            for k in range(3):
                                d = source[other, k] - work.x[row, k]
                                d -= atoms.cell[k] * np.round(d / atoms.cell[k])
                                d2 += d * d
                        reach = field.repulsion_range[atoms.species[atom], atoms.species[other]] + _SKIN
                        if d2 < reach * reach:
                            if count >= len(work.pair_i):
                                work.counters[5] = 1
                                work.counters[3] = count
                                return
                            work.pair_i[count] = row
                            work.pair_j[count] = row_for(atoms, work, other, source)
                            count += 1
    work.counters[3] = count


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
    for k in range(work.counters[3]):
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
