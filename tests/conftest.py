"""Tests of a file run in one process, since they share its fixtures; so do all files that share the smoke study."""

import pytest


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    sharing = {item.path for item in items if "smoke" in item.fixturenames}
    for item in items:
        item.add_marker(pytest.mark.xdist_group("smoke" if item.path in sharing else item.path.stem))
