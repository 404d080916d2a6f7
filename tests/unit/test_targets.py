"""Every wildcard of a file that is asked for is held against the study."""

from pathlib import Path

import pytest
import yaml

from moxie.errors import InputError
from moxie.study import Study
from moxie.study.oxidation import BULK, FILM
from moxie.study.system import BOX_FORCE_FIELD, GAS, LEG, RUN
from moxie.targets import check_configfiles, check_stages, check_targets, combinations

ROOT = Path(__file__).parents[2]
OUTPUTS = [
    f"results/dynamics/{RUN}/run.json",
    f"results/dynamics/{GAS}/run.json",
    f"results/dynamics/{LEG}/run.json",
    f"results/oxidation/{FILM}/film.xyz",
    f"results/features/parts/{BULK}.parquet",
    BOX_FORCE_FIELD,
    "results/molecules/{molecule}.json",
    "results/molecules/lists/{list}/{chunk}.json",
    "results/features/{kind,liquids|electrolytes}.parquet",
    "results/features/molecules.parquet",
    "results/report.html",
]


@pytest.fixture(scope="module")
def known():
    values = yaml.safe_load((ROOT / "config.yaml").read_text())
    values["dynamics"]["systems"]["methanol"]["replicas"] = 2
    values["oxidation"]["orientations"] = ["100", "111"]
    study = Study.load(values)
    planned = [
        *(f"results/oxidation/{film}/film.xyz" for film in study.oxidation.films),
        *study.molecules.results,
        *(f"results/features/{kind}.parquet" for kind in study.dynamics.kinds),
    ]
    return combinations(study, OUTPUTS, planned)


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ("dynamics/methanol/opls_aa/T298.15_p1/replica0/run.json", "force_field 'opls_aa' .* There is trappe_ua"),
        ("dynamics/ethanol/trappe/T298.15_p1/replica0/run.json", "force_field 'trappe' .*Did you mean `trappe_ua`"),
        ("dynamics/propanol/trappe_ua/T298.15_p1/replica0/run.json", "system 'propanol' .* There is methanol, ethanol"),
        ("dynamics/methanol/trappe_ua/T298_p1/replica0/run.json", "temperature_K '298' .* 278.15, 298.15, 318.15"),
        ("dynamics/methanol/trappe_ua/T298.15_p1/replica2/run.json", "replica '2' .* There is 0, 1"),
        ("dynamics/ethanol/trappe_ua/T298.15_p1/replica1/run.json", "replica '1' .* together .* There is 0"),
        ("dynamics/litfsi_10m/und/T318.15_p1/replica0/run.json", "temperature_K '318.15' .* There is 298.15"),
        ("dynamics/litfsi_10m/und/gas/T298.15/replica0/run.json", "system 'litfsi_10m'"),
        ("dynamics/methanol/trappe_ua/T298.15_p1/replica0/transport/leg0/run.json", "it has no .* at all"),
        ("oxidation/Si110/T973/disordered/replica0/film.xyz", "orientation '110' .* There is 100, 111"),
        ("oxidation/Si100/T973/ordered/replica0/film.xyz", "approach 'ordered' .* There is disordered"),
        ("oxidation/Si100/T900/disordered/replica0/film.xyz", "temperature_K '900'"),
        ("features/parts/bulk/x1/kT0.2/replica0.parquet", "it has no x at all"),
        ("structures/gaff2/boxes/methanol.xml", "it has no force_field at all"),
        ("molecules/metanol.json", "Did you mean `methanol`"),
        ("molecules/lists/logp_crc/11111.json", "chunk '11111'"),
        ("./molecules//metanol.json", "Did you mean `methanol`"),
    ],
)
def test_a_file_of_another_name_is_refused_with_what_there_is(target, message, known):
    with pytest.raises(InputError, match=message):
        check_targets([f"results/{target}"], OUTPUTS, known)


@pytest.mark.parametrize(
    "target",
    [
        "dynamics/methanol/trappe_ua/T318.15_p1/replica1/run.json",
        "dynamics/methanol/trappe_ua/gas/T298.15/replica1/run.json",
        "dynamics/litfsi_10m/und/T298.15_p1/replica0/run.json",
        "oxidation/Si111/T1473/disordered/replica1/film.xyz",
        "molecules/tfsi.json",
        "features/electrolytes.parquet",
        "features/molecules.parquet",
        "report.html",
    ],
)
def test_files_of_the_study_pass(target, known):
    check_targets([f"results/{target}"], OUTPUTS, known)


@pytest.mark.parametrize(
    ("target", "message"),
    [
        (
            "tables/oxide_runs.parquet",
            "does not make results/tables/oxide_runs.parquet.* It leaves out `oxidation`, wh",
        ),
        ("features/molecule.parquet", "Did you mean `results/features/molecules.parquet`"),
        ("report.htm", "Did you mean `results/report.html`"),
        ("oxidation", "does not make results/oxidation.*`oxidation`, which is null"),
    ],
)
def test_a_file_that_no_rule_makes_is_refused_with_what_the_study_leaves_out(target, message):
    outputs = [pattern for pattern in OUTPUTS if "{" not in pattern]
    with pytest.raises(InputError, match=message):
        check_targets([f"results/{target}"], outputs, {}, left_out=["oxidation"])


def test_a_stage_of_which_the_study_has_nothing_is_refused():
    planned = {"dynamics": ["results/a"], "oxidation": [], "learning": []}
    with pytest.raises(InputError, match="nothing for the target learning. It leaves out .* are null. There is dyn"):
        check_stages(["learning"], planned, ["oxidation", "learning"])
    check_stages(["dynamics", "all", "results/report.html"], planned, [])


@pytest.mark.parametrize("name", ["results/report.html", "study/results/manifest.json", "oxidation", "report"])
def test_a_target_that_configfile_took_is_named(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match=f"took the target {name} for a configuration"):
        check_configfiles(["study.yaml", name])
    check_configfiles(["study.yaml", "results/learning/oxide_surrogate/next.yaml", "my_report"])
