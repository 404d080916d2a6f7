"""Growing a film: what a recipe asks of a slab, what comes out, and that a killed run goes on as if undisturbed."""

import logging
import subprocess
import sys
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from small_films import SETTINGS

from moxie.constants import BOLTZMANN_EV_K
from moxie.errors import InputError
from moxie.features.clusters import silicon_clusters
from moxie.oxidation.engine import Engine
from moxie.oxidation.films.growth import (
    Anneal,
    FilmSettings,
    Growth,
    calibration_sizes,
    choose_bond,
    clear_checkpoints,
    grow_oxide,
    inclusions,
)
from moxie.oxidation.films.sizing import check_recipe_fits, oxygen_for_thickness, thickness_of_oxygen
from moxie.oxidation.parameter_sets import load_parameters
from moxie.oxidation.rejection import FILM_REJECTION, provisional
from moxie.oxidation.tally import Tally
from moxie.structures.silicon import insert_oxygen, silicon_slab


@pytest.fixture(scope="module")
def slab():
    return silicon_slab((2, 2, 3), 4)


@pytest.fixture(scope="module")
def parameters():
    return load_parameters("von_alfthan_2003")


@pytest.fixture(scope="module")
def film(slab, parameters):
    return grow_oxide(slab, parameters, SETTINGS, 1273.0, 7)


def bytes_of(result):
    return [
        (stage.positions.tobytes(), stage.bonds.tobytes(), stage.arrays["energy_eV"].tobytes(), stage.info)
        for stage in result.stages
    ]


def count_oxygen(stage):
    return int((stage.species == "O").sum())


def test_the_film_has_the_oxygen_asked_for_and_no_dangling_bonds(film, slab):
    assert [count_oxygen(stage) for stage in film.stages] == [16, 25]  # the last anneal took up one
    final = film.stages[-1]
    assert (final.species == "Si").sum() == (slab.species == "Si").sum()
    wanted = np.where(final.species == "O", 2, 4)
    assert (final.coordination()[~final.frozen] == wanted[~final.frozen]).all()
    frozen = slab.frozen
    assert (final.positions[: len(frozen)][frozen] == slab.positions[frozen]).all()
    assert film.largest_drift_eV < 1e-8
    assert film.attempts == sum(row["attempts"] for row in film.trace)


def test_growth_leaves_to_an_anneal_what_the_one_before_took_up(slab, parameters):
    growth = Growth(stages=3, moves_per_oxygen=30, hot_moves_per_oxygen=0, hop_fraction=0.8)
    hot = Anneal(steps=2, start_kT_eV=1.0, moves_per_oxygen=40, final_moves_per_oxygen=40)
    film = grow_oxide(slab, parameters, FilmSettings(32, growth, hot), 1273.0, 4)
    rows = [row for row in film.trace if row["phase"] == "growth"]
    grown = [[row["n_oxygen"] for row in rows if row["stage"] == k][-1] for k in (2, 3)]
    taken_up = count_oxygen(film.stages[1]) - grown[0]
    assert taken_up == 2 and grown == [24, 32 - taken_up]
    assert count_oxygen(film.stages[-1]) >= 32


def test_a_start_below_the_process_temperature_calibrates_at_the_latter(slab, parameters, monkeypatch):
    sought = []

    def calibrate(engine, kT_eV, *_):
        sought.append(kT_eV)
        return SimpleNamespace(tally=Tally())

    monkeypatch.setattr(Engine, "calibrate", calibrate)
    cold = Anneal(steps=1, start_kT_eV=1e-6, moves_per_oxygen=1, final_moves_per_oxygen=1)
    growth = Growth(stages=1, moves_per_oxygen=1, hot_moves_per_oxygen=0)
    grow_oxide(slab, parameters, FilmSettings(9, growth, cold), 1273.0, 1, rejection=provisional(FILM_REJECTION))
    assert sought == [pytest.approx(BOLTZMANN_EV_K * 1273.0)]


def test_every_move_of_a_film_is_recorded_those_of_its_calibrations_too(slab, parameters, monkeypatch):
    made = []
    run = Engine._run

    def counted(*arguments):
        made.append(run(*arguments))
        return made[-1]

    monkeypatch.setattr(Engine, "_run", counted)
    settings = FilmSettings(12, replace(SETTINGS.growth, moves_per_oxygen=10), SETTINGS.anneal)
    film = grow_oxide(slab, parameters, settings, 1273.0, 3, rejection=provisional(FILM_REJECTION))
    calibrations = [row for row in film.trace if row["phase"] == "calibration"]
    assert len(calibrations) == 2 and all(row["attempts"] > 100 for row in calibrations)
    assert film.attempts == sum(row["attempts"] for row in film.trace) == sum(tally.attempts for tally in made)
    assert film.accepted == sum(tally.accepted for tally in made)


