"""Figures: each can be drawn from its tables alone, shows what its CSV says, and comes out the same every time."""

import numpy as np
import pandas as pd
import pytest
from made_liquids import COMPOSITIONS
from made_oxides import oxide_runs_from_both_sides
from made_tables import MAKERS, mapped_sites, measured_molecules, oxide_runs, placements, site_environments

from moxie.errors import InputError
from moxie.features.approaches import compare_approaches, write_approaches
from moxie.features.recommended_settings import recommend
from moxie.features.schemas import MOLECULES, OXIDE_EQUILIBRIUM, OXIDE_RUNS, RDF_CURVES, VALIDATION, get_table
from moxie.features.tables import read_table, write_table
from moxie.figures import registry
from moxie.figures.wording import duration, formula, percent, plain_label, with_error
from moxie.io import write_json

LABELS = {"coldest": "973", "hottest": "1473", "orientation": "100", "approach": "disordered"}
PARTS = {part for name in registry.names() for part in (*registry.get(name).needs, *registry.get(name).optional)}


def make_results(folder):
    """Write every table that the figures read, and two films, under `folder`."""
    from moxie.features.validation import make_validation_table, write_validation
    from moxie.learning.registry import LearningSettings
    from moxie.learning.searches import compare
    from moxie.learning.tasks.logp import evaluation as logp_evaluation
    from moxie.learning.tasks.logp import task as logp
    from moxie.learning.tasks.oxide_surrogate import task as oxide_surrogate
    from moxie.oxidation.placement import runs
    from moxie.structures.network import write_networks
    from moxie.structures.silicon import insert_oxygen, silicon_slab

    for name, make in MAKERS.items():
        write_table(make(), folder / f"features/{name}.parquet", get_table(name))
    base = {"timestep_fs": 4.0, "hydrogen_mass_amu": 3.0, "n_molecules": 216, "cutoff_nm": 1.0}
    write_json(folder / "features/recommended_settings.json", recommend(MAKERS["settings_study"](), base, 0.2, 0.1))
    tables = {name: MAKERS[name]() for name in ("liquids", "electrolytes", "transport", "oxide_runs", "molecules")}
    validation = make_validation_table(**tables, compositions=COMPOSITIONS)
    write_approaches(compare_approaches(oxide_runs_from_both_sides()), folder / "features/oxide_approaches.parquet")
    write_validation(validation, folder / "tables/validation.parquet", folder / "tables/validation.csv")
    oxide_surrogate.run(
        {"oxide_runs": folder / "features/oxide_runs.parquet"},
        folder / "learning/oxide_surrogate",
        LearningSettings("strain_energy_eV_per_atom", 0.9),
        1,
    )
    write_table(measured_molecules(), folder / "features/measured.parquet", MOLECULES)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(logp_evaluation, "KINDS", ("bayesian_ridge",))  # for speed
        inputs = {"molecules": folder / "features/measured.parquet"}
        logp.run(inputs, folder / "learning/logp", LearningSettings(), 1)
    make_learnt(folder)
    chosen = runs.SearchSettings(n_oxygen=3, methods=("annealing", "guided_tree"), seeds=2, budget=10)
    searched, place = runs.run_searches(chosen, "von_alfthan_2003", 1), folder / "oxidation/placement"
    write_table(searched.rows, place / "searches.parquet", get_table("searches"))
    write_json(place / "facts.json", searched.facts)
    files = (place / "searches.parquet", place / "facts.json", folder / "learning/tree_search/metrics.json")
    compare(*files, 0.9, 100, 1)
    slab = silicon_slab((2, 2, 3))
    free = ~slab.frozen[slab.bonds].any(axis=1) & (slab.species[slab.bonds] == "Si").all(axis=1)
    for temperature, n_oxygen in (("973", 4), ("1473", 9)):
        film = insert_oxygen(slab, slab.bonds[free][-n_oxygen:])
        film.info.update(orientation="100", approach="disordered", temperature_K=float(temperature), replica=0)
        write_networks(folder / f"oxidation/Si100/T{temperature}/disordered/replica0/film.xyz", film)


