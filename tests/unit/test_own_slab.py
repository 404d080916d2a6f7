"""A start structure of the user's own is what was cut, or is refused before the first job with one clear message."""

import re

import numpy as np
import pytest
from ase import Atoms
from ase.constraints import FixAtoms, FixCartesian
from ase.io import write

from moxie.errors import InputError
from moxie.oxidation.engine import Engine
from moxie.oxidation.films.sizing import check_recipe_fits, check_recipe_fits_structure
from moxie.oxidation.parameter_sets import load_parameters
from moxie.structures.back_side import FACT, back_oxygens
from moxie.structures.network import make_network, write_networks
from moxie.structures.own_slab import bonds_by_distance, face_of, own_slab
from moxie.structures.silicon import beta_cristobalite, silicon_slab

PARAMETERS = load_parameters("von_alfthan_2003")
FIELD = (PARAMETERS.lattice_constant_A, PARAMETERS.bond_length[0][1])
FACES = pytest.mark.parametrize("orientation", ["100", "110", "111"])
RECIPE = {"time_s": 10.0, "initial_oxide_nm": 0.8}


def relaxed(frozen_layers=4, orientation="100", cells=(3, 3, 5)):
    engine = Engine(silicon_slab(cells, frozen_layers, orientation=orientation), PARAMETERS)
    engine.relax(0.01, 1000)
    return engine.to_network()


def as_others_write_it(network, path, column=True, **changes):
    """Write a network as other programs do: no bonds, frozen atoms in a column or as a constraint."""
    atoms = Atoms(network.species.tolist(), network.positions, cell=network.cell, pbc=network.periodic)
    if column:
        atoms.arrays["frozen"] = network.frozen
    else:
        atoms.set_constraint(FixAtoms(mask=network.frozen))
    for name, value in changes.items():
        getattr(atoms, f"set_{name}")(value)
    write(path, atoms, format="extxyz")
    return path


def read(path, free_back=False, orientation="100"):
    return own_slab(path, orientation, free_back, *FIELD)


@FACES
@pytest.mark.parametrize("frozen_layers", [0, 4])
def test_a_slab_that_moxie_wrote_comes_back_as_it_is(orientation, frozen_layers, tmp_path):
    slab = relaxed(frozen_layers, orientation)
    write_networks(tmp_path / "slab.xyz", slab)
    again = read(tmp_path / "slab.xyz", not frozen_layers, orientation)
    np.testing.assert_array_equal(again.bonds, slab.bonds)
    np.testing.assert_allclose(np.diff(again.positions, axis=0), np.diff(slab.positions, axis=0), atol=1e-12)
    assert again.positions[:, 2].min() == 0
    np.testing.assert_array_equal(back_oxygens(again), back_oxygens(slab))
    assert (FACT in again.info) == (frozen_layers == 0) and again.info["structure"] == "slab.xyz"
    assert np.abs(again.info["lateral_strain"]).max() < 1e-3
    np.testing.assert_allclose(Engine(again, PARAMETERS).energy, Engine(slab, PARAMETERS).energy, rtol=1e-9)


@pytest.mark.parametrize("column", [True, False])
def test_bonds_are_found_by_distance_and_frozen_atoms_by_column_or_constraint(column, tmp_path):
    slab = relaxed()
    again = read(as_others_write_it(slab, tmp_path / "slab.xyz", column))
    np.testing.assert_array_equal(again.bonds, slab.bonds)
    np.testing.assert_array_equal(again.frozen, slab.frozen)


def test_listed_bonds_and_a_constraint_go_together(tmp_path):
    slab = silicon_slab((3, 3, 4), 4, orientation="111")  # whose three-rings the distances do not tell
    path = tmp_path / "slab.xyz"
    with pytest.raises(InputError, match="has 3 bonds"):
        read(as_others_write_it(slab, path, False), orientation="111")
    listed = " ".join(map(str, slab.bonds.ravel()))
    path.write_text(path.read_text().replace("Properties=", f'bonds="{listed}" Properties=', 1))
    again = read(path, orientation="111")
    np.testing.assert_array_equal(again.bonds, slab.bonds)
    np.testing.assert_array_equal(again.frozen, slab.frozen)
    path.write_text(path.read_text().replace('bonds="', 'bonds="7 ', 1))
    with pytest.raises(InputError, match="pairs of atoms from 0"):
        read(path, orientation="111")


