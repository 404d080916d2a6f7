"""Growth kinetics of thermal oxide: a process (one step or several) to a thickness and back, with its error.

Every model has the form (x + A/2)^2 = (x0 + A/2)^2 + B t + sum_i M_i (1 - exp(-t/tau_i)), B the parabolic and B/A the
linear rate:

* `deal_grove`: no M_i. Deal and Grove, J. Appl. Phys. 36, 3770 (1965), with the constants of the usual single
  Arrhenius line. The paper covers 700-1300 C, 0.1-1 atm and 30-2000 nm; thinner dry oxide grows faster than this.
* `deal_grove_table`: the same law with A, B and tau of the paper's table (quoted from memory: unchecked), each
  interpolated as an Arrhenius line between the table's temperatures. tau stands for the fast start of dry oxidation:
  below the thickness x_i with x_i^2 + A x_i = B tau, 19-26 nm, growth starts at x_i. For results of 30-2000 nm only.
* `massoud`: two decaying terms for thin dry oxide on (100), M_i = K_i tau_i, with time constants that *fall* with
  temperature, tau_i0 exp(+E/kT). Massoud, Plummer, Irene, J. Electrochem. Soc. 132, 2685 (1985). The excess belongs to
  the first oxide and decays while the wafer oxidises, by whatever gas and model: what is left of M_i at the start of a
  step is exp(-sum t/tau_i) over all earlier steps. An oxide of unknown history must be thin, at most 5 nm, and the
  result at most 50 nm (the paper's range as remembered: unchecked); elsewhere the model is refused.

Orientation enters the linear rate only: (111) 1.68 and (110) 1.45 times (100), as in ViennaPS 4.7, which names
Massoud's paper as the source of the latter (not checked there).

Pressure: both rates are proportional to it. Dry O2: measured for 0.02-1 atm at 1200 C (Hess, Deal, J. Electrochem.
Soc. 122, 579 (1975), abstract); above 1 atm the linear rate is said to grow more slowly, so more is refused.
Steam: 0.1-1 atm (Deal and Grove); to 20 atm after Razouk, Lie, Deal, J. Electrochem. Soc. 128, 2214 (1981), unchecked.

Errors: the papers' constants carry none. Their relative standard errors are taken as the scatter (root mean square of
the logarithm) of the published table about the Arrhenius line, which is what two readings of the same measurements
differ by: 11 and 13 % for B and B/A in dry O2, 9 and 8 % in steam. The M_i of Massoud's model get 25 %, an assumption.
Each constant is taken as wrong by the same factor in all steps of a process, and independently of the others.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from functools import cache
from typing import Any

from moxie.constants import BOLTZMANN_EV_K
from moxie.errors import InputError

ATM_BAR = 1.01325
AMBIENTS = ("dry_O2", "steam")
ORIENTATIONS = ("100", "110", "111")
KINETICS = ("deal_grove", "deal_grove_table", "massoud")
PRESSURE_RANGE_BAR = {"dry_O2": (0.02, 1.1), "steam": (0.1, 20.3)}
DEAL_GROVE_RANGE_K = (973.0, 1473.15)
MASSOUD_RANGE_K = (1073.0, 1273.15)
TABLE_RANGE_K = {"dry_O2": (1073.0, 1473.15), "steam": (1193.0, 1473.15)}
TABLE_RANGE_NM = (30.0, 2000.0)
MASSOUD_START_NM = 5.0
MASSOUD_MOST_NM = 50.0
_EXCESS_LEFT = 0.01  # share of Massoud's slower term below which it does not matter what the first oxide was

# (prefactor, activation energy in eV): parabolic B in um^2/h, linear B/A in um/h, at 1 atm
_PARABOLIC = {"dry_O2": (772.0, 1.23), "steam": (386.0, 0.78)}
_LINEAR = {
    ("dry_O2", "100"): (3.71e6, 2.00),
    ("dry_O2", "110"): (1.45 * 3.71e6, 2.00),
    ("dry_O2", "111"): (6.23e6, 2.00),
    ("steam", "100"): (9.7e7, 2.05),
    ("steam", "110"): (1.45 * 9.7e7, 2.05),
    ("steam", "111"): (1.63e8, 2.05),
}
# Deal and Grove's table for (111), unchecked: temperature in C, B in um^2/h, B/A in um/h, tau in h
_TABLE = {
    "dry_O2": (
        (800.0, 0.0011, 0.0030, 9.0),
        (920.0, 0.0049, 0.0208, 1.40),
        (1000.0, 0.0117, 0.071, 0.37),
        (1100.0, 0.027, 0.30, 0.076),
        (1200.0, 0.045, 1.12, 0.027),
    ),
    "steam": (
        (920.0, 0.203, 0.406, 0.0),
        (1000.0, 0.287, 1.27, 0.0),
        (1100.0, 0.510, 4.64, 0.0),
        (1200.0, 0.720, 14.4, 0.0),
    ),
}
# Massoud, (100), dry O2, T <= 1273 K: nm and min
_MASSOUD_B = (1.70e11, 2.22)
_MASSOUD_B_OVER_A = (7.35e6, 1.76)
_MASSOUD_K = ((2.49e11, 2.18), (3.72e11, 2.28))
_MASSOUD_TAU = ((4.14e-6, 1.38), (2.71e-7, 1.88))
_MASSOUD_EXCESS_ERROR = 0.25
_NM2_MIN = 1e6 / 60.0  # of one um^2/h
_NM_MIN = 1e3 / 60.0  # of one um/h


@dataclass(frozen=True)
class Step:
    """One step of a process: what is around the wafer, how hot, how long, and the model of its growth."""

    temperature_K: float
    time_s: float
    ambient: str = "dry_O2"
    pressure_bar: float = ATM_BAR
    kinetics: str = "deal_grove"


@dataclass(frozen=True)
class Rates:
    """Parabolic rate B in nm^2/min and linear rate B/A in nm/min."""

    parabolic_nm2_min: float
    linear_nm_min: float

    @property
    def a_nm(self) -> float:
        """A = B / (B/A), in nm."""
        return self.parabolic_nm2_min / self.linear_nm_min


@dataclass(frozen=True)
class _Law:
    """Growth in one step. excess: (M in nm^2, tau in min) each; start_nm: where growth starts at the latest."""

    rates: Rates
    excess: tuple[tuple[float, float], ...] = ()
    start_nm: float = 0.0

    def thickness_nm(self, initial_nm: float, minutes: float) -> float:
        half = 0.5 * self.rates.a_nm
        start = max(initial_nm, self.start_nm)
        grown = start * (start + 2 * half) + self.rates.parabolic_nm2_min * minutes
        grown += sum(amount * -math.expm1(-minutes / tau) for amount, tau in self.excess)
        return grown / (math.sqrt(half * half + grown) + half)  # sqrt(h^2 + g) - h without cancellation

    def minutes(self, initial_nm: float, target_nm: float) -> float:
        start = max(initial_nm, self.start_nm)
        grown = (target_nm - start) * (target_nm + start + self.rates.a_nm)
        longest = max(grown, 0.0) / self.rates.parabolic_nm2_min  # without the excess terms
        if not self.excess:
            return longest
        low, high = 0.0, longest
        for _ in range(200):
            middle = 0.5 * (low + high)
            if self.thickness_nm(initial_nm, middle) < target_nm:
                low = middle
            else:
                high = middle
        return 0.5 * (low + high)


def arrhenius(prefactor: float, energy_eV: float, temperature_K: float) -> float:
    """Return prefactor * exp(-E/kT)."""
    return prefactor * math.exp(-energy_eV / (BOLTZMANN_EV_K * temperature_K))


def deal_grove_rates(
    temperature_K: float, ambient: str = "dry_O2", orientation: str = "100", pressure_bar: float = ATM_BAR
) -> Rates:
    """Return the rates of the single Arrhenius line.

    Raises InputError outside 973-1473 K and the pressures of the module's docstring, and for an unknown ambient or
    orientation.
    """
    _check(DEAL_GROVE_RANGE_K, "deal_grove", temperature_K, ambient, orientation, pressure_bar)
    return _scaled(
        arrhenius(*_PARABOLIC[ambient], temperature_K),
        arrhenius(*_LINEAR[ambient, orientation], temperature_K),
        pressure_bar,
    )


def relative_errors(ambient: str, kinetics: str = "deal_grove") -> dict[str, float]:
    """Return the relative standard error of each constant of a model, by name; see the module's docstring."""
    parabolic, linear = _table_scatter(ambient)
    errors = {"B": parabolic, "B/A": linear}
    return errors | {"M1": _MASSOUD_EXCESS_ERROR, "M2": _MASSOUD_EXCESS_ERROR} if kinetics == "massoud" else errors


