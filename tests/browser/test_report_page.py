"""The report in a real browser: offline, without errors, sorted, filtered, turned, printed, on a phone, in the dark."""

import os
import shutil
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "unit"))
from made_liquids import COMPOSITIONS  # noqa: E402
from made_tables import MAKERS  # noqa: E402

from moxie.config import StudyConfig  # noqa: E402
from moxie.features.schemas import OXIDE_RUNS  # noqa: E402
from moxie.features.tables import write_table  # noqa: E402
from moxie.features.validation import make_validation_table, write_validation  # noqa: E402
from moxie.figures.registry import get, render  # noqa: E402
from moxie.figures.report import write_report  # noqa: E402
from moxie.structures.network import write_networks  # noqa: E402
from moxie.structures.silicon import insert_oxygen, silicon_slab  # noqa: E402

BROWSER = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
QUIET = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]
if not BROWSER and not os.environ.get("MOXIE_NEEDS_BROWSER"):
    pytest.skip("no Chromium on this machine (apt-get install chromium)", allow_module_level=True)


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    folder = tmp_path_factory.mktemp("results")
    tables = {name: MAKERS[name]() for name in ("liquids", "electrolytes", "oxide_runs", "molecules")}
    table = make_validation_table(**tables, compositions=COMPOSITIONS)
    write_validation(table, folder / "tables/validation.parquet", folder / "tables/validation.csv")
    write_table(tables["oxide_runs"], folder / "features/oxide_runs.parquet", OXIDE_RUNS)
    names = ("deviations", "strain_and_angles", "validation_overview")
    for name in names:
        inputs = {label: folder / path for label, path in get(name).inputs.items()}
        render(name, inputs, folder / f"figures/{name}")
    slab = silicon_slab((2, 2, 3))
    free = ~slab.frozen[slab.bonds].any(axis=1) & (slab.species[slab.bonds] == "Si").all(axis=1)
    film = folder / "oxidation/Si100/T1473/disordered/replica0/film.xyz"
    network = insert_oxygen(slab, slab.bonds[free][-9:])
    network.info.update(orientation="100", temperature_K=1473.0, approach="disordered", replica=0)
    write_networks(film, network)
    path = folder / "report.html"
    write_report(
        path,
        config=StudyConfig.model_validate(
            {"study": {"name": "made", "title": "Made-up tables for a browser"}}
        ).model_dump(),
        figures={name: folder / f"figures/{name}.svg" for name in names},
        validation=folder / "tables/validation.parquet",
        oxide_runs=folder / "features/oxide_runs.parquet",
        film=film,
    )
    return path


@pytest.fixture(scope="module")
def browser():
    from playwright.sync_api import sync_playwright

    with sync_playwright() as player:
        running = player.chromium.launch(executable_path=BROWSER, args=QUIET)
        yield running
        running.close()


@pytest.fixture
def opened(browser, report):
    """Return a function that opens the report offline and fails at the first error of its console."""
    contexts, complaints = [], []

    def open_page(width=1400, height=900, **options):
        context = browser.new_context(viewport={"width": width, "height": height}, offline=True, **options)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: message.type == "error" and complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("request", lambda asked: asked.url.startswith(("http:", "https:")) and complaints.append(asked.url))
        page.goto(report.as_uri())
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert complaints == []


def verdicts(page):
    return page.eval_on_selector_all("#comparison tbody tr:not([hidden]) td.verdict", "c => c.map(x => x.innerText)")


def test_the_first_screen_says_what_to_trust_with_a_picture_and_a_small_table(opened):
    page = opened()
    assert page.locator(".verdicts").inner_text().startswith(("Trust:", "Do not trust:"))
    for selector in (".verdicts", "#first-picture", "#short tbody tr"):
        box = page.locator(selector).first.bounding_box()
        assert box["y"] + min(box["height"], 60) < 900, selector
    assert page.locator("#first-picture").evaluate("image => image.naturalWidth") > 0


