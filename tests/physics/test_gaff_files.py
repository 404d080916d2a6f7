from dataclasses import replace
from xml.etree import ElementTree

import pytest
from gaff_files import DATA, MOLECULES, findings, written
from hypothesis import given, settings
from hypothesis import strategies as st

from moxie.dynamics import antechamber, gaff
from moxie.dynamics.amber_files import Parameters
from moxie.dynamics.equivalence import constitution_smiles, equivalent_atoms, rooted_smarts
from moxie.dynamics.force_fields import load_force_field
from moxie.dynamics.preflight import check_run
from moxie.dynamics.protocol import RunSettings
from moxie.dynamics.typing import check_parameters
from moxie.errors import InputError
from moxie.structures.molecules import embed, parse_smiles, write_sdf

TFSI = "O=S(=O)([N-]S(=O)(=O)C(F)(F)F)C(F)(F)F"
SMILES = [
    *MOLECULES.values(), "COCCOCCOCCOCCOC", "CC(=O)[O-]", "C[N+](=O)[O-]", "Cc1ccccc1", "c1ccc2ccccc2c1", "C/C=C/C",
    "C[C@H](O)CC", "C1CC1", "FC(F)(F)C(C)(C)C", "O=C1OCCO1", "C[N+](C)(C)CCO", "N#N", TFSI, "CC(C)(C)C", "c1cc[nH]c1",
]  # fmt: skip


def converted(name="methanol", **changes):
    text = gaff.force_field_xml(load_force_field("gaff2"), MOLECULES[name], name, replace(findings(name), **changes))
    return ElementTree.fromstring(text)


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(SMILES), st.integers(0, 10**6))
def test_patterns_of_a_molecule_find_each_atom_once_in_any_order_of_atoms(smiles, seed):
    from rdkit import Chem

    molecule = parse_smiles(smiles)
    patterns = {kind: Chem.MolFromSmarts(rooted_smarts(molecule, kind)) for kind in set(equivalent_atoms(molecule))}
    (shuffled,) = Chem.MolToRandomSmilesVect(Chem.RemoveHs(molecule), 1, randomSeed=seed)
    other = parse_smiles(shuffled)
    found: dict[int, list[int]] = {}
    for kind, pattern in patterns.items():
        for first in {match[0] for match in other.GetSubstructMatches(pattern, uniquify=False, maxMatches=10**6)}:
            found.setdefault(first, []).append(kind)
    assert {atom: len(kinds) for atom, kinds in found.items()} == dict.fromkeys(range(other.GetNumAtoms()), 1)
    labels = equivalent_atoms(other)
    assert all((labels[a] == labels[b]) == (found[a] == found[b]) for a in found for b in found)


@pytest.mark.parametrize(
    ("smiles", "kinds"),
    [("CO", 4), ("CC(=O)[O-]", 4), ("c1ccccc1", 2), ("Cc1ccccc1", 9), ("C[N+](=O)[O-]", 4), ("N#N", 1), (TFSI, 5)],
)
def test_resonance_structures_do_not_split_equivalent_atoms(smiles, kinds):
    assert len(set(equivalent_atoms(parse_smiles(smiles)))) == kinds


@settings(max_examples=40, deadline=None)
@given(st.sampled_from(SMILES), st.sampled_from(SMILES))
def test_patterns_match_no_other_molecule(smiles, other):
    from rdkit import Chem

    molecule, stranger = parse_smiles(smiles), parse_smiles(other)
    same = constitution_smiles(molecule) == constitution_smiles(stranger)
    assert same == (smiles == other)
    assert stranger.HasSubstructMatch(Chem.MolFromSmarts(rooted_smarts(molecule, 0))) == same


@pytest.mark.parametrize("name", MOLECULES)
def test_file_types_its_molecule_and_is_neutral(tmp_path, name):
    path = written(tmp_path, name)
    sites = check_parameters(path, MOLECULES[name], name)
    force_field = load_force_field(path)
    kinds = equivalent_atoms(parse_smiles(MOLECULES[name]))
    assert [sites.types.index(kind) for kind in sites.types] == kinds
    assert sum(force_field.types[kind].charge_e for kind in sites.types) == pytest.approx(0, abs=1e-12)
    assert force_field.name == "gaff2"
    assert (force_field.lennard_jones_14_scale, force_field.coulomb_14_scale) == (0.5, pytest.approx(1 / 1.2))
    assert ElementTree.parse(path).find("Metadata/Molecule").attrib == {
        "name": name,
        "smiles": MOLECULES[name],
        "antechamber": "22.0",
    }


