"""Short- and medium-range order of a film's oxide: partial g(r), S(q) and rings, of the atoms between two heights.

* g(r): both atoms of a pair lie in the slice. The volume of a shell around an atom is that of its part in the slice:
  of a sphere of radius r, a slice that reaches a above and b below its centre holds the share
  (min(a, r) + min(b, r)) / 2r of the surface. g is therefore 1 for points without order, however thin the slice.
* S(q): Faber and Ziman's, as in `moxie.features.networks`, from the wave vectors in the plane alone, where the film is
  periodic. The slice of thickness d smears it by about 2 pi / d.
* Rings: shortest-path rings of Si (`moxie.features.networks`). A ring counts in a slice by the share of its Si there.
"""

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from moxie.features.networks import (
    Q_BIN_PER_A,
    RADIATIONS,
    StructureFactor,
    ring_membership,
    scattering_factors,
)
from moxie.structures.network import MASS_AMU, Network

if TYPE_CHECKING:
    import pandas as pd

PAIRS = (("Si", "Si"), ("Si", "O"), ("O", "O"))
RING_SIZES = range(3, 10)
R_MAX_A = 8.0
R_BIN_A = 0.05
Q_MAX_PER_A = 8.0


def slice_rdf(network: Network, low_A: float, high_A: float) -> "pd.DataFrame":
    """Return the partial g(r) of a slice: pair, r_A (centre of the bin), g; empty where the slice is (nan edges).

    r ends at 8 A, or at half the shorter edge of the cell. Pairs of elements with fewer than two atoms are left out.
    """
    import pandas as pd

    z = network.positions[:, 2]
    inside = (z > low_A) & (z < high_A)
    edges = np.arange(0.0, min(R_MAX_A, 0.5 * float(network.cell[:2].min())) + 0.5 * R_BIN_A, R_BIN_A)
    centres = 0.5 * (edges[1:] + edges[:-1])
    shells = 4.0 / 3.0 * math.pi * np.diff(edges**3)
    pairs = network.tree().query_pairs(float(edges[-1]), output_type="ndarray")
    pairs = pairs[inside[pairs].all(axis=1)]
    distance = np.linalg.norm(network.vectors(*pairs.T), axis=1)
    frames = [
        pd.DataFrame({"pair": pd.Series(dtype="str"), "r_A": pd.Series(dtype=float), "g": pd.Series(dtype=float)})
    ]
    for first, second in PAIRS:
        of_first, of_second = (inside & (network.species == element) for element in (first, second))
        partners = int(of_second.sum()) - (first == second)
        if not of_first.any() or partners < 1:
            continue
        i, j = pairs.T
        found = (of_first[i] & of_second[j]).astype(int) + (of_first[j] & of_second[i])
        counts = np.histogram(distance, edges, weights=found)[0]
        above, below = high_A - z[of_first], z[of_first] - low_A
        share = (np.minimum.outer(above, centres) + np.minimum.outer(below, centres)).sum(axis=0) / (2 * centres)
        ideal = partners / (network.area_A2 * (high_A - low_A)) * shells * share
        frames.append(pd.DataFrame({"pair": f"{first}-{second}", "r_A": centres, "g": counts / ideal}))
    return pd.concat(frames[1:] or frames, ignore_index=True)


def slice_structure_factor(network: Network, low_A: float, high_A: float, radiation: str = "x-ray") -> StructureFactor:
    """Return S(q) of a slice in bins of 0.05 1/A up to 8 1/A; without bins where the slice is empty (nan edges).

    Raises InputError for an unknown radiation.
    """
    z = network.positions[:, 2]
    inside = (z > low_A) & (z < high_A)
    step = 2 * math.pi / network.cell[:2]
    most = np.floor(Q_MAX_PER_A / step).astype(int)
    grid = np.stack(np.meshgrid(*(np.arange(-m, m + 1) for m in most), indexing="ij"), axis=-1).reshape(-1, 2)
    half = grid[(grid[:, 0] > 0) | ((grid[:, 0] == 0) & (grid[:, 1] > 0))]  # of q and -q one
    q = np.linalg.norm(half * step, axis=1)
    half, q = half[q <= Q_MAX_PER_A], q[q <= Q_MAX_PER_A]
    if not inside.any():
        q, half = q[:0], half[:0]
    kinds = [element for element in MASS_AMU if (network.species[inside] == element).any()]
    factors = scattering_factors(kinds, radiation, q)
    share = np.array([(network.species[inside] == element).mean() for element in kinds])
    amplitude = np.zeros(len(q), complex)
    for element, factor in zip(kinds, factors, strict=True):
        places = network.positions[inside & (network.species == element), :2]
        waves = [np.exp(1j * step[k] * np.outer(np.arange(-most[k], most[k] + 1), places[:, k])) for k in (0, 1)]
        amplitude += factor * (waves[0] @ waves[1].T)[half[:, 0] + most[0], half[:, 1] + most[1]]
    if not len(q):
        return StructureFactor(q, q, np.zeros(0, np.int64), radiation)
    s = 1 + (np.abs(amplitude) ** 2 / inside.sum() - share @ factors**2) / (share @ factors) ** 2
    bins = (q / Q_BIN_PER_A).astype(int)
    counts = np.bincount(bins)
    filled = counts > 0
    mean_q, mean_s = (np.bincount(bins, weights)[filled] / counts[filled] for weights in (q, s))
    return StructureFactor(mean_q, mean_s, counts[filled], radiation)


def structure_factors(network: Network, low_A: float, high_A: float) -> "pd.DataFrame":
    """Return S(q) of a slice for X-rays and neutrons: radiation, q_per_A, s, n_vectors."""
    import pandas as pd

    frames = []
    for radiation in RADIATIONS:
        factor = slice_structure_factor(network, low_A, high_A, radiation)
        frame = pd.DataFrame({"q_per_A": factor.q_per_A, "s": factor.s, "n_vectors": factor.n_vectors})
        frames.append(frame.assign(radiation=pd.Series([radiation] * len(frame), dtype="str")))
    return pd.concat(frames, ignore_index=True)


def ring_observables(network: Network, low_A: float, high_A: float) -> dict[str, float]:
    """Return rings_{3..9}_per_si and mean_ring_size of the Si in a slice; nan where there is none."""
    z = network.positions[:, 2]
    inside = (network.species == "Si") & (z > low_A) & (z < high_A)
    if not inside.any():
        return {**{f"rings_{size}_per_si": math.nan for size in RING_SIZES}, "mean_ring_size": math.nan}
    members = ring_membership(network)[inside].sum(axis=0)
    rings = members / np.maximum(np.arange(len(members)), 1)
    sizes = np.arange(len(members))
    return {
        **{f"rings_{size}_per_si": float(rings[size] / inside.sum()) for size in RING_SIZES},
        "mean_ring_size": float((sizes * rings).sum() / rings.sum()) if rings.sum() > 0 else math.nan,
    }


def site_rings(network: Network) -> dict[str, Any]:
    """Return smallest_ring and mean_ring_size of the rings that each atom is in, (n,) each; nan for O and for a Si in
    no ring of up to twelve."""
    members = ring_membership(network)
    sizes = np.arange(members.shape[1])
    total = members.sum(axis=1)
    smallest = np.where(total > 0, np.argmax(members > 0, axis=1), np.nan)
    mean = np.where(total > 0, members @ sizes / np.maximum(total, 1), np.nan)
    return {"smallest_ring": smallest, "mean_ring_size": mean}
