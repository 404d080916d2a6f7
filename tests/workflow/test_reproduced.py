"""A study run again elsewhere: which files are the same bytes, which are not, and why they may not be."""

import hashlib
import os
import subprocess
import sys
from fnmatch import fnmatch
from pathlib import Path

import pytest

from tests.workflow.conftest import SMOKE

# every kind of file below results/ that may differ: pattern, and why
MAY_DIFFER = {
    "manifest.json": "holds the times, memory and versions of all jobs",
    "report.html": "holds run times and the moment when it was made",
    "jobs/*.json": "records of time and memory",
    "logs/*.log": "lines with the time of day and numbers of processes",
    "dynamics/*/run.json": "states speed and processor time",
    "oxidation/*/run.json": "states processor time",
    "checkpoints/*": "where a run saved itself is a matter of wall-clock time",
}


def checksums(results: Path) -> dict[str, str]:
    files = (path for path in results.rglob("*") if path.is_file())
    return {path.relative_to(results).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def reason(name: str) -> str | None:
    return next((why for pattern, why in MAY_DIFFER.items() if fnmatch(name, pattern)), None)


def unexplained(first: dict[str, str], second: dict[str, str]) -> list[str]:
    """Return the files that only one run has, or that differ, without a reason.

    A checksum's reason is that of its file.
    """
    found = []
    for name in sorted(set(first) | set(second)):
        if first.get(name) == second.get(name):
            continue
        file = name.removeprefix("checksums/").removesuffix(".sha256") if name.startswith("checksums/") else name
        if reason(file) is None:
            found.append(name)
    return found


def test_a_table_that_changed_or_is_missing_has_no_excuse():
    same = {"features/liquids.parquet": "a", "logs/plot/a.log": "b", "checksums/manifest.json.sha256": "c"}
    other = {"features/liquids.parquet": "x", "logs/plot/a.log": "y", "checksums/manifest.json.sha256": "z"}
    assert unexplained(same, other) == ["features/liquids.parquet"]
    assert unexplained(same, {}) == ["features/liquids.parquet"]
    assert unexplained({"checksums/features/a.sha256": "a"}, {"checksums/features/a.sha256": "b"})


@pytest.mark.slow
def test_a_run_on_one_core_in_another_folder_with_another_hash_seed_gives_the_same_bytes(smoke, tmp_path):
    elsewhere = tmp_path / "a much longer name of a folder".replace(" ", "_") / "study"
    elsewhere.mkdir(parents=True)
    program = [sys.executable, str(smoke.source / "workflow" / "run.py")]
    where = ["--snakefile", str(smoke.source / "Snakefile"), "--directory", str(elsewhere), "--cores", "1"]
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("SNAKEMAKE", "PYTEST"))}
    environment["PYTHONHASHSEED"] = "20261130"
    subprocess.run([*program, *where, "--configfile", str(SMOKE)], check=True, cwd=elsewhere, env=environment)
    first, second = (checksums(folder / "results") for folder in (smoke.folder, elsewhere))
    assert unexplained(first, second) == []
    of_kind = {pattern: [name for name in first if fnmatch(name, pattern)] for pattern in MAY_DIFFER}
    for pattern in ("manifest.json", "report.html", "jobs/*.json", "dynamics/*/run.json", "oxidation/*/run.json"):
        assert any(first[name] != second.get(name) for name in of_kind[pattern]), f"{pattern} needs no excuse"
