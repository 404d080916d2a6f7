"""A film of fixed oxygen at equilibrium: what is conserved, what the analysis makes of it, resume, bad input."""

import json
from dataclasses import replace
from functools import cache

import numpy as np
import pandas as pd
import pytest

from moxie.constants import BOLTZMANN_EV_K
from moxie.errors import InputError
from moxie.features.equilibrium import QUANTITIES, analyse_equilibrium, film_series
from moxie.features.schemas import OXIDE_EQUILIBRIUM
from moxie.features.tables import check_frame
from moxie.oxidation.engine import Engine
from moxie.oxidation.films.equilibrium import (
    ExchangeSettings,
    check_exchange,
    clear_checkpoints,
    film_facts,
    ladder_kT,
    sample_film,
)
from moxie.oxidation.parameter_sets import load_parameters
from moxie.oxidation.rejection import Rejection
from moxie.reweighting import Reweighting
from moxie.structures.network import Network
from moxie.structures.silicon import diamond, insert_oxygen, silicon_slab

PARAMETERS = load_parameters("von_alfthan_2003")
LOWEST_K = 2600.0  # hot, and hops alone, so that a small film forgets its start within the test
SETTINGS = ExchangeSettings(rungs=3, highest_kT_eV=0.40, moves_per_oxygen=3000, exchange_interval=10, hop_fraction=1.0)
# a short reach, for speed
STAGES = Rejection((0, 2, 3), (6, 14, 60), (0.3, 0.1, 0.05), (False, True, True))


def small_film() -> Network:
    slab = silicon_slab((2, 2, 3), PARAMETERS.lattice_constant_A)
    free = ~slab.frozen[slab.bonds].any(axis=1) & (slab.species[slab.bonds] == "Si").all(axis=1)
    return insert_oxygen(slab, slab.bonds[free][-2:])


@cache
def sampled():
    film = small_film()
    run = sample_film(film, PARAMETERS, SETTINGS, LOWEST_K, 1, STAGES)
    return film, run, film_facts(film, run)


def analysed(share=0.2):
    _, run, facts = sampled()
    return analyse_equilibrium(run.columns, facts, "100", 2600.0, share)


def test_the_ladder_spans_the_range_evenly_in_the_logarithm():
    kT = ladder_kT(ExchangeSettings(rungs=5, highest_kT_eV=0.3), 973.0)
    assert kT[0] == pytest.approx(973 * BOLTZMANN_EV_K) and kT[-1] == 0.3 and len(kT) == 5
    assert np.ptp(np.diff(np.log(kT))) < 1e-12


def test_a_film_keeps_its_composition_and_the_energy_is_the_sum_of_its_terms():
    film, run, facts = sampled()
    columns = run.columns
    shares = sum(columns[f"si{n}_fraction"] for n in range(5))
    np.testing.assert_allclose(shares, 1.0, atol=1e-12)
    terms = sum(columns[f"{name}_energy_eV"] for name in ("bond", "angle", "repulsion", "suboxide"))
    np.testing.assert_allclose(terms, columns["energy_eV"], atol=1e-8)
    # each O has two Si: all mobile here, so that the oxidation states add up to twice the O at every moment
    links = sum(n * columns[f"si{n}_fraction"] for n in range(5)) * facts["n_mobile_silicon"]
    np.testing.assert_allclose(links, 2 * facts["n_oxygen"], atol=1e-9)
    assert columns["accepted"].sum() > 100 and facts["n_oxygen"] == (film.species == "O").sum()


def test_the_rows_fit_the_table_and_hold_what_the_samples_say():
    _, run, facts = sampled()
    table = analysed()
    check_frame(table, OXIDE_EQUILIBRIUM, "rows")
    assert (table["status"] == "ok").all(), table["status"].unique()
    assert table["is_rung"].sum() == 3 and table["temperature_K"].is_monotonic_increasing
    assert table["round_trips"].iloc[0] == run.round_trips.sum() > 10
    parts = sum(table[f"si{n}_per_cm2"] for n in (1, 2, 3))
    np.testing.assert_allclose(parts, table["suboxide_total_per_cm2"], rtol=1e-9)
    penalty = np.array(PARAMETERS.suboxide_eV)
    expected = sum(table[f"si{n}_per_cm2"] * penalty[n] for n in (1, 2, 3)) * facts["area_A2"] * 1e-16
    np.testing.assert_allclose(expected, table["suboxide_energy_eV"], rtol=1e-6)


