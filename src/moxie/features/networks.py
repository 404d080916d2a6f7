"""Observables of bulk networks (a-Si, a-SiO2, SiOx): angles, rings, contacts, density, g(r) and S(q).

* Bond-angle deviation: root mean square deviation of all angles at Si from *their own mean*; the deviation from the
  tetrahedral angle is given beside it, and is the larger of the two.
* Rings: shortest-path rings of the Si network, an O bridge counting as a link: closed paths in which no two members
  have a shorter connection than along the ring (Franzblau, PRB 44, 4925 (1991)); each ring counts once. A two-ring is
  a pair of Si with two links.
* S(q): Faber and Ziman's total structure factor, 1 + (I/N - <f^2>)/<f>^2, with I(q) summed directly over the wave
  vectors that the periodic cell allows, so that no window broadens it. X-ray: q-dependent form factors; neutron:
  coherent scattering lengths (both as tabulated in pymatgen).
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import njit

from moxie.constants import AMU_PER_A3_IN_G_CM3
from moxie.errors import InputError
from moxie.features.rdf import PairCounts, count_pairs
from moxie.structures.network import MASS_AMU, Network

TETRAHEDRAL_DEG = math.degrees(math.acos(-1 / 3))
RADIATIONS = ("x-ray", "neutron")
LARGEST_RING = 12
Q_BIN_PER_A = 0.05
FIRST_PEAK_RANGE_PER_A = (1.0, 2.3)  # where a first sharp diffraction peak is looked for
_Q_SMEARING_PER_A = 0.06
_MOST_PATHS = 512


def density_g_cm3(network: Network) -> float:
    """Return the mass density of a network that fills its cell."""
    mass = sum(MASS_AMU[element] for element in network.species.tolist())
    return mass * AMU_PER_A3_IN_G_CM3 / float(np.prod(network.cell))


def bond_angles(network: Network) -> dict[str, np.ndarray]:
    """Return all bond angles in degrees by kind: Si-Si-Si, Si-Si-O, O-Si-O, Si-O-Si; the centre is in the middle."""
    near = network.neighbours()
    corners = np.array(
        [(c, a, b) for c, ends in enumerate(near) for k, a in enumerate(ends) for b in ends[k + 1 :]]
    ).reshape(-1, 3)
    u, v = (network.vectors(corners[:, 0], corners[:, k]) for k in (1, 2))
    cosine = (u * v).sum(axis=1) / (np.linalg.norm(u, axis=1) * np.linalg.norm(v, axis=1))
    angles = np.degrees(np.arccos(np.clip(cosine, -1.0, 1.0)))
    oxygen = network.species == "O"
    ends = oxygen[corners[:, 1]].astype(int) + oxygen[corners[:, 2]]
    at_oxygen = oxygen[corners[:, 0]]
    kinds = {name: angles[~at_oxygen & (ends == k)] for k, name in enumerate(("Si-Si-Si", "Si-Si-O", "O-Si-O"))}
    return {**kinds, "Si-O-Si": angles[at_oxygen]}


def bond_angle_deviation(network: Network) -> tuple[float, float]:
    """Return the rms deviation in degrees of all angles at Si (from their mean, from the tetrahedral angle)."""
    angles = np.concatenate([values for kind, values in bond_angles(network).items() if kind != "Si-O-Si"])
    return float(angles.std()), float(np.sqrt(((angles - TETRAHEDRAL_DEG) ** 2).mean()))


def silicon_links(network: Network) -> np.ndarray:
    """Return the links (m, 2) between Si, directly or over one O; a pair with two links appears twice."""
    oxygen = network.species == "O"
    direct = network.bonds[~oxygen[network.bonds].any(axis=1)]
    near = network.neighbours()
    bridges = [near[atom] for atom in np.flatnonzero(oxygen).tolist() if len(near[atom]) == 2]
    return np.concatenate([direct, np.array(bridges, np.int64).reshape(-1, 2)])


def ring_membership(network: Network, largest: int = LARGEST_RING) -> np.ndarray:
    """Return in how many shortest-path rings of each size every atom is, (n, largest + 1); see the docstring above."""
    links = np.sort(silicon_links(network), axis=1)
    unique, times = np.unique(links, axis=0, return_counts=True)
    n = len(network.positions)
    neighbours = np.full((n, 4), -1, np.int64)
    degree = np.zeros(n, np.int64)
    for i, j in unique.tolist():
        neighbours[i, degree[i]], neighbours[j, degree[j]] = j, i
        degree[i] += 1
        degree[j] += 1
    members = np.zeros((n, largest + 1), np.int64)
    if _find_rings(neighbours, degree, largest, members):
        raise InputError("The network has too many shortest paths between two of its atoms for a count of rings.")
    for k in (0, 1):
        np.add.at(members[:, 2], unique[:, k], times * (times - 1) // 2)
    return members


def ring_counts(network: Network, largest: int = LARGEST_RING) -> np.ndarray:
    """Return the number of shortest-path rings by size, shape (largest + 1,); see the module's docstring."""
    return ring_membership(network, largest).sum(axis=0) // np.maximum(np.arange(largest + 1), 1)