def process_nm(
    steps: Sequence[Step], orientation: str = "100", initial_oxide_nm: float = 0.0, extrapolate: bool = False
) -> list[float]:
    """Return the oxide thickness in nm after each step; the oxide of one step is the start of the next.

    `extrapolate` also gives thicknesses outside those that `deal_grove_table` was fitted to. Raises InputError,
    naming the step, outside a model's range of temperature, pressure or thickness and for a negative time.
    """
    return _grow(steps, orientation, initial_oxide_nm, extrapolate, {})


def process_error_nm(
    steps: Sequence[Step], orientation: str = "100", initial_oxide_nm: float = 0.0, extrapolate: bool = False
) -> list[float]:
    """Return the standard error in nm of each thickness of `process_nm` from the errors of the constants.

    Each constant is moved up and down by its error through the whole process; the half differences add in quadrature.
    """
    constants = {
        (_family(step), name): error
        for step in steps
        for name, error in relative_errors(step.ambient, step.kinetics).items()
    }
    variances = [0.0] * len(steps)
    for constant, error in constants.items():
        up, down = (
            _grow(steps, orientation, initial_oxide_nm, extrapolate, {constant: math.exp(sign * error)})
            for sign in (1, -1)
        )
        variances = [v + (0.5 * (a - b)) ** 2 for v, a, b in zip(variances, up, down, strict=True)]
    return [math.sqrt(variance) for variance in variances]


