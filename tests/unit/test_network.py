"""Networks: files that hold them exactly, and messages for what cannot be one."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from moxie.errors import InputError
from moxie.structures.network import make_network, nearest_image, read_network, read_networks, repeat, write_networks
from moxie.structures.silicon import beta_cristobalite, diamond, silicon_slab


def same(a, b) -> bool:
    return (
        (a.positions == b.positions).all()
        and (a.species == b.species).all()
        and (a.bonds == b.bonds).all()
        and (a.cell == b.cell).all()
        and (a.periodic == b.periodic).all()
        and (a.frozen == b.frozen).all()
        and a.info == b.info
        and a.arrays.keys() == b.arrays.keys()
        and all((a.arrays[key] == b.arrays[key]).all() for key in a.arrays)
    )


@settings(max_examples=20, deadline=None)
@given(shifts=arrays(float, (8, 3), elements=st.floats(-0.1, 0.1, width=64)), text=st.text(max_size=20))
def test_extended_xyz_returns_every_bit(tmp_path_factory, shifts, text):
    crystal = diamond((1, 1, 1))
    network = make_network(
        crystal.positions + shifts,
        crystal.species,
        crystal.bonds,
        crystal.cell,
        info={"note": text, "list": [1, 2.5]},
        arrays={"energy_eV": shifts[:, 0] / 3},
    )
    path = tmp_path_factory.mktemp("xyz") / "network.xyz"
    write_networks(path, network)
    assert same(read_network(path), network)


def test_several_frames_of_different_size_return_in_order(tmp_path):
    frames = [silicon_slab((2, 2, 2), 1), diamond((1, 1, 1)), beta_cristobalite((1, 1, 1))]
    write_networks(tmp_path / "frames.xyz", frames)
    back = read_networks(tmp_path / "frames.xyz")
    assert len(back) == 3 and all(same(a, b) for a, b in zip(frames, back, strict=True))
    with pytest.raises(InputError, match="3 frames"):
        read_network(tmp_path / "frames.xyz")


def test_ase_reads_the_file(tmp_path):
    ase_io = pytest.importorskip("ase.io")
    network = silicon_slab((2, 2, 2), 1)
    write_networks(tmp_path / "slab.xyz", network)
    atoms = ase_io.read(tmp_path / "slab.xyz")
    assert atoms.get_chemical_symbols() == network.species.tolist()
    np.testing.assert_array_equal(atoms.get_positions(), network.positions)
    assert atoms.pbc.tolist() == [True, True, False]


def edited(tmp_path, old, new, count=1):
    path = tmp_path / "network.xyz"
    write_networks(path, diamond((1, 1, 1)))
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, count))
    return path


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("\nSi ", "\nGe ", "atom 0 is 'Ge'"),
        ("0.0 0.0 0.0 F", "0.0 nan 0.0 F", "atom 0 has a position"),
        ("0.0 0.0 0.0 F", "0.0 zero 0.0 F", "atom 0 .*cannot be read"),
        ("8\n", "9\n", "may be cut off"),
        ("8\n", "eight\n", "must be the number of atoms"),
        ('bonds="', 'bonds="0 ', "comment line"),
        ('bonds="', 'bonds="0 99 ', "outside 0..7"),
        ('bonds="', 'bonds="3 3 ', "bonded to itself"),
        ('pbc="T T T"', 'pbc="T T"', "columns"),
        ("frozen:L:1", "fixed:L:1", "columns"),
        (" 0.0 0.0 0.0 ", " 0.5 0.0 0.0 ", "orthogonal"),
        ('info="{}"', 'info="[1]"', r"`info` in the comment line is \[1\]"),
        ("\nSi ", "\nSi1 ", "atom 0 is 'Si1'"),
    ],
)
def test_a_damaged_file_is_refused_with_file_and_atom(tmp_path, old, new, message):
    path = edited(tmp_path, old, new)
    with pytest.raises(InputError, match=message) as caught:
        read_network(path)
    assert str(path) in str(caught.value)


def test_blank_lines_at_the_end_are_skipped(tmp_path):
    path = tmp_path / "network.xyz"
    write_networks(path, diamond((1, 1, 1)))
    path.write_text(path.read_text() + "\n  \n\n")
    assert same(read_network(path), diamond((1, 1, 1)))


def test_facts_of_numpy_are_written_and_others_refused(tmp_path):
    path = tmp_path / "network.xyz"
    crystal = diamond((1, 1, 1))
    facts = {"n": np.int64(3), "flag": np.bool_(True), "edges": crystal.cell}
    write_networks(path, replace(crystal, info=facts))
    assert read_network(path).info == {"n": 3, "flag": True, "edges": crystal.cell.tolist()}
    with pytest.raises(InputError, match="`info` holds .* of type set"):
        write_networks(path, replace(crystal, info={"bad": {1}}))


def test_missing_and_empty_files_are_named(tmp_path):
    with pytest.raises(InputError, match="does not exist"):
        read_network(tmp_path / "none.xyz")
    (tmp_path / "empty.xyz").write_text("")
    with pytest.raises(InputError, match="is empty"):
        read_network(tmp_path / "empty.xyz")


def test_bad_networks_are_refused():
    crystal = diamond((2, 2, 2))

    def build(positions=crystal.positions, species=crystal.species, bonds=crystal.bonds, **more):
        return make_network(positions, species, bonds, crystal.cell, **more)

    with pytest.raises(InputError, match="bonded twice"):
        build(bonds=np.vstack([crystal.bonds, crystal.bonds[:1]]))
    with pytest.raises(InputError, match="has 3 bonds; Si needs 4"):
        build(bonds=crystal.bonds[1:])
    frozen = np.zeros(64, bool)
    frozen[crystal.bonds[0]] = True
    assert build(bonds=crystal.bonds[1:], frozen=frozen).coordination().min() == 3
    positions = crystal.positions.copy()
    i, j = crystal.bonds[3]
    positions[i] -= 0.8 * crystal.vectors(crystal.bonds[3:4, 1], crystal.bonds[3:4, 0])[0]
    with pytest.raises(InputError, match=f"atoms {i} and {j} are closer"):
        build(positions=positions)
    species = crystal.species.copy()
    species[crystal.bonds[0]] = "O"
    with pytest.raises(InputError, match="O-O"):
        build(species=species)
    with pytest.raises(InputError, match="atom 0 is 'Si1'; networks hold"):
        build(species=["Si1"] * 64)
    with pytest.raises(InputError, match="`periodic` holds 'T'; True or False"):
        build(periodic=["T", "T", "F"])
    with pytest.raises(InputError, match="`frozen` holds 'F'; True or False"):
        build(frozen=["F"] * 64)
    with pytest.raises(InputError, match="not unique"):
        build(bonds=np.vstack([crystal.bonds, [[0, 63], [0, 37]]]), frozen=np.ones(64, bool), positions=spread(crystal))


def spread(crystal):
    positions = crystal.positions.copy()
    positions[37] = positions[0] + [5.43, 0.7, 0.7]
    return positions


def test_nearest_image_folds_only_periodic_axes():
    folded = nearest_image(np.array([[6.0, 6.0, 6.0]]), np.array([10.0, 10.0, 10.0]), np.array([True, True, False]))
    np.testing.assert_allclose(folded, [[-4.0, -4.0, 6.0]])


def test_oxidation_states_count_oxygen_neighbours():
    slab = silicon_slab((2, 2, 2), 1)
    states = slab.oxidation_states()
    assert states[slab.species == "O"].tolist() == [0] * 8
    assert np.bincount(states[slab.species == "Si"]).tolist() == [56, 0, 8]


def test_a_repeated_network_is_that_of_the_larger_crystal_and_keeps_its_energy():
    small, large = diamond((2, 2, 2)), diamond((4, 2, 6))
    repeated = repeat(small, (2, 1, 3))
    assert np.allclose(repeated.cell, large.cell)
    assert repeated.bonds.shape == large.bonds.shape
    lengths = np.linalg.norm(repeated.vectors(*repeated.bonds.T), axis=1)
    assert np.allclose(lengths, 5.427 * 3**0.5 / 4)
    assert (repeated.coordination() == 4).all()
    with pytest.raises(InputError, match="copies"):
        repeat(small, (0, 1, 1))
