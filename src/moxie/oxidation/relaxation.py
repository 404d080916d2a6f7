"""Compiled relaxation of a local problem by limited-memory BFGS, with early rejection.

A relaxation may stop as soon as it cannot end below a given energy: E - c |F|^2 bounds the minimum of a harmonic
system whose soft modes have force constants above 1/(2c) (Barkema and Mousseau, PRB 62, 4985 (2000)).
Method: Nocedal and Wright, Numerical Optimization, algorithm 7.4.
"""

from numba import njit

from moxie.oxidation.kernels import valence
from moxie.oxidation.repulsion import bin_atom, list_pairs, repulsion
from moxie.oxidation.state import HISTORY, SKIN

_HISTORY = HISTORY
_SKIN = SKIN
LARGEST_STEP_A = 0.25

CONVERGED, KILLED, STOPPED = 0, 1, 2


@njit(cache=True)
def refresh_pairs(atoms, field, bins, work, n_moving, source):
    """Bin the moving rows at work.x and list their pairs."""
    for row in range(n_moving):
        bin_atom(atoms, bins, work, work.atom[row], work.x[row, 0], work.x[row, 1], work.x[row, 2])
    list_pairs(atoms, field, bins, work, n_moving, source)


@njit(cache=True)
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
        for row in range(centres, work.counters[2]):
            work.g[row, 0] = 0.0
            work.g[row, 1] = 0.0
            work.g[row, 2] = 0.0
        energy += repulsion(atoms.cell, field, work)
    return energy


@njit(cache=True)
def relax(atoms, field, bins, work, n_moving, centres, repel, source, limit, c, shadow, force_tolerance, max_steps):
    """Relax the moving rows from work.x; return (energy, status, would it have been killed, evaluations).

    `limit` (eV) and c (A^2/eV) give the kill rule E - c |F|^2 > limit; c < 0 turns it off. With `shadow` the kill is
    only noted. force_tolerance (eV/A) is on the largest component.
    """
    x = work.x
    g = work.g
    direction = work.direction
    flagged = False
    energy = total(atoms, field, bins, work, n_moving, centres, repel, source)
    evaluations = 1
    stored = 0
    newest = -1
    while True:
        norm2 = 0.0
        largest = 0.0
        for row in range(n_moving):
            for k in range(3):
                value = g[row, k]
                norm2 += value * value
                largest = max(largest, abs(value))
        if c >= 0.0 and energy - c * norm2 > limit:
            if not shadow:
                return energy, KILLED, True, evaluations
            flagged = True
        if largest < force_tolerance:
            return energy, CONVERGED, flagged, evaluations
        if evaluations > max_steps:
            return energy, STOPPED, flagged, evaluations
        # two-loop recursion
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
            scale = 0.02
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
                    direction[row, k] = -0.02 * g[row, k]
            slope = -0.02 * norm2
            longest = 0.02 * largest
        step = min(1.0, LARGEST_STEP_A / longest)
        for row in range(n_moving):
            for k in range(3):
                work.x_best[row, k] = x[row, k]
                work.g_best[row, k] = g[row, k]
        accepted = False
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
                return energy, STOPPED, flagged, evaluations
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
