"""Checks of what a sampler or an engine is asked to do: in Python, once for a batch of moves, not for each move."""

import math
from numbers import Real
from typing import Any

import numpy as np

from moxie.errors import InputError


def is_whole(value: Any) -> bool:
    """Return whether a value is a whole number, of any numeric type."""
    return isinstance(value, Real) and math.isfinite(value) and float(value).is_integer()


def check_kT(kT_eV: float) -> None:
    """Raise InputError unless kT is positive and finite."""
    if not 0 < kT_eV < np.inf:
        raise InputError(f"kT_eV is {kT_eV}; it must be positive and finite (1000 K is 0.0862 eV).")


def check_share(name: str, value: float) -> None:
    """Raise InputError unless a share of the moves lies in [0, 1]."""
    if not 0 <= value <= 1:
        raise InputError(f"{name} is {value}; it must lie in [0, 1].")


def check_moves(hop_fraction: float, **counts: int) -> None:
    """Raise InputError unless the share of hops lies in [0, 1] and every count is a whole number of at least one."""
    check_share("hop_fraction", hop_fraction)
    for name, value in counts.items():
        if not is_whole(value) or value < 1:
            raise InputError(f"{name} is {value}; it must be a whole number of at least 1.")


def check_batch(
    n_moves: int, kT_eV: float, hop_fraction: float, exchange_fraction: float, chemical_potential_eV: float
) -> None:
    """Raise InputError unless a batch of moves can be run: kT may be zero, the shares are at most 1 together."""
    if not is_whole(n_moves) or n_moves < 0:
        raise InputError(f"n_moves is {n_moves}; it must be a whole number, 0 or more.")
    if not 0 <= kT_eV < np.inf:
        raise InputError(f"kT_eV is {kT_eV}; it must be zero or more, and finite (1000 K is 0.0862 eV).")
    check_share("hop_fraction", hop_fraction)
    check_share("exchange_fraction", exchange_fraction)
    if hop_fraction + exchange_fraction > 1 + 1e-12:
        raise InputError(
            f"hop_fraction is {hop_fraction} and exchange_fraction {exchange_fraction}; together they are at most 1."
        )
    if not math.isfinite(chemical_potential_eV):
        raise InputError(f"chemical_potential_eV is {chemical_potential_eV}; it must be a finite number.")


def silicon_numbers(active: Any, species: np.ndarray) -> np.ndarray:
    """Return the atom numbers of `active`, int32; species: (n,), 0 for Si.

    Raises InputError for anything but numbers of Si, a boolean mask included.
    """
    numbers = np.asarray(active)
    if numbers.ndim != 1 or (numbers.size and numbers.dtype.kind not in "iu"):
        raise InputError(
            f"`active` is an array of {numbers.dtype} of shape {numbers.shape}; a list of atom numbers is needed (of a "
            "mask: np.flatnonzero(mask))."
        )
    if not numbers.size:
        return np.zeros(0, np.int32)
    if numbers.min() < 0 or numbers.max() >= len(species):
        raise InputError(
            f"`active` holds atom numbers from {numbers.min()} to {numbers.max()}; the engine has 0 to "
            f"{len(species) - 1}."
        )
    if species[numbers].any():
        oxygen = numbers[np.argmax(species[numbers] != 0)]
        raise InputError(f"`active` holds atom {oxygen}, which is O; bond switches start from Si.")
    return np.ascontiguousarray(numbers, np.int32)
