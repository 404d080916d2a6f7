"""Columns in few words, and those that many tables share."""

from collections.abc import Callable
from typing import Any

from moxie.approaches import APPROACHES
from moxie.features.schemas.table import Column


def number(name: str, unit: str, description: str, low: float | None = None, high: float | None = None) -> Column:
    return Column(name, "float", unit, description, low, high)


def maybe(name: str, unit: str, description: str, low: float | None = None, high: float | None = None) -> Column:
    return Column(name, "float", unit, description, low, high, nullable=True)


def count(name: str, description: str, low: int = 0) -> Column:
    return Column(name, "int", "1", description, low)


def text(name: str, description: str, *allowed: str) -> Column:
    return Column(name, "str", "", description, allowed=allowed)


OF_A_MEAN = (
    "from the slowest cosines of a stationary series, widened by Student's t: 1.96 of it hold 95 %; empty below five"
    " independent samples"
)
OF_FLUCTUATIONS = "as of a mean, of the jackknife's pseudo-values; empty below 8 independent samples"
OF_THE_DIPOLE = "as of a mean, of the jackknife's pseudo-values; empty below 20 independent dipole moments"
OF_CONTACTS = "scatter over pairs of ions"
OF_FRAMES = "as of a mean, of pseudo-values over blocks of frames, the first shell found anew in each; empty below 5"
OF_A_DIFFERENCE = "propagated from the runs at the neighbouring state points"
OF_PARTS = "propagated from what it is computed from"
OF_WALKS = "largest of random walks, scatter of molecules, of legs and of runs, with that of longer intervals"
OF_A_SLOPE = "largest of that of the slope of one current against another, scatter of legs and of runs"
OF_A_SPECTRUM = "largest of the slowest cosines' powers, scatter of legs and of runs"


def observable(
    name: str, unit: str, description: str, low: float, high: float, error: str = OF_A_MEAN
) -> tuple[Column, ...]:
    """An observable with its standard error and its number of independent samples; empty where it has no meaning.

    `description` says what the value is, and how it is found unless it is a mean; `error` how its standard error is.
    """
    return (
        maybe(name, unit, description, low, high),
        maybe(f"{name}_standard_error", unit, f"standard error of {name}: {error}", 0.0),
        maybe(f"{name}_n_independent", "1", f"number of independent samples behind {name}", 0.0),
    )


def averaged(name: str, unit: str, description: str, high: float | None = None) -> tuple[Column, ...]:
    """A thermal average over a ladder of temperatures with its standard error; empty where the samples do not reach."""
    return (
        maybe(name, unit, description, 0.0, high),
        maybe(f"{name}_standard_error", unit, f"standard error of {name} by MBAR", 0.0),
    )


def sums_to_one(names: list[str]) -> Callable[[Any], Any]:
    """A check of a table that some columns add up to one wherever they have values."""

    def check(frame: Any) -> Any:
        total = frame[names].sum(axis=1, skipna=False)
        return total.isna() | ((total - 1.0).abs() < 1e-6)

    return check


OXIDATION_STATES = range(5)
TEMPERATURE = number("temperature_K", "K", "temperature", 1.0, 5000.0)
PRESSURE = number("pressure_bar", "bar", "pressure of the barostat, or of the state point in a fixed volume", -1e5, 1e6)
FORCE_FIELD_SHA256 = text(
    "force_field_sha256", "SHA-256 checksum of the force field's file: which variant of the parameters was used"
)


def _one_variant(frame: Any) -> Any:
    model = "force_field" if "force_field" in frame else "model"
    return frame.groupby(["system", model])[FORCE_FIELD_SHA256.name].transform("nunique") == 1


ONE_VARIANT = (
    "one force_field_sha256 for all rows of a system and force field (delete results/dynamics of the system and run"
    " again: some of its runs are older than the force field's file)",
    _one_variant,
)
REPLICA = count("replica", "number of the independent repetition, from 0")
APPROACH = text("approach", "side from which the film came to its temperature", *APPROACHES)
ORIENTATION = text("orientation", "surface of the silicon wafer", "100", "110", "111")
STAGE = count("stage", "growth stage, from 1; the last one is the final film", 1)
