"""Growth kinetics of thermal oxide: recipe (temperature, time, ambient, orientation) to thickness and back.

Deal-Grove: x^2 + A x = B (t + tau), J. Appl. Phys. 36, 3770 (1965), with the Arrhenius constants of the standard
single-line fit. Massoud's thin-film model, J. Electrochem. Soc. 132, 2685 (1985), adds two decaying rates:
x = sqrt((A/2)^2 + B t + M1 (1 - exp(-t/tau1)) + M2 (1 - exp(-t/tau2)) + M0) - A/2, Mi = Ki taui,
with time constants that *decrease* with temperature, taui = taui0 exp(+Ei/kT).
"""

import math
from dataclasses import dataclass

from moxie.errors import InputError

BOLTZMANN_EV_K = 8.617333262e-5  # CODATA 2018
DEAL_GROVE_RANGE_K = (973.0, 1473.15)
MASSOUD_RANGE_K = (1073.0, 1273.15)
AMBIENTS = ("dry_O2", "steam")
ORIENTATIONS = ("100", "111")

# (prefactor, activation energy in eV): parabolic B in um^2/h, linear B/A in um/h, at 1 atm
_PARABOLIC = {"dry_O2": (772.0, 1.23), "steam": (386.0, 0.78)}
_LINEAR = {
    ("dry_O2", "111"): (6.23e6, 2.00),
    ("dry_O2", "100"): (3.71e6, 2.00),
    ("steam", "111"): (1.63e8, 2.05),
    ("steam", "100"): (9.7e7, 2.05),
}
# Massoud, (100), dry O2, T <= 1273 K: nm and min
_MASSOUD_B = (1.70e11, 2.22)
_MASSOUD_B_OVER_A = (7.35e6, 1.76)
_MASSOUD_K = ((2.49e11, 2.18), (3.72e11, 2.28))
_MASSOUD_TAU = ((4.14e-6, 1.38), (2.71e-7, 1.88))
_ATM_BAR = 1.01325


@dataclass(frozen=True)
class Rates:
    """Parabolic rate B in nm^2/min and linear rate B/A in nm/min."""

    parabolic_nm2_min: float
    linear_nm_min: float

    @property
    def a_nm(self) -> float:
        """A = B / (B/A), in nm."""
        return self.parabolic_nm2_min / self.linear_nm_min


def arrhenius(prefactor: float, energy_eV: float, temperature_K: float) -> float:
    """Return prefactor * exp(-E/kT)."""
    return prefactor * math.exp(-energy_eV / (BOLTZMANN_EV_K * temperature_K))


def deal_grove_rates(
    temperature_K: float, ambient: str = "dry_O2", orientation: str = "100", pressure_bar: float = _ATM_BAR
) -> Rates:
    """Return the Deal-Grove rates. Both scale with the oxidant's pressure (Henry's law).

    Dry O2's linear rate truly grows somewhat more slowly than the pressure (near p^0.75); keep to about 1 bar.
    Raises InputError outside 973-1473 K, for an unknown ambient or orientation, or a pressure that is not positive.
    """
    _check(temperature_K, DEAL_GROVE_RANGE_K, "Deal-Grove", ambient, orientation, pressure_bar)
    pressure_atm = pressure_bar / _ATM_BAR
    parabolic = arrhenius(*_PARABOLIC[ambient], temperature_K) * 1e6 / 60.0
    linear = arrhenius(*_LINEAR[ambient, orientation], temperature_K) * 1e3 / 60.0
    return Rates(parabolic * pressure_atm, linear * pressure_atm)


