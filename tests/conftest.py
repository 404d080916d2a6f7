"""Tests of a file run in one process, since they share its fixtures; so do all files that share the smoke study."""

import os
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
os.environ.setdefault("NUMBA_CACHE_DIR", str(ROOT / ".cache" / "numba"))  # kernels compile once, also for the workflow
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # hundreds of processes load the library

USES_SMOKE = re.compile(r"^def \w+\([^)]*\bsmoke\b", re.MULTILINE)  # as a fixture; `edited` is used beside it
LONGEST_FIRST = ("workflow", "cluster", "browser", "physics")


def pytest_collection_modifyitems(items):
    places = {folder: place for place, folder in enumerate(LONGEST_FIRST)}
    items.sort(key=lambda item: places.get(item.path.parent.name, len(places)))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    """Return a scheduler that hands out whole files, in their order; xdist's own groups are lost in pytest 9.2."""
    from xdist.scheduler import LoadScopeScheduling

    class ByFile(LoadScopeScheduling):
        def _split_scope(self, nodeid):
            file = nodeid.split("::", 1)[0]
            return "smoke" if USES_SMOKE.search((ROOT / file).read_text(encoding="utf-8")) else file

    config.option.loadscopereorder = False
    return ByFile(config, log)
