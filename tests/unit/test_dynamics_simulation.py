import logging
import os
import sys
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from killing import kill_once

from moxie.dynamics.execution import Execution, Outputs
from moxie.dynamics.protocol import RunSettings, check_timestep
from moxie.dynamics.simulation import simulate, simulate_gas
from moxie.errors import InputError
from moxie.io import read_json
from moxie.structures.boxes import pack, write_box
from moxie.structures.molecules import embed

SHORT = RunSettings(
    298.15, cutoff_nm=0.6, timestep_fs=2.0, equilibration_ps=0.4, sampling_ps=2.0, sample_interval_ps=0.1,
    frame_interval_ps=0.4,
)  # fmt: skip


def outputs_in(folder):
    return Outputs(*(folder / name for name in ("timeseries.parquet", "trajectory.xtc", "run.json", "topology.pdb")))


def run(box, folder, settings=SHORT, seed=5, **execution):
    options = {"system": "methanol", "replica": 0, "seed": seed}
    return simulate(
        box, outputs_in(folder), settings, **options, execution=Execution(folder / "checkpoint", **execution)
    )


def frames_of(path):
    from MDAnalysis.lib.formats.libmdaxdr import XTCFile

    with XTCFile(str(path)) as stream:
        return [(frame.step, round(float(frame.time), 4)) for frame in stream]


@pytest.fixture(scope="module")
def box(tmp_path_factory):
    path = tmp_path_factory.mktemp("box") / "methanol.xyz"
    write_box(pack({"methanol": embed("CO")}, {"methanol": 48}, {"methanol": "CO"}, seed=2), path)
    return path


@pytest.fixture(scope="module")
def done(box, tmp_path_factory):
    folder = tmp_path_factory.mktemp("done")
    return folder, run(box, folder)


def test_a_liquid_that_evaporates_is_named():
    from moxie.dynamics.recorders import Sample, check_still_liquid

    settings = RunSettings(700.0, pressure_bar=2.0)
    check_still_liquid(Sample(1.8, -1.0, 700.0, 15.9, 0.2, (0.0, 0.0, 0.0)), 4.0, settings)
    with pytest.raises(InputError, match=r"evaporates at 700 K and 2 bar: after 3.0 ps .*0.150 g.* began with 0.750"):
        check_still_liquid(Sample(3.0, -1.0, 700.0, 20.0, 0.15, (0.0, 0.0, 0.0)), 4.0, settings)


def test_run_writes_a_whole_time_series_and_trajectory(done):
    folder, facts = done
    series = pd.read_parquet(folder / "timeseries.parquet")
    assert np.allclose(series["time_ps"], 0.1 * np.arange(1, 25))
    assert np.isfinite(series.to_numpy()).all()
    assert series["temperature_K"].mean() == pytest.approx(298, abs=40)
    mass_g = 48 * 32.042 / 6.02214076e23
    assert np.allclose(series["density_g_cm3"], mass_g / (series["volume_nm3"] * 1e-21), rtol=1e-3)
    assert frames_of(folder / "trajectory.xtc") == [(200 * n, round(0.4 * n, 4)) for n in range(1, 7)]
    assert facts["n_molecules"] == 48


def test_run_json_says_what_was_run(done):
    folder, _ = done
    facts = read_json(folder / "run.json")
    assert facts["platform"] in ("CPU", "CUDA", "HIP", "OpenCL")
    assert facts["components"][0]["site_types"] == ["CH3_O", "O", "H"]
    assert facts["settings"] == SHORT.as_dict()
    assert "doi" in facts["force_field_sources"]["alcohols"]
    assert facts["ns_per_day"] > 0


def test_topology_has_the_sites_of_the_trajectory(done):
    import MDAnalysis

    folder, _ = done
    universe = MDAnalysis.Universe(str(folder / "topology.pdb"))
    assert len(universe.atoms) == 48 * 3
    assert len(universe.residues) == 48


def test_same_seed_gives_the_same_bytes_and_another_does_not(box, done, tmp_path):
    folder, _ = done
    run(box, tmp_path / "same", platform="CPU", checkpoint_interval_s=0.05)
    names = ("timeseries.parquet", "trajectory.xtc", "topology.pdb")
    if read_json(folder / "run.json")["platform"] == "CPU":
        assert all((folder / name).read_bytes() == (tmp_path / "same" / name).read_bytes() for name in names)
    run(box, tmp_path / "other", seed=6)
    assert (folder / names[0]).read_bytes() != (tmp_path / "other" / names[0]).read_bytes()


