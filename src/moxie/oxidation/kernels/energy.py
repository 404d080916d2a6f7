"""The energy of a whole network, term by term, with forces and each atom's share of energy and virial.

This is a second, plain implementation beside the local one in `kernels`: the running energy of a chain is checked
against it at every checkpoint, and the tests compare both with finite differences.
"""

from dataclasses import dataclass

import numpy as np

from moxie.oxidation.kernels.compilation import entry, inlined
from moxie.oxidation.kernels.repulsion import enlist_all, list_pairs, pair_term
from moxie.oxidation.kernels.slots import N_PAIRS, N_ROWS, ROW_STAMP
from moxie.oxidation.kernels.state import Atoms, Bins, Field, Scratch

EV_PER_A3_IN_GPA = 160.2176634


@dataclass(frozen=True)
class Energy:
    """Terms in eV; forces (n, 3) in eV/A; atom_energy (n,) in eV; atom_virial (n, 3, 3) in eV: dE/d(strain), shared.

    Bonds and pairs are shared half and half, angles belong to their centre. Tension is positive.
    """

    bond: float
    angle: float
    repulsion: float
    suboxide: float
    forces: np.ndarray
    atom_energy: np.ndarray
    atom_virial: np.ndarray

    @property
    def total(self) -> float:
        """Sum of all terms in eV."""
        return self.bond + self.angle + self.repulsion + self.suboxide


def full_energy(atoms: Atoms, field: Field, bins: Bins, work: Scratch) -> Energy:
    """Return the energy of the whole network, all atoms counted, frozen ones too. Uses `work` as scratch space."""
    n = len(atoms.position)
    terms = np.zeros(4)
    forces = np.zeros((n, 3))
    share = np.zeros(n)
    virial = np.zeros((n, 3, 3))
    _terms(atoms, field, bins, work, terms, forces, share, virial, np.zeros((6, 3)))
    bond, angle, repulsion, suboxide = terms.tolist()
    return Energy(bond, angle, repulsion, suboxide, forces, share, virial)


@inlined
def _dot(a, b):
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]


@inlined
def _nearest(atoms, i, j, vector):
    for k in range(3):
        d = atoms.position[j, k] - atoms.position[i, k]
        vector[k] = d - atoms.cell[k] * np.round(d / atoms.cell[k])


@entry
def _terms(atoms, field, bins, work, terms, forces, share, virial, vector):
    n = len(atoms.position)
    slope_p = vector[4]
    slope_q = vector[5]
    for i in range(n):
        degree = atoms.degree[i]
        kind = atoms.species[i]
        oxygens = 0
        for p in range(degree):
            j = atoms.neighbours[i, p]
            oxygens += atoms.species[j]
            _nearest(atoms, i, j, vector[p])
        if kind == 0:
            terms[3] += field.suboxide[oxygens]
            share[i] += field.suboxide[oxygens]
        for p in range(degree):
            j = atoms.neighbours[i, p]
            if j < i:
                continue
            r = np.sqrt(_dot(vector[p], vector[p]))
            stiffness = field.bond_k[kind, atoms.species[j]]
            b0 = field.bond_length[kind, atoms.species[j]]
            if field.keating:
                value = 0.375 * stiffness / b0**2 * (r * r - b0 * b0) ** 2
                slope = 1.5 * stiffness / b0**2 * (r * r - b0 * b0) * r
            else:
                value = 0.5 * stiffness * (r - b0) ** 2
                slope = stiffness * (r - b0)
            terms[0] += value
            share[i] += 0.5 * value
            share[j] += 0.5 * value
            for k in range(3):
                f = slope * vector[p, k] / r
                forces[i, k] += f
                forces[j, k] -= f
                for m in range(3):
                    virial[i, k, m] += 0.5 * f * vector[p, m]
                    virial[j, k, m] += 0.5 * f * vector[p, m]
        for p in range(degree):
            for q in range(p + 1, degree):
                jp = atoms.neighbours[i, p]
                jq = atoms.neighbours[i, q]
                ends = atoms.species[jp] + atoms.species[jq]
                stiffness = field.angle_k[kind, ends]
                cos0 = field.angle_cos[kind, ends]
                rp = np.sqrt(_dot(vector[p], vector[p]))
                rq = np.sqrt(_dot(vector[q], vector[q]))
                dot = _dot(vector[p], vector[q])
                if field.keating:
                    b0 = field.bond_length[0, 0]
                    d = dot - cos0 * b0 * b0
                    value = 0.375 * stiffness / b0**2 * d * d
                    for k in range(3):
                        slope_p[k] = 0.75 * stiffness / b0**2 * d * vector[q, k]
                        slope_q[k] = 0.75 * stiffness / b0**2 * d * vector[p, k]
                else:
                    cosine = dot / (rp * rq)
                    value = 0.5 * stiffness * (cosine - cos0) ** 2
                    slope = stiffness * (cosine - cos0)
                    for k in range(3):
                        slope_p[k] = slope * (vector[q, k] / (rp * rq) - cosine * vector[p, k] / rp**2)
                        slope_q[k] = slope * (vector[p, k] / (rp * rq) - cosine * vector[q, k] / rq**2)
                terms[1] += value
                share[i] += value
                for k in range(3):
                    forces[jp, k] -= slope_p[k]
                    forces[jq, k] -= slope_q[k]
                    forces[i, k] += slope_p[k] + slope_q[k]
                    for m in range(3):
                        virial[i, k, m] += slope_p[k] * vector[p, m] + slope_q[k] * vector[q, m]
    if field.repulsion_kind == 0:
        return
    enlist_all(atoms, field, bins, work)
    work.counters[ROW_STAMP] += 1
    work.counters[N_ROWS] = 0
    for i in range(n):
        work.row_of[i] = i
        work.row_stamp[i] = work.counters[ROW_STAMP]
        work.atom[i] = i
        for k in range(3):
            work.x[i, k] = atoms.position[i, k]
    list_pairs(atoms, field, bins, work, n, atoms.position)
    for pair in range(work.counters[N_PAIRS]):
        i = work.pair_i[pair]
        j = work.pair_j[pair]
        between = vector[0]
        _nearest(atoms, i, j, between)
        value, slope = pair_term(field, atoms.species[i], atoms.species[j], _dot(between, between))
        if value == 0.0:
            continue
        terms[2] += value
        share[i] += 0.5 * value
        share[j] += 0.5 * value
        for k in range(3):
            f = slope * between[k]
            forces[i, k] += f
            forces[j, k] -= f
            for m in range(3):
                virial[i, k, m] += 0.5 * f * between[m]
                virial[j, k, m] += 0.5 * f * between[m]
