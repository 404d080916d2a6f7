"""Hydrogen bonds by geometry: donor-acceptor distance below 3.5 angstrom and H-donor-acceptor angle below 30 degrees.

The criterion of Luzar and Chandler, Nature 379, 55 (1996). Donors are N and O with hydrogens, acceptors O and N with a
free lone pair; hydrogens must be sites of their own, as they are on O and N in united-atom models too.
"""

from typing import Any

import numpy as np

LONGEST_A = 3.5
_WIDEST_RAD = np.pi / 6
_OVERLAP_A = 0.1
DONORS = "[#7,#8]-[#1]"
ACCEPTORS = "[#8,$([#7;X1,X2]),$([#7X3;+0;!$(N-[#6,#16]=[O,S,N]);!$(N-c);!a])]"


class HydrogenBondCounter:
    """Counts the hydrogen bonds between different molecules, frame by frame.

    donors (n, 2): donor and its hydrogen; acceptors (m,); molecules (n_sites,): the molecule of every site.
    """

    def __init__(self, donors: np.ndarray, acceptors: np.ndarray, molecules: np.ndarray):
        self._polar = np.union1d(donors[:, 0], acceptors)
        self._accepts = np.isin(self._polar, acceptors)
        self._molecules = molecules[self._polar]
        order = np.argsort(donors[:, 0], kind="stable")
        self._hydrogens = donors[order, 1]
        self._first = np.searchsorted(donors[order, 0], self._polar, "left")
        self._count = np.searchsorted(donors[order, 0], self._polar, "right") - self._first
        self.counts: list[int] = []

    def add(self, positions: np.ndarray, box: np.ndarray) -> None:
        """Count in one frame: positions (n_sites, 3), box edges and angles (6,), in angstrom and degrees."""
        from MDAnalysis.lib.distances import calc_angles, self_capped_distance

        polar = positions[self._polar].astype(np.float32)
        pairs: Any = self_capped_distance(polar, LONGEST_A, min_cutoff=_OVERLAP_A, box=box, return_distances=False)
        pairs = pairs[self._molecules[pairs[:, 0]] != self._molecules[pairs[:, 1]]]
        donor, acceptor = np.concatenate([pairs, pairs[:, ::-1]]).T
        kept = self._accepts[acceptor]
        donor, acceptor = donor[kept], acceptor[kept]
        repeats = self._count[donor]
        which = np.arange(repeats.sum()) - np.repeat(np.cumsum(repeats) - repeats, repeats)
        hydrogen = self._hydrogens[np.repeat(self._first[donor], repeats) + which]
        donor, acceptor = np.repeat(donor, repeats), np.repeat(acceptor, repeats)
        angles = calc_angles(positions[hydrogen].astype(np.float32), polar[donor], polar[acceptor], box=box)
        self.counts.append(int((angles < _WIDEST_RAD).sum()))
