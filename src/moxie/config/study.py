"""The whole configuration of a study."""

from typing import Any

from pydantic import Field

from moxie.config.dynamics import Dynamics
from moxie.config.learning import Learning
from moxie.config.molecules import MOLECULES, QuantumChemistry
from moxie.config.oxidation import Oxidation
from moxie.config.section import Name, Section


class Study(Section):
    name: Name = Field("default", description="Short name of the study; lower case, no spaces")
    title: str = Field(
        "Alcohols, a lithium electrolyte and oxidised silicon",
        description="Title on the front page of the report",
    )


class Figures(Section):
    style: dict[str, Any] = Field(
        {}, description="Settings of matplotlib that override moxie.mplstyle, by their names (`font.size: 9`)"
    )
    dpi: int = Field(150, ge=50, le=1200, description="Resolution of the PNG files", json_schema_extra={"unit": "1/in"})


class StudyConfig(Section):
    """A whole study."""

    study: Study = Field(Study(), description="What the study is called")
    seed: int = Field(20261121, ge=0, lt=2**63, description="Base seed; every job derives its own from it")
    molecules: dict[Name, str] = Field(
        MOLECULES, min_length=1, description="Molecules by name, as SMILES. In an overlay, `name: null` removes one"
    )
    dynamics: Dynamics = Field(Dynamics(), description="Molecular dynamics of liquids and electrolytes")
    oxidation: Oxidation = Field(Oxidation(), description="Monte Carlo oxidation of silicon")
    quantum_chemistry: QuantumChemistry = Field(QuantumChemistry(), description="GFN2-xTB of every molecule")
    learning: Learning = Field(Learning(), description="Models learnt from the tables")
    figures: Figures = Field(Figures(), description="Figures and report")
