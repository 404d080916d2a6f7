"""The smoke study end to end: what comes out, and what runs again when something changes."""

import csv
import json
import re

import pytest
import yaml

from tests.workflow.conftest import ROOT, Workflow

ANALYSIS = {"validate", "collect_manifest", "write_report"}


def test_every_file_of_the_contract_has_content(smoke):
    from moxie.features.schemas import VALIDATION, get_table
    from moxie.features.tables import read_table, read_units

    results = smoke.folder / "results"
    for name in (
        "liquids",
        "electrolytes",
        "transport",
        "transport_curves",
        "oxide_runs",
        "oxide_sites",
        "oxide_profiles",
        "molecules",
    ):
        table = read_table(results / "features" / f"{name}.parquet", get_table(name))
        assert len(table) > 0 and read_units(results / "features" / f"{name}.parquet"), name
    with (results / "tables" / "validation.csv").open() as stream:
        rows = list(csv.DictReader(stream))
    assert len(rows) == len(read_table(results / "tables" / "validation.parquet", VALIDATION)) > 10
    assert {"density_g_cm3", "suboxide_fraction_1", "transition_width_A"} <= {row["quantity"] for row in rows}
    for name in ("metrics.json", "predictions.parquet", "model.skops", "card.md"):
        assert (results / "learning" / "oxide_surrogate" / name).stat().st_size > 100
    figures = sorted(path.stem for path in (results / "figures").glob("*.svg"))
    assert len(figures) >= 8
    folder = results / "figures"
    assert all((folder / f"{name}.png").stat().st_size > 1000 for name in figures)
    without_data = {name for name in figures if len((folder / f"{name}.csv").read_text().splitlines()) < 2}
    assert without_data <= {"film_structure"}  # the smallest films need not have an interior


def test_film_populations_are_those_of_one_network(smoke):
    from moxie.features.schemas import OXIDE_RUNS
    from moxie.features.tables import read_table

    runs = read_table(smoke.folder / "results" / "features" / "oxide_runs.parquet", OXIDE_RUNS)
    fractions = runs[[f"si{n}_fraction" for n in range(5)]]
    assert fractions.sum(axis=1).sub(1).abs().max() < 1e-12
    final = runs[runs["is_final"]]
    assert (final[[f"si{n}_per_cm2" for n in (1, 2, 3)]].sum() > 0).all()
    assert set(final["temperature_K"]) == {1073.0, 1273.0, 1473.0}


def test_report_is_one_page_without_the_network(smoke):
    page = (smoke.folder / "results" / "report.html").read_text()
    assert not re.findall(r"(?:src|href)=[\"']?https?:", page)
    assert "Smoke test of the whole pipeline" in page and page.count("<figure") >= 8


def test_manifest_knows_every_job_with_seed_and_costs(smoke):
    manifest = json.loads((smoke.folder / "results" / "manifest.json").read_text())
    rules = {job["rule"] for job in manifest["jobs"]}
    assert {"simulate", "grow_oxide", "optimise_molecule", "learn", "plot"} <= rules
    assert all(job["wall_s"] > 0 and job["outputs"] for job in manifest["jobs"])
    seeds = [job["seed"] for job in manifest["jobs"] if job["rule"] in ("simulate", "grow_oxide")]
    assert all(seeds) and len(set(seeds)) == len(seeds)
    assert manifest["packages"]["openmm"] and manifest["config"]["study"]["name"] == "smoke"


def test_no_checkpoint_or_partial_file_is_left(smoke):
    results = smoke.folder / "results"
    assert not [path for path in (results / "checkpoints").rglob("*") if path.is_file()]
    assert not [path for path in results.rglob(".*") if path.is_file() and path.name != ".snakemake_timestamp"]


def test_second_run_does_nothing_and_says_so(smoke):
    assert "Nothing to be done" in smoke.run()


def test_adding_a_liquid_temperature_runs_that_temperature_and_its_dependants(smoke):
    overlay = {"dynamics": {"systems": {"methanol": {"temperatures_K": [288.15, 298.15, 308.15]}}}}
    jobs = smoke.planned(overlay=overlay)
    assert jobs.pop("plot") < 16
    assert jobs == {
        "simulate": 1,
        "simulate_gas": 1,
        "analyse_liquid": 1,
        "simulate_transport": 2,
        "analyse_transport": 1,
        "tabulate_transport": 2,
        "tabulate_systems": 1,
        "tabulate_curves": 1,
        "learn": 1,  # a third state point is enough for force_field_error
        **dict.fromkeys(ANALYSIS, 1),
    }


def test_adding_an_oxidation_temperature_runs_that_temperature_and_its_dependants(smoke):
    jobs = smoke.planned(overlay={"oxidation": {"temperatures_K": [1073, 1173, 1273, 1473]}})
    assert jobs.pop("plot") < 19
    assert jobs == {
        "grow_oxide": 2,
        "hand_off_films": 1,
        "analyse_film": 2,
        "tabulate_films": 5,
        "tabulate_growth": 1,
        "describe_sites": 1,
        "next_recipe": 1,
        "learn": 2,  # oxide_surrogate and site_map
        **dict.fromkeys(ANALYSIS, 1),
    }


def test_adding_a_molecule_to_a_list_runs_its_chunk_and_its_dependants(smoke):
    jobs = smoke.planned(overlay={"quantum_chemistry": {"most_per_list": 37}})
    assert jobs.pop("plot") < 13
    assert jobs.pop("compute_chunk") <= 2  # two if it fills its chunk
    assert jobs == {"tabulate_molecules": 1, "learn": 1, **dict.fromkeys(ANALYSIS, 1)}


