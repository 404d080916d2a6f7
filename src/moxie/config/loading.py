"""From the mapping that Snakemake hands over to a `StudyConfig`, or to one message about every bad key."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, get_origin

from pydantic import ValidationError

from moxie.config.section import Section, Usual, section_of
from moxie.config.study import StudyConfig, default_study
from moxie.errors import InputError, nearest

_PLAIN_WORDS = {  # what pydantic says in terms of Python
    "dict_type": "here belong keys with values, `key: value`, each on a line of its own",
    "model_type": "here belong keys with values, `key: value`, each on a line of its own",
    "list_type": "here belongs a list, for example [1, 2]",
    "string_type": "here belongs text; put it in quotes, since YAML reads it as something else (a number, a list)",
    "string_pattern_mismatch": "Names start with a lower-case letter and hold lower-case letters, digits and _ only",
}
_NONE = ("none", "no", "false", "off", "nothing", "nil", "~", "")
_TAKEN_FOR_A_SLIP = 10_000  # upper bounds from here on are none of physics or of a method
REMOVABLE = (("molecules",), ("dynamics", "systems"), ("dynamics", "systems", "*", "composition"))


def load(values: Mapping[str, Any], files: Sequence[Mapping[str, Any]] = ()) -> StudyConfig:
    """Return the validated configuration.

    Entries of `molecules`, `dynamics.systems` and compositions that an overlay sets to null are left out: those that
    the default study or one of `files` (what was laid over each other) has. Raises InputError with one line per bad
    key: the key, what was found, what is allowed, and the nearest valid key for an unknown one; for a null that
    removes nothing; and for an unusual value that `confirm` does not name.
    """
    values = {key: None if value == "null" else value for key, value in values.items()}  # as --config hands it over
    base = {} if values.get("extends") == "nothing" else default_study().model_dump()
    layers = (base, *files)
    kept, lines = _without_removed(values, layers)
    try:
        config = StudyConfig.model_validate(kept)
    except ValidationError as error:
        lines += [_explain(problem) for problem in error.errors(include_url=False)]
    else:
        lines += _unusual(config)
    if lines:
        raise InputError("The configuration cannot be used:\n" + "\n".join(f"  {line}" for line in lines))
    return config


def _without_removed(
    values: Mapping[str, Any], layers: Sequence[Mapping[str, Any]]
) -> tuple[dict[str, Any], list[str]]:
    """Return the values without what is set to null, and a message for every null that removes nothing."""
    result: Any = dict(values)
    problems: list[str] = []
    for path in REMOVABLE:
        result = _without_nulls_at(result, path, (), layers, problems)
    return result, problems


def _without_nulls_at(
    section: Any,
    path: tuple[str, ...],
    place: tuple[str, ...],
    layers: Sequence[Mapping[str, Any]],
    problems: list[str],
) -> Any:
    if not isinstance(section, Mapping):
        return section
    if path:
        return {
            key: _without_nulls_at(value, path[1:], (*place, key), layers, problems) if path[0] in (key, "*") else value
            for key, value in section.items()
        }
    there = {key for layer in layers for key, value in _at(layer, place).items() if value is not None}
    problems += [
        _nothing_removed(place, str(key), {str(name) for name in there})
        for key, value in section.items()
        if value is None and key not in there
    ]
    return {key: value for key, value in section.items() if value is not None}


def _at(layer: Any, place: tuple[str, ...]) -> Mapping[str, Any]:
    for key in place:
        layer = layer.get(key) if isinstance(layer, Mapping) else None
    return layer if isinstance(layer, Mapping) else {}


def _nothing_removed(place: tuple[str, ...], key: str, there: set[str]) -> str:
    wanted = {"composition": "number", "systems": "system", "molecules": "SMILES"}[place[-1]]
    known = f" There are {', '.join(sorted(there))}." if there else ""
    return (
        f"`{'.'.join((*place, key))}` has no value. Give the {wanted} of {key}; a blank or null entry removes one, and"
        f" none of that name is there.{nearest(key, there)}{known}"
    )


def _unusual(config: StudyConfig) -> list[str]:
    """Return a message for every unusual value that is not confirmed, and for every confirmation of nothing."""
    limited = {key: (usual, usual.beyond(value)) for key, usual, value in _limits(config, "")}
    lines = [
        f"`{key}` = {beyond[0]:g}: usual is {usual.low:g} to {usual.high:g}, since {usual.reason}; "
        f"{usual.slip(beyond[0])}. If it is meant, write `confirm: [{', '.join([*config.confirm, key])}]`."
        for key, (usual, beyond) in limited.items()
        if beyond and key not in config.confirm
    ]
    unknown = [key for key in config.confirm if key not in limited]
    return lines + [f"`confirm`: {key!r} is no key with a usual range.{nearest(key, limited)}" for key in unknown]


def _limits(section: Section, path: str) -> Iterator[tuple[str, Usual, Any]]:
    """Go through all keys that have a usual range: the key, the range, the value."""
    for name, field in type(section).model_fields.items():
        value, key = getattr(section, name), f"{path}.{name}".lstrip(".")
        yield from ((key, usual, value) for usual in field.metadata if isinstance(usual, Usual))
        for entry, inner in value.items() if isinstance(value, dict) else [("", value)]:
            if isinstance(inner, Section):
                yield from _limits(inner, f"{key}.{entry}".rstrip("."))


def _explain(problem: Any) -> str:
    location = [part for part in problem["loc"] if part != "[key]"]
    key = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in location).lstrip(".")
    field, section = _describe(location)
    if problem["type"] == "extra_forbidden":
        names = list(section.model_fields) if section is not None else []
        return f"`{key}`: unknown key.{nearest(location[-1], names)} Allowed here: {', '.join(names)}."
    about = ""
    if field is not None:
        unit = (field.json_schema_extra or {}).get("unit") if isinstance(field.json_schema_extra, dict) else None
        about = f" It means: {field.description}{f', in {unit}' if unit else ''}."
    telling = problem["type"] != "missing" and not (
        problem["type"] == "value_error" and len(str(problem["input"])) > 80
    )
    found = f" = {problem['input']!r}" if telling else ""
    message = _PLAIN_WORDS.get(problem["type"], problem["msg"].removeprefix("Value error, "))
    if problem["type"] != "missing" and problem["input"] is None:
        return f"`{key}` has no value (it is blank or null), and needs one.{about}"
    if problem["type"] in ("dict_type", "model_type") and str(problem["input"]).lower() in _NONE:
        message = "write `null` to leave it out"
    if problem["type"] == "less_than_equal" and problem["ctx"]["le"] >= _TAKEN_FOR_A_SLIP:
        message = f"at most {problem['ctx']['le']:,.0f}. More is taken for a slip of a digit or a unit"
    if problem["type"] == "string_too_long":
        message = f"at most {problem['ctx']['max_length']} characters, since it becomes a part of names of files"
    if problem["type"] == "too_short":
        message = f"at least {problem['ctx']['min_length']} item needed"
    return f"`{key}`{found}: {message}.{about}"


def _describe(location: list[Any]) -> tuple[Any, type[Section] | None]:
    """Return the deepest field that a location runs through, and the section that holds it."""
    section: type[Section] | None = StudyConfig
    holder, field, named = section, None, False
    for part in location:
        if named:
            named = False
        elif section is not None and isinstance(part, str):
            holder = section
            if part not in section.model_fields:
                return None, holder
            field = section.model_fields[part]
            section = section_of(field.annotation)
            named = section is not None and get_origin(field.annotation) is dict
    return field, holder
