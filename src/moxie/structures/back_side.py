"""The free back of a slab, whose oxide closes its dangling bonds and is no part of the film.

Without frozen atoms nothing but its oxygen tells the back from the front. A slab therefore carries the numbers of the
back's O as the fact `back_oxygens`; atoms keep their numbers while a film grows. The back itself is that oxygen and the
silicon up to one lattice constant (four planes of (100)) above it: as much as is usually frozen.
"""

from dataclasses import replace

import numpy as np

from moxie.errors import InputError
from moxie.structures.network import Network, make_network

FACT = "back_oxygens"
NARROWEST_CRYSTAL_A = 8.0  # without O, between the back's oxide and the front's


def back_oxygens(network: Network) -> np.ndarray:
    """Return the numbers of the O that close a free back, int, ascending; none for a slab with a frozen back.

    Raises InputError when the fact `back_oxygens` names anything but O.
    """
    atoms = np.array(network.info.get(FACT, []), dtype=np.int64)
    n = len(network.positions)
    if len(atoms) and (atoms.min() < 0 or atoms.max() >= n or (network.species[atoms] != "O").any()):
        raise InputError(f"The fact `{FACT}` of a network of {n} atoms names atoms that are not its O.")
    return np.sort(atoms)


def front_oxygen(network: Network) -> int:
    """Return the number of O of a slab that are not its free back's."""
    return int((network.species == "O").sum()) - len(back_oxygens(network))


def find_back_oxygens(network: Network, label: str) -> np.ndarray:
    """Return the numbers of the O below the crystal of a slab without frozen atoms, ascending.

    The crystal is where, going up, no O comes for longest. Raises InputError when that is less than 8 A.
    """
    oxygens = np.flatnonzero(network.species == "O")
    order = oxygens[np.argsort(network.positions[oxygens, 2], kind="stable")]
    steps = np.diff(network.positions[order, 2])
    widest = float(steps.max(initial=0.0))
    if widest < NARROWEST_CRYSTAL_A:
        raise InputError(
            f"{label}: no crystal between an oxide at the front and one at the back: {NARROWEST_CRYSTAL_A:g} A of "
            f"height without O are needed, the longest such stretch is {widest:.1f} A. A slab with a free back needs "
            "O that closes the dangling bonds of both sides."
        )
    return np.sort(order[: int(np.argmax(steps)) + 1])


def back_atoms(network: Network) -> np.ndarray:
    """Return which atoms belong to a free back, (n,) bool."""
    oxygens = back_oxygens(network)
    back = np.zeros(len(network.positions), bool)
    if len(oxygens):
        touched = np.isin(network.bonds, oxygens).any(axis=1)
        edge = network.bonds[touched].ravel()
        lowest = edge[network.species[edge] == "Si"]
        top = float(np.median(network.positions[lowest, 2])) + float(network.info["lattice_constant_A"]) * 0.9
        back[(network.species == "Si") & (network.positions[:, 2] < top)] = True
        back[edge] = True
    return back


def hold_back(network: Network) -> Network:
    """Return the network with a free back frozen where it is, or as it is."""
    back = back_atoms(network)
    return replace(network, frozen=network.frozen | back) if back.any() else network


def front_atoms(network: Network) -> np.ndarray:
    """Return the numbers, ascending, of the atoms that `front_side` keeps."""
    return np.setdiff1d(np.arange(len(network.positions)), back_oxygens(network))


def front_side(network: Network) -> Network:
    """Return the slab as if its back were a frozen one: without the back's O, its Si frozen, without energy or virial.

    A slab with a frozen back is returned as it is.
    """
    if not len(back_oxygens(network)):
        return network
    held = hold_back(network)
    keep = front_atoms(network)
    number = np.full(len(network.positions), -1)
    number[keep] = np.arange(len(keep))
    bonds = number[network.bonds]
    free = ~held.frozen[keep]
    return make_network(
        network.positions[keep],
        network.species[keep],
        bonds[(bonds >= 0).all(axis=1)],
        network.cell,
        network.periodic,
        held.frozen[keep],
        {key: value for key, value in network.info.items() if key != FACT},
        label="front side of a film",
        arrays={key: np.where(free, values[keep], 0.0) for key, values in network.arrays.items()},
    )
