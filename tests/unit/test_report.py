"""The report: self-contained, complete, and saying what the numbers say."""

import re

import made_liquids
import pytest
from made_tables import molecules as made_molecules
from test_figures import draw, make_results

from moxie.config import StudyConfig
from moxie.errors import InputError
from moxie.features.schemas import MOLECULES, VALIDATION
from moxie.features.tables import read_table, write_table
from moxie.figures import registry
from moxie.figures.findings import findings
from moxie.figures.report import describe_setup, run_times, write_report
from moxie.io import write_json

NAMES = registry.names()
JOBS = [
    {"rule": "simulate", "wildcards": {"system": "methanol"}, "wall_s": 60.0, "cpu_s": 58.0, "max_rss_MB": 310.0},
    {"rule": "simulate", "wildcards": {"system": "ethanol"}, "wall_s": 80.0, "cpu_s": 78.0, "max_rss_MB": 290.0},
    {"rule": "plot", "wildcards": {}, "wall_s": 2.0, "cpu_s": None, "max_rss_MB": None},
]
CONFIG = {
    "study": {"name": "tiny", "title": "A <small> study"},
    "seed": 42,
    "molecules": {"methanol": "CO"},
    "dynamics": {
        "systems": {
            "methanol": {
                "composition": {"methanol": 216},
                "force_field": "trappe_ua",
                "temperatures_K": [298.15],
                "pressures_bar": [1.0],
                "replicas": 1,
                "ensemble": "NPT",
                "sampling_ps": 100.0,
            }
        }
    },
    "learning": {"target": "strain_energy_eV_per_atom"},
}


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    folder = tmp_path_factory.mktemp("results")
    make_results(folder)
    for name in NAMES:
        draw(name, folder, folder / f"figures/{name}")
    write_json(
        folder / "manifest.json",
        {
            "jobs": JOBS,
            "packages": {"numpy": "2.4.6"},
            "git_commit": "0123abc",
            "platform": {"machine": "x86_64"},
        },
    )
    return folder


def whole(config):
    """Return a configuration with all defaults, as the workflow hands it over."""
    return StudyConfig.model_validate(config).model_dump(mode="json")


def write(results, path, **changes):
    arguments = {
        "config": whole(CONFIG),
        "figures": {name: results / f"figures/{name}.svg" for name in NAMES},
        "validation": results / "tables/validation.parquet",
        "manifest": results / "manifest.json",
        "oxide_runs": results / "features/oxide_runs.parquet",
        "electrolytes": results / "features/electrolytes.parquet",
        "metrics": results / "learning/oxide_surrogate/metrics.json",
        "logp": results / "learning/logp/metrics.json",
        "tree_search": results / "learning/tree_search/metrics.json",
        "settings": results / "features/recommended_settings.json",
    }
    write_report(path, **(arguments | changes))
    return path.read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def page(results, tmp_path_factory):
    return write(results, tmp_path_factory.mktemp("report") / "report.html")


def test_the_recommended_settings_stand_there(page):
    assert "Settings for methanol" in page and "Recommended: 5 fs with hydrogens of 3 amu" in page


def test_the_cheapest_search_is_named(page):
    assert "Placing oxygen" in page and "3 O on the 32 bonds of si16 have 4,960 placements, 24 different" in page
    assert "simulated annealing" in page


@pytest.mark.parametrize(
    ("tree_cost", "ratio", "first"),
    [
        (80.0, (0.7, 0.9), "The cheapest search for the best places of O, tree search, beats simulated"),
        (95.0, (0.8, 1.1), "The cheapest search for the best places of O, tree search, cannot be told"),
        (120.0, (1.1, 1.3), "Simulated annealing wins: no other search"),
    ],
)
def test_the_first_sentence_says_which_search_wins(tree_cost, ratio, first, results):
    from moxie.figures.findings import findings
    from moxie.io import read_json

    metrics = read_json(results / "learning/tree_search/metrics.json")
    low, high = ratio
    interval = {"low": low * tree_cost, "high": high * tree_cost}
    metrics["methods"] = {
        "annealing": {"cost": {"value": 100.0, **interval}, "success": 0.5},
        "tree": {
            "cost": {"value": tree_cost, **interval},
            "success": 0.5,
            "cost_ratio": {"value": tree_cost / 100, "low": low, "high": high},
        },
    }
    table = read_table(results / "tables/validation.parquet", VALIDATION)
    assert dict(findings(table, tree_search=metrics))["Placing oxygen"].startswith(first)


def test_partition_coefficients_are_shown_beside_every_baseline(page, results):
    from moxie.io import read_json

    metrics = read_json(results / "learning/logp/metrics.json")
    for text in ("ALPB, wet octanol", "Wildman–Crippen", "r.m.s. error, random split", "may explain it"):
        assert text in page
    assert f"{metrics['models']['error_learning']['rmse']['value']:.3g} (" in page
    assert metrics["worst"][0]["reason"] in page


