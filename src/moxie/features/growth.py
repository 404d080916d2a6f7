"""The table of growth curves: oxide thickness, with its error, against time for every state of a sweep."""

import itertools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from moxie.errors import InputError

_POINTS_TO_RECIPE = 40


def tabulate_growth(
    thickness_nm: Callable[[float, float, str], tuple[float, float]],
    temperatures_K: Sequence[float],
    orientations: Sequence[str],
    time_s: float,
    *,
    kinetics: str,
    ambient: str,
) -> Any:
    """Return the table `growth_curves` as a data frame, from 0 to twice the recipe's time.

    `thickness_nm(temperature_K, time_s, orientation)` is the growth law with everything else of the recipe fixed; it
    gives the thickness and its standard error. Raises InputError if it gives something that is not a thickness.
    """
    import pandas

    times = np.linspace(0.0, 2.0 * time_s, 2 * _POINTS_TO_RECIPE + 1)
    rows = []
    for orientation, temperature in itertools.product(orientations, temperatures_K):
        for number, time in enumerate(times):
            thickness, error = thickness_nm(float(temperature), float(time), orientation)
            if not (np.isfinite([thickness, error]).all() and thickness >= 0):
                raise InputError(
                    f"The growth law {kinetics} gives {thickness} nm at {temperature:g} K after {time:g} s."
                )
            rows.append((orientation, float(temperature), float(time), thickness, error, number == _POINTS_TO_RECIPE))
    columns = ["orientation", "temperature_K", "time_s", "thickness_nm", "thickness_standard_error_nm", "is_recipe"]
    frame = pandas.DataFrame(rows, columns=columns)
    return frame.assign(kinetics=kinetics, ambient=ambient)
