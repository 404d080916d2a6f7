"""Antechamber's files of five molecules, and the force-field files that are made of them."""

from pathlib import Path

from moxie.dynamics.antechamber import Findings
from moxie.dynamics.force_fields import load_force_field
from moxie.dynamics.gaff import force_field_xml

DATA = Path(__file__).parent.parent / "data" / "gaff2"
MOLECULES = {"methanol": "CO", "ethanol": "CCO", "acetonitrile": "CC#N", "formamide": "NC=O", "benzene": "c1ccccc1"}


def findings(name):
    text = {suffix: (DATA / f"{name}.{suffix}").read_text() for suffix in ("mol2", "frcmod")}
    return Findings(**text, parameters=(DATA / "gaff2.dat").read_text(), versions={"antechamber": "22.0"})


def written(folder, name, edit=lambda text: text):
    path = folder / f"{name}.xml"
    path.write_text(edit(force_field_xml(load_force_field("gaff2"), MOLECULES[name], name, findings(name))))
    return path