def test_frozen_marks_of_another_kind_are_refused(tmp_path):
    slab = silicon_slab((3, 3, 4), 4)
    path = as_others_write_it(slab, tmp_path / "text.xyz")
    path.write_text(path.read_text().replace("frozen:L:1", "frozen:S:1"))
    with pytest.raises(InputError, match="as frozen:L:1 in Properties"):
        read(path)
    along_z = FixCartesian(np.flatnonzero(slab.frozen).tolist(), mask=(False, False, True))
    with pytest.raises(InputError, match="constraint FixCartesian; .* Use FixAtoms"):
        read(as_others_write_it(slab, tmp_path / "z.xyz", False, constraint=along_z))


@pytest.mark.parametrize(
    ("normal", "face"),
    [((0, 0, 1), "100"), ((1, 1, 0), "110"), ((1, -1, 1), "111")]
    + [(normal, None) for normal in ((2, 1, 1), (3, 3, 1), (3, 3, 2), (3, 1, 1), (2, 1, 0), (3, 2, 1))],
)
def test_a_face_is_told_from_all_others(normal, face):
    across = np.cross(normal, (0.3, 0.5, 0.7))
    axes = np.array([np.cross(across, normal), across, normal]) * 1.0
    axes /= np.linalg.norm(axes, axis=1)[:, None]
    tetrahedron = np.array([(1, 1, 1), (1, -1, -1), (-1, 1, -1), (-1, -1, 1)])
    assert face_of(tetrahedron @ axes.T) == face


def test_bonds_by_distance_are_those_of_a_strained_network():
    engine = Engine(beta_cristobalite((2, 2, 2)), PARAMETERS, 4)
    engine.relax()
    engine.run(3000, 1.0)
    engine.relax(0.01, 2000)
    network = engine.to_network()
    assert (network.bonds != beta_cristobalite((2, 2, 2)).bonds).any()  # switched
    found = bonds_by_distance(network, (2.35, 1.60), "silica")
    np.testing.assert_array_equal(found[np.lexsort(found.T[::-1])], network.bonds)


@FACES
def test_it_takes_the_recipe_that_the_same_cut_slab_takes(orientation, tmp_path):
    for layers in (0, 4):
        slab = silicon_slab((4, 4, 7), layers, orientation=orientation, lattice_constant_A=FIELD[0])
        write_networks(tmp_path / f"{layers}.xyz", slab)
        start = read(tmp_path / f"{layers}.xyz", not layers, orientation)
        own = check_recipe_fits_structure(start, 1273.0, orientation, 0.6, RECIPE)
        assert own == check_recipe_fits(
            (4, 4, 7), layers, 1273.0, orientation=orientation, lattice_constant_A=FIELD[0], **RECIPE
        )


def test_a_strained_crystal_is_taken_and_its_strain_stated(tmp_path):
    slab = silicon_slab((3, 3, 5), 4, lattice_constant_A=FIELD[0])
    for axis in (0, 1):
        stretch = np.ones(3)
        stretch[axis] = 1.01
        strained = make_network(
            slab.positions * stretch, slab.species, slab.bonds, slab.cell * stretch, slab.periodic, slab.frozen
        )
        write_networks(tmp_path / f"{axis}.xyz", strained)
        assert read(tmp_path / f"{axis}.xyz").info["lateral_strain"] == pytest.approx(stretch[:2] - 1, abs=2e-4)


def changed(slab, **changes):
    facts = {name: getattr(slab, name) for name in ("positions", "species", "bonds", "cell", "periodic", "frozen")}
    return make_network(**(facts | changes))


def scaled(slab, *stretch):
    return changed(slab, positions=slab.positions * stretch, cell=slab.cell * stretch)


