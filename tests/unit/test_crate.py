"""A finished study as an RO-Crate: its results whole, its run described; a damaged or unfinished study makes none."""

import json

import pytest

from moxie.crate import write_crate
from moxie.errors import InputError
from moxie.io import sha256, write_json

pytest.importorskip("rocrate", reason="make test installs it")


@pytest.fixture
def study(tmp_path):
    """A study of one job, its manifest and its report; with it a trajectory that no crate holds."""
    results = tmp_path / "study" / "results"
    for name in ("features/liquids.parquet", "figures/density.svg", "dynamics/methanol/trajectory.dcd"):
        (results / name).parent.mkdir(parents=True, exist_ok=True)
        (results / name).write_text(name)
    files = {f"results/{path.relative_to(results)}": sha256(path) for path in results.rglob("*.*")}
    job = {"rule": "tabulate", "outputs": files, "inputs": {}, "wall_s": 2.5, "seed": None, "wildcards": {}}
    write_json(
        results / "manifest.json",
        {
            "config": {"study": {"name": "small", "title": "A small study"}, "seed": 7},
            "git_commit": "0123abc",
            "jobs": [job],
            "packages": {"numpy": "2.3.0"},
        },
    )
    (results / "report.html").write_text("<html></html>")
    return results


def test_a_crate_holds_tables_figures_report_and_configuration_with_their_run(study, tmp_path):
    metadata = write_crate(study, tmp_path / "crate", _snakefile(tmp_path))
    crate = tmp_path / "crate"
    graph = {entity["@id"]: entity for entity in json.loads(metadata.read_text())["@graph"]}
    root, action = graph["./"], graph["#run"]
    assert root["name"] == "A small study" and root["mainEntity"] == {"@id": "Snakefile"}
    assert {"@id": "https://w3id.org/ro/wfrun/workflow/0.5"} in root["conformsTo"]
    assert action["instrument"] == {"@id": "Snakefile"} and "numpy 2.3.0" in action["description"]
    results = {entry["@id"] for entry in action["result"]}
    assert results == {f"results/{name}" for name in ("report.html", "manifest.json", "features/liquids.parquet",
                                                      "figures/density.svg")}  # fmt: skip
    for name in results:
        assert (crate / name).is_file() and graph[name]["sha256"] == sha256(crate / name)
    assert json.loads((crate / "config.json").read_text())["seed"] == 7
    assert not list(crate.rglob("*.dcd")) and sorted(path.name for path in tmp_path.iterdir()) == [
        "Snakefile", "crate", "study",
    ]  # fmt: skip


def _snakefile(folder):
    (folder / "Snakefile").write_text("rule all:\n    input: []\n")
    return folder / "Snakefile"


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda results: (results / "report.html").unlink(), "report.html is missing: only a finished study"),
        (lambda results: (results / "features/liquids.parquet").write_text("other"), "not what its job wrote"),
        (lambda results: (results / "figures/density.svg").unlink(), "density.svg is missing or not"),
    ],
)
def test_a_study_that_is_unfinished_or_changed_makes_no_crate(damage, message, study, tmp_path):
    damage(study)
    with pytest.raises(InputError, match=message):
        write_crate(study, tmp_path / "crate", _snakefile(tmp_path))
    assert not (tmp_path / "crate").exists()
    (tmp_path / "taken").mkdir()
    with pytest.raises(InputError, match="is there already"):
        write_crate(study, tmp_path / "taken", _snakefile(tmp_path))
