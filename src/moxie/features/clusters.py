"""Clusters of silicon: Si joined by direct Si-Si bonds, without O between them."""

from collections import deque
from dataclasses import dataclass

import numpy as np

from moxie.structures.network import Network


@dataclass(frozen=True)
class SiliconClusters:
    """sizes: (k,) Si in each cluster, largest first; percolates: (k, 3) whether it joins its own periodic image along
    x, y, z; anchored: (k,) whether it holds a frozen atom (the substrate)."""

    sizes: np.ndarray
    percolates: np.ndarray
    anchored: np.ndarray


def silicon_clusters(network: Network) -> SiliconClusters:
    """Return the clusters of a network. A lone Si with four O neighbours is a cluster of one."""
    silicon = network.species == "Si"
    both = silicon[network.bonds].all(axis=1)
    first, second = network.bonds[both].T
    crossed = network.crossings(first, second)
    links: list[list[tuple[int, tuple[int, ...]]]] = [[] for _ in silicon]
    for i, j, shift in zip(first.tolist(), second.tolist(), crossed.tolist(), strict=True):
        links[i].append((j, tuple(shift)))
        links[j].append((i, tuple(-s for s in shift)))
    image: dict[int, tuple[int, ...]] = {}
    found = []
    for start in np.flatnonzero(silicon).tolist():
        if start in image:
            continue
        image[start] = (0, 0, 0)
        members, percolates, queue = [start], [False] * 3, deque([start])
        while queue:
            atom = queue.popleft()
            for neighbour, shift in links[atom]:
                there = tuple(a + b for a, b in zip(image[atom], shift, strict=True))
                if neighbour not in image:
                    image[neighbour] = there
                    members.append(neighbour)
                    queue.append(neighbour)
                else:
                    percolates = [p or a != b for p, a, b in zip(percolates, there, image[neighbour], strict=True)]
        found.append((len(members), percolates, bool(network.frozen[members].any())))
    found.sort(key=lambda cluster: -cluster[0])
    sizes, percolating, anchored = zip(*found, strict=True)
    return SiliconClusters(np.array(sizes), np.array(percolating), np.array(anchored))