def thickness_nm(
    temperature_K: float,
    time_s: float,
    ambient: str = "dry_O2",
    orientation: str = "100",
    pressure_bar: float = ATM_BAR,
    initial_oxide_nm: float = 0.0,
    kinetics: str = "deal_grove",
    steps: Sequence[Mapping[str, Any]] = (),
) -> float:
    """Return the oxide thickness in nm after `time_s` seconds of a recipe that starts from `initial_oxide_nm`.

    steps: earlier steps of the process as mappings of the fields of `Step`. Raises InputError as `process_nm` does.
    """
    process = [*_made(steps), Step(temperature_K, time_s, ambient, pressure_bar, kinetics)]
    return process_nm(process, orientation, initial_oxide_nm)[-1]


def thickness_with_error_nm(
    temperature_K: float,
    time_s: float,
    ambient: str = "dry_O2",
    orientation: str = "100",
    pressure_bar: float = ATM_BAR,
    initial_oxide_nm: float = 0.0,
    kinetics: str = "deal_grove",
    steps: Sequence[Mapping[str, Any]] = (),
    extrapolate: bool = False,
) -> tuple[float, float]:
    """Return (thickness, standard error from the constants) in nm; arguments and errors as of `thickness_nm`."""
    process = [*_made(steps), Step(temperature_K, time_s, ambient, pressure_bar, kinetics)]
    values = process_nm(process, orientation, initial_oxide_nm, extrapolate)
    return values[-1], process_error_nm(process, orientation, initial_oxide_nm, extrapolate)[-1]


def time_s(
    temperature_K: float,
    target_nm: float,
    ambient: str = "dry_O2",
    orientation: str = "100",
    pressure_bar: float = ATM_BAR,
    initial_oxide_nm: float = 0.0,
    kinetics: str = "deal_grove",
    steps: Sequence[Mapping[str, Any]] = (),
) -> float:
    """Return the time in seconds that the recipe takes to reach `target_nm`: the inverse of `thickness_nm`.

    Raises InputError as `thickness_nm` does, and when the target lies below the oxide at the start of the recipe.
    """
    start_nm, earlier = initial_oxide_nm, _made(steps)
    if earlier:
        start_nm = process_nm(earlier, orientation, initial_oxide_nm)[-1]
    step = Step(temperature_K, 0.0, ambient, pressure_bar, kinetics)
    _check_start(start_nm)
    ages = _ages(earlier)
    law = _law(step, orientation, {}, ages)
    _check_first_oxide(step, initial_oxide_nm, ages)
    if not (math.isfinite(target_nm) and target_nm >= start_nm):
        raise InputError(f"target_nm is {target_nm}; it must be at least the oxide at the start, {start_nm:g} nm.")
    _check_thickness(step, target_nm)
    seconds = 60.0 * law.minutes(start_nm, target_nm)
    if not math.isfinite(seconds):
        raise InputError(f"target_nm is {target_nm}; no finite time leads there.")
    return seconds


def _made(steps: Sequence[Mapping[str, Any]]) -> list[Step]:
    allowed = [field.name for field in fields(Step)]
    for number, step in enumerate(steps, start=1):
        unknown = [key for key in step if key not in allowed]
        missing = [key for key in allowed[:2] if key not in step]
        if unknown or missing:
            problem = f"the key {unknown[0]!r} is unknown" if unknown else f"{missing[0]} is missing"
            raise InputError(f"steps, step {number}: {problem}. Keys: {', '.join(allowed)}; the first two are needed.")
    return [Step(**step) for step in steps]


