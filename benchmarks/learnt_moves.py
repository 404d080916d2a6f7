"""What learnt moves gain: a screen by the network's topology against plain and against staged rejection, all exact.

Effective samples of the energy per CPU second, calibration and training included, of chains that start from the same
networks. These are cooled from one kT to the next; at each the rules of early rejection are found anew, by every chain
for itself. In so small a cell seven shells reach every atom, so that the stages give up moves but leave nothing out.

Without early rejection a chain is the same from move to move and only slower, by far too slow to count its effective
samples. Those of a move are therefore counted with early rejection, and its moves per CPU second without.
"""

import time
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from benchmarks.rows import row

TEMPERATURES_EV = (0.4, 0.25, 0.15, 0.1)
_SPREAD = 8.0  # relative variance of an autocorrelation time, times the number of effective samples
Rows = list[dict[str, Any]]


@dataclass(frozen=True)
class Length:
    """Chains of each kind, CPU seconds of each, and CPU seconds of equilibration before."""

    chains: int
    cpu_s: float
    equilibration_cpu_s: float


@dataclass(frozen=True)
class Chain:
    """What a chain did in how many CPU seconds, and how many went before it into rules and screen."""

    effective: float
    accepted: int
    moves: int
    screened: int
    cpu_s: float
    preparation_s: float
    false_kills: float

    @property
    def speed(self) -> float:
        """Moves per CPU second."""
        return self.moves / self.cpu_s


def measure(quick: bool) -> Rows:
    """Measure O hops in a crystal and bond switches in silicon, alone and on top of staged early rejection."""
    from moxie.oxidation.networks.generators import Schedule, amorphous_silicon, random_bond_oxide
    from moxie.oxidation.parameter_sets import load_parameters

    length = Length(2, 2.0, 1.0) if quick else Length(3, 4.0, 3.0)
    full, bare = load_parameters("von_alfthan_2003"), load_parameters("von_alfthan_2003", "none")
    molten = Schedule(((2.0, 30.0), (TEMPERATURES_EV[0], 1000.0)), 100.0)  # less heat would leave it a crystal
    oxides = [random_bond_oxide(64, 0.5, full, seed) for seed in range(length.chains)]
    silicon = [amorphous_silicon(64, bare, seed, schedule=molten).network for seed in range(length.chains)]
    rows: Rows = []
    for kT in TEMPERATURES_EV[: 2 if quick else None]:
        oxides = [equilibrated(network, full, kT, 1.0, length.equilibration_cpu_s) for network in oxides]
        silicon = [equilibrated(network, bare, kT, 0.0, length.equilibration_cpu_s) for network in silicon]
        rows += gains("O hops, 64 Si 32 O", oxides, full, kT, 1.0, length)
        rows += gains("bond switches, 64 Si", silicon, bare, kT, 0.0, length)
    return rows


def equilibrated(network: Any, field: Any, kT: float, hops: float, cpu_s: float) -> Any:
    """Return the network after some time at kT, with the rules of early rejection found anew three times."""
    from moxie.oxidation.engine import Engine
    from moxie.oxidation.rejection import SILICON_REJECTION

    engine = Engine(network, field, 1, SILICON_REJECTION)
    for _ in range(3):
        engine.relax(0.005, 2000)
        engine.calibrate(kT, hops)
        began = time.process_time()
        while time.process_time() - began < cpu_s / 3:
            engine.run(100, kT, hops)
    return engine.to_network()


def gains(system: str, networks: list[Any], field: Any, kT: float, hops: float, length: Length) -> Rows:
    """Measure with and without a screen, on top of early rejection and alone; return the rows."""
    staged: list[tuple[Chain, Chain]] = []
    alone: list[tuple[Chain, Chain]] = []
    for seed, network in enumerate(networks):
        engine, spent = prepared(network, field, kT, hops, seed, staged=True)
        plain = sampled(engine, kT, hops, length.cpu_s, spent)
        screened, spent = prepared(network, field, kT, hops, seed, staged=True, screen=True)
        staged.append((plain, with_screen(screened, kT, hops, length.cpu_s, spent, plain)))
        slow, _ = prepared(network, field, kT, hops, seed, staged=False)
        before = sampled(slow, kT, hops, length.cpu_s / 4, 0.0)
        slow, spent = prepared(network, field, kT, hops, seed, staged=False, screen=True)
        after = sampled(slow, kT, hops, length.cpu_s / 4, spent)
        engine, _ = prepared(network, field, kT, hops, seed, staged=True)
        engine.surrogate = slow.surrogate
        alike = with_screen(engine, kT, hops, length.cpu_s, 0.0, plain)
        alone.append((at_speed(plain, before), at_speed(alike, after)))
    rows: Rows = []
    for name, pairs in (("staged rejection", staged), ("no rejection", alone)):
        rows += compared(system, len(networks[0].positions), pairs, f"kT {kT} eV, {name}", length)
    return rows


def at_speed(chain: Chain, slower: Chain) -> Chain:
    """Return the chain as it would have been with the speed, the preparation and no rules of another."""
    return replace(chain, cpu_s=chain.moves / slower.speed, preparation_s=slower.preparation_s)


