from dataclasses import replace

import pytest

from moxie.dynamics.preflight import check_run
from moxie.dynamics.protocol import RunSettings
from moxie.errors import InputError

SMILES = {
    "methanol": "CO",
    "benzene": "c1ccccc1",
    "water": "O",
    "lithium": "[Li+]",
    "tfsi": "O=S(=O)([N-]S(=O)(=O)C(F)(F)F)C(F)(F)F",
}
LIQUID = RunSettings(298.15)
SALT = RunSettings(298.15, "und", "NVT", density_g_cm3=1.577, cutoff_nm=0.7, timestep_fs=1.0)


def test_the_systems_of_the_default_study_pass():
    check_run("methanol", {"methanol": 216}, SMILES, LIQUID)
    check_run("litfsi_10m", {"lithium": 9, "tfsi": 9, "water": 50}, SMILES, SALT)


@pytest.mark.parametrize(
    ("composition", "settings", "message"),
    [
        ({"ethanol": 216}, LIQUID, "'ethanol' is not among the molecules"),
        ({"benzene": 216}, LIQUID, "trappe_ua has no type"),
        ({"methanol": 50}, LIQUID, "too small for a cut-off"),
        ({"methanol": 216}, replace(LIQUID, timestep_fs=4.0), "timestep_fs is 4"),
        ({"methanol": 216}, replace(LIQUID, force_field="trappe"), "Did you mean 'trappe_ua'"),
        ({"lithium": 9, "tfsi": 8, "water": 50}, SALT, r"charge \+1: 9 lithium \(\+1\), 8 tfsi \(-1\)"),
        ({"lithium": 9, "tfsi": 9, "water": 50}, replace(SALT, density_g_cm3=None), "needs density_g_cm3"),
        ({"lithium": 9, "tfsi": 9, "water": 50}, replace(SALT, cutoff_nm=0.8), "too small for a cut-off"),
        ({"methanol": 60}, replace(LIQUID, density_g_cm3=0.5, cutoff_nm=0.85), "too small for a cut-off"),
        ({"methanol": 216}, replace(LIQUID, density_g_cm3=3.0, cutoff_nm=0.5), "take 195% of the box; 85% is the most"),
        ({"methanol": 216}, replace(LIQUID, sampling_ps=2.0), "which is 10 samples; .* at least 20 are needed, 4 ps"),
    ],
)
def test_what_cannot_run_is_refused_before_it_starts(composition, settings, message):
    with pytest.raises(InputError, match=message) as error:
        check_run("it", composition, SMILES, settings)
    assert str(error.value).startswith("dynamics.systems.it")


@pytest.mark.parametrize(
    ("box", "force_field", "advice"),
    [
        (
            {"lithium": "[Li+]", "bf4": "F[B-](F)(F)F", "dme": "COCCOC"},
            "gaff2",
            "No force field of the registry covers",
        ),
        ({"zinc": "[Zn+2]", "water": "O"}, "gaff", "No force field of the registry covers .*zinc with water"),
        ({"sodium": "[Na+]", "water": "O"}, "gaff", r"The whole box .*parameters in jc_spce and jc_tip4p_ew\."),
        ({"acetone": "CC(C)=O", "methanol": "CO"}, "trappe_ua", r"The whole box .*parameters in gaff and gaff2\."),
        ({"pyridine": "c1ccncc1", "benzene": "c1ccccc1"}, "opls_aa", r"The whole box .*parameters in gaff and gaff2\."),
        ({"ethanol": "CCO"}, "spce", r"parameters in .*opls_aa and trappe_ua\."),
    ],
)
def test_advice_covers_the_whole_box_or_says_that_nothing_does(box, force_field, advice):
    with pytest.raises(InputError, match=advice):
        check_run("it", dict.fromkeys(box, 200), box, replace(LIQUID, force_field=force_field, timestep_fs=1.0))


def liquid(force_field, **changes):
    return {"composition": {"methanol": 216}, "force_field": force_field, "temperatures_K": [298.15], **changes}


@pytest.mark.parametrize(
    ("other", "expected"),
    [
        (liquid("opls_aa"), True),
        (liquid("trappe_ua"), False),
        (liquid("opls_aa", temperatures_K=[310.0]), False),
        (liquid("opls_aa", ensemble="NVT", density_g_cm3=0.78), False),
    ],
)
def test_force_fields_are_compared_only_where_two_share_a_liquid_and_a_state_point(other, expected):
    from moxie.figures import registry
    from moxie.study import Study

    systems = {"methanol": liquid("trappe_ua"), "methanol_2": other}
    study = Study.load({"molecules": {"methanol": "CO"}, "dynamics": {"systems": systems}})
    assert ("force_fields" in study.parts) == expected
    assert ("force_fields" in registry.names(study.parts)) == expected
    paths = [path for system in study.dynamics.systems.values() for path in system.runs]
    assert len(set(paths)) == len(paths)


def test_two_files_of_one_name_are_refused(tmp_path):
    from moxie.dynamics.force_fields import load_force_field
    from moxie.study import Study

    paths = []
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        paths.append(tmp_path / folder / "mine.xml")
        paths[-1].write_text(load_force_field("trappe_ua").path.read_text())
    systems = {f"methanol_{n}": liquid(str(path)) for n, path in enumerate(paths)}
    with pytest.raises(InputError, match=r"methanol_1.force_field` = .*same name as those of .*a/mine.xml"):
        Study.load({"molecules": {"methanol": "CO"}, "dynamics": {"systems": systems}})
