"""Kill a run at random moments until it is done, and compare its tables with those of an undisturbed run.

    .venv/bin/python -m benchmarks.kill_drill FOLDER [--kills 200] [--mean-s 8] [--seed 1] [--cores 2] [--study FILE]
        [--target TARGET]

SIGKILL goes to the whole process tree, as in a power cut, after so many seconds of its CPU time (exponential, so that a
busy machine is hit in its jobs and not in its start-up); then the same command is given again. When a run ends by
itself, a stage drawn at random is deleted and made anew until all kills are spent. At the end: every run must have gone
on by the same command, and the tables of oxidation, molecules and learning must be the undisturbed ones byte for byte.
Those of dynamics must have the same rows, and no number that surely differs (`moxie compare`). Exit status 1 otherwise.
"""

import argparse
import hashlib
import random
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import psutil

ROOT = Path(__file__).parents[1]
STAGES = ("structures", "dynamics", "oxidation", "molecules", "features", "learning", "figures")
EXACT = ("features/oxide_*.parquet", "features/growth_curves.parquet", "features/molecules.parquet",
         "learning/oxide_surrogate/predictions.parquet", "learning/network_energy/predictions.parquet")  # fmt: skip
BY_KEY = ("features/liquids.parquet", "features/electrolytes.parquet", "features/transport.parquet")
KEYS = ["system", "force_field", "temperature_K", "pressure_bar", "replica"]


def command(folder: Path, study: Path, cores: int, target: str) -> list[str]:
    """Return what is typed, each time the same."""
    where = ["--snakefile", str(ROOT / "Snakefile"), "--directory", str(folder), "--cores", str(cores)]
    return [sys.executable, str(ROOT / "workflow" / "run.py"), *where, "--configfile", str(study), "--", target]


def tree(process: subprocess.Popen) -> list[psutil.Process]:
    """Return the processes of a run that live."""
    try:
        main = psutil.Process(process.pid)
        return [main, *main.children(recursive=True)]
    except psutil.Error:
        return []


def used_s(processes: list[psutil.Process]) -> float:
    """Return the CPU time of some processes."""
    total = 0.0
    for each in processes:
        try:
            total += sum(each.cpu_times()[:2])
        except psutil.Error:
            continue
    return total


def run_until_killed(typed: list[str], out: Path, delay_s: float) -> tuple[int | None, list[str]]:
    """Run a command, kill its tree after some CPU time of its own; return its status (None: killed) and what ran."""
    with out.open("w") as stream:
        process = subprocess.Popen(typed, stdout=stream, stderr=subprocess.STDOUT, start_new_session=True)
    spent, last = 0.0, 0.0
    while process.poll() is None:
        now = used_s(tree(process))
        spent += max(0.0, now - last)
        last = now
        if spent > delay_s:
            doomed = tree(process)
            scripts = [Path(part).name.split(".", 1)[1] for each in doomed for part in _words(each)
                       if ".snakemake/scripts" in part]  # fmt: skip
            for each in doomed:
                try:
                    each.send_signal(signal.SIGKILL)
                except psutil.Error:
                    continue
            process.wait()
            return None, scripts or ["snakemake"]
        time.sleep(0.05)
    return process.returncode, []


def _words(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except psutil.Error:
        return []


def differences(one: Path, other: Path) -> list[str]:
    """Return the tables in which two folders of results differ."""
    import pandas

    found = []
    for pattern in (*EXACT, *BY_KEY):
        for path in sorted(one.glob(pattern)):
            twin = other / path.relative_to(one)
            if pattern in EXACT:
                same = twin.exists() and _digest(path) == _digest(twin)
            else:
                tables = [pandas.read_parquet(each) for each in (path, twin)]
                rows = [each[[key for key in KEYS if key in each]] for each in tables]
                rows = [each.sort_values(list(each)).reset_index(drop=True) for each in rows]
                same = rows[0].equals(rows[1])
            if not same:
                found.append(str(path.relative_to(one)))
    return found


def judged_dynamics(one: Path, other: Path) -> tuple[str, list[str]]:
    """Return how the numbers of dynamics compare in combined standard errors, and those that surely differ."""
    from moxie.features.two_studies import compare_studies

    compared = compare_studies(one, other)
    compared = compared[compared["table"].isin([Path(file).stem for file in BY_KEY])]
    surely = compared[compared["surely"]]
    counts = ", ".join(f"{count} {verdict}" for verdict, count in compared["verdict"].value_counts().items())
    return counts, [f"{each.table}: {each.row}: {each.quantity}" for each in surely.itertuples()]


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def main() -> int:
    """Do the drill and report."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--mean-s", type=float, default=8.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--cores", type=int, default=2)
    parser.add_argument("--study", type=Path, default=ROOT / "workflow" / "studies" / "smoke.yaml")
    parser.add_argument("--target", default="all")
    chosen = parser.parse_args()
    draw, hit, failed, kills = random.Random(chosen.seed), Counter[str](), 0, 0
    calm, rough = chosen.folder / "undisturbed", chosen.folder / "killed"
    for place in (calm, rough):
        place.mkdir(parents=True, exist_ok=True)
    calm_typed, typed = (command(place, chosen.study, chosen.cores, chosen.target) for place in (calm, rough))
    subprocess.run(calm_typed, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while True:
        delay_s = 4.0 + draw.expovariate(1 / chosen.mean_s) if kills < chosen.kills else float("inf")
        status, ran = run_until_killed(typed, chosen.folder / f"run_{kills:03d}.out", delay_s)
        if status is None:
            kills += 1
            hit.update(ran)
            print(f"kill {kills} in {', '.join(ran)}", flush=True)
            continue
        if status:
            failed += 1
            print((chosen.folder / f"run_{kills:03d}.out").read_text()[-2000:])
            break
        if kills >= chosen.kills:
            break
        shutil.rmtree(rough / "results" / draw.choice(STAGES), ignore_errors=True)
    different = differences(calm / "results", rough / "results")
    if not failed:
        counts, surely = judged_dynamics(calm, rough)
        print(f"numbers of dynamics: {counts}")
        different += surely
    print(f"{kills} kills in {dict(hit)}; runs that did not go on: {failed}; what differs: {different or 'nothing'}")
    return int(bool(failed or different))


if __name__ == "__main__":
    sys.exit(main())
