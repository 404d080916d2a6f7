"""The tutorials: their files are valid and plan what the page names; run as they stand, they print what it shows."""

import contextlib
import io
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from moxie.study import Study
from moxie.yaml_files import check_file

ROOT = Path(__file__).parents[2]
PAGES = sorted((ROOT / "docs" / "tutorials").glob("*.md"))
_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.M | re.S)
each = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)


def blocks(page, kind):
    return [text for name, text in _BLOCK.findall(page.read_text()) if name == kind]


def write_files(page, folder):
    """Write the files that a page shows, each named in its first line; return the paths."""
    paths = []
    for text in blocks(page, "yaml") + blocks(page, "csv"):
        first, _, content = text.partition("\n")
        path = folder / first.removeprefix("# ")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
        paths.append(path)
    return paths


def numbers(text):
    return [float(number) for number in re.findall(r"-?\d+\.?\d*", text)]


@each
def test_the_files_of_a_tutorial_make_a_study_and_its_commands_name_it(page, tmp_path, monkeypatch):
    (study,) = (path for path in write_files(page, tmp_path) if path.suffix == ".yaml")
    monkeypatch.chdir(study.parent)
    values = check_file(study)
    planned = Study.load(values, [values])
    assert planned.config.study.name == study.parent.name
    commands = [shlex.split(line) for text in blocks(page, "console") for line in text.splitlines()]
    assert len(commands) == 2
    for command in commands:
        assert command[:4] == [".venv/bin/python", "-m", "moxie", "run"] and command[4] == study.parent.name
    for text in blocks(page, "python"):
        compile(text, page.name, "exec")
    assert len(blocks(page, "text")) == len(blocks(page, "python")) <= 1
    assert all(numbers(text) for text in blocks(page, "text"))


@pytest.mark.slow
@each
def test_a_tutorial_run_as_it_stands_prints_what_it_shows(page, tmp_path, monkeypatch):
    write_files(page, tmp_path)
    monkeypatch.chdir(tmp_path)
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    for text in blocks(page, "console"):
        command = shlex.split(text)[1:]
        subprocess.run([sys.executable, *command], check=True, env=environment, cwd=tmp_path, stdout=subprocess.DEVNULL)
    for program, expected in zip(blocks(page, "python"), blocks(page, "text"), strict=True):
        with contextlib.redirect_stdout(io.StringIO()) as printed:
            exec(compile(program, page.name, "exec"), {})
        assert re.sub(r"-?\d+\.?\d*", "#", printed.getvalue()) == re.sub(r"-?\d+\.?\d*", "#", expected)
        assert numbers(printed.getvalue()) == pytest.approx(numbers(expected), rel=0.05, abs=0.02)
