"""The pages for readers: links lead somewhere, lines fit a window."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
GENERATED = (ROOT / "docs" / "configuration.md", ROOT / "docs" / "licences.md")
LONGEST_LINE = 120
_FENCED = re.compile(r"^ *```.*?^ *```", re.M | re.S)
_LINK = re.compile(r"\]\(([^)\s]+)\)")


def anchors(page: Path) -> set[str]:
    """Return the anchors of a page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ +(.+)$", _FENCED.sub("", page.read_text()), re.M)
    return {
        re.sub(r"[^\w\- ]", "", re.sub(r"\[(.+?)\]\(.+?\)", r"\1", text.lower())).replace(" ", "-") for text in headings
    }


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_relative_links_of_a_page_lead_to_a_file_and_a_heading(page):
    broken = []
    for link in _LINK.findall(_FENCED.sub("", page.read_text())):
        path, _, anchor = link.partition("#")
        if re.match(r"[a-z]+:", link):
            continue
        target = page.parent / path if path else page
        if not target.exists() or (anchor and target.suffix == ".md" and anchor not in anchors(target)):
            broken.append(link)
    assert not broken


@pytest.mark.parametrize("page", sorted(set(PAGES) - set(GENERATED)), ids=lambda page: str(page.relative_to(ROOT)))
def test_lines_outside_tables_and_code_fit_a_window(page):
    lines = _FENCED.sub("", page.read_text()).splitlines()
    assert not [line for line in lines if len(line) > LONGEST_LINE and not line.lstrip().startswith("|")]
