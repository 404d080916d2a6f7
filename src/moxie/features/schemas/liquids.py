"""Tables of simulated liquids and electrolytes: one state point and replica each, and their structure."""

from typing import Any

from moxie.features.dihedrals import BIN_WIDTH_DEG, TORSIONS
from moxie.features.schemas.columns import (
    FORCE_FIELD_SHA256,
    OF_A_DIFFERENCE,
    OF_CONTACTS,
    OF_FLUCTUATIONS,
    OF_FRAMES,
    OF_PARTS,
    OF_THE_DIPOLE,
    ONE_VARIANT,
    PRESSURE,
    REPLICA,
    TEMPERATURE,
    count,
    maybe,
    number,
    observable,
    text,
)
from moxie.features.schemas.table import Column, Table

NEIGHBOURS = range(7)
_STATE_KEY = ("system", "force_field", "temperature_K", "pressure_bar", "replica")

_STATE = (
    text("system", "name of the simulated system in the configuration"),
    text("force_field", "name of the force field"),
    TEMPERATURE,
    PRESSURE,
    REPLICA,
    FORCE_FIELD_SHA256,
)

_LIQUID_RUN = (
    *_STATE,
    text("composition", "canonical SMILES of a pure liquid; SMILES:count of a mixture, in lowest terms"),
    maybe(
        "force_field_penalty",
        "1",
        "largest penalty of a term that parmchk2 estimated for GAFF, from 0 (as good as its own) on; empty without any",
        0.0,
    ),
    text("ensemble", "ensemble sampled", "NPT", "NVT"),
    count("n_molecules", "molecules in the box", 1),
    count("n_sites", "interaction sites in the box", 1),
    text("platform", "OpenMM platform that computed the forces"),
    text("precision", "arithmetic precision of the platform"),
    number("timestep_fs", "fs", "time step", 0.0, 20.0),
    number("sampled_ps", "ps", "length of the time series before the equilibration is cut off", 0.0),
    number("equilibration_ps", "ps", "start of the stationary part, detected from the data", 0.0),
)


def from_grid(stem: str, unit_suffix: str, unit: str, description: str, limit: float) -> tuple[Column, ...]:
    """An observable from the grid of state points, and how far the one from fluctuations is from it."""
    return (
        *observable(
            f"{stem}_from_grid{unit_suffix}", unit, f"{description}; empty at the edges", -limit, limit, OF_A_DIFFERENCE
        ),
        maybe(f"{stem}_grid_z", "1", f"({stem}{unit_suffix} - the one from the grid) / combined standard error"),
    )


