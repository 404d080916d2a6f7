"""Onsager coefficients: exact frames, a published example, made walkers of known correlation, and their coverage."""

import numpy as np
import pytest
from scipy.stats import t as student

from moxie.constants import AVOGADRO_PER_MOL, BOLTZMANN_J_K, ELEMENTARY_CHARGE_C
from moxie.errors import InputError
from moxie.features.conductivity import ionic_conductivity
from moxie.features.onsager import (
    Onsager,
    in_solvent_frame,
    mol2_per_J_m_s,
    nernst_einstein_transference,
    onsager_coefficients,
    transference_numbers,
)
from moxie.timeseries import Mean

COUNTS, MASSES, DIFFUSION = np.array([64, 64, 640]), np.array([6.94, 144.96, 89.0]), np.array([1.0, 2.0, 3.0])
CHARGES = (1, -1, 0)
TRUE = np.array([[3.0, 1.2, -0.5], [1.2, 2.0, -0.4], [-0.5, -0.4, 1.0]])  # nm2/ps


def exact(matrix):
    matrix = np.asarray(matrix, dtype=float)
    return Onsager(matrix, matrix[None], 10**6)


def barycentric():
    """Independent walkers, seen from their centre of mass."""
    projection = np.eye(3) - np.outer(COUNTS, MASSES) / (COUNTS @ MASSES)
    return projection @ np.diag(COUNTS * DIFFUSION) @ projection.T


def walkers(rng, n_legs, n_frames, matrix=TRUE):
    """Paths whose steps have the covariance 2 L in each direction."""
    root = np.linalg.cholesky(matrix)
    steps = rng.normal(0, np.sqrt(2), (n_legs, n_frames, len(matrix), 3))
    return list(np.cumsum(np.einsum("ij,lfjd->lfid", root, steps), axis=1))


def test_independent_walkers_have_exact_coefficients_in_both_frames():
    found = exact(barycentric())
    expected = [[79.6377, -1.7447, -3.3682], [-1.7447, 108.8729, -177.1922], [-3.3682, -177.1922, 288.8669]]
    assert found.matrix == pytest.approx(np.array(expected), abs=5e-5)
    assert MASSES @ found.matrix == pytest.approx(np.zeros(3), abs=1e-9)
    charges = np.array(CHARGES, dtype=float)
    assert found.product(charges, charges).value == pytest.approx(192)
    assert [t.value for t in transference_numbers(found, CHARGES)] == pytest.approx([0.423867, 0.576133, 0], abs=1e-6)
    solvent = in_solvent_frame(found, COUNTS, CHARGES)
    assert solvent.matrix == pytest.approx(np.array([[83.2, 19.2, 0], [19.2, 147.2, 0], [0, 0, 0]]), abs=1e-9)
    assert solvent.product(charges, charges).value == pytest.approx(192)  # a frame alters no conductivity
    assert transference_numbers(solvent, CHARGES)[0].value == pytest.approx(1 / 3)
    species = [(n, z, Mean(d, 0.0, 9.0)) for n, z, d in zip(COUNTS, CHARGES, DIFFUSION, strict=True)]
    assert nernst_einstein_transference(species)[0].value == pytest.approx(1 / 3)  # what independent ions have


@pytest.mark.parametrize(
    ("cation", "anion", "expected"), [(111.17, 86.81, 0.4385), (111.17, 280.15, 0.7159), (139.22, 144.96, 0.5101)]
)
def test_a_neat_ionic_liquid_has_the_transference_number_of_its_masses(cation, anion, expected):
    """sum_j m_j L_ij = 0 leaves one free number, and t+ = M- / (M+ + M-); there is no solvent to measure against."""
    ratio = cation / anion
    found = exact([[1.0, -ratio], [-ratio, ratio**2]])
    assert transference_numbers(found, (1, -1))[0].value == pytest.approx(expected, abs=5e-5)
    with pytest.raises(InputError, match="Without neutral molecules"):
        in_solvent_frame(found, (10, 10), (1, -1))


