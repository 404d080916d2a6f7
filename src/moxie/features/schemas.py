"""What every table of the study holds: columns, types, units, meaning and permitted ranges.

A table is described once, here; `moxie.features.tables` writes and reads files against it and the documentation and
the report quote it. Adding a column means adding one line below.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from moxie.errors import InputError

VARIES = "varies"  # the unit of this column depends on the table and is given when it is written


@dataclass(frozen=True)
class Column:
    """One column: `dtype` is float, int, bool, str, list<float> or list<str>; limits are inclusive."""

    name: str
    dtype: str
    unit: str
    description: str
    low: float | None = None
    high: float | None = None
    nullable: bool = False
    allowed: tuple[str, ...] = ()


@dataclass(frozen=True)
class Table:
    """One table: its key columns are unique together; `checks` hold over whole rows (name, frame -> boolean series)."""

    name: str
    description: str
    key: tuple[str, ...]
    columns: tuple[Column, ...]
    checks: tuple[tuple[str, Callable[[Any], Any]], ...] = field(default=(), repr=False)

    @property
    def column_names(self) -> list[str]:
        return [column.name for column in self.columns]

    def column(self, name: str) -> Column:
        """Return one column; raises InputError with the columns there are."""
        for column in self.columns:
            if column.name == name:
                return column
        raise InputError(f"Table {self.name} has no column {name!r}; it has: {', '.join(self.column_names)}.")


def _number(name: str, unit: str, description: str, low: float | None = None, high: float | None = None) -> Column:
    return Column(name, "float", unit, description, low, high)


def _maybe(name: str, unit: str, description: str, low: float | None = None, high: float | None = None) -> Column:
    return Column(name, "float", unit, description, low, high, nullable=True)


def _count(name: str, description: str, low: int = 0) -> Column:
    return Column(name, "int", "1", description, low)


def _text(name: str, description: str, *allowed: str) -> Column:
    return Column(name, "str", "", description, allowed=allowed)


def _observable(name: str, unit: str, description: str, low: float, high: float) -> tuple[Column, ...]:
    """An observable with its standard error and its number of independent samples; empty where it has no meaning."""
    return (
        _maybe(name, unit, description, low, high),
        _maybe(f"{name}_standard_error", unit, f"standard error of {name} from decorrelated samples", 0.0),
        _maybe(f"{name}_n_independent", "1", f"number of independent samples behind {name}", 0.0),
    )


def _averaged(name: str, unit: str, description: str, high: float | None = None) -> tuple[Column, ...]:
    """A thermal average over a ladder of temperatures with its standard error; empty where the samples do not reach."""
    return (
        _maybe(name, unit, description, 0.0, high),
        _maybe(f"{name}_standard_error", unit, f"standard error of {name} by MBAR", 0.0),
    )


def _from_grid(stem: str, unit_suffix: str, unit: str, description: str, limit: float) -> tuple[Column, ...]:
    """An observable from the grid of state points, and how far the one from fluctuations is from it."""
    return (
        *_observable(f"{stem}_from_grid{unit_suffix}", unit, f"{description}; empty at the edges", -limit, limit),
        _maybe(f"{stem}_grid_z", "1", f"({stem}{unit_suffix} - the one from the grid) / combined standard error"),
    )


_TEMPERATURE = _number("temperature_K", "K", "temperature", 1.0, 5000.0)
_PRESSURE = _number(
    "pressure_bar", "bar", "pressure of the barostat, or of the state point in a fixed volume", -1e5, 1e6
)
_REPLICA = _count("replica", "number of the independent repetition, from 0")
_STATE_KEY = ("system", "force_field", "temperature_K", "pressure_bar", "replica")

_STATE = (
    _text("system", "name of the simulated system in the configuration"),
    _text("force_field", "name of the force field"),
    _TEMPERATURE,
    _PRESSURE,
    _REPLICA,
)
_LIQUID_RUN = (
    *_STATE,
    _text("force_field_sha256", "SHA-256 checksum of the force field's file: which variant of the parameters was used"),
    _text("composition", "canonical SMILES of a pure liquid; SMILES:count of a mixture, in lowest terms"),
    _text("ensemble", "ensemble sampled", "NPT", "NVT"),
    _count("n_molecules", "molecules in the box", 1),
    _count("n_sites", "interaction sites in the box", 1),
    _text("platform", "OpenMM platform that computed the forces"),
    _text("precision", "arithmetic precision of the platform"),
    _number("timestep_fs", "fs", "time step", 0.0, 20.0),
    _number("sampled_ps", "ps", "length of the time series before the equilibration is cut off", 0.0),
    _number("equilibration_ps", "ps", "start of the stationary part, detected from the data", 0.0),
)

LIQUIDS = Table(
    "liquids",
    "Molecular liquids: one row per state point and replica.",
    _STATE_KEY,
    (
        *_LIQUID_RUN,
        *_observable("density_g_cm3", "g/cm3", "mass density", 0.0, 25.0),
        *_observable(
            "enthalpy_of_vaporisation_kJ_mol",
            "kJ/mol",
            "molar enthalpy of vaporisation into the ideal gas: <U_gas> - <U_liquid>/N + RT",
            -1e3,
            1e3,
        ),
        *_observable("potential_energy_kJ_mol", "kJ/mol", "potential energy per molecule", -1e5, 1e5),
        *_observable(
            "enthalpy_kJ_mol",
            "kJ/mol",
            "enthalpy per mole of the classical model: potential energy + pV + f RT/2, f degrees of freedom",
            -1e5,
            1e5,
        ),
        *_observable(
            "thermal_expansion_per_K",
            "1/K",
            "isobaric thermal expansion from fluctuations of volume and enthalpy",
            -1,
            1,
        ),
        *_from_grid("thermal_expansion", "_per_K", "1/K", "-d ln(density)/dT over the neighbouring temperatures", 1.0),
        *_observable(
            "isothermal_compressibility_per_GPa",
            "1/GPa",
            "isothermal compressibility from volume fluctuations",
            -1e3,
            1e3,
        ),
        *_from_grid(
            "isothermal_compressibility", "_per_GPa", "1/GPa", "d ln(density)/dp over the neighbouring pressures", 1e3
        ),
        *_observable(
            "heat_capacity_J_mol_K",
            "J/mol/K",
            "isobaric heat capacity of the classical model from enthalpy fluctuations, f R/2 included; no quantum "
            "correction, nothing for rigid bonds",
            -1e5,
            1e5,
        ),
        *_from_grid("heat_capacity", "_J_mol_K", "J/mol/K", "d(enthalpy)/dT over the neighbouring temperatures", 1e5),
        *_observable(
            "residual_heat_capacity_J_mol_K",
            "J/mol/K",
            "isobaric heat capacity of the liquid less that of its ideal gas, both classical, from fluctuations",
            -1e5,
            1e5,
        ),
        *_observable(
            "dielectric_constant",
            "1",
            "static dielectric constant from fluctuations of the box's dipole moment",
            -1e5,
            1e5,
        ),
        *_observable(
            "hydrogen_bonds_per_molecule",
            "1",
            "hydrogen bonds between molecules per molecule, each counted once: donor to acceptor below 3.5 angstrom, "
            "angle H-donor-acceptor below 30 degrees",
            0.0,
            20.0,
        ),
        *_observable(
            "hydroxyl_trans_fraction",
            "1",
            "share of C-C-O-H dihedral angles beyond 120 degrees; the rest is gauche",
            0,
            1,
        ),
        *_observable(
            "backbone_trans_fraction",
            "1",
            "share of the dihedral angles of four heavy atoms about single bonds beyond 120 degrees; rest: gauche",
            0.0,
            1.0,
        ),
        *_observable("rdf_oo_peak_position_A", "angstrom", "position of the first O-O peak of g(r)", 0.0, 20.0),
        *_observable("rdf_oo_peak_height", "1", "height of the first O-O peak of g(r)", 0.0, 1e3),
        *_observable("rdf_oo_first_minimum_A", "angstrom", "first minimum of the O-O g(r)", 0.0, 20.0),
        *_observable("coordination_oo", "1", "O neighbours of an O within the first minimum", 0.0, 50.0),
    ),
)

ELECTROLYTES = Table(
    "electrolytes",
    "Salt solutions: one row per state point and replica.",
    _STATE_KEY,
    (
        *_LIQUID_RUN,
        *_observable("density_g_cm3", "g/cm3", "mass density, sampled (NPT) or given (NVT)", 0.0, 25.0),
        *_observable("potential_energy_kJ_mol", "kJ/mol", "potential energy per molecule", -1e5, 1e5),
        *_observable("li_ow_peak_A", "angstrom", "first peak of g(r), Li to water O", 0.0, 20.0),
        *_observable("li_ow_peak_height", "1", "height of the first peak of g(r), Li to water O", 0.0, 1e3),
        *_observable("li_ow_coordination", "1", "water O around a Li within the first minimum", 0.0, 50.0),
        *_observable("li_oanion_peak_A", "angstrom", "first peak of g(r), Li to anion O", 0.0, 20.0),
        *_observable("li_oanion_coordination", "1", "anion O around a Li within the first minimum", 0.0, 50.0),
        *_observable(
            "li_contact_fraction", "1", "fraction of Li with at least one anion O within the first minimum", 0.0, 1.0
        ),
    ),
)

_STATE_POINT = (
    _text("system", "name of the simulated system in the configuration"),
    _text("force_field", "name of the force field"),
    _TEMPERATURE,
    _PRESSURE,
)

TRANSPORT = Table(
    "transport",
    "Transport coefficients: one row per state point and species, all replicas and legs together.",
    ("system", "force_field", "temperature_K", "pressure_bar", "species"),
    (
        *_STATE_POINT,
        _text("species", "name of the molecule whose diffusion the row holds"),
        _text("smiles", "SMILES of the molecule"),
        _count("n_molecules", "molecules of the species in the box", 1),
        _count("n_legs", "legs at constant energy, of all replicas", 1),
        _number("leg_ps", "ps", "length of a leg", 0.0),
        _number("edge_nm", "nm", "edge of the box", 0.0),
        _number("mean_temperature_K", "K", "mean kinetic temperature of the legs", 1.0, 5000.0),
        _number("timestep_fs", "fs", "time step, with true masses", 0.0, 20.0),
        _number("energy_drift_kJ_mol_ns", "kJ/mol/ns", "drift of the total energy per degree of freedom"),
        *_observable("diffusion_m2_s", "m2/s", "self-diffusion coefficient in this box", -1.0, 1.0),
        *_observable(
            "diffusion_corrected_m2_s",
            "m2/s",
            "self-diffusion coefficient of an infinite system, corrected with the viscosity of the same legs",
            -1.0,
            1.0,
        ),
        _number("diffusion_fit_start_ps", "ps", "lag from which on the mean squared displacement is linear", 0.0),
        Column("diffusion_is_linear", "bool", "", "whether it became linear within an eighth of a leg"),
        *_observable("viscosity_mPa_s", "mPa s", "shear viscosity; the same for all species of a system", 0.0, 1e9),
        _maybe("stress_correlation_time_ps", "ps", "integrated correlation time of the stress", 0.0),
        *_observable(
            "conductivity_S_m",
            "S/m",
            "ionic conductivity from the collective displacement of formal charges; empty without ions",
            0.0,
            1e9,
        ),
        *_observable(
            "nernst_einstein_conductivity_S_m",
            "S/m",
            "conductivity of ions that moved independently with the diffusion coefficients in this box",
            -1e9,
            1e9,
        ),
        *_observable("ionicity", "1", "ratio of the two conductivities, both of this box", -1e9, 1e9),
    ),
)

TRANSPORT_CURVES = Table(
    "transport_curves",
    "What the transport coefficients were fitted to: mean squared displacements and running Green-Kubo integrals.",
    ("system", "force_field", "temperature_K", "pressure_bar", "curve", "species", "time_ps"),
    (
        *_STATE_POINT,
        _text("curve", "what the curve is", "mean squared displacement", "running viscosity"),
        _text("species", "name of the molecule; all for a property of the whole system"),
        _text("unit", "unit of value, error and fit"),
        _number("time_ps", "ps", "lag, or upper limit of the integral", 0.0),
        _number("value", VARIES, "simulated curve, mean over legs"),
        _maybe("value_standard_error", VARIES, "standard error of value over legs", 0.0),
        _maybe("fit", VARIES, "fitted line, or the limit found from the spectrum; empty outside the fit"),
    ),
)

SETTINGS_STUDY = Table(
    "settings_study",
    "Study of settings: one row per time step, hydrogen mass, size of the box and cut-off.",
    ("system", "force_field", "timestep_fs", "hydrogen_mass_amu", "n_molecules", "cutoff_nm"),
    (
        *_STATE_POINT,
        _number("timestep_fs", "fs", "time step", 0.0, 20.0),
        _maybe("hydrogen_mass_amu", "amu", "mass of hydrogens after repartitioning; empty with true masses", 1.0, 4.0),
        _count("n_molecules", "molecules in the box", 1),
        _number("cutoff_nm", "nm", "cut-off of the non-bonded forces", 0.0),
        _text("platform", "OpenMM platform that computed the forces"),
        _text("precision", "arithmetic precision of the platform"),
        _number("sampled_ps", "ps", "sampled time at constant pressure", 0.0),
        _number("nve_ps", "ps", "time at constant energy", 0.0),
        _text("failure", "how the run blew up; empty text for one that did not"),
        *_observable("density_g_cm3", "g/cm3", "mass density", 0.0, 25.0),
        *_observable("kinetic_temperature_K", "K", "temperature from the kinetic energy", 0.0, 1e5),
        *_observable(
            "configurational_temperature_K", "K", "temperature from forces on molecules and their curvature", 0.0, 1e5
        ),
        _maybe("energy_drift_kJ_mol_ns", "kJ/mol/ns", "drift of the energy without a thermostat per degree of freedom"),
        _maybe("energy_drift_kJ_mol_ns_standard_error", "kJ/mol/ns", "standard error of the drift", 0.0),
        _maybe("ns_per_day", "ns/d", "simulated time per day (of processor time on the CPU platform)", 0.0),
    ),
)

_CURVE = (
    _text("pair", "the two kinds of atom, for example O-O"),
    _number("r_A", "angstrom", "distance, centre of the bin", 0.0, 1e3),
    _number("g", "1", "radial distribution function", 0.0),
    _maybe("g_standard_error", "1", "standard error of g(r) over blocks of frames", 0.0),
    _number("running_coordination", "1", "mean number of neighbours closer than the outer edge of the bin", 0.0),
)

RDF = Table("rdf", "Radial distribution functions of one run.", ("pair", "r_A"), _CURVE)

RDF_CURVES = Table(
    "rdf_curves",
    "Radial distribution functions of all runs.",
    (*_STATE_KEY, "pair", "r_A"),
    (*_STATE, *_CURVE),
)

_ORIENTATION = _text("orientation", "surface of the silicon wafer", "100", "110", "111")
_STAGE = _count("stage", "growth stage, from 1; the last one is the final film", 1)
_OXIDATION_STATES = range(5)


def _sums_to_one(names: list[str]) -> Callable[[Any], Any]:
    def check(frame: Any) -> Any:
        total = frame[names].sum(axis=1, skipna=False)
        return total.isna() | ((total - 1.0).abs() < 1e-6)

    return check


OXIDE_RUNS = Table(
    "oxide_runs",
    "Oxide films: one row per orientation, temperature, replica and growth stage.",
    ("orientation", "temperature_K", "replica", "stage"),
    (
        _ORIENTATION,
        _TEMPERATURE,
        _REPLICA,
        _STAGE,
        Column("is_final", "bool", "", "whether this is the final film after its full anneal"),
        _text("parameter_set", "name of the energy parameters"),
        _number("recipe_thickness_nm", "nm", "oxide thickness of the recipe from the growth kinetics", 0.0, 1e5),
        _number("target_thickness_nm", "nm", "thickness aimed at in the slab: thickness_scale x recipe", 0.0, 1e3),
        _number("thickness_scale", "1", "ratio of slab to recipe thickness", 0.0, 1e3),
        _count("n_si", "silicon atoms in the slab, frozen ones included", 1),
        _count("n_o", "oxygen atoms in the slab"),
        _number("area_A2", "angstrom2", "area of the slab's surface", 1.0),
        _number("oxygen_per_area_per_A2", "1/angstrom2", "oxygen atoms per area", 0.0, 1e3),
        _number(
            "oxide_thickness_nm",
            "nm",
            "thickness of SiO2 of 2.20 g/cm3 that holds all oxygen of the film",
            0.0,
            1e3,
        ),
        *(
            _number(f"si{n}_fraction", "1", f"fraction of the mobile Si with {n} oxygen neighbours", 0.0, 1.0)
            for n in _OXIDATION_STATES
        ),
        *(
            _number(f"si{n}_per_cm2", "1/cm2", f"mobile Si with {n} oxygen neighbours per area", 0.0)
            for n in _OXIDATION_STATES
        ),
        _number("suboxide_total_per_cm2", "1/cm2", "Si with 1, 2 or 3 oxygen neighbours per area", 0.0),
        _number(
            "suboxide_total_monolayers",
            "1",
            "suboxide_total_per_cm2 over the atoms of one plane of this surface (6.78e14 on (100))",
            0.0,
            1e3,
        ),
        *(
            _maybe(f"suboxide_fraction_{n}", "1", f"share of Si{n}+ in the suboxide Si1+ to Si3+", 0.0, 1.0)
            for n in (1, 2, 3)
        ),
        _maybe(
            "transition_width_A",
            "angstrom",
            "depth over which the oxidation state rises from 10 to 90 % of 4, by a fit of an error function",
            0.0,
            1e3,
        ),
        _maybe(
            "transition_width_isotonic_A",
            "angstrom",
            "the same depth without a model, by isotonic regression; empty where 90 % is not reached",
            0.0,
            1e3,
        ),
        _maybe("error_function_width_A", "angstrom", "standard deviation of the error function's step", 0.0, 1e3),
        _maybe("interface_position_A", "angstrom", "height where the mean oxidation state crosses 2", -1e4, 1e4),
        _maybe("interface_roughness_A", "angstrom", "root mean square height of the dividing surface", 0.0, 1e3),
        _maybe(
            "interface_correlation_length_A",
            "angstrom",
            "distance in the plane over which the dividing surface's autocorrelation falls to 1/e; near 3.84 where it "
            "is uncorrelated, empty where it is flat or correlated over half the cell",
            0.0,
            1e4,
        ),
        _maybe(
            "bridge_fraction",
            "1",
            "share of the O at the interface that join two Si of the substrate's side",
            0.0,
            1.0,
        ),
        _maybe(
            "interface_energy_J_m2",
            "J/m2",
            "energy beyond that of as much crystal and oxide as in the film's interior; empty without an interior",
            -1e3,
            1e3,
        ),
        *(
            _number(f"si{n}_photoemission_share", "1", f"share of Si{n}+ in the Si 2p signal (escape 7 A)", 0.0, 1.0)
            for n in _OXIDATION_STATES
        ),
        _count("n_silicon_inclusions", "clusters of two or more Si joined by Si-Si bonds, cut off from the substrate"),
        _count("largest_silicon_inclusion", "Si atoms in the largest of these; 0 without any"),
        _number("strain_energy_eV_per_atom", "eV", "bond, angle and repulsion energy per mobile atom", 0.0, 100.0),
        _number("bond_energy_eV", "eV", "bond-stretching energy", 0.0),
        _number("angle_energy_eV", "eV", "bond-bending energy", 0.0),
        _number("suboxide_energy_eV", "eV", "suboxide penalty", 0.0),
        _number("repulsion_energy_eV", "eV", "repulsion between atoms that share no bond or angle", 0.0),
        _maybe("si_o_si_angle_deg", "degree", "mean Si-O-Si angle", 0.0, 180.0),
        *(
            _maybe(f"rings_{n}_per_si", "1", f"rings of {n} Si in the oxide's interior, per Si there", 0.0, 1e3)
            for n in range(3, 10)
        ),
        _maybe("mean_ring_size", "1", "mean size of the rings of the oxide's interior", 2.0, 12.0),
        _maybe("si_o_si_angle_sd_deg", "degree", "standard deviation of the Si-O-Si angles in the film", 0.0, 180.0),
        _maybe(
            "film_density_g_cm3",
            "g/cm3",
            "mass density of the oxide's interior, from 3 angstrom above the interface to 2.5 below the surface; empty "
            "where that is thinner than 3 angstrom",
            0.0,
            25.0,
        ),
        _maybe("lateral_stress_GPa", "GPa", "mean lateral stress of the oxide, tension positive", -1e4, 1e4),
        _maybe("accepted_fraction", "1", "accepted share of the bond-switch and hop attempts of the stage", 0.0, 1.0),
        _number("kT_eV", "eV", "temperature of the Metropolis criterion as an energy", 0.0, 100.0),
    ),
    (
        ("si0_fraction to si4_fraction sum to 1", _sums_to_one([f"si{n}_fraction" for n in _OXIDATION_STATES])),
        ("photoemission shares sum to 1", _sums_to_one([f"si{n}_photoemission_share" for n in _OXIDATION_STATES])),
        ("suboxide_fraction_1 to _3 sum to 1", _sums_to_one([f"suboxide_fraction_{n}" for n in (1, 2, 3)])),
    ),
)

OXIDE_SITES = Table(
    "oxide_sites",
    "Atoms of the final films.",
    ("orientation", "temperature_K", "replica", "site"),
    (
        _ORIENTATION,
        _TEMPERATURE,
        _REPLICA,
        _count("site", "number of the atom in the film, from 0"),
        _text("element", "chemical element", "Si", "O"),
        _number("x_A", "angstrom", "position along x"),
        _number("y_A", "angstrom", "position along y"),
        _number("z_A", "angstrom", "position along the surface normal"),
        _maybe("depth_A", "angstrom", "distance from the interface, positive into the oxide"),
        Column("oxidation_state", "int", "1", "oxygen neighbours of a Si; 0 for O", 0, 4),
        Column("coordination", "int", "1", "number of bonds", 0, 8),
        _maybe("mean_bond_length_A", "angstrom", "mean length of the bonds of the atom", 0.0, 10.0),
        _maybe("mean_angle_deg", "degree", "mean bond angle at the atom", 0.0, 180.0),
        _maybe("voronoi_volume_A3", "angstrom3", "volume of the Voronoi cell; empty at a free surface", 0.0, 1e6),
        _maybe("smallest_ring", "1", "Si in the smallest ring through a Si, up to 12; empty for O", 2.0, 12.0),
        _maybe("mean_ring_size", "1", "mean size of the shortest-path rings through a Si; empty for O", 2.0, 12.0),
        _number("energy_eV", "eV", "share of the atom in the energy"),
        Column("frozen", "bool", "", "whether the atom is held at its crystal site"),
    ),
)

OXIDE_PROFILES = Table(
    "oxide_profiles",
    "Depth profiles of the films after every growth stage.",
    ("orientation", "temperature_K", "replica", "stage", "depth_A"),
    (
        _ORIENTATION,
        _TEMPERATURE,
        _REPLICA,
        _STAGE,
        _number("depth_A", "angstrom", "distance from the interface, positive into the oxide; centre of the bin"),
        *(
            _number(f"si{n}_per_A3", "1/angstrom3", f"Si with {n} oxygen neighbours per volume", 0.0)
            for n in _OXIDATION_STATES
        ),
        _number("o_per_A3", "1/angstrom3", "O per volume", 0.0),
        _number("density_g_cm3", "g/cm3", "mass density", 0.0, 25.0),
    ),
)

OXIDE_RDF = Table(
    "oxide_rdf",
    "Partial radial distribution functions of the interior of the final films' oxide.",
    ("orientation", "temperature_K", "replica", "pair", "r_A"),
    (
        _ORIENTATION,
        _TEMPERATURE,
        _REPLICA,
        _text("pair", "elements of the pair", "Si-Si", "Si-O", "O-O"),
        _number("r_A", "angstrom", "distance, centre of the bin", 0.0, 100.0),
        _number("g", "1", "radial distribution function", 0.0),
    ),
)

OXIDE_STRUCTURE_FACTORS = Table(
    "oxide_structure_factors",
    "Structure factors of the interior of the final films' oxide, for wave vectors in the plane.",
    ("orientation", "temperature_K", "replica", "radiation", "q_per_A"),
    (
        _ORIENTATION,
        _TEMPERATURE,
        _REPLICA,
        _text("radiation", "what is scattered", "x-ray", "neutron"),
        _number("q_per_A", "1/angstrom", "mean length of the wave vectors of the bin", 0.0, 100.0),
        _number("s", "1", "Faber and Ziman's total structure factor"),
        _count("n_vectors", "wave vectors in the bin, q and -q counted once", 1),
    ),
)

OXIDE_BULK = Table(
    "oxide_bulk",
    "Annealed bulk SiOx: one row per composition, temperature and replica.",
    ("x", "kT_eV", "replica"),
    (
        _number("x", "1", "O atoms per Si atom", 0.0, 2.0),
        _number("kT_eV", "eV", "temperature of the anneal as an energy", 0.0, 100.0),
        _REPLICA,
        _text("parameter_set", "name of the energy parameters"),
        _count("n_si", "silicon atoms", 1),
        _count("n_o", "oxygen atoms"),
        _number("density_g_cm3", "g/cm3", "mass density at zero pressure", 0.0, 25.0),
        _number("strain_energy_eV_per_si", "eV", "bond, angle and repulsion energy per Si", 0.0, 100.0),
        _number("suboxide_energy_eV_per_si", "eV", "suboxide penalty per Si", 0.0, 10.0),
        _number("energy_eV_per_si", "eV", "sum of both", 0.0, 100.0),
        _number("start_suboxide_energy_eV_per_si", "eV", "the penalty of the start, O on random bonds", 0.0, 10.0),
        _number(
            "random_bond_suboxide_energy_eV_per_si",
            "eV",
            "exact mean of the penalty over all ways to place the O on the bonds: infinite temperature",
            0.0,
            10.0,
        ),
        *(
            _number(f"si{n}_fraction", "1", f"fraction of the Si with {n} oxygen neighbours", 0.0, 1.0)
            for n in _OXIDATION_STATES
        ),
        _maybe("si_o_si_angle_deg", "degree", "mean Si-O-Si angle", 0.0, 180.0),
        _count("n_silicon_clusters", "clusters of two or more Si joined by Si-Si bonds"),
        _maybe("largest_cluster_share", "1", "share of the Si in clusters that is in the largest", 0.0, 1.0),
        _maybe("mean_cluster_size", "1", "Si in the cluster of a Si with a Si-Si bond, on average", 1.0),
        Column("percolating_directions", "int", "1", "axes along which a cluster meets its periodic image", 0, 3),
        _maybe("accepted_fraction", "1", "accepted share of all attempts of the anneal", 0.0, 1.0),
    ),
    (("si0_fraction to si4_fraction sum to 1", _sums_to_one([f"si{n}_fraction" for n in _OXIDATION_STATES])),),
)

OXIDE_EQUILIBRIUM = Table(
    "oxide_equilibrium",
    "One film of each surface at equilibrium with its oxygen fixed, against temperature: replica exchange and MBAR.",
    ("orientation", "temperature_K"),
    (
        _ORIENTATION,
        _TEMPERATURE,
        _number("kT_eV", "eV", "temperature as an energy", 0.0, 100.0),
        Column("is_rung", "bool", "", "whether replicas were simulated at this temperature"),
        _text("status", "ok, or why there is no value at this temperature"),
        _number("film_temperature_K", "K", "temperature at which the film was grown", 1.0, 5000.0),
        _count("n_o", "oxygen atoms in the film, the same at every temperature", 1),
        _count("n_rungs", "temperatures of the ladder", 2),
        _maybe("independent_rounds", "1", "samples of each rung left after thinning by the slowest memory", 0.0),
        _maybe("effective_samples", "1", "Kish's number of samples that carry the value, of all rungs", 0.0),
        _count("round_trips", "journeys of all replicas from the lowest rung to the highest and back"),
        _count("travelling_replicas", "replicas that made one or more of them"),
        _maybe("least_swap_acceptance", "1", "lowest share of exchanges accepted between neighbouring rungs", 0.0, 1.0),
        *(
            column
            for n in (1, 2, 3)
            for column in _averaged(f"si{n}_per_cm2", "1/cm2", f"mobile Si with {n} oxygen neighbours per area")
        ),
        *_averaged("suboxide_total_per_cm2", "1/cm2", "Si with 1, 2 or 3 oxygen neighbours per area"),
        *_averaged(
            "suboxide_total_monolayers", "1", "suboxide_total_per_cm2 over the atoms of one plane of this surface", 1e3
        ),
        *(
            column
            for n in (1, 2, 3)
            for column in _averaged(f"suboxide_fraction_{n}", "1", f"share of Si{n}+ in the suboxide Si1+ to Si3+", 1.0)
        ),
        *_averaged("suboxide_energy_eV", "eV", "suboxide penalty of the film"),
        *_averaged("strain_energy_eV_per_atom", "eV", "bond, angle and repulsion energy per mobile atom", 100.0),
    ),
)

GROWTH_CURVES = Table(
    "growth_curves",
    "Oxide thickness against time from the growth kinetics, one curve per orientation and temperature.",
    ("orientation", "temperature_K", "time_s"),
    (
        _ORIENTATION,
        _TEMPERATURE,
        _number("time_s", "s", "time in the recipe's last step, which is at this temperature", 0.0),
        _number("thickness_nm", "nm", "oxide thickness", 0.0, 1e6),
        _number(
            "thickness_standard_error_nm",
            "nm",
            "standard error of the thickness from the scatter of the published rate constants",
            0.0,
            1e6,
        ),
        Column("is_recipe", "bool", "", "whether this is the time of the study's recipe"),
        _text("kinetics", "name of the growth law"),
        _text("ambient", "oxidising gas"),
    ),
)

MOLECULES = Table(
    "molecules",
    "Single molecules from semi-empirical quantum chemistry.",
    ("list", "molecule"),
    (
        _text("list", "list that the molecule stands in; named for those that the configuration names one by one"),
        _text("molecule", "name of the molecule in its list"),
        _text("smiles", "SMILES of the molecule"),
        _maybe("logP_measured", "1", "measured octanol-water partition coefficient, decadic logarithm, from the list"),
        Column("charge", "int", "e", "total charge", -20, 20),
        Column("spin_multiplicity", "int", "1", "2S + 1; 0 where there is no structure", 0, 20),
        _count("n_atoms", "atoms, hydrogens included; 0 where there is no structure"),
        _text("method", "quantum-chemical method"),
        _text("status", "ok, or the reason why there is no result"),
        _maybe("energy_eV", "eV", "total energy"),
        _maybe("dipole_D", "debye", "dipole moment; of an ion, about its centre of mass", 0.0, 1e3),
        _maybe("homo_eV", "eV", "energy of the highest occupied orbital; empty without valence electrons", -1e3, 1e3),
        _maybe("lumo_eV", "eV", "energy of the lowest empty orbital; empty if every orbital is full", -1e3, 1e3),
        _maybe("gap_eV", "eV", "lumo_eV - homo_eV", -1e-9, 1e3),
        _maybe("max_force_eV_A", "eV/angstrom", "largest force on an atom at the end of the optimisation", 0.0),
        Column("n_steps", "int", "1", "steps of the geometry optimisation", 0),
        _maybe("solvation_water_eV", "eV", "free energy of solvation in water, ALPB, 1 mol/l to 1 mol/l"),
        _maybe("solvation_octanol_eV", "eV", "free energy of solvation in dry octanol, ALPB, 1 mol/l to 1 mol/l"),
        _maybe("solvation_wet_octanol_eV", "eV", "the same in octanol saturated with water"),
        _text("density_functional", "functional/basis of the columns dft_; empty without"),
        _maybe("dft_energy_eV", "eV", "total energy of the density functional at the same geometry"),
        _maybe("dft_dipole_D", "debye", "its dipole moment; of an ion, about its centre of mass", 0.0, 1e3),
        Column("charges", "list<float>", "e", "Mulliken charge of every atom; empty list without a result"),
        Column("symbols", "list<str>", "", "element of every atom"),
    ),
)

SITE_ENVIRONMENTS = Table(
    "site_environments",
    "Geometry around the mobile Si of the final films, without bonds and without elements.",
    ("orientation", "temperature_K", "replica", "site"),
    (
        _ORIENTATION,
        _TEMPERATURE,
        _REPLICA,
        _count("site", "number of the atom in the film, from 0"),
        *(
            _number(f"distance_{k}_A", "angstrom", f"distance to the nearest atom number {k}", 0.1, 1e3)
            for k in range(1, 13)
        ),
        *(
            _number(
                f"cosine_{k}",
                "1",
                f"cosine number {k}, ascending, of the angles between the nearest four",
                -1.001,
                1.001,
            )
            for k in range(1, 7)
        ),
    ),
)

PLACEMENTS = Table(
    "placements",
    "Relaxed energies of oxygen placed on the bonds of a silicon crystal of 16 atoms, one row per distinct placement.",
    ("n_oxygen", "placement"),
    (
        Column("n_oxygen", "int", "1", "oxygen atoms in the cell", 0, 32),
        _text(
            "placement", "bonds that hold an O, as a mask of 32 bits in hexadecimal; the least of all equivalent ones"
        ),
        _count("multiplicity", "placements that symmetry makes equivalent to this one, itself included", 1),
        *(
            _count(f"pair_{k}", f"pairs of O of kind {k} by symmetry, from the closest (kind 1 shares a Si)")
            for k in range(1, 7)
        ),
        *(_count(f"triplet_{k}", f"triplets of O of kind {k} by symmetry, from the closest") for k in range(1, 25)),
        _number("energy_eV", "eV", "relaxed energy of the cell of 16 Si without pressure; 0 without oxygen", -1e4, 1e4),
        _number("edge_strain", "1", "relaxed edge of the cell against that of the crystal, minus one", -0.5, 0.5),
        _text("parameter_set", "name of the energy parameters"),
    ),
)

KINDS = ("experiment", "simulation", "analytic")
CHECKED = ("verified", "literature, unchecked")

VALIDATION = Table(
    "validation",
    "Every compared number beside its reference.",
    ("stage", "system", "model", "temperature_K", "pressure_bar", "quantity", "reference_kind", "source"),
    (
        _text("stage", "stage that made the number", "dynamics", "oxidation", "molecules", "learning"),
        _text("system", "what was simulated"),
        _text("model", "force field, parameter set or method"),
        _maybe("temperature_K", "K", "temperature; empty where it has no meaning", 0.0, 5000.0),
        _maybe("pressure_bar", "bar", "pressure; empty where it has no meaning", -1e5, 1e6),
        _text("quantity", "name of the compared quantity"),
        _text("unit", "unit of value, errors and reference"),
        _number("value", VARIES, "computed value, mean over replicas"),
        _maybe("standard_error", VARIES, "standard error of value; empty for a deterministic calculation", 0.0),
        _maybe("n_independent", "1", "independent samples (or replicas) behind standard_error", 0.0),
        _number("reference_value", VARIES, "reference value"),
        _maybe("reference_error", VARIES, "standard error of the reference, as far as it is known", 0.0),
        _text("reference_kind", "where the reference comes from", *KINDS),
        _text("source", "source of the reference"),
        _text("checked", "whether the reference was checked against its source", *CHECKED),
        _maybe("deviation_percent", "percent", "100 (value - reference_value) / |reference_value|"),
        _maybe("z_score", "1", "(value - reference_value) / sqrt(standard_error^2 + reference_error^2)"),
        _text("verdict", "see moxie.reference.validation.verdict"),
    ),
)

PREDICTIONS = Table(
    "predictions",
    "Predictions of a learning task for held-out rows.",
    ("temperature_K", "replica", "stage"),
    (
        _TEMPERATURE,
        _REPLICA,
        _STAGE,
        _number("oxygen_per_area_per_A2", "1/angstrom2", "oxygen atoms per area", 0.0),
        _text("target", "name of the predicted observable"),
        _count("fold", "number of the fold in which the row was held out"),
        _number("observed", VARIES, "simulated value"),
        _number("predicted", VARIES, "Gaussian process, trained without this temperature"),
        _number("standard_deviation", VARIES, "predictive standard deviation, replica noise included", 0.0),
        _number("lower", VARIES, "lower end of the predictive interval"),
        _number("upper", VARIES, "upper end of the predictive interval"),
        _number("linear_interpolation", VARIES, "baseline: linear interpolation, without this temperature"),
        _number("mean", VARIES, "baseline: mean of the other temperatures"),
    ),
)

_LOGP = "octanol-water partition coefficient, decadic logarithm"

LOGP_PREDICTIONS = Table(
    "logp_predictions",
    "Predictions of the learning task logp: of measured molecules when they were held out, and of all others.",
    ("list", "molecule"),
    (
        _text("list", "list that the molecule stands in"),
        _text("molecule", "name of the molecule in its list"),
        _text("smiles", "SMILES of the molecule"),
        _text("role", "held out: measured, and predicted by a model that did not know it; new", "held out", "new"),
        _text("scaffold", "Bemis-Murcko scaffold, the group of the split"),
        _maybe("fold", "1", "number of the fold in which the row was held out", 0.0),
        _maybe("observed", "1", f"measured {_LOGP}"),
        _number("predicted", "1", f"{_LOGP}, by learning the error of the solvation model"),
        _number("lower", "1", "lower end of the predictive interval"),
        _number("upper", "1", "upper end of the predictive interval"),
        _number("nearest_similarity", "1", "Tanimoto similarity of the most similar training molecule", 0.0, 1.0),
        _text("applicability", "inside, in the training set, or why the prediction is an extrapolation"),
        _maybe("mean", "1", "baseline: mean of the training molecules"),
        _number("alpb_dry", "1", "baseline: ALPB solvation in water and dry octanol"),
        _number("alpb_wet", "1", "baseline: ALPB solvation in water and wet octanol"),
        _number("crippen", "1", "baseline: Wildman and Crippen's sum over atoms"),
        _maybe("descriptors", "1", "learnt from descriptors alone"),
        _maybe("descriptors_quantum", "1", "learnt from descriptors and quantum chemistry"),
    ),
)

NETWORK_ENERGY_PREDICTIONS = Table(
    "network_energy_predictions",
    "Predictions of the learning task network_energy for oxygen contents that its training set lacks.",
    ("n_oxygen", "placement"),
    (
        Column("n_oxygen", "int", "1", "oxygen atoms in the cell of 16 Si", 0, 32),
        _text("placement", "name of the placement, as in the table placements"),
        _number("observed", "eV", "relaxed energy of the cell"),
        _number("predicted", "eV", "ridge regression on pairs and triplets of O"),
        _number("lower", "eV", "lower end of the predictive interval"),
        _number("upper", "eV", "upper end of the predictive interval"),
        _number("mean", "eV", "baseline: mean of the training rows"),
        _number("composition", "eV", "baseline: linear in the number of O"),
        _number("pairs", "eV", "ridge regression on pairs of O"),
        _number("trees", "eV", "gradient-boosted trees on pairs and triplets of O"),
    ),
)

SITE_MAP = Table(
    "site_map",
    "Every mobile Si of the final films on the map of the task site_map.",
    ("orientation", "temperature_K", "replica", "site"),
    (
        _ORIENTATION,
        _TEMPERATURE,
        _REPLICA,
        _count("site", "number of the atom in the film, from 0"),
        _count("cluster", "cluster, from 0, in the order of size"),
        _number("component_1", "1", "first principal component of the scaled features"),
        _number("component_2", "1", "second principal component of the scaled features"),
        _number("unusualness", "1", "mean distance to the ten most similar other sites, scaled features", 0.0),
        _number("x_A", "angstrom", "position along x"),
        _number("y_A", "angstrom", "position along y"),
        _number("z_A", "angstrom", "position along the surface normal"),
        Column("oxidation_state", "int", "1", "oxygen neighbours, which the map has not seen", 0, 4),
        _number("strain_energy_eV", "eV", "energy of the site without suboxide penalty, which the map has not seen"),
    ),
)

FORCE_FIELD_ERROR_PREDICTIONS = Table(
    "force_field_error_predictions",
    "Predictions of the learning task force_field_error for state points that were left out.",
    ("system", "model", "quantity", "temperature_K", "pressure_bar"),
    (
        _text("system", "name of the simulated liquid"),
        _text("model", "force field"),
        _text("quantity", "name of the compared quantity"),
        _TEMPERATURE,
        _PRESSURE,
        _number("observed", "percent", "deviation of the simulation from the reference"),
        _number("standard_error", "percent", "its standard error", 0.0),
        _number("predicted", "percent", "Bayesian linear regression in temperature and pressure, without this state"),
        _number("lower", "percent", "lower end of the predictive interval"),
        _number("upper", "percent", "upper end of the predictive interval"),
        _number("constant", "percent", "baseline: mean of the other states of the curve"),
        _number("gaussian_process", "percent", "Gaussian process, without this state"),
    ),
)

SEARCHES = Table(
    "searches",
    "Searches for the placement of O of lowest energy: a row wherever a search found something lower, and at its end.",
    ("method", "seed", "relaxations"),
    (
        _text("method", "name of the search"),
        _count("seed", "number of the repetition, from 0"),
        _count("relaxations", "relaxations of unique orbits spent so far", 1),
        _number("best_energy_eV", "eV", "lowest relaxed energy so far, per searched cell"),
    ),
)

TABLES = {
    table.name: table
    for table in (
        LIQUIDS,
        ELECTROLYTES,
        TRANSPORT,
        TRANSPORT_CURVES,
        SETTINGS_STUDY,
        RDF,
        RDF_CURVES,
        OXIDE_RUNS,
        OXIDE_SITES,
        OXIDE_PROFILES,
        OXIDE_RDF,
        OXIDE_STRUCTURE_FACTORS,
        OXIDE_BULK,
        OXIDE_EQUILIBRIUM,
        GROWTH_CURVES,
        MOLECULES,
        SITE_ENVIRONMENTS,
        PLACEMENTS,
        VALIDATION,
        SEARCHES,
        PREDICTIONS,
        LOGP_PREDICTIONS,
        NETWORK_ENERGY_PREDICTIONS,
        SITE_MAP,
        FORCE_FIELD_ERROR_PREDICTIONS,
    )
}


def get_table(name: str) -> Table:
    """Return the description of a table; raises InputError with the names there are."""
    if name not in TABLES:
        raise InputError(f"There is no table {name!r}; the tables are {', '.join(TABLES)}.")
    return TABLES[name]


def pandera_schema(table: Table) -> Any:
    """Return the strict pandera schema of a table: types, ranges, no other columns, unique keys."""
    import pandera.pandas as pandera

    def is_list_of(kind: type) -> Any:
        return pandera.Check(
            lambda value: isinstance(value, list) and all(isinstance(item, kind) for item in value),
            element_wise=True,
            error=f"a list of {kind.__name__}",
        )

    def column_schema(column: Column) -> Any:
        checks = []
        if column.low is not None:
            checks.append(pandera.Check.ge(column.low, error=f"at least {column.low:g}"))
        if column.high is not None:
            checks.append(pandera.Check.le(column.high, error=f"at most {column.high:g}"))
        if column.allowed:
            checks.append(pandera.Check.isin(column.allowed, error=f"one of {', '.join(column.allowed)}"))
        if column.dtype == "float":
            checks.append(pandera.Check(lambda values: abs(values) < float("inf"), error="finite"))
        if column.dtype.startswith("list"):
            checks.append(is_list_of(float if "float" in column.dtype else str))
        dtype = {"float": "float64", "int": "int64", "bool": "bool", "str": "str"}.get(column.dtype, "object")
        return pandera.Column(dtype, checks, nullable=column.nullable)

    return pandera.DataFrameSchema(
        {column.name: column_schema(column) for column in table.columns},
        checks=[pandera.Check(check, error=name) for name, check in table.checks],
        strict=True,
        unique=list(table.key),
        name=table.name,
    )
