"""Local geometry around the silicon atoms of a film, without bonds and without elements."""

from typing import Any

import numpy as np

from moxie.structures.back_side import hold_back
from moxie.structures.network import Network, nearest_image

N_DISTANCES = 12
_NEAREST = 4  # atoms between which the angles are taken
DISTANCES = tuple(f"distance_{k + 1}_A" for k in range(N_DISTANCES))
COSINES = tuple(f"cosine_{k + 1}" for k in range(_NEAREST * (_NEAREST - 1) // 2))
FEATURES = (*DISTANCES, *COSINES)


def describe_sites(network: Network) -> Any:
    """Return `site` and FEATURES of every mobile Si, a free back's left out, as a data frame.

    The features are the distances to the twelve nearest atoms of any element in ascending order, in angstrom, and the
    cosines of the six angles between the directions to the nearest four, in ascending order. Neither bonds nor elements
    enter, so the oxidation state is not given away.
    """
    import pandas

    sites = np.flatnonzero((network.species == "Si") & ~hold_back(network).frozen)
    tree = network.tree()
    _, near = tree.query(tree.data[sites], k=N_DISTANCES + 1)
    near = near[:, 1:]
    vectors = nearest_image(
        network.positions[near] - network.positions[sites][:, None], network.cell, network.periodic
    )  # fmt: skip
    distances = np.linalg.norm(vectors, axis=2)
    units = (vectors / distances[..., None])[:, :_NEAREST]
    first, second = np.triu_indices(_NEAREST, 1)
    cosines = np.sort(np.einsum("sik,sjk->sij", units, units)[:, first, second], axis=1)
    frame = pandas.DataFrame(np.hstack([distances, cosines]), columns=list(FEATURES))
    frame.insert(0, "site", sites)
    return frame
