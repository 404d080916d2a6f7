"""Networks of few movable atoms, whose states can all be listed: what the Monte Carlo is held against."""

from dataclasses import dataclass
from functools import cache

import numpy as np

from moxie.errors import InputError
from moxie.oxidation.engine import Engine
from moxie.oxidation.networks.generators import random_bond_oxide
from moxie.oxidation.parameter_sets import load_parameters
from moxie.oxidation.rejection import Rejection
from moxie.structures.network import Network, make_network
from moxie.structures.silicon import beta_cristobalite, diamond, insert_oxygen

FULL = Rejection(shells=(6,), evaluations=(400,), force_tolerance_eV_A=(0.01,), repulsion=(True,))


def small_world(n_oxygen: int) -> Network:
    """Two neighbouring Si and their six neighbours may move in a frozen crystal; O sit in bonds of the first."""
    crystal = diamond((2, 2, 2))
    near = crystal.neighbours()
    first = 0
    second = near[first][0]
    mobile = {first, second, *near[first], *near[second]}
    frozen = np.array([atom not in mobile for atom in range(len(crystal.positions))])
    links = np.array([(first, other) for other in near[first][1 : 1 + n_oxygen]], int).reshape(-1, 2)
    oxidised = insert_oxygen(crystal, links)
    frozen = np.concatenate([frozen, np.zeros(n_oxygen, bool)])
    return make_network(oxidised.positions, oxidised.species, oxidised.bonds, oxidised.cell, frozen=frozen)


def key_of(bonds) -> frozenset:
    return frozenset(tuple(sorted(bond)) for bond in np.asarray(bonds).tolist())


def reachable(network: Network, switches: bool, hops: bool) -> set[frozenset]:
    """All bond sets that the moves reach: a plain second implementation of the rules."""
    oxygen = network.species == "O"
    frozen = network.frozen
    start = key_of(network.bonds)
    found, todo = {start}, [start]
    while todo:
        bonds = todo.pop()
        near: dict[int, set[int]] = {}
        for i, j in bonds:
            near.setdefault(i, set()).add(j)
            near.setdefault(j, set()).add(i)

        def far(centre, end, near=near):
            return next(iter(near[end] - {centre})) if oxygen[end] else end

        def replaced(out, put, bonds=bonds):
            return (bonds - {tuple(sorted(b)) for b in out}) | {tuple(sorted(b)) for b in put}

        new = []
        if hops:
            for o in np.flatnonzero(oxygen & ~frozen).tolist():
                for s1 in near[o]:
                    (s0,) = near[o] - {s1}
                    for s2 in near[s1] - {o}:
                        if not (oxygen[s2] or frozen[[s0, s1, s2]].any()):
                            new.append(replaced([(s0, o), (s1, s2)], [(s0, s1), (o, s2)]))
        if switches:
            for i in np.flatnonzero(~oxygen & ~frozen).tolist():
                for link in near[i]:
                    j = far(i, link)
                    back = link if oxygen[link] else i
                    if frozen[j]:
                        continue
                    for a in near[i] - {link}:
                        for b in near[j] - {back}:
                            fa, fb = far(i, a), far(j, b)
                            if frozen[a] or frozen[b] or fa == fb or fa == j or fb == i:
                                continue
                            if fb in {far(i, x) for x in near[i]} or fa in {far(j, x) for x in near[j]}:
                                continue
                            new.append(replaced([(i, a), (j, b)], [(i, b), (j, a)]))
        for state in new:
            if state not in found:
                found.add(state)
                todo.append(state)
    return found


