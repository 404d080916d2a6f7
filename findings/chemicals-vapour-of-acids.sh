#!/usr/bin/env bash
# chemicals 1.5.2
# Expected: the enthalpy of vaporisation of acetic acid in Perry's table and the difference of its enthalpies of formation
#   as gas and as liquid, in the same package, are the same number, as they are for methanol.
# Seen: 23.4 and 52 kJ/mol. The first is that of the saturated vapour, which is mostly dimers, the second that of single
#   molecules; nothing in the tables says so. A simulation, which knows the single molecule, is "wrong" by a factor of two.
set -eu
folder=$(mktemp -d); trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/v"
"$folder/v/bin/pip" install --quiet chemicals==1.5.2
"$folder/v/bin/python" - <<'P'
import chemicals
from chemicals import phase_change, search_chemical

T, table = 298.15, phase_change.phase_change_data_Perrys2_150
ratios = {}
for name in ("methanol", "ethanol", "acetic acid", "formic acid", "propionic acid"):
    cas = search_chemical(name).CASs
    row = table.loc[cas]
    reduced = T / row["Tc"]
    saturated = row["C1"] * (1 - reduced) ** (row["C2"] + row["C3"] * reduced + row["C4"] * reduced**2) / 1e3
    single = (chemicals.Hfg(cas, method="CRC") - chemicals.Hfl(cas, method="CRC")) / 1e3
    ratios[name] = single / saturated
    print(f"{name}: {saturated:.1f} kJ/mol in Perry's table, {single:.1f} from enthalpies of formation")
assert all(abs(ratios[name] - 1) < 0.05 for name in ("methanol", "ethanol")), "the behaviour has changed"
assert all(ratios[name] > 1.5 for name in ("acetic acid", "formic acid", "propionic acid")), "the behaviour has changed"
P
