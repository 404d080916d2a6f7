"""Ions and solvents of batteries: every term of the molecular graph, PF6- as a vibrating octahedron, neutral boxes."""

import math

import numpy as np
import pytest

from moxie.dynamics.force_fields import load_force_field
from moxie.dynamics.motion import degrees_of_freedom
from moxie.dynamics.platforms import PlatformChoice, evaluate
from moxie.dynamics.sources import joined_file
from moxie.dynamics.systems import build_model, isolated_positions_nm, site_charges_e
from moxie.dynamics.typing import check_parameters

REFERENCE = PlatformChoice("Reference", "double", {})
SMILES = {
    "pf6": "F[P-](F)(F)(F)(F)F", "bf4": "F[B-](F)(F)F", "fsi": "O=S(=O)(F)[N-]S(=O)(=O)F",
    "tfsi": "O=S(=O)([N-]S(=O)(=O)C(F)(F)F)C(F)(F)F", "emim": "CCn1cc[n+](C)c1", "bmim": "CCCCn1cc[n+](C)c1",
    "lithium": "[Li+]", "sodium": "[Na+]", "potassium": "[K+]", "chloride": "[Cl-]", "bromide": "[Br-]",
    "ec": "O=C1OCCO1", "pc": "CC1COC(=O)O1", "dmc": "COC(=O)OC", "emc": "CCOC(=O)OC", "dec": "CCOC(=O)OCC",
    "dme": "COCCOC", "g2": "COCCOCCOC", "g3": "COCCOCCOCCOC", "g4": "COCCOCCOCCOCCOC", "dol": "C1COCO1",
    "acetonitrile": "CC#N", "water": "O",
}  # fmt: skip
COVERED = {
    "clp_ions": "pf6 bf4 fsi tfsi emim bmim",
    "clp_ions_2004": "fsi tfsi",
    "opls_ions": "lithium sodium potassium chloride bromide",
    "opls_carbonates": "ec pc dmc emc dec",
    "opls_ethers": "dme g2 g3 g4 dol",
    "opls_ethers_2005": "dme g2 g3 g4 dol",
    "opls_aa": "acetonitrile water",
}
PAIRS = [(force_field, name) for force_field, names in COVERED.items() for name in names.split()]
# bonds, angles, torsions, impropers, counted by hand: a centre of degree d has d (d - 1) / 2 angles, of which PF6- has
# 3 straight ones less; a bond between degrees d and e has (d - 1) (e - 1) torsions
COUNTS = {
    "pf6": (6, 12, 0, 0), "bf4": (4, 6, 0, 0), "fsi": (8, 13, 6, 0), "emim": (19, 33, 41, 5), "ec": (10, 17, 19, 1),
    "dmc": (11, 17, 10, 1), "dme": (15, 26, 21, 0), "dol": (11, 20, 21, 0),
}  # fmt: skip


@pytest.mark.parametrize(("force_field", "name"), PAIRS)
def test_a_molecule_has_every_term_and_its_formal_charge(force_field, name):
    """`build_model` counts the terms of the System against the graph; here the graph itself is counted."""
    model = build_model({name: 1}, SMILES, force_field, edge_nm=None)
    sites = model.components[0][0]
    if name in COUNTS:
        assert tuple(len(sites.terms(kind)) for kind in ("bond", "angle", "torsion", "improper")) == COUNTS[name]
    formal = SMILES[name].count("+") - SMILES[name].count("-")
    assert site_charges_e(model.system).sum() == pytest.approx(formal, abs=1e-9)


def test_opposite_fluorines_have_no_angle_and_no_other_force():
    sites = check_parameters("clp_ions", SMILES["pf6"])
    assert len(sites.straight) == 3 and not set(sites.straight) & set(sites.angles)
    assert len(sites.pairs_within_three_bonds()) == 21  # all pairs of seven atoms


