"""What the model card of the task logp says."""

from collections.abc import Mapping
from typing import Any

from moxie.learning.task_card import Words, against_all

NAMES = {
    "mean": "mean of the training molecules (baseline)",
    "alpb_dry": "ALPB, dry octanol (physics alone)",
    "alpb_wet": "ALPB, wet octanol (physics alone)",
    "crippen": "Wildman-Crippen (baseline)",
    "descriptors": "descriptors alone",
    "descriptors_quantum": "descriptors + quantum chemistry",
    "error_learning": "error of ALPB learnt",
    "both": "the last two together",
    "chosen": "chosen by the inner folds",
}


def words(metrics: Mapping[str, Any]) -> Words:
    """Return the sentences of the model card."""
    lists = ", ".join(f"{name} {count}" for name, count in metrics["lists"].items())
    left_out = ", ".join(f"{reason} {count}" for reason, count in metrics["left_out"].items())
    low, high = metrics["target_range"]
    weights = sorted(metrics["final"]["weights"].items(), key=lambda item: -item[1])
    ratios = against_all(metrics["rmse_ratios"], NAMES, metrics["confidence"])
    chosen = ", ".join(f"{NAMES[name]} {n}" for name, n in metrics["chosen"].items() if n)
    kinds = "\n".join(
        f"| {part['kind']} | {part['n']} | {part['rmse']:.2f} | {part['coverage']:.2f} | {part['crippen_rmse']:.2f} |"
        for part in metrics["by_kind"]
    )
    scaffolds = "; ".join(
        f"{part['scaffold']} ({part['n_molecules']}) {part['rmse']:.2f}, coverage {part['coverage']:.2f}"
        for part in metrics["by_scaffold"]
    )
    leak = "\n".join(
        f"| {name} | {metrics['leakage'][key]['grouped_rmse']:.3f} | {metrics['leakage'][key]['random_rmse']:.3f} |"
        for key, name in NAMES.items()
    )
    worst = "\n".join(
        f"| {row['name']} | `{row['smiles']}` | {row['observed']:.2f} | {row['predicted']:.2f} | {row['reason']} |"
        for row in metrics["worst"]
    )
    return Words(
        predicts="Predicts the octanol-water partition coefficient (decadic logarithm, logP) of a neutral molecule: "
        "the value of a solvation model plus its learnt error.",
        intended_use="A physicochemical property for ranking and screening small organic molecules, with an interval "
        "that was checked on scaffolds the model had not seen. It says nothing about binding, toxicity, dose or "
        "patients.",
        data=f"{metrics['n_rows']} molecules with a measured logP from {low:g} to {high:g} ({lists}) in "
        f"{metrics['n_scaffolds']} scaffolds. Left out: {left_out}. The built-in sets are read from the package "
        "chemicals (MIT licence): the CRC Handbook, 95th edition, and the KOWWIN data of Syracuse Research "
        "Corporation. The two compilations differ by 0.16 log units (root mean square) where both have a value: no "
        "model can be shown to do better than that.",
        model="ALPB free energies of solvation on GFN2-xTB geometries give logP = (G_water - G_wet octanol) / "
        "(kT ln 10). Bayesian ridge regressions and Gaussian processes (squared exponential + linear + white noise) "
        "learn what it is wrong by, from the solvation free energies, dipole, frontier orbitals and atomic charges, "
        "from counts of atom types, and from sizes and counts of the molecular graph. They are averaged with "
        "non-negative weights from grouped folds inside the training rows (stacking); the interval is cross-conformal "
        f"over the same folds, large molecules apart. The file holds: {NAMES[metrics['saved']]}. Weights: "
        + "; ".join(f"{label} {weight:.2f}" for label, weight in weights)
        + ".",
        evaluation="Weights, constants, intervals and the choice of the model come from the training scaffolds alone "
        f"(nested). Chosen in the folds: {chosen}. {ratios} Wildman and Crippen fitted their contributions to some ten "
        "thousand measured values, which hold most of these molecules: that row is no held-out number, and their sum "
        f"is no feature here. Largest scaffolds: {scaffolds}.",
        names=NAMES,
        limits=(
            "Neutral closed-shell molecules with one conformer in the gas; no tautomers, no ionisation (logP, not "
            "logD).",
            "Tested on molecules whose nearest training molecule has a Tanimoto similarity of at least "
            f"{metrics['limits']['lowest_similarity']:.2f} and whose interval is at most "
            f"{metrics['limits']['widest_interval']:.2f} wide; beyond either a prediction is marked as outside.",
            "Half of the molecules have at most {half:g} heavy atoms and 95 % at most {most:g}: larger ones are "
            "extrapolations.".format(**metrics["heavy_atoms"]),
            "The set of candidates was settled on logp_crc; weights and constants were not. That large molecules have "
            "an interval of their own was decided after seeing that the common one held too few of them.",
            "The model file holds the training data: mind their terms.",
        ),
        more=(
            (
                "Kinds of molecules",
                "Of the chosen model, on held-out molecules; Wildman-Crippen beside it.\n\n"
                "| kind | molecules | root-mean-square error | coverage | Wildman-Crippen |\n|---|---|---|---|---|\n"
                + kinds,
            ),
            (
                "Leakage lesson",
                "A random split puts members of a homologous series on both sides. Root-mean-square errors:\n\n"
                f"| model | scaffolds held out | random split |\n|---|---|---|\n{leak}\n\n"
                "The last column says nothing about a new scaffold.",
            ),
            (
                "Largest errors",
                "| molecule | SMILES | measured | predicted | what may explain it |\n|---|---|---|---|---|\n" + worst,
            ),
        ),
    )
