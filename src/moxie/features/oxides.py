"""Observables of oxide films on silicon, from the network files alone.

Definitions (all for mobile atoms unless said otherwise; the z axis points into the oxide):

* Oxidation state of a Si: its number of O neighbours.
* Interface, its widths, roughness, bridges and energy: see `moxie.features.interfaces`; photoemission and clusters of
  silicon: see `moxie.features.photoemission` and `moxie.features.clusters`.
* Surface: the height above which a quarter of a monolayer of O lies; a monolayer is one atomic plane of the wafer's own
  surface.
* Interior: between 3.0 A above the interface and 2.5 A below the surface; none where that would be thinner than 3 A.
* Film density and lateral stress: mass and lateral virial of the interior over its volume, each atom smeared by a
  normal distribution of 0.8 A, so that the same two planes cut atoms and volume; not a number where there is no
  interior. Tension is positive.
* Oxide thickness: that of SiO2 of 2.20 g/cm3 with all of the film's O.
* A free back of the slab (`moxie.structures.back_side`) is no part of the film: its O are left out and its Si count as
  frozen, everywhere but in the energy terms of the whole slab, and the strain per mobile atom, which is made of them.
"""

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from moxie.constants import AMU_PER_A3_IN_G_CM3
from moxie.errors import InputError
from moxie.features.clusters import silicon_clusters
from moxie.features.film_sampling import NOT_SAMPLED, mean_profile, mean_sites, sampled_row
from moxie.features.film_structure import ring_observables, site_rings, slice_rdf, structure_factors
from moxie.features.interfaces import (
    WIDTH_10_90,
    bridge_fraction,
    find_interface,
    interface_energy,
    isotonic_width,
    roughness,
)
from moxie.features.photoemission import intensities
from moxie.features.voronoi import voronoi_volumes
from moxie.structures.back_side import front_atoms, front_side
from moxie.structures.network import MASS_AMU, Network
from moxie.structures.silicon import MONOLAYER_PER_CM2, face

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import pandas as pd

EV_PER_A3_IN_GPA = 160.2176634
CM2_PER_A2 = 1e-16
ABOVE_INTERFACE_A = 3.0
BELOW_SURFACE_A = 2.5
THINNEST_INTERIOR_A = 3.0
SMEARING_A = 0.8
BIN_A = 1.0
SILICA_O_PER_A3 = 2 * 2.20 / ((MASS_AMU["Si"] + 2 * MASS_AMU["O"]) * AMU_PER_A3_IN_G_CM3)


def analyse_film(
    stages: list[Network],
    temperature_K: float,
    replica: int,
    parameter_set: str,
    recipe_thickness_nm: float,
    target_thickness_nm: float,
    thickness_scale: float,
    orientation: str = "100",
    approach: str = "disordered",
    frames: "Sequence[Network]" = (),
    chain: "pd.DataFrame | None" = None,
) -> "tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]":
    """Return the tables (runs, sites, profiles) of one film, with the columns of `oxide_runs`, `oxide_sites` and
    `oxide_profiles`: a row per stage, per atom of the last stage, and per stage and depth bin.

    frames, chain: what the sampling of the final film kept, of its stationary part (frames, and records as
    `moxie.features.film_sampling` takes them); its row and profile are then means over these, and its atoms have means
    over them in columns of their own. Networks must carry the columns energy_eV and lateral_virial_eV and the facts
    that `grow_oxide` writes; raises InputError when one is missing, and for an unknown orientation.
    """
    import pandas as pd

    face(orientation)

    if not stages:
        raise InputError("The film has no stages to analyse.")
    runs, profiles, looks = [], [], []
    sampled = len(frames) > 0 and chain is not None and len(chain) > 0
    interface = math.nan
    monolayer = MONOLAYER_PER_CM2[orientation]
    key = {
        "orientation": orientation,
        "temperature_K": float(temperature_K),
        "approach": approach,
        "replica": int(replica),
    }

    def atoms(whole: Network, interface_A: float, columns: "Callable[..., dict[str, Any]]") -> pd.DataFrame:
        return pd.DataFrame(columns(front_side(whole), interface_A) | {"site": front_atoms(whole)})

    def look(whole: Network, number: int) -> tuple[float, dict[str, Any], pd.DataFrame]:
        _check(whole, number)
        network = front_side(whole)
        interface, width = find_interface(network)
        row: dict[str, Any] = {
            **key,
            "stage": number,
            "is_final": number == len(stages),
            "parameter_set": parameter_set,
            "recipe_thickness_nm": float(recipe_thickness_nm),
            "target_thickness_nm": float(target_thickness_nm),
            "thickness_scale": float(thickness_scale),
            **film_observables(network, interface, width, monolayer),
            "strain_energy_eV_per_atom": strain_energy(whole),
        }
        return interface, row, pd.DataFrame(depth_profile(network, interface))

    for number, whole in enumerate(stages, start=1):
        interface, row, profile = look(whole, number)
        row, profile = row | NOT_SAMPLED, mean_profile([profile])
        if number == len(stages) and sampled:
            looks = [look(frame, number) for frame in frames]
            row = NOT_SAMPLED | sampled_row([each[1] for each in looks], chain, monolayer)
            profile = mean_profile([each[2] for each in looks])
        runs.append(row)
        profiles.append(profile.assign(**key, stage=number))
    seen = [atoms(frame, each[0], site_geometry) for frame, each in zip(frames, looks, strict=True)] if sampled else []
    sites = atoms(stages[-1], interface, site_table).merge(mean_sites(seen), on="site", how="left").assign(**key)
    return pd.DataFrame(runs), sites, pd.concat(profiles, ignore_index=True)


