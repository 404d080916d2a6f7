"""What is wrong with a YAML file before its values are looked at."""

import re
from pathlib import Path
from typing import Any

from moxie.errors import InputError

_DEEPEST = 60  # levels; the default study has six
_LARGEST_BYTES = 5_000_000
_MOST_VALUES = 1_000_000


def check_file(path: str | Path) -> dict[str, Any]:
    """Return what a YAML file holds; an empty file holds nothing.

    Raises InputError, with file and line, for one that cannot be read, that is not YAML, that holds no keys, in which
    a mapping has a key twice (YAML would keep the last), an alias stands for what it is part of, a value cannot be
    taken (a number of thousands of digits, the 45th of a month), or that is nested or multiplied by aliases beyond use.
    """
    import yaml

    content = _read(path)
    try:
        text = content.decode("utf-8")
        root = yaml.compose(text, Loader=yaml.SafeLoader)
        walk = _Walk()
        if root is not None:
            walk.size(root, "", frozenset())
        if walk.problems:
            raise InputError(f"{path} cannot be used:\n" + "\n".join(f"  {problem}" for problem in walk.problems))
        values = yaml.safe_load(text)
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise InputError(f"{path}, line {line}: this is not UTF-8 text ({error.reason}). Save it as UTF-8.") from None
    except yaml.MarkedYAMLError as error:
        where = f", line {error.problem_mark.line + 1}" if error.problem_mark else ""
        raise InputError(f"{path}{where}: this is not YAML: {error.problem}.{_quotes(text, error)}") from None
    except yaml.reader.ReaderError as error:
        line = content[: error.position].count(b"\n") + 1
        raise InputError(f"{path}, line {line}: this is not YAML: {error.reason}.") from None
    except RecursionError:
        raise InputError(f"{path}, line {_too_deep(text)}: {_TOO_DEEP}") from None
    if values is None:
        return {}
    if not isinstance(values, dict):
        raise InputError(f"{path} holds no keys with values, `key: value`, each on a line of its own.")
    return values


def _quotes(text: str, error: Any) -> str:
    """Return the advice to put a text in quotes, where what YAML stumbled over begins with a sign of its own."""
    mark = error.problem_mark or error.context_mark
    line = (text.split("\n")[mark.line] if mark and mark.line < text.count("\n") + 1 else "").rstrip("\r")
    if error.problem and "escape character" in error.problem:
        return " In double quotes a backslash begins an escape: put the text in single quotes."
    before = [found for found in _NEEDS_QUOTES.finditer(line) if found.end() <= mark.column]
    if not before:
        return ""
    return f" If the value of `{before[-1].group(1)}` is a text, as a SMILES is, put it in quotes."


_NEEDS_QUOTES = re.compile(r"([\w.-]+):\s+(?=[\[{*&!|>%@`])")  # before what begins with a sign of YAML's own
_TOO_DEEP = f"more than {_DEEPEST} levels within each other. No key needs so many; look for brackets without end."


def _read(path: str | Path) -> bytes:
    try:
        size = Path(path).stat().st_size
        if size > _LARGEST_BYTES:
            raise InputError(
                f"{path} has {size / 1e6:.0f} MB; at most {_LARGEST_BYTES / 1e6:.0f} can be a configuration."
            )
        return Path(path).read_bytes()
    except OSError as error:
        raise InputError(f"The file {path} cannot be read: {error.strerror}.") from None


_NUMBERS = ("tag:yaml.org,2002:int", "tag:yaml.org,2002:float")


class _Walk:
    """A walk through the nodes of a file, each once, however many aliases stand for it."""

    def __init__(self) -> None:
        import yaml

        self.problems: list[str] = []
        self._sizes: dict[int, int] = {}
        self._make = yaml.SafeLoader("").construct_object

    def size(self, node: Any, name: str, above: frozenset[int]) -> int:
        """Return how many values a node stands for, those of aliases counted each time."""
        line = node.start_mark.line + 1
        if id(node) in above:
            self.problems.append(f"`{name}` on line {line} holds itself, by an alias (`*`). Write out what is meant.")
            return 1
        if id(node) in self._sizes:
            return self._sizes[id(node)]
        if len(above) >= _DEEPEST:
            self.problems.append(f"line {line}: {_TOO_DEEP}")
            return 1
        within = above | {id(node)}
        if node.id == "scalar":
            found = self._check_scalar(node, name, line)
        elif node.id == "sequence":
            found = 1 + sum(self.size(item, name, within) for item in node.value)
        else:
            found = 1 + sum(self.size(*item, within) for item in self._entries(node, name))
        if found > _MOST_VALUES and not self.problems:
            self.problems.append(
                f"`{name}` on line {line} stands for {found:.0g} values by its aliases (`*`); at most {_MOST_VALUES:,}"
                " can be used."
            )
        self._sizes[id(node)] = found
        return found

    def _entries(self, node: Any, parent: str) -> list[tuple[Any, str]]:
        lines: dict[str, int] = {}
        for key, _ in node.value:
            name, line = _key(key, parent), key.start_mark.line + 1
            if name in lines:
                self.problems.append(f"`{name}` stands on line {lines[name]} and on line {line}. Rename or join them.")
            lines[name] = line
        return [(value, _key(key, parent)) for key, value in node.value]

    def _check_scalar(self, node: Any, name: str, line: int) -> int:
        if ":" in node.value and node.tag in _NUMBERS:
            self.problems.append(
                f"`{name}` on line {line} is {node.value}, which YAML reads as a number of base 60, as it does hours"
                " and minutes. Write the number itself, or put a text in quotes."
            )
            return 1
        try:
            self._make(node)
        except ValueError as error:
            short = node.value if len(node.value) < 30 else f"{node.value[:20]}..."
            self.problems.append(
                f"`{name}` on line {line} is {short}, which cannot be read: {str(error).split(';')[0]}."
            )
        return 1


def _key(key: Any, parent: str) -> str:
    return f"{parent}.{key.value}".lstrip(".")


def _too_deep(text: str) -> int:
    """Return the line on which the nesting of a text exceeds what is allowed."""
    import yaml

    depth = 0
    for event in yaml.parse(text, Loader=yaml.SafeLoader):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > _DEEPEST:
            break
    return int(event.start_mark.line) + 1
