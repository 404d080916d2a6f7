"""Checkpoints of a Monte Carlo run: whole or not at all, with a checksum and a digest of what they belong to.

The last two are kept. One that belongs to other settings is set aside as `.stale`, a damaged one as `.corrupt`; the
log says so, and the newest good one is used. An engine goes into a checkpoint by `engine_arrays` and comes back by
`restore_engine`.
"""

from __future__ import annotations

import hashlib
import io
import json
import logging
import re
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from moxie.errors import InputError
from moxie.io import replace_when_complete

if TYPE_CHECKING:
    from moxie.oxidation.engine import Engine


def digest(settings: Any) -> str:
    """Return the SHA-256 digest of JSON-like settings."""
    return hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()


def engine_arrays(engine: Engine, prefix: str = "") -> dict[str, np.ndarray]:
    """Return the arrays from which `restore_engine` continues; the running energy is a number to keep beside them."""
    atoms = engine.atoms
    listing = {f"{prefix}{key}": values for key, values in engine.listing_arrays().items()}
    return listing | {
        f"{prefix}position": atoms.position,
        f"{prefix}neighbours": atoms.neighbours,
        f"{prefix}species": atoms.species,
        f"{prefix}frozen": atoms.frozen,
        f"{prefix}stream": atoms.stream,
    }


def restore_engine(engine: Engine, arrays: dict[str, np.ndarray], energy_eV: float, prefix: str = "") -> None:
    """Continue an engine from a checkpoint; SamplerError when the running energy is not that of the positions."""
    keys = ("position", "neighbours", "species", "frozen", "stream")
    position, neighbours, species, frozen, stream = (arrays[f"{prefix}{key}"] for key in keys)
    engine.set_state(position, neighbours, species, frozen, stream, energy_eV)
    engine.restore_listing({key.removeprefix(prefix): values for key, values in arrays.items()})


def engine_digest(engine: Engine) -> str:
    """Return the digest of everything that decides how an engine goes on: state, cell, field, rules, stream."""
    arrays = {**engine_arrays(engine), "cell": engine.cell}  # the catalogue included
    content = [(key, values.shape, hashlib.sha256(values.tobytes()).hexdigest()) for key, values in arrays.items()]
    rules = [repr(engine.rejection), repr(engine.surrogate), engine.triangles]
    return digest([asdict(engine.parameters), rules, engine.energy, content])


def _check_directory(directory: Path) -> None:
    for place in (directory, *directory.parents):
        if place.is_file():
            raise InputError(f"checkpoint_dir is {directory}, but {place} is a file; name a directory.")


class Checkpoints:
    """The checkpoints of one `kind` (a word for the file names) in one directory that belong to one digest.

    A directory of None keeps none. Raises InputError when it names a file, or lies below one.
    """

    def __init__(self, directory: str | Path | None, belongs_to: str, log: logging.Logger, kind: str):
        self._directory = None if directory is None else Path(directory)
        if self._directory is not None:
            _check_directory(self._directory)
        self._belongs_to = belongs_to
        self._log = log
        self._kind = kind
        self._magic = f"moxie {kind} checkpoint 1\n".encode()
        self._number = 0

    def save(self, facts: dict[str, Any], arrays: dict[str, np.ndarray]) -> None:
        """Write a checkpoint and remove all but the last two."""
        if self._directory is None:
            return
        self._number += 1
        buffer = io.BytesIO()
        text = json.dumps({"digest": self._belongs_to, "facts": facts})
        np.savez(buffer, **{"json": np.array(text)}, **arrays)  # type: ignore[arg-type]
        body = buffer.getvalue()
        with replace_when_complete(self._directory / f"{self._kind}-{self._number:08d}.ckpt") as partial:
            partial.write_bytes(self._magic + hashlib.sha256(body).hexdigest().encode() + b"\n" + body)
        for number, path in self._present()[:-2]:
            if number <= self._number - 2:
                path.unlink()

    def load(self) -> tuple[dict[str, Any], dict[str, np.ndarray]] | None:
        """Return the newest good checkpoint's facts and arrays, or None; sets stale and damaged ones aside."""
        for number, path in reversed(self._present()):
            self._number = max(self._number, number)
            try:
                facts, arrays = self._read(path)
            except ValueError as error:
                self._set_aside(path, ".corrupt", f"is damaged ({error})")
                continue
            if facts["digest"] != self._belongs_to:
                self._set_aside(path, ".stale", "belongs to other settings or another moxie")
                continue
            return facts["facts"], arrays
        return None

    def clear(self) -> None:
        """Remove the checkpoints (the results are in place)."""
        for _, path in self._present():
            path.unlink()

    def _present(self) -> list[tuple[int, Path]]:
        if self._directory is None or not self._directory.is_dir():
            return []
        name = re.compile(re.escape(self._kind) + r"-(\d{8})\.ckpt")
        found = [(name.fullmatch(path.name), path) for path in self._directory.iterdir()]
        return sorted((int(match.group(1)), path) for match, path in found if match)

    def _set_aside(self, path: Path, suffix: str, reason: str) -> None:
        aside = path.with_suffix(suffix)
        path.replace(aside)
        self._log.warning("Checkpoint %s %s; set aside as %s.", path, reason, aside.name)

    def _read(self, path: Path) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        content = path.read_bytes()
        head = len(self._magic) + 65
        if not content.startswith(self._magic) or len(content) <= head:
            raise ValueError("not a whole checkpoint")
        body = content[head:]
        if hashlib.sha256(body).hexdigest().encode() != content[len(self._magic) : head - 1]:
            raise ValueError("its checksum does not match")
        with np.load(io.BytesIO(body), allow_pickle=False) as data:
            arrays = {key: data[key] for key in data.files if key != "json"}
            return json.loads(str(data["json"])), arrays
