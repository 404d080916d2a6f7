"""Forces against central differences of the energy, shared by the tests of the force fields."""

import numpy as np
import pytest

from moxie.dynamics.platforms import PlatformChoice, evaluate

REFERENCE = PlatformChoice("Reference", "double", {})


def check_forces(system, positions_nm, step_nm=1e-5):
    """Assert that every force component is minus the slope of the energy."""
    forces = evaluate(REFERENCE, system, positions_nm)[1]
    for index in np.ndindex(*positions_nm.shape):
        shift = np.zeros_like(positions_nm)
        shift[index] = step_nm
        up, down = (evaluate(REFERENCE, system, positions_nm + sign * shift)[0] for sign in (1, -1))
        assert -(up - down) / (2 * step_nm) == pytest.approx(forces[index], rel=1e-4, abs=0.05)
