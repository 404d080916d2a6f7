"""What is wrong with a configuration file before its values are looked at."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from moxie.errors import InputError


def check_file(path: str | Path) -> dict[str, Any]:
    """Return what a YAML file holds; an empty file holds nothing.

    Raises InputError for one in which a mapping has a key twice, of which YAML would keep the last.
    """
    import yaml

    with open(path, encoding="utf-8") as file:
        root = yaml.compose(file, Loader=yaml.SafeLoader)
    problems = list(_repeated_keys(root, ""))
    if problems:
        raise InputError(f"{path} cannot be used:\n" + "\n".join(f"  {problem}" for problem in problems))
    with open(path, encoding="utf-8") as file:
        return yaml.safe_load(file) or {}


def _repeated_keys(node: Any, parent: str) -> Iterator[str]:
    if getattr(node, "id", None) == "sequence":
        for item in node.value:
            yield from _repeated_keys(item, parent)
    if getattr(node, "id", None) != "mapping":
        return
    lines: dict[str, int] = {}
    for key, value in node.value:
        name, line = f"{parent}.{key.value}".lstrip("."), key.start_mark.line + 1
        if name in lines:
            yield f"`{name}` stands on line {lines[name]} and on line {line}. Rename or join them."
        lines[name] = line
        yield from _repeated_keys(value, name)
