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


def test_the_citation_names_the_latest_release_and_its_date():
    import tomllib

    import yaml

    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    version, date = re.search(r"^## \[(\d.*?)\] - (\S+)", (ROOT / "CHANGELOG.md").read_text(), re.M).groups()
    assert (citation["version"], str(citation["date-released"])) == (version, date)
    assert tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"] == version


def test_the_report_says_what_to_cite_for_the_stages_that_a_study_has():
    from moxie.config.study import default_study
    from moxie.figures.citing import citations

    whole = "\n".join(citations(default_study().model_dump(mode="json"), "0.1.0"))
    for name in ("moxie, version 0.1.0", "Snakemake", "OpenMM", "GFN2-xTB", "scikit-learn", "von Alfthan", "Deal and"):
        assert name in whole
    assert len(citations({"dynamics": None, "oxidation": None}, "0.1.0")) == 2


def test_snakemakes_catalog_can_read_how_the_workflow_is_used():
    import yaml

    usage = yaml.safe_load((ROOT / ".snakemake-workflow-catalog.yml").read_text())["usage"]
    assert set(usage) == {"mandatory-flags", "software-stack-deployment", "report"}
    assert (ROOT / "envs" / "moxie.yaml").is_file() and usage["software-stack-deployment"]["conda"] is True
    rules = "".join(path.read_text() for path in (ROOT / "workflow" / "rules").rglob("*.smk"))
    assert usage["report"] and len(re.findall(r'caption="', rules)) >= 3
