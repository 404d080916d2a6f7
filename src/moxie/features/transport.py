"""Transport coefficients of one state point from its legs at constant energy: viscosity, conductivity, diffusion."""

import logging
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from moxie.errors import InputError
from moxie.features.conductivity import ionic_conductivity, ionicity, nernst_einstein_conductivity
from moxie.features.diffusion import Diffusion, finite_size_corrected, self_diffusion, unwrapped, without_drift
from moxie.features.onsager import (
    in_solvent_frame,
    mol2_per_J_m_s,
    nernst_einstein_transference,
    onsager_coefficients,
    transference_numbers,
)
from moxie.features.viscosity import Viscosity, shear_viscosity
from moxie.io import read_json
from moxie.structures.molecules import formal_charge, parse_smiles
from moxie.timeseries import NO_MEAN, Mean
from moxie.trajectories import Frames

MSD, VISCOSITY = "mean squared displacement", "running viscosity"
_CURVE_POINTS = 200
_TEMPERATURE_TOLERANCE = 0.02
_FEWEST_RUNS = 3
_CLASSES = {f"onsager_with_{name}_mol2_J_m_s": sign for name, sign in (("cations", 1), ("anions", -1), ("neutral", 0))}
_SHARES = (
    "transference_number_barycentric", "transference_number_solvent", "nernst_einstein_transference_number",
)  # fmt: skip
_OF_ONSAGER = (*_CLASSES, *_SHARES)


def analyse_transport(
    timeseries: Sequence[str | Path],
    trajectories: Sequence[str | Path],
    runs: Sequence[str | Path],
    log: logging.Logger | None = None,
) -> tuple[Any, Any]:
    """Return the tables `transport` (one row per species) and `transport_curves` of one state point, as DataFrames.

    The three lists hold the files of the same legs in the same order; legs of several replicas count alike. Where the
    series are too short for a viscosity or a conductivity, these and what follows from them are empty, and `remarks`
    and the log say why. Raises InputError for files that do not belong together.
    """
    import pandas as pd

    log = log or logging.getLogger(__name__)
    facts = [read_json(run) for run in runs]
    first = facts[0]
    for run, other in zip(runs, facts, strict=True):
        differing = [key for key in ("components", "transport", "force_field_sha256") if other[key] != first[key]]
        if differing:
            raise InputError(
                f"{run} and {runs[0]} differ in {' and '.join(differing)}: legs of one state point must be alike."
                " Delete the older ones and run again."
            )
    series = [pd.read_parquet(path) for path in timeseries]
    edge_nm = float(np.mean([leg["edge_nm"] for leg in facts]))
    temperature_K = float(np.mean([leg["mean_temperature_K"] for leg in facts]))
    _check_temperature(first, temperature_K, log)
    remarks: list[str] = []
    viscosity = _viscosity(series, facts, temperature_K, remarks, log)
    masses = _masses(first["components"])
    interval_ps = _frame_interval_ps(first)
    paths = [_centre_paths(trajectory, first, masses, interval_ps) for trajectory in trajectories]
    state = {
        "system": first["system"], "force_field": first["force_field"],
        "force_field_sha256": first["force_field_sha256"],
        "temperature_K": first["settings"]["temperature_K"], "pressure_bar": first["settings"]["pressure_bar"],
    }  # fmt: skip
    rows, curves, begin, diffusions = [], [], 0, []
    for component in first["components"]:
        end = begin + component["count"]
        diffusion = self_diffusion([leg[:, begin:end] for leg in paths], interval_ps, [leg["replica"] for leg in facts])
        diffusions.append(diffusion)
        begin = end
        if not diffusion.is_linear:
            remarks.append(
                f"The mean squared displacement of {component['name']} does not become linear within an eighth of a"
                " leg; its diffusion coefficient is an upper bound. Use a longer transport.length_ps."
            )
        rows.append(
            state | _row(component, facts, diffusion, viscosity, temperature_K, edge_nm)
        )  # fmt: skip
        curves.append(_msd_curve(diffusion).assign(species=component["name"], value_n_independent=len(paths)))
        log.info(
            "%s: D = %.4g(%.2g) m2/s in the box%s", component["name"], rows[-1]["diffusion_m2_s"],
            rows[-1]["diffusion_m2_s_standard_error"],
            "" if viscosity is None else f", {rows[-1]['diffusion_corrected_m2_s']:.4g} m2/s corrected",
        )  # fmt: skip
    if viscosity is not None:
        n_components = len(paths) * len(_stress_columns(series[0]))
        curves.append(_viscosity_curve(viscosity).assign(species="all", value_n_independent=n_components))
    replicas = len({leg["replica"] for leg in facts})
    if replicas < _FEWEST_RUNS:
        remarks.append(
            f"All legs of a run have its mean energy and volume; the errors do not contain how much these vary between"
            f" runs ({replicas} here). Use at least {_FEWEST_RUNS} replicas."
        )
    charge = _charge_transport(facts, paths, interval_ps, diffusions, edge_nm**3, temperature_K, remarks, log)
    charge |= _onsager(facts, paths, interval_ps, diffusions, edge_nm**3, temperature_K, remarks, log)
    for remark in remarks:
        log.warning("%s at %g K: %s", first["system"], state["temperature_K"], remark)
    table = pd.DataFrame(rows).assign(**charge, remarks=" ".join(remarks))
    return table, pd.concat(curves, ignore_index=True).assign(**state)


