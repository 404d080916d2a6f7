"""Learnt moves: a model of the energy from the network's topology alone screens moves before anything is relaxed.

Delayed acceptance (Christen and Fox, J. Comput. Graph. Stat. 14, 795 (2005)). The surrogate S is a function of the
network: weights times `TERMS`. A move passes the screen with probability min(1, exp(-dS/kT)) and is then accepted with
min(1, exp(-(dE - dS)/kT)). As dS of a move is minus that of its reverse, detailed balance holds for any weights: a bad
surrogate costs acceptance, never exactness. The second threshold is known before the relaxation, so that staged early
rejection works behind the screen as it does without.
"""

from dataclasses import dataclass

import numpy as np

from moxie.errors import InputError
from moxie.oxidation.kernels.compilation import inlined, kernel
from moxie.oxidation.kernels.moves import EXCHANGE, HOP, SWITCH, far_silicon, oxidation_state

# what the surrogate counts in a network; n is the number of O at a Si, a link joins two Si directly or over one O
TERMS = (
    "rings of 3 Si",
    "rings of 4 Si",
    "rings of 5 Si",
    "sum of n n' over direct links",
    "sum of n n' over bridged links",
    "O",
    "pairs of O at a Si",
    "triplets of O at a Si",
    "quadruplets of O at a Si",
)
N_TERMS = len(TERMS)
_RING, _DIRECT, _BRIDGED, _OXYGEN, _PAIRS = 0, 3, 4, 5, 6
_SWITCH, _HOP, _EXCHANGE = SWITCH, HOP, EXCHANGE
_SCALES = (0.0, 0.25, 0.5, 0.75, 1.0)
_RIDGE = 1e-3
_HOTTER = 3.0  # the fit weighs moves by their chance of acceptance at this times kT
SCREEN_COST = 0.25  # cost of the screen over that of a move behind it, with early rejection; without it hardly any


@dataclass(frozen=True)
class Surrogate:
    """Weights of TERMS in eV, and the share of the acceptance and of the relaxations that the screen was expected to
    leave when it was fitted."""

    weights: tuple[float, ...]
    acceptance_share: float = 1.0
    relaxation_share: float = 1.0

    def __post_init__(self) -> None:
        if len(self.weights) != N_TERMS or not np.isfinite(self.weights).all():
            raise InputError(f"A surrogate needs {N_TERMS} finite weights ({', '.join(TERMS)}); found {self.weights}.")


def fit_surrogate(
    changes: np.ndarray, change_eV: np.ndarray, kT_eV: float, screen_cost: float = SCREEN_COST
) -> Surrogate:
    """Return the surrogate that serves best for moves like those given.

    changes: differences of TERMS (moves, N_TERMS); change_eV: their relaxed energy changes (moves,). Ridge regression,
    each move weighed by its chance of acceptance at 3 kT; the fit is then scaled by 0, 1/4 ... 1, whichever promises
    most accepted moves for the cost, of which the screen itself takes screen_cost of a move's relaxation. Scale 0, no
    screen, wins where topology tells nothing. Raises InputError without moves.
    """
    if not len(changes):
        raise InputError("A surrogate cannot be fitted: no move was followed to its end.")
    weight = np.exp(-np.maximum(change_eV, 0.0) / (_HOTTER * kT_eV))
    spread = np.sqrt((weight[:, None] * changes**2).sum(axis=0) / weight.sum())
    spread[spread == 0] = 1.0
    scaled = changes / spread
    normal = (scaled * weight[:, None]).T @ scaled + _RIDGE * weight.sum() * np.eye(N_TERMS)
    found = np.linalg.solve(normal, (scaled * weight[:, None]).T @ change_eV) / spread
    plain = np.exp(-np.maximum(change_eV, 0.0) / kT_eV).sum()
    best = (-np.inf, 0.0, 1.0, 1.0)
    for scale in _SCALES:
        predicted = scale * changes @ found
        screen = np.exp(-np.maximum(predicted, 0.0) / kT_eV)
        accepted = float((screen * np.exp(-np.maximum(change_eV - predicted, 0.0) / kT_eV)).sum() / plain)
        passed = float(screen.mean())
        cost = passed + (screen_cost if scale > 0 else 0.0)
        best = max(best, (accepted / cost, scale, accepted, passed))
    _, scale, accepted, passed = best
    return Surrogate(tuple((scale * found).tolist()), accepted, passed)