def make_learnt(folder):
    """Run the tasks whose tables no figure reads by itself."""
    from moxie.learning.registry import LearningSettings
    from moxie.learning.tasks.force_field_error import task as force_field_error
    from moxie.learning.tasks.network_energy import task as network_energy
    from moxie.learning.tasks.oxide_surrogate.active import next_recipe
    from moxie.learning.tasks.site_map import task as site_map
    from moxie.oxidation.parameter_sets import load_parameters

    known = load_parameters("von_alfthan_2003")
    settings = LearningSettings("strain_energy_eV_per_atom", 0.9, 3, known.name, known.suboxide_eV)
    tables = {
        "placements": placements(),
        "site_environments": site_environments(),
        "oxide_sites": mapped_sites(),
        "oxide_runs": oxide_runs().assign(parameter_set="von_alfthan_2003"),
    }
    for name, table in tables.items():
        write_table(table, folder / f"learnt/{name}.parquet", get_table(name))
    inputs = {name: folder / f"learnt/{name}.parquet" for name in tables}
    inputs["validation"] = folder / "tables/validation.parquet"
    for module in (network_energy, site_map, force_field_error):
        chosen = {name: inputs[name] for name in module.TASK.inputs}
        module.run(chosen, folder / "learning" / module.TASK.name, settings, 1)
    output = {suffix: folder / f"learning/oxide_surrogate/next.{suffix}" for suffix in ("json", "yaml")}
    next_recipe(inputs["oxide_runs"], output, settings, 1)


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    folder = tmp_path_factory.mktemp("results")
    make_results(folder)
    return folder


def draw(name, results, stem, **options):
    inputs = registry.resolve_inputs(name, str(results), LABELS, PARTS)
    registry.render(name, inputs, stem, **options)
    return inputs


@pytest.mark.parametrize("name", registry.names())
def test_figure_writes_svg_png_and_the_data_it_shows(name, results, tmp_path):
    draw(name, results, tmp_path / name)
    assert sorted(path.suffix for path in tmp_path.iterdir()) == [".csv", ".png", ".svg"]
    data = pd.read_csv(tmp_path / f"{name}.csv")
    assert len(data) and len(data.columns) > 2
    figure = registry.get(name)
    assert len(figure.caption) > 100 and figure.category in registry.CATEGORIES


@pytest.mark.parametrize("name", ["suboxide_populations", "oxide_snapshot", "learning_parity"])
def test_equal_inputs_give_equal_bytes(name, results, tmp_path):
    draw(name, results, tmp_path / "a")
    draw(name, results, tmp_path / "b")
    for suffix in (".svg", ".png", ".csv"):
        assert (tmp_path / f"a{suffix}").read_bytes() == (tmp_path / f"b{suffix}").read_bytes()
    assert b"dc:date" not in (tmp_path / "a.svg").read_bytes()


def test_style_changes_the_figure_and_a_wrong_setting_is_refused(results, tmp_path):
    draw("growth_curve", results, tmp_path / "a")
    draw("growth_curve", results, tmp_path / "b", style={"lines.linewidth": 4.0})
    assert (tmp_path / "a.svg").read_bytes() != (tmp_path / "b.svg").read_bytes()
    with pytest.raises(InputError, match="no setting `lines.thickness`"):
        draw("growth_curve", results, tmp_path / "c", style={"lines.thickness": 4.0})
    with pytest.raises(InputError, match=r"figures\.style"):
        draw("growth_curve", results, tmp_path / "c", style={"lines.linewidth": "thick"})


def test_one_temperature_and_one_replica_can_be_drawn(results, tmp_path):
    folder = tmp_path / "small"
    write_table(oxide_runs(temperatures_K=(1173.0,), replicas=1), folder / "features/oxide_runs.parquet", OXIDE_RUNS)
    for name in ("suboxide_populations", "strain_and_angles"):
        registry.render(name, registry.resolve_inputs(name, str(folder)), tmp_path / name)
        assert (tmp_path / f"{name}.svg").is_file()


