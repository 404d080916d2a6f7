"""A map of the silicon sites of the films from their geometry alone, compared afterwards with what it has not seen.

Unsupervised: k-means on scaled distances and angles; principal components for the picture. The number of clusters is
the largest of those tried that is stable when whole films are drawn again. Only then are the clusters held
against oxidation states and strain, with permutations inside the films as the trivial baseline and layers of depth as
the physical one.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from moxie.errors import InputError
from moxie.features.schemas import OXIDE_RUNS, OXIDE_SITES, SITE_ENVIRONMENTS, SITE_MAP
from moxie.learning.checks import check_columns, check_finite, check_groups, check_keys
from moxie.learning.metrics import grouping, interval_over_groups
from moxie.learning.registry import LearningSettings, Task
from moxie.learning.tasks.site_map.environments import COSINES, DISTANCES, FEATURES
from moxie.learning.thresholds import FEWEST_FILMS
from moxie.structures.films import FILM_KEY

KEY = (*FILM_KEY, "site")
BLOCKS = {
    "nearest four distances": DISTANCES[:4],
    "further distances": DISTANCES[4:],
    "angles": COSINES,
}
COUNTS = range(2, 9)  # numbers of clusters to choose from
STABLE = 0.9  # adjusted Rand index
_RESAMPLINGS = 10
_PERMUTATIONS = 200
_STRAIN_CLASSES = 5
_OUTLIERS = 20
_SIMILAR = 10  # other sites
_TABLES = (SITE_ENVIRONMENTS, OXIDE_SITES, OXIDE_RUNS)


@dataclass(frozen=True)
class Data:
    """Sites: features (n, 18), number of the film (n,), what the map does not see, and the frame."""

    features: np.ndarray
    film: np.ndarray
    unseen: dict[str, np.ndarray]
    frame: Any


def prepare(environments: Any, oxide_sites: Any, oxide_runs: Any, settings: LearningSettings) -> Data:
    """Return the sites of the task, sorted by key.

    Strain is the site's energy less the suboxide penalty of its oxidation state, in five classes of equal number.
    Raises InputError for missing columns, repeated keys, numbers that are not finite,
    fewer than three films, and films of another parameter set.
    """
    check_columns(environments, "site_environments", "site_map", (*KEY, *FEATURES))
    check_columns(oxide_sites, "oxide_sites", "site_map", (*KEY, "oxidation_state", "energy_eV", "depth_A"))
    for frame, name in ((environments, "site_environments"), (oxide_sites, "oxide_sites")):
        check_keys(frame, name, KEY)
    check_finite(environments, "site_environments", KEY, FEATURES)
    names = sorted(oxide_runs["parameter_set"].unique())
    if names != [settings.parameter_set]:
        raise InputError(
            f"The films of oxide_runs were made with {', '.join(names)}, not with {settings.parameter_set}."
        )
    known = oxide_sites[[*KEY, "x_A", "y_A", "z_A", "depth_A", "oxidation_state", "energy_eV"]]
    frame = environments.merge(known, on=list(KEY), how="left").sort_values(list(KEY), ignore_index=True)
    check_finite(frame, "oxide_sites", KEY, ("oxidation_state", "energy_eV", "depth_A"))
    film = frame.groupby(list(FILM_KEY)).ngroup().to_numpy()
    advice = "Add oxidation.temperatures_K or oxidation.replicas."
    check_groups(film, "site_environments", "site_map", "films", FEWEST_FILMS, advice)
    penalty = np.array(settings.suboxide_eV)
    state = frame["oxidation_state"].to_numpy()
    frame = frame.assign(strain_energy_eV=frame["energy_eV"] - penalty[state])
    edges = np.quantile(frame["strain_energy_eV"], np.arange(1, _STRAIN_CLASSES) / _STRAIN_CLASSES)
    unseen = {"oxidation state": state, "strain": np.digitize(frame["strain_energy_eV"], edges)}
    return Data(frame[list(FEATURES)].to_numpy(float), film, unseen, frame)


def run(inputs: Mapping[str, Path], output: Path, settings: LearningSettings, seed: int) -> dict[str, Any]:
    """Cluster, compare and write metrics.json, predictions.parquet, model.skops and card.md; return the metrics."""
    from threadpoolctl import threadpool_limits

    from moxie.features.tables import read_table
    from moxie.learning.outputs import write_outputs
    from moxie.learning.task_card import model_card
    from moxie.learning.tasks.site_map.card import words

    log = logging.getLogger(__name__)
    environments, sites, runs = (read_table(inputs[table.name], table) for table in _TABLES)
    data = prepare(environments, sites, runs, settings)
    with threadpool_limits(limits=1):
        log.info("%d sites of %d films", len(data.film), data.film.max() + 1)
        stability = {k: resampled_agreement(data, k, seed) for k in COUNTS}
        n_clusters = choose_count(stability)
        model = fit(data.features, n_clusters, seed)
        placed = place(model, data.features) | {"unusualness": unusualness(model, data.features)}
        metrics = summarise(data, model, placed, stability, settings, seed)
    columns = [*KEY, "x_A", "y_A", "z_A", "oxidation_state", "strain_energy_eV"]
    predictions = data.frame[columns].assign(**placed)
    saved = {"task": "site_map", **model, "features": list(FEATURES)}
    write_outputs(output, saved, predictions, SITE_MAP, model_card(metrics, words(metrics)), metrics)
    for name, scores in metrics["agreement"].items():
        log.info("%d clusters and %s: adjusted Rand index %.2f", n_clusters, name, scores["clusters"]["ari"]["value"])
    return metrics


def fit(features: np.ndarray, n_clusters: int, seed: int) -> dict[str, Any]:
    """Return the fitted map: scaler, clusters, components, and the clusters' places by size."""
    from sklearn.cluster import KMeans
    from sklearn.decomposition import PCA
    from sklearn.preprocessing import StandardScaler

    scaler = StandardScaler().fit(features)
    scaled = scaler.transform(features)
    clusters = KMeans(n_clusters, n_init=3, random_state=seed).fit(scaled)
    order = np.argsort(-np.bincount(clusters.labels_, minlength=n_clusters))
    rank = np.argsort(order).tolist()
    return {"scaler": scaler, "clusters": clusters, "components": PCA(2).fit(scaled), "rank": rank}


