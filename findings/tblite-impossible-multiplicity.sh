#!/usr/bin/env bash
# tblite 0.8.0
# Expected: seven valence electrons with no unpaired one (uhf=0) are refused, or at least warned about.
# Seen: the methyl radical with uhf=0 gives the doublet's energy to the last digit, without a word; so does titanium
#   trichloride. Who asks for a singlet stores a doublet.
set -eu
folder=$(mktemp -d); trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/v"
"$folder/v/bin/pip" install --quiet tblite==0.8.0
"$folder/v/bin/python" - <<'P'
import numpy as np
from tblite.interface import Calculator

r = 2.04  # bohr
methyl = np.array([[0.0, 0, 0], [r, 0, 0], [-r / 2, r * 3**0.5 / 2, 0], [-r / 2, -r * 3**0.5 / 2, 0]])
s = 4.15
chloride = np.array([[0.0, 0, 0], [s, 0, 0], [-s / 2, s * 3**0.5 / 2, 0], [-s / 2, -s * 3**0.5 / 2, 0]])
for name, numbers, positions in (("CH3", [6, 1, 1, 1], methyl), ("TiCl3", [22, 17, 17, 17], chloride)):
    energies = []
    for unpaired in (0, 1):
        calculator = Calculator("GFN2-xTB", np.array(numbers), positions, uhf=unpaired)
        energies.append(float(calculator.singlepoint().get("energy")))
    print(f"{name}: uhf=0 {energies[0]:.10f}, uhf=1 {energies[1]:.10f} hartree")
    assert abs(energies[0] - energies[1]) < 1e-9, "the behaviour has changed"
P
