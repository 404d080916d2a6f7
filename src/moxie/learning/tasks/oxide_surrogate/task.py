"""An observable of an oxide film against temperature and oxygen content, without running the Monte Carlo.

Split: leave one temperature out, all its replicas and growth stages together. Model: Gaussian process with the
variance between replicas as noise. Baselines: linear interpolation in temperature and oxygen, the same in temperature
and growth stage, a plane in temperature and oxygen, and the mean.
"""

import functools
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from moxie.errors import InputError
from moxie.features.schemas import OXIDE_RUNS, PREDICTIONS, VARIES
from moxie.learning.checks import check_columns, check_finite, check_keys
from moxie.learning.grouped import permutation_importance
from moxie.learning.metrics import HeldOut, grouping, interval, rmse_ratio, scores_with_intervals
from moxie.learning.models import GaussianProcess, LinearInterpolation, MeanBaseline, OfColumns, Plane
from moxie.learning.registry import LearningSettings, Task
from moxie.learning.splits import leave_one_group_out
from moxie.learning.tasks.oxide_surrogate.evaluation import held_out_predictions, leakage, learning_curve
from moxie.learning.tasks.oxide_surrogate.noise import ReplicaNoise, replica_noise
from moxie.learning.thresholds import FEWEST_TEMPERATURES

FEATURES = ("temperature_K", "oxygen_per_area_per_A2")
KEY = ("temperature_K", "replica", "stage")  # of the films of one orientation and approach
BLOCKS = {"temperature": [0], "oxygen per area": [1]}
BASELINES: dict[str, Callable[[], Any]] = {  # of (temperature, oxygen per area, stage)
    "linear_interpolation": lambda: OfColumns(LinearInterpolation, (0, 1)),
    "stage_interpolation": lambda: OfColumns(LinearInterpolation, (0, 2)),
    "plane": lambda: OfColumns(Plane, (0, 1)),
    "mean": MeanBaseline,
}
_NOT_TARGETS = {
    *FEATURES,
    *KEY,
    *("recipe_thickness_nm", "target_thickness_nm", "thickness_scale", "area_A2", "kT_eV", "n_si", "n_o"),
}
TARGETS = tuple(
    c.name
    for c in OXIDE_RUNS.columns
    if c.dtype == "float" and c.name not in _NOT_TARGETS and not c.name.endswith("_standard_error")
)


@dataclass(frozen=True)
class Data:
    """Rows of the task: features (n_rows, 2), target (n_rows,), the number of the set-up of each row, and the frame."""

    features: np.ndarray
    target: np.ndarray
    temperatures: np.ndarray
    cells: np.ndarray
    frame: Any

    @property
    def with_stage(self) -> np.ndarray:
        """The features and the growth stage, which is known before a film is grown, (n_rows, 3)."""
        return np.column_stack([self.features, self.frame["stage"].to_numpy(float)])


def prepare(oxide_runs: Any, target: str) -> Data:
    """Return the rows of the task from the table `oxide_runs`, those of its lowest orientation and of the disordered
    approach if there is one (the other one grows with other penalties), sorted by key.

    Raises InputError for an unknown target, missing columns, repeated keys, labels that are not numbers, and fewer
    than three temperatures.
    """
    if target not in TARGETS:
        raise InputError(f"learning.target = {target!r} cannot be predicted; allowed: {', '.join(TARGETS)}.")
    check_columns(oxide_runs, "oxide_runs", "oxide_surrogate", ("orientation", "approach", *KEY, *FEATURES, target))
    for name in ("orientation", "approach"):
        oxide_runs = oxide_runs[oxide_runs[name] == oxide_runs[name].min()]
    check_keys(oxide_runs, "oxide_runs", KEY)
    frame = oxide_runs.sort_values(list(KEY), ignore_index=True)
    advice = "Choose another learning.target, or thicker films."
    check_finite(frame, "oxide_runs", KEY, (*FEATURES, target), advice)
    features = frame[list(FEATURES)].to_numpy(dtype=float)
    n_temperatures = len(np.unique(features[:, 0]))
    if n_temperatures < FEWEST_TEMPERATURES:
        raise InputError(
            f"oxidation.temperatures_K gives {n_temperatures} temperature(s); leaving one out needs at least "
            f"{FEWEST_TEMPERATURES}. Add temperatures."
        )
    _, cells = np.unique(frame[["temperature_K", "stage"]].to_numpy(dtype=float), axis=0, return_inverse=True)
    return Data(features, frame[target].to_numpy(dtype=float), features[:, 0], cells.ravel(), frame)


