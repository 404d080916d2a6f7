"""Compiled valence energy and gradient of a local problem (see `state` for the numbering of its rows).

E = 1/2 k_b (b - b0)^2 over bonds + 1/2 k_th (cos th - cos th0)^2 over angles, each once; or Keating's form
3/8 alpha/d^2 (b^2 - d^2)^2 + 3/8 beta/d^2 (r.r' - cos th0 d^2)^2. Only terms with a moving atom are counted.
"""

import numpy as np

from moxie.oxidation.kernels.compilation import inlined, kernel
from moxie.oxidation.kernels.slots import MARK_STAMP, N_BONDS, N_PAIRS, N_ROWS, N_TERM_ROWS, ROW_STAMP

# The arrays come from `state`: atoms: Atoms, field: Field, work: Scratch.

SHORTEST_A = 1e-6  # keeps a direction defined when two bonded atoms meet


@kernel
def row_for(atoms, work, atom, source):
    """Return the local row of an atom, adding one at its position in `source` (n, 3) if it has none."""
    if work.row_stamp[atom] == work.counters[ROW_STAMP]:
        return work.row_of[atom]
    row = work.counters[N_ROWS]
    work.counters[N_ROWS] += 1
    work.row_of[atom] = row
    work.row_stamp[atom] = work.counters[ROW_STAMP]
    work.atom[row] = atom
    work.local_species[row] = atoms.species[atom]
    for k in range(3):
        work.x[row, k] = source[atom, k]
    return row


@inlined
def grow_shells(atoms, work, n_chain, shells):
    """Fill work.moving with the chain's mobile atoms and all mobile atoms within `shells` bonds; return their number.

    Frozen atoms end a path: nothing behind them is reached.
    """
    work.counters[MARK_STAMP] += 1
    stamp = work.counters[MARK_STAMP]
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


@inlined
def tabulate(atoms, work, n_moving, source):
    """Number the rows of the local problem that moves work.moving[:n_moving] from `source`; return how many centres.

    Lists the bonds with a moving end and the unit vectors of those without.
    """
    work.counters[ROW_STAMP] += 1
    work.counters[N_ROWS] = 0
    work.counters[N_PAIRS] = 0
    for k in range(n_moving):
        row_for(atoms, work, work.moving[k], source)
    for row in range(n_moving):
        atom = work.atom[row]
        work.table_degree[row] = atoms.degree[atom]
        work.table_moving[row] = atoms.degree[atom]
        for p in range(atoms.degree[atom]):
            work.table[row, p] = row_for(atoms, work, atoms.neighbours[atom, p], source)
    centres = work.counters[N_ROWS]
    for row in range(n_moving, centres):
        atom = work.atom[row]
        degree = atoms.degree[atom]
        front = 0
        for p in range(degree):
            other = atoms.neighbours[atom, p]
            if work.row_stamp[other] == work.counters[ROW_STAMP] and work.row_of[other] < n_moving:
                work.table[row, front] = work.row_of[other]
                front += 1
        back = front
        for p in range(degree):
            other = atoms.neighbours[atom, p]
            if not (work.row_stamp[other] == work.counters[ROW_STAMP] and work.row_of[other] < n_moving):
                work.table[row, back] = row_for(atoms, work, other, source)
                still_bond(atoms.cell, work, row, back)
                back += 1
        work.table_degree[row] = degree
        work.table_moving[row] = front
    work.counters[N_TERM_ROWS] = work.counters[N_ROWS]
    list_bonds(work, n_moving)
    return centres


@inlined
def retabulate(atoms, work, n_moving, source):
    """Renew the tables of `tabulate` after a move within the moving atoms: these have other bonds and positions.

    The fixed atoms around them, and their bonds, stay what they were.
    """
    work.counters[N_PAIRS] = 0
    for row in range(n_moving):
        atom = work.atom[row]
        degree = atoms.degree[atom]
        work.table_degree[row] = degree
        work.table_moving[row] = degree
        for k in range(3):
            work.x[row, k] = source[atom, k]
        for p in range(degree):
            work.table[row, p] = work.row_of[atoms.neighbours[atom, p]]
    list_bonds(work, n_moving)


