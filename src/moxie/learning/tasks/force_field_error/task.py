"""What a force field gets wrong about a liquid, against temperature and pressure.

Deviation from the reference equations of state in percent, for each liquid, force field and quantity on its own curve.
Split: leave one state point out. Baselines: no error at all (the force field itself), and a constant error per curve.
Models: Bayesian linear regression in T and p with the sampling errors as noise, and a Gaussian process. Which of the
four is saved, the errors of left-out states decide; for its own score that choice is made anew for each state, without
it (nested). Nothing is carried from one liquid to another unless there are thirty of them.
"""

import logging
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from moxie.errors import InputError
from moxie.features.schemas import FORCE_FIELD_ERROR_PREDICTIONS, LIQUIDS, VALIDATION
from moxie.learning.checks import check_columns, check_finite, check_groups, check_keys
from moxie.learning.grouped import permutation_importance
from moxie.learning.metrics import HeldOut, grouping, interval, rmse_ratio, scores_with_intervals
from moxie.learning.models import GaussianProcess, MeanBaseline, Process
from moxie.learning.registry import LearningSettings, Task
from moxie.learning.thresholds import FEWEST_STATES
from moxie.reference.registry import VERIFIED

CHOSEN = "chosen"  # the model that states other than the predicted one choose
CURVE = ("system", "model", "quantity")
KEY = (*CURVE, "temperature_K", "pressure_bar")
QUANTITIES = ("density_g_cm3", "enthalpy_of_vaporisation_kJ_mol")
FEWEST_LIQUIDS = 30
_NUMBERS = ("deviation_percent", "standard_error", "reference_value", "temperature_K", "pressure_bar")
_REPEATS = 3
_PRIOR_PERCENT = 10.0


