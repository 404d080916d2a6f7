"""Runs of moxie against what statistical mechanics says of their ensemble, by physical_validation.

Merz and Shirts, PLOS ONE 13, e0202764 (2018). Deviations are in standard errors of the estimate.
"""

import copy
import logging
from dataclasses import asdict, replace

import numpy as np
import pandas as pd
import physical_validation as validation
import pytest

from moxie.constants import GAS_CONSTANT_KJ_MOL_K
from moxie.dynamics.engine import Engine
from moxie.dynamics.execution import Execution, Outputs
from moxie.dynamics.motion import degrees_of_freedom
from moxie.dynamics.platforms import PlatformChoice
from moxie.dynamics.protocol import RunSettings
from moxie.dynamics.recorders import Sampler
from moxie.dynamics.sampling import Moment
from moxie.dynamics.simulation import simulate
from moxie.dynamics.systems import build_model, site_positions_nm
from moxie.structures.boxes import expected_edge_nm, pack, read_box, write_box
from moxie.structures.molecules import embed
from moxie.timeseries import statistical_inefficiency

CPU = PlatformChoice("CPU", "single", {"Threads": "1"})
METHANOL = RunSettings(
    298.15, cutoff_nm=0.7, timestep_fs=4.0, hydrogen_mass_amu=3.0, density_g_cm3=0.78, equilibration_ps=15.0,
    sampling_ps=120.0,
)  # fmt: skip
UNITS = validation.data.UnitData.units("GROMACS")  # kJ/mol, nm, ps, bar, K
LOG = logging.getLogger("moxie.test")


def packed_methanol(folder, count):
    path = folder / f"methanol_{count}.xyz"
    if not path.exists():
        write_box(pack({"it": embed("CO")}, {"it": count}, {"it": "CO"}, seed=1), path)
    return path


def model_of(path, settings):
    packed = read_box(path)
    return build_model(
        packed.composition, packed.smiles, "trappe_ua", edge_nm=packed.edge_A / 10, cutoff_nm=settings.cutoff_nm,
        hydrogen_mass_amu=settings.hydrogen_mass_amu,
    )  # fmt: skip


def started(path, settings, seed):
    """Return an engine after its warm-up."""
    packed, model = read_box(path), model_of(path, settings)
    engine = Engine(model, settings, CPU, seed, 0)
    edge_nm = expected_edge_nm(packed.composition, packed.smiles, settings.density_g_cm3)
    engine.start(site_positions_nm(model, packed), edge_nm, LOG)
    return engine


def system_data(model):
    """Return what physical_validation has to know of a model; the Langevin thermostat moves the centre of mass too."""
    system = model.system
    return validation.data.SystemData(
        natoms=system.getNumParticles(),
        nconstraints=system.getNumConstraints(),
        ndof_reduction_tra=0,
        ndof_reduction_rot=0,
        mass=np.array([system.getParticleMass(site)._value for site in range(system.getNumParticles())]),
        molecule_idx=np.array([sites[0] for sites in model.molecules]),
        nconstraints_per_molecule=np.full(len(model.molecules), system.getNumConstraints() / len(model.molecules)),
    )


def simulation_data(model, settings, series, trajectory=None):
    """Return a time series, without its equilibration, as physical_validation takes it."""
    series = series[series["time_ps"] > settings.equilibration_ps]
    degrees = degrees_of_freedom(model.system)
    kinetic = 0.5 * degrees * GAS_CONSTANT_KJ_MOL_K * series["temperature_K"].to_numpy()
    potential, volume = series["potential_energy_kJ_mol"].to_numpy(), series["volume_nm3"].to_numpy()
    n = model.system.getNumParticles()
    if settings.ensemble == "NPT":
        ensemble = validation.data.EnsembleData(
            "NPT", natoms=n, pressure=settings.pressure_bar, temperature=settings.temperature_K
        )
    else:
        ensemble = validation.data.EnsembleData("NVT", natoms=n, volume=volume[0], temperature=settings.temperature_K)
    observables = validation.data.ObservableData(
        kinetic_energy=kinetic, potential_energy=potential, total_energy=kinetic + potential, volume=volume
    )
    return validation.data.SimulationData(
        units=UNITS, dt=settings.sample_interval_ps, system=system_data(model), ensemble=ensemble,
        observables=observables, trajectory=trajectory,
    )  # fmt: skip


def test_kinetic_energies_are_those_of_the_thermostat(tmp_path):
    settings = replace(
        METHANOL, cutoff_nm=0.6, ensemble="NVT", friction_per_ps=10.0, equilibration_ps=1.0, sampling_ps=25.0,
        sample_interval_ps=0.1,
    )  # fmt: skip
    engine = started(packed_methanol(tmp_path, 48), settings, 3)
    sampler, samples = Sampler(engine.model), []
    for _ in range(settings.total_samples):
        engine.advance(settings.sample_steps)
        moment = Moment(engine.step, engine.time_ps, engine.state(energy=True, positions=True))
        samples.append(asdict(sampler.at(moment)))
    series = pd.DataFrame(samples)
    data = simulation_data(engine.model, settings, series)
    mean, width = validation.kinetic_energy.distribution(data, verbosity=0, bootstrap_seed=1)
    assert abs(mean) < 3.5 and abs(width) < 3.5


