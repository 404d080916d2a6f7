"""Every table by name."""

from moxie.errors import InputError
from moxie.features.schemas.learning import (
    FORCE_FIELD_ERROR_PREDICTIONS,
    LOGP_PREDICTIONS,
    NETWORK_ENERGY_PREDICTIONS,
    PREDICTIONS,
    SITE_ENVIRONMENTS,
    SITE_MAP,
)
from moxie.features.schemas.liquids import DIHEDRAL_CURVES, DIHEDRALS, ELECTROLYTES, LIQUIDS, RDF, RDF_CURVES
from moxie.features.schemas.molecules import MOLECULES
from moxie.features.schemas.oxide_studies import GROWTH_CURVES, OXIDE_BULK, OXIDE_EQUILIBRIUM
from moxie.features.schemas.oxides import OXIDE_PROFILES, OXIDE_RDF, OXIDE_RUNS, OXIDE_SITES, OXIDE_STRUCTURE_FACTORS
from moxie.features.schemas.placements import PLACEMENTS, SEARCHES
from moxie.features.schemas.table import Table
from moxie.features.schemas.transport import SETTINGS_STUDY, TRANSPORT, TRANSPORT_CURVES
from moxie.features.schemas.validation import VALIDATION

TABLES = {
    table.name: table
    for table in (
        LIQUIDS,
        ELECTROLYTES,
        TRANSPORT,
        TRANSPORT_CURVES,
        SETTINGS_STUDY,
        RDF,
        RDF_CURVES,
        DIHEDRALS,
        DIHEDRAL_CURVES,
        OXIDE_RUNS,
        OXIDE_SITES,
        OXIDE_PROFILES,
        OXIDE_RDF,
        OXIDE_STRUCTURE_FACTORS,
        OXIDE_BULK,
        OXIDE_EQUILIBRIUM,
        GROWTH_CURVES,
        MOLECULES,
        SITE_ENVIRONMENTS,
        PLACEMENTS,
        VALIDATION,
        SEARCHES,
        PREDICTIONS,
        LOGP_PREDICTIONS,
        NETWORK_ENERGY_PREDICTIONS,
        SITE_MAP,
        FORCE_FIELD_ERROR_PREDICTIONS,
    )
}


def get_table(name: str) -> Table:
    """Return the description of a table; raises InputError with the names there are."""
    if name not in TABLES:
        raise InputError(f"There is no table {name!r}; the tables are {', '.join(TABLES)}.")
    return TABLES[name]