def test_comparisons_sort_by_mouse_and_by_keyboard_worst_first_at_the_start(opened):
    page = opened()
    order = [text.split()[0] for text in verdicts(page)]
    rank = [("deviates", "no", "within", "agrees").index(word) for word in order]
    assert rank == sorted(rank) and len(set(rank)) > 1
    column = page.locator("#comparison th", has_text="computed")
    column.locator("button").focus()
    page.keyboard.press("Enter")
    numbers = page.eval_on_selector_all("#comparison tbody tr", "r => r.map(x => Number(x.children[3].dataset.order))")
    assert numbers == sorted(numbers) and column.get_attribute("aria-sort") == "ascending"
    page.keyboard.press("Enter")
    assert column.get_attribute("aria-sort") == "descending"


def test_boxes_and_buttons_and_words_filter(opened):
    page = opened()
    everything = len(verdicts(page))
    page.locator(".tally a.agrees").click()
    assert verdicts(page) and set(verdicts(page)) == {"agrees"}
    page.locator('.filter button[data-verdict="agrees"]').click()
    page.locator("#search").fill("methanol density")
    assert 0 < len(verdicts(page)) < everything
    assert page.locator("#shown").inner_text() == f"{len(verdicts(page))} of {everything} shown"
    page.locator("#search").fill("")
    assert len(verdicts(page)) == everything


def test_the_film_turns_by_mouse_and_keys_and_lets_the_wheel_scroll_the_page(opened):
    page = opened()
    canvas = page.locator("#film-canvas")
    canvas.scroll_into_view_if_needed()
    pictures = [canvas.evaluate("c => c.toDataURL()")]
    box = canvas.bounding_box()
    middle = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(*middle)
    page.mouse.down()
    page.mouse.move(middle[0] + 80, middle[1] + 10, steps=4)
    page.mouse.up()
    page.wait_for_timeout(100)
    pictures.append(canvas.evaluate("c => c.toDataURL()"))
    canvas.press("ArrowLeft")
    page.wait_for_timeout(100)
    pictures.append(canvas.evaluate("c => c.toDataURL()"))
    assert len(set(pictures)) == 3
    before = page.evaluate("scrollY")
    page.mouse.wheel(0, -200)
    page.wait_for_timeout(400)
    assert page.evaluate("scrollY") != before


def test_a_phone_needs_no_sideways_scrolling_and_opens_figures_large(opened):
    page = opened(width=390, height=844, has_touch=True, is_mobile=True)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.locator("#figure-validation_overview button.enlarge").tap()
    assert page.locator("#large img").bounding_box()["width"] >= 1000
    page.locator("#large button").tap()
    assert not page.locator("#large").is_visible()


def test_dark_mode_is_dark_and_readable(opened):
    page = opened(color_scheme="dark")
    ink, paper = page.evaluate(
        "() => { const s = getComputedStyle(document.body); return [s.color, s.backgroundColor] }"
    )

    def luminance(colour):
        return sum(int(part) for part in colour[4:-1].split(",")) / 765

    assert luminance(paper) < 0.15 and luminance(ink) > 0.8


def test_paper_holds_every_column(opened):
    page = opened(width=718)  # the width of A4 between its margins at 96 dots per inch
    page.locator(".tally a.agrees").click()
    page.emulate_media(media="print")
    assert page.locator("#comparison").evaluate("table => table.getBoundingClientRect().width") <= 718
    for name in ("verdict", "source of the reference"):
        box = page.locator("#comparison th", has_text=name).bounding_box()
        assert box["width"] > 20 and box["x"] + box["width"] <= 718
    hidden = page.eval_on_selector_all("#comparison tbody tr", "r => r.filter(x => x.offsetHeight === 0).length")
    assert hidden == 0  # what a filter hides on the screen is printed
    assert page.pdf(format="A4").startswith(b"%PDF")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_serious_fault_for_readers_with_other_senses(opened, scheme):
    from axe_playwright_python.sync_playwright import Axe

    page = opened(color_scheme=scheme)
    found = Axe().run(page).response["violations"]
    serious = [fault for fault in found if fault["impact"] in ("serious", "critical")]
    assert [(fault["id"], fault["nodes"][0]["html"][:200]) for fault in serious] == []


def test_every_id_stands_once(opened):
    page = opened()
    names = page.eval_on_selector_all("[id]", "e => e.map(x => x.id)")
    assert len(names) == len(set(names))
