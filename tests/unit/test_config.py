"""The configuration: what is generated from it has not drifted, and every mistake gets one clear message."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from moxie.config import check_file, default_study, label, load
from moxie.config_reference import files
from moxie.errors import InputError
from moxie.oxidation.films.sizing import MOST_CELLS
from moxie.oxidation.parameter_sets import FOLDER
from moxie.study import Study

ROOT = Path(__file__).parents[2]


def merged(base: dict, overlay: dict) -> dict:
    """Lay one mapping over another, as the workflow does."""
    result = dict(base)
    for key, value in overlay.items():
        nested = isinstance(value, dict) and isinstance(result.get(key), dict)
        result[key] = merged(result[key], value) if nested else value
    return result


DEFAULT = yaml.safe_load((ROOT / "config.yaml").read_text())


@pytest.mark.parametrize("path", sorted(files()))
def test_generated_file_has_not_drifted(path):
    assert (ROOT / path).read_text(encoding="utf-8") == files()[path], f"run `make config`: {path} has drifted"


def test_default_file_holds_the_defaults_and_comments_every_key():
    assert load(DEFAULT) == default_study()
    lines = (ROOT / "config.yaml").read_text().splitlines()
    keys = [n for n, line in enumerate(lines) if line.strip().endswith(":") and not line.startswith("    ")]
    assert keys and all(lines[n - 1].strip().startswith("#") for n in keys if not lines[n].startswith("    "))


@pytest.mark.parametrize("overlay", sorted((ROOT / "workflow" / "studies").glob("*.yaml")), ids=lambda path: path.stem)
def test_every_study_that_ships_is_valid(overlay):
    Study.load(merged(DEFAULT, yaml.safe_load(overlay.read_text())))


SYSTEM = {"composition": {"methanol": 216}}


def system(**changes):
    return {"dynamics": {"systems": {"methanol": changes}}}


def oxidation(**changes):
    return {"oxidation": changes}


MISTAKES = {
    "unknown key, nearest suggested": (
        oxidation(temperature_K=[973]),
        r"`oxidation.temperature_K`: unknown key. Did you mean `temperatures_K`\?",
    ),
    "unknown key in a named system": (
        system(temperatures=[300]),
        r"`dynamics.systems.methanol.temperatures`: unknown key. Did you mean `temperatures_K`\?",
    ),
    "wrong type": ({"seed": "twelve"}, r"`seed` = 'twelve': Input should be a valid integer"),
    "negative temperature": (system(temperatures_K=[-5]), r"temperatures_K\[0\]` = -5: .* greater than 0"),
    "absurd temperature": (system(temperatures_K=[30000]), r"temperatures_K\[0\]` = 30000: at most 10,000"),
    "a temperature in degrees Celsius": (
        system(temperatures_K=[298.15, 25]),
        r"`dynamics.systems.methanol.temperatures_K` = 25: usual is 100 to 800, .*25 degrees Celsius are 298.15 K",
    ),
    "degrees Celsius in the study of settings": (
        {"dynamics": {"settings_study": {"temperature_K": 45}}},
        r"`dynamics.settings_study.temperature_K` = 45: .* 318.15 K.*confirm: \[dynamics.settings_study.temperature_K",
    ),
    "a confirmation of nothing": (
        {"confirm": ["dynamics.systems.metanol.pressures_bar"]},
        "`confirm`: .* no key with a usual range. Did you mean `dynamics.systems.methanol.pressures_bar`",
    ),
    "a stage that is a word": ({"oxidation": "none"}, "`oxidation` = 'none': write `null` to leave it out"),
    "not a number": (system(temperatures_K=[float("nan")]), r"temperatures_K\[0\]` = nan: .*finite"),
    "empty sweep": (oxidation(temperatures_K=[]), r"`oxidation.temperatures_K` = \[\]: .*at least 1 item"),
    "negative pressure": (system(pressures_bar=[-1]), r"pressures_bar\[0\]` = -1: .* greater than 0"),
    "absurd pressure": (system(pressures_bar=[1e7]), r"pressures_bar\[0\]` = 10000000.0: at most 1,000,000"),
    "precision of an unknown quantity": (
        system(precision={"density": 0.001}),
        r"`dynamics.systems.methanol.precision.density`: unknown key. Did you mean `density_g_cm3`\?",
    ),
    "precision of nothing": (
        system(precision={"density_g_cm3": 0}),
        r"`dynamics.systems.methanol.precision.density_g_cm3` = 0: .*greater than 0.*in g/cm3",
    ),
    "precision of a density held fixed": (
        system(precision={"density_g_cm3": 0.001}, ensemble="NVT", density_g_cm3=0.78),
        r"dynamics.systems.methanol: precision.density_g_cm3 asks for a density that ensemble NVT holds fixed",
    ),
    "dielectric constant of an electrolyte": (
        {"dynamics": {"systems": {"litfsi_10m": {"precision": {"dielectric_constant": 3.0}}}}},
        r"dynamics.systems.litfsi_10m: precision.dielectric_constant: ions carry current",
    ),
    "vaporisation of a mixture": (
        system(composition={"methanol": 100, "ethanol": 116}, precision={"enthalpy_of_vaporisation_kJ_mol": 0.1}),
        r"dynamics.systems.methanol: precision.enthalpy_of_vaporisation_kJ_mol is for liquids of one kind",
    ),
    "a temperature that names of files cannot carry": (
        system(temperatures_K=[298.1234567]),
        r"`dynamics.systems.methanol.temperatures_K` = .*298.1234567 has more than the six digits",
    ),
    "yes for a number": (system(cutoff_nm=True), "`dynamics.systems.methanol.cutoff_nm` = True: yes, no, true"),
    "yes among numbers": (system(temperatures_K=[True]), r"methanol.temperatures_K` = \[True\]: yes, no, true"),
    "yes for a count": (system(composition={"methanol": True}), "methanol.composition` = .*: yes, no, true"),
    "no friction to speak of": (
        {"dynamics": {"protocol": {"friction_per_ps": 1e-9}}},
        "`dynamics.protocol.friction_per_ps` = 1e-09: .*greater than or equal to 0.01",
    ),
    "too short a run of the isolated molecule": (
        {"dynamics": {"protocol": {"gas_sampling_ps": 2.0}}},
        "`dynamics.protocol.gas_sampling_ps` = 2: sampling_ps is 2, which is 10 samples",
    ),
    "blank in a SMILES": ({"molecules": {"ethanol": "CC O"}}, "molecules.ethanol: 'CC O' has a blank"),
    "duplicate state points": (system(temperatures_K=[300, 300.0]), "state point 300 stands there more than once"),
    "unknown molecule": (
        {"dynamics": {"systems": {"x": {"composition": {"metanol": 216}}}}},
        r"unknown molecule 'metanol'. Did you mean `methanol`\? Known are methanol, ethanol",
    ),
    "SMILES that does not parse": ({"molecules": {"odd": "C(("}}, r"^[^\n]*\n  molecules.odd: 'C\(\(' is not a SMILES"),
    "atom of no element": ({"molecules": {"odd": "C*"}}, r"molecules.odd: 'C\*' has a `\*`"),
    "isotope in a simulation": (
        {"molecules": {"heavy": "[2H]OC"}, "dynamics": {"systems": {"x": {"composition": {"heavy": 216}}}}},
        r"systems.x: heavy \(\[2H\]OC\) has the isotope 2H",
    ),
    "hydrogens heavier than their carbon": (
        system(force_field="opls_aa", hydrogen_mass_amu=4.0),
        r"hydrogen_mass_amu is 4: it would leave C \(atom 0\) of methanol 3.04 amu.* Use at most 3.76",
    ),
    "system that is a word": ({"dynamics": {"systems": {"methanol": "ethanol"}}}, r"'ethanol': here belong keys"),
    "number that is no list": (system(temperatures_K=298.15), r"temperatures_K` = 298.15: here belongs a list"),
    "name that is a number": ({"dynamics": {"systems": {7: SYSTEM}}}, r"systems\[7\]` = 7: here belongs text"),
    "samples between two steps": (
        {"dynamics": {"protocol": {"sample_interval_ps": 0.001}}},
        r"sample_interval_ps is 0.001, shorter than the time step of 4 fs",
    ),
    "unknown force field": (system(force_field="trape_ua"), r"systems.methanol: .*'trape_ua'.*trappe_ua"),
    "molecule the force field lacks": (
        {"molecules": {"acetonitrile": "CC#N"}, "dynamics": {"systems": {"x": {"composition": {"acetonitrile": 216}}}}},
        r"systems.x: .*acetonitrile",
    ),
    "unknown parameter set": (oxidation(parameter_set="von_alfthan"), r"`oxidation`: .*von_alfthan_2003"),
    "parameter set without oxygen": (oxidation(parameter_set="keating_1966"), r"is for Si only; an oxide needs"),
    "temperature outside the kinetics": (oxidation(temperatures_K=[500]), r"`oxidation`: .*500.*973.*1473"),
    "Massoud outside its range": (
        oxidation(recipe={"kinetics": "massoud"}, temperatures_K=[1473]),
        r"`oxidation`: .*1473.*1073.*1273",
    ),
    "box too small for the cut-off": (
        system(composition={"methanol": 64}),
        r"dynamics.systems.methanol.*cut-?off",
    ),
    "more oxygen than bonds": (
        oxidation(recipe={"time_s": 360}),
        r"`oxidation`: The recipe at 1473 K .* takes 768. Use at least \d+ cells along z \(oxidation.slab.cells\), or",
    ),
    "more oxygen than any slab takes": (
        oxidation(recipe={"time_s": 36000}, temperatures_K=[1473]),
        r"takes 768. Use a thickness_scale of at most 0\.\d+ \(3.70 nm\), or a shorter recipe",
    ),
    "slab without room for oxide": (
        oxidation(slab={"cells": [4, 4, 3], "frozen_layers": 8}, temperatures_K=[1473]),
        r"takes 0. Use at least 5 cells along z \(oxidation.slab.cells\), or a shorter recipe",
    ),
    "less oxygen than the bare surface": (
        oxidation(recipe={"initial_oxide_nm": 0}, temperatures_K=[973]),
        r"grows 0.00\d+ nm; .* are 0 O, .* starts with the 32 O .* \(0.15 nm\). Use a longer time_s",
    ),
    "two searches of one name": (
        {"learning": {"tree_search": {"methods": ["tree", "tree"]}}},
        r"tree_search.methods.*: tree stands there more than once",
    ),
    "endless enumeration": (
        {"learning": {"tree_search": {"cell": "si64", "n_oxygen": 8, "methods": ["enumeration"]}}},
        r"`learning.tree_search`: enumeration of 8 O on the cell `si64`: 1.43e\+12 placements .* leave enumeration out",
    ),
    "charged box": (
        {"dynamics": {"systems": {"litfsi_10m": {"composition": {"lithium": 10}}}}},
        r"litfsi_10m: the composition has the charge \+1",
    ),
    "pressure that is none": (system(pressures_bar=[-3]), r"pressures_bar\[0\]` = -3: .*greater than 0"),
    "pressure of a star": (system(pressures_bar=[1e9]), r"pressures_bar\[0\]` = 1000000000.0: at most 1,000,000"),
    "time step too long": (system(timestep_fs=6.0), r"systems.methanol: timestep_fs is 6"),
    "unknown target of learning": (
        {"learning": {"target": "strain_energy"}},
        r"`learning.target` = 'strain_energy': .*Did you mean `strain_energy_eV_per_atom`\?",
    ),
    "error bar as a target of learning": (
        {"learning": {"target": "film_density_g_cm3_standard_error"}},
        r"not a target. Did you mean `film_density_g_cm3`\?",
    ),
    "unknown setting of matplotlib": (
        {"figures": {"style": {"font.sise": 9}}},
        r"`figures.style`: matplotlib has no setting `font.sise`. Did you mean `font.size`\?",
    ),
    "setting of matplotlib without sense": (
        {"figures": {"style": {"font.size": "big"}}},
        r"`figures.style`: Key font.size: .*'big' to float",
    ),
    "a size that every figure sets": (
        {"figures": {"style": {"figure.figsize": [1e5, 1e5]}}},
        r"`figures.style`: `figure.figsize` has no effect: every figure has a size of its own",
    ),
    "a resolution in two places": (
        {"figures": {"style": {"savefig.dpi": 1e6}}},
        r"`figures.style`: `savefig.dpi` has no effect: set `figures.dpi`",
    ),
    "a mole in a box": (
        system(composition={"methanol": 600_000}),
        r"dynamics.systems.methanol: the composition has 3,600,000 atoms; at most 2,000,000",
    ),
    "more samples than memory takes": (
        system(sampling_ps=1e8),
        r"sampling_ps are 1e\+08 together, which are 500,000,\d+ samples; at most 20,000,000.* raise dynamics.protocol",
    ),
    "more samples of the isolated molecule than memory takes": (
        {"dynamics": {"protocol": {"gas_sampling_ps": 1e8}}},
        r"`dynamics.protocol.gas_sampling_ps` = 1e\+08: .*samples; at most 20,000,000",
    ),
    "step without a temperature": (
        oxidation(recipe={"steps": [{"time_s": 60}]}),
        r"`oxidation.recipe.steps\[0\].temperature_K`: Field required.*Temperature, in K",
    ),
    "unknown key in a step": (
        oxidation(recipe={"steps": [{"temperature_K": 1173, "time_s": 60, "presure_bar": 1}]}),
        r"steps\[0\].presure_bar`: unknown key. Did you mean `pressure_bar`\?",
    ),
    "step outside the kinetics": (
        oxidation(recipe={"steps": [{"temperature_K": 600, "time_s": 60}]}),
        r"`oxidation`: Step 1 of 2: Temperature 600.0 K is outside .* 973-1473",
    ),
    "pressure without known rates": (oxidation(recipe={"pressure_bar": 10}), r"pressure_bar is 10.*0.02-1.1 bar"),
    "oxide too thin for the table's constants": (
        oxidation(recipe={"kinetics": "deal_grove_table"}, temperatures_K=[1073]),
        r"deal_grove_table gives 25.3 nm at 1073 K; .* 30-2000 nm",
    ),
    "no time": (oxidation(recipe={"time_s": 0}), r"recipe.time_s` = 0: .*greater than 0.*Duration, in s"),
    "negative time in a step": (
        oxidation(recipe={"steps": [{"temperature_K": 1173, "time_s": -60}]}),
        r"steps\[0\].time_s` = -60: .*greater than 0",
    ),
    "unknown orientation": (
        oxidation(orientations=["001"]),
        r"orientations\[0\]` = '001': .*'100', '110' or '111'",
    ),
    "orientation twice": (oxidation(orientations=[100, "100"]), r"orientations.*100 stands there more than once"),
    "orientation of the recipe": (oxidation(recipe={"orientation": "111"}), r"recipe.orientation`: unknown key"),
    "Massoud on another surface": (
        oxidation(orientations=["111"], recipe={"kinetics": "massoud"}, temperatures_K=[1173]),
        r"Massoud constants hold for dry_O2, orientation 100",
    ),
    "more oxygen than bonds of another surface": (
        oxidation(orientations=["111"], recipe={"time_s": 36000}, temperatures_K=[1273]),
        r"Si\(111\) slab of 4 x 4 x 5 cells \(18 layers\) .* takes 720. Use a thickness_scale of at most 0.013 ",
    ),
    "more O than silica": (oxidation(bulk={"compositions": [2.5]}), r"bulk.compositions\[0\]` = 2.5: .*equal to 2"),
    "two compositions of one network": (
        oxidation(bulk={"cells": 2, "compositions": [0.5, 0.501, 1.0]}),
        r"bulk.compositions`: 0.5 and 0.501 are both 32 O on the 64 Si of 2 cells. Leave one out",
    ),
    "too few rungs": (oxidation(replica_exchange={"rungs": 2}), r"replica_exchange.rungs` = 2: .*equal to 3"),
    "ladder below the films": (
        oxidation(replica_exchange={"highest_kT_eV": 0.08}),
        r"`oxidation.replica_exchange`: highest_kT_eV = 0.08 \(928 K\).* 973 K .* more than 0.0838 eV",
    ),
    "too few exchanges to analyse": (
        oxidation(replica_exchange={"moves_per_oxygen": 500}),
        r"moves_per_oxygen = 500, .* leave 7 rounds .* at least 20 .*Raise moves_per_oxygen",
    ),
    "half a bar in pascal": (system(pressures_bar=[50000]), r"pressures_bar` = 50000: .*50000 Pa are 0.5 bar"),
    "the atmosphere in pascal": (
        system(pressures_bar=[1, 101325]),
        r"101325 Pa are 1.01325 bar.*write `confirm: \[dynamics.systems.methanol.pressures_bar\]`",
    ),
    "a time step in picoseconds": (system(timestep_fs=0.002), r"timestep_fs` = 0.002: .*equal to 0.05"),
    "a number left blank": (system(cutoff_nm=None), r"methanol.cutoff_nm` has no value \(it is blank or null\)"),
    "a section left blank": ({"oxidation": {"recipe": None}}, r"`oxidation.recipe` has no value"),
    "a list left blank": (oxidation(temperatures_K=None), r"`oxidation.temperatures_K` has no value"),
    "a new system's component left blank": (
        {"dynamics": {"systems": {"x": {"composition": {"methanol": 216, "ethanol": None}}}}},
        r"`dynamics.systems.x.composition.ethanol` has no value. Give the number of ethanol",
    ),
    "a component that the system never had": (
        system(composition={"ethanol": None}),
        r"systems.methanol.composition.ethanol` has no value.*There are methanol",
    ),
    "null for a mistyped system": (
        {"dynamics": {"systems": {"litfsi_10": None}}},
        r"`dynamics.systems.litfsi_10` has no value.*Did you mean `litfsi_10m`\?",
    ),
    "null for a mistyped molecule": ({"molecules": {"etanol": None}}, r"`molecules.etanol` .*Did you mean `ethanol`\?"),
    "nitroxyl as YAML reads it": ({"molecules": {"nitroxyl": False}}, r"`molecules`: nitroxyl: false: .*needs quotes"),
    "a backslash that YAML takes for an escape": (
        {"molecules": {"diazene": "C/N=N\x85"}},
        "molecules.diazene: .*does not print. .* use single ones",
    ),
    "an ion as YAML reads it": ({"molecules": {"sodium": ["Na+"]}}, r"`molecules.sodium` = .* put it in quotes"),
    "a name longer than file systems take": (
        {"molecules": {"m" * 300: "CO"}},
        "`molecules.m{300}` = .*: at most 64 characters, since it becomes a part of names of files",
    ),
    "a microsecond taken for a picosecond": (
        system(sampling_ps=1e12),
        r"methanol.sampling_ps` = 1000000000000.0: at most 1,000,000,000. More is taken for a slip .*in ps",
    ),
    "more than any number of moves": (
        oxidation(growth={"moves_per_oxygen": 10**400}),
        "growth.moves_per_oxygen` = 10+: at most 1,000,000,000. More is taken for a slip",
    ),
    "more runs than can be planned": (
        system(replicas=1000, pressures_bar=[*range(1, 200)]),
        r"`dynamics` names 597,00\d runs and `oxidation` 12 films, .*at most 200,000",
    ),
    "unknown ambient": (oxidation(recipe={"ambient": "wet"}), r"recipe.ambient` = 'wet': .*'dry_O2' or 'steam'"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_mistake_is_named(mistake):
    overlay, message = MISTAKES[mistake]
    with pytest.raises(InputError, match=f"(?s){message}"):
        Study.load(merged(DEFAULT, overlay))


def test_a_repulsion_longer_than_half_a_cell_is_named_before_any_job(tmp_path):
    path = tmp_path / "far.yaml"
    content = (FOLDER / "von_alfthan_2003.yaml").read_text().replace("name: von_alfthan_2003", "name: far")
    path.write_text(content.replace("{Si-Si: 3.84,", "{Si-Si: 4.3,").replace("length: 2.35", "length: 2.0"))
    small = {"parameter_set": str(path), "slab": {"cells": [2, 2, 6]}, "bulk": {"cells": 2}}
    with pytest.raises(InputError) as caught:
        Study.load(merged(DEFAULT, oxidation(**small)))
    edge = "The shortest periodic edge is 9.24 A; the repulsion of `far` needs at least 9.40 A"
    assert f"`oxidation`: {edge}" in str(caught.value)
    assert f"`oxidation.bulk.cells` = 2: {edge}" in str(caught.value)


def test_an_earlier_step_gives_the_recipe_more_oxide_to_start_from():
    step = {"temperature_K": 1173, "time_s": 60}
    sizes = [
        Study.load(merged(DEFAULT, oxidation(recipe=recipe))).oxidation.film_size(1073.0).recipe_thickness_nm
        for recipe in ({}, {"steps": [step]}, {"steps": [step, step]})
    ]
    assert sizes[0] < sizes[1] < sizes[2] < 1.5 * sizes[0]


@pytest.mark.parametrize(("near", "expected"), [(1273, "1273"), (1100, "1073"), (1023, "973"), (3000, "1473")])
def test_replica_exchange_takes_the_film_of_the_nearest_temperature(near, expected):
    study = Study.load(merged(DEFAULT, oxidation(replica_exchange={"near_temperature_K": near})))
    assert study.oxidation.exchange_film("100") == f"Si100/T{expected}/disordered/replica0"
    assert "oxide_equilibrium" in study.parts and "oxide_equilibrium" not in Study.load(DEFAULT).parts


def test_a_system_named_twice_is_refused(tmp_path):
    path = tmp_path / "twice.yaml"
    path.write_text(
        "dynamics:\n  systems:\n    x: {composition: {methanol: 216}}\n    x: {composition: {ethanol: 216}}\n"
    )
    with pytest.raises(InputError, match=r"twice.yaml cannot be used:\n  `dynamics.systems.x` .* line 3 and on line 4"):
        check_file(path)


@pytest.mark.parametrize("text", ["", "a: {<<: {b: 1}, c: 2}", "a: [{b: 1}, {b: 2}]"])
def test_files_without_repeated_keys_pass(text, tmp_path):
    (tmp_path / "file.yaml").write_text(text)
    check_file(tmp_path / "file.yaml")


def test_several_mistakes_are_named_at_once():
    overlay = merged(oxidation(temperatures_K=[500, 973]), system(force_field="nothing"))
    with pytest.raises(InputError) as caught:
        Study.load(merged(DEFAULT, overlay))
    assert "500" in str(caught.value) and "nothing" in str(caught.value)


def test_advice_on_cells_ends_where_the_configuration_does():
    Study.load(merged(DEFAULT, oxidation(slab={"cells": [4, 4, MOST_CELLS]})))
    with pytest.raises(InputError, match="cells"):
        Study.load(merged(DEFAULT, oxidation(slab={"cells": [4, 4, MOST_CELLS + 1]})))


def test_the_cells_that_a_message_names_are_enough_and_one_fewer_is_not():
    overlay = oxidation(orientations=["110"], recipe={"time_s": 3600}, temperatures_K=[1273])
    with pytest.raises(InputError) as caught:
        Study.load(merged(DEFAULT, overlay))
    cells = int(re.search(r"at least (\d+) cells", str(caught.value))[1])
    scale = float(re.search(r"at most ([\d.]+)", str(caught.value))[1])
    for slab, ok in (([4, 4, cells], True), ([4, 4, cells - 1], False)):
        changed = merged(overlay, oxidation(slab={"cells": slab}))
        if ok:
            Study.load(merged(DEFAULT, changed))
        else:
            with pytest.raises(InputError, match="takes"):
                Study.load(merged(DEFAULT, changed))
    Study.load(merged(DEFAULT, merged(overlay, oxidation(thickness_scale=scale))))


def test_too_few_temperatures_leave_out_the_surrogate_and_refuse_the_next_recipe():
    two = Study.load(merged(DEFAULT, oxidation(temperatures_K=[973, 1073])))
    three = Study.load(merged(DEFAULT, oxidation(temperatures_K=[973, 1073, 1173])))
    assert "oxide_sweep" in three.parts and "oxide_sweep" not in two.parts
    three.oxidation.check_sweep()
    with pytest.raises(InputError, match=r"`oxidation\.temperatures_K` names 2 temperature\(s\).*at least 3"):
        two.oxidation.check_sweep()


def test_orientations_are_independent_sweeps():
    one = Study.load(merged(DEFAULT, oxidation(orientations=[100])))
    two = Study.load(merged(DEFAULT, oxidation(orientations=["100", "111"])))
    assert set(one.oxidation.films) < set(two.oxidation.films) and len(two.oxidation.films) == 24
    assert "Si111/T973/disordered/replica1" in two.oxidation.films
    assert "orientations" in two.parts and "orientations" not in one.parts
    thin, thick = (two.oxidation.film_size(1273.0, face).recipe_thickness_nm for face in ("100", "111"))
    assert thin < thick


def test_null_removes_a_system_and_a_molecule():
    overlay = {"molecules": {"tfsi": None}, "dynamics": {"systems": {"litfsi_10m": None}}}
    study = Study.load(merged(DEFAULT, overlay))
    assert "litfsi_10m" not in study.config.dynamics.systems and "tfsi" not in study.config.molecules
    assert study.dynamics.kinds == {"liquids": ["methanol", "ethanol"]}


def test_null_removes_what_another_overlay_added():
    layers = [
        {"molecules": {"acetone": "CC(C)=O"}, "dynamics": {"systems": {"wet": {"composition": {"methanol": 300}}}}},
        {"molecules": {"acetone": None}, "dynamics": {"systems": {"wet": None}}},
    ]
    values = merged(merged(DEFAULT, layers[0]), layers[1])
    assert "wet" not in Study.load(values, layers).config.dynamics.systems
    with pytest.raises(InputError, match=r"molecules.acetone` has no value(?s:.*)systems.wet` has no value"):
        Study.load(values, layers[1:])


def test_a_style_may_hold_booleans():
    style = {"axes.grid": True, "font.size": 9}
    assert Study.load(merged(DEFAULT, {"figures": {"style": style}})).config.figures.style == style


def test_unusual_values_run_when_their_keys_are_confirmed():
    keys = [f"dynamics.systems.methanol.{name}" for name in ("pressures_bar", "temperatures_K")]
    overlay = system(pressures_bar=[1, 20000], temperatures_K=[85])
    found = Study.load(merged(DEFAULT, overlay | {"confirm": keys})).dynamics.systems["methanol"].config
    assert found.pressures_bar == [1, 20000] and found.temperatures_K == [85]
    with pytest.raises(InputError, match=r"= 85: .*confirm: \[dynamics.systems.methanol.pressures_bar, .*eratures_K\]"):
        Study.load(merged(DEFAULT, overlay | {"confirm": keys[:1]}))


def test_a_stage_may_be_left_out_on_the_command_line():
    study = Study.load(merged(DEFAULT, {"oxidation": "null", "learning": "null"}))  # texts, as --config makes them
    assert study.oxidation is None and study.left_out == ["oxidation", "learning"]


def test_null_removes_a_component():
    overlay = {"dynamics": {"systems": {"methanol": {"composition": {"methanol": None, "ethanol": 216}}}}}
    study = Study.load(merged(DEFAULT, overlay))
    assert study.dynamics.systems["methanol"].composition == {"ethanol": 216}
    assert DEFAULT["dynamics"]["systems"]["methanol"]["composition"] == {"methanol": 216}


@given(st.floats(100, 2000).map(lambda value: round(value, 2)))
def test_label_and_number_are_one_to_one(value):
    assert float(label(value)) == value


def test_systems_with_virtual_sites_are_not_exported():
    water = {"composition": {"water": 512}}
    overlay = {
        "dynamics": {"systems": {"a": water | {"force_field": "tip4p_2005"}, "b": water | {"force_field": "spce"}}}
    }
    study = Study.load(merged(DEFAULT, overlay))
    assert [name for name, system in study.dynamics.systems.items() if not system.can_export] == ["a"]


def test_runs_and_films_cover_the_grid_once():
    study = Study.load(merged(DEFAULT, system(pressures_bar=[1.0, 500.0], replicas=2)))
    runs = study.dynamics.systems["methanol"].runs
    assert len(runs) == len(set(runs)) == 3 * 2 * 2
    assert "methanol/trappe_ua/T298.15_p500/replica1" in runs
    assert len(study.oxidation.films) == 12 and "Si100/T973/disordered/replica0" in study.oxidation.films


def test_a_precision_concerns_the_runs_that_it_names():
    overlay = system(precision={"density_g_cm3": 0.001, "enthalpy_of_vaporisation_kJ_mol": 0.1})
    study = Study.load(merged(DEFAULT, overlay))
    methanol, ethanol = (study.dynamics.systems[name] for name in ("methanol", "ethanol"))
    assert methanol.run_settings(298.15, 1.0).precision == overlay["dynamics"]["systems"]["methanol"]["precision"]
    assert methanol.gas_settings(298.15).precision == {"enthalpy_of_vaporisation_kJ_mol": 0.1}
    assert ethanol.run_settings(298.15, 1.0).precision == {}


@pytest.mark.parametrize("path", sorted((ROOT / "workflow" / "studies").glob("*.yaml")), ids=lambda path: path.stem)
def test_every_study_passes_the_checks(path):
    overlay = yaml.safe_load(path.read_text())
    study = Study.load(merged(DEFAULT, overlay))
    assert study.parts
    if path.stem == "oxidation":
        assert len(study.oxidation.films) == 6 * 3 * 4 and len(study.oxidation.bulk_oxides) == 9 * 5 * 3
        for face in ("100", "110", "111"):
            assert (
                2.85
                < study.oxidation.film_size(973.0, face).recipe_thickness_nm
                < study.oxidation.film_size(1473.0, face).recipe_thickness_nm
                < 3.2
            )


def test_a_start_structure_is_read_before_the_first_job(tmp_path):
    from moxie.structures.network import write_networks
    from moxie.structures.silicon import silicon_slab

    path = tmp_path / "slab.xyz"
    write_networks(path, silicon_slab((4, 4, 5), 4))

    def load(**changes):
        return Study.load(merged(DEFAULT, oxidation(slab={"structure": str(path)}, **changes)))

    own, cut = (study.oxidation.film_size(1273.0) for study in (load(), Study.load(DEFAULT)))
    assert own == cut
    with pytest.raises(InputError, match=r"one structure has one face, but `oxidation.orientations` names 100, 111"):
        load(orientations=["100", "111"])
    with pytest.raises(InputError, match=r"has a \(100\) face along z, but `oxidation.orientations` names 111"):
        load(orientations=["111"])
    with pytest.raises(InputError, match=r"`oxidation`: .* structure slab.xyz .* Use a thicker slab, or"):
        load(recipe={"time_s": 600})
    path.write_text(path.read_text().replace("Si", "Ge", 1))
    with pytest.raises(InputError, match=r"`oxidation`: .*slab.xyz, frame 0: atom 0 is 'Ge'") as caught:
        load()
    assert str(caught.value).count("Ge") == 1  # once, not for every temperature


def test_a_free_back_is_a_slab_without_frozen_layers():
    study = Study.load(merged(DEFAULT, oxidation(slab={"frozen_layers": 0})))
    assert study.oxidation.film_size(1273.0) == Study.load(DEFAULT).oxidation.film_size(1273.0)
    with pytest.raises(InputError, match=r"`oxidation.slab.frozen_layers` = -1"):
        Study.load(merged(DEFAULT, oxidation(slab={"frozen_layers": -1})))


def test_own_files_are_all_that_the_configuration_names_by_path(tmp_path):
    from moxie.oxidation.parameter_sets import FOLDER
    from moxie.structures.network import write_networks
    from moxie.structures.silicon import silicon_slab

    assert Study.load(DEFAULT).own_files() == []
    parameters, structure, molecules = (tmp_path / name for name in ("mine.yaml", "slab.xyz", "list.csv"))
    parameters.write_text((FOLDER / "von_alfthan_2003.yaml").read_text().replace("von_alfthan_2003", "mine"))
    write_networks(structure, silicon_slab((4, 4, 5), 4))
    molecules.write_text("smiles,name\nCO,methanol\n")
    overlay = oxidation(parameter_set=str(parameters), slab={"structure": str(structure)})
    overlay["quantum_chemistry"] = {"molecule_lists": ["logp_crc", str(molecules)]}
    found = Study.load(merged(DEFAULT, overlay)).own_files()
    assert found == sorted(map(str, (parameters, structure, molecules)))


def test_a_start_of_the_workflow_imports_nothing_heavy():
    program = f"""