def test_charges_are_the_mean_over_equivalent_atoms_and_add_up():
    charges = gaff.symmetrised([0.10, 0.12, -0.2, -0.021], [0, 0, 2, 3], 0)
    assert charges[0] == charges[1] == pytest.approx(0.11 + 0.001 / 4)
    assert sum(charges) == pytest.approx(0, abs=1e-15)
    with pytest.raises(InputError, match=r"add up to 0.1000 e, not to 0 e"):
        gaff.symmetrised([0.1], [0], 0)


def test_parameters_follow_ambers_rules_of_precedence():
    parameters = Parameters()
    parameters.read("MASS\n\nDIHE\nX -c3-oh-X    3    0.600  0.0  3.0\nho-oh-c3-c3   1  0.25  0.0  -3.0\n"
                    "ho-oh-c3-c3   1   0.16  0.0  1.0\n", "first")  # fmt: skip
    assert parameters.find("DIHE", ("hc", "c3", "oh", "ho")).rows == ((pytest.approx(0.2), 0.0, 3.0),)
    assert parameters.find("DIHE", ("c3", "c3", "oh", "ho")).rows == ((0.25, 0.0, 3.0), (0.16, 0.0, 1.0))
    parameters.read("MASS\n\nDIHE\nc3-c3-oh-ho   1  0.5  180.0  2.0\n", "second")
    assert parameters.find("DIHE", ("ho", "oh", "c3", "c3")).rows == ((0.5, 180.0, 2.0),)
    assert parameters.find("DIHE", ("ho", "oh", "ca", "ca")) is None


def test_equivalent_bonds_with_different_parameters_are_refused():
    mol2 = findings("methanol").mol2.replace(" h1 ", " hc ", 1)
    with pytest.raises(InputError, match="it gives equivalent bonds different parameters"):
        converted(mol2=mol2)


def test_terms_without_parameters_are_named():
    with pytest.raises(InputError, match="it has no bond c3-ho"):
        converted(mol2=findings("methanol").mol2.replace(" h1 ", " ho ", 1))
    with pytest.raises(InputError, match="no parameters for c3-oh-ho"):
        converted(frcmod="MASS\n\nANGLE\nc3-oh-ho   0.00  0.000  ATTN, need revision\n")
    with pytest.raises(InputError, match="no atom type zz"):
        converted(mol2=findings("methanol").mol2.replace(" oh ", " zz ", 1))


@pytest.mark.parametrize(
    ("smiles", "message"),
    [
        ("O", "does not cover it .*water"),
        ("[Li+]", "ions of one atom"),
        (TFSI, "two sulfur atoms"),
        ("F[B-](F)(F)F", "types for H, C, N, O, F, P, S, Cl, Br and I only"),
        ("C[Si](C)(C)C", "types for H, C, N, O, F, P, S, Cl, Br and I only"),
        ("F[P-](F)(F)(F)(F)F", "one equilibrium angle"),
        ("[CH3]", "unpaired electrons"),
        ("[H][H]", "hydrogen bonded to hydrogen"),
    ],
)
@pytest.mark.parametrize("family", ["gaff", "gaff2"])
def test_molecules_that_it_cannot_do_are_refused_with_the_reason(family, smiles, message):
    with pytest.raises(InputError, match=message) as error:
        gaff.check_coverage(load_force_field(family), {"it": smiles})
    assert f"force field {family} does not cover it ({smiles})" in str(error.value)


def test_two_molecules_of_one_constitution_are_refused():
    with pytest.raises(InputError, match=r"trans \(C/C=C/C\) and cis \(C/C=C\\C\) have the same constitution"):
        gaff.check_coverage(load_force_field("gaff2"), {"cis": r"C/C=C\C", "trans": "C/C=C/C"})


def test_template_says_that_a_file_must_be_made():
    with pytest.raises(InputError, match="made for each molecule with antechamber"):
        check_parameters("gaff2", "CO", "methanol")


def test_missing_package_and_library_are_named_with_what_installs_them(monkeypatch, tmp_path):
    run = ("methanol", {"methanol": 216}, {"methanol": "CO"}, RunSettings(298.15, force_field="gaff2"))
    monkeypatch.setattr(antechamber, "_folder", lambda: tmp_path)
    monkeypatch.setattr(antechamber, "_missing_libraries", lambda program: ("libarpack.so.2",))
    with pytest.raises(InputError, match=r"dynamics.systems.methanol: .* libarpack.so.2. .*apt-get install libarpack2"):
        check_run(*run)
    monkeypatch.undo()
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(InputError, match=r"dynamics.systems.methanol: .*pip install --require-hashes -r envs/gaff.txt"):
        check_run(*run)


