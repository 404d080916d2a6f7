"""Speed of molecular dynamics: what a job costs beside its steps, LAMMPS in the same run, time to a precise density.

All times are CPU seconds of one core. The machine may be shared: the ratios within one run are what counts.
"""

import json
import logging
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from unittest.mock import patch

from benchmarks.rows import row

JOB = Path(__file__).with_name("dynamics_job.py")
LAMMPS = Path(__file__).with_name("lammps_dynamics.py")
DAY_S = 86400.0
CHECKPOINT_S = 30.0  # between two of them, as `simulate` has it
JOB_S = 300.0  # the job whose overhead is stated
GOALS = {"trappe_ua": "at least 1", "opls_aa": "at least 0.9"}
TARGET = 0.002  # standard error of the density over the density
FIXED_PROTOCOL_PS = 200.0 + 2000.0
Rows = list[dict[str, Any]]


def measure(quick: bool) -> Rows:
    """Measure TraPPE-UA and OPLS-AA methanol at the settings of the default study, and the analysis."""
    from benchmarks.liquid_analysis import analysis
    from moxie.dynamics.force_fields import available_force_fields
    from moxie.dynamics.protocol import RunSettings

    logging.getLogger("moxie").setLevel(logging.WARNING)
    settings = RunSettings(298.15, timestep_fs=4.0, hydrogen_mass_amu=3.0, equilibration_ps=0.0)
    runs, length_ps = (2, 4.0) if quick else (5, 40.0)
    rows, extra = speed("trappe_ua", 216, settings, runs, length_ps)
    rows += fixed_cost(settings, runs)
    fixed_s = rows[-1]["value"]
    rows += overhead(fixed_s, extra, length_ps)
    rows += precise_density(settings, fixed_s, 20.0 if quick else 600.0)
    all_atom = [name for name in available_force_fields() if name.startswith("opls")]
    if all_atom:
        rows += speed(all_atom[0], 216, replace(settings, force_field=all_atom[0]), runs, length_ps / 4)
    else:
        print("no OPLS-AA force field in the registry: its rows are left out")
    return rows + analysis(1000 if quick else 10_000)


def speed(name: str, count: int, settings: Any, runs: int, length_ps: float) -> tuple[Rows, float]:
    """Return ns/day of moxie and of LAMMPS, turn by turn from the same start, and what moxie adds to OpenMM's steps.

    The last is the CPU time of sampling, frames and checkpoints (one for every CHECKPOINT_S) over that of the steps.
    """
    from benchmarks.dynamics_job import run

    ours, theirs, extra, sites = [], [], [], 0
    settings = replace(settings, sampling_ps=length_ps)
    with tempfile.TemporaryDirectory() as place:
        for number in range(1, runs + 1):
            with watched(settings, number) as watch:
                facts = run(Path(place), count, "CO", settings, number)
            spent, sites = watch.spent_s, int(facts["n_sites"])
            (Path(place) / "system.data").write_text(watch.lammps["system.data"])
            lammps_s = lammps(Path(place), watch.lammps["system.in"], settings)
            ours.append(length_ps / 1000 * DAY_S / facts["production_cpu_s"])
            theirs.append(length_ps / 1000 * DAY_S / lammps_s)
            commit_s = spent["commit"] + spent["save"]
            sampling_s = facts["production_cpu_s"] - spent["step"] - commit_s
            extra.append(sampling_s / spent["step"] + commit_s / len(facts["segments"]) / CHECKPOINT_S)
    conditions = f"{name}, 298.15 K, 1 bar, 4 fs, cut-off {settings.cutoff_nm:g} nm, one core, {length_ps:g} ps"
    same = f"{conditions}; LAMMPS with /opt styles, the same Ewald splitting and mesh, SHAKE, Langevin, Nose-Hoover"
    ratios = [a / b for a, b in zip(ours, theirs, strict=True)]
    return [
        row("ns_per_day_per_core", f"methanol {name}", sites, ours, "ns/day", conditions),
        row("lammps_ns_per_day_per_core", f"methanol {name}", sites, theirs, "ns/day", same),
        row("ratio_to_lammps", f"methanol {name}", sites, ratios, "1", f"{same}; goal: {GOALS[name]}"),
    ], statistics.median(extra)


@dataclass
class Watch:
    """CPU seconds by what they were spent on, and the LAMMPS files of the box at the first production step."""

    spent_s: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    lammps: dict[str, str] = field(default_factory=dict)


@contextmanager
def watched(settings: Any, seed: int) -> Iterator[Watch]:
    """Watch one run: production steps, states and segments, and where it starts from, for LAMMPS to start there too."""
    import openmm

    from moxie.dynamics.checkpoints import Checkpoints
    from moxie.dynamics.engine import Engine

    watch = Watch()

    def timed(owner: Any, name: str) -> Any:
        original = getattr(owner, name)

        def call(*arguments: Any, **options: Any) -> Any:
            began = time.process_time()
            try:
                return original(*arguments, **options)
            finally:
                watch.spent_s[name] += time.process_time() - began

        return patch.object(owner, name, call)

    original_start = Engine.start

    def start(engine: Any, *arguments: Any) -> None:
        original_start(engine, *arguments)
        watch.lammps = exported(engine, settings, seed)
        watch.spent_s.clear()  # the steps of the warm-up do not count

    owners = ((openmm.LangevinMiddleIntegrator, "step"), (Engine, "save"), (Checkpoints, "commit"))
    with ExitStack() as stack:
        for owner, name in owners:
            stack.enter_context(timed(owner, name))
        stack.enter_context(patch.object(Engine, "start", start))
        yield watch