LIQUIDS = Table(
    "liquids",
    "Molecular liquids: one row per state point and replica.",
    _STATE_KEY,
    (
        *_LIQUID_RUN,
        *observable("density_g_cm3", "g/cm3", "mass density", 0.0, 25.0),
        *observable(
            "enthalpy_of_vaporisation_kJ_mol",
            "kJ/mol",
            "molar enthalpy of vaporisation into the ideal gas: <U_gas> + RT - <U_liquid>/N - pV/N",
            -1e3,
            1e3,
            OF_PARTS,
        ),
        *observable("potential_energy_kJ_mol", "kJ/mol", "potential energy per molecule", -1e5, 1e5),
        *observable(
            "enthalpy_kJ_mol",
            "kJ/mol",
            "enthalpy per mole of the classical model: potential energy + pV + f RT/2, f degrees of freedom",
            -1e5,
            1e5,
        ),
        *observable(
            "thermal_expansion_per_K",
            "1/K",
            "isobaric thermal expansion from fluctuations of volume and enthalpy",
            -1,
            1,
            OF_FLUCTUATIONS,
        ),
        *from_grid("thermal_expansion", "_per_K", "1/K", "-d ln(density)/dT over the neighbouring temperatures", 1.0),
        *observable(
            "isothermal_compressibility_per_GPa",
            "1/GPa",
            "isothermal compressibility from volume fluctuations",
            -1e6,
            1e6,
            OF_FLUCTUATIONS,
        ),
        *from_grid(
            "isothermal_compressibility", "_per_GPa", "1/GPa", "d ln(density)/dp over the neighbouring pressures", 1e6
        ),
        *observable(
            "heat_capacity_J_mol_K",
            "J/mol/K",
            "isobaric heat capacity of the classical model from enthalpy fluctuations, f R/2 included; no quantum "
            "correction, nothing for rigid bonds",
            -1e5,
            1e5,
            OF_FLUCTUATIONS,
        ),
        *from_grid("heat_capacity", "_J_mol_K", "J/mol/K", "d(enthalpy)/dT over the neighbouring temperatures", 1e5),
        *observable(
            "residual_heat_capacity_J_mol_K",
            "J/mol/K",
            "isobaric heat capacity of the liquid less that of its ideal gas, both classical, from fluctuations",
            -1e5,
            1e5,
            OF_FLUCTUATIONS,
        ),
        *observable(
            "dielectric_constant",
            "1",
            "static dielectric constant from fluctuations of the box's dipole moment",
            -1e5,
            1e5,
            OF_THE_DIPOLE,
        ),
        *observable(
            "hydrogen_bonds_per_molecule",
            "1",
            "hydrogen bonds between molecules per molecule, each counted once: donor to acceptor below 3.5 angstrom, "
            "angle H-donor-acceptor below 30 degrees",
            0.0,
            20.0,
        ),
        *(
            column
            for name, torsion in TORSIONS.items()
            for column in observable(
                f"{name}_trans_fraction",
                "1",
                f"share of the {torsion.description} beyond 120 degrees; the rest is gauche",
                0.0,
                1.0,
            )
        ),
        *observable(
            "rdf_oo_peak_position_A", "angstrom", "position of the first O-O peak of g(r)", 0.0, 20.0, OF_FRAMES
        ),
        *observable("rdf_oo_peak_height", "1", "height of the first O-O peak of g(r)", 0.0, 1e3, OF_FRAMES),
        *observable("rdf_oo_first_minimum_A", "angstrom", "first minimum of the O-O g(r)", 0.0, 20.0, OF_FRAMES),
        *observable(
            "coordination_oo",
            "1",
            "O neighbours, of other molecules, of an O within the first minimum",
            0.0,
            50.0,
            OF_FRAMES,
        ),
        *(
            maybe(name, unit, f"{words}; NPT, the whole box, for pooling replicas")
            for name, unit, words in (
                ("volume_nm3", "nm3", "mean volume V"),
                ("volume_variance_nm6", "nm6", "variance of V about the mean of the run"),
                ("box_enthalpy_kJ_mol", "kJ/mol", "mean of H = U + pV"),
                ("box_enthalpy_variance_kJ2_mol2", "kJ2/mol2", "variance of H about the mean of the run"),
                ("volume_enthalpy_covariance", "nm3 kJ/mol", "covariance of V and H"),
                ("configurational_heat_capacity_J_mol_K", "J/mol/K", "heat capacity per mole without kinetic energy"),
            )
        ),
    ),
    checks=(ONE_VARIANT,),
)