@kernel
def find_ends(atoms, work, kind):
    """Put the Si whose links or O a move changes into work.ends; return their number. Before the move only."""
    if kind == _HOP:
        for k in range(3):
            work.ends[k] = work.chain[1 + k]
        return 3
    if kind == _EXCHANGE:
        work.ends[0] = work.chain[1]
        work.ends[1] = work.chain[2]
        return 2
    i, j = work.chain[0], work.chain[1]
    work.ends[0] = i
    work.ends[1] = j
    work.ends[2] = far_silicon(atoms, work.chain[2], i)
    work.ends[3] = far_silicon(atoms, work.chain[3], j)
    return 4


@kernel
def partners_but(atoms, work, side, centre, not_this, cut_a, cut_b):
    """Put the Si linked to `centre`, but not `not_this`, and those linked to them, into work.near and work.next[side];
    return their number. The link between cut_a and cut_b does not count."""
    count = 0
    for p in range(atoms.degree[centre]):
        k = far_silicon(atoms, atoms.neighbours[centre, p], centre)
        if k == not_this or (centre == cut_a and k == cut_b) or (centre == cut_b and k == cut_a):
            continue
        work.near[side, count] = k
        for q in range(4):
            end = -1
            if q < atoms.degree[k]:
                end = far_silicon(atoms, atoms.neighbours[k, q], k)
                if end == centre or (k == cut_a and end == cut_b) or (k == cut_b and end == cut_a):
                    end = -1
            work.next[side, count, q] = end
        count += 1
    return count


@kernel
def rings_through(atoms, work, p, q, cut_a, cut_b, sign):
    """Add `sign` times the numbers of rings of 3, 4 and 5 Si through the link p-q to work.terms."""
    first = partners_but(atoms, work, 0, p, q, cut_a, cut_b)
    second = partners_but(atoms, work, 1, q, p, cut_a, cut_b)
    for a in range(first):
        for b in range(second):
            if work.near[0, a] == work.near[1, b]:
                work.terms[_RING] += sign
                continue
            for c in range(4):
                end = work.next[0, a, c]
                if end < 0 or end == q:
                    continue
                if end == work.near[1, b]:
                    work.terms[_RING + 1] += sign
                    continue
                for d in range(4):
                    if end == work.next[1, b, d]:
                        work.terms[_RING + 2] += sign


@kernel
def add_oxygen_terms(atoms, work, n_ends, sign):
    """Add `sign` times the terms of O near the Si in work.ends to work.terms."""
    for e in range(n_ends):
        i = work.ends[e]
        n = oxidation_state(atoms, i)
        work.terms[_OXYGEN] += sign * 0.5 * n
        work.terms[_PAIRS] += sign * 0.5 * n * (n - 1)
        work.terms[_PAIRS + 1] += sign * n * (n - 1) * (n - 2) / 6.0
        work.terms[_PAIRS + 2] += sign * n * (n - 1) * (n - 2) * (n - 3) / 24.0
        if n == 0:
            continue
        for p in range(atoms.degree[i]):
            near = atoms.neighbours[i, p]
            j = far_silicon(atoms, near, i)
            share = 1.0
            for other in range(n_ends):
                if work.ends[other] == j:
                    share = 0.5  # the link is met from its other end too
            term = _BRIDGED if atoms.species[near] == 1 else _DIRECT
            work.terms[term] += sign * share * n * oxidation_state(atoms, j)


@inlined
def terms_before(atoms, work, kind):
    """Begin the change of TERMS by the move in work.chain, not yet carried out; return the number of work.ends."""
    for k in range(len(work.terms)):
        work.terms[k] = 0.0
    n_ends = find_ends(atoms, work, kind)
    add_oxygen_terms(atoms, work, n_ends, -1.0)
    if kind == _SWITCH:
        i, j, far_a, far_b = work.ends[0], work.ends[1], work.ends[2], work.ends[3]
        rings_through(atoms, work, i, far_a, -1, -1, -1.0)
        rings_through(atoms, work, j, far_b, i, far_a, -1.0)
    return n_ends


@inlined
def terms_after(atoms, work, kind, n_ends):
    """Complete work.terms, the change of TERMS, once the move is carried out."""
    add_oxygen_terms(atoms, work, n_ends, 1.0)
    if kind == _SWITCH:
        i, j, far_a, far_b = work.ends[0], work.ends[1], work.ends[2], work.ends[3]
        rings_through(atoms, work, i, far_b, -1, -1, 1.0)
        rings_through(atoms, work, j, far_a, i, far_b, 1.0)
