"""The relaxed energy of a placement, and the one currency in which every search pays: relaxations of unique orbits.

The energy of an orbit is the lowest that its canonical placement relaxes to from N_STARTS fixed starts: each O in the
middle of its bond, then all atoms shaken, because the straight Si-O-Si of the middle is a saddle. So it is a property
of the orbit, the same in every search and on every run.
"""

import time
from collections.abc import Iterator

import numpy as np

from moxie.errors import InputError
from moxie.oxidation.engine import Engine
from moxie.oxidation.networks.cells import relax_cell
from moxie.oxidation.parameter_sets import ParameterSet
from moxie.oxidation.placement.counts import check_count
from moxie.oxidation.placement.sites import Occupied, Sites
from moxie.structures.network import Network, make_network
from moxie.structures.silicon import SILICA_UNITS_PER_A3, insert_oxygen

N_STARTS = 2
SHAKE_A = 0.1  # standard deviation along each axis
FORCE_TOLERANCE_EV_A = 3e-3
MAX_STEPS = 3000
PRESSURE_TOLERANCE_GPA = 0.05  # leaves 3e-5 eV for each Si16
MAX_CELLS = 20


class BudgetSpentError(RuntimeError):
    """A search asked for one relaxation more than its budget; it ends there."""


class Relaxer:
    """Relaxed energies of placements of `n_oxygen` O, kept by orbit; `cpu_s` is what they took.

    A crystal's positions and the common scale of its edges relax together, without pressure; `edge_strains` is that
    scale minus one, by orbit. A slab keeps the lateral cell of silicon (strain 0) and is free along z. Raises
    InputError for a number of O that does not fit.
    """

    def __init__(self, sites: Sites, parameters: ParameterSet, n_oxygen: int):
        check_count(sites.name, sites.n_sites, n_oxygen)
        self.sites = sites
        self.n_oxygen = n_oxygen
        self.parameters = parameters
        self.energies_eV: dict[Occupied, float] = {}
        self.edge_strains: dict[Occupied, float] = {}
        self.cpu_s = 0.0
        network = sites.network
        self._crystal = bool(network.periodic.all())
        scale = _likely_scale(sites, n_oxygen) if self._crystal else 1.0
        ends = sites.members.reshape(-1, 2)
        middles = network.positions[ends[:, 0]] + 0.5 * network.vectors(ends[:, 0], ends[:, 1])
        generator = np.random.default_rng(0)
        shakes = SHAKE_A * generator.standard_normal((N_STARTS, len(network.positions), 3))[:, sites.repeats]
        shakes[:, network.frozen] = 0.0
        self._silicon = scale * network.positions + shakes
        shakes = SHAKE_A * generator.standard_normal((N_STARTS, sites.n_sites, 1, 3))
        self._oxygen = scale * middles.reshape(sites.n_sites, sites.copies, 3) + shakes
        first = insert_oxygen(network, sites.members[:n_oxygen].reshape(-1, 2))
        self._edges = scale * first.cell
        template = make_network(
            scale * first.positions, first.species, first.bonds, self._edges, first.periodic, first.frozen
        )
        self._engine = Engine(template, parameters)
        n = len(network.positions)
        self._plain = np.full((n, 4), -1, np.int32)
        for atom, near in enumerate(network.neighbours()):
            self._plain[atom, : len(near)] = near

    def _place(self, occupied: Occupied, start: int) -> None:
        """Put the engine's network into one of the starts of a placement."""
        if self._crystal:
            self._engine.set_cell(self._edges)
        atoms, n = self._engine.atoms, len(self.sites.network.positions)
        atoms.position[:n] = self._silicon[start]
        atoms.position[n:] = self._oxygen[start, list(occupied)].reshape(-1, 3)
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
        if orbit not in self.energies_eV:
            began = time.process_time()
            lowest = min(self._relax(orbit, start) for start in range(N_STARTS))
            self.energies_eV[orbit], self.edge_strains[orbit] = lowest
            self.cpu_s += time.process_time() - began
        return self.energies_eV[orbit]

    def network(self, orbit: Occupied) -> Network:
        """Return the relaxed network of a canonical placement."""
        self._relax(orbit, min(range(N_STARTS), key=lambda start: self._relax(orbit, start)))
        return self._engine.to_network()

    def _relax(self, orbit: Occupied, start: int) -> tuple[float, float]:
        """Relax from one start; return energy (eV per searched cell) and strain of the edges."""
        self._place(orbit, start)
        self._engine.energy = self._engine.energy_terms().total
        if self._crystal:
            relax_cell(
                self._engine, 0.0, "isotropic", PRESSURE_TOLERANCE_GPA, MAX_CELLS, FORCE_TOLERANCE_EV_A, MAX_STEPS
            )
        else:
            self._engine.relax(FORCE_TOLERANCE_EV_A, MAX_STEPS)
        strain = float(self._engine.cell[0] / self.sites.network.cell[0]) - 1.0
        return self._engine.energy / self.sites.copies, strain


def _likely_scale(sites: Sites, n_oxygen: int) -> float:
    """Return the scale of the edges that interpolates the volume between silicon and silica of 2.20 g/cm3."""
    network = sites.network
    share = n_oxygen * sites.copies / len(network.bonds)
    volume_A3 = float(np.prod(network.cell)) / int((network.species == "Si").sum())
    return float(((1 - share) + share / SILICA_UNITS_PER_A3 / volume_A3) ** (1 / 3))


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

    @property
    def is_spent(self) -> bool:
        """Whether the budget is spent; only known placements have energies then."""
        return self.relaxations >= self.budget

    def known(self, orbit: Occupied) -> bool:
        """Return whether the search has paid for a canonical placement."""
        return orbit in self._paid

    def energy(self, occupied: Occupied | np.ndarray) -> float:
        """Return the relaxed energy of a placement in eV; BudgetSpentError where that would exceed the budget."""
        orbit = self.sites.canonical(occupied)
        known = self._paid.get(orbit)
        if known is None:
            if self.is_spent:
                raise BudgetSpentError(f"{self.budget} relaxations are spent.")
            known = self._paid[orbit] = self.relaxer.relax(orbit)
            self.orbits.append(orbit)
            self.energies_eV.append(known)
        return known


def orbits(sites: Sites, n_oxygen: int) -> list[Occupied]:
    """Return the canonical placements of n O, each orbit once, in lexicographic order (symmetry-reduced enumeration).

    Each is reached by adding an O to an orbit of one O fewer; more O than free bonds are enumerated by the free bonds,
    since there are far more orbits on the way up. Raises InputError for a number that does not fit.
    """
    check_count(sites.name, sites.n_sites, n_oxygen)
    if 2 * n_oxygen > sites.n_sites:
        every = np.arange(sites.n_sites)
        free = orbits(sites, sites.n_sites - n_oxygen)
        return sorted(sites.canonical(np.setdiff1d(every, orbit)) for orbit in free)
    level: set[Occupied] = {()}
    for _ in range(n_oxygen):
        level = {sites.canonical((*smaller, site)) for smaller in level for site in _free(smaller, sites.n_sites)}
    return sorted(level)


def _free(occupied: Occupied, n_sites: int) -> Iterator[int]:
    taken = set(occupied)
    return (site for site in range(n_sites) if site not in taken)
