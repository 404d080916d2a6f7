#!/usr/bin/env bash
# skops 0.16.0 (scikit-learn 1.9.1, numpy 2.4.6)
# Expected: the same model saved twice gives the same bytes; the format is made for sharing models that can be checked.
# Seen: every array in the archive is named by the address that it had in memory, and dated by the clock. Two runs of one
#   script give files of different names and different checksums, so that a manifest of checksums says nothing.
set -eu
folder=$(mktemp -d); trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/v"
"$folder/v/bin/pip" install --quiet skops==0.16.0 scikit-learn==1.9.1 numpy==2.4.6
cat > "$folder/save.py" <<'P'
import sys
import zipfile

import numpy as np
import skops.io
from sklearn.linear_model import LinearRegression

ballast = [np.zeros(1000 * int(sys.argv[2]) + 1)]  # another history of memory
model = LinearRegression().fit(np.arange(6.0).reshape(3, 2), [1.0, 2.0, 3.0])
skops.io.dump(model, sys.argv[1])
print(sys.argv[1].rsplit("/", 1)[1], zipfile.ZipFile(sys.argv[1]).namelist())
P
for number in 1 2 3; do "$folder/v/bin/python" "$folder/save.py" "$folder/$number.skops" "$number"; done
"$folder/v/bin/python" - "$folder" <<'P'
import re
import sys
import zipfile

names = [frozenset(zipfile.ZipFile(f"{sys.argv[1]}/{number}.skops").namelist()) for number in (1, 2, 3)]
arrays = [[name for name in each if name.endswith(".npy")] for each in names]
assert all(re.fullmatch(r"\d{9,}\.npy", name) for each in arrays for name in each), "the behaviour has changed"
assert len(set(names)) > 1, "the behaviour has changed"
P
