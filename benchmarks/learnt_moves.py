"""What learnt moves gain: a screen by the network's topology against plain and against staged rejection, all exact.

Effective samples of the energy per CPU second (pymbar's statistical inefficiency of chains at equilibrium), training
counted as if it were paid once for the length of the chains. Systems small or hot enough to reach equilibrium.
"""

import time
from typing import Any

import numpy as np

from benchmarks.rows import row

TEMPERATURES_EV = (0.1, 0.15, 0.25, 0.4)
CHAINS, SAMPLES = 4, 600
Rows = list[dict[str, Any]]


def measure(quick: bool) -> Rows:
    """Measure O hops in a crystal and bond switches in silicon, alone and on top of staged early rejection."""
    from moxie.oxidation.generators import Schedule, amorphous_silicon, cool, random_bond_oxide
    from moxie.oxidation.parameter_sets import load_parameters

    full, bare = load_parameters("von_alfthan_2003"), load_parameters("von_alfthan_2003", "none")
    oxide = random_bond_oxide(64, 0.5, full, 1)
    schedule = Schedule(((2.0, 30.0), *cool(0.4, 0.3, 4, 1000.0)), 100.0)  # less heat would leave it a crystal
    silicon = amorphous_silicon(216, bare, 1, schedule=schedule).network
    rows: Rows = []
    for kT in TEMPERATURES_EV[2:] if quick else TEMPERATURES_EV:
        rows += gains("O hops, 64 Si 32 O", oxide, full, kT, 1.0, 20, quick)
        rows += gains("bond switches, 216 Si", silicon, bare, kT, 0.0, 1000, quick)
    return rows


def gains(system: str, network: Any, field: Any, kT: float, hops: float, every: int, quick: bool) -> Rows:
    """Measure the four ways and return their rows; the gain is with the screen over without."""
    from moxie.oxidation.rejection import SILICON

    rows: Rows = []
    for name, staged in (("staged rejection", True), ("no rejection", False)):
        plain, screened = (
            [chain(network, field, kT, hops, every, staged, screen, seed, quick) for seed in range(CHAINS)]
            for screen in (False, True)
        )
        stages = f"last stage {SILICON.shells[-1]} shells" if staged else "one stage"
        where = f"kT {kT} eV, {name} ({stages}), {CHAINS} chains, training included"
        ratios = [b["per_cpu_s"] / a["per_cpu_s"] for a, b in zip(plain, screened, strict=True)]
        n = len(network.positions)
        rows += [
            row("effective_samples_per_cpu_second", system, n, [a["per_cpu_s"] for a in plain], "1/s", where),
            row("learnt_moves_gain", system, n, ratios, "1", f"{where}; screened {screened[0]['screened']:.0%}"),
            row(
                "accepted_ratio",
                system,
                n,
                [b["accepted_per_cpu_s"] / a["accepted_per_cpu_s"] for a, b in zip(plain, screened, strict=True)],
                "1",
                f"{where}; accepted moves per CPU second, with over without",
            ),
        ]
    return rows


def chain(
    network: Any, field: Any, kT: float, hops: float, every: int, staged: bool, screen: bool, seed: int, quick: bool
) -> dict[str, float]:
    """Run one chain; effective samples of the energy and accepted moves per CPU second."""
    from pymbar.timeseries import statistical_inefficiency

    from moxie.oxidation.engine import Engine
    from moxie.oxidation.rejection import SILICON, Rejection

    one = Rejection(shells=SILICON.shells[-1:], evaluations=(300,), force_tolerance_eV_A=(0.02,), repulsion=(True,))
    engine = Engine(network, field, seed, SILICON if staged else one)
    engine.relax(0.005, 2000)
    samples = SAMPLES // (4 if quick else 1)
    each = every if staged else max(1, every // 20)
    engine.run(samples * each // 4, kT, hops)
    began = time.process_time()
    if staged:
        engine.calibrate(kT, hops)
    if screen:
        engine.learn_surrogate(kT, hops)
    energies, accepted, screened, tried = [], 0, 0, 0
    for _ in range(samples):
        tally = engine.run(each, kT, hops)
        accepted, screened, tried = accepted + tally.accepted, screened + tally.screened, tried + tally.valid
        energies.append(engine.energy)
    took = time.process_time() - began
    inefficiency = statistical_inefficiency(np.array(energies)) if np.std(energies) > 0 else len(energies)
    return {
        "per_cpu_s": samples / inefficiency / took,
        "accepted_per_cpu_s": max(accepted, 1) / took,
        "screened": screened / tried,
    }
