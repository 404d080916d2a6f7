"""A digest of the code and data behind a job.

Snakemake notices a changed script, not a changed library module. Every rule therefore carries a digest of all modules
that its script imports, directly or not, as a parameter: editing one reruns the jobs that use it, and no others.
"""

import ast
import hashlib
import json
import os
import time
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

from moxie.errors import InputError
from moxie.io import write_text

_SOURCE = Path(__file__).resolve().parent.parent
_RECORD_KEEPERS = (  # no result depends on them
    "__init__", "checksums", "code_digest", "finished", "interruption", "job", "locks", "provenance", "supervision"
)  # fmt: skip
_COARSEST_CLOCK_NS = 2_000_000_000  # a file younger than this may change again within one tick of its clock


@cache
def code_digest(script: str | Path, *modules: str) -> str:
    """Return 16 hexadecimal digits that change when code or data behind a script changes.

    Covered are all moxie modules that `script`, or one of the `modules` it loads by name, imports, except those that
    only log and keep records; and the data files that these modules declare: `DATA_FILES = (...)`, patterns of paths
    relative to the module. A package that only passes on the names of its modules stands for those
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
    return sorted(found | {data for module in found for data in _data_of(module)})


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
def _data_of(module: Path) -> tuple[Path, ...]:
    """Return the data files that a module declares; raises InputError for a pattern that finds none."""
    found: list[Path] = []
    for node in ast.parse(module.read_text(encoding="utf-8"), str(module)).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "DATA_FILES":
            for pattern in ast.literal_eval(node.value):
                files = sorted(module.parent.glob(pattern))
                if not files:
                    raise InputError(f"{module} declares DATA_FILES {pattern!r}, and no file beside it is called that.")
                found += files
    return tuple(found)


class RememberedDigests:
    """`code_digest`, remembered in a file from one start of the workflow to the next.

    Finding the modules behind all scripts takes half a second of CPU, and a job on a cluster starts Snakemake twice.
    What is remembered holds as long as no file of the library or of the scripts has another size or another time.
    """

    def __init__(self, file: str | Path, scripts: str | Path):
        self._file, self._scripts = Path(file), Path(scripts)
        found = sorted(_facts(_SOURCE / "moxie")) + sorted(_facts(self._scripts))
        self._state = hashlib.sha256(repr(found).encode()).hexdigest()
        newest = max((max(times) for _, _, *times in found), default=0)
        self._settled = time.time_ns() - newest > _COARSEST_CLOCK_NS
        try:
            remembered = json.loads(self._file.read_text(encoding="utf-8"))
            self._known = dict(remembered["digests"]) if remembered["state"] == self._state else {}
        except (OSError, ValueError, KeyError, TypeError):  # not there, or no longer whole: found anew
            self._known = {}
        self._is_new = False

    def of(self, script: str, *modules: str) -> str:
        """Return the digest of a script, by its name without suffix, and of the modules it loads by name."""
        key = " ".join((script, *modules))
        if key not in self._known:
            self._known[key] = code_digest(self._scripts / f"{script}.py", *modules)
            self._is_new = True
        return self._known[key]

    def remember(self) -> None:
        """Write down what was found since the start, unless a file is too young for its times to be trusted."""
        if self._is_new and self._settled:
            try:
                write_text(self._file, json.dumps({"state": self._state, "digests": self._known}))
            except OSError:  # a checkout that may not be written to
                pass


def _facts(folder: Path) -> Iterator[tuple[str, int, int, int]]:
    """Yield path, size and times of change of every source and data file below a folder."""
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_dir():
                if entry.name != "__pycache__":
                    yield from _facts(Path(entry.path))
            else:
                status = entry.stat()
                yield entry.path, status.st_size, status.st_mtime_ns, status.st_ctime_ns
