"""Response functions of a liquid from the fluctuations of one run (Allen and Tildesley, 2nd ed., section 2.5).

Constant temperature and pressure, H = U + p V without kinetic energy, whose classical part is known exactly:

    kappa_T = (<V^2> - <V>^2) / (k T <V>)
    alpha_P = (<V H> - <V> <H>) / (k T^2 <V>)
    C_P     = (<H^2> - <H>^2) / (N k T^2) + f R / 2          f: degrees of freedom per molecule
    C_P^res = (<H^2> - <H>^2) / (N k T^2) - (<U_gas^2> - <U_gas>^2) / (k T^2) - R

and the static dielectric constant under conducting (tin-foil) boundaries (Neumann, Mol. Phys. 50, 841 (1983)):

    eps = 1 + (<M^2> - <M>^2) / (3 eps_0 <V> k T)
"""

import math

import numpy as np

from moxie.constants import BAR_NM3_IN_KJ_MOL, BOLTZMANN_J_K, COULOMB_KJ_MOL_NM, GAS_CONSTANT_KJ_MOL_K
from moxie.timeseries import NO_MEAN, Mean, jackknife_mean

_FEWEST_DIPOLES = 20


def enthalpy_kJ_mol(potential_energy_kJ_mol: np.ndarray, volume_nm3: np.ndarray, pressure_bar: float) -> np.ndarray:
    """Return U + p V of the whole box, without its kinetic energy, from series of U and V, shape (n,) each."""
    return potential_energy_kJ_mol + pressure_bar * BAR_NM3_IN_KJ_MOL * volume_nm3


def isothermal_compressibility_per_GPa(volume_nm3: np.ndarray, temperature_K: float) -> Mean:
    """Return kappa_T from volumes, shape (n,)."""
    scale = 1e-18 / (BOLTZMANN_J_K * temperature_K)  # nm3/J in 1/GPa

    def estimate(columns: np.ndarray) -> float:
        return float(columns[:, 0].var() / columns[:, 0].mean() * scale)

    return jackknife_mean(volume_nm3[:, None], estimate)


def thermal_expansion_per_K(volume_nm3: np.ndarray, enthalpy_kJ_mol: np.ndarray, temperature_K: float) -> Mean:
    """Return alpha_P from volume and enthalpy of the whole box, shape (n,) each."""
    scale = 1 / (GAS_CONSTANT_KJ_MOL_K * temperature_K**2)

    def estimate(columns: np.ndarray) -> float:
        return float(np.cov(columns.T, bias=True)[0, 1] / columns[:, 0].mean() * scale)

    return jackknife_mean(np.column_stack([volume_nm3, enthalpy_kJ_mol]), estimate)


def configurational_heat_capacity_J_mol_K(
    enthalpy_kJ_mol: np.ndarray, temperature_K: float, n_molecules: int = 1
) -> Mean:
    """Return the heat capacity per mole of molecules from the enthalpy of the whole box, without kinetic energy."""
    scale = 1000 / (GAS_CONSTANT_KJ_MOL_K * temperature_K**2 * n_molecules)
    return jackknife_mean(enthalpy_kJ_mol[:, None], lambda columns: float(columns[:, 0].var() * scale))


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

    Charges are fixed, so electronic polarisation is missing: its square of the refractive index is 1 here. A dipole
    that has hardly turned looks as if it were at rest: without 20 independent samples there is no error.
    """
    scale = 4 * math.pi * COULOMB_KJ_MOL_NM / (3 * GAS_CONSTANT_KJ_MOL_K * temperature_K)

    def estimate(columns: np.ndarray) -> float:
        return 1 + float(columns[:, :3].var(axis=0).sum() / columns[:, 3].mean() * scale)

    result = jackknife_mean(np.column_stack([dipole_e_nm, volume_nm3]), estimate)
    if result.n_independent < _FEWEST_DIPOLES:
        return Mean(result.value, math.nan, result.n_independent)
    return result
