"""Observables of one liquid or electrolyte run, each with a standard error from decorrelated samples."""

import logging
import math
from collections.abc import Mapping
from dataclasses import astuple
from pathlib import Path
from typing import Any

import numpy as np

from moxie.constants import BAR_NM3_IN_KJ_MOL, GAS_CONSTANT_KJ_MOL_K
from moxie.errors import InputError
from moxie.features.association import NAMES, AssociationCounter
from moxie.features.dihedrals import TORSIONS, DihedralCounter, Distribution
from moxie.features.hydrogen_bonds import ACCEPTORS, DONORS, HydrogenBondCounter
from moxie.features.pooling import MOMENTS
from moxie.features.rdf import PairCounter, Structure, analyse_structure
from moxie.features.schemas import DIHEDRALS, RDF, Table
from moxie.features.schemas.liquids import NEIGHBOURS
from moxie.features.site_search import (
    central_elements,
    coordinating_label,
    find_sites,
    find_tuples,
    ions,
    molecule_of_sites,
    solvents,
)
from moxie.features.state_grid import columns_from_grid
from moxie.io import read_json
from moxie.reference.registry import system_key
from moxie.structures.molecules import formal_charge, parse_smiles
from moxie.thermodynamics import (
    Moments,
    configurational_heat_capacity_J_mol_K,
    dielectric_constant,
    enthalpy_kJ_mol,
    heat_capacity_J_mol_K,
    isothermal_compressibility_per_GPa,
    residual_heat_capacity_J_mol_K,
    thermal_expansion_per_K,
)
from moxie.timeseries import NO_MEAN, Mean, detect_equilibration, mean_of
from moxie.trajectories import Frames

_FEW_INDEPENDENT = 10.0
_ION_KINDS = (("cation", 1), ("anion", -1))
_LONGEST_RANGE_A = 10.0
_NOTED_TEMPERATURE_SHARE, _LARGEST_TEMPERATURE_SHARE = 0.02, 0.05


def kind_of(composition: Mapping[str, int], smiles: Mapping[str, str]) -> str:
    """Return the table a system belongs to: electrolytes with cations and anions, liquids otherwise."""
    charges = [formal_charge(parse_smiles(smiles[name], name)) for name in composition]
    return "electrolytes" if min(charges) < 0 < max(charges) else "liquids"


