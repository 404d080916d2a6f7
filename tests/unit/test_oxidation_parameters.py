"""Parameter sets: found by name or path, complete, sourced; damage is refused with the key."""

import shutil

import pytest
import yaml

from moxie.errors import InputError
from moxie.oxidation.parameter_sets import FOLDER, available_sets, load_parameters


@pytest.mark.parametrize("name", available_sets())
def test_every_set_loads_and_names_a_source_for_every_number(name):
    parameters = load_parameters(name)
    assert parameters.name == name and parameters.source
    assert parameters.bond_length[0][0] == 2.35
    content = yaml.safe_load((FOLDER / f"{name}.yaml").read_text())
    for entry in [*content["bonds"].values(), *content["angles"].values(), *content["suboxide_eV"].values()]:
        assert len(entry["source"]) > 10 and isinstance(entry["checked"], bool)


def test_lattice_constant_follows_from_the_bond():
    assert load_parameters("von_alfthan_2003").lattice_constant_A == pytest.approx(5.427, abs=5e-4)


def test_mixed_angle_constant_is_the_geometric_mean():
    (pure, mixed, oxide), _ = load_parameters("von_alfthan_2003").angle_k
    assert mixed == pytest.approx((pure * oxide) ** 0.5, abs=1e-4)


@pytest.mark.parametrize("choice", ["none", "cubic", "quadratic"])
def test_repulsion_can_be_chosen(choice):
    parameters = load_parameters("von_alfthan_2003", choice)
    assert parameters.repulsion.kind == choice and parameters.repulsion_name == choice


def test_a_users_own_file_is_used(tmp_path):
    own = tmp_path / "mine.yaml"
    text = (FOLDER / "von_alfthan_2003.yaml").read_text()
    own.write_text(text.replace("length: 1.60", "length: 1.62").replace("name: von_alfthan_2003", "name: mine"))
    parameters = load_parameters(str(own))
    assert parameters.name == "mine" and parameters.bond_length[0][1] == 1.62


def test_an_edited_copy_cannot_go_by_the_name_of_the_original(tmp_path):
    shutil.copy(FOLDER / "von_alfthan_2003.yaml", tmp_path / "mine.yaml")
    with pytest.raises(InputError, match=r"mine\.yaml: `name` is 'von_alf.*'; write the file's own name, 'mine'"):
        load_parameters(str(tmp_path / "mine.yaml"))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda c: c.pop("bonds"), "`bonds` is missing"),
        (lambda c: c.update(colour="red"), "unknown key `colour`"),
        (lambda c: c["bonds"].update({"Si-Oo": c["bonds"]["Si-O"]}), "Did you mean `Si-O`"),
        (lambda c: c["bonds"]["Si-O"].update(k=-1), "bonds.Si-O.k` is -1"),
        (lambda c: c["bonds"]["Si-O"].update(k="stiff"), "must be a finite number"),
        (lambda c: c["bonds"]["Si-O"].update(k=10**400), "must be a finite number"),
        (lambda c: c["bonds"]["Si-O"].update(k=2.7e8), r"bonds.Si-O.k` is 270000000.0; at most 1000"),
        (lambda c: c["suboxide_eV"]["Si2+"].update(value=-1e5), r"suboxide_eV.Si2\+.value` is -100000.0; at most 1000"),
        (lambda c: c["bonds"]["Si-O"].pop("source"), "`source` is missing in bonds.Si-O"),
        (lambda c: c["angles"]["O-Si-O"].update(cos=-1.5), "cosine"),
        (lambda c: c["angles"].pop("Si-O-Si"), "`Si-O-Si` is missing"),
        (lambda c: c["suboxide_eV"].pop("Si2+"), r"`Si2\+` is missing"),
        (lambda c: c.update(form="morse"), "`form` is 'morse'"),
        (lambda c: c.update(form="keating"), "Si alone"),
        (lambda c: c.update(default_repulsion="hard"), "unknown repulsion `hard`"),
        (lambda c: c["repulsions"]["cubic"]["range_A"].update({"Si-Si": 4.6}), "between 0 and 4.3 angstrom"),
        (lambda c: c["bonds"]["Si-Si"].update(length=0.235), "bonds.Si-Si.length` is 0.235; .* 2 to 3 angstrom"),
        (lambda c: c["bonds"]["Si-O"].update(length=160), "bonds.Si-O.length` is 160; .* 1.3 to 2 angstrom"),
        (lambda c: c.update(default_repulsion=["cubic"]), r"`default_repulsion` is \['cubic'\]; .* the name of one"),
        (lambda c: c["repulsions"]["cubic"].update(kind="wall"), "kind` is 'wall'"),
        (lambda c: c["repulsions"]["cubic"].update(checked="no"), "true or false"),
    ],
)
def test_a_damaged_set_is_refused_with_its_key(tmp_path, change, message):
    content = yaml.safe_load((FOLDER / "von_alfthan_2003.yaml").read_text())
    change(content)
    path = tmp_path / "damaged.yaml"
    path.write_text(yaml.safe_dump(content))
    with pytest.raises(InputError, match=message) as caught:
        load_parameters(str(path))
    assert "damaged.yaml" in str(caught.value)


def test_unknown_names_get_the_nearest_one(tmp_path):
    with pytest.raises(InputError, match="Did you mean `von_alfthan_2003`"):
        load_parameters("von_alfthan_2013")
    with pytest.raises(InputError, match="cannot be read"):
        load_parameters(str(tmp_path / "none.yaml"))
    broken = tmp_path / "broken.yaml"
    shutil.copy(FOLDER / "keating_1966.yaml", broken)
    broken.write_text(broken.read_text() + "\n  - [")
    with pytest.raises(InputError, match=r"broken.yaml, line \d+: this is not YAML"):
        load_parameters(str(broken))


def test_a_set_with_a_key_twice_or_of_another_folder_is_refused(tmp_path):
    twice = tmp_path / "twice.yaml"
    twice.write_text((FOLDER / "keating_1966.yaml").read_text() + "form: simplified\n")
    with pytest.raises(InputError, match=r"twice.yaml cannot be used:\n  `form` stands on line \d+ and on line \d+"):
        load_parameters(str(twice))
    with pytest.raises(InputError, match="Unknown oxidation parameter set"):
        load_parameters(f"../{FOLDER.name}/keating_1966")
