"""A box of several force fields: what cannot share one is refused, and what was used is told in every result."""

import pytest

from moxie.dynamics.force_fields import load_force_field
from moxie.dynamics.sources import join, joined_file, joined_name
from moxie.dynamics.typing import check_parameters
from moxie.errors import InputError
from moxie.io import sha256
from moxie.study import Study

MOLECULES = {
    "lithium": "[Li+]", "sodium": "[Na+]", "chloride": "[Cl-]", "tfsi": "O=S(=O)([N-]S(=O)(=O)C(F)(F)F)C(F)(F)F",
    "pf6": "F[P-](F)(F)(F)(F)F", "ec": "O=C1OCCO1", "dmc": "COC(=O)OC", "dme": "COCCOC", "water": "O",
    "wasser": "[H]O[H]", "methanol": "CO", "ethanol": "CCO",
}  # fmt: skip
LIPF6 = {"lithium": "opls_ions", "pf6": "clp_ions", "ec": "opls_carbonates", "dmc": "opls_carbonates"}


def study(**system):
    return Study.load({"extends": "nothing", "molecules": MOLECULES, "dynamics": {"systems": {"box": system}}})


def test_a_study_of_several_sources_has_one_joined_file_and_one_name():
    counts = {"ec": 60, "dmc": 60, "lithium": 9, "pf6": 9}
    plan = study(composition=counts, force_field=LIPF6, charge_scale=0.8).dynamics.systems["box"]
    name = "clp_ions+opls_carbonates+opls_ions@0.8"
    assert plan.force_field_name == name and plan.runs == [f"box/{name}/T298.15_p1/replica0"]
    assert plan.force_field_file == f"results/structures/{name}/boxes/box.xml"
    assert plan.run_settings(298.15, 1.0).force_field == plan.force_field_file
    assert plan.force_field.name == name and plan.can_export and plan.kind == "electrolytes"
    sources = " ".join(plan.force_field.sources.values())
    for source in set(LIPF6.values()):
        assert sha256(load_force_field(source).path) in sources  # so that the joined file's checksum covers them


def test_a_mapping_to_one_force_field_is_that_force_field():
    both = dict.fromkeys(("sodium", "chloride", "water"), "jc_spce")
    plan = study(composition={"water": 600, "sodium": 5, "chloride": 5}, force_field=both).dynamics.systems["box"]
    assert plan.force_field_name == plan.force_field_file == "jc_spce" and not plan.is_joined


def test_the_joined_file_is_the_same_text_each_time_and_changes_with_the_scale():
    smiles = {name: MOLECULES[name] for name in LIPF6}
    assert join(LIPF6, smiles, 0.8) == join(LIPF6, smiles, 0.8) != join(LIPF6, smiles, 0.7)
    assert joined_name(LIPF6.values(), None) == "clp_ions+opls_carbonates+opls_ions"


def test_types_of_one_source_do_not_reach_the_molecules_of_another():
    """Methanol of opls_aa and of trappe_ua's pattern; here both have a pattern for the water."""
    smiles = {name: MOLECULES[name] for name in ("water", "tfsi", "lithium")}
    path = joined_file({"water": "opls_aa", "tfsi": "clp_2017", "lithium": "opls_ions"}, smiles, 0.8)
    assert check_parameters(path, "O").types == ("opls_aa.opls_116", "opls_aa.opls_117", "opls_aa.opls_117")
    with pytest.raises(InputError, match="has no type"):
        check_parameters(path, "CO")
    charges = [load_force_field(path).types[kind].charge_e for kind in check_parameters(path, smiles["tfsi"]).types]
    assert sum(charges) == pytest.approx(-0.8, abs=1e-9)  # the file's own are scaled already


REFUSED = {
    "unlike rules": (
        {"lithium": "jc_spce", "chloride": "jc_spce", "ec": "opls_carbonates"},
        None,
        r"lithium \(jc_spce, Lorentz-Berthelot rule\) and ec \(opls_carbonates, geometric rule\) cannot share a box",
    ),
    "unlike 1-4 pairs": (
        {"ethanol": "trappe_ua", "tfsi": "und", "lithium": "und"},
        None,
        r"ethanol \(trappe_ua\) scales its 1-4 pairs by 0 .* tfsi \(und\) by 0.5",
    ),
    "two waters": (
        {"sodium": "jc_spce", "chloride": "jc_spce", "water": "tip4p_2005"},
        None,
        r"sodium \(jc_spce\) was fitted to the water of jc_spce, .* two waters cannot share a box",
    ),
    "one molecule under two names": (
        {"water": "spce", "wasser": "jc_spce"},
        None,
        r"water and wasser are one molecule .* spce and jc_spce both claim",
    ),
    "a molecule that none knows": (
        {"lithium": "opls_ions", "pf6": "opls_carbonates", "ec": "opls_carbonates"},
        None,
        r"opls_carbonates has no type for atom 0 \(F .* of pf6",
    ),
    "a molecule without a source": (
        {"lithium": "opls_ions", "pf6": "clp_ions", "ec": None},
        None,
        r"ec of the box has none. Give one for every molecule",
    ),
    "an unknown force field": ({"methanol": "opls_a"}, None, r"'opls_a' is neither in the registry .* 'opls_aa'\?"),
    "unlike charges of ions": (
        {"lithium": "opls_ions", "tfsi": "clp_2017", "dme": "opls_ethers"},
        None,
        r"different shares .* lithium 1 \(opls_ions\), tfsi 0.8 \(clp_2017\). Give the system a `charge_scale`",
    ),
    "scaled ions of GAFF": ({"methanol": "gaff2"}, 0.8, r"gaff2 makes the parameters of each molecule in a job"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_share_a_box_is_refused_with_the_reason(case):
    sources, scale, message = REFUSED[case]
    with pytest.raises(InputError, match=f"(?s){message}"):
        given = {name: source for name, source in sources.items() if source}
        study(composition=dict.fromkeys(sources, 40), force_field=given, charge_scale=scale)


def test_a_source_for_what_is_not_in_the_box_is_refused():
    with pytest.raises(InputError, match="ec, dmc is not in the box, which has lithium, pf6"):
        study(composition={"lithium": 9, "pf6": 9}, force_field=LIPF6)


def test_a_file_of_the_users_can_be_a_source_and_is_tried_in_openmm(tmp_path):
    text = load_force_field("opls_carbonates").path.read_text()
    mine = tmp_path / "mine.xml"
    mine.write_text(text)
    counts, sources = {"ec": 200, "lithium": 5, "pf6": 5}, LIPF6 | {"ec": str(mine)}
    del sources["dmc"]
    found = study(composition=counts, force_field=sources)
    assert found.own_files() == [str(mine)]
    assert found.dynamics.systems["box"].source_files == [str(mine)]
    broken = tmp_path / "broken.xml"
    broken.write_text(text.replace("HarmonicBondForce>", "Unknown>"))
    with pytest.raises(InputError, match="broken.xml cannot be used: it has Unknown"):
        study(composition=counts, force_field=sources | {"ec": str(broken)})


def test_charges_of_a_box_without_ions_cannot_be_scaled():
    with pytest.raises(InputError, match="charge_scale` = 0.8: the box has no ions"):
        study(composition={"water": 100}, force_field="spce", charge_scale=0.8)
