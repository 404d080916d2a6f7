"""Every table by name: whatever tables the modules of this package hold."""

from moxie.errors import InputError
from moxie.features.schemas import (
    learning,
    liquids,
    molecules,
    oxide_studies,
    oxides,
    placements,
    transport,
    validation,
)
from moxie.features.schemas.table import Table

_MODULES = (liquids, transport, oxides, oxide_studies, molecules, placements, learning, validation)
TABLES = {table.name: table for module in _MODULES for table in vars(module).values() if isinstance(table, Table)}


def get_table(name: str) -> Table:
    """Return the description of a table; raises InputError with the names there are."""
    if name not in TABLES:
        raise InputError(f"There is no table {name!r}; the tables are {', '.join(TABLES)}.")
    return TABLES[name]