def relaxed_energy(network: Network, bonds: frozenset, parameters) -> float:
    positions = network.positions.copy()
    near: dict[int, list[int]] = {}
    for i, j in bonds:
        near.setdefault(i, []).append(j)
        near.setdefault(j, []).append(i)
    for o in np.flatnonzero((network.species == "O") & ~network.frozen).tolist():
        i, j = near[o]
        positions[o] = positions[i] + 0.5 * network.vectors(np.array([i]), np.array([j]))[0]
    # swapped neighbours start far from where they belong: the lowest of several starts counts
    generator = np.random.default_rng(7)
    energies = []
    for spread in (0.05, 0.4, 0.4, 0.8, 0.8):
        shift = spread * generator.standard_normal(positions.shape) * ~network.frozen[:, None]
        try:
            state = make_network(positions + shift, network.species, sorted(bonds), network.cell, frozen=network.frozen)
        except InputError:  # two atoms came to lie on each other
            continue
        engine = Engine(state, parameters, 0)
        engine.relax(0.001, 5000)
        energies.append(engine.energy)
    return min(energies)


def silica_world() -> Network:
    """Two neighbouring Si, their seven O and their six next Si may move in frozen beta-cristobalite."""
    silica = beta_cristobalite((2, 2, 2))
    near = silica.neighbours()
    first = 0
    bridge = near[first][0]
    (second,) = set(near[bridge]) - {first}
    oxygen = {*near[first], *near[second]}
    mobile = {first, second, *oxygen, *(silicon for o in oxygen for silicon in near[o])}
    frozen = np.array([atom not in mobile for atom in range(len(silica.positions))])
    return make_network(silica.positions, silica.species, silica.bonds, silica.cell, frozen=frozen)


def ring_world(crystal: Network) -> Network:
    """A ring of six Si, one Si beside it and the O between these may move in a frozen crystal: switches make rings of
    three to six of them, with a tail."""
    near = crystal.neighbours()
    silicon = crystal.species == "Si"

    def linked(i):
        return [end if silicon[end] else sum(near[end]) - i for end in near[i]]

    def ring(path):
        if len(path) == 6:
            return path if path[0] in linked(path[-1]) else None
        return next((found for k in linked(path[-1]) if k not in path and (found := ring([*path, k]))), None)

    chosen = ring([0])
    mobile = {*chosen, next(k for k in linked(chosen[0]) if k not in chosen)}
    mobile |= {o for o in np.flatnonzero(~silicon).tolist() if set(near[o]) <= mobile}
    frozen = np.array([atom not in mobile for atom in range(len(crystal.positions))])
    return make_network(crystal.positions, crystal.species, crystal.bonds, crystal.cell, frozen=frozen)


# O are indistinguishable below: a state is a set of links (Si, Si, kind) with the smaller Si first
DIRECT, BRIDGED, STILL = range(3)  # no O; a mobile O; a frozen O
Links = frozenset[tuple[int, int, int]]


def links_of(engine: Engine) -> Links:
    """The links of the present network that have a mobile Si."""
    atoms = engine.atoms
    silicon = engine.silicons
    near = atoms.neighbours[silicon]
    kind = np.where(atoms.species[near] == 1, np.where(atoms.frozen[near], STILL, BRIDGED), DIRECT)
    ends = atoms.neighbours[near]
    other = np.where(ends[..., 0] == silicon[:, None], ends[..., 1], ends[..., 0])
    far = np.where(kind == DIRECT, near, other)
    centre = np.broadcast_to(silicon[:, None], far.shape)
    rows = np.stack([np.minimum(centre, far), np.maximum(centre, far), kind], axis=-1).reshape(-1, 3)
    return frozenset(map(tuple, rows.tolist()))


def link(i: int, j: int, kind: int) -> tuple[int, int, int]:
    return (min(i, j), max(i, j), kind)


def count_oxygen(links: Links) -> int:
    return sum(kind == BRIDGED for _, _, kind in links)


def has_triangle(links: Links) -> bool:
    """Whether three Si are linked in a ring."""
    near: dict[int, set[int]] = {}
    for i, j, _ in links:
        near.setdefault(i, set()).add(j)
        near.setdefault(j, set()).add(i)
    return any(near[i] & near[j] for i, j, _ in links)


