"""What a sampler records: observers measure the engine between batches of moves, a table keeps the numbers.

No observer runs inside the compiled loop, so the chain is as fast with them as without. An observer is one of

- a name of `READY`: "energy_terms" or "oxidation_states";
- any function from an engine to a dict of numbers;
- `Observer(name, function)`, to give such a function another name.

Energy, moves tried and moves accepted are always recorded. Example:

    def largest_force(engine):
        return {"largest_force_eV_A": float(abs(engine.energy_terms().forces[engine.mobile]).max())}

    chain = sample(engine, kT_eV=0.25, n_moves=10**5, observers=["oxidation_states", largest_force])
    pandas.DataFrame(chain.columns)
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from numbers import Integral, Real

import numpy as np

from moxie.errors import InputError
from moxie.oxidation.engine import Engine
from moxie.oxidation.tally import Tally

Row = dict[str, int | float]
Measure = Callable[[Engine], Mapping[str, int | float]]


@dataclass(frozen=True)
class Observer:
    """A name for messages and checkpoints, and a function from the engine to the columns it fills."""

    name: str
    measure: Measure


def energy_terms(engine: Engine) -> Row:
    """Return the energy term by term, in eV."""
    energy = engine.energy_terms()
    return {
        "bond_energy_eV": energy.bond,
        "angle_energy_eV": energy.angle,
        "repulsion_energy_eV": energy.repulsion,
        "suboxide_energy_eV": energy.suboxide,
    }


def oxidation_states(engine: Engine) -> Row:
    """Return the share of the mobile Si in each oxidation state, 0 to 4."""
    states = engine.oxidation_states()[engine.silicons]
    return {f"si{k}_fraction": float((states == k).mean()) if len(states) else 0.0 for k in range(5)}


READY: dict[str, Measure] = {"energy_terms": energy_terms, "oxidation_states": oxidation_states}


def make_observers(chosen: Iterable[str | Observer | Measure]) -> list[Observer]:
    """Turn names, functions and observers into observers. Raises InputError for an unknown or a repeated name."""
    observers: list[Observer] = []
    for item in chosen:
        if isinstance(item, str):
            if item not in READY:
                raise InputError(f"There is no observer `{item}`; the ready ones are {', '.join(READY)}.")
            item = Observer(item, READY[item])
        elif not isinstance(item, Observer):
            item = Observer(getattr(item, "__name__", type(item).__name__), item)
        if item.name in {observer.name for observer in observers}:
            raise InputError(
                f"Two observers are called `{item.name}`; give one another name by Observer(name, function)."
            )
        observers.append(item)
    return observers


def measure(engine: Engine, tally: Tally, kT_eV: float, observers: Iterable[Observer], key: Row) -> Row:
    """Return one row: the columns of `key`, kT, energy, what the last batch did, and what the observers say.

    Raises InputError when an observer returns anything but a dict of numbers, or a column that is already taken.
    """
    row: Row = {
        **key,
        "kT_eV": kT_eV,
        "energy_eV": engine.energy,
        "attempts": tally.attempts,
        "valid": tally.valid,
        "accepted": tally.accepted,
        "hops_accepted": tally.hops_accepted,
    }
    for observer in observers:
        found = observer.measure(engine)
        if not isinstance(found, Mapping):
            raise InputError(
                f"The observer `{observer.name}` returns {found!r}; a dict of numbers by column name is needed."
            )
        for column, value in found.items():
            if column in row:
                raise InputError(f"The observer `{observer.name}` returns `{column}`, a column that is already taken.")
            if not isinstance(value, Real | np.bool_):
                raise InputError(
                    f"The observer `{observer.name}` returns {value!r} for `{column}`; numbers are needed."
                )
            row[column] = int(value) if isinstance(value, Integral | np.bool_) else float(value)
    return row


class Table:
    """Rows of numbers, kept column by column."""

    def __init__(self) -> None:
        self._columns: dict[str, list[int | float]] = {}
        self._length = 0

    def append(self, row: Row) -> None:
        """Add a row; raises InputError when its columns are not those of the rows before."""
        if not self._length:
            self._columns = {name: [] for name in row}
        if row.keys() != self._columns.keys():
            odd = sorted(row.keys() ^ self._columns.keys())
            raise InputError(f"The observers must fill the same columns every time; {', '.join(odd)} come and go.")
        for name, value in row.items():
            self._columns[name].append(value)
        self._length += 1

    @property
    def columns(self) -> dict[str, np.ndarray]:
        """The columns as arrays of equal length, ready for pandas.DataFrame."""
        return {name: np.array(values) for name, values in self._columns.items()}

    def to_checkpoint(self) -> tuple[list[str], dict[str, np.ndarray]]:
        """Return the names of the columns and the arrays that a checkpoint keeps."""
        return list(self._columns), {f"column{k}": values for k, values in enumerate(self.columns.values())}

    @classmethod
    def from_checkpoint(cls, names: list[str], arrays: dict[str, np.ndarray]) -> "Table":
        """Return the table that `to_checkpoint` took apart."""
        table = cls()
        table._columns = {name: arrays[f"column{k}"].tolist() for k, name in enumerate(names)}
        table._length = len(arrays["column0"]) if names else 0
        return table
