"""Lists of molecules: how they are read, cut into chunks and computed, and what is refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moxie.errors import InputError
from moxie.features.molecules import tabulate
from moxie.features.schemas import MOLECULES
from moxie.features.tables import read_table, read_units, write_table
from moxie.molecules.lists import Entry, chunks, list_name, read_list, with_structures
from moxie.molecules.properties import MoleculeSettings, compute_chunk
from moxie.reference import partition
from moxie.reference.dipoles import dipole_references


def written(tmp_path, text, name="mine.csv"):
    (tmp_path / name).write_text(text, encoding="utf-8")
    return str(tmp_path / name)


def test_csv_and_smi_files_give_names_smiles_and_measured_values(tmp_path):
    source = written(tmp_path, "name,smiles,logP\nethanol,CCO,-0.31\n,CCC,\n")
    assert read_list(source) == [Entry("ethanol", "CCO", -0.31), Entry("CCC", "CCC", None)]
    assert read_list(written(tmp_path, "CCO ethyl alcohol\n\nC\n", "m.smi")) == [
        Entry("ethyl alcohol", "CCO"),
        Entry("C", "C"),
    ]
    assert list_name(source) == "mine" and list_name("logp_crc") == "logp_crc"


@pytest.mark.parametrize("mark", ["\u2028", "\x0c", "\x85"])
def test_only_line_ends_end_a_row(mark, tmp_path):
    """Python's splitlines also splits at these; the rest of a name would be taken for a molecule."""
    assert read_list(written(tmp_path, f"smiles,name\nCCO,a{mark}B\n")) == [Entry(f"a{mark}B", "CCO")]
    assert read_list(written(tmp_path, f"CCO a{mark}B\n", "m.smi")) == [Entry(f"a{mark}B", "CCO")]


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("m.csv", "name,smile\na,CCO\n", "lacks a column smiles; its columns are name, smile"),
        ("m.csv", "smiles,logP\nCCO,nan\n", r"m.csv, line 2: logP = 'nan' is not a finite number"),
        ("m.csv", "smiles,logP\nCCO,inf\n", "line 2: logP = 'inf' is not"),
        ("m.csv", "smiles,logP\nCCO,high\n", "logP = 'high' is not"),
        ("m.csv", "smiles\nCCO\nCCC\nCCO\n", "line 4: 'CCO' stands in line 2 already"),
        ("m.csv", "smiles,name\nCCO,a\n,b\n", "line 3: there is no SMILES"),
        ("m.csv", "smiles,logp\nCCO,-0.3\n", "has a column 'logp'; is logP meant"),
        ("m.csv", "SMILES,logP\nCCO,-0.3\n", "has a column 'SMILES'; is smiles meant"),
        ("m.csv", "smiles,name\nCCO,a,b\n", "line 2: there are more values than columns"),
        ("m.csv", 'smiles,name\nCCO,"a\nCO,b\n', "line 2: unexpected end of data. Put texts with commas in pairs"),
        ("m.csv", "smiles\n" + "C" * 200_000, "line 2: field larger than field limit"),
        ("m.csv", "smiles,logP,logP\nCCO,1,2\n", "has 2 columns logP. Rename all but one"),
        ("m.csv", "smiles\n", "holds no molecule"),
        ("m.csv", "", "lacks a column smiles; its columns are .none."),
        ("Bad name.csv", "smiles\nCCO\n", "the name of a list must start with a lower-case letter"),
        ("named.csv", "smiles\nCCO\n", "differ from named"),
        ("m.xlsx", "", "neither a built-in set .logp_crc, logp_syrres. nor a .csv or .smi file"),
    ],
)
def test_unusable_lists_are_refused_with_file_and_line(name, text, message, tmp_path):
    with pytest.raises(InputError, match=message):
        read_list(written(tmp_path, text, name))


def test_missing_list_is_named(tmp_path):
    with pytest.raises(InputError, match="none.csv does not exist"):
        read_list(str(tmp_path / "none.csv"))


@given(st.sets(st.text(min_size=1, max_size=8), min_size=1, max_size=60), st.integers(1, 9), st.text("xy", min_size=9))
def test_adding_a_molecule_changes_one_chunk_only(names, largest, added):
    entries = [Entry(name, "C") for name in names]
    before, after = chunks(entries, largest), chunks([*entries, Entry(added, "C")], largest)
    assert sorted(entry.name for chunk in before.values() for entry in chunk) == sorted(names)
    assert all(0 < len(chunk) <= largest for chunk in before.values())
    changed = [name for name in before if before[name] != after.get(name)]
    assert len(changed) <= 1
    fresh = [entry.name for name, chunk in after.items() if before.get(name) != chunk for entry in chunk]
    was = [entry.name for name in changed for entry in before[name]]
    assert sorted(fresh) == sorted([*was, added])  # what is computed anew: the molecules of that chunk and the new one


def test_a_shortened_list_keeps_the_same_molecules_when_it_grows(tmp_path):
    text = "smiles\n" + "".join(f"{'C' * n}\n" for n in range(1, 21))
    few, more = (read_list(written(tmp_path, text), most) for most in (5, 8))
    assert len(few) == 5 and set(few) < set(more)


