"""Small tables of liquids made from known functions, for tests only."""

import numpy as np
import pandas as pd

from moxie.features.dihedrals import ANGLES_DEG, BIN_WIDTH_DEG
from moxie.features.schemas import TABLES
from moxie.features.state_grid import add_finite_differences
from moxie.reference.registry import system_key

COMPOSITIONS = {
    "methanol": {"CO": 216},
    "methanol_opls": {"CO": 512},
    "ethanol": {"CCO": 216},
    "litfsi_10m": {"[Li+]": 9, "O=S(=O)([N-]S(=O)(=O)C(F)(F)F)C(F)(F)F": 9, "O": 50},
}


def _fluid_run(system, force_field, temperature_K, replica, **observables):
    row = {
        "system": system,
        "force_field": force_field,
        "force_field_sha256": 64 * "0",
        "force_field_penalty": np.nan,
        "composition": system_key(COMPOSITIONS[system]),
        "temperature_K": temperature_K,
        "pressure_bar": 1.0,
        "replica": replica,
        "ensemble": "NPT",
        "n_molecules": 216,
        "n_sites": 648,
        "platform": "CPU",
        "precision": "mixed",
        "timestep_fs": 2.0,
        "sampled_ps": 100.0,
        "equilibration_ps": 5.0,
    }
    for name, (value, error) in observables.items():
        row |= {name: value, f"{name}_standard_error": error, f"{name}_n_independent": 30.0}
    return row


def liquids(temperatures_K=(278.15, 298.15, 318.15)):
    rows = []
    for system, force_field, density, enthalpy in (
        ("methanol", "trappe_ua", 0.779, 37.2),
        ("methanol_opls", "opls_aa", 0.764, 36.1),
        ("ethanol", "trappe_ua", 0.783, 41.9),
    ):
        for temperature in temperatures_K:
            shift = temperature - 298.15
            rows.append(
                _fluid_run(
                    system,
                    force_field,
                    temperature,
                    0,
                    density_g_cm3=(density - 0.00095 * shift, 0.0011),
                    enthalpy_of_vaporisation_kJ_mol=(enthalpy - 0.03 * shift, 0.08),
                    potential_energy_kJ_mol=(-30.0, 0.05),
                    enthalpy_kJ_mol=(-26.0 + 0.09 * shift, 0.05),
                    thermal_expansion_per_K=(1.2e-3 + 2e-6 * shift, 1.5e-4),
                    isothermal_compressibility_per_GPa=(1.2 + 0.006 * shift, 0.15),
                    heat_capacity_J_mol_K=(90.0 + 0.1 * shift, 6.0),
                    residual_heat_capacity_J_mol_K=(40.0 + 0.1 * shift, 6.0),
                    dielectric_constant=(20.0 - 0.08 * shift, 3.0),
                    rdf_oo_peak_position_A=(2.76, 0.01),
                    rdf_oo_peak_height=(3.3, 0.05),
                    rdf_oo_first_minimum_A=(3.5, 0.03),
                    coordination_oo=(1.98, 0.01),
                )
            )
    table = pd.DataFrame(rows).reindex(columns=TABLES["liquids"].column_names)
    table.loc[table["temperature_K"] < 280, "dielectric_constant_standard_error"] = np.nan  # too short a run
    return add_finite_differences(table)


def electrolytes():
    row = _fluid_run(
        "litfsi_10m",
        "und",
        298.15,
        0,
        density_g_cm3=(1.577, 0.0),
        potential_energy_kJ_mol=(-100.0, 0.2),
        cation_water_peak_A=(2.11, 0.01),
        cation_water_peak_height=(16.0, 0.4),
        cation_water_coordination=(3.4, 0.1),
        cation_anion_peak_A=(2.12, 0.02),
        cation_anion_coordination=(1.05, 0.1),
        cation_contact_fraction=(0.63, 0.04),
        free_ion_fraction=(0.3, 0.04),
        contact_pair_ion_fraction=(0.2, 0.04),
        aggregate_ion_fraction=(0.5, 0.04),
        largest_ion_cluster=(5.2, 0.5),
        cation_anion_contact_time_continuous_ps=(20.0, 3.0),
        cation_anion_contact_time_intermittent_ps=(400.0, 90.0),
        **{
            f"cation_water_{n}_fraction": (share, 0.02) for n, share in enumerate((0.0, 0.05, 0.15, 0.3, 0.4, 0.1, 0.0))
        },
        **{f"cation_anion_{n}_fraction": (share, 0.02) for n, share in enumerate((0.37, 0.35, 0.2, 0.06, 0.02, 0, 0))},
    )
    return pd.DataFrame([row | {"ensemble": "NVT", "cations": "Li", "anions": "tfsi"}])


