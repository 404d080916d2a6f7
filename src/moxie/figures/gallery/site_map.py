"""The map of silicon sites: principal components by cluster and by what was not seen, and the outliers in space."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from moxie.features.schemas import SITE_MAP
from moxie.features.tables import read_table
from moxie.figures.parts import COLOURS, STATE_COLOURS
from moxie.figures.registry import Figure
from moxie.io import read_json
from moxie.structures.films import FILM_KEY

_CLUSTER_COLOURS = (*COLOURS, "#999933", "#882255")
_AXES = {"xlabel": "first component", "ylabel": "second component"}


def draw(inputs: Mapping[str, Path]) -> tuple[Any, Any]:
    from matplotlib.figure import Figure as Canvas

    rows = read_table(inputs["map"], SITE_MAP)
    metrics = read_json(inputs["metrics"])
    figure: Any = Canvas(figsize=(7.2, 6.4), layout="constrained")
    by_cluster, by_state, by_strain = (figure.add_subplot(2, 2, k) for k in (1, 2, 3))
    shuffled = rows.sample(frac=1.0, random_state=0)  # no class is drawn over all others
    x, y = shuffled["component_1"], shuffled["component_2"]
    style: dict[str, Any] = {"s": 3.0, "linewidths": 0, "alpha": 0.7, "rasterized": True}
    by_cluster.scatter(x, y, c=[_CLUSTER_COLOURS[k] for k in shuffled["cluster"]], **style)
    by_state.scatter(x, y, c=[STATE_COLOURS[k] for k in shuffled["oxidation_state"]], **style)
    top = float(rows["strain_energy_eV"].quantile(0.99))
    points = by_strain.scatter(x, y, c=shuffled["strain_energy_eV"], cmap="viridis", vmin=0.0, vmax=top, **style)
    figure.colorbar(points, ax=by_strain, label="strain energy (eV)", extend="max")
    by_cluster.set(title=f"{metrics['n_clusters']} clusters, from geometry alone", **_AXES)
    agree = {name: part["clusters"]["ari"]["value"] for name, part in metrics["agreement"].items()}
    by_state.set(title=f"oxidation state, not seen: Rand {agree['oxidation state']:.2f}", **_AXES)
    by_strain.set(title=f"strain, not seen: Rand {agree['strain']:.2f}", **_AXES)
    for axis, names, colours in (
        (by_cluster, _cluster_names(rows, metrics["n_clusters"]), _CLUSTER_COLOURS),
        (by_state, ["Si$^0$"] + [f"Si$^{{{k}+}}$" for k in range(1, 5)], STATE_COLOURS),
    ):
        for name, colour in zip(names, colours, strict=False):
            axis.plot([], [], ls="", marker="o", ms=4, color=colour, label=name)
        axis.legend(ncols=2, handletextpad=0.1, columnspacing=0.6, loc="lower center", bbox_to_anchor=(0.5, 1.06))
        axis.set_title(axis.get_title(loc="left"), pad=3)
    _outliers(figure.add_subplot(2, 2, 4, projection="3d"), rows, metrics["outliers"])
    rows = rows.assign(outlier=_ranks(rows, metrics["outliers"]))
    columns = [*FILM_KEY, "site", "outlier", "cluster", "component_1", "component_2", "unusualness"]
    return figure, rows[[*columns, "oxidation_state", "strain_energy_eV"]]


def _cluster_names(rows: Any, n_clusters: int) -> list[str]:
    """Return what each cluster mostly consists of: its commonest oxidation state and that state's share."""
    names = []
    for number in range(n_clusters):
        states = rows.loc[rows["cluster"] == number, "oxidation_state"]
        commonest = int(states.mode().iloc[0]) if len(states) else 0
        share = 100 * float((states == commonest).mean()) if len(states) else 0.0
        names.append(f"{'Si$^0$' if not commonest else f'Si$^{{{commonest}+}}$'} {share:.0f} %")
    return names


def _outliers(axis: Any, rows: Any, outliers: Any) -> None:
    """Show the film with the worst outlier in space, its outliers numbered from the worst on."""
    film = (rows[list(FILM_KEY)] == [outliers[0][name] for name in FILM_KEY]).all(axis=1)
    part = rows[film & (rows["z_A"] > rows.loc[film, "z_A"].max() - 16.0)]
    named = [entry["site"] for entry in outliers if _film(entry) == _film(outliers[0])]
    odd = part["site"].isin(named).to_numpy()
    colours = np.array([STATE_COLOURS[k] for k in part["oxidation_state"]])
    xyz = part[["x_A", "y_A", "z_A"]].to_numpy()
    axis.scatter(*xyz[~odd].T, c=colours[~odd], s=14, alpha=0.5, linewidths=0, depthshade=False)
    axis.scatter(*xyz[odd].T, c=colours[odd], s=85, edgecolors="black", linewidths=1.0, depthshade=False)
    for place, site in zip(xyz[odd], part["site"][odd], strict=True):
        axis.text(*place, str(1 + named.index(site)), fontsize=6, ha="center", va="center", zorder=10)
    worst = outliers[0]
    title = f"outliers: Si({worst['orientation']}), {worst['temperature_K']:g} K, replica {worst['replica']}"
    axis.set_title(title, fontsize=8)
    axis.set_box_aspect(np.ptp(xyz, axis=0) + 1e-3, zoom=0.85)
    axis.set_xlabel("x (Å)", labelpad=-6)
    axis.set_ylabel("y (Å)", labelpad=-6)
    axis.set_zlabel("z (Å)", labelpad=-10)
    axis.tick_params(pad=-2, labelsize=6)
    axis.view_init(elev=14, azim=-62)


def _ranks(rows: Any, outliers: Any) -> Any:
    """Return the numbers that the outliers of the shown film have in the picture, empty elsewhere."""
    named = [entry["site"] for entry in outliers if _film(entry) == _film(outliers[0])]
    shown = (rows[list(FILM_KEY)] == _film(outliers[0])).all(axis=1)
    return rows["site"].map({site: float(1 + place) for place, site in enumerate(named)}).where(shown)


def _film(entry: Mapping[str, Any]) -> list[Any]:
    return [entry[name] for name in FILM_KEY]


FIGURE = Figure(
    title="A map of the silicon sites",
    category="Learning",
    caption=(
        "Mobile Si of all final films on the first two principal components of the geometry around them (distances to "
        "the twelve nearest atoms, angles between the nearest four; neither bonds nor elements): by cluster, and by "
        "oxidation state and strain, which the map has not seen. Rand: adjusted Rand index of the clusters with "
        "these, strain in fifths; 1 for equal partitions, 0 by chance. Lower right: the upper 16 Å of the film with "
        "the site least like all others; large: its outliers, numbered from the least like others on. Clusters are "
        "named by the commonest oxidation state of their sites and its share."
    ),
    inputs={"map": "learning/site_map/predictions.parquet", "metrics": "learning/site_map/metrics.json"},
    needs=("site_map",),
    draw=draw,
    order=70,
)
