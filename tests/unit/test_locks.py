"""A lock is one process's at a time, says whose it is, and ends with it."""

import errno
import fcntl
import os
import signal
import subprocess
import sys

import pytest

from moxie.errors import InputError
from moxie.locks import Held, Holder, Lock, holders_below
from moxie.supervision import Run, check_still_wanted

HOLD = """
import sys, time
from moxie.locks import Lock
Lock(sys.argv[1], "a job").take()
print(flush=True)
time.sleep(99)
"""


@pytest.fixture
def holder(tmp_path):
    """A process that holds `a.lock`."""
    with subprocess.Popen([sys.executable, "-c", HOLD, tmp_path / "a.lock"], stdout=subprocess.PIPE) as process:
        process.stdout.readline()
        yield process
        process.kill()


def test_a_lock_names_its_holder_and_ends_with_it(tmp_path, holder):
    lock = Lock(tmp_path / "a.lock", "the same job")
    with pytest.raises(Held, match=f"process {holder.pid} on "):
        lock.take()
    (other,) = holders_below(tmp_path)
    assert other.doing == "a job" and other.how_to_end == f"kill {holder.pid}" and other.may_live()
    holder.kill()
    holder.wait()
    assert not other.may_live()
    lock.take(patience_s=5.0)
    lock.release()
    assert not list(tmp_path.iterdir())


def test_a_suspended_process_keeps_its_lock(tmp_path, holder):
    holder.send_signal(signal.SIGSTOP)
    with pytest.raises(Held):
        Lock(tmp_path / "a.lock", "the same job").take()


def test_a_lock_that_was_released_while_another_waits_is_taken_anew(tmp_path):
    first, second, third = (Lock(tmp_path / "a.lock", "x") for _ in range(3))
    first.take()
    stale = os.open(tmp_path / "a.lock", os.O_RDWR)  # opened before the release, locked after it
    first.release()
    fcntl.flock(stale, fcntl.LOCK_EX)
    second.take()
    with pytest.raises(Held):
        third.take()
    second.release()
    os.close(stale)


def test_locks_that_nobody_holds_are_cleared_away(tmp_path, holder):
    holder.kill()
    holder.wait()
    assert (tmp_path / "a.lock").exists() and not holders_below(tmp_path)
    assert not list(tmp_path.iterdir())


def test_without_locks_of_the_file_system_the_record_decides(tmp_path, holder, monkeypatch):
    def no_locks(descriptor, operation):
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", no_locks)
    with pytest.raises(Held):
        Lock(tmp_path / "a.lock", "x").take()
    holder.kill()
    holder.wait()
    Lock(tmp_path / "a.lock", "x").take()
    monkeypatch.setattr("socket.gethostname", lambda: "elsewhere")
    with pytest.raises(Held):
        Lock(tmp_path / "a.lock", "x").take()


def test_words_name_the_schedulers_job(monkeypatch):
    monkeypatch.setenv("SLURM_JOB_ID", "88")
    holder = Holder.this_process("a job")
    assert str(holder).endswith("(SLURM job 88)") and holder.how_to_end == "scancel 88"


def test_a_job_of_an_older_run_does_nothing_once_another_has_begun(tmp_path, monkeypatch):
    monkeypatch.setenv("MOXIE_RUN", "")
    monkeypatch.setattr("atexit.register", lambda action: None)
    check_still_wanted(tmp_path)
    Run(tmp_path).begin()
    check_still_wanted(tmp_path)
    monkeypatch.setenv("MOXIE_RUN", "that of an older run")
    with pytest.raises(InputError, match="a run that has ended"):
        check_still_wanted(tmp_path)


def test_a_run_whose_plan_another_has_overtaken_does_not_begin(tmp_path, monkeypatch):
    monkeypatch.setenv("MOXIE_RUN", "")
    monkeypatch.setattr("atexit.register", lambda action: None)
    late = Run(tmp_path)
    (tmp_path / "run").write_text("a run that began and ended meanwhile")
    with pytest.raises(InputError, match="until just now. Run again"):
        late.begin()
    with pytest.raises(InputError, match="until just now. Run again"):
        late.begin()
    Run(tmp_path).begin()


def test_a_study_that_replaces_a_report_says_so(tmp_path):
    from moxie.io import write_json
    from moxie.supervision import replaced_report

    default, own = {"name": "default", "title": "Alcohols"}, {"name": "mine", "title": "My oxides"}
    assert replaced_report(own, default, tmp_path) == ""
    assert "no name of its own: its report is called 'Alcohols'" in replaced_report(default, default, tmp_path)
    (tmp_path / "results").mkdir()
    write_json(tmp_path / "results" / "manifest.json", {"config": {"study": default}})
    assert "replaces the report of 'Alcohols' in " in replaced_report(own, default, tmp_path)
    write_json(tmp_path / "results" / "manifest.json", {"config": {"study": own}})
    assert replaced_report(own, default, tmp_path) == ""
