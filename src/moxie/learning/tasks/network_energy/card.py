"""What the model card of the task network_energy says."""

from collections.abc import Mapping
from typing import Any

from moxie.learning.task_card import Words, against_all

NAMES = {
    "mean": "mean (baseline)",
    "composition": "linear in the number of O (baseline)",
    "pairs": "pairs, ridge",
    "triplets": "pairs and triplets, ridge: the model in the file",
    "trees": "pairs and triplets, boosted trees",
}


def words(metrics: Mapping[str, Any]) -> Words:
    """Return the sentences of the model card."""
    table = "\n".join(
        f"| {part['n_oxygen']} | {part['n_structures']} | {part['spread']:.3f} | "
        + " | ".join(f"{part['rmse'][name]:.3f}" for name in ("composition", "pairs", "triplets", "trees"))
        + f" | {part['rmse_meV_per_si']:.1f} | {part['half_width']:.3f} | {part['coverage']:.2f} |"
        for part in metrics["by_content"]
    )
    leak = "; ".join(
        f"{NAMES[name]} {errors['grouped_rmse']:.3f} and {errors['random_rmse']:.3f}"
        for name, errors in metrics["leakage"].items()
    )
    inner = metrics["last_step_rmse"]
    first = min(inner, key=lambda name: inner[name])
    step = f"The last step inside the training contents ranks {NAMES[first]} first ("
    step += ", ".join(f"{NAMES[name]} {inner[name]:.3g}" for name in sorted(inner, key=lambda name: inner[name])) + ")"
    step += "." if first == metrics["best"] else ", not the model in the file."
    return Words(
        predicts="Predicts the relaxed energy (in eV) of a silicon crystal of 16 atoms with oxygen on some of its 32 "
        "bonds, from the numbers of pairs and triplets of O by their symmetry.",
        intended_use="Ranking placements of oxygen before they are relaxed, and as a cheap first stage of a search. "
        f"The labels come from the valence force field {metrics['parameter_set']}, not from quantum chemistry.",
        data=f"{metrics['n_rows']} distinct placements for training, {metrics['n_test']} for the test, each relaxed "
        "with its cell's edge at no pressure; equivalent placements count once. Energies of the training cells "
        f"{metrics['target_range'][0]:.3g} to {metrics['target_range'][1]:.3g} eV.",
        model="Ridge regression on scaled counts; the penalty (pairs "
        f"{metrics['alpha']['pairs']:g}, pairs and triplets {metrics['alpha']['triplets']:g}) is the best for oxygen "
        "contents left out of the training rows one at a time. Interval: residuals of the highest training content, "
        "predicted from all lower ones (split conformal, mapie); beyond it they grow with the square root of the "
        "number of quadruplets of O, the smallest clusters that the model leaves out.",
        evaluation="Every test cell holds more oxygen than any training cell. "
        f"{step} {against_all(metrics['rmse_ratios'], NAMES, metrics['confidence'])}",
        names=NAMES,
        limits=(
            "One cell size and one crystal: O on the bonds of diamond silicon, no broken or switched bonds.",
            "Relaxation finds the lowest of a few starts, not always the lowest minimum; that is noise in the labels.",
            "Beyond the training contents the interval is not guaranteed; its coverage above is what was measured.",
        ),
        more=(
            (
                "By oxygen content",
                "Root-mean-square errors in eV; spread: standard deviation of the test energies, which is the error "
                "of their own mean, a constant that no model may know.\n\n"
                "| O | structures | spread | composition | pairs | pairs and triplets | trees | best, meV per Si | "
                f"half-width | coverage |\n|---|---|---|---|---|---|---|---|---|---|\n{table}\n\n"
                "Trees predict nothing beyond the energies they were trained on.",
            ),
            (
                "Leakage lesson",
                "Five folds inside the training contents, in eV, first with whole canonical structures held out, then "
                f"at random among equivalent copies: {leak}.",
            ),
        ),
    )