def analyse(
    timeseries: str | Path,
    trajectory: str | Path,
    run: str | Path,
    gas: str | Path | None = None,
    log: logging.Logger | None = None,
) -> tuple[Any, Any, Any]:
    """Return the observables (one row), radial distribution functions and dihedral distributions of one run.

    `gas` is the time series of the isolated molecule at the same temperature, for the enthalpy of vaporisation of a
    one-component liquid. The DataFrames have the columns of the tables liquids or electrolytes, `rdf` and `dihedrals`
    (empty where no molecule has such an angle). The stationary part begins at the configured
    equilibration or later, where density and potential energy say so. Raises InputError for
    files that do not belong together, and for a run whose kinetic temperature is not that of its state point.
    """
    import pandas as pd

    log = log or logging.getLogger(__name__)
    facts = read_json(run)
    settings = facts["settings"]
    series = pd.read_parquet(timeseries)
    kind = kind_of(
        {row["name"]: row["count"] for row in facts["components"]},
        {row["name"]: row["smiles"] for row in facts["components"]},
    )
    composition = system_key([(row["smiles"], row["count"]) for row in facts["components"]])
    start, independent = _stationary_part(series, settings, facts, log)
    time_ps = series["time_ps"].to_numpy()
    stationary = series.iloc[start:]
    _check_temperature(stationary["temperature_K"].to_numpy(), settings["temperature_K"], facts["system"], log)
    row = {
        "system": facts["system"], "force_field": facts["force_field"],
        "force_field_sha256": facts["force_field_sha256"],
        "force_field_penalty": number if (number := facts.get("force_field_penalty")) is not None else math.nan,
        "composition": composition,
        "temperature_K": settings["temperature_K"],
        "pressure_bar": settings["pressure_bar"], "replica": facts["replica"], "ensemble": settings["ensemble"],
        "n_molecules": facts["n_molecules"], "n_sites": facts["n_sites"], "platform": facts["platform"],
        "precision": facts["precision"], "timestep_fs": settings["timestep_fs"], "sampled_ps": float(time_ps[-1]),
        "equilibration_ps": float(time_ps[start - 1]) if start else 0.0,
    }  # fmt: skip
    energy = mean_of(stationary["potential_energy_kJ_mol"].to_numpy() / facts["n_molecules"])
    means = {
        "density_g_cm3": _density(stationary["density_g_cm3"].to_numpy(), settings["ensemble"]),
        "potential_energy_kJ_mol": energy,
    }
    frames = Frames(
        trajectory, facts["n_sites"], float(time_ps[start]), float(time_ps[-1]), settings["frame_interval_ps"]
    )
    range_A = min(_LONGEST_RANGE_A, 5 * float(stationary["volume_nm3"].min()) ** (1 / 3))
    if kind == "liquids":
        gas_kJ_mol = _gas_energies(facts, gas)
        pressed = settings["pressure_bar"] * BAR_NM3_IN_KJ_MOL * float(stationary["volume_nm3"].mean())
        means["enthalpy_of_vaporisation_kJ_mol"] = _vaporisation(
            settings["temperature_K"],
            energy,
            gas_kJ_mol,
            pressed / facts["n_molecules"] * (settings["ensemble"] == "NPT"),
        )
        means |= _responses(stationary, facts, gas_kJ_mol)
        structures, counted, torsions = _liquid_structure(facts, frames, range_A)
        means |= counted | _liquid_means(structures.get("O-O"))
    else:
        structures, together, torsions = _electrolyte_structure(facts, frames, range_A)
        means |= _electrolyte_means(*together) | _association(facts, frames, together[1])
        row |= {f"{kind}s": " + ".join(ions(facts["components"], sign).values()) for kind, sign in _ION_KINDS}
    for name, mean in means.items():
        row |= mean.as_columns(name)
    if kind == "liquids":
        row |= dict.fromkeys(columns_from_grid(), math.nan) | _moments(stationary, settings, facts["n_molecules"])
    log.info(
        "%s %g K: %.1f of %.1f ps used, %.0f independent samples, %.4f(%.0f) g/cm3",
        facts["system"], settings["temperature_K"], time_ps[-1] - row["equilibration_ps"], time_ps[-1], independent,
        row["density_g_cm3"], 1e4 * row["density_g_cm3_standard_error"],
    )  # fmt: skip
    return pd.DataFrame([row]), _curves(structures), _dihedrals(torsions)


def _stationary_part(
    series: Any, settings: dict[str, Any], facts: dict[str, Any], log: logging.Logger
) -> tuple[int, float]:
    columns = ["potential_energy_kJ_mol"] + ["density_g_cm3"] * (settings["ensemble"] == "NPT")
    at_least = int((series["time_ps"] <= settings["equilibration_ps"] + 1e-9).sum())
    start, independent = detect_equilibration({name: series[name].to_numpy() for name in columns}, at_least)
    if independent < _FEW_INDEPENDENT:
        log.warning(
            "%s at %g K: only %.1f independent samples are left after equilibration; treat its means and errors with"
            " caution, or sample for longer (sampling_ps is %g)",
            facts["system"], settings["temperature_K"], independent, settings["sampling_ps"],
        )  # fmt: skip
    return start, independent


def _check_temperature(series_K: np.ndarray, wanted_K: float, system: str, log: logging.Logger) -> None:
    """Say or refuse that the mean kinetic temperature is not the one of the state point.

    A time step of 4 fs makes it 0.4 % too high, without harm to positions.
    """
    found = mean_of(series_K)
    off_K = abs(found.value - wanted_K)
    if off_K > max(_LARGEST_TEMPERATURE_SHARE * wanted_K, 5 * found.standard_error):
        raise InputError(
            f"{system}: the run's mean temperature is {found.value:.1f}({found.standard_error:.1f}) K where"
            f" {wanted_K:g} K was asked for. Use a longer equilibration_ps, a higher dynamics.protocol.friction_per_ps"
            " or a shorter timestep_fs."
        )
    if off_K > max(_NOTED_TEMPERATURE_SHARE * wanted_K, 3 * found.standard_error):
        log.warning(
            "%s: the run's mean temperature is %.1f(%.1f) K where %g K was asked for",
            system, found.value, found.standard_error, wanted_K,
        )  # fmt: skip