def test_a_published_polyelectrolyte():
    """Fong et al. (2020), refitted: t+ 0.2703 where Nernst and Einstein have 0.7374, so signs and roles are right."""
    found = exact([[0.00107918, 0.000919271], [0.000919271, 0.00135102]])
    charges = np.array([1.0, -1.0])
    assert found.product(charges, charges).value == pytest.approx(0.000591654, rel=1e-4)
    assert transference_numbers(found, (1, -1))[0].value == pytest.approx(0.2703, abs=2e-4)
    ideal = [(1, 1, Mean(0.000483491, 0.0, 9.0)), (1, -1, Mean(0.00017222, 0.0, 9.0))]
    assert nernst_einstein_transference(ideal)[0].value == pytest.approx(0.7374, abs=1e-4)


def test_coefficients_have_the_unit_of_a_conductivity_over_faraday_squared():
    rng = np.random.default_rng(3)
    legs = walkers(rng, 4, 400)
    found = onsager_coefficients(legs, 1.0, CHARGES)
    charges = np.array(CHARGES, dtype=float)
    ours = (
        (ELEMENTARY_CHARGE_C * AVOGADRO_PER_MOL) ** 2
        * mol2_per_J_m_s(8.0, 300.0)
        * found.product(charges, charges).value
    )
    theirs = ionic_conductivity([np.einsum("fid,i->fd", leg, charges) for leg in legs], 1.0, 8.0, 300.0)
    assert abs(ours - theirs.value) < 2 * theirs.standard_error
    by_hand = 1e-6 / (8e-27 * BOLTZMANN_J_K * 300 * AVOGADRO_PER_MOL**2)
    assert mol2_per_J_m_s(8.0, 300.0) == pytest.approx(by_hand)


def test_error_bars_hold_the_truth_of_correlated_walkers():
    """150 made runs of four legs of two runs; a share of 95 % has a standard error of 1.8 %."""
    rng, held = np.random.default_rng(11), []
    unit, charges = np.eye(3), np.array(CHARGES, dtype=float)
    for _ in range(150):
        found = onsager_coefficients(walkers(rng, 4, 300), 1.0, CHARGES, (0, 0, 1, 1))
        values = [
            (found.product(unit[0], unit[0]), 3.0), (found.product(unit[0], unit[1]), 1.2),
            (found.product(unit[1], unit[1]), 2.0), (found.product(charges, charges), 2.6),
            (transference_numbers(found, CHARGES)[0], 1.8 / 2.6),
        ]  # fmt: skip
        held.append([_holds(*pair) for pair in values])
    share = np.mean(held, axis=0)
    assert (share >= 0.91).all() and (share <= 1.0).all(), share
    assert share.mean() < 0.99  # not by errors that are far too wide


def _holds(found, truth):
    return abs(found.value - truth) <= found.standard_error * student.ppf(0.975, found.n_independent - 1)


def test_motion_that_stays_bounded_adds_nothing():
    """Ions that rattle against each other by far more than they walk in a frame."""
    rng = np.random.default_rng(2)
    frames = np.arange(800)
    place = np.zeros((6, 800, 3, 3))
    for frame in frames[1:]:
        place[:, frame] = 0.7 * place[:, frame - 1] + rng.normal(0, 3.0, (6, 3, 3))
    found = onsager_coefficients([a + b for a, b in zip(walkers(rng, 6, 800), place, strict=True)], 1.0, CHARGES)
    for i in range(3):
        value = found.product(np.eye(3)[i], np.eye(3)[i])
        assert abs(value.value - TRUE[i, i]) < 4 * value.standard_error and value.standard_error < 0.6 * TRUE[i, i]


def test_short_legs_are_refused():
    with pytest.raises(InputError, match="more than 40 frames a leg, and there are 30"):
        onsager_coefficients(walkers(np.random.default_rng(1), 2, 30), 1.0, CHARGES)
