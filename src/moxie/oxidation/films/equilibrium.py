"""A film of fixed oxygen at equilibrium: replica exchange over a ladder of temperatures. Example:

    settings = ExchangeSettings(rungs=10, highest_kT_eV=0.25)
    run = sample_film(film, load_parameters("von_alfthan_2003"), settings, lowest_temperature_K=973, seed=1)

The ensemble: all networks that bond switches and oxygen hops reach from one film, its Si, O, cell and back (a free
one is frozen as it is) fixed, each with the weight exp(-E/kT) of its relaxed energy. No O enters or leaves, so that the
film stays as thick as it was grown at every temperature. Moves pick any mobile Si. A list of those near oxygen, as
growth uses it, would depend on the network that it is made of, and the chain would lose detailed balance.

Early rejection is calibrated on every rung, several times in the first tenth of the run: leave out at least that much.
"""

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from moxie.constants import BOLTZMANN_EV_K
from moxie.errors import InputError
from moxie.oxidation.parameter_sets import ParameterSet
from moxie.oxidation.rejection import FILM_REJECTION, Rejection
from moxie.oxidation.sampling.checkpoints import Checkpoints
from moxie.oxidation.sampling.replica_exchange import KIND, Exchange, exchange, make_replicas
from moxie.reweighting import LEAST_SAMPLES
from moxie.structures.back_side import hold_back
from moxie.structures.network import Network

FEWEST_RUNGS = 3
CALIBRATED_AT = 0.0, 0.01, 0.03, 0.1  # of the rounds


@dataclass(frozen=True)
class ExchangeSettings:
    """rungs, highest_kT_eV: the ladder, evenly spaced in ln T from the lowest temperature. moves_per_oxygen: on each
    rung in all; exchange_interval: those of them between two exchanges. hop_fraction: share of O hops."""

    rungs: int = 10
    highest_kT_eV: float = 0.25
    moves_per_oxygen: int = 100_000
    exchange_interval: int = 50
    hop_fraction: float = 0.3

    @property
    def rounds(self) -> int:
        """Exchanges tried in all, the last incomplete interval left out."""
        return self.moves_per_oxygen // self.exchange_interval


def ladder_kT(settings: ExchangeSettings, lowest_temperature_K: float) -> np.ndarray:
    """Return the rungs in eV, ascending, (rungs,). Raises InputError for fewer than three rungs or an empty range."""
    lowest = BOLTZMANN_EV_K * lowest_temperature_K
    if settings.rungs < FEWEST_RUNGS:
        raise InputError(f"rungs = {settings.rungs}: a ladder needs at least {FEWEST_RUNGS}.")
    if not settings.highest_kT_eV > lowest:
        raise InputError(
            f"highest_kT_eV = {settings.highest_kT_eV:g} ({settings.highest_kT_eV / BOLTZMANN_EV_K:.0f} K): the ladder "
            f"starts at the lowest film's {lowest_temperature_K:g} K and must end above it, at more than "
            f"{lowest:.4f} eV. 0.2 to 0.3 eV lets bonds rearrange."
        )
    return np.geomspace(lowest, settings.highest_kT_eV, settings.rungs)


def check_exchange(settings: ExchangeSettings, equilibration_share: float, lowest_temperature_K: float) -> None:
    """Raise InputError, naming the key, for a ladder that cannot be sampled or could never be analysed."""
    ladder_kT(settings, lowest_temperature_K)
    kept = settings.rounds - int(equilibration_share * settings.rounds)
    if kept < LEAST_SAMPLES:
        raise InputError(
            f"moves_per_oxygen = {settings.moves_per_oxygen}, exchange_interval = {settings.exchange_interval} and "
            f"equilibration_share = {equilibration_share:g} leave {kept} rounds to analyse; at least {LEAST_SAMPLES} "
            "independent ones are needed, which takes many times as many. Raise moves_per_oxygen."
        )


def sample_film(
    film: Network,
    parameters: ParameterSet,
    settings: ExchangeSettings,
    lowest_temperature_K: float,
    seed: int,
    stages: Rejection = FILM_REJECTION,
    threads: int = 1,
    checkpoint_dir: str | Path | None = None,
    log: logging.Logger | None = None,
    checkpoint_interval_s: float = 30.0,
    **options: Any,
) -> Exchange:
    """Sample a film by replica exchange from its lowest temperature to settings.highest_kT_eV.

    The columns hold, beside those of every `Exchange`, the energy terms and the shares of the mobile Si in each
    oxidation state. `stages` are those of a move's relaxation; `options` go to `exchange`.
    Raises InputError for a film without oxygen and as `ladder_kT` and `exchange` do.
    """
    kT = ladder_kT(settings, lowest_temperature_K)
    replicas = make_replicas(hold_back(film), parameters, len(kT), seed, stages)
    n_oxygen = len(replicas[0].oxygens)
    if not n_oxygen:
        raise InputError("The film holds no oxygen; there is nothing to bring to equilibrium.")
    return exchange(
        replicas,
        kT,
        settings.rounds,
        settings.exchange_interval * n_oxygen,
        settings.hop_fraction,
        ["energy_terms", "oxidation_states"],
        seed,
        threads,
        checkpoint_dir,
        log,
        checkpoint_interval_s,
        calibrate_at=sorted({int(share * settings.rounds) for share in CALIBRATED_AT}),
        **options,
    )


def film_facts(film: Network, run: Exchange) -> dict[str, Any]:
    """Return what the analysis needs to know of a film and its run beside the samples, JSON-like."""
    silicon, mobile = film.species == "Si", ~hold_back(film).frozen
    return {
        "n_oxygen": int((~silicon & mobile).sum()),
        "n_mobile": int(mobile.sum()),
        "n_mobile_silicon": int((silicon & mobile).sum()),
        "area_A2": film.area_A2,
        "kT_eV": run.kT_eV.tolist(),
        "swap_acceptance": [None if np.isnan(share) else float(share) for share in run.acceptance],
        "round_trips": run.round_trips.tolist(),
        "attempts": run.attempts,
        "largest_drift_eV": run.largest_drift_eV,
    }


def clear_checkpoints(checkpoint_dir: str | Path) -> None:
    """Remove a finished run's checkpoints; call it when the outputs are in place."""
    Checkpoints(checkpoint_dir, "", logging.getLogger(__name__), KIND).clear()
