"""Clusters of hand-made graphs of ions, and contact times of made jump processes whose rates are known."""

import numpy as np
import pytest

from moxie.features.association import NAMES, TIMES, AssociationCounter, Contact, contact_times


def counter(n_cations, n_anions, cutoff_A=3.0):
    ions = np.arange(n_cations + n_anions)
    return AssociationCounter(ions[:n_cations], ions[n_cations:], ions, cutoff_A)


@pytest.mark.parametrize(
    ("contacts", "free", "paired", "aggregated", "largest"),
    [
        ([], 6, 0, 0, 1),
        ([(0, 3)], 4, 2, 0, 2),
        ([(0, 3), (1, 4)], 2, 4, 0, 2),
        ([(0, 3), (1, 3)], 3, 0, 3, 3),  # two cations share an anion
        ([(0, 3), (1, 3), (1, 4), (2, 5)], 0, 2, 4, 4),
        ([(0, 3), (0, 4), (1, 4), (1, 5), (2, 5)], 0, 0, 6, 6),
    ],
)
def test_clusters_of_hand_made_graphs(contacts, free, paired, aggregated, largest):
    found = counter(3, 3)
    for _ in range(10):
        found.add_contacts(*np.array(contacts, dtype=int).reshape(-1, 2).T)
    values = [found.means(1.0)[name].value for name in NAMES[:4]]
    assert values == pytest.approx([free / 6, paired / 6, aggregated / 6, largest])


def test_contacts_reach_across_the_box_and_stop_at_the_cut_off():
    """One cation touches an anion of two atoms through the wall; another is just too far from its own."""
    found = AssociationCounter(np.array([0, 1]), np.array([2, 3, 4]), np.array([0, 1, 2, 2, 3]), 3.0)
    positions = np.array([[0.5, 5, 5], [10, 10, 10], [18.6, 5, 5], [17, 5, 5], [13.01, 10, 10]])
    for _ in range(8):
        found.add(positions, np.array([20, 20, 20, 90, 90, 90], dtype=np.float32))
    means = found.means(1.0)
    assert means["free_ion_fraction"].value == 0.5 and means["contact_pair_ion_fraction"].value == 0.5
    assert np.isnan(means[TIMES[0]].value)  # nothing ended


def jumps(rng, n_pairs, n_frames, off, on):
    """Whether each pair touches in each frame, begun in equilibrium, with the rates of continuous time."""
    total = off + on
    stay = np.exp(-total)
    touching = np.zeros((n_frames, n_pairs), dtype=bool)
    touching[0] = rng.random(n_pairs) < on / total
    for frame in range(1, n_frames):
        now = on / total + (touching[frame - 1] - on / total) * stay
        touching[frame] = rng.random(n_pairs) < now
    return touching


def contacts_of(touching):
    pairs = []
    for series in touching.T:
        padded = np.concatenate([[0], series.astype(int), [0]])
        first, last = np.flatnonzero(np.diff(padded) == 1), np.flatnonzero(np.diff(padded) == -1)
        pairs.append([Contact(a, b - a, b == len(series)) for a, b in zip(first, last, strict=True)])
    return [contacts for contacts in pairs if contacts]


def test_times_of_a_jump_process_of_known_rates():
    """Leaving at 0.05 and coming back at 0.02 per frame of 2 ps: 1/0.07 frames for the correlation.

    A contact that breaks and mends within a frame is not seen, so the continuous time is that of the frames.
    """
    rng, deviations, relative = np.random.default_rng(4), [], []
    off, on = 0.05, 0.02
    of_frames = -2.0 / np.log(on / (off + on) + off / (off + on) * np.exp(-off - on))
    for _ in range(60):
        pairs = contacts_of(jumps(rng, 80, 600, off, on))
        continuous, intermittent = contact_times(pairs, 80, 600, 2.0)
        for mean, truth in ((continuous, of_frames), (intermittent, 2 / (off + on))):
            deviations.append((mean.value - truth) / mean.standard_error)
            relative.append(mean.standard_error / truth)
    deviations = np.array(deviations).reshape(60, 2)
    assert of_frames == pytest.approx(2 / off, rel=0.02)  # nearly nothing is missed
    assert np.max(relative) < 0.1
    assert (np.abs(deviations.mean(axis=0)) < 4 / np.sqrt(60)).all(), deviations.mean(axis=0)
    assert ((np.abs(deviations) < 1.96).mean(axis=0) > 0.85).all()  # 95 % within three standard errors


def test_what_the_run_cuts_off_does_not_bias_the_continuous_time():
    """No way back, and a run no longer than a contact: the mean of the whole contacts alone would be far too short."""
    rng, found = np.random.default_rng(5), []
    for _ in range(40):
        touching = np.cumsum(rng.random((30, 100)) < 1 - np.exp(-1 / 25), axis=0) == 0
        found.append(contact_times(contacts_of(touching), 100, 30, 1.0)[0].value)
    assert np.mean(found) == pytest.approx(25, abs=4 * np.std(found) / np.sqrt(40))
