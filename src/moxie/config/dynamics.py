"""Section `dynamics`: molecular dynamics of liquids and electrolytes."""

from typing import Annotated, Any, Literal, get_args

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema, field_validator, model_validator

from moxie.config.section import LONGEST_INTERVAL_S, Name, Section, Usual, distinct_states

_USUAL_K = Usual(
    100.0,
    800.0,
    "molecular liquids boil and freeze in between",
    lambda value: f"{value:g} degrees Celsius are {value + 273.15:g} K",
)
_USUAL_BAR = Usual(
    0.0,
    10_000.0,
    "water and most organic liquids have long been solid there",
    lambda value: f"{value:g} Pa are {value / 1e5:g} bar",
)
LiquidTemperature = Annotated[float, Field(gt=0, le=10_000)]
LiquidTemperatures = Annotated[list[LiquidTemperature], Field(min_length=1), AfterValidator(distinct_states), _USUAL_K]
Pressures = Annotated[
    list[Annotated[float, Field(gt=0, le=1e6)]], Field(min_length=1), AfterValidator(distinct_states), _USUAL_BAR
]
LONGEST_PS = 1e9  # a millisecond
StandardError = Annotated[float, Field(gt=0, le=1e6)] | None


def _standard_error(of: str, unit: str | None) -> Any:
    extra: Any = {"unit": unit} if unit else None
    return Field(None, description=f"Standard error of the {of} (null: any)", json_schema_extra=extra)


class Precision(Section):
    density_g_cm3: StandardError = _standard_error("density; only under NPT", "g/cm3")
    potential_energy_kJ_mol: StandardError = _standard_error("potential energy per molecule", "kJ/mol")
    enthalpy_of_vaporisation_kJ_mol: StandardError = _standard_error(
        "enthalpy of vaporisation of a pure liquid; the isolated molecule has a tenth of its variance", "kJ/mol"
    )
    isothermal_compressibility_per_GPa: StandardError = _standard_error(
        "isothermal compressibility from fluctuations; only under NPT", "1/GPa"
    )
    thermal_expansion_per_K: StandardError = _standard_error(
        "thermal expansion from fluctuations; only under NPT", "1/K"
    )
    dielectric_constant: StandardError = _standard_error("static dielectric constant; not for electrolytes", None)


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
        le=LONGEST_PS,
        description="Length of a leg; at least 100 times the decay of the stress, and long enough for linear diffusion",
        json_schema_extra={"unit": "ps"},
    )
    thermalisation_ps: float = Field(
        5.0,
        ge=0,
        le=LONGEST_PS,
        description="Run with a thermostat at the start of each leg",
        json_schema_extra={"unit": "ps"},
    )
    timestep_fs: Annotated[float, Field(ge=0.05, le=2.5)] | None = Field(
        None,
        description="Time step with true masses (null: 2 fs with rigid bonds, 1 fs with flexible ones)",
        json_schema_extra={"unit": "fs"},
    )
    frame_interval_ps: float = Field(
        0.1, gt=0, le=LONGEST_PS, description="Interval of the trajectory's frames", json_schema_extra={"unit": "ps"}
    )
    stress_interval_fs: float = Field(
        20.0,
        gt=0,
        le=1000,
        description="Interval of the stress, which costs as much as ten steps each time; at most 25 fs is good for a "
        "viscosity, and above 50 fs there is none",
        json_schema_extra={"unit": "fs"},
    )


Unit = Literal["mol_kg", "mol_L", "mole_fraction", "solvent_per_salt"]
UNITS: tuple[Unit, ...] = get_args(Unit)
Count = Annotated[int, Field(gt=0, le=1_000_000)]
Amounts = Annotated[
    list[Annotated[float, Field(gt=0, le=1e6)]],
    Field(min_length=1),
    BeforeValidator(lambda value: [value] if isinstance(value, int | float) else value),
    AfterValidator(distinct_states),
    WithJsonSchema({"anyOf": [{"type": "number"}, {"type": "array", "items": {"type": "number"}, "minItems": 1}]}),
]


def _amount(what: str, unit: str | None = None) -> Any:
    return Field(None, description=f"{what}; a list is a sweep", json_schema_extra={"unit": unit} if unit else None)


class Salt(Section):
    ions: dict[Name, Annotated[int, Field(gt=0, le=100)]] = Field(
        min_length=1, description="Number of each ion in a formula unit, which is neutral"
    )
    mol_kg: Amounts | None = _amount("Formula units per kg of solvent", "mol/kg")
    mol_L: Amounts | None = _amount("Formula units per litre of solution; needs its density", "mol/L")
    mole_fraction: Amounts | None = _amount("Share of formula units among them and molecules of solvent")
    solvent_per_salt: Amounts | None = _amount("Molecules of solvent per formula unit")

    @model_validator(mode="after")
    def _one_amount(self) -> "Salt":
        given = [unit for unit in UNITS if getattr(self, unit) is not None]
        if len(given) != 1:
            raise ValueError(f"one of {', '.join(UNITS)} says how much salt there is; given are {given or 'none'}")
        return self


