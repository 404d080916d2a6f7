"""The configuration of a study: every key with its type, unit, range, default and meaning.

`config.yaml`, the JSON schema and the reference page of the documentation are generated from these classes by
`moxie.config_reference`. `load` turns the mapping that Snakemake hands over into a `StudyConfig`, or raises one
InputError that names each bad key, what was found and what is allowed.
"""

import difflib
from collections.abc import Mapping
from typing import Annotated, Any, Literal, get_args, get_origin

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from moxie.errors import InputError


def label(value: float) -> str:
    """Return the short form of a number that paths and wildcards carry: 298.15, 973, 1."""
    return f"{value:g}"


def _state_points(values: list[float]) -> list[float]:
    labels = [label(value) for value in values]
    repeated = sorted({text for text in labels if labels.count(text) > 1})
    if repeated:
        raise ValueError(f"the state point {', '.join(repeated)} stands there more than once; name each one once")
    return values


def _once(values: list[str]) -> list[str]:
    repeated = sorted({value for value in values if values.count(value) > 1})
    if repeated:
        raise ValueError(f"{', '.join(repeated)} stands there more than once; name each one once")
    return values


Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
LiquidTemperatures = Annotated[
    list[Annotated[float, Field(ge=100, le=800)]], Field(min_length=1), AfterValidator(_state_points)
]
ProcessTemperatures = Annotated[
    list[Annotated[float, Field(ge=300, le=2000)]], Field(min_length=1), AfterValidator(_state_points)
]
Pressures = Annotated[list[Annotated[float, Field(gt=0, le=1e5)]], Field(min_length=1), AfterValidator(_state_points)]


Compositions = Annotated[list[Annotated[float, Field(ge=0, le=2)]], Field(min_length=1), AfterValidator(_state_points)]
AnnealTemperatures = Annotated[
    list[Annotated[float, Field(ge=0.05, le=5)]], Field(min_length=1), AfterValidator(_state_points)
]
Orientations = Annotated[
    list[Annotated[Literal["100", "110", "111"], BeforeValidator(str)]],
    Field(min_length=1),
    AfterValidator(_once),
]


