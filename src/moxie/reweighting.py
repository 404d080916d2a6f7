"""Observables as continuous functions of temperature, from the samples of a whole ladder (MBAR). Example:

    run = exchange(replicas, ladder.kT_eV, n_rounds=2000, moves_per_round=5000, observers=["oxidation_states"])
    reweighting = Reweighting(run.columns, ["si1_fraction", "si2_fraction"])
    kT = np.linspace(run.kT_eV[0], run.kT_eV[-1], 100)
    energy = reweighting.average("energy_eV", kT)
    capacity = reweighting.heat_capacity(kT)
    plt.errorbar(kT, capacity.value, capacity.error)
    pandas.DataFrame(reweighting.table(kT))

Samples of all rungs together estimate the average at any temperature between them; errors are those of the estimator
for independent samples, so the rounds are first thinned by the statistical inefficiency. Replicas carry their networks
from rung to rung: a series at one rung can look decorrelated while the same few slow replicas take turns there. The sum
over the rungs, which no swap changes, and each replica's deviation from the mean of its rung show their memory; the
largest inefficiency of any of these series counts.

Sources: Shirts, Chodera, J. Chem. Phys. 129, 124105 (2008); Chodera et al., J. Chem. Theory Comput. 3, 26 (2007).
"""

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import expit

from moxie.errors import InputError
from moxie.timeseries import statistical_inefficiency

LEAST_SAMPLES = 20  # of each rung, after thinning
LEAST_OVERLAP = 0.03  # of neighbouring rungs: Klimovich, Shirts, Mobley, J. Comput.-Aided Mol. Des. 29, 397 (2015)


@dataclass(frozen=True)
class Curve:
    """An observable (value) and its standard error (error) at temperatures kT_eV; arrays of equal length."""

    kT_eV: np.ndarray
    value: np.ndarray
    error: np.ndarray