CHILD = """
import sys
from pathlib import Path
from dataclasses import replace
sys.path[:0] = {path!r}
from test_dynamics_simulation import SHORT, run
run(Path({box!r}), Path({folder!r}), replace(SHORT, sampling_ps={sampling}), checkpoint_interval_s=0.02)
"""


def start_and_kill(box, folder, sampling_ps, segments):
    """Start a run in a child process and kill it without warning once it has committed some segments."""
    here = os.path.dirname(__file__)
    code = CHILD.format(path=[here, *sys.path], box=str(box), folder=str(folder), sampling=sampling_ps)
    kill_once((folder / "checkpoint" / f"segment_{segments - 1:04d}").exists, code, limit_s=60)


def test_killed_run_continues_and_ends_with_a_whole_time_series(box, tmp_path, caplog):
    settings = replace(SHORT, sampling_ps=10.0)
    (tmp_path / "run").mkdir()
    start_and_kill(box, tmp_path / "run", 10.0, 2)
    start_and_kill(box, tmp_path / "run", 10.0, 5)
    assert not (tmp_path / "run" / "timeseries.parquet").exists()
    with caplog.at_level(logging.INFO):
        facts = run(box, tmp_path / "run", settings)
    assert "continuing at" in caplog.text
    series = pd.read_parquet(tmp_path / "run" / "timeseries.parquet")
    assert np.allclose(series["time_ps"], 0.1 * np.arange(1, 105))
    assert frames_of(tmp_path / "run" / "trajectory.xtc") == [(200 * n, round(0.4 * n, 4)) for n in range(1, 27)]
    assert np.abs(np.diff(series["potential_energy_kJ_mol"])).max() < 400  # nothing jumped where it was cut
    assert len(facts["segments"]) > 5


def test_binary_checkpoint_that_does_not_load_is_replaced_by_the_state(box, tmp_path, caplog):
    from moxie.dynamics import checkpoints as module

    start_and_kill(box, tmp_path, 10.0, 2)
    for place in (tmp_path / "checkpoint").glob("segment_????"):
        content = read_json(place / "segment.json")
        if (place / "checkpoint.bin").exists():
            (place / "checkpoint.bin").write_bytes(b"of another machine")
            content["sha256"]["checkpoint.bin"] = module.sha256(place / "checkpoint.bin")
            module.write_json(place / "segment.json", module.signed(content))
    with caplog.at_level(logging.INFO):
        run(box, tmp_path, replace(SHORT, sampling_ps=10.0))
    assert "continuing from its portable state" in caplog.text
    assert len(pd.read_parquet(tmp_path / "timeseries.parquet")) == 104


def test_fixed_volume_run_is_held_at_the_density_asked_for(box, tmp_path):
    run(box, tmp_path, replace(SHORT, ensemble="NVT", density_g_cm3=0.85, sampling_ps=0.4))
    series = pd.read_parquet(tmp_path / "timeseries.parquet")
    assert np.allclose(series["density_g_cm3"], 0.85, rtol=1e-4)


def test_blow_up_names_step_and_sites_and_keeps_the_last_good_state(box, tmp_path, monkeypatch):
    from moxie.dynamics.engine import Engine

    real = Engine.advance

    def sabotaged(self, steps):
        if self.step >= 500:
            self.integrator.setStepSize(0.02)  # ten times too long
        real(self, steps)

    monkeypatch.setattr(Engine, "advance", sabotaged)
    with pytest.raises(
        InputError, match=r"after step 500 \(1 ps\).*From step \d+ on.* of methanol \d+.*last_good_state.xml"
    ):
        run(box, tmp_path)
    assert (tmp_path / "checkpoint" / "last_good_state.xml").stat().st_size > 1000
    assert not (tmp_path / "timeseries.parquet").exists()


PRECISE = replace(SHORT, sampling_ps=30.0, sample_interval_ps=0.02, precision={"density_g_cm3": 0.05})


def test_run_ends_when_it_is_precise_enough_and_a_continued_one_at_the_same_sample(box, tmp_path, monkeypatch):
    from moxie.dynamics import precision, simulation

    monkeypatch.setattr(precision, "FEWEST_INDEPENDENT", 3.0)
    with monkeypatch.context() as disk:
        disk.setattr(simulation, "write_series", lambda *_: (_ for _ in ()).throw(OSError("disk full")))
        with pytest.raises(OSError, match="disk full"):
            run(box, tmp_path, PRECISE)
    samples = sum(len(np.load(path)) for path in (tmp_path / "checkpoint").glob("segment_*/samples.npy"))
    facts = run(box, tmp_path, PRECISE)  # everything was committed: it must not go on
    assert facts["sampling"] == read_json(tmp_path / "run.json")["sampling"]
    assert facts["sampling"]["stopped"] == "precision reached"
    assert facts["sampling"]["standard_errors"]["density_g_cm3"] <= 0.05
    assert set(facts["sampling"]["standard_errors"]) == {"potential_energy_kJ_mol", "density_g_cm3"}
    assert facts["sampling"]["n_samples"] == samples < PRECISE.total_samples
    assert precision.is_check(samples, PRECISE.equilibration_samples)
    assert len(pd.read_parquet(tmp_path / "timeseries.parquet")) == samples
    assert len(frames_of(tmp_path / "trajectory.xtc")) == samples // PRECISE.samples_per_frame