def place(model: Mapping[str, Any], features: np.ndarray) -> dict[str, np.ndarray]:
    """Return cluster and components of sites, each (n,)."""
    scaled = model["scaler"].transform(features)
    cluster = np.array(model["rank"])[model["clusters"].predict(scaled)]
    components = model["components"].transform(scaled)
    return {"cluster": cluster, "component_1": components[:, 0], "component_2": components[:, 1]}


def unusualness(model: Mapping[str, Any], features: np.ndarray) -> np.ndarray:
    """Return the mean distance of every site to the ten most similar others, in scaled features, (n,)."""
    from sklearn.neighbors import NearestNeighbors

    scaled = model["scaler"].transform(features)
    neighbours = NearestNeighbors(n_neighbors=min(_SIMILAR, len(scaled) - 1)).fit(scaled)
    return neighbours.kneighbors()[0].mean(axis=1)


def resampled_agreement(data: Data, n_clusters: int, seed: int) -> float:
    """Return the mean adjusted Rand index between the map of all films and maps of films drawn with replacement.

    Stability after Ben-Hur, Elisseeff, Guyon, Pac. Symp. Biocomput. 7, 6 (2002), with whole films as what is drawn; all
    sites are compared.
    """
    rng = np.random.default_rng(seed)
    n_films = data.film.max() + 1
    draws = [rng.integers(n_films, size=n_films) for _ in range(_RESAMPLINGS)]
    return _agreement_of_parts(data, n_clusters, draws, seed)