def crystalline_fraction(network: Network) -> float:
    """Return the share of Si whose rings are those of diamond: twelve six-rings, none of five or seven.

    A randomised crystal that was not scrambled enough remembers where it came from and grows back: look at this before
    a small bond-angle deviation is taken for a good amorphous network.
    """
    rings = ring_membership(network, 7)[network.species == "Si"]
    return float(((rings[:, 6] == 12) & (rings[:, :6].sum(axis=1) + rings[:, 7] == 0)).mean())


def closest_contacts(network: Network, reach_A: float = 4.0) -> dict[str, float]:
    """Return the shortest distance in A of pairs that are neither bonded nor bonded to a common neighbour, by kind
    (Si-Si, Si-O, O-O); infinite where there is none within `reach_A`."""
    near = network.neighbours()
    shell = [set(ends).union(*(near[end] for end in ends)) for ends in near]
    result = {"Si-Si": math.inf, "Si-O": math.inf, "O-O": math.inf}
    close = network.tree().query_pairs(reach_A, output_type="ndarray")
    pairs = close[[j not in shell[i] for i, j in close.tolist()]]
    distance = np.linalg.norm(network.vectors(pairs[:, 0], pairs[:, 1]), axis=1)
    oxygens = (network.species[pairs] == "O").sum(axis=1)
    for k, kind in enumerate(result):
        result[kind] = float(distance[oxygens == k].min(initial=math.inf))
    return result


def pair_counts(network: Network, first: str, second: str, r_max_A: float | None = None) -> PairCounts:
    """Return the pair counts of two elements (their `g()` is the partial g(r)) up to half the shortest edge or r_max_A.

    Raises InputError for an element that the network lacks and for a cell that is not periodic.
    """
    if not network.periodic.all():
        raise InputError("g(r) needs a network that is periodic in all three directions.")
    kinds = [np.flatnonzero(network.species == element) for element in (first, second)]
    for element, atoms in zip((first, second), kinds, strict=True):
        if not len(atoms):
            raise InputError(f"The network has no {element}; g(r) of {first} and {second} needs both.")
    reach = 0.499 * float(network.cell.min()) if r_max_A is None else r_max_A
    box = np.concatenate([network.cell, [90.0] * 3])
    return count_pairs([(network.positions, box)], kinds[0], kinds[1], reach)


@dataclass(frozen=True)
class StructureFactor:
    """S(q) in bins of 0.05 1/A: mean |q| of each bin (1/A), S, and the number of wave vectors in it (q and -q once).

    Bins without a wave vector are left out."""

    q_per_A: np.ndarray
    s: np.ndarray
    n_vectors: np.ndarray
    radiation: str


