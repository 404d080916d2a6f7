"""How well logP is predicted for scaffolds that were held out: every model, learning curve, leakage, importance."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from moxie.learning import molecular
from moxie.learning.grouped import growth
from moxie.learning.metrics import HeldOut, interval
from moxie.learning.registry import LearningSettings
from moxie.learning.tasks.logp.applicability import ionising
from moxie.learning.tasks.logp.nested import (
    KINDS,
    LARGE_FROM,
    SIZE,
    Candidate,
    Fitted,
    fit_models,
    grouped_folds,
    rows_of,
)
from moxie.learning.thresholds import N_FOLDS

CHOSEN = "chosen"  # of CHOICES, by the inner folds
CHOICES = ("descriptors_quantum", "error_learning", "both")
ERROR_LEARNING = "error_learning"
PHYSICS = "alpb_wet"
BASELINES = {"alpb_dry": "logP_alpb", "alpb_wet": "logP_alpb_wet", "crippen": "logP_crippen"}
BASE = BASELINES[PHYSICS]
BLOCKS = {
    "solvation free energies": ("solvation_", "logP_alpb"),
    "dipole and orbitals": ("dipole_", "homo_", "lumo_"),
    "atomic charges": ("charge_",),
    "atom types": (molecular.ATOM_TYPE,),
    "size, surface and counts": (),  # the rest
}
_SIZES = (0.25, 0.5, 0.75, 1.0)  # shares of the training molecules in the learning curve
_SHUFFLES = 5
_N_WORST = 12
_DISAGREE = 0.3  # log units
_FAT = 5.0  # log units
_HARD_TO_MEASURE = 6.0  # about where the shake-flask method ends


@dataclass(frozen=True)
class Data:
    """Labelled molecules: features by name, each (n,), measured logP (n,), scaffolds (n,), and the table's rows."""

    table: Mapping[str, np.ndarray]
    target: np.ndarray
    groups: np.ndarray
    frame: Any


def features(frame: Any) -> dict[str, np.ndarray]:
    """Return all features of the rows of a table with SMILES and the columns of quantum chemistry."""
    crippen = np.array([molecular.crippen_logP(text) for text in frame["smiles"]])
    quantum = molecular.quantum_features(frame)
    return {"logP_crippen": crippen, **quantum, **molecular.descriptors(list(frame["smiles"]))}


def candidates(columns: list[str]) -> dict[str, list[Candidate]]:
    """Return the candidates of every learnt model: two kinds of regression on several sets of columns."""
    quantum = tuple(c for c in columns if block_of(c) in list(BLOCKS)[:3])
    types = tuple(c for c in columns if block_of(c) == "atom types")
    graph = (*(c for c in columns if block_of(c) == "size, surface and counts"), *types)
    sets = {
        "descriptors": {"graph": graph, "atom types": types},
        "descriptors_quantum": {"graph + quantum": graph + quantum, "atom types + quantum": types + quantum},
        ERROR_LEARNING: {
            "quantum": quantum,
            "atom types + quantum": types + quantum,
            "graph + quantum": graph + quantum,
        },
    }
    found = {
        name: [
            Candidate(
                kind,
                chosen,
                BASE if name == ERROR_LEARNING else None,
                f"{kind.replace('_', ' ')}, {label}" + (", error of ALPB" if name == ERROR_LEARNING else ""),
            )
            for label, chosen in choices.items()
            for kind in KINDS
        ]
        for name, choices in sets.items()
    }
    return found | {"both": found["descriptors_quantum"] + found[ERROR_LEARNING]}


def choose(fitted: Mapping[str, Fitted]) -> str:
    """Return which of CHOICES has the least error in the inner folds; no row outside the training has a part in it."""
    return min(CHOICES, key=lambda name: fitted[name].inner_rmse["weighted"])


def block_of(column: str) -> str:
    """Return the block that a feature belongs to; the prediction of Crippen is a baseline and belongs to none."""
    if column == "logP_crippen":
        return "baseline"
    return next(name for name, starts in BLOCKS.items() if not starts or column.startswith(starts))


@dataclass(frozen=True)
class Evaluation:
    """Held-out rows of every model; the fold, the nearest training molecule's similarity, the fold's models and which
    of them was chosen, and each row's atom types that the fold's training molecules lack."""

    rows: dict[str, HeldOut]
    fold: np.ndarray
    similarity: np.ndarray
    fitted: list[dict[str, Fitted]]
    folds: list[tuple[np.ndarray, np.ndarray]]
    chosen: list[str]
    unseen: list[list[str]]


