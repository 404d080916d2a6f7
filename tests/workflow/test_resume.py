"""A job killed half-way resumes from its checkpoint and ends in a valid result."""

import os
import signal
import time
from pathlib import Path

import psutil
import pytest

from tests.workflow.conftest import ROOT, Workflow

RUN = "results/dynamics/methanol/trappe_ua/T298.15_p1/replica0/run.json"
FILM = "results/oxidation/Si100/T1473/replica0/film.xyz"


def wait_for_checkpoint(process, checkpoints: Path) -> None:
    deadline = time.monotonic() + 240
    while not any(path.is_file() for path in checkpoints.rglob("*")):
        assert process.poll() is None, process.communicate()[0]
        assert time.monotonic() < deadline, "no checkpoint appeared"
        time.sleep(0.05)
    time.sleep(0.3)


def kill_job(process) -> None:
    """End the script's process, not Snakemake, as the kernel would when memory runs out."""
    jobs = [child for child in psutil.Process(process.pid).children(recursive=True) if "python" in child.name()]
    assert jobs
    os.kill(jobs[-1].pid, signal.SIGKILL)


def kill_everything(process) -> None:
    """End Snakemake and its jobs at once, as a power cut would."""
    os.killpg(process.pid, signal.SIGKILL)


@pytest.fixture
def workflow(tmp_path):
    return Workflow(ROOT, tmp_path)


def run_killed_then_resumed(workflow, target, overlay, stage, kill):
    """Kill the run of a target at its first checkpoint, run it again, and return what the second run printed."""
    process = workflow.start(target, overlay=overlay)
    wait_for_checkpoint(process, workflow.folder / "results" / "checkpoints" / stage)
    kill(process)
    printed, _ = process.communicate(timeout=120)
    assert process.returncode != 0, printed
    assert not (workflow.folder / target).exists()
    return workflow.run(target, overlay=overlay)


def test_killed_dynamics_resumes_without_lost_or_repeated_samples(workflow):
    import numpy as np
    import pandas

    overlay = {
        "dynamics": {
            "systems": {"methanol": {"temperatures_K": [298.15], "sampling_ps": 60.0}},
            "protocol": {"checkpoint_interval_s": 0.5},
        }
    }
    printed = run_killed_then_resumed(workflow, RUN, overlay, "dynamics", kill_job)
    assert "esum" in printed, printed
    times = pandas.read_parquet((workflow.folder / RUN).with_name("timeseries.parquet"))["time_ps"].to_numpy()
    assert len(times) == round(62.0 / 0.2) and np.allclose(np.diff(times), 0.2)


@pytest.mark.parametrize("kill", [kill_job, kill_everything])
def test_killed_film_resumes_to_the_same_bytes(workflow, kill):
    overlay = {
        "oxidation": {
            "growth": {"moves_per_oxygen": 2000},
            "anneal": {"final_moves_per_oxygen": 4000},
            "checkpoint_interval_s": 0.2,
        }
    }
    workflow.run("results/oxidation/Si100/rejection.json", overlay=overlay)
    printed = run_killed_then_resumed(workflow, FILM, overlay, "oxidation", kill)
    assert "Resumed at stage" in printed, printed
    resumed = (workflow.folder / FILM).read_bytes()
    (workflow.folder / FILM).unlink()
    workflow.run(FILM, overlay=overlay)
    assert (workflow.folder / FILM).read_bytes() == resumed


def test_two_runs_in_one_folder_do_not_meet(workflow):
    import fcntl

    with (workflow.folder / ".moxie.lock").open("w") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        assert "Another run is at work in this folder" in workflow.run(FILM, code=1)
