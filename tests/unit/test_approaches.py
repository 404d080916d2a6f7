"""Films from two sides: the penalties they grow with, means that know both sources of error, and bad input."""

import math

import numpy as np
import pandas as pd
import pytest
from made_oxides import oxide_runs
from made_oxides import oxide_runs_from_both_sides as both_sides
from small_films import SETTINGS

from moxie.approaches import APPROACHES
from moxie.errors import InputError
from moxie.features.approaches import QUANTITIES, compare_approaches, write_approaches
from moxie.features.replicas import over_approaches, over_films, tabulate_over_films
from moxie.features.schemas import OXIDE_APPROACHES
from moxie.features.tables import read_table
from moxie.features.two_studies import compare_studies
from moxie.features.validation import make_validation_table
from moxie.figures.findings import findings
from moxie.learning.tasks.oxide_surrogate.task import prepare
from moxie.oxidation.engine import Engine
from moxie.oxidation.films.growth import grow_oxide, with_energies_of
from moxie.oxidation.parameter_sets import load_parameters
from moxie.structures.silicon import silicon_slab
from moxie.study import Study

PARAMETERS = load_parameters("von_alfthan_2003")
TOTAL = "suboxide_total_monolayers"


def test_penalties_are_scaled_and_nothing_else():
    scaled = PARAMETERS.with_suboxides(3.0)
    assert scaled.suboxide_eV == pytest.approx((0.0, 1.41, 1.53, 0.72, 0.0))
    assert scaled.with_suboxides(1 / 3).suboxide_eV == pytest.approx(PARAMETERS.suboxide_eV)
    assert scaled.bond_k == PARAMETERS.bond_k and PARAMETERS.with_suboxides(1.0) is PARAMETERS


def test_a_film_grown_with_other_penalties_states_the_energies_of_the_model():
    slab = silicon_slab((2, 2, 3), 4)
    stage = grow_oxide(slab, PARAMETERS.with_suboxides(3.0), SETTINGS, 1473.0, 7).stages[-1]
    film = with_energies_of(PARAMETERS, stage)
    assert (film.positions == stage.positions).all() and (film.bonds == stage.bonds).all()
    assert film.info["suboxide_energy_eV"] == pytest.approx(stage.info["suboxide_energy_eV"] / 3)
    for term in ("bond", "angle", "repulsion"):
        assert film.info[f"{term}_energy_eV"] == pytest.approx(stage.info[f"{term}_energy_eV"])
    assert film.info["largest_force_eV_A"] == pytest.approx(stage.info["largest_force_eV_A"], abs=1e-9)
    assert film.arrays["energy_eV"].sum() == pytest.approx(Engine(film, PARAMETERS).energy)
    assert film.info["n_oxygen"] == stage.info["n_oxygen"]


def test_the_error_of_a_mean_over_films_is_the_larger_of_scatter_and_own_errors():
    scattered = over_films([1.0, 1.2, 1.4], [0.01, 0.01, 0.01])
    assert scattered.standard_error == pytest.approx(0.2 / math.sqrt(3)) and scattered.n_independent == 3
    alike = over_films([1.0, 1.0, 1.0], [0.3, 0.3, math.nan])
    assert alike.standard_error == pytest.approx(0.3 / math.sqrt(3))
    assert math.isnan(over_films([1.0, math.nan], [0.1, 0.1]).standard_error)
    assert over_films([math.nan]) is None


@pytest.mark.parametrize("own", [0.0, 0.2])
def test_intervals_of_means_over_films_hold_the_truth(own):
    generator = np.random.default_rng(1)
    between, n, hits = 0.1, 4, 0
    for _ in range(400):
        found = over_films(generator.normal(0, math.hypot(between, own), n), np.full(n, own))
        hits += abs(found.value) < 3.18 * found.standard_error  # Student's t, three degrees of freedom
    assert 0.93 <= hits / 400 <= 1.0


def test_a_gap_between_sides_counts_and_does_not_shrink_with_the_number_of_films():
    for films in (4, 64):
        at_1473 = both_sides(films=films)
        final = at_1473[at_1473["is_final"] & (at_1473["temperature_K"] == 1473.0)]
        found = over_approaches(final, TOTAL)
        assert found.value == pytest.approx(1.2, abs=0.1) and found.n_independent == 2 * films
        assert found.standard_error == pytest.approx(0.3, abs=0.06)
    one_side = final[final["approach"] == "ordered"]
    assert over_approaches(one_side, TOTAL).standard_error == pytest.approx(0.05 / 8, rel=0.3)
    table = tabulate_over_films(final, ["temperature_K"], TOTAL)
    assert table["n_replicas"].tolist() == [128] and table["standard_error"][0] == pytest.approx(found.standard_error)


