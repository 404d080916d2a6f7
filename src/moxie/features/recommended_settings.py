"""Which settings describe the real system: a recommendation from the table of a study of settings, by a stated rule.

A setting qualifies if it cannot be told from the safest one of its series: the shortest time step with the lightest
hydrogen, the largest box, the longest cut-off. Densities must differ by at most two combined standard errors *and* by
at most a given percentage; with time steps the kinetic temperature likewise, the configurational temperature by at most
two standard errors, and the energy may not drift by more than a bound and two standard errors. Asking for both of a
difference errs on the safe side: a short study recommends little.
"""

import math
from collections.abc import Mapping
from typing import Any

from moxie.errors import InputError

SERIES = ("timestep", "molecules", "cutoff")
_KEYS = ("timestep_fs", "hydrogen_mass_amu", "n_molecules", "cutoff_nm")
_SIGMAS = 2.0


def recommend(
    table: Any, base: Mapping[str, Any], largest_difference_percent: float, largest_drift_kJ_mol_ns: float
) -> dict[str, Any]:
    """Return the recommended settings with their evidence.

    table: data frame `settings_study`. base: the settings of the system, with the keys timestep_fs, hydrogen_mass_amu
    (None: true masses), n_molecules and cutoff_nm. The result has for each series that was varied the `recommended` row
    (None if nothing qualifies), the `reference` row, what was `rejected` and why, and the `resolution_percent` that two
    standard errors of the density allow; a `sentence`; the system and the variant of its force field. Raises
    InputError if `base` is not in the table.
    """
    rows = plain_rows(table)
    if not any(all(row[key] == base[key] for key in _KEYS) for row in rows):
        raise InputError(f"The table of settings has no row for the system's own settings {dict(base)}.")
    bounds = {"difference_percent": largest_difference_percent, "drift_kJ_mol_ns": largest_drift_kJ_mol_ns}
    found = {}
    for series in SERIES:
        members = members_of(series, rows, base)
        if len(members) > 1:
            found[series] = _judge(members, series, largest_difference_percent, largest_drift_kJ_mol_ns)
    sentence = " ".join(_sentence(series, result, bounds) for series, result in found.items())
    of_system = {name: rows[0][name] for name in ("system", "force_field", "force_field_sha256")}
    return {**of_system, "base": dict(base), "bounds": bounds, "series": found, "sentence": sentence}


def plain_rows(table: Any) -> list[dict[str, Any]]:
    """Return the rows of the table, with None for a hydrogen mass that was not changed."""
    rows = table.to_dict("records")
    return [row | {"hydrogen_mass_amu": _number(row["hydrogen_mass_amu"])} for row in rows]


