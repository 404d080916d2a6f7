"""What is generated from the typed configuration: the commented default `config.yaml`, the schema, the docs page.

`python -m moxie.config_reference [folder]` writes all three; `tests/unit/test_config.py` fails when one has drifted.
"""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_origin

import yaml

from moxie.config import Section, StudyConfig, default_study, load, section_of
from moxie.config.section import Usual

_HEADER = """\
# The default study: small enough for two cores in minutes. Generated from src/moxie/config by `make config`;
# docs/configuration.md explains every key. Edit values here, or lay your own file over this one:
#   .venv/bin/snakemake --cores 2 --configfile my_study.yaml
"""
_HEADER_OF_A_STUDY = """\
# A study of its own: only what stands here is in it. Run it: python -m moxie run FOLDER
# docs/configuration.md explains every key; what you delete has its default, and a stage set to null is left out.
"""


def files() -> dict[str, str]:
    """Return the text of every generated file by its path from the root of the repository."""
    return {
        "config.yaml": default_yaml(),
        "workflow/schemas/config.schema.json": json.dumps(StudyConfig.model_json_schema(), indent=2) + "\n",
        "docs/configuration.md": reference_page(),
    }


def default_yaml() -> str:
    """Return the default configuration as YAML with a comment on every key."""
    return _HEADER + "\n".join(_yaml_lines(default_study(), indent=0)) + "\n"


def study_yaml(values: dict[str, Any]) -> str:
    """Return a study that extends nothing as YAML with a comment on every key; raises InputError for a wrong one."""
    return _HEADER_OF_A_STUDY + "\n".join(_yaml_lines(load(values), indent=0)) + "\n"


def reference_page() -> str:
    """Return the reference page: a table of key, type, default, unit, range and meaning for every section."""
    lines = [
        "# Configuration",
        "",
        "Generated from `src/moxie/config`; do not edit.",
        "",
        "A study is `config.yaml`, with any number of overlays (`--configfile`) laid over it.",
        "Unknown keys, wrong types and values outside the ranges stop the workflow before any job starts.",
        "So does a value beyond its usual range, which is mostly a slip of the unit;",
        "where it is meant, name its key in `confirm`.",
    ]
    for path, section in _sections(StudyConfig, ""):
        lines += ["", f"## `{path}`" if path else "## Top level", ""]
        lines += ["| key | type | default | unit | allowed | meaning |", "|---|---|---|---|---|---|"]
        schema = section.model_json_schema()
        for name, field in section.model_fields.items():
            if section_of(field.annotation) is None:
                lines.append(_row(name, field, schema["properties"][name]))
    return "\n".join(lines) + "\n"


def _row(name: str, field: Any, schema: dict[str, Any]) -> str:
    required = field.is_required()
    default = "required" if required else f"`{json.dumps(_plain(field.default))}`"
    usual = [f"usual {limit.low:g} to {limit.high:g}" for limit in field.metadata if isinstance(limit, Usual)]
    allowed = "; ".join(filter(None, [_allowed(schema), *usual]))
    cells = [f"`{name}`", _type(schema), default, _unit(field), allowed, field.description]
    return "| " + " | ".join(str(cell).replace("|", "\\|") for cell in cells) + " |"


def _type(schema: dict[str, Any]) -> str:
    if "enum" in schema:
        return "choice"
    if "anyOf" in schema:
        return " or ".join(_type(option) for option in schema["anyOf"])
    if schema.get("type") == "array":
        return "list" if "items" not in schema else f"list of {_type(schema['items'])}"
    if schema.get("type") == "object":
        return f"mapping from names to {_type(_entries(schema))}"
    return schema.get("type", "section")


def _allowed(schema: dict[str, Any]) -> str:
    if "enum" in schema:
        return ", ".join(f"`{choice}`" for choice in schema["enum"])
    if schema.get("type") == "object":
        return _allowed(_entries(schema))
    if isinstance(schema.get("items"), dict):
        return _allowed(schema["items"])
    if "prefixItems" in schema:
        return f"{len(schema['prefixItems'])} values, each {_allowed(schema['prefixItems'][0])}"
    if "anyOf" in schema:
        return " or ".join(filter(None, (_allowed(option) for option in schema["anyOf"])))
    signs = {"minimum": ">=", "exclusiveMinimum": ">", "maximum": "<=", "exclusiveMaximum": "<"}
    return ", ".join(f"{sign} {schema[key]:g}" for key, sign in signs.items() if key in schema)


def _entries(schema: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of a mapping's values; names with a pattern stand under patternProperties."""
    return next(iter(schema["patternProperties"].values())) if "patternProperties" in schema else {}


def _unit(field: Any) -> str:
    return (field.json_schema_extra or {}).get("unit", "")


def _sections(section: type[Section], path: str) -> Iterator[tuple[str, type[Section]]]:
    if any(section_of(field.annotation) is None for field in section.model_fields.values()):
        yield path, section
    for name, field in section.model_fields.items():
        inner = section_of(field.annotation)
        if inner is not None:
            holder = get_origin(field.annotation)
            entry = ".<name>" if holder is dict else "[n]" if holder is list else ""
            yield from _sections(inner, f"{path}.{name}{entry}".lstrip("."))


def _yaml_lines(section: Section, indent: int) -> Iterator[str]:
    pad = "  " * indent
    for name, field in type(section).model_fields.items():
        value = getattr(section, name)
        unit = _unit(field)
        comment = f"{pad}# {field.description}{f' [{unit}]' if unit else ''}"
        if isinstance(value, Section):
            yield from ("", comment) if indent == 0 else (comment,)
            yield f"{pad}{name}:"
            yield from _yaml_lines(value, indent + 1)
        elif isinstance(value, dict) and value:
            yield comment
            yield f"{pad}{name}:"
            for key, entry in value.items():
                if isinstance(entry, Section):
                    yield f"{pad}  {key}:"
                    for inner, given in entry.model_dump(exclude_unset=True).items():
                        yield f"{pad}    {inner}: {_inline(given)}"
                else:
                    yield f"{pad}  {key}: {_inline(entry)}"
        else:
            yield comment
            yield f"{pad}{name}: {_inline(value)}"


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def _inline(value: Any) -> str:
    """Return a value as YAML on one line."""
    text = yaml.safe_dump(_plain(value), default_flow_style=True, width=10_000, sort_keys=False).strip()
    return text.removesuffix("\n...").strip()


if __name__ == "__main__":
    root = Path(sys.argv[1] if len(sys.argv) > 1 else ".")
    for path, text in files().items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text, encoding="utf-8")
        print(f"wrote {path}")
