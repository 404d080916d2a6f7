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
    assert {"trappe_ua", "und", "opls_aa", "spce", "tip4p_2005", "clp_2004", "clp_2017"} <= set(
        available_force_fields()
    )


def test_unknown_force_field_names_the_nearest():
    with pytest.raises(InputError, match="Did you mean 'trappe_ua'"):
        load_force_field("trape_ua")


@pytest.mark.parametrize("name", [name for name in available_force_fields() if not load_force_field(name).is_template])
def test_every_parameter_row_names_a_source_of_the_file(name):
    import xml.etree.ElementTree as ElementTree

    force_field = load_force_field(name)
    assert all(kind.source in force_field.sources for kind in force_field.types.values())
    root = ElementTree.parse(force_field.path).getroot()
    rows = [row for tag in ("Bond", "Angle", "Proper") for row in root.iter(tag)]
    assert rows or name == "opls_ions"  # which has single atoms only
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


@pytest.mark.parametrize(
    ("smiles", "types"),
    [
        ("C", "138 140 140 140 140"),
        ("CO", "157 154 156 156 156 155"),
        ("CCO", "135 157 154 140 140 140 140 140 155"),
        ("CC(C)O", "135 158 135 154 140 140 140 140 140 140 140 155"),
        ("CC(C)(C)O", "135 159 135 135 154 140 140 140 140 140 140 140 140 140 155"),
        ("CCCO", "135 136 157 154 140 140 140 140 140 140 140 155"),
        ("CC#N", "755 754 753 759 759 759"),
        ("O", "116 117 117"),
        ("CC(C)(C)C", "135 139 135 135 135" + " 140" * 12),
    ],
)
def test_opls_types_alkanes_alcohols_acetonitrile_and_water(smiles, types):
    assert check_parameters("opls_aa", smiles).types == tuple(f"opls_{number}" for number in types.split())


@pytest.mark.parametrize("smiles", ["CCC#N", "C1CCCCC1", "CC=C", "OCCO", "c1ccccc1", "CC(=O)O", "COC"])
def test_opls_refuses_what_its_parameters_do_not_cover(smiles):
    with pytest.raises(InputError, match="opls_aa (has no type|does not cover|has no parameters)"):
        check_parameters("opls_aa", smiles, "solvent")


@pytest.mark.parametrize("name", ["und", "clp_2004", "clp_2017"])
def test_tfsi_has_every_term_of_its_graph(name):
    sites = check_parameters(name, TFSI)
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
    with pytest.raises(InputError, match="the charge 0.001 e"):
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
        (('sigma="0.302"', 'sigma="nan"'), "sigma of its Atom is 'nan', not a finite number"),
        (('k="460.62123"', 'k="1e999"'), "k of its Angle is '1e999', not a finite number"),
        (('sigma="0.302"', 'sigma="-0.302"'), "sigma of its Atom O is -0.302; allowed are 0 to 1 nm"),
        (('mass="15.9994"', 'mass="0"'), "the Type O has the mass 0; it must be above 0"),
        (('combining_rule="lorentz_berthelot"', 'combining_rule="waldman"'), "'waldman'; allowed are .* geometric"),
        (('charge_scale="1"', ""), r"Metadata \(title=.*\) has no 'charge_scale'"),
        (('cutoff_nm="1.4"', 'cutoff_nm="long"'), "cutoff_nm of its Metadata is 'long', not a number"),
        (("</ForceField>", "<CustomBondForce/></ForceField>"), "CustomBondForce, and moxie can check only"),
        (('def="[CX4H4]"', ""), "the Type CH4 has no `def`. moxie needs two things beyond what OpenMM reads"),
        (('constraints="all_bonds"', 'constraints="some"'), "none, h_bonds, all_bonds"),
        (("</RBTorsionForce>", "<Improper/></RBTorsionForce>"), "improper"),
        (('<Atom type="CH4" ', '<Atom type="CH5" '), "CH4"),
        (('def="[CX4H4]"', 'def="[CX4H4"'), "not a SMARTS pattern"),
        (
            ('united_atom="true"', 'united_atom="True"'),
            "united_atom of its Metadata is 'True'; allowed are true, false",
        ),
        (('united_atom="true"', 'united_atom="true" rigid_watr="true"'), "its Metadata has the unknown rigid_watr"),
        (('absorbs="4"', 'absorbs="four"'), "absorbs of its Type is 'four', not a number"),
        (('length="0.1430"', 'length="1.430"'), "length of its Bond CHx-O is 1.430; allowed are 0.01 to 0.5 nm"),
        (
            ('angle="1.98967535"', 'angle="114"'),
            "angle of its Angle CHx-CH2-CHx is 114; allowed are 0.5 to 3.14159 rad",
        ),
        (('k="519.65391"', 'k="-519.65391"'), "k of its Angle CHx-CH2-CHx is -519.65391; allowed are 85 to"),
        (('lj14scale="0"', 'lj14scale="5"'), "lj14scale of its NonbondedForce is 5; allowed are 0 to 1"),
        (('mass="16.043"', 'mass="1.6"'), "CH4, whose mass is 1.6 amu instead of about 16.043"),
        (('class="CH4" element="C"', 'class="CH4" element="S"'), "CH4, whose element is S"),
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


