"""The view of a film in the report: the atoms of the film, drawn by the page itself."""

import json
import re
from dataclasses import replace

import numpy as np
import pytest

from moxie.errors import InputError
from moxie.figures.viewer import film_view, view_data
from moxie.structures.network import write_networks
from moxie.structures.silicon import insert_oxygen, silicon_slab


@pytest.fixture(scope="module")
def film():
    slab = silicon_slab((2, 2, 3), orientation="110")
    return insert_oxygen(slab, slab.bonds[-60:][(slab.species[slab.bonds[-60:]] == "Si").all(axis=1)][:9])


def test_the_view_holds_every_atom_with_its_kind(film):
    data = view_data(film)
    positions = np.array(data["xyz"]).reshape(-1, 3) / 100
    away = np.abs(positions - film.positions)
    away[:, :2] -= film.cell[:2] * np.round(away[:, :2] / film.cell[:2])
    assert np.abs(away).max() <= 0.0051
    assert (positions[:, :2] >= 0).all() and (positions[:, :2] <= film.cell[:2] + 0.01).all()
    kinds = np.array(list(map(int, data["kinds"])))
    assert (kinds == 5).sum() == (film.species == "O").sum()
    assert (kinds[film.species == "Si"] == film.oxidation_states()[film.species == "Si"]).all()
    assert len(data["names"]) == len(data["colours"]) == 6


def test_no_drawn_bond_crosses_the_film(film):
    data = view_data(film)
    positions = np.array(data["xyz"]).reshape(-1, 3) / 100
    pairs = np.array(data["bonds"]).reshape(-1, 2)
    assert 0 < len(pairs) < len(film.bonds)
    assert np.linalg.norm(positions[pairs[:, 1]] - positions[pairs[:, 0]], axis=1).max() < 3.0


def test_the_page_part_loads_nothing(film, tmp_path):
    from jinja2 import Environment, PackageLoader

    path = tmp_path / "film.xyz"
    named = film.info | {"orientation": "110", "temperature_K": 1273.0, "approach": "disordered", "replica": 0}
    write_networks(path, replace(film, info=named))
    view = film_view(path)
    assert view["title"] == "Oxide on Si(110) at 1273 K"
    page = Environment(loader=PackageLoader("moxie.figures", "."), autoescape=True)
    text = page.get_template("film_viewer.html").render(film=view)
    assert not re.search(r"https?:|import\s|src=", text)
    held = re.search(r'id="film-data">(.*?)</script>', text, re.DOTALL)[1]
    assert json.loads(held) == json.loads(view["data"])


def test_a_film_that_does_not_say_which_it_is_is_refused(film, tmp_path):
    write_networks(tmp_path / "film.xyz", film)
    with pytest.raises(InputError, match="does not say its temperature_K, approach, replica: delete"):
        film_view(tmp_path / "film.xyz")


def test_a_missing_film_is_named(tmp_path):
    with pytest.raises(InputError, match="film.xyz does not exist"):
        film_view(tmp_path / "Si100" / "T973" / "replica0" / "film.xyz")