class Mixture(Section):
    solvents: dict[Name, Annotated[float, Field(gt=0, le=1e6)]] = Field(
        min_length=1, description="Share of each solvent by `ratio`: fractions that add up to 1, or a ratio such as 3:7"
    )
    ratio: Literal["mole", "mass", "volume"] = Field("mole", description="What the shares of solvents are of")
    densities_g_cm3: dict[Name, Annotated[float, Field(gt=0, le=25)]] = Field(
        {}, description="Densities of the pure solvents, for volumes", json_schema_extra={"unit": "g/cm3"}
    )
    salts: dict[Name, Salt] = Field({}, description="Salts by any name, each with its ions and its concentration")
    molecules: Count | None = Field(None, description="Size of the box in molecules, ions counted as such")
    atoms: Count | None = Field(None, description="Size of the box in atoms")

    @model_validator(mode="after")
    def _one_size(self) -> "Mixture":
        if (self.molecules is None) == (self.atoms is None):
            raise ValueError("one of `molecules` and `atoms` says how large the box is")
        return self


class System(Section):
    composition: dict[Name, Count] = Field(
        {},
        description="Number of each molecule in the box; the names are those under `molecules`. Left out where "
        "`mixture` says it",
    )
    mixture: Mixture | None = Field(
        None, description="The composition by concentrations and ratios; the whole numbers are said before any job"
    )
    force_field: str | dict[Name, str] = Field(
        "trappe_ua",
        description=(
            "Name of a force field in the registry, or the path of an OpenMM XML file, or one of these for each "
            "molecule (`{lithium: opls_ions, ec: opls_carbonates}`). gaff2 and gaff make the parameters of any organic "
            "molecule, for whole boxes, and need the packages of envs/gaff.txt and the library libarpack2"
        ),
    )
    charge_scale: Annotated[float, Field(gt=0, le=2)] | None = Field(
        None, description="Charges of the ions over their formal charges (null: as the force field has them)"
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

    @field_validator("composition", mode="before")
    @classmethod
    def _null_is_none(cls, value: Any) -> Any:
        return {} if value is None else value

    @model_validator(mode="after")
    def _has_contents(self) -> "System":
        if not self.composition and self.mixture is None:
            raise ValueError("`composition` (numbers of molecules) or `mixture` (concentrations and ratios) is needed")
        return self

    replicas: int = Field(1, ge=1, le=1000, description="Independent runs of each state point")
    cutoff_nm: float = Field(
        1.0, gt=0.3, le=3, description="Cut-off of the non-bonded forces", json_schema_extra={"unit": "nm"}
    )
    timestep_fs: float = Field(2.0, ge=0.05, le=6, description="Time step", json_schema_extra={"unit": "fs"})
    hydrogen_mass_amu: Annotated[float, Field(ge=1, le=4)] | None = Field(
        None,
        description="Mass of hydrogens after repartitioning from their neighbour (null: true masses)",
        json_schema_extra={"unit": "amu"},
    )
    equilibration_ps: float = Field(
        20.0,
        ge=0,
        le=LONGEST_PS,
        description="Run before sampling starts; more is cut off by what the data say",
        json_schema_extra={"unit": "ps"},
    )
    sampling_ps: float = Field(
        100.0,
        gt=0,
        le=LONGEST_PS,
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
        1.0, ge=0.01, le=100, description="Friction of the Langevin thermostat", json_schema_extra={"unit": "1/ps"}
    )
    barostat_interval: int = Field(10, ge=1, le=10_000, description="Steps between attempted volume changes")
    sample_interval_ps: float = Field(
        0.2, gt=0, le=LONGEST_PS, description="Interval of the time series", json_schema_extra={"unit": "ps"}
    )
    frame_interval_ps: float = Field(
        1.0, gt=0, le=LONGEST_PS, description="Interval of the trajectory's frames", json_schema_extra={"unit": "ps"}
    )
    gas_sampling_ps: float = Field(
        2000.0,
        gt=0,
        le=LONGEST_PS,
        description="Sampled time of the isolated molecule",
        json_schema_extra={"unit": "ps"},
    )
    checkpoint_interval_s: float = Field(
        30.0,
        gt=0,
        le=LONGEST_INTERVAL_S,
        description="Wall-clock time between checkpoints",
        json_schema_extra={"unit": "s"},
    )


Positive = Annotated[float, Field(gt=0, le=LONGEST_PS)]
HydrogenMasses = Annotated[list[Annotated[float, Field(ge=1, le=4)] | None], Field(min_length=1)]


class SettingsStudy(Section):
    system: Name = Field("methanol", description="The system whose force field, state and settings the study varies")
    temperature_K: Annotated[LiquidTemperature | None, _USUAL_K] = Field(
        None, description="Temperature (null: the first of the system)", json_schema_extra={"unit": "K"}
    )
    timesteps_fs: Annotated[
        list[Annotated[float, Field(ge=0.05, le=6)]], Field(min_length=1), AfterValidator(distinct_states)
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
        min_length=1,
        description="Boxes to simulate, by name. In an overlay, `name: null` removes one, and `dynamics: null` all",
    )
    protocol: Protocol = Field(Protocol(), description="Settings common to all systems")
    settings_study: SettingsStudy | None = Field(
        None, description="Study of time step, size and cut-off that ends in a recommendation (null: none)"
    )
    platform: Literal["auto", "CUDA", "HIP", "OpenCL", "CPU"] = Field(
        "auto", description="auto takes the first of CUDA, HIP, OpenCL, CPU that evaluates the forces of the system"
    )
