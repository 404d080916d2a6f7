"""The instantaneous molecular stress of a periodic box, in five components of equal spectra.

Central differences of the potential energy under small strains, molecules moved as rigid bodies:

    V P = sum_m M_m (g : u_m u_m) - dU/d(strain g)

for each strain g, with the velocities u_m of the molecular centres. Any force, rigid bonds included, needs nothing but
energies. The molecular and the atomic stress differ by the time derivative of a bounded quantity, the sum over
molecules of m_i s_i ds_i/dt (s_i: position relative to the centre), so that both give the same viscosity (Cui, Cummings
and Cochran, Mol. Phys. 88, 1657 (1996)).
"""

from typing import Any

import numpy as np

from moxie.dynamics.platforms import PlatformChoice

BAR_PER_KJ_MOL_NM3 = 16.6053906717  # 1 kJ/mol/nm3
_STRAIN = 2e-3  # a shorter one only adds noise from pairs that cross the cut-off


def _shear(row: int, column: int) -> np.ndarray:
    strain = np.zeros((3, 3))
    strain[row, column] = 1.0
    return strain


# Five independent components with the same correlation integral in an isotropic liquid: xy, xz, yz, (xx - yy)/2,
# (2 zz - xx - yy)/(2 sqrt 3) (Daivis and Evans, J. Chem. Phys. 100, 541 (1994))
DEVIATORIC = np.array(
    [
        _shear(0, 1), _shear(0, 2), _shear(1, 2), np.diag([0.5, -0.5, 0.0]),
        np.diag([-1.0, -1.0, 2.0]) / np.sqrt(12.0),
    ]
)  # fmt: skip
ISOTROPIC = np.eye(3)[None] / 3.0
COMPONENTS = ("pressure_xy_bar", "pressure_xz_bar", "pressure_yz_bar", "pressure_xx_yy_bar", "pressure_zz_bar")


class MolecularCentres:
    """Centres of mass of molecules whose sites stand one after the other."""

    def __init__(self, system: Any, molecules: tuple[np.ndarray, ...]):
        self._sizes = np.array([len(sites) for sites in molecules])
        self._first = np.concatenate([[0], np.cumsum(self._sizes)[:-1]])
        self._site_masses = np.array([system.getParticleMass(i)._value for i in range(system.getNumParticles())])
        self.masses_amu = np.add.reduceat(self._site_masses, self._first)

    def of(self, vectors: np.ndarray) -> np.ndarray:
        """Return the mean over each molecule, weighted by mass, of positions or velocities, shape (n_molecules, 3)."""
        return np.add.reduceat(self._site_masses[:, None] * vectors, self._first) / self.masses_amu[:, None]

    def to_sites(self, vectors: np.ndarray) -> np.ndarray:
        """Return vectors of molecules, shape (n_molecules, 3), for each of their sites."""
        return np.repeat(vectors, self._sizes, axis=0)


class MolecularStress:
    """Evaluates components of the pressure tensor in a Context of its own, so that the run is not disturbed."""

    def __init__(
        self, system: Any, molecules: tuple[np.ndarray, ...], platform: PlatformChoice, strain: float = _STRAIN
    ):
        import copy

        import openmm

        self._strain = strain
        self.centres = MolecularCentres(system, molecules)
        self._context = platform.context(copy.deepcopy(system), openmm.VerletIntegrator(0.001))

    def pressures_bar(
        self, positions_nm: np.ndarray, velocities_nm_ps: np.ndarray, vectors_nm: np.ndarray,
        strains: np.ndarray = DEVIATORIC,
    ) -> np.ndarray:  # fmt: skip
        """Return the pressures conjugate to strains, in bar, shape (n,).

        `strains` (n, 3, 3) are upper triangular: x_a grows by the sum of strain_ab x_b. Molecules in `positions_nm`
        are whole; `vectors_nm` (3, 3) are the box vectors. An isotropic pressure includes OpenMM's dispersion
        correction. The velocities may lag half a time step behind, as those of a leapfrog integrator do: a shift in
        time leaves the integral of a correlation function as it is.
        """
        centres, velocities = self.centres.of(positions_nm), self.centres.of(velocities_nm_ps)
        momenta = self.centres.masses_amu[:, None] * velocities
        kinetic = np.einsum("ma,mb,nab->n", momenta, velocities, strains)
        virial = [
            (self._energy(positions_nm, centres, vectors_nm, -self._strain * strain)
             - self._energy(positions_nm, centres, vectors_nm, self._strain * strain)) / (2 * self._strain)
            for strain in strains
        ]  # fmt: skip
        return (kinetic + np.array(virial)) / abs(np.linalg.det(vectors_nm)) * BAR_PER_KJ_MOL_NM3

    def _energy(self, positions: np.ndarray, centres: np.ndarray, vectors: np.ndarray, strain: np.ndarray) -> float:
        self._context.setPeriodicBoxVectors(*(vectors + vectors @ strain.T))
        self._context.setPositions(positions + self.centres.to_sites(centres @ strain.T))
        return float(self._context.getState(energy=True).getPotentialEnergy()._value)
