"""The Si/SiO2 interface of a film: height, widths, roughness, correlation length, bridges and energy.

Definitions (z points into the oxide; the oxidation state of a Si is its number of O neighbours):

* Interface and error-function width: least-squares fit of the states of all mobile Si to 4 Phi((z - z0)/s), Phi the
  normal distribution function. z0 is where the composition crosses half, s the width of the error function's step,
  2.563 s the depth from 10 to 90 %.
* Width without a model: the same 10 to 90 % of the isotonic regression of the states on z, the best fit that never
  falls.
* Height map: Gibbs' dividing surface h(x, y), the height of the crystal that holds the unoxidised silicon (each Si with
  n O neighbours counts 1 - n/4) around (x, y), weighted by a normal distribution of 1.92 A in the plane. Roughness:
  root mean square of h about its mean. Correlation length: where the autocorrelation of h, averaged over directions,
  first falls to 1/e. The smoothing alone gives 3.84 A, the distance of surface atoms: near it h is uncorrelated.
* Bridge fraction: of the O within 5 A of the interface bonded to at least one Si with two or more Si neighbours, the
  share bonded to two such Si: Si-O-Si bridges that lie in the interface. Rows of bridges on every other pair of
  Si(001) atoms (Tu and Tersoff, PRL 84, 4393 (2000)) give 1/3.
* Interface energy: energy of all atoms up to the oxide's upper edge beyond that of as much crystal and oxide, per area.
  Oxide has the energy per O of the film's own interior, crystal that per Si of the film's own substrate: the lowest
  quarter of the Si that are, with all neighbours, crystal of four bonds. A strained crystal so is its own zero.
"""

import math

import numpy as np

from moxie.errors import InputError
from moxie.structures.network import Network

WIDTH_10_90 = 2.5631031310892007  # 2 Phi^-1(0.9)
SMOOTHING_A = 1.92
BRIDGE_ZONE_A = 5.0
EV_PER_A2_IN_J_M2 = 16.02176634
_FLAT_A = 0.05  # below it there is no correlation length: the lattice of surface atoms alone gives 0.01


def find_interface(network: Network) -> tuple[float, float]:
    """Return (height z0 of the interface, width s of the error function), both in A; s is nan where the fit ends at one
    of its bounds, 0.05 and 20 A, and tells no width.

    Raises InputError for a film without partly oxidised Si.
    """
    from scipy.optimize import least_squares
    from scipy.special import ndtr

    z, states = _mobile_states(network)
    partial = (states > 0) & (states < 4)
    if not partial.any():
        raise InputError("The film has no partly oxidised Si, hence no Si/SiO2 interface.")
    first, narrowest, widest = [float(np.median(z[partial])), 2.0], 0.05, 20.0
    fit = least_squares(
        lambda p: 4.0 * ndtr((z - p[0]) / p[1]) - states, first, bounds=([-np.inf, narrowest], [np.inf, widest])
    )
    width = float(fit.x[1])
    return float(fit.x[0]), width if narrowest * 1.01 < width < widest * 0.99 else math.nan


def isotonic_width(network: Network) -> float:
    """Return the depth in A from 10 to 90 % of full oxidation without a model; nan where 90 % is not reached."""
    from scipy.optimize import isotonic_regression

    z, states = _mobile_states(network)
    order = np.argsort(z, kind="stable")
    z, rising = z[order], isotonic_regression(states[order].astype(float)).x
    if rising[-1] < 3.6 or rising[0] > 0.4:
        return math.nan
    low, high = (z[np.searchsorted(rising, level)] for level in (0.4, 3.6))
    return float(high - low)


def height_map(network: Network) -> tuple[np.ndarray, np.ndarray]:
    """Return the wave vectors (m, 2) in 1/A, zero left out, and the Fourier amplitudes (m,) in A of the interface's
    height h(r) = sum_k h_k exp(i k r)."""
    silicon = network.species == "Si"
    share = 1.0 - network.oxidation_states()[silicon] / 4.0
    edges = network.cell[:2]
    n = np.ceil(edges * 4.0 / (2 * math.pi * SMOOTHING_A)).astype(int)
    grid = np.stack(np.meshgrid(*(np.arange(-m, m + 1) for m in n), indexing="ij"), axis=-1).reshape(-1, 2)
    vectors = 2 * math.pi * grid[(grid != 0).any(axis=1)] / edges
    phases = np.exp(-1j * network.positions[silicon, :2] @ vectors.T)
    smoothing = np.exp(-0.5 * SMOOTHING_A**2 * (vectors**2).sum(axis=1))
    return vectors, smoothing * (share @ phases) / (network.area_A2 * _crystal_density(network))


