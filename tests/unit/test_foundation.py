"""Seeds, files, job records and the manifest: the promises under every stage."""

import errno
import json
import logging
import os
import re
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moxie.errors import InputError
from moxie.finished import forget_below
from moxie.io import read_json, replace_when_complete, sha256, write_json
from moxie.job import Progress, job
from moxie.provenance import record_path, write_manifest
from moxie.seeds import derive_seed

SCRIPTS = Path(__file__).parents[2] / "scripts"


@given(st.integers(0, 2**63 - 1), st.text(min_size=1), st.dictionaries(st.sampled_from("abc"), st.text(max_size=5)))
def test_seed_is_positive_and_ignores_the_order_of_wildcards(base, stage, wildcards):
    seed = derive_seed(base, stage, **wildcards)
    assert 0 < seed < 2**31
    assert seed == derive_seed(base, stage, **dict(reversed(wildcards.items())))


def test_seeds_of_different_jobs_differ():
    jobs = [(base, stage, t, r) for base in (1, 2) for stage in ("a", "b") for t in range(50) for r in range(20)]
    seeds = {derive_seed(base, stage, temperature_K=t, replica=r) for base, stage, t, r in jobs}
    assert len(seeds) == len(jobs)


def test_failed_write_leaves_the_old_file_and_nothing_else(tmp_path):
    path = tmp_path / "result.txt"
    path.write_text("old")
    with pytest.raises(RuntimeError), replace_when_complete(path) as partial:
        partial.write_text("half")
        raise RuntimeError
    assert path.read_text() == "old" and list(tmp_path.iterdir()) == [path]


def test_damaged_json_is_named(tmp_path):
    path = tmp_path / "run.json"
    path.write_text('{"a": 1')
    with pytest.raises(InputError, match=r"run.json is not valid JSON.*Delete it"):
        read_json(path)
    with pytest.raises(InputError, match="does not exist"):
        read_json(tmp_path / "none.json")


@pytest.fixture(autouse=True)
def in_own_folder(tmp_path, monkeypatch):
    """Jobs hold their locks below the working directory."""
    monkeypatch.chdir(tmp_path)


def fake_job(folder: Path, name: str, inputs: list[Path], outputs: list[Path]) -> SimpleNamespace:
    return SimpleNamespace(
        rule=name,
        wildcards={"temperature_K": "300"},
        params={"seed": 7},
        input=inputs,
        output=outputs,
        log=[str(folder / "logs" / f"{name}.log")],
    )


def test_manifest_follows_results_back_to_their_first_inputs(tmp_path):
    first, second, other = (tmp_path / name for name in ("first", "second", "other"))
    for name, inputs, output in (("a", [], first), ("b", [first], second), ("c", [], other)):
        with job(fake_job(tmp_path, name, inputs, [output])):
            output.write_text(name)
    own = tmp_path / "list.csv"
    own.write_text("smiles\nCO\n")
    write_manifest(tmp_path / "manifest.json", config={"seed": 1}, results=[second], root=tmp_path, files=[own])
    manifest = json.loads((tmp_path / "manifest.json").read_text())
    assert [record["rule"] for record in manifest["jobs"]] == ["a", "b"]
    assert manifest["files"] == {str(own): sha256(own)}
    assert manifest["jobs"][1]["inputs"] == {str(first): sha256(first)}
    assert all(record["wall_s"] > 0 and record["cpu_s"] > 0 and record["seed"] == 7 for record in manifest["jobs"])
    assert manifest["packages"]["numpy"] and manifest["platform"]["cores"] >= 1
    second.write_text("by hand")
    with pytest.raises(InputError, match="changed by hand"):
        write_manifest(tmp_path / "manifest.json", config={}, results=[second], root=tmp_path)


def test_manifest_takes_a_users_own_file_as_a_first_input(tmp_path):
    own, results = tmp_path / "mine.yaml", tmp_path / "results"
    own.write_text("mine")
    results.mkdir()
    with job(fake_job(results, "a", [own], [results / "film"])):
        (results / "film").write_text("a")
    write_manifest(results / "manifest.json", config={}, results=[results / "film"], root=tmp_path)
    (record,) = json.loads((results / "manifest.json").read_text())["jobs"]
    assert record["inputs"] == {str(own): sha256(own)}
    own.write_text("changed")
    with pytest.raises(InputError, match=r"mine\.yaml was changed after the job that made .*film had read it"):
        write_manifest(results / "manifest.json", config={}, results=[results / "film"], root=tmp_path)