class NoError:
    """The force field is right; the interval has the root-mean-square deviation of the training states."""

    def fit(self, features: np.ndarray, target: np.ndarray, noise_variance: np.ndarray | None) -> "NoError":
        self._deviation = float(np.sqrt((target**2).mean()))
        return self

    def predict(self, features: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return np.zeros(len(features)), np.full(len(features), self._deviation)


class Line(Process):
    """A constant and a slope in scaled temperature and pressure, with the simulations' own errors as noise.

    Bayesian linear regression, written as a Gaussian process with a linear kernel (Rasmussen, Williams 2006, section
    2.1): the constant has a prior of 10 percent, that of the slope maximises the marginal likelihood, so that states
    that do not show a slope beyond their noise get none.
    """

    def fit(self, features: np.ndarray, target: np.ndarray, noise_variance: np.ndarray) -> "Line":
        from sklearn.gaussian_process import GaussianProcessRegressor
        from sklearn.gaussian_process.kernels import ConstantKernel, DotProduct

        slope = ConstantKernel(1.0, (1e-4, 1e2)) * DotProduct(0.0, "fixed")
        kernel = ConstantKernel(_PRIOR_PERCENT**2, "fixed") + slope
        process = GaussianProcessRegressor(kernel, alpha=noise_variance + 1e-8, random_state=0)
        self.noise_variance = float(noise_variance.mean())
        self._fit(process, features, target)
        return self


@dataclass(frozen=True)
class Data:
    """State points: features (n, 2) in K and bar, deviation and its standard error (n,) in percent, curve (n,)."""

    features: np.ndarray
    target: np.ndarray
    noise: np.ndarray
    curve: np.ndarray
    frame: Any


def prepare(validation: Any) -> Data:
    """Return the state points of all curves with at least three, from the table `validation`, sorted by key.

    Raises InputError for missing columns, repeated keys, numbers that are not finite, and if there is no such curve.
    """
    wanted = (*KEY, *_NUMBERS, "force_field_sha256", "stage", "reference_kind", "checked")
    check_columns(validation, "validation", "force_field_error", wanted)
    usable = validation[
        (validation["stage"] == "dynamics")
        & (validation["reference_kind"] == "experiment")
        & (validation["checked"] == VERIFIED)
        & validation["quantity"].isin(QUANTITIES)
    ]
    check_keys(usable, "validation", KEY)
    check_finite(usable, "validation", KEY, _NUMBERS)
    states = usable.groupby(list(CURVE))["temperature_K"].transform("size")
    frame = usable[states >= FEWEST_STATES].sort_values(list(KEY), ignore_index=True)
    if not len(frame):
        most = int(states.max()) if len(states) else 0
        raise InputError(
            f"The table validation has no liquid with a reference at {FEWEST_STATES} state points, {most} at most; "
            "leaving one out needs so many. Add temperatures_K or pressures_bar to a system."
        )
    points = frame[["temperature_K", "pressure_bar"]].to_numpy(float)
    noise = 100 * frame["standard_error"].to_numpy(float) / np.abs(frame["reference_value"].to_numpy(float))
    curve = frame.groupby(list(CURVE), sort=True).ngroup().to_numpy()
    check_groups(state_points(frame), "validation", "force_field_error", "state points", FEWEST_STATES, "")
    return Data(points, frame["deviation_percent"].to_numpy(float), noise, curve, frame)


def state_points(frame: Any) -> np.ndarray:
    """Number the state points of each liquid and force field; all quantities of one simulation share a number."""
    return frame.groupby(["system", "model", "temperature_K", "pressure_bar"]).ngroup().to_numpy()


def models(seed: int, confidence: float) -> dict[str, Callable[[], Any]]:
    """Return every model, to be fitted to one curve."""
    return {
        "none": NoError,
        "constant": lambda: MeanBaseline(confidence),
        "linear": Line,
        "gaussian_process": lambda: GaussianProcess(seed, 0),
    }


def choose(errors: Mapping[str, np.ndarray]) -> str:
    """Return the model with the least squared errors, (n,) for each; the earlier, simpler one of equals."""
    return min(errors, key=lambda name: float((errors[name] ** 2).sum()))


def choices(data: Data, results: Mapping[str, tuple[HeldOut, list[Any]]], seed: int, confidence: float) -> list[str]:
    """Return the model that is chosen for each row without it, its own curve being fitted anew to the other states.

    Rows of the same simulation take no part either.
    """
    points = state_points(data.frame)
    outer = {name: held.mean - held.observed for name, (held, _) in results.items()}
    found = []
    for row in range(len(data.target)):
        others = np.flatnonzero((data.curve != data.curve[row]) & (points != points[row]))
        errors = {name: list(values[others]) for name, values in outer.items()}
        same = np.flatnonzero((data.curve == data.curve[row]) & (points != points[row]))
        for test in same if len(same) > 2 else ():
            train = same[same != test]
            for name, make in models(seed, confidence).items():
                fitted = make().fit(data.features[train], data.target[train], data.noise[train] ** 2)
                errors[name].append(fitted.predict(data.features[[test]])[0][0] - data.target[test])
        found.append(choose({name: np.array(values) for name, values in errors.items()}))
    return found


def folds(data: Data) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Give (training rows, test rows): each state point of each curve held out once, the rest of its curve in training.

    No row of another curve is used, so nothing passes between the quantities of one simulation either.
    """
    for row in range(len(data.target)):
        same = np.flatnonzero(data.curve == data.curve[row])
        yield same[same != row], np.array([row])


def held_out(make: Callable[[], Any], data: Data) -> tuple[HeldOut, list[Any]]:
    """Return predictions of left-out state points, sampling error included in the deviation, and each row's model."""
    mean, deviation = np.zeros((2, len(data.target)))
    fitted = []
    for train, test in folds(data):
        model = make().fit(data.features[train], data.target[train], data.noise[train] ** 2)
        mean[test], deviation[test] = model.predict(data.features[test])
        fitted.append(model)
    return HeldOut(data.target, mean, deviation, state_points(data.frame)), fitted


def run(inputs: Mapping[str, Path], output: Path, settings: LearningSettings, seed: int) -> dict[str, Any]:
    """Train, evaluate and write metrics.json, predictions.parquet, model.skops and card.md; return the metrics."""
    from threadpoolctl import threadpool_limits

    from moxie.features.tables import read_table
    from moxie.learning.outputs import write_outputs
    from moxie.learning.task_card import model_card
    from moxie.learning.tasks.force_field_error.card import words

    log = logging.getLogger(__name__)
    data = prepare(read_table(inputs["validation"], VALIDATION))
    with threadpool_limits(limits=1):
        log.info("%d state points on %d curves", len(data.target), data.curve.max() + 1)
        results = {name: held_out(make, data) for name, make in models(seed, settings.confidence).items()}
        by_row = choices(data, results, seed, settings.confidence)
        best = choose({name: held.mean - held.observed for name, (held, _) in results.items()})
        metrics = summarise(data, results | {CHOSEN: of_each(results, by_row)}, best, by_row, settings, seed)
        make = models(seed, settings.confidence)[best]
        curves = [_fit_curve(data, number, make) for number in np.unique(data.curve)]
    model = {"task": "force_field_error", "model": best, "curves": curves, "confidence": settings.confidence}
    chosen = of_each(results, by_row)[0]
    low, high = interval(chosen.mean, chosen.deviation, settings.confidence)
    predictions = data.frame[[*KEY, "force_field_sha256"]].assign(
        observed=data.target,
        standard_error=data.noise,
        predicted=chosen.mean,
        lower=low,
        upper=high,
        chosen=by_row,
        constant=results["constant"][0].mean,
        linear=results["linear"][0].mean,
        gaussian_process=results["gaussian_process"][0].mean,
    )
    card = model_card(metrics, words(metrics))
    write_outputs(output, model, predictions, FORCE_FIELD_ERROR_PREDICTIONS, card, metrics)
    return metrics


def of_each(results: Mapping[str, tuple[HeldOut, list[Any]]], names: list[str]) -> tuple[HeldOut, list[Any]]:
    """Return the held-out rows and models of another model for each row."""
    held = [results[name][0] for name in names]
    mean, deviation = (
        np.array([getattr(h, what)[row] for row, h in enumerate(held)]) for what in ("mean", "deviation")
    )
    return HeldOut(held[0].observed, mean, deviation, held[0].groups), [
        results[name][1][row] for row, name in enumerate(names)
    ]


def summarise(
    data: Data, results: Mapping[str, Any], best: str, by_row: list[str], settings: LearningSettings, seed: int
) -> dict[str, Any]:
    """Return what goes into metrics.json."""
    rows = {name: held for name, (held, _) in results.items()}
    chosen, fitted = results[CHOSEN]

    def predict_each(features: np.ndarray) -> np.ndarray:
        return np.array([m.predict(f[None])[0][0] for m, f in zip(fitted, features, strict=True)])

    return {
        "task": "force_field_error",
        "target": "deviation_percent",
        "unit": "percent",
        "features": ["temperature_K", "pressure_bar"],
        "split": "leave one state point out, on the curve of one liquid, force field and quantity",
        "seed": seed,
        "confidence": settings.confidence,
        "groups": grouping(state_points(data.frame), "simulated state points"),
        "n_rows": len(data.target),
        "n_curves": len(np.unique(data.curve)),
        "models": {name: scores_with_intervals(held, settings.confidence) for name, held in rows.items()},
        "best": best,
        "chosen": {name: by_row.count(name) for name in rows if name != CHOSEN},
        "rmse_ratios": {name: rmse_ratio(chosen, rows[name], settings.confidence) for name in ("none", "constant")},
        "by_curve": [
            {
                **{name: str(data.frame[name][members[0]]) for name in CURVE},
                "n_states": len(members),
                "mean_deviation": float(data.target[members].mean()),
                "sampling_error": float(np.sqrt((data.noise[members] ** 2).mean())),
                "rmse": {
                    name: float(np.sqrt(((held.mean - held.observed)[members] ** 2).mean()))
                    for name, held in rows.items()
                },
            }
            for number in np.unique(data.curve)
            for members in [np.flatnonzero(data.curve == number)]
        ],
        "across_molecules": across_molecules(data),
        "learning_curve": learning_curve(data, seed, settings.confidence),
        "importance": permutation_importance(
            predict_each,
            data.features,
            {"temperature": [0], "pressure": [1]},
            chosen,
            settings.confidence,
            seed,
            within=data.curve,
        ),
    }


def across_molecules(data: Data) -> list[dict[str, Any]]:
    """Return, for each force field and quantity, how well the mean error of other liquids predicts that of a new one.

    With fewer than thirty liquids the entry holds the reason for the refusal instead of a number.
    """
    entries = []
    for (force_field, quantity), rows in data.frame.groupby(["model", "quantity"]):
        means = rows.groupby("system")["deviation_percent"].mean().to_numpy()
        entry: dict[str, Any] = {"force_field": force_field, "quantity": quantity, "n_liquids": len(means)}
        if len(means) < FEWEST_LIQUIDS:
            entry["refused"] = f"{len(means)} liquid(s), at least {FEWEST_LIQUIDS} are needed"
        else:
            others = (means.sum() - means) / (len(means) - 1)
            entry["rmse"] = float(np.sqrt(((others - means) ** 2).mean()))
        entries.append(entry)
    return entries


def learning_curve(data: Data, seed: int, confidence: float) -> list[dict[str, Any]]:
    """Return the error on left-out state points against the number of training states of the curve, drawn at random."""
    rng = np.random.default_rng(seed)
    entries = []
    largest = int(np.bincount(data.curve).max()) - 1
    for n in range(2, largest + 1):
        squares: dict[str, list[float]] = {"constant": [], "linear": []}
        for train, test in folds(data):
            if len(train) < n:
                continue
            for _ in range(_REPEATS if len(train) > n else 1):
                part = rng.choice(train, n, replace=False)
                for name, errors in squares.items():
                    model = models(seed, confidence)[name]().fit(
                        data.features[part], data.target[part], data.noise[part] ** 2
                    )
                    errors.append(float(model.predict(data.features[test])[0][0] - data.target[test][0]) ** 2)
        entries += [
            {"n": n, "model": name, "rmse": float(np.sqrt(np.mean(errors)))} for name, errors in squares.items()
        ]
    return entries


def predict(model: Mapping[str, Any], frame: Any) -> Any:
    """Return predicted, lower, upper (deviation in percent) and applicability for rows with a curve and a state."""
    import pandas

    curves = {tuple(curve[name] for name in CURVE): curve for curve in model["curves"]}
    results = []
    for row in frame.itertuples():
        curve = curves[tuple(getattr(row, name) for name in CURVE)]
        point = np.array([[row.temperature_K, row.pressure_bar]])
        if "pipeline" in curve:
            mean, deviation = curve["pipeline"].predict(point, return_std=True)
            deviation = np.sqrt(deviation**2 + curve["noise_variance"])
        else:
            mean, deviation = np.array([curve["mean"]]), np.array([curve["deviation"]])
        low, high = interval(mean, deviation, model["confidence"])
        inside = all(a <= x <= b for x, (a, b) in zip(point[0], curve["ranges"], strict=True))
        where = "inside" if inside else "outside: beyond the simulated states of this liquid"
        results.append((mean[0], low[0], high[0], where))
    return pandas.DataFrame(results, columns=["predicted", "lower", "upper", "applicability"])


def complain(row: Mapping[str, Any], model: Mapping[str, Any]) -> str:
    """Say that a curve is not among those of the model, or nothing."""
    known = [tuple(curve[name] for name in CURVE) for curve in model["curves"]]
    wanted = tuple(row[name] for name in CURVE)
    if wanted in known:
        return ""
    return f"no model for {' / '.join(wanted)}, only for {', '.join(' / '.join(names) for names in known)}"


def _fit_curve(data: Data, number: int, make: Callable[[], Any]) -> dict[str, Any]:
    """Return what the model file holds of a curve: a pipeline, or mean and deviation of a model that is a constant."""
    rows = data.curve == number
    features = data.features[rows]
    names = data.frame.loc[rows, list(CURVE)].iloc[0].to_dict()
    fitted = make().fit(features, data.target[rows], data.noise[rows] ** 2)
    ranges = [[float(column.min()), float(column.max())] for column in features.T]
    about = {**{key: str(value) for key, value in names.items()}, "ranges": ranges}
    if isinstance(fitted, Process):
        return about | {"pipeline": fitted.pipeline, "noise_variance": fitted.noise_variance}
    mean, deviation = fitted.predict(features[:1])
    return about | {"mean": float(mean[0]), "deviation": float(deviation[0])}


TASK = Task(
    name="force_field_error",
    description="What a force field gets wrong about a liquid, against temperature and pressure.",
    inputs={"validation": "tables/validation.parquet"},
    run=run,
    predict=predict,
    columns=lambda model: {
        **dict.fromkeys(CURVE, ""),
        **{name: LIQUIDS.column(name).unit for name in ("temperature_K", "pressure_bar")},
    },
    complain=complain,
    needs=("liquid_states",),
)
