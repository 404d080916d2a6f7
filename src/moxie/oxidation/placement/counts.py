"""The cells by their numbers, and which searches they allow: without compiled code, for a configuration check."""

import math
from typing import NamedTuple

from moxie.errors import InputError


class Cell(NamedTuple):
    """Numbers of sites and of symmetry operations."""

    n_sites: int
    n_operations: int


CELLS = {"si16": Cell(32, 384), "si64": Cell(128, 1536), "slab": Cell(48, 32)}
MOST_ENUMERATED = 30_000  # orbits


def check_count(name: str, n_sites: int, n_oxygen: int) -> None:
    """Raise InputError unless 0..n_sites O are asked for."""
    if not 0 <= n_oxygen <= n_sites:
        raise InputError(
            f"{n_oxygen} O on the cell `{name}`: it has {n_sites} Si-Si bonds to place them on, so the number must lie "
            f"in 0..{n_sites}."
        )


def enumerable(cell: Cell, n_oxygen: int) -> bool:
    """Return whether few enough orbits are to be expected to relax them all."""
    return math.comb(cell.n_sites, n_oxygen) / cell.n_operations <= MOST_ENUMERATED


def check_enumeration(name: str, cell: Cell, n_oxygen: int) -> None:
    """Raise InputError if there are too many orbits to enumerate."""
    if not enumerable(cell, n_oxygen):
        raise InputError(
            f"enumeration of {n_oxygen} O on the cell `{name}`: {math.comb(cell.n_sites, n_oxygen):.3g} placements and "
            f"{cell.n_operations} symmetry operations leave more than {MOST_ENUMERATED} to relax. Take fewer O, or "
            "leave enumeration out."
        )
