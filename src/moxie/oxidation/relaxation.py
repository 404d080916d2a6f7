"""Compiled relaxation of a local problem by limited-memory BFGS that can be interrupted and go on.

Method: Nocedal and Wright, Numerical Optimization, algorithm 7.4.
"""

from moxie.oxidation.compilation import inlined, kernel
from moxie.oxidation.kernels import valence
from moxie.oxidation.repulsion import follow, list_pairs, repulsion
from moxie.oxidation.state import HISTORY, SKIN

_HISTORY = HISTORY
_SKIN = SKIN
LARGEST_STEP_A = 0.5
FIRST_SCALE = 0.03  # first guess of the inverse stiffness, A^2/eV

CONVERGED, STOPPED = 0, 1


@kernel
def refresh_pairs(atoms, field, bins, work, n_moving, source):
    """List the pairs of the moving rows at work.x."""
    follow(atoms, field, bins, work, n_moving)
    list_pairs(atoms, field, bins, work, n_moving, source)


@inlined
def total(atoms, field, bins, work, n_moving, centres, repel, source):
    """Return the local energy at work.x and its gradient in work.g; renews the pair list when atoms moved too far."""
    energy = valence(atoms.cell, field, work, n_moving, centres)
    if repel:
        limit = 0.25 * _SKIN * _SKIN
        for row in range(n_moving):
            d2 = 0.0
            for k in range(3):
                d = work.x[row, k] - work.x_listed[row, k]
                d2 += d * d
            if d2 > limit:
                refresh_pairs(atoms, field, bins, work, n_moving, source)
                break
        energy += repulsion(atoms.cell, field, work, n_moving)
    return energy


@inlined
def squared_gradient(work, n_moving):
    """Return |g|^2 over the moving rows, (eV/A)^2."""
    norm2 = 0.0
    for row in range(n_moving):
        for k in range(3):
            norm2 += work.g[row, k] * work.g[row, k]
    return norm2


@inlined
def begin(atoms, field, bins, work, n_moving, centres, repel, source):
    """Evaluate the local problem at work.x and forget earlier steps."""
    work.search[0] = total(atoms, field, bins, work, n_moving, centres, repel, source)
    work.search[1] = 0
    work.search[2] = -1


@inlined
def proceed(atoms, field, bins, work, n_moving, centres, repel, source, force_tolerance, max_evaluations):
    """Relax the moving rows from work.x, after `begin` or an earlier `proceed`; return (status, evaluations).

    The energy is left in work.search[0]. force_tolerance (eV/A) is on the largest component of the gradient.
    """
    x = work.x
    g = work.g
    direction = work.direction
    energy = work.search[0]
    stored = int(work.search[1])
    newest = int(work.search[2])
    evaluations = 0
    status = STOPPED
    while True:
        largest = 0.0
        for row in range(n_moving):
            for k in range(3):
                largest = max(largest, abs(g[row, k]))
        if largest < force_tolerance:
            status = CONVERGED
            break
        if evaluations >= max_evaluations:
            break
        for row in range(n_moving):
            for k in range(3):
                direction[row, k] = -g[row, k]
        for back in range(stored):
            h = (newest - back) % _HISTORY
            dot = 0.0
            for row in range(n_moving):
                for k in range(3):
                    dot += work.steps[h, row, k] * direction[row, k]
            a = work.rho[h] * dot
            work.alpha[h] = a
            for row in range(n_moving):
                for k in range(3):
                    direction[row, k] -= a * work.changes[h, row, k]
        if stored > 0:
            yy = 0.0
            for row in range(n_moving):
                for k in range(3):
                    yy += work.changes[newest, row, k] * work.changes[newest, row, k]
            scale = 1.0 / (work.rho[newest] * yy)
        else:
            scale = FIRST_SCALE
        for row in range(n_moving):
            for k in range(3):
                direction[row, k] *= scale
        for ahead in range(stored - 1, -1, -1):
            h = (newest - ahead) % _HISTORY
            dot = 0.0
            for row in range(n_moving):
                for k in range(3):
                    dot += work.changes[h, row, k] * direction[row, k]
            b = work.alpha[h] - work.rho[h] * dot
            for row in range(n_moving):
                for k in range(3):
                    direction[row, k] += b * work.steps[h, row, k]
        slope = 0.0
        longest = 0.0
        for row in range(n_moving):
            for k in range(3):
                slope += direction[row, k] * g[row, k]
                longest = max(longest, abs(direction[row, k]))
        if slope >= 0.0:
            stored = 0
            newest = -1
            for row in range(n_moving):
                for k in range(3):
                    direction[row, k] = -FIRST_SCALE * g[row, k]
            slope = -FIRST_SCALE * squared_gradient(work, n_moving)
            longest = FIRST_SCALE * largest
        step = min(1.0, LARGEST_STEP_A / longest)
        for row in range(n_moving):
            for k in range(3):
                work.x_best[row, k] = x[row, k]
                work.g_best[row, k] = g[row, k]
        accepted = False
        trial = energy
        for _ in range(8):
            for row in range(n_moving):
                for k in range(3):
                    x[row, k] = work.x_best[row, k] + step * direction[row, k]
            trial = total(atoms, field, bins, work, n_moving, centres, repel, source)
            evaluations += 1
            if trial <= energy + 1e-4 * step * slope:
                accepted = True
                break
            # minimum of the parabola through the two energies and the slope
            curvature = 2.0 * (trial - energy - step * slope)
            shrink = -slope * step / curvature if curvature > 0.0 else 0.3
            step *= min(max(shrink, 0.1), 0.5)
        if not accepted:
            for row in range(n_moving):
                for k in range(3):
                    x[row, k] = work.x_best[row, k]
                    g[row, k] = work.g_best[row, k]
            if stored == 0:
                break
            stored = 0
            newest = -1
            continue
        slot = (newest + 1) % _HISTORY
        sy = 0.0
        for row in range(n_moving):
            for k in range(3):
                s = step * direction[row, k]
                y = g[row, k] - work.g_best[row, k]
                work.steps[slot, row, k] = s
                work.changes[slot, row, k] = y
                sy += s * y
        if sy > 1e-10:
            work.rho[slot] = 1.0 / sy
            newest = slot
            stored = min(stored + 1, _HISTORY)
        energy = trial
    work.search[0] = energy
    work.search[1] = stored
    work.search[2] = newest
    return status, evaluations