def test_nothing_is_loaded_from_anywhere(page):
    assert "http:" not in page and "https:" not in page and "<link" not in page and "@import" not in page
    for address in re.findall(r"""(?:src|href)=["']([^"']*)""", page):
        assert address.startswith(("#", "data:"))


def test_each_figure_is_shown_once_with_caption_and_data(page):
    for name in NAMES:
        assert page.count(f'<figure id="figure-{name}"') == 1
        assert registry.get(name).caption.split(";")[0].split(":")[0][:60] in page
    assert page.count("<figcaption>") == len(NAMES) == page.count("data:image/") - 1  # one on the first screen too


def test_every_comparison_is_in_the_table(page, results):
    table = read_table(results / "tables/validation.parquet", VALIDATION)
    assert page.count('<tr data-verdict="') == len(table)


def test_key_results_are_the_computed_numbers(page):
    assert "0.7790(11) g/cm³, experiment 0.7863 (−0.93 %)" in page
    assert "63(4) % of the cations in contact with tfsi (deposited: 61.7 %)" in page
    assert "Gaussian process predicts the strain energy" in page


def test_title_is_escaped(page):
    assert "A &lt;small&gt; study" in page and "<small>" not in page


def test_run_times_versions_seed_and_commit_are_shown(page):
    for text in ("2 min 20 s", "1 min 20 s", "numpy 2.4.6", "0123abc", "42", "x86_64", "How the verdict is reached"):
        assert text in page


def test_run_times_add_up_by_rule_longest_first():
    rows = run_times(JOBS)
    assert [row["rule"] for row in rows] == ["simulate", "plot"]
    assert rows[0]["n_jobs"] == 2 and rows[0]["wall_s"] == 140.0 and rows[0]["memory"] == "310 MB"
    assert rows[1]["cpu"] == "–" and run_times([]) == []


def test_a_study_of_one_molecule_has_a_report(results, tmp_path):
    page = write(
        results,
        tmp_path / "r.html",
        config=whole({"study": {"name": "one"}, "seed": 1}),
        figures={"molecules": results / "figures/molecules.svg"},
        manifest=None,
        oxide_runs=None,
        electrolytes=None,
        metrics=None,
    )
    assert "Key results" in page and page.count("<figcaption>") == 1


def test_missing_figure_and_unknown_name_are_refused(results, tmp_path):
    with pytest.raises(InputError, match="nowhere.svg does not exist"):
        write(results, tmp_path / "r.html", figures={"molecules": tmp_path / "nowhere.svg"})
    with pytest.raises(InputError, match="no figures pie"):
        write(results, tmp_path / "r.html", figures={"pie": results / "figures/molecules.svg"})
    assert not (tmp_path / "r.html").exists()


def test_setup_of_the_default_study_is_described_in_full():
    from moxie.config import default_study

    config = default_study().model_dump(mode="json")
    text = " ".join(line for _, lines in describe_setup(config) for line in lines)
    for system in config["dynamics"]["systems"]:
        assert system.replace("_", " ") in text
    for temperature in config["oxidation"]["temperatures_K"]:
        assert f"{temperature:g}" in text


@pytest.mark.parametrize(("penalty", "said"), [(266.0, True), (50.1, True), (6.0, False), (float("nan"), False)])
def test_terms_estimated_from_unlike_ones_are_in_the_report(penalty, said):
    table = made_liquids.liquids()
    table["force_field_penalty"] = penalty
    found = dict(findings(None, liquids=table))
    assert ("Force fields" in found) == said
    if said:
        assert f"(penalty {penalty:.3g}; above 50 they need a check)" in found["Force fields"]


def test_molecules_without_numbers_are_counted_and_named(results, tmp_path):
    table = made_molecules()
    table.loc[0, "status"] = "changed: relaxing broke N0-H6 and formed O3-H6"
    table.loc[1, "remarks"] = "low-spin"
    write_table(table, tmp_path / "molecules.parquet", MOLECULES)
    page = write(results, tmp_path / "r.html", molecules=tmp_path / "molecules.parquet")
    assert f"1 of {len(table)} molecules have no numbers" in page and "relaxing broke N0-H6" in page
    assert f"1 of {len(table)} molecules carry a remark in the table of molecules: {table.loc[1, 'molecule']}" in page


def test_the_report_says_which_films_of_a_sweep_hardly_grew():
    from moxie.config.study import default_study
    from moxie.figures.report import growth_along_sweep

    oxidation = default_study().model_dump(mode="json")["oxidation"]
    (sentence,) = growth_along_sweep(oxidation)
    assert "equally thick and differ by temperature alone" in sentence and "973 to " in sentence
    assert growth_along_sweep({**oxidation, "temperatures_K": [1373.0, 1473.0]}) == []
    assert growth_along_sweep({**oxidation, "temperatures_K": [1473.0]}) == []
    still = {**oxidation, "recipe": {**oxidation["recipe"], "time_s": 0.001}}
    assert "Of the 6 temperatures, 6 (973 to 1473 K)" in growth_along_sweep(still)[0]
    assert "hottest" not in growth_along_sweep(still)[0]