def evaluate(data: Data, settings: LearningSettings, log: logging.Logger | None = None) -> Evaluation:
    """Return predictions of every model and baseline for groups that were held out."""
    from scipy.stats import norm

    n = len(data.target)
    folds = grouped_folds(data.groups, N_FOLDS)
    prints = molecular.fingerprints(list(data.frame["smiles"]))
    choices = candidates(list(data.table))
    names = ("mean", *BASELINES, *choices, CHOSEN)
    types = [name for name in data.table if name.startswith(molecular.ATOM_TYPE)]
    unseen: list[list[str]] = [[] for _ in range(n)]
    mean = {name: np.full(n, np.nan) for name in names}
    width = {name: np.full(n, np.nan) for name in names}
    fold_of, similarity = np.zeros(n, dtype=int), np.zeros(n)
    fitted, chosen = [], []
    for number, (train, test) in enumerate(folds):
        fold_of[test] = number
        similarity[test] = molecular.nearest_similarity([prints[i] for i in test], [prints[i] for i in train])
        target = data.target[train]
        for name in ("mean", *BASELINES):
            guess = data.table[BASELINES[name]] if name in BASELINES else np.full(n, target.mean())
            mean[name][test] = guess[test]
            width[name][test] = np.quantile(np.abs(guess[train] - target), settings.confidence)
        fitted.append(fit_models(choices, rows_of(data.table, train), target, data.groups[train], settings.confidence))
        chosen.append(choose(fitted[-1]))
        for name, model in (*fitted[-1].items(), (CHOSEN, fitted[-1][chosen[-1]])):
            mean[name][test], width[name][test] = model.predict(rows_of(data.table, test))
        new = [name for name in types if not data.table[name][train].any()]
        for i in test:
            unseen[i] = [name for name in new if data.table[name][i]]
        if log:
            log.info("fold %d of %d done", number + 1, len(folds))
    scale = norm.ppf(0.5 + settings.confidence / 2)
    rows = {name: HeldOut(data.target, mean[name], width[name] / scale, data.groups) for name in names}
    return Evaluation(rows, fold_of, similarity, fitted, folds, chosen, unseen)


def leakage(data: Data, evaluation: Evaluation, settings: LearningSettings, seed: int) -> dict[str, dict[str, float]]:
    """Return the error of every model under the grouped split and under a random split of as many folds.

    The random split is made by giving each molecule a group of its own; it tears scaffolds and homologous series apart.
    """
    order = np.random.default_rng(seed).permutation(len(data.target))
    alone = evaluate(replace(data, groups=order), settings)
    return {
        name: {"grouped_rmse": rmse(rows), "random_rmse": rmse(alone.rows[name])}
        for name, rows in evaluation.rows.items()
    }


def learning_curve(data: Data, evaluation: Evaluation, settings: LearningSettings, seed: int) -> list[dict[str, Any]]:
    """Return the held-out error against the share of the training molecules, whole scaffolds at a time.

    One entry per share and model: {"share", "n", "model", "rmse", "low", "high"}; n is the mean number of training
    molecules, low and high the least and the largest error of a fold, each with scaffolds of its own. The candidates
    are those that had a weight with all training rows of the fold.
    """
    rng = np.random.default_rng(seed)
    entries = []
    for share in _SIZES:
        squares: dict[str, list[np.ndarray]] = {"descriptors": [], CHOSEN: []}
        counts = []
        for (train, test), fitted, best in zip(evaluation.folds, evaluation.fitted, evaluation.chosen, strict=True):
            part = _some_groups(train, data.groups, share, rng)
            counts.append(len(part))
            for name, errors in squares.items():
                model = fitted[best if name == CHOSEN else name]
                if len(part) < len(train):
                    choice = {name: [candidate for candidate, _, _ in model.members]}
                    model = fit_models(
                        choice, rows_of(data.table, part), data.target[part], data.groups[part], settings.confidence
                    )[name]
                errors.append((model.predict(rows_of(data.table, test))[0] - data.target[test]) ** 2)
        entries += [
            {
                "share": share,
                "n": float(np.mean(counts)),
                "model": name,
                "rmse": float(np.sqrt(np.concatenate(errors).mean())),
                "low": float(np.sqrt(min(fold.mean() for fold in errors))),
                "high": float(np.sqrt(max(fold.mean() for fold in errors))),
            }
            for name, errors in squares.items()
        ]
    return entries


def importance(data: Data, evaluation: Evaluation, settings: LearningSettings, seed: int) -> list[dict[str, Any]]:
    """Return by how much the error grows when a block of features is shuffled among the held-out molecules.

    One entry per block: {"block", "increase", "low", "high"}, the interval over scaffolds.
    """
    rng = np.random.default_rng(seed)
    reference = (evaluation.rows[CHOSEN].mean - data.target) ** 2
    entries = []
    for block in BLOCKS:
        squares = np.zeros(len(data.target))
        for (_, test), fitted, best in zip(evaluation.folds, evaluation.fitted, evaluation.chosen, strict=True):
            table = rows_of(data.table, test)
            for _ in range(_SHUFFLES):
                order = rng.permutation(len(test))
                shuffled = {c: v[order] if block_of(c) == block else v for c, v in table.items()}
                squares[test] += (fitted[best].predict(shuffled)[0] - data.target[test]) ** 2 / _SHUFFLES
        entries.append({"block": block, **growth(squares, reference, data.groups, settings.confidence)})
    return entries


