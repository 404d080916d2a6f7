"""Compositions in whole numbers: known cases by hand, neutrality whatever the rounding, and what is refused."""

import itertools

import pytest

from moxie.errors import InputError
from moxie.structures.composition import Salt, Size, Species, compose

SPECIES = {
    "water": Species(18.015, 3, density_g_cm3=0.997),
    "ec": Species(88.06, 10, density_g_cm3=1.322),
    "dmc": Species(90.08, 12, density_g_cm3=1.063),
    "emc": Species(104.10, 15),
    "lithium": Species(6.94, 1, 1.0),
    "calcium": Species(40.08, 1, 2.0),
    "pf6": Species(144.96, 7, -1.0),
    "tfsi": Species(280.15, 15, -1.0),
}
LIPF6, LITFSI = {"lithium": 1, "pf6": 1}, {"lithium": 1, "tfsi": 1}


def test_one_molar_lithium_salt_in_carbonates_by_mass():
    """64 LiPF6 at 1 mol/L in EC:DMC 1:1 by mass, 1.29 g/cm3: a litre holds 1290 - 151.9 g of solvent (by hand)."""
    solvent_g = 64 * (1290 - 151.9)
    ec, dmc = solvent_g / 2 / 88.06, solvent_g / 2 / 90.08
    found = compose(
        SPECIES, {"ec": 1, "dmc": 1}, [Salt(LIPF6, 1.0, "mol_L")], Size(round(ec + dmc) + 128), "mass", 1.29
    )
    assert found.counts == {"ec": 414, "dmc": 404, "lithium": 64, "pf6": 64}
    asked, value = found.quantities["lithium-pf6 mol/L"]
    assert asked == 1.0 and value == pytest.approx(1.0, abs=2e-3)
    assert "414 ec, 404 dmc, 64 lithium, 64 pf6" in found.text and "%" in found.text


def test_ten_molal_salt_in_water():
    """9 LiTFSI and 50 water are 9.99 mol/kg (the deposited boxes of molecular dynamics)."""
    found = compose(SPECIES, {"water": 1}, [Salt(LITFSI, 10.0)], Size(68))
    assert found.counts == {"water": 50, "lithium": 9, "tfsi": 9}
    assert found.quantities["lithium-tfsi mol/kg"][1] == pytest.approx(1000 * 9 / (50 * 18.015))


def test_ratio_of_solvent_to_salt_and_mole_fraction_agree():
    by_ratio = compose(SPECIES, {"emc": 1}, [Salt(LIPF6, 4.0, "solvent_per_salt")], Size(600))
    by_fraction = compose(SPECIES, {"emc": 1}, [Salt(LIPF6, 0.2, "mole_fraction")], Size(600))
    assert by_ratio.counts == by_fraction.counts == {"emc": 400, "lithium": 100, "pf6": 100}


def test_volumes_become_masses_by_the_densities_of_the_pure_liquids():
    found = compose(SPECIES, {"ec": 3, "dmc": 7}, [], Size(2000), "volume")
    moles = 3 * 1.322 / 88.06, 7 * 1.063 / 90.08
    assert found.counts["ec"] / found.counts["dmc"] == pytest.approx(moles[0] / moles[1], rel=2e-3)
    assert found.quantities["volume fraction of ec"] == pytest.approx((0.3, 0.3), abs=5e-4)


def test_size_may_be_in_atoms():
    found = compose(SPECIES, {"water": 1}, [Salt(LITFSI, 2.0)], Size(3000, "atoms"))
    atoms = sum(count * SPECIES[name].n_atoms for name, count in found.counts.items())
    assert atoms == pytest.approx(3000, abs=40)


@pytest.mark.parametrize("size", [40, 111, 333])
def test_boxes_are_neutral_and_near_what_was_asked_whatever_the_rounding(size):
    for b, share in itertools.product((0.3, 1.7, 5.1), (0.13, 0.5)):
        salts = [Salt(LIPF6, b), Salt({"calcium": 1, "tfsi": 2}, b / 2)]
        found = compose(SPECIES, {"ec": share, "emc": 1 - share}, salts, Size(size), "mass")
        assert sum(n * SPECIES[name].charge_e for name, n in found.counts.items()) == 0.0
        assert all(count > 0 for count in found.counts.values())
        asked, value = found.quantities["lithium-pf6 mol/kg"]  # to one molecule of solvent
        solvent = found.counts["ec"] + found.counts["emc"]
        assert value == pytest.approx(asked, rel=1.2 / solvent + 0.17 / solvent**0.5)


@pytest.mark.parametrize(
    ("solvents", "salts", "ratio", "density", "message"),
    [
        ({"ec": 1}, [Salt({"lithium": 1}, 1.0)], "mole", None, r"has the charge \+1 e"),
        ({}, [Salt(LIPF6, 1.0)], "mole", None, "needs a solvent"),
        ({"ec": 1}, [Salt(LIPF6, 1.0, "mol_L")], "mole", None, "needs the density of the solution"),
        ({"ec": 1}, [Salt(LIPF6, 9.0, "mol_L")], "mole", 1.3, "1.37 g in a cm3 .* 1.3 g/cm3"),
        ({"ec": 1, "emc": 1}, [], "volume", None, "density of pure emc"),
        ({"ec": 1}, [Salt(LIPF6, 1.0, "mole_fraction")], "mole", None, "add up to 1; a solvent needs less"),
        ({"ec": 0.0, "emc": 1}, [], "mole", None, "share of ec is 0"),
        ({"lithium": 1}, [], "mole", None, "cannot be a solvent"),
        ({"dme": 1}, [], "mole", None, "names dme; known are"),
        ({"ec": 1}, [Salt(LIPF6, -1.0)], "mole", None, "is -1; it must be above 0"),
        ({"ec": 1, "emc": 1000}, [], "mole", None, "no whole molecule of ec"),
    ],
)
def test_what_cannot_be_is_refused_with_one_message(solvents, salts, ratio, density, message):
    with pytest.raises(InputError, match=message):
        compose(SPECIES, solvents, salts, Size(200), ratio, density)