def _density(series: np.ndarray, ensemble: str) -> Mean:
    """Return the mean density; under NVT it is given, and exact."""
    return mean_of(series) if ensemble == "NPT" else Mean(float(series.mean()), 0.0, math.nan)


def _gas_energies(facts: dict[str, Any], gas: str | Path | None) -> np.ndarray | None:
    import pandas as pd

    if gas is None or len(facts["components"]) != 1:
        return None
    return pd.read_parquet(gas, columns=["potential_energy_kJ_mol"])["potential_energy_kJ_mol"].to_numpy()


def _vaporisation(temperature_K: float, liquid: Mean, gas_kJ_mol: np.ndarray | None, pressed_kJ_mol: float) -> Mean:
    """Return the enthalpy of the ideal gas less that of the liquid, <U_gas> + RT - <U_liquid>/N - pV/N, in kJ/mol.

    Of a box of given volume only a label says the pressure, and pV/N is left out.
    """
    if gas_kJ_mol is None:
        return NO_MEAN
    isolated = mean_of(gas_kJ_mol)
    value = isolated.value + GAS_CONSTANT_KJ_MOL_K * temperature_K - liquid.value - pressed_kJ_mol
    error = math.hypot(isolated.standard_error, liquid.standard_error)
    return Mean(value, error, min(isolated.n_independent, liquid.n_independent))


def _responses(stationary: Any, facts: dict[str, Any], gas_kJ_mol: np.ndarray | None) -> dict[str, Mean]:
    """Return what fluctuations of energy, volume and dipole moment give; under NVT only the dielectric constant."""
    settings, count = facts["settings"], facts["n_molecules"]
    temperature = settings["temperature_K"]
    volume = stationary["volume_nm3"].to_numpy()
    dipole = stationary[[f"dipole_{axis}_e_nm" for axis in "xyz"]].to_numpy()
    means = {"dielectric_constant": dielectric_constant(dipole, volume, temperature)}
    names = (
        "enthalpy_kJ_mol", "isothermal_compressibility_per_GPa", "thermal_expansion_per_K", "heat_capacity_J_mol_K",
        "residual_heat_capacity_J_mol_K",
    )  # fmt: skip
    if settings["ensemble"] != "NPT":
        return means | dict.fromkeys(names, NO_MEAN)
    freedom = facts["degrees_of_freedom"] / count
    enthalpy = enthalpy_kJ_mol(stationary["potential_energy_kJ_mol"].to_numpy(), volume, settings["pressure_bar"])
    configurational = configurational_heat_capacity_J_mol_K(enthalpy, temperature, count)
    return means | dict(zip(names, (
        mean_of(enthalpy / count + freedom / 2 * GAS_CONSTANT_KJ_MOL_K * temperature),
        isothermal_compressibility_per_GPa(volume, temperature),
        thermal_expansion_per_K(volume, enthalpy, temperature),
        heat_capacity_J_mol_K(configurational, freedom),
        residual_heat_capacity_J_mol_K(configurational, gas_kJ_mol, temperature),
    ), strict=True))  # fmt: skip


def _moments(stationary: Any, settings: dict[str, Any], count: int) -> dict[str, float]:
    """Return what replicas are pooled by; empty under NVT."""
    names = (*MOMENTS, "configurational_heat_capacity_J_mol_K")
    if settings["ensemble"] != "NPT":
        return dict.fromkeys(names, math.nan)
    volume = stationary["volume_nm3"].to_numpy()
    energy = stationary["potential_energy_kJ_mol"].to_numpy()
    enthalpy = enthalpy_kJ_mol(energy, volume, settings["pressure_bar"])
    configurational = configurational_heat_capacity_J_mol_K(enthalpy, settings["temperature_K"], count)
    return dict(zip(names, (*astuple(Moments.of(volume, enthalpy)), configurational.value), strict=True))


