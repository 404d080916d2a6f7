"""Simulated Si 2p photoemission of a film: state-resolved intensities and the broadened spectrum.

A Si with n O neighbours emits at the core-level shift of Si(n+) above elemental silicon: 0.95, 1.75, 2.48, 3.90 eV
(Himpsel et al., Phys. Rev. B 38, 6084 (1988); quoted from memory, unchecked), one 2p3/2 line for each state. Its
signal is weakened by exp(-d / escape depth), d its depth below the surface; 7 A for every medium, a choice for
synchrotron radiation of about 130 eV. Each line is broadened by a normal distribution of 0.4 eV (Si0) to 1.2 eV (Si4+)
full width at half maximum, a choice. Binding energies in SiOx are truly a continuous distribution several eV wide
(arXiv 2606.18769), so the populations, not the shape of the sum, are the result.
"""

import math

import numpy as np

from moxie.structures.network import Network

CORE_LEVEL_SHIFTS_EV = (0.0, 0.95, 1.75, 2.48, 3.90)
FULL_WIDTHS_EV = (0.4, 0.6, 0.8, 1.0, 1.2)
ESCAPE_DEPTH_A = 7.0
_FULL_WIDTH_IN_SD = 2.0 * math.sqrt(2.0 * math.log(2.0))


def intensities(network: Network, surface_A: float, escape_depth_A: float = ESCAPE_DEPTH_A) -> np.ndarray:
    """Return the shares (5,) of Si0 to Si4+ in the Si 2p signal of a film whose surface is at height surface_A.

    The slab's lower end counts as the end of the crystal: with 7 A and 20 A of silicon left, 6 % of Si0 is missing.
    """
    silicon = network.species == "Si"
    depth = np.maximum(surface_A - network.positions[silicon, 2], 0.0)
    signal = np.bincount(
        network.oxidation_states()[silicon], weights=np.exp(-depth / escape_depth_A), minlength=len(FULL_WIDTHS_EV)
    )
    return np.asarray(signal / signal.sum())


def lines(shares: np.ndarray, energies_eV: np.ndarray) -> np.ndarray:
    """Return the broadened line of each state, shape (5, k), in 1/eV; their sum is the spectrum, of unit area.

    shares: (5,) from `intensities`. energies_eV: (k,) binding energies relative to Si0.
    """
    centre = np.array(CORE_LEVEL_SHIFTS_EV)[:, None]
    sd = np.array(FULL_WIDTHS_EV)[:, None] / _FULL_WIDTH_IN_SD
    shape = np.exp(-0.5 * ((energies_eV - centre) / sd) ** 2) / (sd * math.sqrt(2 * math.pi))
    return np.asarray(shares)[:, None] * shape