def test_changing_the_style_redraws_figures_only(smoke):
    jobs = smoke.planned(overlay={"figures": {"style": {"font.size": 9}}})
    assert jobs.keys() == {"plot", "collect_manifest", "write_report"}


@pytest.mark.parametrize(
    ("path", "rules", "spared"),
    [
        (
            "src/moxie/dynamics/protocol.py",
            {"simulate", "simulate_gas"},
            {"grow_oxide", "optimise_molecule", "pack_box"},
        ),
        (
            "src/moxie/oxidation/kernels/sampler.py",
            {"grow_oxide", "calibrate_rejection"},
            {"simulate", "optimise_molecule"},
        ),
        ("src/moxie/molecules/xtb.py", {"optimise_molecule", "compute_chunk", "learn"}, {"simulate", "grow_oxide"}),
        ("src/moxie/learning/splits.py", {"learn"}, {"simulate", "grow_oxide", "validate"}),
    ],
)
def test_editing_a_library_module_reruns_its_stage(edited, path, rules, spared):
    jobs = edited(path).planned()
    assert rules <= jobs.keys() and not spared & jobs.keys()


def test_editing_one_figure_redraws_that_figure(edited):
    jobs = edited("src/moxie/figures/gallery/molecules.py").planned()
    assert jobs == {"plot": 1, "collect_manifest": 1, "write_report": 1}


def test_bad_configuration_stops_before_any_job(tmp_path):
    from tests.workflow.conftest import ROOT, Workflow

    workflow = Workflow(ROOT, tmp_path)
    printed = workflow.run(overlay={"oxidation": {"temperature_K": [900]}}, code=1)
    assert "`oxidation.temperature_K`: unknown key. Did you mean `temperatures_K`?" in printed
    assert "Traceback" not in printed and not (tmp_path / "results").exists()


def test_a_study_of_one_temperature_is_whole_without_the_surrogate(tmp_path):
    one = {"oxidation": {"temperatures_K": [1073], "replicas": 1}}
    jobs = Workflow(ROOT, tmp_path).planned(overlay=one)
    assert jobs["grow_oxide"] == 1 and jobs["write_report"] == 1 and "next_recipe" not in jobs
    assert "names 1 temperature(s)" in Workflow(ROOT, tmp_path).run("next_recipe", overlay=one, code=1)


def test_paper_study_passes_a_dry_run(tmp_path):
    from tests.workflow.conftest import ROOT, Workflow

    paper = yaml.safe_load((ROOT / "workflow" / "studies" / "paper.yaml").read_text())
    jobs = Workflow(ROOT, tmp_path).planned(overlay=paper)
    assert jobs["grow_oxide"] == 66 and jobs["simulate"] > 100


def test_slurm_profile_passes_a_dry_run(tmp_path):
    from tests.workflow.conftest import ROOT, Workflow

    jobs = Workflow(ROOT, tmp_path).planned(f"--workflow-profile={ROOT / 'profiles' / 'slurm'}")
    assert jobs["simulate"] == 3


def test_export_writes_every_run_for_lammps_from_its_packed_box(tmp_path):
    workflow = Workflow(ROOT, tmp_path)
    workflow.run("export")
    texts = {path: path.read_text() for path in (tmp_path / "results" / "dynamics").rglob("system.in")}
    assert {path.parts[-5] for path in texts} == {"trappe_ua", "und"} and len(texts) == 3
    for path, text in texts.items():
        assert path.parts[-4].startswith("T" + text.split("fix thermostat all langevin ")[1].split()[0])
        assert " atoms\n" in path.with_suffix(".data").read_text()
    assert not list(tmp_path.rglob("run.json"))


def test_a_changed_start_structure_grows_its_films_anew(tmp_path):
    from moxie.structures.network import read_network, write_networks
    from moxie.structures.silicon import silicon_slab

    own = tmp_path / "own.xyz"
    write_networks(own, silicon_slab((4, 4, 5), 0))
    overlay = {"oxidation": {"slab": {"structure": str(own), "frozen_layers": 0}}}
    workflow, slab = Workflow(ROOT, tmp_path), "results/structures/silicon/slab_100.xyz"
    workflow.run(slab, overlay=overlay)
    assert len(read_network(tmp_path / slab).info["back_oxygens"]) == 32
    record = json.loads((tmp_path / "results/jobs/cut_slab/100.json").read_text())
    assert str(own) in record["inputs"]
    assert "cut_slab" not in workflow.planned(overlay=overlay)
    write_networks(own, silicon_slab((4, 4, 6), 0))
    planned = workflow.planned(overlay=overlay)
    assert planned["cut_slab"] == 1 and planned["grow_oxide"] >= 1


def test_snakemakes_own_report_holds_figures_and_comparisons_with_their_captions(smoke):
    import zipfile

    from moxie.figures import registry

    smoke.run(options=("--report", "study.zip"), program="snakemake")
    with zipfile.ZipFile(smoke.folder / "study.zip") as report:
        names = report.namelist()
        text = "".join(report.read(name).decode() for name in names if name.endswith((".html", ".js")))
    for name in ("suboxide_populations", "density_vs_temperature"):
        assert any(entry.endswith(f"{name}.svg") for entry in names)
        assert registry.get(name).title in text and registry.get(name).category in text
    assert any(entry.endswith("validation.csv") for entry in names) and "number that has a reference" in text
    assert "Number densities of silicon by its number of oxygen neighbours" in text  # a caption
