"""Monte Carlo tree search for the placement of lowest energy: selection, expansion, simulation, backpropagation.

A node is a partial placement in canonical form, a child has one O more, a leaf has all. Placements that are images of
each other, or reached in another order, are one node (transposition table), so the tree is an acyclic graph; the visits
of a child count all paths, those in the logarithm are its parent's (UCD of Saffidine, Cazenave and Mehat,
Knowl.-Based Syst. 34, 26 (2012)). Rules: UCT (Kocsis and Szepesvari, ECML 2006), and with a learnt prior PUCT (Rosin,
Ann. Math. Artif. Intell. 61, 203 (2011); Silver et al., Nature 550, 354 (2017)), which also widens the tree step by
step (Chaslot et al., New Math. Nat. Comput. 4, 343 (2008)). Survey: Browne et al., IEEE Trans. Comput. Intell. AI
Games 4, 1 (2012).
"""

import math
from dataclasses import dataclass

import numpy as np

from moxie.oxidation.placement.evaluator import Evaluator
from moxie.oxidation.placement.model import Guide
from moxie.oxidation.placement.sites import Occupied

BACKUPS = ("mean", "best")
ATTEMPTS = 5  # simulations of one iteration, until one needs a relaxation


@dataclass(eq=False)
class Node:
    """A partial placement: number of visits, sum and least of the energies seen below (eV), children once expanded;
    complete when every placement below has been relaxed."""

    occupied: Occupied
    visits: int = 0
    sum_eV: float = 0.0
    least_eV: float = math.inf
    children: "list[Node] | None" = None
    complete: bool = False


def upper_confidence(value: float, visits: int, parent_visits: int, exploration: float) -> float:
    """Return the upper confidence bound value + c sqrt(ln(parent's visits) / visits); infinite for no visits."""
    if visits == 0:
        return math.inf
    return value + exploration * math.sqrt(math.log(max(parent_visits, 1)) / visits)


def prior_confidence(value: float, visits: int, parent_visits: int, prior: float, exploration: float) -> float:
    """Return the bound with a prior (PUCT), value + c prior sqrt(parent's visits) / (1 + visits)."""
    return value + exploration * prior * math.sqrt(max(parent_visits, 1)) / (1 + visits)


