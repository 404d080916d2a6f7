"""Checkpoints that survive a kill at any moment: a run is a chain of segments, each there whole or not at all.

    folder/settings.json      digest of everything the run depends on
    folder/segment_0003/      samples.npy, frames.xtc, state.xml, checkpoint.bin, segment.json (sizes and checksums)

A segment is written beside its place and renamed into it, which is atomic. Samples and frames of all segments stay
until the run is complete; states of all but the last two are dropped. What does not belong or is damaged is set aside
by renaming, never used and never deleted silently.
"""

import hashlib
import json
import logging
import os
import shutil
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from moxie.io import sha256, write_json

_STATES = ("state.xml", "checkpoint.bin")
_KEPT_STATES = 2


@dataclass(frozen=True)
class Segment:
    """One committed piece of a run."""

    folder: Path
    index: int
    last_step: int
    facts: dict[str, Any]

    @property
    def samples(self) -> np.ndarray:
        """Return the rows of the time series, shape (n, k)."""
        return np.load(self.folder / "samples.npy")

    @property
    def frames(self) -> Path:
        """Return the trajectory's file; it may be empty."""
        return self.folder / "frames.xtc"

    def state(self, here: Mapping[str, str], log: logging.Logger) -> tuple[str, bytes]:
        """Return the portable state and the binary checkpoint to go on from, with a note where they are from elsewhere.

        `here` is what a binary checkpoint depends on (`PlatformChoice.made_by`). One that was made by another OpenMM,
        platform or precision is left out (empty).
        """
        state, binary = (self.folder / "state.xml").read_text(), (self.folder / "checkpoint.bin").read_bytes()
        if all(self.facts.get(key) == value for key, value in here.items()):
            return state, binary
        log.info(
            "the checkpoint was made by %s, this is %s; continuing from its portable state",
            _words(self.facts), _words(here),
        )  # fmt: skip
        return state, b""


