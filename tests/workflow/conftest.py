"""A small study that was really run, once for all workflow tests, and a way to ask Snakemake about it."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from tests.workflow.planner import dry_run

ROOT = Path(__file__).parents[2]
SMOKE = ROOT / "workflow" / "studies" / "smoke.yaml"


@dataclass(frozen=True)
class Workflow:
    """A source tree and a working directory."""

    source: Path
    folder: Path
    base: Path | None = SMOKE  # the study, over config.yaml

    def start(
        self, *targets: str, options: tuple[str, ...] = (), overlay: dict | None = None, program: str = "run.py"
    ) -> subprocess.Popen:
        """Start the smoke study with `overlay` laid over it, in its own session: as `make run` does, or by hand."""
        made = {"run.py": [str(self.source / "workflow" / "run.py")], "snakemake": ["-m", "snakemake"]}[program]
        return subprocess.Popen(
            [sys.executable, *made, *self._arguments(overlay), *options, "--", *targets],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
            cwd=self.folder,
            env=_environment(),
        )

    def run(self, *targets: str, code: int = 0, **how) -> str:
        """Run Snakemake to its end, check its exit code and return what it printed."""
        process = self.start(*targets, **how)
        printed, _ = process.communicate(timeout=1200)
        assert process.returncode == code, printed
        return printed

    def planned(self, *options: str, overlay: dict | None = None) -> dict[str, int]:
        """Return how many jobs of each rule a dry run plans."""
        code, printed = dry_run([*self._arguments(overlay), *options], self.folder, _environment())
        assert code == 0, printed
        jobs = {name: int(count) for name, count in re.findall(r"^(\w+) +(\d+)$", printed, re.MULTILINE)}
        jobs.pop("total", None)
        jobs.pop("all", None)
        return jobs

    def _arguments(self, overlay: dict | None) -> list[str]:
        files = [str(self.base)] if self.base else []
        if overlay:
            path = self.folder / f"overlay_{len(list(self.folder.glob('overlay_*')))}.yaml"
            path.write_text(yaml.safe_dump(overlay))
            files.append(str(path))
        where = ["--snakefile", str(self.source / "Snakefile"), "--directory", str(self.folder)]
        return [*where, "--cores", "2", "--configfile", *files]


def _environment() -> dict[str, str]:
    return {key: value for key, value in os.environ.items() if not key.startswith(("SNAKEMAKE", "PYTEST"))}


@pytest.fixture(scope="session")
def smoke(tmp_path_factory) -> Workflow:
    """The smoke study, complete; it costs minutes, so that no second process may make it too."""
    workers = os.environ.get("PYTEST_XDIST_WORKER")
    started = tmp_path_factory.getbasetemp() / ("../smoke.started" if workers else "smoke.started")
    assert not started.exists(), "two processes share the smoke study: see tests/conftest.py"
    started.touch()
    workflow = Workflow(ROOT, tmp_path_factory.mktemp("smoke"))
    workflow.run()
    return workflow


@pytest.fixture
def edited(smoke, tmp_path) -> Callable[[str], Workflow]:
    """Append a line to one file of a copy of the sources, and look at the smoke study with that copy."""
    source = tmp_path / "copy"
    for name in ("src", "scripts", "workflow", "profiles", "envs"):
        shutil.copytree(ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("Snakefile", "config.yaml"):
        shutil.copy2(ROOT / name, source / name)

    def edit(path: str) -> Workflow:
        with (source / path).open("a") as stream:
            stream.write("\n\n_EDITED = True\n" if path.endswith(".py") else "\n")
        return Workflow(source, smoke.folder)

    return edit
