"""How a finished film is sampled, and which settings cannot work; without the engine, for the checks before any job."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from moxie.errors import InputError

CALIBRATED_AT = 10  # records
FEWEST_RECORDS = 40
PRECISION = ("suboxide_total_monolayers", "suboxide_fraction_1", "suboxide_fraction_2", "suboxide_fraction_3")


@dataclass(frozen=True)
class Production:
    """How a film is sampled. moves_per_oxygen: the cap on its length; moves_per_record: per O, between two records;
    hop_fraction: share of O hops; precision: standard errors asked for, by column of PRECISION."""

    moves_per_oxygen: int = 10_000
    moves_per_record: int = 100
    hop_fraction: float = 0.02
    precision: Mapping[str, float] = field(default_factory=dict)


def check_production(settings: Production) -> None:
    """Raise InputError, naming the key, for settings that cannot work."""
    if settings.moves_per_record < 1:
        raise InputError(f"moves_per_record is {settings.moves_per_record}; it must be 1 or more.")
    records = settings.moves_per_oxygen // settings.moves_per_record
    if records < FEWEST_RECORDS:
        raise InputError(
            f"moves_per_oxygen = {settings.moves_per_oxygen} and moves_per_record = {settings.moves_per_record} make "
            f"{records} records, of which the first {CALIBRATED_AT} are equilibration; at least {FEWEST_RECORDS} "
            "are needed. Raise moves_per_oxygen."
        )
    if not 0 <= settings.hop_fraction <= 1:
        raise InputError(f"hop_fraction is {settings.hop_fraction}; it must lie in [0, 1].")
    for name, error in settings.precision.items():
        if name not in PRECISION:
            raise InputError(f"precision names {name!r}; it can name {', '.join(PRECISION)}.")
        if not error > 0:
            raise InputError(f"precision.{name} is {error}; a standard error is positive.")
