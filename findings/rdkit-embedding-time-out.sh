#!/usr/bin/env bash
# RDKit 2026.09.1
# Expected: `EmbedMultipleConfs` with a `timeout` keeps the conformers that it had by then.
# Seen: all of them are thrown away, and it returns the list [-1], which is true and of length one. A molecule of which
#   ten conformers take a tenth of the time limit has none if 5,000 are asked for.
set -eu
folder=$(mktemp -d); trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/v"
"$folder/v/bin/pip" install --quiet rdkit==2026.9.1
"$folder/v/bin/python" - <<'P'
from rdkit import Chem, RDLogger
from rdkit.Chem import rdDistGeom

RDLogger.DisableLog("rdApp.*")
molecule = Chem.AddHs(Chem.MolFromSmiles("CC(C)CC(NC(=O)C(CC(C)C)NC(=O)C(CC(C)C)NC(=O)C(CC(C)C)N)C(=O)O"))
settings = rdDistGeom.ETKDGv3()
settings.randomSeed, settings.timeout = 7, 5
kept = {}
for wanted in (2, 5000):
    numbers = list(rdDistGeom.EmbedMultipleConfs(molecule, wanted, settings))
    kept[wanted] = molecule.GetNumConformers()
    print(f"{wanted} asked for: returned {numbers[:5]}, {kept[wanted]} conformers kept")
assert kept[2] == 2 and kept[5000] == 0 and numbers == [-1], "the behaviour has changed"
P
