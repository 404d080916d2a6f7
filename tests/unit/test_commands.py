"""What `python -m moxie` does: a new study, its status, and the comparison of two."""

import json
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
import yaml
from made_oxides import oxide_bulk
from made_tables import molecules

from moxie.commands import main
from moxie.features.schemas import MOLECULES, OXIDE_BULK
from moxie.features.tables import write_table
from moxie.features.two_studies import ALL_STATES, compare_studies, summarise
from moxie.run_status import describe, read_status
from moxie.study import Study


def test_help_names_every_command_and_loads_nothing_heavy():
    program = "import sys, moxie.commands\ntry: moxie.commands.main(['--help'])\nexcept SystemExit: pass\n"
    program += "print([name for name in ('numpy', 'pandas', 'pydantic', 'rdkit') if name in sys.modules])"
    printed = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    assert all(f"    {name} " in printed for name in ("compare", "new", "predict", "run", "status"))
    assert printed.strip().endswith("[]")


@pytest.mark.parametrize("stages", [("oxidation",), ("dynamics", "learning"), ("quantum_chemistry",)])
def test_a_new_study_is_valid_and_holds_the_stages_asked_for(stages, tmp_path, capsys):
    assert main(["new", str(tmp_path / "My study"), "--stages", *stages]) == 0
    values = yaml.safe_load((tmp_path / "My study" / "study.yaml").read_text())
    study = Study.load(values)
    assert values["study"] == {"name": "my_study", "title": "My study"} and values["extends"] == "nothing"
    assert capsys.readouterr().out.endswith(f"python -m moxie run '{tmp_path / 'My study'}'\n")
    assert {name for name in ("dynamics", "oxidation", "quantum_chemistry", "learning") if values[name]} == set(stages)
    assert study.parts
    assert main(["new", str(tmp_path / "My study")]) == 2
    assert "is there already" in capsys.readouterr().err


def test_any_folder_names_a_study(tmp_path):
    for folder, name in (("2026", "study_2026"), ("\u00f6", "study"), ("_", "study"), ("A-b", "a_b")):
        assert main(["new", str(tmp_path / folder), "--stages", "oxidation"]) == 0
        study = Study.load(yaml.safe_load((tmp_path / folder / "study.yaml").read_text()))
        assert (study.config.study.name, study.config.study.title) == (name, folder)


@pytest.mark.parametrize("order", [["FOLDER", "--cores", "3"], ["--cores", "3", "FOLDER"]])
def test_what_stands_after_two_dashes_goes_to_snakemake(order, tmp_path, monkeypatch, capsys):
    (tmp_path / "study.yaml").touch()
    called = []
    monkeypatch.setattr("os.execv", lambda program, command: called.append(command))
    main(["run", *(str(tmp_path) if each == "FOLDER" else each for each in order), "--", "-n", "oxidation"])
    (command,) = called
    assert command[command.index("--cores") + 1] == "3" and command[-4:-2] == ["-n", "oxidation"]
    with pytest.raises(SystemExit):
        main(["status", str(tmp_path), "--", "-n"])
    assert "status takes nothing after --, and there is -n" in capsys.readouterr().err


def test_a_study_that_is_not_there_is_refused(tmp_path, capsys):
    assert main(["run", str(tmp_path)]) == 2 and main(["status", str(tmp_path)]) == 2
    assert main(["compare", str(tmp_path), str(tmp_path)]) == 2
    printed = capsys.readouterr().err
    assert "no study.yaml" in printed and "No run of the workflow has begun" in printed and "no table" in printed


LOG = """Provided cores: 2 (use --cores to define parallelism)
Job stats:
job            count
-----------  -------
grow_oxide         4
plot               2
all                1
total              7

[Mon Nov 30 11:36:18 2026]
Job 10: Growing oxide on Si(100) at 973 K, replica 0
Reason: Missing output files: results/oxidation/a
[Mon Nov 30 11:36:19 2026]
Finished jobid: 10 (Rule: grow_oxide)
1 of 7 steps (14%) done
[Mon Nov 30 11:36:19 2026]
Job 11: Growing oxide on Si(100) at 1073 K, replica 0
Job 12: Growing oxide on Si(100) at 1173 K, replica 0
[Mon Nov 30 11:36:20 2026]
Error in rule grow_oxide:
    message: None
    jobid: 11
    output: results/oxidation/b
    log: results/logs/grow_oxide/b.log (check log file(s) for error details)
"""


@pytest.fixture
def interrupted(tmp_path):
    (tmp_path / ".snakemake" / "log").mkdir(parents=True)
    (tmp_path / ".snakemake" / "log" / "1.snakemake.log").write_text(LOG)
    (tmp_path / "results" / "jobs").mkdir(parents=True)
    for name, rule, wall_s in (("a", "grow_oxide", 60.0), ("p", "plot", 4.0)):
        (tmp_path / "results" / "jobs" / f"{name}.json").write_text(json.dumps({"rule": rule, "wall_s": wall_s}))
    log = tmp_path / "results" / "logs" / "grow_oxide" / "b.log"
    log.parent.mkdir(parents=True)
    log.write_text(
        "2026-11-30 11:36:19,000 DEBUG moxie: process 1 started\n"
        "2026-11-30 11:36:20,000 ERROR moxie: The slab holds too few Si-Si bonds.\n"
    )
    return tmp_path


