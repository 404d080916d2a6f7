"""What a result came from: the manifest of a whole study."""

import platform
import subprocess
from collections.abc import Iterable, Mapping
from importlib.metadata import distributions
from pathlib import Path
from typing import Any

from moxie.errors import InputError
from moxie.io import read_json, sha256, write_json

_PACKAGES = (
    "ase chemicals CoolProp MDAnalysis matplotlib numba numpy openmm packmol pandas pandera pyarrow pydantic pymatgen "
    "pymbar rdkit scikit-learn scipy skops snakemake tblite"
).split()


def record_path(log: str | Path) -> Path:
    """Return where the record of a job stands, given its log: results/logs/X.log gives results/jobs/X.json."""
    parts = ["jobs" if part == "logs" else part for part in Path(log).parts]
    return Path(*parts).with_suffix(".json")


def write_manifest(
    path: str | Path,
    *,
    config: Mapping[str, Any],
    results: Iterable[str | Path],
    root: Path,
    files: Iterable[str | Path] = (),
) -> None:
    """Write the manifest: configuration, the files it names, versions, git commit, machine, jobs behind the results.

    Each job says its rule, wildcards, seed, wall and CPU time, peak memory, and the checksums of its inputs and outputs
    (see `moxie.job`). What a job read from outside the results' folder is a user's own file and has no record. Raises
    InputError if a result has no record or was changed after its job, and if a user's file was changed after a job that
    read it.
    """
    results_folder = Path(path).parent
    folder = results_folder / "jobs"
    records = [read_json(file) for file in sorted(folder.rglob("*.json"))]
    made_by = {output: record for record in records for output in record["outputs"]}
    waiting, seen, jobs = [str(result) for result in results], set(), []
    while waiting:
        file = waiting.pop()
        if file in seen:
            continue
        seen.add(file)
        if file not in made_by:
            raise InputError(f"No job under {folder} says that it made {file}. Delete {file} and run again.")
        record = made_by[file]
        if sha256(file) != record["outputs"][file]:
            raise InputError(f"{file} is not what its job wrote: it was changed by hand. Delete it and run again.")
        if record not in jobs:
            jobs.append(record)
        for read, checksum in record["inputs"].items():
            if read in made_by or Path(read).is_relative_to(results_folder):
                waiting.append(read)
            elif sha256(read) != checksum:
                raise InputError(f"{read} was changed after the job that made {file} had read it. Run again.")
    manifest = {
        "config": config,
        "files": {str(file): sha256(file) for file in sorted(files)},
        "git_commit": git_commit(root),
        "jobs": sorted(jobs, key=lambda job: (job["rule"], sorted(job["wildcards"].items()))),
        "packages": installed_versions(),
        "platform": machine(),
    }
    write_json(path, manifest)


def git_commit(root: str | Path) -> str | None:
    """Return the commit of a checkout, with "-dirty" if it has uncommitted changes; None where git cannot tell."""
    try:
        asked = ["git", "-C", str(root), "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"]
        return subprocess.run(asked, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return None


def installed_versions() -> dict[str, str]:
    """Return the versions of moxie and of the packages that compute its results."""
    wanted = {name.lower(): name for name in (*_PACKAGES, "moxie")}
    found = {dist.metadata["Name"].lower(): dist.version for dist in distributions() if dist.metadata["Name"]}
    return {wanted[name]: version for name, version in sorted(found.items()) if name in wanted}


def machine() -> dict[str, Any]:
    """Return the machine and Python that this process runs on."""
    import os

    return {
        "system": f"{platform.system()} {platform.release()}",
        "architecture": platform.machine(),
        "processor": _processor(),
        "cores": os.cpu_count(),
        "python": platform.python_version(),
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        return next(line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or "unknown"
