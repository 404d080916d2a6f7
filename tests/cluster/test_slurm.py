"""The shipped profile on a real SLURM: what jobs ask for, and how a study survives what happens on clusters.

A job costs six CPU seconds of Snakemake, so that the scenarios share theirs.
"""

import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest
import yaml

from tests.cluster.slurm import Slurm
from tests.workflow.conftest import ROOT, SMOKE

PROFILE = ROOT / "profiles" / "slurm"
BOXES = [f"results/structures/boxes/{system}.xyz" for system in ("methanol", "litfsi_10m")]
RUN = "results/dynamics/methanol/trappe_ua/T298.15_p1/replica0/run.json"
SIMULATION = {
    "dynamics": {
        "systems": {"methanol": {"temperatures_K": [298.15], "sampling_ps": 80.0}},
        "protocol": {"checkpoint_interval_s": 0.3},
    }
}


@dataclass(frozen=True)
class Started:
    """A study that goes on in a folder, on a cluster or here."""

    folder: Path
    process: subprocess.Popen

    def ended(self, code: int = 0) -> str:
        """Wait for the end of Snakemake, check its exit code and return what it printed."""
        printed, _ = self.process.communicate(timeout=900)
        assert self.process.returncode == code, printed
        return printed

    def script(self) -> psutil.Process | None:
        """Return the process that computes, if there is one."""
        for process in psutil.process_iter(["cmdline"]):
            try:
                if ".snakemake/scripts/" in " ".join(process.info["cmdline"] or []) and "python" in process.name():
                    if process.cwd() == str(self.folder):
                        return process
            except psutil.Error:
                continue
        return None


@dataclass(frozen=True)
class Study:
    """The smoke study in a folder of its own."""

    slurm: Slurm
    folder: Path

    def start(self, *targets: str, profile: Path | None = PROFILE, overlay: dict | None = None, options=()) -> Started:
        """Start Snakemake as a user does; on a cluster that answers faster than others."""
        files = [str(SMOKE)]
        if overlay:
            files.append(str(self.folder / "overlay.yaml"))
            Path(files[-1]).write_text(yaml.safe_dump(overlay))
        where = ["--snakefile", str(ROOT / "Snakefile"), "--directory", str(self.folder), "--configfile", *files]
        how = ["--cores", "1"]
        if profile:
            how = ["--profile", str(profile), "--slurm-no-account", "--latency-wait", "5"]
            how += ["--slurm-init-seconds-before-status-checks", "1"]
        kept = {key: value for key, value in os.environ.items() if not key.startswith(("SNAKEMAKE", "PYTEST"))}
        process = subprocess.Popen(
            [sys.executable, "-m", "snakemake", *where, *how, *options, "--", *targets],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            cwd=self.folder,
            start_new_session=True,
            env=kept | self.slurm.environment,
        )
        return Started(self.folder, process)

    def slurm_log(self, number: str) -> str:
        """Return what SLURM and Snakemake wrote about a job that failed."""
        (path,) = (self.folder / ".snakemake" / "slurm_logs").rglob(f"{number}.log")
        return path.read_text()

    def files(self) -> dict[str, bytes]:
        """Return the content of every file of the stage of structures."""
        made = self.folder / "results" / "structures"
        return {path.relative_to(made).as_posix(): path.read_bytes() for path in made.rglob("*.*") if path.is_file()}


@pytest.fixture(scope="module")
def boxes(slurm, tmp_path_factory) -> Study:
    """Two packed boxes, made through the profile."""
    study = Study(slurm, tmp_path_factory.mktemp("boxes"))
    study.start(*BOXES).ended()
    return study


@pytest.fixture
def study(boxes, tmp_path) -> Study:
    """A study that has its boxes, in a folder of its own."""
    shutil.copytree(boxes.folder, tmp_path / "study")
    return Study(boxes.slurm, tmp_path / "study")


def test_a_group_asks_for_what_it_uses_and_writes_the_bytes_of_a_local_run(boxes, tmp_path):
    (number,) = boxes.slurm.jobs()  # six jobs of two levels
    job = boxes.slurm.job(number)
    assert job["NumCPUs"] == "1" and job["MinMemoryNode"] == "1500M"
    assert job["TimeLimit"] == "00:18:00"  # four molecules of two minutes and two boxes of five
    local = Study(boxes.slurm, tmp_path)
    local.start(*BOXES, profile=None).ended()
    assert boxes.files() == local.files() and len(local.files()) == 6


def test_a_job_out_of_memory_comes_back_with_more(study):
    before = study.slurm.jobs()
    asked = ("--set-resources", "embed_molecule:mem_mb=200*attempt**4")
    study.start("results/structures/molecules/ethanol.sdf", options=asked, overlay=None).ended()
    first, second = (study.slurm.job(number) for number in study.slurm.jobs() if number not in before)
    assert first["MinMemoryNode"] == "200M" and "exceeded memory limit" in study.slurm_log(first["JobId"])
    assert second["MinMemoryNode"] == "3200M" and second["JobState"] == "COMPLETED"


