"""What the report's three-dimensional view of a film shows, as JSON small enough to stand in the page."""

import json
from pathlib import Path
from typing import Any

import numpy as np

from moxie.figures.parts import OXYGEN_COLOUR, STATE_COLOURS
from moxie.structures.films import film_key
from moxie.structures.network import Network, read_network

NAMES = ("Si⁰", "Si¹⁺", "Si²⁺", "Si³⁺", "Si⁴⁺", "O")
_OXYGEN = 5


def film_view(path: str | Path) -> dict[str, str]:
    """Return {title, data} of the view of a film.xyz.

    Raises InputError as `moxie.structures.network.read_network` does.
    """
    film = read_network(path)
    key = film_key(film)
    return {
        "title": f"Oxide on Si({key['orientation']}) at {key['temperature_K']:g} K",
        "data": json.dumps(view_data(film), separators=(",", ":")),
    }


def view_data(network: Network) -> dict[str, Any]:
    """Return positions in hundredths of an angstrom, folded into the cell (flat: x, y, z of each atom); the kind of
    each atom as a digit (oxidation state of Si, 5 for O); bonds within the cell (flat pairs); the kinds' names and
    colours."""
    positions = network.positions.copy()
    positions[:, network.periodic] %= network.cell[network.periodic]
    kinds = np.where(network.species == "O", _OXYGEN, network.oxidation_states())
    straight = positions[network.bonds[:, 1]] - positions[network.bonds[:, 0]]
    inside = (np.abs(straight) <= 0.5 * network.cell).all(axis=1)
    return {
        "xyz": np.round(100 * positions).astype(int).ravel().tolist(),
        "kinds": "".join(map(str, kinds.tolist())),
        "bonds": network.bonds[inside].ravel().tolist(),
        "names": NAMES,
        "colours": [*STATE_COLOURS, OXYGEN_COLOUR],
    }
