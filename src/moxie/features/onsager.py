"""Onsager coefficients of a liquid's species from their collective displacements, and transference numbers from them.

L_ij = 1/(6 V k T) lim d/dt <(R_i(t) - R_i(0)) . (R_j(t) - R_j(0))>, with R_i the sum of the positions of all molecules
of species i (Fong et al., Macromolecules 53, 9503 (2020)). Its unit is mol2/(J m s), and the conductivity is
F^2 sum_ij z_i z_j L_ij.

A frame is the velocity that others are measured against. Paths relative to the centre of mass give the barycentric one,
in which sum_j m_j L_ij = 0; `in_solvent_frame` gives that of the solvent.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from moxie.constants import AVOGADRO_PER_MOL, BOLTZMANN_J_K
from moxie.errors import InputError
from moxie.features.diffusion import M2_S_PER_NM2_PS
from moxie.features.zero_frequency import FEWEST_SAMPLES, STRONGER, amplitudes_of, band_of, scatters_of
from moxie.timeseries import Mean, student_factor

_NO_CURRENT = 1e-18  # of the largest power: rounding


@dataclass(frozen=True)
class Onsager:
    """Limits of <dR_i . dR_j> / (6 t), nm2/ps: the mean over all legs, and each leg's own."""

    matrix: np.ndarray  # (n, n)
    of_legs: np.ndarray  # (n_legs, n, n)
    n_independent: int  # products of normal numbers behind each element
    runs: tuple[int, ...] | None = None

    def product(self, first: np.ndarray, second: np.ndarray) -> Mean:
        """Return sum_ij first_i L_ij second_j, nm2/ps, of any weights of the species.

        Its error is the largest of that of products of normal numbers, L_aa L_bb + L_ab^2 over their number, and the
        scatters of legs and of runs, three or more of them.
        """
        value = float(first @ self.matrix @ second)
        size = math.sqrt(max(0.0, float(first @ self.matrix @ first) * float(second @ self.matrix @ second) + value**2))
        error = size / math.sqrt(2) * _widened(math.sqrt(2 / self.n_independent) * student_factor(self.n_independent))
        levels = np.einsum("i,lij,j->l", first, self.of_legs, second)
        return self._with_scatter(value, error, levels)

    def share(self, part: np.ndarray, whole: np.ndarray) -> Mean:
        """Return sum_ij part_i L_ij whole_j / sum_ij whole_i L_ij whole_j, dimensionless.

        It is the slope of one current against another through zero, and has the error of a slope or, if larger, that
        from the scatter of legs or runs.
        """
        square = float(whole @ self.matrix @ whole)
        value = float(part @ self.matrix @ whole) / square
        rest = max(0.0, float(part @ self.matrix @ part) / square - value**2)
        error = math.sqrt(rest / (self.n_independent - 1)) * student_factor(self.n_independent)
        differences = np.einsum("i,lij,j->l", part - value * whole, self.of_legs, whole) / square
        return self._with_scatter(value, error, differences)

    def in_frame(self, projection: np.ndarray) -> "Onsager":
        """Return the coefficients of other currents, J' = projection J."""
        legs = np.array([projection @ one @ projection.T for one in self.of_legs])
        return Onsager(projection @ self.matrix @ projection.T, legs, self.n_independent, self.runs)

    def _with_scatter(self, value: float, error: float, levels: np.ndarray) -> Mean:
        candidates = [(error, float(self.n_independent)), *scatters_of(levels, self.runs)]
        return Mean(value, *max(candidates))


def onsager_coefficients(
    legs: Sequence[np.ndarray], interval_ps: float, charges: Sequence[int], runs: Sequence[int] | None = None
) -> Onsager:
    """Return the coefficients from the summed paths of species, nm, an array (n_frames, n_species, 3) for each leg.

    The limit is taken at zero frequency, as that of `ionic_conductivity`: from the slowest sines of the displacements
    between frames. One band serves all pairs, so that sums of coefficients mean what they should; it ends where the
    spectrum of an ion, or of the charge, does (without ions: of any species). `runs` numbers the run that each leg
    starts from. Raises InputError for too few frames.
    """
    length = min(len(leg) for leg in legs)
    if length <= FEWEST_SAMPLES:
        raise InputError(f"Onsager coefficients need more than {FEWEST_SAMPLES} frames a leg, and there are {length}.")
    powers = np.array([_cross_powers(leg[:length], interval_ps) for leg in legs])
    mean, n_series = powers.mean(axis=0), 3 * len(legs)
    count = _common_band(mean, np.asarray(charges, dtype=float), n_series)
    of_legs = powers[..., :count].mean(axis=-1)
    return Onsager(of_legs.mean(axis=0), of_legs, n_series * count, None if runs is None else tuple(runs))


