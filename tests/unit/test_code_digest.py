"""The digest of the code behind a job, and its memory between starts."""

import os
import shutil
from pathlib import Path

import pytest

from moxie import code_digest as code_digests
from moxie.code_digest import RememberedDigests
from moxie.errors import InputError

SCRIPTS = Path(__file__).parents[2] / "scripts"


def test_digest_covers_what_a_script_imports_and_nothing_else(tmp_path, monkeypatch):
    source = tmp_path / "src"
    shutil.copytree(code_digests._SOURCE / "moxie", source / "moxie")
    monkeypatch.setattr(code_digests, "_SOURCE", source)
    for value in vars(code_digests).values():
        getattr(value, "cache_clear", lambda: None)()

    def digests():
        code_digests.code_digest.cache_clear()
        names = ("simulate", "grow_oxide", "learn", "relax_placements", "analyse_bulk")
        plots = {f"plot {name}": ("plot", f"moxie.figures.gallery.{name}") for name in ("molecules", "growth_curve")}
        scripts = {name: (name,) for name in names} | plots
        return {key: code_digests.code_digest(SCRIPTS / f"{name}.py", *more) for key, (name, *more) in scripts.items()}

    known = digests()

    def changed_by(path):
        """Append a line, which changes no imports."""
        file = source / "moxie" / path
        file.write_text(file.read_text() + "\n")
        before = dict(known)
        known.update(digests())
        return {key for key in before if before[key] != known[key]}

    films = {"grow_oxide", "relax_placements"}
    assert changed_by("job.py") == set()
    assert changed_by("dynamics/protocol.py") == {"simulate"}
    assert changed_by("dynamics/force_fields/trappe_ua.xml") == {"simulate"}
    assert changed_by("oxidation/kernels/sampler.py") == films
    assert changed_by("oxidation/parameters/von_alfthan_2003.yaml") == films
    assert changed_by("figures/gallery/molecules.py") == {"plot molecules"}
    assert changed_by("features/schemas/oxide_studies.py") == {"analyse_bulk", "plot growth_curve"}
    assert changed_by("features/schemas/placements.py") == {"relax_placements"}
    assert changed_by("features/schemas/__init__.py") == set()
    assert changed_by("config/oxidation.py") == set()
    assert changed_by("figures/moxie.mplstyle") == {"plot molecules", "plot growth_curve"}


def test_every_data_file_is_declared_by_a_module_beside_it():
    package = code_digests._SOURCE / "moxie"
    declared = {file for module in package.rglob("*.py") for file in code_digests._data_of(module)}
    there = {path for path in package.rglob("*") if path.is_file() and "__pycache__" not in path.parts}
    assert declared == {path for path in there if path.suffix != ".py"}


def test_a_declared_file_that_is_not_there_is_named(tmp_path):
    (tmp_path / "module.py").write_text("DATA_FILES = ('gone.csv',)\n")
    with pytest.raises(InputError, match="module.py declares DATA_FILES 'gone.csv'"):
        code_digests._data_of(tmp_path / "module.py")


@pytest.fixture
def library(tmp_path, monkeypatch):
    """A library of one script and one module, last changed long ago."""
    source = tmp_path / "src"
    (source / "moxie").mkdir(parents=True)
    (tmp_path / "scripts").mkdir()
    (source / "moxie" / "physics.py").write_text("MASS = 1\n")
    (tmp_path / "scripts" / "fall.py").write_text("from moxie.physics import MASS\n")
    monkeypatch.setattr(code_digests, "_SOURCE", source)
    monkeypatch.setattr(code_digests, "_COARSEST_CLOCK_NS", -1)
    return tmp_path


def started(library):
    """What a new start of the workflow sees."""
    for value in vars(code_digests).values():
        getattr(value, "cache_clear", lambda: None)()
    return RememberedDigests(library / "cache" / "digests.json", library / "scripts")


def test_a_digest_is_remembered_until_a_file_changes_even_with_the_same_size_and_date(library, monkeypatch):
    first = started(library)
    digest = first.of("fall")
    first.remember()
    with monkeypatch.context() as broken:
        broken.setattr(code_digests, "code_digest", lambda *_: pytest.fail("was remembered"))
        assert started(library).of("fall") == digest
    module = library / "src" / "moxie" / "physics.py"
    date = module.stat().st_mtime_ns
    module.write_text("MASS = 2\n")
    os.utime(module, ns=(date, date))
    assert started(library).of("fall") != digest


def test_digests_of_files_too_young_to_trust_their_times_are_not_remembered(library, monkeypatch):
    monkeypatch.setattr(code_digests, "_COARSEST_CLOCK_NS", 10**12)
    young = started(library)
    young.of("fall")
    young.remember()
    assert not (library / "cache").exists()


@pytest.mark.parametrize("damaged", ["", "[]", '{"state": 1}', "\x00"])
def test_a_damaged_memory_is_made_anew(library, damaged):
    digest = started(library).of("fall")
    (library / "cache").mkdir()
    (library / "cache" / "digests.json").write_text(damaged)
    again = started(library)
    assert again.of("fall") == digest
    again.remember()
    assert digest in (library / "cache" / "digests.json").read_text()
