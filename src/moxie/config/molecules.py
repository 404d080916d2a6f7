"""Section `quantum_chemistry`: quantum chemistry of single molecules."""

from typing import Annotated, Literal

from pydantic import Field

from moxie.config.section import Section


class DensityFunctional(Section):
    functional: str = Field("b3lyp", min_length=1, description="Functional, by its name in pyscf")
    basis: str = Field(
        "def2-tzvppd",
        min_length=1,
        description="Basis set, by its name in pyscf; dipole moments need diffuse functions",
    )


class QuantumChemistry(Section):
    method: Literal["GFN2-xTB", "GFN1-xTB"] = Field("GFN2-xTB", description="Tight-binding Hamiltonian")
    force_tolerance_eV_A: float = Field(
        0.01,
        gt=0,
        le=1,
        description="Largest force at which a geometry counts as optimised",
        json_schema_extra={"unit": "eV/A"},
    )
    max_steps: int = Field(500, ge=1, le=100_000, description="Steps after which an optimisation is given up")
    most_atoms: int = Field(
        200, ge=1, le=10_000, description="Atoms, hydrogens included, of the largest molecule that is computed"
    )
    density_functional: DensityFunctional | None = Field(
        None, description="Single point of every molecule with pyscf, which is not installed by default (null: none)"
    )
    molecule_lists: list[str] = Field(
        [],
        description=(
            "Lists of molecules to compute besides `molecules`: built-in sets (logp_crc, logp_syrres) or paths of .csv "
            "files (column smiles; optional name and logP, a measured partition coefficient) or .smi files"
        ),
    )
    most_per_list: Annotated[int, Field(ge=1, le=1_000_000_000)] | None = Field(
        None, description="Compute only this many molecules of each list, chosen by a hash of their names (null: all)"
    )
    most_per_chunk: int = Field(64, ge=1, le=10_000, description="Molecules of a list that one job computes, at most")