def transport(temperatures_K=(278.15, 298.15, 318.15)):
    """Arrhenius lines, with the correction for the size of a box of 2.45 nm."""
    rows = []
    for temperature in temperatures_K:
        x = 1500.0 * (1 / temperature - 1 / 298.15)
        for system, force_field, species in (
            ("methanol", "trappe_ua", [("methanol", "CO", 2.4e-9)]),
            ("litfsi_10m", "und", [("lithium", "[Li+]", 2.4e-10), ("water", "O", 4.6e-10)]),
        ):
            for name, smiles, diffusion in species:
                row = {
                    "system": system, "force_field": force_field, "temperature_K": temperature, "pressure_bar": 1.0,
                    "species": name, "smiles": smiles, "n_molecules": 216, "n_legs": 4, "leg_ps": 50.0, "edge_nm": 2.45,
                    "force_field_sha256": 64 * "0", "mean_temperature_K": temperature + 0.4, "timestep_fs": 2.0,
                    "energy_drift_kJ_mol_ns": -0.004, "remarks": "",
                    "diffusion_fit_start_ps": 1.0, "diffusion_is_linear": True, "stress_correlation_time_ps": 0.4,
                }  # fmt: skip
                values = {
                    "diffusion_m2_s": (0.8 * diffusion * np.exp(-x), 3e-11),
                    "diffusion_corrected_m2_s": (diffusion * np.exp(-x), 5e-11),
                    "viscosity_mPa_s": (0.5 * np.exp(x), 0.03),
                    "conductivity_S_m": (np.nan if smiles == "CO" else 3.1 * np.exp(-x), 0.4),
                    "nernst_einstein_conductivity_S_m": (np.nan if smiles == "CO" else 4.4 * np.exp(-x), 0.3),
                    "ionicity": (np.nan if smiles == "CO" else 0.7, 0.1),
                    **{
                        f"onsager_with_{name}_mol2_J_m_s": (np.nan if smiles == "CO" else 3e-10, 1e-10)
                        for name in ("cations", "anions", "neutral")
                    },
                    **{
                        name: (np.nan if smiles in ("CO", "O") else 0.5, 0.1)
                        for name in (
                            "transference_number_barycentric",
                            "transference_number_solvent",
                            "nernst_einstein_transference_number",
                        )
                    },
                }
                for column, (value, error) in values.items():
                    row |= {column: value, f"{column}_standard_error": error, f"{column}_n_independent": 4.0}
                rows.append(row)
    return pd.DataFrame(rows)


def settings_study():
    """Time steps that lower the density slightly beyond 2 fs, boxes and cut-offs that do not matter."""
    rows = []
    points = [(t, m, 216, 1.0) for t in (0.5, 1.0, 2.0, 4.0, 5.0) for m in (np.nan, 3.0)]
    for timestep, mass, n, cutoff in [*points, (4.0, 3.0, 512, 1.0), (4.0, 3.0, 512, 1.4)]:
        error = 0.0004
        broken = timestep == 5.0 and mass != 3.0
        row = {
            "system": "methanol", "force_field": "trappe_ua", "temperature_K": 298.15, "pressure_bar": 1.0,
            "force_field_sha256": 64 * "0", "timestep_fs": timestep, "hydrogen_mass_amu": mass, "n_molecules": n,
            "cutoff_nm": cutoff, "platform": "CPU", "precision": "single", "sampled_ps": 500.0, "nve_ps": 100.0,
            "failure": "it blew up" if broken else "",
            "energy_drift_kJ_mol_ns": np.nan if broken else 0.001 * timestep**2,
            "energy_drift_kJ_mol_ns_standard_error": np.nan if broken else 0.002,
            "ns_per_day": np.nan if broken else 45.0 * timestep * 216 / n,
        }  # fmt: skip
        shift = 0.004 if timestep == 4.0 and mass != 3.0 else 0.0
        values = {
            "density_g_cm3": (0.7840 - shift, error),
            "kinetic_temperature_K": (298.4, 0.1),
            "configurational_temperature_K": (298.2, 0.5),
        }
        for column, (value, error) in values.items():
            row |= {
                column: np.nan if broken else value,
                f"{column}_standard_error": np.nan if broken else error,
                f"{column}_n_independent": np.nan if broken else 100.0,
            }
        rows.append(row)
    return pd.DataFrame(rows)


