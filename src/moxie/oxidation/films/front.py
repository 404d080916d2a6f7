"""The Monte Carlo of a film that grows at its front: a free back keeps its oxide, and the slab its place.

Without frozen atoms the energy does not change when the whole slab moves along x, y or z, and the relaxation of a
film that swells upwards moves its crystal down. (It cannot tumble: periodic images hold it level.)
"""

from typing import Any

import numpy as np

from moxie.oxidation.engine import Engine
from moxie.structures.back_side import back_atoms, back_oxygens
from moxie.structures.network import Network, nearest_image


class FrontEngine(Engine):
    """An engine whose O are the front's. With a frozen back, which has none, it is an `Engine` and nothing else.

    The back's O relax with the slab; no hop takes one, and the Si beside it do not count as oxidised, so that no bond
    switch starts there.
    """

    def __init__(self, network: Network, *arguments: Any, **options: Any):
        self._back = back_oxygens(network)
        self._held = np.flatnonzero(back_atoms(network))
        self._places = network.positions[self._held].copy()
        super().__init__(network, *arguments, **options)

    @property
    def oxygens(self) -> np.ndarray:
        """Numbers of the film's O atoms, int32."""
        return np.setdiff1d(super().oxygens, self._back).astype(np.int32)

    @property
    def front_silicons(self) -> np.ndarray:
        """Numbers of the mobile Si that do not belong to a free back, int32."""
        return np.setdiff1d(self.silicons, self._held).astype(np.int32)

    def oxidation_states(self) -> np.ndarray:
        """Return the number of O neighbours of every Si, the back's not counted, and -1 for O, shape (n,)."""
        states = super().oxidation_states()
        beside = self.atoms.neighbours[self._back, :2]
        np.subtract.at(states, beside[beside >= 0], 1)
        return states

    def put_back(self) -> None:
        """Move the whole slab so that its free back is where it was at the start, in the mean; nothing without one."""
        if len(self._held):
            away = self.atoms.position[self._held] - self._places
            self.atoms.position[:] -= nearest_image(away, self._full_cell, self._periodic).mean(axis=0)
            self._set_atoms(self.atoms)
