"""A relaxed molecule is the one of its SMILES or its row says so; spins and energies are those that were computed."""

import re

import numpy as np
import pytest

from moxie.errors import InputError
from moxie.molecules.bonds import changed_bonds
from moxie.molecules.lists import Entry
from moxie.molecules.properties import compute, optimise_molecule
from moxie.molecules.spin import multiplicity
from moxie.molecules.xtb import electronic_entropy_eV
from moxie.structures.molecules import coordinates_A, embed, parse_smiles, write_sdf
from moxie.structures.overlaps import overlapping

SEED = 20261121


def rows(*smiles):
    return {row["smiles"]: row for row in compute("it", [Entry(each, each) for each in smiles], seed=SEED)}


# the first three stand in the issue; symmetric molecules have no dipole
CROWDED = ["FS(F)(F)(F)(F)F", "F[P-](F)(F)(F)(F)F", "ClP(Cl)(Cl)(Cl)Cl", "FP(F)(F)(F)F", "F[As-](F)(F)(F)(F)F",
           "F[Te](F)(F)(F)(F)F", "Cl[Sb-](Cl)(Cl)(Cl)(Cl)Cl"]  # fmt: skip


def test_crowded_molecules_keep_their_bonds_and_their_symmetry():
    found = rows(*CROWDED)
    assert {row["status"] for row in found.values()} == {"ok"}
    assert max(row["dipole_D"] for row in found.values()) < 0.01


@pytest.mark.parametrize("smiles", [*CROWDED, "FS(F)(F)(F)(F)c1ccccc1", "F[U](F)(F)(F)(F)F"])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_start_geometries_do_not_overlap(smiles, seed):
    molecule = embed(smiles, seed=seed)
    numbers = [atom.GetAtomicNum() for atom in molecule.GetAtoms()]
    bonds = [(bond.GetBeginAtomIdx(), bond.GetEndAtomIdx()) for bond in molecule.GetBonds()]
    assert not overlapping(numbers, bonds, coordinates_A(molecule))


# angles at the centre in degrees, from gas-phase structures (Landolt-Boernstein); the see-saw, the T, the square ...
@pytest.mark.parametrize(
    ("smiles", "expected"),
    [
        ("FS(F)(F)F", [88, 88, 88, 88, 102, 173]),
        ("F[Xe]F", [180]),
        ("F[C]F", [105]),
        ("Cl[Si]Cl", [101]),
        ("[CH2]", [134]),
        ("Cl[Pt-2](Cl)(Cl)Cl", [90, 90, 90, 90, 180, 180]),
        ("Cl[Ti](Cl)(Cl)Cl", [109.5] * 6),  # a control: no square
        ("O=S(=O)(F)F", [96, 108, 108, 108, 108, 124]),  # a control: nothing to choose
    ],
)
def test_the_arrangement_around_an_atom_without_a_type_is_the_lowest_of_several(smiles, expected, tmp_path):
    write_sdf(embed(smiles, "it", SEED), tmp_path / "it.sdf")
    row = optimise_molecule(tmp_path / "it.sdf", smiles, tmp_path / "it.json", name="it")
    lines = [line.split() for line in (tmp_path / "it.xyz").read_text().splitlines()[2:]]
    positions = np.array([words[1:] for words in lines], float)
    molecule = parse_smiles(smiles)
    centre = max(molecule.GetAtoms(), key=lambda atom: atom.GetDegree())
    vectors = positions[[other.GetIdx() for other in centre.GetNeighbors()]] - positions[centre.GetIdx()]
    vectors /= np.linalg.norm(vectors, axis=1)[:, None]
    found = np.degrees(np.arccos(np.clip((vectors @ vectors.T)[np.triu_indices(len(vectors), 1)], -1, 1)))
    assert row["status"] == "ok" and np.sort(found) == pytest.approx(expected, abs=5)


def test_other_starts_are_the_same_however_the_smiles_is_written():
    one, other = rows("F[Xe]Cl"), rows("Cl[Xe]F")
    assert [row["energy_eV"] for row in one.values()] == pytest.approx(
        [row["energy_eV"] for row in other.values()], abs=2e-4
    )


@pytest.mark.parametrize(
    ("smiles", "lower"),
    [("O=O", 3), ("S=S", 3), ("S=O", 3), ("Cl[Fe](Cl)Cl", 4), ("[O][O]", None), ("N=O", None), ("F[C]F", None),
     ("[O-][O+]=O", None), ("CO", None), ("[CH2]", None)],
)  # fmt: skip
def test_a_lower_spin_state_is_remarked(smiles, lower):
    (row,) = rows(smiles).values()
    remarked = re.findall(r"but (\d) lies (\d\.\d) eV lower", row["remarks"])
    assert row["status"] == "ok" and [int(each) for each, _ in remarked] == ([lower] if lower else [])


def test_a_dipole_that_symmetry_forbids_is_zero():
    assert [row["dipole_D"] for row in rows("[Na+]", "[Cl-]", "[Ar]").values()] == [0.0] * 3


# serine, sarcosine and taurine lose their proton in the gas; betaine has none, the sulfanilate's is too far away
def test_zwitterions_that_lose_their_proton_are_said_to(caplog):
    found = rows(
        "[NH3+]CC(=O)[O-]", "OC[C@H]([NH3+])C(=O)[O-]", "C[NH2+]CC(=O)[O-]", "[NH3+]CCS(=O)(=O)[O-]",
        "C[N+](C)(C)CC(=O)[O-]", "[NH3+]c1ccc(cc1)S(=O)(=O)[O-]", "C[N+](C)(C)[O-]",
    )  # fmt: skip
    changed, kept = list(found.values())[:4], list(found.values())[4:]
    assert all(row["status"].startswith("changed: relaxing broke N") for row in changed)
    assert all("formed O" in row["status"] and row["energy_eV"] is None for row in changed)
    assert [row["status"] for row in kept] == ["ok"] * 3 and kept[0]["dipole_D"] == pytest.approx(11.95, abs=0.1)