def test_both_sides_are_compared_state_by_state(tmp_path):
    write_approaches(compare_approaches(both_sides()), tmp_path / "a.parquet")
    table = read_table(tmp_path / "a.parquet", OXIDE_APPROACHES)
    assert set(table["quantity"]) == set(QUANTITIES)
    cold, hot = (table[(table["temperature_K"] == T) & (table["quantity"] == TOTAL)].iloc[0] for T in (973.0, 1473.0))
    assert cold["verdict"] == "agree" and hot["verdict"] == "differ"
    assert hot["gap"] == pytest.approx(-0.6, abs=0.1) == hot["lowest"] - hot["highest"]
    assert hot["gap_standard_error"] == pytest.approx(math.sqrt(2) * 0.05 / 2, rel=0.6)
    assert hot["value"] == pytest.approx((hot["lowest"] + hot["highest"]) / 2)
    assert hot["standard_error"] == pytest.approx(abs(hot["gap"]) / 2) and hot["ordered_films"] == 4
    stress = table[table["quantity"] == "lateral_stress_GPa"]  # noise about zero
    assert set(stress["verdict"]) == {"too imprecise"}
    single = compare_approaches(both_sides(films=1))
    assert set(single["verdict"]) == {"no standard error"} and single["gap_standard_error"].isna().all()
    assert compare_approaches(oxide_runs()).empty


def test_the_findings_say_how_far_both_sides_agree():
    runs = both_sides()
    texts = dict(findings(make_validation_table(oxide_runs=runs), oxide_runs=runs))
    assert "(4 replicas each, from the disordered and from the ordered side)" in texts["Oxidised silicon"]
    assert "from both sides: 7 agree and 1" in texts["Oxidised silicon"]
    assert "0.29 monolayers less" in texts["Oxidised silicon"]
    single = oxide_runs()
    assert "side" not in dict(findings(make_validation_table(oxide_runs=single), oxide_runs=single))["Oxidised silicon"]


def test_the_surrogate_learns_from_films_that_grew_as_the_model_says():
    runs = oxide_runs()
    both = pd.concat([runs.assign(approach="ordered", strain_energy_eV_per_atom=9.0), runs], ignore_index=True)
    assert (
        prepare(both, "strain_energy_eV_per_atom").target == prepare(runs, "strain_energy_eV_per_atom").target
    ).all()


def test_validation_and_comparison_of_studies_know_both_sources_of_error(tmp_path):
    runs = both_sides()
    rows = make_validation_table(oxide_runs=runs)
    hot = rows[(rows["quantity"] == "suboxide_fraction_1") & (rows["temperature_K"] == 1473.0)].iloc[0]
    final = runs[runs["is_final"] & (runs["temperature_K"] == 1473.0)]
    expected = over_approaches(final, "suboxide_fraction_1")
    assert hot["standard_error"] == pytest.approx(expected.standard_error) and hot["n_independent"] == 8
    for name, shift in (("a", 0.0), ("b", 0.02)):  # far beyond the films' own errors, within their scatter
        (tmp_path / name / "features").mkdir(parents=True)
        made = oxide_runs(replicas=2).assign(**{f"{TOTAL}_standard_error": 1e-6})
        made[TOTAL] = 1.5 + shift + 0.1 * made["replica"]
        made.to_parquet(tmp_path / name / "features" / "oxide_runs.parquet")
    compared = compare_studies(tmp_path / "a", tmp_path / "b")
    assert set(compared.loc[compared["quantity"] == TOTAL, "verdict"]) == {"agrees"}


@pytest.mark.parametrize(
    ("oxidation", "message"),
    [
        ({"approaches": ["sideways"]}, "no approach 'sideways'; there is disordered, ordered"),
        ({"approaches": []}, "oxidation.approaches"),
        ({"approaches": ["ordered", "ordered"]}, "ordered stands there more than once"),
        ({"approaches": ["disordered", "ordered"], "production": None}, "`oxidation.production` is null"),
        ({"approaches": ["ordered"], "parameter_set": "free.yaml"}, "those of free are all zero"),
    ],
)
def test_approaches_that_lead_nowhere_are_refused(oxidation, message, tmp_path, monkeypatch):
    from moxie.oxidation.parameter_sets import FOLDER

    monkeypatch.chdir(tmp_path)
    text = (FOLDER / "von_alfthan_2003.yaml").read_text().replace("name: von_alfthan_2003", "name: free")
    for value in ("0.47", "0.51", "0.24"):
        text = text.replace(f"{{value: {value},", "{value: 0.0,")
    (tmp_path / "free.yaml").write_text(text)
    with pytest.raises(InputError, match=message):
        Study.load({"oxidation": oxidation})


def test_films_from_both_sides_are_planned_each_in_its_own_folder():
    study = Study.load({"oxidation": {"approaches": list(APPROACHES), "temperatures_K": [973.0], "replicas": 2}})
    assert study.oxidation.films == [f"Si100/T973/{side}/replica{r}" for side in APPROACHES for r in (0, 1)]
    assert "approaches" in study.parts
    assert "approaches" not in Study.load({"oxidation": {}}).parts
