import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from moxie.dynamics.force_fields import available_force_fields, load_force_field
from moxie.dynamics.typing import check_parameters
from moxie.errors import InputError

TFSI = "O=S(=O)([N-]S(=O)(=O)C(F)(F)F)C(F)(F)F"


def edited(tmp_path, *changes, name="trappe_ua"):
    """Return the path of a copy of a force field with some text replaced."""
    text = load_force_field(name).path.read_text()
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    path = tmp_path / "edited.xml"
    path.write_text(text)
    return path


def test_registry_lists_its_files():
    assert {"trappe_ua", "und"} <= set(available_force_fields())


def test_unknown_force_field_names_the_nearest():
    with pytest.raises(InputError, match="Did you mean 'trappe_ua'"):
        load_force_field("trape_ua")


@pytest.mark.parametrize("name", ["trappe_ua", "und"])
def test_every_parameter_row_names_a_source_of_the_file(name):
    import xml.etree.ElementTree as ElementTree

    force_field = load_force_field(name)
    assert all(kind.source in force_field.sources for kind in force_field.types.values())
    root = ElementTree.parse(force_field.path).getroot()
    rows = [row for tag in ("Bond", "Angle", "Proper") for row in root.iter(tag)]
    assert rows
    assert all(row.get("source") in force_field.sources for row in rows)


@pytest.mark.parametrize(
    ("smiles", "types"),
    [
        ("C", "CH4"),
        ("CO", "CH3_O O H"),
        ("CCO", "CH3 CH2_O O H"),
        ("CCCO", "CH3 CH2 CH2_O O H"),
        ("CCCC", "CH3 CH2 CH2 CH3"),
        ("CC(C)O", "CH3 CH_O CH3 O H"),
        ("CC(C)(C)O", "CH3 C_O CH3 CH3 O H"),
        ("CC(C)C", "CH3 CH CH3 CH3"),
    ],
)
def test_trappe_types_alkanes_and_alcohols(smiles, types):
    assert check_parameters("trappe_ua", smiles).types == tuple(types.split())


def test_tfsi_has_every_term_of_its_graph():
    sites = check_parameters("und", TFSI)
    # N 2 neighbours, S 4 each, C 4 each: sum of d(d-1)/2 = 1 + 2*6 + 2*6; central bonds: 2 S-N (1*3), 2 S-C (3*3)
    assert (len(sites.bonds), len(sites.angles), len(sites.torsions)) == (14, 25, 2 * 3 + 2 * 9)


@pytest.mark.parametrize("smiles", ["O", "CCF", "C1CCCCC1", "CC=C", "C[NH3+]", "CC(=O)O"])
def test_molecule_without_types_is_refused_with_force_field_molecule_and_atoms(smiles):
    with pytest.raises(InputError, match=r"trappe_ua has no type for atom \d+ .* of solvent"):
        check_parameters("trappe_ua", smiles, "solvent")


def test_missing_torsion_is_named_with_its_types_and_atoms():
    with pytest.raises(InputError, match=r"no parameters for .*torsion CH3-CH2-CH_O-O \(atoms 0-1-2-4\).* of butanol"):
        check_parameters("trappe_ua", "CCC(C)O", "butanol")


def test_diol_is_refused_with_the_reason():
    with pytest.raises(InputError, match="one hydroxyl group"):
        check_parameters("trappe_ua", "OCCCO", "diol")


def test_missing_bond_row_is_noticed_before_openmm_would_drop_it(tmp_path):
    row = '<Bond class1="O"   class2="H"   length="0.0945" k="502416.0" source="alcohols"/>'
    path = edited(tmp_path, (row, ""))
    with pytest.raises(InputError, match="bond O-H"):
        check_parameters(path, "CO", "methanol")


def test_charge_that_does_not_add_up_is_refused(tmp_path):
    path = edited(tmp_path, ('charge="0.435"', 'charge="0.436"'))
    with pytest.raises(InputError, match="the charge 0.001000 e"):
        check_parameters(path, "CO", "methanol")


def test_a_type_may_override_another(tmp_path):
    general = '<Type name="ANY" class="CHx" element="C" mass="15.035" absorbs="3" def="[CX4H3]" source="alkanes"/>'
    any_row = '<Atom type="ANY" charge="0.0" sigma="0.375" epsilon="0.814817"/>'
    start, atoms = "<AtomTypes>", "</NonbondedForce>"
    path = edited(tmp_path, (start, start + general), (atoms, any_row + atoms))
    with pytest.raises(InputError, match="several types: ANY, CH3"):
        check_parameters(path, "CC", "ethane")
    path = tmp_path / "second.xml"
    path.write_text((tmp_path / "edited.xml").read_text().replace('name="CH3" ', 'name="CH3" overrides="ANY"'))
    assert check_parameters(path, "CC", "ethane").types == ("CH3", "CH3")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("</ForceField>", ""), "cannot be used"),
        (('combining_rule="lorentz_berthelot"', 'combining_rule="geometric"'), "combining rule 'geometric'"),
        (('constraints="all_bonds"', 'constraints="some"'), "none, h_bonds, all_bonds"),
        (("</RBTorsionForce>", "<Improper/></RBTorsionForce>"), "improper"),
        (('<Atom type="CH4" ', '<Atom type="CH5" '), "CH4"),
        (('def="[CX4H4]"', 'def="[CX4H4"'), "not a SMARTS pattern"),
    ],
)
def test_unusable_file_is_named_with_the_reason(tmp_path, change, message):
    path = edited(tmp_path, change)
    with pytest.raises(InputError, match=message) as error:
        check_parameters(path, "C", "methane")
    assert "edited" in str(error.value)


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 14), st.booleans())
def test_chains_keep_mass_and_have_the_terms_of_a_chain(length, alcohol):
    force_field = load_force_field("trappe_ua")
    sites = check_parameters("trappe_ua", "C" * length + "O" * alcohol)
    count = length + 2 * alcohol
    assert len(sites.types) == count
    assert (len(sites.bonds), len(sites.angles), len(sites.torsions)) == tuple(max(0, count - k) for k in (1, 2, 3))
    mass = sum(force_field.types[kind].mass_amu for kind in sites.types)
    assert mass == pytest.approx(12.011 * length + 1.008 * (2 * length + 2) + 15.9994 * alcohol, abs=0.01)
