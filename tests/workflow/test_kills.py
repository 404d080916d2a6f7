"""The short form of `benchmarks/kill_drill.py`: whole trees of processes are killed, wherever they are."""

import math
import random
import sys

import pytest
from benchmarks.kill_drill import run_until_killed

from tests.workflow.conftest import ROOT, SMOKE

FILES = (
    "results/oxidation/Si100/T1473/disordered/replica0/film.xyz",
    "results/oxidation/Si100/T1473/disordered/replica0/chain.parquet",
    "results/molecules/methanol.xyz",
)
START_S = 3.0  # of CPU, before the first job


@pytest.mark.slow
def test_runs_killed_at_random_go_on_by_the_same_command_to_the_bytes_of_an_undisturbed_one(tmp_path):
    def typed(folder):
        folder.mkdir(exist_ok=True)
        where = ["--snakefile", str(ROOT / "Snakefile"), "--directory", str(folder), "--cores", "2"]
        return [sys.executable, str(ROOT / "workflow" / "run.py"), *where, "--configfile", str(SMOKE), "--", *FILES]

    def goes_on_to_its_end(folder):
        status, _ = run_until_killed(typed(folder), tmp_path / "last.out", math.inf)
        assert status == 0, (tmp_path / "last.out").read_text()

    calm, killed = tmp_path / "calm", tmp_path / "killed"
    goes_on_to_its_end(calm)
    draw = random.Random(4)
    moments_s = [START_S + draw.expovariate(1 / 3) for _ in range(3)]
    ends = [run_until_killed(typed(killed), tmp_path / "killed.out", moment_s)[0] for moment_s in moments_s]
    assert ends[0] is None and not any(ends)  # killed, or done before that
    goes_on_to_its_end(killed)
    for file in FILES:
        assert (killed / file).read_bytes() == (calm / file).read_bytes(), file
