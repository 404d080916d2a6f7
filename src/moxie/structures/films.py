"""Which film of a study a network is, as the network itself says."""

from typing import Any

from moxie.errors import InputError
from moxie.structures.network import Network

FILM_KEY = ("orientation", "temperature_K", "approach", "replica")


def film_key(network: Network) -> dict[str, Any]:
    """Return orientation ("100"), temperature_K, approach and replica of a film.

    Raises InputError for one that does not say.
    """
    missing = [name for name in FILM_KEY if name not in network.info]
    if missing:
        raise InputError(f"A film does not say its {', '.join(missing)}: delete results/oxidation and run again.")
    return {name: network.info[name] for name in FILM_KEY}


def film_title(network: Network) -> str:
    """Return a film's name for people and other programs: Si(100), 1273 K, disordered, replica 0."""
    key = film_key(network)
    return f"Si({key['orientation']}), {key['temperature_K']:g} K, {key['approach']}, replica {key['replica']}"