def film_curves(final: Network, **key: Any) -> "tuple[pd.DataFrame, pd.DataFrame]":
    """Return the tables (`oxide_rdf`, `oxide_structure_factors`) of a final film's oxide, with the columns of `key`
    (orientation, temperature_K, approach, replica); both are empty where the oxide has no interior."""
    final = front_side(final)
    interface, _ = find_interface(final)
    edges = interior(interface, surface_height(final, MONOLAYER_PER_CM2[key["orientation"]]))
    curves = slice_rdf(final, *edges), structure_factors(final, *edges)
    return curves[0].assign(**_columns(key, len(curves[0]))), curves[1].assign(**_columns(key, len(curves[1])))


def _columns(values: dict[str, Any], n: int) -> dict[str, Any]:
    """Return constant columns that keep their type when there are no rows."""
    import pandas as pd

    return {name: pd.Series([value] * n, dtype=type(value)) for name, value in values.items()}


def surface_height(network: Network, monolayer_per_cm2: float = MONOLAYER_PER_CM2["100"]) -> float:
    """Return the height in A above which a quarter of a monolayer of O lies."""
    heights = np.sort(network.positions[network.species == "O", 2])
    above = round(0.25 * monolayer_per_cm2 * CM2_PER_A2 * network.area_A2)
    return float(heights[max(0, len(heights) - 1 - above)])