def worst(data: Data, evaluation: Evaluation, limits: Mapping[str, float]) -> list[dict[str, Any]]:
    """Return the molecules with the largest errors, each with what may explain it."""
    from rdkit import Chem

    from moxie.reference import partition
    from moxie.reference.identifiers import find_by_registry_number

    both = [partition.measured_logP(name) for name in partition.SETS]
    n_heavy = data.table["HeavyAtomCount"].astype(int)
    large = np.quantile(n_heavy, 0.95)
    rows, entries = evaluation.rows[CHOSEN], []
    for i in np.argsort(-np.abs(rows.mean - rows.observed))[:_N_WORST]:
        row = data.frame.iloc[i]
        molecule = molecular.parse(row["smiles"])
        reasons = []
        values = [table[row["molecule"]] for table in both if row["molecule"] in table]
        if len(values) > 1 and max(values) - min(values) > _DISAGREE:
            reasons.append(f"compilations disagree: {' and '.join(f'{value:.2f}' for value in values)}")
        if evaluation.similarity[i] < limits["lowest_similarity"]:
            reasons.append(f"nothing like it in training (similarity {evaluation.similarity[i]:.2f})")
        unseen = ", ".join(map(molecular.atom_type, evaluation.unseen[i]))
        if unseen:
            reasons.append(f"no training molecule has atom type {unseen}")
        if n_heavy[i] > large:
            reasons.append(f"{n_heavy[i]} heavy atoms, more than 95 % of the data")
        if rows.observed[i] > _HARD_TO_MEASURE:
            reasons.append(f"a logP above {_HARD_TO_MEASURE:g} is hard to measure")
        n_alike = int((data.groups == data.groups[i]).sum())
        if n_alike > len(data.target) / N_FOLDS:
            reasons.append(f"its scaffold ({data.groups[i]}) is {100 * n_alike / len(data.target):.0f} % of the data")
        groups = ionising(row["smiles"])
        if all(groups):
            reasons.append("acid and amine: a zwitterion in water, computed as the neutral form")
        elif any(groups):
            reasons.append("acid or amine: ionises, association in octanol")
        rotatable = Chem.rdMolDescriptors.CalcNumRotatableBonds(molecule)
        if rotatable >= 5:
            reasons.append(f"{rotatable} rotatable bonds, one conformer")
        known = find_by_registry_number(row["molecule"])
        entries.append(
            {
                "molecule": row["molecule"],
                "name": known.common_name if known else row["molecule"],
                "smiles": row["smiles"],
                "observed": float(rows.observed[i]),
                "predicted": float(rows.mean[i]),
                "reason": "; ".join(reasons) or "none found",
            }
        )
    return entries


def _some_groups(train: np.ndarray, groups: np.ndarray, share: float, rng: np.random.Generator) -> np.ndarray:
    """Return training rows of whole groups, drawn at random so that they hold a share of the rows.

    A group that would overshoot is passed over; the smallest ones fill up where there are too few for folds.
    """
    names, sizes = np.unique(groups[train], return_counts=True)
    order = rng.permutation(len(names))
    chosen: list[int] = []
    n_rows = 0
    for k in order.tolist():
        if n_rows + sizes[k] <= share * len(train):
            chosen.append(k)
            n_rows += int(sizes[k])
    left = sorted(set(order.tolist()) - set(chosen), key=lambda k: (sizes[k], k))
    chosen += left[: max(N_FOLDS - len(chosen), 0)]
    return train[np.isin(groups[train], names[chosen])]


def by_kind(
    data: Data, evaluation: Evaluation, applicability: Sequence[str], confidence: float
) -> list[dict[str, Any]]:
    """Return error and coverage of the chosen model, and Crippen's error, for kinds of molecules that differ in them.

    One entry per kind that has a molecule: {"kind", "n", "rmse", "coverage", "crippen_rmse"}.
    """
    rows = evaluation.rows[CHOSEN]
    low, high = interval(rows.mean, rows.deviation, confidence)
    covered = (data.target >= low) & (data.target <= high)
    acid, amine = np.array([ionising(text) for text in data.frame["smiles"]]).T
    inside = np.array([text == "inside" for text in applicability])
    kinds = {
        f"at most {LARGE_FROM} heavy atoms": data.table[SIZE] <= LARGE_FROM,
        f"more than {LARGE_FROM} heavy atoms": data.table[SIZE] > LARGE_FROM,
        "acid": acid & ~amine,
        "amine": amine & ~acid,
        "acid and amine": acid & amine,
        "neither": ~acid & ~amine,
        f"measured logP above {_FAT:g}": data.target > _FAT,
        "inside the domain": inside,
        "outside": ~inside,
    }

    def error(guess: np.ndarray, members: np.ndarray) -> float:
        return float(np.sqrt(((guess - data.target)[members] ** 2).mean()))

    return [
        {
            "kind": kind,
            "n": int(members.sum()),
            "rmse": error(rows.mean, members),
            "coverage": float(covered[members].mean()),
            "crippen_rmse": error(evaluation.rows["crippen"].mean, members),
        }
        for kind, members in kinds.items()
        if members.any()
    ]


def rmse(rows: HeldOut) -> float:
    """Return the root-mean-square error of held-out rows."""
    return float(np.sqrt(((rows.mean - rows.observed) ** 2).mean()))
