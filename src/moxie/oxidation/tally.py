"""What a batch of moves did, counted."""

from dataclasses import dataclass, fields
from itertools import zip_longest


@dataclass(frozen=True)
class Tally:
    """What a batch of moves did; the sum of two tallies is that of both batches."""

    attempts: int = 0
    valid: int = 0  # attempts that pass the topology filter
    accepted: int = 0
    hops_valid: int = 0
    hops_accepted: int = 0
    exchanges_valid: int = 0
    exchanges_accepted: int = 0
    evaluations: int = 0
    logged: int = 0  # moves followed to the end in shadow mode
    false_kills: int = 0  # of these
    screened: int = 0  # rejected by the surrogate, not relaxed
    bounds_missed: float = 0.0  # acceptance that a catalogue's bounds were too high for, in accepted moves
    reached: tuple[int, ...] = ()

    def __add__(self, other: "Tally") -> "Tally":
        counts = {f.name: getattr(self, f.name) + getattr(other, f.name) for f in fields(self) if f.name != "reached"}
        return Tally(**counts, reached=tuple(map(sum, zip_longest(self.reached, other.reached, fillvalue=0))))
