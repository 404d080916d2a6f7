"""Legs at constant energy: what they conserve, what they start from, and how they survive a kill."""

import os
import shutil
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from killing import kill_once

from moxie.dynamics.checkpoints import signed
from moxie.dynamics.execution import Execution, Outputs
from moxie.dynamics.protocol import RunSettings
from moxie.dynamics.simulation import simulate
from moxie.dynamics.transport import TransportSettings, check_transport, simulate_transport
from moxie.errors import InputError
from moxie.io import read_json, write_json
from moxie.structures.boxes import pack, write_box
from moxie.structures.molecules import embed

RUN = RunSettings(
    298.15, cutoff_nm=0.6, timestep_fs=4.0, hydrogen_mass_amu=3.0, equilibration_ps=8.0, sampling_ps=8.0,
    sample_interval_ps=0.1, frame_interval_ps=0.4,
)  # fmt: skip
LEG = TransportSettings(legs=2, length_ps=4.0, thermalisation_ps=0.5, stress_interval_fs=50.0)


def files(folder):
    return Outputs(folder / "timeseries.parquet", folder / "trajectory.xtc", folder / "run.json")


def run_leg(start, folder, settings=LEG, leg=0, **execution):
    execution = Execution(folder / "checkpoint", platform="CPU", **execution)
    return simulate_transport(files(start), files(folder), settings, leg=leg, seed=3, execution=execution)


def leg_from(start, folder):
    execution = Execution(folder / "c", platform="CPU")
    return simulate_transport(start, files(folder), LEG, leg=0, seed=1, execution=execution)


@pytest.fixture(scope="session")
def equilibrated(tmp_path_factory):
    folder = tmp_path_factory.mktemp("equilibrated")
    write_box(pack({"methanol": embed("CO")}, {"methanol": 48}, {"methanol": "CO"}, seed=2), folder / "box.xyz")
    outputs = Outputs(*(folder / name for name in ("timeseries.parquet", "trajectory.xtc", "run.json", "topology.pdb")))
    execution = Execution(folder / "c", platform="CPU")
    simulate(folder / "box.xyz", outputs, RUN, system="methanol", replica=0, seed=5, execution=execution)
    return folder


@pytest.fixture(scope="session")
def done(equilibrated, tmp_path_factory):
    folder = tmp_path_factory.mktemp("leg")
    return folder, run_leg(equilibrated, folder)


def test_energy_is_conserved_without_a_thermostat(done):
    folder, facts = done
    series = pd.read_parquet(folder / "timeseries.parquet")
    assert np.allclose(series["time_ps"], 0.05 * np.arange(1, 81))
    total = series["potential_energy_kJ_mol"] + series["kinetic_energy_kJ_mol"]
    # 0.06 to 0.084 for four seeds: pairs that cross an unswitched cut-off of 0.6 nm make it wander
    assert total.std() < 0.12 * series["kinetic_energy_kJ_mol"].std()
    assert abs(facts["energy_drift_fraction"]) < 0.02
    assert facts["mean_temperature_K"] == pytest.approx(298.15, abs=25)


def test_total_momentum_stays_near_zero(done):
    from MDAnalysis.lib.formats.libmdaxdr import XTCFile

    folder, facts = done
    masses = np.tile(facts["components"][0]["site_masses_amu"], 48)
    assert sorted(set(masses)) == pytest.approx([1.008, 15.035, 15.9994], abs=1e-3)  # the run's are repartitioned
    with XTCFile(str(folder / "trajectory.xtc")) as stream:
        centres = np.array([np.average(frame.x, axis=0, weights=masses) for frame in stream])
    assert len(centres) == 40
    thermal_nm = 4.0 * np.sqrt(2.4789 / masses.sum())  # the way of the centre in 4 ps, were it not at rest
    assert np.abs(centres - centres[0]).max() < 0.01 * thermal_nm  # particle-mesh Ewald conserves no momentum exactly