BAD = {
    "over-coordinated": (
        lambda slab, text: text.replace('bonds="', 'bonds="130 131 '),
        r"atom 130 \(Si\) has 5 bonds; Si needs 4",
    ),
    "unknown element": (lambda slab, text: text.replace("\nO ", "\nN ", 1), r"atom 288 is 'N'; networks hold Si and O"),
    "not numbers": (lambda slab, text: text.replace("0.0 0.0 0.0 T", "0.0 x 0.0 T", 1), "cannot be read"),
    "cut off": (lambda slab, text: text[: len(text) // 2], "may be cut off"),
    "periodic along z": (lambda slab, text: text.replace('pbc="T T F"', 'pbc="T T T"'), r"pbc is T T T; a slab is"),
    "free in its plane": (
        lambda slab, text: text.replace('pbc="T T F"', 'pbc="T F F"'),
        r"bond \[0, 35\] is 15.05 A long",
    ),
    "no frozen atom": (lambda slab, text: text.replace(" T\n", " F\n"), r"atom \d+ \(Si\) has 2 bonds"),
}


@pytest.mark.parametrize("case", BAD)
def test_a_damaged_structure_is_refused(case, tmp_path):
    edit, message = BAD[case]
    slab = silicon_slab((3, 3, 4), 4)
    path = tmp_path / "slab.xyz"
    write_networks(path, slab)
    text = path.read_text()
    assert edit(slab, text) != text
    path.write_text(edit(slab, text))
    with pytest.raises(InputError, match=message) as caught:
        read(path)
    assert str(path) in str(caught.value)


UNSUITABLE = {
    "free where it should be frozen": (
        lambda: silicon_slab((3, 3, 4), 0),
        {},
        r"no atom is marked as frozen. Mark the atoms of the back .* `frozen_layers: 0`",
    ),
    "frozen where it should be free": (lambda: silicon_slab((3, 3, 4), 2), {"free_back": True}, r"36 atoms are frozen"),
    "frozen at both ends": (
        lambda: changed(
            slab := silicon_slab((3, 3, 4), 4),
            frozen=slab.frozen | ((slab.species == "Si") & (slab.positions[:, 2] > 18)),
        ),
        {},
        "only the back",
    ),
    "frozen oxygen": (
        lambda: changed(slab := silicon_slab((3, 3, 4), 4), frozen=slab.frozen | (slab.species == "O")),
        {},
        r"atom 288 is a frozen O; only the crystal",
    ),
    "oxygen at a frozen back": (
        lambda: changed(
            slab := silicon_slab((3, 3, 4), 0),
            frozen=(slab.species == "Si") & (slab.positions[:, 2] < 5),
        ),
        {},
        r"18 O lie below the highest frozen atom, atom \d+ for one; they would count as the film's. Remove",
    ),
    "another face": (lambda: silicon_slab((3, 3, 4), 4, orientation="111"), {}, r"has a \(111\) face .* names 100"),
    "too little vacuum": (
        lambda: changed(slab := silicon_slab((3, 3, 4), 4), cell=slab.cell - [0, 0, 22]),
        {},
        r"at least 10 A of vacuum",
    ),
    "too strained": (
        lambda: scaled(silicon_slab((3, 3, 4), 4), 1.03, 1, 1),
        {},
        r"strained by \+3.00 % along x and [+-]0.0\d % along y .* cell of 16.28 x 16.28 A",
    ),
    "too narrow": (lambda: scaled(silicon_slab((2, 2, 4), 4), 0.8, 1, 1), {}, r"8.68 A along x; at least 9 A"),
    "upside down": (
        lambda: changed(slab := silicon_slab((3, 3, 4), 4), positions=slab.positions * [1, 1, -1]),
        {},
        r"frozen atoms reach up to",
    ),
}


@pytest.mark.parametrize("case", UNSUITABLE)
def test_an_unsuitable_structure_is_refused(case, tmp_path):
    make, options, message = UNSUITABLE[case]
    path = tmp_path / "slab.xyz"
    write_networks(path, make())
    with pytest.raises(InputError, match=message) as caught:
        read(path, **options)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize("shift_A", [-6.0, 12.5, 20.0])
def test_a_slab_wrapped_along_z_is_told_how_to_shift(shift_A, tmp_path):
    slab, path = relaxed(), tmp_path / "slab.xyz"
    edge = slab.cell[2]
    top = slab.positions[:, 2].max() if shift_A > 0 else slab.positions[:, 2].min()
    wrapped = (slab.positions[:, 2] - top + shift_A) % edge
    as_others_write_it(slab, path, positions=np.c_[slab.positions[:, :2], wrapped])
    with pytest.raises(InputError, match=r"is wrapped along z.*z -> \(z - ([\d.]+) A\) modulo") as caught:
        read(path)
    offset = float(re.search(r"z - ([\d.]+) A", str(caught.value)).group(1))
    as_others_write_it(slab, path, positions=np.c_[slab.positions[:, :2], (wrapped - offset) % edge])
    np.testing.assert_array_equal(read(path).bonds, slab.bonds)


@pytest.mark.parametrize(
    ("column", "values"),
    [("tags", lambda frozen: frozen.astype(int)), ("fixed", lambda frozen: frozen), ("move", lambda frozen: ~frozen)],
)
def test_marks_in_another_column_are_named_as_such(column, values, tmp_path):
    slab = relaxed()
    atoms = Atoms(slab.species.tolist(), slab.positions, cell=slab.cell, pbc=slab.periodic)
    atoms.arrays[column] = values(slab.frozen)
    write(tmp_path / "slab.xyz", atoms, format="extxyz")
    with pytest.raises(
        InputError, match=rf"no atom is marked as frozen \(its columns {column} are not taken for that\)"
    ):
        read(tmp_path / "slab.xyz")


def test_what_distances_do_not_tell_is_refused(tmp_path):
    slab = relaxed()
    oxygen = int(np.flatnonzero(slab.species == "O")[0])
    up = slab.positions.copy()
    up[oxygen, 2] += 1.0
    with pytest.raises(InputError, match=rf"atoms \d+ \(Si\) and {oxygen} \(O\), 2.\d\d A, does not tell"):
        read(as_others_write_it(slab, tmp_path / "far.xyz", positions=up))
    up[oxygen, 2] += 3
    with pytest.raises(InputError, match=r"has 3 bonds; Si needs 4 and O needs 2"):
        read(as_others_write_it(slab, tmp_path / "away.xyz", positions=up))
    near = slab.positions.copy()
    near[oxygen] = near[oxygen - 1] + 0.1
    with pytest.raises(InputError, match=rf"atoms {oxygen - 1} and {oxygen} are closer than 0.6 A"):
        read(as_others_write_it(slab, tmp_path / "near.xyz", positions=near))
    hydrogen = slab.species.copy()
    hydrogen[0] = "H"
    with pytest.raises(InputError, match="atom 0 is an H that is not bound to one Si"):
        read(as_others_write_it(slab, tmp_path / "h.xyz", chemical_symbols=hydrogen.tolist()))
    skew = np.diag(slab.cell)
    skew[0, 1] = 1.0
    with pytest.raises(InputError, match="the cell must be orthogonal"):
        read(as_others_write_it(slab, tmp_path / "skew.xyz", cell=skew))


def test_files_that_are_no_structures_are_refused(tmp_path):
    with pytest.raises(InputError, match=r"none.xyz cannot be read \(No such file"):
        read(tmp_path / "none.xyz")
    for name, content, message in (
        ("text.xyz", b"hello\nworld\n", "line 1 must be the number of atoms; found 'hello'"),
        ("short.xyz", b"%d\n\nSi 0 0 0\n" % 10**12, "1000000000000 atoms announced, but the file ends at line 3"),
        ("columns.xyz", b"1\nProperties=species:S:1:pos:R:7\nSi 0 0 0\n", "is not extended XYZ"),
        ("binary.xyz", b"\xff\xfe\x00\x01", "cannot be read as text"),
        ("empty.xyz", b"", "is empty"),
    ):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(InputError, match=message):
            read(tmp_path / name)


def test_a_recipe_that_does_not_fit_says_what_would(tmp_path):
    slab = silicon_slab((3, 3, 4), 4)
    write_networks(tmp_path / "slab.xyz", slab)
    start = read(tmp_path / "slab.xyz")

    def fits(time_s, scale=0.6, initial_oxide_nm=0.8):
        recipe = {"time_s": time_s, "initial_oxide_nm": initial_oxide_nm}
        return check_recipe_fits_structure(start, 1273.0, "100", scale, recipe)

    with pytest.raises(
        InputError, match=r"structure slab.xyz with 216 mobile Si, less 4 buffer layers of 18, takes 288"
    ):
        fits(600)
    with pytest.raises(InputError, match=r"starts with the 18 O that close its dangling bonds"):
        fits(0.01, 0.1, 0.1)
    low = changed(slab, cell=slab.cell - [0, 0, 18])
    write_networks(tmp_path / "low.xyz", low)
    start = read(tmp_path / "low.xyz")
    with pytest.raises(InputError, match=r"leaves \d\.\d A of the vacuum .* Make its cell higher by \d A"):
        fits(30)


def test_a_changed_file_is_read_anew(tmp_path):
    import os

    path = tmp_path / "slab.xyz"
    write_networks(path, silicon_slab((3, 3, 4), 4))
    first = read(path)
    write_networks(path, silicon_slab((3, 3, 5), 4))
    os.utime(path, (1, 1))
    assert len(read(path).positions) > len(first.positions)