def reachable_links(
    start: Links, frozen: np.ndarray, moves: set[str], most: int = 0, triangles: bool = True
) -> list[Links]:
    """All states that `moves` (switch, hop, exchange) reach with at most `most` O: a plain statement of the rules."""
    found, todo = {start}, [start]
    while todo:
        state = todo.pop()
        near: dict[int, dict[int, int]] = {}
        for i, j, kind in state:
            near.setdefault(i, {})[j] = kind
            near.setdefault(j, {})[i] = kind

        def changed(out, put, state=state):
            return (state - {link(*each) for each in out}) | {link(*each) for each in put}

        new = []
        centres = [i for i in near if not frozen[i]]
        for i in centres:
            for j, kind in near[i].items():
                if frozen[j] or kind == STILL:
                    continue
                if "exchange" in moves and (kind == BRIDGED or count_oxygen(state) < most):
                    new.append(changed([(i, j, kind)], [(i, j, BRIDGED - kind)]))
                if "hop" in moves and kind == BRIDGED:
                    for k, other in near[i].items():
                        if other == DIRECT and not frozen[k]:
                            new.append(changed([(i, j, BRIDGED), (i, k, DIRECT)], [(i, j, DIRECT), (i, k, BRIDGED)]))
                if "switch" in moves:
                    for a, kind_a in near[i].items():
                        for b, kind_b in near[j].items():
                            held = any(
                                end == STILL or (end == DIRECT and frozen[atom])
                                for atom, end in ((a, kind_a), (b, kind_b))
                            )
                            if a == j or b == i or a == b or held or b in near[i] or a in near[j]:
                                continue
                            out = [(i, a, kind_a), (j, b, kind_b)]
                            new.append(changed(out, [(i, b, kind_b), (j, a, kind_a)]))
        for state in new:
            if state not in found and (triangles or not has_triangle(state)):
                found.add(state)
                todo.append(state)
    return sorted(found, key=sorted)


def network_of(links: Links, world: Network) -> Network:
    """The network of a state: the world's Si and frozen O, and a mobile O in the middle of each bridged link."""
    silicon = world.species == "Si"
    still = ~silicon & world.frozen
    keep = np.flatnonzero(silicon | still)
    number = {int(atom): k for k, atom in enumerate(keep)}
    fixed = world.frozen[world.bonds].all(axis=1) | still[world.bonds].any(axis=1)
    bonds = [(number[i], number[j]) for i, j in world.bonds[fixed].tolist()]
    bonds += [(number[i], number[j]) for i, j, kind in links if kind == DIRECT]
    positions, species, frozen = world.positions[keep], world.species[keep].tolist(), world.frozen[keep].tolist()
    middles = []
    for i, j, kind in sorted(links):
        if kind == BRIDGED:
            bonds += [(number[i], len(species)), (number[j], len(species))]
            middles.append(world.positions[i] + 0.5 * world.vectors(np.array([i]), np.array([j]))[0])
            species.append("O")
            frozen.append(False)
    positions = np.vstack([positions, *middles])
    return make_network(positions, species, sorted({tuple(sorted(b)) for b in bonds}), world.cell, frozen=frozen)


def exact_energies(states: list[Links], world: Network, parameters) -> np.ndarray:
    """The relaxed energy of each state in eV, the lowest of several starts."""
    energies = []
    for state in states:
        network = network_of(state, world)
        energies.append(relaxed_energy(network, key_of(network.bonds), parameters))
    return np.array(energies)


def populations(energies: np.ndarray, n_oxygen: np.ndarray, kT: float, mu: float = 0.0) -> np.ndarray:
    """Exact probabilities of states: exp(-(E - mu N)/kT), normalised."""
    exponent = -(energies - mu * n_oxygen) / kT
    weights = np.exp(exponent - exponent.max())
    return weights / weights.sum()


def sample(engine: Engine, states: list[Links], batches: int, samples: int, every: int, **move):
    """Return (shares of the states in each batch, energies of the chain) of samples taken every so many moves.

    `move` goes to Engine.run; a batch that is not counted comes first.
    """
    number = {state: k for k, state in enumerate(states)}
    shares = np.zeros((batches, len(states)))
    energies = np.zeros((batches, samples, 2))
    engine.run(samples * every, **move)
    for batch in range(batches):
        for k in range(samples):
            engine.run(every, **move)
            state = number[links_of(engine)]  # a state that the rules do not reach is a KeyError
            shares[batch, state] += 1 / samples
            energies[batch, k] = state, engine.energy
    return shares, energies


