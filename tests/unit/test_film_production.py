"""A film sampled at its own temperature: the same bytes across a kill, what its frames say, and bad input."""

import logging

import numpy as np
import pytest
from small_films import SETTINGS

from moxie.errors import InputError
from moxie.features.clusters import silicon_clusters
from moxie.oxidation.films.growth import grow_oxide
from moxie.oxidation.films.production import MOST_FRAMES, _judge, clear_checkpoints, sample_film
from moxie.oxidation.films.production_settings import CALIBRATED_AT, PRECISION, Production, check_production
from moxie.oxidation.parameter_sets import load_parameters
from moxie.structures.silicon import MONOLAYER_PER_CM2, diamond, silicon_slab

PARAMETERS = load_parameters("von_alfthan_2003")
SHORT = Production(moves_per_oxygen=400, moves_per_record=10, hop_fraction=0.3)
MONOLAYER = MONOLAYER_PER_CM2["100"]


@pytest.fixture(scope="module")
def film():
    return grow_oxide(silicon_slab((2, 2, 3), 4), PARAMETERS, SETTINGS, 1473.0, 7).stages[-1]


def produce(film, directory=None, stop=None):
    return sample_film(film, PARAMETERS, SHORT, 1473.0, 3, MONOLAYER, checkpoint_dir=directory, stop=stop)


@pytest.fixture(scope="module")
def sampled(film):
    return produce(film)


def bytes_of(sampled):
    frames = [
        (f.positions.tobytes(), f.bonds.tobytes(), f.arrays["energy_eV"].tobytes(), f.info) for f in sampled.frames
    ]
    return (
        frames,
        {name: values.tobytes() for name, values in sampled.columns.items()},
        sampled.attempts,
        sampled.status,
    )


def test_frames_and_records_are_those_of_one_film_at_its_temperature(film, sampled):
    assert len(sampled.columns["moves"]) == 40
    assert len(sampled.frames) <= MOST_FRAMES + 1 and sampled.frames[-1].info["record"] == 40
    assert sampled.start >= CALIBRATED_AT
    assert sampled.status in ("sampled", "not stationary")
    before = np.append((film.species == "O").sum(), sampled.columns["n_oxygen"][:-1])
    assert (sampled.columns["attempts"] == 10 * before).all()
    assert sampled.columns["moves"][-1] == sampled.attempts > sampled.columns["attempts"].sum()  # calibrations, too
    for frame in sampled.frames:
        record = frame.info["record"] - 1
        assert frame.info["stationary"] == (frame.info["record"] > sampled.start)
        terms = ("bond", "angle", "repulsion", "suboxide")
        energy = sum(frame.info[f"{term}_energy_eV"] for term in terms)
        assert energy == pytest.approx(sampled.columns["energy_eV"][record], abs=1e-8)
        states = frame.oxidation_states()[(frame.species == "Si") & ~frame.frozen]
        suboxide = ((states > 0) & (states < 4)).sum() / (frame.area_A2 * 1e-16) / MONOLAYER
        assert suboxide == pytest.approx(sampled.columns["suboxide_total_monolayers"][record])
        clusters = silicon_clusters(frame)
        assert (clusters.sizes[~clusters.anchored] == 1).all()
    held = np.flatnonzero(film.frozen)
    assert (sampled.frames[-1].positions[held] == film.positions[held]).all()


@pytest.mark.parametrize(("slope_eV", "status"), [(0.0, "precise"), (-0.1, "not stationary")])
def test_a_film_whose_energy_still_falls_is_not_precise(slope_eV, status, caplog):
    generator = np.random.default_rng(1)
    columns = {name: 0.4 + 0.01 * generator.standard_normal(60) for name in PRECISION}
    columns |= {"moves": np.arange(60), "energy_eV": slope_eV * np.arange(60) + 0.1 * generator.standard_normal(60)}
    settings = Production(precision={"suboxide_fraction_1": 0.02})
    assert _judge(columns, settings, True, logging.getLogger()) == status
    assert ("raise moves_per_oxygen" in caplog.text) == (status == "not stationary")


@pytest.mark.parametrize("after", [3, 30])
def test_a_stopped_production_goes_on_to_the_same_bytes(film, sampled, tmp_path, after):
    steps = iter(range(1, 1000))
    with pytest.raises(KeyboardInterrupt):
        produce(film, tmp_path, lambda: next(steps) == after)
    assert bytes_of(produce(film, tmp_path)) == bytes_of(sampled)
    clear_checkpoints(tmp_path)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (Production(moves_per_oxygen=100, moves_per_record=10), "make 10 records.*Raise moves_per_oxygen"),
        (Production(moves_per_record=0), "moves_per_record is 0"),
        (Production(hop_fraction=2.0), "hop_fraction is 2.0"),
        (Production(precision={"density": 0.1}), "precision names 'density'; it can name suboxide_total_monolayers"),
        (Production(precision={"suboxide_fraction_1": 0.0}), "precision.suboxide_fraction_1 is 0.0"),
    ],
)
def test_a_production_that_cannot_work_is_refused(settings, message):
    with pytest.raises(InputError, match=message):
        check_production(settings)


def test_a_film_without_oxygen_is_refused():
    with pytest.raises(InputError, match="no oxygen"):
        sample_film(diamond((3, 3, 3)), PARAMETERS, SHORT, 1273.0, 1, MONOLAYER)
