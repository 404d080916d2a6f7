"""What the model card of the task oxide_surrogate says."""

from collections.abc import Mapping
from typing import Any

from moxie.learning.task_card import Words, against_all, number

NAMES = {
    "gaussian_process": "Gaussian process: the model in the file",
    "linear_interpolation": "linear interpolation in temperature and oxygen (baseline)",
    "stage_interpolation": "linear interpolation in temperature and stage (baseline)",
    "plane": "plane in temperature and oxygen (baseline)",
    "mean": "mean (baseline)",
}


def words(metrics: Mapping[str, Any]) -> Words:
    """Return the sentences of the model card."""
    unit = "" if metrics["unit"] == "1" else f" {metrics['unit']}"
    temperatures = ", ".join(f"{value:g}" for value in metrics["temperatures_K"])
    noise = metrics["noise"]
    spread = noise["standard_deviation"]
    of_replicas = (
        ""
        if spread is None
        else f"; standard deviation between replicas {spread:.3g}{unit} ({noise['degrees_of_freedom']} degrees of "
        "freedom), the floor of any error"
    )
    by_temperature = ", ".join(
        f"{entry['temperature_K']:g} K {number(entry['rmse'])}{' (extrapolated)' if entry['extrapolated'] else ''}"
        for entry in metrics["by_temperature"]
    )
    ratio = against_all(metrics["rmse_ratios"], NAMES, metrics["confidence"])
    return Words(
        predicts=f"Predicts `{metrics['target']}` of a simulated oxide film on Si({metrics['orientation']})"
        f"{unit and f' (in{unit})'} from {' and '.join(f'`{name}`' for name in metrics['features'])}.",
        intended_use="Interpolating within one study: the observable at a temperature or an oxygen content between the "
        "simulated ones, and an error bar to decide whether another simulation is worth its time. It speaks of the "
        "simulated films (a valence force field on a continuous random network), not of real wafers.",
        data=f"{metrics['n_rows']} rows: {len(metrics['temperatures_K'])} temperatures ({temperatures} K) x "
        f"{metrics['n_replicas']} replicas x {metrics['n_stages']} growth stages; oxygen per area "
        f"{metrics['oxygen_range'][0]:.3g} to {metrics['oxygen_range'][1]:.3g} per square angstrom; target "
        f"{metrics['target_range'][0]:.4g} to {metrics['target_range'][1]:.4g}{unit}. The growth stages of one film "
        "are not independent of each other.",
        model="Gaussian process on scaled features: anisotropic squared exponential + linear trend + white noise, "
        f"constants by maximum marginal likelihood. Noise: {noise['source']}{of_replicas}. Kernel of the final model, "
        f"fitted to all rows: `{metrics['kernel']}`",
        evaluation="All replicas and stages of a temperature are held out together; scaling, noise and constants come "
        "from the training temperatures alone. The lowest and the highest temperature are extrapolations, where "
        "interpolation keeps the nearest value, of oxygen too. The predictive interval is that of a single new run. "
        f"{ratio} "
        f"Root-mean-square error by held-out temperature: {by_temperature}.",
        names=NAMES,
        limits=(
            "Only the recipe, slab and parameter set of this study; beyond its temperatures the interval grows and the "
            "trend is a straight line.",
            f"{len(metrics['temperatures_K'])} temperatures are few: the intervals of the scores are wide for that "
            "reason.",
            "The interval assumes Gaussian noise of equal size everywhere unless five or more replicas show otherwise.",
        ),
        more=(
            (
                "Leakage lesson",
                "With a random split instead, which puts replicas and neighbouring stages of a test row into the "
                f"training set, the same model shows {number(metrics['leakage']['random_rmse'])} instead of "
                f"{number(metrics['leakage']['grouped_rmse'])}. The first number says nothing about a new temperature.",
            ),
        ),
    )
