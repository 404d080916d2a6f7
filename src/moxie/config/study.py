"""The whole configuration of a study, and that of the default one."""

from typing import Any, Literal

from pydantic import Field

from moxie.config.dynamics import Dynamics
from moxie.config.learning import Learning
from moxie.config.molecules import QuantumChemistry
from moxie.config.oxidation import Oxidation
from moxie.config.section import Name, Section


class Study(Section):
    name: Name = Field("unnamed", description="Short name of the study; lower case, no spaces")
    title: str = Field("A study", description="Title on the front page of the report")


class Figures(Section):
    style: dict[str, Any] = Field(
        {}, description="Settings of matplotlib that override moxie.mplstyle, by their names (`font.size: 9`)"
    )
    dpi: int = Field(150, ge=50, le=1200, description="Resolution of the PNG files", json_schema_extra={"unit": "1/in"})


class StudyConfig(Section):
    """A whole study, of any of its stages: one that is null, or left out of a study that extends nothing, is none."""

    extends: Literal["config.yaml", "nothing"] = Field(
        "config.yaml",
        description="What the study is laid over: the default study, or nothing, so that only what it names is there",
    )
    study: Study = Field(Study(), description="What the study is called")
    seed: int = Field(20261121, ge=0, lt=2**63, description="Base seed; every job derives its own from it")
    confirm: list[str] = Field(
        [],
        description="Keys whose values are unusual and meant, not a slip of the unit, for example "
        "`dynamics.systems.methanol.pressures_bar`",
    )
    molecules: dict[Name, str] = Field(
        {}, description="Molecules by name, as SMILES. In an overlay, `name: null` removes one"
    )
    dynamics: Dynamics | None = Field(None, description="Molecular dynamics of liquids and electrolytes (null: none)")
    oxidation: Oxidation | None = Field(None, description="Monte Carlo oxidation of silicon (null: none)")
    quantum_chemistry: QuantumChemistry | None = Field(
        None, description="Quantum chemistry of every molecule (null: none)"
    )
    learning: Learning | None = Field(None, description="Models learnt from the tables (null: none)")
    figures: Figures = Field(Figures(), description="Figures and report")


def default_study() -> StudyConfig:
    """Return the configuration of `config.yaml`: all stages, small enough for two cores in minutes."""
    liquid = {"temperatures_K": [278.15, 298.15, 318.15], "timestep_fs": 4.0, "hydrogen_mass_amu": 3.0}
    electrolyte = {
        "composition": {"lithium": 9, "tfsi": 9, "water": 50},
        "force_field": "und",
        "ensemble": "NVT",
        "density_g_cm3": 1.577,
        "temperatures_K": [298.15],
        "cutoff_nm": 0.7,
        "timestep_fs": 2.0,
        "hydrogen_mass_amu": 3.0,
        "equilibration_ps": 40.0,
        "sampling_ps": 160.0,
    }
    values = {
        "study": {"name": "default", "title": "Alcohols, a lithium electrolyte and oxidised silicon"},
        "molecules": {
            "methanol": "CO",
            "ethanol": "CCO",
            "water": "O",
            "lithium": "[Li+]",
            "tfsi": "O=S(=O)([N-]S(=O)(=O)C(F)(F)F)C(F)(F)F",
        },
        "dynamics": {
            "systems": {
                "methanol": {"composition": {"methanol": 216}, **liquid, "sampling_ps": 100.0},
                "ethanol": {"composition": {"ethanol": 216}, **liquid, "sampling_ps": 80.0},
                "litfsi_10m": electrolyte,
            }
        },
        "oxidation": {},
        "quantum_chemistry": {"molecule_lists": ["logp_crc"]},
        "learning": {},
    }
    return StudyConfig.model_validate(values)