def constant_energy(path, timestep_fs, duration_ps, seed=2):
    """Return times (ps), total energies (kJ/mol), momenta (amu nm/ps) and the model of a run without thermostat.

    Lennard-Jones forces are switched off smoothly and the Ewald sum is fine: a truncated potential jumps where pairs
    cross the cut-off, which has nothing to do with the time step.
    """
    import openmm

    settings = replace(METHANOL, ensemble="NVT", cutoff_nm=0.6)
    engine = started(path, settings, seed)
    engine.integrator.step(500)
    system = copy.deepcopy(engine.model.system)
    nonbonded = next(force for force in system.getForces() if isinstance(force, openmm.NonbondedForce))
    nonbonded.setUseSwitchingFunction(True)
    nonbonded.setSwitchingDistance(0.45)
    nonbonded.setEwaldErrorTolerance(1e-5)
    integrator = openmm.VerletIntegrator(timestep_fs / 1000)
    integrator.setConstraintTolerance(1e-8)
    context = CPU.context(system, integrator)
    state = engine.context.getState(positions=True, velocities=True)
    context.setPeriodicBoxVectors(*state.getPeriodicBoxVectors())
    context.setPositions(state.getPositions(asNumpy=True))
    masses = np.array([system.getParticleMass(site)._value for site in range(system.getNumParticles())])
    velocities = state.getVelocities(asNumpy=True)._value
    velocities -= (masses[:, None] * velocities).sum(axis=0) / masses.sum()
    context.setVelocities(velocities)
    context.applyVelocityConstraints(1e-8)
    every = max(1, round(20.0 / timestep_fs))
    rows, momenta = [], []
    for _ in range(round(1000 * duration_ps / timestep_fs / every)):
        integrator.step(every)
        state = context.getState(energy=True, velocities=True)
        rows.append((state.getKineticEnergy()._value, state.getPotentialEnergy()._value))
        momenta.append((masses[:, None] * state.getVelocities(asNumpy=True)._value).sum(axis=0))
    kinetic, potential = np.array(rows).T
    times = every * timestep_fs / 1000 * np.arange(1, len(rows) + 1)
    return times, kinetic, potential, np.array(momenta), engine.model


def test_energy_and_momentum_are_conserved_without_a_thermostat(tmp_path):
    times, kinetic, potential, momenta, model = constant_energy(packed_methanol(tmp_path, 48), 2.0, 4.0)
    total = kinetic + potential
    degrees = degrees_of_freedom(model.system)
    drift_kT_ns = 1000 * np.polyfit(times, total, 1)[0] / degrees / (GAS_CONSTANT_KJ_MOL_K * 298.15)
    assert abs(drift_kT_ns) < 1.0  # kT per degree of freedom and ns: 0.4 % of the thermal energy in these 4 ps
    assert total.std() < 0.1 * kinetic.std()
    thermal = (3 * 32.04 * GAS_CONSTANT_KJ_MOL_K * 298.15) ** 0.5  # momentum of one molecule
    assert np.linalg.norm(momenta, axis=1).max() < 0.1 * thermal


@pytest.mark.slow
def test_energy_fluctuations_fall_with_the_square_of_the_time_step(tmp_path):
    path = packed_methanol(tmp_path, 48)
    runs = []
    for step in (2.0, 1.0, 0.5):
        times, kinetic, potential, _, model = constant_energy(path, step, 4.0)
        runs.append(
            validation.data.SimulationData(
                units=UNITS, dt=step / 1000, system=system_data(model),
                ensemble=validation.data.EnsembleData("NVE", natoms=model.system.getNumParticles(), volume=1, energy=0),
                observables=validation.data.ObservableData(
                    kinetic_energy=kinetic, potential_energy=potential, total_energy=kinetic + potential,
                    constant_of_motion=kinetic + potential,
                ),
            )
        )  # fmt: skip
        print(step, "fs: fluctuation", (kinetic + potential).std(), "kJ/mol")
    assert validation.integrator.convergence(runs, verbose=True) < 0.25


@pytest.mark.slow
def test_energy_is_equally_shared_among_translation_rotation_and_bending(tmp_path):
    settings = replace(METHANOL, ensemble="NVT", friction_per_ps=5.0)
    engine = started(packed_methanol(tmp_path, 100), settings, 5)
    engine.integrator.step(5000)
    positions, velocities, kinetic = [], [], []
    for _ in range(400):
        engine.integrator.step(50)
        state = engine.context.getState(positions=True, velocities=True, energy=True)
        positions.append(state.getPositions(asNumpy=True)._value)
        velocities.append(state.getVelocities(asNumpy=True)._value)
        kinetic.append(state.getKineticEnergy()._value)
    kinetic = np.array(kinetic)
    data = validation.data.SimulationData(
        units=UNITS, dt=0.2, system=system_data(engine.model),
        ensemble=validation.data.EnsembleData("NVT", natoms=300, volume=1.0, temperature=298.15),
        observables=validation.data.ObservableData(kinetic_energy=kinetic, potential_energy=kinetic, volume=kinetic,
                                                   total_energy=kinetic),
        trajectory=validation.data.TrajectoryData(np.array(positions), np.array(velocities)),
    )  # fmt: skip
    found = validation.kinetic_energy.equipartition(data, verbosity=2, bootstrap_seed=1)
    assert np.abs(np.array(found)).max() < 3.5


