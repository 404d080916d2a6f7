"""The model card of the task logp."""

from collections.abc import Mapping
from typing import Any

from moxie.learning.task_card import compared, with_interval

_NAMES = {
    "mean": "mean of the training molecules (baseline)",
    "alpb_dry": "ALPB, dry octanol (physics alone)",
    "alpb_wet": "ALPB, wet octanol (physics alone)",
    "crippen": "Wildman-Crippen (baseline)",
    "descriptors": "descriptors alone",
    "descriptors_quantum": "descriptors + quantum chemistry",
    "error_learning": "error of ALPB learnt: the model in the file",
}


def model_card(metrics: Mapping[str, Any]) -> str:
    """Return the card as Markdown, from the content of metrics.json."""
    percent = f"{100 * metrics['confidence']:g} %"
    best = metrics["models"][metrics["best"]]
    lists = ", ".join(f"{name} {count}" for name, count in metrics["lists"].items())
    left_out = ", ".join(f"{reason} {count}" for reason, count in metrics["left_out"].items())
    low, high = metrics["target_range"]
    lines = [
        "# Model card: logp",
        "",
        "Predicts the octanol-water partition coefficient (decadic logarithm, logP) of a neutral molecule: the value "
        "of a solvation model plus its learnt error.",
        "",
        "## Intended use",
        "",
        "A physicochemical property for ranking and screening small organic molecules, with an interval that was "
        "checked on scaffolds the model had not seen. It says nothing about binding, toxicity, dose or patients.",
        "",
        "## Data",
        "",
        f"{metrics['n_rows']} molecules with a measured logP from {low:g} to {high:g} ({lists}) in "
        f"{metrics['n_scaffolds']} scaffolds. Left out: {left_out}. The built-in sets are read from the package "
        "chemicals (MIT licence): the CRC Handbook, 95th edition, and the KOWWIN data of Syracuse Research "
        "Corporation. The two compilations differ by 0.16 log units (root mean square) where both have a value: no "
        "model can be shown to do better than that.",
        "",
        "## Model",
        "",
        "ALPB free energies of solvation on GFN2-xTB geometries give logP = (G_water - G_wet octanol) / (kT ln 10). "
        "Bayesian ridge regressions and Gaussian processes (squared exponential + linear + white noise) learn what it "
        "is wrong by, from the solvation free energies, dipole, frontier orbitals and atomic charges, from counts of "
        "atom types, and from sizes and counts of the molecular graph. They are averaged with non-negative weights "
        "from grouped folds inside the training rows (stacking); the interval is cross-conformal over the same folds. "
        "Weights of the final model: " + _weights(metrics["final"]["weights"]) + ".",
        "",
        "## Evaluation",
        "",
        f"Split: {metrics['split']}; weights, constants and intervals come from the training scaffolds alone (nested). "
        f"In brackets the {percent} interval of a bootstrap over scaffolds ({metrics['bootstrap_samples']} "
        f"resamplings). Coverage and width belong to the {percent} predictive interval. Random: the error that a "
        "random split would have claimed.",
        "",
        "| model | root-mean-square error | mean absolute error | coverage | interval width | random |",
        "|---|---|---|---|---|---|",
        *(
            f"| {name} | {with_interval(scores['rmse'])} | {with_interval(scores['mae'])} | "
            f"{with_interval(scores['coverage'])} | {with_interval(scores['interval_width'])} | "
            f"{metrics['leakage'][key]['random_rmse']:.3f} |"
            for key, name in _NAMES.items()
            for scores in [metrics["models"][key]]
        ),
        "",
        compared(metrics["rmse_ratio_to_physics"], "ALPB alone", metrics["confidence"]),
        compared(metrics["rmse_ratio_to_descriptors"], "descriptors alone", metrics["confidence"]),
        "",
        "Wildman and Crippen fitted their contributions to some ten thousand measured values, which hold most of these "
        "molecules: that row is no held-out number, and their sum is no feature here.",
        "",
        "Largest scaffolds: "
        + "; ".join(
            f"{part['scaffold']} ({part['n_molecules']}) {part['rmse']:.2f}, coverage {part['coverage']:.2f}"
            for part in metrics["by_scaffold"]
        )
        + ".",
        "",
        "Learning curve (error with n training molecules): "
        + "; ".join(
            f"{entry['n_molecules']:.0f}: {entry['rmse']:.2f}"
            for entry in metrics["learning_curve"]
            if entry["model"] == metrics["best"]
        )
        + ".",
        "",
        f"Importance (growth of the error when a block is shuffled among held-out molecules, {percent} interval over "
        "scaffolds): "
        + "; ".join(
            f"{entry['block']} {entry['increase']:.2f} ({entry['low']:.2f} to {entry['high']:.2f})"
            for entry in metrics["importance"]
        )
        + ".",
        "",
        "Leakage lesson: with a random split, which puts members of a homologous series on both sides, this model "
        f"shows {metrics['leakage'][metrics['best']]['random_rmse']:.3f} instead of {best['rmse']['value']:.3f}. The "
        "first number says nothing about a new scaffold.",
        "",
        "## Largest errors",
        "",
        "| molecule | SMILES | measured | predicted | what may explain it |",
        "|---|---|---|---|---|",
        *(
            f"| {row['name']} | `{row['smiles']}` | {row['observed']:.2f} | {row['predicted']:.2f} | {row['reason']} |"
            for row in metrics["worst"]
        ),
        "",
        "## Limits",
        "",
        "* Neutral closed-shell molecules with one conformer in the gas; no tautomers, no ionisation (logP, not logD).",
        f"* Tested on molecules whose nearest training molecule has a Tanimoto similarity of at least "
        f"{metrics['limits']['lowest_similarity']:.2f} and whose interval is at most "
        f"{metrics['limits']['widest_interval']:.2f} wide; beyond either a prediction is marked as outside.",
        "* Small molecules: most have fewer than 15 heavy atoms. Drug-sized molecules are extrapolations.",
        "* The set of candidates was settled on these molecules; weights and constants were not.",
        "* The file `model.skops` holds scikit-learn estimators, numbers and texts only; "
        "`moxie.learning.storage.load_model` refuses any other type. It holds the training data: mind their terms.",
        "",
        f"Seed {metrics['seed']}.",
    ]
    return "\n".join(lines) + "\n"


def _weights(weights: Mapping[str, float]) -> str:
    return "; ".join(f"{label} {weight:.2f}" for label, weight in sorted(weights.items(), key=lambda item: -item[1]))
