"""A study of one stage, or of two, is whole through to its report, and speaks of nothing else."""

import itertools
import json
import re
import shutil

import pytest

from moxie.figures.registry import names
from tests.workflow.conftest import ROOT, Workflow

STAGES = ("dynamics", "oxidation", "quantum_chemistry", "learning")
STUDIES = [*itertools.combinations(STAGES, 1), *itertools.combinations(STAGES, 2)]
WORDS = {  # what the report says of a stage
    "dynamics": ("Molecular dynamics.", "Liquids and electrolytes", "nthalpy of vaporisation"),
    "oxidation": ("Oxidation of silicon.", "Oxidised silicon", "Deal"),
    "quantum_chemistry": ("Quantum chemistry.", ">Molecules<", "GFN2-xTB"),
    "learning": ("Learning.", ">Learning<", "placements of O"),
}


def without(*kept: str) -> dict:
    return {name: None for name in STAGES if name not in kept}


@pytest.fixture(scope="module")
def folder(smoke, tmp_path_factory) -> Workflow:
    """A copy of the whole smoke study, whose results all smaller studies share."""
    copy = tmp_path_factory.mktemp("stages") / "smoke"
    shutil.copytree(smoke.folder, copy)
    return Workflow(ROOT, copy)


@pytest.mark.parametrize("kept", STUDIES, ids="-".join)
def test_a_study_of_some_stages_reaches_its_report_and_is_silent_about_the_others(folder, kept):
    folder.run(overlay=without(*kept))
    results = folder.folder / "results"
    page = re.sub(r"data:[a-z/+]+;base64,[^\"]*", "", (results / "report.html").read_text())
    assert {name for name in STAGES if WORDS[name][0] in page} == set(kept)
    assert not [word for name in STAGES if name not in kept for word in WORDS[name] if word in page]
    manifest = json.loads((results / "manifest.json").read_text())
    assert {name for name in STAGES if manifest["config"][name]} == set(kept)
    rules = {job["rule"] for job in manifest["jobs"]}
    assert ("grow_oxide" in rules) == ("oxidation" in kept) and ("simulate" in rules) == ("dynamics" in kept)
    assert ("compute_chunk" in rules) == ("quantum_chemistry" in kept)
    assert ("relax_placements" in rules) == ("learning" in kept)


def test_a_study_from_scratch_holds_what_it_names_and_nothing_of_the_default_one(tmp_path):
    study = {"extends": "nothing", "molecules": {"propanol": "CCCO"}, "quantum_chemistry": {}}
    workflow = Workflow(ROOT, tmp_path, base=None)
    jobs = workflow.planned(overlay=study)
    assert jobs.pop("plot") == len(names(("molecules", "validation")))
    once = ("embed_molecule", "optimise_molecule", "tabulate_molecules", "validate", "collect_manifest", "write_report")
    assert jobs == dict.fromkeys(once, 1)
    searches = {"parameter_set": "von_alfthan_2003", "placements": None, "tree_search": {}}
    metrics = "results/learning/tree_search/metrics.json"  # of no task: another rule's file
    jobs = workflow.planned("--", metrics, overlay={"extends": "nothing", "learning": searches})
    assert jobs == {"search_placements": 1, "compare_searches": 1}
    printed = workflow.run(options=("--dry-run",), overlay={"extends": "nothing"}, code=1)
    assert "Nothing is planned" in printed and "Traceback" not in printed
    printed = workflow.run("results/features/oxide_runs.parquet", options=("--dry-run",), overlay=study, code=1)
    assert "This study does not make results/features/oxide_runs.parquet" in printed and "`oxidation`" in printed
