"""Outputs of a long job that has ended, kept until Snakemake has taken them: links to them beside its checkpoints.

Snakemake deletes the outputs of a job whose end it has not seen and starts it anew. What was kept is then put back.
Links take no room; where a file system has none, the files are copied.
"""

import hashlib
import json
import os
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from moxie.io import read_json, replace_when_complete, sha256, write_json


def digest(facts: Any) -> str:
    """Return the SHA-256 digest of whatever the outputs depend on."""
    return hashlib.sha256(json.dumps(facts, sort_keys=True, default=str).encode()).hexdigest()


def keep(checkpoints: str | Path, outputs: Mapping[str, str], depends_on: str) -> None:
    """Keep the outputs, {path: checksum}, and remove the checkpoints that they make needless."""
    place = kept_at(checkpoints)
    partial = place.with_name(f".{place.name}")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    for number, output in enumerate(outputs):
        _link(Path(output), partial / str(number))
    write_json(partial / "kept.json", {"depends_on": depends_on, "outputs": list(outputs.items())})
    shutil.rmtree(place, ignore_errors=True)
    os.rename(partial, place)
    shutil.rmtree(checkpoints, ignore_errors=True)


def put_back(checkpoints: str | Path, outputs: Iterable[str], depends_on: str) -> bool:
    """Put kept outputs back and return whether all are; what was kept of other settings or is damaged is removed."""
    place = kept_at(checkpoints)
    if not place.exists():
        return False
    kept = read_json(place / "kept.json")
    files = [(place / str(number), *each) for number, each in enumerate(kept["outputs"])]
    whole = kept["depends_on"] == depends_on and [output for _, output, _ in files] == [str(path) for path in outputs]
    if not whole or any(sha256(file) != checksum for file, _, checksum in files):
        shutil.rmtree(place)
        return False
    for file, output, _ in files:
        with replace_when_complete(output) as partial:
            _link(file, partial)
    return True


def forget_below(folder: str | Path) -> None:
    """Remove everything kept below a folder: Snakemake has taken it."""
    for place in list(Path(folder).rglob("*.finished")):
        shutil.rmtree(place, ignore_errors=True)


def kept_at(checkpoints: str | Path) -> Path:
    """Return where the outputs of a job are kept, given the folder of its checkpoints."""
    path = Path(checkpoints)
    return path.with_name(f"{path.name}.finished")


def _link(source: Path, target: Path) -> None:
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)
