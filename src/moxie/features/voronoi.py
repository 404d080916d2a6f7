"""Voronoi volumes of the atoms of a periodic cell or a slab."""

import numpy as np

from moxie.structures.network import Network

MARGIN_A = 8.0


def voronoi_volumes(network: Network) -> np.ndarray:
    """Return each atom's Voronoi volume in cubic angstrom, (n,); nan for an atom whose cell leaves a free face.

    Along a direction that is not periodic a cell must lie between the outermost atoms, or it is open to the vacuum.
    Periodic images within 8 A of the cell take part. A cell's volume is the sum over its faces of area times a third of
    the distance to the face.
    """
    from scipy.spatial import Voronoi

    n = len(network.positions)
    points = _with_images(network)
    diagram = Voronoi(points, qhull_options="Qbb Qc Qz")
    vertices, pairs = diagram.vertices, diagram.ridge_points
    sizes = np.array([len(face) for face in diagram.ridge_vertices])
    corners = np.full((len(sizes), sizes.max()), -1)
    corners[np.arange(sizes.max()) < sizes[:, None]] = np.concatenate(diagram.ridge_vertices)
    # a face lists its corners in order; repeating the first one closes it and adds nothing to the area
    corners = np.where(np.arange(sizes.max()) < sizes[:, None], corners, corners[:, :1])
    places = vertices[corners]
    spans = places[:, 1:] - places[:, :1]
    areas = 0.5 * np.linalg.norm(np.cross(spans[:, :-1], spans[:, 1:]).sum(axis=1), axis=1)
    parts = areas * np.linalg.norm(points[pairs[:, 1]] - points[pairs[:, 0]], axis=1) / 6.0
    open_face = (np.array([min(face) for face in diagram.ridge_vertices]) < 0) | _outside(network, places)
    parts[open_face] = np.nan
    volumes = np.zeros(len(points))
    for side in (0, 1):
        np.add.at(volumes, pairs[:, side], parts)
    return volumes[:n]


def _outside(network: Network, places: np.ndarray) -> np.ndarray:
    """Return whether each face, with corners (m, c, 3), reaches beyond the outermost atoms along a free direction."""
    outside = np.zeros(len(places), bool)
    for axis in np.flatnonzero(~network.periodic):
        z = network.positions[:, axis]
        outside |= ((places[:, :, axis] < z.min()) | (places[:, :, axis] > z.max())).any(axis=1)
    return outside


def _with_images(network: Network) -> np.ndarray:
    """Return the atoms, folded into the cell, followed by their periodic images within the margin."""
    points = network.positions.copy()
    for axis in np.flatnonzero(network.periodic):
        points[:, axis] %= network.cell[axis]
    images = points
    for axis in np.flatnonzero(network.periodic):
        edge = network.cell[axis]
        shift = np.zeros(3)
        shift[axis] = edge
        reach = np.ceil(MARGIN_A / edge).astype(int)
        copies = [images] + [images + k * shift for k in range(-reach, reach + 1) if k]
        images = np.concatenate(
            [copies[0], *(c[(c[:, axis] > -MARGIN_A) & (c[:, axis] < edge + MARGIN_A)] for c in copies[1:])]
        )
    return images
