"""Response functions of a liquid from its fluctuations (Allen and Tildesley, 2nd ed., section 2.5).

Constant temperature and pressure, H = U + p V without kinetic energy, whose classical part is known exactly:

    kappa_T = (<V^2> - <V>^2) / (k T <V>)
    alpha_P = (<V H> - <V> <H>) / (k T^2 <V>)
    C_P     = (<H^2> - <H>^2) / (N k T^2) + f R / 2          f: degrees of freedom per molecule
    C_P^res = (<H^2> - <H>^2) / (N k T^2) - (<U_gas^2> - <U_gas>^2) / (k T^2) - R

and the static dielectric constant under conducting (tin-foil) boundaries (Neumann, Mol. Phys. 50, 841 (1983)):

    eps = 1 + <M^2> / (3 eps_0 <V> k T),     <M> = 0
"""

import math
from collections.abc import Sequence
from dataclasses import astuple, dataclass

import numpy as np

from moxie.constants import BAR_NM3_IN_KJ_MOL, BOLTZMANN_J_K, COULOMB_KJ_MOL_NM, GAS_CONSTANT_KJ_MOL_K
from moxie.timeseries import NO_MEAN, Mean, error_of_mean, jackknife_mean

FEWEST_DIPOLES = 20


def enthalpy_kJ_mol(potential_energy_kJ_mol: np.ndarray, volume_nm3: np.ndarray, pressure_bar: float) -> np.ndarray:
    """Return U + p V of the whole box, without its kinetic energy, from series of U and V, shape (n,) each."""
    return potential_energy_kJ_mol + pressure_bar * BAR_NM3_IN_KJ_MOL * volume_nm3


@dataclass(frozen=True)
class Moments:
    """First and second moments of volume V (nm3) and enthalpy H (kJ/mol) of a whole box, about their own means.

    Of one run, or of several runs about their common mean (`pooled`): the means of short runs scatter, and what a run
    varies about its own mean is too little by just that.
    """

    volume: float
    volume_variance: float
    enthalpy: float
    enthalpy_variance: float
    covariance: float

    @classmethod
    def of(cls, volume_nm3: np.ndarray, enthalpy_kJ_mol: np.ndarray) -> "Moments":
        """Return the moments of a run from its series, shape (n,) each."""
        covariance = np.cov(volume_nm3, enthalpy_kJ_mol, bias=True)
        return cls(
            float(volume_nm3.mean()), float(covariance[0, 0]), float(enthalpy_kJ_mol.mean()), float(covariance[1, 1]),
            float(covariance[0, 1]),
        )  # fmt: skip

    @classmethod
    def pooled(cls, runs: Sequence["Moments"]) -> "Moments":
        """Return the moments of equally long runs about their common mean."""
        rows = np.array([astuple(run) for run in runs])
        volume, variance, enthalpy, enthalpy_variance, covariance = rows.mean(axis=0)
        between = np.cov(rows[:, 0], rows[:, 2], bias=True)
        return cls(
            float(volume), float(variance + between[0, 0]), float(enthalpy),
            float(enthalpy_variance + between[1, 1]), float(covariance + between[0, 1]),
        )  # fmt: skip

    def isothermal_compressibility_per_GPa(self, temperature_K: float) -> float:
        """Return kappa_T."""
        return self.volume_variance / self.volume * 1e-18 / (BOLTZMANN_J_K * temperature_K)  # nm3/J in 1/GPa

    def thermal_expansion_per_K(self, temperature_K: float) -> float:
        """Return alpha_P."""
        return self.covariance / self.volume / (GAS_CONSTANT_KJ_MOL_K * temperature_K**2)

    def configurational_heat_capacity_J_mol_K(self, temperature_K: float, n_molecules: int) -> float:
        """Return the heat capacity per mole of molecules without that of the kinetic energy."""
        return self.enthalpy_variance * 1000 / (GAS_CONSTANT_KJ_MOL_K * temperature_K**2 * n_molecules)