def structure_factor(network: Network, radiation: str = "x-ray", q_max_per_A: float = 6.0) -> StructureFactor:
    """Return S(q) up to q_max; see the module's docstring. Needs some q_max^3 V N / 500 complex products.

    Raises InputError for an unknown radiation or a cell that is not periodic.
    """
    if radiation not in RADIATIONS:
        raise InputError(f"Unknown radiation {radiation!r}; allowed: {', '.join(RADIATIONS)}.")
    if not network.periodic.all():
        raise InputError("S(q) needs a network that is periodic in all three directions.")
    step = 2 * math.pi / network.cell
    most = np.floor(q_max_per_A / step).astype(int)
    waves = [
        np.exp(1j * step[k] * np.outer(np.arange(-most[k], most[k] + 1), network.positions[:, k])) for k in range(3)
    ]
    kinds = [element for element in MASS_AMU if (network.species == element).any()]
    q_y, q_z = np.arange(-most[1], most[1] + 1) * step[1], np.arange(-most[2], most[2] + 1) * step[2]
    found_q, found_s = [], []
    share = np.array([(network.species == element).mean() for element in kinds])
    for h in range(most[0] + 1):
        q = np.sqrt((h * step[0]) ** 2 + q_y[:, None] ** 2 + q_z[None, :] ** 2)
        wanted = (q <= q_max_per_A) & (q > 0)
        if h == 0:  # of q and -q one
            wanted &= (q_y[:, None] > 0) | ((q_y[:, None] == 0) & (q_z[None, :] > 0))
        f = scattering_factors(kinds, radiation, q[wanted])
        amplitude = np.zeros(len(f[0]), complex)
        for element, factor in zip(kinds, f, strict=True):
            atoms = network.species == element
            amplitude += factor * ((waves[1][:, atoms] * waves[0][most[0] + h, atoms]) @ waves[2][:, atoms].T)[wanted]
        intensity = np.abs(amplitude) ** 2 / len(network.positions)
        found_q.append(q[wanted])
        found_s.append(1 + (intensity - share @ f**2) / (share @ f) ** 2)
    q, s = np.concatenate(found_q), np.concatenate(found_s)
    bins = (q / Q_BIN_PER_A).astype(int)
    counts = np.bincount(bins)
    filled = counts > 0
    mean_q, mean_s = (np.bincount(bins, weights)[filled] / counts[filled] for weights in (q, s))
    return StructureFactor(mean_q, mean_s, counts[filled], radiation)


def first_sharp_peak(factor: StructureFactor) -> float:
    """Return the position in 1/A of the highest point of S(q) in 1.0-2.3 1/A, smeared by a normal distribution of
    0.06 1/A (some wave vectors of a finite cell are few); nan where it lies at the range's edge."""
    low, high = FIRST_PEAK_RANGE_PER_A
    grid = np.arange(low, high, 0.005)
    weight = factor.n_vectors * np.exp(-0.5 * ((grid[:, None] - factor.q_per_A) / _Q_SMEARING_PER_A) ** 2)
    total = weight.sum(axis=1)
    if (total <= 0).any():
        return math.nan
    top = int(np.argmax(weight @ factor.s / total))
    return float(grid[top]) if 0 < top < len(grid) - 1 else math.nan


def network_quality(network: Network, rings: bool = True) -> dict[str, Any]:
    """Return the numbers by which an amorphous network is judged.

    density_g_cm3; bond_angle_deviation_deg (and _from_tetrahedral_deg); mean and sd of each kind of angle; shortest
    non-bonded distances; with `rings`, ring counts per Si by size, the share of three-rings and the crystalline
    fraction; energy_eV_per_atom where the network carries its atoms' energies.
    """
    angles = bond_angles(network)
    about_mean, about_tetrahedral = bond_angle_deviation(network)
    n_silicon = int((network.species == "Si").sum())
    result: dict[str, Any] = {
        "density_g_cm3": density_g_cm3(network),
        "bond_angle_deviation_deg": about_mean,
        "bond_angle_deviation_from_tetrahedral_deg": about_tetrahedral,
    }
    if "energy_eV" in network.arrays:
        result["energy_eV_per_atom"] = float(network.arrays["energy_eV"].mean())
    for kind, values in angles.items():
        if len(values):
            result[f"{kind}_mean_deg"] = float(values.mean())
            result[f"{kind}_sd_deg"] = float(values.std())
    result |= {f"closest_{kind}_A": distance for kind, distance in closest_contacts(network).items()}
    if rings:
        counts = ring_counts(network)
        result |= {f"rings_{size}_per_Si": float(counts[size] / n_silicon) for size in range(2, len(counts))}
        result["three_ring_fraction"] = float(counts[3] / max(counts.sum(), 1))
        result["crystalline_fraction"] = crystalline_fraction(network)
    return result


def scattering_factors(kinds: list[str], radiation: str, q_per_A: np.ndarray) -> np.ndarray:
    """Return the scattering factors (kinds, n): electrons for X-rays, fm for neutrons."""
    if radiation == "neutron":
        from pymatgen.analysis.diffraction.neutron import ATOMIC_SCATTERING_LEN

        return np.array([[float(ATOMIC_SCATTERING_LEN[element])] for element in kinds]) * np.ones(len(q_per_A))
    from ase.data import atomic_numbers
    from pymatgen.analysis.diffraction.xrd import ATOMIC_SCATTERING_PARAMS

    s2 = (q_per_A / (4 * math.pi)) ** 2
    factors = []
    for element in kinds:
        a, b = np.array(ATOMIC_SCATTERING_PARAMS[element]).T
        # pymatgen's form: f = Z - 41.78214 s^2 sum a exp(-b s^2)
        factors.append(atomic_numbers[element] - 41.78214 * s2 * (a @ np.exp(-np.outer(b, s2))))
    return np.array(factors)


