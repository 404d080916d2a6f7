#!/usr/bin/env bash
# tblite 0.8.0
# Expected: `energy` is the total energy, so that O2 with all spins paired is no lower than the triplet.
# Seen: it is the free energy of electrons at 300 K. The paired calculation spreads two electrons over two orbitals of
#   either spin and lies 4 ln 2 kT = 0.0717 eV below the triplet of the same orbitals and geometry.
set -eu
folder=$(mktemp -d); trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/v"
"$folder/v/bin/pip" install --quiet tblite==0.8.0
"$folder/v/bin/python" - <<'P'
import math

import numpy as np
from tblite.interface import Calculator

numbers, positions = np.array([8, 8]), np.array([[0.0, 0.0, 0.0], [0.0, 0.0, 2.28]])
energies = []
for unpaired in (0, 2):
    calculator = Calculator("GFN2-xTB", numbers, positions, uhf=unpaired)
    calculator.set("verbosity", 0)
    energies.append(27.211386245988 * float(calculator.singlepoint().get("energy")))
difference, entropy = energies[1] - energies[0], 4 * math.log(2) * 300 * 8.617333262e-5
print(f"triplet less paired: {difference:.5f} eV; 4 ln 2 kT: {entropy:.5f} eV")
assert abs(difference - entropy) < 1e-3, "the behaviour has changed"
P
