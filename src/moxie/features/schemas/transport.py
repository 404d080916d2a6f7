"""Tables of transport coefficients, and of the study of settings."""

from moxie.features.schemas.columns import (
    FORCE_FIELD_SHA256,
    OF_A_SLOPE,
    OF_A_SPECTRUM,
    OF_FLUCTUATIONS,
    OF_PARTS,
    OF_WALKS,
    ONE_VARIANT,
    PRESSURE,
    TEMPERATURE,
    count,
    maybe,
    number,
    observable,
    text,
)
from moxie.features.schemas.table import VARIES, Column, Table

_STATE_POINT = (
    text("system", "name of the simulated system in the configuration"),
    text("force_field", "name of the force field"),
    TEMPERATURE,
    PRESSURE,
    FORCE_FIELD_SHA256,
)

TRANSPORT = Table(
    "transport",
    "Transport coefficients: one row per state point and species, all replicas and legs together.",
    ("system", "force_field", "temperature_K", "pressure_bar", "species"),
    (
        *_STATE_POINT,
        text("species", "name of the molecule whose diffusion the row holds"),
        text("smiles", "SMILES of the molecule"),
        count("n_molecules", "molecules of the species in the box", 1),
        count("n_legs", "legs at constant energy, of all replicas", 1),
        number("leg_ps", "ps", "length of a leg", 0.0),
        number("edge_nm", "nm", "edge of the box", 0.0),
        number("mean_temperature_K", "K", "mean kinetic temperature of the legs", 1.0, 5000.0),
        number("timestep_fs", "fs", "time step, with true masses", 0.0, 20.0),
        number("energy_drift_kJ_mol_ns", "kJ/mol/ns", "drift of the total energy per degree of freedom"),
        *observable(
            "diffusion_m2_s",
            "m2/s",
            "self-diffusion coefficient in this box: slope of the mean squared displacement over all time origins, by "
            "generalised least squares",
            -1.0,
            1.0,
            OF_WALKS,
        ),
        *observable(
            "diffusion_corrected_m2_s",
            "m2/s",
            "self-diffusion coefficient of an infinite system (Yeh and Hummer), with the viscosity of the same legs",
            -1.0,
            1.0,
            OF_PARTS,
        ),
        number("diffusion_fit_start_ps", "ps", "lag from which on the mean squared displacement is linear", 0.0),
        Column("diffusion_is_linear", "bool", "", "whether it became linear within an eighth of a leg"),
        *observable(
            "viscosity_mPa_s",
            "mPa s",
            "shear viscosity (Green and Kubo), spectrum of the stress at zero frequency; the same for all species",
            0.0,
            1e9,
            OF_A_SPECTRUM,
        ),
        maybe("stress_correlation_time_ps", "ps", "integrated correlation time of the stress", 0.0),
        *observable(
            "conductivity_S_m",
            "S/m",
            "ionic conductivity (Helfand), spectrum of the collective displacement of formal charges at zero frequency;"
            " empty without ions",
            0.0,
            1e9,
            f"{OF_A_SPECTRUM}, with the difference from a fit that can become zero",
        ),
        *observable(
            "nernst_einstein_conductivity_S_m",
            "S/m",
            "conductivity of ions that moved independently with the diffusion coefficients in this box",
            -1e9,
            1e9,
            OF_PARTS,
        ),
        *observable("ionicity", "1", "ratio of the two conductivities, both of this box", -1e9, 1e9, OF_PARTS),
        *(
            column
            for name, whom in (
                ("cations", "all cations"),
                ("anions", "all anions"),
                ("neutral", "all neutral molecules"),
            )
            for column in observable(
                f"onsager_with_{name}_mol2_J_m_s",
                "mol2/(J m s)",
                f"sum of the Onsager coefficients L_ij of the species with all {whom}, against the centre of mass;"
                " times F squared and the charges they make the conductivity; empty for a pure liquid",
                -1e9,
                1e9,
                OF_A_SPECTRUM,
            )
        ),
        *observable(
            "transference_number_barycentric",
            "1",
            "share of the current that this ion carries, from Onsager coefficients against the box's centre of mass",
            -1e9,
            1e9,
            OF_A_SLOPE,
        ),
        *observable(
            "transference_number_solvent",
            "1",
            "the same against the mean velocity of all neutral molecules; empty without any",
            -1e9,
            1e9,
            OF_A_SLOPE,
        ),
        *observable(
            "nernst_einstein_transference_number",
            "1",
            "share of the current that this ion would carry if ions did not notice each other, from their diffusion",
            -1e9,
            1e9,
            OF_PARTS,
        ),
        text("remarks", "why a value is empty, or a bound only; empty text if there is nothing to say"),
    ),
    checks=(ONE_VARIANT,),
)

TRANSPORT_CURVES = Table(
    "transport_curves",
    "What the transport coefficients were fitted to: mean squared displacements and running Green-Kubo integrals.",
    ("system", "force_field", "temperature_K", "pressure_bar", "curve", "species", "time_ps"),
    (
        *_STATE_POINT,
        text("curve", "what the curve is", "mean squared displacement", "running viscosity"),
        text("species", "name of the molecule; all for a property of the whole system"),
        text("unit", "unit of value, error and fit"),
        number("time_ps", "ps", "lag, or upper limit of the integral", 0.0),
        number("value", VARIES, "simulated curve, mean over legs"),
        maybe("value_standard_error", VARIES, "scatter of value over legs (and components of the stress)", 0.0),
        count("value_n_independent", "legs, or components of the stress of all legs, behind the error", 1),
        maybe("fit", VARIES, "fitted line, or the limit found from the spectrum; empty outside the fit"),
    ),
    checks=(ONE_VARIANT,),
)

SETTINGS_STUDY = Table(
    "settings_study",
    "Study of settings: one row per time step, hydrogen mass, size of the box and cut-off.",
    ("system", "force_field", "timestep_fs", "hydrogen_mass_amu", "n_molecules", "cutoff_nm"),
    (
        *_STATE_POINT,
        number("timestep_fs", "fs", "time step", 0.0, 20.0),
        maybe("hydrogen_mass_amu", "amu", "mass of hydrogens after repartitioning; empty with true masses", 1.0, 4.0),
        count("n_molecules", "molecules in the box", 1),
        number("cutoff_nm", "nm", "cut-off of the non-bonded forces", 0.0),
        text("platform", "OpenMM platform that computed the forces"),
        text("precision", "arithmetic precision of the platform"),
        number("sampled_ps", "ps", "sampled time at constant pressure", 0.0),
        number("nve_ps", "ps", "time at constant energy", 0.0),
        text("failure", "how the run blew up; empty text for one that did not"),
        *observable("density_g_cm3", "g/cm3", "mass density", 0.0, 25.0),
        *observable("kinetic_temperature_K", "K", "temperature from the kinetic energy", 0.0, 1e5),
        *observable(
            "configurational_temperature_K",
            "K",
            "temperature from forces on molecules and their curvature",
            0.0,
            1e5,
            OF_FLUCTUATIONS,
        ),
        maybe("energy_drift_kJ_mol_ns", "kJ/mol/ns", "drift of the energy without a thermostat per degree of freedom"),
        maybe("energy_drift_kJ_mol_ns_standard_error", "kJ/mol/ns", "standard error of the drift", 0.0),
        maybe("ns_per_day", "ns/d", "simulated time per day (of processor time on the CPU platform)", 0.0),
    ),
    checks=(ONE_VARIANT,),
)
