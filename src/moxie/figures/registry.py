"""The figures: one module in `moxie.figures.gallery` each, found by itself.

A gallery module holds `FIGURE = Figure(...)`; adding a figure means adding that one file.
"""

import importlib
import pkgutil
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from moxie.errors import InputError, nearest

CATEGORIES = ("Liquids and electrolytes", "Oxidised silicon", "Molecules", "Learning", "Validation")
FORMATS = ("svg", "png", "csv")
DATA_FILES = ("moxie.mplstyle",)  # a job depends on it
NOTHING = "nothing to show"  # heads the data of a figure that has none
_SET_ELSEWHERE = {  # settings of matplotlib that nothing reads
    "figure.figsize": "every figure has a size of its own, in inches",
    "figure.dpi": "set `figures.dpi`",
    "savefig.dpi": "set `figures.dpi`",
    "svg.hashsalt": "it is the figure's name, so that equal data give equal files",
}
_RASTER_DPI = 300  # of what is drawn as pixels inside an SVG


class NothingToDraw(Exception):
    """What a figure shows is not among the results; the text says what is missing. The report leaves it out."""


@dataclass(frozen=True)
class Figure:
    """A figure of the study.

    `inputs` maps labels to paths under results/, in which names in braces stand for what the study's stages say
    (`Stage.figure_labels`): {coldest} and {hottest} for the labels of the lowest and highest oxidation temperature,
    {orientation} for the lowest orientation, {approach} for the first approach of the films. `needs` are the parts of
    the study without which it cannot be drawn; `optional` maps parts to a further input each, there under the part's
    name where the study has it. `draw` takes the paths and returns the matplotlib figure and a data frame of
    exactly what it shows.
    """

    title: str
    category: str
    caption: str
    inputs: Mapping[str, str]
    needs: tuple[str, ...]
    draw: Callable[[Mapping[str, Path]], tuple[Any, Any]]
    order: int = 50  # within its category
    optional: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.category not in CATEGORIES:
            raise InputError(f"Figure {self.title!r}: category {self.category!r} is not one of {CATEGORIES}.")


def names(parts: Collection[str] | None = None) -> list[str]:
    """Return the names of all figures, or of those that a study with these parts (`Study.parts`) can show, in the
    order of the report."""
    package = importlib.import_module("moxie.figures.gallery")
    found = [module.name for module in pkgutil.iter_modules(package.__path__) if not module.name.startswith("_")]
    usable = [name for name in found if parts is None or set(get(name).needs) <= set(parts)]
    return sorted(usable, key=lambda name: (CATEGORIES.index(get(name).category), get(name).order, name))


def get(name: str) -> Figure:
    """Return a figure; raises InputError with the names there are."""
    try:
        return importlib.import_module(f"moxie.figures.gallery.{name}").FIGURE
    except ModuleNotFoundError as error:
        if error.name != f"moxie.figures.gallery.{name}":
            raise
        raise InputError(f"There is no figure {name!r}; the figures are {', '.join(names())}.") from None


def resolve_inputs(
    name: str,
    results: str = "results",
    labels: Mapping[str, str] | None = None,
    parts: Collection[str] = (),
) -> dict[str, str]:
    """Return the input files of a figure by label; `labels` stand for the names in braces in their paths, and `parts`
    are those of the study, which decide on the optional inputs."""
    figure = get(name)
    paths = {**figure.inputs, **{part: path for part, path in figure.optional.items() if part in parts}}
    return {label: f"{results}/{path.format(**labels or {})}" for label, path in paths.items()}


def render(
    name: str,
    inputs: Mapping[str, str | Path],
    stem: str | Path,
    style: Mapping[str, Any] | None = None,
    dpi: int | None = None,
) -> None:
    """Draw a figure and write {stem}.svg, .png and .csv, each whole or not at all.

    `style` overrides settings of moxie.mplstyle by their matplotlib names; `dpi` is the resolution of the PNG. Equal
    inputs give equal bytes. Raises InputError for an unknown setting or a value matplotlib refuses.
    """
    import matplotlib

    from moxie.io import replace_when_complete, write_text

    figure = get(name)
    check_style(style or {})
    settings: dict[Any, Any] = {**dict(style or {}), "svg.hashsalt": name, **({"savefig.dpi": dpi} if dpi else {})}
    with matplotlib.rc_context(settings, fname=Path(__file__).with_name("moxie.mplstyle")):
        try:
            canvas, data = figure.draw({label: Path(path) for label, path in inputs.items()})
        except NothingToDraw as nothing:
            canvas, data = _notice(figure.title, str(nothing))
        with replace_when_complete(f"{stem}.svg") as path:
            canvas.savefig(path, metadata={"Date": None, "Creator": None}, dpi=_RASTER_DPI)
        with replace_when_complete(f"{stem}.png") as path:
            canvas.savefig(path, metadata={"Software": None})
        write_text(f"{stem}.csv", data.to_csv(index=False, float_format="%.8g"))


def check_style(style: Mapping[str, Any]) -> None:
    """Raise InputError with every setting that matplotlib lacks, whose value it refuses, or that has no effect."""
    if not style:
        return
    import matplotlib

    problems = []
    for name, value in style.items():
        if name in _SET_ELSEWHERE:
            problems.append(f"`{name}` has no effect: {_SET_ELSEWHERE[name]}.")
            continue
        if name not in matplotlib.rcParams:
            problems.append(f"matplotlib has no setting `{name}`.{nearest(name, matplotlib.rcParams)}")
            continue
        try:
            matplotlib.RcParams({name: value})
        except (ValueError, TypeError) as error:
            problems.append(f"{error}.")
    if problems:
        raise InputError("\n  ".join(f"`figures.style`: {text}" for text in problems))


def _notice(title: str, reason: str) -> tuple[Any, Any]:
    """Return a figure that says why it shows nothing, and its data."""
    import pandas
    from matplotlib.figure import Figure as Canvas

    canvas = Canvas(figsize=(6.0, 1.0))
    canvas.text(0.5, 0.5, f"{title}: {reason}", ha="center", va="center", wrap=True)
    return canvas, pandas.DataFrame({NOTHING: [reason]})
