"""Staged early rejection: its stages, and constants that the engine finds for itself in shadow mode.

A stage relaxes more atoms, or the same for longer. At its end the energy that the whole move would still lose is
predicted as offset + edge * |change of the gradient on the fixed atoms around|^2 + rest * |gradient on the moving
atoms|^2, the second-order estimate of what those forces can release; a move whose prediction lies above its threshold
is given up. In shadow mode such moves are followed to the end, which gives the constants and the share of
false kills: of the moves that would have been accepted, those given up.
"""

from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from moxie.oxidation.kernels import batch
from moxie.oxidation.kernels.moves import CLASSES
from moxie.oxidation.tally import Tally

NEVER_EV = 1e9  # an offset that gives nothing up
FOLLOWED_EV = 1.5  # in the second half of a calibration, moves predicted to end below this are followed to the end
FURTHER_EV = 2.5  # the same when false kills are measured
FAR_EV = 4.0  # the same in the first half, by `provisional`
_FAR = (3.0, 0.3, 0.5, 5.0)  # a rule several times looser than any that was ever fitted
_WINDOW = 300  # moves of lowest final energy that a rule is fitted to
_LOST = 0.002  # share of the weight of all acceptable moves that one rule may give up
_WIDER = 1.5  # a rule must hold for moves acceptable at this times kT, or still hotter, ...
_EFFECTIVE = 12.0  # ... so that effectively so many moves decide on it
_TAIL = 0.5  # upper share of the weight to which the tail of the deviations is fitted, ...
_TAIL_EFFECTIVE = 40.0  # ... or less, if effectively so many moves lie in it
_FEWEST = 40  # followed moves below which a class shares one rule with all switches, and these give nothing up


