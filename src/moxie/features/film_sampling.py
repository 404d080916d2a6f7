"""Observables of a film that was sampled at its own temperature: means over the stationary part of its chain.

What is counted in every record of the chain (oxidation states) is averaged over the records; what needs positions, over
the frames kept from the stationary part. Standard errors come from decorrelated samples (`moxie.timeseries.mean_of`).
They say how well one film is known; how films differ is the scatter between replicas.
"""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from moxie.timeseries import mean_of, means_of

if TYPE_CHECKING:
    import pandas as pd

COUNTED = ("suboxide_total_monolayers", "suboxide_fraction_1", "suboxide_fraction_2", "suboxide_fraction_3")
IN_FRAMES = (
    "film_density_g_cm3",
    "si_o_si_angle_deg",
    "lateral_stress_GPa",
    "transition_width_A",
    "strain_energy_eV_per_atom",
)
WITH_ERRORS = (*COUNTED, "suboxide_total_per_cm2", *IN_FRAMES)
OF_SITES = (  # columns of `oxide_sites` that are averaged over the frames of a film
    "depth_A",
    "oxidation_state",
    "mean_bond_length_A",
    "mean_angle_deg",
    "energy_eV",
)
FEWEST_FRAMES = 5
NOT_SAMPLED = {f"{name}_standard_error": math.nan for name in WITH_ERRORS}


def sampled_row(rows: Sequence[dict[str, Any]], chain: "pd.DataFrame", monolayer_per_cm2: float) -> dict[str, Any]:
    """Return the row of a final film: the last of `rows` (one a stationary frame), its real numbers replaced by means.

    chain: the records of the stationary part, with the columns si0_fraction to si4_fraction and COUNTED. The errors of
    WITH_ERRORS stand in columns of their own; they are nan where fewer than three independent samples stand behind.
    """
    last = dict(rows[-1])
    for name, value in rows[-1].items():
        if isinstance(value, float) and name != "temperature_K":
            there = np.array([row[name] for row in rows], float)
            there = there[np.isfinite(there)]
            last[name] = float(there.mean()) if len(there) else math.nan
            if name in IN_FRAMES:
                last[f"{name}_standard_error"] = (
                    mean_of(there).standard_error if len(there) >= FEWEST_FRAMES else math.nan
                )
    whole_per_cm2 = sum(last[f"si{k}_per_cm2"] for k in range(5))
    for k in range(5):
        last[f"si{k}_fraction"] = float(chain[f"si{k}_fraction"].mean())
        last[f"si{k}_per_cm2"] = last[f"si{k}_fraction"] * whole_per_cm2
    for name in COUNTED:
        mean = mean_of(chain[name].to_numpy(float))
        last[name] = mean.value  # a count that never changed has no error: nothing was sampled yet
        last[f"{name}_standard_error"] = mean.standard_error if mean.standard_error > 0 else math.nan
    for part in ("", "_standard_error"):
        last[f"suboxide_total_per_cm2{part}"] = last[f"suboxide_total_monolayers{part}"] * monolayer_per_cm2
    return last


def mean_profile(profiles: "Sequence[pd.DataFrame]") -> "pd.DataFrame":
    """Return the mean of depth profiles whose bins have the same edges, each amount with its standard error over the
    profiles of a chain (empty for fewer than FEWEST_FRAMES); where a profile has ended, nothing is there."""
    import pandas as pd

    depths = np.unique(np.concatenate([profile["depth_A"] for profile in profiles]))
    amounts = [name for name in profiles[0].columns if name != "depth_A"]
    aligned = [profile.set_index("depth_A").reindex(depths, fill_value=0.0) for profile in profiles]
    columns: dict[str, np.ndarray] = {"depth_A": depths}
    for name in amounts:
        columns[name], columns[f"{name}_standard_error"] = _means(np.array([each[name] for each in aligned], float))
    return pd.DataFrame(columns)


def mean_sites(sites: "Sequence[pd.DataFrame]") -> "pd.DataFrame":
    """Return what the atoms of a film's last frame were in the mean over its frames: `site`, and for each of OF_SITES
    the columns sampled_{name} and sampled_{name}_standard_error (empty for fewer than FEWEST_FRAMES).

    sites: a table of atoms for each frame, in the order of the chain, or none; an atom that came later counts from then
    on.
    """
    import pandas as pd

    if not sites:
        names = [f"sampled_{name}{suffix}" for name in OF_SITES for suffix in ("", "_standard_error")]
        return pd.DataFrame({"site": np.zeros(0, int)} | dict.fromkeys(names, np.zeros(0)))
    last = sites[-1]["site"].to_numpy()
    aligned = [each.set_index("site").reindex(last) for each in sites]
    columns: dict[str, np.ndarray] = {"site": last}
    for name in OF_SITES:
        values = np.array([each[name] for each in aligned], float)
        columns[f"sampled_{name}"], columns[f"sampled_{name}_standard_error"] = _means(values)
    return pd.DataFrame(columns)


def _means(series: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return mean and standard error of each column of (n_frames, k), over the frames in which it has a value.

    Frames lie thousands of moves apart, but may remember each other all the same: the columns that always have a value
    share the memory found from all of them. Columns that never change, and those without a value in some frame, have
    no error.
    """
    there = np.isfinite(series)
    counts = there.sum(axis=0)
    value = np.where(counts > 0, np.where(there, series, 0.0).sum(axis=0) / np.maximum(counts, 1), math.nan)
    error = np.full(series.shape[1], math.nan)
    whole = there.all(axis=0) & (np.ptp(np.where(there, series, 0.0), axis=0) > 0)
    if len(series) >= FEWEST_FRAMES and whole.any():
        error[whole] = means_of(series[:, whole])[1]
    return value, error
