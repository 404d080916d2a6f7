"""Compositions by concentration in the configuration: whole numbers before any job, sweeps as systems, bad input."""

import pytest

from moxie.errors import InputError
from moxie.study import Study

MOLECULES = {"water": "O", "sodium": "[Na+]", "chloride": "[Cl-]", "calcium": "[Ca+2]", "ethanol": "CCO"}
NACL = {"sodium": 1, "chloride": 1}


def study(systems, **changes):
    return Study.load({"extends": "nothing", "molecules": MOLECULES, "dynamics": {"systems": systems}, **changes})


def brine(salt=None, **changes):
    salt = {"ions": NACL, "mol_kg": 1.0} if salt is None else salt
    mixture = {"solvents": {"water": 1}, "salts": {"nacl": salt} if salt else {}, "molecules": 600}
    return {"force_field": "jc_spce", "cutoff_nm": 0.9, "mixture": mixture | changes}


def test_a_molality_becomes_whole_numbers_that_all_later_stages_see():
    found = study({"brine": brine()})
    numbers = {"water": 555, "sodium": 10, "chloride": 10}  # 1000 / 18.015 = 55.5 per formula unit
    assert found.dynamics.systems["brine"].composition == numbers
    assert found.config.dynamics.systems["brine"].composition == numbers
    assert found.mixtures["brine"].startswith(
        "555 water, 10 sodium, 10 chloride: sodium-chloride mol/kg 1 (asked for 1"
    )


def test_a_sweep_over_concentration_is_a_system_for_each_and_loads_again():
    systems = {"brine": brine({"ions": NACL, "mol_kg": [0.5, 4]}), "plain": {**brine(), "mixture": None}}
    systems["brine"]["composition"] = None
    systems["plain"]["composition"] = {"water": 550, **NACL}
    found = study(systems)
    assert list(found.dynamics.systems) == ["brine_0p5_mol_kg", "brine_4_mol_kg", "plain"]
    per_water = [plan.composition["sodium"] / plan.composition["water"] for plan in found.dynamics.systems.values()]
    assert per_water[:2] == pytest.approx([0.5 * 0.018015, 4 * 0.018015], rel=0.02)
    assert all("brine_4_mol_kg" in run for run in found.dynamics.systems["brine_4_mol_kg"].runs)
    again = Study.load(found.config.model_dump(mode="json"))  # what a manifest holds
    assert again.config == found.config


def test_a_molarity_uses_the_stated_density_or_says_what_it_took():
    salt = {"ions": NACL, "mol_L": 2.0}
    stated = study({"brine": brine(salt) | {"density_g_cm3": 1.0745}}).mixtures["brine"]
    numbers = study({"brine": brine(salt) | {"density_g_cm3": 1.0745}}).dynamics.systems["brine"].composition
    assert numbers["sodium"] / numbers["water"] == pytest.approx(2 / (1074.5 - 2 * 58.44) * 18.015, rel=0.03)
    assert stated.endswith("at the stated density")
    estimated = study({"brine": brine(salt, densities_g_cm3={"water": 0.997})}).mixtures["brine"]
    value = float(estimated.split("density of ")[1].split()[0])
    assert value == pytest.approx(1.0745, rel=0.1) and "give `density_g_cm3`" in estimated


def test_volumes_and_sizes_in_atoms():
    mixture = {
        "solvents": {"water": 1, "ethanol": 1}, "ratio": "volume", "atoms": 3000,
        "densities_g_cm3": {"water": 0.997, "ethanol": 0.785},
    }  # fmt: skip
    numbers = study({"wine": {"force_field": "opls_aa", "mixture": mixture}}).dynamics.systems["wine"].composition
    assert numbers["water"] / numbers["ethanol"] == pytest.approx(0.997 / 18.015 / (0.785 / 46.069), rel=0.01)
    assert 3 * numbers["water"] + 9 * numbers["ethanol"] == pytest.approx(3000, abs=9)


MISTAKES = {
    "a salt with a charge": (brine({"ions": {"sodium": 1}, "mol_kg": 1}), r"salt 1 sodium has the charge \+1 e"),
    "no solvent": (brine(solvents={}), r"mixture.solvents` = \{\}: at least 1 item"),
    "an ion as a solvent": (brine(solvents={"sodium": 1}), r"sodium has the charge \+1 e and cannot be a solvent"),
    "fractions": (brine(solvents={"water": 0.3, "ethanol": 0.6}), r"fractions of the solvents add up to 0.9"),
    "volumes without densities": (
        brine(solvents={"water": 1, "ethanol": 1}, ratio="volume"),
        r"needs the density of pure water",
    ),
    "too little for the box": (brine({"ions": NACL, "mol_kg": 0.01}), r"box of 600 molecules .* Use a larger box"),
    "more salt than solution": (
        brine({"ions": NACL, "mol_L": 30}) | {"density_g_cm3": 1.2},
        r"salts alone weigh 1.75 g in a cm3",
    ),
    "two amounts": (brine({"ions": NACL, "mol_kg": 1, "mol_L": 1}), r"one of mol_kg, mol_L, .*\['mol_kg', 'mol_L'\]"),
    "no amount": (brine({"ions": NACL}), r"one of mol_kg, mol_L, .*given are none"),
    "a negative amount": (brine({"ions": NACL, "mol_kg": -1}), r"salts.nacl.mol_kg.* = -1: .*greater than 0"),
    "one amount twice": (brine({"ions": NACL, "mol_kg": [1, 1.0]}), r"state point 1 stands there more than once"),
    "two sizes": (brine(atoms=2000), r"one of `molecules` and `atoms`"),
    "an unknown ion": (brine({"ions": {"sodum": 1}, "mol_kg": 1}), r"unknown molecule 'sodum'. Did you mean `sodium`"),
    "neither": ({"force_field": "jc_spce"}, r"`composition` \(numbers of molecules\) or `mixture`"),
    "both": (brine() | {"composition": {"water": 600}}, r"both it and `composition` are given"),
    "an unknown unit": (brine({"ions": NACL, "molal": 1}), r"salts.nacl.molal`: unknown key. .*Allowed here: ions"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mixture_that_cannot_be_is_named_before_any_job(mistake):
    system, message = MISTAKES[mistake]
    with pytest.raises(InputError, match=f"(?s)dynamics.systems.brine.*{message}"):
        study({"brine": system})


def test_a_sweep_that_makes_a_name_twice_is_refused():
    with pytest.raises(InputError, match="makes a system brine_4_mol_kg, and there is one already"):
        study({"brine": brine({"ions": NACL, "mol_kg": [1, 4]}), "brine_4_mol_kg": brine()})


@pytest.mark.parametrize("held", [{"ensemble": "NVT"}, {}])
def test_one_density_does_not_serve_several_concentrations(held):
    unit = "mol_kg" if held else "mol_L"
    swept = brine({"ions": NACL, unit: [1, 4]}) | held | {"density_g_cm3": 1.1}
    with pytest.raises(InputError, match="density_g_cm3` = 1.1: one density for 2 concentrations"):
        study({"brine": swept})
    study({"brine": brine({"ions": NACL, unit: [1]}) | held | {"density_g_cm3": 1.1}})


def test_a_box_too_small_for_one_of_its_amounts_is_refused():
    with pytest.raises(InputError, match="cannot have mole fraction of ethanol 0.001: the nearest whole numbers"):
        study({"brine": brine(solvents={"water": 0.999, "ethanol": 0.001}) | {"force_field": "opls_aa"}})