def test_shown_suboxide_shares_are_means_over_replicas(results, tmp_path):
    draw("suboxide_populations", results, tmp_path / "s")
    shown = pd.read_csv(tmp_path / "s.csv")
    runs = read_table(results / "features/oxide_runs.parquet", OXIDE_RUNS)
    final = runs[runs["is_final"]].groupby("temperature_K")["suboxide_fraction_2"]
    rows = shown[(shown["quantity"] == "suboxide_fraction_2") & (shown["source"] == "films")]
    np.testing.assert_allclose(rows["mean"], final.mean(), rtol=1e-6)
    variance = np.maximum(final.var(), 0.01**2)  # the scatter, or the made films' own error where that is larger
    np.testing.assert_allclose(rows["standard_error"], np.sqrt(variance / 2), rtol=1e-6)


def test_the_equilibrium_is_drawn_where_it_has_a_value_and_no_hotter_than_the_films(results, tmp_path):
    draw("suboxide_populations", results, tmp_path / "with")
    shown = pd.read_csv(tmp_path / "with.csv")
    curve = shown[(shown["quantity"] == "suboxide_total_monolayers") & (shown["source"] == "equilibrium")]
    table = read_table(results / "features/oxide_equilibrium.parquet", OXIDE_EQUILIBRIUM).set_index("temperature_K")
    assert curve["temperature_K"].tolist() == [1073, 1173, 1273, 1373, 1473]
    np.testing.assert_allclose(curve["mean"], table["suboxide_total_monolayers"].loc[curve["temperature_K"]], rtol=1e-6)
    inputs = registry.resolve_inputs("suboxide_populations", str(results))
    assert set(inputs) == {"oxide_runs"}
    registry.render("suboxide_populations", inputs, tmp_path / "without")
    without = pd.read_csv(tmp_path / "without.csv")
    assert set(without["source"]) == {"films"} and len(without) == (shown["source"] == "films").sum()


def test_unknown_figure_is_refused_with_the_names_there_are():
    with pytest.raises(InputError, match="no figure 'pie'.*density_vs_temperature"):
        registry.get("pie")


def test_a_study_without_liquids_has_no_figures_of_liquids():
    names = registry.names({"oxides", "molecules"})
    assert "growth_curve" in names and "density_vs_temperature" not in names and "electrolyte_structure" not in names


def test_a_study_of_one_temperature_has_no_figures_of_the_surrogate():
    missing = set(registry.names()) - set(registry.names(PARTS - {"oxide_surrogate"}))
    assert missing == {"learning_curve", "learning_parity", "learning_residuals", "next_recipe"}


def test_figures_come_in_the_order_of_their_categories():
    places = [registry.CATEGORIES.index(registry.get(name).category) for name in registry.names()]
    assert places == sorted(places) and len(places) >= 12


@pytest.mark.parametrize(
    ("value", "error", "text"),
    [
        (0.78123, 0.00112, "0.7812(11)"),
        (37.2, 0.08, "37.20(8)"),
        (-0.5, 0.0345, "−0.50(3)"),
        (1.5234e15, 4.2e13, "1.52(4) × 10¹⁵"),
        (63.0, 4.0, "63(4)"),
        (2.2172, 0.0, "2.217"),
        (2.2172, float("nan"), "2.217"),
        (float("nan"), 1.0, "–"),
    ],
)
def test_numbers_are_printed_with_their_error_in_the_last_digit(value, error, text):
    assert with_error(value, error) == text


