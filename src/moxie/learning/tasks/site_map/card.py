"""What the model card of the task site_map says."""

from collections.abc import Mapping
from typing import Any

from moxie.learning.task_card import Words, number, with_interval

_SCORES = {"ari": "adjusted Rand index", "nmi": "normalised mutual information"}


def words(metrics: Mapping[str, Any]) -> Words:
    """Return the sentences of the model card."""
    stability = ", ".join(f"{k}: {value:.2f}" for k, value in metrics["stability"].items())
    rows = "\n".join(
        f"| {name}, {_SCORES[s]} | {with_interval(part['clusters'][s])} | {with_interval(part['depth layers'][s])} | "
        f"{part['permuted'][s]['value']:.3f} (below {part['permuted'][s]['high']:.3f}) |"
        for name, part in metrics["agreement"].items()
        for s in _SCORES
    )
    clusters = "\n".join(
        f"| {c['cluster']} | {c['n_sites']} | {' | '.join(str(n) for n in c['by_oxidation_state'])} | "
        f"{c['strain_energy_eV']:.3f} | {c['nearest_four_A']:.3f} |"
        for c in metrics["clusters"]
    )
    outliers = "\n".join(
        f"| {o['orientation']} | {o['temperature_K']:g} | {o['replica']} | {o['site']} | {o['oxidation_state']} | "
        f"{o['cluster']} | {o['unusualness']:.1f} | {o['strain_energy_eV']:.2f} | {o['z_A']:.1f} |"
        for o in metrics["outliers"]
    )
    curve = "; ".join(f"{e['n']}: {e['ari']:.2f}" for e in metrics["agreement_curve"])
    blocks = "; ".join(
        f"{e['block']} {number(e['increase'])} ({number(e['low'])} to {number(e['high'])})"
        for e in metrics["block_changes"]
    )
    return Words(
        predicts="Sorts the silicon sites of oxide films by the geometry around them, without having been told their "
        "bonds, their elements' neighbours, oxidation states or energies.",
        intended_use="Seeing which kinds of site a film has, finding sites unlike all others, and placing the sites of "
        "a new film on the same map.",
        data=f"{metrics['n_rows']} mobile Si of {metrics['n_films']} films: the distances to the twelve nearest atoms "
        "and the angles between the nearest four, sorted.",
        model=f"k-means with {metrics['n_clusters']} clusters on scaled features, the largest number tried that is "
        f"stable (adjusted Rand index of at least {metrics['stable']:g} when whole films are drawn again): "
        f"{stability}. "
        + ("More were not tried, and may be stable too. " if metrics["n_clusters"] == metrics["most_tried"] else "")
        + "Two "
        f"principal components hold {100 * sum(metrics['explained_variance']):.0f} % of the variance.",
        evaluation="Oxidation state and strain (energy without suboxide penalty, in fifths) play no part in the fit. "
        "The rule for the number of clusters was chosen with their agreement on the default study in view. "
        f"Agreement with the map of all films when n films are used: {curve}. Change of "
        f"the clusters (one minus the adjusted Rand index) when a block of features is shuffled: {blocks}.",
        names={},
        limits=(
            "Distances to the nearest atoms tell Si-O from Si-Si bonds almost by themselves: that oxidation states "
            "come back is a check of the map more than a discovery.",
            "Most sites are crystal; a cluster of all of them dominates every score.",
            "Sites at the free surface have no neighbours above and are unusual for that reason.",
        ),
        more=(
            (
                "Agreement with what was not seen",
                f"In brackets the {100 * metrics['confidence']:g} % interval over films, each left out in turn "
                "(jackknife, Student's t).\n\n"
                "| compared with | clusters | layers of depth (baseline) | shuffled within films (baseline) |\n"
                f"|---|---|---|---|\n{rows}",
            ),
            (
                "Clusters",
                "| cluster | sites | Si0 | Si1+ | Si2+ | Si3+ | Si4+ | strain, eV | mean of the nearest four "
                f"distances, angstrom |\n|---|---|---|---|---|---|---|---|---|\n{clusters}",
            ),
            (
                "Outliers",
                f"The mobile Si least like the ten most similar others (mean distance in scaled features).\n\n"
                "| wafer | temperature, K | replica | site | oxidation state | cluster | unusualness | strain, eV | "
                f"height, angstrom |\n|---|---|---|---|---|---|---|---|---|\n{outliers}",
            ),
        ),
    )