def test_leg_is_run_at_the_mean_density_of_the_run(equilibrated, done):
    series = pd.read_parquet(equilibrated / "timeseries.parquet")
    mean = series["volume_nm3"][series["time_ps"] > 8.0].mean()
    assert done[1]["edge_nm"] ** 3 == pytest.approx(mean, rel=1e-6)


def test_stress_fluctuates_about_zero(done):
    series = pd.read_parquet(done[0] / "timeseries.parquet")
    shears = series[["pressure_xy_bar", "pressure_xz_bar", "pressure_yz_bar", "pressure_xx_yy_bar", "pressure_zz_bar"]]
    assert (shears.std() > 100).all()  # hundreds of bar in a box this small
    assert (shears.mean().abs() < 0.7 * shears.std()).all()


def test_same_seed_gives_the_same_leg_and_legs_differ(equilibrated, done, tmp_path):
    short = replace(LEG, length_ps=1.0, frame_interval_ps=0.05)
    rows = []
    for name, leg in (("a", 0), ("b", 0), ("c", 1)):
        run_leg(equilibrated, tmp_path / name, short, leg=leg, checkpoint_interval_s=0.05 if name == "a" else 30.0)
        rows.append(pd.read_parquet(tmp_path / name / "timeseries.parquet"))
    assert rows[0].equals(rows[1])
    assert not np.allclose(rows[0]["potential_energy_kJ_mol"], rows[2]["potential_energy_kJ_mol"], atol=1e-3)


CHILD = """
import sys
from dataclasses import replace
from pathlib import Path
sys.path[:0] = {path!r}
from test_transport_legs import LEG, run_leg
run_leg(Path({start!r}), Path({folder!r}), replace(LEG, length_ps=10.0), checkpoint_interval_s=0.02)
"""


@pytest.fixture(scope="module")
def killed(equilibrated, tmp_path_factory):
    """A folder with the checkpoint of a killed leg of 10 ps."""
    folder = tmp_path_factory.mktemp("killed")
    code = CHILD.format(path=[os.path.dirname(__file__), *sys.path], start=str(equilibrated), folder=str(folder))
    kill_once((folder / "checkpoint" / "segment_0003").exists, code, limit_s=90)
    assert not (folder / "timeseries.parquet").exists()
    return folder


@pytest.mark.parametrize("version", [None, "7.7"])
def test_killed_leg_continues_where_it_was_also_after_an_upgrade(equilibrated, killed, tmp_path, caplog, version):
    shutil.copytree(killed / "checkpoint", tmp_path / "checkpoint")
    if version:
        for path in (tmp_path / "checkpoint").glob("segment_????/segment.json"):
            content = read_json(path)
            content["facts"]["openmm"] = version
            write_json(path, signed(content))
    with caplog.at_level("INFO"):
        run_leg(equilibrated, tmp_path, replace(LEG, length_ps=10.0))
    assert "continuing at" in caplog.text and "set aside" not in caplog.text
    assert ("the checkpoint was made by OpenMM 7.7" in caplog.text) == bool(version)
    series = pd.read_parquet(tmp_path / "timeseries.parquet")
    assert np.allclose(series["time_ps"], 0.05 * np.arange(1, 201))
    total = series["potential_energy_kJ_mol"] + series["kinetic_energy_kJ_mol"]
    assert total.diff().abs().max() < 0.3 * series["kinetic_energy_kJ_mol"].std()  # no jump where it was cut


def test_legs_of_a_run_that_may_end_early_are_counted_at_its_earliest_end():
    run = RunSettings(298.15, sampling_ps=200.0, precision={"density_g_cm3": 0.01})
    check_transport("methanol", replace(LEG, legs=20, length_ps=50.0), run)
    with pytest.raises(InputError, match=r"21 legs need .* 20 are sure of it \(20 ps\). Use fewer legs, or no precis"):
        check_transport("methanol", replace(LEG, legs=21, length_ps=50.0), run)


