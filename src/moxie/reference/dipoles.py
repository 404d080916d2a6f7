"""Experimental dipole moments of the gas: values.yaml first, then the compilations that `chemicals` carries."""

from functools import cache
from typing import Any

from moxie.reference.registry import UNCHECKED, VERIFIED, ReferenceValue, canonical_smiles, find
from moxie.reference.substances import registry_number

_COMPILATIONS = {
    "dipole_data_CCDB": "NIST Computational Chemistry Comparison and Benchmark Database",
    "dipole_data_Muller": "Mueller, Mokrushina, Arlt, J. Chem. Eng. Data 57, 1231 (2012)",
    "dipole_data_Poling": "Poling, The Properties of Gases and Liquids, 5th ed. (2000)",
}
_SAME_D = 0.05
_SAME_SHARE = 0.03


def dipole_references(smiles: str) -> list[ReferenceValue]:
    """Return the experimental dipole moments of a molecule, in debye.

    Where two compilations agree within 0.05 D or 3 % the value is verified: their mean, with half their range (at
    least 0.01 D) as error. A value that stands alone, or that another contradicts (mostly other conformers), is
    returned unchecked, each compilation by itself.
    """
    canonical = canonical_smiles(smiles)
    listed = find("molecules", canonical, "dipole_D")
    if listed:
        return listed
    values = _compiled(canonical)
    low, high = min(values.values(), default=0.0), max(values.values(), default=0.0)
    if len(values) > 1 and high - low <= max(_SAME_D, _SAME_SHARE * high):
        mean = sum(values.values()) / len(values)
        error = max((high - low) / 2, 0.01)
        return [_reference(canonical, mean, VERIFIED, "; ".join(values) + ", as tabulated in chemicals", error)]
    return [
        _reference(canonical, value, UNCHECKED, f"{source}, as tabulated in chemicals")
        for source, value in values.items()
    ]


@cache
def _compiled(canonical: str) -> dict[str, float]:
    from chemicals import dipole

    number = registry_number(canonical)
    found: dict[str, float] = {}
    for name, source in _COMPILATIONS.items():
        table: Any = getattr(dipole, name)
        if number in table.index:
            found[source] = float(table.loc[number, "dipole_moment"])
    return found


def _reference(
    canonical: str, value: float, checked: str, source: str, error: float | None = None
) -> ReferenceValue:  # fmt: skip
    return ReferenceValue(
        "molecules", canonical, "dipole_D", "debye", value, "experiment", checked, source, error=error
    )  # fmt: skip