def transport_curves():
    frames = []
    for row in transport().to_dict("records"):
        state = {
            key: row[key] for key in ("system", "force_field", "force_field_sha256", "temperature_K", "pressure_bar")
        }
        time = np.geomspace(0.1, 25, 60)
        slope = 6e6 * row["diffusion_m2_s"]
        fit = np.where(time >= 1.0, slope * time + 0.01, np.nan)
        msd = slope * time + 0.01 * (1 - np.exp(-time / 0.3))
        frames.append(
            pd.DataFrame(
                {**state, "curve": "mean squared displacement", "species": row["species"], "unit": "nm2",
                 "time_ps": time, "value": msd, "value_standard_error": 0.03 * msd, "value_n_independent": 4,
                 "fit": fit}
            )
        )  # fmt: skip
        if row["species"] != "water":
            time = np.linspace(0, 3, 60)
            running = row["viscosity_mPa_s"] * (1 - np.exp(-time / 0.4))
            frames.append(
                pd.DataFrame(
                    {**state, "curve": "running viscosity", "species": "all", "unit": "mPa s", "time_ps": time,
                     "value": running, "value_standard_error": 0.05 * running, "value_n_independent": 20,
                     "fit": running}
                )
            )  # fmt: skip
    return pd.concat(frames, ignore_index=True)


def rdf_curves():
    r = np.arange(0.05, 9.0, 0.1)
    frames = []
    for system, force_field, pair, peak in (
        ("methanol", "trappe_ua", "O-O", 2.76),
        ("ethanol", "trappe_ua", "O-O", 2.78),
        ("litfsi_10m", "und", "Li-Ow", 2.11),
        ("litfsi_10m", "und", "Li-O(tfsi)", 2.12),
    ):
        g = (r > 2.3) * (1 + 2.5 * np.exp(-((r - peak) ** 2) / 0.03))
        frames.append(
            pd.DataFrame(
                {
                    "system": system,
                    "force_field": force_field,
                    "force_field_sha256": 64 * "0",
                    "temperature_K": 298.15,
                    "pressure_bar": 1.0,
                    "replica": 0,
                    "pair": pair,
                    "r_A": r,
                    "g": g,
                    "g_standard_error": 0.05 * g,
                    "g_n_independent": 30.0,
                    "running_coordination": np.cumsum(g * r**2) * 0.02,
                    "running_coordination_standard_error": 0.01 * np.cumsum(g * r**2) * 0.02,
                    "running_coordination_n_independent": 30.0,
                }
            )
        )
    return pd.concat(frames, ignore_index=True)


def dihedral_curves():
    """Three wells, the outer ones lower for the second force field of the same liquid."""
    frames = []
    for system, force_field, torsion, trans in (
        ("methanol", "trappe_ua", "hydroxyl", 1.0),
        ("methanol_opls", "opls_aa", "hydroxyl", 2.0),
        ("ethanol", "trappe_ua", "backbone", 1.5),
    ):
        wells = ((-180, trans), (-60, 1), (60, 1), (180, trans))
        density = sum(weight * np.exp(-(((ANGLES_DEG - at) / 20) ** 2)) for at, weight in wells)
        density = density / density.sum() / BIN_WIDTH_DEG
        for temperature in (278.15, 298.15):
            frames.append(
                pd.DataFrame(
                    {
                        "system": system, "force_field": force_field, "force_field_sha256": 64 * "0",
                        "temperature_K": temperature, "pressure_bar": 1.0, "replica": 0, "torsion": torsion,
                        "angle_deg": ANGLES_DEG, "probability_density_per_deg": density,
                        "probability_density_per_deg_standard_error": 0.05 * density,
                        "probability_density_per_deg_n_independent": 30.0,
                    }
                )
            )  # fmt: skip
    return pd.concat(frames, ignore_index=True)