def test_leg_that_blows_up_says_so(equilibrated, tmp_path, monkeypatch):
    from moxie.dynamics import transport

    monkeypatch.setattr(transport, "check_timestep", lambda *_: None)
    with pytest.raises(InputError, match="A leg of transport blew up after .* Use a transport.timestep_fs below 60"):
        run_leg(equilibrated, tmp_path, replace(LEG, timestep_fs=60.0, stress_interval_fs=60.0, frame_interval_ps=0.06))
    assert not (tmp_path / "timeseries.parquet").exists()


def test_drifting_energy_is_refused(equilibrated, tmp_path, monkeypatch):
    from moxie.dynamics import transport

    monkeypatch.setattr(transport, "_LARGEST_DRIFT", 1e-9)
    with pytest.raises(InputError, match="total energy drifts by .* Use a transport.timestep_fs below 2"):
        run_leg(equilibrated, tmp_path, replace(LEG, length_ps=0.5, frame_interval_ps=0.05))
    assert not (tmp_path / "timeseries.parquet").exists()


def test_run_out_of_equilibrium_is_refused(equilibrated, tmp_path):
    series = pd.read_parquet(equilibrated / "timeseries.parquet")
    series["potential_energy_kJ_mol"] += 2000.0
    start = replace(files(equilibrated), timeseries=tmp_path / "moved.parquet")
    series.to_parquet(start.timeseries)
    with pytest.raises(InputError, match="not in equilibrium after thermalisation_ps"):
        leg_from(start, tmp_path)


def test_trajectory_of_another_system_is_refused(equilibrated, tmp_path):
    facts = read_json(equilibrated / "run.json")
    facts["components"][0]["count"] = 47
    write_json(tmp_path / "other.json", facts)
    start = replace(files(equilibrated), run=tmp_path / "other.json")
    with pytest.raises(InputError, match="144 sites where .* says 141"):
        leg_from(start, tmp_path)


@pytest.mark.parametrize(("kept", "message"), [(0.5, "cannot be read|is cut short"), (0.0, "cannot be read")])
def test_run_whose_trajectory_is_cut_short_is_refused(equilibrated, tmp_path, kept, message):
    whole = (equilibrated / "trajectory.xtc").read_bytes()
    start = replace(files(equilibrated), trajectory=tmp_path / "short.xtc")
    start.trajectory.write_bytes(whole[: round(kept * len(whole))])
    with pytest.raises(InputError, match=rf"short.xtc ({message}).*Delete it and run again"):
        leg_from(start, tmp_path)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"timestep_fs": 4.0}, "at most 2.5 fs"),
        ({"stress_interval_fs": 1.0}, "must not decrease"),
        ({"frame_interval_ps": 0.01}, "must not decrease"),
        ({"length_ps": 1.0}, r"at least 40 frames \(4 ps\)"),
        ({"legs": 30}, r"20 are sure of it \(8 ps\). Use fewer legs, or a longer sampling_ps"),
    ],
)
def test_unsound_settings_are_refused_with_their_key(change, message):
    with pytest.raises(InputError, match=rf"dynamics.systems.methanol.transport: .*{message}"):
        check_transport("methanol", replace(TransportSettings(legs=2), **change), RUN)


def test_study_knows_its_legs():
    from moxie.study import Study

    system = {"composition": {"methanol": 216}, "transport": {"legs": 2}, "replicas": 2}
    study = Study.load({"molecules": {"methanol": "CO"}, "dynamics": {"systems": {"methanol": system}}})
    legs = study.dynamics.legs["methanol/trappe_ua/T298.15_p1"]
    assert len(legs) == 4
    assert legs[-1] == "methanol/trappe_ua/T298.15_p1/replica1/transport/leg1"
    assert study.dynamics.systems["methanol"].transport_settings.legs == 2
    assert "transport" in study.parts
    assert Path(study.dynamics.systems["methanol"].runs[0]).parent == Path("methanol/trappe_ua/T298.15_p1")