def in_solvent_frame(found: Onsager, counts: Sequence[int], charges: Sequence[int]) -> Onsager:
    """Return the coefficients against the mean velocity of all neutral molecules, each of which counts alike.

    J'_i = J_i - N_i / N_0 sum of the J of neutral species, N_0 molecules. Raises InputError without neutral species.
    """
    numbers, neutral = np.asarray(counts, dtype=float), np.asarray(charges) == 0
    if not neutral.any():
        raise InputError("Without neutral molecules there is no frame of the solvent.")
    return found.in_frame(np.eye(len(numbers)) - np.outer(numbers / numbers[neutral].sum(), neutral))


def transference_numbers(found: Onsager, charges: Sequence[int]) -> list[Mean]:
    """Return t_i = z_i sum_j z_j L_ij / sum_kl z_k z_l L_kl of each species, the share of the current that it carries.

    They add up to 1. Negative ones mean ions that move with more of the opposite charge than they have.
    """
    whole = np.asarray(charges, dtype=float)
    return [found.share(np.where(np.arange(len(whole)) == i, whole, 0.0), whole) for i in range(len(whole))]


def nernst_einstein_transference(species: Sequence[tuple[int, int, Mean]]) -> list[Mean]:
    """Return N_i z_i^2 D_i / sum_k N_k z_k^2 D_k from (number, charge, diffusion coefficient) of each species.

    The share of ions that do not notice each other, which diffusion NMR gives. Errors count as independent.
    """
    parts = [count * charge**2 * mean.value for count, charge, mean in species]
    errors = [count * charge**2 * mean.standard_error for count, charge, mean in species]
    total = sum(parts)
    n_independent = min(mean.n_independent for _, charge, mean in species if charge)
    found = []
    for one, part in enumerate(parts):
        others = math.hypot(*(part * error for other, error in enumerate(errors) if other != one), 0.0)
        found.append(Mean(part / total, math.hypot((total - part) * errors[one], others) / total**2, n_independent))
    return found


def mol2_per_J_m_s(volume_nm3: float, temperature_K: float) -> float:
    """Return mol2/(J m s) for 1 nm2/ps of a box."""
    return M2_S_PER_NM2_PS / (volume_nm3 * 1e-27 * BOLTZMANN_J_K * temperature_K * AVOGADRO_PER_MOL**2)


def _cross_powers(path: np.ndarray, interval_ps: float) -> np.ndarray:
    """Return the products of the sines of all currents, (n_species, n_species, n_sines), the mean over directions."""
    steps = np.diff(path, axis=0) / interval_ps  # (n_steps, n_species, 3)
    n_steps, n_species, _ = steps.shape
    sines = amplitudes_of(steps.transpose(1, 2, 0).reshape(3 * n_species, n_steps), interval_ps, ends_at_rest=True)
    sines = sines.reshape(n_species, 3, n_steps)
    return np.einsum("idk,jdk->ijk", sines, sines) / 3


def _common_band(mean: np.ndarray, charges: np.ndarray, n_series: int) -> int:
    """Return how many of the slowest sines are alike in the spectra that decide."""
    ions = np.flatnonzero(charges)
    watched = [np.eye(len(charges))[i] for i in (ions if len(ions) else range(len(charges)))]
    watched += [charges] if len(ions) else []
    spectra = [np.einsum("i,ijk,j->k", weights, mean, weights) for weights in watched]
    largest = max(float(spectrum.max()) for spectrum in spectra)
    if largest == 0:
        raise InputError("No species moves against the others: there are no Onsager coefficients.")
    alive = [spectrum for spectrum in spectra if spectrum.max() > _NO_CURRENT * largest]
    return min(band_of(spectrum, n_series, STRONGER) for spectrum in alive)


def _widened(relative: float) -> float:
    """Return the relative error of a variance whose logarithm has that error, as in `at_zero_frequency`."""
    return math.expm1(1.96 * relative) / 1.96
