"""What the figures have in common: colours, names, panels, means over replicas."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from moxie.features.replicas import tabulate_over_replicas

# Okabe and Ito's palette, told apart with any common colour vision deficiency; each also has its own marker.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#333333")
MARKERS = ("o", "s", "^", "D", "v", "P", "X")
STATE_COLOURS = ("#8a8a8a", "#56B4E9", "#009E73", "#E69F00", "#D55E00")  # Si0 to Si4+
STATE_MARKERS = ("o", "^", "s", "D", "v")
OXYGEN_COLOUR = "#7b1fa2"
REFERENCE_COLOUR = "#222222"

VERDICT_COLOURS = {
    "agrees": "#009E73",
    "within": "#56B4E9",
    "deviates": "#D55E00",
    "no verdict": "#9a9a9a",
}
VERDICT_MARKERS = {"agrees": "o", "within": "s", "deviates": "D", "no verdict": "o"}
VERDICT_NAMES = {
    "agrees": "agrees",
    "within": "within the accuracy asked for",
    "deviates": "deviates",
    "no verdict": "no verdict",
}
BESIDE = 0.03  # of the range of an axis: where the values behind a mean stand, for those of two are its bar's ends
_LINEAR_TO_PERCENT = 10.0  # beyond it an axis of deviations is logarithmic

LABELS = {
    "density_g_cm3": "density (g cm$^{-3}$)",
    "enthalpy_of_vaporisation_kJ_mol": "enthalpy of vaporisation (kJ mol$^{-1}$)",
    "thermal_expansion_per_K": "thermal expansion (10$^{-3}$ K$^{-1}$)",
    "isothermal_compressibility_per_GPa": "compressibility (GPa$^{-1}$)",
    "residual_heat_capacity_J_mol_K": "residual heat capacity (J mol$^{-1}$ K$^{-1}$)",
    "dielectric_constant": "dielectric constant",
    "viscosity_mPa_s": "shear viscosity (mPa s)",
    "conductivity_S_m": "ionic conductivity (S/m)",
    "nernst_einstein_conductivity_S_m": "Nernst-Einstein conductivity (S/m)",
    "diffusion_corrected_m2_s": "self-diffusion coefficient (m$^2$ s$^{-1}$)",
    "diffusion_m2_s": "self-diffusion coefficient in the box (m$^2$ s$^{-1}$)",
    "rdf_oo_peak_position_A": "O–O first peak (Å)",
    "coordination_oo": "O–O neighbours",
    "cation_water_peak_A": "cation–O(water) first peak (Å)",
    "cation_water_coordination": "water O around a cation",
    "cation_anion_peak_A": "cation–anion first peak (Å)",
    "cation_anion_coordination": "anions' atoms around a cation",
    "cation_contact_fraction": "cations in contact with an anion",
    "film_density_g_cm3": "oxide density (g cm$^{-3}$)",
    "film_si_o_si_angle_deg": "mean Si–O–Si angle (°)",
    "suboxide_fraction_1": "share of Si$^{1+}$ in suboxide",
    "suboxide_fraction_2": "share of Si$^{2+}$ in suboxide",
    "suboxide_fraction_3": "share of Si$^{3+}$ in suboxide",
    "suboxide_total_per_cm2": "suboxide (cm$^{-2}$)",
    "suboxide_total_monolayers": "suboxide (monolayers)",
    "transition_width_A": "transition width (Å)",
    "oxide_thickness_nm": "oxide thickness (nm)",
    "strain_energy_eV_per_atom": "strain energy (eV per atom)",
    "lateral_stress_GPa": "lateral stress (GPa)",
    "si_o_si_angle_deg": "mean Si–O–Si angle (°)",
    "dipole_D": "dipole moment (D)",
    "dipole_ratio_to_experiment": "dipole moment relative to experiment",
}


def label(quantity: str) -> str:
    """Return the axis label of a quantity, its name in plain words where none is set."""
    return LABELS.get(quantity, quantity.replace("_", " "))


def without_unit(text: str) -> str:
    """Return an axis label without the unit in brackets at its end."""
    return text.rsplit(" (", 1)[0]


def verdict_colour(verdict: str) -> str:
    """Return the colour of a verdict, by how it begins."""
    return next(colour for start, colour in VERDICT_COLOURS.items() if verdict.startswith(start))


def panels(
    rows: int = 1, columns: int = 1, width: float = 3.4, height: float = 2.6, **keywords: Any
) -> tuple[Any, np.ndarray]:
    """Return a figure and its axes, shape (rows, columns); sizes in inches for the whole figure."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    return figure, figure.subplots(rows, columns, squeeze=False, **keywords)


def temperature_colours(temperatures: Sequence[float]) -> dict[float, Any]:
    """Return a colour per temperature, dark for cold, from a map that stays ordered in grey."""
    from matplotlib import colormaps

    ordered = sorted(set(temperatures))
    places = np.linspace(0.0, 0.85, len(ordered)) if len(ordered) > 1 else [0.4]
    return {t: colormaps["plasma"](place) for t, place in zip(ordered, places, strict=True)}


