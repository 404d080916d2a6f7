"""A study of any stages: what is left out is not planned, drawn, learnt or checked, and what is drawn is planned."""

import itertools

import pytest

from moxie.errors import InputError
from moxie.figures import registry as figures
from moxie.learning import registry as tasks
from moxie.study import Study

TFSI = "O=S(=O)([N-]S(=O)(=O)C(F)(F)F)C(F)(F)F"
PARTS = {
    "dynamics": {"systems": {"liquid": {"composition": {"ethanol": 64}, "cutoff_nm": 0.7}}},
    "oxidation": {"bulk": {}, "orientations": ["100", "111"]},
    "quantum_chemistry": {"molecule_lists": ["logp_crc"]},
    "learning": {},
}
SUBSETS = [kept for number in range(1, 5) for kept in itertools.combinations(PARTS, number)]


def study_of(*kept: str, **changes) -> Study:
    molecules = {"ethanol": "CCO", "spare": "CCCO"}
    return Study.load({"extends": "nothing", "molecules": molecules, **{name: PARTS[name] for name in kept}, **changes})


@pytest.mark.parametrize("kept", SUBSETS, ids="-".join)
def test_figures_and_tasks_need_nothing_that_the_study_lacks(kept):
    study = study_of(*kept)
    planned = {
        "dynamics": ("liquids", "transport"),
        "oxidation": ("oxide", "growth"),
        "quantum_chemistry": ("molecules",),
    }
    present = {prefix for name in kept for prefix in planned.get(name, ())}
    absent = {prefix for prefixes in planned.values() for prefix in prefixes} - present
    for name in figures.names(study.parts):
        paths = figures.resolve_inputs(name, "results", study.figure_labels, study.parts).values()
        assert not [path for path in paths if path.startswith(tuple(f"results/features/{each}" for each in absent))]
        assert "learning" in kept or not any("results/learning" in path for path in paths), name
        of_films = [path for path in paths if "results/oxidation" in path and "/placement/" not in path]
        assert "oxidation" in kept or not of_films, name  # searches for placements are asked for by learning
    if study.learning:
        for task in study.learning.tasks:
            inputs = tasks.get(task).inputs.values()
            assert not [path for path in inputs if path.startswith(tuple(f"features/{each}" for each in absent))], task
    assert ("validation" in study.parts) == (kept != ("learning",))


def test_a_stage_alone_names_only_its_own_files_and_molecules():
    assert study_of("dynamics").dynamics.components == ["ethanol"]
    for kept in PARTS:
        study = study_of(kept)
        assert [stage for stage in (study.dynamics, study.oxidation, study.molecules, study.learning) if stage] == [
            *study.stages
        ]


def test_a_study_of_nothing_and_a_stage_of_nothing_are_refused():
    with pytest.raises(InputError, match="Nothing is planned: .*`learning`"):
        Study.load({"extends": "nothing"})
    with pytest.raises(InputError, match="`quantum_chemistry`: there is no molecule to compute"):
        Study.load({"extends": "nothing", "quantum_chemistry": {}})
    with pytest.raises(InputError, match=r"`dynamics.systems` = \{\}: at least 1 item needed.*`dynamics: null`"):
        study_of("oxidation", dynamics={"systems": {}})


def test_placements_alone_take_the_force_field_of_the_oxides_or_their_own():
    own = {"parameter_set": "tu_tersoff_2000"}
    assert study_of("learning").learning.parameter_set == "von_alfthan_2003"
    assert study_of("learning", oxidation=own).learning.parameter_set == "tu_tersoff_2000"
    assert study_of(learning=own).learning.parameter_set == "tu_tersoff_2000"


def test_learning_without_placements_and_searches_has_the_tasks_alone():
    study = study_of("oxidation", learning={"placements": None, "tree_search": None})
    assert study.learning.tasks == ["oxide_surrogate", "site_map"] and "tree_search" not in study.parts
    assert study.learning.placements == {}


def test_every_part_that_a_figure_or_a_task_names_is_one_that_a_study_can_have():
    liquid = {
        "composition": {"ethanol": 64},
        "cutoff_nm": 0.7,
        "temperatures_K": [280.0, 290.0, 300.0],
        "transport": {},
    }
    salt = {
        "composition": {"lithium": 9, "tfsi": 9, "water": 50},
        "force_field": "und",
        "cutoff_nm": 0.7,
        "timestep_fs": 1.0,
    }
    whole = Study.load(
        {
            "molecules": {"ethanol": "CCO", "water": "O", "lithium": "[Li+]", "tfsi": TFSI},
            "dynamics": {
                "systems": {
                    "liquid": liquid,
                    "other": liquid | {"force_field": "opls_aa"},
                    "salt": salt | {"ensemble": "NVT", "density_g_cm3": 1.577},
                },
                "settings_study": {"system": "liquid", "molecules": []},
            },
            "oxidation": PARTS["oxidation"] | {"replica_exchange": {}, "approaches": ["disordered", "ordered"]},
            "quantum_chemistry": PARTS["quantum_chemistry"],
            "learning": {},
        }
    )
    named = {part for name in figures.names() for part in (*figures.get(name).needs, *figures.get(name).optional)}
    named |= {part for name in tasks.names() for part in tasks.get(name).needs}
    assert named <= {*whole.parts, "placements"}
    assert figures.names(whole.parts) == figures.names() and whole.learning.tasks == tasks.names()
