"""What a batch of moves is told, and what it counts.

The catalogue lists every move that could be drawn: each Si's 36 switches and each O's 6 hops (see `catalogue`). Its
arrays are empty where moves are drawn one by one.
"""

from typing import NamedTuple

import numpy as np

from moxie.oxidation.kernels.moves import CLASSES
from moxie.oxidation.kernels.surrogate import N_TERMS

# columns of the stage table: four of the relaxation, then for each class of moves these four of the rule
SHELLS, FORCE_TOLERANCE, EVALUATIONS, REPEL, RULES = range(5)
OFFSET, EDGE, REST, REPULSION = range(4)
N_COLUMNS = RULES + 4 * len(CLASSES)
# entries of the tally: one for each kind of move in VALID and ACCEPTED, one for each stage in REACHED
ATTEMPTS, EVALUATED, LOGGED, FALSE_KILLS, SCREENED, VALID = range(6)
ACCEPTED = VALID + 3
REACHED = ACCEPTED + 3
N_TALLY = REACHED + 16
# columns of the shadow log: class, change of the energy, repulsion of the move's atoms before it, change of the
# surrogate's terms, then for each stage energy, edge and rest as in the rule
LOG_CLASS, LOG_CHANGE, LOG_REPULSION, LOG_TERMS = range(4)
LOG_STAGES = LOG_TERMS + N_TERMS
# of a move that was relaxed: change of the energy, and the highest of this and what the rules predicted
CHANGE, BARRIER = range(2)

SWITCH_SLOTS, HOP_SLOTS = 36, 6
KEPT = 24  # networks whose catalogues are kept, for when the chain comes back
# entries of Catalogue.counts
BUILT, N_TODO, N_KEPT, NEXT_KEPT, N_VISITS = range(5)


class Catalogue(NamedTuple):
    """Bounds of the moves of one network; n_sites = active Si + O, n_slots = 36 active Si + 6 O."""

    bound: np.ndarray  # (n_slots,) eV: a move is accepted with at most exp(-bound/kT)
    times: np.ndarray  # (n_slots,) int8: in how many slots the move stands; 0: not a valid move, or listed in the other
    tree: np.ndarray  # (2 m,) sums of the sites' weights; site s at m + s, m a power of two
    site_of: np.ndarray  # (n,) int32: the site of an atom, -1 for none
    todo: np.ndarray  # (n,) int32: Si whose slots are looked at anew
    counts: np.ndarray  # (5,) int64
    seen: np.ndarray  # (n, 3) A: where an atom was when the slots around it were last looked at
    hashes: np.ndarray  # (2,) uint64 of the network: with the order of neighbours, and without
    kept_hash: np.ndarray  # (KEPT,) uint64
    kept_bound: np.ndarray  # (KEPT, n_slots)
    kept_times: np.ndarray  # (KEPT, n_slots)
    kept_seen: np.ndarray  # (KEPT, n, 3)
    visits: np.ndarray  # (k, 2) uint64: hash without order and kind of move of the networks arrived at, up to k
    lost: np.ndarray  # (1,) acceptance that bounds were too high for, in accepted moves


class Batch(NamedTuple):
    """Everything that decides a batch of moves beside network and field."""

    stages: np.ndarray
    kT: float
    hop_share: float
    exchange_share: float
    potential: float
    active: np.ndarray
    oxygens: np.ndarray
    triangles: bool
    weights: np.ndarray
    log: np.ndarray
    cut: float
    tally: np.ndarray
    catalogue: Catalogue


def make_catalogue(n: int, active: np.ndarray, oxygens: np.ndarray, visits: np.ndarray) -> Catalogue:
    """Return a catalogue for n atoms that is still to be filled."""
    n_sites = len(active) + len(oxygens)
    n_slots = SWITCH_SLOTS * len(active) + HOP_SLOTS * len(oxygens)
    site_of = np.full(n, -1, np.int32)
    site_of[active] = np.arange(len(active))
    site_of[oxygens] = len(active) + np.arange(len(oxygens))
    kept = KEPT if n_slots else 0
    return Catalogue(
        np.zeros(n_slots),
        np.zeros(n_slots, np.int8),
        np.zeros(2 * (1 << max(n_sites - 1, 0).bit_length())),
        site_of,
        np.zeros(n, np.int32),
        np.zeros(5, np.int64),
        np.zeros((n, 3)),
        np.zeros(2, np.uint64),
        np.zeros(kept, np.uint64),
        np.zeros((kept, n_slots)),
        np.zeros((kept, n_slots), np.int8),
        np.zeros((kept, n, 3)),
        visits,
        np.zeros(1),
    )
