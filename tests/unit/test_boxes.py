import sys

import numpy as np
import pytest

from moxie.errors import InputError
from moxie.structures.boxes import check_cutoff, expected_edge_nm, find_packmol, pack, read_box, write_box
from moxie.structures.molecules import embed

SMILES = {
    "methanol": "CO",
    "water": "O",
    "lithium": "[Li+]",
    "tfsi": "O=S(=O)([N-]S(=O)(=O)C(F)(F)F)C(F)(F)F",
}


@pytest.fixture(scope="module")
def electrolyte():
    composition = {"lithium": 3, "tfsi": 3, "water": 12}
    molecules = {name: embed(SMILES[name], name) for name in composition}
    return pack(molecules, composition, SMILES, seed=5)


def test_edge_follows_from_density_and_mass():
    # 216 * 32.042 g/mol / 0.7863 g/cm3 = 14.616 nm3
    assert expected_edge_nm({"methanol": 216}, SMILES, 0.7863) == pytest.approx(14.616 ** (1 / 3), rel=1e-4)


@pytest.mark.parametrize("smiles", ["CO", "CCO", "O", "CC(C)=O", "CCCCCC", "c1ccccc1", "CCCCCCCC"])
def test_estimated_edge_is_within_four_per_cent_of_the_real_liquid(smiles):
    from moxie.reference.liquids import experimental_density_g_cm3

    names = {"it": smiles}
    density = experimental_density_g_cm3(smiles, 298.15)
    assert expected_edge_nm({"it": 200}, names) == pytest.approx(
        expected_edge_nm({"it": 200}, names, density), rel=0.04
    )


def test_box_of_unknown_component_is_refused():
    with pytest.raises(InputError, match="'benzene'"):
        expected_edge_nm({"benzene": 3}, SMILES)


def test_cutoff_too_long_for_the_box_is_refused_with_numbers_that_work():
    check_cutoff({"methanol": 216}, SMILES, 1.0)
    with pytest.raises(InputError, match="dynamics.systems.small") as error:
        check_cutoff({"methanol": 216}, SMILES, 1.4, name="small")
    words = str(error.value).split()
    fewest = int(words[words.index("least") + 1])
    shorter = float(words[words.index("below") + 1])
    check_cutoff({"methanol": fewest}, SMILES, 1.4)
    check_cutoff({"methanol": 216}, SMILES, shorter - 0.01)


def test_molecules_are_whole_and_apart_also_across_the_boundary(electrolyte):
    box = electrolyte
    assert len(box.symbols) == 3 * 1 + 3 * 15 + 12 * 3
    delta = box.positions_A[:, None] - box.positions_A[None]
    delta -= box.edge_A * np.round(delta / box.edge_A)
    distance = np.linalg.norm(delta, axis=-1)
    assert distance[box.molecule[:, None] != box.molecule[None]].min() > 1.9
    water = box.positions_A[box.component == 2].reshape(12, 3, 3)
    assert np.allclose(np.linalg.norm(water[:, 1:] - water[:, :1], axis=-1), 0.97, atol=0.03)


def test_same_seed_packs_the_same_box():
    molecules = {"water": embed("O")}
    first, second, third = (pack(molecules, {"water": 8}, SMILES, seed).positions_A for seed in (3, 3, 4))
    assert np.array_equal(first, second)
    assert not np.array_equal(first, third)


def test_box_file_gives_back_the_box_and_is_extended_xyz(tmp_path, electrolyte):
    import ase.io

    write_box(electrolyte, tmp_path / "box.xyz")
    again = read_box(tmp_path / "box.xyz")
    assert again.symbols == electrolyte.symbols
    assert np.allclose(again.positions_A, electrolyte.positions_A, atol=1e-6)
    assert np.array_equal(again.molecule, electrolyte.molecule)
    assert np.array_equal(again.component, electrolyte.component)
    assert (again.composition, again.smiles) == (electrolyte.composition, electrolyte.smiles)
    atoms = ase.io.read(tmp_path / "box.xyz")
    assert atoms.info["composition"] == electrolyte.composition
    assert np.allclose(atoms.cell.lengths(), electrolyte.edge_A)
    assert np.array_equal(atoms.arrays["component"], electrolyte.component)


@pytest.mark.parametrize("keep", [0, 1, 2, 40])
def test_truncated_box_is_named(tmp_path, electrolyte, keep):
    write_box(electrolyte, tmp_path / "box.xyz")
    lines = (tmp_path / "box.xyz").read_text().splitlines()
    (tmp_path / "box.xyz").write_text("\n".join(lines[:keep]))
    with pytest.raises(InputError, match="box.xyz is not a packed box"):
        read_box(tmp_path / "box.xyz")


def test_missing_packmol_is_a_message(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    with pytest.raises(InputError, match="pip install packmol"):
        find_packmol()


def test_packing_that_takes_too_long_is_a_message():
    with pytest.raises(InputError, match="did not pack"):
        pack({"water": embed("O")}, {"water": 400}, SMILES, 1, time_limit_s=1e-3)