def _row(
    component: dict[str, Any], facts: list[dict[str, Any]], diffusion: Diffusion, viscosity: Viscosity | None,
    temperature_K: float, edge_nm: float,
) -> dict[str, Any]:  # fmt: skip
    corrected = NO_MEAN
    if viscosity is not None:
        corrected = finite_size_corrected(diffusion.coefficient, viscosity.value, temperature_K, edge_nm)
    return {
        "species": component["name"], "smiles": component["smiles"], "n_molecules": component["count"],
        "n_legs": len(facts), "leg_ps": facts[0]["transport"]["length_ps"], "edge_nm": edge_nm,
        "mean_temperature_K": temperature_K, "timestep_fs": facts[0]["transport"]["timestep_fs"],
        "energy_drift_kJ_mol_ns": float(np.mean([leg["energy_drift_kJ_mol_ns_per_degree"] for leg in facts])),
        **diffusion.coefficient.as_columns("diffusion_m2_s"), **corrected.as_columns("diffusion_corrected_m2_s"),
        "diffusion_fit_start_ps": diffusion.start_ps, "diffusion_is_linear": diffusion.is_linear,
        **(NO_MEAN if viscosity is None else viscosity.value).as_columns("viscosity_mPa_s"),
        "stress_correlation_time_ps": math.nan if viscosity is None else viscosity.correlation_time_ps,
    }  # fmt: skip


def _viscosity(
    series: list[Any], facts: list[dict[str, Any]], temperature_K: float, remarks: list[str], log: logging.Logger
) -> Viscosity | None:
    columns = _stress_columns(series[0])
    length = min(len(leg) for leg in series)
    interval_ps = float(series[0]["time_ps"].iloc[1] - series[0]["time_ps"].iloc[0])
    legs = [leg[columns].to_numpy()[:length] for leg in series]
    try:
        volumes_nm3, runs = [leg["edge_nm"] ** 3 for leg in facts], [leg["replica"] for leg in facts]
        viscosity = shear_viscosity(legs, interval_ps, volumes_nm3, temperature_K, runs)
    except InputError as error:
        remarks.append(str(error))
        return None
    if viscosity.disagreement:
        remarks.append(viscosity.disagreement)
    log.info(
        "viscosity %.4g(%.2g) mPa s; correlation time of the stress %.3g ps", viscosity.value.value,
        viscosity.value.standard_error, viscosity.correlation_time_ps,
    )  # fmt: skip
    return viscosity


def _stress_columns(series: Any) -> list[str]:
    return [name for name in series.columns if name.startswith("pressure_")]


def _charge_transport(
    facts: list[dict[str, Any]], paths: list[np.ndarray], interval_ps: float, diffusions: list[Diffusion],
    volume_nm3: float, temperature_K: float, remarks: list[str], log: logging.Logger,
) -> dict[str, Any]:  # fmt: skip
    """Return the columns of the ionic conductivity; empty without ions, or where the paths are too short for it."""
    components = facts[0]["components"]
    counts = [component["count"] for component in components]
    charges = [formal_charge(parse_smiles(component["smiles"], component["name"])) for component in components]
    conductivity = independent = ratio = NO_MEAN
    if any(charges):
        species = [(n, z, found.coefficient) for n, z, found in zip(counts, charges, diffusions, strict=True)]
        independent = nernst_einstein_conductivity(species, volume_nm3, temperature_K)
        try:
            moved = [np.einsum("fia,i->fa", leg, np.repeat(charges, counts)) for leg in paths]
            runs = [leg["replica"] for leg in facts]
            conductivity = ionic_conductivity(moved, interval_ps, volume_nm3, temperature_K, runs)
            ratio = ionicity(conductivity, independent)
            log.info(
                "conductivity %.3g(%.2g) S/m, of independent ions %.3g(%.2g) S/m", conductivity.value,
                conductivity.standard_error, independent.value, independent.standard_error,
            )  # fmt: skip
        except InputError as error:
            remarks.append(str(error))
    columns: dict[str, Mean] = {
        "conductivity_S_m": conductivity, "nernst_einstein_conductivity_S_m": independent, "ionicity": ratio,
    }  # fmt: skip
    return {key: value for name, mean in columns.items() for key, value in mean.as_columns(name).items()}