def choose_count(stability: Mapping[int, float]) -> int:
    """Return the largest number of clusters that is stable, the most stable one if none is."""
    stable = [k for k, value in stability.items() if value >= STABLE]
    return max(stable) if stable else max(stability, key=lambda k: stability[k])


def summarise(
    data: Data,
    model: Mapping[str, Any],
    placed: Mapping[str, np.ndarray],
    stability: Mapping[int, float],
    settings: LearningSettings,
    seed: int,
) -> dict[str, Any]:
    """Return what goes into metrics.json."""
    cluster = placed["cluster"]
    n_clusters = len(model["rank"])
    layers = _cluster_depth(data.frame["depth_A"].to_numpy(float), n_clusters, seed)
    worst = np.argsort(-placed["unusualness"])[:_OUTLIERS]
    return {
        "task": "site_map",
        "features": list(FEATURES),
        "split": "none, unsupervised; whole films are drawn again for stability, left out for intervals",
        "unit": "1",
        "seed": seed,
        "confidence": settings.confidence,
        "groups": grouping(data.film, "films"),
        "n_rows": len(cluster),
        "n_films": int(data.film.max() + 1),
        "n_clusters": n_clusters,
        "most_tried": max(COUNTS),
        "stable": STABLE,
        "stability": {str(k): value for k, value in stability.items()},
        "explained_variance": model["components"].explained_variance_ratio_.tolist(),
        "agreement": {
            name: {
                "clusters": _over_films(labels, cluster, data.film, settings.confidence),
                "depth layers": _over_films(labels, layers, data.film, settings.confidence),
                "permuted": permuted(labels, cluster, data.film, settings.confidence, seed),
            }
            for name, labels in data.unseen.items()
        },
        "clusters": [
            {
                "cluster": number,
                "n_sites": int(members.sum()),
                "by_oxidation_state": np.bincount(data.unseen["oxidation state"][members], minlength=5).tolist(),
                "strain_energy_eV": float(data.frame["strain_energy_eV"][members].mean()),
                "nearest_four_A": float(data.features[members][:, :4].mean()),
            }
            for number in range(n_clusters)
            for members in [cluster == number]
        ],
        "agreement_curve": learning_curve(data, n_clusters, seed),
        "block_changes": importance(data, model, cluster, settings, seed),
        "outliers": [
            {
                **record,
                "cluster": int(cluster[i]),
                "unusualness": float(placed["unusualness"][i]),
                "strain_energy_eV": float(data.frame["strain_energy_eV"].iloc[i]),
            }
            for i, record in zip(
                worst, data.frame.iloc[worst][[*KEY, "oxidation_state", "z_A"]].to_dict("records"), strict=True
            )
        ],
    }


def agreement(labels: np.ndarray, cluster: np.ndarray) -> dict[str, float]:
    """Return adjusted Rand index (Hubert, Arabie, J. Classif. 2, 193 (1985)) and normalised mutual information."""
    from sklearn.metrics import adjusted_rand_score, normalized_mutual_info_score

    return {
        "ari": float(adjusted_rand_score(labels, cluster)),
        "nmi": float(normalized_mutual_info_score(labels, cluster)),
    }


def permuted(
    labels: np.ndarray, cluster: np.ndarray, film: np.ndarray, confidence: float, seed: int
) -> dict[str, dict[str, float]]:
    """Return mean and upper quantile of both scores when the clusters are shuffled inside every film."""
    rng = np.random.default_rng(seed)
    members = [np.flatnonzero(film == number) for number in np.unique(film)]
    found = []
    for _ in range(_PERMUTATIONS):
        shuffled = cluster.copy()
        for rows in members:
            shuffled[rows] = cluster[rng.permutation(rows)]
        found.append(agreement(labels, shuffled))
    return {
        score: {
            "value": float(np.mean([entry[score] for entry in found])),
            "high": float(np.quantile([entry[score] for entry in found], confidence)),
        }
        for score in ("ari", "nmi")
    }