def of_first_orientation(frame: Any) -> tuple[Any, str]:
    """Return the rows of the study's lowest orientation, and that, for example "100"."""
    orientation = frame["orientation"].min()
    return frame[frame["orientation"] == orientation], orientation


def of_first_approach(frame: Any) -> Any:
    """Return the rows of the films that came from the disordered side, or from the only one there is: those whose
    stages on the way were grown as the model says."""
    return frame[frame["approach"] == frame["approach"].min()]


def mean_over_replicas(frame: Any, by: list[str], quantity: str) -> Any:
    """Return one row per group: mean over replicas, standard error of their scatter (empty for one), their number."""
    known = frame.dropna(subset=[quantity])[[*by, quantity]]
    table = tabulate_over_replicas(known, by, quantity)
    names = {quantity: "mean", f"{quantity}_standard_error": "standard_error"}
    return table.rename(columns=names)[[*by, "mean", "standard_error", "n_replicas"]].assign(quantity=quantity)


def drawable_error(values: Any) -> np.ndarray:
    """Return errors with the unknown ones as zero, which draws no bar."""
    return np.nan_to_num(np.asarray(values, dtype=float), nan=0.0)


def deviation_axis(axis: Any) -> None:
    """Make the x axis one of deviations in percent, logarithmic beyond ten, with a line at zero."""
    axis.axvline(0, color="0.5", lw=0.8, zorder=0)
    axis.set_xscale("symlog", linthresh=_LINEAR_TO_PERCENT, linscale=1.2)
    low, high = axis.get_xlim()
    axis.set_xticks([tick for tick in (-100, -30, -10, -5, 0, 5, 10, 30, 100, 300) if low <= tick <= high])
    axis.xaxis.set_major_formatter("{x:g}")
    axis.minorticks_off()
    axis.grid(axis="y", color="0.94", lw=0.6)
    axis.set_axisbelow(True)
    axis.set_xlabel("deviation (%), logarithmic beyond ±10")


def plain_log_ticks(axis: Any, low: float, high: float) -> None:
    """Label a logarithmic y axis at 1, 2 and 5 of each decade from low to high, which are positive."""
    decades = range(int(np.floor(np.log10(low))), int(np.ceil(np.log10(high))) + 1)
    ticks = [step * 10.0**decade for decade in decades for step in (1, 2, 5)]
    axis.set_yticks([tick for tick in ticks if 0.8 * low <= tick <= 1.25 * high])
    axis.yaxis.set_major_formatter("{x:g}")
    axis.minorticks_off()


def name_curve(axis: Any, name: str, end: tuple[float, float], colour: Any) -> None:
    """Write a curve's name beside its last point, in its colour."""
    axis.annotate(name, end, xytext=(4, 0), textcoords="offset points", va="center", fontsize=7, color=colour)


def padded_limits(values: Any, share: float = 0.12) -> tuple[float, float]:
    """Return axis limits around finite values with a margin on both sides."""
    values = np.asarray(values, dtype=float)
    values = values[np.isfinite(values)]
    low, high = (float(values.min()), float(values.max())) if len(values) else (0.0, 1.0)
    margin = share * (high - low) or 0.05 * abs(high) or 1.0
    return low - margin, high + margin


# of the learning task logp, in the order of its tables
LOGP_MODELS = {
    "mean": "mean of the training rows",
    "alpb_dry": "ALPB, dry octanol",
    "alpb_wet": "ALPB, wet octanol",
    "crippen": "Wildman–Crippen",
    "descriptors": "descriptors",
    "descriptors_quantum": "descriptors + quantum chemistry",
    "error_learning": "error of ALPB, learnt",
    "both": "the last two together",
    "chosen": "chosen by inner folds",
}

# searches for the placement of O of lowest energy
SEARCH_NAMES = {
    "random": "random search",
    "annealing": "simulated annealing",
    "genetic": "genetic search",
    "tree": "tree search",
    "guided_tree": "tree search with learnt model",
    "model_alone": "learnt model alone",
    "model_local": "learnt model and local moves",
    "enumeration": "enumeration in random order",
}

_MODELS = {
    "trappe_ua": "TraPPE-UA",
    "und": "UND",
    "gaff": "GAFF",
    "gaff2": "GAFF2",
    "opls_aa": "OPLS-AA",
    "spce": "SPC/E",
    "tip4p_2005": "TIP4P/2005",
    "jc_spce": "SPC/E, Joung-Cheatham ions",
    "jc_tip4p_ew": "TIP4P-Ew, Joung-Cheatham ions",
    "clp_2004": "CL&P 2004",
    "clp_2017": "CL&P 2017",
    "von_alfthan_2003": "von Alfthan 2003",
}


def pretty_name(system: str) -> str:
    """Return a name from the configuration as a title."""
    return system.replace("_", " ")


def model_name(model: str) -> str:
    """Return the usual spelling of a force field or parameter set."""
    return _MODELS.get(model, model.replace("_", " "))
