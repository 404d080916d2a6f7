"""What a study makes: the values that the wildcards of its files have, held against the files that are asked for."""

import os
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from moxie.errors import InputError, nearest

if TYPE_CHECKING:
    from moxie.study import Study

_WILDCARD = re.compile(r"{([^{},]+)[^{}]*}")
_MOST_NAMED = 8
STAGE_TARGETS = (
    "all", "structures", "dynamics", "export", "oxidation", "molecules", "features", "learning", "figures", "report",
)  # fmt: skip
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


def check_configfiles(files: Iterable[str | os.PathLike[str]]) -> None:
    """Raise InputError for a target among the files that --configfile took, since it takes all names that follow it."""
    for file in map(Path, files):
        target = file.name in STAGE_TARGETS and not file.exists()
        if target or ("results" in file.parts and file.suffix not in (".yaml", ".yml")):
            raise InputError(
                f"--configfile takes all names that follow it, and so took the target {file} for a configuration. Put "
                f"targets before it: {file} --configfile ..."
            )


def check_stages(targets: Iterable[str], planned: Mapping[str, Sequence[str]], left_out: Sequence[str]) -> None:
    """Raise InputError for a stage that is asked for and of which the study has nothing.

    `planned` are the files of the stages' targets, `left_out` the sections that the study has not.
    """
    for target in targets:
        if target in planned and not planned[target]:
            there = [name for name, files in planned.items() if files]
            raise InputError(
                f"This study has nothing for the target {target}.{_absent(left_out)} There is {', '.join(there)}."
            )


def check_targets(
    targets: Iterable[str],
    outputs: Sequence[str],
    known: Mapping[frozenset[str], list],
    planned: Sequence[str] = (),
    left_out: Sequence[str] = (),
) -> None:
    """Raise InputError for a file below results/ that the study does not make; `outputs` are the rules' patterns.

    The message says which wildcard has which values, or the nearest of the planned files and what the study leaves out.
    """
    for target in (os.path.normpath(target) for target in targets):
        if target in outputs or not target.startswith("results" + os.sep):
            continue
        found = [
            (values, known[frozenset(values)]) for pattern in outputs if (values := _match(pattern, target)) is not None
        ]
        if not found:
            there = [*planned, *(pattern for pattern in outputs if not _WILDCARD.search(pattern))]
            raise InputError(f"This study does not make {target}.{nearest(target, there)}{_absent(left_out)}")
        if not any(values in allowed for values, allowed in found):
            reasons = [_what_is_off(*each) for each in found]
            raise InputError(f"This study does not make {target}: {min(reasons, key=lambda reason: reason[0])[1]}")


def _absent(left_out: Sequence[str]) -> str:
    names = " and ".join(f"`{name}`" for name in left_out)
    return f" It leaves out {names}, which {'are' if len(left_out) > 1 else 'is'} null." if left_out else ""


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
