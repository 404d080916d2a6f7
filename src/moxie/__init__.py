"""moxie: liquids, oxidised silicon, molecules and the models learnt from them.

The names below are loaded when first used, so that `import moxie` costs nothing.
"""

from importlib import import_module, metadata
from typing import Any

_PUBLIC = {
    "InputError": "moxie.errors",
    "Study": "moxie.study",
    "simulate": "moxie.dynamics.simulation",
    "grow_oxide": "moxie.oxidation.films.growth",
    "anneal_bulk": "moxie.oxidation.networks.bulk",
    "sample_film": "moxie.oxidation.films.equilibrium",
    "Engine": "moxie.oxidation.engine",
    "silicon_slab": "moxie.structures.silicon",
    "read_network": "moxie.structures.network",
    "compute_molecules": "moxie.molecules.properties",
    "read_table": "moxie.features.tables",
    "predict_table": "moxie.predicting",
    "compare_studies": "moxie.features.two_studies",
}
_RENAMED = {"compute_molecules": "compute"}

__all__ = ["__version__", *_PUBLIC]


def __getattr__(name: str) -> Any:
    if name == "__version__":
        return metadata.version("moxie")
    if name in _PUBLIC:
        return getattr(import_module(_PUBLIC[name]), _RENAMED.get(name, name))
    raise AttributeError(f"module 'moxie' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
