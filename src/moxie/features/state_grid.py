"""Response functions from the grid of state points: central differences over neighbouring temperatures or pressures.

    alpha_P = -d ln rho / dT      kappa_T = d ln rho / dp      C_P = d<H>/dT,   <H> = <U> + p<V> + f R T / 2 per mole

A state point has them if the same system and replica was also run below and above it, at the same pressure
(temperature); neighbours need not be equally far. Errors are propagated from the two or three runs, which have seeds of
their own and are independent.
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

_BAR_PER_GPA = 1e4
_SERIES = ["system", "force_field", "force_field_sha256", "ensemble", "replica"]


@dataclass(frozen=True)
class Derivative:
    """A column that is the derivative of another one (or of its logarithm) along one variable, and its partner."""

    name: str
    partner: str  # the same quantity from fluctuations
    z: str
    of: str
    along: str
    fixed: str
    scale: float
    logarithmic: bool


DERIVATIVES = (
    Derivative(
        "thermal_expansion_from_grid_per_K", "thermal_expansion_per_K", "thermal_expansion_grid_z",
        "density_g_cm3", "temperature_K", "pressure_bar", -1.0, True,
    ),
    Derivative(
        "isothermal_compressibility_from_grid_per_GPa", "isothermal_compressibility_per_GPa",
        "isothermal_compressibility_grid_z", "density_g_cm3", "pressure_bar", "temperature_K", _BAR_PER_GPA, True,
    ),
    Derivative(
        "heat_capacity_from_grid_J_mol_K", "heat_capacity_J_mol_K", "heat_capacity_grid_z",
        "enthalpy_kJ_mol", "temperature_K", "pressure_bar", 1000.0, False,
    ),
)  # fmt: skip


def columns_from_grid() -> list[str]:
    """Return the columns that a single run leaves empty and `add_finite_differences` fills."""
    suffixes = ("", "_standard_error", "_n_independent")
    return [name for item in DERIVATIVES for name in (*(item.name + suffix for suffix in suffixes), item.z)]


def add_finite_differences(table: Any) -> Any:
    """Return the table `liquids` with the columns from the grid, and their z-scores against fluctuations, filled."""
    table = table.reset_index(drop=True)
    sampled = table["ensemble"] == "NPT"
    for item in DERIVATIVES:
        found = np.full((len(table), 3), math.nan)
        for _, rows in table[sampled].groupby([*_SERIES, item.fixed]):
            ordered = rows.sort_values(item.along)
            for low, middle, high in zip(ordered.index, ordered.index[1:], ordered.index[2:], strict=False):
                found[middle] = _central(table, item, [low, middle, high])
        for column, suffix in enumerate(("", "_standard_error", "_n_independent")):
            table[item.name + suffix] = found[:, column]
        error = np.hypot(table[f"{item.name}_standard_error"], table[f"{item.partner}_standard_error"])
        table[item.z] = (table[item.partner] - table[item.name]) / error
    return table


def _central(table: Any, item: Derivative, rows: list[int]) -> tuple[float, float, float]:
    """Return derivative, standard error and independent samples at the middle of three rows."""
    x, y, error, counts = (
        table.loc[rows, name].to_numpy(dtype=float)
        for name in (item.along, item.of, f"{item.of}_standard_error", f"{item.of}_n_independent")
    )
    if item.logarithmic:
        y, error = np.log(y), error / y
    weights = item.scale * _weights(*x)
    used = np.abs(weights) > 1e-9 * np.abs(weights).max()  # the middle one drops out of an even grid
    return float(weights @ y), float(np.sqrt(((weights * error)[used] ** 2).sum())), float(counts[used].min())


def _weights(low: float, middle: float, high: float) -> np.ndarray:
    """Return the weights of three values in the derivative, at the middle, of the parabola through them."""
    below, above = middle - low, high - middle
    return np.array(
        [-above / (below * (below + above)), (above - below) / (below * above), below / (above * (below + above))]
    )


COMPLETIONS = {"liquids": add_finite_differences}  # what takes a whole table, by the table's name