def isothermal_compressibility_per_GPa(volume_nm3: np.ndarray, temperature_K: float) -> Mean:
    """Return kappa_T from volumes, shape (n,)."""
    return jackknife_mean(
        volume_nm3[:, None],
        lambda rows: Moments.of(rows[:, 0], rows[:, 0]).isothermal_compressibility_per_GPa(temperature_K),
        positive=True,
    )


def thermal_expansion_per_K(volume_nm3: np.ndarray, enthalpy_kJ_mol: np.ndarray, temperature_K: float) -> Mean:
    """Return alpha_P from volume and enthalpy of the whole box, shape (n,) each."""
    return jackknife_mean(
        np.column_stack([volume_nm3, enthalpy_kJ_mol]),
        lambda rows: Moments.of(rows[:, 0], rows[:, 1]).thermal_expansion_per_K(temperature_K),
    )


def configurational_heat_capacity_J_mol_K(
    enthalpy_kJ_mol: np.ndarray, temperature_K: float, n_molecules: int = 1
) -> Mean:
    """Return the heat capacity per mole of molecules from the enthalpy of the whole box, without kinetic energy."""
    return jackknife_mean(
        enthalpy_kJ_mol[:, None],
        lambda rows: Moments.of(rows[:, 0], rows[:, 0]).configurational_heat_capacity_J_mol_K(
            temperature_K, n_molecules
        ),
        positive=True,
    )


def heat_capacity_J_mol_K(configurational: Mean, degrees_of_freedom: float) -> Mean:
    """Return C_P of the classical model; rigid bonds count neither in f nor in the energy."""
    kinetic = 500 * GAS_CONSTANT_KJ_MOL_K * degrees_of_freedom
    return Mean(configurational.value + kinetic, configurational.standard_error, configurational.n_independent)


def residual_heat_capacity_J_mol_K(configurational: Mean, gas_kJ_mol: np.ndarray | None, temperature_K: float) -> Mean:
    """Return C_P of the liquid less that of its ideal gas; NaN without the energies of an isolated molecule.

    Kinetic energy cancels, and with it most of what classical mechanics gets wrong about vibrations.
    """
    if gas_kJ_mol is None:
        return NO_MEAN
    gas = configurational_heat_capacity_J_mol_K(gas_kJ_mol, temperature_K)
    value = configurational.value - gas.value - 1000 * GAS_CONSTANT_KJ_MOL_K
    error = math.hypot(configurational.standard_error, gas.standard_error)
    return Mean(value, error, min(configurational.n_independent, gas.n_independent))


def dielectric_constant(dipole_e_nm: np.ndarray, volume_nm3: np.ndarray, temperature_K: float) -> Mean:
    """Return eps from the dipole moment of the box, shape (n, 3), molecules unwrapped, and its volume, shape (n,).

    The mean dipole moment is zero, since no direction is special; that of a short run is not, and fluctuations about it
    are too small. Charges are fixed, so electronic polarisation is missing: its square of the refractive index is 1
    here. `n_independent` is that of the dipole moments; without 20 of them there is no error: the dipole of a box that
    has hardly turned looks as if it were at rest.
    """
    scale = 4 * math.pi * COULOMB_KJ_MOL_NM / (3 * GAS_CONSTANT_KJ_MOL_K * temperature_K)
    square = (dipole_e_nm**2).sum(axis=1)
    columns = np.column_stack([square, volume_nm3])
    result = jackknife_mean(columns, lambda kept: float(kept[:, 0].mean() / kept[:, 1].mean() * scale), positive=True)
    independent = _independent_dipoles(dipole_e_nm)
    error = result.standard_error if independent >= FEWEST_DIPOLES else math.nan
    return Mean(1 + result.value, error, independent)


def _independent_dipoles(dipole_e_nm: np.ndarray) -> float:
    """Return the number of independent dipole moments of a run: three axes, whose mean is known to be zero."""
    square = float((dipole_e_nm**2).mean())
    variances = [error_of_mean(axis).variance + float(axis.mean()) ** 2 for axis in dipole_e_nm.T]
    return min(3.0 * len(dipole_e_nm), 3 * square / float(np.mean(variances))) if square > 0 else 0.0
