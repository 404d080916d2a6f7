"""Runs with rigid water and virtual sites: geometry in every output, temperature, going on after an interruption."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from moxie.dynamics.engine import Engine
from moxie.dynamics.execution import Execution, Outputs
from moxie.dynamics.protocol import RunSettings
from moxie.dynamics.simulation import simulate, simulate_gas
from moxie.features.liquids import analyse
from moxie.features.site_search import find_sites
from moxie.io import read_json
from moxie.structures.boxes import pack, write_box
from moxie.structures.molecules import embed

SHORT = RunSettings(
    298.15, "tip4p_2005", cutoff_nm=0.55, timestep_fs=4.0, hydrogen_mass_amu=3.0, equilibration_ps=0.8, sampling_ps=4.0,
    sample_interval_ps=0.08, frame_interval_ps=0.4, friction_per_ps=5.0,
)  # fmt: skip
COUNT = 64


@pytest.fixture(scope="module")
def box(tmp_path_factory):
    path = tmp_path_factory.mktemp("box") / "water.xyz"
    write_box(pack({"water": embed("O")}, {"water": COUNT}, {"water": "O"}, seed=2), path)
    return path


def run(box, folder, settings=SHORT):
    files = Outputs(*(folder / name for name in ("t.parquet", "t.xtc", "r.json", "t.pdb")))
    execution = Execution(folder / "checkpoint", checkpoint_interval_s=0.05, platform="CPU")
    simulate(box, files, settings, system="it", replica=0, seed=5, execution=execution)
    return files


def frames_of(path):
    from MDAnalysis.lib.formats.libmdaxdr import XTCFile

    with XTCFile(str(path)) as stream:
        return [np.array(frame.x, dtype=float).reshape(COUNT, 4, 3) for frame in stream]


def test_interrupted_run_goes_on_with_the_charge_in_its_place(box, tmp_path, monkeypatch):
    whole, advance = Engine.advance, []

    def interrupted(self, steps):
        advance.append(1)
        if len(advance) > 30:
            raise KeyboardInterrupt
        whole(self, steps)

    with monkeypatch.context() as patch:
        patch.setattr(Engine, "advance", interrupted)
        with pytest.raises(KeyboardInterrupt):
            run(box, tmp_path)
    assert (tmp_path / "checkpoint" / "segment_0000").exists()
    files = run(box, tmp_path)
    facts = read_json(files.run)
    assert len(facts["segments"]) > 1 and facts["n_sites"] == 4 * COUNT
    series = pd.read_parquet(files.timeseries)
    assert np.allclose(series["time_ps"], 0.08 * np.arange(1, 61))
    # six degrees of freedom each: T sqrt(2/f) = 21.5 K for one sample; 50 of them at a friction of 5/ps are about 14
    # independent ones, so that their mean has a spread of 5.7 K
    assert series["temperature_K"][10:].mean() == pytest.approx(298.15, abs=4 * 5.7)
    frames = frames_of(files.trajectory)
    assert len(frames) == 12
    for frame in frames:  # stored to 0.001 nm
        oxygen, first, second, charge = np.moveaxis(frame, 1, 0)
        bisector = (first + second) / 2 - oxygen
        place = oxygen + 0.01546 * bisector / np.linalg.norm(bisector, axis=1)[:, None]
        assert np.abs(charge - place).max() < 0.0015
        assert np.linalg.norm(first - oxygen, axis=1) == pytest.approx(0.09572, abs=0.002)
    components = facts["components"]
    assert components[0]["site_atoms"] == [0, 1, 2, -1]
    assert list(find_sites(components, "water_oxygen")) == list(range(0, 4 * COUNT, 4))
    text = files.topology.read_text().splitlines()
    assert sum(line[12:16].strip() == "M4" for line in text) == COUNT
    assert {line[17:20] for line in text if line.startswith(("ATOM", "HETATM"))} == {"HOH"}
    row = analyse(files.timeseries, files.trajectory, files.run)[0].iloc[0]
    assert row["composition"] == "O" and len(row["force_field_sha256"]) == 64
    assert row["rdf_oo_peak_position_A"] == pytest.approx(2.78, abs=0.08)


@pytest.mark.parametrize("force_field", ["spce", "tip4p_2005"])
def test_isolated_rigid_water_has_no_energy_and_the_temperature_of_the_thermostat(tmp_path, force_field):
    settings = replace(SHORT, force_field=force_field, sampling_ps=100.0, friction_per_ps=10.0)
    simulate_gas("O", "water", tmp_path / "t.parquet", tmp_path / "r.json", settings, replica=0, seed=3)
    series = pd.read_parquet(tmp_path / "t.parquet")
    assert np.abs(series["potential_energy_kJ_mol"]).max() < 1e-9
    assert series["temperature_K"].mean() == pytest.approx(298.15, abs=4 * 298.15 * (2 / 6 / 700) ** 0.5)
