"""Observables of one liquid or electrolyte run, each with a standard error from decorrelated samples.

Atoms are found by chemistry, never by name: hydroxyl and water oxygens by SMARTS, cations and anions by formal charge.
"""

import logging
import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from moxie.errors import InputError
from moxie.features.rdf import Structure, analyse_structure, count_pairs
from moxie.features.timeseries import NO_MEAN, Mean, detect_equilibration, mean_of
from moxie.io import read_json
from moxie.reference.registry import system_key
from moxie.structures.molecules import formal_charge, parse_smiles

GAS_CONSTANT_KJ_MOL_K = 0.00831446261815324
_FEW_INDEPENDENT = 10.0
_LONGEST_RANGE_A = 10.0
_PATTERNS = {
    "hydroxyl_oxygen": "[OX2;H1,H2;+0]",
    "water_oxygen": "[OX2H2;+0]",
}


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
) -> tuple[Any, Any]:
    """Return the observables (one row) and the radial distribution functions of one run, as DataFrames.

    `gas` is the time series of the isolated molecule at the same temperature, for the enthalpy of vaporisation of a
    one-component liquid. The columns are those of the tables liquids or electrolytes and of `rdf`. The stationary part
    begins at the configured equilibration or later, where density and potential energy say so. Raises InputError for
    files that do not belong together.
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
    row = {
        "system": facts["system"], "force_field": facts["force_field"],
        "force_field_sha256": facts["force_field_sha256"], "composition": composition,
        "temperature_K": settings["temperature_K"],
        "pressure_bar": settings["pressure_bar"], "replica": facts["replica"], "ensemble": settings["ensemble"],
        "n_molecules": facts["n_molecules"], "n_sites": facts["n_sites"], "platform": facts["platform"],
        "precision": facts["precision"], "timestep_fs": settings["timestep_fs"], "sampled_ps": float(time_ps[-1]),
        "equilibration_ps": float(time_ps[start - 1]) if start else 0.0,
    }  # fmt: skip
    energy = mean_of(stationary["potential_energy_kJ_mol"].to_numpy() / facts["n_molecules"])
    row |= _density(stationary["density_g_cm3"].to_numpy(), settings["ensemble"]).as_columns("density_g_cm3")
    row |= energy.as_columns("potential_energy_kJ_mol")
    begin_ps = float(time_ps[start])
    if kind == "liquids":
        row |= _vaporisation(facts, energy, gas).as_columns("enthalpy_of_vaporisation_kJ_mol")
        structures = {"O-O": _structure(facts, trajectory, begin_ps, "hydroxyl_oxygen", "hydroxyl_oxygen")}
        row |= _liquid_columns(structures["O-O"])
    else:
        structures = {
            "Li-Ow" if _is_lithium(facts) else "cation-Ow": _structure(
                facts, trajectory, begin_ps, "cation", "water_oxygen"
            ),
            "Li-O(anion)" if _is_lithium(facts) else "cation-O(anion)": _structure(
                facts, trajectory, begin_ps, "cation", "anion_oxygen"
            ),
        }
        row |= _electrolyte_columns(*structures.values())
    log.info(
        "%s %g K: %.1f of %.1f ps used, %.0f independent samples, %.4f(%.0f) g/cm3",
        facts["system"], settings["temperature_K"], time_ps[-1] - row["equilibration_ps"], time_ps[-1], independent,
        row["density_g_cm3"], 1e4 * row["density_g_cm3_standard_error"],
    )  # fmt: skip
    return pd.DataFrame([row]), _curves(structures)


def find_sites(components: list[dict[str, Any]], role: str) -> np.ndarray:
    """Return the indices of the sites of one role in a whole box, shape (n,).

    Roles: hydroxyl_oxygen, water_oxygen, cation (atoms with a positive formal charge in a cation), anion_oxygen.
    `components` is the list in run.json: name, smiles, count and site_atoms, the atom behind each site.
    """
    found: list[np.ndarray] = []
    first = 0
    for component in components:
        atoms = _atoms_of_role(component["smiles"], component["name"], role)
        sites = [site for site, atom in enumerate(component["site_atoms"]) if atom in atoms]
        width, count = len(component["site_atoms"]), component["count"]
        found.append((first + width * np.arange(count)[:, None] + np.array(sites, dtype=int)[None, :]).ravel())
        first += width * count
    return np.concatenate(found).astype(int)


def _atoms_of_role(smiles: str, name: str, role: str) -> set[int]:
    from rdkit import Chem

    molecule = parse_smiles(smiles, name)
    if role in _PATTERNS:
        pattern = Chem.MolFromSmarts(_PATTERNS[role])
        return {match[0] for match in molecule.GetSubstructMatches(pattern, maxMatches=10**6)}
    charge = formal_charge(molecule)
    if role == "cation":
        return {a.GetIdx() for a in molecule.GetAtoms() if charge > 0 and a.GetFormalCharge() > 0}
    if role == "anion_oxygen":
        return {a.GetIdx() for a in molecule.GetAtoms() if charge < 0 and a.GetSymbol() == "O"}
    raise InputError(f"Unknown role {role!r}; allowed are cation, anion_oxygen, {', '.join(_PATTERNS)}.")


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


def _density(series: np.ndarray, ensemble: str) -> Mean:
    """Return the mean density; under NVT it is given, and exact."""
    return mean_of(series) if ensemble == "NPT" else Mean(float(series.mean()), 0.0, math.nan)


def _vaporisation(facts: dict[str, Any], liquid: Mean, gas: str | Path | None) -> Mean:
    """Return <U_gas> - <U_liquid>/N + RT, in kJ/mol."""
    import pandas as pd

    if gas is None or len(facts["components"]) != 1:
        return NO_MEAN
    energies = pd.read_parquet(gas, columns=["potential_energy_kJ_mol"])["potential_energy_kJ_mol"].to_numpy()
    isolated = mean_of(energies)
    value = isolated.value - liquid.value + GAS_CONSTANT_KJ_MOL_K * facts["settings"]["temperature_K"]
    error = math.hypot(isolated.standard_error, liquid.standard_error)
    return Mean(value, error, min(isolated.n_independent, liquid.n_independent))


def _structure(
    facts: dict[str, Any], trajectory: str | Path, begin_ps: float, first: str, second: str
) -> Structure | None:
    reference, neighbours = find_sites(facts["components"], first), find_sites(facts["components"], second)
    if len(reference) == 0 or len(neighbours) < 2:
        return None
    frames = _Frames(trajectory, begin_ps, facts["n_sites"])
    range_A = min(_LONGEST_RANGE_A, frames.shortest_edge_A() / 2)
    if range_A == 0.0:
        return None
    return analyse_structure(count_pairs(frames, reference, neighbours, range_A))


class _Frames:
    """Positions and boxes of a trajectory from a time on, one frame at a time, as often as wanted."""

    def __init__(self, trajectory: str | Path, begin_ps: float, n_sites: int):
        self._path, self._begin_ps, self._n_sites = str(trajectory), begin_ps, n_sites

    def __iter__(self) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Yield positions (n_sites, 3) and box edges and angles (6,), in angstrom and degrees."""
        from MDAnalysis.lib.formats.libmdaxdr import XTCFile

        try:
            with XTCFile(self._path) as stream:
                if stream.n_atoms != self._n_sites:
                    raise InputError(f"{self._path} has {stream.n_atoms} sites where run.json says {self._n_sites}.")
                for frame in stream:
                    if frame.time >= self._begin_ps - 1e-3:
                        edges = 10 * np.diag(frame.box)
                        yield 10 * frame.x, np.array([*edges, 90.0, 90.0, 90.0], dtype=np.float32)
        except OSError as error:
            raise InputError(
                f"{self._path} cannot be read ({error}). Delete it and run again to make it anew."
            ) from None

    def shortest_edge_A(self) -> float:
        """Return the shortest box edge of all frames; 0 without frames."""
        return min((float(box[:3].min()) for _, box in self), default=0.0)


