"""The settings in `profiles/default` are in force without being asked for."""

import os
import runpy
import sys

import pytest
import yaml
from snakemake.cli import parse_args

from tests.workflow.conftest import ROOT

SETTINGS = yaml.safe_load((ROOT / "profiles" / "default" / "profile.yaml").read_text())
SETTINGS["quiet"].sort()


def in_force(arguments):
    _, found = parse_args(arguments)
    values = {name: getattr(found, name.replace("-", "_")) for name in SETTINGS}
    return values | {"quiet": sorted(each.name.lower() for each in values["quiet"])}


def made_by_make():
    """Return the arguments that `make run` hands to Snakemake."""
    (line,) = [line for line in (ROOT / "Makefile").read_text().splitlines() if "workflow/run.py" in line]
    return line.split("workflow/run.py")[1].replace("$(CORES)", "2").split()


@pytest.mark.parametrize(
    "arguments",
    [["--cores", "2"], ["--cores", "2", "-n", "oxidation"], ["--snakefile", str(ROOT / "Snakefile"), "--", "x"]],
)
def test_by_hand(arguments, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path if "--snakefile" in arguments else ROOT)
    assert in_force(arguments) == SETTINGS


def test_by_make_run(monkeypatch):
    handed_over = []
    monkeypatch.chdir(ROOT)
    monkeypatch.setattr("snakemake.cli.main", handed_over.append)
    monkeypatch.setattr(sys, "argv", ["run.py", *made_by_make()])
    runpy.run_path(os.path.join("workflow", "run.py"), run_name="__main__")
    assert in_force(*handed_over) == SETTINGS