def _liquid_structure(
    facts: dict[str, Any], frames: Frames, range_A: float
) -> tuple[dict[str, Structure | None], dict[str, Mean], dict[str, Distribution]]:
    """Go through the frames once; return the structure, means, and distributions of dihedral angles by kind.

    The structure is that of the hydroxyl O, or of the molecules' central atoms where there are none.
    """
    components = facts["components"]
    label, pairs = "O-O", _pair_counter(components, "hydroxyl_oxygen", "hydroxyl_oxygen", range_A)
    if pairs is None:
        label, pairs = _centres_label(components), _pair_counter(components, "centre", "centre", range_A)
    donors, acceptors = find_tuples(components, DONORS), find_tuples(components, ACCEPTORS)[:, 0]
    bonds = HydrogenBondCounter(donors, acceptors, molecule_of_sites(components)) if len(donors) else None
    counters = _torsion_counters(components)
    _count(frames, pairs, bonds, *counters.values())
    means = dict.fromkeys(("hydrogen_bonds_per_molecule", *(f"{name}_trans_fraction" for name in TORSIONS)), NO_MEAN)
    if bonds is not None and bonds.counts:
        means["hydrogen_bonds_per_molecule"] = mean_of(np.array(bonds.counts) / facts["n_molecules"])
    torsions = _torsions(counters)
    means |= {f"{name}_trans_fraction": torsions[name].trans_fraction for name in TORSIONS if name in torsions}
    return {label: _structure(pairs)}, means, torsions


def _centres_label(components: list[dict[str, Any]]) -> str:
    elements = central_elements(components)
    centre = elements.pop() if len(elements) == 1 else "centre"
    return f"{centre}-{centre}" if centre != "O" else "O(centre)-O(centre)"


def _torsion_counters(components: list[dict[str, Any]]) -> dict[str, DihedralCounter]:
    """Return a counter for each kind of dihedral angle; where several components have it, for each of these too.

    The kind of one component is called by both names: "backbone (glycol)".
    """
    molecules = molecule_of_sites(components)

    def counter(sites: np.ndarray) -> DihedralCounter:
        return DihedralCounter(sites, molecules[sites[:, 1]])

    counters = {}
    for name, torsion in TORSIONS.items():
        of_component = {
            component["name"]: find_tuples(components, torsion.smarts, component["name"]) for component in components
        }
        found = {component: sites for component, sites in of_component.items() if len(sites)}
        if found:
            counters[name] = counter(np.concatenate(list(found.values())))
        if len(found) > 1:
            counters |= {f"{name} ({component})": counter(sites) for component, sites in found.items()}
    return counters


def _torsions(counters: Mapping[str, DihedralCounter]) -> dict[str, Distribution]:
    return {name: found for name, counter in counters.items() if (found := counter.result()) is not None}


def _electrolyte_structure(
    facts: dict[str, Any], frames: Frames, range_A: float
) -> tuple[dict[str, Structure | None], list[Structure | None], dict[str, Distribution]]:
    """Go through the frames once; return the structure of each pair of ions and of ions and solvents, that around
    all cations together (water, anions), and the distributions of dihedral angles by kind."""
    components, ranks = facts["components"], len(NEIGHBOURS)
    cations = ions(components, 1)
    pairs: dict[str, PairCounter | None] = {}
    for name, label in cations.items():
        pairs[f"{label}-Ow"] = _pair_counter(components, "cation", "water_oxygen", range_A, ranks, name)
        for solvent in solvents(components):
            pairs[f"{label}-{coordinating_label(solvent)}"] = _pair_counter(
                components, "cation", "solvent", range_A, ranks, name, solvent["name"]
            )
        for anion in (component for component in components if component["name"] in ions(components, -1)):
            pairs[f"{label}-{coordinating_label(anion)}"] = _pair_counter(
                components, "cation", "anion", range_A, ranks, name, anion["name"]
            )
    together = [_pair_counter(components, "cation", role, range_A, ranks) for role in ("water_oxygen", "anion")]
    counters = _torsion_counters(components)
    _count(frames, *pairs.values(), *together, *counters.values())
    found = {label: _structure(counter) for label, counter in pairs.items()}
    return found, [_structure(counter) for counter in together], _torsions(counters)


