"""Distributions of dihedral angles, and how many of them are trans (IUPAC: beyond 120 degrees; 180 is antiperiplanar).

`TORSIONS` names the kinds that are measured in every liquid and electrolyte; a line added there adds a curve, its trans
fraction, and a panel of the figure.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from moxie.timeseries import FEWEST_INDEPENDENT, Mean, mean_of, shared_inefficiency, student_factor

BIN_WIDTH_DEG = 5.0
ANGLES_DEG = np.arange(-180.0, 180.0, BIN_WIDTH_DEG) + BIN_WIDTH_DEG / 2  # centres of the bins
_TRANS = np.abs(ANGLES_DEG) > 120.0
_WELLS = (_TRANS, ~_TRANS & (ANGLES_DEG > 0), ~_TRANS & (ANGLES_DEG < 0))


@dataclass(frozen=True)
class Torsion:
    """A kind of dihedral angle: four bonded atoms as SMARTS, and what they are in words."""

    smarts: str
    description: str


# a heavy atom, but not one of three halogens or of several bare O on one atom: these turn among equals
_END = "[!#1;!$([F,Cl,Br,I]C([F,Cl,Br,I])[F,Cl,Br,I]);!$([OX1]~[*]~[OX1])]"
TORSIONS: Mapping[str, Torsion] = {  # the middle bond is single and in no ring
    "hydroxyl": Torsion("[#6]-[CX4]-!@[OX2;+0]-[#1]", "C-C-O-H dihedral angles"),
    "backbone": Torsion(
        f"{_END}~[!#1;!$([!#1]#[!#1])]-!@[!#1;!$([!#1]#[!#1])]~{_END}",
        "dihedral angles of four heavy atoms about single bonds, ends among equals (CX3, SO2) left out",
    ),
}


class DihedralCounter:
    """Histograms of the dihedral angles of given sites, shape (n, 4), frame by frame and molecule by molecule.

    `molecules` (n,) numbers the molecule of each angle; without it each is one of its own.
    """

    def __init__(self, sites: np.ndarray, molecules: np.ndarray | None = None):
        self._sites = sites
        distinct, self._molecule = np.unique(
            np.arange(len(sites)) if molecules is None else molecules, return_inverse=True
        )
        self._counts: list[np.ndarray] = []
        self._of_molecule = np.zeros((len(distinct), len(ANGLES_DEG)), dtype=np.int64)

    def add(self, positions: np.ndarray, box: np.ndarray) -> None:
        """Measure in one frame: positions (n_sites, 3), box edges and angles (6,), in angstrom and degrees."""
        from MDAnalysis.lib.distances import calc_dihedrals

        corners = (positions[column].astype(np.float32) for column in self._sites.T)
        bins = bins_of(np.degrees(calc_dihedrals(*corners, box=box)))
        self._counts.append(_counted(bins))
        np.add.at(self._of_molecule, (self._molecule, bins), 1)

    def result(self) -> "Distribution | None":
        """Return the distribution over all frames; None without frames."""
        return distribution(np.array(self._counts), self._of_molecule) if self._counts else None


@dataclass(frozen=True)
class Distribution:
    """Probability density of a dihedral angle per degree in the bins of `ANGLES_DEG`; its sum times the width is 1."""

    density_per_deg: np.ndarray
    standard_error_per_deg: np.ndarray  # NaN where neither frames nor molecules are enough to know it
    n_independent: np.ndarray
    trans_fraction: Mean

    def as_frame(self) -> Any:
        """Return the curve as a DataFrame with the columns of the table `dihedrals`, without the torsion's name."""
        import pandas as pd

        density = "probability_density_per_deg"
        return pd.DataFrame(
            {
                "angle_deg": ANGLES_DEG, density: self.density_per_deg,
                f"{density}_standard_error": self.standard_error_per_deg,
                f"{density}_n_independent": self.n_independent,
            }
        )  # fmt: skip


