"""`make status` says what runs and how far it is."""

import os

from moxie.locks import Lock
from moxie.status import status


def test_a_job_at_work_is_named_with_its_holder_and_its_percentage(tmp_path, monkeypatch):
    monkeypatch.setenv("SLURM_JOB_ID", "4711")
    log = tmp_path / "results" / "logs" / "simulate" / "methanol" / "T298.15.log"
    log.parent.mkdir(parents=True)
    log.write_text(
        "2026-11-30 12:00:00,000 DEBUG moxie: process 1 started\n"
        "2026-11-30 12:00:10,000 INFO moxie:  45 %, 3.2 ps/s, about 17 s left\n"
    )
    lock = Lock(tmp_path / ".moxie" / "jobs" / "simulate" / "methanol" / "T298.15.lock", "simulate methanol 298.15")
    lock.take()
    (line,) = status(tmp_path)
    assert line.startswith("simulate methanol 298.15: 45 %, 3.2 ps/s, about 17 s left [")
    assert f"process {os.getpid()} on" in line and "SLURM job 4711" in line
    lock.release()
    assert status(tmp_path) == ["No job is at work in this folder."]


def test_a_job_without_a_log_and_a_folder_without_jobs_are_no_failure(tmp_path):
    assert status(tmp_path) == ["No job is at work in this folder."]
    lock = Lock(tmp_path / ".moxie" / "jobs" / "validate.lock", "validate")
    lock.take()
    assert "has said nothing yet" in status(tmp_path)[0]
    lock.release()
