"""Populations of dihedral angles: trans beyond 120 degrees either way, gauche within (IUPAC: anti- and synclinal)."""

import numpy as np

_TRANS_RAD = 2 * np.pi / 3
PATTERNS = {  # four bonded atoms; the middle bond is single and in no ring
    "hydroxyl": "[#6]-[CX4]-!@[OX2;+0]-[#1]",
    "backbone": "[!#1]~[!#1;!$([!#1]#[!#1])]-!@[!#1;!$([!#1]#[!#1])]~[!#1]",
}


class DihedralCounter:
    """Shares of the dihedral angles of given sites, shape (n, 4), that are trans, frame by frame."""

    def __init__(self, sites: np.ndarray):
        self._sites = sites
        self.trans: list[float] = []

    def add(self, positions: np.ndarray, box: np.ndarray) -> None:
        """Measure in one frame: positions (n_sites, 3), box edges and angles (6,), in angstrom and degrees."""
        from MDAnalysis.lib.distances import calc_dihedrals

        corners = (positions[column].astype(np.float32) for column in self._sites.T)
        self.trans.append(float((np.abs(calc_dihedrals(*corners, box=box)) > _TRANS_RAD).mean()))
