"""What learnt moves gain: a screen by the network's topology against plain and against staged rejection, all exact.

Effective samples of the energy per CPU second, calibration and training included, of chains that start from the same
networks. These are cooled from one kT to the next; at each the rules of early rejection are found anew, by every chain
for itself. In so small a cell seven shells reach every atom, so that the stages give up moves but leave nothing out.
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
    """What one chain gave in how many CPU seconds, the preparation included."""

    effective: float
    accepted: float
    cpu_s: float
    preparation_s: float
    screened: float
    false_kills: float


def measure(quick: bool) -> Rows:
    """Measure O hops in a crystal and bond switches in silicon, alone and on top of staged early rejection."""
    from moxie.oxidation.generators import Schedule, amorphous_silicon, random_bond_oxide
    from moxie.oxidation.parameter_sets import load_parameters

    length = Length(2, 2.0, 1.0) if quick else Length(4, 5.0, 4.0)
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
    from moxie.oxidation.rejection import SILICON

    engine = Engine(network, field, 1, SILICON)
    for _ in range(3):
        engine.relax(0.005, 2000)
        engine.calibrate(kT, hops)
        began = time.process_time()
        while time.process_time() - began < cpu_s / 3:
            engine.run(100, kT, hops)
    return engine.to_network()


def gains(system: str, networks: list[Any], field: Any, kT: float, hops: float, length: Length) -> Rows:
    """Measure the four ways and return their rows; the gain is with the screen over without."""
    rows: Rows = []
    n = len(networks[0].positions)
    for name, staged in (("staged rejection", True), ("no rejection", False)):
        plain = [chain(net, field, kT, hops, staged, seed, length.cpu_s) for seed, net in enumerate(networks)]
        screened = [
            chain(net, field, kT, hops, staged, seed, length.cpu_s, without)
            for seed, (net, without) in enumerate(zip(networks, plain, strict=True))
        ]
        where = f"kT {kT} eV, {name}, {length.chains} pairs of chains of {length.cpu_s:g} CPU s"
        for label, arm in (("without screen", plain), ("with screen", screened)):
            spent = f"{where}, {label}, {np.mean([c.preparation_s for c in arm]):.2f} s of it preparation"
            spent += f", {np.mean([c.screened for c in arm]):.0%} screened"
            rates = [c.effective / c.cpu_s for c in arm]
            rows.append(row("effective_samples_per_cpu_second", system, n, rates, "1/s", spent))
            if staged:
                rows.append(row("false_kill_rate", system, n, [c.false_kills for c in arm], "1", f"{where}, {label}"))
        rows.append(gain_of_samples(system, n, plain, screened, where))
        if all(c.accepted for c in plain):
            ratios = [b.accepted / b.cpu_s * a.cpu_s / a.accepted for a, b in zip(plain, screened, strict=True)]
            rows.append(row("accepted_moves_gain", system, n, ratios, "1", where))
    return rows


def gain_of_samples(system: str, n: int, plain: list[Chain], screened: list[Chain], where: str) -> dict[str, Any]:
    """Return the row of the gain in effective samples, all chains together, with its standard error.

    An integrated autocorrelation time summed up to four times itself has a relative variance of eight over the number
    of effective samples (Wolff, Comput. Phys. Commun. 156, 143 (2004), eq. 42). Pairs whose fit found no screen share
    their chain, and its noise.
    """
    before, after = (sum(c.effective for c in arm) / sum(c.cpu_s for c in arm) for arm in (plain, screened))
    gain = after / before if before else float("nan")
    share = float(np.mean([c.screened > 0 for c in screened]))
    noise = sum(_SPREAD / max(sum(c.effective for c in arm), 1e-9) for arm in (plain, screened))
    error = gain * float(np.sqrt(share * noise))
    fewest = min(np.mean([c.effective for c in arm]) for arm in (plain, screened))
    trust = f"{fewest:.0f} effective samples in a chain, {share:.0%} of the fits with a screen"
    found = row("learnt_moves_gain", system, n, [gain], "1", f"{where}; standard error {error:.2f}, {trust}")
    return found | {"standard_error": error, "runs": len(plain)}


def chain(
    network: Any, field: Any, kT: float, hops: float, staged: bool, seed: int, cpu_s: float, plain: Chain | None = None
) -> Chain:
    """Run one chain for so many CPU seconds, with a screen if `plain`, the chain without, is given.

    Where the fit finds no screen, the rest of the chain would be that of `plain`, and is not run again. False kills are
    looked for afterwards, among other moves.
    """
    from moxie.oxidation.engine import Engine
    from moxie.oxidation.rejection import SILICON, Rejection
    from moxie.timeseries import statistical_inefficiency

    whole = Rejection(shells=SILICON.shells[-1:], evaluations=(300,), force_tolerance_eV_A=(0.02,), repulsion=(True,))
    engine = Engine(network, field, seed, SILICON if staged else whole)
    engine.relax(0.005, 2000)
    batch = (20 if hops else 500) if staged else 10  # about a millisecond each
    began = time.process_time()
    if staged:
        engine.calibrate(kT, hops)
    screens = plain is not None and any(engine.learn_surrogate(kT, hops).weights)
    preparation_s = time.process_time() - began
    if plain is not None and not screens:
        left = 1 - (preparation_s - plain.preparation_s) / cpu_s
        return replace(
            plain, effective=left * plain.effective, accepted=left * plain.accepted, preparation_s=preparation_s
        )
    energies, accepted, screened, valid = [], 0, 0, 0
    while time.process_time() - began < cpu_s:
        tally = engine.run(batch, kT, hops)
        accepted, screened, valid = accepted + tally.accepted, screened + tally.screened, valid + tally.valid
        energies.append(engine.energy)
    took = time.process_time() - began
    moved = np.ptp(energies) > 0
    return Chain(
        effective=len(energies) / statistical_inefficiency(np.array(energies)) if moved else 0.0,
        accepted=accepted,
        cpu_s=took,
        preparation_s=preparation_s,
        screened=screened / valid,
        false_kills=engine.measure_false_kills(kT, hops, n_followed=500)[0] if staged else 0.0,
    )
