import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from moxie.errors import InputError
from moxie.structures.molecules import (
    coordinates_A,
    embed,
    formal_charge,
    molar_mass_g_mol,
    parse_smiles,
    read_sdf,
    symbols,
    van_der_waals_volume_A3,
    write_sdf,
)

TFSI = "O=S(=O)([N-]S(=O)(=O)C(F)(F)F)C(F)(F)F"


def test_conformer_has_every_hydrogen_and_sensible_distances():
    molecule = embed("CCO", "ethanol")
    assert sorted(symbols(molecule)) == ["C"] * 2 + ["H"] * 6 + ["O"]
    positions = coordinates_A(molecule)
    distances = np.linalg.norm(positions[:, None] - positions[None], axis=-1)[np.triu_indices(9, 1)]
    assert distances.min() == pytest.approx(0.97, abs=0.03)  # O-H
    assert distances.max() < 4.2


def test_one_seed_gives_one_geometry():
    assert np.array_equal(coordinates_A(embed("CCCO")), coordinates_A(embed("CCCO")))


def test_lowest_conformer_of_butane_is_trans():
    positions = coordinates_A(embed("CCCC"))[:4]
    assert np.linalg.norm(positions[0] - positions[3]) == pytest.approx(3.9, abs=0.1)  # gauche: 3.1


@pytest.mark.parametrize(("smiles", "charge"), [(TFSI, -1), ("[Li+]", 1), ("O", 0)])
def test_sdf_keeps_charges_atoms_name_and_coordinates(tmp_path, smiles, charge):
    molecule = embed(smiles, "it")
    write_sdf(molecule, tmp_path / "it.sdf")
    again = read_sdf(tmp_path / "it.sdf")
    assert formal_charge(again) == charge
    assert symbols(again) == symbols(molecule)
    assert again.GetProp("_Name") == "it"
    assert np.allclose(coordinates_A(again), coordinates_A(molecule), atol=1e-3)


@pytest.mark.parametrize("smiles", ["C1CC", "xyz", "", "C(C)(C)(C)(C)C", "CO.CO", "[Li+].[Cl-]", "*CC"])
def test_unusable_smiles_are_refused_by_name(smiles):
    with pytest.raises(InputError, match="molecules.solvent"):
        parse_smiles(smiles, "solvent")


def test_molecule_without_a_conformer_is_refused_by_name():
    with pytest.raises(InputError, match=r"molecules.solvent: .* no three-dimensional conformer .*stereochemistry"):
        embed("[C@@H]12C[C@H]1C2", "solvent")  # three-membered rings joined the wrong way round


def test_damaged_sdf_is_named(tmp_path):
    path = tmp_path / "broken.sdf"
    path.write_text("nothing\n")
    with pytest.raises(InputError, match="broken.sdf"):
        read_sdf(path)
    with pytest.raises(InputError, match="does not exist"):
        read_sdf(tmp_path / "absent.sdf")


def test_van_der_waals_volume_of_methanol_is_that_of_its_atoms_less_its_bonds():
    # Zhao et al. 2003: C 20.58 + 4 H 7.24 + O 14.71 - 5 bonds 5.92
    assert van_der_waals_volume_A3("CO") == pytest.approx(20.58 + 4 * 7.24 + 14.71 - 5 * 5.92)
    # benzene: one aromatic ring
    assert van_der_waals_volume_A3("c1ccccc1") == pytest.approx(6 * 20.58 + 6 * 7.24 - 12 * 5.92 - 14.7)


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 12), st.booleans())
def test_chains_have_the_formula_of_alkanes_and_alcohols(length, alcohol):
    smiles = "C" * length + "O" * alcohol
    atoms = symbols(parse_smiles(smiles))
    assert (atoms.count("C"), atoms.count("H"), atoms.count("O")) == (length, 2 * length + 2, int(alcohol))
    expected = 12.011 * length + 1.008 * (2 * length + 2) + 15.999 * alcohol
    assert molar_mass_g_mol(smiles) == pytest.approx(expected, rel=1e-4)


@settings(max_examples=50, deadline=None)
@given(st.text(max_size=12))
def test_any_text_is_either_one_molecule_or_an_input_error(text):
    try:
        molecule = parse_smiles(text)
    except InputError:
        return
    assert molecule.GetNumAtoms() > 0
