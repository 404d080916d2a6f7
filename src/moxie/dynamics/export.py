"""A moxie box for another engine: warmed up as for a run of moxie, then written as LAMMPS files."""

import logging
from pathlib import Path
from typing import Any

import numpy as np

from moxie.dynamics.engine import Engine
from moxie.dynamics.force_fields import load_force_field
from moxie.dynamics.interactions import read_interactions
from moxie.dynamics.lammps_files import Configuration, lammps_files
from moxie.dynamics.platforms import choose_platform
from moxie.dynamics.protocol import RunSettings, check_settings
from moxie.dynamics.simulation import periodic_model, target_edge_nm
from moxie.dynamics.systems import Model, site_positions_nm
from moxie.io import write_text
from moxie.structures.boxes import read_box

FILES = ("system.data", "system.in")


def export(
    box: str | Path,
    folder: str | Path,
    settings: RunSettings,
    *,
    system: str,
    seed: int,
    platform: str = "auto",
    threads: int = 1,
    log: logging.Logger | None = None,
) -> dict[str, str]:
    """Write FILES for a packed box at one state point into a folder, and return their texts.

    The box is relaxed, compressed and warmed up exactly as `moxie.dynamics.simulation.simulate` does with the same
    seed, so that both engines start from the same positions and velocities. Raises InputError for unusable inputs and
    for a force field that LAMMPS could not be given faithfully, such as one with virtual sites.
    """
    log = log or logging.getLogger(__name__)
    packed = read_box(box)
    check_settings(settings, load_force_field(settings.force_field))
    edge_nm = target_edge_nm(packed, settings, system)
    model = periodic_model(packed, settings)
    interactions = read_interactions(model.system)
    positions = site_positions_nm(model, packed)
    engine = Engine(model, settings, choose_platform(model.system, positions, platform, threads, log), seed, 0)
    engine.start(positions, edge_nm, log)
    title = f"{system}, {settings.temperature_K:g} K, {settings.ensemble}, {model.force_field.name}, exported by moxie"
    texts = lammps_files(interactions, configuration(model, engine.context), settings, title, seed)
    for name, text in texts.items():
        write_text(Path(folder) / name, text)
    log.info("%s: %d sites for LAMMPS in %s", system, interactions.n_sites, folder)
    return texts


def configuration(model: Model, context: Any) -> Configuration:
    """Return where the sites of a model are in an OpenMM Context."""
    import openmm

    state = context.getState(positions=True, velocities=True)
    nonbonded = next(force for force in model.system.getForces() if isinstance(force, openmm.NonbondedForce))
    reference = openmm.Platform.getPlatformByName("Reference")  # the CPU platform does not tell
    told = openmm.Context(model.system, openmm.VerletIntegrator(0.001), reference)
    splitting, *mesh = nonbonded.getPMEParametersInContext(told)
    molecule = np.empty(model.system.getNumParticles(), dtype=int)
    for index, sites in enumerate(model.molecules):
        molecule[sites] = index
    return Configuration(
        state.getPositions(asNumpy=True)._value,
        state.getVelocities(asNumpy=True)._value,
        state.getPeriodicBoxVectors(asNumpy=True)._value[0, 0],
        molecule,
        [kind for sites, count in model.components for _ in range(count) for kind in sites.types],
        splitting,
        (mesh[0], mesh[1], mesh[2]),
    )