def learning_curve(data: Data, n_clusters: int, seed: int) -> list[dict[str, Any]]:
    """Return how far the map of n films, drawn at random, agrees with that of all: {"n", "ari"}."""
    rng = np.random.default_rng(seed)
    n_films = data.film.max() + 1
    sizes = [n for n in (1, 2, 4, 8, 16, 32) if n < n_films]
    return [
        {
            "n": n,
            "ari": _agreement_of_parts(data, n_clusters, draws, seed),
        }
        for n in sizes
        for draws in [[rng.choice(n_films, n, replace=False) for _ in range(_RESAMPLINGS)]]
    ]


def importance(
    data: Data, model: Mapping[str, Any], cluster: np.ndarray, settings: LearningSettings, seed: int
) -> list[dict[str, Any]]:
    """Return by how much the clusters change when a block of features is shuffled among all sites.

    One entry per block: {"block", "increase", "low", "high"} of one minus the adjusted Rand index, interval over
    films.
    """
    rng = np.random.default_rng(seed)
    entries = []
    for block, names in BLOCKS.items():
        columns = [FEATURES.index(name) for name in names]
        shuffled = data.features.copy()
        shuffled[:, columns] = data.features[rng.permutation(len(cluster))][:, columns]
        scores = _over_films(cluster, place(model, shuffled)["cluster"], data.film, settings.confidence)["ari"]
        entries.append(
            {
                "block": block,
                "increase": 1 - (scores["value"] or 0.0),
                "low": None if scores["high"] is None else 1 - scores["high"],
                "high": None if scores["low"] is None else 1 - scores["low"],
            }
        )
    return entries


def predict(model: Mapping[str, Any], frame: Any) -> Any:
    """Return cluster, component_1 and component_2 for rows with the features."""
    import pandas

    return pandas.DataFrame(place(model, frame[list(model["features"])].to_numpy(float)))


def _agreement_of_parts(data: Data, n_clusters: int, draws: Sequence[np.ndarray], seed: int) -> float:
    """Return the mean adjusted Rand index of maps of some films with that of all, over all sites."""
    whole = place(fit(data.features, n_clusters, seed), data.features)["cluster"]
    members = [np.flatnonzero(data.film == number) for number in range(data.film.max() + 1)]
    found = []
    for films in draws:
        rows = np.concatenate([members[number] for number in films])
        part = place(fit(data.features[rows], n_clusters, seed), data.features)["cluster"]
        found.append(agreement(whole, part)["ari"])
    return float(np.mean(found))


def _cluster_depth(depth: np.ndarray, n_clusters: int, seed: int) -> np.ndarray:
    from sklearn.cluster import KMeans

    return KMeans(n_clusters, n_init=3, random_state=seed).fit(depth[:, None]).labels_


def _over_films(
    labels: np.ndarray, cluster: np.ndarray, film: np.ndarray, confidence: float
) -> dict[str, dict[str, float | None]]:
    """Return both scores as {value, low, high}, the interval over films."""
    sizes = np.unique(film, return_counts=True)[1]
    without = [agreement(labels[film != number], cluster[film != number]) for number in np.unique(film)]
    value = agreement(labels, cluster)
    return {
        score: interval_over_groups(
            value[score], np.array([entry[score] for entry in without]), sizes, confidence, "below one"
        )
        for score in ("ari", "nmi")
    }


TASK = Task(
    name="site_map",
    description="A map of the silicon sites of the films from their geometry alone.",
    inputs={
        "site_environments": "features/site_environments.parquet",
        "oxide_sites": "features/oxide_sites.parquet",
        "oxide_runs": "features/oxide_runs.parquet",
    },
    run=run,
    predict=predict,
    columns=lambda model: {name: SITE_ENVIRONMENTS.column(name).unit for name in model["features"]},
    settings=("confidence", "parameter_set", "suboxide_eV"),
    needs=("film_sites",),
)