def test_built_in_sets_hold_what_their_description_says():
    assert [len(read_list(name)) for name in partition.SETS] == [449, 11569]
    assert partition.measured_logP("logp_crc")["71-43-2"] == pytest.approx(2.13, abs=0.02)  # benzene, any textbook
    benzene, unknown = with_structures("logp_crc", [Entry("71-43-2", ""), Entry("74778-22-6", "")])
    assert benzene.smiles == "C1=CC=CC=C1" and unknown.smiles == ""


TINY = [
    Entry("water", "O", -1.38),
    Entry("methyl", "[CH3]"),
    Entry("ammonium", "[NH4+]"),
    Entry("broken", "C(("),
    Entry("salt", "[Na+].[Cl-]"),
    Entry("uranium", "[U]"),
    Entry("unknown", ""),
    Entry("dummy", "*C"),
    Entry("polymer", "C" * 67),
]


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tiny")
    compute_chunk("mine", TINY, folder / "all.json", seed=1)
    write_table(tabulate([folder / "all.json"]), folder / "molecules.parquet", MOLECULES)
    return read_table(folder / "molecules.parquet", MOLECULES).set_index("molecule"), folder


def test_radicals_and_ions_are_computed_with_their_spin_and_charge(tiny):
    table, _ = tiny
    assert table.loc["methyl", ["charge", "spin_multiplicity", "status"]].tolist() == [0, 2, "ok"]
    assert table.loc["ammonium", ["charge", "spin_multiplicity", "status"]].tolist() == [1, 1, "ok"]
    assert sum(table.loc["ammonium", "charges"]) == pytest.approx(1, abs=1e-6)
    assert table.loc["ammonium", "solvation_water_eV"] < -2.5  # an ion: tens of kcal/mol


def test_failures_in_a_list_are_rows_with_a_reason(tiny):
    table, _ = tiny
    for name, reason in {
        "broken": "not a SMILES that rdkit can read",
        "salt": "several fragments",
        "uranium": "No support for elements",
        "unknown": "no SMILES is given, and none is known",
        "dummy": "which is no element",
        "polymer": "203 atoms, hydrogens included; quantum_chemistry.most_atoms allows 200",
    }.items():
        assert table.loc[name, "status"].startswith("failed") and reason in table.loc[name, "status"], name
    failed = table["status"] != "ok"
    assert failed.sum() == 6 and table.loc[failed, ["energy_eV", "dipole_D", "solvation_water_eV"]].isna().all(
        axis=None
    )


def test_table_keeps_units_labels_and_the_sign_of_solvation(tiny):
    table, folder = tiny
    units = read_units(folder / "molecules.parquet")
    assert units["solvation_wet_octanol_eV"] == "eV" and units["logP_measured"] == "1"
    assert table.loc["water", "logP_measured"] == -1.38
    water = table.loc["water"]
    assert water["solvation_water_eV"] < water["solvation_octanol_eV"] < 0  # water likes water best
    assert water["solvation_water_eV"] == pytest.approx(-0.27, abs=0.15)  # experiment: -6.3 kcal/mol


def test_a_molecule_has_one_result_whatever_chunk_it_stands_in(tiny, tmp_path):
    table, _ = tiny
    (alone,) = compute_chunk("mine", [Entry("again", "O")], tmp_path / "a.json", seed=1)
    assert alone["energy_eV"] == table.loc["water", "energy_eV"]


def test_not_converged_is_a_row(tmp_path):
    (row,) = compute_chunk(
        "m", [Entry("e", "CCO")], tmp_path / "a.json", seed=1, settings=MoleculeSettings(max_steps=1)
    )
    assert "not converged after 1 steps" in row["status"]


def test_dipole_references_say_how_far_they_were_checked():
    water = dipole_references("O")
    assert [value.checked for value in water] == ["verified"] and water[0].value == 1.85
    chlorobenzene = dipole_references("Clc1ccccc1")
    assert all(1.5 < value.value < 1.9 and value.source for value in chlorobenzene)
    assert dipole_references("CCCCCCCCCCCCCCCCCC(=O)O") == []
    for value in dipole_references("CO") + chlorobenzene:
        assert value.unit == "debye" and value.kind == "experiment"


@pytest.mark.parametrize(
    ("lists", "message"),
    [
        (["logp_crk"], "`quantum_chemistry.molecule_lists`: 'logp_crk' is neither a built-in set"),
        (["logp_crc", "logp_crc"], "logp_crc and logp_crc are both called logp_crc. Rename one"),
        (["gone.csv"], "gone.csv does not exist"),
    ],
)
def test_bad_lists_stop_a_study_before_any_job(lists, message):
    from moxie.study import Study

    with pytest.raises(InputError, match=message):
        Study.load({"quantum_chemistry": {"molecule_lists": lists}})


ALKANES = [f"{'C' * n},{n}" for n in range(1, 31)]
RINGS = [f"C1{'C' * n}C1,1" for n in range(1, 5)]