ELECTROLYTES = Table(
    "electrolytes",
    "Salt solutions: one row per state point and replica.",
    _STATE_KEY,
    (
        *_LIQUID_RUN,
        text("cations", "the cations, by element or by the molecule's name, joined by +"),
        text("anions", "the anions"),
        *observable("density_g_cm3", "g/cm3", "mass density, sampled (NPT) or given (NVT)", 0.0, 25.0),
        *observable("potential_energy_kJ_mol", "kJ/mol", "potential energy per molecule", -1e5, 1e5),
        *observable("cation_water_peak_A", "angstrom", "first peak of g(r), cations to water O", 0.0, 20.0, OF_FRAMES),
        *observable(
            "cation_water_peak_height", "1", "height of the first peak of g(r), cations to water O", 0.0, 1e3, OF_FRAMES
        ),
        *observable("cation_water_coordination", "1", "water O around a cation within the first minimum", 0.0, 50.0),
        *observable(
            "cation_anion_peak_A",
            "angstrom",
            "first peak of g(r), cations to the anions' coordinating atoms",
            0.0,
            20.0,
            OF_FRAMES,
        ),
        *observable(
            "cation_anion_coordination",
            "1",
            "coordinating atoms of anions around a cation within the first minimum",
            0.0,
            50.0,
        ),
        *observable(
            "cation_contact_fraction",
            "1",
            "fraction of cations with at least one coordinating atom of an anion within the first minimum",
            0.0,
            1.0,
        ),
        *(
            column
            for name, words in (("free", "of one"), ("contact_pair", "of two"), ("aggregate", "of three and more"))
            for column in observable(
                f"{name}_ion_fraction",
                "1",
                f"share of the ions that are in clusters {words}; ions touch within the first minimum of g(r)",
                0.0,
                1.0,
            )
        ),
        *observable("largest_ion_cluster", "1", "ions in the largest cluster of touching ions", 1.0, 1e7),
        *observable(
            "cation_anion_contact_time_continuous_ps",
            "ps",
            "time until a contact of cation and anion first breaks; it depends on the interval of the frames",
            0.0,
            1e9,
            OF_CONTACTS,
        ),
        *observable(
            "cation_anion_contact_time_intermittent_ps",
            "ps",
            "time in which the correlation of being in contact falls to 1/e, whatever came between",
            0.0,
            1e9,
            OF_CONTACTS,
        ),
        *(
            column
            for stem, words in (("cation_water", "water O"), ("cation_anion", "coordinating atoms of anions"))
            for n in NEIGHBOURS
            for column in observable(
                f"{stem}_{n}_fraction", "1", f"fraction of cations with {n} {words} within the first minimum", 0.0, 1.0
            )
        ),
    ),
    checks=(ONE_VARIANT,),
)

_CURVE = (
    text(
        "pair",
        "the two kinds of atom: O-O of hydroxyl groups, else the molecules' central atoms (C-C); cation and anion "
        "(Li-O(tfsi)), "
        "cation and solvent (Li-Ow, Li-O(ec))",
    ),
    number("r_A", "angstrom", "distance, centre of the bin", 0.0, 1e3),
    *observable("g", "1", "radial distribution function", 0.0, 1e6, OF_FRAMES),
    *observable(
        "running_coordination",
        "1",
        "mean number of neighbours closer than the outer edge of the bin",
        0.0,
        1e6,
        OF_FRAMES,
    ),
)

RDF = Table("rdf", "Radial distribution functions of one run.", ("pair", "r_A"), _CURVE)

RDF_CURVES = Table(
    "rdf_curves",
    "Radial distribution functions of all runs.",
    (*_STATE_KEY, "pair", "r_A"),
    (*_STATE, *_CURVE),
    checks=(ONE_VARIANT,),
)

_DISTRIBUTION = (
    text(
        "torsion",
        "kind of dihedral angle, with the component where several have it: "
        + "; ".join(f"{n}, {t.description}" for n, t in TORSIONS.items()),
    ),
    number("angle_deg", "degree", f"dihedral angle, centre of a bin of {BIN_WIDTH_DEG:g}; 180 is trans", -180.0, 180.0),
    *observable(
        "probability_density_per_deg",
        "1/degree",
        f"probability of the angle per degree; its sum times {BIN_WIDTH_DEG:g} is 1",
        0.0,
        1.0,
        "s sqrt(g/n) of the well's population in proportion, with that of the remaining fluctuations",
    ),
)


def _normalised(frame: Any) -> Any:
    curves = [name for name in frame if name in _STATE_KEY or name == "torsion"]
    total = frame.groupby(curves)["probability_density_per_deg"].transform("sum") * BIN_WIDTH_DEG
    return (total - 1.0).abs() < 1e-6


_NORMALISED = ("probabilities that sum to 1 for each curve", _normalised)

DIHEDRALS = Table(
    "dihedrals",
    "Distributions of the dihedral angles of one run.",
    ("torsion", "angle_deg"),
    _DISTRIBUTION,
    checks=(_NORMALISED,),
)

DIHEDRAL_CURVES = Table(
    "dihedral_curves",
    "Distributions of the dihedral angles of all liquids and electrolytes.",
    (*_STATE_KEY, "torsion", "angle_deg"),
    (*_STATE, *_DISTRIBUTION),
    checks=(ONE_VARIANT, _NORMALISED),
)
