#!/usr/bin/env bash
# OpenMM 8.6.1
# Expected: `ForceField.createSystem` refuses a molecule one of whose angles or torsions has no parameters, as it does one
#   whose atoms have none.
# Seen: bonds, angles and torsions without parameters are left out without a word. Of two angles one is there, of one
#   torsion none, and the energy is finite: a file with a forgotten line gives a floppier molecule.
set -eu
folder=$(mktemp -d); trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/v"
"$folder/v/bin/pip" install --quiet openmm==8.6.1
"$folder/v/bin/python" - <<'P'
import io

from openmm import app

FORCE_FIELD = """
<ForceField>
 <AtomTypes>
  <Type name="C" class="C" element="C" mass="15"/><Type name="O" class="O" element="O" mass="16"/>
 </AtomTypes>
 <Residues><Residue name="M">
  <Atom name="a" type="C"/><Atom name="b" type="O"/><Atom name="c" type="C"/><Atom name="d" type="O"/>
  <Bond from="0" to="1"/><Bond from="1" to="2"/><Bond from="2" to="3"/>
 </Residue></Residues>
 <HarmonicBondForce><Bond class1="C" class2="O" length="0.14" k="1e5"/></HarmonicBondForce>
 <HarmonicAngleForce><Angle class1="C" class2="O" class3="C" angle="1.9" k="500"/></HarmonicAngleForce>
 <PeriodicTorsionForce>
  <Proper class1="O" class2="C" class3="C" class4="O" periodicity1="3" phase1="0" k1="5"/>
 </PeriodicTorsionForce>
</ForceField>
"""
topology = app.Topology()
residue = topology.addResidue("M", topology.addChain())
atoms = [topology.addAtom(name, app.Element.getBySymbol(symbol), residue) for name, symbol in zip("abcd", "COCO")]
for first, second in zip(atoms, atoms[1:]):
    topology.addBond(first, second)
system = app.ForceField(io.StringIO(FORCE_FIELD)).createSystem(topology)
forces = {force.getName(): force for force in system.getForces()}
angles = forces["HarmonicAngleForce"].getNumAngles()
torsions = forces["PeriodicTorsionForce"].getNumTorsions()
print(f"a chain of four atoms: {angles} of 2 angles, {torsions} of 1 torsions")
assert (angles, torsions) == (1, 0), "the behaviour has changed"
P
