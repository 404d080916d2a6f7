#!/usr/bin/env bash
# pymbar 4.0.3 (numpy 2.4.6)
# Expected: the statistical inefficiency g of a series of thirteen of its own memories is right on average, if noisy.
# Seen: where a weak slow part (30 % of the variance, 60 samples) lies below a fast one, 500 samples give less than half
#   of the exact g on average, since the sum ends where the noise first crosses zero: errors of means are 1.4 times too
#   small. One series cannot tell; the exact g is known since the series is made.
set -eu
folder=$(mktemp -d); trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/v"
"$folder/v/bin/pip" install --quiet pymbar==4.0.3 numpy==2.4.6
"$folder/v/bin/python" - <<'P'
import logging

logging.disable(logging.CRITICAL)
import numpy as np
from pymbar.timeseries import statistical_inefficiency

rng = np.random.default_rng(1)


def exponential(count, memory):
    kept = np.exp(-1 / memory)
    series = np.empty(count)
    series[0] = rng.normal()
    for step, noise in enumerate(rng.normal(0, np.sqrt(1 - kept**2), count - 1), 1):
        series[step] = kept * series[step - 1] + noise
    return series


parts = ((0.7, 1.5), (0.3, 60.0))
exact = sum(share / np.tanh(1 / (2 * memory)) for share, memory in parts)
series = [sum(np.sqrt(share) * exponential(500, memory) for share, memory in parts) for _ in range(200)]
found = float(np.mean([statistical_inefficiency(each) for each in series]))
scatter, given = np.std([each.mean() for each in series]), np.sqrt(found / 500)
print(f"g: exact {exact:.1f}, found {found:.1f}; standard error of a mean: scatter {scatter:.3f}, from g {given:.3f}")
assert found < 0.6 * exact and scatter > 1.25 * given, "the behaviour has changed"
P
