#!/usr/bin/env bash
# CoolProp 8.0.0
# Expected: `viscosity` of a fluid with a reference equation of state is a correlation of measurements, like its density.
# Seen: for cyclopentane it is Chung's prediction from critical constants, 0.31 mPa s at 298.15 K, where the
#   correlation of measurements in Perry's handbook (8th ed., table 2-313) has 0.415; for isopentane likewise, and for 22
#   others a corresponding-states estimate. Only the fluid's description tells (TRANSPORT, viscosity, type).
set -eu
folder=$(mktemp -d); trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/v"
"$folder/v/bin/pip" install --quiet CoolProp==8.0.0
"$folder/v/bin/python" - <<'P'
import json

from CoolProp.CoolProp import FluidsList, PropsSI, get_fluid_param_string

predicted = {}
for fluid in FluidsList():
    models = json.loads(get_fluid_param_string(fluid, "JSON"))[0].get("TRANSPORT", {}).get("viscosity", [])
    first = models[0] if isinstance(models, list) and models else models
    if first and first.get("type"):
        predicted[fluid] = first["type"]
value = 1000 * PropsSI("V", "T", 298.15, "P", 101325, "Cyclopentane")
print(f"cyclopentane: {value:.3f} mPa s, Perry's handbook 0.415; {len(predicted)} fluids have a prediction: {predicted}")
assert predicted.get("Cyclopentane") == "Chung" and abs(value - 0.310) < 0.01, "the behaviour has changed"
P
