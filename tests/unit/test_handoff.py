"""The hand-off files: what other programs' readers find in them is the structure."""

import io
import warnings

import numpy as np
import pytest
from test_oxidation_features import ideal_film

from moxie.structures.handoff import (
    FILES,
    SI_H_LENGTH_A,
    VACUUM_A,
    back_side_hydrogens,
    handoff_texts,
    placed,
    write_handoff,
)
from moxie.structures.network import Network, make_network
from moxie.structures.silicon import beta_cristobalite, silicon_slab


def shaken(network: Network) -> Network:
    rng = np.random.default_rng(2)
    moved = network.positions + rng.normal(0, 0.05, network.positions.shape) * ~network.frozen[:, None]
    return make_network(
        moved + [3.3, -40.0, 7.0], network.species, network.bonds, network.cell, network.periodic, network.frozen
    )


FILM = shaken(ideal_film((3, 2, 5), oxidised_above_A=12.0))
BULK = shaken(beta_cristobalite((2, 2, 2)))


@pytest.fixture(scope="module", params=["film", "bulk"])
def case(request):
    network = FILM if request.param == "film" else BULK
    return network, handoff_texts(network, f"a {request.param}")


def same_places(found, wanted, cell, tolerance):
    """Whether two lists of positions agree, up to whole cells."""
    apart = (np.asarray(found) - wanted) / cell
    assert np.abs((apart - np.round(apart)) * cell).max() < tolerance


def test_placing_keeps_every_distance_and_leaves_the_stated_vacuum():
    positions, cell = placed(FILM)
    z = FILM.positions[:, 2]
    assert cell[2] == pytest.approx(np.ptp(z) + VACUUM_A)
    assert positions[:, 2].min() == pytest.approx(VACUUM_A / 2)
    assert cell[2] - positions[:, 2].max() == pytest.approx(VACUUM_A / 2)
    np.testing.assert_allclose(np.diff(positions[:, 2]), np.diff(z), atol=1e-9)
    assert ((positions >= 0) & (positions < cell)).all()
    same_places(positions[:, :2], FILM.positions[:, :2], cell[:2], 1e-9)
    bulk_positions, bulk_cell = placed(BULK)
    np.testing.assert_array_equal(bulk_cell, BULK.cell)
    same_places(bulk_positions, BULK.positions, BULK.cell, 1e-9)


def test_cif_reads_back(case):
    from ase.io import read
    from pymatgen.core import Structure

    network, texts = case
    positions, cell = placed(network)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # pymatgen warns of what it rounds
        structure = Structure.from_str(texts["film.cif"], fmt="cif")
        atoms = read(io.StringIO(texts["film.cif"]), format="cif")
    for symbols, places, edges in (
        ([site.specie.symbol for site in structure], structure.cart_coords, structure.lattice.abc),
        (atoms.get_chemical_symbols(), atoms.get_positions(), atoms.cell.lengths()),
    ):
        assert symbols == network.species.tolist()
        np.testing.assert_allclose(edges, cell, atol=1e-8)
        same_places(places, positions, cell, 1e-6)


def test_lammps_data_reads_back_with_types_masses_and_bonds(case):
    from ase.io import read

    network, texts = case
    positions, cell = placed(network)
    atoms = read(io.StringIO(texts["film.lammps"]), format="lammps-data", atom_style="bond", units="metal")
    np.testing.assert_allclose(atoms.get_positions(), positions, atol=1e-12)
    np.testing.assert_allclose(atoms.cell.lengths(), cell, rtol=1e-14)
    assert atoms.get_chemical_symbols() == network.species.tolist()
    np.testing.assert_array_equal(atoms.arrays["type"] == 3, network.frozen)
    bonds = set()
    for atom, text in enumerate(atoms.arrays["bonds"]):
        for entry in text.split(",") if text != "_" else []:
            other, kind = entry.rstrip(")").split("(")
            bonds.add((*sorted((atom, int(other))), int(kind)))
    silicon = network.species == "Si"
    assert bonds == {(i, j, 1 if silicon[i] and silicon[j] else 2) for i, j in network.bonds.tolist()}


def test_poscar_reads_back_with_selective_dynamics(case):
    from ase.io import read
    from pymatgen.io.vasp import Poscar

    network, texts = case
    positions, cell = placed(network)
    order = np.argsort(network.species != "Si", kind="stable")
    n = len(order)
    poscar = Poscar.from_str(texts["POSCAR"])
    atoms = read(io.StringIO(texts["POSCAR"]), format="vasp")
    assert poscar.site_symbols == texts["POTCAR.spec"].split() == list(dict.fromkeys(atoms.get_chemical_symbols()))
    assert atoms.get_chemical_symbols()[:n] == network.species[order].tolist()
    for places, edges in (
        (poscar.structure.cart_coords, poscar.structure.lattice.abc),
        (atoms.get_positions(), atoms.cell.lengths()),
    ):
        np.testing.assert_allclose(edges, cell, atol=1e-10)
        same_places(places[:n], positions[order], cell, 1e-9)
    if network.frozen.any():
        fixed = ~np.array(poscar.selective_dynamics).any(axis=1)
        np.testing.assert_array_equal(fixed, [*network.frozen[order], *[False] * (len(fixed) - n)])
    else:
        assert poscar.selective_dynamics is None and len(atoms) == n


def test_hydrogens_complete_the_tetrahedra_of_the_back_side():
    slab = silicon_slab((3, 3, 4))
    positions, _ = placed(slab)
    hydrogens = back_side_hydrogens(slab, positions)
    lowest = np.flatnonzero(positions[:, 2] < positions[:, 2].min() + 0.1)
    assert len(hydrogens) == 2 * len(lowest) == 2 * 18
    assert (hydrogens[:, 2] < positions[:, 2].min()).all()
    neighbours = slab.neighbours()
    for number, atom in enumerate(lowest):
        bonds = slab.vectors(np.full(2, atom), np.array(neighbours[atom]))
        bonds = np.vstack([bonds, hydrogens[2 * number : 2 * number + 2] - positions[atom]])
        assert np.linalg.norm(bonds[2:], axis=1) == pytest.approx([SI_H_LENGTH_A] * 2)
        units = bonds / np.linalg.norm(bonds, axis=1)[:, None]
        np.testing.assert_allclose((units @ units.T)[~np.eye(4, dtype=bool)], -1 / 3, atol=1e-9)


def test_vasp_settings_read_back():
    from pymatgen.io.vasp import Incar, Kpoints

    film, bulk = handoff_texts(FILM, "film"), handoff_texts(BULK, "bulk")
    incar = Incar.from_str(film["INCAR"])
    assert incar["IDIPOL"] == 3 and incar["ISIF"] == 2 and "IDIPOL" not in Incar.from_str(bulk["INCAR"])
    kpoints = Kpoints.from_str(film["KPOINTS"])
    spacing = 2 * np.pi / (FILM.cell[:2] * np.array(kpoints.kpts[0][:2]))
    assert kpoints.kpts[0][2] == 1 and (spacing <= 0.3).all()


def test_files_are_written_under_their_names_and_equal_input_gives_equal_bytes(tmp_path):
    for folder in ("a", "b"):
        write_handoff(FILM, tmp_path / folder, "T1273 replica0")
    assert sorted(path.name for path in (tmp_path / "a").iterdir()) == sorted(FILES)
    for name in FILES:
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()
        assert name in ("KPOINTS", "POTCAR.spec") or "T1273 replica0" in (tmp_path / "a" / name).read_text()