def film_observables(
    network: Network, interface_A: float, width_A: float, monolayer_per_cm2: float = MONOLAYER_PER_CM2["100"]
) -> dict[str, Any]:
    """Return one stage's observables (columns of `oxide_runs` after the recipe's); width_A is the error function's,
    monolayer_per_cm2 the atoms in one plane of the surface (`moxie.structures.silicon.MONOLAYER_PER_CM2`)."""
    mobile = ~network.frozen
    silicon = (network.species == "Si") & mobile
    states = network.oxidation_states()[silicon]
    counts = np.bincount(states, minlength=5)
    area_cm2 = network.area_A2 * CM2_PER_A2
    suboxide = int(counts[1:4].sum())
    n_oxygen = int((network.species == "O").sum())
    surface = surface_height(network, monolayer_per_cm2)
    rough, correlation = roughness(network)
    clusters = silicon_clusters(network)
    inclusions = clusters.sizes[~clusters.anchored & (clusters.sizes > 1)]
    emission = intensities(network, surface)
    _, angles = bond_geometry(network)
    bridges = angles[(network.species == "O") & mobile]
    info = network.info
    return {
        "n_si": int((network.species == "Si").sum()),
        "n_o": n_oxygen,
        "area_A2": network.area_A2,
        "oxygen_per_area_per_A2": n_oxygen / network.area_A2,
        "oxide_thickness_nm": n_oxygen / (network.area_A2 * SILICA_O_PER_A3 * 10.0),
        **{f"si{k}_fraction": float(counts[k] / counts.sum()) for k in range(5)},
        **{f"si{k}_per_cm2": float(counts[k] / area_cm2) for k in range(5)},
        "suboxide_total_per_cm2": suboxide / area_cm2,
        "suboxide_total_monolayers": suboxide / area_cm2 / monolayer_per_cm2,
        **{f"suboxide_fraction_{k}": float(counts[k] / suboxide) for k in (1, 2, 3)},
        "transition_width_A": WIDTH_10_90 * width_A,
        "transition_width_isotonic_A": isotonic_width(network),
        "error_function_width_A": width_A,
        "interface_position_A": interface_A,
        "interface_roughness_A": rough,
        "interface_correlation_length_A": correlation,
        "bridge_fraction": bridge_fraction(network, interface_A),
        "interface_energy_J_m2": interface_energy(network, interior(interface_A, surface)),
        **{f"si{k}_photoemission_share": float(emission[k]) for k in range(5)},
        "n_silicon_inclusions": len(inclusions),
        "largest_silicon_inclusion": int(inclusions.max(initial=0)),
        "bond_energy_eV": info["bond_energy_eV"],
        "angle_energy_eV": info["angle_energy_eV"],
        "suboxide_energy_eV": info["suboxide_energy_eV"],
        "repulsion_energy_eV": info["repulsion_energy_eV"],
        "si_o_si_angle_deg": float(bridges.mean()),
        "si_o_si_angle_sd_deg": float(bridges.std()),
        **ring_observables(network, *interior(interface_A, surface)),
        "film_density_g_cm3": interior_density(network, interface_A, surface),
        "lateral_stress_GPa": lateral_stress(network, interface_A, surface),
        "accepted_fraction": float(info["accepted_fraction"]),
        "kT_eV": float(info["kT_eV"]),
    }


def strain_energy(network: Network) -> float:
    """Return the energy of bonds, angles and repulsion for each mobile atom of the whole slab, in eV."""
    terms = (network.info[f"{term}_energy_eV"] for term in ("bond", "angle", "repulsion"))
    return float(sum(terms) / int((~network.frozen).sum()))


def interior(interface_A: float, surface_A: float) -> tuple[float, float]:
    """Return the lower and upper edge of the oxide's interior in A, nan where it is too thin to have one."""
    low, high = interface_A + ABOVE_INTERFACE_A, surface_A - BELOW_SURFACE_A
    return (low, high) if high - low >= THINNEST_INTERIOR_A else (math.nan, math.nan)


def interior_density(network: Network, interface_A: float, surface_A: float) -> float:
    """Return the density of the oxide's interior in g/cm3, or nan; see the module's docstring."""
    return _per_volume(network, _masses(network), interface_A, surface_A) * AMU_PER_A3_IN_G_CM3


def lateral_stress(network: Network, interface_A: float, surface_A: float) -> float:
    """Return the mean lateral stress of the oxide's interior in GPa, tension positive, or nan; see the module's
    docstring. Needs each atom's share of the lateral virial in the array lateral_virial_eV."""
    return _per_volume(network, network.arrays["lateral_virial_eV"], interface_A, surface_A) * EV_PER_A3_IN_GPA


def _per_volume(network: Network, amounts: np.ndarray, interface_A: float, surface_A: float) -> float:
    """Return an amount that each atom carries, (n,), per cubic angstrom of the interior; nan where there is none."""
    from scipy.special import ndtr

    low, high = interior(interface_A, surface_A)
    z = network.positions[:, 2]
    inside = ndtr((high - z) / SMEARING_A) - ndtr((low - z) / SMEARING_A)
    return float((inside * amounts).sum()) / (network.area_A2 * (high - low))