def test_words():
    assert percent(-0.466) == "−0.47 %" and percent(2.0) == "+2.0 %" and percent(36.7) == "+37 %"
    assert plain_label("suboxide_fraction_1") == "share of Si¹⁺ in suboxide"
    assert plain_label("diffusion_corrected_m2_s (CO)") == "self-diffusion coefficient of CH₄O"
    assert plain_label("diffusion_m2_s ([Li+])") == "self-diffusion coefficient in the box of Li⁺"
    assert formula("O=S(=O)([N-]S(=O)(=O)C(F)(F)F)C(F)(F)F") == "C₂F₆NO₄S₂⁻" and formula("[Mg+2]") == "Mg²⁺"
    assert formula("nothing known") == "nothing known"
    assert [duration(s) for s in (5, 59.7, 200, 4000)] == ["5.0 s", "1 min 0 s", "3 min 20 s", "1 h 6 min"]


def test_a_liquid_without_hydroxyl_groups_is_drawn_beside_the_others(results, tmp_path):
    curves = read_table(results / "features/rdf_curves.parquet", RDF_CURVES)
    nitrile = curves[curves["system"] == "methanol"].assign(system="acetonitrile", pair="C-C")
    for name, table, pairs in (("both", pd.concat([curves, nitrile]), {"O-O", "C-C"}), ("one", nitrile, {"C-C"})):
        write_table(table, tmp_path / f"{name}.parquet", RDF_CURVES)
        registry.render("radial_distribution", {"curves": tmp_path / f"{name}.parquet"}, tmp_path / name)
        assert set(pd.read_csv(tmp_path / f"{name}.csv")["pair"]) == pairs
        assert "acetonitrile (TraPPE-UA), C–C" in (tmp_path / f"{name}.svg").read_text()


def test_a_study_of_a_list_alone_shows_its_molecules(results, tmp_path):
    listed = read_table(results / "features/molecules.parquet", MOLECULES).assign(list="mine")
    write_table(listed, tmp_path / "molecules.parquet", MOLECULES)
    registry.render("molecules", {"molecules": tmp_path / "molecules.parquet"}, tmp_path / "m")
    known = listed[listed["status"] == "ok"]
    assert set(pd.read_csv(tmp_path / "m.csv")["molecule"]) == set(known["molecule"])
    write_table(listed.assign(status="failed: no bonds"), tmp_path / "none.parquet", MOLECULES)
    registry.render("molecules", {"molecules": tmp_path / "none.parquet"}, tmp_path / "none")
    assert registry.NOTHING in pd.read_csv(tmp_path / "none.csv").columns


def test_warming_is_shown_as_a_difference_with_the_errors_of_both_curves(results, tmp_path):
    curves = read_table(results / "features/rdf_curves.parquet", RDF_CURVES)
    cold = curves[curves["system"] == "methanol"]
    warm = cold.assign(temperature_K=318.15, g=cold["g"] + 0.1)
    write_table(pd.concat([cold, warm]), tmp_path / "two.parquet", RDF_CURVES)
    registry.render("radial_distribution", {"curves": tmp_path / "two.parquet"}, tmp_path / "two")
    shown = pd.read_csv(tmp_path / "two.csv")
    gain = shown[shown["g_difference"].notna()].reset_index(drop=True)
    assert set(gain["temperature_K"]) == {318.15} and np.allclose(gain["g_difference"], 0.1)
    both = np.sqrt(2) * cold[(cold["r_A"] >= 2.0) & (cold["r_A"] <= 7.0)]["g_standard_error"].to_numpy()
    np.testing.assert_allclose(gain["g_difference_standard_error"], both, rtol=1e-6)


def test_bins_of_a_structure_factor_that_are_noise_are_left_out_and_kept_in_the_data(results, tmp_path):
    inputs = registry.resolve_inputs("film_structure", str(results), LABELS, PARTS)
    table = read_table(results / "features/oxide_structure_factors.parquet", get_table("oxide_structure_factors"))
    rng = np.random.default_rng(3)
    for name, spread, drawn in (("clear", 0.01, True), ("noise", 4.0, False)):
        noisy = table.assign(s=1.0 + spread * rng.normal(size=len(table)), n_vectors=4)
        write_table(noisy, tmp_path / f"{name}.parquet", get_table("oxide_structure_factors"))
        files = {**inputs, "oxide_structure_factors": tmp_path / f"{name}.parquet"}
        registry.render("film_structure", files, tmp_path / name)
        assert ("no bin is known" not in (tmp_path / f"{name}.svg").read_text()) == drawn
        shown = pd.read_csv(tmp_path / f"{name}.csv")
        assert shown[shown["curve"] == "S x-ray"]["standard_error"].notna().any()