PLAIN = """<ForceField>
 <AtomTypes><Type name="O" class="OW" element="O" mass="15.9994"/><Type name="H" class="HW" element="H" mass="1.008"/></AtomTypes>
 <Residues><Residue name="HOH"><Atom name="O" type="O"/><Atom name="H1" type="H"/><Atom name="H2" type="H"/>
  <Bond atomName1="O" atomName2="H1"/><Bond atomName1="O" atomName2="H2"/></Residue></Residues>
 <HarmonicBondForce><Bond class1="OW" class2="HW" length="0.1" k="345000"/></HarmonicBondForce>
 <HarmonicAngleForce><Angle class1="HW" class2="OW" class3="HW" angle="1.91" k="800"/></HarmonicAngleForce>
 <NonbondedForce coulomb14scale="0.5" lj14scale="0.5">
  <Atom class="OW" charge="-0.8" sigma="0.3" epsilon="0.6"/><Atom class="HW" charge="0.4" sigma="0.1" epsilon="0"/>
 </NonbondedForce>
</ForceField>"""  # noqa: E501
METADATA = (
    '<Metadata title="mine" combining_rule="lorentz_berthelot" united_atom="false" constraints="none" charge_scale="1"'
    ' timestep_fs="1" cutoff_nm="0.9"/>'
)


def own_file(tmp_path, *changes, name="mine.xml"):
    text = PLAIN
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    (tmp_path / name).write_text(text)
    return str(tmp_path / name)


ADDITIONS = (
    ("<AtomTypes>", METADATA + "<AtomTypes>"),
    ('name="O" class="OW"', 'name="O" class="OW" def="[OX2H2]"'),
    ('name="H" class="HW"', 'name="H" class="HW" def="[#1][OX2H2]"'),
)


def test_plain_openmm_file_is_refused_with_what_to_add_and_works_once_it_is_added(tmp_path):
    from moxie.dynamics.preflight import check_run
    from moxie.dynamics.protocol import RunSettings

    plain = own_file(tmp_path)
    with pytest.raises(
        InputError, match=r"mine.xml cannot be used: it has no Metadata element. moxie needs two things"
    ):
        check_parameters(plain, "O", "water")
    with pytest.raises(InputError, match="the Type O has no `def`"):
        check_parameters(own_file(tmp_path, ADDITIONS[0], name="half.xml"), "O", "water")
    whole = own_file(tmp_path, *ADDITIONS, name="whole.xml")
    check_run("water", {"water": 600}, {"water": "O"}, RunSettings(298.15, whole, timestep_fs=1.0))


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ((' k="345000"', ""), "'k'"),
        (('<Atom name="H2" type="H"/>', '<Atom name="H2" type="D"/>'), "'D'"),
    ],
)
def test_file_that_openmm_refuses_is_named_with_the_reason_before_any_job(tmp_path, change, reason):
    from moxie.dynamics.preflight import check_run
    from moxie.dynamics.protocol import RunSettings

    path = own_file(tmp_path, *ADDITIONS, change, name="refused.xml")
    with pytest.raises(InputError) as error:
        check_run("water", {"water": 600}, {"water": "O"}, RunSettings(298.15, path, timestep_fs=1.0))
    assert str(error.value).startswith("dynamics.systems.water: OpenMM refuses the force field")
    assert path in str(error.value) and reason in str(error.value)


def test_a_file_goes_by_its_own_name_and_is_an_xml_file_without_braces(tmp_path):
    path = edited(tmp_path, ('title="TraPPE', 'name="../evil" title="TraPPE'))
    assert load_force_field(path).name == "edited"
    with pytest.raises(InputError, match="nor the path of an XML file"):
        load_force_field(path.with_suffix(""))
    (tmp_path / "{ff}").mkdir()
    with pytest.raises(InputError, match="has a brace in its path"):
        load_force_field(path.rename(tmp_path / "{ff}" / "mine.xml"))


@pytest.mark.parametrize(("name", "near"), [("OPLS-AA", "opls_aa"), ("SPCE", "spce"), ("GAFF2", "gaff2")])
def test_other_spellings_of_a_name_are_recognised(name, near):
    with pytest.raises(InputError, match=f"Did you mean '{near}'"):
        load_force_field(name)