def test_failures_are_told_in_the_programs_words():
    log = (DATA / "no_convergence.sqm.out").read_text()
    assert antechamber.failure_reason("antechamber", "", log) == (
        "sqm found no AM1 wave function: Unable to achieve self consistency to the tolerances specified;"
        " No convergence in SCF after 2 steps."
    )
    fatal = "/x/antechamber: Fatal Error!\nUnable to find sqm charges in file (sqm.out).\nVerify the filename.\n"
    assert antechamber.failure_reason("antechamber", fatal, "") == (
        "antechamber failed: Unable to find sqm charges in file (sqm.out)"
    )


def test_failure_leaves_no_file_and_names_the_molecule(monkeypatch, tmp_path):
    def fails(sdf, charge, family):
        raise InputError("sqm found no AM1 wave function")

    monkeypatch.setattr(antechamber, "check_available", lambda: None)
    monkeypatch.setattr(antechamber, "run", fails)
    write_sdf(embed("CO", "methanol"), tmp_path / "m.sdf")
    with pytest.raises(InputError, match=r"gaff2 cannot be made for methanol \(CO\): sqm found no AM1"):
        gaff.parametrise(tmp_path / "m.sdf", "CO", "methanol", "gaff2", tmp_path / "m.xml")
    assert [path.name for path in tmp_path.iterdir()] == ["m.sdf"]


@pytest.fixture
def programs():
    try:
        antechamber.check_available()
    except InputError as error:
        pytest.skip(f"the GAFF programs are not installed: {error}")


@pytest.mark.parametrize("name", ["methanol", "formamide"])
def test_programs_give_what_is_stored(programs, tmp_path, name):
    write_sdf(embed(MOLECULES[name], name), tmp_path / "in.sdf")
    found = antechamber.run(tmp_path / "in.sdf", 0, "gaff2")
    stored = findings(name)
    assert found.frcmod.split() == stored.frcmod.split()
    for new, old in zip(gaff.read_mol2(found.mol2), gaff.read_mol2(stored.mol2), strict=True):
        assert (new.element, new.atom_type) == (old.element, old.atom_type)
        assert new.charge_e == pytest.approx(old.charge_e, abs=2e-3)


def test_real_molecule_that_the_types_cannot_describe_leaves_no_file(programs, tmp_path):
    smiles = "C1=CC=CC=CC=C1"  # cyclooctatetraene: all carbons alike, bonds alternate
    write_sdf(embed(smiles, "cot"), tmp_path / "in.sdf")
    with pytest.raises(InputError, match="equivalent bonds different parameters"):
        gaff.parametrise(tmp_path / "in.sdf", smiles, "cot", "gaff2", tmp_path / "out.xml")
    assert not (tmp_path / "out.xml").exists()


def test_study_points_runs_to_the_file_made_of_their_molecules():
    from moxie.config import load
    from moxie.study import Study

    systems = {
        "mixture": {"composition": {"methanol": 9, "ethanol": 9}, "force_field": "gaff2"},
        "plain": {"composition": {"methanol": 9}},
    }
    study = Study(load({"molecules": {"methanol": "CO", "ethanol": "CCO"}, "dynamics": {"systems": systems}}))
    mixture, plain = (study.dynamics.systems[name] for name in ("mixture", "plain"))
    made = mixture.run_settings(298.15, 1.0).force_field
    assert made == mixture.gas_settings(298.15).force_field == "results/structures/gaff2/boxes/mixture.xml"
    assert plain.run_settings(298.15, 1.0).force_field == "trappe_ua"
    assert mixture.runs == ["mixture/gaff2/T298.15_p1/replica0"]


def test_two_names_of_one_conjugated_atom_count_as_equivalent(programs, tmp_path):
    smiles = "C=CC=CC=C"  # antechamber calls the inner carbons ce, ce, cf, cf
    write_sdf(embed(smiles, "hexatriene"), tmp_path / "in.sdf")
    gaff.parametrise(tmp_path / "in.sdf", smiles, "hexatriene", "gaff2", tmp_path / "out.xml")
    assert len(set(check_parameters(tmp_path / "out.xml", smiles, "hexatriene").types)) == 6


@pytest.mark.parametrize(
    ("remarks", "penalty"),
    [
        (["o -c -nt-hn 1 2.0 0.0 1.0 same as o -c -n -hn, penalty score=  0.0"], 0.0),
        (["c3-s6 1 2 3 penalty score=266.0", "ca-ca-ca-ha 1.1 180 2 Using general ..., penalty score=  6.0)"], 266.0),
        ([], None),
    ],
)
def test_the_largest_penalty_of_estimated_terms_is_read_from_the_file(remarks, penalty):
    import xml.etree.ElementTree as ElementTree

    from moxie.dynamics.force_fields import _largest_penalty

    metadata = ElementTree.Element("Metadata")
    molecule = ElementTree.SubElement(metadata, "Molecule")
    for remark in remarks:
        ElementTree.SubElement(molecule, "Estimated").text = remark
    assert _largest_penalty(metadata) == penalty
