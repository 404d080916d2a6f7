#!/usr/bin/env bash
# pytest 9.2.0 with pytest-xdist 3.8.0
# Expected: under `--dist loadgroup`, tests with the mark xdist_group("together") run in one worker, so that a fixture
#   of scope "session" is made once for them, as with pytest 9.1.1 and the same xdist.
# Seen: they are spread over the workers and the fixture is made in each. xdist writes the group into `item._nodeid`,
#   which pytest 9.2 no longer reads (`nodeid` comes from `item._id`). Nothing fails; a suite only takes longer, or two
#   processes meet in what one was meant to own.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
cd "$folder"
cat > test_group.py <<'PY'
import time
import pytest

@pytest.mark.xdist_group("together")
@pytest.mark.parametrize("number", range(6))
def test_one(number, worker_id):
    time.sleep(0.3)
    with open("workers", "a") as file:
        print(worker_id, file=file)
PY
workers() {
  venv/bin/python -m pip install --quiet --disable-pip-version-check "pytest==$1" pytest-xdist==3.8.0
  rm -f workers
  venv/bin/python -m pytest -q -n 2 --dist loadgroup >/dev/null
  sort -u workers | wc -l
}
before=$(workers 9.1.1)
after=$(workers 9.2.0)
echo "workers that met one group of six tests: pytest 9.1.1: $before, pytest 9.2.0: $after"
[ "$before" -eq 1 ] && [ "$after" -eq 2 ]