class Reweighting:
    """The decorrelated samples of a ladder and their MBAR weights.

    `columns` are those of `replica_exchange.Exchange`; `observables` names the columns wanted beside energy_eV.
    A share `discard_fraction` of the rounds is left out at the start: long enough for the slowest rung to reach
    equilibrium. It is not searched for in the series, since a search favours stretches without rare excursions.
    Attributes: kT_eV (rungs), discarded (rounds), inefficiency (rounds), samples_per_rung, overlap (of neighbours).
    Raises InputError when a column is missing, when too few independent samples are left, or when neighbouring rungs
    overlap too little.
    """

    def __init__(
        self,
        columns: Mapping[str, np.ndarray],
        observables: Sequence[str] = (),
        discard_fraction: float = 0.2,
        least_effective_samples: float = 50.0,
    ):
        self.least_effective_samples = least_effective_samples
        series = _by_round_and_rung(columns, ["kT_eV", "replica", "energy_eV", *observables])
        self.kT_eV = series.pop("kT_eV")[0]
        replica = series.pop("replica")
        energy = series["energy_eV"]
        if not 0 <= discard_fraction < 1:
            raise InputError(f"discard_fraction is {discard_fraction}; it must lie in [0, 1).")
        self.discarded = int(discard_fraction * len(energy))
        kept = {name: values[self.discarded :] for name, values in series.items()}
        self.inefficiency = max(_inefficiency(values, replica[self.discarded :]) for values in kept.values())
        logging.getLogger("pymbar").setLevel(logging.ERROR)  # it comments on every import
        from pymbar import MBAR, timeseries

        rows = timeseries.subsample_correlated_data(kept["energy_eV"][:, 0], g=self.inefficiency)
        self.samples_per_rung = len(rows)
        if len(rows) < LEAST_SAMPLES:
            raise InputError(
                f"{len(energy)} rounds hold only {len(rows)} independent ones (the first {self.discarded} are left "
                f"out, then one of {self.inefficiency:.0f} is new); {LEAST_SAMPLES} are needed. Run longer."
            )
        self._samples = {name: values[rows].T.ravel() for name, values in kept.items()}  # rung by rung
        self._energy = (
            self._samples["energy_eV"] - self._samples["energy_eV"].mean()
        )  # near zero, for the solver's sake
        counts = np.full(len(self.kT_eV), len(rows))
        self._mbar = MBAR(self._energy / self.kT_eV[:, None], counts, verbose=False)
        self.overlap = self._neighbours_overlap()
        self._check_overlap()

    def average(self, name: str, kT_eV: Iterable[float] | float) -> Curve:
        """Return an observable's average and standard error against kT (within the ladder)."""
        if name not in self._samples:
            raise InputError(f"`{name}` is not among the observables of this Reweighting: {', '.join(self._samples)}.")
        temperatures = self._temperatures(kT_eV)
        pairs = [self._expectation(self._samples[name], kT) for kT in temperatures]
        return _curve(temperatures, pairs)

    def heat_capacity(self, kT_eV: Iterable[float] | float) -> Curve:
        """Return the heat capacity var(E)/kT^2 of the whole network in k_B, and its standard error, against kT.

        To first order the error of <E> does not enter that of the variance, since the latter is least at <E>.
        """
        temperatures = self._temperatures(kT_eV)
        pairs = []
        for kT in temperatures:
            mean, _ = self._expectation(self._energy, kT)
            pairs.append(self._expectation(((self._energy - mean) / kT) ** 2, kT))
        return _curve(temperatures, pairs)

    def effective_samples(self, kT_eV: float) -> float:
        """Return Kish's effective number of samples at one kT, (sum w)^2 / sum w^2."""
        weights = self._weights(kT_eV)
        return float(1 / (weights**2).sum())

    def table(self, kT_eV: Iterable[float] | float) -> dict[str, np.ndarray]:
        """Return every observable and the heat capacity against kT, as columns with `_error` columns beside them."""
        temperatures = self._temperatures(kT_eV)
        curves = {name: self.average(name, temperatures) for name in self._samples}
        curves["heat_capacity_kB"] = self.heat_capacity(temperatures)
        result = {"kT_eV": temperatures}
        for name, curve in curves.items():
            result |= {name: curve.value, f"{name}_error": curve.error}
        return result

    def _expectation(self, values: np.ndarray, kT: float) -> tuple[float, float]:
        if np.ptp(values) == 0:
            return float(values[0]), 0.0
        with np.errstate(divide="ignore"):  # pymbar takes the logarithm of the distance from the least value
            result = self._mbar.compute_multiple_expectations(values[None, :], self._energy / kT)
        return float(result["mu"][0]), float(result["sigma"][0])

    def _weights(self, kT: float) -> np.ndarray:
        logs = -self._energy / kT - self._log_mixture
        weights = np.exp(logs - logs.max())
        return weights / weights.sum()

    @property
    def _log_mixture(self) -> np.ndarray:
        """Log of the density (up to a constant) from which all samples together are drawn, at each sample."""
        terms = self._mbar.f_k[:, None] - self._energy / self.kT_eV[:, None]
        return np.logaddexp.reduce(terms, axis=0)

    def _temperatures(self, kT_eV: Iterable[float] | float) -> np.ndarray:
        temperatures = np.atleast_1d(np.asarray(kT_eV, float))
        low, high = self.kT_eV[0], self.kT_eV[-1]
        outside = temperatures[~((temperatures >= low * (1 - 1e-12)) & (temperatures <= high * (1 + 1e-12)))]
        if len(outside):
            raise InputError(
                f"kT {outside[0]:.6g} eV lies outside the sampled range {low:.6g} to {high:.6g} eV. Choose a "
                "temperature inside, or sample a ladder that reaches it."
            )
        for kT in temperatures:
            number = self.effective_samples(kT)
            if number < self.least_effective_samples:
                raise InputError(
                    f"At kT {kT:.6g} eV there are only {number:.0f} effective samples; "
                    f"{self.least_effective_samples:.0f} are needed. Run longer, or put a rung near this temperature."
                )
        return temperatures

    def _neighbours_overlap(self) -> np.ndarray:
        """Return the overlap p_i p_j / (p_i + p_j) of neighbouring rungs, averaged over their samples: 0 to 1/2."""
        logs = (self._mbar.f_k[:, None] - self._energy / self.kT_eV[:, None]).reshape(
            len(self.kT_eV), len(self.kT_eV), -1
        )
        pairs = [(k, k + 1) for k in range(len(self.kT_eV) - 1)]
        return np.array(
            [0.5 * np.mean(expit(logs[j, i] - logs[i, i]) + expit(logs[i, j] - logs[j, j])) for i, j in pairs]
        )

    def _check_overlap(self) -> None:
        worst = int(np.argmin(self.overlap))
        if not self.overlap[worst] >= LEAST_OVERLAP:
            raise InputError(
                f"The rungs at kT {self.kT_eV[worst]:.6g} and {self.kT_eV[worst + 1]:.6g} eV overlap by only "
                f"{self.overlap[worst]:.3g}; {LEAST_OVERLAP} are needed. Put a rung between them (see choose_ladder)."
            )


def _by_round_and_rung(columns: Mapping[str, np.ndarray], names: Sequence[str]) -> dict[str, np.ndarray]:
    """Return the columns as arrays (rounds, rungs)."""
    missing = [name for name in ["rung", *names] if name not in columns]
    if missing:
        raise InputError(f"The columns lack {', '.join(missing)}; there are {', '.join(columns)}.")
    rung = np.asarray(columns["rung"])
    n = int(rung.max(initial=-1)) + 1
    if n < 2 or len(rung) % n or not (rung.reshape(-1, n) == np.arange(n)).all():
        raise InputError("The rows must be those of a replica exchange: round by round, the rungs in order.")
    return {name: np.asarray(columns[name], float).reshape(-1, n) for name in names}


def _inefficiency(values: np.ndarray, replica: np.ndarray) -> float:
    """Return the largest statistical inefficiency (rounds) that the rungs, their sum or the replicas show.

    values, replica: observable and replica number, (rounds, rungs). A replica's series is the standardised deviation
    from the mean of the rung it is on.
    """
    spread = values.std(axis=0)
    deviation = (values - values.mean(axis=0)) / np.where(spread > 0, spread, 1.0)
    followed = np.take_along_axis(deviation, np.argsort(replica, axis=1), axis=1)
    return max(statistical_inefficiency(series) for series in [*values.T, values.sum(axis=1), *followed.T])


def _curve(kT: np.ndarray, pairs: list[tuple[float, float]]) -> Curve:
    value, error = np.array(pairs).reshape(-1, 2).T
    return Curve(kT, value, error)
