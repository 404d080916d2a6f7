"""Tests of a file run in one process, since they share its fixtures; so do all files that share the smoke study."""

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
os.environ.setdefault("NUMBA_CACHE_DIR", str(ROOT / ".cache" / "numba"))  # kernels compile once, also for the workflow
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # hundreds of processes load the library

SHARING = ("tests/workflow/test_pipeline.py", "tests/workflow/test_stages.py")
LONGEST_FIRST = ("workflow", "cluster", "browser", "physics", "unit")


def pytest_collection_modifyitems(items):
    for item in items:
        if "smoke" in item.fixturenames and item.path.relative_to(ROOT).as_posix() not in SHARING:
            raise pytest.UsageError(f"{item.path} uses the smoke study: name it in SHARING of tests/conftest.py")
    items.sort(key=lambda item: LONGEST_FIRST.index(item.path.parent.name))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    """Return a scheduler that hands out whole files, in their order; xdist's own groups are lost in pytest 9.2."""
    from xdist.scheduler import LoadScopeScheduling

    class ByFile(LoadScopeScheduling):
        def _split_scope(self, nodeid):
            file = nodeid.split("::", 1)[0]
            return "smoke" if file in SHARING else file

    config.option.loadscopereorder = False
    return ByFile(config, log)
