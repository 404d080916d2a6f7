"""The documentation's site: all pages, all figures, all public modules; papers are linked; tutorials are true."""

import runpy
from pathlib import Path

import pytest

from moxie.figures import registry

ROOT = Path(__file__).parents[2]
PROGRAM = runpy.run_path(str(ROOT / "docs" / "site" / "prepare.py"))


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    folder = tmp_path_factory.mktemp("site") / "source"
    (results := folder.parent / "results" / "figures").mkdir(parents=True)
    (results / "site_map.png").write_bytes(b"picture")
    PROGRAM["prepare"](folder, results.parent)
    return folder


def test_every_page_stands_in_a_section_of_the_front_page(source):
    listed = {name for names in PROGRAM["SECTIONS"].values() for name in names}
    pages = {str(path.relative_to(source).with_suffix("")) for path in source.rglob("*.md")}
    assert {page for page in pages if not page.startswith("api/")} - {"index"} == listed - {"api/index"}
    assert all((source / f"{name}.md").is_file() for name in listed)


def test_the_gallery_has_a_line_for_each_figure_and_the_pictures_there_are(source):
    page = (source / "gallery.md").read_text()
    for name in registry.names():
        line = next(line for line in page.splitlines() if line.startswith(f"`{name}`: "))
        assert 30 < len(line) < 320 and line.endswith(".")
    assert page.count("](pictures/") == 1 and (source / "pictures" / "site_map.png").read_bytes() == b"picture"


def test_the_api_pages_hold_the_public_functions_with_their_docstrings(source):
    page = (source / "api" / "moxie.md").read_text()
    assert "### mean_of\n\n```python\nmean_of(series: np.ndarray) -> Mean\n```\n\nReturn the mean of a" in page
    assert "_powers" not in page and "### Mean\n" in page and "#### Mean.as_columns" in page
    modules = {path.stem for path in (ROOT / "src/moxie/features").glob("[a-z]*.py")}
    features = (source / "api" / "features.md").read_text()
    assert all(f"## moxie.features.{module}\n" in features for module in modules)


def test_a_citation_leads_to_its_paper_and_code_is_left_alone():
    link = PROGRAM["with_papers"]
    assert link("(Chodera, J. Chem. Theory Comput. 3, 26 (2007))") == (
        "(Chodera, [J. Chem. Theory Comput. 3, 26 (2007)](https://search.crossref.org/search/works?q="
        "J.%20Chem.%20Theory%20Comput.%203%2C%2026%20%282007%29))"
    )
    for text in ("```\nJ. Chem. Phys. 81, 3684 (1984)\n```", "`J. Chem. Phys. 81, 3684 (1984)`", "In 81, (1984)"):
        assert link(text) == text
    assert link("doi:10.1063/1.448118.") == "[doi:10.1063/1.448118](https://doi.org/10.1063/1.448118)."


@pytest.mark.slow
def test_the_site_builds_without_a_warning_draws_equations_and_needs_no_network(source):
    pytest.importorskip("sphinx", reason="make docs installs it")
    import re
    import subprocess
    import sys

    site = source.parent / "site"
    command = ["-m", "sphinx", "-W", "--keep-going", "-q", "-b", "html", "-c", str(ROOT / "docs/site")]
    subprocess.run([sys.executable, *command, str(source), str(site)], check=True)
    page = (site / "docs/theory/dynamics.html").read_text()
    assert page.count("<math") > 30 and "$$" not in page
    for html in site.rglob("*.html"):
        assert not re.search(r'<(script|link|img)[^>]+(src|href)="(https?:)?//', html.read_text()), html
    assert "metropolis" in (site / "searchindex.js").read_text().lower()
