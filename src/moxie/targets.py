"""What a study makes: the values that the wildcards of its files have, held against the files that are asked for."""

import os
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from moxie.errors import InputError, nearest

if TYPE_CHECKING:
    from moxie.study import Study

_WILDCARD = re.compile(r"{([^{},]+)[^{}]*}")
_MOST_NAMED = 8
Combinations = dict[frozenset[str], list[dict[str, str]]]


def combinations(study: "Study", outputs: Sequence[str], planned: Sequence[str]) -> Combinations:
    """Return the values that wildcards have together, by the set of their names.

    `outputs` are the patterns of the rules, `planned` the files that the stages want; what leads to these, and has
    other wildcards, the study tells.
    """
    of_pattern = {"{molecule}": list(study.config.molecules)}
    for stage in study.stages:
        of_pattern |= stage.wildcards()
    known: Combinations = {
        frozenset(_WILDCARD.findall(pattern)): [values for text in texts if (values := _match(pattern, text))]
        for pattern, texts in of_pattern.items()
    }
    told = set(known)
    for pattern in dict.fromkeys(outputs):
        names = frozenset(_WILDCARD.findall(pattern))
        if names and names not in told:
            found = (_match(pattern, file) for file in planned)
            known.setdefault(names, []).extend(values for values in found if values is not None)
    return known


def check_targets(targets: Iterable[str], outputs: Sequence[str], known: Mapping[frozenset[str], list]) -> None:
    """Raise InputError for a file that a rule could make but the study has not; `outputs` are the rules' patterns.

    The message says which wildcard has which values. What no rule makes is left to Snakemake.
    """
    for target in (os.path.normpath(target) for target in targets):
        if target in outputs:
            continue
        found = [
            (values, known[frozenset(values)]) for pattern in outputs if (values := _match(pattern, target)) is not None
        ]
        if found and not any(values in allowed for values, allowed in found):
            reasons = [_what_is_off(*each) for each in found]
            raise InputError(f"This study does not make {target}: {min(reasons, key=lambda reason: reason[0])[1]}")


def _what_is_off(values: dict[str, str], allowed: list[dict[str, str]]) -> tuple[int, str]:
    """Return how many wildcards have values that the study lacks, and what there is for the first of them."""
    unknown = [name for name in values if values[name] not in {each[name] for each in allowed}]
    # with all values known, it is their combination that is not: name the fewest that could change
    name = unknown[0] if unknown else max(reversed(values), key=lambda one: len(_others(values, allowed, one)))
    there = _others(values, allowed, name) or list(dict.fromkeys(each[name] for each in allowed))
    if not there:
        return len(unknown), f"it has no {name} at all."
    named = ", ".join(there[:_MOST_NAMED]) + (f" and {len(there) - _MOST_NAMED} more" * (len(there) > _MOST_NAMED))
    together = "" if unknown else " together with the others"
    return (
        len(unknown),
        f"{name} {values[name]!r} is not in it{together}.{nearest(values[name], there)} There is {named}.",
    )


def _others(values: dict[str, str], allowed: list[dict[str, str]], name: str) -> list[str]:
    """Return the values of one wildcard that go with those of the others."""
    rest = {other: value for other, value in values.items() if other != name}
    return list(dict.fromkeys(each[name] for each in allowed if all(each[k] == v for k, v in rest.items())))


def _match(pattern: str, text: str) -> dict[str, str] | None:
    """Return the values of a pattern's wildcards in a text, None where it does not match or has none."""
    names: list[str] = []

    def group(found: re.Match[str]) -> str:
        name = found.group(1)
        if name in names:
            return f"(?P={name})"
        names.append(name)
        return f"(?P<{name}>[^/_]+)" if name == "temperature_K" else f"(?P<{name}>[^/]+)"

    pieces, last = [], 0
    for found in _WILDCARD.finditer(pattern):
        pieces += [re.escape(pattern[last : found.start()]), group(found)]
        last = found.end()
    matched = re.fullmatch("".join(pieces) + re.escape(pattern[last:]), text) if names else None
    return matched.groupdict() if matched else None
