"""Compiled valence energy and gradient of a local problem (see `state` for the numbering of its rows).

E = 1/2 k_b (b - b0)^2 over bonds + 1/2 k_th (cos th - cos th0)^2 over angles, each once; or Keating's form
3/8 alpha/d^2 (b^2 - d^2)^2 + 3/8 beta/d^2 (r.r' - cos th0 d^2)^2. Only terms with a moving atom are counted.
"""

import numpy as np
from numba import njit

# The arrays come from `state`: atoms: Atoms, field: Field, work: Scratch.


@njit(cache=True)
def row_for(atoms, work, atom, source):
    """Return the local row of an atom, adding one at its position in `source` (n, 3) if it has none."""
    if work.row_stamp[atom] == work.counters[0]:
        return work.row_of[atom]
    row = work.counters[2]
    work.counters[2] += 1
    work.row_stamp[atom] = work.counters[0]
    work.row_of[atom] = row
    work.atom[row] = atom
    work.local_species[row] = atoms.species[atom]
    for k in range(3):
        work.x[row, k] = source[atom, k]
    return row


@njit(cache=True)
def grow_shells(atoms, work, n_chain, shells):
    """Fill work.moving with the chain's mobile atoms and all mobile atoms within `shells` bonds; return their number.

    Frozen atoms end a path: nothing behind them is reached.
    """
    work.counters[1] += 1
    stamp = work.counters[1]
    n = 0
    for c in range(n_chain):
        atom = work.chain[c]
        if not atoms.frozen[atom] and work.mark[atom] != stamp:
            work.mark[atom] = stamp
            work.moving[n] = atom
            n += 1
    start = 0
    for _ in range(shells):
        end = n
        for k in range(start, end):
            atom = work.moving[k]
            for p in range(atoms.degree[atom]):
                other = atoms.neighbours[atom, p]
                if work.mark[other] != stamp and not atoms.frozen[other]:
                    work.mark[other] = stamp
                    work.moving[n] = other
                    n += 1
        start = end
    return n


@njit(cache=True)
def tabulate(atoms, work, n_moving, source):
    """Number the rows of the local problem that moves work.moving[:n_moving] from `source`; return how many centres."""
    work.counters[0] += 1
    work.counters[2] = 0
    work.counters[3] = 0
    for k in range(n_moving):
        row_for(atoms, work, work.moving[k], source)
    for row in range(n_moving):
        atom = work.atom[row]
        work.table_degree[row] = atoms.degree[atom]
        work.table_moving[row] = atoms.degree[atom]
        for p in range(atoms.degree[atom]):
            work.table[row, p] = row_for(atoms, work, atoms.neighbours[atom, p], source)
    centres = work.counters[2]
    for row in range(n_moving, centres):
        atom = work.atom[row]
        degree = atoms.degree[atom]
        front = 0
        for p in range(degree):
            other = atoms.neighbours[atom, p]
            if work.row_stamp[other] == work.counters[0] and work.row_of[other] < n_moving:
                work.table[row, front] = work.row_of[other]
                front += 1
        back = front
        for p in range(degree):
            other = atoms.neighbours[atom, p]
            if not (work.row_stamp[other] == work.counters[0] and work.row_of[other] < n_moving):
                work.table[row, back] = row_for(atoms, work, other, source)
                back += 1
        work.table_degree[row] = degree
        work.table_moving[row] = front
    return centres


@njit(cache=True)
def valence(cell, field, work, n_moving, centres):
    """Return the energy in eV at work.x and put its gradient into work.g[:n_moving] (eV/A)."""
    x = work.x
    g = work.g
    table = work.table
    species = work.local_species
    unit = work.unit
    length = work.length
    part = work.part
    for row in range(work.counters[2]):
        g[row, 0] = 0.0
        g[row, 1] = 0.0
        g[row, 2] = 0.0
    lx, ly, lz = cell[0], cell[1], cell[2]
    hx, hy, hz = 0.5 * lx, 0.5 * ly, 0.5 * lz
    energy = 0.0
    for row in range(centres):
        degree = work.table_degree[row]
        firsts = work.table_moving[row]
        kind = species[row]
        x0, x1, x2 = x[row, 0], x[row, 1], x[row, 2]
        for p in range(degree):
            other = table[row, p]
            dx = x[other, 0] - x0
            dy = x[other, 1] - x1
            dz = x[other, 2] - x2
            if dx > hx:
                dx -= lx
            elif dx < -hx:
                dx += lx
            if dy > hy:
                dy -= ly
            elif dy < -hy:
                dy += ly
            if dz > hz:
                dz -= lz
            elif dz < -hz:
                dz += lz
            r = np.sqrt(dx * dx + dy * dy + dz * dz)
            if r < 1e-6:
                r = 1e-6
            length[p] = r
            inverse = 1.0 / r
            unit[p, 0] = dx * inverse
            unit[p, 1] = dy * inverse
            unit[p, 2] = dz * inverse
            slope = 0.0
            if row < n_moving and (other > row or other >= n_moving):
                k = field.bond_k[kind, species[other]]
                b0 = field.bond_length[kind, species[other]]
                if field.keating:
                    d = r * r - b0 * b0
                    energy += 0.375 * k / (b0 * b0) * d * d
                    slope = 1.5 * k / (b0 * b0) * d * r
                else:
                    d = r - b0
                    energy += 0.5 * k * d * d
                    slope = k * d
            part[p, 0] = slope * unit[p, 0]
            part[p, 1] = slope * unit[p, 1]
            part[p, 2] = slope * unit[p, 2]
        for p in range(firsts):
            u0, u1, u2 = unit[p, 0], unit[p, 1], unit[p, 2]
            oxygen_p = species[table[row, p]]
            for q in range(p + 1, degree):
                v0, v1, v2 = unit[q, 0], unit[q, 1], unit[q, 2]
                cosine = u0 * v0 + u1 * v1 + u2 * v2
                ends = oxygen_p + species[table[row, q]]
                k = field.angle_k[kind, ends]
                if field.keating:
                    b0 = field.bond_length[0, 0]
                    rp = length[p]
                    rq = length[q]
                    d = cosine * rp * rq - field.angle_cos[kind, ends] * b0 * b0
                    factor = 0.375 * k / (b0 * b0)
                    energy += factor * d * d
                    slope = 2.0 * factor * d
                    part[p, 0] += slope * rq * v0
                    part[p, 1] += slope * rq * v1
                    part[p, 2] += slope * rq * v2
                    part[q, 0] += slope * rp * u0
                    part[q, 1] += slope * rp * u1
                    part[q, 2] += slope * rp * u2
                else:
                    d = cosine - field.angle_cos[kind, ends]
                    slope = k * d
                    energy += 0.5 * slope * d
                    sp = slope / length[p]
                    sq = slope / length[q]
                    part[p, 0] += sp * (v0 - cosine * u0)
                    part[p, 1] += sp * (v1 - cosine * u1)
                    part[p, 2] += sp * (v2 - cosine * u2)
                    part[q, 0] += sq * (u0 - cosine * v0)
                    part[q, 1] += sq * (u1 - cosine * v1)
                    part[q, 2] += sq * (u2 - cosine * v2)
        for p in range(degree):
            other = table[row, p]
            g[other, 0] += part[p, 0]
            g[other, 1] += part[p, 1]
            g[other, 2] += part[p, 2]
            g[row, 0] -= part[p, 0]
            g[row, 1] -= part[p, 1]
            g[row, 2] -= part[p, 2]
    return energy