@inlined
def list_bonds(work, n_moving):
    """List the bonds with a moving end: row, slot, and the same of the other end."""
    n = 0
    for row in range(n_moving):
        for p in range(work.table_degree[row]):
            other = work.table[row, p]
            if other < row:
                continue
            back = 0
            for q in range(work.table_degree[other]):
                if work.table[other, q] == row:
                    back = q
            work.bonds[n, 0] = row
            work.bonds[n, 1] = p
            work.bonds[n, 2] = other
            work.bonds[n, 3] = back
            n += 1
    work.counters[N_BONDS] = n


@kernel
def still_bond(cell, work, row, p):
    """Set unit vector and inverse length of a bond that does not move."""
    other = work.table[row, p]
    r2 = 0.0
    for k in range(3):
        d = work.x[other, k] - work.x[row, k]
        d -= cell[k] * np.round(d / cell[k])
        work.unit[row, p, k] = d
        r2 += d * d
    inverse = 1.0 / max(np.sqrt(r2), SHORTEST_A)
    for k in range(3):
        work.unit[row, p, k] *= inverse
    work.inverse[row, p] = inverse


@inlined
def bend(field, kind, ends, lengths, u0, u1, u2, v0, v1, v2):
    """Return (energy, slope dE/dcos, slope * cos) of an angle between two unit vectors.

    With Keating's field the energy depends on the dot product of the bonds, cos times the product of their `lengths`,
    whose gradient has no part along them: the third value is 0.
    """
    cosine = u0 * v0 + u1 * v1 + u2 * v2
    if field.keating:
        square = field.bond_length[0, 0] * field.bond_length[0, 0]
        d = cosine * lengths - field.angle_cos[kind, ends] * square
        slope = 0.75 * field.angle_k[kind, ends] / square * d
        return 0.5 * slope * d, slope * lengths, 0.0
    d = cosine - field.angle_cos[kind, ends]
    slope = field.angle_k[kind, ends] * d
    return 0.5 * slope * d, slope, slope * cosine


@inlined
def stretch(field, kind, other, r):
    """Return (energy in eV, slope dE/dr in eV/A) of a bond of length r between atoms of two kinds."""
    k = field.bond_k[kind, other]
    b0 = field.bond_length[kind, other]
    if field.keating:
        d = r * r - b0 * b0
        slope = 1.5 * k / (b0 * b0) * d
        return 0.25 * slope * d, slope * r
    d = r - b0
    return 0.5 * k * d * d, k * d