@njit(cache=True)
def _distances(neighbours, degree, start, reach, distance, queue):
    """Write the distances from `start` up to `reach` into `distance` (elsewhere -1); return how many atoms have one.

    `queue` lists them; the caller clears them."""
    distance[start] = 0
    queue[0] = start
    head, tail = 0, 1
    while head < tail:
        atom = queue[head]
        head += 1
        if distance[atom] == reach:
            continue
        for p in range(degree[atom]):
            other = neighbours[atom, p]
            if distance[other] < 0:
                distance[other] = distance[atom] + 1
                queue[tail] = other
                tail += 1
    return tail


@njit(cache=True)
def _paths(neighbours, degree, distance, atom, root, paths):
    """List the shortest paths from `atom` to `root` over atoms after root: paths[k, d] is the atom at distance d.

    Returns their number, -1 when there are too many."""
    length = distance[atom]
    count = 0
    current = np.empty(length + 1, np.int64)
    slot = np.zeros(length + 1, np.int64)
    current[length] = atom
    depth = length
    while depth <= length:
        if depth == 0:
            if count == len(paths):
                return -1
            for d in range(length + 1):
                paths[count, d] = current[d]
            count += 1
            depth += 1
            continue
        here = current[depth]
        found = False
        while slot[depth] < degree[here]:
            other = neighbours[here, slot[depth]]
            slot[depth] += 1
            if distance[other] == depth - 1 and (other > root or depth == 1):
                current[depth - 1] = other
                depth -= 1
                slot[depth] = 0
                found = True
                break
        if not found:
            depth += 1
    return count


@njit(cache=True)
def _is_shortest(neighbours, degree, ring, size, distance, queue):
    """Return whether all members of a ring that face each other are as far apart as the ring makes them."""
    half = size // 2
    for k in range(size if size % 2 else half):
        reached = _distances(neighbours, degree, ring[k], half - 1, distance, queue)
        short = distance[ring[(k + half) % size]] >= 0
        for q in range(reached):
            distance[queue[q]] = -1
        if short:
            return False
    return True


@njit(cache=True)
def _find_rings(neighbours, degree, largest, members):
    """Count for each atom its shortest-path rings of 3 to `largest` members; True when there are too many paths."""
    n = len(neighbours)
    distance = np.full(n, -1, np.int64)
    other_distance = np.full(n, -1, np.int64)
    queue = np.empty(n, np.int64)
    other_queue = np.empty(n, np.int64)
    first = np.empty((_MOST_PATHS, largest), np.int64)
    second = np.empty((_MOST_PATHS, largest), np.int64)
    ring = np.empty(largest, np.int64)
    for root in range(n):
        reached = _distances(neighbours, degree, root, largest // 2, distance, queue)
        for q in range(1, reached):
            v = queue[q]
            if v < root:
                continue
            m = distance[v]
            n_first = _paths(neighbours, degree, distance, v, root, first)
            if n_first < 0:
                return True
            # even rings: two paths to the same atom; odd rings: paths to two neighbours at the same distance
            for p in range(-1, degree[v]):
                w = v if p < 0 else neighbours[v, p]
                size = 2 * m if p < 0 else 2 * m + 1
                if size > largest or size < 3 or distance[w] != m or (p >= 0 and w < v):
                    continue
                n_second = n_first if p < 0 else _paths(neighbours, degree, distance, w, root, second)
                if n_second < 0:
                    return True
                for a in range(n_first):
                    for b in range(a + 1 if p < 0 else 0, n_second):
                        branch = first if p < 0 else second
                        apart = True
                        for d in range(1, m if p < 0 else m + 1):
                            if first[a, d] == branch[b, d]:
                                apart = False
                                break
                        if not apart:
                            continue
                        for d in range(m + 1):
                            ring[d] = first[a, d]
                        for d in range(1, size - m):
                            ring[size - d] = branch[b, d]
                        if _is_shortest(neighbours, degree, ring, size, other_distance, other_queue):
                            for k in range(size):
                                members[ring[k], size] += 1
        for q in range(reached):
            distance[queue[q]] = -1
    return False