def test_calibration_goes_from_what_a_slab_holds_and_never_takes_all_its_bonds(slab):
    assert calibration_sizes(slab) == (16, 32)
    bonds = slab.bonds[(slab.species[slab.bonds] == "Si").all(axis=1) & ~slab.frozen[slab.bonds].any(axis=1)]
    upper = bonds[np.argsort(slab.positions[bonds, 2].mean(axis=1))[::-1]]
    for n_more in (40, len(bonds) - 20):
        oxidised = insert_oxygen(slab, upper[:n_more])
        first, last = calibration_sizes(oxidised)
        assert 8 + n_more < first <= last <= 8 + n_more + (len(bonds) - n_more) // 2
    assert calibration_sizes(insert_oxygen(slab, upper[:40])) == (56, 72)


def test_no_silicon_is_left_cut_off_from_the_substrate(film):
    for stage in film.stages:
        clusters = silicon_clusters(stage)
        assert (clusters.sizes[~clusters.anchored] == 1).all()


def test_a_vacancy_in_the_oxide_takes_the_next_oxygen(film, parameters):
    engine = Engine(film.stages[-1], parameters)
    assert not len(inclusions(engine))
    states = engine.oxidation_states()
    between_full = [o for o in engine.oxygens if (states[engine.atoms.neighbours[o, :2]] == 4).all()]
    pair = set(engine.atoms.neighbours[between_full[0], :2].tolist())
    engine.remove_oxygen(between_full[0])
    assert [set(bond) for bond in inclusions(engine).tolist()] == [pair]
    assert all(set(choose_bond(engine, Growth())) == pair for _ in range(20))


def test_oxygen_stays_near_the_surface(film, slab):
    final = film.stages[-1]
    top = slab.positions[slab.species == "Si", 2].max()
    assert final.positions[final.species == "O", 2].min() > top - 9


def test_each_stage_says_what_it_is(film):
    for number, stage in enumerate(film.stages, start=1):
        info = stage.info
        assert info["stage"] == number and info["parameter_set"] == "von_alfthan_2003"
        assert info["kT_eV"] == pytest.approx(1273.0 * BOLTZMANN_EV_K)
        parts = sum(info[f"{term}_energy_eV"] for term in ("bond", "angle", "repulsion", "suboxide"))
        assert stage.arrays["energy_eV"].sum() == pytest.approx(parts, rel=1e-10)
        assert info["largest_force_eV_A"] < 0.01
    assert film.trace[-1]["kT_eV"] == pytest.approx(1273.0 * BOLTZMANN_EV_K)


def test_the_same_seed_gives_the_same_bytes(film, slab, parameters):
    assert bytes_of(grow_oxide(slab, parameters, SETTINGS, 1273.0, 7)) == bytes_of(film)
    other = grow_oxide(slab, parameters, SETTINGS, 1273.0, 8)
    assert bytes_of(other) != bytes_of(film)