class Checkpoints:
    """The chain of segments in one folder, for one digest of settings and inputs."""

    def __init__(self, folder: str | Path, dependencies: dict[str, Any], log: logging.Logger):
        self.folder, self._log = Path(folder), log
        self._digest = hashlib.sha256(json.dumps(dependencies, sort_keys=True).encode()).hexdigest()
        self._dependencies = dependencies

    def open(self) -> list[Segment]:
        """Return the usable segments, the last of which can be continued; set everything else aside."""
        if self.folder.exists() and not self._belongs():
            self._set_aside(self.folder, "stale", "was made with other settings or inputs")
        self.folder.mkdir(parents=True, exist_ok=True)
        for partial in self.folder.glob(".partial*"):
            shutil.rmtree(partial) if partial.is_dir() else partial.unlink()
        write_json(self.folder / "settings.json", {"digest": self._digest, "dependencies": self._dependencies})
        segments: list[Segment] = []
        for index, place in enumerate(self._places()):
            segment = self._read(place, index)
            if segment is None:
                break
            segments.append(segment)
        segments = self._drop_unusable_tail(segments)
        for place in self._places()[len(segments) :]:
            self._set_aside(place, "corrupt", "cannot be continued from")
        return segments

    def commit(
        self, index: int, last_step: int, samples: np.ndarray, frames: Path | None, state: str, checkpoint: bytes,
        facts: dict[str, Any],
    ) -> Segment:  # fmt: skip
        """Write a segment; it exists once this returns, and not before."""
        partial, place = self.folder / f".partial_{index:04d}", self.folder / f"segment_{index:04d}"
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir()
        np.save(partial / "samples.npy", samples)
        if frames is not None and frames.exists():
            os.replace(frames, partial / "frames.xtc")
        else:
            (partial / "frames.xtc").touch()
        (partial / "state.xml").write_text(state)
        (partial / "checkpoint.bin").write_bytes(checkpoint)
        names = ("samples.npy", "frames.xtc", *_STATES)
        content = {"last_step": last_step, "facts": facts, "sha256": {name: sha256(partial / name) for name in names}}
        write_json(partial / "segment.json", signed(content))
        for name in names:
            _to_disk(partial / name)
        _to_disk(partial)
        os.rename(partial, place)
        _to_disk(self.folder)
        if index >= _KEPT_STATES:
            for name in _STATES:
                (self.folder / f"segment_{index - _KEPT_STATES:04d}" / name).unlink(missing_ok=True)
        return Segment(place, index, last_step, facts)

    def delete(self) -> None:
        """Remove the folder, once the outputs are in place."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def _places(self) -> list[Path]:
        """Return the folders of segments by their number, which takes four digits or more."""
        names = (path for path in self.folder.glob("segment_*") if path.name.removeprefix("segment_").isdigit())
        return sorted(names, key=lambda path: int(path.name.removeprefix("segment_")))

    def _belongs(self) -> bool:
        if not self.folder.is_dir():
            return False
        path = self.folder / "settings.json"
        if not path.exists():
            return not any(self.folder.iterdir())
        try:
            return json.loads(path.read_text())["digest"] == self._digest
        except (ValueError, KeyError, TypeError):
            return False

    def _read(self, place: Path, index: int) -> Segment | None:
        """Return a segment, or None when it is damaged or out of order; states may have been dropped on purpose."""
        try:
            content = json.loads((place / "segment.json").read_text())
            if content != signed(content):
                raise ValueError("the checksum of segment.json is wrong")
            for name, checksum in content["sha256"].items():
                dropped = name in _STATES and not (place / name).exists()
                if not dropped and sha256(place / name) != checksum:
                    raise ValueError(f"the checksum of {name} is wrong")
            if place.name != f"segment_{index:04d}":
                raise ValueError("an earlier segment is missing")
            return Segment(place, index, int(content["last_step"]), dict(content["facts"]))
        except (OSError, ValueError, KeyError, TypeError) as error:
            self._log.warning("checkpoint %s is damaged (%s)", place, error)
            return None

    def _drop_unusable_tail(self, segments: list[Segment]) -> list[Segment]:
        while segments and not all((segments[-1].folder / name).exists() for name in _STATES):
            segments.pop()
        return segments

    def _set_aside(self, place: Path, suffix: str, why: str) -> None:
        aside = place.with_name(f"{place.name}.{suffix}")
        if aside.is_file():
            aside.unlink()
        shutil.rmtree(aside, ignore_errors=True)
        os.rename(place, aside)
        self._log.warning("checkpoint %s %s; it is set aside as %s", place, why, aside.name)


def signed(content: Mapping[str, Any]) -> dict[str, Any]:
    """Return the content of a segment.json with its own checksum."""
    rest = {key: value for key, value in content.items() if key != "own_sha256"}
    return rest | {"own_sha256": hashlib.sha256(json.dumps(rest, sort_keys=True).encode()).hexdigest()}


class SegmentWriter:
    """Collects samples and frames until they are committed, every `interval_s`, as the next of `segments`.

    Frames need the topology, the time step and the steps between two of them.
    """

    def __init__(
        self, checkpoints: Checkpoints, segments: list[Segment], interval_s: float, topology: Any = None,
        timestep_fs: float = 0.0, frame_steps: int = 0,
    ):  # fmt: skip
        self._checkpoints, self._segments, self._interval_s = checkpoints, segments, interval_s
        self._topology, self._timestep_fs, self._frame_steps = topology, timestep_fs, frame_steps
        self._committed = time.monotonic()
        self._rows: list[list[float]] = []
        self._frames: Any = None
        self._path = checkpoints.folder / ".partial_frames.xtc"

    @property
    def is_due(self) -> bool:
        """Return whether the last commit is long enough ago for another one."""
        return time.monotonic() - self._committed >= self._interval_s

    def add(self, row: list[float]) -> None:
        """Take the row of a sample."""
        self._rows.append(row)

    def add_frame(self, step: int, positions_nm: np.ndarray, vectors_nm: np.ndarray) -> None:
        """Take the frame of the last sample."""
        from openmm import Vec3, app

        if self._frames is None:
            self._path.unlink(missing_ok=True)
            self._frames = app.XTCFile(
                str(self._path), self._topology, self._timestep_fs / 1000, step, self._frame_steps
            )
        self._frames.writeModel(positions_nm, periodicBoxVectors=[Vec3(*vector) for vector in vectors_nm])

    def commit(self, step: int, state: str, checkpoint: bytes, facts: dict[str, Any]) -> None:
        """Write what was collected as a segment that ends at `step`; `facts` and the number of samples go with it."""
        frames = self._path if self._frames is not None else None
        rows, facts = np.array(self._rows), {**facts, "samples": len(self._rows)}
        self._segments.append(
            self._checkpoints.commit(len(self._segments), step, rows, frames, state, checkpoint, facts)
        )
        self._rows, self._frames, self._committed = [], None, time.monotonic()


def concatenate(parts: Iterable[Path], path: Path) -> None:
    """Write the parts one after the other; a trajectory in XTC format is the sum of its pieces."""
    with open(path, "wb") as whole:
        for part in parts:
            with open(part, "rb") as piece:
                shutil.copyfileobj(piece, whole)


def _words(facts: Mapping[str, Any]) -> str:
    return "OpenMM {}, {} ({})".format(*(facts.get(key, "?") for key in ("openmm", "platform", "precision")))


def _to_disk(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