def compared(system: str, n: int, pairs: list[tuple[Chain, Chain]], where: str, length: Length) -> Rows:
    """Return the rows of chains without and with a screen, each from the same network.

    Rates count the preparation as part of a chain of length.cpu_s. Error of the gain in effective samples: a time of
    autocorrelation, summed up to four times itself, has a relative variance of eight over the number of effective
    samples (Wolff, Comput. Phys. Commun. 156, 143 (2004), eq. 42); pairs whose fit found no screen share their chain,
    and its noise. Of the gain in accepted moves: that of the mean over the pairs. Chains that stand still have neither.
    """
    rows: Rows = []
    for label, arm in zip(("without screen", "with screen"), zip(*pairs, strict=True), strict=True):
        spent = f"{where}, {label}, preparation {np.mean([c.preparation_s for c in arm]):.2f} of {length.cpu_s:g} s"
        spent += f", {np.mean([c.screened / c.moves for c in arm]):.0%} screened"
        rates = [c.effective / c.cpu_s * (1 - c.preparation_s / length.cpu_s) for c in arm]
        rows.append(row("effective_samples_per_cpu_second", system, n, rates, "1/s", spent))
        if "no rejection" not in where:
            rows.append(row("false_kill_rate", system, n, [c.false_kills for c in arm], "1", f"{where}, {label}"))
    if not all(chain.effective for pair in pairs for chain in pair):
        return rows
    cost = [(1 - b.preparation_s / length.cpu_s) / (1 - a.preparation_s / length.cpu_s) for a, b in pairs]
    speeds = [b.speed / a.speed * share for (a, b), share in zip(pairs, cost, strict=True)]
    bound = f"{where}; a gain in effective samples cannot be larger (Peskun, Biometrika 60, 607 (1973))"
    rows.append(row("moves_gain", system, n, speeds, "1", bound))
    per_move = [sum(c.effective for c in arm) / sum(c.moves for c in arm) for arm in zip(*pairs, strict=True)]
    shared = float(np.mean([b.screened > 0 for _, b in pairs]))
    noise = sum(_SPREAD / sum(c.effective for c in arm) for arm in zip(*pairs, strict=True))
    gain = float(np.mean(speeds)) * per_move[1] / per_move[0]
    shares = [b.accepted / b.moves * a.moves / a.accepted for a, b in pairs]
    accepted = np.array(speeds) * shares
    for metric, value, error in (
        ("learnt_moves_gain", gain, gain * float(np.sqrt(shared * noise))),
        ("accepted_moves_gain", np.mean(accepted), np.std(accepted, ddof=1) / np.sqrt(len(pairs))),
    ):
        trust = f"{where}; standard error {error:.2f}, {shared:.0%} of {len(pairs)} fits with a screen"
        found = row(metric, system, n, [float(value)], "1", trust)
        rows.append(found | {"standard_error": float(error), "runs": len(pairs)})
    return rows


def prepared(
    network: Any, field: Any, kT: float, hops: float, seed: int, staged: bool, screen: bool = False
) -> tuple[Any, float]:
    """Return an engine with its rules and its screen, and the CPU seconds that these took."""
    from moxie.oxidation.engine import Engine
    from moxie.oxidation.rejection import SILICON_REJECTION, Rejection

    whole = Rejection(
        shells=SILICON_REJECTION.shells[-1:], evaluations=(300,), force_tolerance_eV_A=(0.02,), repulsion=(True,)
    )
    engine = Engine(network, field, seed, SILICON_REJECTION if staged else whole)
    engine.relax(0.005, 2000)
    began = time.process_time()
    if staged:
        engine.calibrate(kT, hops)
    if screen:
        engine.learn_surrogate(kT, hops)
    return engine, time.process_time() - began


def with_screen(engine: Any, kT: float, hops: float, cpu_s: float, preparation_s: float, plain: Chain) -> Chain:
    """Run a chain, or take `plain` where the fit found no screen: it would be the same."""
    if any(engine.surrogate.weights):
        return sampled(engine, kT, hops, cpu_s, preparation_s)
    return replace(plain, preparation_s=preparation_s)


def sampled(engine: Any, kT: float, hops: float, cpu_s: float, preparation_s: float) -> Chain:
    """Run a chain for so many CPU seconds; false kills are looked for afterwards, among other moves."""
    from moxie.timeseries import statistical_inefficiency

    rules = bool(engine.rejection.rules)
    batch = (20 if hops else 500) if rules else 10  # about a millisecond each
    energies, accepted, screened, moves = [], 0, 0, 0
    began = time.process_time()
    while time.process_time() - began < cpu_s:
        tally = engine.run(batch, kT, hops)
        accepted, screened, moves = accepted + tally.accepted, screened + tally.screened, moves + tally.valid
        energies.append(engine.energy)
    took = time.process_time() - began
    moved = np.ptp(energies) > 0
    return Chain(
        effective=len(energies) / statistical_inefficiency(np.array(energies)) if moved else 0.0,
        accepted=accepted,
        moves=moves,
        screened=screened,
        cpu_s=took,
        preparation_s=preparation_s,
        false_kills=engine.measure_false_kills(kT, hops, n_followed=500)[0] if rules else 0.0,
    )
