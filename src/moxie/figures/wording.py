"""Numbers and names as one writes them in a sentence or a table."""

import math
import re
from collections.abc import Sequence

from moxie.figures.parts import label, without_unit

_UNITS = {
    "g/cm3": "g/cm³",
    "kJ/mol": "kJ/mol",
    "J/mol/K": "J/mol/K",
    "1/K": "K⁻¹",
    "1/GPa": "GPa⁻¹",
    "angstrom": "Å",
    "degree": "°",
    "1/cm2": "cm⁻²",
    "m2/s": "m² s⁻¹",
    "debye": "D",
    "1": "",
    "nm": "nm",
    "eV": "eV",
    "K": "K",
}
_SUPERSCRIPTS = str.maketrans("0123456789+-−", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁻")
_SUBSCRIPTS = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")
_MINUS = "\N{MINUS SIGN}"


def with_error(value: float, error: float | None) -> str:
    """Return a value with its standard error in brackets, in units of the last digit: 0.7812(11), 1.52(4)e+15.

    The error keeps two digits if it starts with 1, else one. Four significant digits are
    given without a known error, and where it is zero but for rounding.
    """
    if not math.isfinite(value):
        return "–"
    if error is None or not error > 1e-9 * abs(value) or math.isinf(error):
        return signed(f"{value:.4g}")
    exponent = math.floor(math.log10(abs(value))) if value else 0
    if abs(exponent) >= 5:
        return f"{with_error(value / 10**exponent, error / 10**exponent)} × 10{str(exponent).translate(_SUPERSCRIPTS)}"
    first = math.floor(math.log10(error))
    digits = 2 if f"{error:.0e}"[0] == "1" or f"{error:.1e}".startswith("1") else 1
    places = digits - 1 - first
    if places <= 0:
        return signed(f"{value:.0f}({error:.0f})")
    return signed(f"{value:.{places}f}({round(error * 10**places):d})")


def signed(text: str) -> str:
    """Return a printed number with a true minus sign."""
    return text.replace("-", _MINUS)


def percent(value: float) -> str:
    """Return a deviation in percent with its sign: +2.1 %, −0.47 %, +37 %; a dash for NaN."""
    if not math.isfinite(value):
        return "–"
    return signed(f"{value:+#.2g} %" if abs(value) < 9.95 else f"{value:+.0f} %")


def unit_text(unit: str) -> str:
    """Return a unit of the tables as text: g/cm³, cm⁻²."""
    return _UNITS.get(unit, unit)


def plain_label(quantity: str) -> str:
    """Return the name of a quantity without unit and without the mark-up of axis labels: share of Si¹⁺ in suboxide.

    A quantity of one species, "diffusion_m2_s ([Li+])" with its SMILES, is that "of Li⁺".
    """
    if of_species := re.fullmatch(r"(\w+) \((\S+)\)", quantity):
        return f"{plain_label(of_species[1])} of {formula(of_species[2])}"
    text = without_unit(label(quantity))
    text = re.sub(r"\$\^\{?([^}$]*)\}?\$", lambda match: match[1].translate(_SUPERSCRIPTS), text)
    return re.sub(r"\$_\{?([^}$]*)\}?\$", lambda match: match[1].translate(_SUBSCRIPTS), text)


def formula(smiles: str) -> str:
    """Return the molecular formula of a SMILES as one writes it: CH₄O, Li⁺; a text that is no SMILES as it is."""
    from rdkit import Chem, rdBase
    from rdkit.Chem.rdMolDescriptors import CalcMolFormula

    with rdBase.BlockLogs():
        molecule = Chem.MolFromSmiles(smiles)
    if molecule is None:
        return smiles
    atoms, charge = re.fullmatch(r"(\w+)([+-]?\d*)", CalcMolFormula(molecule)).groups()  # type: ignore[union-attr]
    return atoms.translate(_SUBSCRIPTS) + (charge[1:] + charge[:1]).translate(_SUPERSCRIPTS)


def listed(items: Sequence[str]) -> str:
    """Return items as one says them: a, b and c."""
    return items[0] if len(items) == 1 else ", ".join(items[:-1]) + " and " + items[-1]


def duration(seconds: float) -> str:
    """Return a time span as 0.8 s, 42 s, 3 min 20 s or 2 h 5 min."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"
