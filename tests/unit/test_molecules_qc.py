"""Molecules: what is read from files, what failures look like, and the table."""

import numpy as np
import pytest

from moxie.errors import InputError
from moxie.features.molecules import tabulate
from moxie.features.schemas import MOLECULES
from moxie.features.tables import read_table, write_table
from moxie.io import read_json, write_json
from moxie.molecules.geometry import read_sdf
from moxie.molecules.properties import MoleculeSettings, optimise_molecule
from moxie.molecules.xtb import frontier_orbitals


def write_sdf(path, smiles, name="molecule", seed=1):
    from rdkit import Chem
    from rdkit.Chem import AllChem

    molecule = Chem.AddHs(Chem.MolFromSmiles(smiles))
    AllChem.EmbedMolecule(molecule, randomSeed=seed)
    molecule.SetProp("_Name", name)
    with Chem.SDWriter(str(path)) as writer:
        writer.write(molecule)
    return path


@pytest.mark.parametrize(
    ("smiles", "n_atoms", "charge", "multiplicity"),
    [("CO", 6, 0, 1), ("[Li+]", 1, 1, 1), ("O=S(=O)([N-]S(=O)(=O)C(F)(F)F)C(F)(F)F", 15, -1, 1), ("[O][O]", 2, 0, 3)],
)
def test_charge_and_multiplicity_come_from_the_file(smiles, n_atoms, charge, multiplicity, tmp_path):
    geometry = read_sdf(write_sdf(tmp_path / "m.sdf", smiles, "some name"))
    assert (len(geometry.symbols), geometry.charge, geometry.multiplicity) == (n_atoms, charge, multiplicity)
    assert geometry.name == "some name" and geometry.positions_A.shape == (n_atoms, 3)


def test_damaged_missing_and_flat_files_are_named(tmp_path):
    from rdkit import Chem

    with pytest.raises(InputError, match="none.sdf does not exist"):
        read_sdf(tmp_path / "none.sdf")
    (tmp_path / "bad.sdf").write_text("not a molecule\n")
    with pytest.raises(InputError, match="bad.sdf holds no molecule"):
        read_sdf(tmp_path / "bad.sdf")
    with Chem.SDWriter(str(tmp_path / "flat.sdf")) as writer:
        writer.write(Chem.AddHs(Chem.MolFromSmiles("CO")))
    with pytest.raises(InputError, match="flat.sdf is a flat drawing"):
        read_sdf(tmp_path / "flat.sdf")
    text = write_sdf(tmp_path / "close.sdf", "O").read_text().splitlines()
    text[5] = text[4][:30] + text[5][30:]
    (tmp_path / "close.sdf").write_text("\n".join(text) + "\n")
    with pytest.raises(InputError, match="closer than 0.3"):
        read_sdf(tmp_path / "close.sdf")


def test_frontier_orbitals_of_closed_open_and_empty_shells():
    energies = np.array([-3.0, -2.0, -1.0, 1.0])
    assert frontier_orbitals(energies, np.array([2.0, 2.0, 0.0, 0.0])) == (-2.0, -1.0)
    assert frontier_orbitals(energies, np.array([2.0, 2.0, 1.0, 0.0])) == (-1.0, 1.0)
    assert frontier_orbitals(energies, np.zeros(4)) == (None, -3.0)
    assert frontier_orbitals(energies, np.full(4, 2.0)) == (1.0, None)


def test_failures_are_rows_with_a_reason(tmp_path):
    heavy = optimise_molecule(write_sdf(tmp_path / "u.sdf", "[U]"), "[U]", tmp_path / "u.json", name="uranium")
    slow = optimise_molecule(
        write_sdf(tmp_path / "e.sdf", "CCO"),
        "CCO",
        tmp_path / "e.json",
        name="ethanol",
        settings=MoleculeSettings(max_steps=2),
    )
    good = optimise_molecule(write_sdf(tmp_path / "w.sdf", "O"), "O", tmp_path / "w.json", name="water")
    assert heavy["status"].startswith("failed") and "not converged after 2 steps" in slow["status"]
    assert good["status"] == "ok" and (tmp_path / "w.xyz").read_text().splitlines()[0] == "3"
    write_table(tabulate([tmp_path / f"{name}.json" for name in "uew"]), tmp_path / "m.parquet", MOLECULES)
    table = read_table(tmp_path / "m.parquet", MOLECULES).set_index("molecule")
    assert table.loc[["ethanol", "uranium"], "energy_eV"].isna().all() and table.loc["ethanol", "charges"] == []
    assert table.loc["water", "symbols"] == ["O", "H", "H"]


def test_incomplete_row_is_named(tmp_path):
    path = tmp_path / "w.json"
    optimise_molecule(write_sdf(tmp_path / "w.sdf", "O"), "O", path)
    write_json(path, {key: value for key, value in read_json(path).items() if key != "dipole_D"})
    with pytest.raises(InputError, match="w.json lacks dipole_D"):
        tabulate([path])


def test_unknown_method_is_refused():
    with pytest.raises(InputError, match="'DFT' is not known; allowed: GFN2-xTB"):
        MoleculeSettings(method="DFT")
