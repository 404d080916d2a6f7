"""What the workflow itself costs: start-up, checks and planning, beside an empty workflow of the same shape."""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import yaml

from benchmarks.rows import row

ROOT = Path(__file__).parents[1]
SYSTEMS = ("methanol", "ethanol", "litfsi_10m")  # the last one has ions, and no gas runs
FILM_TABLES = ("runs", "sites", "profiles", "rdf", "structure_factors")
RUN_TABLES = ("observables", "rdf", "dihedrals")

_RULE = """
rule {name}:
    input:
        {inputs},
    output:
        {outputs},
    log:
        "logs/{name}/{label}.log",
    threads: 1
    resources:
        mem_mb=1500,
        runtime=30,
    params:
        seed=1,
        code="0123456789abcdef",
    message:
        "Doing {name}"
    script:
        "empty.py"
"""


def measure(quick: bool) -> list[dict[str, Any]]:
    """Measure dry runs in empty folders: of the default and the full study, and of a large one."""
    repeats = 1 if quick else 3
    with tempfile.TemporaryDirectory() as folder:
        rows = [*_starts(Path(folder), repeats), _second_run(Path(folder), repeats, "structures" if quick else "all")]
        return rows + _large(Path(folder), 250 if quick else 4000, 1)


def _starts(folder: Path, repeats: int) -> list[dict[str, Any]]:
    (folder / "Snakefile").write_text('rule all:\n    default_target: True\n    output: "x"\n    shell: "touch x"\n')
    alone = [_dry_run(folder / "Snakefile", folder)[0] for _ in range(repeats)]
    rows = [row("start_cpu_seconds", "Snakemake, one rule", 0, alone, "s", "processor time of a dry run")]
    for study in ("default", "paper"):
        overlay = [] if study == "default" else [ROOT / "workflow" / "studies" / f"{study}.yaml"]
        took = [_dry_run(ROOT / "Snakefile", folder, *overlay)[0] for _ in range(repeats)]
        rows.append(row("dry_run_cpu_seconds", study, 0, took, "s", "processor time, empty working directory"))
    return rows


