"""Compositions as people say them, as whole numbers of molecules: solvents by ratio, salts by concentration.

Salts are counted in formula units, so that rounding never spoils neutrality. What the whole numbers amount to, and how
far that is from what was asked, comes with them.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from moxie.constants import AVOGADRO_PER_MOL
from moxie.errors import InputError

Ratio = Literal["mole", "mass", "volume"]
Unit = Literal["mol_kg", "mol_L", "mole_fraction", "solvent_per_salt"]
_NEUTRAL_E = 1e-9
_LARGEST_DEVIATION = 0.2  # of the size of a box from what was asked for
_FRACTION_SLACK = 2e-3  # 0.333 three times is meant to be 1
_MOST_ITERATIONS = 100
_SETTLED = 1e-6
_CM3_MOL_PER_A3 = AVOGADRO_PER_MOL * 1e-24


@dataclass(frozen=True)
class Species:
    """A molecule or ion as a composition has to know it."""

    molar_mass_g_mol: float
    n_atoms: int
    charge_e: float = 0.0
    density_g_cm3: float | None = None  # of the pure liquid, for ratios by volume
    volume_A3: float | None = None  # that one takes in a liquid, for densities where the other is not known


@dataclass(frozen=True)
class Salt:
    """A formula unit, such as {"lithium": 1, "pf6": 1}, and how much of it there is.

    `amount` is in mol per kg of solvent, in mol per litre of solution, a mole fraction (formula units among formula
    units and solvent molecules), or the number of solvent molecules per formula unit.
    """

    ions: Mapping[str, int]
    amount: float
    unit: Unit = "mol_kg"


@dataclass(frozen=True)
class Size:
    """How large a box is: in molecules, ions counting as such, or in atoms."""

    number: int
    of: Literal["molecules", "atoms"] = "molecules"


@dataclass(frozen=True)
class Composition:
    """Whole numbers of molecules, and each quantity that was asked for: (asked, found)."""

    counts: dict[str, int]
    quantities: dict[str, tuple[float, float]]

    @property
    def text(self) -> str:
        """Return the numbers, and what was asked beside what they amount to, for a person."""
        numbers = ", ".join(f"{count} {name}" for name, count in self.counts.items())
        found = "; ".join(
            f"{name} {value:.4g} (asked for {asked:.4g}, {100 * (value / asked - 1):+.2f} %)"
            for name, (asked, value) in self.quantities.items()
        )
        return f"{numbers}: {found}" if found else numbers


def compose(
    species: Mapping[str, Species],
    solvents: Mapping[str, float],
    salts: list[Salt],
    size: Size,
    ratio: Ratio = "mole",
    density_g_cm3: float | None = None,
) -> Composition:
    """Return the whole numbers of molecules nearest to a composition.

    solvents: shares by `ratio`, any positive numbers (3:7 is as good as 0.3:0.7). `density_g_cm3` is that of the
    solution and is needed for molarities. The formula units of each salt are rounded first, at least one of each; then
    the solvent is matched to the first salt, so that its concentration is as near as one molecule of solvent allows.
    Raises InputError for what cannot be: unknown species, charged formula units or solvents, concentrations without a
    solvent or a density or above what a solution holds, volume ratios without densities, and boxes too small for a
    molecule of each solvent.
    """
    _check(species, solvents, salts, size)
    shares = _mole_fractions(species, solvents, ratio)
    per_solvent = _units_per_solvent(species, shares, salts, density_g_cm3)

    def measure(ions: Mapping[str, float]) -> float:
        return sum(n * (1 if size.of == "molecules" else species[name].n_atoms) for name, n in ions.items())

    each = measure(shares) + sum(s * measure(salt.ions) for salt, s in zip(salts, per_solvent, strict=True))
    n_solvent = size.number / each
    units = [max(1, round(n_solvent * s)) for s in per_solvent]
    if units:
        n_solvent = units[0] / per_solvent[0]
    counts = _apportion(shares, max(1, round(n_solvent)))
    missing = [name for name, count in counts.items() if count == 0]
    if missing:
        raise InputError(
            f"A box of {size.number} {size.of} has no whole molecule of {', '.join(missing)} in this composition. Use a"
            " larger box."
        )
    for salt, number in zip(salts, units, strict=True):
        for name, each_unit in salt.ions.items():
            counts[name] = counts.get(name, 0) + number * each_unit
    found = measure(counts)
    if units and abs(found - size.number) > _LARGEST_DEVIATION * size.number:
        raise InputError(
            f"A box of {size.number} {size.of} cannot have these concentrations: one formula unit"
            f" of each salt is the least, and with them it has {found:.0f} {size.of}. Use a larger box."
        )
    return Composition(counts, _quantities(species, solvents, salts, units, counts, ratio, density_g_cm3))


def estimated_density_g_cm3(
    species: Mapping[str, Species], solvents: Mapping[str, float], salts: list[Salt], ratio: Ratio = "mole"
) -> float:
    """Return the density of a solution whose molecules keep their volumes, to be used where none is known.

    The volume of a molecule is that of its pure liquid where `density_g_cm3` is given, else `volume_A3`. For molarities
    the composition depends on the density, which is iterated until it agrees with itself.
    """

    def volume_cm3_mol(name: str) -> float:
        one = species[name]
        if one.density_g_cm3 is not None:
            return one.molar_mass_g_mol / one.density_g_cm3
        return (one.volume_A3 or math.nan) * _CM3_MOL_PER_A3

    _check(species, solvents, salts, Size(1))
    shares = _mole_fractions(species, solvents, ratio)
    density = sum(share * species[name].molar_mass_g_mol for name, share in shares.items())
    density /= sum(share * volume_cm3_mol(name) for name, share in shares.items())
    density += sum(salt.amount * _mass_g_mol(species, salt) / 1000 for salt in salts if salt.unit == "mol_L")
    for _ in range(_MOST_ITERATIONS):
        contents = dict(shares)
        for salt, each in zip(salts, _units_per_solvent(species, shares, salts, density), strict=True):
            for name, number in salt.ions.items():
                contents[name] = contents.get(name, 0.0) + each * number
        mass = sum(n * species[name].molar_mass_g_mol for name, n in contents.items())
        before, density = density, mass / sum(n * volume_cm3_mol(name) for name, n in contents.items())
        if abs(density - before) < _SETTLED * density:
            break
    return density


def _check(species: Mapping[str, Species], solvents: Mapping[str, float], salts: list[Salt], size: Size) -> None:
    names = [*solvents, *(name for salt in salts for name in salt.ions)]
    unknown = sorted({name for name in names if name not in species})
    if unknown:
        raise InputError(f"The composition names {', '.join(unknown)}; known are {', '.join(species)}.")
    if not solvents:
        raise InputError("A concentration needs a solvent. Name one, or give the numbers of the ions themselves.")
    for name, share in solvents.items():
        if not (share > 0 and math.isfinite(share)):
            raise InputError(f"The share of {name} is {share:g}; it must be above 0. Leave out what is not there.")
        if abs(species[name].charge_e) > _NEUTRAL_E:
            raise InputError(f"{name} has the charge {species[name].charge_e:+g} e and cannot be a solvent.")
    total = sum(solvents.values())
    if all(share < 1 for share in solvents.values()) and abs(total - 1) > _FRACTION_SLACK:
        raise InputError(
            f"The fractions of the solvents add up to {total:g}. Fractions add up to 1; write a ratio as 3 to 7."
        )
    for salt in salts:
        formula = " + ".join(f"{number} {name}" for name, number in salt.ions.items())
        if not salt.ions or any(number < 1 or number != int(number) for number in salt.ions.values()):
            raise InputError(f"A formula unit ({formula or 'empty'}) needs whole numbers of ions, at least 1 of each.")
        charge = sum(number * species[name].charge_e for name, number in salt.ions.items())
        if abs(charge) > _NEUTRAL_E:
            raise InputError(f"The salt {formula} has the charge {charge:+g} e. Its ions must cancel.")
        if not (salt.amount > 0 and math.isfinite(salt.amount)):
            raise InputError(f"The amount of the salt {formula} is {salt.amount:g}; it must be above 0.")
    if size.number < 1:
        raise InputError(f"A box of {size.number} {size.of} is empty.")


def _mole_fractions(species: Mapping[str, Species], solvents: Mapping[str, float], ratio: Ratio) -> dict[str, float]:
    """Return the mole fractions of solvents among themselves."""
    moles = {}
    for name, share in solvents.items():
        one = species[name]
        if ratio == "volume" and one.density_g_cm3 is None:
            raise InputError(f"A ratio by volume needs the density of pure {name}. Give it, or the ratio by mass.")
        mass = share * (one.density_g_cm3 or 1.0) if ratio == "volume" else share
        moles[name] = share if ratio == "mole" else mass / one.molar_mass_g_mol
    total = sum(moles.values())
    return {name: amount / total for name, amount in moles.items()}


def _units_per_solvent(
    species: Mapping[str, Species], shares: Mapping[str, float], salts: list[Salt], density_g_cm3: float | None
) -> list[float]:
    """Return the formula units of each salt per solvent molecule."""
    solvent_g = sum(share * species[name].molar_mass_g_mol for name, share in shares.items())
    fraction = sum(salt.amount for salt in salts if salt.unit == "mole_fraction")
    if fraction >= 1:
        raise InputError(f"The mole fractions of the salts add up to {fraction:g}; a solvent needs less than 1.")
    fixed = {
        "mol_kg": lambda salt: salt.amount * solvent_g / 1000,
        "mole_fraction": lambda salt: salt.amount / (1 - fraction),
        "solvent_per_salt": lambda salt: 1 / salt.amount,
    }
    known = [fixed[salt.unit](salt) if salt.unit in fixed else None for salt in salts]
    molar = [salt for salt in salts if salt.unit == "mol_L"]
    volume_cm3 = 0.0  # of the solution per mole of solvent
    if molar:
        if density_g_cm3 is None:
            raise InputError("A concentration in mol/L needs the density of the solution. Give it, or use mol/kg.")
        mass_g = solvent_g + sum(
            number * _mass_g_mol(species, salt) for salt, number in zip(salts, known, strict=True) if number is not None
        )
        salt_g_cm3 = sum(salt.amount * _mass_g_mol(species, salt) / 1000 for salt in molar)
        if salt_g_cm3 >= density_g_cm3:
            raise InputError(
                f"The salts alone weigh {salt_g_cm3:.3g} g in a cm3 of the solution, whose density is"
                f" {density_g_cm3:g} g/cm3. Use a lower concentration."
            )
        volume_cm3 = mass_g / (density_g_cm3 - salt_g_cm3)
    return [
        salt.amount * volume_cm3 / 1000 if number is None else number for salt, number in zip(salts, known, strict=True)
    ]


def _apportion(shares: Mapping[str, float], total: int) -> dict[str, int]:
    """Return whole numbers that add up to `total`, the largest remainders rounded up (Hamilton's method)."""
    exact = {name: share * total for name, share in shares.items()}
    counts = {name: int(value) for name, value in exact.items()}
    by_remainder = sorted(exact, key=lambda name: exact[name] - counts[name], reverse=True)
    for name in by_remainder[: total - sum(counts.values())]:
        counts[name] += 1
    return counts


def _quantities(
    species: Mapping[str, Species], solvents: Mapping[str, float], salts: list[Salt], units: list[int],
    counts: Mapping[str, int], ratio: Ratio, density_g_cm3: float | None,
) -> dict[str, tuple[float, float]]:  # fmt: skip
    """Return each quantity that was asked for and what the whole numbers amount to."""
    n_solvent = sum(counts[name] for name in solvents)
    solvent_g = sum(counts[name] * species[name].molar_mass_g_mol for name in solvents)
    total_g = sum(count * species[name].molar_mass_g_mol for name, count in counts.items())
    found: dict[str, tuple[float, float]] = {}
    words = {"mol_kg": "mol/kg", "mol_L": "mol/L", "mole_fraction": "mole fraction", "solvent_per_salt": "per salt"}
    for salt, number in zip(salts, units, strict=True):
        value = {
            "mol_kg": lambda number=number: 1000 * number / solvent_g,
            "mol_L": lambda number=number: 1000 * number * (density_g_cm3 or math.nan) / total_g,
            "mole_fraction": lambda number=number: number / (n_solvent + sum(units)),
            "solvent_per_salt": lambda number=number: n_solvent / number,
        }[salt.unit]()
        found[f"{'-'.join(salt.ions)} {words[salt.unit]}"] = (salt.amount, value)
    if len(solvents) > 1:
        weights = {
            "mole": lambda one: 1.0,
            "mass": lambda one: one.molar_mass_g_mol,
            "volume": lambda one: one.molar_mass_g_mol / one.density_g_cm3,
        }[ratio]
        amounts = {name: counts[name] * weights(species[name]) for name in solvents}
        for name, share in solvents.items():
            asked = share / sum(solvents.values())
            found[f"{ratio} fraction of {name}"] = (asked, amounts[name] / sum(amounts.values()))
    return found


def _mass_g_mol(species: Mapping[str, Species], salt: Salt) -> float:
    return sum(number * species[name].molar_mass_g_mol for name, number in salt.ions.items())
