"""What every table of the study holds: columns, types, units, meaning and permitted ranges.

A table is described once, in the module of its stage; `moxie.features.tables` writes and reads files against it and the
documentation and the report quote it. Adding a column means adding one line there.
"""

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
from moxie.features.schemas.oxide_studies import GROWTH_CURVES, OXIDE_APPROACHES, OXIDE_BULK, OXIDE_EQUILIBRIUM
from moxie.features.schemas.oxides import OXIDE_PROFILES, OXIDE_RDF, OXIDE_RUNS, OXIDE_SITES, OXIDE_STRUCTURE_FACTORS
from moxie.features.schemas.placements import PLACEMENTS, SEARCHES
from moxie.features.schemas.registry import TABLES, get_table
from moxie.features.schemas.table import VARIES, Column, Table, pandera_schema
from moxie.features.schemas.transport import SETTINGS_STUDY, TRANSPORT, TRANSPORT_CURVES
from moxie.features.schemas.validation import VALIDATION

__all__ = [
    "Column",
    "DIHEDRALS",
    "DIHEDRAL_CURVES",
    "ELECTROLYTES",
    "FORCE_FIELD_ERROR_PREDICTIONS",
    "GROWTH_CURVES",
    "LIQUIDS",
    "LOGP_PREDICTIONS",
    "MOLECULES",
    "NETWORK_ENERGY_PREDICTIONS",
    "OXIDE_APPROACHES",
    "OXIDE_BULK",
    "OXIDE_EQUILIBRIUM",
    "OXIDE_PROFILES",
    "OXIDE_RDF",
    "OXIDE_RUNS",
    "OXIDE_SITES",
    "OXIDE_STRUCTURE_FACTORS",
    "PLACEMENTS",
    "PREDICTIONS",
    "RDF",
    "RDF_CURVES",
    "SEARCHES",
    "SETTINGS_STUDY",
    "SITE_ENVIRONMENTS",
    "SITE_MAP",
    "TABLES",
    "TRANSPORT",
    "TRANSPORT_CURVES",
    "Table",
    "VALIDATION",
    "VARIES",
    "get_table",
    "pandera_schema",
]