def histogram(angles_deg: np.ndarray) -> np.ndarray:
    """Return how many angles, shape (n,), fall into each bin of `ANGLES_DEG`; 180 is the same angle as -180."""
    return _counted(bins_of(angles_deg))


def bins_of(angles_deg: np.ndarray) -> np.ndarray:
    """Return the number of the bin of `ANGLES_DEG` that each angle falls into."""
    bins: np.ndarray = np.floor((angles_deg + 180.0) / BIN_WIDTH_DEG).astype(int) % len(ANGLES_DEG)
    return bins


def _counted(bins: np.ndarray) -> np.ndarray:
    return np.bincount(bins, minlength=len(ANGLES_DEG)).astype(np.int32)


def distribution(counts: np.ndarray, of_molecules: np.ndarray | None = None) -> Distribution:
    """Return the distribution from the histograms of consecutive frames, shape (n_frames, n_bins), and those of each
    molecule over all frames, (n_molecules, n_bins).

    The share of a bin is that of its well (trans, gauche+, gauche-) times a share within the well. Wells change slowly,
    and all bins of one together: the standard error of a well's population (`mean_of`) goes to each of its bins in
    proportion. To it comes the error of what is left of the bin's fluctuations, with one statistical inefficiency for
    all bins, from their correlation functions averaged by variance. The number of independent samples is the smaller of
    the two. The trans fraction is the integral beyond 120 degrees.

    A run that is shorter than the memory of its molecules does not see how slow they are. Their number does: equal
    molecules that hardly feel each other's angle are independent samples, however long each remembers. From five
    molecules on the scatter between them is a second estimate of the same errors, and the larger of the two counts.
    """
    shares = counts / counts.sum(axis=1, keepdims=True)
    mean = shares.mean(axis=0)
    wells = [mean_of(shares[:, well].sum(axis=1)) for well in _WELLS]
    within, rest = _split(shares, mean)
    variance = rest.var(axis=0, ddof=1)
    fast = len(shares) / shared_inefficiency(rest)
    known = fast >= FEWEST_INDEPENDENT
    if of_molecules is not None and len(of_molecules) >= FEWEST_INDEPENDENT:
        each = of_molecules / of_molecules.sum(axis=1, keepdims=True)
        scale = student_factor(len(each) - 1) / math.sqrt(len(each))
        wells = [
            _at_least(population, scale * float(each[:, well].sum(axis=1).std(ddof=1)))
            for well, population in zip(_WELLS, wells, strict=True)
        ]
        scatter = scale**2 * float(_split(each, mean)[1].var(axis=0, ddof=1).sum())
        fast = min(fast, float(variance.sum()) / scatter) if scatter > 0 else fast
        known = True
    slow, independent = np.zeros(len(mean)), np.zeros(len(mean))
    for well, population in zip(_WELLS, wells, strict=True):
        slow[well], independent[well] = within[well] * population.standard_error, population.n_independent
    error = np.hypot(slow, np.sqrt(variance / fast)) if known and fast > 0 else slow * math.nan
    return Distribution(mean / BIN_WIDTH_DEG, error / BIN_WIDTH_DEG, np.minimum(independent, fast), wells[0])


def _split(shares: np.ndarray, mean: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the mean share of each bin within its well, and what of the shares (n, n_bins) the wells leave over."""
    within, rest = mean.copy(), shares.copy()
    for well in _WELLS:
        population = mean[well].sum()
        within[well] = mean[well] / population if population else mean[well]
        rest[:, well] -= within[well] * shares[:, well].sum(axis=1, keepdims=True)
    return within, rest


def _at_least(mean: Mean, error: float) -> Mean:
    """Return a mean whose standard error is no less than another estimate of it, worth as many samples fewer."""
    if error <= mean.standard_error or error == 0:
        return mean
    share = (mean.standard_error / error) ** 2 if math.isfinite(mean.standard_error) else 1.0
    return Mean(mean.value, error, mean.n_independent * share)