import sys, yaml
from moxie.figures import registry as figures
from moxie.study import Study
study = Study.load(yaml.safe_load(open({str(ROOT / "config.yaml")!r})))
figures.names(study.parts)
[study.learning.settings(task) for task in study.learning.tasks]
heavy = "CoolProp MDAnalysis ase chemicals matplotlib numba openmm pandas pandera pymatgen scipy sklearn"
print([name for name in heavy.split() if name in sys.modules])
"""
    printed = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    assert printed.strip() == "[]"


# Forty lines, each of which stands for four times what the one before it does.
MULTIPLIED = b"a0: &a0 [1]\n" + b"".join(
    b"a%d: &a%d [%s]\n" % (i, i, b", ".join([b"*a%d" % (i - 1)] * 4)) for i in range(1, 40)
)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"a: [1, 2\nb: 3\n", r"file\.yaml, line 2: this is not YAML"),
        (b"a: 1\nb:\n\tc: 1\n", r"file\.yaml, line 3: this is not YAML"),
        (b"a: 1\nb: x\x00y\n", r"file\.yaml, line 2: this is not YAML"),
        ("a: 1\ntitle: Siliz\u00fcm".encode("latin-1"), r"file\.yaml, line 2: this is not UTF-8 text"),
        ("seed: 1".encode("utf-16"), r"file\.yaml, line 1: this is not UTF-8 text"),
        (b"a: &x [*x]\n", r"`a` on line 1 holds itself, by an alias"),
        (b"b: 1\na: " + b"[" * 900 + b"]" * 900, r"file\.yaml, line 2: more than 60 levels"),
        (b"b: 1\na: " + b"[" * 70 + b"]" * 70, "line 2: more than 60 levels"),
        (b"a: 1\nseed: " + b"7" * 5000, r"`seed` on line 2 is 7{20}\.\.\., which cannot be read"),
        (b"a:\n  b: 2026-13-45", r"`a\.b` on line 2 is 2026-13-45, which cannot be read: month"),
        (b"just words", "holds no keys with values"),
        (b"molecules:\n  azide: [N-]=[N+]=NCC\n", "line 2: .* If the value of `azide` is a text, .* put it in quotes"),
        (b"molecules: {a: CC, heavy: [2H]O[2H]}\n", "line 1: .* the value of `heavy` is a text"),
        (b"molecules:\n  oxygen: [O][O] # triplet\n", "the value of `oxygen` is a text"),
        (b"molecules:\n  any: *C\n", "undefined alias 'C'. If the value of `any` is a text"),
        (b'molecules:\n  z: "F/C=C\\F"\n', "line 2: .* put the text in single quotes"),
        (b"false", "holds no keys with values"),
        (MULTIPLIED, r"`a10` on line 11 stands for 2e\+06 values by its aliases"),
        (None, "cannot be read: No such file"),
    ],
)
def test_a_file_that_is_no_configuration_is_named(tmp_path, content, message):
    path = tmp_path / "file.yaml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InputError, match=message):
        check_file(path)
    with pytest.raises(InputError, match="cannot be read: Is a directory"):
        check_file(tmp_path)


@pytest.mark.parametrize("value", ["4:1", "90:00", "1:30.5"])
def test_a_number_of_base_60_is_refused_with_its_line(value, tmp_path):
    path = tmp_path / "study.yaml"
    path.write_text(f"seed: 1\nratio: {value}\n")
    with pytest.raises(InputError, match=f"`ratio` on line 2 is {value}, which YAML reads as a number of base 60"):
        check_file(path)
    path.write_text(f"seed: 1\nratio: '{value}'\nname: 3:7 by mass\n")
    check_file(path)
