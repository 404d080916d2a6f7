"""Runs that are killed without warning, at any moment, and go on."""

import logging
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from test_dynamics_simulation import CHILD, SHORT, frames_of, run, start_and_kill

from moxie.dynamics.checkpoints import signed
from moxie.dynamics.engine import Engine
from moxie.dynamics.platforms import PlatformChoice
from moxie.dynamics.systems import build_model, site_positions_nm
from moxie.io import read_json, write_json
from moxie.structures.boxes import pack, read_box, write_box
from moxie.structures.molecules import embed
from moxie.timeseries import mean_of

LENGTH_PS = 30.0
MOMENTS = [random.Random(seed).uniform(0.0, 0.3) for seed in (1, 2, 3, 5)]  # seconds after there is something to lose


@pytest.fixture(scope="module")
def box(tmp_path_factory):
    path = tmp_path_factory.mktemp("box") / "methanol.xyz"
    write_box(pack({"methanol": embed("CO")}, {"methanol": 48}, {"methanol": "CO"}, seed=2), path)
    return path


def kill_some_time_after(box, folder, seconds, segments):
    """Start a run in a child process; kill it some time after it committed a segment more. Return whether it ended."""
    code = CHILD.format(
        path=[os.path.dirname(__file__), *sys.path], box=str(box), folder=str(folder), sampling=LENGTH_PS
    )
    child = subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.PIPE)
    limit = time.monotonic() + 120
    while not (folder / "checkpoint" / f"segment_{segments:04d}").exists() and child.poll() is None:
        assert time.monotonic() < limit
        time.sleep(0.005)
    time.sleep(seconds)
    child.send_signal(signal.SIGKILL)
    _, errors = child.communicate()
    assert child.returncode in (0, -signal.SIGKILL), errors.decode()
    return child.returncode == 0


def test_run_killed_at_random_moments_loses_and_repeats_nothing(box, tmp_path, caplog):
    from MDAnalysis.lib.formats.libmdaxdr import XTCFile

    settings = replace(SHORT, sampling_ps=LENGTH_PS)
    folder = tmp_path / "run"
    folder.mkdir()
    ended = []
    for seconds in MOMENTS:
        committed = len(list((folder / "checkpoint").glob("segment_????")))
        ended.append(kill_some_time_after(box, folder, seconds, committed))
    assert not any(ended), "the run was over before it could be killed"
    with caplog.at_level(logging.INFO):
        run(box, folder, settings)
    assert "continuing at" in caplog.text
    series = pd.read_parquet(folder / "timeseries.parquet")
    assert np.allclose(series["time_ps"], 0.1 * np.arange(1, settings.total_samples + 1))
    assert frames_of(folder / "trajectory.xtc") == [
        (200 * n, round(0.4 * n, 4)) for n in range(1, settings.total_samples // settings.samples_per_frame + 1)
    ]
    # a frame belongs to the sample of its time: the barostat gives every sample a volume of its own
    with XTCFile(str(folder / "trajectory.xtc")) as stream:
        volumes = [float(np.prod(np.diag(frame.box).astype(float))) for frame in stream]
    assert np.allclose(volumes, series["volume_nm3"][settings.samples_per_frame - 1 :: settings.samples_per_frame],
                       rtol=1e-5)  # fmt: skip
    assert not list(tmp_path.rglob("*.stale")) and not list(tmp_path.rglob("*.corrupt"))

    run(box, tmp_path / "whole", replace(settings, sampling_ps=LENGTH_PS))
    whole = pd.read_parquet(tmp_path / "whole" / "timeseries.parquet")
    for column in ("potential_energy_kJ_mol", "density_g_cm3", "temperature_K"):
        one, other = (mean_of(table[column][table["time_ps"] > 5].to_numpy()) for table in (series, whole))
        error = (one.standard_error**2 + other.standard_error**2) ** 0.5
        assert one.value == pytest.approx(other.value, abs=4 * error), column


@pytest.fixture(scope="module")
def killed(box, tmp_path_factory):
    """A folder with the checkpoint of a killed run of 10 ps."""
    folder = tmp_path_factory.mktemp("killed")
    start_and_kill(box, folder, 10.0, 2)
    return folder


@pytest.mark.parametrize(("key", "value"), [("openmm", "7.7"), ("platform", "CUDA"), ("precision", "mixed")])
def test_checkpoint_of_another_openmm_or_platform_goes_on_from_its_state(box, killed, tmp_path, caplog, key, value):
    settings = replace(SHORT, sampling_ps=10.0)
    shutil.copytree(killed / "checkpoint", tmp_path / "checkpoint")
    for path in (tmp_path / "checkpoint").glob("segment_????/segment.json"):
        content = read_json(path)
        content["facts"][key] = value
        write_json(path, signed(content))
    with caplog.at_level(logging.INFO):
        run(box, tmp_path, settings, platform="CPU")
    assert "the checkpoint was made by OpenMM" in caplog.text and value in caplog.text
    assert "continuing from its portable state" in caplog.text
    series = pd.read_parquet(tmp_path / "timeseries.parquet")
    assert np.allclose(series["time_ps"], 0.1 * np.arange(1, settings.total_samples + 1))
    assert np.abs(np.diff(series["potential_energy_kJ_mol"])).max() < 400


def test_binary_checkpoint_of_another_platform_does_not_load_and_its_state_gives_the_same_energy(box, caplog):
    packed = read_box(box)
    model = build_model(packed.composition, packed.smiles, "trappe_ua", edge_nm=packed.edge_A / 10, cutoff_nm=0.6)
    before = Engine(model, SHORT, PlatformChoice("Reference", "double", {}), 3, 0)
    before.context.setPositions(site_positions_nm(model, packed))
    before.context.setVelocitiesToTemperature(300, 1)
    after = Engine(model, SHORT, PlatformChoice("CPU", "single", {"Threads": "1"}), 3, 1)
    with caplog.at_level(logging.INFO):
        after.resume(700, *before.save(), logging.getLogger("moxie.test"))
    assert "does not load" in caplog.text and after.step == 700
    states = [engine.context.getState(energy=True) for engine in (before, after)]
    energies = [state.getPotentialEnergy()._value + state.getKineticEnergy()._value for state in states]
    assert energies[1] == pytest.approx(energies[0], rel=1e-4)
