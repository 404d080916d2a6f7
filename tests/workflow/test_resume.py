"""A job killed half-way resumes from its checkpoint and ends in a valid result."""

import os
import signal
import socket
import time
from pathlib import Path

import psutil
import pytest

from tests.workflow.conftest import ROOT, Workflow

RUN = "results/dynamics/methanol/trappe_ua/T298.15_p1/replica0/run.json"
FILM = "results/oxidation/Si100/T1473/disordered/replica0/film.xyz"


def wait_for_checkpoint(process, checkpoints: Path) -> None:
    deadline = time.monotonic() + 240
    while not any(checkpoints.rglob("segment_*/segment.json")) and not any(checkpoints.rglob("[!.]*.ckpt")):
        assert process.poll() is None, process.communicate()[0]
        assert time.monotonic() < deadline, "no checkpoint appeared"
        time.sleep(0.05)


def kill_job(process) -> None:
    """End the script's process, not Snakemake, as the kernel would when memory runs out."""
    jobs_of(process)[-1].kill()


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


def jobs_of(process) -> list[psutil.Process]:
    """Return the processes of the scripts that a run has started."""
    return [child for child in psutil.Process(process.pid).children(recursive=True) if "python" in child.name()]


def test_no_second_process_does_a_job_and_killed_dynamics_loses_and_repeats_no_sample(workflow):
    import MDAnalysis
    import numpy as np
    import pandas

    overlay = {
        "dynamics": {
            "systems": {"methanol": {"temperatures_K": [298.15], "sampling_ps": 20.0}},
            "protocol": {"checkpoint_interval_s": 0.5},
        }
    }
    first = workflow.start(RUN, overlay=overlay)
    wait_for_checkpoint(first, workflow.folder / "results" / "checkpoints" / "dynamics")
    (job,) = jobs_of(first)
    job.suspend()  # else it might end before the others have looked
    refused = workflow.run(RUN, overlay=overlay, code=1, program="snakemake")
    assert f"Another run is at work in this folder: process {first.pid} on {socket.gethostname()}" in refused
    first.kill()
    first.wait()
    left = {path: path.stat().st_mtime_ns for path in (workflow.folder / "results").rglob("*")}
    refused = workflow.run(RUN, overlay=overlay, code=1)
    assert "Jobs of an earlier run are still at work in this folder:\n  simulate methanol trappe_ua 298" in refused
    assert f"end them (kill {job.pid})" in refused and "Traceback" not in refused
    assert left == {path: path.stat().st_mtime_ns for path in (workflow.folder / "results").rglob("*")}
    job.kill()
    assert "continuing at" in workflow.run(RUN, overlay=overlay)
    made = (workflow.folder / RUN).parent
    times = pandas.read_parquet(made / "timeseries.parquet")["time_ps"].to_numpy()
    assert len(times) == round(22.0 / 0.2) and np.allclose(np.diff(times), 0.2)
    frames = MDAnalysis.Universe(str(made / "topology.pdb"), str(made / "trajectory.xtc")).trajectory
    assert np.allclose(np.diff([frame.time for frame in frames]), frames.dt)
    assert not list((workflow.folder / ".moxie").rglob("*.lock"))


def wait_for_words(process, path: Path, words: str) -> None:
    deadline = time.monotonic() + 240
    while not path.exists() or words not in path.read_text():
        assert process.poll() is None, process.communicate()[0]
        assert time.monotonic() < deadline, f"{path} does not say {words}"
        time.sleep(0.05)


def test_jobs_save_themselves_when_asked_to_end_and_the_last_line_says_how_to_go_on(workflow):
    place = Path(RUN).relative_to("results/dynamics").parent
    log = workflow.folder / "results/logs/simulate" / place.with_suffix(".log")
    saved = workflow.folder / "results/checkpoints/dynamics" / place
    for interval_s, words, ask in (
        (0.5, "box edge", lambda process: process.terminate()),  # as `kill` does
        (10000.0, " ps/s", lambda process: os.killpg(process.pid, signal.SIGINT)),  # Ctrl-C reaches the jobs too
    ):
        overlay = {
            "dynamics": {
                "systems": {"methanol": {"temperatures_K": [298.15], "sampling_ps": 4000.0}},
                "protocol": {"checkpoint_interval_s": interval_s},
            }
        }
        before = set(saved.glob("segment_*"))
        process = workflow.start(RUN, overlay=overlay)
        wait_for_words(process, log, words)
        wait_for_checkpoint(process, saved)
        ask(process)
        printed, _ = process.communicate(timeout=120)
        assert process.returncode not in (0, -signal.SIGTERM, -signal.SIGINT)
        assert "Traceback" not in printed and "Error in rule" not in printed
        assert set(saved.glob("segment_*")) > before
        last = printed.splitlines()[-1]
        assert last.startswith("Stopped; finished jobs and checkpoints are kept. To go on, type: ") and RUN in last
    assert not list((workflow.folder / ".moxie").rglob("*.lock"))


def test_damaged_results_are_named_by_the_job_that_would_read_them(workflow):
    slab, rejection = "results/structures/silicon/slab_100.xyz", "results/oxidation/Si100/rejection.json"
    workflow.run(slab)
    path = workflow.folder / slab
    content, times = bytearray(path.read_bytes()), path.stat()
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))  # Snakemake sees nothing
    printed = workflow.run(rejection, code=1)
    assert f"Damaged or changed since a job wrote it: {slab}. Delete it and run again" in printed
    path.unlink()
    assert workflow.planned("--", rejection) == {"cut_slab": 1, "calibrate_rejection": 1}


@pytest.mark.slow
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
