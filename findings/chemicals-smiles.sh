#!/usr/bin/env bash
# chemicals 1.5.2
# Expected: `search_chemical("smiles=...")` finds a compound by its SMILES, however that is written; CS(C)=O is dimethyl
#   sulfoxide in the canonical form that RDKit gives.
# Seen: the text is compared letter by letter. Dimethyl sulfoxide, ethyl acetate and formamide are not found by RDKit's
#   canonical SMILES and are there under another one; the InChIKey finds them.
set -eu
folder=$(mktemp -d); trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/v"
"$folder/v/bin/pip" install --quiet chemicals==1.5.2 rdkit==2026.9.1
"$folder/v/bin/python" - <<'P'
from chemicals import search_chemical
from rdkit import Chem

missed = 0
for name in ("dimethyl sulfoxide", "ethyl acetate", "formamide", "dichloromethane", "methanol", "water"):
    known = search_chemical(name)
    canonical = Chem.CanonSmiles(known.smiles)
    assert search_chemical(f"InChIKey={known.InChI_key}").CASs == known.CASs
    try:
        found = search_chemical(f"smiles={canonical}").CASs == known.CASs
    except ValueError:
        found = False
    missed += not found
    print(f"{name}: listed as {known.smiles}, RDKit writes {canonical}: {'found' if found else 'not found'}")
assert missed >= 3, "the behaviour has changed"
P