def test_a_remainder_of_charge_that_a_box_would_multiply_is_refused(tmp_path):
    path = edited(tmp_path, ('charge="0.435"', 'charge="0.4350005"'))
    with pytest.raises(InputError, match="the charge 5e-07 e; its formal charge"):
        check_parameters(path, "CO", "methanol")


def test_file_with_a_name_of_the_registry_is_refused(tmp_path):
    with pytest.raises(InputError, match="has the name of a force field in the registry.* Rename the file"):
        check_parameters(own_file(tmp_path, *ADDITIONS, name="spce.xml"), "O", "water")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (('weights="0.73612344', 'weights="0.5'), "two or three that add up to 1"),
        (('mass="0"', 'mass="1"'), "with the mass 0"),
        (('VirtualSite type="M"', 'VirtualSite type="L"'), "the Type M has no `def`"),
        (('def="[OX2H2]([#1])[#1]"', 'def="[OX2H2][#1]"'), "must match the 3 sites that carry it"),
    ],
)
def test_unusable_virtual_site_is_refused(tmp_path, change, message):
    with pytest.raises(InputError, match=message):
        check_parameters(edited(tmp_path, change, name="tip4p_2005"), "O", "water")


def test_charge_of_a_virtual_site_counts(tmp_path):
    path = edited(tmp_path, ('charge="-1.1128"', 'charge="-1.0"'), name="tip4p_2005")
    with pytest.raises(InputError, match="the charge 0.1128 e"):
        check_parameters(path, "O", "water")


def test_registry_is_found_by_a_path_that_goes_up_and_down(tmp_path):
    import subprocess
    import sys

    source = load_force_field("spce").path.parents[3]
    (tmp_path / "link").symlink_to(source)
    code = "from moxie.dynamics.typing import check_parameters; print(check_parameters('spce', 'O').types)"
    for entry in (source / ".." / source.name, tmp_path / "link"):
        command = [sys.executable, "-c", f"import sys; sys.path.insert(0, {str(entry)!r}); {code}"]
        answer = subprocess.run(command, capture_output=True, text=True, env={"PATH": ""})
        assert answer.returncode == 0, answer.stderr
        assert "OW" in answer.stdout


ACETONE = """<ForceField>
 <Metadata title="acetone" combining_rule="geometric" united_atom="false" constraints="h_bonds" charge_scale="1"
  timestep_fs="2" cutoff_nm="1.0"><Validity>acetone</Validity></Metadata>
 <AtomTypes>
  <Type name="t1" class="C" element="C" mass="12.011" def="[CX3](=O)([CX4])[CX4]"/>
  <Type name="t2" class="O" element="O" mass="15.999" def="[OX1]=[CX3]"/>
  <Type name="t3" class="CT" element="C" mass="12.011" def="[CX4H3]"/>
  <Type name="t4" class="HC" element="H" mass="1.008" def="[#1]"/>
 </AtomTypes>
 <HarmonicBondForce>
  <Bond class1="C" class2="O" length="0.1229" k="476976"/>
  <Bond class1="CT" class2="C" length="0.1522" k="265265.6"/>
  <Bond class1="CT" class2="HC" length="0.1090" k="284512"/>
 </HarmonicBondForce>
 <HarmonicAngleForce>
  <Angle class1="CT" class2="C" class3="O" angle="2.101377" k="669.44"/>
  <Angle class1="CT" class2="C" class3="CT" angle="2.024582" k="585.76"/>
  <Angle class1="HC" class2="CT" class3="C" angle="1.911136" k="292.88"/>
  <Angle class1="HC" class2="CT" class3="HC" angle="1.881465" k="276.144"/>
 </HarmonicAngleForce>
 <PeriodicTorsionForce>
  <Proper class1="HC" class2="CT" class3="C" class4="O" periodicity1="3" phase1="0" k1="0"/>
  <Proper class1="HC" class2="CT" class3="C" class4="CT" periodicity1="3" phase1="0" k1="0.5753"/>
  <Improper class1="C" class2="CT" class3="CT" class4="O" periodicity1="2" phase1="3.14159265" k1="43.932"/>
 </PeriodicTorsionForce>
 <NonbondedForce coulomb14scale="0.5" lj14scale="0.5">
  <Atom type="t1" charge="0.47" sigma="0.375" epsilon="0.43932"/>
  <Atom type="t2" charge="-0.47" sigma="0.296" epsilon="0.87864"/>
  <Atom type="t3" charge="-0.18" sigma="0.35" epsilon="0.276144"/>
  <Atom type="t4" charge="0.06" sigma="0.242" epsilon="0.06276"/>
 </NonbondedForce>
</ForceField>"""
CENTRE = '<Improper class1="C" class2="CT" class3="CT" class4="O"'
BOND, ANGLE = '<Bond class1="C" class2="O"', '<Angle class1="CT" class2="C" class3="O"'


