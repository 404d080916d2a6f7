"""Write the source of the documentation's site: the pages of the repository, a gallery of figures and an API page.

    python docs/site/prepare.py FOLDER [RESULTS]

RESULTS is the folder of a study whose figures the gallery shows; without it the gallery has words alone.
"""

import ast
import re
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

ROOT = Path(__file__).parents[2]
PAGES = ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")
SECTIONS = {
    "Use": (
        "README", "docs/tutorials/liquid", "docs/tutorials/oxidation", "docs/tutorials/molecules", "docs/guide",
        "docs/recipes", "docs/configuration", "docs/cluster", "docs/reproducibility", "docs/glossary", "gallery",
    ),
    "Theory": tuple(
        f"docs/theory/{name}"
        for name in ("dynamics", "oxidation", "monte_carlo", "molecules", "learning", "tree_search")
    ),
    "Measured": tuple(f"docs/measured/{path.stem}" for path in sorted((ROOT / "docs/measured").glob("*.md"))),
    "Develop": (
        "CONTRIBUTING", "docs/extending", "docs/moved", "api/index", "docs/licences", "CHANGELOG", "docs/index",
    ),
}  # fmt: skip
_FENCED_CODE = re.compile(r"^ *```.*?^ *```", re.M | re.S)
_FENCED = re.compile(r"(^ *```.*?^ *```|`[^`\n]+`|\]\([^)]*\))", re.M | re.S)
_CITED = re.compile(r"((?:[A-Z][A-Za-z]*\.? ){1,6}[A-Z]?\d+, [A-Z]?\d+ \(\d{4}\))")
_DOI = re.compile(r"\bdoi:(10\.\d{4,}/\S+?)(?=[.,;)]?(?:\s|$))", re.I)
_LOOK_UP = "https://search.crossref.org/search/works?q="
_LOCAL = re.compile(r"\]\((?!https?:|mailto:|#)([^)\s]+?)(#[^)\s]*)?\)")


def prepare(folder: Path, results: Path | None = None) -> None:
    """Write every page of the site below `folder`, which is emptied first."""
    shutil.rmtree(folder, ignore_errors=True)
    for page in pages():
        target = folder / page
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(with_papers((ROOT / page).read_text(encoding="utf-8")), encoding="utf-8")
        for link, _ in _LOCAL.findall(_FENCED_CODE.sub("", (ROOT / page).read_text(encoding="utf-8"))):
            _copy(((ROOT / page).parent / link).resolve(), folder)
    (folder / "gallery.md").write_text(gallery(folder, results), encoding="utf-8")
    for name, text in api():
        target = folder / "api" / f"{name}.md"
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")
    (folder / "index.md").write_text(index(), encoding="utf-8")


def pages() -> list[Path]:
    """Return the pages of the repository that the site holds, relative to it."""
    return [Path(page) for page in PAGES] + sorted(path.relative_to(ROOT) for path in (ROOT / "docs").rglob("*.md"))


def with_papers(text: str) -> str:
    """Return a page whose citations ("J. Chem. Phys. 81, 3684 (1984)") lead to the paper; code is left alone."""
    parts = _FENCED.split(text)
    for place in range(0, len(parts), 2):
        linked = _CITED.sub(lambda found: f"[{found[1]}]({_LOOK_UP}{quote(found[1])})", parts[place])
        parts[place] = _DOI.sub(lambda found: f"[doi:{found[1]}](https://doi.org/{found[1]})", linked)
    return "".join(parts)


def gallery(folder: Path, results: Path | None) -> str:
    """Return the page of all figures, a line each, with the pictures that `results` holds."""
    from moxie.figures import registry

    lines = ["# Gallery", "", "Every figure that a study can hold; which it has follows from its stages.", ""]
    category = ""
    for name in registry.names():
        figure = registry.get(name)
        if figure.category != category:
            category = figure.category
            lines += [f"## {category}", ""]
        lines += [f"### {figure.title}", "", f"`{name}`: {first_sentence(figure.caption)}", ""]
        picture = None if results is None else results / "figures" / f"{name}.png"
        if picture is not None and picture.is_file():
            _copy_to(picture, folder / "pictures" / picture.name)
            lines += [f"![{figure.title}](pictures/{name}.png)", ""]
    return "\n".join(lines)


def first_sentence(text: str) -> str:
    """Return a text up to the end of its first sentence, of a long one up to a pause before its 240th character."""
    sentence = re.split(r"(?<=[a-z0-9)]\.)\s+(?=[A-Z])", text)[0]
    if len(sentence) <= 240:
        return sentence
    pauses = [pause.start() for pause in re.finditer(r"[,;] ", sentence[:240])]
    return sentence[: pauses[-1] if pauses else 240] + "."


def api() -> Iterator[tuple[str, str]]:
    """Yield (page, text) of the public modules, one page for each package, from their docstrings."""
    source = ROOT / "src" / "moxie"
    packages: dict[str, list[Path]] = {}
    for path in sorted(source.rglob("*.py")):
        parts = path.relative_to(source).with_suffix("").parts
        if not any(part.startswith("_") and part != "__init__" for part in parts):
            packages.setdefault(parts[0] if len(parts) > 1 else "moxie", []).append(path)
    listed = ["# API", "", "What stands in the docstrings of the public modules.", "", "```{toctree}", ""]
    for package in sorted(packages):
        listed.append(package)
        text = [f"# {'moxie' if package == 'moxie' else f'moxie.{package}'}", ""]
        for path in packages[package]:
            text += _module(path, ".".join(("moxie", *path.relative_to(source).with_suffix("").parts)))
        yield package, "\n".join(text)
    yield "index", "\n".join([*listed, "```", ""])


def _module(path: Path, name: str) -> list[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    text = [f"## {name.removesuffix('.__init__')}", "", ast.get_docstring(tree) or "", ""]
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_"):
            text += _described(node, "###")
            if isinstance(node, ast.ClassDef):
                for method in node.body:
                    if isinstance(method, ast.FunctionDef) and not method.name.startswith("_"):
                        text += _described(method, "####", f"{node.name}.")
    return text


def _described(node: ast.FunctionDef | ast.ClassDef, level: str, owner: str = "") -> list[str]:
    heading = [f"{level} {owner}{node.name}", ""]
    if isinstance(node, ast.FunctionDef):
        result = f" -> {ast.unparse(node.returns)}" if node.returns else ""
        heading += ["```python", f"{node.name}({ast.unparse(node.args)}){result}", "```", ""]
    return [*heading, ast.get_docstring(node) or "", ""]


def index() -> str:
    """Return the front page: what each section holds."""
    text = ["# moxie", "", "Documentation of moxie, a research pipeline for liquids, oxides and molecules.", ""]
    for section, names in SECTIONS.items():
        text += ["```{toctree}", ":maxdepth: 1", f":caption: {section}", "", *names, "```", ""]
    return "\n".join(text)


def _copy(path: Path, folder: Path) -> None:
    """Copy a file that a page links to, unless it is a page itself."""
    if path.is_file() and path.is_relative_to(ROOT) and path.suffix != ".md":
        _copy_to(path, folder / path.relative_to(ROOT))


def _copy_to(path: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(path, target)


if __name__ == "__main__":
    prepare(Path(sys.argv[1]), Path(sys.argv[2]) if len(sys.argv) > 2 else None)