def run(inputs: Mapping[str, Path], output: Path, settings: LearningSettings, seed: int) -> dict[str, Any]:
    """Train, evaluate and write metrics.json, predictions.parquet, model.skops and card.md; return the metrics."""
    from threadpoolctl import threadpool_limits

    from moxie.features.tables import read_table
    from moxie.learning.outputs import write_outputs
    from moxie.learning.task_card import model_card
    from moxie.learning.tasks.oxide_surrogate.card import words

    log = logging.getLogger(__name__)
    data = prepare(read_table(inputs["oxide_runs"], OXIDE_RUNS), settings.target)
    unit = OXIDE_RUNS.column(settings.target).unit
    with threadpool_limits(limits=1):
        log.info("%d rows at %d temperatures", len(data.target), len(np.unique(data.temperatures)))
        results, predict_each = evaluate(data, seed)
        metrics = summarise(data, results, predict_each, settings, unit, seed)
        noise = replica_noise(data.target, data.cells)
        process = GaussianProcess(seed).fit(data.features, data.target, noise.variance)
    metrics["kernel"] = process.kernel
    units = {column.name: unit for column in PREDICTIONS.columns if column.unit == VARIES}
    model = {
        "task": "oxide_surrogate",
        "pipeline": process.pipeline,
        "noise_variance": process.noise_variance,
        "features": list(FEATURES),
        "target": settings.target,
        "unit": unit,
        "confidence": settings.confidence,
        "orientation": metrics["orientation"],
        "ranges": np.sort(data.features, axis=0)[[0, -1]].T.tolist(),
    }
    card = model_card(metrics, words(metrics))
    write_outputs(output, model, tabulate(data, results, settings), PREDICTIONS, card, metrics, units)
    return metrics


def evaluate(data: Data, seed: int) -> tuple[dict[str, HeldOut], Callable[[np.ndarray], np.ndarray]]:
    """Return the held-out predictions of every model, and those of the Gaussian process for other features."""
    process = functools.partial(OfColumns, functools.partial(GaussianProcess, seed), (0, 1))
    models: dict[str, Any] = {"gaussian_process": process, **BASELINES}
    found = {
        name: held_out_predictions(
            make_model,
            data.with_stage,
            data.target,
            data.temperatures,
            data.cells,
            leave_one_group_out(data.temperatures),
        )
        for name, make_model in models.items()
    }
    return {name: rows for name, (rows, _) in found.items()}, found["gaussian_process"][1]


