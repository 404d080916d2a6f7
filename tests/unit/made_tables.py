"""Small tables made from known functions, for tests only: what goes in is known, so what comes out can be checked."""

import numpy as np
import pandas as pd

from moxie.features.schemas import TABLES
from moxie.features.state_grid import add_finite_differences
from moxie.reference.registry import system_key

TEMPERATURES_K = (973.0, 1073.0, 1173.0, 1273.0, 1373.0, 1473.0)


def smooth_observable(temperature_K, oxygen):
    """The known truth behind the made oxide tables: smooth and curved in both variables."""
    x = (np.asarray(temperature_K) - 1223.0) / 250.0
    return 0.10 + 0.02 * np.tanh(1.5 * x) + 0.05 * np.sqrt(np.asarray(oxygen)) + 0.01 * x**2


def oxide_runs(temperatures_K=TEMPERATURES_K, replicas=2, stages=4, noise=0.001, seed=1):
    rng = np.random.default_rng(seed)
    rows = []
    for temperature in temperatures_K:
        for replica in range(replicas):
            for stage in range(1, stages + 1):
                oxygen = 0.12 * stage * (0.7 + 0.5 * (temperature - 900) / 600)
                sub = np.array([0.32, 0.28, 0.40]) + rng.normal(0, 0.02, 3)
                sub /= sub.sum()
                si4 = 0.08 * stage
                fractions = np.array([1 - si4 - 0.12, *(0.12 * sub), si4])
                per_cm2 = fractions * 1.0e16
                energies = rng.uniform(1, 5, 4)
                rows.append(
                    {
                        "orientation": "100",
                        "temperature_K": temperature,
                        "replica": replica,
                        "stage": stage,
                        "is_final": stage == stages,
                        "parameter_set": "made_up",
                        "recipe_thickness_nm": 3.0,
                        "target_thickness_nm": 1.2,
                        "thickness_scale": 0.4,
                        "n_si": 300,
                        "n_o": int(oxygen * 470),
                        "area_A2": 470.0,
                        "oxygen_per_area_per_A2": oxygen,
                        "oxide_thickness_nm": 0.3 * stage + rng.normal(0, 0.01),
                        **{f"si{n}_fraction": fractions[n] for n in range(5)},
                        **{f"si{n}_per_cm2": per_cm2[n] for n in range(5)},
                        "suboxide_total_per_cm2": per_cm2[1:4].sum(),
                        "suboxide_total_monolayers": per_cm2[1:4].sum() / 6.78e14,
                        **{f"suboxide_fraction_{n}": sub[n - 1] for n in (1, 2, 3)},
                        "transition_width_A": 6.0 + rng.normal(0, 0.3),
                        "transition_width_isotonic_A": 6.5 if stage == stages else np.nan,
                        "error_function_width_A": 2.4,
                        "interface_position_A": 20.0,
                        "interface_roughness_A": 0.6 + 0.05 * replica,
                        "interface_correlation_length_A": 4.0,
                        "bridge_fraction": 0.3,
                        "interface_energy_J_m2": 1.0 if stage == stages else np.nan,
                        **{f"si{n}_photoemission_share": share for n, share in enumerate(fractions / fractions.sum())},
                        "n_silicon_inclusions": 1,
                        "largest_silicon_inclusion": 2,
                        "strain_energy_eV_per_atom": smooth_observable(temperature, oxygen) + rng.normal(0, noise),
                        **dict(
                            zip(
                                ("bond_energy_eV", "angle_energy_eV", "suboxide_energy_eV", "repulsion_energy_eV"),
                                energies,
                                strict=True,
                            )
                        ),
                        "si_o_si_angle_deg": 144.0 + rng.normal(0, 1.0),
                        "si_o_si_angle_sd_deg": 12.0,
                        **{f"rings_{n}_per_si": 0.3 if stage == stages else np.nan for n in range(3, 10)},
                        "mean_ring_size": 6.0 if stage == stages else np.nan,
                        "film_density_g_cm3": 2.2 + rng.normal(0, 0.02) if stage == stages else np.nan,
                        "lateral_stress_GPa": rng.normal(0, 0.5),
                        "accepted_fraction": 0.1,
                        "kT_eV": temperature * 8.617333e-5,
                    }
                )
    return pd.DataFrame(rows)


