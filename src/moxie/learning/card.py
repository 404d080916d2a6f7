"""The model card: what the model is for, what it was made from, how good it is and where it ends."""

from collections.abc import Mapping
from typing import Any

from moxie.learning.task_card import SCORES

_NAMES = {
    "gaussian_process": "Gaussian process",
    "linear_interpolation": "linear interpolation (baseline)",
    "mean": "mean (baseline)",
}


def model_card(metrics: Mapping[str, Any]) -> str:
    """Return the card as Markdown, from the content of metrics.json."""
    unit = "" if metrics["unit"] == "1" else f" {metrics['unit']}"
    percent = f"{100 * metrics['confidence']:g} %"
    temperatures = ", ".join(f"{value:g}" for value in metrics["temperatures_K"])
    noise = metrics["noise"]
    lines = [
        f"# Model card: {metrics['task']}",
        "",
        f"Predicts `{metrics['target']}` of a simulated oxide film on Si({metrics['orientation']})"
        f"{_unit_phrase(metrics['unit'])} from "
        f"{' and '.join(f'`{name}`' for name in metrics['features'])}.",
        "",
        "## Intended use",
        "",
        "Interpolating within one study: the observable at a temperature or an oxygen content between the simulated "
        "ones, and an error bar to decide whether another simulation is worth its time. It speaks of the simulated "
        "films (a valence force field on a continuous random network), not of real wafers.",
        "",
        "## Data",
        "",
        f"{metrics['n_rows']} rows: {len(metrics['temperatures_K'])} temperatures ({temperatures} K) x "
        f"{metrics['n_replicas']} replicas x {metrics['n_stages']} growth stages; oxygen per area "
        f"{metrics['oxygen_range'][0]:.3g} to {metrics['oxygen_range'][1]:.3g} per square angstrom; target "
        f"{metrics['target_range'][0]:.4g} to {metrics['target_range'][1]:.4g}{unit}. The growth stages of one film "
        "are not independent of each other.",
        "",
        "## Model",
        "",
        "Gaussian process on scaled features: anisotropic squared exponential + linear trend + white noise, constants "
        "by maximum marginal likelihood. Noise: "
        f"{noise['source']}"
        + (
            f"; standard deviation between replicas {noise['standard_deviation']:.3g}{unit} "
            f"({noise['degrees_of_freedom']} degrees of freedom)."
            if noise["standard_deviation"] is not None
            else "."
        ),
        "",
        f"Kernel of the final model, fitted to all rows: `{metrics.get('kernel', 'not fitted')}`",
        "",
        "## Evaluation",
        "",
        f"Split: {metrics['split']}, with all its replicas and stages; scaling, noise and constants come from the "
        "training temperatures alone. The lowest and the highest temperature are extrapolations, where linear "
        "interpolation keeps the nearest value. In brackets the "
        f"{percent} interval of a bootstrap over temperatures ({metrics['bootstrap_samples']} resamplings). Coverage "
        f"and width belong to the {percent} predictive interval of a single new run.",
        "",
        f"| model | {' | '.join(SCORES.values())} |",
        f"|---|{'---|' * len(SCORES)}",
        *(
            f"| {_NAMES.get(name, name)} | {' | '.join(_with_interval(scores[key]) for key in SCORES)} |"
            for name, scores in metrics["models"].items()
        ),
        "",
        f"Errors and widths in {metrics['unit'] if unit else 'units of the target'}. Noise floor (standard deviation "
        f"between replicas): {_number(noise['standard_deviation'])}.",
        "",
        _against_baseline(metrics["rmse_ratio_to_linear_interpolation"], percent),
        "",
        "Root-mean-square error by held-out temperature: "
        + ", ".join(
            f"{entry['temperature_K']:g} K {_number(entry['rmse'])}{' (extrapolated)' if entry['extrapolated'] else ''}"
            for entry in metrics["by_temperature"]
        )
        + ".",
        "",
        "Learning curve (root-mean-square error with n training temperatures): "
        + "; ".join(
            f"{entry['n_groups']}: {_number(entry['rmse'])}"
            for entry in metrics["learning_curve"]
            if entry["model"] == "gaussian_process"
        )
        + ".",
        "",
        "Leakage lesson: with a random split instead, which puts replicas and neighbouring stages of a test row into "
        f"the training set, the same model shows {_number(metrics['leakage']['random_rmse'])} instead of "
        f"{_number(metrics['leakage']['grouped_rmse'])}. The first number says nothing about a new temperature.",
        "",
        "## Limits",
        "",
        "* Only the recipe, slab and parameter set of this study; beyond its temperatures the interval grows and the "
        "trend is a straight line.",
        f"* {len(metrics['temperatures_K'])} temperatures are few: the intervals of the scores are rough.",
        "* The interval assumes Gaussian noise of equal size everywhere unless five or more replicas show otherwise.",
        "* The file `model.skops` holds scikit-learn estimators only; `moxie.learning.storage.load_model` refuses any "
        "other type.",
        "",
        f"Seed {metrics['seed']}.",
    ]
    return "\n".join(lines) + "\n"


def _against_baseline(ratio: Mapping[str, float], percent: str) -> str:
    text = (
        f"Error relative to linear interpolation: {ratio['value']:.2f} ({percent} interval {ratio['low']:.2f} to "
        f"{ratio['high']:.2f}). "
    )
    if ratio["high"] < 1:
        return text + "The Gaussian process is the better one."
    if ratio["low"] > 1:
        return text + "Linear interpolation is the better one: use it."
    return text + "The two cannot be told apart on these data."


def _with_interval(score: Mapping[str, float | None]) -> str:
    return f"{_number(score['value'])} ({_number(score['low'])} to {_number(score['high'])})"


def _unit_phrase(unit: str) -> str:
    return "" if unit == "1" else f" (in {unit})"


def _number(value: float | None) -> str:
    return "unknown" if value is None else f"{value:.3g}"
