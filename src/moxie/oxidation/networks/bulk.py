"""Bulk SiOx annealed at a temperature: what the oxide does without an interface.

Every network starts from O on bonds drawn at random (infinite temperature), forgets the crystal, is cooled to kT and
held there, at zero pressure. The energies are those of the relaxed network, its inherent structure.
"""

import logging
from dataclasses import dataclass

import numpy as np

from moxie.oxidation.engine import Engine
from moxie.oxidation.networks.generators import Schedule, cool, random_bond_oxide, silicon_oxide
from moxie.oxidation.parameter_sets import ParameterSet
from moxie.structures.network import Network

MELT = (2.0, 5.0)  # kT in eV and attempts per atom that make the network forget the crystal
COOL_FROM_EV = 0.5
COOLING_STEPS = 6


@dataclass(frozen=True)
class BulkSettings:
    """cells: conventional silicon cells along each edge, n: 8 n^3 Si. attempts_per_atom: at kT and on the way to it,
    half each. hop_fraction: share of O hops."""

    cells: int = 3
    attempts_per_atom: float = 500.0
    hop_fraction: float = 0.3


def bulk_schedule(kT_eV: float, settings: BulkSettings) -> Schedule:
    """Return the annealing that ends at kT."""
    half = 0.5 * settings.attempts_per_atom
    steps = (MELT, *cool(max(COOL_FROM_EV, kT_eV), kT_eV, COOLING_STEPS, half), (kT_eV, half))
    return Schedule(steps, 50.0, 0.0, settings.hop_fraction)


def anneal_bulk(
    x: float,
    kT_eV: float,
    parameters: ParameterSet,
    settings: BulkSettings,
    seed: int,
    log: logging.Logger | None = None,
) -> Network:
    """Return an annealed SiOx network with its energies, and in `info` also the populations of its random start.

    Raises InputError as `moxie.oxidation.networks.generators.silicon_oxide` does.
    """
    n_silicon = 8 * settings.cells**3
    result = silicon_oxide(n_silicon, x, parameters, seed, bulk_schedule(kT_eV, settings), log)
    start = random_bond_oxide(n_silicon, x, parameters, seed)
    counts = np.bincount(start.oxidation_states()[start.species == "Si"], minlength=5)
    terms = Engine(result.network, parameters).energy_terms()
    result.network.info.update(
        {
            "kT_eV": kT_eV,
            "start_populations": counts.tolist(),
            "suboxide_penalty_eV": list(parameters.suboxide_eV),
            "bond_energy_eV": terms.bond,
            "angle_energy_eV": terms.angle,
            "repulsion_energy_eV": terms.repulsion,
            "suboxide_energy_eV": terms.suboxide,
        }
    )
    return result.network
