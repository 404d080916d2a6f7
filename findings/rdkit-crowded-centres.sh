#!/usr/bin/env bash
# RDKit 2026.09.1
# Expected: an embedded and UFF-optimised hexafluorophosphate is an octahedron, since UFFHasAllMoleculeParams is true.
# Seen: distance geometry places the six F at random about P, and UFF, whose type for P has other angles, leaves fluorine
#   atoms nearer to each other (0.9 A) than in F2 (1.41 A). Sulfur hexafluoride, without a UFF type, stays as placed.
#   A quantum-chemical optimisation from there ends in SF4 + F2.
set -eu
folder=$(mktemp -d); trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/v"
"$folder/v/bin/pip" install --quiet rdkit==2026.9.1
"$folder/v/bin/python" - <<'P'
import numpy as np
from rdkit import Chem, RDLogger
from rdkit.Chem import rdDistGeom, rdForceFieldHelpers

RDLogger.DisableLog("rdApp.*")
for smiles, typed in (("F[P-](F)(F)(F)(F)F", True), ("FS(F)(F)(F)(F)F", False)):
    molecule = Chem.MolFromSmiles(smiles)
    settings = rdDistGeom.ETKDGv3()
    settings.randomSeed = 7
    rdDistGeom.EmbedMultipleConfs(molecule, 4, settings)
    assert rdForceFieldHelpers.UFFHasAllMoleculeParams(molecule) == typed, "the behaviour has changed"
    if typed:
        rdForceFieldHelpers.UFFOptimizeMoleculeConfs(molecule, maxIters=1000)
    fluorine = [atom.GetIdx() for atom in molecule.GetAtoms() if atom.GetSymbol() == "F"]
    nearest = []
    for conformer in molecule.GetConformers():
        at = conformer.GetPositions()[fluorine]
        apart = np.linalg.norm(at[:, None] - at[None], axis=-1)
        nearest.append(round(float(apart[np.triu_indices(6, 1)].min()), 2))
    print(f"{smiles}: nearest F-F in each conformer {nearest} A; octahedra have 2.2 A")
    assert min(nearest) < 1.2, "the behaviour has changed"
P
