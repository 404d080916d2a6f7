"""The study of electrolytes, planned: whole numbers first, several force fields joined, a sweep as systems."""

import re

from tests.workflow.conftest import ROOT, _environment
from tests.workflow.planner import dry_run


def test_the_study_of_electrolytes_says_its_numbers_and_passes_a_dry_run(tmp_path):
    study = ROOT / "workflow" / "studies" / "electrolytes.yaml"
    arguments = ["--snakefile", str(ROOT / "Snakefile"), "--directory", str(tmp_path), "--cores", "2"]
    code, printed = dry_run([*arguments, "--configfile", str(study)], tmp_path, _environment())
    assert code == 0, printed
    assert "lipf6_ec_dmc: 414 ec, 404 dmc, 64 lithium, 64 pf6: lithium-pf6 mol/L 0.9999 (asked for 1, " in printed
    assert "nacl_4_mol_kg: 874 water, 63 sodium, 63 chloride: sodium-chloride mol/kg 4.001" in printed
    jobs = {name: int(count) for name, count in re.findall(r"^(\w+) +(\d+)$", printed, re.MULTILINE)}
    assert jobs["pack_box"] == 7 and jobs["simulate"] == 3 * 7  # six systems, one of them at two concentrations
    assert jobs["simulate_transport"] == 12 * 7 and jobs["join_force_fields"] == 3