def _liquid_columns(structure: Structure | None) -> dict[str, float]:
    means = (NO_MEAN,) * 4
    if structure is not None:
        means = (structure.peak_A, structure.height, structure.minimum_A, structure.coordination)
    names = ("rdf_oo_peak_position_A", "rdf_oo_peak_height", "rdf_oo_first_minimum_A", "coordination_oo")
    return {key: value for name, mean in zip(names, means, strict=True) for key, value in mean.as_columns(name).items()}


def _electrolyte_columns(water: Structure | None, anion: Structure | None) -> dict[str, float]:
    means = {name: NO_MEAN for name in (
        "li_ow_peak_A", "li_ow_peak_height", "li_ow_coordination", "li_oanion_peak_A", "li_oanion_coordination",
        "li_contact_fraction",
    )}  # fmt: skip
    if water is not None:
        means |= {
            "li_ow_peak_A": water.peak_A, "li_ow_peak_height": water.height, "li_ow_coordination": water.coordination,
        }  # fmt: skip
    if anion is not None:
        means |= {
            "li_oanion_peak_A": anion.peak_A, "li_oanion_coordination": anion.coordination,
            "li_contact_fraction": anion.contact_fraction,
        }  # fmt: skip
    return {key: value for name, mean in means.items() for key, value in mean.as_columns(name).items()}


def _curves(structures: Mapping[str, Structure | None]) -> Any:
    import pandas as pd

    columns = ("r_A", "g", "g_standard_error", "running_coordination")
    parts = [
        pd.DataFrame({"pair": pair, **{name: getattr(structure, name) for name in columns}})
        for pair, structure in structures.items()
        if structure is not None
    ]
    empty = pd.DataFrame({"pair": pd.Series(dtype=str), **{name: pd.Series(dtype=float) for name in columns}})
    return pd.concat(parts, ignore_index=True) if parts else empty


def _is_lithium(facts: dict[str, Any]) -> bool:
    return any(component["smiles"] == "[Li+]" for component in facts["components"])