def test_an_input_that_is_not_what_its_job_wrote_is_named(tmp_path, capsys):
    results = tmp_path / "results"
    made, own = results / "made", tmp_path / "own"
    results.mkdir()
    own.write_text("mine")
    with job(fake_job(results, "a", [], [made])):
        made.write_bytes(b"0123456789")
    later = fake_job(results, "b", [made, own], [])
    with job(later):
        pass
    own.write_text("also mine")
    made.write_bytes(b"0123456780")
    with pytest.raises(SystemExit) as caught, job(later):
        raise AssertionError("must not run")
    printed = capsys.readouterr().err
    assert caught.value.code == 1 and "Traceback" not in printed
    assert f"Damaged or changed since a job wrote it: {made}. Delete it and run again" in printed
    assert str(own) not in printed


@pytest.mark.parametrize("change", [None, "settings", "damage"])
def test_a_long_job_whose_end_was_not_seen_is_not_done_again(tmp_path, change):
    results, checkpoints = tmp_path / "results", tmp_path / "results" / "checkpoints" / "a"
    outputs = [results / "one", results / "deep" / "two"]
    fake = fake_job(results, "a", [], [str(path) for path in outputs])
    fake.params["checkpoints"] = str(checkpoints)
    checkpoints.mkdir(parents=True)
    with job(fake):
        for number, path in enumerate(outputs):
            with replace_when_complete(path) as partial:
                partial.write_text(f"result {number}")
    assert not checkpoints.exists()
    if change == "damage":
        outputs[1].write_text("result 7")
    for path in outputs:
        path.unlink()  # as Snakemake does with the outputs of a job whose end it has not seen
    fake.params["seed"] = 8 if change == "settings" else 7
    if change:
        done = []
        with job(fake):
            done.append("anew")
            for path in outputs:
                path.write_text("anew")
        assert done
    else:
        with pytest.raises(SystemExit) as caught, job(fake):
            raise AssertionError("must not run")
        assert caught.value.code == 0
        assert [path.read_text() for path in outputs] == ["result 0", "result 1"]
        assert json.loads(record_path(fake.log[0]).read_text())["outputs"] == {str(p): sha256(p) for p in outputs}
    forget_below(results / "checkpoints")
    assert not list((results / "checkpoints").iterdir())


def test_job_turns_an_input_error_into_one_line_and_leaves_no_record(tmp_path, capsys):
    fake = fake_job(tmp_path, "a", [], [])
    with pytest.raises(SystemExit) as caught, job(fake):
        raise InputError("`seed` is odd.")
    assert caught.value.code == 1
    assert capsys.readouterr().err == "[a 300] `seed` is odd.\n"
    assert not record_path(fake.log[0]).exists()


@pytest.mark.parametrize(
    ("number", "free", "message"),
    [
        (errno.ENOSPC, 1e9, "The disk with .* is full .*No space left.* Make room on it. Then run again"),
        (None, 100.0, "The disk with .* is full .*584 requested and 496 written"),
        (errno.EROFS, 1e9, "A file cannot be written or read .*Read-only file system.* Give this user the right to"),
    ],
)
def test_job_says_that_the_disk_is_full_or_locked(tmp_path, capsys, monkeypatch, number, free, message):
    import shutil
    from types import SimpleNamespace

    monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=free))
    monkeypatch.setattr("logging.raiseExceptions", True)
    error = OSError(number, os.strerror(number)) if number else OSError("584 requested and 496 written")
    with pytest.raises(SystemExit), job(fake_job(tmp_path, "a", [], [])):
        raise error
    printed = capsys.readouterr().err
    assert re.fullmatch(rf"\[a 300\] {message}.*\n", printed) and "Traceback" not in printed


def test_job_that_a_killed_run_left_behind_is_not_done_twice(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("moxie.job._PATIENCE_S", 0.0)
    fake = fake_job(tmp_path, "a", [], [])
    log = Path(fake.log[0])
    with job(fake):
        log.unlink()  # Snakemake does so before it starts the job again
        with pytest.raises(SystemExit), job(fake):
            raise AssertionError("must not run")
    assert re.search(rf"Another process is still doing this job: process {os.getpid()} on ", capsys.readouterr().err)
    assert not log.exists()
    with job(fake):
        pass
    assert log.exists() and record_path(log).exists()


def test_progress_reports_rate_and_estimated_end(caplog, monkeypatch):
    clock = iter([0.0, 5.0, 20.0])
    monkeypatch.setattr("moxie.job.time.monotonic", lambda: next(clock))
    log = logging.getLogger("progress-test")
    progress = Progress(log, total=100, unit="ps")
    with caplog.at_level(logging.INFO, "progress-test"):
        progress.update(10)
        progress.update(40)
    assert [record.getMessage() for record in caplog.records] == [" 40 %, 2 ps/s, about 30 s left"]


def test_written_json_is_independent_of_the_order_of_keys(tmp_path):
    write_json(tmp_path / "a.json", {"b": 1, "a": 2})
    write_json(tmp_path / "b.json", {"a": 2, "b": 1})
    assert (tmp_path / "a.json").read_bytes() == (tmp_path / "b.json").read_bytes()
