"""Section `oxidation`: Monte Carlo oxidation of silicon."""

from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from moxie.approaches import APPROACHES
from moxie.config.section import LONGEST_INTERVAL_S, Section, distinct, distinct_states

MOST_MOVES = 1_000_000_000  # for each O: years
ProcessTemperatures = Annotated[
    list[Annotated[float, Field(ge=300, le=2000)]], Field(min_length=1), AfterValidator(distinct_states)
]
Compositions = Annotated[
    list[Annotated[float, Field(ge=0, le=2)]], Field(min_length=1), AfterValidator(distinct_states)
]
AnnealTemperatures = Annotated[
    list[Annotated[float, Field(ge=0.05, le=5)]], Field(min_length=1), AfterValidator(distinct_states)
]
Orientations = Annotated[
    list[Annotated[Literal["100", "110", "111"], BeforeValidator(str)]],
    Field(min_length=1),
    AfterValidator(distinct),
]


def known_approach(name: str) -> str:
    if name not in APPROACHES:
        raise ValueError(f"there is no approach {name!r}; there is {', '.join(APPROACHES)}")
    return name


Approaches = Annotated[
    list[Annotated[str, AfterValidator(known_approach)]], Field(min_length=1), AfterValidator(distinct)
]
Cells = Annotated[int, Field(ge=2, le=60)]


class Slab(Section):
    cells: tuple[Cells, Cells, Cells] = Field(
        (4, 4, 5),
        description="Size along x, y and z (the surface normal) in conventional cells of 5.43 A; (110) and (111) take "
        "the whole number of their own surface cells that comes nearest",
    )
    frozen_layers: int = Field(
        4,
        ge=0,
        le=1000,
        description="Atomic layers at the back that keep the crystal's positions; 0: a free back, closed by O as the "
        "front is",
    )
    structure: str | None = Field(
        None,
        description="Path of a file with a slab of your own to start from (null: cut one), in any format that ASE "
        "reads, for one orientation; `cells` then counts for nothing, and its frozen atoms are those that the "
        "file marks",
    )


class Process(Section):
    ambient: Literal["dry_O2", "steam"] = Field("dry_O2", description="Oxidising gas")
    pressure_bar: float = Field(
        1.01325, gt=0, le=50, description="Pressure of the gas", json_schema_extra={"unit": "bar"}
    )
    kinetics: Literal["deal_grove", "deal_grove_table", "massoud"] = Field(
        "deal_grove",
        description="Model of the growth kinetics: Deal-Grove with Arrhenius constants or with the published table's, "
        "or Massoud's for thin dry oxide",
    )


class ProcessStep(Process):
    temperature_K: float = Field(ge=300, le=2000, description="Temperature", json_schema_extra={"unit": "K"})
    time_s: float = Field(gt=0, le=1e7, description="Duration", json_schema_extra={"unit": "s"})


class Recipe(Process):
    time_s: float = Field(10.0, gt=0, le=1e7, description="Duration", json_schema_extra={"unit": "s"})
    initial_oxide_nm: float = Field(
        0.8, ge=0, le=1000, description="Oxide before the process", json_schema_extra={"unit": "nm"}
    )
    steps: list[ProcessStep] = Field(
        [],
        max_length=100,
        description="Earlier steps in their order, each with its own temperature; the oxide of one is the start of the "
        "next, and that of the last the start of the recipe",
    )


class Growth(Section):
    stages: int = Field(4, ge=1, le=50, description="Stages of growth, each ended by an anneal and kept for analysis")
    moves_per_oxygen: int = Field(
        150, ge=0, le=MOST_MOVES, description="Monte Carlo moves after each inserted O, at `kT_eV`"
    )
    hop_fraction: float = Field(0.3, ge=0, le=1, description="Share of oxygen hops among the moves")
    kT_eV: float = Field(0.3, gt=0, le=5, description="Temperature during growth", json_schema_extra={"unit": "eV"})
    hot_moves_per_oxygen: int = Field(
        100, ge=0, le=MOST_MOVES, description="Switches of fully oxidised Si after each inserted O, at `hot_kT_eV`"
    )
    hot_kT_eV: float = Field(0.8, gt=0, le=5, description="Temperature of these", json_schema_extra={"unit": "eV"})
    penalty_scale_eV: float = Field(
        0.2,
        gt=0,
        le=10,
        description="Suboxide penalty that lowers the odds of an insertion e-fold",
        json_schema_extra={"unit": "eV"},
    )
    depth_scale_A: float = Field(
        2.0,
        gt=0,
        le=100,
        description="Depth that lowers the odds of an insertion e-fold",
        json_schema_extra={"unit": "A"},
    )
    relax_steps: int = Field(60, ge=1, le=100_000, description="Steps of relaxing the whole film after each inserted O")


class Anneal(Section):
    steps: int = Field(12, ge=1, le=100_000, description="Steps of cooling at the end of each stage")
    start_kT_eV: float = Field(
        0.4,
        gt=0,
        le=5,
        description="Temperature at which cooling starts; it ends at the process temperature",
        json_schema_extra={"unit": "eV"},
    )
    moves_per_oxygen: int = Field(120, ge=0, le=MOST_MOVES, description="Moves for each O in the anneal of a stage")
    final_moves_per_oxygen: int = Field(300, ge=0, le=MOST_MOVES, description="Moves for each O in the last anneal")