def thickness_nm(
    temperature_K: float,
    time_s: float,
    ambient: str = "dry_O2",
    orientation: str = "100",
    pressure_bar: float = _ATM_BAR,
    initial_oxide_nm: float = 0.0,
    kinetics: str = "deal_grove",
) -> float:
    """Return the oxide thickness in nm after `time_s` seconds of a recipe that starts from `initial_oxide_nm`.

    kinetics: "deal_grove", or "massoud" (dry O2, (100), 1 atm, 1073-1273 K). Raises InputError outside the model's
    range or for a negative time or thickness.
    """
    if not (math.isfinite(time_s) and time_s >= 0):
        raise InputError(f"time_s is {time_s}; the duration must be zero or more.")
    if not (math.isfinite(initial_oxide_nm) and initial_oxide_nm >= 0):
        raise InputError(f"initial_oxide_nm is {initial_oxide_nm}; the thickness must be zero or more.")
    minutes = time_s / 60.0
    if kinetics == "deal_grove":
        rates = deal_grove_rates(temperature_K, ambient, orientation, pressure_bar)
        extra = 0.0
    elif kinetics == "massoud":
        rates = _massoud_rates(temperature_K, ambient, orientation, pressure_bar)
        extra = 0.0
        for rate, constant in zip(_MASSOUD_K, _MASSOUD_TAU, strict=True):
            tau = arrhenius(constant[0], -constant[1], temperature_K)
            extra += arrhenius(*rate, temperature_K) * tau * -math.expm1(-minutes / tau)
    else:
        raise InputError(f"kinetics is {kinetics!r}; it must be deal_grove or massoud.")
    half = 0.5 * rates.a_nm
    start = initial_oxide_nm * (initial_oxide_nm + rates.a_nm)
    grown = rates.parabolic_nm2_min * minutes + extra + start
    return grown / (math.sqrt(half * half + grown) + half)  # sqrt(h^2 + g) - h without cancellation


def time_s(
    temperature_K: float,
    target_nm: float,
    ambient: str = "dry_O2",
    orientation: str = "100",
    pressure_bar: float = _ATM_BAR,
    initial_oxide_nm: float = 0.0,
    kinetics: str = "deal_grove",
) -> float:
    """Return the time in seconds that the recipe takes to reach `target_nm`: the inverse of `thickness_nm`.

    Raises InputError as `thickness_nm` does, and when the target lies below the initial oxide.
    """

    def reached(seconds: float) -> float:
        return thickness_nm(temperature_K, seconds, ambient, orientation, pressure_bar, initial_oxide_nm, kinetics)

    reached(0.0)
    if not (math.isfinite(target_nm) and target_nm >= initial_oxide_nm):
        raise InputError(f"target_nm is {target_nm}; it must be at least the initial oxide of {initial_oxide_nm} nm.")
    if kinetics == "deal_grove":
        rates = deal_grove_rates(temperature_K, ambient, orientation, pressure_bar)
        grown = (target_nm - initial_oxide_nm) * (target_nm + initial_oxide_nm + rates.a_nm)
        return 60.0 * grown / rates.parabolic_nm2_min
    high = 1.0
    while reached(high) < target_nm:
        high *= 2.0
    low = 0.0
    for _ in range(200):
        middle = 0.5 * (low + high)
        if reached(middle) < target_nm:
            low = middle
        else:
            high = middle
    return 0.5 * (low + high)


def _massoud_rates(temperature_K: float, ambient: str, orientation: str, pressure_bar: float) -> Rates:
    _check(temperature_K, MASSOUD_RANGE_K, "Massoud", ambient, orientation, pressure_bar)
    if ambient != "dry_O2" or orientation != "100" or not 0.9 <= pressure_bar <= 1.1:
        raise InputError(
            f"The Massoud constants hold for dry_O2, orientation 100 and about 1 bar; found {ambient}, {orientation}, "
            f"{pressure_bar} bar. Use kinetics: deal_grove."
        )
    return Rates(arrhenius(*_MASSOUD_B, temperature_K), arrhenius(*_MASSOUD_B_OVER_A, temperature_K))


def _check(
    temperature_K: float, allowed: tuple[float, float], model: str, ambient: str, orientation: str, pressure_bar: float
) -> None:
    low, high = allowed
    if not low <= temperature_K <= high:
        raise InputError(
            f"Temperature {temperature_K} K is outside the range of the {model} constants, {low:g}-{high:g} K."
        )
    if ambient not in AMBIENTS:
        raise InputError(f"ambient is {ambient!r}; it must be one of {', '.join(AMBIENTS)}.")
    if orientation not in ORIENTATIONS:
        raise InputError(f"orientation is {orientation!r}; it must be one of {', '.join(ORIENTATIONS)}.")
    if not (math.isfinite(pressure_bar) and pressure_bar > 0):
        raise InputError(f"pressure_bar is {pressure_bar}; it must be positive.")