class Tree:
    """The search's tree over the placements of `evaluator`.

    exploration: c of the bounds, for values in [0, 1]. backup: a node's value is the `mean` or the `best` of the
    energies seen below it. guide: learnt model that gives the prior of the selection (PUCT) and fills placements up in
    the simulation; without one selection is UCT and simulation uniform. widening: with a guide the selection sees only
    the visits ** widening children of a node with the largest prior, rounded up; all of them with None.
    """

    def __init__(
        self,
        evaluator: Evaluator,
        generator: np.random.Generator,
        exploration: float,
        backup: str = "best",
        guide: Guide | None = None,
        widening: float | None = None,
        local_share: float = 0.0,
    ):
        self.evaluator = evaluator
        self.generator = generator
        self.exploration = exploration
        self.backup = backup
        self.guide = guide
        self.widening = widening
        self.local_share = local_share
        self.root = Node(())
        self.table: dict[Occupied, Node] = {(): self.root}
        self.lowest, self.highest = math.inf, -math.inf

    def run(self) -> None:
        """Iterate until every placement is known or the evaluator's budget is spent."""
        while not (self.root.complete or self.evaluator.is_spent):
            if self.guide is not None and self.evaluator.relaxations and self.generator.random() < self.local_share:
                self.local_move(self.guide)
                continue
            path = self.selection()
            self.expansion(path[-1])
            energy = self.simulation(path[-1])
            self.backpropagation(path, energy)

    def local_move(self, guide: Guide) -> None:
        """Relax a placement one O away from the best one known, and tell the nodes on ways to it.

        These are reached from the root through expanded nodes by adding O of the placement, each node once. They learn
        the energy without a visit, since selection did not choose them.
        """
        near = guide.neighbour(self.evaluator, self.generator, True)
        if near is None:
            path = self.selection()
            self.expansion(path[-1])
            self.backpropagation(path, self.simulation(path[-1]))
            return
        energy = self.evaluator.energy(near)
        guide.learn(self.evaluator)
        self.lowest, self.highest = min(self.lowest, energy), max(self.highest, energy)
        waiting: list[Occupied] = [()]
        told: set[Occupied] = set()
        while waiting:
            held = waiting.pop()
            orbit = self.evaluator.sites.canonical(held) if held else ()
            node = self.table.get(orbit)
            if node is None or orbit in told:
                continue
            told.add(orbit)
            node.least_eV = min(node.least_eV, energy)
            if node.children is not None:
                waiting += [(*held, site) for site in near if site not in held]

    def selection(self) -> list[Node]:
        """Return the path from the root to a node without children, by the largest bound among incomplete children."""
        path = [self.root]
        while path[-1].children:
            node = path[-1]
            open_children = [child for child in node.children or () if not child.complete]
            if not open_children:
                break
            path.append(self._choose(node, open_children))
        return path

    def expansion(self, node: Node) -> None:
        """Give a node its children, one for each orbit; leaves have none."""
        if node.children is not None or len(node.occupied) == self.evaluator.n_oxygen:
            return
        sites = self.evaluator.sites
        taken = set(node.occupied)
        orbits = {sites.canonical((*node.occupied, site)) for site in range(sites.n_sites) if site not in taken}
        node.children = [self.table.setdefault(orbit, Node(orbit)) for orbit in sorted(orbits)]

    def simulation(self, node: Node) -> float:
        """Fill a node's placement up, relax it and return its energy in eV.

        A placement that was paid for before teaches nothing, so a few fillings are tried until one is new.
        """
        placement = np.array(node.occupied, np.int64)
        for attempt in range(ATTEMPTS):
            filled = self._fill(placement, attempt)
            if len(placement) == self.evaluator.n_oxygen or not self.evaluator.known(
                self.evaluator.sites.canonical(filled)
            ):
                break
        energy = self.evaluator.energy(filled)
        if self.guide is not None:
            self.guide.learn(self.evaluator)
        return energy

    def backpropagation(self, path: list[Node], energy_eV: float) -> None:
        """Add a visit and the energy to every node of the path, and mark those that have nothing left to find."""
        self.lowest, self.highest = min(self.lowest, energy_eV), max(self.highest, energy_eV)
        for node in reversed(path):
            node.visits += 1
            node.sum_eV += energy_eV
            node.least_eV = min(node.least_eV, energy_eV)
            if len(node.occupied) == self.evaluator.n_oxygen:
                node.complete = True
            elif node.children is not None and all(child.complete for child in node.children):
                node.complete = True

    def value(self, node: Node) -> float:
        """Return a node's value: 1 for the lowest energy of the whole search, 0 for the highest."""
        energy = node.sum_eV / node.visits if self.backup == "mean" else node.least_eV
        return (self.highest - energy) / max(self.highest - self.lowest, 1e-12)

    def _choose(self, parent: Node, children: list[Node]) -> Node:
        if self.guide is not None:
            children, priors = self._widened(parent, children, self.guide)
            guess = self.value(parent) if parent.visits else 0.0
            bounds = [
                prior_confidence(
                    self.value(child) if child.visits else guess, child.visits, parent.visits, prior, self.exploration
                )
                for child, prior in zip(children, priors, strict=True)
            ]
        else:
            bounds = [
                upper_confidence(
                    self.value(child) if child.visits else 0.0, child.visits, parent.visits, self.exploration
                )
                for child in children
            ]
        best = max(bounds)
        ties = [child for child, bound in zip(children, bounds, strict=True) if bound == best]
        return ties[int(self.generator.integers(len(ties)))]

    def _widened(self, parent: Node, children: list[Node], guide: Guide) -> tuple[list[Node], np.ndarray]:
        """Return the children that the selection sees, and their priors."""
        priors = guide.priors([child.occupied for child in children])
        if self.widening is None:
            return children, priors
        seen = np.argsort(-priors, kind="stable")[: math.ceil(max(parent.visits, 1) ** self.widening)]
        return [children[k] for k in seen.tolist()], priors[seen] / priors[seen].sum()

    def _fill(self, placement: np.ndarray, attempt: int) -> np.ndarray:
        missing = self.evaluator.n_oxygen - len(placement)
        if self.guide is not None:
            return self.guide.fill(placement, self.evaluator.n_oxygen, self.generator, attempt)
        free = np.setdiff1d(np.arange(self.evaluator.sites.n_sites), placement)
        return np.concatenate([placement, self.generator.choice(free, missing, replace=False)])