def summarise(
    data: Data,
    results: Mapping[str, HeldOut],
    predict_each: Callable[[np.ndarray], np.ndarray],
    settings: LearningSettings,
    unit: str,
    seed: int,
) -> dict[str, Any]:
    """Return everything that goes into metrics.json but the fitted kernel."""
    noise = replica_noise(data.target, data.cells)
    process = results["gaussian_process"]
    quick = functools.partial(GaussianProcess, seed, 0)
    setting = (data.features, data.target, data.temperatures, data.cells, seed)
    return {
        "task": "oxide_surrogate",
        "target": settings.target,
        "unit": unit,
        "orientation": str(data.frame["orientation"].iloc[0]),
        "features": list(FEATURES),
        "split": "leave one temperature out",
        "seed": seed,
        "confidence": settings.confidence,
        "groups": grouping(data.temperatures, "temperatures"),
        "n_rows": len(data.target),
        "temperatures_K": np.unique(data.temperatures).tolist(),
        "n_replicas": int(data.frame["replica"].nunique()),
        "n_stages": int(data.frame["stage"].nunique()),
        "target_range": [float(data.target.min()), float(data.target.max())],
        "oxygen_range": [float(data.features[:, 1].min()), float(data.features[:, 1].max())],
        "noise": _describe_noise(noise),
        "models": {name: scores_with_intervals(rows, settings.confidence) for name, rows in results.items()},
        "rmse_ratios": {name: rmse_ratio(process, results[name], settings.confidence) for name in BASELINES},
        "by_temperature": [
            {
                "temperature_K": float(temperature),
                "rmse": float(np.sqrt((error**2).mean())),
                "mean_error": float(error.mean()),
                "extrapolated": bool(temperature in (data.temperatures.min(), data.temperatures.max())),
            }
            for temperature in np.unique(data.temperatures)
            for error in [(process.mean - process.observed)[data.temperatures == temperature]]
        ],
        "learning_curve": learning_curve(
            {"gaussian_process": quick, "linear_interpolation": LinearInterpolation}, *setting, settings.confidence
        ),
        "leakage": leakage(quick, *setting),
        "importance": permutation_importance(
            predict_each, data.with_stage, BLOCKS, process, settings.confidence, seed, within=data.with_stage[:, 2]
        ),
    }


def tabulate(data: Data, results: Mapping[str, HeldOut], settings: LearningSettings) -> Any:
    """Return the table `predictions` as a data frame."""
    process = results["gaussian_process"]
    low, high = interval(process.mean, process.deviation, settings.confidence)
    _, fold = np.unique(data.temperatures, return_inverse=True)
    return data.frame[[*KEY, "oxygen_per_area_per_A2"]].assign(
        target=settings.target,
        fold=fold.ravel(),
        observed=process.observed,
        predicted=process.mean,
        standard_deviation=process.deviation,
        lower=low,
        upper=high,
        **{name: results[name].mean for name in BASELINES},
    )


def predict(model: Mapping[str, Any], frame: Any) -> Any:
    """Return predicted, standard_deviation, lower and upper of a single new run and applicability for each row."""
    import pandas

    from moxie.learning.storage import predict as predict_rows

    features = frame[list(model["features"])].to_numpy(float)
    mean, deviation = predict_rows(model, features)
    low, high = interval(mean, deviation, model["confidence"])
    columns = {"predicted": mean, "standard_deviation": deviation, "lower": low, "upper": high}
    return pandas.DataFrame(columns | {"applicability": [_applicability(model, row) for row in features.tolist()]})


def complain(row: Mapping[str, Any], model: Mapping[str, Any]) -> str:
    """Say that a row is of another surface than the model's films, or nothing."""
    surface = str(row.get("orientation", model["orientation"]))
    if surface == model["orientation"]:
        return ""
    return f"orientation = {surface}; the model was trained on films on Si({model['orientation']})"


def _applicability(model: Mapping[str, Any], row: Sequence[float]) -> str:
    for name, value, (low, high) in zip(model["features"], row, model["ranges"], strict=True):
        if not low <= value <= high:
            return f"outside: the training films have {name} {low:.4g} to {high:.4g}"
    return "inside"


def _describe_noise(noise: ReplicaNoise) -> dict[str, Any]:
    return {
        "source": noise.source,
        "standard_deviation": noise.standard_deviation,
        "degrees_of_freedom": noise.degrees_of_freedom,
    }


TASK = Task(
    name="oxide_surrogate",
    description="An observable of the oxide film against temperature and oxygen content.",
    inputs={"oxide_runs": "features/oxide_runs.parquet"},
    run=run,
    predict=predict,
    columns=lambda model: {name: OXIDE_RUNS.column(name).unit for name in model["features"]},
    complain=complain,
    settings=("target", "confidence"),
    needs=("oxide_sweep",),
)
