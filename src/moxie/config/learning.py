"""Section `learning`: models learnt from the tables."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from moxie.config.section import Section, distinct

Methods = Annotated[
    list[Literal["random", "annealing", "genetic", "tree", "guided_tree", "model_alone", "model_local", "enumeration"]],
    Field(min_length=1),
    AfterValidator(distinct),
]


class Placements(Section):
    trained_up_to: int = Field(
        5, ge=3, le=7, description="Most oxygen atoms on the bonds of the training cells; all distinct placements"
    )
    tested_up_to: int = Field(
        7, ge=4, le=8, description="Most oxygen atoms in the test cells, each with more than these"
    )
    tested_per_content: Annotated[int, Field(ge=20, le=1_000_000)] | None = Field(
        200, description="Placements to relax for each number of oxygen atoms in the test cells (null: all)"
    )


class TreeSearch(Section):
    cell: Literal["si16", "si64", "slab"] = Field(
        "si16",
        description="Where O is placed: on the 32 bonds of 2 x 2 x 2 primitive silicon cells, the 128 of 2 x 2 x 2 "
        "conventional cells, or the 48 near the interface of a small oxide-terminated slab",
    )
    n_oxygen: int = Field(6, ge=1, le=128, description="Number of O to place")
    methods: Methods = Field(
        ["random", "annealing", "genetic", "tree", "guided_tree", "model_alone", "model_local"],
        description="Searches to compare",
    )
    seeds: int = Field(10, ge=1, le=1000, description="Independent searches with each method")
    budget: int = Field(150, ge=1, le=100_000, description="Relaxations of unique placements that a search may spend")


class Learning(Section):
    target: str = Field("suboxide_total_monolayers", description="Column of oxide_runs that the surrogate predicts")
    confidence: float = Field(0.9, gt=0.5, lt=1, description="Coverage of every interval")
    bootstrap_samples: int = Field(
        1000, ge=100, le=100_000, description="Resamplings behind the intervals of the comparison of searches"
    )
    parameter_set: str | None = Field(
        None,
        description="Valence force field of `placements` and `tree_search`: name in the registry, or path (null: that "
        "of `oxidation`, or von_alfthan_2003 without it)",
    )
    placements: Placements | None = Field(
        Placements(),
        description="Oxygen on the bonds of 16 silicon atoms, relaxed for the task network_energy (null: none)",
    )
    tree_search: TreeSearch | None = Field(
        TreeSearch(), description="Comparison of searches for the placement of O of lowest energy (null: none)"
    )