def _grow(
    steps: Sequence[Step],
    orientation: str,
    initial_oxide_nm: float,
    extrapolate: bool,
    factors: Mapping[tuple[str, str], float],
) -> list[float]:
    """Return the thickness after each step; factors multiply the constants, by (family, name)."""
    _check_start(initial_oxide_nm)
    thickness, result = initial_oxide_nm, []
    for number, step in enumerate(steps, start=1):
        try:
            if not (math.isfinite(step.time_s) and step.time_s >= 0):
                raise InputError(f"time_s is {step.time_s}; the duration must be zero or more.")
            ages = _ages(steps[: number - 1])
            law = _law(step, orientation, factors, ages)
            _check_first_oxide(step, initial_oxide_nm, ages)
            thickness = law.thickness_nm(thickness, step.time_s / 60.0)
            if not math.isfinite(thickness):
                raise InputError(f"time_s is {step.time_s}; the thickness is too large for a number.")
            if not extrapolate and not factors:
                _check_thickness(step, thickness)
        except InputError as error:
            raise InputError(f"Step {number} of {len(steps)}: {error}" if len(steps) > 1 else str(error)) from None
        result.append(thickness)
    return result


def _ages(steps: Sequence[Step]) -> list[float]:
    """Return how often the time constant of each of Massoud's terms has passed in the steps: sum of t / tau_i."""
    return [sum(step.time_s / 60.0 / _massoud_tau(step)[k] for step in steps) for k in (0, 1)]


def _massoud_tau(step: Step) -> list[float]:
    """Return the time constants of the two terms in min."""
    return [arrhenius(prefactor, -energy, step.temperature_K) for prefactor, energy in _MASSOUD_TAU]


def _law(step: Step, orientation: str, factors: Mapping[tuple[str, str], float], ages: Sequence[float]) -> _Law:
    """Return the growth law of a step, its constants multiplied by `factors`; raises InputError outside its range.

    ages: see `_ages`, of the steps before it.
    """
    temperature = step.temperature_K
    excess: tuple[tuple[float, float], ...] = ()
    start = 0.0
    if step.kinetics == "deal_grove":
        rates = deal_grove_rates(temperature, step.ambient, orientation, step.pressure_bar)
    elif step.kinetics == "deal_grove_table":
        rates, start = _table_rates(step, orientation)
    elif step.kinetics == "massoud":
        rates = _massoud_rates(step, orientation)
        excess = tuple(
            (arrhenius(*rate, temperature) * tau * factors.get(("massoud", name), 1.0) * math.exp(-age), tau)
            for rate, tau, name, age in zip(_MASSOUD_K, _massoud_tau(step), ("M1", "M2"), ages, strict=True)
        )
    else:
        raise InputError(f"kinetics is {step.kinetics!r}; it must be one of {', '.join(KINETICS)}.")
    family = _family(step)
    rates = Rates(
        rates.parabolic_nm2_min * factors.get((family, "B"), 1.0),
        rates.linear_nm_min * factors.get((family, "B/A"), 1.0),
    )
    return _Law(rates, excess, start)


def _family(step: Step) -> str:
    """Return the name of the constants that a step uses: steps with the same name have the same errors."""
    return "massoud" if step.kinetics == "massoud" else step.ambient


def _table_rates(step: Step, orientation: str) -> tuple[Rates, float]:
    """Return (rates, thickness in nm of the fast start) from the published table, interpolated.

    The thickness of the fast start is that of the table's (111) for every face. It does not depend on the pressure,
    as tau is inversely proportional to it (Hess and Deal).
    """
    span = TABLE_RANGE_K.get(step.ambient, DEAL_GROVE_RANGE_K)
    _check(span, "deal_grove_table", step.temperature_K, step.ambient, orientation, step.pressure_bar)
    rows = _TABLE[step.ambient]
    upper = next((n for n in range(1, len(rows) - 1) if step.temperature_K <= rows[n][0] + 273.15), len(rows) - 1)
    low, high = rows[upper - 1], rows[upper]
    inverse = [1.0 / (row[0] + 273.15) for row in (low, high)]
    share = (1.0 / step.temperature_K - inverse[0]) / (inverse[1] - inverse[0])
    parabolic, linear = (low[k] ** (1.0 - share) * high[k] ** share for k in (1, 2))
    tau_h = low[3] ** (1.0 - share) * high[3] ** share if low[3] > 0 else 0.0
    start_nm = _Law(_scaled(parabolic, linear, ATM_BAR)).thickness_nm(0.0, 60.0 * tau_h)
    linear *= _LINEAR[step.ambient, orientation][0] / _LINEAR[step.ambient, "111"][0]
    return _scaled(parabolic, linear, step.pressure_bar), start_nm