def oxide_profiles(temperatures_K=TEMPERATURES_K, replicas=2, stages=4):
    depth = np.arange(-15.0, 15.1, 1.0)
    frames = []
    for temperature in temperatures_K:
        for replica in range(replicas):
            for stage in range(1, stages + 1):
                oxide = 1 / (1 + np.exp(-depth)) * (depth < 4 * stage)
                bump = np.exp(-(depth**2) / 8)
                frames.append(
                    pd.DataFrame(
                        {
                            "orientation": "100",
                            "temperature_K": temperature,
                            "replica": replica,
                            "stage": stage,
                            "depth_A": depth,
                            "si0_per_A3": 0.05 * (1 - 1 / (1 + np.exp(-depth))),
                            "si1_per_A3": 0.008 * bump,
                            "si2_per_A3": 0.006 * bump,
                            "si3_per_A3": 0.009 * bump,
                            "si4_per_A3": 0.022 * oxide,
                            "o_per_A3": 0.044 * oxide,
                            "density_g_cm3": 2.33 - 0.13 * oxide,
                        }
                    )
                )
    return pd.concat(frames, ignore_index=True)


def oxide_sites(temperatures_K=(973.0, 1473.0)):
    rng = np.random.default_rng(3)
    n = 60
    rows = []
    for temperature in temperatures_K:
        for site in range(n):
            silicon = site % 2 == 0
            z = 30.0 * site / n
            rows.append(
                {
                    "orientation": "100",
                    "temperature_K": temperature,
                    "replica": 0,
                    "site": site,
                    "element": "Si" if silicon else "O",
                    "x_A": rng.uniform(0, 15),
                    "y_A": rng.uniform(0, 15),
                    "z_A": z,
                    "depth_A": z - 15.0,
                    "oxidation_state": min(4, int(5 * site / n)) if silicon else 0,
                    "coordination": 4 if silicon else 2,
                    "mean_bond_length_A": 1.62,
                    "mean_angle_deg": 109.5 if silicon else 145.0,
                    "voronoi_volume_A3": 18.0 if silicon else 14.0,
                    "smallest_ring": 5.0 if silicon else np.nan,
                    "mean_ring_size": 6.0 if silicon else np.nan,
                    "energy_eV": 0.1,
                    "frozen": z < 4,
                }
            )
    return pd.DataFrame(rows)


