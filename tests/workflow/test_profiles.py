"""The settings in `profiles/default` are in force without being asked for."""

import os
import runpy
import shutil
import subprocess

import pytest
import yaml
from snakemake.cli import parse_args

from moxie.errors import InputError
from tests.workflow.conftest import ROOT

SETTINGS = yaml.safe_load((ROOT / "profiles" / "default" / "profile.yaml").read_text())
SETTINGS["quiet"].sort()


def in_force(arguments):
    return values_of(parse_args(arguments)[1])


def values_of(found):
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
    monkeypatch.setattr("snakemake.cli.args_to_api", lambda chosen, parser: handed_over.append(chosen))
    runpy.run_path(os.path.join("workflow", "run.py"))["run"](made_by_make())
    assert values_of(*handed_over) == SETTINGS


@pytest.mark.parametrize("target", ["run", "test", "status"])
def test_make_stops_at_once_where_the_path_holds_a_blank(target, tmp_path):
    folder = tmp_path / "my study"
    folder.mkdir()
    shutil.copy(ROOT / "Makefile", folder)
    done = subprocess.run(["make", target], cwd=folder, capture_output=True, text=True)
    assert done.returncode == 2 and 'my study" holds a blank' in done.stderr and not (folder / ".venv").exists()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"a: [1, 2\nb: 3\n", ", line 2: this is not YAML: "),
        (b"dynamics: &x {systems: *x}", "`dynamics.systems` on line 1 holds itself"),
        (b"a:\n  b: " + b"7" * 5000, "`a.b` on line 2 is 77777"),
        (None, " cannot be read: No such file or directory."),
    ],
)
def test_a_file_that_is_no_configuration_is_named_before_snakemake_reads_it(content, words, tmp_path, capsys):
    path = tmp_path / "mine.yaml"
    if content is not None:
        path.write_bytes(content)
    run = runpy.run_path(str(ROOT / "workflow" / "run.py"))["run"]
    with pytest.raises(InputError) as caught:
        run(["--snakefile", str(ROOT / "Snakefile"), "--cores", "1", "--dry-run", "--configfile", str(path)])
    assert str(path) in str(caught.value) and words in str(caught.value)


def test_files_after_two_configfile_options_are_refused_since_the_first_would_be_lost(tmp_path):
    run = runpy.run_path(str(ROOT / "workflow" / "run.py"))["run"]
    files = [tmp_path / "one.yaml", tmp_path / "two.yaml"]
    for file in files:
        file.write_text("seed: 1\n")
    with pytest.raises(InputError, match="--configfile is given 2 times.*Name all files after one"):
        run(["--cores", "1", "--configfile", str(files[0]), "--configfile", str(files[1])])


def test_a_study_of_a_folder_is_read_before_the_files_laid_over_it(tmp_path, monkeypatch):
    from moxie.commands import main

    (tmp_path / "study.yaml").write_text("seed: 1\n")
    started = []
    monkeypatch.setattr("os.execv", lambda program, arguments: started.append(arguments))
    main(["run", str(tmp_path), "--", "-n", "--configfile", "over.yaml"])
    main(["run", str(tmp_path), "--", "-n"])
    files = [arguments[arguments.index("--configfile") + 1 :] for arguments in started]
    assert files == [[str(tmp_path / "study.yaml"), "over.yaml"], [str(tmp_path / "study.yaml")]]
