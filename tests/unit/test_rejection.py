"""Rules of early rejection, fitted to made-up shadow logs."""

import numpy as np
import pytest

from moxie.oxidation.kernels import batch
from moxie.oxidation.kernels.moves import CLASSES
from moxie.oxidation.rejection import Rejection, false_kill_rate, fit

STAGES = Rejection((0, 6), (1, 1), (1.0, 1.0), (False, True))
KT_EV = 0.3


def made_log(n, generator, deviation, label=0):
    """A log of one stage before the last, of moves that end at 0 eV: `deviation(generator, edge, n)` is still lost."""
    log = np.zeros((n, batch.LOG_STAGES + 6))
    edge = generator.uniform(1.0, 10.0, n)
    log[:, batch.LOG_CLASS] = label
    log[:, batch.LOG_STAGES] = deviation(generator, edge, n)
    log[:, batch.LOG_STAGES + 1] = edge
    return log


def given_up(rejection, log):
    """The share of the moves of a log that are predicted to end above 0 eV, where all of them end."""
    offset, edge, rest, _ = np.array(rejection.rules)[0, int(log[0, batch.LOG_CLASS])]
    stage = log[:, batch.LOG_STAGES :]
    return np.mean(stage[:, 0] - offset - edge * stage[:, 1] - rest * stage[:, 2] > 0)


@pytest.mark.parametrize(
    ("deviation", "at_most"),
    [
        (lambda g, edge, n: 0.5 * edge + g.normal(0, 0.3, n), 0.002),
        (lambda g, edge, n: 0.5 * edge + g.exponential(0.3, n), 0.004),
        (lambda g, edge, n: 0.5 * edge + g.standard_t(5, n) * 0.3, 0.008),  # heavier than any exponential
    ],
)
def test_rules_from_few_moves_give_up_few_others(deviation, at_most):
    generator = np.random.default_rng(1)
    fresh = made_log(20_000, generator, deviation)
    shares = [given_up(fit(STAGES, made_log(150, generator, deviation), KT_EV).rejection, fresh) for _ in range(40)]
    assert 0 < np.mean(shares) < at_most


def test_many_moves_are_followed_down_their_own_tail():
    # an exponential tail beyond the median of a normal cloud would give up some 4e-6
    generator = np.random.default_rng(2)

    def deviation(g, edge, n):
        return 0.5 * edge + g.normal(0, 0.3, n)

    fresh = made_log(200_000, generator, deviation)
    shares = [given_up(fit(STAGES, made_log(2000, generator, deviation), KT_EV).rejection, fresh) for _ in range(20)]
    assert np.mean(shares) == pytest.approx(0.002, rel=0.6)


def test_rules_for_a_temperature_at_which_nothing_is_acceptable_are_those_of_a_higher_one():
    log = made_log(200, np.random.default_rng(5), lambda g, edge, n: 0.5 * edge + g.normal(0, 0.3, n))
    log[:, batch.LOG_CHANGE] = np.linspace(1.0, 3.0, len(log))
    cold = fit(STAGES, log, 1e-6)
    assert np.isfinite(np.array(cold.rejection.rules)).all()
    assert cold.effective == 0 and np.isnan(cold.false_kill_rate)


def test_slopes_are_never_negative():
    log = made_log(300, np.random.default_rng(4), lambda g, edge, n: 5.0 - 0.3 * edge + g.normal(0, 0.1, n))
    offset, edge, _, _ = np.array(fit(STAGES, log, KT_EV).rejection.rules)[0, 0]
    assert edge == 0 and offset > 4


def test_a_class_with_few_moves_shares_the_rule_of_all_switches():
    generator = np.random.default_rng(5)
    many = made_log(200, generator, lambda g, edge, n: 0.1 * edge + g.normal(0, 0.1, n))
    few = made_log(20, generator, lambda g, edge, n: 3.0 + g.normal(0, 0.1, n), label=1)
    rules = np.array(fit(STAGES, np.vstack([many, few]), KT_EV).rejection.rules)[0]
    assert rules[0, 0] < 1 < rules[1, 0] < 10
    assert rules[CLASSES.index("hop"), 0] > 1e6  # never met: given up never
    assert false_kill_rate(fit(STAGES, many, KT_EV).rejection, many, KT_EV) < 0.01