CONTROLS = {
    "a hydrogen bond within": "OC(=O)C=CC(=O)[O-]",
    "a metal salt": "[Li]OC(C)=O",
    "a weak bond": "O=[N+]([O-])[N+](=O)[O-]",
    "a close contact": "C1C2CC1C2",
    "a polyiodide": "I[I-]I",
    "an open shell": "[CH3]",
    "one atom": "[Cl-]",
}


def test_hydrogen_bonds_salts_and_close_contacts_are_no_changes():
    found = rows(*CONTROLS.values())
    assert {name: found[smiles]["status"] for name, smiles in CONTROLS.items()} == dict.fromkeys(CONTROLS, "ok")


def test_a_bond_that_moves_between_like_atoms_leaves_the_same_molecule():
    symbols, bonds = ("O", "H", "O"), [(0, 1)]
    positions = np.array([[0.0, 0, 0], [1.6, 0, 0], [2.6, 0, 0]])
    orders = np.zeros((3, 3))
    orders[1, 2] = orders[2, 1] = 0.9
    assert changed_bonds(symbols, bonds, positions, orders) == ([], [])
    assert changed_bonds(("N", "H", "O"), bonds, positions, orders) == ([(0, 1)], [(1, 2)])


@pytest.mark.parametrize(("one", "other"), [("OCC", "CCO"), ("C(F)(Cl)Br", "BrC(Cl)F"), ("O=C(C)N", "CC(N)=O")])
def test_one_molecule_has_one_result_by_name_in_a_list_and_however_it_is_written(one, other, tmp_path):
    write_sdf(embed(one, "named", SEED), tmp_path / "named.sdf")
    named = optimise_molecule(tmp_path / "named.sdf", one, tmp_path / "named.json", name="named")
    (listed,) = rows(other).values()
    for quantity in ("energy_eV", "dipole_D", "gap_eV", "solvation_water_eV"):
        assert named[quantity] == pytest.approx(listed[quantity], abs=2e-4), quantity


# ground states as textbooks have them, Hund's rule for atoms and bare ions; low spin for metals in molecules
@pytest.mark.parametrize(
    ("smiles", "expected", "word"),
    [
        ("[Al]", 2, ""), ("[O]", 3, ""), ("[Na]", 2, ""), ("[N]", 4, ""), ("[Cl-]", 1, ""), ("[Al+]", 1, ""),
        ("[S-]", 2, ""), ("[Li+]", 1, ""), ("[Fe+2]", 5, "high-spin"), ("[Fe+3]", 6, "high-spin"), ("[Zn+2]", 1, ""),
        ("Cl[Al]", 1, ""), ("Cl[Si]Cl", 1, ""), ("F[C]F", 1, ""), ("[CH2]", 3, ""), ("[CH]", 2, ""), ("[NH]", 3, ""),
        ("[CH3]", 2, ""), ("[O]N=O", 2, ""), ("C1=CN[C]N1", 1, ""), ("[O][O]", 3, ""), ("[BH]", 1, ""),
        ("Cl[Ti](Cl)Cl", 2, "open d shell"), ("Cl[V](Cl)Cl", 1, "open d shell"), ("Cl[Fe](Cl)Cl", 2, "open d shell"),
        ("Cl[Ti](Cl)(Cl)Cl", 1, ""), ("C[Zn]C", 1, ""), ("O=[Mn](=O)(=O)[O-]", 1, ""), ("Cl[Cu]", 1, ""),
    ],
)  # fmt: skip
def test_the_multiplicity_agrees_with_the_electrons(smiles, expected, word):
    found, remark = multiplicity(parse_smiles(smiles))
    assert found == expected and (word in remark if word else not remark or "high-spin" in remark)


def test_the_energy_is_without_the_electrons_entropy():
    found = rows("O=O", "[O][O]", "[N]=O")
    singlet, triplet, nitric_oxide = found.values()
    # two electrons in two orbitals of either spin: 4 ln 2 kT at 300 K
    assert singlet["electronic_entropy_eV"] == pytest.approx(4 * np.log(2) * 300 * 8.617333262e-5, rel=1e-4)
    assert singlet["energy_eV"] == pytest.approx(triplet["energy_eV"], abs=1e-4)
    assert nitric_oxide["electronic_entropy_eV"] == pytest.approx(2 * np.log(2) * 300 * 8.617333262e-5, rel=1e-3)
    with pytest.raises(RuntimeError, match="7 valence electrons cannot have the multiplicity 1"):
        electronic_entropy_eV(np.arange(9.0), 7, 1)


@pytest.mark.parametrize("smiles", ["C" * 5000, "C" * 334, "[SiH2]" * 400])
def test_molecules_too_large_to_embed_are_refused_at_once(smiles):
    with pytest.raises(InputError, match="at most 1000 are taken"):
        parse_smiles(smiles)


def test_a_molecule_that_does_not_embed_is_given_up_within_limits():
    with pytest.raises(InputError, match="distance geometry finds in 3 attempts"):
        embed("C12=C3C4=C5C6=C1C7=C8C9=C1C%10=C%11C(=C29)C3=C2C3=C4C4=C5C5=C9C6=C7C6=C7C8=C1C1=C8C%10=C%10C%11=C2C2=C3C3="
              "C4C4=C5C5=C%11C%12=C(C6=C95)C7=C1C1=C%12C5=C%11C4=C3C3=C5C(=C81)C%10=C23")  # fmt: skip
