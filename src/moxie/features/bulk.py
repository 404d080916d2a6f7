"""Observables of bulk SiOx, and what O on bonds drawn at random (infinite temperature) would give.

* Cluster: Si joined by direct Si-Si bonds. Only Si with such a bond take part, so a fully oxidised Si is in none.
* Largest cluster: share of those Si in the largest one. Mean size: weighted by size, the size of the cluster that
  such a Si is in. Percolating directions: along how many axes some cluster meets its own periodic image.
"""

from typing import Any

import numpy as np

from moxie.errors import InputError
from moxie.features.clusters import silicon_clusters
from moxie.features.networks import bond_angles, density_g_cm3
from moxie.structures.network import Network

_FACTS = (
    *("kT_eV", "x", "parameter_set", "start_populations", "suboxide_penalty_eV", "attempts", "accepted"),
    *("bond_energy_eV", "angle_energy_eV", "repulsion_energy_eV", "suboxide_energy_eV"),
)


def random_bond_populations(x: Any, n_silicon: int | None = None) -> np.ndarray:
    """Return the shares (..., 5) of Si with 0 to 4 O neighbours when O sits on bonds at random.

    Binomial with p = x/2; for a network of n_silicon Si, drawn without replacement, hypergeometric.
    """
    from scipy.stats import binom, hypergeom

    share = np.asarray(x, float)[..., None] / 2
    if n_silicon is None:
        return np.asarray(binom.pmf(np.arange(5), 4, share))
    return np.asarray(hypergeom.pmf(np.arange(5), 2 * n_silicon, np.round(2 * n_silicon * share).astype(int), 4))


def bulk_observables(network: Network, replica: int) -> dict[str, Any]:
    """Return the row of `oxide_bulk` for one network of `moxie.oxidation.networks.bulk.anneal_bulk`.

    Raises InputError when the network lacks one of its facts.
    """
    info = network.info
    missing = [fact for fact in _FACTS if fact not in info]
    if missing:
        raise InputError(f"The network lacks the facts {', '.join(missing)}; make it anew.")
    silicon = network.species == "Si"
    n_silicon = int(silicon.sum())
    shares = np.bincount(network.oxidation_states()[silicon], minlength=5) / n_silicon
    start = np.array(info["start_populations"]) / n_silicon
    penalty = np.array(info["suboxide_penalty_eV"])
    clusters = silicon_clusters(network)
    joined = clusters.sizes > 1
    sizes = clusters.sizes[joined]
    strain = info["bond_energy_eV"] + info["angle_energy_eV"] + info["repulsion_energy_eV"]
    bridges = bond_angles(network)["Si-O-Si"]
    return {
        "x": float(info["x"]),
        "kT_eV": float(info["kT_eV"]),
        "replica": replica,
        "parameter_set": info["parameter_set"],
        "n_si": n_silicon,
        "n_o": int((~silicon).sum()),
        "density_g_cm3": density_g_cm3(network),
        "strain_energy_eV_per_si": strain / n_silicon,
        "suboxide_energy_eV_per_si": info["suboxide_energy_eV"] / n_silicon,
        "energy_eV_per_si": (strain + info["suboxide_energy_eV"]) / n_silicon,
        "start_suboxide_energy_eV_per_si": float(start @ penalty),
        "random_bond_suboxide_energy_eV_per_si": float(random_bond_populations(info["x"], n_silicon) @ penalty),
        **{f"si{n}_fraction": float(shares[n]) for n in range(5)},
        "si_o_si_angle_deg": float(bridges.mean()) if len(bridges) else np.nan,
        "n_silicon_clusters": len(sizes),
        "largest_cluster_share": float(sizes[0] / sizes.sum()) if len(sizes) else np.nan,
        "mean_cluster_size": float((sizes**2).sum() / sizes.sum()) if len(sizes) else np.nan,
        "percolating_directions": int(clusters.percolates[joined].any(axis=0).sum()) if len(sizes) else 0,
        "accepted_fraction": info["accepted"] / max(info["attempts"], 1),
    }
