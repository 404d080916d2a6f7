"""Data flow one way: which package may import which, and no circle among modules."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2] / "src" / "moxie"
GROUND = {"structures", "reference", "ground"}  # reference below structures, and both on the modules at the top
ALLOWED = {
    "ground": {"ground"},
    "config": {"ground"},
    "reference": {"ground"},
    "structures": {"ground", "reference"},
    "dynamics": GROUND,
    "oxidation": GROUND,
    "molecules": GROUND,
    "features": GROUND,
    "learning": GROUND | {"features"},
    "figures": GROUND | {"features"},
}
WIRING = {"study", "commands", "config_reference", "targets", "predicting"}  # they put the stages together


def module_files() -> dict[str, Path]:
    files = {}
    for path in ROOT.rglob("*.py"):
        name = ".".join(path.relative_to(ROOT.parent).with_suffix("").parts)
        files[name.removesuffix(".__init__")] = path
    return files


MODULES = module_files()


def imports(name: str) -> set[str]:
    """Return the modules that one imports when it runs, at its start or inside a function."""
    tree = ast.parse(MODULES[name].read_text(encoding="utf-8"))
    for_types = [node for node in tree.body if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"]
    left_out = {id(inner) for node in for_types for inner in ast.walk(node)}
    found = set()
    for node in (each for each in ast.walk(tree) if id(each) not in left_out):
        if isinstance(node, ast.ImportFrom) and node.module:
            assert node.level == 0, f"{name} has a relative import"
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
    known = (each if each in MODULES else each.rpartition(".")[0] for each in found)
    return {each for each in known if each in MODULES and each != "moxie"} - {name}


def package_of(module: str) -> str:
    parts = module.split(".")
    if len(parts) < 2:
        return "top"
    return parts[1] if len(parts) > 2 or parts[1] in {*ALLOWED, *WIRING} else "ground"


def test_every_package_is_one_that_the_rule_knows():
    folders = {path.name for path in ROOT.iterdir() if (path / "__init__.py").is_file()}
    assert folders <= {*ALLOWED, *WIRING}


@pytest.mark.parametrize("package", ALLOWED)
def test_a_package_imports_from_those_below_it_only(package):
    members = [name for name in MODULES if package_of(name) == package and name != "moxie.__main__"]
    arrows = {(name, other) for name in members for other in imports(name)}
    assert members and not sorted(
        f"{name} imports {other}" for name, other in arrows if package_of(other) not in {package, *ALLOWED[package]}
    )


def circles() -> list[list[str]]:
    """Return the sets of two or more modules that reach each other (Tarjan's strongly connected components)."""
    arrows = {name: imports(name) for name in MODULES}
    index: dict[str, int] = {}
    lowest: dict[str, int] = {}
    stack: list[str] = []
    found: list[list[str]] = []

    def visit(name: str) -> None:
        index[name] = lowest[name] = len(index)
        stack.append(name)
        for other in arrows[name]:
            if other not in index:
                visit(other)
                lowest[name] = min(lowest[name], lowest[other])
            elif other in stack:
                lowest[name] = min(lowest[name], index[other])
        if lowest[name] == index[name]:
            members = [stack.pop()]
            while members[-1] != name:
                members.append(stack.pop())
            if len(members) > 1:
                found.append(sorted(members))

    for name in sorted(MODULES):
        if name not in index:
            visit(name)
    return found


def test_no_modules_import_each_other_in_a_circle():
    assert circles() == []