@pytest.mark.slow
def test_a_simulation_survives_time_limit_scancel_ctrl_c_lost_node_and_a_killed_snakemake(study):
    import pandas

    slurm = study.slurm
    before, saved = set(slurm.jobs()), set()

    def new_jobs():
        return [number for number in slurm.jobs() if number not in before]

    def checkpoints():
        return set((study.folder / "results" / "checkpoints" / "dynamics").rglob("segment_*"))

    def held(run: Started, attempt: int) -> int:
        """Wait until the job of an attempt has saved something, hold it there, and return its number."""
        (number,) = slurm.wait_until(lambda: new_jobs()[attempt - 1 :], f"job {attempt}")
        slurm.wait_until(lambda: number in slurm.jobs("running") and run.script(), "its script")
        slurm.wait_until(lambda: checkpoints() > saved and run.script(), "a checkpoint beyond those of earlier jobs")
        run.script().suspend()
        saved.update(checkpoints())
        return number

    def how_it_ended(number: int) -> str:
        slurm.wait_until(lambda: number not in slurm.jobs("running,completing"), f"the end of job {number}")
        return slurm.job(number)["JobState"]

    run = study.start(RUN, overlay=SIMULATION)
    first = held(run, 1)
    slurm.ask("scontrol", "update", f"JobId={first}", "TimeLimit=1")
    assert how_it_ended(first) == "TIMEOUT"
    second = held(run, 2)
    assert slurm.job(second)["MinMemoryNode"] == "4000M" and slurm.job(second)["TimeLimit"] == "08:00:00"
    slurm.ask("scancel", str(second))
    assert how_it_ended(second) == "CANCELLED"
    third = held(run, 3)
    run.process.send_signal(signal.SIGINT)
    run.ended(code=1)
    assert how_it_ended(third) == "CANCELLED" and not slurm.jobs("pending,running")

    run = study.start(RUN, overlay=SIMULATION)
    fourth = held(run, 4)
    node = slurm.job(fourth)["NodeList"]
    slurm.lose_node(node)
    fifth = held(run, 5)
    assert slurm.job(fourth)["JobState"] == "NODE_FAIL" and slurm.job(fifth)["NodeList"] != node
    slurm.start_node(node)
    run.process.kill()
    run.process.wait()
    said = study.start(RUN, overlay=SIMULATION).ended(code=1)
    assert f"SLURM job {fifth}" in said and f"scancel {fifth}" in said
    assert len(new_jobs()) == 5
    slurm.ask("scancel", str(fifth))
    assert how_it_ended(fifth) == "CANCELLED"

    printed = study.start(RUN, overlay=SIMULATION, profile=None).ended()  # what a cluster began, a workstation ends
    assert "continuing at" in printed and "after segment" in printed, printed
    times = pandas.read_parquet((study.folder / RUN).with_name("timeseries.parquet"))["time_ps"]
    assert len(times) == 410 and times.diff().dropna().sub(0.2).abs().max() < 1e-6


@pytest.mark.slow
def test_after_an_absence_of_the_controller_ctrl_c_and_the_same_command_finish_the_study(slurm, tmp_path):
    study = Study(slurm, tmp_path)
    run = study.start(*BOXES)
    slurm.wait_until(run.script, "a script at work")
    slurm.stop_controller()
    time.sleep(25)
    slurm.start_controller()
    slurm.wait_until(lambda: not slurm.jobs("pending,running,completing"), "the end of what ran")
    run.process.send_signal(signal.SIGINT)  # where it had asked meanwhile, it waits for ever
    run.process.communicate(timeout=120)
    study.start(*BOXES).ended()
    assert len(study.files()) == 6


def test_a_simulation_on_a_gpu_gets_a_card_and_says_when_it_cannot_be_used(study, tmp_path):
    profile = yaml.safe_load((PROFILE / "profile.yaml").read_text())
    profile["set-resources"]["simulate"] |= {"slurm_partition": "gpu", "gpu_model": "a100"}
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "profile.yaml").write_text(yaml.safe_dump(profile))
    before = study.slurm.jobs()
    overlay = SIMULATION | {"dynamics": SIMULATION["dynamics"] | {"platform": "CUDA"}}
    printed = study.start(RUN, overlay=overlay, profile=mine, options=("--retries", "0")).ended(code=1)
    (number,) = (number for number in study.slurm.jobs() if number not in before)
    job = study.slurm.job(number)
    assert job["NodeList"] == "g1" and "gpu" in job.get("TresPerNode", "") + job.get("TresPerJob", "")
    assert "CUDA" in printed and "Traceback" not in printed


def test_the_profile_names_every_rule_that_can_use_a_gpu_and_no_rule_that_does_not_exist():
    rules = {}
    for file in (ROOT / "workflow" / "rules").rglob("*.smk"):
        for text in file.read_text().split("\nrule ")[1:]:
            rules[text.split(":", 1)[0]] = text
    profile = yaml.safe_load((PROFILE / "profile.yaml").read_text())
    assert {name for name, text in rules.items() if "gpu=" in text} <= profile["set-resources"].keys()
    named = profile["groups"].keys() | profile["set-resources"].keys()
    assert named <= rules.keys()
    assert all(profile["set-resources"][name]["alone"] == 1 for name in profile["groups"])
    assert set(profile["groups"].values()) == profile["group-components"].keys()
