"""How well logP is predicted for scaffolds that were held out: every model, learning curve, leakage, importance."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from moxie.learning import molecular
from moxie.learning.metrics import HeldOut
from moxie.learning.registry import Settings
from moxie.learning.tasks.logp.applicability import ionising_groups
from moxie.learning.tasks.logp.nested import KINDS, Candidate, Fitted, fit_weighted, grouped_folds, rows_of
from moxie.learning.thresholds import N_FOLDS

BEST = "error_learning"
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
        BEST: {"quantum": quantum, "atom types + quantum": types + quantum, "graph + quantum": graph + quantum},
    }
    return {
        name: [
            Candidate(kind, chosen, BASE if name == BEST else None, f"{kind.replace('_', ' ')}, {label}")
            for label, chosen in choices.items()
            for kind in KINDS
        ]
        for name, choices in sets.items()
    }


def block_of(column: str) -> str:
    """Return the block that a feature belongs to; the prediction of Crippen is a baseline and belongs to none."""
    if column == "logP_crippen":
        return "baseline"
    return next(name for name, starts in BLOCKS.items() if not starts or column.startswith(starts))


@dataclass(frozen=True)
class Evaluation:
    """Held-out rows of every model; the fold, the nearest training molecule's similarity and the fold's models."""

    rows: dict[str, HeldOut]
    fold: np.ndarray
    similarity: np.ndarray
    fitted: list[dict[str, Fitted]]
    folds: list[tuple[np.ndarray, np.ndarray]]


def evaluate(data: Data, settings: Settings, log: logging.Logger | None = None) -> Evaluation:
    """Return predictions of every model and baseline for groups that were held out."""
    from scipy.stats import norm

    n = len(data.target)
    folds = grouped_folds(data.groups, N_FOLDS)
    prints = molecular.fingerprints(list(data.frame["smiles"]))
    choices = candidates(list(data.table))
    names = ("mean", *BASELINES, *choices)
    mean = {name: np.full(n, np.nan) for name in names}
    width = {name: np.full(n, np.nan) for name in names}
    fold_of, similarity = np.zeros(n, dtype=int), np.zeros(n)
    fitted = []
    for number, (train, test) in enumerate(folds):
        fold_of[test] = number
        similarity[test] = molecular.nearest_similarity([prints[i] for i in test], [prints[i] for i in train])
        target = data.target[train]
        for name in ("mean", *BASELINES):
            guess = data.table[BASELINES[name]] if name in BASELINES else np.full(n, target.mean())
            mean[name][test] = guess[test]
            width[name][test] = np.quantile(np.abs(guess[train] - target), settings.confidence)
        fitted.append(
            {
                name: fit_weighted(options, rows_of(data.table, train), target, data.groups[train], settings.confidence)
                for name, options in choices.items()
            }
        )
        for name, model in fitted[-1].items():
            mean[name][test], width[name][test] = model.predict(rows_of(data.table, test))
        if log:
            log.info("fold %d of %d done", number + 1, len(folds))
    scale = norm.ppf(0.5 + settings.confidence / 2)
    rows = {name: HeldOut(data.target, mean[name], width[name] / scale, data.groups) for name in names}
    return Evaluation(rows, fold_of, similarity, fitted, folds)


def leakage(data: Data, evaluation: Evaluation, settings: Settings, seed: int) -> dict[str, dict[str, float]]:
    """Return the error of every model under the grouped split and under a random split of as many folds.

    The random split is made by giving each molecule a group of its own; it tears scaffolds and homologous series apart.
    """
    order = np.random.default_rng(seed).permutation(len(data.target))
    alone = evaluate(replace(data, groups=order), settings)
    return {
        name: {"grouped_rmse": rmse(rows), "random_rmse": rmse(alone.rows[name])}
        for name, rows in evaluation.rows.items()
    }


def learning_curve(data: Data, evaluation: Evaluation, settings: Settings, seed: int) -> list[dict[str, Any]]:
    """Return the held-out error against the share of the training molecules, whole scaffolds at a time.

    One entry per share and model: {"share", "n", "model", "rmse"}. The candidates are those that had a weight
    with all training rows of the fold.
    """
    rng = np.random.default_rng(seed)
    entries = []
    for share in _SIZES:
        squares: dict[str, list[np.ndarray]] = {"descriptors": [], BEST: []}
        counts = []
        for (train, test), fitted in zip(evaluation.folds, evaluation.fitted, strict=True):
            part = _some_groups(train, data.groups, share, rng)
            counts.append(len(part))
            for name, errors in squares.items():
                model = fitted[name]
                if len(part) < len(train):
                    choice = [candidate for candidate, _, _ in model.members]
                    model = fit_weighted(
                        choice, rows_of(data.table, part), data.target[part], data.groups[part], settings.confidence
                    )
                errors.append((model.predict(rows_of(data.table, test))[0] - data.target[test]) ** 2)
        entries += [
            {
                "share": share,
                "n": float(np.mean(counts)),
                "model": name,
                "rmse": float(np.sqrt(np.concatenate(errors).mean())),
            }
            for name, errors in squares.items()
        ]
    return entries


def importance(data: Data, evaluation: Evaluation, settings: Settings, seed: int) -> list[dict[str, Any]]:
    """Return by how much the error grows when a block of features is shuffled among the held-out molecules.

    One entry per block: {"block", "increase", "low", "high"}, the interval from a bootstrap over scaffolds.
    """
    rng = np.random.default_rng(seed)
    reference = (evaluation.rows[BEST].mean - data.target) ** 2
    distinct = np.unique(data.groups)
    entries = []
    for block in BLOCKS:
        squares = np.zeros(len(data.target))
        for (_, test), fitted in zip(evaluation.folds, evaluation.fitted, strict=True):
            table = rows_of(data.table, test)
            for _ in range(_SHUFFLES):
                order = rng.permutation(len(test))
                shuffled = {c: v[order] if block_of(c) == block else v for c, v in table.items()}
                squares[test] += (fitted[BEST].predict(shuffled)[0] - data.target[test]) ** 2 / _SHUFFLES
        sums = np.array([[part[data.groups == g].sum() for part in (squares, reference)] for g in distinct])
        sizes = np.array([(data.groups == g).sum() for g in distinct])
        drawn = rng.integers(len(sums), size=(settings.bootstrap_samples, len(sums)))
        errors = np.sqrt(sums[drawn].sum(axis=1) / sizes[drawn].sum(axis=1)[:, None])
        tail = 100 * (1 - settings.confidence) / 2
        low, high = np.percentile(errors[:, 0] - errors[:, 1], [tail, 100 - tail])
        increase = float(np.sqrt(squares.mean()) - np.sqrt(reference.mean()))
        entries.append({"block": block, "increase": increase, "low": float(low), "high": float(high)})
    return entries


def worst(data: Data, evaluation: Evaluation, limits: Mapping[str, float]) -> list[dict[str, Any]]:
    """Return the molecules with the largest errors, each with what may explain it."""
    from chemicals import search_chemical
    from rdkit import Chem

    from moxie.reference import partition

    both = [partition.measured_logP(name) for name in partition.SETS]
    n_heavy = data.table["HeavyAtomCount"].astype(int)
    large = np.quantile(n_heavy, 0.95)
    types = [name for name in data.table if name.startswith(molecular.ATOM_TYPE)]
    rows, entries = evaluation.rows[BEST], []
    for i in np.argsort(-np.abs(rows.mean - rows.observed))[:_N_WORST]:
        row = data.frame.iloc[i]
        molecule = molecular.parse(row["smiles"])
        reasons = []
        values = [table[row["molecule"]] for table in both if row["molecule"] in table]
        if len(values) > 1 and max(values) - min(values) > _DISAGREE:
            reasons.append(f"compilations disagree: {' and '.join(f'{value:.2f}' for value in values)}")
        if evaluation.similarity[i] < limits["lowest_similarity"]:
            reasons.append(f"nothing like it in training (similarity {evaluation.similarity[i]:.2f})")
        train = evaluation.folds[evaluation.fold[i]][0]
        unseen = [name for name in types if data.table[name][i] and not data.table[name][train].any()]
        if unseen:
            reasons.append(f"no training molecule has atom type {', '.join(map(molecular.atom_type, unseen))}")
        if n_heavy[i] > large:
            reasons.append(f"{n_heavy[i]} heavy atoms, more than 95 % of the data")
        if rows.observed[i] > _HARD_TO_MEASURE:
            reasons.append(f"a logP above {_HARD_TO_MEASURE:g} is hard to measure")
        n_alike = int((data.groups == data.groups[i]).sum())
        if n_alike > len(data.target) / N_FOLDS:
            reasons.append(f"its scaffold ({data.groups[i]}) is {100 * n_alike / len(data.target):.0f} % of the data")
        ionising = [molecule.HasSubstructMatch(pattern) for pattern in ionising_groups()]
        if all(ionising):
            reasons.append("acid and amine: a zwitterion in water, computed as the neutral form")
        elif any(ionising):
            reasons.append("acid or amine: ionises, association in octanol")
        rotatable = Chem.rdMolDescriptors.CalcNumRotatableBonds(molecule)
        if rotatable >= 5:
            reasons.append(f"{rotatable} rotatable bonds, one conformer")
        try:
            name = search_chemical(row["molecule"]).common_name
        except ValueError:
            name = row["molecule"]
        entries.append(
            {
                "molecule": row["molecule"],
                "name": name,
                "smiles": row["smiles"],
                "observed": float(rows.observed[i]),
                "predicted": float(rows.mean[i]),
                "reason": "; ".join(reasons) or "none found",
            }
        )
    return entries


def _some_groups(train: np.ndarray, groups: np.ndarray, share: float, rng: np.random.Generator) -> np.ndarray:
    """Return training rows of whole groups, drawn until they hold a share of the rows and enough groups for folds."""
    chosen: list[Any] = []
    n_rows = 0
    for group in rng.permutation(np.unique(groups[train])):
        if n_rows >= share * len(train) and len(chosen) >= N_FOLDS:
            break
        chosen.append(group)
        n_rows += int((groups[train] == group).sum())
    return train[np.isin(groups[train], chosen)]


def rmse(rows: HeldOut) -> float:
    """Return the root-mean-square error of held-out rows."""
    return float(np.sqrt(((rows.mean - rows.observed) ** 2).mean()))