@cache
def _table_scatter(ambient: str) -> tuple[float, float]:
    """Return the root mean square of ln(table / Arrhenius line) for B and B/A."""
    squares = [0.0, 0.0]
    for celsius, parabolic, linear, _ in _TABLE[ambient]:
        temperature = celsius + 273.15
        line = (arrhenius(*_PARABOLIC[ambient], temperature), arrhenius(*_LINEAR[ambient, "111"], temperature))
        squares[0] += math.log(parabolic / line[0]) ** 2
        squares[1] += math.log(linear / line[1]) ** 2
    return math.sqrt(squares[0] / len(_TABLE[ambient])), math.sqrt(squares[1] / len(_TABLE[ambient]))


def _massoud_rates(step: Step, orientation: str) -> Rates:
    _check(MASSOUD_RANGE_K, "massoud", step.temperature_K, step.ambient, orientation, step.pressure_bar)
    if step.ambient != "dry_O2" or orientation != "100" or not 0.9 <= step.pressure_bar <= 1.1:
        raise InputError(
            f"The Massoud constants hold for dry_O2, orientation 100 and about 1 bar; found {step.ambient}, "
            f"{orientation}, {step.pressure_bar} bar. Use kinetics: deal_grove."
        )
    temperature = step.temperature_K
    return Rates(arrhenius(*_MASSOUD_B, temperature), arrhenius(*_MASSOUD_B_OVER_A, temperature))


def _scaled(parabolic_um2_h: float, linear_um_h: float, pressure_bar: float) -> Rates:
    pressure_atm = pressure_bar / ATM_BAR
    return Rates(parabolic_um2_h * _NM2_MIN * pressure_atm, linear_um_h * _NM_MIN * pressure_atm)


def _check(
    allowed: tuple[float, float],
    kinetics: str,
    temperature_K: float,
    ambient: str,
    orientation: str,
    pressure_bar: float,
) -> None:
    if ambient not in AMBIENTS:
        raise InputError(f"ambient is {ambient!r}; it must be one of {', '.join(AMBIENTS)}.")
    if orientation not in ORIENTATIONS:
        raise InputError(f"orientation is {orientation!r}; it must be {' or '.join(map(repr, ORIENTATIONS))}, a text.")
    low, high = allowed
    if not low <= temperature_K <= high:
        raise InputError(
            f"Temperature {temperature_K} K is outside the range of the {kinetics} constants for {ambient}, "
            f"{low:g}-{high:g} K."
        )
    least, most = PRESSURE_RANGE_BAR[ambient]
    if not least <= pressure_bar <= most:
        raise InputError(
            f"pressure_bar is {pressure_bar}; rates in {ambient} are known to follow the pressure for {least:g}-"
            f"{most:g} bar only."
        )


def _check_start(initial_oxide_nm: float) -> None:
    if not (math.isfinite(initial_oxide_nm) and initial_oxide_nm >= 0):
        raise InputError(f"initial_oxide_nm is {initial_oxide_nm}; the thickness must be zero or more.")


def _check_first_oxide(step: Step, initial_oxide_nm: float, ages: Sequence[float]) -> None:
    """Massoud's excess begins with the oxide; of an oxide that was there before the process nobody knows how much of it
    is left."""
    left = max(math.exp(-age) for age in ages)
    if step.kinetics == "massoud" and initial_oxide_nm > MASSOUD_START_NM and left > _EXCESS_LEFT:
        raise InputError(
            f"initial_oxide_nm is {initial_oxide_nm:g}, and the massoud model lets its fast start begin on it; that "
            f"holds up to {MASSOUD_START_NM:g} nm. Name the steps that grew this oxide (steps), or use deal_grove."
        )


def _check_thickness(step: Step, thickness: float) -> None:
    if step.kinetics == "massoud" and thickness > MASSOUD_MOST_NM:
        raise InputError(
            f"massoud gives {thickness:.3g} nm at {step.temperature_K:g} K; it describes thin oxide, up to "
            f"{MASSOUD_MOST_NM:g} nm. For thicker oxide use deal_grove."
        )
    low, high = TABLE_RANGE_NM
    if step.kinetics == "deal_grove_table" and not low <= thickness <= high:
        raise InputError(
            f"deal_grove_table gives {thickness:.3g} nm at {step.temperature_K:g} K; its constants were fitted to "
            f"{low:g}-{high:g} nm. For thinner dry oxide use massoud (1073-1273 K) or deal_grove."
        )