class FilmPrecision(Section):
    suboxide_total_monolayers: float | None = Field(
        None, gt=0, le=1000, description="Standard error of the suboxide in all, in monolayers (null: not asked for)"
    )
    suboxide_fraction_1: float | None = Field(None, gt=0, le=1000, description="Standard error of the share of Si1+")
    suboxide_fraction_2: float | None = Field(None, gt=0, le=1000, description="Standard error of the share of Si2+")
    suboxide_fraction_3: float | None = Field(None, gt=0, le=1000, description="Standard error of the share of Si3+")


class Production(Section):
    moves_per_oxygen: int = Field(
        10_000,
        ge=1,
        le=MOST_MOVES,
        description="Moves for each O at the process temperature, at most; a film ends when it is precise",
    )
    moves_per_record: int = Field(100, ge=1, le=MOST_MOVES, description="Moves for each O between two records")
    hop_fraction: float = Field(
        0.02, ge=0, le=1, description="Share of oxygen hops among the moves; many of them only flicker to and fro"
    )
    precision: FilmPrecision = Field(
        FilmPrecision(
            suboxide_total_monolayers=0.03, suboxide_fraction_1=0.02, suboxide_fraction_2=0.02, suboxide_fraction_3=0.02
        ),
        description="Standard errors at which the sampling of a film ends",
    )


class Bulk(Section):
    cells: int = Field(
        3, ge=2, le=20, description="Conventional silicon cells along each edge of the cubic box, n: 8 n^3 Si"
    )
    compositions: Compositions = Field(
        [0.0, 0.4, 0.8, 1.2, 1.6, 2.0], description="O per Si, from 0 (silicon) to 2 (silica)"
    )
    kT_eV: AnnealTemperatures = Field(
        [0.15, 0.25, 0.4], description="Temperatures of the anneal", json_schema_extra={"unit": "eV"}
    )
    attempts_per_atom: float = Field(
        500.0, gt=0, le=1e6, description="Monte Carlo moves for each atom, half while cooling, half at kT"
    )
    hop_fraction: float = Field(0.3, ge=0, le=1, description="Share of oxygen hops among the moves")
    replicas: int = Field(2, ge=1, le=1000, description="Independent networks of each composition and temperature")


class ReplicaExchange(Section):
    near_temperature_K: float = Field(
        1273.0,
        gt=0,
        le=10_000,
        description="The film of each surface that is sampled: replica 0 of the process temperature nearest to this",
        json_schema_extra={"unit": "K"},
    )
    rungs: int = Field(
        10,
        ge=3,
        le=200,
        description="Temperatures of the ladder, evenly spaced in ln T from the lowest process temperature",
    )
    highest_kT_eV: float = Field(
        0.25,
        gt=0,
        le=5,
        description="Highest temperature of the ladder",
        json_schema_extra={"unit": "eV"},
    )
    moves_per_oxygen: int = Field(100_000, ge=1, le=MOST_MOVES, description="Monte Carlo moves for each O on each rung")
    exchange_interval: int = Field(50, ge=1, le=MOST_MOVES, description="Moves for each O between two exchanges")
    equilibration_share: float = Field(
        0.3,
        ge=0,
        lt=1,
        description="Share of the rounds left out of the analysis, from the start; early rejection is calibrated up to "
        "the first tenth",
    )


class Oxidation(Section):
    parameter_set: str = Field("von_alfthan_2003", description="Valence force field: name in the registry, or path")
    orientations: Orientations = Field(
        ["100"], description="Surfaces of the wafer (100, 110, 111), for the slab and the kinetics; each is a sweep"
    )
    slab: Slab = Field(Slab(), description="The silicon slab")
    recipe: Recipe = Field(Recipe(), description="The process, the same at every temperature")
    thickness_scale: float = Field(
        0.6, gt=0, le=1, description="Oxide thickness on the slab divided by the recipe's; stated with every result"
    )
    growth: Growth = Field(Growth(), description="How oxygen is inserted")
    anneal: Anneal = Field(Anneal(), description="How the film is cooled to the process temperature")
    production: Production | None = Field(
        Production(), description="How a finished film is sampled at the process temperature (null: not at all)"
    )
    temperatures_K: ProcessTemperatures = Field(
        [973, 1073, 1173, 1273, 1373, 1473], description="Process temperatures", json_schema_extra={"unit": "K"}
    )
    approaches: Approaches = Field(
        ["disordered"],
        description="Sides from which films come to each orientation and temperature: disordered (the penalties of the "
        "model throughout), ordered (threefold suboxide penalties until the sampling at the process temperature); with "
        "both, the tables say whether they meet",
    )
    replicas: int = Field(
        2, ge=1, le=1000, description="Independent films of each orientation, temperature and approach"
    )
    bulk: Bulk | None = Field(None, description="Study of bulk SiOx without an interface (null: none)")
    replica_exchange: ReplicaExchange | None = Field(
        None,
        description="Equilibrium of one film of each surface, with its oxygen fixed, by replica exchange (null: none)",
    )
    checkpoint_interval_s: float = Field(
        30.0,
        gt=0,
        le=LONGEST_INTERVAL_S,
        description="Wall-clock time between checkpoints",
        json_schema_extra={"unit": "s"},
    )