def depth_profile(network: Network, interface_A: float) -> dict[str, np.ndarray]:
    """Return the depth profile in bins of 1 A: number densities by state and mass density; depth from the interface.

    All atoms count, frozen Si as state 0. The outermost bins hold the first and last atom.
    """
    depth = network.positions[:, 2] - interface_A
    edges = np.arange(math.floor(depth.min()), math.floor(depth.max()) + 1 + 0.5 * BIN_A, BIN_A)
    volume = network.area_A2 * BIN_A
    states = np.where(network.species == "O", -1, network.oxidation_states())
    profile: dict[str, np.ndarray] = {"depth_A": 0.5 * (edges[1:] + edges[:-1])}
    for k in range(5):
        profile[f"si{k}_per_A3"] = np.histogram(depth[states == k], edges)[0] / volume
    profile["o_per_A3"] = np.histogram(depth[states == -1], edges)[0] / volume
    mass = np.histogram(depth, edges, weights=_masses(network))[0]
    profile["density_g_cm3"] = mass * AMU_PER_A3_IN_G_CM3 / volume
    return profile


def site_table(network: Network, interface_A: float) -> dict[str, Any]:
    """Return one entry per atom: the columns of `oxide_sites` after the keys, up to `sampled_depth_A`."""
    return {
        **site_geometry(network, interface_A),
        "voronoi_volume_A3": voronoi_volumes(network),
        **site_rings(network),
    }


def site_geometry(network: Network, interface_A: float) -> dict[str, Any]:
    """Return those columns of `site_table` that take little time."""
    lengths, angles = bond_geometry(network)
    x, y, z = network.positions.T
    return {
        "site": np.arange(len(network.positions)),
        "element": network.species.astype(object),
        "x_A": x,
        "y_A": y,
        "z_A": z,
        "depth_A": z - interface_A,
        "oxidation_state": network.oxidation_states(),
        "coordination": network.coordination(),
        "mean_bond_length_A": lengths,
        "mean_angle_deg": angles,
        "energy_eV": network.arrays["energy_eV"],
        "frozen": network.frozen,
    }


def bond_geometry(network: Network) -> tuple[np.ndarray, np.ndarray]:
    """Return each atom's mean bond length in A and mean bond angle in degrees, (n,) each; nan without bond or angle."""
    n = len(network.positions)
    slots = np.full((n, 4), -1)
    filled = np.zeros(n, int)
    for i, j in network.bonds.tolist():
        slots[i, filled[i]], slots[j, filled[j]] = j, i
        filled[i] += 1
        filled[j] += 1
    centre = np.repeat(np.arange(n), 4)
    vectors = network.vectors(centre, np.maximum(slots.ravel(), 0)).reshape(n, 4, 3)
    present = slots >= 0
    length = np.linalg.norm(vectors, axis=2)
    unit = vectors / np.where(present, np.maximum(length, 1e-12), 1.0)[..., None]
    lengths = np.where(filled > 0, np.where(present, length, 0.0).sum(axis=1) / np.maximum(filled, 1), np.nan)
    total, pairs = np.zeros(n), np.zeros(n)
    for p in range(4):
        for q in range(p + 1, 4):
            both = present[:, p] & present[:, q]
            cosine = np.clip((unit[:, p] * unit[:, q]).sum(axis=1), -1.0, 1.0)
            total += np.where(both, np.degrees(np.arccos(cosine)), 0.0)
            pairs += both
    return lengths, np.where(pairs > 0, total / np.maximum(pairs, 1), np.nan)


def _masses(network: Network) -> np.ndarray:
    return np.where(network.species == "O", MASS_AMU["O"], MASS_AMU["Si"])


def _check(network: Network, number: int) -> None:
    for column in ("energy_eV", "lateral_virial_eV"):
        if column not in network.arrays:
            raise InputError(f"Stage {number} of the film lacks the column `{column}`; make the film anew.")
    for fact in (
        "bond_energy_eV",
        "angle_energy_eV",
        "repulsion_energy_eV",
        "suboxide_energy_eV",
        "accepted_fraction",
        "kT_eV",
    ):
        if fact not in network.info:
            raise InputError(f"Stage {number} of the film lacks the fact `{fact}`; make the film anew.")
