"""The checksum of every output, in a small file below results/checksums: later jobs check their inputs by it."""

import shlex
from collections.abc import Iterable, Mapping
from pathlib import Path

from moxie.errors import InputError
from moxie.io import sha256, write_text


def checked(inputs: Iterable[str], results: Path) -> dict[str, str]:
    """Return {path: checksum} of a job's inputs; raises InputError for one that is not what its job wrote.

    `results` is the folder of all results. A file that no job has written, such as a user's own, cannot be checked.
    """
    found = {str(path): sha256(path) for path in inputs}
    wrong = [path for path, checksum in found.items() if _recorded(path, results) not in (checksum, None)]
    if wrong:
        raise InputError(
            f"Damaged or changed since a job wrote it: {', '.join(wrong)}. Delete it and run again, and it is made anew"
            f" (rm {shlex.join(wrong)})."
        )
    return found


def record(outputs: Mapping[str, str], results: Path) -> None:
    """Write down the checksums of a job's outputs, {path: checksum}."""
    for path, checksum in outputs.items():
        place = _place(path, results)
        if place is not None:
            write_text(place, checksum)


def _recorded(path: str, results: Path) -> str | None:
    place = _place(path, results)
    try:
        return place.read_text() if place else None
    except FileNotFoundError:
        return None


def _place(path: str, results: Path) -> Path | None:
    if not Path(path).is_relative_to(results):
        return None
    return results / "checksums" / f"{Path(path).relative_to(results)}.sha256"
