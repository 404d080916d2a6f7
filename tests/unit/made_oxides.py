"""Small tables of oxides made from known functions, for tests only."""

import numpy as np
import pandas as pd

from moxie.features.film_sampling import OF_SITES, WITH_ERRORS

FROM_DISORDER = {"orientation": "100", "approach": "disordered"}
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
                        "approach": "disordered",
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
                        **{f"{name}_standard_error": 0.01 if stage == stages else np.nan for name in WITH_ERRORS},
                    }
                )
    return pd.DataFrame(rows)


def oxide_runs_from_both_sides(gap=0.6, scatter=0.05, films=4, own=0.01):
    """Films of both approaches at two temperatures; the ordered ones have `gap` less suboxide at the higher one."""
    generator = np.random.default_rng(3)
    sides = [oxide_runs((973.0, 1473.0), films).assign(approach=name) for name in ("disordered", "ordered")]
    runs = pd.concat(sides, ignore_index=True)
    total = "suboxide_total_monolayers"
    runs[total] = 1.5 + generator.normal(0, scatter, len(runs))
    runs[f"{total}_standard_error"] = own
    runs.loc[(runs["approach"] == "ordered") & (runs["temperature_K"] == 1473.0), total] -= gap
    return runs


PROFILED = (*(f"si{n}_per_A3" for n in range(5)), "o_per_A3", "density_g_cm3")


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
                            "approach": "disordered",
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
                            **{f"{name}_standard_error": 1e-3 for name in PROFILED},
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
                    "approach": "disordered",
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
                    **{f"sampled_{name}": 1.0 for name in OF_SITES},
                    **{f"sampled_{name}_standard_error": 0.1 for name in OF_SITES},
                }
            )
    return pd.DataFrame(rows)


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
    states = [{**FROM_DISORDER, "temperature_K": t, "replica": r} for t in temperatures_K for r in range(2)]
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