@dataclass(frozen=True)
class Rejection:
    """The stages of a move's relaxation; one entry per stage, the last one decides.

    shells: bond shells around the move that relax; a stage with the shells and the repulsion of the one before goes on
    with it.
    evaluations, force_tolerance_eV_A: end of the stage; a first stage of no evaluations is a look at the terms that the
    move changes (`prescreen`), which exchanges of O skip. repulsion: whether it counts.
    rules: (stages, classes of move, 4): offset in eV, edge and rest in A^2/eV, share of the old repulsion of the move's
    own atoms; without them nothing is given up, and the sampling is exact within the relaxation's tolerance.
    """

    shells: tuple[int, ...]
    evaluations: tuple[int, ...]
    force_tolerance_eV_A: tuple[float, ...]
    repulsion: tuple[bool, ...]
    rules: tuple[tuple[tuple[float, ...], ...], ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Return the stages as a JSON-like dict."""
        return asdict(self)

    @classmethod
    def from_dict(cls, content: dict[str, Any]) -> "Rejection":
        """Return what `to_dict` made, also after a passage through JSON."""
        return cls(**{key: _tuples(value) for key, value in content.items()})

    def table(self) -> np.ndarray:
        """Return the stage table of the compiled sampler, shape (stages, batch.N_COLUMNS)."""
        columns = np.array((self.shells, self.force_tolerance_eV_A, self.evaluations, self.repulsion), float).T
        rules = _no_rules(len(columns))
        if self.rules:
            rules[:] = self.rules
        return np.hstack([columns, rules.reshape(len(columns), -1)])


# shells, evaluations, force tolerance, repulsion
_FIRST_STAGES = (
    (0, 0, 0.5, False),
    (0, 2, 0.5, False),
    (0, 6, 0.5, False),
    (1, 14, 0.3, False),
    (3, 20, 0.2, False),
    (6, 8, 0.05, False),
    (6, 20, 0.05, True),
)


def ending_at(shells: int) -> Rejection:
    """Return the standard stages with that many shells in the last ones."""
    between = []
    reach = 9
    while reach < shells - 2:
        between.append((reach, 15, 0.05, True))
        reach = round(1.5 * reach)
    last = [(shells, 20, 0.02, True), (shells, 300, 0.01, True)]
    return Rejection(*zip(*_FIRST_STAGES, *between, *last, strict=True))


# How far the last stage must reach: what it leaves out makes every move look costlier than it is. Eight shells leave
# 0.01 eV in amorphous silicon, twenty 0.02 eV in silica, whose strain spreads over whole units; ten 0.02 eV in a film.
SILICON_REJECTION = ending_at(8)
SILICA_REJECTION = ending_at(20)
FILM_REJECTION = ending_at(10)


def _tuples(value: Any) -> Any:
    return tuple(_tuples(item) for item in value) if isinstance(value, list | tuple) else value


def _no_rules(n_stages: int) -> np.ndarray:
    """Return rules (n_stages, classes of move, 4) that give nothing up."""
    rules = np.zeros((n_stages, len(CLASSES), 4))
    rules[:, :, 0] = NEVER_EV
    return rules


def provisional(rejection: Rejection) -> Rejection:
    """Return `rejection` with one very loose rule, at the last stage without repulsion."""
    n_stages = len(rejection.shells)
    rules = _no_rules(n_stages)
    for stage in range(n_stages - 2, -1, -1):
        if rejection.shells[stage] != rejection.shells[-1]:
            rules[stage] = _FAR
            break
    return replace(rejection, rules=_tuples(rules.tolist()))


@dataclass(frozen=True)
class Calibration:
    """Constants found in shadow mode. false_kill_rate: expected share of the acceptable moves that they give up.

    log: the moves that it rests on (see batch); effective: Kish's effective number of acceptable ones among them.
    The rate is that of the same moves; `Engine.measure_false_kills` gives it for others. tally: the moves of the chain
    that the calibration made.
    """

    rejection: Rejection
    kT_eV: float
    log: np.ndarray
    effective: float
    false_kill_rate: float
    tally: Tally = Tally()


def fit(rejection: Rejection, log: np.ndarray, kT_eV: float) -> Calibration:
    """Return `rejection` with rules fitted to a shadow log (see batch) of moves at kT.

    Each rule is a non-negative least-squares fit to the moves of lowest final energy, shifted so that it gives up a
    share _LOST of the weight min(1, exp(-dE/kT)) that acceptable moves have. The moves at hand are far fewer than
    1 / _LOST, so that the largest deviation among them would be exceeded too often: the upper deviations, effectively
    _TAIL_EFFECTIVE of them or those above the median, are taken to fall off exponentially.
    """
    n_stages = len(rejection.shells)
    rules = _no_rules(n_stages)
    classes = log[:, batch.LOG_CLASS]
    switches = np.array([name.startswith("switch") for name in CLASSES])[classes.astype(int)]
    for label in range(len(CLASSES)):
        lines = log[classes == label]
        if len(lines) < _FEWEST and CLASSES[label].startswith("switch"):
            lines = log[switches]
        if len(lines) < _FEWEST:
            continue
        for stage in range(n_stages - 1):
            rules[stage, label] = _rule(lines, stage, kT_eV)
    result = replace(rejection, rules=_tuples(rules.tolist()))
    weights = acceptable(log[:, batch.LOG_CHANGE], kT_eV)
    return Calibration(result, kT_eV, log, effective(weights), false_kill_rate(result, log, kT_eV))


def _rule(lines: np.ndarray, stage: int, kT_eV: float) -> np.ndarray:
    from scipy.optimize import nnls

    change = lines[:, batch.LOG_CHANGE]
    released = _stage(lines, stage)[:, 0] - change
    terms = np.column_stack([np.ones(len(lines)), -np.ones(len(lines)), _stage(lines, stage)[:, 1:]])
    terms = np.column_stack([terms, lines[:, batch.LOG_REPULSION]])
    near = np.argsort(change)[:_WINDOW]
    constants, _ = nnls(terms[near], released[near])
    excess = released - terms @ constants
    wider_eV = _WIDER * kT_eV
    while effective(acceptable(change, wider_eV)) < min(_EFFECTIVE, 0.5 * len(lines)):
        wider_eV *= 1.5
    offset = _exceeded_by(excess, acceptable(change, wider_eV), _LOST)
    return np.array([constants[0] - constants[1] + offset, *constants[2:]])


def _exceeded_by(values: np.ndarray, weights: np.ndarray, share: float) -> float:
    """Return what a share of the weight exceeds, by an exponential tail fitted to the largest values."""
    tail = max(share, min(_TAIL, _TAIL_EFFECTIVE / effective(weights)))
    order = np.argsort(-values)
    above = np.cumsum(weights[order]) / weights.sum()
    last = int(np.searchsorted(above, tail))
    upper = order[: last + 1]
    start = values[order[last]]
    mean = np.average(values[upper] - start, weights=weights[upper])
    return float(start + mean * np.log(tail / share))


def effective(weights: np.ndarray) -> float:
    """Return Kish's effective number of samples; 0 where none has a weight."""
    squares = (weights**2).sum()
    return float(weights.sum() ** 2 / squares) if squares > 0 else 0.0


def _stage(lines: np.ndarray, stage: int) -> np.ndarray:
    first = batch.LOG_STAGES + 3 * stage
    return lines[:, first : first + 3]


def acceptable(change_eV: np.ndarray, kT_eV: float) -> np.ndarray:
    """Return min(1, exp(-dE/kT)), the probability that a move is accepted."""
    return np.exp(-np.maximum(change_eV, 0.0) / kT_eV)


def false_kill_rate(rejection: Rejection, log: np.ndarray, kT_eV: float) -> float:
    """Return the share of the acceptable moves of a shadow log that the rules give up.

    A move is acceptable with probability exp(-dE/kT) and given up although acceptable with probability
    exp(-dE/kT) - exp(-P/kT), where P > dE is the largest prediction of any stage; nan where no move is acceptable.
    """
    rules = np.array(rejection.rules)
    labels = log[:, batch.LOG_CLASS].astype(int)
    largest = np.full(len(log), -np.inf)
    for stage in range(len(rejection.shells) - 1):
        rule = rules[stage, labels]
        values = _stage(log, stage)
        predicted = values[:, 0] - rule[:, 0] - rule[:, 1] * values[:, 1] - rule[:, 2] * values[:, 2]
        largest = np.maximum(largest, predicted - rule[:, 3] * log[:, batch.LOG_REPULSION])
    accepted = acceptable(log[:, batch.LOG_CHANGE], kT_eV)
    lost = np.maximum(0.0, accepted - acceptable(largest, kT_eV))
    return float(lost.sum() / accepted.sum()) if accepted.any() else np.nan