def test_cap_ends_a_run_that_does_not_become_precise(box, tmp_path, caplog):
    settings = replace(PRECISE, sampling_ps=2.4, precision={"density_g_cm3": 1e-6})
    sampling = run(box, tmp_path, settings)["sampling"]
    assert "(asked for 1e-06)" in caplog.text and "Raise sampling_ps" in caplog.text
    assert not sampling["reached"]
    assert sampling["stopped"] == "sampling_ps reached"
    assert not sampling["standard_errors"]["density_g_cm3"] <= 1e-6  # unknown after so few samples
    assert sampling["n_samples"] == settings.total_samples


def test_gas_run_ends_when_its_share_of_the_enthalpy_is_precise(tmp_path):
    precise = replace(SHORT, sampling_ps=200.0, precision={"enthalpy_of_vaporisation_kJ_mol": 1.5})
    facts = simulate_gas("CCO", "ethanol", tmp_path / "t.parquet", tmp_path / "r.json", precise, replica=1, seed=3)
    assert facts["sampling"]["stopped"] == "precision reached"
    assert facts["sampling"]["standard_errors"]["potential_energy_kJ_mol"] <= 1.5 * 0.1**0.5
    assert len(pd.read_parquet(tmp_path / "t.parquet")) == facts["sampling"]["n_samples"] < 2000


def test_dipole_moment_of_the_box_is_that_of_its_molecules(done):
    # TraPPE methanol has 2.2 D; the box's moment is a random sum of 48 of them, more in a liquid with correlations
    folder, _ = done
    series = pd.read_parquet(folder / "timeseries.parquet")
    square = (series[[f"dipole_{axis}_e_nm" for axis in "xyz"]] ** 2).sum(axis=1)
    assert 0.3 * 48 < square.mean() / (2.2 * 0.0208194) ** 2 < 12 * 48


def test_box_narrower_than_twice_the_cutoff_is_refused(box, tmp_path):
    with pytest.raises(InputError, match="more molecules or a shorter cut-off"):
        run(box, tmp_path, replace(SHORT, cutoff_nm=1.0))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"ensemble": "NVT"}, "density_g_cm3"),
        ({"ensemble": "NPH"}, "allowed are NPT and NVT"),
        ({"timestep_fs": 4.0}, "at most 2.5 fs; up to 5 fs with hydrogen_mass_amu: 3"),
        ({"timestep_fs": 0.0}, "above 0"),
        ({"temperature_K": -3.0}, "above 0 K"),
        ({"frame_interval_ps": 3.0}, "must not decrease"),
        ({"force_field": "und"}, "at most 1.25 fs"),
    ],
)
def test_unsound_settings_are_refused(box, tmp_path, change, message):
    with pytest.raises(InputError, match=message):
        run(box, tmp_path, replace(SHORT, **change))


def test_heavy_hydrogens_allow_longer_steps():
    from moxie.dynamics.force_fields import load_force_field

    check_timestep(4.0, 3.0, load_force_field("trappe_ua"))
    check_timestep(2.0, 3.0, load_force_field("und"))


def test_intervals_are_whole_steps():
    settings = RunSettings(300.0, timestep_fs=4.0, sample_interval_ps=0.2, frame_interval_ps=1.0, sampling_ps=99.9)
    assert (settings.sample_steps, settings.samples_per_frame) == (50, 5)
    assert settings.total_samples == round(119.9 / 0.2)


def test_gas_run_holds_energies_only(tmp_path):
    settings = replace(SHORT, sampling_ps=20.0)
    simulate_gas("CCO", "ethanol", tmp_path / "t.parquet", tmp_path / "r.json", settings, replica=1, seed=3)
    series = pd.read_parquet(tmp_path / "t.parquet")
    assert list(series.columns) == ["time_ps", "potential_energy_kJ_mol", "temperature_K"]
    assert len(series) == 200
    assert read_json(tmp_path / "r.json")["platform"] == "Reference"