def test_mbar_on_a_rung_agrees_with_the_mean_of_that_rung():
    _, run, facts = sampled()
    table = analysed()
    series = film_series(run.columns, facts, "100")
    inefficiency = Reweighting(series, QUANTITIES, 0.2).inefficiency
    for name in ("suboxide_total_per_cm2", "suboxide_fraction_2", "strain_energy_eV_per_atom", "suboxide_energy_eV"):
        values = series[name].reshape(-1, 3)
        values = values[int(0.2 * len(values)) :]
        error = values.std(axis=0, ddof=1) * np.sqrt(inefficiency / len(values))
        rungs = table[table["is_rung"]]
        own = rungs[f"{name}_standard_error"].to_numpy()
        combined = np.hypot(error, own)
        assert (np.abs(rungs[name].to_numpy() - values.mean(axis=0)) < 3.5 * combined).all(), name
        # other rungs add what one rung alone does not know; errors of variances at few samples scatter
        assert (own < 1.5 * error).all() and (own > 0).all(), name


def test_too_few_rounds_give_a_reason_and_no_value():
    _, run, facts = sampled()
    short = {name: values[: 3 * 30] for name, values in run.columns.items()}
    table = analyse_equilibrium(short, facts, "100", 2600.0, 0.9)
    check_frame(table, OXIDE_EQUILIBRIUM, "rows")
    assert table["status"].str.contains("Run longer").all() and table[list(QUANTITIES)].isna().all(axis=None)


def test_rules_of_early_rejection_stay_with_the_rung_and_are_found_anew(monkeypatch):
    used, calibrated, run = {}, [], Engine.run

    def watched(engine, n_moves, kT_eV, *rest):
        rules = used.setdefault(kT_eV, [])
        if engine.rejection not in rules:
            rules.append(engine.rejection)
            calibrated.append(kT_eV)
        return run(engine, n_moves, kT_eV, *rest)

    monkeypatch.setattr(Engine, "run", watched)
    sample_film(small_film(), PARAMETERS, replace(SETTINGS, moves_per_oxygen=400), LOWEST_K, 3, STAGES)
    # 40 rounds: calibrated before rounds 0, 1 and 4, every rung for itself
    assert len(used) == 3 and all(len(rules) == 3 for rules in used.values())
    assert all(rejection.rules and rejection.shells == STAGES.shells for rules in used.values() for rejection in rules)
    assert len({rejection for rules in used.values() for rejection in rules}) == 9
    assert [sorted(calibrated[k : k + 3]) for k in (0, 3, 6)] == [sorted(used)] * 3


def test_a_stopped_run_goes_on_to_the_same_bytes(tmp_path):
    settings = replace(SETTINGS, moves_per_oxygen=80)
    whole = sample_film(small_film(), PARAMETERS, settings, LOWEST_K, 3, STAGES, threads=2)
    rounds = iter([False, False, True])
    folder = tmp_path / "checkpoints"
    with pytest.raises(KeyboardInterrupt):
        sample_film(
            small_film(), PARAMETERS, settings, LOWEST_K, 3, STAGES, checkpoint_dir=folder, stop=lambda: next(rounds)
        )
    resumed = sample_film(small_film(), PARAMETERS, settings, LOWEST_K, 3, STAGES, checkpoint_dir=folder)
    for run, name in ((whole, "whole"), (resumed, "resumed")):
        pd.DataFrame(run.columns).to_parquet(tmp_path / name)
    assert (tmp_path / "whole").read_bytes() == (tmp_path / "resumed").read_bytes()
    facts = [film_facts(small_film(), run) for run in (whole, resumed)]
    assert json.dumps(facts[0]) == json.dumps(facts[1])
    assert list(folder.glob("*.ckpt"))
    clear_checkpoints(folder)
    assert not list(folder.glob("*.ckpt"))


@pytest.mark.parametrize(
    ("settings", "share", "message"),
    [
        (ExchangeSettings(rungs=2), 0.3, "rungs = 2.*at least 3"),
        (ExchangeSettings(highest_kT_eV=0.08), 0.3, r"highest_kT_eV = 0.08 \(928 K\).*973 K.*more than 0.0838 eV"),
        (ExchangeSettings(moves_per_oxygen=1000), 0.3, "leave 14 rounds.*at least 20.*Raise moves_per_oxygen"),
        (ExchangeSettings(), 0.992, "leave 16 rounds"),
    ],
)
def test_a_ladder_that_cannot_work_is_refused(settings, share, message):
    with pytest.raises(InputError, match=message):
        check_exchange(settings, share, 973.0)


def test_bare_silicon_is_refused():
    with pytest.raises(InputError, match="holds no oxygen"):
        sample_film(diamond((2, 2, 2), PARAMETERS.lattice_constant_A), PARAMETERS, SETTINGS, LOWEST_K, 1)