def _onsager(
    facts: list[dict[str, Any]], paths: list[np.ndarray], interval_ps: float, diffusions: list[Diffusion],
    volume_nm3: float, temperature_K: float, remarks: list[str], log: logging.Logger,
) -> dict[str, list[float]]:  # fmt: skip
    """Return the columns of Onsager coefficients and transference numbers, a value for each species.

    Empty for a pure liquid, whose only current is none, and where the paths are too short.
    """
    components = facts[0]["components"]
    counts = [component["count"] for component in components]
    charges = [formal_charge(parse_smiles(component["smiles"], component["name"])) for component in components]
    columns = {name: [NO_MEAN] * len(components) for name in _OF_ONSAGER}
    try:
        if len(components) > 1:
            firsts = np.concatenate([[0], np.cumsum(counts)[:-1]])
            sums = [np.add.reduceat(leg, firsts, axis=1) for leg in paths]
            found = onsager_coefficients(sums, interval_ps, charges, [leg["replica"] for leg in facts])
            factor, unit = mol2_per_J_m_s(volume_nm3, temperature_K), np.eye(len(components))
            for name, sign in _CLASSES.items():
                others = (np.sign(charges) == sign).astype(float)
                if others.any():
                    products = [found.product(one, others) for one in unit]
                    columns[name] = [
                        Mean(factor * mean.value, factor * mean.standard_error, mean.n_independent) for mean in products
                    ]
            if any(charges):
                in_solvent = [NO_MEAN] * len(components)
                if not all(charges):
                    in_solvent = transference_numbers(in_solvent_frame(found, counts, charges), charges)
                species = [(n, z, each.coefficient) for n, z, each in zip(counts, charges, diffusions, strict=True)]
                shares = (transference_numbers(found, charges), in_solvent, nernst_einstein_transference(species))
                for name, means in zip(_SHARES, shares, strict=True):
                    columns[name] = [mean if z else NO_MEAN for mean, z in zip(means, charges, strict=True)]
                    log.info("%s: %s", name, _listed(components, columns[name]))
    except InputError as error:
        remarks.append(str(error))
    rows = {name: [mean.as_columns(name) for mean in means] for name, means in columns.items()}
    return {key: [row[key] for row in found] for found in rows.values() for key in found[0]}


def _listed(components: list[dict[str, Any]], means: list[Mean]) -> str:
    return ", ".join(
        f"{component['name']} {mean.value:.3g}({mean.standard_error:.2g})"
        for component, mean in zip(components, means, strict=True)
        if math.isfinite(mean.value)
    )


def _check_temperature(facts: dict[str, Any], temperature_K: float, log: logging.Logger) -> None:
    wanted = facts["settings"]["temperature_K"]
    if abs(temperature_K - wanted) > _TEMPERATURE_TOLERANCE * wanted:
        log.warning(
            "%s: the legs have a mean temperature of %.1f K where %g K was wanted; the run they start from is too short"
            " for a good mean energy (sampling_ps)", facts["system"], temperature_K, wanted,
        )  # fmt: skip


def _masses(components: list[dict[str, Any]]) -> np.ndarray:
    """Return the masses of all sites, shape (n_sites,)."""
    return np.concatenate([np.tile(row["site_masses_amu"], row["count"]) for row in components])


def _centre_paths(
    trajectory: str | Path, facts: dict[str, Any], masses: np.ndarray, interval_ps: float
) -> np.ndarray:  # fmt: skip
    """Return the paths of all molecular centres without the drift of the box, nm, (n_frames, n_molecules, 3)."""
    components = facts["components"]
    sizes = np.repeat([len(row["site_masses_amu"]) for row in components], [row["count"] for row in components])
    firsts = np.concatenate([[0], np.cumsum(sizes)[:-1]])
    molecule_masses = np.add.reduceat(masses, firsts)
    centres = []
    for positions_A, box_A in Frames(trajectory, len(masses), 0.0, facts["transport"]["length_ps"], interval_ps):
        weighted = np.add.reduceat(masses[:, None] * positions_A.astype(float), firsts)
        centres.append(weighted / molecule_masses[:, None] / 10)
        edges_nm = box_A[:3].astype(float) / 10
    return without_drift(unwrapped(np.array(centres), edges_nm), molecule_masses)


def _frame_interval_ps(facts: dict[str, Any]) -> float:
    transport = facts["transport"]
    sample_fs = max(1, round(transport["stress_interval_fs"] / transport["timestep_fs"])) * transport["timestep_fs"]
    return max(1, round(1000 * transport["frame_interval_ps"] / sample_fs)) * sample_fs / 1000


def _msd_curve(diffusion: Diffusion) -> Any:
    import pandas as pd

    half = len(diffusion.lags_ps) // 2 + 1
    kept = np.unique(np.geomspace(1, half - 1, _CURVE_POINTS).astype(int))
    lags = diffusion.lags_ps[kept]
    fit = diffusion.intercept_nm2 + diffusion.slope_nm2_ps * lags
    return pd.DataFrame(
        {
            "curve": MSD, "unit": "nm2", "time_ps": lags, "value": diffusion.msd_nm2[kept],
            "value_standard_error": diffusion.msd_standard_error_nm2[kept],
            "fit": np.where(lags >= diffusion.start_ps, fit, np.nan),
        }
    )  # fmt: skip


def _viscosity_curve(viscosity: Viscosity) -> Any:
    import pandas as pd

    return pd.DataFrame(
        {
            "curve": VISCOSITY, "unit": "mPa s", "time_ps": viscosity.times_ps, "value": viscosity.running_mPa_s,
            "value_standard_error": viscosity.running_standard_error_mPa_s, "fit": viscosity.value.value,
        }
    )  # fmt: skip
