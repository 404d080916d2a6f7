"""What is wrong with a configuration file before its values are looked at."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from moxie.errors import InputError


def check_file(path: str | Path) -> dict[str, Any]:
    """Return what a YAML file holds; an empty file holds nothing.

    Raises InputError, with file and line, for one that cannot be read, that holds no keys, or in which a mapping has a
    key twice, of which YAML would keep the last.
    """
    import yaml

    try:
        text = Path(path).read_text(encoding="utf-8")
        root = yaml.compose(text, Loader=yaml.SafeLoader)
        problems = list(_problems(root, "", frozenset()))
        if problems:
            raise InputError(f"{path} cannot be used:\n" + "\n".join(f"  {problem}" for problem in problems))
        values = yaml.safe_load(text) or {}
    except OSError as error:
        raise InputError(f"The configuration file {path} cannot be read: {error.strerror}.") from None
    except UnicodeDecodeError as error:
        raise InputError(
            f"{path} is not UTF-8 text ({error.reason} at byte {error.start}). Save it as UTF-8."
        ) from None
    except yaml.MarkedYAMLError as error:
        line = f", line {error.problem_mark.line + 1}" if error.problem_mark else ""
        raise InputError(f"{path}{line}: this is not YAML: {error.problem}.") from None
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        if isinstance(error, InputError):
            raise
        words = "its values are nested too deeply" if isinstance(error, RecursionError) else str(error)
        raise InputError(f"{path} cannot be used as YAML: {words}.") from None
    if not isinstance(values, dict):
        raise InputError(f"{path} holds no keys with values, `key: value`, each on a line of its own.")
    return values


def _problems(node: Any, parent: str, above: frozenset[int]) -> Iterator[str]:
    """Say which keys are repeated below a node, and where an alias stands for what it is part of."""
    if id(node) in above:
        yield f"`{parent}` on line {node.start_mark.line + 1} holds itself, by an alias (`*`). Write out what is meant."
        return
    above |= {id(node)}
    if getattr(node, "id", None) == "sequence":
        for item in node.value:
            yield from _problems(item, parent, above)
    if getattr(node, "id", None) != "mapping":
        return
    lines: dict[str, int] = {}
    for key, value in node.value:
        name, line = f"{parent}.{key.value}".lstrip("."), key.start_mark.line + 1
        if name in lines:
            yield f"`{name}` stands on line {lines[name]} and on line {line}. Rename or join them."
        lines[name] = line
        yield from _problems(value, name, above)
