"""Compiled relaxation of a local problem by limited-memory BFGS that can be interrupted and go on.

Method: Nocedal and Wright, Numerical Optimization, algorithm 7.4.
"""

from moxie.oxidation.kernels.compilation import inlined, kernel, summing
from moxie.oxidation.kernels.repulsion import follow, list_pairs, repulsion
from moxie.oxidation.kernels.state import HISTORY
from moxie.oxidation.kernels.valence import valence
from moxie.oxidation.parameter_sets import SKIN_A

_HISTORY = HISTORY
_SKIN = SKIN_A
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


@summing
def dot(a, b, n):
    """Return the sum of the products of the first n components of two vectors."""
    total = 0.0
    for i in range(n):
        total += a[i] * b[i]
    return total


@summing
def longest_component(a, n):
    """Return the largest absolute value of the first n components of a vector."""
    longest = 0.0
    for i in range(n):
        longest = max(longest, abs(a[i]))
    return longest


@inlined
def squared_gradient(work, n_moving):
    """Return |g|^2 over the moving rows, (eV/A)^2."""
    g = work.g.reshape(-1)
    return dot(g, g, 3 * n_moving)


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
    x = work.x.reshape(-1)
    g = work.g.reshape(-1)
    x_best = work.x_best.reshape(-1)
    g_best = work.g_best.reshape(-1)
    direction = work.direction.reshape(-1)
    steps = work.steps
    changes = work.changes
    n = 3 * n_moving
    energy = work.search[0]
    stored = int(work.search[1])
    newest = int(work.search[2])
    evaluations = 0
    status = STOPPED
    while True:
        largest = longest_component(g, n)
        if largest < force_tolerance:
            status = CONVERGED
            break
        if evaluations >= max_evaluations:
            break
        for i in range(n):
            direction[i] = -g[i]
        for back in range(stored):
            h = (newest - back) % _HISTORY
            a = work.rho[h] * dot(steps[h], direction, n)
            work.alpha[h] = a
            for i in range(n):
                direction[i] -= a * changes[h, i]
        scale = FIRST_SCALE
        if stored > 0:
            scale = 1.0 / (work.rho[newest] * dot(changes[newest], changes[newest], n))
        for i in range(n):
            direction[i] *= scale
        for ahead in range(stored - 1, -1, -1):
            h = (newest - ahead) % _HISTORY
            b = work.alpha[h] - work.rho[h] * dot(changes[h], direction, n)
            for i in range(n):
                direction[i] += b * steps[h, i]
        slope = dot(direction, g, n)
        longest = longest_component(direction, n)
        if slope >= 0.0:
            stored = 0
            newest = -1
            for i in range(n):
                direction[i] = -FIRST_SCALE * g[i]
            slope = -FIRST_SCALE * squared_gradient(work, n_moving)
            longest = FIRST_SCALE * largest
        step = min(1.0, LARGEST_STEP_A / longest)
        for i in range(n):
            x_best[i] = x[i]
            g_best[i] = g[i]
        accepted = False
        trial = energy
        for _ in range(8):
            for i in range(n):
                x[i] = x_best[i] + step * direction[i]
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
            for i in range(n):
                x[i] = x_best[i]
                g[i] = g_best[i]
            if stored == 0:
                break
            stored = 0
            newest = -1
            continue
        slot = (newest + 1) % _HISTORY
        for i in range(n):
            steps[slot, i] = step * direction[i]
            changes[slot, i] = g[i] - g_best[i]
        sy = dot(steps[slot], changes[slot], n)
        if sy > 1e-10:
            work.rho[slot] = 1.0 / sy
            newest = slot
            stored = min(stored + 1, _HISTORY)
        energy = trial
    work.search[0] = energy
    work.search[1] = stored
    work.search[2] = newest
    return status, evaluations