def test_points_far_from_the_rest_are_named_and_a_narrow_cloud_has_none():
    from moxie.figures.gallery.dipole_parity import far_from_the_rest

    cloud = pd.Series(1.15 + 0.03 * np.random.default_rng(1).normal(size=80))
    assert not far_from_the_rest(cloud).any()
    assert far_from_the_rest(pd.concat([cloud, pd.Series([1.9, 2.0], index=[90, 91])])).loc[[90, 91]].all()
    assert not far_from_the_rest(pd.Series([1.0, 1.0, 1.0001])).any()


def test_the_overview_names_the_species_of_a_row(results, tmp_path):
    validation = read_table(results / "tables/validation.parquet", VALIDATION)
    row = validation[validation["deviation_percent"].notna()].iloc[[0]]
    smiles = ("[Li+]", "O", "O=S(=O)([N-]S(=O)(=O)C(F)(F)F)C(F)(F)F")
    rows = [row.assign(system="litfsi", quantity=f"diffusion_corrected_m2_s ({species})") for species in smiles]
    write_table(pd.concat(rows), tmp_path / "validation.parquet", VALIDATION)
    registry.render("validation_overview", {"validation": tmp_path / "validation.parquet"}, tmp_path / "v")
    for species in ("Li⁺", "H₂O", "C₂F₆NO₄S₂⁻"):
        assert f"litfsi: self-diffusion coefficient of {species}" in (tmp_path / "v.svg").read_text()


def test_force_fields_are_compared_where_they_share_a_state_point():
    from made_tables import liquids, transport

    from moxie.features.validation import make_validation_table
    from moxie.figures.gallery.force_fields import compare

    table = liquids()
    only_there = (table["system"] == "methanol_opls") & (table["temperature_K"] == 318.15)
    table = table[~only_there]
    compared = compare(table, make_validation_table(liquids=table, compositions=COMPOSITIONS))
    assert set(compared["composition"]) == {"CO"} and set(compared["liquid"]) == {"methanol"}
    assert sorted(set(compared["temperature_K"])) == [278.15, 298.15]
    assert len(compared) == 2 * (2 * 8 - 1)  # force fields, temperatures, quantities; one has no standard error
    assert set(compared["force_field_sha256"]) == {64 * "0"}
    row = compared.set_index(["force_field", "temperature_K", "quantity"]).loc["opls_aa", 298.15, "density_g_cm3"]
    assert (row["value"], row["standard_error"]) == (0.764, 0.0011)
    assert row["reference_value"] == pytest.approx(0.7863, abs=2e-4)
    assert row["deviation_percent"] == pytest.approx(100 * (0.764 / 0.7863 - 1), abs=0.03)
    legs = transport().query("system == 'methanol'")
    legs = pd.concat([legs, legs.assign(system="methanol_opls", force_field="opls_aa", viscosity_mPa_s=np.nan)])
    moving = compare(table, make_validation_table(liquids=table, transport=legs, compositions=COMPOSITIONS), legs)
    added = moving[~moving["quantity"].isin(compared["quantity"])]
    assert set(added["quantity"]) == {"diffusion_corrected_m2_s (CO)"}  # one force field alone has a viscosity
    assert len(added) == 6 and added["value"].notna().all() and added["standard_error"].notna().all()
    one = table[table["force_field"] == "trappe_ua"]
    assert compare(one, make_validation_table(liquids=one, compositions=COMPOSITIONS)).empty