@pytest.fixture(scope="module")
def liquids(tmp_path_factory):
    """Return a function (ensemble, temperature, pressure) -> data of 100 methanol; every state is run once."""
    folder, done = tmp_path_factory.mktemp("ensembles"), {}
    box = packed_methanol(folder, 100)

    def data(ensemble, temperature_K, pressure_bar=1.0):
        key = (ensemble, temperature_K, pressure_bar)
        if key not in done:
            settings = replace(METHANOL, ensemble=ensemble, temperature_K=temperature_K, pressure_bar=pressure_bar)
            files = Outputs(*(folder / f"{len(done)}.{kind}" for kind in ("parquet", "xtc", "json", "pdb")))
            execution = Execution(folder / "checkpoint", platform="CPU")
            simulate(box, files, settings, system="it", replica=0, seed=11 + len(done), execution=execution)
            done[key] = simulation_data(model_of(box, settings), settings, pd.read_parquet(files.timeseries))
        return done[key]

    return data


def slope_of_log_ratio(one, two):
    """Return estimate, standard error and exact value of the slope of ln(p_2/p_1) in U (or U + pV, or V).

    Maximum likelihood: the chance that a sample comes from the second run is logistic in its energy with this slope
    (Shirts, J. Chem. Theory Comput. 9, 909 (2013)); it needs no histogram, and so little overlap of the two.
    """
    kT = [GAS_CONSTANT_KJ_MOL_K * data.ensemble.temperature for data in (one, two)]
    pressures = [data.ensemble.pressure or 0.0 for data in (one, two)]
    pV_kJ_mol = 0.0602214076  # bar nm3
    if kT[0] == kT[1]:
        exact = -(pressures[1] - pressures[0]) * pV_kJ_mol / kT[0]
        values = [data.observables.volume for data in (one, two)]
    else:
        exact = 1 / kT[0] - 1 / kT[1]
        values = [
            data.observables.potential_energy + pressure * pV_kJ_mol * data.observables.volume
            for data, pressure in zip((one, two), pressures, strict=True)
        ]
    x = np.concatenate(values)
    weight = np.concatenate([np.full(len(v), 1 / statistical_inefficiency(v)) for v in values])
    second = np.repeat([0.0, 1.0], [len(v) for v in values])
    centre, scale = x.mean(), x.std()
    design = np.column_stack([np.ones(len(x)), (x - centre) / scale])
    parameters = np.zeros(2)
    for _ in range(50):  # Newton's method for a concave likelihood
        chance = 1 / (1 + np.exp(-design @ parameters))
        information = (design * (weight * chance * (1 - chance))[:, None]).T @ design
        parameters += np.linalg.solve(information, design.T @ (weight * (second - chance)))
    error = np.sqrt(np.linalg.inv(information)[1, 1])
    return parameters[1] / scale, error / scale, exact


@pytest.mark.slow
@pytest.mark.parametrize(
    ("first", "second"),
    [
        (("NVT", 285.0), ("NVT", 310.0)),
        (("NPT", 285.0), ("NPT", 310.0)),
        (("NPT", 285.0, 1.0), ("NPT", 285.0, 400.0)),
    ],
)
def test_two_states_have_the_ratio_of_boltzmann_weights(liquids, first, second):
    one, two = liquids(*first), liquids(*second)
    estimate, error, exact = slope_of_log_ratio(one, two)
    print(first, second, f"slope {estimate:.5g} +- {error:.2g}, exact {exact:.5g}")
    assert error < 0.5 * abs(exact)
    assert estimate == pytest.approx(exact, abs=3.5 * error)


@pytest.mark.slow
def test_two_pressures_pass_the_ensemble_check_of_physical_validation(liquids):
    data = liquids("NPT", 285.0, 1.0), liquids("NPT", 285.0, 400.0)
    found = validation.ensemble.check(*data, verbosity=2, bootstrap_seed=1)
    assert np.abs(found).max() < 3.5


@pytest.mark.slow
@pytest.mark.parametrize("state", [("NVT", 285.0), ("NPT", 310.0)])
def test_kinetic_energies_of_a_liquid_are_distributed_rightly(liquids, state):
    found = validation.kinetic_energy.distribution(liquids(*state), verbosity=2, bootstrap_seed=1)
    print(state, "standard errors off:", found)
    assert np.abs(found).max() < 3.5