def _second_run(folder: Path, repeats: int, target: str) -> dict[str, Any]:
    """The smoke study run once, and asked for again: at most 10 s on a machine that does nothing else."""
    where = ["--snakefile", str(ROOT / "Snakefile"), "--directory", str(folder / "whole"), "--cores", "2"]
    study = ["--configfile", str(ROOT / "workflow" / "studies" / "smoke.yaml")]
    command = [sys.executable, str(ROOT / "workflow" / "run.py"), *where, *study, "--", target]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    took = []
    for _ in range(repeats):
        began = time.monotonic()
        again = subprocess.run(command, check=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        took.append(time.monotonic() - began)
        if "Nothing to be done" not in again.stdout:
            raise RuntimeError(again.stdout[-2000:])
    return row("second_run_seconds", target, 0, took, "s", "wall-clock time until it says that nothing is to be done")


def _large(folder: Path, n: int, repeats: int) -> list[dict[str, Any]]:
    """A study of 3 n state points and 2 n films, some 13 n jobs."""
    temperatures = [round(250 + 0.025 * index, 3) for index in range(n)]
    overlay = {
        "dynamics": {"systems": {name: {"temperatures_K": temperatures} for name in SYSTEMS}},
        "oxidation": {"temperatures_K": [round(973 + 0.1 * index, 1) for index in range(n)]},
    }
    (folder / "large.yaml").write_text(yaml.safe_dump(overlay))
    (folder / "Snakefile").write_text(empty_workflow(n))
    (folder / "empty.py").touch()
    rows = []
    for name, arguments in (
        ("moxie", (ROOT / "Snakefile", folder, folder / "large.yaml")),
        ("empty scripts", (folder / "Snakefile", folder)),
    ):
        runs = [_dry_run(*arguments) for _ in range(repeats)]
        jobs = runs[0][2]
        condition = f"dry run of {jobs} jobs, start-up included"
        rows.append(
            row("planning_cpu_ms_a_job", name, jobs, [1000 * cpu / jobs for cpu, _, _ in runs], "ms", condition)
        )
        rows.append(row("planning_memory_kB_a_job", name, jobs, [kB / jobs for _, kB, _ in runs], "kB", condition))
    return rows


def empty_workflow(n: int) -> str:
    """Return a Snakefile with the jobs and files of a study of 3 n state points and 2 n films, and empty scripts."""
    run, film = "{system}/T{t}", "Si/T{t}/replica{r}"
    head = f"""SYSTEMS, N = {SYSTEMS}, {n}
POINTS = [f"{{system}}/T{{t}}" for system in SYSTEMS for t in range(N)]
FILMS = [f"Si/T{{t}}/replica{{r}}" for t in range(N) for r in range(2)]
wildcard_constraints:
    system="|".join(SYSTEMS),
    t="[0-9]+",
    r="[0-9]+",
rule all:
    default_target: True
    input:
        "report",
"""
    gas = f'lambda w: f"dynamics/{{w.system}}/gas/T{{w.t}}/series" if w.system != "{SYSTEMS[-1]}" else []'
    handoff = [f"oxidation/Si/T{{t}}/replica{r}/handoff/{file}" for r in range(2) for file in range(6)]
    rules = [
        ("box", "[]", ["boxes/{system}"], "{system}"),
        ("simulate", '"boxes/{system}"', _files(f"dynamics/{run}", "series", "trajectory", "topology", "run"), run),
        ("simulate_gas", "[]", _files("dynamics/{system}/gas/T{t}", "series", "run"), run),
        (
            "analyse_liquid",
            ", ".join(f'"{file}"' for file in _files(f"dynamics/{run}", "series", "trajectory", "run")) + f", {gas}",
            _files(f"parts/liquids/{run}", *RUN_TABLES),
            run,
        ),
        ("grow_oxide", "[]", _files(f"oxidation/{film}", "film", "stages", "trace", "run"), film),
        (
            "analyse_film",
            ", ".join(f'"oxidation/{film}/{file}"' for file in ("stages", "run")),
            _files(f"parts/oxides/{film}", *FILM_TABLES),
            film,
        ),
        ("hand_off", '[f"oxidation/Si/T{{t}}/replica{r}/film" for r in range(2)]', handoff, "{t}"),
    ]
    rules += [(f"tabulate_{i}", f'[f"parts/liquids/{{p}}/{t}" for p in POINTS]', [f"features/liquids_{t}"], t)
              for i, t in enumerate(RUN_TABLES)]  # fmt: skip
    rules += [(f"tabulate_film_{i}", f'[f"parts/oxides/{{f}}/{t}" for f in FILMS]', [f"features/films_{t}"], t)
              for i, t in enumerate(FILM_TABLES)]  # fmt: skip
    tables = [f"features/liquids_{t}" for t in RUN_TABLES] + [f"features/films_{t}" for t in FILM_TABLES]
    everything = (
        '[f"dynamics/{p}/run" for p in POINTS], [f"oxidation/{f}/{file}" for f in FILMS'
        f' for file in ("film", *(f"handoff/{{i}}" for i in range(6)))], {tables}'
    )
    rules += [("collect_manifest", everything, ["manifest"], "all"), ("write_report", '"manifest"', ["report"], "all")]
    texts = [
        _RULE.format(name=name, inputs=inputs, outputs=", ".join(f'"{file}"' for file in outputs), label=label)
        for name, inputs, outputs, label in rules
    ]
    return head + "".join(texts)


def _files(folder: str, *names: str) -> list[str]:
    return [f"{folder}/{name}" for name in names]


def _dry_run(snakefile: Path, folder: Path, *overlays: Path) -> tuple[float, float, int]:
    """Return processor time in s, peak memory in kB, and the number of jobs."""
    work = folder / "work"
    work.mkdir(exist_ok=True)
    configured = ["--configfile", *map(str, overlays)] if overlays else []
    where = ["--snakefile", str(snakefile), "--directory", str(work)]
    command = [sys.executable, "-m", "snakemake", "--dry-run", "--cores", "1", *where, *configured]
    with (folder / "printed").open("w+") as printed:
        process = subprocess.Popen(command, stdout=printed, stderr=subprocess.STDOUT)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        printed.seek(0)
        text = printed.read()
    if process.returncode:
        raise RuntimeError(text[-2000:])
    jobs = int(next(line.split()[1] for line in text.splitlines() if line.startswith("total ")))
    return usage.ru_utime + usage.ru_stime, float(usage.ru_maxrss), jobs