def acetone_file(tmp_path, *changes):
    text = ACETONE
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    (tmp_path / "acetone.xml").write_text(text)
    return tmp_path / "acetone.xml"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ((CENTRE, '<Improper class1="CT" class2="C" class3="CT" class4="O"'), "CT-C-CT-O that no .* Put C"),
        ((CENTRE, '<Improper class1="O" class2="CT" class3="CT" class4="C"'), "Improper O-CT-CT-C that no atoms"),
        ((CENTRE, '<Improper type1="t3" type2="t3" type3="t1" type4="t2"'), "Improper t3-t3-t1-t2 that no atoms"),
        ((CENTRE, '<Improper class1="C1" class2="CT" class3="CT" class4="O"'), "names the class C1, which no Type has"),
        ((BOND, '<Bond class1="O" class2="C" length="0.12" k="4e5"/>' + BOND), "Bond C-O is given twice"),
        ((ANGLE, '<Angle class1="O" class2="C" class3="CT" angle="2" k="500"/>' + ANGLE),
         "Angle CT-C-O is given twice"),
        ((CENTRE, '<Improper class1="C" class2="O" class3="CT" class4="CT" k1="1" phase1="0"/>' + CENTRE),
         "Improper C-CT-CT-O is given twice"),
        (('<Atom type="t1"', '<Atom type="t1" charge="0.4" sigma="0.3" epsilon="0.1"/><Atom type="t1"'), "Atom t1"),
        (('<Type name="t4"', '<Type name="t4" class="HC" element="H" mass="1" def="[#1]"/><Type name="t4"'),
         "Type HC t4"),
        (('phase1="3.14159265"', 'phase1="180"'),
         r"phase1 of its Improper C-CT-CT-O is 180; allowed .* \+-6.28319 rad"),
        (('phase1="0" k1="0.5753"', 'phase1="-60" k1="0.5753"'), "phase1 of its Proper HC-CT-C-CT is -60"),
        (('periodicity1="3" phase1="0" k1="0.5753"', 'periodicity1="2.5" phase1="0" k1="0.5753"'), "a whole number"),
        (('k1="43.932"', 'k1="43932"'), r"k1 of its Improper .* is 43932; allowed are 0 to \+-300 kJ/mol"),
        (('k="265265.6"', 'k="317"'), r"k of its Bond CT-C is 317; allowed are 10000 to 3e\+06 kJ/mol/nm2"),
        (('k="284512"', 'k="2845.12"'), "k of its Bond CT-HC is 2845.12"),
        (('k="669.44"', 'k="80"'), "k of its Angle CT-C-O is 80; allowed are 85"),
        (('k="276.144"', 'k="0.0841"'), "k of its Angle HC-CT-HC is 0.0841"),
        (('epsilon="0.43932"', 'epsilon="98"'), "epsilon of its Atom t1 is 98; allowed are 0 to 50 kJ/mol"),
    ],
)  # fmt: skip
def test_rows_that_would_be_lost_or_misread_are_refused(tmp_path, change, message):
    with pytest.raises(InputError, match=message):
        check_parameters(acetone_file(tmp_path, change), "CC(C)=O", "acetone")


@pytest.mark.parametrize(
    "change",
    [
        ("<AtomTypes>", "<AtomTypes>"),
        (CENTRE, '<Improper class1="C" class2="O" class3="CT" class4="CT"'),
        (CENTRE, '<Improper class1="C" class2="" class3="" class4="O"'),
        ('k1="0.5753"', 'k1="-0.5753" k2="8" periodicity2="1" phase2="3.14159265"'),
    ],
)
def test_sound_rows_of_an_own_file_are_taken(tmp_path, change):
    sites = check_parameters(acetone_file(tmp_path, change), "CC(C)=O", "acetone")
    assert len(sites.impropers) == 1


def test_rows_that_no_atoms_of_a_box_get_are_named(tmp_path, caplog):
    from moxie.dynamics.preflight import check_run
    from moxie.dynamics.protocol import RunSettings

    extra = '<Bond class1="CT" class2="CT" length="0.153" k="224262"/>'
    path = acetone_file(tmp_path, (BOND, extra + BOND))
    check_run("it", {"acetone": 300}, {"acetone": "CC(C)=O"}, RunSettings(298.15, str(path), timestep_fs=1.0))
    assert "no atoms of acetone get bond CT-CT." in caplog.text