def _association(facts: dict[str, Any], frames: Frames, anion: Structure | None) -> dict[str, Mean]:
    """Return how ions associate, from a second pass: the cut-off is a result of the first."""
    if anion is None or not math.isfinite(anion.minimum_A.value):
        return dict.fromkeys(NAMES, NO_MEAN)
    components = facts["components"]
    cations, anions = find_sites(components, "cation"), find_sites(components, "anion")
    counter = AssociationCounter(cations, anions, molecule_of_sites(components), anion.minimum_A.value)
    _count(frames, counter)
    return counter.means(facts["settings"]["frame_interval_ps"])


def _pair_counter(
    components: list[dict[str, Any]],
    first: str,
    second: str,
    range_A: float,
    n_ranks: int = 1,
    only_first: str | None = None,
    only_second: str | None = None,
) -> PairCounter | None:
    reference, neighbours = find_sites(components, first, only_first), find_sites(components, second, only_second)
    if len(reference) == 0 or len(neighbours) < 2:
        return None
    return PairCounter(reference, neighbours, range_A, n_ranks, molecule_of_sites(components))


def _count(
    frames: Frames, *counters: PairCounter | HydrogenBondCounter | DihedralCounter | AssociationCounter | None
) -> None:
    present = [counter for counter in counters if counter is not None]
    if present:
        for positions, box in frames:
            for counter in present:
                counter.add(positions, box)


def _structure(pairs: PairCounter | None) -> Structure | None:
    counts = None if pairs is None else pairs.result()
    return None if counts is None or len(counts.counts) == 0 else analyse_structure(counts)


def _liquid_means(structure: Structure | None) -> dict[str, Mean]:
    names = ("rdf_oo_peak_position_A", "rdf_oo_peak_height", "rdf_oo_first_minimum_A", "coordination_oo")
    if structure is None:
        return dict.fromkeys(names, NO_MEAN)
    means = (structure.peak_A, structure.height, structure.minimum_A, structure.coordination)
    return dict(zip(names, means, strict=True))


def _electrolyte_means(water: Structure | None, anion: Structure | None) -> dict[str, Mean]:
    """Return the means of the neighbours of all cations together."""
    means: dict[str, Mean] = {}
    for stem, structure in (("cation_water", water), ("cation_anion", anion)):
        shares = [NO_MEAN] * len(NEIGHBOURS) if structure is None else structure.neighbour_shares
        means |= {f"{stem}_{n}_fraction": share for n, share in zip(NEIGHBOURS, shares, strict=True)}
        means[f"{stem}_peak_A"] = NO_MEAN if structure is None else structure.peak_A
        means[f"{stem}_coordination"] = NO_MEAN if structure is None else structure.coordination
    means["cation_water_peak_height"] = NO_MEAN if water is None else water.height
    means["cation_contact_fraction"] = NO_MEAN if anion is None else anion.contact_fraction
    return means


def _curves(structures: Mapping[str, Structure | None]) -> Any:
    import pandas as pd

    columns = ("r_A", "g", "g_standard_error", "running_coordination", "running_coordination_standard_error")
    counts = ("g_n_independent", "running_coordination_n_independent")
    parts = [
        pd.DataFrame({name: getattr(structure, name) for name in columns}).assign(
            pair=pair, **dict.fromkeys(counts, structure.n_independent)
        )
        for pair, structure in structures.items()
        if structure is not None
    ]
    return pd.concat(parts, ignore_index=True) if parts else _empty(RDF)


def _dihedrals(torsions: Mapping[str, Distribution]) -> Any:
    import pandas as pd

    parts = [torsion.as_frame().assign(torsion=name) for name, torsion in torsions.items()]
    return pd.concat(parts, ignore_index=True) if parts else _empty(DIHEDRALS)


def _empty(table: Table) -> Any:
    import pandas as pd

    return pd.DataFrame({column.name: pd.Series(dtype=column.dtype) for column in table.columns})