@inlined
def angles(field, work, row):
    """Return the energy of the angles at a centre that have a moving end; sets `across` and `along` of its bonds."""
    degree = work.table_degree[row]
    moving = work.table_moving[row]
    kind = work.local_species[row]
    unit = work.unit
    inverse = work.inverse
    across = work.across
    along = work.along
    species = work.local_species
    if degree == 4:
        a0, a1, a2 = unit[row, 0, 0], unit[row, 0, 1], unit[row, 0, 2]
        b0, b1, b2 = unit[row, 1, 0], unit[row, 1, 1], unit[row, 1, 2]
        c0, c1, c2 = unit[row, 2, 0], unit[row, 2, 1], unit[row, 2, 2]
        d0, d1, d2 = unit[row, 3, 0], unit[row, 3, 1], unit[row, 3, 2]
        sa = species[work.table[row, 0]]
        sb = species[work.table[row, 1]]
        sc = species[work.table[row, 2]]
        sd = species[work.table[row, 3]]
        ra, rb, rc, rd = 1.0, 1.0, 1.0, 1.0
        if field.keating:
            ra, rb = 1.0 / inverse[row, 0], 1.0 / inverse[row, 1]
            rc, rd = 1.0 / inverse[row, 2], 1.0 / inverse[row, 3]
        e1, ab, ab_c = bend(field, kind, sa + sb, ra * rb, a0, a1, a2, b0, b1, b2)
        e2, ac, ac_c = bend(field, kind, sa + sc, ra * rc, a0, a1, a2, c0, c1, c2)
        e3, ad, ad_c = bend(field, kind, sa + sd, ra * rd, a0, a1, a2, d0, d1, d2)
        energy = e1 + e2 + e3
        bc, bc_c, bd, bd_c, cd, cd_c = 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
        if moving > 1:
            e1, bc, bc_c = bend(field, kind, sb + sc, rb * rc, b0, b1, b2, c0, c1, c2)
            e2, bd, bd_c = bend(field, kind, sb + sd, rb * rd, b0, b1, b2, d0, d1, d2)
            energy += e1 + e2
            if moving > 2:
                e1, cd, cd_c = bend(field, kind, sc + sd, rc * rd, c0, c1, c2, d0, d1, d2)
                energy += e1
        along[row, 0] = ab_c + ac_c + ad_c
        along[row, 1] = ab_c + bc_c + bd_c
        along[row, 2] = ac_c + bc_c + cd_c
        along[row, 3] = ad_c + bd_c + cd_c
        across[row, 0, 0] = ab * b0 + ac * c0 + ad * d0
        across[row, 0, 1] = ab * b1 + ac * c1 + ad * d1
        across[row, 0, 2] = ab * b2 + ac * c2 + ad * d2
        across[row, 1, 0] = ab * a0 + bc * c0 + bd * d0
        across[row, 1, 1] = ab * a1 + bc * c1 + bd * d1
        across[row, 1, 2] = ab * a2 + bc * c2 + bd * d2
        across[row, 2, 0] = ac * a0 + bc * b0 + cd * d0
        across[row, 2, 1] = ac * a1 + bc * b1 + cd * d1
        across[row, 2, 2] = ac * a2 + bc * b2 + cd * d2
        across[row, 3, 0] = ad * a0 + bd * b0 + cd * c0
        across[row, 3, 1] = ad * a1 + bd * b1 + cd * c1
        across[row, 3, 2] = ad * a2 + bd * b2 + cd * c2
        return energy
    if degree == 2:
        a0, a1, a2 = unit[row, 0, 0], unit[row, 0, 1], unit[row, 0, 2]
        b0, b1, b2 = unit[row, 1, 0], unit[row, 1, 1], unit[row, 1, 2]
        ends = species[work.table[row, 0]] + species[work.table[row, 1]]
        lengths = 1.0 / (inverse[row, 0] * inverse[row, 1]) if field.keating else 1.0
        energy, ab, ab_c = bend(field, kind, ends, lengths, a0, a1, a2, b0, b1, b2)
        along[row, 0] = ab_c
        along[row, 1] = ab_c
        across[row, 0, 0] = ab * b0
        across[row, 0, 1] = ab * b1
        across[row, 0, 2] = ab * b2
        across[row, 1, 0] = ab * a0
        across[row, 1, 1] = ab * a1
        across[row, 1, 2] = ab * a2
        return energy
    energy = 0.0
    for p in range(degree):
        across[row, p, 0] = 0.0
        across[row, p, 1] = 0.0
        across[row, p, 2] = 0.0
        along[row, p] = 0.0
    for p in range(moving):
        for q in range(p + 1, degree):
            ends = species[work.table[row, p]] + species[work.table[row, q]]
            lengths = 1.0 / (inverse[row, p] * inverse[row, q])
            u0, u1, u2 = unit[row, p, 0], unit[row, p, 1], unit[row, p, 2]
            v0, v1, v2 = unit[row, q, 0], unit[row, q, 1], unit[row, q, 2]
            e, slope, part = bend(field, kind, ends, lengths, u0, u1, u2, v0, v1, v2)
            energy += e
            for k in range(3):
                across[row, p, k] += slope * unit[row, q, k]
                across[row, q, k] += slope * unit[row, p, k]
            along[row, p] += part
            along[row, q] += part
    return energy


