"""What a result came from: a digest of the code behind each job, and the manifest of a whole study.

Snakemake notices a changed script, not a changed library module. Every rule therefore carries a digest of all modules
that its script imports, directly or not, as a parameter: editing one reruns the jobs that use it, and no others.
"""

import ast
import hashlib
import platform
import subprocess
from collections.abc import Iterable, Mapping
from functools import cache
from importlib.metadata import distributions
from pathlib import Path
from typing import Any

from moxie.errors import InputError
from moxie.io import read_json, sha256, write_json

_SOURCE = Path(__file__).resolve().parent.parent
_RECORD_KEEPERS = ("job", "provenance")  # no result depends on them
_PACKAGES = (
    "ase chemicals CoolProp MDAnalysis matplotlib numba numpy openmm packmol pandas pandera pyarrow pydantic pymatgen "
    "pymbar rdkit scikit-learn scipy skops snakemake tblite"
).split()


@cache
def code_digest(script: str | Path, *modules: str) -> str:
    """Return 16 hexadecimal digits that change when code or data behind a script changes.

    Covered are all moxie modules that `script`, or one of the `modules` it loads by name, imports, except those that
    only log and keep records; and of the data files beside these modules those in a folder of their own and those that
    a covered module names, fully or by suffix. A package that only passes on the names of its modules stands for those
    of them whose names are asked for.
    """
    digest = hashlib.sha256()
    for path in _closure(Path(script), modules):
        digest.update(str(path.relative_to(_SOURCE)).encode() + b"\0" + hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()[:16]


def _closure(script: Path, modules: Iterable[str]) -> list[Path]:
    waiting = [path for name in (*_imports(script), *modules) for path in _files(name)]
    found: set[Path] = set()
    while waiting:
        path = waiting.pop()
        if path not in found:
            found.add(path)
            waiting += [file for name in _imports(path) for file in _files(name)]
    found -= {_SOURCE / "moxie" / f"{name}.py" for name in _RECORD_KEEPERS}
    return sorted(found | {data for module in found for data in _data_beside(module)})


@cache
def _imports(path: Path) -> tuple[str, ...]:
    """Return the moxie names that a file imports, at the top or inside a function."""
    names: list[str] = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"), str(path))):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names += [f"{node.module}.{alias.name}" for alias in node.names]
    return tuple(name for name in names if name.split(".")[0] == "moxie")


@cache
def _files(name: str) -> tuple[Path, ...]:
    """Return the files behind a dotted name: the module that defines it, and the packages that hold this."""
    parts = name.split(".")
    files = [_SOURCE.joinpath(*parts[:depth]).with_suffix(".py") for depth in (len(parts) - 1, len(parts))]
    for depth in range(1, len(parts) + 1):
        package = _SOURCE.joinpath(*parts[:depth], "__init__.py")
        passed_on = _passed_on(package) if package.is_file() else None
        if passed_on is None:
            files.append(package)
        else:
            wanted = passed_on if depth == len(parts) else {parts[depth]} & passed_on.keys()
            files += [file for exported in wanted for file in _files(passed_on[exported])]
    return tuple(file for file in files if file.is_file())


@cache
def _passed_on(package: Path) -> dict[str, str] | None:
    """Return {name: its dotted origin} of a package that does nothing but import names from moxie, else None."""
    names: dict[str, str] = {}
    for node in ast.parse(package.read_text(encoding="utf-8"), str(package)).body:
        if isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] == "moxie":
            names |= {alias.asname or alias.name: f"{node.module}.{alias.name}" for alias in node.names}
        elif not (isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__") and not (
            isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        ):
            return None
    return names


@cache
def _data_beside(module: Path) -> tuple[Path, ...]:
    folders = [path for path in module.parent.iterdir() if path.is_dir() and path.name != "__pycache__"]
    data = [file for folder in folders if not (folder / "__init__.py").exists() for file in folder.rglob("*")]
    source = module.read_text(encoding="utf-8")
    data += [file for file in module.parent.iterdir() if file.name in source or f'{file.suffix}"' in source]
    return tuple(file for file in data if file.is_file() and file.suffix not in (".py", ".pyc", ".nbi", ".nbc"))


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