class Section(BaseModel):
    """A part of the configuration; unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=True, allow_inf_nan=False)


class Study(Section):
    name: Name = Field("default", description="Short name of the study; lower case, no spaces")
    title: str = Field(
        "Alcohols, a lithium electrolyte and oxidised silicon",
        description="Title on the front page of the report",
    )


def _standard_error(of: str, unit: str) -> Any:
    return Field(None, description=f"Standard error of the {of} (null: any)", json_schema_extra={"unit": unit})


StandardError = Annotated[float, Field(gt=0)] | None


class Precision(Section):
    density_g_cm3: StandardError = _standard_error("density; only under NPT", "g/cm3")
    potential_energy_kJ_mol: StandardError = _standard_error("potential energy per molecule", "kJ/mol")
    enthalpy_of_vaporisation_kJ_mol: StandardError = _standard_error(
        "enthalpy of vaporisation of a pure liquid; the isolated molecule has a tenth of its variance", "kJ/mol"
    )


class Transport(Section):
    legs: int = Field(
        4,
        ge=1,
        le=1000,
        description="Legs at constant energy per run, each from another frame of it",
    )
    length_ps: float = Field(
        50.0,
        gt=0,
        description="Length of a leg; at least 100 times the decay of the stress, and long enough for linear diffusion",
        json_schema_extra={"unit": "ps"},
    )
    thermalisation_ps: float = Field(
        5.0, ge=0, description="Run with a thermostat at the start of each leg", json_schema_extra={"unit": "ps"}
    )
    timestep_fs: Annotated[float, Field(gt=0, le=2.5)] | None = Field(
        None,
        description="Time step with true masses (null: 2 fs with rigid bonds, 1 fs with flexible ones)",
        json_schema_extra={"unit": "fs"},
    )
    frame_interval_ps: float = Field(
        0.1, gt=0, description="Interval of the trajectory's frames", json_schema_extra={"unit": "ps"}
    )
    stress_interval_fs: float = Field(
        20.0,
        gt=0,
        le=1000,
        description="Interval of the stress, which costs as much as ten steps each time; not above 25 fs",
        json_schema_extra={"unit": "fs"},
    )


class System(Section):
    composition: dict[Name, Annotated[int, Field(gt=0, le=1_000_000)]] = Field(
        min_length=1, description="Number of each molecule in the box; the names are those under `molecules`"
    )
    force_field: str = Field(
        "trappe_ua",
        description=(
            "Name of a force field in the registry, or the path of an OpenMM XML file. gaff2 and gaff make the "
            "parameters of any organic molecule, and need the packages of envs/gaff.txt and the library libarpack2"
        ),
    )
    ensemble: Literal["NPT", "NVT"] = Field("NPT", description="NPT, or NVT at the density `density_g_cm3`")
    density_g_cm3: Annotated[float, Field(gt=0, le=25)] | None = Field(
        None,
        description="Density of an NVT box; for NPT only the first guess (null: estimated from the molecules)",
        json_schema_extra={"unit": "g/cm3"},
    )
    temperatures_K: LiquidTemperatures = Field([298.15], description="Temperatures", json_schema_extra={"unit": "K"})
    pressures_bar: Pressures = Field(
        [1.0], description="Pressures; under NVT a label that changes nothing", json_schema_extra={"unit": "bar"}
    )
    replicas: int = Field(1, ge=1, le=1000, description="Independent runs of each state point")
    cutoff_nm: float = Field(
        1.0, gt=0.3, le=3, description="Cut-off of the non-bonded forces", json_schema_extra={"unit": "nm"}
    )
    timestep_fs: float = Field(2.0, gt=0, le=6, description="Time step", json_schema_extra={"unit": "fs"})
    hydrogen_mass_amu: Annotated[float, Field(ge=1, le=4)] | None = Field(
        None,
        description="Mass of hydrogens after repartitioning from their neighbour (null: true masses)",
        json_schema_extra={"unit": "amu"},
    )
    equilibration_ps: float = Field(
        20.0,
        ge=0,
        description="Run before sampling starts; more is cut off by what the data say",
        json_schema_extra={"unit": "ps"},
    )
    sampling_ps: float = Field(
        100.0,
        gt=0,
        description="Sampled time; the longest where a precision is asked for",
        json_schema_extra={"unit": "ps"},
    )
    precision: Precision = Field(
        Precision(),
        description="Standard errors at which a run ends before `sampling_ps`; all that are given must be reached",
    )
    transport: Transport | None = Field(
        None, description="Legs for viscosity, self-diffusion and ionic conductivity after each run (null: none)"
    )


class Protocol(Section):
    pme_tolerance: float = Field(5e-4, gt=0, le=1e-2, description="Relative error of the particle-mesh Ewald forces")
    friction_per_ps: float = Field(
        1.0, gt=0, le=100, description="Friction of the Langevin thermostat", json_schema_extra={"unit": "1/ps"}
    )
    barostat_interval: int = Field(10, ge=1, le=10_000, description="Steps between attempted volume changes")
    sample_interval_ps: float = Field(
        0.2, gt=0, description="Interval of the time series", json_schema_extra={"unit": "ps"}
    )
    frame_interval_ps: float = Field(
        1.0, gt=0, description="Interval of the trajectory's frames", json_schema_extra={"unit": "ps"}
    )
    gas_sampling_ps: float = Field(
        2000.0, gt=0, description="Sampled time of the isolated molecule", json_schema_extra={"unit": "ps"}
    )
    checkpoint_interval_s: float = Field(
        120.0, gt=0, description="Wall-clock time between checkpoints", json_schema_extra={"unit": "s"}
    )


_LIQUID = {"temperatures_K": [278.15, 298.15, 318.15], "timestep_fs": 4.0, "hydrogen_mass_amu": 3.0}
_SYSTEMS: dict[str, Any] = {
    "methanol": {"composition": {"methanol": 216}, **_LIQUID, "sampling_ps": 100.0},
    "ethanol": {"composition": {"ethanol": 216}, **_LIQUID, "sampling_ps": 80.0},
    "litfsi_10m": {
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
    },
}


Positive = Annotated[float, Field(gt=0)]
HydrogenMasses = Annotated[list[Annotated[float, Field(ge=1, le=4)] | None], Field(min_length=1)]


class SettingsStudy(Section):
    system: Name = Field("methanol", description="The system whose force field, state and settings the study varies")
    temperature_K: Annotated[float, Field(ge=100, le=800)] | None = Field(
        None, description="Temperature (null: the first of the system)", json_schema_extra={"unit": "K"}
    )
    timesteps_fs: Annotated[
        list[Annotated[float, Field(gt=0, le=6)]], Field(min_length=1), AfterValidator(_state_points)
    ] = Field(
        [0.5, 1.0, 2.0, 4.0, 5.0],
        description="Time steps, up to twice what a run may have; one that blows up is recorded as such",
        json_schema_extra={"unit": "fs"},
    )
    hydrogen_masses_amu: HydrogenMasses = Field(
        [None, 3.0],
        description="Masses of hydrogen (null: true masses), each with every time step",
        json_schema_extra={"unit": "amu"},
    )
    molecules: list[Annotated[int, Field(ge=2, le=1_000_000)]] = Field(
        [], description="Numbers of molecules, with the system's cut-off; multiples of its composition"
    )
    cutoffs_nm: list[Annotated[float, Field(gt=0.3, le=3)]] = Field(
        [], description="Cut-offs, in the largest box", json_schema_extra={"unit": "nm"}
    )
    sampling_ps: Positive = Field(
        500.0,
        description="Sampled time of a point, after the system's `equilibration_ps`",
        json_schema_extra={"unit": "ps"},
    )
    nve_ps: Positive = Field(
        100.0, description="Time without a thermostat, for the drift of the energy", json_schema_extra={"unit": "ps"}
    )
    largest_difference_percent: Positive = Field(
        0.2,
        description="Density and temperature may differ from the safest point's by this and by two standard errors",
        json_schema_extra={"unit": "%"},
    )
    largest_drift_kJ_mol_ns: Positive = Field(
        0.1,
        description="Drift of the energy per degree of freedom that a time step may have",
        json_schema_extra={"unit": "kJ/mol/ns"},
    )


class Dynamics(Section):
    systems: dict[Name, System] = Field(
        _SYSTEMS, description="Boxes to simulate, by name. In an overlay, `name: null` removes one"
    )
    protocol: Protocol = Field(Protocol(checkpoint_interval_s=30.0), description="Settings common to all systems")
    settings_study: SettingsStudy | None = Field(
        None, description="Study of time step, size and cut-off that ends in a recommendation (null: none)"
    )
    platform: Literal["auto", "CUDA", "HIP", "OpenCL", "CPU"] = Field(
        "auto", description="auto takes the first of CUDA, HIP, OpenCL, CPU that evaluates the forces of the system"
    )


class Slab(Section):
    cells: tuple[
        Annotated[int, Field(ge=2, le=60)], Annotated[int, Field(ge=2, le=60)], Annotated[int, Field(ge=2, le=60)]
    ] = Field(
        (4, 4, 5),
        description="Size along x, y and z (the surface normal) in conventional cells of 5.43 A; (110) and (111) take "
        "the whole number of their own surface cells that comes nearest",
    )
    frozen_layers: int = Field(4, ge=1, description="Atomic layers at the back that keep the crystal's positions")


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
    moves_per_oxygen: int = Field(150, ge=0, description="Monte Carlo moves after each inserted O, at `kT_eV`")
    hop_fraction: float = Field(0.3, ge=0, le=1, description="Share of oxygen hops among the moves")
    kT_eV: float = Field(0.3, gt=0, le=5, description="Temperature during growth", json_schema_extra={"unit": "eV"})
    hot_moves_per_oxygen: int = Field(
        100, ge=0, description="Switches of fully oxidised Si after each inserted O, at `hot_kT_eV`"
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
    relax_steps: int = Field(60, ge=1, description="Steps of relaxing the whole film after each inserted O")


class Anneal(Section):
    steps: int = Field(12, ge=1, description="Steps of cooling at the end of each stage")
    start_kT_eV: float = Field(
        0.4,
        gt=0,
        le=5,
        description="Temperature at which cooling starts; it ends at the process temperature",
        json_schema_extra={"unit": "eV"},
    )
    moves_per_oxygen: int = Field(120, ge=0, description="Moves for each O in the anneal of a stage")
    final_moves_per_oxygen: int = Field(600, ge=0, description="Moves for each O in the last anneal")


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
    moves_per_oxygen: int = Field(100_000, ge=1, description="Monte Carlo moves for each O on each rung")
    exchange_interval: int = Field(50, ge=1, description="Moves for each O between two exchanges")
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
    temperatures_K: ProcessTemperatures = Field(
        [973, 1073, 1173, 1273, 1373, 1473], description="Process temperatures", json_schema_extra={"unit": "K"}
    )
    replicas: int = Field(2, ge=1, le=1000, description="Independent films of each orientation and temperature")
    bulk: Bulk | None = Field(None, description="Study of bulk SiOx without an interface (null: none)")
    replica_exchange: ReplicaExchange | None = Field(
        None,
        description="Equilibrium of one film of each surface, with its oxygen fixed, by replica exchange (null: none)",
    )
    checkpoint_interval_s: float = Field(
        20.0, gt=0, description="Wall-clock time between checkpoints", json_schema_extra={"unit": "s"}
    )


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
    max_steps: int = Field(500, ge=1, description="Steps after which an optimisation is given up")
    most_atoms: int = Field(
        200, ge=1, description="Atoms, hydrogens included, of the largest molecule that is computed"
    )
    density_functional: DensityFunctional | None = Field(
        None, description="Single point of every molecule with pyscf, which is not installed by default (null: none)"
    )
    molecule_lists: list[str] = Field(
        ["logp_crc"],
        description=(
            "Lists of molecules to compute besides `molecules`: built-in sets (logp_crc, logp_syrres) or paths of .csv "
            "files (column smiles; optional name and logP, a measured partition coefficient) or .smi files"
        ),
    )
    most_per_list: Annotated[int, Field(ge=1)] | None = Field(
        None, description="Compute only this many molecules of each list, chosen by a hash of their names (null: all)"
    )
    most_per_chunk: int = Field(64, ge=1, le=10_000, description="Molecules of a list that one job computes, at most")


class Placements(Section):
    trained_up_to: int = Field(
        5, ge=3, le=7, description="Most oxygen atoms on the bonds of the training cells; all distinct placements"
    )
    tested_up_to: int = Field(
        7, ge=4, le=8, description="Most oxygen atoms in the test cells, each with more than these"
    )
    tested_per_content: Annotated[int, Field(ge=20)] | None = Field(
        200, description="Placements to relax for each number of oxygen atoms in the test cells (null: all)"
    )


class TreeSearch(Section):
    cell: Literal["si16", "si64", "slab"] = Field(
        "si16",
        description="Where O is placed: on the 32 bonds of 2 x 2 x 2 primitive silicon cells, the 128 of 2 x 2 x 2 "
        "conventional cells, or the 48 near the interface of a small oxide-terminated slab",
    )
    n_oxygen: int = Field(6, ge=1, le=128, description="Number of O to place")
    methods: list[Literal["random", "annealing", "genetic", "tree", "guided_tree", "model_alone", "enumeration"]] = (
        Field(
            ["random", "annealing", "genetic", "tree", "guided_tree", "model_alone"],
            min_length=1,
            description="Searches to compare",
        )
    )
    seeds: int = Field(10, ge=1, le=1000, description="Independent searches with each method")
    budget: int = Field(150, ge=1, le=100_000, description="Relaxations of unique placements that a search may spend")


class Learning(Section):
    target: str = Field("suboxide_total_monolayers", description="Column of oxide_runs that the surrogate predicts")
    confidence: float = Field(0.9, gt=0.5, lt=1, description="Coverage of every interval")
    bootstrap_samples: int = Field(1000, ge=100, le=100_000, description="Resamplings behind each metric's interval")
    placements: Placements = Field(
        Placements(), description="Oxygen on the bonds of 16 silicon atoms, relaxed for the task network_energy"
    )
    tree_search: TreeSearch = Field(
        TreeSearch(), description="Comparison of searches for the placement of O of lowest energy"
    )


class Figures(Section):
    style: dict[str, Any] = Field(
        {}, description="Settings of matplotlib that override moxie.mplstyle, by their names (`font.size: 9`)"
    )
    dpi: int = Field(150, ge=50, le=1200, description="Resolution of the PNG files", json_schema_extra={"unit": "1/in"})


_MOLECULES = {
    "methanol": "CO",
    "ethanol": "CCO",
    "water": "O",
    "lithium": "[Li+]",
    "tfsi": "O=S(=O)([N-]S(=O)(=O)C(F)(F)F)C(F)(F)F",
}


class StudyConfig(Section):
    """A whole study."""

    study: Study = Field(Study(), description="What the study is called")
    seed: int = Field(20261121, ge=0, lt=2**63, description="Base seed; every job derives its own from it")
    molecules: dict[Name, str] = Field(
        _MOLECULES, min_length=1, description="Molecules by name, as SMILES. In an overlay, `name: null` removes one"
    )
    dynamics: Dynamics = Field(Dynamics(), description="Molecular dynamics of liquids and electrolytes")
    oxidation: Oxidation = Field(Oxidation(), description="Monte Carlo oxidation of silicon")
    quantum_chemistry: QuantumChemistry = Field(QuantumChemistry(), description="GFN2-xTB of every molecule")
    learning: Learning = Field(Learning(), description="Models learnt from the tables")
    figures: Figures = Field(Figures(), description="Figures and report")


REMOVABLE = (("molecules",), ("dynamics", "systems"))


def load(values: Mapping[str, Any]) -> StudyConfig:
    """Return the validated configuration.

    Entries of `molecules` and `dynamics.systems` that an overlay sets to null are left out. Raises InputError with one
    line per bad key: the key, what was found, what is allowed, and the nearest valid key for an unknown one.
    """
    try:
        return StudyConfig.model_validate(_without_removed(values))
    except ValidationError as error:
        lines = [_explain(problem) for problem in error.errors(include_url=False)]
        raise InputError("The configuration cannot be used:\n" + "\n".join(f"  {line}" for line in lines)) from None


def nearest(word: str, choices: Any) -> str:
    """Return " Did you mean `...`?" for the nearest of some names, or nothing when none is near."""
    matches = difflib.get_close_matches(str(word), [str(choice) for choice in choices], n=1, cutoff=0.5)
    return f" Did you mean `{matches[0]}`?" if matches else ""


def _without_removed(values: Mapping[str, Any]) -> dict[str, Any]:
    result = dict(values)
    for *parents, last in REMOVABLE:
        section = result
        for key in parents:
            if not isinstance(section.get(key), Mapping):
                break
            section[key] = dict(section[key])
            section = section[key]
        else:
            if isinstance(section.get(last), Mapping):
                section[last] = {key: value for key, value in section[last].items() if value is not None}
    return result


def _explain(problem: Any) -> str:
    location = [part for part in problem["loc"] if part != "[key]"]
    key = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in location).lstrip(".")
    field, section = _describe(location)
    if problem["type"] == "extra_forbidden":
        names = list(section.model_fields) if section is not None else []
        return f"`{key}`: unknown key.{nearest(location[-1], names)} Allowed here: {', '.join(names)}."
    about = ""
    if field is not None:
        unit = (field.json_schema_extra or {}).get("unit") if isinstance(field.json_schema_extra, dict) else None
        about = f" It means: {field.description}{f', in {unit}' if unit else ''}."
    found = "" if problem["type"] == "missing" else f" = {problem['input']!r}"
    message = problem["msg"].removeprefix("Value error, ")
    if problem["type"] == "string_pattern_mismatch":
        message = "Names start with a lower-case letter and hold lower-case letters, digits and _ only"
    return f"`{key}`{found}: {message}.{about}"


def _describe(location: list[Any]) -> tuple[Any, type[Section] | None]:
    """Return the deepest field that a location runs through, and the section that holds it."""
    section: type[Section] | None = StudyConfig
    holder, field, named = section, None, False
    for part in location:
        if named:
            named = False
        elif section is not None and isinstance(part, str):
            holder = section
            if part not in section.model_fields:
                return None, holder
            field = section.model_fields[part]
            section = section_of(field.annotation)
            named = section is not None and get_origin(field.annotation) is dict
    return field, holder


def section_of(annotation: Any) -> type[Section] | None:
    """Return the section type of a field, also of a mapping from names to sections."""
    if isinstance(annotation, type) and issubclass(annotation, Section):
        return annotation
    for argument in get_args(annotation):
        if isinstance(argument, type) and issubclass(argument, Section):
            return argument
    return None
