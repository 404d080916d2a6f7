"""What the library takes for a setting that is not given is what the configuration has for it."""

import ast
import dataclasses
from pathlib import Path

import pytest

from moxie.config import Section
from moxie.config.dynamics import Protocol, System, Transport
from moxie.config.learning import Learning, Placements, TreeSearch
from moxie.config.molecules import QuantumChemistry
from moxie.config.oxidation import Anneal, Bulk, Growth, Production, ReplicaExchange
from moxie.dynamics.protocol import RunSettings
from moxie.dynamics.transport import TransportSettings
from moxie.learning.registry import LearningSettings
from moxie.molecules.properties import MoleculeSettings
from moxie.oxidation.films import equilibrium, growth, production
from moxie.oxidation.networks.bulk import BulkSettings
from moxie.oxidation.placement.runs import SearchSettings

SOURCE = Path(__file__).parents[2] / "src" / "moxie"
PAIRS = [
    (System, RunSettings),
    (Protocol, RunSettings),
    (Transport, TransportSettings),
    (Growth, growth.Growth),
    (Anneal, growth.Anneal),
    (Production, production.Production),
    (Bulk, BulkSettings),
    (ReplicaExchange, equilibrium.ExchangeSettings),
    (QuantumChemistry, MoleculeSettings),
    (TreeSearch, SearchSettings),
    (Learning, LearningSettings),
    (Placements, LearningSettings),
]
OF_A_STUDY = {
    "parameter_set",
    "precision",
}  # a study asks for these; a caller of the library gives them or does without


def plain(value):
    if isinstance(value, Section):
        return value.model_dump(exclude_none=True)
    if dataclasses.is_dataclass(value):
        return dataclasses.asdict(value)
    return list(value) if isinstance(value, tuple) else value


def defaults(settings) -> dict:
    """Return the defaults of a dataclass by name."""
    made = {field.name: field.default_factory for field in dataclasses.fields(settings)}
    given = {field.name: field.default for field in dataclasses.fields(settings)}
    found = {name: value for name, value in given.items() if value is not dataclasses.MISSING}
    return found | {name: make() for name, make in made.items() if make is not dataclasses.MISSING}


@pytest.mark.parametrize(("section", "settings"), PAIRS, ids=lambda each: each.__name__)
def test_a_default_of_the_configuration_is_that_of_the_library(section, settings):
    library = defaults(settings)
    fields = {name: field for name, field in section.model_fields.items() if not field.is_required()}
    shared = (fields.keys() & library.keys()) - OF_A_STUDY
    assert shared and {name: plain(fields[name].default) for name in shared} == {
        name: plain(library[name]) for name in shared
    }


def test_checkpoints_are_as_far_apart_wherever_nobody_says_how_far():
    found = {}
    for path in SOURCE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.arguments):
                given = [
                    *zip(reversed(node.args), reversed(node.defaults), strict=False),
                    *zip(node.kwonlyargs, node.kw_defaults, strict=True),
                ]
                found |= {f"{path} {a.lineno}": d for a, d in given if d and a.arg == "checkpoint_interval_s"}
            elif isinstance(node, ast.AnnAssign) and ast.unparse(node.target) == "checkpoint_interval_s":
                found[f"{path} {node.lineno}"] = node.value
    values = {where: node.args[0] if isinstance(node, ast.Call) else node for where, node in found.items() if node}
    assert len(values) >= 5
    assert {where: ast.literal_eval(value) for where, value in values.items()} == dict.fromkeys(values, 30.0)
