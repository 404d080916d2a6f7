"""Small liquids against what thermodynamics and experiment say."""

from dataclasses import replace

import pandas as pd
import pytest

from moxie.dynamics.execution import Execution, Outputs
from moxie.dynamics.protocol import RunSettings
from moxie.dynamics.simulation import simulate, simulate_gas
from moxie.features.liquids import analyse
from moxie.structures.boxes import pack, write_box
from moxie.structures.molecules import embed
from moxie.timeseries import mean_of

LONG_STEPS = RunSettings(
    298.15, cutoff_nm=0.6, timestep_fs=4.0, hydrogen_mass_amu=3.0, equilibration_ps=5.0, sampling_ps=20.0
)


def run_liquid(folder, smiles, count, settings):
    write_box(pack({"it": embed(smiles, "it")}, {"it": count}, {"it": smiles}, seed=1), folder / "box.xyz")
    files = Outputs(*(folder / name for name in ("t.parquet", "t.xtc", "r.json", "t.pdb")))
    execution = Execution(folder / "checkpoint")
    simulate(folder / "box.xyz", files, settings, system="it", replica=0, seed=1, execution=execution)
    return files


def test_kinetic_temperature_is_that_of_the_thermostat(tmp_path):
    # strong friction decorrelates the samples; each has a spread of T sqrt(2/f), f = 9 N - 2 N for rigid methanol
    files = run_liquid(tmp_path, "CO", 48, replace(LONG_STEPS, friction_per_ps=10.0, sampling_ps=15.0))
    series = pd.read_parquet(files.timeseries)
    temperatures = series["temperature_K"][series["time_ps"] > 2].to_numpy()
    spread = 298.15 * (2 / (7 * 48)) ** 0.5
    assert temperatures.std() == pytest.approx(spread, rel=0.3)
    assert temperatures.mean() == pytest.approx(298.15, abs=4 * spread / (len(temperatures) / 2) ** 0.5)


@pytest.mark.slow
@pytest.mark.parametrize("smiles", ["CO", "CCO"])
def test_alcohols_have_the_density_of_experiment(tmp_path, smiles):
    from moxie.reference.liquids import experimental_density_g_cm3

    settings = replace(LONG_STEPS, cutoff_nm=1.0, equilibration_ps=20.0, sampling_ps=120.0)
    files = run_liquid(tmp_path, smiles, 216, settings)
    simulate_gas(smiles, "it", tmp_path / "g.parquet", tmp_path / "g.json", settings, replica=0, seed=2)
    row = analyse(files.timeseries, files.trajectory, files.run, tmp_path / "g.parquet")[0].iloc[0]
    experiment = experimental_density_g_cm3(smiles, 298.15)
    assert row["density_g_cm3_standard_error"] < 0.006
    assert row["density_g_cm3"] == pytest.approx(experiment, rel=0.03)
    assert 1.8 < row["coordination_oo"] < 2.2


@pytest.mark.slow
def test_opls_ethanol_has_the_density_of_the_published_engines(tmp_path):
    # 500 molecules, 300 K, 1.01325 bar, rigid O-H: 0.7913 g/cm3 in MCCCS, Cassandra, GOMC and LAMMPS (J. Chem. Eng.
    # Data 70, 2178 (2025)). Rigid C-H bonds and the longer time step may be worth 2e-3. About half an hour of one core.
    settings = replace(
        LONG_STEPS, temperature_K=300.0, force_field="opls_aa", pressure_bar=1.01325, cutoff_nm=1.0,
        equilibration_ps=40.0, sampling_ps=120.0,
    )  # fmt: skip
    files = run_liquid(tmp_path, "CCO", 500, settings)
    row = analyse(files.timeseries, files.trajectory, files.run)[0].iloc[0]
    assert row["density_g_cm3_standard_error"] < 0.004
    assert row["density_g_cm3"] == pytest.approx(0.7913, abs=0.002 + 3 * row["density_g_cm3_standard_error"])


@pytest.mark.slow
@pytest.mark.parametrize(
    ("force_field", "smiles", "cutoff_nm", "density", "accuracy"),
    [("spce", "O", 0.9, 0.998, 0.006), ("tip4p_2005", "O", 0.9, 0.997, 0.006), ("opls_aa", "CO", 1.0, 0.77, 0.02)],
)
def test_small_boxes_have_the_known_density_of_their_model(tmp_path, force_field, smiles, cutoff_nm, density, accuracy):
    settings = replace(
        LONG_STEPS, force_field=force_field, cutoff_nm=cutoff_nm, equilibration_ps=20.0, sampling_ps=80.0
    )
    files = run_liquid(tmp_path, smiles, 216, settings)
    row = analyse(files.timeseries, files.trajectory, files.run)[0].iloc[0]
    assert row["density_g_cm3"] == pytest.approx(density, abs=accuracy + 3 * row["density_g_cm3_standard_error"])


@pytest.mark.slow
def test_four_femtoseconds_with_heavy_hydrogens_give_the_energies_of_one_with_light_ones(tmp_path):
    means = []
    for number, (step, mass) in enumerate([(1.0, None), (4.0, 3.0)]):
        folder = tmp_path / str(number)
        folder.mkdir()
        settings = replace(
            LONG_STEPS, timestep_fs=step, hydrogen_mass_amu=mass, ensemble="NVT", density_g_cm3=0.78, sampling_ps=100.0
        )
        files = run_liquid(folder, "CO", 48, settings)
        series = pd.read_parquet(files.timeseries)
        means.append(mean_of(series["potential_energy_kJ_mol"][series["time_ps"] > 10].to_numpy() / 48))
    error = (means[0].standard_error ** 2 + means[1].standard_error ** 2) ** 0.5
    assert error < 0.25
    assert means[0].value == pytest.approx(means[1].value, abs=4 * error)