def roughness(network: Network) -> tuple[float, float]:
    """Return (root mean square roughness, correlation length) of the interface in A.

    The correlation length is nan for a flat interface and where it exceeds half the shorter edge of the cell.
    """
    from scipy.special import j0

    vectors, amplitudes = height_map(network)
    power = np.abs(amplitudes) ** 2
    rough = math.sqrt(power.sum())
    if rough < _FLAT_A:
        return rough, math.nan
    distance = np.arange(0.0, 0.5 * network.cell[:2].min(), 0.05)
    correlation = j0(np.outer(distance, np.linalg.norm(vectors, axis=1))) @ power / power.sum()
    below = np.flatnonzero(correlation < math.exp(-1))
    return rough, float(distance[below[0]]) if len(below) else math.nan


def bridge_fraction(network: Network, interface_A: float) -> float:
    """Return the share of bridges among the O at the interface; nan where there is no such O."""
    silicon = network.species == "Si"
    substrate = silicon & (network.oxidation_states() <= 2)
    touching = np.zeros(len(silicon), int)
    np.add.at(touching, network.bonds[:, 0], substrate[network.bonds[:, 1]])
    np.add.at(touching, network.bonds[:, 1], substrate[network.bonds[:, 0]])
    near = ~silicon & (np.abs(network.positions[:, 2] - interface_A) < BRIDGE_ZONE_A) & (touching > 0)
    return float((touching[near] == 2).mean()) if near.any() else math.nan


def interface_energy(network: Network, interior_A: tuple[float, float]) -> float:
    """Return the interface energy in J/m2; interior_A: lower and upper edge of the oxide's interior, nan for none.

    Needs each atom's share of the energy in the array energy_eV; nan, too, where no crystal is left.
    """
    low, high = interior_A
    z, energy = network.positions[:, 2], network.arrays["energy_eV"]
    oxygen = network.species == "O"
    inside = (z > low) & (z < high)
    crystal = _deep_crystal(network)
    if not (inside & oxygen).any() or not len(crystal):
        return math.nan
    below = z < high
    per_oxygen = energy[inside].sum() / (inside & oxygen).sum()
    n_oxygen = (below & oxygen).sum()
    n_crystal = (network.coordination() - network.oxidation_states())[below & ~oxygen].sum() / 4.0  # by bonds
    excess = energy[below].sum() - per_oxygen * n_oxygen - energy[crystal].mean() * n_crystal
    return float(excess / network.area_A2 * EV_PER_A2_IN_J_M2)


def _deep_crystal(network: Network) -> np.ndarray:
    """Return the lowest quarter of the Si that have four Si neighbours, as have these."""
    whole = (network.species == "Si") & (network.coordination() == 4) & (network.oxidation_states() == 0)
    beside = np.zeros(len(whole), int)
    for i, j in (network.bonds.T, network.bonds.T[::-1]):
        np.add.at(beside, i, whole[j])
    deep = np.flatnonzero(whole & (beside == 4))
    return deep[np.argsort(network.positions[deep, 2], kind="stable")][: math.ceil(len(deep) / 4)]


def _mobile_states(network: Network) -> tuple[np.ndarray, np.ndarray]:
    mobile = (network.species == "Si") & ~network.frozen
    return network.positions[mobile, 2], network.oxidation_states()[mobile]


def _crystal_density(network: Network) -> float:
    """Return the number of Si per cubic angstrom of the crystal under the film."""
    from moxie.structures.silicon import SI_LATTICE_CONSTANT_A

    edge = float(network.info.get("lattice_constant_A", SI_LATTICE_CONSTANT_A))
    return 8.0 / edge**3
