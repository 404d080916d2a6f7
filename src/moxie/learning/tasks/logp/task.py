"""The octanol-water partition coefficient of a molecule, by learning what a solvation model gets wrong.

Split: whole Bemis-Murcko scaffolds held out, acyclic molecules by functional class. Baselines: the mean, the solvation
model ALPB alone, Wildman and Crippen's sum over atoms. Models: descriptors alone, descriptors with quantum chemistry,
the error of ALPB learnt from these, and the last two together. Each is a mean of several regressions, weighted inside
its training rows (`moxie.learning.tasks.logp.nested`); which of them is saved, and counts as the task's, is chosen
there too.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from moxie.errors import InputError
from moxie.features.schemas import LOGP_PREDICTIONS, MOLECULES
from moxie.learning import molecular
from moxie.learning.checks import check_columns, check_keys
from moxie.learning.metrics import grouping, interval, rmse_ratio, scores_with_intervals
from moxie.learning.registry import LearningSettings, Task
from moxie.learning.tasks.logp import applicability
from moxie.learning.tasks.logp.evaluation import (
    BASELINES,
    CHOICES,
    CHOSEN,
    PHYSICS,
    Data,
    Evaluation,
    by_kind,
    candidates,
    choose,
    evaluate,
    features,
    importance,
    leakage,
    learning_curve,
    worst,
)
from moxie.learning.tasks.logp.nested import Candidate, Fitted, fit_models
from moxie.learning.thresholds import FEWEST_MOLECULES, N_FOLDS
from moxie.structures.molecules import neutral_form

PREDICTED = ("predicted", "lower", "upper", "nearest_similarity", "applicability")
MOST_APART = 1.0  # measurements of one structure, in decades
_TABLE_COLUMNS = ("list", "molecule", "smiles", "status", "charge", "spin_multiplicity", "method", "logP_measured")


def prepare(molecules: Any) -> tuple[Data, Any, dict[str, int]]:
    """Return the data of the task, the molecules to predict, and why others are left out, {reason: number}.

    Measurements of one structure (several lists, stereoisomers) become one row with their mean, unless they are more
    than a decade apart: one of them is then wrong, and both are left out. Charged molecules and
    radicals are left out: logP is that of the neutral closed-shell form. Raises InputError for missing columns,
    repeated keys, labels that are not finite, a SMILES that cannot be read, and too few molecules or scaffolds.
    """
    check_columns(molecules, "molecules", "logp", (*_TABLE_COLUMNS, *molecular.QUANTUM_COLUMNS))
    check_keys(molecules, "molecules", ("list", "molecule"))
    infinite = molecules[np.isinf(molecules["logP_measured"].to_numpy(float))]
    if len(infinite):
        raise InputError(f"logP_measured of {infinite['molecule'].iloc[0]} is infinite.")
    good = molecules[molecules["status"] == "ok"]
    for row in good.itertuples():
        if molecular.parse(row.smiles) is None:
            raise InputError(f"The SMILES {row.smiles!r} of {row.molecule} in {row.list} cannot be read.")
    good = good.assign(structure=[molecular.canonical(text) for text in good["smiles"]])
    neutral = (good["charge"] == 0) & (good["spin_multiplicity"] == 1)
    labelled = good["logP_measured"].notna()
    known = good[neutral & labelled].sort_values(["list", "molecule"])
    measured = known.groupby("structure")["logP_measured"]
    contradicting = (measured.transform("max") - measured.transform("min")).round(6) > MOST_APART
    known = known[~contradicting]
    bad = molecules[molecules["logP_measured"].notna() & (molecules["status"] != "ok")]
    nameless, failed = bad["smiles"] == "", bad["status"].str.startswith("failed")
    left_out = {
        "without a known structure": int(nameless.sum()),
        "not computed": int((failed & ~nameless).sum()),
        "another molecule after relaxing": int((~failed & ~nameless).sum()),
        "charged or open shell": int((labelled & ~neutral).sum()),
        "charged or open shell, and not predicted": int((~labelled & ~neutral).sum()),
        "contradicted by another measurement of the structure": int(contradicting.sum()),
        "same structure as another": int(known.duplicated("structure").sum()),
    }
    if known["method"].nunique() > 1:
        raise InputError(f"The table molecules mixes methods: {', '.join(sorted(known['method'].unique()))}.")
    mean = known.groupby("structure")["logP_measured"].mean()
    known = known.drop_duplicates("structure").reset_index(drop=True)
    target = mean.loc[known["structure"]].to_numpy(float)
    groups = np.array([molecular.scaffold(text) for text in known["smiles"]])
    n_groups = len(set(groups))
    if len(known) < FEWEST_MOLECULES or n_groups < N_FOLDS:
        raise InputError(
            f"The table molecules has {len(known)} usable molecules with a measured logP in {n_groups} scaffold(s); "
            f"the task logp needs {FEWEST_MOLECULES} in {N_FOLDS}. Give quantum_chemistry.molecule_lists a longer "
            "or more varied list, or raise quantum_chemistry.most_per_list."
        )
    return Data(features(known), target, groups, known), good[~labelled & neutral].reset_index(drop=True), left_out


def run(inputs: Mapping[str, Path], output: Path, settings: LearningSettings, seed: int) -> dict[str, Any]:
    """Train, evaluate and write metrics.json, predictions.parquet, model.skops and card.md; return the metrics."""
    from threadpoolctl import threadpool_limits

    from moxie.features.tables import read_table
    from moxie.learning.outputs import write_outputs
    from moxie.learning.task_card import model_card
    from moxie.learning.tasks.logp.card import words

    log = logging.getLogger(__name__)
    data, unknown, left_out = prepare(read_table(inputs["molecules"], MOLECULES))
    with threadpool_limits(limits=1):
        n_groups = len(set(data.groups))
        log.info("%d molecules with %d scaffolds", len(data.target), n_groups)
        evaluation = evaluate(data, settings, log)
        choices = candidates(list(data.table))
        fitted = fit_models(choices, data.table, data.target, data.groups, settings.confidence)
        best = choose(fitted)
        final = fitted[best]
        rows = evaluation.rows[CHOSEN]
        low, high = interval(rows.mean, rows.deviation, settings.confidence)
        limits = applicability.limits(evaluation.similarity, high - low)
        model = {
            "task": "logp",
            "method": data.frame["method"].iloc[0],
            "conformer_seed": settings.conformer_seed,
            "members": [
                {"candidate": asdict(candidate), "pipeline": pipeline, "weight": weight}
                for candidate, pipeline, weight in final.members
            ],
            "factors": list(final.factors),
            "confidence": settings.confidence,
            "training_smiles": list(data.frame["smiles"]),
            "atom_types": [c for c in data.table if c.startswith(molecular.ATOM_TYPE)],
            **limits,
        }
        predictions = tabulate(data, evaluation, unknown, predict(model, unknown), settings)
        said = predictions["applicability"].to_numpy()[: len(data.target)]
        metrics = summarise(data, evaluation, best, final, limits, said, settings, seed) | {"left_out": left_out}
    write_outputs(output, model, predictions, LOGP_PREDICTIONS, model_card(metrics, words(metrics)), metrics)
    return metrics


def summarise(
    data: Data,
    evaluation: Evaluation,
    best: str,
    final: Fitted,
    limits: Mapping[str, float],
    said: Sequence[str],
    settings: LearningSettings,
    seed: int,
) -> dict[str, Any]:
    """Return what goes into metrics.json; `said` is the applicability of the held-out molecules."""
    rows = evaluation.rows
    names, counts = np.unique(data.groups.astype(str), return_counts=True)
    largest = [str(names[i]) for i in np.argsort(-counts)[:3]]
    low, high = interval(rows[CHOSEN].mean, rows[CHOSEN].deviation, settings.confidence)
    covered = (data.target >= low) & (data.target <= high)
    half, most = np.quantile(data.table["HeavyAtomCount"], (0.5, 0.95))
    part_of = np.array([group if group in largest else "all others" for group in data.groups], dtype=object)
    return {
        "task": "logp",
        "target": "logP_measured",
        "unit": "1",
        "features": list(data.table),
        "split": f"{N_FOLDS} folds of whole Bemis-Murcko scaffolds, acyclic molecules by functional class",
        "seed": seed,
        "confidence": settings.confidence,
        "groups": grouping(data.groups, "scaffolds and classes"),
        "n_rows": len(data.target),
        "n_scaffolds": len(names),
        "lists": {str(name): int(count) for name, count in data.frame["list"].value_counts().items()},
        "heavy_atoms": {"half": float(half), "most": float(most)},
        "target_range": [float(data.target.min()), float(data.target.max())],
        "models": {name: scores_with_intervals(held_out, settings.confidence) for name, held_out in rows.items()},
        "best": CHOSEN,
        "saved": best,
        "chosen": {name: evaluation.chosen.count(name) for name in CHOICES},
        "rmse_ratios": {
            name: rmse_ratio(rows[CHOSEN], rows[name], settings.confidence)
            for name in (PHYSICS, "crippen", "descriptors")
        },
        "weights": {name: [fitted[name].weights for fitted in evaluation.fitted] for name in evaluation.fitted[0]},
        "final": {"weights": final.weights, "inner_rmse": final.inner_rmse, "factors": list(final.factors)},
        "by_kind": by_kind(data, evaluation, said, settings.confidence),
        "by_scaffold": [
            {
                "scaffold": part,
                "n_molecules": int((part_of == part).sum()),
                "rmse": float(np.sqrt(((rows[CHOSEN].mean - data.target)[part_of == part] ** 2).mean())),
                "coverage": float(covered[part_of == part].mean()),
            }
            for part in (*largest, "all others")
            if (part_of == part).any()
        ],
        "limits": dict(limits),
        "leakage": leakage(data, evaluation, settings, seed),
        "learning_curve": learning_curve(data, evaluation, settings, seed),
        "importance": importance(data, evaluation, settings, seed),
        "worst": worst(data, evaluation, limits),
    }


def complain(row: Mapping[str, Any], model: Mapping[str, Any]) -> str:
    """Say that logP is not defined for an ion or a radical, with the neutral form of an ion; else nothing."""
    if float(row["charge"]) == 0:
        return "" if float(row["spin_multiplicity"]) == 1 else "logP is that of closed shells, and this is a radical"
    form = neutral_form(row["smiles"])
    advice = f"ask for its neutral form {form}" if form else "it has no neutral form"
    return f"an ion has no octanol-water partition coefficient by itself; {advice}"


def predict(model: Mapping[str, Any], frame: Any) -> Any:
    """Return predicted, lower, upper, nearest_similarity and applicability for rows of the table `molecules`.

    Rows must have status ok; the others are the caller's to leave out. `applicability` is "inside", "in the training
    set", or why the prediction is an extrapolation.
    """
    import pandas

    if not len(frame):
        return pandas.DataFrame({name: [] for name in PREDICTED})
    known = features(frame)
    zero = np.zeros(len(frame))
    table = {**dict.fromkeys(model["atom_types"], zero), **known}  # atom types that none of these molecules has
    members = [
        (Candidate(**{**member["candidate"], "columns": tuple(member["candidate"]["columns"])}),
         member["pipeline"], member["weight"])
        for member in model["members"]
    ]  # fmt: skip
    mean, half_width = Fitted(tuple(members), tuple(model["factors"])).predict(table)
    similarity = molecular.nearest_similarity(
        molecular.fingerprints(list(frame["smiles"])), molecular.fingerprints(model["training_smiles"])
    )
    training = {molecular.canonical(text) for text in model["training_smiles"]}
    return pandas.DataFrame(
        {
            "predicted": mean,
            "lower": mean - half_width,
            "upper": mean + half_width,
            "nearest_similarity": similarity,
            "applicability": [
                applicability.by_structure(model, row, training) or applicability.by_statistics(model, alike, 2 * width)
                for row, alike, width in zip(frame.itertuples(), similarity, half_width, strict=True)
            ],
        }
    )


def tabulate(data: Data, evaluation: Evaluation, unknown: Any, new: Any, settings: LearningSettings) -> Any:
    """Return the table `logp_predictions`: labelled molecules when held out, then the unlabelled ones."""
    import pandas

    rows = evaluation.rows
    low, high = interval(rows[CHOSEN].mean, rows[CHOSEN].deviation, settings.confidence)
    names = ("mean", *BASELINES, "descriptors", "descriptors_quantum")
    limits = applicability.limits(evaluation.similarity, high - low)
    held_out = data.frame[["list", "molecule", "smiles"]].assign(
        role="held out",
        scaffold=data.groups.astype(str),
        fold=evaluation.fold.astype(float),
        observed=data.target,
        predicted=rows[CHOSEN].mean,
        lower=low,
        upper=high,
        nearest_similarity=evaluation.similarity,
        applicability=[
            applicability.of_held_out(text, unseen, limits, alike, width)
            for text, unseen, alike, width in zip(
                data.frame["smiles"], evaluation.unseen, evaluation.similarity, high - low, strict=True
            )
        ],
        **{name: rows[name].mean for name in names},
    )
    if not len(unknown):
        return held_out
    others = unknown[["list", "molecule", "smiles"]].assign(
        role="new",
        scaffold=[molecular.scaffold(text) for text in unknown["smiles"]],
        fold=np.nan,
        observed=np.nan,
        **{name: new[name].to_numpy() for name in PREDICTED},
        **dict.fromkeys(("mean", "descriptors", "descriptors_quantum"), np.nan),
        **{name: features(unknown)[column] for name, column in BASELINES.items()},
    )
    return pandas.concat([held_out, others], ignore_index=True)


TASK = Task(
    name="logp",
    description="Octanol-water partition coefficients by learning the error of a solvation model.",
    inputs={"molecules": "features/molecules.parquet"},
    run=run,
    predict=predict,
    columns=lambda model: {
        name: MOLECULES.column(name).unit
        for name in ("smiles", "charge", "spin_multiplicity", *molecular.QUANTUM_COLUMNS)
    },
    complain=complain,
    needs=("measured_logp",),
    lists=("charges", "symbols"),
    settings=("confidence", "conformer_seed"),
)
