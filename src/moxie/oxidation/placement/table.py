"""Relaxed placements of O on Si16 as a table, with the counts of pairs and triplets that the task network_energy needs.

Counts by symmetry are the correlation functions of a cluster expansion of the lattice of bonds (Sanchez, Ducastelle,
Gratias, Physica A 128, 334 (1984)); equivalent placements have equal counts.
"""

import logging
from collections.abc import Sequence
from typing import Any

import numpy as np

from moxie.job import Progress
from moxie.oxidation.parameter_sets import load_parameters
from moxie.oxidation.placement.evaluator import Relaxer, orbits
from moxie.oxidation.placement.model import make_clusters
from moxie.oxidation.placement.sites import Occupied, Sites, make_sites

CELL = "si16"


def choose(sites: Sites, n_oxygen: int, most: int | None, seed: int) -> list[Occupied]:
    """Return all canonical placements of n O, or `most` of them drawn at random."""
    every = orbits(sites, n_oxygen)
    if most is None or len(every) <= most:
        return every
    return [every[k] for k in sorted(np.random.default_rng(seed).choice(len(every), most, replace=False).tolist())]


def name_of(occupied: Occupied) -> str:
    """Return a placement's name: the mask of its sites as eight hexadecimal digits."""
    return f"{sum(1 << site for site in occupied):08x}"


def describe(sites: Sites, placements: Sequence[Occupied]) -> Any:
    """Return a data frame of canonical placements: n_oxygen, placement, multiplicity, pair_1.., triplet_1...

    All pairs and all triplets of O count, numbered from the closest; the O of pair_1 share a Si.
    """
    import pandas

    clusters = make_clusters(sites, np.inf)
    counts = np.array([clusters.count(occupied) for occupied in placements]).astype(int)
    n_pairs = int(clusters.pair.max()) + 1
    names = [f"pair_{k + 1}" for k in range(n_pairs)]
    names += [f"triplet_{k + 1}" for k in range(clusters.n_features - n_pairs)]
    known = {
        "n_oxygen": [len(occupied) for occupied in placements],
        "placement": [name_of(occupied) for occupied in placements],
        "multiplicity": [sites.multiplicity(occupied) for occupied in placements],
    }
    return pandas.DataFrame(known | dict(zip(names, counts.T, strict=True)))


def relax_placements(
    n_oxygen: int, parameter_set: str, most: int | None, seed: int, log: logging.Logger | None = None
) -> Any:
    """Return the rows of the table `placements` with n O as a data frame."""
    parameters = load_parameters(parameter_set)
    sites = make_sites(CELL, parameters)
    relaxer = Relaxer(sites, parameters, n_oxygen)
    chosen = choose(sites, n_oxygen, most, seed)
    progress = Progress(log, len(chosen), "placements") if log else None
    for done, orbit in enumerate(chosen, start=1):
        relaxer.relax(orbit)
        if progress:
            progress.update(done)
    return describe(sites, chosen).assign(
        energy_eV=[relaxer.energies_eV[orbit] for orbit in chosen],
        edge_strain=[relaxer.edge_strains[orbit] for orbit in chosen],
        parameter_set=parameters.name,
    )