@inlined
def folded(difference, edge):
    """Return a difference of coordinates less than one and a half edges apart, folded to the nearest image."""
    if difference > 0.5 * edge:
        return difference - edge
    if difference < -0.5 * edge:
        return difference + edge
    return difference


@inlined
def valence(cell, field, work, n_moving, centres):
    """Return the energy in eV at work.x and put its gradient into work.g[:n_moving] (eV/A)."""
    x = work.x
    g = work.g
    species = work.local_species
    unit = work.unit
    inverse = work.inverse
    across = work.across
    along = work.along
    pull = work.pull
    bonds = work.bonds
    energy = 0.0
    n_bonds = work.counters[N_BONDS]
    for b in range(n_bonds):
        row = bonds[b, 0]
        p = bonds[b, 1]
        other = bonds[b, 2]
        q = bonds[b, 3]
        dx = folded(x[other, 0] - x[row, 0], cell[0])
        dy = folded(x[other, 1] - x[row, 1], cell[1])
        dz = folded(x[other, 2] - x[row, 2], cell[2])
        r = max(np.sqrt(dx * dx + dy * dy + dz * dz), SHORTEST_A)
        one = 1.0 / r
        e, pull[row, p] = stretch(field, species[row], species[other], r)
        energy += e
        dx *= one
        dy *= one
        dz *= one
        unit[row, p, 0] = dx
        unit[row, p, 1] = dy
        unit[row, p, 2] = dz
        inverse[row, p] = one
        unit[other, q, 0] = -dx
        unit[other, q, 1] = -dy
        unit[other, q, 2] = -dz
        inverse[other, q] = one
    for row in range(centres):
        energy += angles(field, work, row)
    for row in range(n_moving):
        g[row, 0] = 0.0
        g[row, 1] = 0.0
        g[row, 2] = 0.0
    for b in range(n_bonds):
        row = bonds[b, 0]
        p = bonds[b, 1]
        other = bonds[b, 2]
        q = bonds[b, 3]
        one = inverse[row, p]
        radial = pull[row, p] - (along[row, p] + along[other, q]) * one
        f0 = radial * unit[row, p, 0] + (across[row, p, 0] - across[other, q, 0]) * one
        f1 = radial * unit[row, p, 1] + (across[row, p, 1] - across[other, q, 1]) * one
        f2 = radial * unit[row, p, 2] + (across[row, p, 2] - across[other, q, 2]) * one
        g[row, 0] -= f0
        g[row, 1] -= f1
        g[row, 2] -= f2
        if other < n_moving:
            g[other, 0] += f0
            g[other, 1] += f1
            g[other, 2] += f2
    return energy


@inlined
def edge_gradient(work, n_moving, centres):
    """Put the valence gradient on the fixed atoms of the local problem into work.g, after `valence` at the same
    positions."""
    g = work.g
    for row in range(n_moving, work.counters[N_TERM_ROWS]):
        g[row, 0] = 0.0
        g[row, 1] = 0.0
        g[row, 2] = 0.0
    for b in range(work.counters[N_BONDS]):
        other = work.bonds[b, 2]
        if other >= n_moving:
            row = work.bonds[b, 0]
            p = work.bonds[b, 1]
            q = work.bonds[b, 3]
            one = work.inverse[row, p]
            radial = work.pull[row, p] - (work.along[row, p] + work.along[other, q]) * one
            for k in range(3):
                g[other, k] += radial * work.unit[row, p, k] + (work.across[row, p, k] - work.across[other, q, k]) * one
    for row in range(n_moving, centres):
        for p in range(work.table_moving[row], work.table_degree[row]):
            other = work.table[row, p]
            one = work.inverse[row, p]
            for k in range(3):
                f = (work.across[row, p, k] - work.along[row, p] * work.unit[row, p, k]) * one
                g[other, k] += f
                g[row, k] -= f