@pytest.mark.parametrize(
    ("rows", "learnt"),
    [
        (None, True),  # the built-in set
        (["CCO,"], False),
        (ALKANES, False),  # enough molecules, one scaffold
        (RINGS, False),
        ([*ALKANES[:26], *RINGS], True),
    ],
)
def test_a_study_with_too_few_measured_values_has_no_logp_task(rows, learnt, tmp_path):
    from moxie.study import Study

    source = "logp_crc" if rows is None else written(tmp_path, "\n".join(["smiles,logP", *rows]))
    study = Study.load({"quantum_chemistry": {"molecule_lists": [source]}, "learning": {}})
    assert ("logp" in study.learning.tasks) == learnt == ("logp" in study.parts)


def test_density_functional_without_pyscf_is_refused_with_what_to_do(monkeypatch):
    from importlib import util

    from moxie.config import load
    from moxie.study import Study

    found = util.find_spec
    monkeypatch.setattr(util, "find_spec", lambda name, *rest: None if name == "pyscf" else found(name, *rest))
    values = {
        "molecules": {"methanol": "CO"},
        "quantum_chemistry": {"density_functional": {"functional": "b3lyp", "basis": "def2-svpd"}},
    }
    assert load(values).quantum_chemistry.density_functional is not None
    with pytest.raises(InputError, match="pyscf, which is not installed. Install it \\("):
        Study.load(values)


def test_density_functional_dipole_of_water_is_near_experiment(tiny, tmp_path):
    pytest.importorskip("pyscf")
    settings = MoleculeSettings(density_functional={"functional": "b3lyp", "basis": "def2-svpd"})
    (row,) = compute_chunk("m", [Entry("water", "O")], tmp_path / "a.json", seed=1, settings=settings)
    assert row["status"] == "ok" and row["dft_dipole_D"] == pytest.approx(1.85, abs=0.1)
    wrong = MoleculeSettings(density_functional={"functional": "b3lyp", "basis": "no-such-basis"})
    (row,) = compute_chunk("m", [Entry("water", "O")], tmp_path / "b.json", seed=1, settings=wrong)
    assert row["status"].startswith("failed: b3lyp/no-such-basis")


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("SMILES Name\nCCO ethanol\n", [("ethanol", "CCO")]),
        ("smiles\tid\tMW\nCCO\tethyl alcohol\t46.07\nC\t\t16\n", [("ethyl alcohol", "CCO"), ("C", "C")]),
        ("# a list\n\n  # more\nCCO\n#CC is no SMILES\nCC#C propyne\n", [("CCO", "CCO"), ("propyne", "CC#C")]),
        ("canonical_smiles\r\nC[NH3+]\r\n[13CH4] heavy\r\n", [("C[NH3+]", "C[NH3+]"), ("heavy", "[13CH4]")]),
        ("CCO 2-propanol, not\nC(Cl)Br\n", [("2-propanol, not", "CCO"), ("C(Cl)Br", "C(Cl)Br")]),
        ("[Na+] 0007440235\nF/C=C/F\ttrans\n", [("0007440235", "[Na+]"), ("trans", "F/C=C/F")]),
        ("C%12CC%12 ring\nCl Br\n", [("ring", "C%12CC%12"), ("Br", "Cl")]),
        ("CCO ethanol\nSMILES odd\n", [("ethanol", "CCO"), ("odd", "SMILES")]),  # only a first line is a header
    ],
)  # fmt: skip
def test_smi_files_may_have_a_header_comments_and_columns(text, found, tmp_path):
    assert read_list(written(tmp_path, text, "m.smi")) == [Entry(name, smiles) for name, smiles in found]


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("m.smi", "CCO,C1\n", "line 1: 'CCO,C1' holds a comma or semicolon"),
        ("m.smi", "C one\nCCO;two\n", "line 2: .* a .csv file, with the header smiles,name"),
        ("m.smi", "smiles,name\nCCO,ethanol\n", "line 1: 'smiles,name' holds a comma"),
        ("m.smi", "CCO |^1:0| radical\n", "line 1: .* an extension between bars"),
        ("m.smi", "CCO x\t46.07\n", "line 1: .* has more than a SMILES before its name"),
        ("m.smi", "Name SMILES\nethanol CCO\n", "line 1: 'Name' is no SMILES. If this is a header, the SMILES must"),
        ("m.smi", "SMILES\n", "holds no molecule"),
        ("m.csv", "smiles;name\nCCO;a\n", "lacks a column smiles; .* Part its columns by commas, not by ';'"),
        ("m.csv", "smiles\tname\nCCO\ta\n", r"Part its columns by commas, not by '\\t'"),
        ("m.csv", "smiles,name\n# my list\nCCO,a\n", "line 2: a CSV file has no comments"),
        ("m.csv", "name,smiles\na,CCO\nb\n", "line 3: there are fewer values than columns"),
    ],
)
def test_lines_that_fit_no_format_are_refused_by_number(name, text, message, tmp_path):
    with pytest.raises(InputError, match=message):
        read_list(written(tmp_path, text, name))