def exported(engine: Any, settings: Any, seed: int) -> dict[str, str]:
    """Return the LAMMPS files of a box as it is."""
    from moxie.dynamics.export import configuration
    from moxie.dynamics.interactions import read_interactions
    from moxie.dynamics.lammps_files import lammps_files

    interactions = read_interactions(engine.model.system)
    return lammps_files(interactions, configuration(engine.model, engine.context), settings, "benchmark", seed)


def lammps(folder: Path, text: str, settings: Any) -> float:
    """Return the CPU seconds of as many steps of a LAMMPS input, with the fastest styles that it has."""
    steps = round(1000 * settings.sampling_ps / settings.timestep_fs)
    commands = ["suffix opt", *(line for line in text.splitlines() if line.split(" ")[0] not in ("run", "dump"))]
    jobs = folder / "jobs.json"
    jobs.write_text(json.dumps([{"folder": str(folder), "commands": commands, "steps": steps}]))
    environment = os.environ | {"LD_LIBRARY_PATH": str(Path(sys.prefix) / "lib"), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, str(LAMMPS), str(jobs)]
    answer = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=True)
    return float(json.loads(answer.stdout)[0]["cpu_s"])


def fixed_cost(settings: Any, runs: int) -> Rows:
    """Return what a job costs before and after its steps: interpreter, imports, packing, relaxation, warm-up, files."""
    costs = []
    settings = replace(settings, sampling_ps=1.0)
    for _ in range(runs):
        with tempfile.TemporaryDirectory() as folder:
            command = [sys.executable, str(JOB), folder, "216", "CO", json.dumps(settings.as_dict())]
            answer = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
        facts = json.loads(answer.stdout.splitlines()[-1])
        costs.append(facts["cpu_s"] - facts["production_cpu_s"])
    conditions = "trappe_ua, 216 molecules: imports, packing, relaxation, warm-up, files; goal: below 6"
    return [row("fixed_cost_cpu_seconds", "methanol trappe_ua", 648, costs, "s", conditions)]


def overhead(fixed_s: float, extra: float, length_ps: float) -> Rows:
    """Return how much more a job of five minutes costs than the same steps of OpenMM and nothing else."""
    percent = 100 * (extra + fixed_s / JOB_S)
    conditions = (
        f"a job of {JOB_S:g} CPU s over a bare loop of OpenMM steps: fixed cost {fixed_s:.2f} s; sampling, frames and"
        f" checkpoints {100 * extra:.2f} % (median from {length_ps:g} ps); goal: below 3"
    )
    return [row("job_overhead_percent", "methanol trappe_ua", 648, [percent], "%", conditions)]


def precise_density(settings: Any, fixed_s: float, length_ps: float) -> Rows:
    """Return the CPU seconds until the density is known to 0.2 %, beside those of 0.2 ns + 2 ns for everyone."""
    import pandas as pd

    from benchmarks.dynamics_job import NAMES, run

    settings = replace(settings, sampling_ps=length_ps)
    with tempfile.TemporaryDirectory() as folder:
        facts = run(Path(folder), 216, "CO", settings)
        series = pd.read_parquet(Path(folder) / NAMES[0])
    needed_ps, how = time_to_precision(series, TARGET)
    per_ps = facts["production_cpu_s"] / length_ps
    seconds = fixed_s + needed_ps * per_ps
    fixed_protocol = fixed_s + FIXED_PROTOCOL_PS * per_ps
    conditions = f"trappe_ua, 216 molecules, {how} {length_ps:g} ps: {needed_ps:.0f} ps with equilibration"
    return [
        row("cpu_seconds_to_density_0.2_percent", "methanol trappe_ua", 648, [seconds], "s", conditions),
        row("fixed_protocol_cpu_seconds", "methanol trappe_ua", 648, [fixed_protocol], "s", "0.2 ns and 2 ns for all"),
        row("saving_over_fixed_protocol", "methanol trappe_ua", 648, [fixed_protocol / seconds], "1", conditions),
    ]


def time_to_precision(series: Any, target: float) -> tuple[float, str]:
    """Return the time (ps) at which a run would end that asks for this relative standard error of the density.

    The rule of the runs: judged at its moments, with its fewest independent samples. Where the run is too short, error
    and number are taken to improve with the stationary time as they do for independent samples.
    """
    from moxie.dynamics.precision import FEWEST_INDEPENDENT, assess, is_check

    columns = {name: series[name].to_numpy() for name in ("density_g_cm3", "potential_energy_kJ_mol")}
    times = series["time_ps"].to_numpy()
    error = target * float(columns["density_g_cm3"].mean())
    for number in (n for n in range(1, len(times) + 1) if is_check(n, 0)):
        found = assess({name: values[:number] for name, values in columns.items()}, {"density_g_cm3": error}, 0)
        if found.reached:
            return float(times[number - 1]), "reached within"
    found = assess(columns, {"density_g_cm3": error}, 0)
    longer = max((found.standard_errors["density_g_cm3"] / error) ** 2, FEWEST_INDEPENDENT / found.n_independent)
    return float(times[found.start] + (times[-1] - times[found.start]) * longer), "extrapolated from"
