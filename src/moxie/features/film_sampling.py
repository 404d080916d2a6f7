"""Observables of a film that was sampled at its own temperature: means over the stationary part of its chain.

What is counted in every record of the chain (oxidation states) is averaged over the records; what needs positions, over
the frames kept from the stationary part. Standard errors come from decorrelated samples (`moxie.timeseries.mean_of`).
They say how well one film is known; how films differ is the scatter between replicas.
"""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from moxie.timeseries import mean_of

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
WITH_ERRORS = (*COUNTED, *IN_FRAMES)
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
                last[f"{name}_standard_error"] = mean_of(there).standard_error if len(there) > 3 else math.nan
    whole_per_cm2 = sum(last[f"si{k}_per_cm2"] for k in range(5))
    for k in range(5):
        last[f"si{k}_fraction"] = float(chain[f"si{k}_fraction"].mean())
        last[f"si{k}_per_cm2"] = last[f"si{k}_fraction"] * whole_per_cm2
    for name in COUNTED:
        mean = mean_of(chain[name].to_numpy(float))
        last[name] = mean.value  # a count that never changed has no error: nothing was sampled yet
        last[f"{name}_standard_error"] = mean.standard_error if mean.standard_error > 0 else math.nan
    last["suboxide_total_per_cm2"] = last["suboxide_total_monolayers"] * monolayer_per_cm2
    return last


def mean_profile(profiles: Sequence["pd.DataFrame"]) -> "pd.DataFrame":
    """Return the mean of depth profiles whose bins have the same edges; where one has ended, nothing is there."""
    import pandas as pd

    total = pd.concat(list(profiles)).groupby("depth_A", as_index=False).sum()
    amounts = [name for name in total.columns if name != "depth_A"]
    return total.assign(**{name: total[name] / len(profiles) for name in amounts})
