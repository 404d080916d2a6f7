"""How fast films forget at their process temperature, side by side with the build of an earlier commit.

BASE_COMMIT=abef4c2 checks that commit out into a temporary folder and runs the same chains with it; without it only
this build is measured. Networks are counted at looks every LOOK moves, by either build alike.
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.rows import row
from moxie.constants import BOLTZMANN_EV_K

TEMPERATURES_K = (1273.0, 973.0)
LOOK = 200
CHAIN = Path(__file__).with_name("cold_chain.py")
TOP = Path(__file__).parents[1]
Rows = list[dict[str, Any]]


def measure(quick: bool) -> Rows:
    """Grow and sample one default film at each temperature, then run chains from where they have come to."""
    with tempfile.TemporaryDirectory() as folder:
        builds = {"this build": TOP / "src"}
        commit = os.environ.get("BASE_COMMIT")
        if commit:
            earlier = Path(folder) / "earlier"
            subprocess.run(["git", "-C", str(TOP), "worktree", "add", "--detach", str(earlier), commit], check=True)
            builds[commit] = earlier / "src"
        try:
            return [each for T in TEMPERATURES_K for each in chains(Path(folder), T, builds, quick)]
        finally:
            if commit:
                subprocess.run(["git", "-C", str(TOP), "worktree", "remove", "--force", str(earlier)], check=True)


def chains(folder: Path, temperature_K: float, builds: dict[str, Path], quick: bool) -> Rows:
    """Return the rows of one temperature; ratios are those of this build to the earlier one, above 1 where it is
    better."""
    from moxie.io import write_json
    from moxie.oxidation.engine import Engine
    from moxie.oxidation.films.growth import FilmSettings, Growth, calibrate_rejection, grow_oxide
    from moxie.oxidation.films.production import sample_film
    from moxie.oxidation.films.production_settings import Production
    from moxie.oxidation.films.sizing import check_recipe_fits
    from moxie.oxidation.parameter_sets import load_parameters
    from moxie.oxidation.rejection import FILM_REJECTION
    from moxie.structures.network import write_networks
    from moxie.structures.silicon import MONOLAYER_PER_CM2, silicon_slab
    from moxie.timeseries import statistical_inefficiency

    parameters = load_parameters("von_alfthan_2003")
    cells = (2, 2, 3) if quick else (4, 4, 5)
    slab = silicon_slab(cells, lattice_constant_A=parameters.lattice_constant_A)
    n_oxygen = check_recipe_fits(cells, 4, temperature_K, 10.0).n_oxygen
    rules = calibrate_rejection(slab, parameters, Growth(), 1)[0].rejection
    grown = grow_oxide(slab, parameters, FilmSettings(n_oxygen), temperature_K, 1, rejection=rules)
    production = Production(4000, 40) if quick else Production(20_000, 200)
    film = sample_film(grown.stages[-1], parameters, production, temperature_K, 1, MONOLAYER_PER_CM2["100"])
    n, where = len(slab.species), f"{temperature_K:g} K, {n_oxygen} O"
    rows = [row("cpu_seconds_per_film", "default film", n, [grown.cpu_s + film.cpu_s], "s", where)]
    path, found = folder / f"{temperature_K:g}.xyz", folder / f"{temperature_K:g}.json"
    write_networks(path, film.frames[-1])
    kT, hops = BOLTZMANN_EV_K * temperature_K, production.hop_fraction
    write_json(found, Engine(film.frames[-1], parameters, 5, FILM_REJECTION).calibrate(kT, 0.3).rejection.to_dict())
    moves = 20_000 if quick else 300_000
    values: dict[str, dict[str, float]] = {}
    for build, source in builds.items():
        arguments = [str(path), str(found), repr(kT), str(hops), str(moves), str(LOOK)]
        done = subprocess.run(
            [sys.executable, str(CHAIN), *arguments],
            env=os.environ | {"PYTHONPATH": str(source)},
            capture_output=True,
            text=True,
            check=True,
        )
        chain = json.loads(done.stdout)
        per_look_s = chain["cpu_s"] * LOOK / moves
        values[build] = {
            f"distinct_networks_per_cpu_second, {kind}": count / chain["cpu_s"]
            for kind, count in chain["distinct"].items()
        }
        values[build]["memory_cpu_seconds"] = statistical_inefficiency(np.array(chain["energies_eV"])) * per_look_s
        for name, value in values[build].items():
            unit = "s" if name == "memory_cpu_seconds" else "1/s"
            rows.append(row(name, build, n, [value], unit, f"{where}, {moves} moves, {100 * hops:g} % hops"))
    for earlier in list(builds)[1:]:
        for name, value in values["this build"].items():
            other = values[earlier][name]
            ratio = other / value if name == "memory_cpu_seconds" else value / other if other else np.inf
            rows.append(row("ratio_to_commit", name, n, [ratio], "1", f"{where}, to {earlier}"))
    return rows