def test_status_counts_jobs_names_failures_and_tells_the_time_left(interrupted, capsys):
    status = read_status(interrupted)
    assert status.planned == {"grow_oxide": 4, "plot": 2} and status.done == {"grow_oxide": 1}
    assert [each.reason for each in status.failed] == ["The slab holds too few Si-Si bonds."]
    assert status.begun == ("Growing oxide on Si(100) at 1173 K, replica 0",)
    assert status.left_s == pytest.approx((3 * 60 + 2 * 4) / 2)
    assert main(["status", str(interrupted)]) == 1
    printed = capsys.readouterr().out
    assert "1 of 6 jobs done (16 %), 1 failed" in printed and "too few Si-Si bonds" in printed
    assert "no process is known to be at work" in printed


def test_a_traceback_is_told_by_its_last_line_and_a_killed_job_by_its_empty_log(interrupted):
    log = interrupted / "results" / "logs" / "grow_oxide" / "b.log"
    log.write_text(
        "2026 1 ERROR moxie: failed after 1.0 s\nTraceback (most recent call last):\n  File\nValueError: 3\n"
    )
    assert read_status(interrupted).failed[0].reason == "ValueError: 3"
    log.write_text("")
    assert "killed" in read_status(interrupted).failed[0].reason


def test_the_time_left_is_unknown_where_a_rule_was_never_measured(interrupted):
    (interrupted / "results" / "jobs" / "p.json").unlink()
    assert read_status(interrupted).left_s is None
    assert "unknown" in describe(read_status(interrupted))


NUMBERS = ("density_g_cm3", "strain_energy_eV_per_si", "suboxide_energy_eV_per_si", "energy_eV_per_si")


def bulk_study(folder, seed, shifts=()):
    """A study of bulk oxides; each of its numbers comes from a normal distribution about a mean of its own."""
    rng = np.random.default_rng(seed)
    table = oxide_bulk(compositions=np.round(np.linspace(0.1, 1.9, 19), 2), kT_eV=(0.15, 0.2, 0.3), replicas=4)
    for name in NUMBERS:
        mean = 0.5 + 0.2 * table["x"] + table["kT_eV"]
        table[name] = mean + 0.01 * rng.normal(size=len(table))
    for row, name, shift in shifts:
        table.loc[4 * row : 4 * row + 3, name] += shift
    write_table(table, folder / "results" / "features" / "oxide_bulk.parquet", OXIDE_BULK)
    return folder


def test_of_two_seeds_no_more_than_the_nominal_share_differ_and_none_surely(tmp_path, capsys):
    a, b = bulk_study(tmp_path / "a", 1), bulk_study(tmp_path / "b", 2)
    comparison = compare_studies(a, b)
    judged = comparison[comparison["quantity"].isin(NUMBERS) & (comparison["row"] != ALL_STATES)]
    n, differ = len(judged), (judged["verdict"] == "differs").sum()
    assert n == 19 * 3 * len(NUMBERS) and set(judged["verdict"]) == {"agrees", "differs"}
    assert abs(differ - 0.05 * n) < 3 * np.sqrt(0.05 * 0.95 * n)  # the interval is neither too wide nor too narrow
    assert summarise(comparison)["surely"] == 0
    assert main(["compare", str(a), str(b)]) == 0 and "The studies agree" in capsys.readouterr().out


def test_planted_changes_are_found_and_told_and_drawn(tmp_path, capsys):
    planted = [(3, "density_g_cm3", 0.2), (40, "energy_eV_per_si", -0.2)]
    a, b = bulk_study(tmp_path / "a", 1), bulk_study(tmp_path / "b", 2, planted)
    comparison = compare_studies(a, b)
    found = comparison[comparison["surely"]]
    assert sorted(found["quantity"]) == ["density_g_cm3", "energy_eV_per_si"]
    assert found.set_index("quantity")["difference"].round(1).to_dict() == {
        "density_g_cm3": 0.2,
        "energy_eV_per_si": -0.2,
    }
    assert main(["compare", str(a), str(b), "--out", str(tmp_path / "c")]) == 1
    printed = capsys.readouterr().out
    assert "** oxide_bulk: 0.2" in printed and "2 differ surely" in printed
    assert (tmp_path / "c.svg").stat().st_size > 2000 and len(pd.read_csv(tmp_path / "c.csv")) == len(comparison)


def test_rows_that_one_study_lacks_and_exact_numbers_that_changed_are_told(tmp_path):
    a, b = tmp_path / "a", tmp_path / "b"
    table = molecules()
    write_table(table, a / "results" / "features" / "molecules.parquet", MOLECULES)
    changed = table.iloc[1:].copy()
    changed.loc[changed.index[0], "energy_eV"] += 1e-3
    write_table(changed, b / "results" / "features" / "molecules.parquet", MOLECULES)
    verdicts = compare_studies(a, b)["verdict"].value_counts()
    assert verdicts["changed"] == 1 and verdicts["only in A"] > 0 and verdicts["same"] > 0
    assert summarise(compare_studies(a, a))["surely"] == 0


def test_an_unknown_error_gives_no_verdict_unless_the_numbers_are_the_same(tmp_path):
    folders = [tmp_path / name for name in "ab"]
    for seed, folder in enumerate(folders):
        table = oxide_bulk(replicas=1)
        table["density_g_cm3"] += 0.01 * seed
        write_table(table, folder / "results" / "features" / "oxide_bulk.parquet", OXIDE_BULK)
    comparison = compare_studies(*folders).set_index("quantity")["verdict"]
    assert set(comparison.loc["density_g_cm3"]) == {"no standard error"}
    assert set(comparison.loc["energy_eV_per_si"]) == {"same"}
