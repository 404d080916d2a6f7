"""The relaxed energy of a placement, and the one currency in which every search pays: relaxations of unique orbits.

The energy of an orbit is that of its canonical placement relaxed from one fixed start: each O in the middle of its
bond, moved off the axis by `START_OFFSET_A` in a direction that belongs to the site, because the straight Si-O-Si of
the middle is a saddle. So it is a property of the orbit, the same in every search and on every run.
"""

import time
from collections.abc import Iterator

import numpy as np

from moxie.errors import InputError
from moxie.oxidation.engine import Engine
from moxie.oxidation.parameter_sets import ParameterSet
from moxie.oxidation.placement.sites import Occupied, Sites, check_count
from moxie.oxidation.sizing import SILICA_UNITS_PER_A3
from moxie.structures.network import Network, make_network
from moxie.structures.silicon import insert_oxygen

START_OFFSET_A = 0.2
FORCE_TOLERANCE_EV_A = 0.01
MAX_STEPS = 1000


class BudgetSpentError(RuntimeError):
    """A search asked for one relaxation more than its budget; it ends there."""


class Relaxer:
    """Relaxed energies of placements of `n_oxygen` O, kept by orbit; `cpu_s` is what they took.

    In a crystal the volume is that of `moxie.oxidation.generators.random_bond_oxide`, interpolated between the field's
    silicon and silica of 2.20 g/cm3, and stays fixed; a slab keeps the lateral cell of silicon and is free along z.
    Raises InputError for a number of O that does not fit.
    """

    def __init__(self, sites: Sites, parameters: ParameterSet, n_oxygen: int):
        check_count(sites.name, sites.n_sites, n_oxygen)
        self.sites = sites
        self.n_oxygen = n_oxygen
        self.parameters = parameters
        self.energies_eV: dict[Occupied, float] = {}
        self.cpu_s = 0.0
        network = sites.network
        scale = 1.0
        if network.periodic.all():
            n_silicon = int((network.species == "Si").sum())
            share = n_oxygen * sites.copies / len(network.bonds)
            crystal = float(np.prod(network.cell)) / n_silicon
            scale = ((1 - share) + share / SILICA_UNITS_PER_A3 / crystal) ** (1 / 3)
        ends = sites.members.reshape(-1, 2)
        middles = network.positions[ends[:, 0]] + 0.5 * network.vectors(ends[:, 0], ends[:, 1])
        offsets = np.random.default_rng(0).standard_normal((sites.n_sites, 3))
        offsets *= START_OFFSET_A / np.linalg.norm(offsets, axis=1)[:, None]
        self._oxygen = scale * middles.reshape(sites.n_sites, sites.copies, 3) + offsets[:, None]
        self._silicon = scale * network.positions
        first = insert_oxygen(network, sites.members[:n_oxygen].reshape(-1, 2))
        template = make_network(
            scale * first.positions, first.species, first.bonds, scale * first.cell, first.periodic, first.frozen
        )
        self._engine = Engine(template, parameters)
        n = len(network.positions)
        self._plain = np.full((n, 4), -1, np.int32)
        for atom, near in enumerate(network.neighbours()):
            self._plain[atom, : len(near)] = near
        self._place(range(n_oxygen))

    def _place(self, occupied: Occupied | range) -> None:
        """Put the engine's network into the start of a placement."""
        atoms, n = self._engine.atoms, len(self._silicon)
        atoms.position[:n] = self._silicon
        atoms.position[n:] = self._oxygen[list(occupied)].reshape(-1, 3)
        self._engine.work.trial[:] = atoms.position
        near = atoms.neighbours
        near[:n] = self._plain
        near[n:, 2:] = -1
        pairs = self.sites.members[list(occupied)].reshape(-1, 2)
        for oxygen, (i, j) in enumerate(pairs.tolist(), start=n):
            near[i, near[i].tolist().index(j)] = oxygen
            near[j, near[j].tolist().index(i)] = oxygen
            near[oxygen, :2] = i, j

    def relax(self, orbit: Occupied) -> float:
        """Return the relaxed energy of a canonical placement in eV per searched cell."""
        known = self.energies_eV.get(orbit)
        if known is None:
            began = time.process_time()
            self._relax(orbit)
            known = self.energies_eV[orbit] = self._engine.energy / self.sites.copies
            self.cpu_s += time.process_time() - began
        return known

    def network(self, orbit: Occupied) -> Network:
        """Return the relaxed network of a canonical placement."""
        self._relax(orbit)
        return self._engine.to_network()

    def _relax(self, orbit: Occupied) -> None:
        self._place(orbit)
        self._engine.energy = self._engine.energy_terms().total
        self._engine.relax(FORCE_TOLERANCE_EV_A, MAX_STEPS)


class Evaluator:
    """What a search sees: energies of placements, of which each new orbit costs one of `budget` relaxations.

    An orbit costs every search its relaxation, also when another search of the same relaxer has been there before.
    `orbits` and `energies_eV` hold what the search has paid for, in order. Raises InputError for a budget below 1.
    """

    def __init__(self, relaxer: Relaxer, budget: int):
        if budget < 1:
            raise InputError(f"The budget of a search is {budget} relaxations; at least 1 is needed.")
        self.relaxer = relaxer
        self.sites = relaxer.sites
        self.n_oxygen = relaxer.n_oxygen
        self.budget = int(budget)
        self.orbits: list[Occupied] = []
        self.energies_eV: list[float] = []
        self._paid: dict[Occupied, float] = {}

    @property
    def relaxations(self) -> int:
        """Number of relaxations spent."""
        return len(self.orbits)

    def known(self, orbit: Occupied) -> bool:
        """Return whether the search has paid for a canonical placement."""
        return orbit in self._paid

    def energy(self, occupied: Occupied | np.ndarray) -> float:
        """Return the relaxed energy of a placement in eV; BudgetSpentError where that would exceed the budget."""
        orbit = self.sites.canonical(occupied)
        known = self._paid.get(orbit)
        if known is None:
            if self.relaxations >= self.budget:
                raise BudgetSpentError(f"{self.budget} relaxations are spent.")
            known = self._paid[orbit] = self.relaxer.relax(orbit)
            self.orbits.append(orbit)
            self.energies_eV.append(known)
        return known


def orbits(sites: Sites, n_oxygen: int) -> list[Occupied]:
    """Return the canonical placements of n O, each orbit once, in lexicographic order (symmetry-reduced enumeration).

    Each is reached by adding an O to an orbit of one O fewer. Raises InputError for a number that does not fit.
    """
    check_count(sites.name, sites.n_sites, n_oxygen)
    level: set[Occupied] = {()}
    for _ in range(n_oxygen):
        level = {sites.canonical((*smaller, site)) for smaller in level for site in _free(smaller, sites.n_sites)}
    return sorted(level)


def _free(occupied: Occupied, n_sites: int) -> Iterator[int]:
    taken = set(occupied)
    return (site for site in range(n_sites) if site not in taken)