def members_of(series: str, rows: list[dict[str, Any]], base: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the rows of a series, the safest first: time steps and hydrogen masses, sizes, or cut-offs."""
    largest = max(row["n_molecules"] for row in rows)
    fixed = {
        "timestep": {"n_molecules": base["n_molecules"], "cutoff_nm": base["cutoff_nm"]},
        "molecules": {key: base[key] for key in ("timestep_fs", "hydrogen_mass_amu", "cutoff_nm")},
        "cutoff": {key: base[key] for key in ("timestep_fs", "hydrogen_mass_amu")} | {"n_molecules": largest},
    }[series]
    chosen = [row for row in rows if all(row[key] == value for key, value in fixed.items())]
    return sorted(chosen, key=lambda row: _caution(row, series))


def _caution(row: Mapping[str, Any], series: str) -> tuple[float, float]:
    if series == "timestep":
        return row["timestep_fs"], row["hydrogen_mass_amu"] or 0.0
    return -row["n_molecules" if series == "molecules" else "cutoff_nm"], 0.0


def _judge(members: list[dict[str, Any]], series: str, percent: float, drift: float) -> dict[str, Any]:
    reference, qualified, rejected = members[0], [], []
    for row in members:
        reasons = _objections(row, reference, series, percent, drift)
        if reasons:
            rejected.append(_evidence(row) | {"reasons": reasons})
        else:
            qualified.append(row)

    def saving(row: Mapping[str, Any]) -> tuple[float, float]:  # of one time step the lightest hydrogen
        step, mass = _caution(row, series)
        return step, -mass

    best = max(qualified, key=saving, default=None)
    errors = [row["density_g_cm3_standard_error"] for row in (reference, best or reference)]
    resolution = 100 * _SIGMAS * math.hypot(*errors) / reference["density_g_cm3"]
    return {
        "recommended": _evidence(best) if best else None,
        "reference": _evidence(reference),
        "rejected": rejected,
        "resolution_percent": resolution if math.isfinite(resolution) else None,
    }


def _objections(
    row: Mapping[str, Any], reference: Mapping[str, Any], series: str, percent: float, drift: float
) -> list[str]:
    """Return what speaks against a row; nothing if it qualifies."""
    if row["failure"]:
        return ["the run blew up"]
    if reference["failure"]:
        return ["there is nothing to compare with"]
    reasons = []
    quantities = {"density": ("density_g_cm3", percent)}
    if series == "timestep":
        quantities["kinetic temperature"] = ("kinetic_temperature_K", percent)
        quantities["configurational temperature"] = ("configurational_temperature_K", math.inf)
        excess = abs(row["energy_drift_kJ_mol_ns"]) - _SIGMAS * row["energy_drift_kJ_mol_ns_standard_error"]
        if not excess <= drift:
            reasons.append(f"energy drift {row['energy_drift_kJ_mol_ns']:+.2g} kJ/mol/ns per degree of freedom")
    for name, (column, most_percent) in quantities.items():
        difference = row[column] - reference[column]
        error = math.hypot(row[f"{column}_standard_error"], reference[f"{column}_standard_error"])
        if not math.isfinite(error):
            reasons.append(f"{name} without a standard error")
        elif abs(difference) > min(_SIGMAS * error, most_percent / 100 * reference[column]):
            to_percent = 100 / reference[column]
            reasons.append(f"{name} off by {to_percent * difference:+.2g} %, standard error {to_percent * error:.2g} %")
    return reasons


def _evidence(row: Mapping[str, Any]) -> dict[str, Any]:
    columns = ("density_g_cm3", "kinetic_temperature_K", "configurational_temperature_K", "energy_drift_kJ_mol_ns")
    with_errors = [name for column in columns for name in (column, f"{column}_standard_error")]
    return {name: _number(row[name]) for name in (*_KEYS, *with_errors, "ns_per_day")}


def _number(value: Any) -> Any:
    return None if value is None or math.isnan(value) else value


def _sentence(series: str, result: Mapping[str, Any], bounds: Mapping[str, float]) -> str:
    reference, best = result["reference"], result["recommended"]
    rule = f"two standard errors and {bounds['difference_percent']:g} %"
    if best is None:
        reasons = "; ".join(result["rejected"][0]["reasons"])
        return f"No {_NAMES[series]} can be recommended: at {_words(series, reference)}, {reasons}."
    resolution = result["resolution_percent"]
    short = "" if resolution <= bounds["difference_percent"] else (
        f" The study can tell densities apart by {resolution:.1g} % only; sample for longer before relying on it."
    )  # fmt: skip
    if all(best[key] == reference[key] for key in _KEYS):
        text = f"No {_NAMES[series]} cheaper than {_words(series, reference)} agrees with it within {rule}."
    else:
        text = (
            f"Recommended: {_words(series, best)}, the cheapest {_NAMES[series]} that agrees with"
            f" {_words(series, reference)} within {rule}, at {best['ns_per_day']:.3g} instead of"
            f" {reference['ns_per_day']:.3g} ns/day."
        )
    return text + short


_NAMES = {"timestep": "time step", "molecules": "box", "cutoff": "cut-off"}


def _words(series: str, row: Mapping[str, Any]) -> str:
    if series == "molecules":
        return f"{row['n_molecules']} molecules"
    if series == "cutoff":
        return f"a cut-off of {row['cutoff_nm']:g} nm"
    mass = row["hydrogen_mass_amu"]
    return f"{row['timestep_fs']:g} fs with " + ("true masses" if mass is None else f"hydrogens of {mass:g} amu")