def test_pf6_is_an_octahedron_that_vibrates_as_its_force_constants_say():
    """Stretches of F alone have k_r / m; the bends t2g, 4 k_theta / (m r^2); six modes have none."""
    model = build_model({"pf6": 1}, SMILES, "clp_ions", edge_nm=None)
    positions = isolated_positions_nm(model.components[0][0])
    positions = positions[1] + 0.1606 * _directions(positions)
    energy, forces, _ = evaluate(REFERENCE, model.system, positions)
    assert energy == pytest.approx(0, abs=1e-4) and np.abs(forces).max() < 0.5  # coordinates have four decimals of 1 A
    masses = np.array([model.system.getParticleMass(i)._value for i in range(7)])
    step, hessian = 1e-5, np.zeros((21, 21))
    for column in range(21):
        moved = [positions.copy(), positions.copy()]
        moved[0].flat[column] += step
        moved[1].flat[column] -= step
        up, down = (evaluate(REFERENCE, model.system, each)[1] for each in moved)
        hessian[:, column] = -(np.asarray(up) - np.asarray(down)).ravel() / (2 * step)
    weights = np.repeat(masses, 3) ** -0.5
    squared = np.linalg.eigvalsh(weights[:, None] * (hessian + hessian.T) / 2 * weights)
    stretch, bend = 310000 / 18.9984, 4 * 1165 / (18.9984 * 0.1606**2)
    assert np.abs(squared[:6]).max() < 1e-3 * bend  # translations and rotations
    assert (np.abs(squared - stretch) < 1e-3 * stretch).sum() == 3  # a1g and eg
    assert (np.abs(squared - bend) < 1e-3 * bend).sum() == 3  # t2g
    assert (squared[6:] > 0.1 * bend).all()  # t1u twice and t2u: a real octahedron, no saddle


def _directions(positions):
    """Return the directions of a nearly perfect octahedron about its second atom, made perfect."""
    arms = positions - positions[1]
    first = arms[0] / np.linalg.norm(arms[0])
    second = arms[3] - (arms[3] @ first) * first
    second /= np.linalg.norm(second)
    axes = np.array([first, second, np.cross(first, second)])
    return np.array([axes.T @ np.round(axes @ arm / max(np.linalg.norm(arm), 1e-9)) for arm in arms])


@pytest.mark.parametrize("scale", [None, 1.0, 0.8, 0.7097])
def test_a_box_of_several_sources_is_neutral_whatever_the_scale(scale):
    counts = {"lithium": 64, "pf6": 64, "ec": 40, "emc": 30, "water": 10}
    sources = {"lithium": "opls_ions", "pf6": "clp_ions", "ec": "opls_carbonates", "emc": "opls_carbonates",
               "water": "opls_aa"}  # fmt: skip
    smiles = {name: SMILES[name] for name in counts}
    model = build_model(counts, smiles, joined_file(sources, smiles, scale), edge_nm=6.0, cutoff_nm=0.9)
    charges = site_charges_e(model.system)
    assert abs(charges.sum()) < 1e-9
    assert charges[:64] == pytest.approx(scale or 1.0, abs=1e-12)
    ec = charges[64 + 64 * 7 :][:10]
    assert ec == pytest.approx([-0.5, 0.86, -0.45, 0.21, 0.21, -0.45, *[0.03] * 4])  # solvents keep theirs
    rigid = 40 * 4 + 30 * 8 + 10 * 3
    assert degrees_of_freedom(model.system) == 3 * model.system.getNumParticles() - rigid


def test_a_joined_molecule_has_the_energy_that_its_source_gives_it():
    smiles = {name: SMILES[name] for name in ("emim", "bf4", "dme", "water")}
    sources = {"emim": "clp_ions", "bf4": "clp_ions", "dme": "opls_ethers_2005", "water": "opls_aa"}
    path = joined_file(sources, smiles, None)
    for name, source in sources.items():
        alone, joined = (build_model({name: 1}, smiles, file, edge_nm=None) for file in (source, path))
        positions = isolated_positions_nm(alone.components[0][0])
        assert evaluate(REFERENCE, joined.system, positions)[0] == pytest.approx(
            evaluate(REFERENCE, alone.system, positions)[0], rel=1e-12, abs=1e-12
        )


@pytest.mark.parametrize(("force_field", "expected"), [("opls_ethers", -2.3012), ("opls_ethers_2005", 2.238 * 4.184)])
def test_the_two_sets_of_ether_torsions_differ_where_they_should(force_field, expected):
    """V1 of O-C-C-O, which is the energy at 0 against 180 degrees but for V3, from the file as read."""
    import xml.etree.ElementTree as ElementTree

    root = ElementTree.parse(load_force_field(force_field).path).getroot()
    row = next(r for r in root.iter("Proper") if [r.get(f"class{i}") for i in range(1, 5)] == ["OS", "CT", "CT", "OS"])
    assert 2 * float(row.attrib["k1"]) == pytest.approx(expected) and row.attrib["periodicity1"] == "1"


def test_the_two_versions_of_tfsi_differ_in_oxygen_and_fluorine_alone():
    new, old = (
        [load_force_field(name).types[kind] for kind in check_parameters(name, SMILES["tfsi"]).types]
        for name in ("clp_ions", "clp_ions_2004")
    )
    for one, other in zip(new, old, strict=True):
        same = math.isclose(one.sigma_nm, other.sigma_nm) and one.charge_e == other.charge_e
        assert same == (one.element not in "OF")
