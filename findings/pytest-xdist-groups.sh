#!/usr/bin/env bash
# pytest-xdist 3.8.0 with pytest 9.2.0
# Expected: with `--dist loadgroup`, tests with the same mark `xdist_group` run in one process.
# Seen: the mark is ignored without a word, tests are handed out one by one, and every process makes its own session and
#   module fixtures. xdist writes the group into `item._nodeid`, which pytest 9.2 no longer reads. Reported at
#   https://github.com/pytest-dev/pytest-xdist/issues/1386. `--dist loadfile`, and a scheduler of one's own, work.
set -eu
folder=$(mktemp -d); trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/v"
"$folder/v/bin/pip" install --quiet pytest==9.2.0 pytest-xdist==3.8.0
mkdir "$folder/t"
cat > "$folder/t/test_group.py" <<'P'
import os
import time
from pathlib import Path

import pytest

pytestmark = pytest.mark.xdist_group("one")


@pytest.mark.parametrize("number", range(8))
def test(number):
    (Path(__file__).parent / os.environ["PYTEST_XDIST_WORKER"]).touch()
    time.sleep(0.2)
P
used() { rm -f "$folder"/t/gw*; (cd "$folder/t" && "$folder/v/bin/pytest" -q -n 2 --dist "$1" >/dev/null); ls "$folder/t" | grep -c gw; }
echo "processes used: loadgroup $(used loadgroup), loadfile $(used loadfile)"
[ "$(used loadgroup)" = 2 ] && [ "$(used loadfile)" = 1 ] || { echo "the behaviour has changed"; exit 1; }