@pytest.mark.parametrize("after", [1, 9, 14, 20])
def test_a_stopped_run_resumes_to_the_same_bytes(film, slab, parameters, tmp_path, after):
    steps = iter(range(1, 1000))
    with pytest.raises(KeyboardInterrupt):
        grow_oxide(slab, parameters, SETTINGS, 1273.0, 7, tmp_path, stop=lambda: next(steps) == after)
    assert len(list(tmp_path.glob("*.ckpt"))) == 1
    resumed = grow_oxide(slab, parameters, SETTINGS, 1273.0, 7, tmp_path)
    assert bytes_of(resumed) == bytes_of(film)
    assert resumed.trace == film.trace
    clear_checkpoints(tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_killed_process_resumes_to_the_same_bytes(film, slab, parameters, tmp_path):
    program = f"""
import os, signal
from moxie.oxidation.films.growth import *
from moxie.oxidation.parameter_sets import load_parameters
from moxie.structures.silicon import silicon_slab
settings = FilmSettings(24, Growth(stages=2, moves_per_oxygen=60, hot_moves_per_oxygen=20),
                        Anneal(steps=4, moves_per_oxygen=40, final_moves_per_oxygen=80), checkpoint_interval_s=0.0)
steps = iter(range(1, 1000))
def stop():
    if next(steps) == 12:
        os.kill(os.getpid(), signal.SIGKILL)
    return False
grow_oxide(silicon_slab((2, 2, 3), 4), load_parameters("von_alfthan_2003"), settings, 1273.0, 7, {str(tmp_path)!r},
           stop=stop)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=300)
    assert done.returncode == -9, done.stderr
    assert len(list(tmp_path.glob("*.ckpt"))) == 2  # the last two
    assert bytes_of(grow_oxide(slab, parameters, SETTINGS, 1273.0, 7, tmp_path)) == bytes_of(film)


def interrupted(slab, parameters, directory, after=10, settings=SETTINGS):
    steps = iter(range(1, 1000))
    with pytest.raises(KeyboardInterrupt):
        grow_oxide(
            slab,
            parameters,
            replace(settings, checkpoint_interval_s=0.0),
            1273.0,
            7,
            directory,
            stop=lambda: next(steps) == after,
        )
    return sorted(directory.glob("*.ckpt"))


@pytest.mark.parametrize("damage", ["truncated", "one bit", "emptied"])
def test_a_damaged_checkpoint_is_named_set_aside_and_the_one_before_used(
    film, slab, parameters, tmp_path, caplog, damage
):
    previous, newest = interrupted(slab, parameters, tmp_path)
    content = bytearray(newest.read_bytes())
    if damage == "truncated":
        content = content[: len(content) // 2]
    elif damage == "one bit":
        content[len(content) // 2] ^= 1
    else:
        content = bytearray()
    newest.write_bytes(content)
    with caplog.at_level(logging.INFO):
        resumed = grow_oxide(slab, parameters, SETTINGS, 1273.0, 7, tmp_path)
    assert bytes_of(resumed) == bytes_of(film)
    assert str(newest) in caplog.text and "damaged" in caplog.text and "Resumed" in caplog.text
    assert newest.with_suffix(".corrupt").exists() and previous.exists()


def test_a_checkpoint_of_other_settings_is_set_aside(slab, parameters, tmp_path, caplog):
    interrupted(slab, parameters, tmp_path)
    other = replace(SETTINGS, n_oxygen=20)
    with caplog.at_level(logging.INFO):
        resumed = grow_oxide(slab, parameters, other, 1273.0, 7, tmp_path)
    assert "other settings" in caplog.text and list(tmp_path.glob("*.stale"))
    assert bytes_of(resumed) == bytes_of(grow_oxide(slab, parameters, other, 1273.0, 7))


def test_progress_says_percent_rate_and_estimated_end(slab, parameters, caplog):
    with caplog.at_level(logging.INFO):
        grow_oxide(slab, parameters, SETTINGS, 1273.0, 7)
    last = caplog.records[-1].getMessage()
    assert "100 % done" in last and "attempts/s" in last and "about 0 s left" in last


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (FilmSettings(4), "already holds 8 O"),
        (FilmSettings(5000), "only [0-9]+ Si-Si bonds"),
        (FilmSettings(20, Growth(hop_fraction=1.2)), "hop_fraction"),
        (FilmSettings(20, Growth(stages=0)), "growth.stages"),
        (FilmSettings(20, anneal=Anneal(moves_per_oxygen=-1)), "anneal.moves_per_oxygen"),
    ],
)
def test_settings_out_of_range_are_refused(slab, parameters, settings, message):
    with pytest.raises(InputError, match=message):
        grow_oxide(slab, parameters, settings, 1273.0, 1)


def test_process_temperature_out_of_range_is_refused(slab, parameters):
    with pytest.raises(InputError, match="temperature_K is 20"):
        grow_oxide(slab, parameters, SETTINGS, 20.0, 1)


def test_oxygen_count_and_thickness_are_inverse():
    assert oxygen_for_thickness(1.0, 471.24) == 208
    assert thickness_of_oxygen(208, 471.24) == pytest.approx(1.0, abs=0.003)


def test_default_recipes_fit_the_default_slab():
    sizes = [check_recipe_fits((4, 4, 5), 4, t, 10.0) for t in (973, 1073, 1173, 1273, 1373, 1473)]
    counts = [size.n_oxygen for size in sizes]
    assert counts == sorted(counts) and counts[-1] > 2 * counts[0] and counts[-1] < sizes[-1].capacity
    assert sizes[0].target_thickness_nm == pytest.approx(0.6 * sizes[0].recipe_thickness_nm)


def test_more_oxygen_than_fits_is_refused_with_what_would_fit():
    with pytest.raises(InputError, match=r"at least [0-9]+ cells along z \(oxidation.slab.cells\), or") as caught:
        check_recipe_fits((4, 4, 5), 4, 1473.0, 60.0)
    words = str(caught.value).split()
    cells = int(words[words.index("cells", words.index("least")) - 1])
    check_recipe_fits((4, 4, cells), 4, 1473.0, 60.0)
    scale = float(words[words.index("most") + 1])
    check_recipe_fits((4, 4, 5), 4, 1473.0, 60.0, thickness_scale=scale)
    with pytest.raises(InputError):
        check_recipe_fits((4, 4, cells - 1), 4, 1473.0, 60.0)


def test_the_recipe_check_loads_no_compiler():
    program = "import sys, moxie.oxidation.films.sizing; sys.exit('numba' in sys.modules or 'pandas' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], timeout=60).returncode == 0