def hotelling(samples: np.ndarray, expected: np.ndarray) -> float:
    """Return the p-value of the means of `samples` (batches, k) against `expected` (k,): Hotelling's T^2 test.

    Batches longer than the correlations make it a test of a distribution whose samples are correlated.
    """
    from scipy.stats import f

    n, k = samples.shape
    difference = samples.mean(axis=0) - expected
    t2 = n * difference @ np.linalg.solve(np.atleast_2d(np.cov(samples.T)), difference)
    return float(f.sf((n - k) / (k * (n - 1)) * t2, k, n - k))


def distribution_p(shares: np.ndarray, exact: np.ndarray, share: float = 0.04) -> float:
    """Return the p-value of sampled shares (batches, states) against the exact populations.

    States are put into groups of at least `share`, the most likely first; the last group follows from the others.
    """
    parts, current = [], []
    for state in np.argsort(-exact, kind="stable").tolist():
        current.append(state)
        if exact[current].sum() >= share:
            parts.append(current)
            current = []
    kept = parts if exact[current].sum() > 0.25 * share else parts[:-1]
    grouped = np.stack([shares[:, part].sum(axis=1) for part in kept], axis=1)
    return hotelling(grouped, np.array([exact[part].sum() for part in kept]))


@dataclass(frozen=True)
class Verdict:
    """A chain against exact sums. distribution_p, oxygen_p: p-values of the populations of all states and of the
    number of O (1 where it cannot change). z: deviation of the mean energy over its standard error error_eV. mean_eV,
    spread_eV: exact mean over the lowest energy, and standard deviation. misfit_eV: mean absolute deviation of the
    chain's energy from that of the state it is in."""

    distribution_p: float
    oxygen_p: float
    z: float
    error_eV: float
    mean_eV: float
    spread_eV: float
    misfit_eV: float


def hold_against(
    engine: Engine,
    states: list[Links],
    energies: np.ndarray,
    kT: float,
    hop: float = 0.0,
    exchange: float = 0.0,
    mu: float = 0.0,
    batches: int = 60,
    samples: int = 100,
    every: int = 10,
    catalogue: bool = False,
) -> Verdict:
    """Sample a chain and compare it with the exact populations of its states."""
    n_oxygen = np.array([count_oxygen(state) for state in states])
    exact = populations(energies, n_oxygen, kT, mu)
    move = {"kT_eV": kT, "hop_fraction": hop, "exchange_fraction": exchange, "chemical_potential_eV": mu}
    move["catalogue"] = catalogue
    shares, chain = sample(engine, states, batches, samples, every, **move)
    oxygen_p = 1.0
    if exchange:
        numbers = np.arange(n_oxygen.max())  # the share of the largest number follows from the others
        by_number = np.stack([shares[:, n_oxygen == n].sum(axis=1) for n in numbers], axis=1)
        oxygen_p = hotelling(by_number, np.array([exact[n_oxygen == n].sum() for n in numbers]))
    means = shares @ energies
    error = float(means.std(ddof=1) / np.sqrt(batches))
    mean = float(exact @ energies)
    return Verdict(
        distribution_p(shares, exact),
        oxygen_p,
        float(means.mean() - mean) / error,
        error,
        mean - float(energies.min()),
        float(np.sqrt(exact @ (energies - mean) ** 2)),
        float(np.abs(chain[..., 1] - energies[chain[..., 0].astype(int)]).mean()),
    )


@cache
def rough(spread=0.1, repulsion="cubic"):
    """A disordered periodic SiOx network that is far from rest, so that every term acts."""
    parameters = load_parameters("von_alfthan_2003", repulsion)
    engine = Engine(random_bond_oxide(64, 1.0, parameters, 2), parameters, 2)
    engine.relax(0.1, 100)
    engine.run(300, 3.0, 0.3)
    network = engine.to_network()
    positions = network.positions + spread * np.random.default_rng(2).standard_normal(network.positions.shape)
    return make_network(positions, network.species, network.bonds, network.cell)
