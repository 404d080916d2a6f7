"""One SLURM for all tests of this folder."""

import os

import pytest

from tests.cluster.slurm import Slurm, missing


@pytest.fixture(scope="session")
def slurm(tmp_path_factory):
    """A SLURM of three small nodes; where it cannot be had the tests skip, but not in CI (MOXIE_NEEDS_SLURM)."""
    if reason := missing():
        if os.environ.get("MOXIE_NEEDS_SLURM"):
            pytest.fail(reason)
        pytest.skip(reason)
    cluster = Slurm(tmp_path_factory.mktemp("slurm"))
    try:
        cluster.start()
        yield cluster
    finally:
        cluster.stop()