def _fluid_run(system, force_field, temperature_K, replica, **observables):
    row = {
        "system": system,
        "force_field": force_field,
        "force_field_sha256": 64 * "0",
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
        li_ow_peak_A=(2.11, 0.01),
        li_ow_peak_height=(16.0, 0.4),
        li_ow_coordination=(3.4, 0.1),
        li_oanion_peak_A=(2.12, 0.02),
        li_oanion_coordination=(1.05, 0.1),
        li_contact_fraction=(0.63, 0.04),
    )
    return pd.DataFrame([row | {"ensemble": "NVT"}])


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
                    "mean_temperature_K": temperature + 0.4, "timestep_fs": 2.0, "energy_drift_kJ_mol_ns": -0.004,
                    "diffusion_fit_start_ps": 1.0, "diffusion_is_linear": True, "stress_correlation_time_ps": 0.4,
                }  # fmt: skip
                values = {
                    "diffusion_m2_s": (0.8 * diffusion * np.exp(-x), 3e-11),
                    "diffusion_corrected_m2_s": (diffusion * np.exp(-x), 5e-11),
                    "viscosity_mPa_s": (0.5 * np.exp(x), 0.03),
                    "conductivity_S_m": (np.nan if smiles == "CO" else 3.1 * np.exp(-x), 0.4),
                    "nernst_einstein_conductivity_S_m": (np.nan if smiles == "CO" else 4.4 * np.exp(-x), 0.3),
                    "ionicity": (np.nan if smiles == "CO" else 0.7, 0.1),
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
            "timestep_fs": timestep, "hydrogen_mass_amu": mass, "n_molecules": n, "cutoff_nm": cutoff,
            "platform": "CPU", "precision": "single", "sampled_ps": 500.0, "nve_ps": 100.0,
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
        state = {key: row[key] for key in ("system", "force_field", "temperature_K", "pressure_bar")}
        time = np.geomspace(0.1, 25, 60)
        slope = 6e6 * row["diffusion_m2_s"]
        fit = np.where(time >= 1.0, slope * time + 0.01, np.nan)
        msd = slope * time + 0.01 * (1 - np.exp(-time / 0.3))
        frames.append(
            pd.DataFrame(
                {**state, "curve": "mean squared displacement", "species": row["species"], "unit": "nm2",
                 "time_ps": time, "value": msd, "value_standard_error": 0.03 * msd, "fit": fit}
            )
        )  # fmt: skip
        if row["species"] != "water":
            time = np.linspace(0, 3, 60)
            running = row["viscosity_mPa_s"] * (1 - np.exp(-time / 0.4))
            frames.append(
                pd.DataFrame(
                    {**state, "curve": "running viscosity", "species": "all", "unit": "mPa s", "time_ps": time,
                     "value": running, "value_standard_error": 0.05 * running, "fit": running}
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
        ("litfsi_10m", "und", "Li-O(anion)", 2.12),
    ):
        g = (r > 2.3) * (1 + 2.5 * np.exp(-((r - peak) ** 2) / 0.03))
        frames.append(
            pd.DataFrame(
                {
                    "system": system,
                    "force_field": force_field,
                    "temperature_K": 298.15,
                    "pressure_bar": 1.0,
                    "replica": 0,
                    "pair": pair,
                    "r_A": r,
                    "g": g,
                    "g_standard_error": 0.05 * g,
                    "running_coordination": np.cumsum(g * r**2) * 0.02,
                }
            )
        )
    return pd.concat(frames, ignore_index=True)


def oxide_rdf(temperatures_K=TEMPERATURES_K):
    r = np.arange(0.025, 8.0, 0.05)
    peaks = {"Si-Si": 3.1, "Si-O": 1.6, "O-O": 2.6}
    frames = [
        pd.DataFrame({"pair": pair, "r_A": r, "g": (r > 1.4) + 8 * np.exp(-(((r - peak) / 0.1) ** 2))})
        for pair, peak in peaks.items()
    ]
    return _of_films(pd.concat(frames), temperatures_K)


def oxide_structure_factors(temperatures_K=TEMPERATURES_K):
    q = np.arange(0.3, 8.0, 0.05)
    frames = [
        pd.DataFrame({"radiation": radiation, "q_per_A": q, "s": 1 + np.exp(-(((q - 1.5) / 0.2) ** 2)), "n_vectors": 5})
        for radiation in ("x-ray", "neutron")
    ]
    return _of_films(pd.concat(frames), temperatures_K)


def _of_films(frame, temperatures_K):
    states = [{"orientation": "100", "temperature_K": t, "replica": r} for t in temperatures_K for r in range(2)]
    return pd.concat([frame.assign(**state) for state in states], ignore_index=True)


def oxide_bulk(compositions=(0.0, 0.4, 1.0, 1.6, 2.0), kT_eV=(0.15, 0.3), replicas=2):
    rng = np.random.default_rng(4)
    rows = []
    for x in compositions:
        for kT in kT_eV:
            for replica in range(replicas):
                random = 0.37 * x * (2 - x)
                suboxide = random * kT / (kT + 0.1)
                joined = x < 2
                rows.append(
                    {
                        "x": x,
                        "kT_eV": kT,
                        "replica": replica,
                        "parameter_set": "made_up",
                        "n_si": 64,
                        "n_o": round(64 * x),
                        "density_g_cm3": 2.3,
                        "strain_energy_eV_per_si": 0.2,
                        "suboxide_energy_eV_per_si": suboxide,
                        "energy_eV_per_si": 0.2 + suboxide,
                        "start_suboxide_energy_eV_per_si": random * (1 + rng.normal(0, 0.02)),
                        "random_bond_suboxide_energy_eV_per_si": random,
                        **{f"si{n}_fraction": 0.2 for n in range(5)},
                        "si_o_si_angle_deg": 144.0 if x else np.nan,
                        "n_silicon_clusters": int(joined),
                        "largest_cluster_share": 1 - 0.3 * x if joined else np.nan,
                        "mean_cluster_size": 40.0 - 15 * x if joined else np.nan,
                        "percolating_directions": 3 if x < 1.2 else 0,
                        "accepted_fraction": 0.1,
                    }
                )
    return pd.DataFrame(rows)


def oxide_equilibrium(temperatures_K=(973.0, 1073.0, 1173.0, 1273.0, 1373.0, 1473.0, 2000.0)):
    temperature = np.array(temperatures_K)
    values = {
        **{f"si{n}_per_cm2": (2 + n) * 1e14 * (temperature / 1000) for n in (1, 2, 3)},
        "suboxide_total_per_cm2": 1.2e15 * temperature / 1000,
        "suboxide_total_monolayers": 1.77 * temperature / 1000,
        **{f"suboxide_fraction_{n}": np.full(len(temperature), (2 + n) / 12) for n in (1, 2, 3)},
        "suboxide_energy_eV": 20 * temperature / 1000,
        "strain_energy_eV_per_atom": 0.05 * temperature / 1000,
    }
    frame = pd.DataFrame(
        {
            "orientation": "100",
            "temperature_K": temperature,
            "kT_eV": 8.617333262e-5 * temperature,
            "is_rung": True,
            "status": "ok",
            "film_temperature_K": 1273.0,
            "n_o": 80,
            "n_rungs": len(temperature),
            "independent_rounds": 40,
            "effective_samples": 90.0,
            "round_trips": 12,
            "travelling_replicas": 4,
            "least_swap_acceptance": 0.3,
            **values,
            **{f"{name}_standard_error": 0.05 * value for name, value in values.items()},
        }
    )
    unknown = [name for name in frame.columns if name.startswith(tuple(values))]
    frame.loc[0, ["status", *unknown]] = ["too few samples", *[np.nan] * len(unknown)]
    return frame


def growth_curves(temperatures_K=TEMPERATURES_K):
    time_s = np.linspace(0, 20, 41)
    frames = [
        pd.DataFrame(
            {
                "temperature_K": temperature,
                "time_s": time_s,
                "thickness_nm": 0.8 + 0.001 * (temperature - 900) * time_s,
                "thickness_standard_error_nm": 0.0001 * (temperature - 900) * time_s,
                "is_recipe": time_s == 10.0,
                "kinetics": "deal_grove",
                "ambient": "dry_O2",
                "orientation": "100",
            }
        )
        for temperature in temperatures_K
    ]
    return pd.concat(frames, ignore_index=True)


def molecules():
    rows = [
        ("water", "O", 0, 2.217, ["O", "H", "H"]),
        ("methanol", "CO", 0, 1.915, ["C", "O", "H", "H", "H", "H"]),
        ("lithium", "[Li+]", 1, 0.0, ["Li"]),
    ]
    return pd.DataFrame(
        [
            {
                "list": "named",
                "molecule": name,
                "smiles": smiles,
                "logP_measured": np.nan,
                "solvation_water_eV": -0.3,
                "solvation_octanol_eV": -0.25,
                "solvation_wet_octanol_eV": -0.26,
                "density_functional": "",
                "dft_energy_eV": np.nan,
                "dft_dipole_D": np.nan,
                "charge": charge,
                "spin_multiplicity": 1,
                "n_atoms": len(symbols),
                "method": "GFN2-xTB",
                "status": "ok",
                "energy_eV": -138.0,
                "dipole_D": dipole,
                "homo_eV": -12.1,
                "lumo_eV": 2.2,
                "gap_eV": 14.3,
                "max_force_eV_A": 0.006,
                "n_steps": 5,
                "charges": [charge / len(symbols)] * len(symbols),
                "symbols": symbols,
            }
            for name, smiles, charge, dipole, symbols in rows
        ]
    )


def measured_molecules(seed=2):
    """A list with measured logP, made from a known truth: the solvation model is wrong by 0.2 for each carbon."""
    from rdkit import Chem

    rng = np.random.default_rng(seed)
    cores = ("C{}", "c1ccccc1{}", "C1CCCCC1{}", "c1ccncc1{}", "C1CCCC1{}", "c1ccc2ccccc2c1{}", "C1CCOC1{}")
    tails = ("", "C", "CC", "O", "CO", "N", "C#N")
    rows = []
    for smiles in (core.format(tail) for core in cores for tail in tails):
        molecule = Chem.AddHs(Chem.MolFromSmiles(smiles))
        symbols = [atom.GetSymbol() for atom in molecule.GetAtoms()]
        carbons = symbols.count("C")
        polar = len([symbol for symbol in symbols if symbol in "NO"])
        water, wet = -0.05 - 0.2 * polar, -0.1 - 0.05 * carbons - 0.12 * polar
        logP = (water - wet) / 0.05916 + 0.2 * carbons - 0.5 + rng.normal(0, 0.05)
        charges = rng.normal(0, 0.01, len(symbols)) + np.array([-0.4 if s in "NO" else 0.02 for s in symbols])
        rows.append(
            {
                "list": "measured",
                "molecule": smiles,
                "smiles": smiles,
                "logP_measured": logP,
                "solvation_water_eV": water,
                "solvation_octanol_eV": wet + 0.01,
                "solvation_wet_octanol_eV": wet,
                "n_atoms": len(symbols),
                "dipole_D": 0.2 + polar,
                "charges": charges.tolist(),
                "symbols": symbols,
            }
        )
    rest = molecules().iloc[0].drop(list(rows[0])).to_dict()
    return pd.DataFrame([row | rest for row in rows])


def placements():
    """Energies that are exactly a sum over O and over pairs of O on one Si: all placements of up to 3 O, 40 of 4."""
    from moxie.oxidation.parameter_sets import load_parameters
    from moxie.oxidation.placement.sites import make_sites
    from moxie.oxidation.placement.table import choose, describe

    sites = make_sites("si16", load_parameters("von_alfthan_2003"))
    frame = describe(sites, [orbit for n in range(5) for orbit in choose(sites, n, 40, 1)])
    return frame.assign(
        energy_eV=1.4 * frame["n_oxygen"] - 0.5 * frame["pair_1"] + 0.1 * frame["pair_3"],
        edge_strain=0.01 * frame["n_oxygen"],
        parameter_set="made_up",
    )


def site_environments(temperatures_K=(973.0, 1473.0, 1573.0)):
    """Three well-separated kinds of site, which are oxidation states 0, 2 and 4 of `mapped_sites`."""
    from moxie.learning.environments import COSINES, DISTANCES

    rng = np.random.default_rng(8)
    frames = []
    for temperature in temperatures_K:
        kind = np.arange(90) % 3
        near = np.array([2.35, 2.0, 1.62])[kind][:, None] + 0.01 * rng.standard_normal((90, 12))
        far = np.arange(12) * np.array([0.1, 0.2, 0.3])[kind][:, None]
        cosines = -0.33 + 0.05 * kind[:, None] + 0.005 * rng.standard_normal((90, 6))
        frame = pd.DataFrame(np.hstack([near + far, cosines]), columns=[*DISTANCES, *COSINES])
        frames.append(frame.assign(orientation="100", temperature_K=temperature, replica=0, site=np.arange(90)))
    return pd.concat(frames, ignore_index=True)


def mapped_sites(temperatures_K=(973.0, 1473.0, 1573.0)):
    """The rows of `oxide_sites` that belong to `site_environments`; strain is noise."""
    rng = np.random.default_rng(9)
    base = oxide_sites(temperatures_K=(973.0,)).iloc[:1]
    frames = []
    for temperature in temperatures_K:
        rows = pd.concat([base] * 90, ignore_index=True)
        state = 2 * (np.arange(90) % 3)
        z = 0.3 * np.arange(90)
        rows = rows.assign(
            temperature_K=temperature, site=np.arange(90), element="Si", oxidation_state=state, frozen=False
        )
        rows = rows.assign(
            oxidation_state=state, x_A=rng.uniform(0, 15, 90), y_A=rng.uniform(0, 15, 90), z_A=z, depth_A=z - 15
        )
        frames.append(rows.assign(energy_eV=0.51 * (state == 2) + rng.uniform(0, 0.2, 90)))
    return pd.concat(frames, ignore_index=True)


COMPOSITIONS = {
    "methanol": {"CO": 216},
    "methanol_opls": {"CO": 512},
    "ethanol": {"CCO": 216},
    "litfsi_10m": {"[Li+]": 9, "O=S(=O)([N-]S(=O)(=O)C(F)(F)F)C(F)(F)F": 9, "O": 50},
}

MAKERS = {
    "liquids": liquids,
    "electrolytes": electrolytes,
    "transport": transport,
    "transport_curves": transport_curves,
    "settings_study": settings_study,
    "rdf_curves": rdf_curves,
    "oxide_runs": oxide_runs,
    "oxide_sites": oxide_sites,
    "oxide_profiles": oxide_profiles,
    "oxide_rdf": oxide_rdf,
    "oxide_structure_factors": oxide_structure_factors,
    "oxide_bulk": oxide_bulk,
    "oxide_equilibrium": oxide_equilibrium,
    "growth_curves": growth_curves,
    "molecules": molecules,
}
assert set(MAKERS) <= set(TABLES)
