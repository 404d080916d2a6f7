"""The programs antechamber, sqm and parmchk2, as the package acpype brings them: are they there, and what they say.

antechamber finds atom types, sqm the AM1 wave function, from which antechamber makes AM1-BCC charges; parmchk2
estimates the terms that the force field lacks.
"""

import importlib.metadata
import importlib.util
import os
import re
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from moxie.errors import InputError

_INSTALL = ".venv/bin/pip install --require-hashes -r envs/gaff.txt"
_PARMCHK2_SET = {"gaff": "1", "gaff2": "2"}  # by number: given the word gaff2, parmchk2 22.0 silently takes gaff


@dataclass(frozen=True)
class Findings:
    """What the programs found out about one molecule."""

    mol2: str  # atoms with types and charges
    frcmod: str  # terms that the force field lacks, estimated
    parameters: str  # the force field's own file
    versions: dict[str, str]


def check_available() -> None:
    """Raise InputError, saying what to install, unless antechamber and sqm can run."""
    folder = _folder()
    if sys.platform != "linux":
        return
    missing = _missing_libraries(folder / "bin" / "sqm")
    if missing:
        raise InputError(
            f"sqm, which computes the AM1-BCC charges of GAFF, lacks the system libraries {', '.join(missing)}."
            " Install them, under Debian and Ubuntu with: apt-get install libarpack2 (it brings BLAS, LAPACK and"
            " libgfortran)."
        )


def run(sdf: str | Path, charge: int, family: str) -> Findings:
    """Return types, AM1-BCC charges and estimated terms for the molecule of an SDF file; `family`: gaff or gaff2.

    sqm optimises the geometry with AM1 first. Call `check_available` before. Raises InputError with the programs'
    reason where they fail; its message is to be read after the name of the molecule.
    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "in.sdf").write_bytes(Path(sdf).read_bytes())
        typed = _call(
            folder, "antechamber", "-i", "in.sdf", "-fi", "sdf", "-o", "out.mol2", "-fo", "mol2", "-at", family,
            "-c", "bcc", "-nc", str(charge), "-rn", "MOL", "-dr", "no",
        )  # fmt: skip
        _call(
            folder, "parmchk2", "-i", "out.mol2", "-f", "mol2", "-o", "out.frcmod", "-s", _PARMCHK2_SET[family]
        )  # fmt: skip
        parameters = (_folder() / "dat" / "leap" / "parm" / f"{family}.dat").read_text(encoding="latin-1")
        versions = {
            "acpype": importlib.metadata.version("acpype"),
            "antechamber": _first(r"antechamber (\S+?):", typed),
            "sqm": _first(r"SQM VERSION (\S+)", (folder / "sqm.out").read_text()),
            "parameters": parameters.splitlines()[0].strip(),
        }
        return Findings((folder / "out.mol2").read_text(), (folder / "out.frcmod").read_text(), parameters, versions)


def _folder() -> Path:
    specification = importlib.util.find_spec("acpype")
    if specification is None or specification.origin is None:
        raise InputError(
            "antechamber, which makes the parameters of GAFF, is not installed. Install it in the environment of moxie"
            f" with: {_INSTALL}, and the system library that it needs, under Debian and Ubuntu, with: apt-get install"
            " libarpack2."
        )
    return Path(specification.origin).parent / ("amber_macos" if sys.platform == "darwin" else "amber_linux")


@lru_cache(maxsize=1)
def _missing_libraries(program: Path) -> tuple[str, ...]:
    listed = subprocess.run(["ldd", program], capture_output=True, text=True, check=False).stdout
    return tuple(re.findall(r"(\S+) => not found", listed))


def _call(folder: Path, program: str, *arguments: str) -> str:
    tools = _folder()
    environment = os.environ | {"AMBERHOME": str(tools), "OMP_NUM_THREADS": "1"}
    try:
        done = subprocess.run(
            [tools / "bin" / program, *arguments], cwd=folder, env=environment, capture_output=True, text=True,
            check=False,
        )  # fmt: skip
    except OSError as error:
        raise InputError(f"{program} does not run on this machine ({error.strerror})") from None
    output = done.stdout + done.stderr
    wanted = folder / arguments[arguments.index("-o") + 1]
    if done.returncode != 0 or not wanted.exists():
        log = folder / "sqm.out"
        raise InputError(failure_reason(program, output, log.read_text() if log.exists() else ""))
    return output


def failure_reason(program: str, output: str, sqm_log: str) -> str:
    """Return why a program failed: what sqm says in its log, else the first thing the program calls fatal."""
    said = re.search(r"QMMM: ERROR!\s*\n((?:QMMM:.*\n?)+)", sqm_log)
    if said:
        lines = [" ".join(line.removeprefix("QMMM:").split()) for line in said.group(1).splitlines()]
        return "sqm found no AM1 wave function: " + "; ".join(lines[:2])
    fatal = re.search(r"(?:Fatal Error!|Error:)\s*\n?(.+)", output)
    odd = re.search(r"number of electrons is odd[^\n]*", output)
    reason = odd.group(0) if odd else fatal.group(1) if fatal else "it gave no reason"
    return f"{program} failed: {reason.strip().rstrip('.')}"


def _first(pattern: str, text: str) -> str:
    found = re.search(pattern, text)
    return found.group(1) if found else "unknown"
